"""Decoding settings: a checkpoint's own until the visitor changes them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from seq2seq.decoding.options import MAX_BEAM_WIDTH, MAX_LENGTH, MAX_LENGTH_PENALTY, Options
from ui.links import URL
from ui.terms import term_help

IN_TOKENS = "Tokens of the output."
METHODS = {"beam": "Beam", "greedy": "Greedy", "sample": "Sample"}
# Widgets whose values are a checkpoint's own where nobody sets them.
SETTINGS = (
    "method",
    "beam_width",
    "length_penalty",
    "coverage_penalty",
    "mmi_weight",
    "early_stopping",
    "temperature",
    "top_k",
    "top_p",
    "min_length",
    "max_length",
    "no_repeat_ngram",
    "repetition_penalty",
    "source_language",
    "target_language",
    "instruction",
)


def search_controls(defaults: Options, reads_text: bool = True) -> Options:
    """Let the visitor set the search. reads_text: not of recordings."""
    with st.popover("Settings", icon=":material/tune:"):
        st.markdown("**Decoding settings**")
        chosen = st.segmented_control(
            "Method",
            list(METHODS),
            format_func=METHODS.__getitem__,
            default=defaults.method,
            required=True,
            key="method",
            help=term_help("beam search", "greedy search", "sampling"),
            **URL,
        )
        method = chosen or "beam"  # a link may say nothing
        values: dict[str, Any] = {"method": method}
        values |= _sampling_controls(defaults) if method == "sample" else {}
        values |= _beam_controls(method, defaults) if method != "greedy" else {}
        values |= _information_control(defaults) if method != "greedy" and reads_text else {}
        values |= _stopping_control(defaults) if method == "beam" else {}
        values |= _rule_controls(defaults)
        values |= _length_controls(method, defaults)
    return Options(**values)


def _length_controls(method: str, defaults: Options) -> dict[str, Any]:
    shortest = st.slider(
        "Minimum length",
        0,
        MAX_LENGTH,
        defaults.min_length,
        key="min_length",
        help=IN_TOKENS,
        **URL,
    )
    longest = st.slider(
        "Maximum length (0: set by the source)",
        0,
        MAX_LENGTH,
        defaults.max_length,
        key="max_length",
        help=IN_TOKENS,
        **URL,
    )
    values: dict[str, Any] = {"min_length": shortest, "max_length": longest}
    if 0 < longest < shortest:
        st.caption("The maximum is below the minimum: the output is cut at the maximum.")
    if method != "greedy":
        values["length_penalty"] = st.slider(
            "Length penalty",
            0.0,
            MAX_LENGTH_PENALTY,
            defaults.length_penalty,
            0.05,
            key="length_penalty",
            help=term_help("length penalty"),
            **URL,
        )
    return values


def _beam_controls(method: str, defaults: Options) -> dict[str, Any]:
    width = defaults.beam_width if defaults.beam_width > 1 else Options().beam_width
    label, help_text = "Beam width", term_help("beam width", "hypothesis")
    if method == "sample":
        label, help_text = "Samples", "How many outputs are drawn, each on its own."
    return {
        "beam_width": st.slider(
            label,
            1,
            MAX_BEAM_WIDTH,
            width,
            key="beam_width",
            help=help_text,
            **URL,
        ),
        "coverage_penalty": st.slider(
            "Coverage penalty",
            0.0,
            1.0,
            min(1.0, defaults.coverage_penalty),
            0.05,
            key="coverage_penalty",
            help=term_help("coverage penalty"),
            **URL,
        ),
    }


def _information_control(defaults: Options) -> dict[str, Any]:
    weight = st.slider(
        "Mutual information (0: off)",
        0.0,
        1.0,
        defaults.mmi_weight,
        0.05,
        key="mmi_weight",
        help=term_help("maximum mutual information"),
        **URL,
    )
    return {"mmi_weight": weight}


def _stopping_control(defaults: Options) -> dict[str, Any]:
    stop = st.toggle(
        "Early stopping",
        defaults.early_stopping,
        key="early_stopping",
        help="Stop once enough hypotheses are complete, even if another could still score higher.",
        **URL,
    )
    return {"early_stopping": stop}


def _sampling_controls(defaults: Options) -> dict[str, Any]:
    return {
        "temperature": st.slider(
            "Temperature",
            0.1,
            2.0,
            min(2.0, max(0.1, defaults.temperature)),
            0.05,
            key="temperature",
            help=term_help("temperature"),
            **URL,
        ),
        "top_k": st.slider(
            "Top-k (0: all tokens)",
            0,
            100,
            min(100, defaults.top_k),
            key="top_k",
            help=term_help("top-k"),
            **URL,
        ),
        "top_p": st.slider(
            "Top-p",
            0.05,
            1.0,
            max(0.05, defaults.top_p),
            0.05,
            key="top_p",
            help=term_help("top-p"),
            **URL,
        ),
        "seed": st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", **URL),
    }


def _rule_controls(defaults: Options) -> dict[str, Any]:
    return {
        "prefix": st.text_input(
            "Output begins with", key="prefix", autocomplete="off", max_chars=500, **URL
        ),
        "no_repeat_ngram": st.slider(
            "Block repeated n-grams, n (0: off)",
            0,
            10,
            defaults.no_repeat_ngram,
            key="no_repeat_ngram",
            help=term_help("blocked n-gram"),
            **URL,
        ),
        "repetition_penalty": st.slider(
            "Repetition penalty (1: off)",
            0.5,
            3.0,
            min(3.0, max(0.5, defaults.repetition_penalty)),
            0.05,
            key="repetition_penalty",
            help="Makes what was written before less likely to be written again.",
            **URL,
        ),
    }


def forget_settings() -> None:
    """Go back to a checkpoint's own settings."""
    for name in SETTINGS:
        st.session_state.pop(name, None)
