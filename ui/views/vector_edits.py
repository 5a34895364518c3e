"""Edits of a context vector, and the outputs decoded from them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import streamlit as st

from ui.components import word_diff
from ui.escape import plain, quoted
from ui.inputs.text_input import empty_state
from ui.runtime.admission import fragment
from ui.runtime.cards import catalogued
from ui.runtime.runs import Subject, derive
from ui.views.sentence_vectors import Sentences, draw_strips

if TYPE_CHECKING:
    from seq2seq.analysis.context_vector import Outcome, Whole
    from seq2seq.analysis.projection import Projection
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.search import OnStep
    from seq2seq.models.config import Config

URL: Any = {"bind": "query-params"}
# A model whose decoder has nothing but the vector.
BLIND = "lstm-vanilla-en-fr"
ALPHAS = tuple(step / 8 for step in range(9))
SIZES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
COUNTS = (0, 1, 2, 5, 10, 20, 50, 100, 200)
LONG = 300  # tokens, from which on a table takes more than a second
MOST_NOISE, MOST_SEED = 2.0, 2**31 - 1


class _Change(NamedTuple):
    """A changed vector, what was done in words, and a table of more of the kind.

    rows: what each line of the table is called, and its vector; column: what the names are of.
    """

    vector: Whole
    said: str
    column: str = ""
    rows: Sequence[tuple[str, Whole]] = ()


@fragment
def changes(sentences: Sentences) -> None:
    """Let the visitor edit the vector of A, and show the output decoded from it."""
    _explain(sentences.config)
    offered = dict(_KINDS)
    if sentences.config.directions == 1:
        del offered["Encoder halves"]
    if st.session_state.get("change") not in (None, *offered):  # of a model with halves
        del st.session_state["change"]
    kind = st.segmented_control(
        "Change",
        list(offered),
        default="Interpolate",
        required=True,
        key="change",
        **URL,
    )
    change = offered[kind or "Interpolate"](sentences)
    if change is None:
        return
    own = sentences.whole("A")
    found = _decode(sentences, "A", [own, change.vector])
    if found is None:
        return
    _before_and_after(sentences, change, *found)
    if change.rows:
        _table(sentences, change, found[0])


def _explain(config: Config) -> None:
    parts = "h_T and C_T" if config.final_state_shape[0] == 2 else "h_T"
    layers = "its layer" if config.encoder_layers == 1 else "every layer"
    said = f"The edit covers all that the decoder starts from: {parts} of {layers}."
    if not config.has_attention:
        said += " It gets nothing else of the sentence."
    else:
        said += (
            " But this model has attention: at every step its decoder still attends to A's own "
            "encoder states, which are not edited. A model without attention shows the whole "
            "effect" + (f": choose {BLIND}." if BLIND in catalogued().embedded else ".")
        )
    st.markdown(plain(said))


def _before_and_after(
    sentences: Sentences, change: _Change, before: Outcome, after: Outcome
) -> None:
    from seq2seq.analysis.context_vector import cosine, top_layer
    from seq2seq.evaluation.word_errors import compare

    own, new = sentences.whole("A").numbers, change.vector.numbers
    moved = float(np.linalg.norm(new - own)) / max(float(np.linalg.norm(own)), 1e-9)
    st.markdown(
        f"{plain(change.said)} The vector moved by {moved:.0%} of its norm; its cosine to A's is "
        f"{cosine(own, new):.3f}."
    )
    for column, title, outcome in zip(
        st.columns(2), ("Original", "Edited"), (before, after), strict=True
    ):
        with column, st.container(border=True):
            st.markdown(f"**{title}**: {quoted(outcome.text)}")
            end = "" if outcome.finished else " It reached the maximum length."
            count = len(outcome.tokens)
            st.caption(
                f"log P {outcome.log_probability:.2f}, "
                f"{outcome.log_probability / count:.2f} per token ({count} tokens).{end}"
            )
    transcript = compare(before.text, after.text, loosely=False)
    if before.text == after.text:
        st.caption("The output is the same, word for word.")
    elif transcript is not None:
        word_diff(transcript, "changes", "The original output word by word, and the edited one")
        st.caption(
            f"Original output above, output of the edited vector below: "
            f"{transcript.word_error_rate:.0%} word error rate against the original."
        )
    rows = [("A", own), ("edited", new), ("difference", new - own)]
    draw_strips(
        "changed_vector",
        [(name, top_layer(numbers, sentences.config)) for name, numbers in rows],
        "The vector of A, the edited one, and their difference.",
    )


def _table(sentences: Sentences, change: _Change, before: Outcome) -> None:
    """Decode several vectors at once and show what came out of each."""
    from seq2seq.analysis.context_vector import cosine
    from seq2seq.evaluation.word_errors import compare

    if sentences.whole("A").length > LONG and not st.toggle(
        f"Decode {len(change.rows)} more edits of this kind (takes some seconds)",
        key="table",
        **URL,
    ):
        return
    found = _decode(sentences, "A", [vector for _, vector in change.rows])
    if found is None:
        return
    own = sentences.whole("A").numbers
    pairs = [compare(before.text, outcome.text, loosely=False) for outcome in found]
    st.dataframe(
        {
            change.column: [name for name, _ in change.rows],
            "output": [outcome.text for outcome in found],
            "log P": [round(outcome.log_probability, 2) for outcome in found],
            "word errors, %": [
                None if pair is None else round(100 * pair.word_error_rate) for pair in pairs
            ],
            "cosine to A, all numbers": [
                round(cosine(own, vector.numbers), 3) for _, vector in change.rows
            ],
        },
        hide_index=True,
    )
    other = sum(outcome.text != before.text for outcome in found)
    st.caption(
        f"{other} of these {len(found)} vectors give a different output from A's own; word errors "
        "are counted against that."
    )


def _decode(
    sentences: Sentences, letter: str, vectors: Sequence[Whole]
) -> tuple[Outcome, ...] | None:
    """Decode a sentence from other vectors, all in one batch."""
    seen = hashlib.sha256(b"".join(vector.numbers.tobytes() for vector in vectors))
    lengths = tuple(vector.length for vector in vectors)
    text = sentences.texts[letter]

    def work(checkpoint: Checkpoint, on_step: OnStep) -> tuple[Outcome, ...]:
        from seq2seq.analysis.context_vector import decode

        return decode(checkpoint, text, vectors, on_step=on_step)

    what = ("from vectors", lengths, seen.hexdigest())
    return derive(Subject(sentences.name, text), what, work)


def _has(sentences: Sentences, *letters: str) -> bool:
    """Tell whether these sentences are there; says which is not."""
    for letter in letters:
        if letter not in sentences.vectors:
            empty_state(f"Sentence {letter} is empty: type one above.")
            return False
    return True


def _interpolate(sentences: Sentences) -> _Change | None:
    if not _has(sentences, "B"):
        return None
    from seq2seq.analysis.context_vector import mix

    a, b = sentences.whole("A"), sentences.whole("B")
    alpha = st.slider("α: from A at 0 to B at 1", 0.0, 1.0, 0.5, 0.025, key="alpha", **URL)

    def between(share: float) -> Whole:
        return mix([(1 - share, a), (share, b)])

    said = f"(1 − α) A + α B with α = {alpha:g}."
    if (a.numbers == b.numbers).all():
        said = "The vectors of A and B are the same, so that nothing lies between them."
    rows = [(f"{share:g}", between(share)) for share in ALPHAS]
    return _Change(between(alpha), said, "α", rows)


def _noise(sentences: Sentences) -> _Change | None:
    from seq2seq.analysis.context_vector import with_noise

    with st.container(horizontal=True, vertical_alignment="bottom"):
        size = st.slider(
            "Noise, as a multiple of the vector's norm",
            0.0,
            MOST_NOISE,
            0.5,
            0.05,
            key="noise",
            **URL,
        )
        seed = int(st.number_input("Seed", 0, MOST_SEED, 0, key="seed", width=160, **URL))

    def noisy(size: float) -> Whole:
        return with_noise(sentences.whole("A"), size, seed, sentences.config.width)

    rows = [(f"{each:g}", noisy(each)) for each in SIZES]
    return _Change(noisy(size), f"Gaussian noise of {size:g} times the norm of A.", "size", rows)


def _directions(sentences: Sentences) -> _Change | None:
    from seq2seq.analysis.context_vector import FITTED, keep_directions, kept_share

    found = derive(Subject(sentences.name, ""), "principal", _principal)
    if found is None:
        return None
    most, own = len(found.directions), sentences.whole("A")
    if (st.session_state.get("m") or 0) > most:  # of a wider model
        del st.session_state["m"]
    count = st.slider("m: principal directions kept", 0, most, min(20, most), key="m", **URL)

    def kept(count: int) -> Whole:
        return keep_directions(own, found, count)

    said = (
        f"On the {FITTED} sentences of the map, the first {count} of {most} directions explain "
        f"{found.explained[:count].sum():.1%} of the variance; of this vector's distance from the "
        f"mean, {kept_share(own, found, count):.1%}."
    )
    counts = [*(each for each in COUNTS if each < most), most]
    return _Change(kept(count), said, "m", [(str(each), kept(each)) for each in counts])


def _principal(checkpoint: Checkpoint, on_step: OnStep) -> Projection:
    from seq2seq.analysis.context_vector import principal

    return principal(checkpoint)


def _swap(sentences: Sentences) -> _Change | None:
    if not _has(sentences, "B"):
        return None
    b = sentences.whole("B")
    found = _decode(sentences, "B", [b])
    if found is None:
        return None
    return _Change(b, f"The decoder of A starts from B's vector. B alone gives “{found[0].text}”.")


def _arithmetic(sentences: Sentences) -> _Change | None:
    if not _has(sentences, "B", "C"):
        return None
    from seq2seq.analysis.context_vector import mix

    a, b, c = (sentences.whole(letter) for letter in "ABC")
    return _Change(mix([(1, a), (-1, b), (1, c)]), "A − B + C.")


def _halves(sentences: Sentences) -> _Change | None:
    from seq2seq.analysis.context_vector import BACKWARD, FORWARD, without_half

    half = st.segmented_control(
        "Set to 0",
        (FORWARD, BACKWARD),
        default=FORWARD,
        required=True,
        key="half",
        **URL,
    )

    def without(half: str) -> Whole:
        return without_half(sentences.whole("A"), half, sentences.config.width)

    names = {"none": "", FORWARD: FORWARD, BACKWARD: BACKWARD}
    rows = [(name, without(each)) for name, each in names.items()]
    chosen = half or FORWARD
    return _Change(without(chosen), f"All units that read {chosen} are 0.", "set to 0", rows)


_KINDS: dict[str, Callable[[Sentences], _Change | None]] = {
    "Interpolate": _interpolate,
    "Noise": _noise,
    "Principal directions": _directions,
    "Swap": _swap,
    "Arithmetic": _arithmetic,
    "Encoder halves": _halves,
}
