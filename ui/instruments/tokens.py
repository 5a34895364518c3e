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
from ui.runtime.runs import derive

if TYPE_CHECKING:
    from seq2seq.analysis.step_internals import Embedded
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.search import OnStep

MOST_CHIPS, MOST_TEXT = 200, 600


def show(view: View) -> None:
    """Show the way from the text as typed to vectors, and from ids back to a text."""
    st.subheader("From text to numbers", anchor=False)
    if view.shown.position_seconds:
        st.markdown(
            f"The recording was heard as {len(view.shown.source)} positions of "
            f"{view.shown.position_seconds * 1000:.0f} ms each: sound has no tokens."
        )
    else:
        _read(view)
    st.subheader("From numbers to text", anchor=False)
    _wrote(view)


def _read(view: View) -> None:
    source, embedded = view.shown.source, _embedded(view)
    _typed(view)
    count = max(source.words) + 1
    known = f" The model knows {embedded.vocabulary:,} tokens." if embedded else ""
    st.markdown(
        f"**Split into {len(source)} tokens**, each with its id below. Frequent words are one "
        "token; rarer ones are put together from pieces, so that a vocabulary of limited size can "
        f"spell words it has never seen: here {count} words and marks took {len(source)} tokens."
        f"{known}"
    )
    marks = embedded.unknown if embedded else (False,) * len(source)
    row = Row("source", "Tokens and ids", _chips(source, marks), view.word)
    token_rows("source_tokens", [row], lambda _, number: select_word(number))
    if any(marks):
        st.caption("Marked with ?: characters that the model has never seen; all have one id.")
    if embedded:
        _vector(view, embedded)
    _table(source, embedded)


def _typed(view: View) -> None:
    """Show the text as it was given, and what was made of it before it was split."""
    given, text = view.subject.given, view.shown.source.text
    typed = given if isinstance(given, str) else text
    st.markdown(f"**Typed:** {len(typed):,} characters.")
    st.text(typed[:MOST_TEXT])
    if typed != text:
        st.markdown(
            f"**Cleaned:** {len(text):,} characters. What cannot be seen is gone, white space has "
            "become single spaces; quotes, dashes and capitals are as in the texts that the model "
            "was trained on; what is put before it is there, what is too long is cut."
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
        f"**Looked up:** each id has a learned vector. That of token {place + 1}, {piece}, has "
        f"{len(vector)} numbers and the length {np.linalg.norm(vector):.2f}; it is all that the "
        "encoder gets of the token. A click on a token shows its own."
    )
    rows = [("vector", vector)]
    chart(
        "token_vector",
        strips(rows, dark=is_dark()),
        f"The vector of source token {place + 1}.",
        lambda: strips_csv(rows),
    )


def _wrote(view: View) -> None:
    target = view.shown.target
    st.markdown("**Chosen**, one id after the other; each stands for a token:")
    row = Row("target", "Ids and tokens", _chips(target, (False,) * len(target)), view.step)
    token_rows("target_tokens", [row], lambda _, number: select_step(number))
    st.markdown(
        f"**Joined:** {quoted_end(target.text[:MOST_TEXT])} A space stands before each token that "
        "begins a word; tokens such as the end leave no trace."
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
    }
    if embedded:
        columns["vector's length"] = np.linalg.norm(embedded.vectors, axis=1).round(2).tolist()
    with st.expander("As a table"):
        st.dataframe(columns, hide_index=True)
