"""A conversation with a model.

Where the visitor has said the last word, the page lets the model answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from seq2seq.decoding.options import MAX_CHARACTERS, Options
from seq2seq.inference.conversation import (
    MAX_REACH,
    Reply,
    Turn,
    Turns,
    drawn,
    in_reach,
    is_due,
    transcript,
    transcript_json,
)
from ui.chat import state as conversation
from ui.chat.reply import fitting, inside, look, subject_of_reply
from ui.components import hint
from ui.escape import plain, quoted
from ui.inputs.task_controls import run_controls
from ui.inputs.text_input import empty_state, examples
from ui.links import URL, page_link
from ui.runtime.cards import catalogued
from ui.runtime.model_loading import open_model
from ui.runtime.runs import run
from ui.views.task import show_run

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.search import Progress

SHOWN = 30  # turns on the page; the transcript has all
HEIGHT = 440  # of the conversation, in pixels
EXAMPLE_HEIGHT = 190  # of the one to begin with, so that the input below it is in sight
USUAL_REACH = 4
# Streamlit's messages are made for longer texts than these.
STYLE = """<style>
.st-key-conversation .stChatMessage { padding: 0.5rem 0.5rem 0.5rem 0.75rem; gap: 0.5rem; }
.st-key-conversation .stChatMessage .stVerticalBlock { gap: 0.1rem; }
.st-key-conversation > .stVerticalBlock, .st-key-conversation { gap: 0.5rem; }
.st-key-conversation .stButton button { min-height: 1.75rem; font-size: 0.875rem; }
[class*=st-key-muted] .stText { text-decoration: line-through; }
</style>"""


def chat_page(task: str, title: str) -> None:
    """Show a conversation, let the model answer, and show how it came to a reply."""
    name, options, saved = run_controls(task, title)
    hint(
        "chat",
        "Type a message below. Then mute a turn to see the reply without it, and open the reply to "
        "see its attention.",
    )
    if saved is not None:
        show_run(task, name, None, options, saved, "")
        return
    opener = next(iter(examples(name)), "")
    turns = conversation.current(name or "", options, opener)
    chosen = conversation.chosen(turns)
    left, right = st.columns([6, 5], gap="large")
    with left:
        above = st.container()
        _ask(disabled=name is None)
        # Beside the conversation, which moves while something is said.
        below = st.container()
    with above:
        if turns:
            st.html(STYLE)
            height = EXAMPLE_HEIGHT if conversation.is_example() else HEIGHT
            box = st.container(height=height, autoscroll=True, key="conversation")
            with box:
                _messages(turns, chosen)
        if not turns or conversation.is_example():
            _openers(name)
    with below:
        checkpoint, reach, act = _model_below(name, turns)
    if checkpoint is not None and is_due(turns):
        with box:
            _answer(checkpoint, options, turns, reach, act)
    if chosen is not None:
        with right:
            looked = look(turns, chosen)
        if looked is not None:
            inside(chosen, *looked)
    elif not turns:
        with right:
            st.caption(
                "Here you will see the effect of removing each turn, and the attention of each "
                "token of the reply by turn."
            )


def _model_below(name: str | None, turns: Turns) -> tuple[Checkpoint | None, int, DeltaGenerator]:
    """Open the model and show what stands below the conversation; returns it with `_bar`'s."""
    checkpoint = open_model(name) if name else None
    st.caption(_no_advice(name))
    reach, act = _bar(checkpoint, turns)
    if checkpoint is None:
        empty_state("No model is loaded: choose one, or bring one with weights.")
        page_link("pages/models.py", "To the models")
    return checkpoint, reach, act


def _no_advice(name: str | None) -> str:
    """Say how far replies can be relied on, with what was measured of the model if it was."""
    measured = catalogued().sent_to_help.get(name or "")
    said = "A small model makes up its replies: none is advice."
    if measured and measured.dangerous:
        said += (
            f" In a test, it named a place of help in reply to {measured.sent} of "
            f"{measured.dangerous} messages of danger, and needlessly in reply to "
            f"{measured.sent_needlessly} of {measured.harmless} others."
        )
    return f"{said} In an emergency, call for help."


