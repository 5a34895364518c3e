"""What stands out in an attention: words left out or said twice, steps that looked everywhere."""

from __future__ import annotations

import streamlit as st

from seq2seq.analysis.attention_matrix import Picks, grid
from seq2seq.analysis.attention_metrics import Finding, confidence, covers, findings, means
from ui.escape import quoted
from ui.instruments.selection import View, select_step, select_word

MOST = 8
ICONS = {
    "untranslated": ":material/visibility_off:",
    "twice": ":material/content_copy:",
    "diffuse": ":material/blur_on:",
}


def findings_list(view: View, which: str, picks: Picks) -> None:
    """List what stands out in the attention to the source; a click selects the word or step."""
    if which != "cross":
        return
    found = findings(view.shown, **picks)
    st.markdown("**Possible problems**")
    if not found:
        st.caption("Nothing: no source word left out or said twice, no step looked everywhere.")
    with st.container(gap=None):
        _buttons(view, found)
    if len(found) > MOST:
        st.caption(f"And {len(found) - MOST} more.")
    if covers(view.shown):
        _confidence(view, picks)


def _buttons(view: View, found: list[Finding]) -> None:
    for number, finding in enumerate(found[:MOST]):
        select = select_step if finding.kind == "diffuse" else select_word
        chosen = view.step if finding.kind == "diffuse" else view.word
        st.button(
            _line(finding, view.shown.task),
            key=f"finding_{number}",
            icon=ICONS[finding.kind],
            type="primary" if chosen == finding.token else "tertiary",
            help=_why(finding),
            on_click=select,
            args=(finding.token,),
        )


def _confidence(view: View, picks: Picks) -> None:
    value = confidence(grid(view.shown, **means(picks)).weights)
    st.caption(
        f"Confidence {value.total:.2f}: coverage {value.coverage_deviation:.2f}, scatter of rows "
        f"{value.absent_output:.2f}, of columns {value.absent_input:.2f}.",
        help="How well the rows cover the source and how little they scatter, measured without a "
        "reference; 0 would be best. Rikters, Fishel and Bojar 2017, section 3.",
    )


def _line(finding: Finding, task: str) -> str:
    word, translated = quoted(finding.text), task == "translation"
    if finding.kind == "untranslated":
        what = "left untranslated" if translated else "left out"
        return f"{word} may be {what}: {finding.value:.2f}"
    if finding.kind == "twice":
        return f"{word} may be {'translated' if translated else 'said'} twice: {finding.value:.2f}"
    return f"step {finding.token + 1}, {word}, looked almost everywhere: {finding.value:.1f} bit"


def _why(finding: Finding) -> str:
    if finding.kind == "diffuse":
        return (
            f"Its entropy is over {finding.limit:.1f} bit, three quarters of what looking at all "
            "source words alike would have."
        )
    side = "less" if finding.kind == "untranslated" else "more"
    return (
        f"All output words together gave it {finding.value:.2f} words' worth of attention, "
        f"{side} than {finding.limit}. Ends and punctuation are left out. Attention is a hint, no "
        "proof."
    )
