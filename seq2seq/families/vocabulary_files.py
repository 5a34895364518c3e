"""The vocabulary files of published models, read with suspicion; knows no family's rules."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sentencepiece import sentencepiece_model_pb2 as protocol

from seq2seq.errors import UserError

LARGEST_FILE = 128 * 2**20
LARGEST_SENTENCEPIECE = 16 * 2**20  # of real ones 5
# How often a mark may occur in a file, which bounds the memory of what it is parsed into.
MOST_MARKS = {b",": 4_000_000, b"[": 2_000_000, b"{": 100_000}
MOST_TOKENS = 2**20
MOST_MERGES = 2**21
LONGEST_PIECE = 1_000  # characters
MOST_TEXT = 4 * 2**20  # bytes of all pieces that are looked up letter by letter; of real ones 2
LONGEST_REPLACEMENT = 100  # bytes that a compiled normalization writes for one place of a text
SETTINGS, SPECIAL, ADDED = "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"
SERIALIZED = "tokenizer.json"


class Added(NamedTuple):
    """A token beside the model's own, and how it is found in a text; no id yet: None."""

    id: int | None = None
    special: bool = True
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = False
    single_word: bool = False


class Pieces(NamedTuple):
    """What any layout says of a vocabulary.

    scores: pieces in the order of their ids, with log-probabilities; empty for byte pairs.
    ids, merges: pieces and pairs in order of rank; empty for unigrams.
    charsmap: sentencepiece's compiled normalization; empty for none.
    """

    scores: list[tuple[str, float]]
    ids: dict[str, int]
    merges: list[tuple[str, str]]
    charsmap: bytes = b""


def damaged(name: str) -> UserError:
    """Return the error for a file that does not hold what it should."""
    return UserError(f"The model's {name} is damaged: fetch the model again.")


def missing(names: Iterable[str]) -> UserError:
    """Return the error for files of which at least one is needed."""
    return UserError(
        f"The model has no {' and no '.join(names)}: fetch it again with its tokenizer."
    )


def has(folder: Path, *names: str) -> bool:
    """Tell whether a folder holds all these files."""
    return all((folder / name).is_file() for name in names)


def read_bytes(folder: Path, name: str, largest: int = LARGEST_FILE) -> bytes:
    """Read a file. Raises UserError if it is missing, unreadable or absurdly large."""
    path = folder / name
    if not path.is_file():
        raise missing([name])
    try:
        if path.stat().st_size > largest:
            raise UserError(f"The model's {name} is too large to be one: choose another model.")
        return path.read_bytes()
    except OSError:
        raise UserError(f"The model's {name} cannot be read: fetch the model again.") from None


def read_object(folder: Path, name: str) -> dict[str, Any]:
    """Read a JSON object. Raises UserError for anything else, absurd nesting included."""
    content = read_bytes(folder, name)
    if any(content.count(mark) > most for mark, most in MOST_MARKS.items()):
        raise UserError(f"The model's {name} is too large to be one: choose another model.")
    try:
        found = orjson.loads(content)
    except (orjson.JSONDecodeError, RecursionError):
        raise damaged(name) from None
    if not isinstance(found, dict):
        raise damaged(name)
    return found


def read_ids(folder: Path, name: str) -> dict[str, int]:
    """Read a vocabulary that maps pieces to ids."""
    return checked_ids(read_object(folder, name), name)


def checked_ids(found: Any, name: str) -> dict[str, int]:
    """Return a mapping of pieces to ids. Raises UserError where it is not one, or is ambiguous."""
    good = isinstance(found, dict) and 0 < len(found) <= MOST_TOKENS
    if not good or not all(type(id) is int and 0 <= id < MOST_TOKENS for id in found.values()):
        raise damaged(name)
    if len(set(found.values())) != len(found):
        raise damaged(name)
    _check_lengths(found, name)
    return found


def _check_lengths(pieces: Iterable[str], name: str) -> None:
    """Refuse pieces that no vocabulary has: what is tried at each letter of them takes ages."""
    if any(len(piece) > LONGEST_PIECE for piece in pieces):
        raise damaged(name)


def _check_text(pieces: Iterable[str], name: str) -> None:
    """Refuse pieces whose letters would take too much memory, one by one."""
    if sum(len(piece.encode(errors="replace")) for piece in pieces) > MOST_TEXT:
        raise UserError(f"The model's {name} is too large to be one: choose another model.")


