"""The run as a file, and the lines of code that make it."""

from __future__ import annotations

from dataclasses import fields

import streamlit as st

from seq2seq.options import Options
from ui.instruments.view import View

PICTURES = {
    "Attention": "figures.attention(trace)",
    "Probabilities": "figures.probabilities(trace)",
}


def show(view: View) -> None:
    """Offer the run as JSON, and the code of the picture that is open."""
    with st.container(horizontal=True):
        st.download_button(
            "Run (JSON)",
            view.run.to_json,
            "run.json",
            "application/json",
            on_click="ignore",
            icon=":material/download:",
            help="Opens again on this page, without the model.",
        )
        with st.popover("Show the code", icon=":material/code:"):
            st.code(code(view), language="python")


def code(view: View) -> str:
    """Return the lines that make this run and its picture without the app."""
    options = view.run.options
    changed = {
        field.name: getattr(options, field.name)
        for field in fields(Options)
        if getattr(options, field.name) != field.default
    }
    settings = ", ".join(f"{name}={value!r}" for name, value in changed.items())
    audio = bool(view.run.position_seconds)
    source = 'read_audio(Path("recording.flac"))' if audio else repr(view.run.source.text)
    reader = ["from pathlib import Path", "from seq2seq.audio import read_audio"] if audio else []
    picture = PICTURES.get(st.session_state.get("tab", ""), PICTURES["Attention"])
    if view.run.attention is None:
        picture = PICTURES["Probabilities"]
    lines = [
        "import seq2seq",
        "from seq2seq import figures",
        *reader,
        "",
        f"checkpoint = seq2seq.load({view.run.checkpoint!r})",
        f"trace = seq2seq.run(checkpoint, {source}, seq2seq.Options({settings}))",
        "print(trace.text)",
        f"{picture}.show()",
    ]
    return "\n".join(lines)
