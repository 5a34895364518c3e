"""A tokenizer.json that is run as it stands, where it is not the one that its family has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tokenizers

from seq2seq.errors import UserError
from seq2seq.families.base_tokenizer import Frame, Names
from seq2seq.families.fast_tokenizers import UNWRITABLE, Bytewise, Metaspaced, guarded, tried
from seq2seq.families.vocabulary_builder import SENTINEL
from seq2seq.families.vocabulary_files import (
    SERIALIZED,
    Settings,
    damaged,
    has,
    read_object,
)

# Declared by folders whose tokenizer is nothing but its tokenizer.json.
BARE = ("PreTrainedTokenizer", "TokenizersBackend")

SPACES = " {2,}"
NORMALIZERS = {"Precompiled", "Strip", f"Replace {SPACES!r}"}
UNIGRAMS = ({"Unigram"}, NORMALIZERS, {"WhitespaceSplit", "Metaspace"})
NOTHING: set[str] = set()
BYTES = ({"BPE"}, NOTHING, {"ByteLevel"})
# What a tokenizer.json of a family is made of: its model, its normalizers, its pre-tokenizers.
# Other files name these families too, and need not be split as the family splits its texts.
PARTS: dict[str, tuple[set[str], set[str], set[str]]] = {
    "t5": UNIGRAMS,
    "mt5": UNIGRAMS,
    "umt5": UNIGRAMS,
    "mvp": BYTES,
    "pegasus": UNIGRAMS,
    "mbart": UNIGRAMS,
    "m2m_100": ({"BPE"}, NORMALIZERS, {"WhitespaceSplit", "Metaspace"}),
    "bart": BYTES,
    "blenderbot": BYTES,
    "whisper": BYTES,
}
# Their languages and tasks stand around a text in ways that no tokenizer.json tells.
LED = ("mbart", "m2m_100", "whisper")
BRANCHES = ("normalizers", "pretokenizers")
# Patterns that take no longer than a text is long. A file may bring others, which could take ages.
PATTERNS = (SPACES, "\\s+", "\\s{2,}", "\\s", "\\n", "[\\r\\n]", "\\d", "\\p{N}")


def runs_itself(folder: Path, family: str, kind: str) -> bool:
    """Tell whether a folder's tokenizer.json has to be run as it stands.

    kind: the class of its tokenizer as its settings name it, "" for none. Raises UserError for a
    file of another kind where the family needs more than it tells.
    """
    if not has(folder, SERIALIZED):
        return False
    found = read_object(folder, SERIALIZED)
    usual = family in PARTS and all(map(set.issuperset, PARTS[family], _parts(found)))
    if not usual and family in LED:
        kinds = ", ".join(sorted(set().union(*_parts(found))))
        raise UserError(
            f"The {SERIALIZED} of this model is of another kind ({kinds}) than those of the family "
            f"{family}: choose a model with the family's own tokenizer."
        )
    if family in LED:
        return False
    return kind in BARE or (family in PARTS and not usual)


def _parts(found: dict[str, Any]) -> tuple[set[str], set[str], set[str]]:
    model = found.get("model")
    if not isinstance(model, dict):
        raise damaged(SERIALIZED)
    # Older files do not name their model.
    named = model.get("type") or ("Unigram" if isinstance(model.get("vocab"), list) else "BPE")
    normalizers = set(_types(found.get("normalizer")))
    return {str(named)}, normalizers, set(_types(found.get("pre_tokenizer")))


def _types(part: Any) -> Iterator[str]:
    """Name the kinds of a step, or of those that a sequence of steps is made of."""
    if not isinstance(part, dict):
        return
    inner = next((part[key] for key in BRANCHES if isinstance(part.get(key), list)), None)
    if inner is None:
        pattern = part.get("pattern")
        what = next(iter(pattern.values()), "") if isinstance(pattern, dict) else ""
        yield f"{part.get('type')} {str(what)[:40]!r}" if what else str(part.get("type"))
    for step in inner or []:
        yield from _types(step)


def read_serialized_tokenizer(
    folder: Path, settings: Settings, named: dict[str, str], size: int | None
) -> Metaspaced:
    """Read a tokenizer.json as it stands: how it splits texts, and what it puts around them.

    named: special tokens by role; size: tokens that the model has room for, None for any. Raises
    UserError for a file that is damaged, or of another model.
    """
    content = read_object(folder, SERIALIZED)
    _check_patterns(content)
    with guarded():
        library = tokenizers.Tokenizer.from_str(json.dumps(content))
        library.no_padding()
        library.no_truncation()
        ids = library.get_vocab(with_added_tokens=True)
        frame = _frame(library)
        special = _special(content, settings, named, ids)
        unknown = ids.get(_unknown(content, named | settings.named))
        names = Names(_fitting(ids, special, size), _numbers(special, ids), {}, unknown)
        kind = Bytewise if "ByteLevel" in json.dumps(content.get("decoder")) else Metaspaced
        readable = tried(tokenizers.Tokenizer.from_str(json.dumps(_hidden(content, special))))
        readable.no_padding()
        readable.no_truncation()
        return kind(names, frame, readable, settings.flag("clean_up_tokenization_spaces"))


def _check_patterns(part: Any) -> None:
    """Refuse patterns that are none of the known ones, however deep a step lies."""
    if isinstance(part, dict):
        pattern = part.get("Regex")
        if isinstance(pattern, str) and pattern not in PATTERNS:
            raise UserError(
                f"The {SERIALIZED} splits texts at the pattern {pattern[:40]!r}, which is not run "
                "here: choose a model with another tokenizer."
            )
    steps = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    for step in steps:
        if isinstance(step, dict | list) and len(step) < 100:  # a vocabulary has no steps
            _check_patterns(step)


def _frame(library: tokenizers.Tokenizer) -> Frame:
    """Return the special tokens that a file puts around a text."""
    plain = library.encode("a", add_special_tokens=False).ids
    framed = library.encode("a").ids
    for start in range(len(framed) - len(plain) + 1):
        if framed[start : start + len(plain)] == plain:
            return Frame(tuple(framed[:start]), tuple(framed[start + len(plain) :]))
    raise damaged(SERIALIZED)


def _special(
    content: dict[str, Any], settings: Settings, named: dict[str, str], ids: dict[str, int]
) -> set[str]:
    listed = content.get("added_tokens")
    entries = [entry for entry in listed if isinstance(entry, dict)] if listed else []
    special = {str(entry.get("content")) for entry in entries if entry.get("special") is True}
    special |= {*named.values(), *settings.named.values(), *settings.extra}
    return special & ids.keys()


def _numbers(special: set[str], ids: dict[str, int]) -> frozenset[int]:
    return frozenset(ids[name] for name in special)


def _fitting(ids: dict[str, int], special: set[str], size: int | None) -> dict[str, int]:
    """Return the tokens that a model has room for, which ordinary ones must all be."""
    if size is None:
        return ids
    if any(id >= size and name not in special for name, id in ids.items()):
        raise UserError("The tokenizer has more tokens than the model: fetch both from one place.")
    return {name: id for name, id in ids.items() if id < size}


def _unknown(content: dict[str, Any], named: dict[str, str]) -> str:
    model = content["model"]
    number, vocabulary = model.get("unk_id"), model.get("vocab")
    if type(number) is int and isinstance(vocabulary, list) and 0 <= number < len(vocabulary):
        return str(vocabulary[number][0])
    return str(model.get("unk_token") or named.get("unk_token", ""))


def _hidden(content: dict[str, Any], special: set[str]) -> dict[str, Any]:
    """Return a file in which no text can spell special tokens, but for masks and sentinels."""
    out_of_reach = {name for name in special if not re.search("mask", name)}
    out_of_reach = {name for name in out_of_reach if not SENTINEL.fullmatch(name)}

    def renamed(name: Any) -> Any:
        return UNWRITABLE + name if name in out_of_reach else name

    model, vocabulary = content["model"], content["model"].get("vocab")
    if isinstance(vocabulary, list):
        vocabulary = [[renamed(name), score] for name, score in vocabulary]
    elif isinstance(vocabulary, dict):
        vocabulary = {renamed(name): id for name, id in vocabulary.items()}
    model = model | {"vocab": vocabulary}
    if isinstance(model.get("unk_token"), str):
        model["unk_token"] = renamed(model["unk_token"])
    added = [
        entry | {"content": renamed(entry["content"]), "normalized": False}
        if entry["content"] in out_of_reach
        else entry
        for entry in content.get("added_tokens") or []
    ]
    return content | {"model": model, "added_tokens": added, "post_processor": None}