def read_merges(folder: Path, name: str, strict: bool = True) -> list[tuple[str, str]]:
    """Read the pairs that byte pair encoding joins, best first; the first line may be a version.

    strict: lines that are no pairs are damage, else they are passed over.
    """
    try:
        text = read_bytes(folder, name).decode()
    except UnicodeDecodeError:
        raise damaged(name) from None
    if text.count("\n") > MOST_MERGES:
        raise UserError(f"The model's {name} is too large to be one: choose another model.")
    # Only line feeds end a line: other breaks are pieces like any other character.
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    pairs = [line for line in lines if not line.startswith("#version")]
    if not strict:
        pairs = [line for line in pairs if line.count(" ") == 1]
        if not pairs:
            raise damaged(name)
    return checked_merges(pairs, name)


def checked_merges(found: Iterable[Any], name: str) -> list[tuple[str, str]]:
    """Return pairs, written as "a b" or [a, b]."""
    pairs = [line.split(" ", 2) if isinstance(line, str) else line for line in found if line]
    for pair in pairs:
        if (
            not isinstance(pair, list)
            or len(pair) != 2
            or not all(isinstance(p, str) for p in pair)
        ):
            raise damaged(name)
    return [(left, right) for left, right in pairs]


def read_sentencepieces(folder: Path, name: str) -> Pieces:
    """Read the pieces, scores and normalization of a sentencepiece model."""
    model = parsed(read_sentencepiece(folder, name), name)
    scores = [(piece.piece, piece.score) for piece in model.pieces]
    return Pieces(checked_scores(scores, name), {}, [], model.normalizer_spec.precompiled_charsmap)


def read_sentencepiece(folder: Path, name: str) -> bytes:
    """Read the file of a sentencepiece model."""
    return read_bytes(folder, name, LARGEST_SENTENCEPIECE)


def parsed(content: bytes, name: str) -> Any:
    """Return what a sentencepiece model is made of, none of it absurdly long."""
    model = protocol.ModelProto()  # type: ignore[attr-defined]
    try:
        model.ParseFromString(content)
        pieces = [piece.piece for piece in model.pieces]
    except Exception:
        raise damaged(name) from None
    _check_lengths(pieces, name)
    for rules in (model.normalizer_spec, model.denormalizer_spec):
        checked_charsmap(rules.precompiled_charsmap, name)
    return model


def checked_charsmap(charsmap: bytes, name: str) -> bytes:
    """Return a compiled normalization. Raises UserError where it writes much for little."""
    if longest_replacement(charsmap) > LONGEST_REPLACEMENT:
        raise damaged(name)
    return charsmap


def longest_replacement(charsmap: bytes) -> int:
    """Return how many bytes a compiled normalization can write for one place of a text.

    It is the length of a table, the table, and the replacements, each with a zero at its end.
    """
    table = int.from_bytes(charsmap[:4], "little")
    return max(map(len, charsmap[4 + table :].split(b"\0")))


def checked_scores(found: Any, name: str) -> list[tuple[str, float]]:
    """Return pieces with finite scores."""
    if not isinstance(found, list) or not 3 < len(found) <= MOST_TOKENS:
        raise damaged(name)
    for entry in found:
        good = isinstance(entry, (list, tuple)) and len(entry) == 2 and isinstance(entry[0], str)
        if not good or not isinstance(entry[1], (int, float)) or not math.isfinite(entry[1]):
            raise damaged(name)
    pieces = [piece for piece, _ in found]
    _check_lengths(pieces, name)
    _check_text(pieces, name)
    return [(piece, float(score)) for piece, score in found]


def read_serialized(folder: Path, unigram: bool) -> tuple[Pieces, dict[str, Added]]:
    """Read the model and the added tokens of a tokenizer.json.

    What else it holds is left alone: how a family splits its text is the family's to say.
    """
    found = read_object(folder, SERIALIZED)
    model = found.get("model")
    if not isinstance(model, dict):
        raise damaged(SERIALIZED)
    added = checked_added(found.get("added_tokens"))
    if isinstance(model.get("vocab"), list) is not unigram:
        raise UserError(f"The model's {SERIALIZED} is not of its family: fetch the model again.")
    if unigram:
        scores = checked_scores(model["vocab"], SERIALIZED)
        return Pieces(scores, {}, [], _charsmap(found.get("normalizer"))), added
    merges = model.get("merges")
    if not isinstance(merges, list):
        raise damaged(SERIALIZED)
    ids = checked_ids(model.get("vocab"), SERIALIZED)
    charsmap = _charsmap(found.get("normalizer"))
    return Pieces([], ids, checked_merges(merges, SERIALIZED), charsmap), added


