"""Once a model is trained: open it on other pages, take it home, or train it anew."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.errors import StreamlitAPIException

from seq2seq.errors import UserError
from seq2seq.training.task_recipe import OWN
from ui.components import copy_link
from ui.escape import plain
from ui.runtime.names import show_private
from ui.runtime.trainings import bring_trained

if TYPE_CHECKING:
    from seq2seq.training.jobs import Training
    from ui.training_lab.settings import LabSettings

PAGES = {
    "Translation": "pages/translation.py",
    "Compare architectures": "pages/compare.py",
    "Context vector": "pages/context_vector.py",
}


def afterwards(training: Training) -> None:
    """Show what can be done with the models of a training that has ended."""
    trained = {letter: each for letter, each in training.progress.items() if each.folder}
    if not trained:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for letter in trained:
            menu = st.popover(
                f"Open {letter} in", icon=":material/open_in_new:", key=f"open_{letter}"
            )
            for title in PAGES:
                if menu.button(title, key=f"lab_open_{letter}_{title}", type="tertiary"):
                    _open(training, letter, title, list(trained))
        menu = st.popover(
            "Download", icon=":material/download:", key="lab_download", on_change="rerun"
        )
        if menu.open:  # files are made when they are wanted
            with menu:
                _downloads({letter: Path(each.folder) for letter, each in trained.items()})
                _records(training)
        if training.about.task == OWN:  # whose pairs a link does not carry
            copy_link("run")
        else:
            copy_link("run", start="1")  # whoever opens it trains anew


def _open(training: Training, letter: str, title: str, letters: list[str]) -> None:
    """Go to a page with the model, or all of them, and the first held-out example."""
    try:
        names = {each: bring_trained(training, each) for each in letters}
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    for name in names.values():
        show_private(name)
    texts = _examples(training)
    query: dict[str, str | list[str]] = {"checkpoint": names[letter], "text": texts[0]}
    if title == "Compare architectures":
        query = {"models": [names[each] for each in letters], "sentence": texts[0]}
    elif title == "Context vector":
        query = {"checkpoint": names[letter], **dict(zip("abc", texts, strict=False))}
    with suppress(StreamlitAPIException):  # a page that runs alone has no others
        st.switch_page(PAGES[title], query_params=query)


def _downloads(folders: Mapping[str, Path]) -> None:
    for letter, folder in folders.items():
        st.download_button(
            f"{letter}: checkpoint folder (zip)",
            partial(zipped, folder),
            f"model-{letter.lower()}.zip",
            "application/zip",
            key=f"lab_zip_{letter}",
            on_click="ignore",
        )
        recipe = folder / "recipe.toml"
        if recipe.is_file():
            st.download_button(
                f"{letter}: recipe.toml",
                recipe.read_text(encoding="utf-8"),
                "recipe.toml",
                "application/toml",
                key=f"lab_recipe_{letter}",
                on_click="ignore",
            )


def _records(training: Training) -> None:
    """Offer what was measured, and a notebook that trains the same."""
    from seq2seq import figures
    from seq2seq.lessons.notebook_format import written
    from seq2seq.lessons.training_notebook import training_notebook

    settings: LabSettings = training.about
    recipes = dict(zip(settings.models, training.job["recipes"], strict=True))
    names = {letter: model.name for letter, model in settings.models.items()}
    made = training_notebook(
        recipes, names, training.job["seconds"], settings.task, _examples(training)[0]
    )
    for label, text, name, kind in (
        ("Notebook that trains the same", written(made), "training.ipynb", "application/json"),
        ("Curves (CSV)", figures.training_csv(training.progress), "training.csv", "text/csv"),
    ):
        st.download_button(label, text, name, kind, key=f"lab_download_{name}", on_click="ignore")


def _examples(training: Training) -> list[str]:
    """Return the sources of the held-out examples that are shown."""
    first = next(iter(training.progress.values()))
    return [each.source_text for each in first.snapshots[-1].written]


def zipped(folder: Path) -> bytes:
    """Return the files of a folder as a zip archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{folder.parent.name.lower()}/{path.name}")
    return made.getvalue()
