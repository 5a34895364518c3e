"""The recording that is heard: spoken into the microphone, uploaded, or one of the examples."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from seq2seq.errors import UserError
from ui.escape import plain
from ui.links import URL
from ui.runtime.names import card_of

if TYPE_CHECKING:
    from seq2seq.data.audio import Audio

RECORDINGS = Path(__file__).parents[2] / "assets" / "recordings"
# What the visitor gave, by name; which of it is heard; and the text of an example that is.
_GIVEN, _HEARD, _SAID = "given_recordings", "heard", "example_text"
_BEGUN = "recording_begun"
BROUGHT = "from benchmarks"
NAMES = {"spoken": "recording", "uploaded": "upload"}


def audio_input(name: str | None) -> Audio | None:
    """Return what the visitor recorded, uploaded or chose last; says why not if it is unreadable.

    name: of the model that hears it, which is said what it can hear, and whose card names examples.
    The first example is heard until the visitor chooses something else.
    Where there are several, the visitor sees which one is heard and can go back to the others.
    """
    card = card_of(name) if name else None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.audio_input("Record", key="spoken", on_change=_keep, args=("spoken",))
        st.file_uploader(
            "Or upload a recording: WAV, FLAC, OGG, MP3",
            ["wav", "flac", "ogg", "mp3"],
            key="uploaded",
            on_change=_keep,
            args=("uploaded",),
        )
    # Above the recorder, it would make the browser ask for a sound that is gone.
    if card is not None and card.summary:
        st.caption(plain(card.summary))
    sample = _sample(card.examples if card else ())
    given = dict(st.session_state.get(_GIVEN, {}))
    st.session_state[_SAID] = ""
    if sample is not None:
        from seq2seq.data.audio import read_audio

        given["example"] = read_audio(sample[0])
    if not given:
        return None
    heard = _heard(list(given))
    found = given[heard]
    if isinstance(found, UserError):
        st.error(plain(str(found)), icon=":material/error:")
        return None
    if heard == "example" and sample is not None:
        st.session_state[_SAID] = sample[1]
    if heard != "recording" or st.session_state.get("spoken") is None:
        from seq2seq.data.audio import to_wav

        st.audio(to_wav(found.samples), alt=f"Recording: the {heard}")
    return found


def _sample(named: Sequence[str]) -> tuple[Path, str] | None:
    """Let the visitor choose an example; returns its file, and what is said in it."""
    samples = _samples(named)
    if not st.session_state.get(_BEGUN):
        st.session_state[_BEGUN] = True
        if "recording" not in st.query_params:
            st.session_state["recording"] = next(iter(samples), None)
    elif st.session_state.get("recording", "") not in (None, "", *samples):  # of another model
        st.session_state["recording"] = next(iter(samples), None)
    chosen = st.pills(
        "Or take an example",
        list(samples),
        key="recording",
        on_change=lambda: st.session_state.update({_HEARD: "example"}),
        **URL,
    )
    return None if chosen is None else samples.get(chosen)


def hear(audio: Audio) -> None:
    """Have the page of speech hear a recording from another page, in place of the last such one."""
    given = st.session_state.get(_GIVEN, {})
    st.session_state.update({_GIVEN: given | {BROUGHT: audio}, _HEARD: BROUGHT, _BEGUN: True})


def example_text() -> str:
    """Return what is said in the example that is heard; "" if something else is heard."""
    return st.session_state.get(_SAID, "")


def _samples(named: Sequence[str]) -> dict[str, tuple[Path, str]]:
    """Return the files of the examples, and what is said in each, by their names.

    named: files that a model can hear, as its card lists them; () for all there are.
    """
    chosen = {Path(each).name for each in named}
    with (RECORDINGS / "recordings.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {
            Path(row["file"]).stem.replace("-", " "): (RECORDINGS / row["file"], row["text"])
            for row in rows
            if not chosen or row["file"] in chosen
        }


def _keep(key: str) -> None:
    """Read what was recorded or uploaded once; it stays until it is removed."""
    from seq2seq.data.audio import read_audio

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
    chosen = st.segmented_control("Recording", names, key=_HEARD, required=True)
    return chosen or names[-1]
