"""A recording and its run: sound and attention over time, the slice of a token, the words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from seq2seq.analysis.word_timestamps import Alignment, align, best_head, span, timed_words
from seq2seq.trace import Trace, shown, words
from ui.code_export import Named, define, draw
from ui.components import clicked, word_diff
from ui.components.chart import chart
from ui.escape import plain, quoted
from ui.inputs.audio_input import example_text
from ui.instruments.selection import View, select_step, step_choices
from ui.page import is_dark
from ui.runtime.runs import derive
from ui.terms import term_help

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.data.audio import Audio, Recording

URL: Any = {"bind": "query-params"}
MARGIN = 0.05  # seconds played before and after a slice
MAX_SAID = 2_000
_PLAYED, _TURN = "choices_played", "slice_turn"


def listening(view: View) -> None:
    """Show when the output was heard, and compare it with what was said."""
    trace = view.shown
    st.subheader("Attention over time")
    alignment = None
    if trace.attention is None:
        st.info(
            "This model has no attention, so tokens cannot be aligned with the sound.",
            icon=":material/visibility_off:",
        )
        _picture(view, Named("None"), {})
    else:
        settings = _controls(trace)
        place = {name: settings[name] for name in ("layer", "head")}
        alignment = align(trace, **place)
        named = define("alignment", alignment, align, view.named_shown, **place)
        _picture(view, named, settings)
        _selected(view, alignment, settings["by_word"])
    _words(view, alignment)


def _controls(trace: Trace) -> dict[str, Any]:
    """Let the visitor choose whose attention is drawn, and what is drawn of it."""
    assert trace.attention is not None
    from seq2seq.figures.heatmap import SCALES

    layers, heads = trace.attention.shape[1:3]
    layer = head = None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if layers * heads > 1:
            names = ["mean", *(f"{a + 1}.{b + 1}" for a in range(layers) for b in range(heads))]
            first, second = best_head(trace.attention)
            chosen = st.selectbox(
                "Layer.head",
                names,
                key="listener",
                width=130,
                help=f"Whose attention gives the times. {first + 1}.{second + 1} is the most "
                "monotonic.",
                **URL,
            )
            if chosen != "mean":
                layer, head = (int(number) - 1 for number in chosen.split("."))
        scale = st.selectbox(
            "Colours",
            SCALES,
            SCALES.index("row maximum"),
            key="heard_scale",
            width=150,
            help="Relative to the largest weight of each row, to compare times; or from 0 to 1.",
            **URL,
        )
        by_word = st.toggle("Whole words", key="heard_words", **URL)
        path = st.toggle("Alignment", key="path", help=term_help("alignment"), **URL)
        special = st.toggle("Special tokens", key="special", **URL)
    return {
        "layer": layer,
        "head": head,
        "by_word": by_word,
        "special": special,
        "path": path,
        "scale": scale,
    }


def _picture(view: View, named_alignment: Named, settings: dict[str, Any]) -> None:
    """Show waveform, log-mel frames and attention over one time axis."""
    from seq2seq import figures

    trace, recording, given = view.shown, None, view.subject.given
    alignment: Alignment | None = named_alignment.value
    named_recording = Named("None")
    if given is None or isinstance(given, str):
        st.info(
            "A saved run holds no sound, so there is no waveform or spectrogram and nothing to "
            "play.",
            icon=":material/volume_off:",
        )
    else:
        from seq2seq.inference.inputs import hear

        def listen(checkpoint: Checkpoint, _: Any) -> Recording:
            return hear(checkpoint, given)

        recording = derive(view.subject, "recording", listen)
        args = Named("checkpoint"), Named("source")
        named_recording = define("recording", recording, hear, *args)
    if alignment is None and recording is None:
        return

    def select() -> None:
        if place := clicked("sound"):
            select_step(place[0])

    settings = settings | {"selected": view.step, "dark": is_dark()}
    drawn = draw(figures.speech, view.named_shown, named_alignment, named_recording, **settings)
    seconds = len(trace.source) * trace.position_seconds
    parts = "" if recording is None else "Waveform, log-mel spectrogram and "
    described = (
        f"{parts}attention of {len(trace.target):,} output tokens over {seconds:.1f} seconds."
    )
    if alignment is None:
        chart("sound", drawn, f"Waveform and log-mel spectrogram of {seconds:.1f} seconds.")
        return
    data = {name: settings[name] for name in ("layer", "head", "by_word", "special")}
    chart("sound", drawn, described, lambda: figures.speech_csv(trace, alignment, **data), select)
    st.caption(
        f"Attention moves backwards at {1 - alignment.monotonicity:.0%} of the steps; "
        f"{alignment.on_path:.0%} of it lies on the alignment. Click a row, or a place in the "
        "sound, to play that token."
    )


def _selected(view: View, alignment: Alignment, by_word: bool) -> None:
    """Say when the selected token was heard, and play that; by itself only after a choice."""
    trace, step = view.shown, view.step
    number = trace.target.words[step]
    tokens = [step]
    if by_word:
        tokens = [token for token, word in enumerate(trace.target.words) if word == number]
    start, end = span(trace.target, alignment, tokens)
    name = words(trace.target)[number] if by_word else shown(trace.target.pieces[step])
    what = "Word" if by_word else "Token"
    counted = number if by_word else step
    st.markdown(f"{what} {counted + 1}, {quoted(name)}: {start:.2f} to {end:.2f} s.")
    choices = step_choices()
    play = st.session_state.setdefault(_PLAYED, choices) != choices
    st.session_state[_PLAYED] = choices
    if view.subject.given is not None and not isinstance(view.subject.given, str):
        # What is played by itself is never played so twice: the silence after it makes it new.
        turn = st.session_state.get(_TURN, 0) + play
        st.session_state[_TURN] = turn
        st.audio(
            _slice(view.subject.given, start, end, turn % 100),
            autoplay=play,
            alt=f"{what} {counted + 1}, {start:.2f} to {end:.2f} seconds",
        )


def _slice(audio: Audio, start: float, end: float, silence: int) -> bytes:
    """Return a slice of a recording with a margin, and so many samples of silence, as WAV."""
    import numpy as np

    from seq2seq.data.audio import RATE, to_wav

    first, last = (round(second * RATE) for second in (max(0, start - MARGIN), end + MARGIN))
    return to_wav(np.pad(audio.samples[first:last], (0, silence)))


def _words(view: View, alignment: Alignment | None) -> None:
    """Show the words with their times, and beside them what was said instead."""
    st.subheader("Transcript, word by word")
    left, right = st.columns([2, 3], gap="large")
    with left:
        if alignment is not None:
            _times(view.shown, alignment)
        else:
            st.markdown(quoted(view.shown.text))
    with right:
        _comparison(view)


def _times(trace: Trace, alignment: Alignment) -> None:
    found = timed_words(trace, alignment)
    st.dataframe(
        {
            "word": [word.text for word in found],
            "start, s": [round(word.start, 2) for word in found],
            "end, s": [round(word.end, 2) for word in found],
            "probability": [round(word.probability, 3) for word in found],
        },
        hide_index=True,
        height=min(38 + 35 * max(1, len(found)), 320),
    )


def _comparison(view: View) -> None:
    """Compare what was heard with what the visitor says was said, or what an example says."""
    known = example_text() if view.subject.given is not None else ""
    typed = st.text_input(
        "Reference transcript",
        key="said",
        placeholder=known or "Type what was said to count the errors",
        max_chars=MAX_SAID,
        autocomplete="off",
        **URL,
    )
    loosely = st.toggle("Ignore capitals and punctuation", True, key="loosely", **URL)
    said = (typed or "").strip() or known  # a page with another field of this name has None
    if not said:
        return
    from seq2seq.evaluation.word_errors import compare

    transcript = compare(said, view.shown.text, loosely)
    if transcript is None:
        st.info("There is nothing to compare: type at least one word.", icon=":material/info:")
        return
    _rates(transcript)
    word_diff(transcript, "differences")
    how = "without capitals and punctuation" if loosely else "as they are written"
    source = "" if typed.strip() else "The reference is the text of the example. "
    st.caption(
        f"{source}Reference above, output below: = correct, ≠ substituted, "
        f"− deleted, + inserted. Words are compared {how}; four and 4 are two words."
    )


def _rates(transcript: Any) -> None:
    from seq2seq.evaluation.word_errors import CORRECT, DELETED, INSERTED, SUBSTITUTED

    with st.container(horizontal=True):
        st.metric(
            "Word error rate",
            f"{transcript.word_error_rate:.0%}",
            help=term_help("word error rate"),
            width="content",
        )
        st.metric("Character error rate", f"{transcript.character_error_rate:.0%}", width="content")
    counts = ", ".join(
        f"{transcript.count(kind)} {kind}" for kind in (CORRECT, SUBSTITUTED, DELETED, INSERTED)
    )
    st.markdown(plain(f"{counts}."))
