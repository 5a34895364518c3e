"""The widgets of the lab's settings. What is chosen lives in the session and in the address."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from seq2seq.data.own_pairs import read_own_pairs
from seq2seq.data.parallel_corpus import Pair
from seq2seq.data.tasks import TASKS
from seq2seq.errors import UserError
from seq2seq.training.task_recipe import OWN
from ui.escape import plain
from ui.runtime.hosting import is_hosted
from ui.runtime.trainings import most_pairs
from ui.training_lab.presets import FIRST, PRESETS
from ui.training_lab.settings import (
    ATTENTIONS,
    CELLS,
    HOSTED_MINUTES,
    MINUTES,
    RANGES,
    LabSettings,
    ModelSettings,
    from_query,
    to_query,
)

_SETTINGS, _PRESET, _TEXT = "lab_settings", "lab_preset", "lab_own_pairs"
# On the slider; a link may name any number between the first and the last.
PAIRS = (20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
OWN_EXAMPLE = "one\teen\ntwo\ttwee\nthree\tdrie\n"


def preset_name() -> str:
    """Return the name of the preset that was chosen last."""
    name = st.session_state.get(_PRESET) or st.query_params.get("preset", "")
    return name if name in PRESETS else FIRST


def current_settings() -> LabSettings:
    """Return what the session holds, or what the address says at its beginning."""
    if _SETTINGS not in st.session_state:
        usual = PRESETS[preset_name()].settings
        st.session_state[_PRESET] = preset_name()
        st.session_state[_SETTINGS] = from_query(st.query_params.to_dict(), usual)
    found: LabSettings = st.session_state[_SETTINGS]
    return found


def keep_settings(settings: LabSettings) -> None:
    """Keep settings in the session and in the address."""
    st.session_state[_SETTINGS] = settings
    name = preset_name()
    query = to_query(settings, PRESETS[name].settings)
    if name != FIRST:
        query["preset"] = name
    if run := st.query_params.get("run"):
        query["run"] = run
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def choose_task_and_preset(settings: LabSettings, locked: bool) -> LabSettings:
    """Let the visitor choose a preset, which sets everything, and a task."""

    def use_preset() -> None:
        chosen = st.session_state["lab_preset_choice"]
        st.session_state[_PRESET] = chosen
        st.session_state[_SETTINGS] = PRESETS[chosen].settings
        for key in [key for key in st.session_state if str(key).startswith("lab_set_")]:
            del st.session_state[key]

    st.session_state["lab_preset_choice"] = preset_name()
    st.selectbox(
        "Preset",
        list(PRESETS),
        format_func=lambda name: PRESETS[name].title,
        key="lab_preset_choice",
        on_change=use_preset,
        disabled=locked,
        width=270,
    )
    names = [*TASKS, OWN]
    task = st.selectbox(
        "Task",
        names,
        names.index(settings.task),
        format_func=lambda name: "Your own pairs" if name == OWN else TASKS[name].title,
        key="lab_set_task",
        disabled=locked,
        width=190,
    )
    return replace(settings, task=task)


def edit(settings: LabSettings) -> LabSettings:
    """Show all settings; returns what they are now."""
    columns = st.columns(2 if settings.b else 1, gap="large")
    with columns[0]:
        compare = st.toggle(
            "Train two models side by side", settings.b is not None, key="lab_set_compare"
        )
        a = _edit_model("A", settings.a)
    b = settings.b
    if b is not None:
        with columns[1]:
            st.markdown("On the same batches, in turns")
            b = _edit_model("B", b)
    b = (b or settings.a) if compare else None
    st.markdown("**Training**")
    with st.container(horizontal=True):
        shared: dict[str, Any] = {}
        if settings.task != OWN:
            shared["pairs"] = _pairs_slider(settings.pairs)
        shared["batch"] = _number("Target tokens a batch", "batch", settings.batch, step=64)
        most = HOSTED_MINUTES if is_hosted() else MINUTES
        given = min(settings.minutes, most)
        shared["minutes"] = _number("Minutes", "minutes", given, step=0.1, most=most)
        shared["seed"] = _number("Seed", "seed", settings.seed)
    changed = replace(settings, a=a, b=b, **shared)
    if (changed.b is None) != (settings.b is None):
        st.session_state[_SETTINGS] = changed
        st.rerun()
    return changed


def _edit_model(letter: str, model: ModelSettings) -> ModelSettings:
    values: dict[str, Any] = {}
    where = f"{letter.lower()}_"
    with st.container(horizontal=True):
        values["cell"] = st.selectbox(
            f"{letter}: cell",
            tuple(CELLS),
            tuple(CELLS).index(model.cell),
            format_func=lambda cell: CELLS[cell],
            key=f"lab_set_{where}cell",
            width=150,
        )
        values["layers"] = _number("Layers", f"{where}layers", model.layers)
        values["width"] = _number("Width", f"{where}width", model.width, step=8)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if values["cell"] == "transformer":
            values["heads"] = _number("Heads", f"{where}heads", model.heads)
        else:
            values["attention"] = st.selectbox(
                "Attention",
                ATTENTIONS,
                ATTENTIONS.index(model.attention),
                key=f"lab_set_{where}attention",
                width=150,
            )
            values["bidirectional"] = st.checkbox(
                "Both directions", model.bidirectional, key=f"lab_set_{where}bidirectional"
            )
    with st.container(horizontal=True):
        rate = _number(
            "Learning rate", f"{where}learning_rate", model.learning_rate, step=0.001, form="%.5g"
        )
        values["learning_rate"] = rate
        values["dropout"] = _number("Dropout", f"{where}dropout", model.dropout, step=0.1)
        values["warmup"] = _number("Warm-up steps", f"{where}warmup", model.warmup, step=50)
    with st.container(horizontal=True):
        values["label_smoothing"] = _number(
            "Label smoothing", f"{where}label_smoothing", model.label_smoothing, step=0.05
        )
        values["teacher_forcing"] = _number(
            "Teacher forcing", f"{where}teacher_forcing", model.teacher_forcing, step=0.1
        )
        values["clip"] = _number("Clip gradient at", f"{where}clip", model.clip, step=0.5)
    return replace(model, **values)


def _pairs_slider(pairs: int) -> int:
    """Let the visitor choose how many pairs are generated, on a scale of ratios."""
    return st.select_slider(
        "Pairs",
        sorted({*PAIRS, pairs}),
        pairs,
        format_func=lambda count: f"{count:,}",
        key="lab_set_pairs",
        width=316,
    )


def _number(
    label: str,
    name: str,
    value: float,
    step: float = 1,
    most: float | None = None,
    form: str | None = None,
) -> Any:
    """Show a number of the type that it has."""
    low, high = RANGES[name.removeprefix("a_").removeprefix("b_")]
    kind = type(value)
    return st.number_input(
        label,
        kind(low),
        kind(most or high),
        value,
        kind(step),
        form,
        key=f"lab_set_{name}",
        width=150,
    )


def own_pairs(locked: bool) -> tuple[Pair, ...]:
    """Let the visitor paste or upload pairs; says what is wrong with them. () without any."""
    left, right = st.columns(2)
    uploaded = right.file_uploader(
        "or a file of such lines",
        type=["tsv", "txt"],
        disabled=locked,
        key="lab_upload",
        max_upload_size=10,
    )
    text = left.text_area(
        f"A source, a tab and a target on each line, up to {most_pairs():,} lines",
        st.session_state.get(_TEXT, ""),
        placeholder=OWN_EXAMPLE,
        disabled=locked,
        key="lab_text",
        height=140,
    )
    st.session_state[_TEXT] = text
    given: bytes | str = uploaded.getvalue() if uploaded is not None else text
    if not given:
        st.info(
            "Paste or upload pairs. The server deletes them once the training has read them; five "
            "held-out ones stay with its results."
        )
        return ()
    try:
        pairs = tuple(read_own_pairs(given, most_pairs()))
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return ()
    st.caption(f"{len(pairs):,} pairs")
    return pairs
