"""Generated inputs, the same ones for the same seed: mostly right, wrong in one or two places."""

from __future__ import annotations

import copy
import gzip
import io
import json
import random
import shutil
import struct
import tarfile
import wave
import zipfile
from pathlib import Path

LETTERS = (
    "abcdefghij",
    "éàüßœ",
    "日本語",
    "🙂👩‍👩‍👧",
    "\u202e\u200d\u0301",
    "<b>&amp;`*_[]()$:",
    "\x00\t\n\r",
    "0123456789.,;-",
    "\ud800",
)
NUMBERS = (0, -1, 1, 2**31, -(2**63), 10**400, 0.5, -0.0, 1e308, float("nan"), float("inf"))
STRANGE = (None, True, "", "a" * 500_000, [], {}, [[]], [[[[[]]]]], [None] * 20_001, {"a": {}})


def text(chance: random.Random, most: int = 400) -> str:
    """Return a text of any letters."""
    count = chance.choice((0, 1, 3, 20, most, 5_000) if chance.random() < 0.1 else (5, 20, 60))
    alphabet = chance.choice(LETTERS) + chance.choice(LETTERS) + " "
    return "".join(chance.choice(alphabet) for _ in range(count))


def anything(chance: random.Random) -> object:
    """Return a value of any kind."""
    kinds = (
        lambda: chance.choice(NUMBERS),
        lambda: chance.choice(STRANGE),
        lambda: text(chance),
        lambda: [chance.choice(NUMBERS) for _ in range(chance.randrange(5))],
    )
    return chance.choice(kinds)()


def run_file(chance: random.Random, valid: dict) -> bytes:
    """Return a saved run with values of other kinds, missing or repeated parts, or cut short."""
    changed = copy.deepcopy(valid)
    for _ in range(chance.choice((1, 1, 2, 5))):
        _change(chance, changed)
    written = json.dumps(changed).encode()
    if chance.random() < 0.1:
        written = written[: chance.randrange(len(written))]
    return written


def _change(chance: random.Random, value: object) -> None:
    """Change one place somewhere in nested lists and dictionaries."""
    while True:
        places = list(value) if isinstance(value, dict) else list(range(len(value)))  # type: ignore
        if not places:
            return
        place = chance.choice(places)
        inner = value[place]  # type: ignore[index]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.7:
            value = inner
            continue
        if chance.random() < 0.15:
            del value[place]  # type: ignore[attr-defined]
        else:
            value[place] = anything(chance)  # type: ignore[index]
        return


