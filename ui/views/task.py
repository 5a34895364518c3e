"""What every task page does with what the visitor gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from seq2seq.decoding.options import Options
from ui.inputs.task_controls import run_controls
from ui.inputs.text_input import (
    empty_state,
    example_chips,
    examples,
    sentences_input,
    source_area,
    source_input,
)
from ui.instruments import instruments
from ui.instruments.selection import Reader, read_tokens
from ui.runtime.runs import Subject, reopen, run, subject_of
from ui.views.sentences import sentence_looked_at

if TYPE_CHECKING:
    from seq2seq.data.audio import Audio

SENTENCES, PARAGRAPHS, WORD = "sentences", "paragraphs", "word"


def text_task(
    task: str, title: str, label: str, ask: str, kind: str = SENTENCES, read: Reader = read_tokens
) -> None:
    """Show a task whose source is a text: title and controls, input, examples, then the run.

    label: of the input. ask: what is said while it is empty. kind: SENTENCES are run one by one,
    PARAGRAPHS at once; a WORD is one line. read: shows source and output.
    """
    name, options, saved = run_controls(task, title)
    with st.container(gap="xsmall"):
        text_place = st.container()
        example_chips(name, "example", target="paragraphs" if kind == PARAGRAPHS else "text")
    with text_place:
        first = next(iter(examples(name)), "")
        if kind == PARAGRAPHS:
            text = source_area(label, "paragraphs", query="text", first=first)
        elif kind == WORD:
            text = source_input(label, "text", first, travels=False, shows_label=False)
        else:
            text = sentences_input(label, "text", first)
    if kind == SENTENCES and name and saved is None:
        text = sentence_looked_at(name, text, options)
    show_run(task, name, text, options, saved, ask, read)


def show_run(
    task: str,
    name: str | None,
    given: str | Audio | None,
    options: Options,
    saved: bytes | None,
    ask: str,
    read: Reader = read_tokens,
) -> None:
    """Show the run of a model on a text or recording, or a saved one; `ask` if there is neither."""
    if saved is not None:
        trace = reopen(saved, task)
        if trace is not None:
            instruments(subject_of(trace), trace, read if trace.source.text else read_tokens)
    elif given is None or (isinstance(given, str) and not given.strip()):
        empty_state(ask)
    elif name:
        subject = Subject(name, given, options)
        trace = run(subject)
        if trace is not None:
            instruments(subject, trace, read)
