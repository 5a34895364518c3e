"""Notebooks are made from lessons, and what they hold runs."""

import json
import sys

import pytest

from seq2seq.checkpoint import load
from seq2seq.cli.main import main
from seq2seq.lessons import foundations, notebook
from seq2seq.lessons.course import LESSONS
from seq2seq.lessons.keras_example import layers
from tests.experiments.test_experiments import SETTINGS, _copying, copying  # noqa: F401


@pytest.fixture
def tiny(checkpoint_root, monkeypatch):
    """The lessons' models are tiny ones here."""
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", checkpoint_root)
    monkeypatch.setattr(notebook, "FIRST_MODEL", "gru-plain")
    return lambda name: load(str(checkpoint_root / name))


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_a_notebook_is_of_format_4_5_and_its_code_is_python(tiny, lesson):
    made = json.loads(json.dumps(notebook.notebook(lesson, tiny)))
    assert (made["nbformat"], made["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in made["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in made["cells"]:
        assert cell["source"].strip()
        if cell["cell_type"] == "code":
            compile(cell["source"], lesson.name, "exec")
            assert cell["outputs"] == []
    text = "\n".join(cell["source"] for cell in made["cells"])
    for part in (lesson.title, lesson.why, lesson.question, lesson.not_shown):
        assert part in text
    if lesson.question:
        assert f'LESSONS["{lesson.name}"]' in text
        assert "Change this" in text
    nbformat = sys.modules.get("nbformat")
    if nbformat is not None:
        nbformat.validate(made)


def test_the_flow_is_a_diagram_with_the_models_own_shapes(tiny):
    made = notebook.notebook(LESSONS["how-it-works"], tiny)
    [text] = [cell["source"] for cell in made["cells"] if "```mermaid" in cell["source"]]
    config = tiny("gru-plain").model.config
    for shape in (f"T × {config.token_width}", f"T × {config.width}", f"{config.vocabulary} prob"):
        assert text.count(shape) == 2  # in the diagram, and in plain text
    assert "c = h_T" in text


@pytest.mark.parametrize("name", ["overfitting", "bottleneck", "beam-by-hand"])
def test_a_notebook_runs_from_top_to_bottom(tiny, monkeypatch, capsys, name):
    """As nbclient would run it: cells in turn, in one namespace."""
    values = dict(SETTINGS.get(name, {}))
    namespace = {"__name__": "__main__"}
    for cell in notebook.notebook(LESSONS[name], tiny)["cells"]:
        if cell["cell_type"] != "code":
            continue
        code = cell["source"].replace(foundations.BEAM_MODEL, "gru-plain")
        if "seq2seq.experiments" in code:  # as it is but for the time that it takes
            code = code.replace("seed, **settings", "seed, **{**quick, **settings}")
            namespace["quick"] = values
        code = code.replace("width=64", "width=12")  # of the tiny models
        exec(compile(code, name, "exec"), namespace)
    said = capsys.readouterr().out
    assert "Verdict: " in said or "kept" in said


def test_all_notebooks_are_written(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("seq2seq.checkpoint.load", tiny)
    assert main(["notebooks", str(tmp_path / "course")]) == 0
    files = sorted((tmp_path / "course").iterdir())
    assert len(files) == len(LESSONS) == 18
    assert [str(file) for file in files] == capsys.readouterr().out.split()


def test_a_folder_that_cannot_be_written_to_is_one_sentence(tiny, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["notebooks", str(tmp_path / "file")]) == 2
    assert "choose a folder" in capsys.readouterr().err


def test_keras_counts_what_the_lesson_says(monkeypatch, capsys):
    pytest.importorskip("keras")
    namespace = {}
    for section in LESSONS["keras-example"].sections:
        exec(compile(section.code, section.title, "exec"), namespace)
    assert {layer.keras for layer in layers()} == {0, 197_120, 1_290_000}
    assert namespace["model"].count_params() == sum(layer.keras for layer in layers())
