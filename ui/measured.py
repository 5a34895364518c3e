"""What was measured of the models at hand: over lengths, over their training, over less data."""

from __future__ import annotations

import streamlit as st

from seq2seq import catalogue
from seq2seq.errors import UserError
from seq2seq.measurements import (
    Bin,
    Measurements,
    Study,
    bins,
    by_length,
    by_pairs,
    progress,
    read_measurements,
)
from ui.address import URL, page_link
from ui.bottleneck import bottleneck_section
from ui.chart import chart
from ui.components import copy_link
from ui.frame import is_dark
from ui.models import catalogued
from ui.text import plain, quoted
from ui.typed import empty_state
from ui.widths import beam_cost_section

# Shown first, as far as they are at hand: each has one thing more than the one before.
FIRST = (
    "lstm-vanilla-en-fr",
    "lstm-attention-en-fr",
    "bilstm-attention-en-fr",
    "transformer-en-fr",
)
MOST = 7  # lines that can be told apart
LONG = (
    "Although the weather was cold, my sister walked to the station, bought a ticket for the last "
    "train, and waited for more than an hour."
)
VALUES = {"BLEU": "bleu", "Loss": "valid_loss"}
OVER = {"Steps": ("step", 1, "steps"), "Minutes": ("seconds", 60, "minutes")}


def measured_page() -> None:
    """Show a section for each thing that was measured of the chosen models."""
    known = _measurements()
    if known:
        _family(known)
    else:
        empty_state(
            "None of the models here has scores by length: train one, or assess it, to see them."
        )
    beam_cost_section()


def _family(known: dict[str, Measurements]) -> None:
    first = [name for name in FIRST if name in known] or list(known)[:MOST]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = st.multiselect(
            "Models", list(known), first, key="compared", max_selections=MOST, **URL
        )
        copy_link()
    chosen = [known[name] for name in names[:MOST]]
    if chosen:
        _lengths(chosen)
        _training(chosen)
    else:
        empty_state("Nothing is compared yet: choose a model.")
    for measured in known.values():
        _data(measured)
        _overfitting(measured)
    if chosen:
        bottleneck_section([each.name for each in chosen])


def _measurements() -> dict[str, Measurements]:
    """Read what was measured of the translation models at hand; says which cannot be read."""
    found = {}
    for name, card in catalogued().embedded.items():
        if card.task != "translation":
            continue
        try:
            measured = _read(name)
        except UserError as error:
            st.warning(plain(str(error)), icon=":material/warning:")
            continue
        if measured.by_length:
            found[name] = measured
    return found


@st.cache_resource(show_spinner=False, max_entries=32)
def _read(name: str) -> Measurements:
    return read_measurements(catalogue.CHECKPOINTS / name)


def _in_words(words: Bin, longest: bool) -> str:
    return f"{words[0]} and more" if longest else f"{words[0]} to {words[1]}"


def _lengths(chosen: list[Measurements]) -> None:
    """Draw BLEU over the length of the source: what one vector cannot hold."""
    from seq2seq import figures

    st.subheader("Long sentences, and the bottleneck")
    st.markdown(
        "Without attention one vector has to hold the whole sentence, however long it is; with it "
        "the decoder may look at every word again. Each point is the BLEU score of many sentences "
        "of one length, its bar the 95 % interval. Longer sentences are harder for all, and come "
        "from other texts: compare the models at one length."
    )
    places = bins(chosen)
    ticks = [_in_words(words, words == places[-1]) for words in places]
    lines = [by_length(each, places) for each in chosen]
    chart(
        "by_length",
        figures.curves(lines, "words in the source", "BLEU", ticks, dark=is_dark()),
        "BLEU by the length of the source, a line for each model: "
        + "; ".join(f"{line.name} {line.y[0]:.0f} to {line.y[-1]:.0f}" for line in lines),
        lambda: figures.curves_csv(lines, ticks),
    )
    if said := _attention_buys(chosen, places, ticks):
        st.markdown(plain(said))
    page_link("pages/race.py", "Watch them on a long sentence", sentence=LONG)


def _attention_buys(chosen: list[Measurements], places: list[Bin], ticks: list[str]) -> str:
    """Say how many times the BLEU with attention is that without, where both are chosen."""
    parts = []
    for words, tick in zip(places, ticks, strict=True):
        best = {True: 0.0, False: 0.0}
        for each in chosen:
            scores = [row.bleu for row in each.by_length if row.words == words]
            best[each.attends] = max([best[each.attends], *scores])
        if all(best.values()):
            parts.append(f"{best[True] / best[False]:.1f} at {tick} words")
    if not parts:
        return ""
    return (
        "The best score with attention divided by the best one without, of the models chosen: "
        f"{', '.join(parts)}."
    )


