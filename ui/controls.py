"""What a visitor sets. Every control is bound to the URL, so that a link restores the page."""

from __future__ import annotations

import csv
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import streamlit as st
from streamlit.errors import StreamlitAPIException

from seq2seq import catalogue
from seq2seq.catalogue import is_name
from seq2seq.conventions import ENGLISH
from seq2seq.errors import UserError
from seq2seq.options import (
    MAX_BEAM_WIDTH,
    MAX_CHARACTERS,
    MAX_INSTRUCTION,
    MAX_LENGTH,
    Options,
)
from ui.components import copy_link
from ui.models import card_of, checkpoints_for, is_own, models, open_model
from ui.text import plain, quoted

METHODS = {"beam": "Beam", "greedy": "Greedy", "sample": "Sample"}
RECORDINGS = Path(__file__).parent.parent / "assets" / "recordings"
NO_INSTRUCTION = "none"
LONGEST_PILL = 90  # characters of an example that are shown
MAX_TYPED = 20_000  # a longer address is refused by the server
MAX_PASTED = 200_000  # characters of a text of several lines
if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from seq2seq.audio import Audio

URL: Any = {"bind": "query-params"}


def first_checkpoint(task: str) -> str | None:
    """Return the checkpoint of a task to show first; says so if there is none."""
    names = checkpoints_for(task)
    if not names:
        st.error(
            f"There is no checkpoint for {task}: put one into the folder checkpoints.",
            icon=":material/error:",
        )
    return names[0] if names else None


def examples(name: str | None) -> tuple[str, ...]:
    """Return the example inputs of a checkpoint."""
    card = card_of(name) if name else None
    return card.examples if card else ()


def run_controls(task: str, lengths: bool = False) -> tuple[str | None, Options, bytes | None]:
    """Show the row of controls of a task page.

    lengths: what sets the length of the output is on the page, not among the search's settings.
    Returns the checkpoint's name, None if the task has none; the options; and a saved run if the
    visitor opened one.
    """
    asked = st.query_params.get("checkpoint")
    names, first = checkpoints_for(task, asked), first_checkpoint(task)
    if asked and first and asked not in names:
        st.warning(
            f"{_why_missing(asked, task)} Showing {quoted(first)} instead.",
            icon=":material/warning:",
        )
    row = st.container(horizontal=True, vertical_alignment="bottom")
    lengths_place = st.container() if lengths else None
    with row:
        name = st.selectbox(
            "Checkpoint",
            names,
            key="checkpoint",
            on_change=_forget_settings,
            help="A model, with the tokenizer it was trained with. The page Models has more.",
            **URL,
        )
    # What its authors decode with is known once it is loaded; of our own, before.
    if name and not is_own(name) and open_model(name) is None:
        return None, Options(), saved_run_picker()
    with row:
        languages = _language_controls(name)
        options = replace(search_controls(_defaults(name), lengths_place), **languages)
        saved = saved_run_picker()
        copy_link()
    return name, options, saved


# Widgets whose values are a checkpoint's own where nobody sets them.
SETTINGS = (
    "method",
    "beam_width",
    "length_penalty",
    "coverage_penalty",
    "early_stopping",
    "temperature",
    "top_k",
    "top_p",
    "min_length",
    "max_length",
    "no_repeat_ngram",
    "source_language",
    "target_language",
    "instruction",
)


def _forget_settings() -> None:
    for name in SETTINGS:
        st.session_state.pop(name, None)


def _defaults(name: str | None) -> Options:
    """Return what a checkpoint's authors decode with; the card of one of ours says it."""
    loaded = models().loaded.get(name or "")
    if loaded:
        return loaded.conventions.options
    card = card_of(name) if name else None
    return card.decoding if card else Options()


