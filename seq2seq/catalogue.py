"""The checkpoints at hand: their cards, and where they lie. Reads no weights and needs no torch."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.data.typography import CASES
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError, quote
from seq2seq.hub.download import cached_folder
from seq2seq.hub.repository import is_identifier
from seq2seq.models.config import Config
from seq2seq.text_files import read_text_file
from seq2seq.toml import read_table, read_toml

# An installed package has no checkpoints beside it.
FOLDER_VARIABLE = "SEQ2SEQ_CHECKPOINTS"
CHECKPOINTS = Path(
    os.environ.get(FOLDER_VARIABLE) or Path(__file__).parent.parent / "checkpoints"
).absolute()
PRECISIONS = ("float32", "int8")
TASKS = ("translation", "summarization", "chatbot", "speech", "spelling", "forecasting")


@dataclass(frozen=True)
class Card:
    """What a checkpoint is: the card.toml beside its weights.

    languages: of source and target, as ISO 639-1 codes. examples: inputs to try first.
    data: what it was trained on, each with its public source and licence. hub: where its files are
    fetched from, for one that is not embedded; megabytes: what that takes.
    precision: what a run may multiply in on a CPU: "int8" only where that was seen to change
    BLEU by less than 0.2 on 500 sentences or more.
    turn_separator: the piece between the turns of a conversation, "" for a model that knows none;
    turns: how many of the last ones it reads, 0 for all. folded: it reads and writes folded text,
    see seq2seq.data.normalization. plain_punctuation, plain_letters, case: how the texts were
    written that it was trained on, see seq2seq.data.typography. word_filter: it says no word of
    seq2seq.data.word_filter. instructions: what a summary, say, can be asked for; one of them
    always stands before a source, as a token such as <abstract>, the first where decoding names
    none. decoding: what a run is searched with unless told otherwise.
    """

    name: str
    title: str
    task: str
    licence: str
    summary: str = ""
    languages: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    hub: str = ""
    megabytes: int = 0
    precision: str = PRECISIONS[0]
    turn_separator: str = ""
    turns: int = 0
    folded: bool = False
    plain_punctuation: bool = False
    plain_letters: bool = False
    case: str = CASES[0]
    word_filter: bool = False
    instructions: tuple[str, ...] = ()
    decoding: Options = field(default_factory=Options)

    @classmethod
    def from_dict(cls, values: Any, name: str) -> Card:
        """Read plain values. Raises UserError for a missing or unknown field or task."""
        where = f"The card of {name}"
        given = {**values, "name": name} if isinstance(values, dict) else values
        if isinstance(given, dict) and "mannered" in given:  # as cards called it before
            given.setdefault("word_filter", given.pop("mannered"))
        if isinstance(given, dict) and "decoding" in given:
            given["decoding"] = read_table(Options, given["decoding"], f"{where}, its decoding,")
        card = read_table(cls, given, where)
        missing = [key for key in ("title", "task", "licence") if not getattr(card, key)]
        if missing:
            raise UserError(f"{where} lacks {missing[0]!r}: write it there.")
        for key, known in (("task", TASKS), ("precision", PRECISIONS), ("case", CASES)):
            if getattr(card, key) not in known:
                usable = ", ".join(filter(None, known))
                raise UserError(f"{where} names no known {key}: use {usable}.")
        for key in ("megabytes", "turns"):
            if getattr(card, key) < 0:
                raise UserError(f"{where} has less than 0 {key}: give 0 or more.")
        return card

    def to_toml(self) -> str:
        """Write what read_card reads; fields that say nothing are left out."""
        values = {name: value for name, value in asdict(self).items() if value and name != "name"}
        decoding = values.pop("decoding")
        usual = asdict(Options())
        chosen = {name: value for name, value in decoding.items() if value != usual[name]}
        tables = [values, chosen] if chosen else [values]
        return "\n[decoding]\n".join("".join(map(_toml, table.items())) for table in tables)


def _toml(entry: tuple[str, Any]) -> str:
    """Write a line of TOML. A JSON string or list of strings is also a TOML one."""
    return f"{entry[0]} = {json.dumps(entry[1], ensure_ascii=False)}\n"


def read_card(folder: Path) -> Card:
    """Read the card of a checkpoint folder. Raises UserError if there is none or it is damaged."""
    try:
        values = read_toml(folder / "card.toml")
    except FileNotFoundError:
        raise UserError(f"{folder.name} has no card.toml: it is not a checkpoint.") from None
    except (OSError, ValueError):
        raise UserError(f"The card.toml of {folder.name} cannot be read: correct it.") from None
    return Card.from_dict(values, folder.name)


def embedded() -> dict[str, Card]:
    """Return the cards of the checkpoints in checkpoints/ that have weights, by name.

    A damaged card hides its checkpoint here, not the others; naming it tells what is wrong.
    """
    cards = {}
    for folder in sorted(path.parent for path in CHECKPOINTS.glob("*/model.safetensors")):
        with suppress(UserError):
            cards[folder.name] = read_card(folder)
    return cards


def offered() -> dict[str, Card]:
    """Return the cards in checkpoints/ of models that the Hub has, by name."""
    cards = {}
    for folder in sorted(path.parent for path in CHECKPOINTS.glob("*/card.toml")):
        with suppress(UserError):
            if (card := read_card(folder)).hub:
                cards[card.name] = card
    return cards


def folder_at_hand(name: str) -> Path | None:
    """Return where the files of a checkpoint that has a name lie; makes no request.

    A folder of checkpoints/, or of the Hub's cache where the card there names a model of the Hub.
    None for one whose files have to be fetched first.
    """
    folder = CHECKPOINTS / name
    if hub := _hub_of(folder):
        return cached_folder(hub)
    return folder if (folder / "model.safetensors").is_file() else None


def list_checkpoints() -> dict[str, Card]:
    """Return the cards of all checkpoints that have a name: embedded ones and some of the Hub."""
    return embedded() | offered()


def card_named(name: str) -> Card | None:
    """Return the card of the checkpoint with this name, None for none and for a damaged one."""
    folder = CHECKPOINTS / name
    if not is_name(name):
        return None
    with suppress(UserError):
        card = read_card(folder)
        if card.hub or (folder / "model.safetensors").is_file():
            return card
    return None


def is_name(checkpoint: str) -> bool:
    """Tell whether a text can be the name of a checkpoint, rather than a path."""
    return bool(re.fullmatch(r"\w[\w.-]{0,99}", checkpoint))


def is_ours(folder: Path) -> bool:
    """Tell whether a folder's config.json is of this library."""
    try:
        return "architecture" in json.loads(read_text_file(folder / "config.json"))
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def attention_of(folder: Path) -> str | None:
    """Return how a checkpoint of this library attends, as its config.json has it.

    "none", the kind of a recurrent model's attention, or "heads" of a Transformer; None where the
    folder has no config of this library.
    """
    try:
        config = Config.from_json(read_text_file(folder / "config.json"))
        return config.attention_kind
    except (OSError, LookupError, ValueError, TypeError, RecursionError):
        return None