def sound(chance: random.Random) -> bytes:
    """Return a recording whose header or samples are not what they say."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(chance.choice((1, 2, 8)))
        file.setsampwidth(chance.choice((1, 2, 3, 4)))
        file.setframerate(chance.choice((1, 8_000, 16_000, 44_100, 191_999)))
        file.writeframes(chance.randbytes(24 * chance.choice((0, 1, 50, 500))))
    content = bytearray(buffer.getvalue())
    for _ in range(chance.choice((0, 1, 3))):
        place = chance.randrange(min(len(content), 44)) if chance.random() < 0.7 else None
        place = chance.randrange(len(content)) if place is None else place
        content[place] = chance.randrange(256)
    if chance.random() < 0.2:
        content[40:44] = struct.pack("<I", chance.choice((0, 2**31, 2**32 - 1)))
    return bytes(content[: chance.randrange(len(content))] if chance.random() < 0.2 else content)


def toml(chance: random.Random) -> str:
    """Return a card with fields of any kind, nested as deep as one likes."""
    fields = ("title", "task", "licence", "languages", "examples", "turns", "megabytes", "summary")
    lines = []
    for name in chance.sample(fields, chance.randrange(1, len(fields) + 1)):
        depth = chance.choice((0, 1, 3, 5_000)) if chance.random() < 0.2 else 0
        value = chance.choice(
            (json.dumps(text(chance)), "-5", "1e999", "nan", "true", "1979-05-27")
        )
        lines.append(f"{name} = {'[' * depth}{value}{']' * depth}")
    return "\n".join(lines)


def table(chance: random.Random) -> str:
    """Return a table of a series with rows of other lengths and cells of any kind."""
    cells = ("1", "2.5", "-3e5", "nan", "", "x", "1e999", "2020-01-01", '"', "\x00", "１")
    head = chance.choice(("date,value", "value", "a,b,c", "", "value;date", "series,value"))
    rows = (
        ",".join(chance.choice(cells) for _ in range(chance.choice((1, 2, 2, 3))))
        for _ in range(chance.choice((0, 3, 30)))
    )
    return "\n".join([head, *rows])


def _damaged(chance: random.Random, content: bytes) -> bytes:
    """Return bytes of which a few are others, or the last ones missing; often none."""
    changed = bytearray(content)
    for _ in range(chance.choice((0, 0, 1, 3)) if changed else 0):
        changed[chance.randrange(min(len(changed), chance.choice((600, 10**9))))] = (
            chance.randrange(256)
        )
    return bytes(
        changed[: chance.randrange(len(changed) + 1)] if chance.random() < 0.15 else changed
    )


def pairs(chance: random.Random) -> bytes:
    """Return lines of a source, a tab and a target, or of something like it."""
    lines = [
        chance.choice(("\t", "\t", "\t", "", "\t\t", "  ")).join(
            (text(chance, 40), text(chance, 40))
        )
        for _ in range(chance.choice((0, 1, 12)))
    ]
    written = chance.choice(("\n", "\r\n", "\r")).join(lines)
    encoding = chance.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"))
    return _damaged(chance, written.encode(encoding, errors="replace"))


def archive(chance: random.Random) -> bytes:
    """Return a tar or zip of recordings with a table, in which names, sizes or bytes are wrong."""
    names = ("a", "b.wav", "../a", "/etc/passwd", "", "my/a.flac", "a\tb", "🙂")
    lines = [f"{chance.choice(names)}\t{text(chance, 20)}" for _ in range(chance.randrange(4))]
    table = "\n".join([chance.choice(("id\ttext", "id\ttext", "id", "text\tid\tsplit")), *lines])
    files = {chance.choice(("manifest.tsv", "my/manifest.tsv")): table.encode(errors="replace")}
    for _ in range(chance.randrange(4)):
        files[f"{chance.choice(('', 'my/', '../', '/'))}{chance.choice('abc')}.wav"] = sound(chance)
    buffer = io.BytesIO()
    if chance.random() < 0.5:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in files.items():
                packed.writestr(name, content)
        return _damaged(chance, buffer.getvalue())
    kinds = (tarfile.REGTYPE,) * 6 + (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE)
    with tarfile.open(fileobj=buffer, mode="w") as whole:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = chance.choice(kinds), "/etc/passwd"
            member.size = len(content) if member.isreg() else 0
            whole.addfile(member, io.BytesIO(content))
    written = buffer.getvalue()
    return _damaged(chance, gzip.compress(written, 1) if chance.random() < 0.3 else written)


def damage_folder(chance: random.Random, folder: Path) -> None:
    """Change a file of a checkpoint: a value of its config, a few bytes, or that it is there."""
    file = chance.choice(sorted(each for each in folder.iterdir() if each.is_file()))
    what = chance.random()
    if what < 0.1:
        file.unlink()
    elif what < 0.15:
        file.unlink()
        file.mkdir()
    elif file.suffix == ".json" and what < 0.8:
        values = json.loads(file.read_text(encoding="utf-8"))
        _change(chance, values)
        file.write_text(json.dumps(values), encoding="utf-8", errors="replace")
    else:
        file.write_bytes(_damaged(chance, file.read_bytes()))


def link(chance: random.Random, names: list[str]) -> dict[str, str]:
    """Return values of any kind for some of the names that an address can have."""
    known = (
        "0",
        "1",
        "3",
        "-1",
        "true",
        "mean",
        "Matrix",
        "1e999",
        "nan",
        "9" * 400,
        "transformer",
    )
    return {
        name: chance.choice(known) if chance.random() < 0.7 else _encodable(text(chance, 60))
        for name in chance.sample(names, chance.randrange(1, 8))
    }


def _encodable(words: str) -> str:
    """Return a text without the halves of letters that no address can have."""
    return words.encode(errors="replace").decode()


def copied(folder: Path, place: Path) -> Path:
    """Return a fresh copy of a folder, in place of the one before."""
    shutil.rmtree(place, ignore_errors=True)
    return Path(shutil.copytree(folder, place))