def _language_controls(name: str | None) -> dict[str, Any]:
    """Let the visitor choose languages or a task, where the model knows several."""
    loaded = models().loaded.get(name or "")
    if loaded is None:
        return {}
    codes, conventions = list(loaded.tokenizer.languages), loaded.conventions
    values: dict[str, Any] = {}
    defaults = conventions.options
    if conventions.language_leads and len(codes) > 1:
        hears = loaded.model.config.input == "audio"
        for key, label, default in (
            ("source_language", "Source language", defaults.source_language),
            ("target_language", "Output language", defaults.target_language),
        ):
            if key == "source_language" and conventions.language_leads == "source":
                continue  # only the output's can be chosen
            known = [ENGLISH] if hears and key == "target_language" else codes
            # What is chosen stands in the address, so it is what is shown.
            empty = "as it hears" if key == "source_language" and hears else "the same"
            choices = [*([empty] if hears or not default else []), *known]
            first = choices.index(default) if default in choices else 0
            chosen = st.selectbox(label, choices, first, key=key, **URL)
            values[key] = "" if chosen == empty else chosen
    if conventions.instructions:
        stripped = (text.strip() for text in conventions.instructions.values())
        texts = [text for text in stripped if 0 < len(text) <= MAX_INSTRUCTION]
        chosen = st.selectbox(
            "Instruction before the text",
            [NO_INSTRUCTION, *texts],
            1 + texts.index(defaults.instruction) if defaults.instruction in texts else 0,
            key="instruction",
            accept_new_options=True,
            **URL,
        )
        values["instruction"] = "" if chosen == NO_INSTRUCTION else (chosen or "")[:MAX_INSTRUCTION]
    if conventions.speech is not None and conventions.speech.first_time is not None:
        values["timestamps"] = st.toggle("Write times", key="timestamps", **URL)
    return {
        key: value or Options.__dataclass_fields__[key].default for key, value in values.items()
    }


def _why_missing(asked: str, task: str) -> str:
    """Say why a checkpoint that a link names is not in the list."""
    # Only folders beside the others are looked at: a link must not tell what else lies on a server.
    if not is_name(asked) or not (catalogue.CHECKPOINTS / asked).is_dir():
        return f"There is no checkpoint {quoted(asked[:80])} for {task}."
    try:
        card = catalogue.read_card(catalogue.CHECKPOINTS / asked)
    except UserError as error:
        return plain(str(error))
    what = "has no weights" if card.task == task else f"is not for {task}"
    return f"The checkpoint {quoted(asked)} {what}."


def example_chips(name: str | None, key: str, target: str) -> None:
    """Offer the checkpoint's example inputs; a click puts one into the input named `target`."""

    def use() -> None:
        if st.session_state[key]:
            st.session_state[target] = st.session_state[key]
            st.session_state[key] = None

    if offered := examples(name):
        st.pills("Examples", offered, format_func=_first_words, key=key, on_change=use)


