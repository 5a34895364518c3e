"""A recording longer than a model's window: its whole transcript, and one window's instruments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import streamlit as st

from seq2seq.decoding.options import Options
from ui.escape import plain
from ui.instruments import instruments
from ui.runtime.model_store import models
from ui.runtime.runs import Subject, derive, known, run, show_notes
from ui.views.task import show_run

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.data.audio import Audio
    from seq2seq.decoding.search import OnStep
    from seq2seq.inference.long_form import Transcript, Window

# Of a transcription that was stopped: what is transcribed, and what stood then.
_STOPPED, _SO_FAR = "stopped_transcription", "transcript_so_far"
TEXT_HEIGHT = 200


def show_recording(
    name: str | None, heard: Audio | None, options: Options, saved: bytes | None, ask: str
) -> None:
    """Show the run of a model on a recording, or the transcript of a long one; see `show_run`."""
    if heard is None or saved is not None or not _is_long(name, heard):
        show_run("speech", name, heard, options, saved, ask)
        return
    assert name is not None
    transcript = _transcript(Subject(name, heard, options))
    if transcript is not None and transcript.windows:
        show_notes(heard.notes)
        _text(transcript)
        _window(name, heard, transcript)


def _is_long(name: str | None, heard: Audio) -> bool:
    from seq2seq.data.audio import HOP
    from seq2seq.inference.long_form import is_long

    loaded = models().loaded.get(name or "")
    return loaded is not None and is_long(loaded, len(heard.samples) // HOP)


def _transcript(subject: Subject) -> Transcript | None:
    """Return the transcript, made now if need be; what there is of it where it was stopped."""
    found: Transcript | None = known(subject, "transcript")
    if found is not None:
        return found
    if st.session_state.get(_STOPPED) == subject.key:
        so_far: Transcript | None = st.session_state.get(_SO_FAR)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info("The transcription was stopped.", icon=":material/stop_circle:")
            st.button("Transcribe all", icon=":material/play_arrow:", on_click=_begin)
        return so_far
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Stop",
            icon=":material/stop:",
            key="stop_transcription",
            on_click=_stop,
            args=(subject.key,),
        )
        bar = st.progress(0.0, "Reading the recording")
    st.session_state[_SO_FAR] = None
    place = st.empty()

    def work(checkpoint: Checkpoint, on_step: OnStep) -> Transcript:
        from seq2seq.inference.long_form import transcribe_long

        def on_window(transcript: Transcript) -> None:
            st.session_state[_SO_FAR] = transcript
            share = min(1.0, transcript.seconds / transcript.total)
            bar.progress(share, _progress(transcript))
            place.markdown(plain(transcript.text[-1_000:]))

        assert subject.given is not None
        assert not isinstance(subject.given, str)
        return transcribe_long(
            checkpoint, subject.given, subject.options, on_window=on_window, on_step=on_step
        )

    # Touching the page at each step is what lets the visitor stop.
    found = derive(subject, "transcript", work, lambda progress: st.session_state.get(_STOPPED))
    if found is not None:
        st.rerun()
    return None


def _stop(key: object) -> None:
    st.session_state[_STOPPED] = key


def _begin() -> None:
    st.session_state.pop(_STOPPED, None)


def _progress(transcript: Transcript) -> str:
    return f"{clock(transcript.seconds)} of {clock(transcript.total)}"


def clock(seconds: float) -> str:
    """Write a time as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _text(transcript: Transcript) -> None:
    """Show the whole text, its segments with their times, and both as files."""
    st.subheader("Transcript")
    count, language = len(transcript.windows), transcript.language
    spoken = f" Language: {language}." if language else ""
    st.caption(plain(f"{_progress(transcript)} heard, in {count} windows.{spoken}"))
    st.container(height=TEXT_HEIGHT).markdown(plain(transcript.text) or "Nothing was said.")
    with st.container(horizontal=True):
        st.download_button("Text", transcript.text, "transcript.txt", icon=":material/download:")
        written = orjson.dumps(transcript.to_dict())
        st.download_button("JSON", written, "transcript.json", icon=":material/download:")
    with st.expander(f"{len(transcript.segments)} segments with their times"):
        st.dataframe(
            {
                "from, s": [round(segment.start, 2) for segment in transcript.segments],
                "to, s": [round(segment.end, 2) for segment in transcript.segments],
                "text": [segment.text.strip() for segment in transcript.segments],
            },
            hide_index=True,
        )


def _window(name: str, heard: Audio, transcript: Transcript) -> None:
    """Let the visitor choose a window, and show its run."""
    from seq2seq.data.audio import RATE, Audio

    st.subheader("One window")
    windows = transcript.windows
    number = st.selectbox(
        "Window",
        range(len(windows)),
        format_func=lambda place: _label(place, windows[place]),
        key="window",
        help="Each is a run of its own: it begins where the last complete segment before it ended.",
    )
    window = windows[number or 0]
    st.caption(plain(_tested(window)))
    first = round(window.start * RATE)
    samples = heard.samples[first : first + round(window.seconds * RATE)]
    subject = Subject(name, Audio(samples, len(samples) / RATE), window.options)
    trace = run(subject)
    if trace is not None:
        instruments(subject, trace)


def _label(place: int, window: Window) -> str:
    end = clock(window.start + window.seconds)
    silent = ", nothing said" if window.silent else ""
    return f"{place + 1}: {clock(window.start)} to {end}{silent}"


def _tested(window: Window) -> str:
    """Say what a window's output was tested for."""
    led = len(window.options.previous_tokens)
    before = f"It read {led} tokens of what was said before. " if led else ""
    return (
        f"{before}Temperature {window.temperature:g}; mean log P of a token "
        f"{window.mean_log_probability:.2f}; compression ratio {window.compression_ratio:.2f}; "
        f"P(no speech) {window.no_speech:.2f}."
    )
