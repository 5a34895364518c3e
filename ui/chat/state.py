"""The conversation of a visit, and what the visitor's clicks do to it.

Clicks change it in callbacks, before the page runs.
"""

from __future__ import annotations

import streamlit as st

from seq2seq.decoding.options import MAX_CHARACTERS, Options
from seq2seq.inference.conversation import (
    Turn,
    Turns,
    edited,
    from_link,
    is_due,
    replies,
    to_link,
    toggled,
    undone,
)
from ui.instruments.selection import remove_branches, select_step

MAX_TURNS = 200
MAX_UNDO = 50
# In the session: the conversation, those before the visitor's last actions, what of it stands in
# the address, what a model is saying, the seed for the next reply, the turn that is being edited, a
# sentence on what was typed last, whether the conversation is the one that the page opened with.
_TURNS, _BEFORE, _LINK, _SAYING, _SEED, _EDITING, _NOTE, _EXAMPLE = (
    f"chat_{name}"
    for name in ("turns", "before", "link", "saying", "seed", "editing", "note", "example")
)
_REPLY, _TURN = "reply", "turn"  # in the address


def current(name: str, options: Options, opener: str = "") -> Turns:
    """Return the conversation of this visit, or the one that a link brings.

    It is put into the address; one that has none yet is a visitor's who comes back to the page.
    opener: what the first visit begins with, as an example that the visitor's own words replace.
    """
    state, items = st.session_state, st.query_params.get_all(_TURN)
    if items and items != state.get(_LINK):
        state[_TURNS] = from_link(items, name, options)
        state[_BEFORE] = ()
    elif _TURNS not in state and opener:
        state[_TURNS], state[_EXAMPLE] = (Turn(opener),), True
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


def _act(turns: Turns) -> None:
    """Change the conversation by an action that can be undone."""
    before = st.session_state.get(_TURNS, ())
    st.session_state[_EXAMPLE] = False
    if turns != before:
        st.session_state[_BEFORE] = (*st.session_state.get(_BEFORE, ()), before)[-MAX_UNDO:]
    _put(turns)


def _look_anew() -> None:
    remove_branches()
    st.query_params.pop("word", None)
    select_step(0)


def say(text: str) -> None:
    """Let the visitor say something; a reply that is still being said ends here."""
    text, note = _readable(text)
    if text and is_example():
        st.session_state[_TURNS] = ()
    turns = _with_what_is_said(st.session_state.get(_TURNS, ()))
    if len(turns) >= MAX_TURNS:
        text, note = "", "This conversation is very long: clear it to begin another."
    _act((*turns, Turn(text)) if text else turns)
    st.session_state[_NOTE] = note


def _readable(text: str) -> tuple[str, str | None]:
    """Clean what was typed and cut it; returns it with what is to be said about that."""
    from seq2seq.inference.inputs import clean

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


def stop() -> None:
    """Let the reply that is being said end here."""
    _put(_with_what_is_said(st.session_state[_TURNS]))


def try_again() -> None:
    """Take the last reply back; the next one is drawn with another seed."""
    turns = st.session_state[_TURNS]
    options = turns[-1].reply.options
    _act(turns[:-1])
    st.session_state[_SEED] = options.seed + 1 if options.method == "sample" else 1


def undo() -> None:
    """Take back the visitor's last action, whatever it was.

    Of a conversation that a link has brought, that is what the visitor said last, and the reply.
    """
    *earlier, before = st.session_state.get(_BEFORE) or (undone(st.session_state[_TURNS]),)
    st.session_state[_BEFORE] = tuple(earlier)
    _put(before)


def can_undo(turns: Turns) -> bool:
    """Tell whether there is something to take back."""
    return bool(turns or st.session_state.get(_BEFORE))


def mute(place: int) -> None:
    """Let a turn not be read, or be read again."""
    reply = st.query_params.get(_REPLY)
    _act(toggled(st.session_state[_TURNS], place))
    if reply is not None:  # the turns are the same ones, so the reply that is looked at is too
        st.query_params[_REPLY] = reply


def edit(place: int) -> None:
    """Begin to edit a turn."""
    st.session_state[_EDITING] = place


def take_edit(place: int) -> None:
    """Put what was typed in the place of a turn; what came after it is dropped."""
    text, note = _readable(st.session_state[f"edit_{place}"])
    if text:
        _act(edited(st.session_state[_TURNS], place, text))
    st.session_state[_NOTE] = note


def leave() -> None:
    """Leave the turn that is being edited as it is."""
    st.session_state[_EDITING] = None


def choose(place: int) -> None:
    """Let this reply be the one that is looked at."""
    st.query_params[_REPLY] = str(place + 1)
    _look_anew()


def chosen(turns: Turns) -> int | None:
    """Return the place of the reply that is looked at: the last one unless another was chosen."""
    places, asked = replies(turns), st.query_params.get(_REPLY, "")
    if asked.isascii() and asked.isdigit() and int(asked[:6]) - 1 in places:
        return int(asked[:6]) - 1
    return places[-1] if places else None


def clear() -> None:
    """Begin anew."""
    _act(())


def is_example() -> bool:
    """Tell whether the visitor has not said or changed anything yet."""
    return bool(st.session_state.get(_EXAMPLE))


def is_linked() -> bool:
    """Tell whether the conversation stands in the address; a very long one does not."""
    return bool(st.session_state[_LINK])


def note() -> str | None:
    """Return a sentence on what was typed last, if there is something to say."""
    return st.session_state.get(_NOTE)


def is_edited(place: int) -> bool:
    """Tell whether a turn is being edited."""
    return st.session_state.get(_EDITING) == place


def seed() -> int | None:
    """Return the seed for the next reply, None where it is that of the options."""
    return st.session_state.get(_SEED)


def keep_saying(turn: Turn | None) -> None:
    """Keep how far a reply has come, for the case that the visitor stops it; None ends it."""
    st.session_state[_SAYING] = turn


def answer(turns: Turns, turn: Turn) -> None:
    """Add a reply that is complete."""
    st.session_state[_SEED] = None
    st.session_state[_TURNS] = (*turns, turn)