def _first_words(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_PILL else text[:LONGEST_PILL].rsplit(" ", 1)[0] + " …"


def source_input(label: str, key: str, value: str = "") -> str:
    """Return the text the visitor typed."""
    return st.text_input(
        label,
        value,
        key=key,
        placeholder="Type a sentence and press Enter",
        max_chars=MAX_TYPED,
        help=f"The first {MAX_CHARACTERS:,} characters are read.",
        autocomplete="off",
        **URL,
    )


def source_area(label: str, key: str, query: str) -> str:
    """Return the text of several lines that the visitor typed.

    It stands in the address under the name `query` as long as it is short enough for a link.
    """
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(query, "")
    given = st.text_area(
        label,
        key=key,
        height=160,
        placeholder="Paste a text and press Ctrl+Enter",
        help=f"The first {MAX_CHARACTERS:,} characters are read.",
    )
    linked = given if len(quote_plus(given)) <= MAX_TYPED else ""
    if linked != st.query_params.get(query, ""):
        if linked:
            st.query_params[query] = linked
        else:
            del st.query_params[query]
    if given and not linked:
        st.caption(
            "This text is too long for a link, so a copied one leaves it away. "
            "The run can be saved as JSON instead."
        )
    return given[:MAX_PASTED]


def recording() -> Audio | None:
    """Return what the visitor recorded, uploaded or chose last; says why not if it is unreadable.

    Where there are several, the visitor sees which one is heard and can go back to the others.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.audio_input("Record", key="spoken", on_change=_keep, args=("spoken",))
        st.file_uploader(
            "Or upload a recording: WAV, FLAC, OGG, MP3",
            ["wav", "flac", "ogg", "mp3"],
            key="uploaded",
            on_change=_keep,
            args=("uploaded",),
        )
    samples = _samples()
    sample = st.pills(
        "Or take an example",
        list(samples),
        key="recording",
        on_change=lambda: st.session_state.update({_HEARD: "example"}),
        help="The last two are for models of any English speech; speech-en knows letters, numbers "
        "and a few commands.",
        **URL,
    )
    given = dict(st.session_state.get(_GIVEN, {}))
    st.session_state[_SAID] = ""
    if sample in samples:
        from seq2seq.audio import read_audio

        path, text = samples[sample]
        given["example"] = read_audio(path)
    if not given:
        return None
    heard = _heard(list(given))
    found = given[heard]
    if isinstance(found, UserError):
        st.error(plain(str(found)), icon=":material/error:")
        return None
    if heard == "example":
        st.session_state[_SAID] = text
    if heard != "recording" or st.session_state.get("spoken") is None:
        from seq2seq.audio import to_wav

        st.audio(to_wav(found.samples), alt=f"What is heard: the {heard}")
    return found


# What the visitor gave, by name; which of it is heard; and the text of an example that is.
_GIVEN, _HEARD, _SAID = "given_recordings", "heard", "example_text"
NAMES = {"spoken": "recording", "uploaded": "upload"}


def _keep(key: str) -> None:
    """Read what was recorded or uploaded once; it stays until it is removed."""
    from seq2seq.audio import read_audio

    file, name = st.session_state[key], NAMES[key]
    given = st.session_state.setdefault(_GIVEN, {})
    given.pop(name, None)
    if file is not None:
        st.session_state[_HEARD] = name
        called = file.name[:60] if key == "uploaded" else "The recording"
        try:
            given[name] = read_audio(file.getvalue(), called)
        except UserError as error:
            given[name] = error


def _heard(names: list[str]) -> str:
    """Return which of several recordings is heard, and let the visitor choose another."""
    if len(names) == 1:
        return names[0]
    if st.session_state.get(_HEARD) not in names:
        st.session_state[_HEARD] = names[-1]
    chosen = st.segmented_control("What is heard", names, key=_HEARD, required=True)
    return chosen or names[-1]


def example_text() -> str:
    """Return what is said in the example that is heard; "" if something else is heard."""
    return st.session_state.get(_SAID, "")


def _samples() -> dict[str, tuple[Path, str]]:
    """Return the files of the examples, and what is said in each, by their names."""
    with (RECORDINGS / "recordings.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {
            Path(row["file"]).stem.replace("-", " "): (RECORDINGS / row["file"], row["text"])
            for row in rows
        }


def search_controls(defaults: Options, lengths_place: DeltaGenerator | None = None) -> Options:
    """Let the visitor set the search; what sets the length of the output, in a place of its own."""
    with st.popover("How to search", icon=":material/tune:"):
        chosen = st.segmented_control(
            "Method",
            list(METHODS),
            format_func=METHODS.__getitem__,
            default=defaults.method,
            required=True,
            key="method",
            help="Beam keeps several hypotheses alive, greedy one; sampling draws by chance.",
            **URL,
        )
        method = chosen or "beam"  # a link may say nothing
        values: dict[str, Any] = {"method": method}
        values |= _sampling_controls(defaults) if method == "sample" else {}
        values |= _beam_controls(method, defaults) if method != "greedy" else {}
        values |= _stopping_control(defaults) if method == "beam" else {}
        values |= _rule_controls(defaults)
        if lengths_place is None:
            values |= _length_controls(method, defaults)
    if lengths_place is not None:
        with lengths_place:
            values |= _length_controls(method, defaults, in_a_row=True)
    return Options(**values)


def _length_controls(method: str, defaults: Options, in_a_row: bool = False) -> dict[str, Any]:
    places = st.columns(3, gap="medium") if in_a_row else [st.container() for _ in range(3)]
    with places[0]:
        shortest = st.slider(
            "At least so many tokens", 0, MAX_LENGTH, defaults.min_length, key="min_length", **URL
        )
    with places[1]:
        longest = st.slider(
            "At most so many tokens (0: by the source)",
            0,
            MAX_LENGTH,
            defaults.max_length,
            key="max_length",
            **URL,
        )
    values: dict[str, Any] = {"min_length": shortest, "max_length": longest}
    if 0 < longest < shortest:
        st.caption("At most is less than at least: the output is cut there.")
    if method != "greedy":
        with places[2]:
            values["length_penalty"] = st.slider(
                "Length penalty",
                0.0,
                5.0,
                defaults.length_penalty,
                0.05,
                key="length_penalty",
                help="α in score = log P / lengthᵅ: 0 prefers short outputs, above 1 long ones.",
                **URL,
            )
    return values


def _beam_controls(method: str, defaults: Options) -> dict[str, Any]:
    width = defaults.beam_width if defaults.beam_width > 1 else Options().beam_width
    label = "Beam width" if method == "beam" else "Samples"
    return {
        "beam_width": st.slider(label, 1, MAX_BEAM_WIDTH, width, key="beam_width", **URL),
        "coverage_penalty": st.slider(
            "Coverage penalty",
            0.0,
            1.0,
            min(1.0, defaults.coverage_penalty),
            0.05,
            key="coverage_penalty",
            help="β: punishes outputs that never looked at some source token.",
            **URL,
        ),
    }


def _stopping_control(defaults: Options) -> dict[str, Any]:
    stop = st.toggle(
        "Stop early",
        defaults.early_stopping,
        key="early_stopping",
        help="Stop once enough outputs are complete, even if a live one could still score higher.",
        **URL,
    )
    return {"early_stopping": stop}


def _sampling_controls(defaults: Options) -> dict[str, Any]:
    return {
        "temperature": st.slider(
            "Temperature",
            0.1,
            2.0,
            min(2.0, max(0.1, defaults.temperature)),
            0.05,
            key="temperature",
            help="Below 1 the probable becomes more probable, above 1 less.",
            **URL,
        ),
        "top_k": st.slider(
            "Top-k (0: all tokens)", 0, 100, min(100, defaults.top_k), key="top_k", **URL
        ),
        "top_p": st.slider("Top-p", 0.05, 1.0, max(0.05, defaults.top_p), 0.05, key="top_p", **URL),
        "seed": st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", **URL),
    }


def _rule_controls(defaults: Options) -> dict[str, Any]:
    return {
        "prefix": st.text_input(
            "Output begins with", key="prefix", autocomplete="off", max_chars=500, **URL
        ),
        "no_repeat_ngram": st.slider(
            "No n-gram twice, n (0: off)",
            0,
            10,
            defaults.no_repeat_ngram,
            key="no_repeat_ngram",
            **URL,
        ),
    }


def saved_run_picker() -> bytes | None:
    """Let the visitor choose a run that was downloaded as JSON; returns the file."""
    with st.popover("Open a saved run", icon=":material/upload_file:"):
        file = st.file_uploader("A run downloaded from this page", "json", key="saved_run")
    return None if file is None else file.getvalue()


def page_link(page: str, label: str, **query: str) -> None:
    """Link to another page with its controls set; nothing where a page runs without the menu."""
    with suppress(StreamlitAPIException):
        st.page_link(page, label=label, icon=":material/arrow_forward:", query_params=query)


def empty_state(text: str) -> None:
    """Say what to do where there is nothing to show yet."""
    st.info(text, icon=":material/edit:")
