"""How a reply came about: what it read, attention by turn, the effect of removing each turn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from seq2seq.data.dialogue import source_of
from seq2seq.decoding.options import MAX_CHARACTERS
from seq2seq.inference.conversation import Reply, Turn, Turns, counted, differing, in_reach
from seq2seq.trace import Trace
from ui.components import highlighted_text
from ui.components.chart import chart
from ui.escape import quoted
from ui.instruments import instruments
from ui.instruments.attention import sinks_note
from ui.links import URL
from ui.page import is_dark
from ui.runtime.model_loading import open_model
from ui.runtime.runs import Subject, follow, run

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint


def fitting(checkpoint: Checkpoint, turns: Turns, read: tuple[int, ...]) -> tuple[int, ...]:
    """Leave out the oldest turns until the model can read the others; the last one always stays."""
    from seq2seq.inference.inputs import MAX_TOKENS

    separator = checkpoint.generation_config.turn_separator
    if not separator:
        return read[-1:]
    most = min(MAX_TOKENS, checkpoint.model.config.longest or MAX_TOKENS)
    while len(read) > 1:
        source = source_of([turns[number].text for number in read], separator)
        if len(source) <= MAX_CHARACTERS and len(checkpoint.tokenizer.encode(source)) < most:
            break
        read = read[1:]
    return read


def subject_of_reply(checkpoint: Checkpoint, turns: Turns, reply: Reply) -> Subject:
    """Return what is run for a reply."""
    said = [turns[number].text for number in reply.read]
    source = source_of(said, checkpoint.generation_config.turn_separator)
    return Subject(reply.model, source, reply.options)


def look(turns: Turns, place: int) -> tuple[Subject, Trace] | None:
    """Show the source of a reply and its attention; returns the run that is shown."""
    turn, reply = turns[place], turns[place].reply
    assert reply is not None
    st.subheader(f"Turn {place + 1}, the reply")
    checkpoint = open_model(reply.model)
    if checkpoint is None:
        return None
    subject = subject_of_reply(checkpoint, turns, reply)
    trace = _reply_trace(checkpoint, subject, turn)
    if trace is None:
        return None
    if not reply.stopped and trace.text != turn.text:
        st.info(
            f"{quoted(reply.model)} now replies {quoted(trace.text[:300])}: this reply came from "
            "another model, or with other settings. The pictures show the new reply.",
            icon=":material/compare_arrows:",
        )
    now = replace(reply, read=fitting(checkpoint, turns, in_reach(turns, place, reply.reach)))
    if now.read == reply.read:
        st.markdown(_reading_in_words(turns, place, reply, trace))
    elif not now.read:
        st.info(
            "All turns that this reply read are muted, so there is nothing to answer: unmute one.",
            icon=":material/volume_off:",
        )
    else:
        changed = subject_of_reply(checkpoint, turns, now)
        after = run(changed)
        if after is not None:
            st.markdown(_reading_in_words(turns, place, now, after))
            names = counted(reply.read), counted(now.read)
            _compare((subject, trace), (changed, after), names)
            reply, subject, trace = now, changed, after
    # The effect of removing a turn first: attention need not be effect.
    _worth_chart(turns, reply, checkpoint, trace)
    _turn_chart(turns, reply, checkpoint, trace)
    return subject, trace


def _reply_trace(checkpoint: Checkpoint, subject: Subject, turn: Turn) -> Trace | None:
    """Return the run of a reply; of one that was stopped, as far as it came."""
    reply = turn.reply
    assert reply is not None
    if not reply.stopped:
        return run(subject)
    tokens = reply.tokens or tuple(checkpoint.tokenizer.encode_target(turn.text))
    if not tokens:
        st.info("The reply was stopped before its first word.", icon=":material/stop_circle:")
        return None
    return follow(subject, tokens)


def _reading_in_words(turns: Turns, place: int, reply: Reply, trace: Trace) -> str:
    reached = range(max(0, place - reply.reach), place)
    muted = [number for number in reached if turns[number].muted]
    cut = [number for number in reached if number not in reply.read and number not in muted]
    said = [f"It reads {counted(reply.read)}: {len(trace.source):,} tokens."]
    if muted:
        said.append(f"Muted: {counted(muted)}.")
    if cut:
        said.append(
            f"Left out, because the source would be too long or there was no text: {counted(cut)}."
        )
    if reached.start > 0:
        said.append(f"Outside the context window: {counted(range(reached.start))}.")
    return " ".join(said)


def _compare(
    before: tuple[Subject, Trace], after: tuple[Subject, Trace], names: tuple[str, str]
) -> None:
    """Show a reply as it was and as it is with other turns, and how probable each is with each.

    names: of the turns read then and now.
    """
    (then, was), (now, becomes) = before, after
    old, new = differing(was.text, becomes.text)
    highlighted_text("difference", [(f"With {names[0]}", old), (f"With {names[1]}", new)])
    crossed = [follow(now, was.target.ids), follow(then, becomes.target.ids)]
    if None in crossed:
        return
    first = [_log_probability(was), _log_probability(crossed[1])]
    second = [_log_probability(crossed[0]), _log_probability(becomes)]
    rows = {
        "log P of": ["the first reply", "the new reply"],
        f"with {names[0]}": [f"{value:.2f}" for value in first],
        f"with {names[1]}": [f"{value:.2f}" for value in second],
        "change": [f"{b - a:+.2f}" for a, b in zip(first, second, strict=True)],
    }
    same = was.target.ids == becomes.target.ids
    st.table({name: column[: 1 if same else 2] for name, column in rows.items()}, hide_index=True)


def _log_probability(trace: Trace | None) -> float:
    assert trace is not None
    return float(trace.log_probabilities.sum())


def _turn_chart(turns: Turns, reply: Reply, checkpoint: Checkpoint, trace: Trace) -> None:
    """Show how each token of a reply shared its attention out over the turns."""
    if trace.attention is None:
        st.info(
            "This model has no attention: its decoder gets one vector of all turns. The effect of "
            "removing each turn can still be measured.",
            icon=":material/visibility_off:",
        )
        return
    from seq2seq import figures

    separator = checkpoint.generation_config.turn_separator
    labels, by_model = _named(turns, reply)
    st.markdown("**Attention by turn**")
    sinks_note(trace)
    chart(
        "turn_attention",
        figures.turn_attention.plain(trace, separator, labels, by_model, dark=is_dark()),
        f"Attention of each of the {len(trace.target):,} tokens of the reply, by turn.",
        lambda: figures.turn_attention_csv(trace, separator),
    )
    colours = figures.turn_colours(by_model, is_dark())
    rules = (
        f".st-key-turn_{number} .stChatMessage {{ box-shadow: inset 5px 0 0 {colour}; }}"
        for number, colour in zip(reply.read, colours, strict=True)
    )
    st.html(f"<style>{' '.join(rules)}</style>")


def _worth_chart(turns: Turns, reply: Reply, checkpoint: Checkpoint, trace: Trace) -> None:
    """Show how much less probable a reply is without each of the turns that it read."""
    if len(reply.read) < 2:
        return
    changes = []
    for number in reply.read:
        others = replace(reply, read=tuple(other for other in reply.read if other != number))
        without = follow(subject_of_reply(checkpoint, turns, others), trace.target.ids)
        if without is None:
            return
        changes.append(_log_probability(without) - _log_probability(trace))
    from seq2seq import figures

    labels, by_model = _named(turns, reply)
    st.markdown("**Effect of removing each turn**")
    chart(
        "turn_worth",
        figures.turn_worth.plain(labels, by_model, changes, dark=is_dark()),
        "Change of the reply's log-probability without "
        + ", ".join(f"turn {n + 1}: {c:+.2f}" for n, c in zip(reply.read, changes, strict=True)),
        lambda: figures.turn_worth_csv(labels, changes),
    )


def _named(turns: Turns, reply: Reply) -> tuple[list[str], list[bool]]:
    """Return the labels of the turns that a reply read, and which of them are a model's."""
    labels = [_label(turns[number], number) for number in reply.read]
    return labels, [turns[number].reply is not None for number in reply.read]


def _label(turn: Turn, number: int) -> str:
    start = turn.text if len(turn.text) <= 32 else turn.text[:30].rstrip() + "…"
    return f"{number + 1} {'you' if turn.reply is None else 'model'}: {start}"


def inside(place: int, subject: Subject, trace: Trace) -> None:
    """Show the instruments of a reply, once they are opened."""
    box = st.expander(
        f"Instruments for turn {place + 1}",
        key="inside",
        icon=":material/search:",
        on_change="rerun",
        **URL,
    )
    if box.open:
        with box:
            instruments(subject, trace)
