"""How text becomes numbers, and numbers text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from seq2seq.trace import Tokens, shown, words
from ui.components.chart import chart
from ui.components.token_rows import Chip, Row, token_rows
from ui.escape import quoted, quoted_end
from ui.instruments.selection import View, select_step, select_word
from ui.page import is_dark
from ui.runtime.names import reads_series
from ui.runtime.runs import derive

if TYPE_CHECKING:
    from seq2seq.analysis.step_internals import Embedded
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.search import OnStep

MOST_CHIPS, MOST_TEXT = 200, 600


def show(view: View) -> None:
    """Show the way from the text as typed to vectors, and from ids back to a text."""
    series = reads_series(view.shown.checkpoint)
    st.subheader("From values to ids" if series else "From text to numbers", anchor=False)
    if view.shown.position_seconds:
        st.markdown(
            f"The encoder reads the recording as {len(view.shown.source):,} frames of "
            f"{view.shown.position_seconds * 1000:.0f} ms each: sound has no tokens."
        )
    else:
        _read(view)
    st.subheader("From ids to values" if series else "From numbers to text", anchor=False)
    _wrote(view)


def _read(view: View) -> None:
    source, embedded = view.shown.source, _embedded(view)
    known = f" The vocabulary has {embedded.vocabulary:,} tokens." if embedded else ""
    if reads_series(view.shown.checkpoint):
        _binned(view, known)
    else:
        _split(view, known)
    marks = embedded.unknown if embedded else (False,) * len(source)
    row = Row("source", "Tokens and ids", _chips(source, marks), view.word)
    token_rows("source_tokens", [row], lambda _, number: select_word(number))
    if any(marks):
        st.caption(
            "Marked with ?: missing values."
            if reads_series(view.shown.checkpoint)
            else "Marked with ?: characters outside the vocabulary; all of them have one id."
        )
    if embedded:
        _vector(view, embedded)
    _table(source, embedded)


def _binned(view: View, known: str) -> None:
    """Say how a series became ids."""
    source = view.shown.source
    values = len(source.text.split())
    around = len(source) - values
    more = (
        f" {around} more tokens stand around them, such as that of the frequency, and that of 0 on "
        "the same scale."
        if around
        else ""
    )
    st.markdown(
        f"**Scaled and binned:** the {values:,} values that were read are scaled by what is usual "
        "in this series, and each becomes the nearest of many equal steps, a token whose id stands "
        f"below. So the unit of a series does not matter.{more}{known}"
    )


def _split(view: View, known: str) -> None:
    """Say how a text became ids."""
    source = view.shown.source
    _typed(view)
    count = max(source.words) + 1
    st.markdown(
        f"**Split into {len(source):,} tokens**, each with its id below. Frequent words are one "
        "token; rarer ones are made of subwords, so that a limited vocabulary can spell words it "
        f"has never seen: here {count} words and marks took {len(source):,} tokens."
        f"{known}"
    )


def _typed(view: View) -> None:
    """Show the text as it was given, and what was made of it before it was split."""
    given, text = view.subject.given, view.shown.source.text
    typed = given if isinstance(given, str) else view.shown.read.text
    st.markdown(f"**Typed:** {len(typed):,} characters.")
    st.text(typed[:MOST_TEXT])
    if typed != text:
        st.markdown(
            f"**Normalized:** {len(text):,} characters. Invisible characters are removed, white "
            "space becomes single spaces; quotes, dashes and capitals are written as in the "
            "training texts; an instruction is put in front, and what is too long is cut."
        )
        st.text(text[:MOST_TEXT])


def _embedded(view: View) -> Embedded | None:
    if view.subject.missing:
        return None
    ids = view.shown.source.ids

    def work(checkpoint: Checkpoint, on_step: OnStep) -> Embedded:
        from seq2seq.analysis.step_internals import embed

        return embed(checkpoint, ids)

    return derive(view.subject, ("embedded", ids), work)


def _vector(view: View, embedded: Embedded) -> None:
    from seq2seq.figures.step import strips, strips_csv

    place = view.word or 0
    vector = embedded.vectors[place]
    piece = quoted(shown(view.shown.source.pieces[place]))
    st.markdown(
        f"**Embedded:** each id has a learned vector. That of token {place + 1}, {piece}, has "
        f"{len(vector)} numbers and norm {np.linalg.norm(vector):.2f}; it is all that the encoder "
        "gets of the token. Click a token to see its vector."
    )
    rows = [("vector", vector)]
    chart(
        "token_vector",
        strips.plain(rows, dark=is_dark()),
        f"The vector of source token {place + 1}.",
        lambda: strips_csv(rows),
    )


def _wrote(view: View) -> None:
    target = view.shown.target
    st.markdown("**Chosen**, one id after the other; each stands for a token:")
    row = Row("target", "Ids and tokens", _chips(target, (False,) * len(target)), view.step)
    token_rows("target_tokens", [row], lambda _, number: select_step(number))
    text = quoted_end(target.text[:MOST_TEXT])
    if reads_series(view.shown.checkpoint):
        st.markdown(f"**Back in the unit of the series:** {text}")
    else:
        st.markdown(
            f"**Joined:** {text} A space precedes each token that begins a word; special tokens "
            "such as the end are dropped."
        )
    _table(target)


def _chips(tokens: Tokens, marks: tuple[bool, ...]) -> list[Chip]:
    chips, numbers = [], tokens.words
    for place, (piece, token) in enumerate(zip(tokens.pieces, tokens.ids, strict=True)):
        if place == MOST_CHIPS:
            break
        chips.append(
            Chip(
                text=shown(piece),
                note=str(token),
                title=f"token {place + 1}, id {token}, word {numbers[place] + 1}",
                colour="var(--st-secondary-background-color)",
                ink="var(--st-text-color)",
                mark="?" if marks[place] else "",
                starts=place == 0 or numbers[place] != numbers[place - 1],
            )
        )
    return chips


def _table(tokens: Tokens, embedded: Embedded | None = None) -> None:
    written = words(tokens)
    columns = {
        "position": list(range(1, len(tokens) + 1)),
        "piece": list(tokens.pieces),
        "id": list(tokens.ids),
        "word": [written[number] for number in tokens.words],
        "from character": [start for start, _ in tokens.spans],
        "to character": [end for _, end in tokens.spans],
    }
    if embedded:
        columns["norm of the vector"] = np.linalg.norm(embedded.vectors, axis=1).round(2).tolist()
    with st.expander("As a table"):
        st.dataframe(columns, hide_index=True)
