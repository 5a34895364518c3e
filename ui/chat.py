"""A conversation with a model, and the reply that is looked at.

The visitor's clicks change the conversation in callbacks, before the page runs; where the visitor
has said the last word, the page then lets the model answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from seq2seq.conversation import (
    MAX_REACH,
    Reply,
    Turn,
    Turns,
    counted,
    differing,
    drawn,
    edited,
    from_link,
    in_reach,
    is_due,
    replies,
    to_link,
    toggled,
    transcript,
    transcript_json,
    undone,
)
from seq2seq.dialogue import source_of
from seq2seq.options import MAX_CHARACTERS, Options
from seq2seq.trace import Trace
from ui.chart import chart
from ui.components import hint, marked
from ui.controls import URL, empty_state, examples, page_link, run_controls
from ui.frame import is_dark
from ui.instruments import instruments
from ui.instruments.view import remove_branches, select_step
from ui.models import open_model
from ui.runs import Subject, follow, run
from ui.task import show_run
from ui.text import plain, quoted

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from seq2seq.checkpoint import Checkpoint
    from seq2seq.search import Progress

MAX_TURNS = 200
SHOWN = 30  # turns on the page; the transcript has all
HEIGHT = 440  # of the conversation, in pixels
USUAL_REACH = 4
# Streamlit's messages are made for longer texts than these.
STYLE = """<style>
.st-key-conversation .stChatMessage { padding: 0.5rem 0.5rem 0.5rem 0.75rem; gap: 0.5rem; }
.st-key-conversation .stChatMessage .stVerticalBlock { gap: 0.1rem; }
.st-key-conversation > .stVerticalBlock, .st-key-conversation { gap: 0.5rem; }
.st-key-conversation .stButton button { min-height: 1.75rem; font-size: 0.875rem; }
[class*=st-key-muted] .stText { text-decoration: line-through; }
</style>"""
# In the session: the conversation, what of it stands in the address, what a model is saying, the
# seed for the next reply, the turn that is being edited, a sentence on what was typed last.
_TURNS, _LINK, _SAYING, _SEED, _EDITING, _NOTE = (
    f"chat_{name}" for name in ("turns", "link", "saying", "seed", "editing", "note")
)
_REPLY, _TURN = "reply", "turn"  # in the address


def chat(task: str) -> None:
    """Show a conversation, let the model answer, and show how it came to a reply."""
    hint(
        "chat",
        "Say something below. Then mute a turn to see what the reply becomes without it, and open "
        "the reply to see which words it looked at.",
    )
    name, options, saved = run_controls(task)
    if saved is not None:
        show_run(task, name, None, options, saved, "")
        return
    turns = _conversation(name or "", options)
    chosen = _chosen(turns)
    left, right = st.columns([6, 5], gap="large")
    with left:
        above = st.container()
        _ask(disabled=name is None)
        # Beside the conversation, which moves while something is said.
        below = st.container()
    with above:
        if turns:
            st.html(STYLE)
            conversation = st.container(height=HEIGHT, autoscroll=True, key="conversation")
            with conversation:
                _messages(turns, chosen)
        else:
            _openers(name)
    with below:
        checkpoint = open_model(name) if name else None
        reach, act = _bar(checkpoint, turns)
        if checkpoint is None:
            empty_state("Nobody to talk to yet: choose or bring a model with weights.")
            page_link("pages/models.py", "To the models")
    if checkpoint is not None and is_due(turns):
        with conversation:
            _answer(checkpoint, options, turns, reach, act)
    if chosen is None:
        if not turns:
            with right:
                st.caption(
                    "Here you will see which turns of the conversation each token of a reply "
                    "looked at, and what the reply becomes without one of them."
                )
        return
    with right:
        looked = _look(turns, chosen)
    if looked is not None:
        _inside(chosen, *looked)


def _conversation(name: str, options: Options) -> Turns:
    """Return the conversation of this visit, or the one that a link brings.

    It is put into the address; one that has none yet is a visitor's who comes back to the page.
    """
    state, items = st.session_state, st.query_params.get_all(_TURN)
    if items and items != state.get(_LINK):
        state[_TURNS] = from_link(items, name, options)
    turns = state.setdefault(_TURNS, ())
    state[_LINK] = to_link(turns) or []
    if not state[_LINK]:
        st.query_params.pop(_TURN, None)
    elif items != state[_LINK]:
        st.query_params[_TURN] = state[_LINK]
    return turns


def _put(turns: Turns) -> None:
    """Change the conversation; what was looked at is of the one before."""
    st.session_state[_TURNS] = turns
    for name in (_EDITING, _NOTE, _SEED, _SAYING):
        st.session_state[name] = None
    st.query_params.pop(_REPLY, None)
    _look_anew()


def _look_anew() -> None:
    remove_branches()
    st.query_params.pop("word", None)
    select_step(0)


def _bar(checkpoint: Checkpoint | None, turns: Turns) -> tuple[int, DeltaGenerator]:
    """Show what can be done with the conversation.

    Returns how many turns back a reply reads, and the place of the button that stops one.
    """
    if note := st.session_state.get(_NOTE):
        st.info(plain(note), icon=":material/info:")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        reach = _reach(checkpoint, _most_turns(checkpoint))
        act = st.empty()
        if turns:
            if not is_due(turns):
                act.button(
                    "Try again",
                    icon=":material/casino:",
                    key="again",
                    on_click=_try_again,
                    help="Draws another reply to what you said last, with another seed.",
                )
            st.button(
                "Undo",
                icon=":material/undo:",
                key="undo",
                on_click=_undo,
                help="Takes back what you said last, and the reply.",
            )
            st.button("Clear all", icon=":material/delete:", key="clear", on_click=_put, args=((),))
            _transcripts(turns)
    if turns and not st.session_state[_LINK]:
        st.caption("This conversation is too long for a link: its transcript can be downloaded.")
    return reach, act


def _most_turns(checkpoint: Checkpoint | None) -> int:
    if checkpoint is None or not checkpoint.conventions.turn_separator:
        return 1
    return checkpoint.conventions.turns or MAX_REACH


def _reach(checkpoint: Checkpoint | None, most: int) -> int:
    """Let the visitor choose how many turns back a reply reads."""
    if most == 1:
        if checkpoint is not None:
            st.caption("This model reads what was said last, and nothing before it.")
        return 1
    first = checkpoint.conventions.turns if checkpoint else 0
    if st.session_state.get("reach", 1) > most:  # chosen for another model
        del st.session_state["reach"]
    return st.slider(
        "Turns that a reply reads",
        1,
        most,
        first or USUAL_REACH,
        key="reach",
        width=220,
        help="The last ones, yours and the model's, less those that are muted.",
        **URL,
    )


def _transcripts(turns: Turns) -> None:
    with st.popover("Transcript", icon=":material/download:"):
        st.download_button(
            "Plain text",
            lambda: transcript(turns),
            "conversation.txt",
            "text/plain",
            on_click="ignore",
        )
        st.download_button(
            "JSON, with models, options and seeds",
            lambda: transcript_json(turns),
            "conversation.json",
            "application/json",
            on_click="ignore",
        )


def _openers(name: str | None) -> None:
    if offered := examples(name):
        st.pills("To begin with", offered, key="opener", on_change=_open)


def _open() -> None:
    if opener := st.session_state["opener"]:
        st.session_state["opener"] = None
        _say(opener)


def _ask(disabled: bool) -> None:
    st.chat_input(
        "Say something",
        key="said",
        on_submit=lambda: _say(st.session_state["said"] or ""),
        disabled=disabled,
    )


def _say(text: str) -> None:
    """Let the visitor say something; a reply that is still being said ends here."""
    text, note = _readable(text)
    turns = _with_what_is_said(st.session_state.get(_TURNS, ()))
    if len(turns) >= MAX_TURNS:
        text, note = "", "This conversation is very long: clear it to begin another."
    _put((*turns, Turn(text)) if text else turns)
    st.session_state[_NOTE] = note


def _readable(text: str) -> tuple[str, str | None]:
    """Clean what was typed and cut it; returns it with what is to be said about that."""
    from seq2seq.source import clean

    words = clean(text)
    if not words:
        return "", "There is nothing to read: type a sentence."
    if len(words) > MAX_CHARACTERS:
        note = f"Only the first {MAX_CHARACTERS:,} of {len(words):,} characters were kept."
        return words[:MAX_CHARACTERS], note
    return words, None


def _with_what_is_said(turns: Turns) -> Turns:
    saying = st.session_state.get(_SAYING)
    return (*turns, saying) if saying is not None and is_due(turns) else turns


def _stop() -> None:
    _put(_with_what_is_said(st.session_state[_TURNS]))


def _try_again() -> None:
    turns = st.session_state[_TURNS]
    options = turns[-1].reply.options
    _put(turns[:-1])
    st.session_state[_SEED] = options.seed + 1 if options.method == "sample" else 1


def _undo() -> None:
    _put(undone(st.session_state[_TURNS]))


def _mute(place: int) -> None:
    st.session_state[_TURNS] = toggled(st.session_state[_TURNS], place)
    _look_anew()


def _edit(place: int) -> None:
    st.session_state[_EDITING] = place


def _edited(place: int) -> None:
    text, note = _readable(st.session_state[f"edit_{place}"])
    if text:
        _put(edited(st.session_state[_TURNS], place, text))
    st.session_state[_NOTE] = note


def _leave() -> None:
    st.session_state[_EDITING] = None


def _choose(place: int) -> None:
    st.query_params[_REPLY] = str(place + 1)
    _look_anew()


def _chosen(turns: Turns) -> int | None:
    """Return the place of the reply that is looked at: the last one unless another was chosen."""
    places, asked = replies(turns), st.query_params.get(_REPLY, "")
    if asked.isascii() and asked.isdigit() and int(asked[:6]) - 1 in places:
        return int(asked[:6]) - 1
    return places[-1] if places else None


def _messages(turns: Turns, chosen: int | None) -> None:
    hidden = max(0, len(turns) - SHOWN)
    if hidden:
        st.caption(f"The {hidden} turns before these are in the transcript.")
    for place in range(hidden, len(turns)):
        turn = turns[place]
        with (
            st.container(key=f"turn_{place}"),
            st.chat_message("user" if turn.reply is None else "assistant"),
        ):
            if st.session_state.get(_EDITING) == place:
                _editor(turn, place)
            else:
                _message(turns, place, chosen)


def _message(turns: Turns, place: int, chosen: int | None) -> None:
    turn = turns[place]
    # Not as Markdown: it is what somebody typed, or what a model has made of that.
    with st.container(key=f"{'muted' if turn.muted else 'heard'}_{place}"):
        st.text(turn.text or "(nothing)")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":small[{_about(turns, place)}]", width="content")
        st.button(
            "Unmute" if turn.muted else "Mute",
            icon=":material/volume_up:" if turn.muted else ":material/volume_off:",
            type="tertiary",
            key=f"mute_{place}",
            on_click=_mute,
            args=(place,),
            help="A muted turn is not read.",
        )
        if turn.reply is None:
            st.button(
                "Edit",
                icon=":material/edit:",
                type="tertiary",
                key=f"change_{place}",
                on_click=_edit,
                args=(place,),
                help="Say something else here; what came after it is dropped.",
            )
        elif place != chosen:
            st.button(
                "Look",
                icon=":material/search:",
                type="tertiary",
                key=f"look_{place}",
                on_click=_choose,
                args=(place,),
                help="Show what this reply looked at.",
            )


def _about(turns: Turns, place: int) -> str:
    turn, said = turns[place], [f"turn {place + 1}"]
    if turn.reply is not None:
        if len({each.reply.model for each in turns if each.reply is not None}) > 1:
            said.append(quoted(turn.reply.model))
        if turn.reply.options.method == "sample":
            said.append(f"seed {turn.reply.options.seed}")
        said += ["stopped"] if turn.reply.stopped else []
    return ", ".join([*said, "muted"] if turn.muted else said)


def _editor(turn: Turn, place: int) -> None:
    st.text_area(
        "Say instead", turn.text, key=f"edit_{place}", max_chars=MAX_CHARACTERS, height="content"
    )
    with st.container(horizontal=True):
        st.button("Answer this", key="answer", type="primary", on_click=_edited, args=(place,))
        st.button("Leave it", key="leave", on_click=_leave)


def _answer(
    checkpoint: Checkpoint, options: Options, turns: Turns, reach: int, act: DeltaGenerator
) -> None:
    """Let the model reply to the last turn, as far as the visitor lets it.

    act: the place of the button that stops it.
    """
    name, state = checkpoint.card.name, st.session_state
    if state.get(_SEED) is not None:
        options = drawn(options, state[_SEED])
    read = _fitting(checkpoint, turns, in_reach(turns, len(turns), reach))
    if not read:
        st.info("All that it could read is muted: unmute a turn.", icon=":material/volume_off:")
        return
    reply = Reply(name, options, read, reach, stopped=True)
    state[_SAYING] = Turn("", reply)
    subject = _subject(checkpoint, turns, reply)
    with st.chat_message("assistant"):
        place = st.empty()
        place.text("…")
        if options.method == "beam":
            st.caption("It may still rewrite this: a beam search changes its mind.")
        act.button("Stop", icon=":material/stop_circle:", key="stop", on_click=_stop)

        def show(progress: Progress) -> None:
            text = checkpoint.text(progress.tokens, str(subject.given))
            state[_SAYING] = Turn(text, replace(reply, tokens=progress.tokens))
            place.text(text or "…")

        trace = run(subject, show)
    act.empty()
    state[_SAYING] = None
    if trace is not None:
        state[_SEED] = None
        state[_TURNS] = (*turns, Turn(trace.text, replace(reply, stopped=False)))
        st.rerun()


def _fitting(checkpoint: Checkpoint, turns: Turns, read: tuple[int, ...]) -> tuple[int, ...]:
    """Leave out the oldest turns until the model can read the others; the last one always stays."""
    from seq2seq.source import MAX_TOKENS

    separator = checkpoint.conventions.turn_separator
    if not separator:
        return read[-1:]
    most = min(MAX_TOKENS, checkpoint.model.config.longest or MAX_TOKENS)
    while len(read) > 1:
        source = source_of([turns[number].text for number in read], separator)
        if len(source) <= MAX_CHARACTERS and len(checkpoint.tokenizer.encode(source)) < most:
            break
        read = read[1:]
    return read


def _subject(checkpoint: Checkpoint, turns: Turns, reply: Reply) -> Subject:
    """Return what is run for a reply."""
    said = [turns[number].text for number in reply.read]
    source = source_of(said, checkpoint.conventions.turn_separator)
    return Subject(reply.model, source, reply.options)


def _look(turns: Turns, place: int) -> tuple[Subject, Trace] | None:
    """Show what a reply read and where it looked; returns the run that is shown."""
    turn, reply = turns[place], turns[place].reply
    assert reply is not None
    st.subheader(f"What turn {place + 1} came from")
    checkpoint = open_model(reply.model)
    if checkpoint is None:
        return None
    subject = _subject(checkpoint, turns, reply)
    trace = _said(checkpoint, subject, turn)
    if trace is None:
        return None
    if not reply.stopped and trace.text != turn.text:
        st.info(
            f"Asked again, {quoted(reply.model)} says {quoted(trace.text[:300])} instead: this "
            "reply came from another model, or with other settings. The pictures are of the new "
            "one.",
            icon=":material/compare_arrows:",
        )
    now = replace(reply, read=_fitting(checkpoint, turns, in_reach(turns, place, reply.reach)))
    if now.read == reply.read:
        st.markdown(_reading_in_words(turns, place, reply, trace))
    elif not now.read:
        st.info(
            "All that this reply has read is muted, so nothing is left to answer: unmute a turn.",
            icon=":material/volume_off:",
        )
    else:
        changed = _subject(checkpoint, turns, now)
        after = run(changed)
        if after is not None:
            st.markdown(_reading_in_words(turns, place, now, after))
            names = counted(reply.read), counted(now.read)
            _compare((subject, trace), (changed, after), names)
            reply, subject, trace = now, changed, after
    _turn_chart(turns, reply, checkpoint, trace)
    _worth_chart(turns, reply, checkpoint, trace)
    return subject, trace


def _said(checkpoint: Checkpoint, subject: Subject, turn: Turn) -> Trace | None:
    """Return the run of a reply; of one that was stopped, as far as it came."""
    reply = turn.reply
    assert reply is not None
    if not reply.stopped:
        return run(subject)
    tokens = reply.tokens or tuple(checkpoint.tokenizer.encode_target(turn.text))
    if not tokens:
        st.info("It was stopped before the first word.", icon=":material/stop_circle:")
        return None
    return follow(subject, tokens)


def _reading_in_words(turns: Turns, place: int, reply: Reply, trace: Trace) -> str:
    reached = range(max(0, place - reply.reach), place)
    muted = [number for number in reached if turns[number].muted]
    cut = [number for number in reached if number not in reply.read and number not in muted]
    said = [f"It reads {counted(reply.read)}: {len(trace.source)} tokens."]
    if muted:
        said.append(f"Muted: {counted(muted)}.")
    if cut:
        said.append(f"Left out, as it could not read so much or there was no text: {counted(cut)}.")
    if reached.start > 0:
        said.append(f"Out of its reach: {counted(range(reached.start))}.")
    return " ".join(said)


def _compare(
    before: tuple[Subject, Trace], after: tuple[Subject, Trace], names: tuple[str, str]
) -> None:
    """Show a reply as it was and as it is with other turns, and how probable each is with each.

    names: of the turns read then and now.
    """
    (then, was), (now, becomes) = before, after
    old, new = differing(was.text, becomes.text)
    marked("difference", [(f"With {names[0]} it said", old), (f"With {names[1]} it says", new)])
    crossed = [follow(now, was.target.ids), follow(then, becomes.target.ids)]
    if None in crossed:
        return
    first = [_log_probability(was), _log_probability(crossed[1])]
    second = [_log_probability(crossed[0]), _log_probability(becomes)]
    rows = {
        "log-probability of": ["what it said", "what it says"],
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
            "This model has no attention: all that its decoder sees of the turns is one vector. "
            "What the reply owes to each of them can still be measured.",
            icon=":material/visibility_off:",
        )
        return
    from seq2seq import figures

    separator = checkpoint.conventions.turn_separator
    labels, by_model = _named(turns, reply)
    chart(
        "turn_attention",
        figures.turn_attention(trace, separator, labels, by_model, dark=is_dark()),
        f"Attention of each of the {len(trace.target)} tokens of the reply, by turn.",
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
    if trace.attention is not None and not st.toggle(
        "What each turn is worth",
        key="worth",
        help="Leaves out one turn after the other: what is looked at need not matter.",
        **URL,
    ):
        return
    changes = []
    for number in reply.read:
        others = replace(reply, read=tuple(other for other in reply.read if other != number))
        without = follow(_subject(checkpoint, turns, others), trace.target.ids)
        if without is None:
            return
        changes.append(_log_probability(without) - _log_probability(trace))
    from seq2seq import figures

    labels, by_model = _named(turns, reply)
    chart(
        "turn_worth",
        figures.turn_worth(labels, by_model, changes, dark=is_dark()),
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


def _inside(place: int, subject: Subject, trace: Trace) -> None:
    """Show the instruments of a reply, once they are opened."""
    box = st.expander(
        f"Look inside turn {place + 1}",
        key="inside",
        icon=":material/search:",
        on_change="rerun",
        bind="query-params",
    )
    if box.open:
        with box:
            instruments(subject, trace)
