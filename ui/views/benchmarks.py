"""What was measured of the models at hand: over lengths, over their training, over less data."""

from __future__ import annotations

import streamlit as st

from seq2seq.errors import UserError
from seq2seq.evaluation.results import (
    FILES,
    Bin,
    Curve,
    Measurements,
    Study,
    bin_name,
    bins,
    by_length,
    by_pairs,
    progress,
)
from ui.components import copy_link
from ui.components.chart import as_key, chart
from ui.escape import plain
from ui.inputs.task_controls import checkpoints_picker
from ui.inputs.text_input import empty_state
from ui.links import URL, page_link
from ui.page import is_dark
from ui.runtime.cards import catalogued
from ui.runtime.names import titles
from ui.runtime.results import results_of
from ui.views.beam_cost import beam_cost_section
from ui.views.compare import FIRST
from ui.views.compare import MOST as RACING
from ui.views.concatenation import joining_section
from ui.views.own_pairs import own_pairs_section

MOST = 7  # lines that can be told apart
LONG = (
    "Although the weather was cold, my sister walked to the station, bought a ticket for the last "
    "train, and waited for more than an hour."
)
VALUES = {"BLEU": "bleu", "Loss": "valid_loss"}
OVER = {"Steps": ("step", 1, "steps"), "Minutes": ("seconds", 60, "minutes")}
NATS = "loss (nats per token)"


def benchmarks_page() -> None:
    """Show a section for each thing that was measured, and two that are measured now."""
    known = _measurements()
    if known:
        _family(known)
    else:
        empty_state(
            "No model here has scores by length: run seq2seq assess on one to measure them."
        )
    beam_cost_section()
    own_pairs_section()


def _family(known: dict[str, Measurements]) -> None:
    first = [name for name in FIRST if name in known] or list(known)[:MOST]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = checkpoints_picker(list(known), "compared", first, MOST)
        copy_link()
    called = titles(list(known))
    known = {name: each._replace(name=called[name]) for name, each in known.items()}
    chosen = [known[name] for name in names]
    if chosen:
        _lengths(chosen, names)
        _training(chosen)
    else:
        empty_state("Choose a model to compare.")
    _data([measured for measured in known.values() if by_pairs(measured).x])
    for name, measured in known.items():
        for study in measured.studies:
            if study.plain:
                _overfitting(name, measured, study)
    if chosen:
        joining_section(names)


def _measurements() -> dict[str, Measurements]:
    """Read what was measured of the translation models at hand; says which cannot be read."""
    found = {}
    at_hand = catalogued()
    for name, folder in at_hand.folders.items():
        if at_hand.embedded[name].task != "translation":
            continue
        files = [folder / file for file in FILES]
        written = tuple(file.stat().st_mtime_ns for file in files if file.is_file())
        try:
            measured = results_of(name, folder, written)
        except UserError as error:
            st.warning(plain(str(error)), icon=":material/warning:")
            continue
        if measured.by_length:
            found[name] = measured
    return found


def _lengths(chosen: list[Measurements], names: list[str]) -> None:
    """Draw BLEU over the length of the source: what one vector cannot hold.

    names: of the checkpoints, in the same order.
    """
    from seq2seq import figures

    st.subheader("Long sentences, and the bottleneck")
    st.markdown(
        "Without attention one vector has to hold the whole sentence, however long it is; with it "
        "the decoder may look at every word again. Each point is the BLEU score of many sentences "
        "of one length, its bar the 95 % interval. Long sentences may come from other texts than "
        "short ones: compare the models at one length, rather than the lengths."
    )
    if len({each.data for each in chosen}) > 1:
        st.warning(
            "These models were not all scored on the same sentences, so their scores cannot be "
            "compared: choose others.",
            icon=":material/warning:",
        )
    places = bins(chosen)
    ticks = [bin_name(words) for words in places]
    lines = [by_length(each, places) for each in chosen]
    across = figures.XAxis("words in the source", ticks)
    chart(
        "by_length",
        figures.curves.plain(lines, across, "BLEU", is_dark()),
        "BLEU by the length of the source, a line for each model, shortest to longest: "
        + "; ".join(f"{line.name} {line.y[0]:.0f} to {line.y[-1]:.0f}" for line in lines),
        lambda: figures.curves_csv(lines, ticks),
    )
    if said := attention_buys(chosen, places):
        st.markdown(plain(said))
    page_link(
        "pages/compare.py",
        "Compare them on a long sentence",
        sentence=LONG,
        models=names[:RACING],
    )


def attention_buys(chosen: list[Measurements], places: list[Bin]) -> str:
    """Compare two models with the same cell and direction, one with attention; "" if none are."""
    pairs = (
        (plain_one, other)
        for plain_one in chosen
        for other in chosen
        if other.attends and not plain_one.attends and other.encoder == plain_one.encoder
    )
    pair = next(pairs, None)
    if pair is None:
        return ""
    without, attending = ({row.words: row.bleu for row in each.by_length} for each in pair)
    ratios = [
        f"{attending[words] / without[words]:.1f} times as high at {bin_name(words)} words"
        for words in places
        if without.get(words) and words in attending
    ]
    if not ratios:
        return ""
    return (
        f"{pair[1].name} and {pair[0].name} read in the same way, with the same kind of cell; the "
        f"first has attention. Its BLEU is, beside that of the other, {', '.join(ratios)}."
    )


