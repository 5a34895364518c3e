"""The page of the training lab: choose, train, watch, and take the model along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from seq2seq.data.parallel_corpus import Pair
from seq2seq.data.tasks import TASKS
from seq2seq.errors import UserError
from seq2seq.training.task_recipe import OWN
from ui.components import live_picture
from ui.escape import plain
from ui.runtime.hosting import is_hosted
from ui.runtime.trainings import (
    begin,
    jobs,
    own_kind,
    own_picture,
    parameters,
    plan,
    untrained_picture,
    watch,
)
from ui.training_lab.afterwards import afterwards
from ui.training_lab.board import board, coloured, gradients
from ui.training_lab.controls import (
    choose_task_and_preset,
    current_settings,
    edit,
    keep_settings,
    own_pairs,
    preset_name,
)
from ui.training_lab.presets import PRESETS
from ui.training_lab.settings import RANGES, LabSettings, checked

if TYPE_CHECKING:
    from seq2seq.training.jobs import Training

# Labels of controls that wait for the end of a training stay readable.
STYLE = """<style>
.st-key-lab_preset_choice label *, .st-key-lab_set_task label * { color: inherit !important; }
.st-key-lab_preset_choice label, .st-key-lab_set_task label { color: inherit !important; }
</style>"""
EVERY = 0.8  # seconds between two looks at a training
RUN, START = "run", "start"
EXAMPLES = {
    "copy": "k f b a x q",
    "reverse": "k f b a x q",
    "sort": "7 2 9 4 0 2",
    "dates": "3 Nov 2026",
    "addition": "47 + 385",
    "numbers": "three hundred and twelve",
    "pig-latin": "string",
    "waves": "5 8 10 11 10 8 5 3 1 0 1 3 5 8 10 11 10 8",
}


def training_page() -> None:
    """Show the lab."""
    st.html(STYLE)
    training = jobs().find(st.query_params.get(RUN, ""))
    at_once = st.query_params.get(START) == "1" and training is None  # a link from another page
    active = training is not None and training.state != "ended"
    if training is not None:
        watch(training)
    settings = current_settings()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        settings = choose_task_and_preset(settings, active)
        buttons = st.container(horizontal=True, vertical_alignment="bottom", width="content")
        with st.popover("Settings", icon=":material/tune:", disabled=active, width="content"):
            settings = edit(settings)
    keep_settings(settings)
    pairs: tuple[Pair, ...] = ()
    if settings.task == OWN:
        with st.expander("Pairs", icon=":material/list:", expanded=training is None):
            pairs = own_pairs(active)
    with buttons:
        asked = _buttons(training, settings.task == OWN and not pairs)
    if asked or (at_once and settings.task != OWN):
        _begin(settings, pairs)
    error = st.session_state.pop("lab_error", "")
    if error:
        st.error(plain(error), icon=":material/error:")
    st.markdown(_story(settings if training is None else training.about))
    if training is None:
        _before(settings, pairs, error)
    elif active:
        st.fragment(_watch, run_every=EVERY)(training)
    else:
        _ended(training)


def _story(settings: LabSettings) -> str:
    """Say what to look at: the preset's story as long as its models and task are the preset's."""
    preset = PRESETS[preset_name()]
    told = preset.settings
    if (settings.task, settings.models) == (told.task, told.models):
        return preset.story
    if settings.task == OWN:
        return "A tenth of your pairs, at most 200, is held out to measure what was learned."
    return f"{TASKS[settings.task].rule}."


def _buttons(training: Training | None, nothing: bool) -> bool:
    """Show what starts and steers a training; tells whether one is to start.

    nothing: there are no pairs to learn from.
    """
    if training is not None and training.state != "ended":
        paused = training.state == "paused"
        waiting = training.state in ("waiting", "starting")
        label, icon = ("Continue", "play_arrow") if paused else ("Pause", "pause")
        if st.button(label, icon=f":material/{icon}:", key="lab_pause", disabled=waiting):
            _steer(training, "go on" if paused else "pause", paused)
        if paused and st.button("Step", icon=":material/skip_next:", key="lab_step"):
            training.tell("step")
        if st.button("Stop", icon=":material/stop:", key="lab_stop"):
            training.tell("stop")
        return False
    label = "Train" if training is None else "Train again"
    asked = st.button(
        label, type="primary", icon=":material/play_arrow:", key="lab_train", disabled=nothing
    )
    if training is not None and st.button("Reset", icon=":material/restart_alt:", key="lab_reset"):
        del st.query_params[RUN]
        st.rerun()
    return asked


def _steer(training: Training, do: str, was_paused: bool) -> None:
    """Pause or go on, and wait until it is so: the buttons depend on it."""
    import time

    training.tell(do)
    for _ in range(20):
        if (training.state == "paused") != was_paused:
            break
        time.sleep(0.1)
    st.rerun()


def _begin(settings: LabSettings, pairs: tuple[Pair, ...]) -> None:
    try:
        settings = checked(settings, is_hosted())
        planned = plan(settings.recipes(own_kind(pairs)), pairs, settings.seed)
        training = begin(planned, settings.minutes, settings)
    except UserError as error:
        st.session_state["lab_error"] = str(error)
        return
    st.session_state.pop("lab_error", None)
    st.session_state.pop("lab_moment", None)
    st.query_params[RUN] = training.name
    st.rerun()


def _before(settings: LabSettings, pairs: tuple[Pair, ...], told: str) -> None:
    """Show the models that will be trained, with a picture; told: an error that stands above."""
    try:
        checked(settings, is_hosted())
        recipes = settings.recipes(own_kind(pairs))
        if settings.task == OWN and not pairs:
            return
        for (letter, model), recipe in zip(settings.models.items(), recipes, strict=True):
            st.markdown(
                f"{coloured(letter)} {plain(model.name)}, {parameters(recipe, pairs):,} parameters"
            )
        _untrained(dict(zip(settings.models, recipes, strict=True)), settings.task, pairs)
    except UserError as error:
        if str(error) != told:
            st.error(plain(str(error)), icon=":material/error:")


def _untrained(recipes: Mapping[str, str], task: str, pairs: tuple[Pair, ...]) -> None:
    """Show the picture of one of the models; recipes: by the models' letters."""
    letters = list(recipes)
    letter = letters[0]
    if len(letters) > 1:
        letter = st.segmented_control(
            "Model", letters, default=letter, key="lab_pictured", required=True
        )
    recipe = recipes[letter]
    picture = (
        own_picture(recipe, hash(pairs), pairs)
        if task == OWN
        else untrained_picture(recipe, EXAMPLES[task])
    )
    live_picture("lab_picture", picture, str(hash(recipe)))
    st.caption(f"Model {letter} before training: its weights are random.")