def _training(chosen: list[Measurements]) -> None:
    """Draw the score on valid over the training: what it costs."""
    from seq2seq import figures

    st.subheader("What training costs")
    with st.container(horizontal=True):
        value = st.segmented_control(
            "Measured", list(VALUES), default="BLEU", required=True, key="progress", **URL
        )
        over = st.segmented_control(
            "Over", list(OVER), default="Steps", required=True, key="over", **URL
        )
    value, over = value or "BLEU", over or "Steps"  # a link may say nothing
    of, each, across = OVER[over]
    title = "BLEU, greedy" if value == "BLEU" else "loss, nats a token"
    lines = [progress(one.name, one.log, VALUES[value], of, each) for one in chosen]
    lines = [line for line in lines if line.x]
    if not lines:
        empty_state("None of these models has the log of its training: choose another one.")
        return
    chart(
        "training",
        figures.curves(lines, across, title, dark=is_dark()),
        f"{title} on sentences that were not trained on, over {across} of training: "
        + "; ".join(f"{line.name} ends at {line.y[-1]:.1f}" for line in lines),
        lambda: figures.curves_csv(lines),
    )
    st.markdown(
        "On sentences that were not trained on. A step is one change of all weights, after 2,000 "
        "tokens or so. Where a line turns for the worse and then improves once more, the model was "
        "trained in two runs: the second begins with a larger step size again."
    )
    machines = {one.name: one.hardware for one in chosen if one.hardware}
    if over == "Minutes" and len(set(machines.values())) > 1:
        listed = "; ".join(f"{name}: {machine}" for name, machine in machines.items())
        st.caption(plain(f"Minutes are of different machines. {listed}."))


def _data(measured: Measurements) -> None:
    """Draw the score over the number of pairs: what little data costs."""
    from seq2seq import figures

    line = by_pairs(measured)
    if len(line.x) < 2:
        return
    minutes = [each.log[-1].seconds / 60 for each in measured.studies if each.log]
    st.subheader("How much data it needs")
    st.markdown(
        f"The model {quoted(measured.name)} trained anew on fewer pairs of sentences, for at most "
        f"{max(minutes, default=0):.0f} minutes each. A model that learns all from examples, end "
        "to end, is poor where there are few."
    )
    chart(
        "by_pairs",
        figures.curves([line], "pairs", "BLEU", logarithmic=True, dark=is_dark()),
        "BLEU by pairs trained on: "
        + ", ".join(f"{x:,.0f} pairs {y:.1f}" for x, y in zip(line.x, line.y, strict=True)),
        lambda: figures.curves_csv([line]),
    )


def _overfitting(measured: Measurements) -> None:
    """Draw the loss on train beside that on valid, where nothing keeps them together."""
    from seq2seq import figures

    bare = next((each for each in measured.studies if each.plain), None)
    if bare is None:
        return
    same = (each for each in measured.studies if not each.plain and each.pairs == bare.pairs)
    kept = next(same, None)
    lines = [
        progress("trained on", bare.log, "loss"),
        progress("not trained on", bare.log, "valid_loss"),
    ]
    if kept is not None:
        lines.append(progress("not trained on, with dropout", kept.log, "valid_loss"))
    if not all(line.x for line in lines):
        return
    st.subheader("Overfitting")
    st.markdown(
        f"The same model on {bare.pairs:,} pairs only, without dropout and label smoothing: what "
        "it gains on those sentences after a while, it loses on all others."
    )
    chart(
        "overfitting",
        figures.curves(lines, "steps", "loss, nats a token", dark=is_dark()),
        "Loss over the steps of training. "
        + "; ".join(f"{line.name}: {line.y[0]:.2f} to {line.y[-1]:.2f}" for line in lines),
        lambda: figures.curves_csv(lines),
    )
    st.markdown(plain(_turning_point(bare)))


def _turning_point(study: Study) -> str:
    """Say where a training was at its best on what it did not learn from."""
    seen = [line for line in study.log if line.valid_loss is not None]
    best = min(seen, key=lambda line: line.valid_loss or 0.0)
    last = seen[-1]
    losses = [line.loss for line in study.log if line.loss is not None]
    return (
        f"On other sentences it was at its best after {best.epoch} passes over the data, with a "
        f"loss of {best.valid_loss:.2f}. After {last.epoch} passes that was {last.valid_loss:.2f}, "
        f"and {losses[-1]:.3f} on the sentences it had learnt."
    )