def _charsmap(normalizer: Any) -> bytes:
    """Return the first compiled normalization in a normalizer or in a sequence of them."""
    steps = normalizer.get("normalizers", [normalizer]) if isinstance(normalizer, dict) else []
    for step in steps if isinstance(steps, list) else []:
        if isinstance(step, dict) and step.get("type") == "Precompiled":
            return charsmap_of(step)
    return b""


def charsmap_of(step: dict[str, Any]) -> bytes:
    """Return the compiled normalization of a step of a tokenizer.json."""
    try:
        found = base64.b64decode(step.get("precompiled_charsmap") or "", validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise damaged(SERIALIZED) from None
    return checked_charsmap(found, SERIALIZED)


def checked_added(entries: Any) -> dict[str, Added]:
    """Return the tokens of a list of objects with content, id and flags."""
    tokens = {}
    for entry in entries if isinstance(entries, list) else []:
        good = isinstance(entry, dict) and isinstance(entry.get("content"), str)
        if not good or type(entry.get("id")) is not int or not 0 <= entry["id"] < MOST_TOKENS:
            raise damaged(SERIALIZED)
        flags = {flag: entry.get(flag) is True for flag in Added._fields[1:]}
        tokens[entry["content"]] = Added(entry["id"], **flags)
    _check_lengths(tokens, SERIALIZED)
    _check_text(tokens, SERIALIZED)
    return tokens


class Settings:
    """What tokenizer_config.json and its older companions say.

    kind: name of the tokenizer's class; named: special tokens by role, such as eos_token;
    extra: further special tokens in order; added: tokens with ids of their own.
    """

    def __init__(self, folder: Path, values: dict[str, Any]) -> None:
        self.values = read_object(folder, SETTINGS) if has(folder, SETTINGS) else {}
        mapping = self.values.get("auto_map") or {}
        if not isinstance(mapping, dict) or "AutoTokenizer" in mapping:
            raise UserError(
                "The model's tokenizer brings its own code, which is not run here: "
                "choose a model of a known family."
            )
        kind = self.values.get("tokenizer_class") or values.get("tokenizer_class")
        self.kind = kind.removesuffix("Fast") if isinstance(kind, str) else ""
        self.added = self._read_added(folder)
        sources = [self.values]
        if "added_tokens_decoder" not in self.values and has(folder, SPECIAL):
            sources.append(read_object(folder, SPECIAL))
        self.named: dict[str, str] = {}
        self.extra: list[str] = []
        for source in sources:
            self._read_special(source)

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a switch, its default where there is no true or false."""
        found = self.values.get(name)
        return found if isinstance(found, bool) else default

    def count(self, name: str, default: int) -> int:
        """Return a small number, its default where there is none."""
        found = self.values.get(name)
        return found if type(found) is int and 0 <= found <= 1000 else default

    def _read_special(self, source: dict[str, Any]) -> None:
        for role, token in source.items():
            content = _content(token)
            if role.endswith("_token") and content:
                self.named[role] = content
            if role == "mask_token_sent" and content:
                self.named[role] = content
        for key in ("additional_special_tokens", "extra_special_tokens"):
            listed = source.get(key)
            for token in listed if isinstance(listed, list) else []:
                content = _content(token)
                if content and content not in self.extra:
                    self.extra.append(content)

    def _read_added(self, folder: Path) -> dict[str, Added]:
        listed = self.values.get("added_tokens_decoder")
        if isinstance(listed, dict):
            entries = []
            for id, token in listed.items():
                if not isinstance(token, dict) or not re.fullmatch(r"\d{1,7}", id):
                    raise damaged(SETTINGS)
                entries.append({**token, "id": int(id)})
            return checked_added(entries)
        if has(folder, ADDED):
            found = read_object(folder, ADDED)
            ids = checked_ids(found, ADDED) if found else {}
            return {token: Added(id, special=False) for token, id in ids.items() if token}
        return {}


def _content(token: Any) -> str:
    """Return the text of a token written as text or as an object; empty for none."""
    token = token.get("content") if isinstance(token, dict) else token
    return token if isinstance(token, str) else ""