def _training(chosen: list[Measurements]) -> None:
    """Draw the score on valid over the training: what it costs."""
    from seq2seq import figures

    st.subheader("What training costs")
    with st.container(horizontal=True):
        value = st.segmented_control(
            "Metric", list(VALUES), default="BLEU", required=True, key="progress", **URL
        )
        over = st.segmented_control(
            "Over", list(OVER), default="Steps", required=True, key="over", **URL
        )
    value, over = value or "BLEU", over or "Steps"  # a link may say nothing
    of, each, across = OVER[over]
    title = "BLEU, greedy" if value == "BLEU" else NATS
    lines = [progress(one.name, one.log, VALUES[value], of, each) for one in chosen]
    lines = [line for line in lines if line.x]
    if not lines:
        empty_state("None of these models has the log of its training: choose another one.")
        return
    chart(
        "training",
        figures.curves.plain(lines, figures.XAxis(across), title, is_dark()),
        f"Validation {title}, over {across} of training: "
        + "; ".join(f"{line.name} ends at {line.y[-1]:.2f}" for line in lines),
        lambda: figures.curves_csv(lines),
    )
    said = ["On the validation set. A step is one update of all weights."]
    said += [
        f"{one.name} was trained in {one.runs} runs, each after the first begun with the weights "
        "of the one before and a larger step size than that had ended with."
        for one in chosen
        if one.runs > 1
    ]
    st.markdown(plain(" ".join(said)))
    machines = {one.name: one.hardware for one in chosen if one.hardware}
    if over == "Minutes" and len(set(machines.values())) > 1:
        listed = "; ".join(f"{name}: {machine}" for name, machine in machines.items())
        st.caption(plain(f"The minutes were measured on different machines. {listed}."))


def _data(studied: list[Measurements]) -> None:
    """Draw the score over the number of pairs: what little data costs."""
    from seq2seq import figures

    if not studied:
        return
    lines = [by_pairs(each) for each in studied]
    logs = [study.log for each in studied for study in each.studies if study.log]
    minutes = max((log[-1].seconds / 60 for log in logs), default=0)
    names = ", ".join(each.name for each in studied)
    st.subheader("How much data it needs")
    st.markdown(
        f"Models like {plain(names)}, trained from nothing on fewer pairs of sentences for at most "
        f"{minutes:.0f} minutes each. A model that learns all from examples, end to end, depends "
        "on how many there are."
    )
    across = figures.XAxis("pairs", at_points=True, logarithmic=True)
    chart(
        "by_pairs",
        figures.curves.plain(lines, across, "BLEU", is_dark()),
        "BLEU by number of training pairs. "
        + "; ".join(
            f"{line.name}: "
            + ", ".join(f"{x:,.0f} pairs {y:.1f}" for x, y in zip(line.x, line.y, strict=True))
            for line in lines
        ),
        lambda: figures.curves_csv(lines),
    )
    falling = [
        f"{study.pairs:,}"
        for each in studied
        for study in each.studies
        if study.falling and not study.plain
    ]
    if falling:
        st.markdown(
            f"Still getting better when the time was over: on {' and on '.join(falling)} pairs. "
            "There the time counts as well."
        )


def _overfitting(checkpoint: str, measured: Measurements, bare: Study) -> None:
    """Draw the loss on train beside that on valid, where nothing keeps them together."""
    from seq2seq import figures

    same = (each for each in measured.studies if not each.plain and each.pairs == bare.pairs)
    kept = next(same, None)
    lines = [
        progress("training", bare.log, "loss"),
        progress("validation", bare.log, "valid_loss"),
    ]
    if kept is not None:
        name = "validation, with dropout and label smoothing"
        lines.append(progress(name, kept.log, "valid_loss"))
    if not all(line.x for line in lines):
        return
    st.subheader("Overfitting")
    st.markdown(
        f"A model like {plain(measured.name)} on {bare.pairs:,} pairs only, without dropout and "
        "label smoothing: its training and validation loss."
    )
    chart(
        f"overfitting_{as_key(checkpoint)}_{bare.pairs}",
        figures.curves.plain(lines, figures.XAxis("steps"), NATS, is_dark()),
        "Loss over the steps of training. " + "; ".join(map(_course, lines)),
        lambda: figures.curves_csv(lines),
    )
    st.markdown(plain(turning_point(bare)))


def _course(line: Curve) -> str:
    """Tell where a curve begins, where it is lowest and where it ends."""
    return (
        f"{line.name}: from {line.y[0]:.2f}, at its lowest {min(line.y):.2f}, to {line.y[-1]:.2f}"
    )


def turning_point(study: Study) -> str:
    """Say when a training was at its best on what it did not learn from."""
    seen = [(line.valid_loss, line.epoch) for line in study.log if line.valid_loss is not None]
    learnt = [line.loss for line in study.log if line.loss is not None][-1]
    best, last = min(seen), seen[-1]
    end = f"After {last[1]} epochs its training loss is {learnt:.3f}"
    if best == last:
        return f"{end} and its validation loss {last[0]:.2f}, its best: it does not overfit yet."
    return (
        f"{end} and its validation loss {last[0]:.2f}. The best was {best[0]:.2f}, after {best[1]} "
        "epochs: what it learnt from then on holds for the training sentences only."
    )
