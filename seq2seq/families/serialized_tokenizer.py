"""A tokenizer.json that is run as it stands, where it is not the one that its family has."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import tokenizers

from seq2seq.errors import UserError
from seq2seq.families.base_tokenizer import Frame, Names
from seq2seq.families.fast_tokenizers import UNWRITABLE, Bytewise, Metaspaced, guarded, tried
from seq2seq.families.vocabulary_builder import SENTINEL
from seq2seq.families.vocabulary_files import (
    LONGEST_PIECE,
    SERIALIZED,
    Settings,
    charsmap_of,
    checked_added,
    checked_ids,
    checked_scores,
    damaged,
    has,
    longest_replacement,
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

MOST_STEPS = 100  # and patterns
MOST_GROWTH = 1_000
# How many times longer a step can make a text, in bytes; of those that are not here, not at all.
GROWTHS = {
    "NFC": 3.0,
    "NFD": 3.0,
    "NFKC": 11.0,
    "NFKD": 11.0,
    "Lowercase": 1.5,
    "BertNormalizer": 3.0,
    "ByteLevel": 3.0,
    "Metaspace": 5.0,
}
MARKS = ("continuing_subword_prefix", "end_of_word_suffix")
LONGEST_MARK = 100


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
    return {_text(named)}, normalizers, set(_types(found.get("pre_tokenizer")))


def _types(part: Any) -> Iterator[str]:
    """Name the kinds of a step, or of those that a sequence of steps is made of."""
    waiting = [part]
    while waiting:
        step = waiting.pop()
        if not isinstance(step, dict):
            continue
        inner = next((step[key] for key in BRANCHES if isinstance(step.get(key), list)), None)
        if inner is None:
            pattern = step.get("pattern")
            what = next(iter(pattern.values()), "") if isinstance(pattern, dict) else ""
            kind = _text(step.get("type"))
            yield f"{kind} {_text(what)[:40]!r}" if what else kind
        waiting += inner or []


def _text(value: Any) -> str:
    """Return a text, or the name of what stands in its place, which may be too deep to be shown."""
    return value if isinstance(value, str) else type(value).__name__


def read_serialized_tokenizer(
    folder: Path, settings: Settings, named: dict[str, str], size: int | None
) -> Metaspaced:
    """Read a tokenizer.json as it stands: how it splits texts, and what it puts around them.

    named: special tokens by role; size: tokens that the model has room for, None for any. Raises
    UserError for a file that is damaged, or of another model.
    """
    content = read_object(folder, SERIALIZED)
    _check(content)
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


def _check(content: dict[str, Any]) -> None:
    """Refuse what a text could take ages in, or grow in: a file may bring any steps it likes."""
    vocabulary = content["model"].get("vocab")
    check = checked_scores if isinstance(vocabulary, list) else checked_ids
    check(vocabulary, SERIALIZED)
    checked_added(content.get("added_tokens"))
    model = {k: value for k, value in content["model"].items() if k not in ("vocab", "merges")}
    for part in _objects(content | {"model": model, "added_tokens": None}):
        pattern = part.get("Regex")
        if isinstance(pattern, str) and pattern not in PATTERNS:
            raise UserError(
                f"The {SERIALIZED} splits texts at the pattern {pattern[:40]!r}, which is not run "
                "here: choose a model with another tokenizer."
            )
    longest = model.get("max_input_chars_per_word")
    if any(len(_text(model.get(key))) > LONGEST_MARK for key in MARKS) or (
        isinstance(longest, int) and longest > LONGEST_PIECE
    ):
        raise damaged(SERIALIZED)
    _check_growth(content.get("normalizer"), content.get("pre_tokenizer"))
    _check_growth(content.get("decoder"))


def _check_growth(*parts: Any) -> None:
    steps = [step for part in parts for step in _steps(part)]
    if len(steps) > MOST_STEPS or math.prod(map(_growth, steps)) > MOST_GROWTH:
        raise UserError(
            f"The {SERIALIZED} could make a text too long, so it was not run: choose a model with "
            "another tokenizer."
        )


def _objects(part: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects in a part of a file, however deep they lie."""
    waiting = [part]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found


def _steps(part: Any) -> Iterator[dict[str, Any]]:
    """Yield the steps of a part, and their patterns.

    Raises UserError for a step that is a bare list, which the library would read, too.
    """
    steps = [*_objects(part)]
    lists = [inner for step in steps for inner in step.values() if isinstance(inner, list)]
    if isinstance(part, list) or not all(isinstance(each, dict) for each in chain(*lists)):
        raise damaged(SERIALIZED)
    yield from steps


def _growth(step: dict[str, Any]) -> float:
    """Return how many times longer a step can make a text, in bytes."""
    kind = "BertNormalizer" if "handle_chinese_chars" in step else _text(step.get("type"))
    growth = GROWTHS.get(kind, 1.0)
    if "precompiled_charsmap" in step:
        # The longest one stands for a letter of three bytes, an Arabic ligature.
        growth *= max(1, longest_replacement(charsmap_of(step)) / 3)
    if isinstance(added := step.get("prepend"), str):
        growth *= 1 + len(added.encode())
    if isinstance(written := step.get("content"), str) and isinstance(step.get("pattern"), dict):
        # A pattern takes one byte at least; an empty text is found between any two.
        length = len(_text(step["pattern"].get("String", " ")).encode())
        growth *= max(1, len(written.encode()) / length) if length else 1 + len(written.encode())
    return growth


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
