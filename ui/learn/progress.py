"""Which lessons a visitor has finished: in the session and the address, nowhere else."""

from __future__ import annotations

import streamlit as st

from seq2seq.lessons.course import LESSONS

_DONE = "finished_lessons"


def finished() -> list[str]:
    """Return the names of finished lessons, in the order of the course."""
    known = set(st.session_state.get(_DONE, ()))
    known |= set(st.query_params.get("done", "").split("."))
    return [name for name in LESSONS if name in known]


def finish(name: str) -> None:
    """Note that a lesson is finished; the address then says so, too."""
    done = [each for each in LESSONS if each in {*finished(), name}]
    st.session_state[_DONE] = done
    if st.query_params.get("done") != ".".join(done):
        st.query_params["done"] = ".".join(done)