class Location(NamedTuple):
    """Where a model lies.

    folder: on this machine, None where there is none. hub: its id on the Hub if its files have to
    come from there, else ""; a card in checkpoints/ can say so, one in another folder cannot.
    """

    folder: Path | None
    hub: str = ""


def resolve(checkpoint: str | Path, paths: bool = True) -> Location:
    """Find a model as users name it: a name in checkpoints/, a folder or an id of the Hub.

    A folder that exists is taken before an id of the Hub that is spelled alike, and so is a file,
    which `load` then names. paths: False keeps to names and ids, for whoever must not look into
    other folders of this machine. Makes no
    request: whether the Hub has a model, only the Hub knows. Raises UserError, naming what there
    is, for what cannot be a model.
    """
    if not isinstance(checkpoint, str | Path):
        raise UserError(
            f"A model has a name, a folder or an id of the Hub, not {quote(checkpoint)}: give one "
            "as text or Path."
        )
    name = str(checkpoint)
    with suppress(OSError, ValueError, RuntimeError):
        if is_name(name) and (CHECKPOINTS / name).is_dir():
            return Location(CHECKPOINTS / name, _hub_of(CHECKPOINTS / name))
        if paths and name.strip() and Path(name).is_dir():
            folder = Path(name).resolve()
            ours = folder.parent == CHECKPOINTS.resolve()
            return Location(folder, _hub_of(folder) if ours else "")
        # A bare word is a name; of a path, load says what the file is.
        if paths and ("/" in name or Path(name).suffix) and Path(name).is_file():
            return Location(Path(name).resolve())
    if is_hub_name(name):
        return Location(None, name)
    raise UserError(
        f"There is no checkpoint {quote(name)}: give a folder, an id of the Hub such as "
        f"google-t5/t5-small, or {_embedded_in_words()}."
    )


def is_hub_name(name: str) -> bool:
    """Tell whether a text can be an id of the Hub rather than a name of ours."""
    return "/" in name and is_identifier(name)


def _hub_of(folder: Path) -> str:
    with suppress(UserError):
        return read_card(folder).hub
    return ""


def _embedded_in_words() -> str:
    known = ", ".join(embedded())
    return (
        f"one of those embedded ({known})"
        if known
        else f"set {FOLDER_VARIABLE} to a folder of them"
    )