def _bar(checkpoint: Checkpoint | None, turns: Turns) -> tuple[int, DeltaGenerator]:
    """Show what can be done with the conversation.

    Returns how many turns back a reply reads, and the place of the button that stops one.
    """
    if note := conversation.note():
        st.info(plain(note), icon=":material/info:")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        reach = _reach(checkpoint, _most_turns(checkpoint))
        act = st.empty()
        if turns and not is_due(turns):
            act.button(
                "Regenerate",
                icon=":material/casino:",
                key="again",
                on_click=conversation.try_again,
                help="Draws another reply to your last message, with another seed.",
            )
        if conversation.can_undo(turns):
            st.button(
                "Undo",
                icon=":material/undo:",
                key="undo",
                on_click=conversation.undo,
                help="Undoes your last action: a message with its reply, an edit, a mute.",
            )
        if turns:
            st.button(
                "Clear all", icon=":material/delete:", key="clear", on_click=conversation.clear
            )
            _transcripts(turns)
    if turns and not conversation.is_linked():
        st.caption("This conversation is too long for a link: download its transcript instead.")
    return reach, act


def _most_turns(checkpoint: Checkpoint | None) -> int:
    if checkpoint is None or not checkpoint.generation_config.turn_separator:
        return 1
    return checkpoint.generation_config.turns or MAX_REACH


def _reach(checkpoint: Checkpoint | None, most: int) -> int:
    """Let the visitor choose how many turns back a reply reads."""
    if most == 1:
        if checkpoint is not None:
            st.caption("This model reads the last message only.")
        return 1
    first = checkpoint.generation_config.turns if checkpoint else 0
    if st.session_state.get("reach", 1) > most:  # chosen for another model
        del st.session_state["reach"]
    return st.slider(
        "Context window (turns)",
        1,
        most,
        first or USUAL_REACH,
        key="reach",
        width=220,
        help="How many of the last turns, yours and the model's, a reply reads; muted ones are "
        "skipped.",
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
        st.pills("Conversation starters", offered, format_func=plain, key="opener", on_change=_open)


def _open() -> None:
    if opener := st.session_state["opener"]:
        st.session_state["opener"] = None
        conversation.say(opener)


def _ask(disabled: bool) -> None:
    st.chat_input(
        "Type a message",
        key="said",
        on_submit=lambda: conversation.say(st.session_state["said"] or ""),
        disabled=disabled,
    )


def _messages(turns: Turns, chosen: int | None) -> None:
    hidden = max(0, len(turns) - SHOWN)
    if hidden:
        st.caption(f"The {hidden} earlier turns are in the transcript.")
    for place in range(hidden, len(turns)):
        turn = turns[place]
        with (
            st.container(key=f"turn_{place}"),
            st.chat_message("user" if turn.reply is None else "assistant"),
        ):
            if conversation.is_edited(place):
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
            on_click=conversation.mute,
            args=(place,),
            help="A muted turn is not read by the model.",
        )
        if turn.reply is None:
            st.button(
                "Edit",
                icon=":material/edit:",
                type="tertiary",
                key=f"change_{place}",
                on_click=conversation.edit,
                args=(place,),
                help="Edit this message; the turns after it are removed.",
            )
        elif place != chosen:
            st.button(
                "Inspect",
                icon=":material/search:",
                type="tertiary",
                key=f"look_{place}",
                on_click=conversation.choose,
                args=(place,),
                help="Show the attention of this reply.",
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
        "Edited message", turn.text, key=f"edit_{place}", max_chars=MAX_CHARACTERS, height="content"
    )
    with st.container(horizontal=True):
        st.button(
            "Send",
            key="answer",
            type="primary",
            on_click=conversation.take_edit,
            args=(place,),
        )
        st.button("Cancel", key="leave", on_click=conversation.leave)


def _answer(
    checkpoint: Checkpoint, options: Options, turns: Turns, reach: int, act: DeltaGenerator
) -> None:
    """Let the model reply to the last turn, as far as the visitor lets it.

    act: the place of the button that stops it.
    """
    if (seed := conversation.seed()) is not None:
        options = drawn(options, seed)
    read = fitting(checkpoint, turns, in_reach(turns, len(turns), reach))
    if not read:
        st.info(
            "All turns in the context window are muted: unmute one.", icon=":material/volume_off:"
        )
        return
    reply = Reply(checkpoint.card.name, options, read, reach, stopped=True)
    conversation.keep_saying(Turn("", reply))
    subject = subject_of_reply(checkpoint, turns, reply)
    with st.chat_message("assistant"):
        place = st.empty()
        place.text("…")
        if options.method == "beam":
            st.caption("Beam search may still revise this.")
        act.button("Stop", icon=":material/stop_circle:", key="stop", on_click=conversation.stop)

        def show(progress: Progress) -> None:
            text = checkpoint.text(progress.tokens, str(subject.given))
            conversation.keep_saying(Turn(text, replace(reply, tokens=progress.tokens)))
            place.text(text or "…")

        trace = run(subject, show)
    act.empty()
    conversation.keep_saying(None)
    if trace is not None:
        conversation.answer(turns, Turn(trace.text, replace(reply, stopped=False)))
        st.rerun()