def _watch(training: Training) -> None:
    """Show a training that waits or runs; this is drawn anew again and again."""
    training.touch()
    if training.state == "ended" or st.session_state.get("lab_seen_state") != training.state:
        st.session_state["lab_seen_state"] = training.state
        st.rerun()
    if training.state == "waiting":
        place = len(jobs().ahead_of(training))
        ahead = "1 training is" if place == 1 else f"{place} trainings are"
        st.info(
            f"Place {place} in the queue: {ahead} ahead of yours, for about "
            f"{jobs().wait_of(training):,.0f} s.",
            icon=":material/hourglass:",
        )
        return
    if training.state == "starting":
        st.progress(0.0, "Starting the training's process")
        return
    st.progress(min(1.0, training.done), _status(training))
    _show(training)


def _status(training: Training) -> str:
    """Say where a training stands."""
    models = training.progress.values()
    steps = max((each.trained[-1].step for each in models if each.trained), default=0)
    tokens, seconds = sum(each.tokens for each in models), training.seconds
    rate = next((each.learning_rate for each in models), 0.0)
    said = f"Step {steps:,} · {seconds:.0f} s of training · {tokens / max(seconds, 0.1):,.0f} "
    said += f"tokens/s · learning rate of A {rate:.2g}"
    if training.state == "paused":
        return f"Paused · {said}"
    return f"{said} · about {training.seconds_left:.0f} s left"


def _show(training: Training) -> None:
    settings: LabSettings = training.about
    names = {letter: model.name for letter, model in settings.models.items()}
    board(training, names, settings.task)
    if training.state != "ended":
        _change(training, settings)
    gradients(training)


def _change(training: Training, settings: LabSettings) -> None:
    """Let the visitor change the learning rate and dropout while it trains."""
    with st.expander("Change while it trains", icon=":material/bolt:", key="lab_change"):
        for letter in training.progress:
            model = settings.models[letter]
            with st.container(horizontal=True, vertical_alignment="bottom"):
                rate = st.number_input(
                    f"{letter}: learning rate",
                    *RANGES["learning_rate"],
                    model.learning_rate,
                    format="%.5g",
                    key=f"lab_live_{letter}_rate",
                    width=170,
                )
                dropout = st.slider(
                    f"{letter}: dropout",
                    *RANGES["dropout"],
                    model.dropout,
                    key=f"lab_live_{letter}_dropout",
                    width=240,
                )
            told = st.session_state.setdefault("lab_told", {})
            key = training.name, letter
            if told.get(key, (model.learning_rate, model.dropout)) != (rate, dropout):
                told[key] = rate, dropout
                training.tell("change", model=letter, learning_rate=rate, dropout=dropout)


def _ended(training: Training) -> None:
    if training.reason:
        st.warning(plain(training.reason), icon=":material/warning:")
    if any(each.snapshots for each in training.progress.values()):
        afterwards(training)
        _show(training)
