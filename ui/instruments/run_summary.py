"""A run in a line of words."""

from __future__ import annotations

import math

import streamlit as st

from seq2seq.trace import Trace, shown
from ui.escape import plain, quoted


def timing(trace: Trace) -> None:
    """Say what went in and out, and what it took."""
    seconds = trace.seconds
    what = "positions" if trace.position_seconds else "tokens"
    total = f"{float(trace.log_probabilities.sum()):.2f}".replace("-", "−")
    took = {part: f"{1000 * seconds[part]:,.0f} ms" for part in ("encode", "search", "record")}
    st.caption(
        f"{quoted(trace.checkpoint)} {len(trace.source):,} {what} in, {len(trace.target):,} out · "
        f"{1000 * sum(seconds.values()):,.0f} ms · log P {total}",
        help=f"Encoder {took['encode']}, search {took['search']}, record {took['record']}, all in "
        f"{plain(trace.precision)}. log P is the log-probability of the output.",
    )


def alternatives_in_words(trace: Trace, step: int) -> str:
    """Name the most probable tokens of a step."""
    pieces = trace.alternatives.pieces[step][:5]
    values = trace.alternatives.log_probabilities[step][:5].tolist()
    listed = (f"{shown(p)} {math.exp(v):.0%}" for p, v in zip(pieces, values, strict=True))
    return f"Most probable tokens of step {step + 1}: {', '.join(listed)}."
