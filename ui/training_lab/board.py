"""What is seen of a training: scores, curves, attention as it forms, outputs, gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from seq2seq.data.tasks import TASKS
from ui.components import plot
from ui.components.marked_outputs import MarkedRow, marked, marked_outputs
from ui.escape import plain
from ui.page import is_dark

if TYPE_CHECKING:
    from seq2seq.training.jobs import Training
    from seq2seq.training.progress import Measured, Progress

_MOMENT, LATEST = "lab_moment", "latest"


def board(training: Training, names: Mapping[str, str], task: str) -> None:
    """Show all that is known of a training. names: of the models, by their letters."""
    from seq2seq import figures

    models = training.progress
    shown = {letter: _at(progress) for letter, progress in models.items()}
    _scores(models, shown, names)
    steps = [each.step for each in next(iter(models.values())).snapshots]
    if not steps:
        st.caption("The first measurement comes in a second.")
        return
    step, example, looking = _choices(models, steps)
    at_moment = {letter: _at(progress, step) for letter, progress in models.items()}
    left, middle, right = st.columns([1.1, 1, 0.95], gap="medium")
    with left:
        drawn = figures.learning_curves.plain(models, step, is_dark())
        plot("learning_curves", drawn, _said_of_curves(models))
        st.caption("On held-out pairs; dotted: loss in training")
    with middle:
        now = at_moment.get(looking)
        if now is None:
            st.caption(
                "No attention: all that the decoder gets is the encoder's final state. How much of "
                "the gradient reaches each source token through it:"
            )
            _distances(models)
        else:
            _matrix(now, example, task, looking)
    with right:
        _outputs(at_moment)


def gradients(training: Training) -> None:
    """Show how the gradient is spread over the parts of the models, and how far it reaches.

    How far stands on the board already where no model has attention.
    """
    from seq2seq import figures

    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Gradient by part**, before clipping, in the last step")
        drawn = figures.gradient_parts.plain(training.progress, is_dark())
        plot("gradient_parts", drawn, "The norm of the gradient in each part of the models.")
    if _looking(training.progress):
        with right:
            st.markdown("**Gradient by distance**, of the first output token, at each source token")
            _distances(training.progress)


def coloured(letter: str) -> str:
    """Return a model's letter, bold and in the colour of its curves, as Markdown."""
    return f":{'blue' if letter == 'A' else 'orange'}[**{letter}**]"


def _distances(models: Mapping[str, Progress]) -> None:
    from seq2seq import figures

    drawn = figures.gradient_distances.plain(models, is_dark())
    plot("gradient_distances", drawn, "How much of the gradient reaches each source token.")


def _looking(models: Mapping[str, Progress]) -> list[str]:
    """Return the letters of the models that have attention."""
    return [
        letter
        for letter, progress in models.items()
        if progress.snapshots and progress.snapshots[-1].written[0].weights is not None
    ]


def _scores(
    models: Mapping[str, Progress], shown: Mapping[str, Measured | None], names: Mapping[str, str]
) -> None:
    """Show the large numbers: exact match of each model, and what stands beside it."""
    for column, (letter, now) in zip(st.columns(len(models)), shown.items(), strict=True):
        progress = models[letter]
        with column:
            number, words = st.columns([1, 3], vertical_alignment="center", gap="small")
        value = "–" if now is None else f"{now.exact_match:.0%}"
        number.metric(f"{letter}: exact match", value)
        said = f"{coloured(letter)} {plain(names[letter])}  \n{progress.parameters:,} parameters"
        if now is not None:
            said += f", {now.token_accuracy:.0%} of tokens right"
            if now.aligned is not None:
                said += f"  \n{now.aligned:.0%} of its attention on the right token"
        words.markdown(said)
        if progress.reason:
            column.error(plain(progress.reason), icon=":material/error:")


def _choices(models: Mapping[str, Progress], steps: list[int]) -> tuple[int, int, str]:
    """Let the visitor choose a moment, an example, and whose attention is shown.

    Returns the step, the number of the example from 0, and the letter, "" without attention.
    """
    looking = _looking(models)
    widths = [1.75, 1.3] if len(looking) > 1 else [2.1, 0.95]
    back, chosen = st.columns(widths, gap="medium", vertical_alignment="bottom")
    with back:
        step = _moment(steps)
    with chosen.container(horizontal=True):
        count = len(next(iter(models.values())).snapshots[-1].written)
        example = st.segmented_control(
            "Example", range(1, count + 1), default=1, key="lab_example", required=True
        )
        letter = next(iter(looking), "")
        if len(looking) > 1:
            letter = st.segmented_control(
                "Attention of", looking, default=letter, key="lab_looking", required=True
            )
    return step, (example or 1) - 1, letter if letter in looking else next(iter(looking), "")


def _matrix(now: Measured, example: int, task: str, letter: str) -> None:
    from seq2seq import figures

    written = now.written[example]
    rule = TASKS.get(task)
    places = [
        rule.source_of(step, len(written.source)) if rule else None
        for step in range(len(written.output))
    ]
    drawn = figures.forming_attention.plain(written, places, is_dark())
    plot("forming_attention", drawn, f"Attention of model {letter} at step {now.step:,}.")
    framed = "; framed: the right token" if rule is not None and rule.order else ""
    st.caption(f"Attention of {letter} after {now.step:,} steps{framed}")


def _moment(steps: list[int]) -> int:
    """Let the visitor go back in time; LATEST, where nothing was chosen, is the newest moment.

    Only the visitor moves the slider: a value that the server sets while another one is on its way
    from the browser would be taken for a choice.
    """
    if len(steps) < 2:
        return steps[-1]
    usual: str | None = LATEST
    wanted = st.session_state.get(_MOMENT, LATEST)
    if wanted not in (LATEST, *steps[:-1]):  # few moments of a long training are kept
        st.session_state[_MOMENT] = min(steps[:-1], key=lambda step: abs(step - wanted))
        usual = None  # a value that is set twice is warned of
    moments: list[int | str] = [*steps[:-1], LATEST]
    chosen = st.select_slider(
        "Back in time, to step",
        moments,
        usual,
        format_func=lambda step: f"{step:,}" if isinstance(step, int) else step,
        key=_MOMENT,
    )
    return chosen if isinstance(chosen, int) else steps[-1]


def _at(progress: Progress, step: int | None = None) -> Measured | None:
    """Return the snapshot nearest to a step, the newest one for None."""
    if not progress.snapshots:
        return None
    if step is None:
        return progress.snapshots[-1]
    return min(progress.snapshots, key=lambda each: abs(each.step - step))


def _outputs(at_moment: Mapping[str, Measured | None]) -> None:
    found = {letter: now for letter, now in at_moment.items() if now is not None}
    if not found:
        return
    first = next(iter(found.values()))
    rows = [
        MarkedRow(
            example.source_text,
            tuple(
                marked(letter, now.written[place].output, now.written[place].target)
                for letter, now in found.items()
            ),
        )
        for place, example in enumerate(first.written)
    ]
    st.markdown(f"**Held-out examples** after {first.step:,} steps")
    marked_outputs("lab_outputs", rows, is_dark())


def _said_of_curves(models: Mapping[str, Progress]) -> str:
    parts = [
        f"model {letter}: exact match {each.scores[-1].exact_match:.0%}, validation loss "
        f"{each.scores[-1].loss:.2f} after {each.scores[-1].step:,} steps"
        for letter, each in models.items()
        if each.scores
    ]
    return "Exact match and loss over the steps. " + "; ".join(parts)
