"""Which lessons a visitor has finished: in the session and the address, nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from seq2seq.lessons.course import LESSONS
from ui.runtime.experiments import measured

if TYPE_CHECKING:
    from seq2seq.experiments.result import Result

_DONE, _MEASURED = "finished_lessons", "measured_lessons"


def finished() -> list[str]:
    """Return the names of finished lessons, in the order of the course.

    What the address says is noted: links within the course begin with an address of their own.
    """
    known = set(st.session_state.get(_DONE, ()))
    known |= set(st.query_params.get("done", "").split("."))
    done = st.session_state[_DONE] = [name for name in LESSONS if name in known]
    return done


def finish(name: str) -> None:
    """Note that a lesson is finished; the address then says so, too."""
    done = [each for each in LESSONS if each in {*finished(), name}]
    st.session_state[_DONE] = done
    if st.query_params.get("done") != ".".join(done):
        st.query_params["done"] = ".".join(done)


def is_finished(name: str) -> bool:
    """Tell whether a lesson is finished."""
    return name in finished()


def remember(name: str, seed: int, settings: dict[str, Any]) -> None:
    """Note what a visitor has measured in a lesson, the last one at the end."""
    known = st.session_state.setdefault(_MEASURED, {}).setdefault(name, [])
    if (seed, settings) in known:
        known.remove((seed, settings))
    known.append((seed, settings))


def last_measured(name: str) -> Result | None:
    """Return what the visitor has measured last in a lesson, None if nothing is kept of it."""
    known = st.session_state.get(_MEASURED, {}).get(name)
    return measured(name, *known[-1]) if known else None


def verdicts(name: str, settings: dict[str, Any]) -> dict[int, str]:
    """Return the verdict of each seed that the visitor has measured with these settings."""
    known = st.session_state.get(_MEASURED, {}).get(name, [])
    found = {seed: measured(name, seed, each) for seed, each in known if each == settings}
    return {seed: result.verdict for seed, result in found.items() if result is not None}
