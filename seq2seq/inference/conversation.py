"""A conversation: what was said, what each reply read, and how both are written down.

Frozen values and functions of them: needs no model, no page, no torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import SequenceMatcher
from urllib.parse import quote

import orjson

from seq2seq.decoding.options import MAX_SEED, Options

FORMAT = "seq2seq-conversation/1"
MAX_REACH = 8  # turns that a reply may read
DRAWN_FROM = 0.9  # of the probability of a step, its most probable tokens first
LINK_TURNS, LINK_CHARACTERS, LINK_BYTES = 12, 300, 12_000  # most of what an address holds


@dataclass(frozen=True)
class Reply:
    """How a model came to say a turn.

    read: the turns it read, by number from 0; reach: how many turns back it could read.
    stopped: the visitor ended it; tokens: what was said until then, () where that is not known.
    """

    model: str
    options: Options
    read: tuple[int, ...]
    reach: int
    stopped: bool = False
    tokens: tuple[int, ...] = ()


@dataclass(frozen=True)
class Turn:
    """What was said at once. reply: None for the visitor. muted: later replies do not read it."""

    text: str
    reply: Reply | None = None
    muted: bool = False


Turns = tuple[Turn, ...]


def is_due(turns: Turns) -> bool:
    """Tell whether the visitor has said the last word."""
    return bool(turns) and turns[-1].reply is None


def in_reach(turns: Turns, place: int, reach: int) -> tuple[int, ...]:
    """Return which turns a reply at a place reads: of the `reach` before it, those not muted.

    A muted turn is not made up for by an older one, so that nothing but the turn is missing.
    """
    first = max(0, place - reach)
    return tuple(n for n in range(first, place) if turns[n].text.strip() and not turns[n].muted)


def edited(turns: Turns, place: int, text: str) -> Turns:
    """Say something else at a place, to be read; what came after it is dropped."""
    return (*turns[:place], replace(turns[place], text=text, muted=False))


def toggled(turns: Turns, place: int) -> Turns:
    """Mute a turn, or let it be read again."""
    changed = replace(turns[place], muted=not turns[place].muted)
    return (*turns[:place], changed, *turns[place + 1 :])


def undone(turns: Turns) -> Turns:
    """Take back the visitor's last turn, and the reply to it."""
    said = [number for number, turn in enumerate(turns) if turn.reply is None]
    return turns[: said[-1]] if said else ()


def replies(turns: Turns) -> list[int]:
    """Return the places of the replies."""
    return [number for number, turn in enumerate(turns) if turn.reply is not None]


def drawn(options: Options, seed: int) -> Options:
    """Return options that draw a reply by chance, with this seed.

    Where they do not draw anyway, it is one reply, of tokens that are not improbable.
    """
    if options.method != "sample":
        options = replace(options, method="sample", beam_width=1, top_p=DRAWN_FROM)
    return replace(options, seed=seed)


Parts = list[tuple[str, bool]]


def differing(before: str, after: str) -> tuple[Parts, Parts]:
    """Return both texts in parts, each with whether the other text lacks it; by words."""
    old, new = before.split(), after.split()
    parts: tuple[Parts, Parts] = ([], [])
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for side, said in zip(parts, (old[a:b], new[c:d]), strict=True):
            if said:
                side.append((" ".join(said), kind != "equal"))
    return parts


def to_link(turns: Turns) -> list[str] | None:
    """Write a conversation for an address, a text for each turn; None where it is too long.

    A turn is its marks, a full stop, its text. Marks: m for muted; of a reply also s for stopped, a
    digit for each turn in reach, 1 where it was read, and after a dash the seed it was drawn with.
    """
    if len(turns) > LINK_TURNS or any(len(turn.text) > LINK_CHARACTERS for turn in turns):
        return None
    items = [f"{_marks(turn, place)}.{turn.text}" for place, turn in enumerate(turns)]
    return items if sum(len(quote(item)) for item in items) <= LINK_BYTES else None


def _marks(turn: Turn, place: int) -> str:
    muted, reply = "m" * turn.muted, turn.reply
    if reply is None:
        return muted
    reached = range(place - reply.reach, place)
    read = "".join(str(int(number in reply.read)) for number in reached)
    seed = f"-{reply.options.seed}" if reply.options.method == "sample" else ""
    return f"{muted}{'s' * reply.stopped}{read}{seed}"


_SAID = re.compile(r"(m?)\.(.+)", re.DOTALL)
_REPLIED = re.compile(
    rf"(?P<muted>m?)(?P<stopped>s?)(?P<read>[01]{{1,{MAX_REACH}}})(?:-(?P<seed>\d{{1,10}}))?"
    r"\.(?P<text>.*)",
    re.DOTALL | re.ASCII,
)


def from_link(items: Iterable[str], model: str, options: Options) -> Turns:
    """Read a conversation from an address, as far as it makes sense.

    model, options: what the replies are taken to be said by; a seed of their own aside.
    """
    turns: Turns = ()
    for item in list(items)[:LINK_TURNS]:
        turn = _turn(item, len(turns), model, options)
        if turn is None or (turn.reply is not None and not is_due(turns)):
            break
        turns += (turn,)
    return turns


def _turn(item: str, place: int, model: str, options: Options) -> Turn | None:
    if found := _SAID.fullmatch(item):
        text = found[2][:LINK_CHARACTERS]
        return Turn(text, muted=bool(found[1])) if text.strip() else None
    if found := _REPLIED.fullmatch(item):
        reach = len(found["read"])
        read = [place - reach + at for at, digit in enumerate(found["read"]) if digit == "1"]
        seed = int(found["seed"] or 0)
        if not read or read[0] < 0 or seed > MAX_SEED:
            return None
        if found["seed"]:
            options = drawn(options, seed)
        reply = Reply(model, options, tuple(read), reach, bool(found["stopped"]))
        return Turn(found["text"][:LINK_CHARACTERS], reply, bool(found["muted"]))
    return None


def transcript(turns: Turns) -> str:
    """Write a conversation as plain text."""
    lines = []
    for number, turn in enumerate(turns, 1):
        marks = ["muted"] if turn.muted else []
        marks += ["stopped"] if turn.reply is not None and turn.reply.stopped else []
        if turn.reply is not None and turn.reply.options.method == "sample":
            marks.append(f"seed {turn.reply.options.seed}")
        who = "You" if turn.reply is None else turn.reply.model
        aside = f" ({', '.join(marks)})" if marks else ""
        lines.append(f"{number}. {who}{aside}: {turn.text}\n")
    return "".join(lines)


def transcript_json(turns: Turns) -> bytes:
    """Write a conversation as JSON, with the model, the options and what was read of each reply.

    Numbers of turns count from 1.
    """
    return orjson.dumps(
        {"format": FORMAT, "turns": [_plain(turn) for turn in turns]}, option=orjson.OPT_INDENT_2
    )


def _plain(turn: Turn) -> dict:
    values: dict = {"speaker": "visitor", "text": turn.text, "muted": turn.muted}
    if turn.reply is not None:
        values |= {
            "speaker": "model",
            "model": turn.reply.model,
            "stopped": turn.reply.stopped,
            "read": [number + 1 for number in turn.reply.read],
            "options": asdict(turn.reply.options),
        }
    return values


def counted(numbers: Sequence[int]) -> str:
    """Name turns in a sentence, numbers from 0: "turn 3", "turns 1, 2 and 4"."""
    named = [str(number + 1) for number in numbers]
    if len(named) < 2:
        return f"turn {''.join(named)}"
    return f"turns {', '.join(named[:-1])} and {named[-1]}"
