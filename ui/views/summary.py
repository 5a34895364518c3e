"""A summary beside its text: what of the text it was drawn from, and what of it was copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st

from seq2seq.analysis.copied_fragments import Overlap, overlap, text_words
from seq2seq.analysis.passages import part_numbers, sentences
from seq2seq.data.spans import Span, containing
from seq2seq.trace import Trace
from ui.components import hint, text_pair
from ui.components.text_pair import SHADES, MarkedText, MarkedWord, Shading
from ui.instruments.attention import sinks_note
from ui.instruments.selection import select_step, select_word
from ui.links import URL
from ui.runtime.runs import Subject
from ui.terms import term_help

WHOLE, SENTENCE, WORD = "the whole summary", "a sentence", "a word"
_SHADE = "shade"
LIT = 40  # words of the text, at most, that light up for one of the summary


class _Words(NamedTuple):
    """The words of a summary and of its text, and which of them each token is part of.

    read: so many words of the text are what the model read.
    """

    text: str
    spans: list[Span]
    written: list[Span]
    source: list[int | None]
    target: list[int | None]
    read: int

    @property
    def read_text(self) -> str:
        """What of the text the model read."""
        return self.text[: self.spans[self.read - 1][1]] if self.read else ""


def read_summary(subject: Subject, trace: Trace, step: int, word: int | None) -> None:
    """Show a summary beside its text; a word of either can be chosen."""
    words = _words_of(subject, trace)
    shared = overlap(words.read_text, trace.text)
    marks = _marks(shared)
    chosen, shading = _shading(trace, words, step)

    def choose_made(number: int) -> None:
        if number not in words.target:
            return
        if chosen == WORD and words.target[step] == number:
            st.session_state[_SHADE] = WHOLE
            return
        select_step(words.target.index(number))
        if chosen == WHOLE:
            st.session_state[_SHADE] = WORD

    def choose_source(number: int) -> None:
        if number in words.source:
            select_word(words.source.index(number))

    summary = MarkedText(
        "Summary",
        "Words of the summary",
        _marked(trace.text, words.written, shared.summary, marks[1]),
        words.target[step],
    )
    text = MarkedText(
        "Text",
        "Words of the text",
        _marked(words.read_text, words.spans[: words.read], shared.source, marks[0]),
        None if word is None else words.source[word],
        words.text[len(words.read_text) :],
    )
    text_pair("passage", summary, text, choose_made, choose_source, shading)
    sinks_note(trace)
    _measures(words, shared)


def _words_of(subject: Subject, trace: Trace) -> _Words:
    text = subject.given if isinstance(subject.given, str) else trace.read.text
    spans, written = text_words(text), text_words(trace.text)
    source = part_numbers(trace.source, trace.read.spans, spans)
    target = part_numbers(trace.target, trace.target.spans, written)
    read = 1 + max((number for number in source if number is not None), default=-1)
    return _Words(text, spans, written, source, target, read)


def _shading(trace: Trace, words: _Words, step: int) -> tuple[str, Shading]:
    """Return of what the attention is shown, as the visitor chooses, and how the text is shaded."""
    if trace.attention is None:
        st.caption(
            "This model has no attention: its decoder gets one vector of the text. Only copied "
            "words can be shown."
        )
        return "", Shading(None, [], "", follows=False)
    chosen = _chosen()
    hint(
        "summary",
        "Hover over a word of the summary to see its attention, or over a word of the text to "
        "see which summary words attended to it; a click keeps it.",
    )
    looked = _looked(trace, words.source, words.read)
    means = _mean_rows(looked, words.target, len(words.written))
    weights = looked[_steps(trace, words.target, step, chosen)].mean(axis=0)
    most = f"the darkest word received {weights.max(initial=0):.1%} of the attention"
    if (elsewhere := 1 - float(weights.sum())) >= 0.01:
        most += f", special tokens {elsewhere:.0%}"
    rows, resting = [_levels(row) for row in means], _levels(weights, len(weights))
    return chosen, Shading(rows, resting, most, follows=chosen in (SENTENCE, WORD))


def _chosen() -> str:
    """Let the visitor choose of what the attention is shown."""
    return st.radio(
        "Shaded by the attention of",
        [WHOLE, SENTENCE, WORD],
        key=_SHADE,
        horizontal=True,
        **URL,
        help="The sentence or word of the decoding step, or the one that you click.",
    )


def _looked(trace: Trace, source: Sequence[int | None], count: int) -> np.ndarray:
    """Return the mean attention over layers and heads, (target, count words of the text)."""
    assert trace.attention is not None
    weights = trace.attention.mean(axis=(1, 2), dtype=np.float32)
    to_word = np.zeros((len(source), count), np.float32)
    for token, place in enumerate(source):
        if place is not None:
            to_word[token, place] = 1
    return weights @ to_word


def _mean_rows(looked: np.ndarray, target: Sequence[int | None], count: int) -> np.ndarray:
    """Return one row for each word of the summary: the mean of its tokens."""
    to_word = np.zeros((count, len(target)), np.float32)
    for token, place in enumerate(target):
        if place is not None:
            to_word[place, token] = 1
    return to_word @ looked / np.maximum(1, to_word.sum(axis=1, keepdims=True))


def _steps(trace: Trace, target: Sequence[int | None], step: int, chosen: str) -> list[int]:
    """Return the steps whose attention is shown."""
    if chosen == WHOLE:
        steps = [token for token, place in enumerate(target) if place is not None]
    elif chosen == SENTENCE:
        numbers = sentences(trace.target)
        steps = [token for token, number in enumerate(numbers) if number == numbers[step]]
    else:
        place = target[step]
        steps = [token for token, each in enumerate(target) if place is not None and each == place]
    return steps or [step]


def _levels(weights: np.ndarray, count: int = LIT) -> list[tuple[int, int]]:
    """Return the strongest weights as (number, level), the strongest of all at full level."""
    levels = np.rint(weights * SHADES / max(weights.max(initial=0), 1e-9)).astype(int)
    strongest = np.argsort(-levels, kind="stable")[:count].tolist()
    return [(place, int(levels[place])) for place in strongest if levels[place]]


def _marks(shared: Overlap) -> tuple[dict[int, int], dict[int, int]]:
    """Return how each copied term of both texts is marked."""
    marks: tuple[dict[int, int], dict[int, int]] = {}, {}
    for source, summary, length in shared.fragments:
        for offset in range(length):
            marks[0][source + offset] = marks[1][summary + offset] = 1 if length == 1 else 2
    return marks


def _marked(
    text: str, spans: Sequence[Span], terms: Sequence[Span], marks: dict[int, int]
) -> list[MarkedWord]:
    """Return the words of a text as they are shown, marked where a term in them is."""
    found = [0] * len(spans)
    for place, mark in zip(
        containing([terms[number] for number in marks], spans), marks.values(), strict=True
    ):
        if place is not None:
            found[place] = max(found[place], mark)
    nexts = [*(start for start, _ in spans[1:]), len(text)]
    return [
        MarkedWord(text[start:end], text[end:following], mark)
        for (start, end), following, mark in zip(spans, nexts, found, strict=True)
    ]


def _measures(words: _Words, shared: Overlap) -> None:
    """Say how much shorter it became, and how much was copied."""
    written, read, given = len(words.written), words.read, len(words.spans)
    with st.container(horizontal=True):
        st.metric("Words read", f"{read:,}" + (f" of {given:,}" if read < given else ""))
        st.metric("Words written", f"{written:,}")
        st.metric(
            "Compression",
            f"{written / max(1, read):.0%}",
            help="Words written per word read.",
        )
        st.metric(
            "Copied words",
            f"{shared.coverage:.0%}",
            help=term_help("fragment coverage"),
        )
        st.metric(
            "Copied phrase length",
            f"{shared.density:.1f}",
            help=term_help("fragment density"),
        )
        st.metric(
            "Novel bigrams",
            f"{shared.novel_pairs:.0%}",
            help=term_help("novel bigrams"),
        )
