"""What a visitor sets. Every control is bound to the URL, so that a link restores the page."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from seq2seq import catalogue
from seq2seq.catalogue import embedded, is_name
from seq2seq.errors import UserError
from seq2seq.options import MAX_BEAM_WIDTH, MAX_CHARACTERS, MAX_LENGTH, Options
from ui.components import copy_link

DEFAULT = "lstm-attention-en-fr"
METHODS = {"beam": "Beam", "greedy": "Greedy", "sample": "Sample"}
MAX_TYPED = 20_000  # a longer address is refused by the server
URL: Any = {"bind": "query-params"}


def quoted(text: str) -> str:
    """Quote a visitor's text in Markdown, as code: escapes do not stop links, icons and arrows."""
    text = re.sub(r"\s+", " ", text).strip()
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if text else "nothing"


def plain(text: str) -> str:
    """Escape a sentence of ours so that Markdown shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=])", r"\\\1", text)


def checkpoints_for(task: str) -> list[str]:
    """Return the names of a task's checkpoints, the one to show first in front."""
    names = [card.name for card in embedded().values() if card.task == task]
    return sorted(names, key=lambda name: (name != DEFAULT, name))


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
    return () if name is None else embedded()[name].examples


def run_controls(task: str) -> tuple[str | None, Options, bytes | None]:
    """Show the row of controls of a task page.

    Returns the checkpoint's name, None if the task has none; the options; and a saved run if the
    visitor opened one.
    """
    names, first = checkpoints_for(task), first_checkpoint(task)
    asked = st.query_params.get("checkpoint")
    if asked and first and asked not in names:
        st.warning(
            f"{_why_missing(asked, task)} Showing {quoted(first)} instead.",
            icon=":material/warning:",
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Checkpoint",
            names,
            key="checkpoint",
            help="A model in checkpoints/, with the tokenizer it was trained with.",
            **URL,
        )
        options, saved = search_controls(), saved_run_picker()
        copy_link()
    return name, options, saved


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

    st.pills("Examples", examples(name), key=key, on_change=use)


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


def search_controls() -> Options:
    """Let the visitor set the search."""
    with st.popover("How to search", icon=":material/tune:"):
        chosen = st.segmented_control(
            "Method",
            list(METHODS),
            format_func=METHODS.__getitem__,
            default="beam",
            required=True,
            key="method",
            help="Beam keeps several hypotheses alive, greedy one; sampling draws by chance.",
            **URL,
        )
        method = chosen or "beam"  # a link may say nothing
        values: dict[str, Any] = {"method": method}
        values |= _sampling_controls() if method == "sample" else {}
        values |= _beam_controls(method) if method != "greedy" else {}
        values |= _stopping_control() if method == "beam" else {}
        values |= _rule_controls()
    return Options(**values)


def _beam_controls(method: str) -> dict[str, Any]:
    label = "Beam width" if method == "beam" else "Samples"
    return {
        "beam_width": st.slider(label, 1, MAX_BEAM_WIDTH, 5, key="beam_width", **URL),
        "length_penalty": st.slider(
            "Length penalty",
            0.0,
            2.0,
            1.0,
            0.1,
            key="length_penalty",
            help="α in score = log P / lengthᵅ: 0 prefers short outputs, above 1 long ones.",
            **URL,
        ),
        "coverage_penalty": st.slider(
            "Coverage penalty",
            0.0,
            1.0,
            0.0,
            0.05,
            key="coverage_penalty",
            help="β: punishes outputs that never looked at some source token.",
            **URL,
        ),
    }


def _stopping_control() -> dict[str, Any]:
    stop = st.toggle(
        "Stop early",
        True,
        key="early_stopping",
        help="Stop once enough outputs are complete, even if a live one could still score higher.",
        **URL,
    )
    return {"early_stopping": stop}


def _sampling_controls() -> dict[str, Any]:
    return {
        "temperature": st.slider(
            "Temperature",
            0.1,
            2.0,
            1.0,
            0.1,
            key="temperature",
            help="Below 1 the probable becomes more probable, above 1 less.",
            **URL,
        ),
        "top_k": st.slider("Top-k (0: all tokens)", 0, 100, 0, key="top_k", **URL),
        "top_p": st.slider("Top-p", 0.05, 1.0, 1.0, 0.05, key="top_p", **URL),
        "seed": st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", **URL),
    }


def _rule_controls() -> dict[str, Any]:
    return {
        "prefix": st.text_input(
            "Output begins with", key="prefix", autocomplete="off", max_chars=500, **URL
        ),
        "min_length": st.slider("At least so many tokens", 0, 50, 0, key="min_length", **URL),
        "max_length": st.slider(
            "At most so many tokens (0: by the source)", 0, MAX_LENGTH, 0, key="max_length", **URL
        ),
        "no_repeat_ngram": st.slider(
            "No n-gram twice, n (0: off)", 0, 5, 0, key="no_repeat_ngram", **URL
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
