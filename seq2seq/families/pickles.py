"""The pickles in torch's files of weights, looked through before torch follows them.

Torch's reader runs no code, but a few bytes can tell it to fill all memory or to compute for ever.
"""

from __future__ import annotations

import io
import math
import pickletools
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO

import torch

from seq2seq.errors import UserError

LARGEST = 2**21  # bytes of a file's pickles, or table of contents; a thousand weights take 250,000
BEFORE = 5  # pickles in front of the numbers of a file that is no archive
DEEPEST = 3  # tuples in one another: a weight's arguments, and its shape in them
DIMENSIONS = 8
ORDERED = "collections OrderedDict"
PARAMETER = "torch._utils _rebuild_parameter"
TENSORS = ("torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v2")
WIDTHS = {"Double": 8, "Long": 8, "Float": 4, "Int": 4, "Half": 2, "BFloat16": 2, "Short": 2}
WIDTHS |= dict.fromkeys(("Char", "Byte", "Bool"), 1)
BYTES = {f"torch {kind}Storage": width for kind, width in WIDTHS.items()}
NEEDED = {ORDERED, PARAMETER, *TENSORS, *BYTES}

CONTAINER = object()  # stands for a list, a dictionary or an OrderedDict
EMPTY = ("EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET")
FILLING = ("APPEND", "APPENDS", "SETITEM", "SETITEMS", "BUILD")
CALLING = ("REDUCE", "NEWOBJ")


def is_archive(path: Path) -> bool:
    """Tell whether torch will read a file as an archive, which must hold no more than its size.

    Older files are their pickles, then their numbers. Raises UserError for a compressed archive,
    UnpicklingError for pickles that hold more than weights, and other exceptions for damage.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(LARGEST)
        archived = head.startswith(b"PK\x03\x04")
        end = zipfile._EndRecData(file) if archived else None  # type: ignore[attr-defined]
    if not archived:
        pickles = io.BytesIO(head)
        for _ in range(BEFORE):
            _Walk(size).over(pickles)
        return False
    # Each file in an archive takes ten times the memory of its entry in the table at the end.
    if end and end[zipfile._ECD_SIZE] > LARGEST:  # type: ignore[attr-defined]
        raise UnpicklingError
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
    if not stored or sum(entry.file_size for entry in entries) > size:
        raise UserError(
            f"The {path.name} is compressed, so it was not opened: use a model with safetensors."
        )
    # By torch's own reader, for another might find another pickle.
    reader = torch._C.PyTorchFileReader(str(path))
    if reader.get_record_size("data.pkl") > LARGEST:
        raise UnpicklingError
    _Walk(size).over(io.BytesIO(reader.get_record("data.pkl")))
    return True


class _Walk:
    """What is on the stack while torch follows a pickle: numbers, texts, tuples, names of globals.

    A CONTAINER stands for what can be filled, None for a tensor.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[Any, Any] = {}
        self.storages: dict[Any, tuple[Any, ...]] = {}

    def over(self, pickle: BinaryIO) -> None:
        """Go through one pickle of a file of this size. Raises UnpicklingError, or another."""
        for step, argument, _ in pickletools.genops(pickle):
            if step.name == "MARK":
                self.marks.append(len(self.stack))
            elif step.name.endswith("PUT"):
                self.memo[argument] = self.stack[-1]
            else:
                made = self._made(step.name, argument, self._taken(step.stack_before))
                self.stack += [made] * len(step.stack_after)
        if sum(kept[3] * BYTES[kept[1]] for kept in self.storages.values()) > self.size:
            raise ValueError("numbers that are not in the file")

    def _taken(self, before: list[Any]) -> list[Any]:
        first = len(self.stack) - len(before)
        if pickletools.markobject in before:
            first = self.marks.pop() - before.index(pickletools.markobject)
        if first < 0:
            raise ValueError("an empty stack")
        items = self.stack[first:]
        del self.stack[first:]
        return items

    def _made(self, name: str, argument: Any, items: list[Any]) -> Any:
        if name == "GLOBAL" and argument not in NEEDED:
            raise UnpicklingError
        if name.endswith("GET"):
            return self._again(self.memo[argument])
        if "TUPLE" in name:
            if _depth(items) > DEEPEST:
                raise UnpicklingError
            return tuple(items)
        if name == "BINPERSID":
            return self._storage(items[0])
        if name in CALLING:
            return CONTAINER if items[0] == ORDERED else _tensor(*items)
        if name in FILLING and items[0] is not CONTAINER:
            raise UnpicklingError
        return CONTAINER if name in EMPTY or name in FILLING else argument

    def _again(self, found: Any) -> Any:
        """Let nothing be part of two things: to hash or to show it could take for ever."""
        if found is CONTAINER or isinstance(found, tuple):
            raise UnpicklingError
        return found

    def _storage(self, given: Any) -> tuple[Any, ...]:
        """Return the numbers that a tensor lies in: their type, their key, their count."""
        what, kind, key, _, count, *view = given
        good = what == "storage" and kind in BYTES and isinstance(key, str) and view in ([], [None])
        if not good or type(count) is not int or count < 0:
            raise UnpicklingError
        kept = (what, kind, key, count)
        if self.storages.setdefault(key, kept) != kept:
            raise ValueError("numbers of two types or lengths")
        return kept


def _depth(items: Any) -> int:
    return 1 + max((_depth(each) for each in items if isinstance(each, tuple)), default=0)


def _tensor(function: Any, arguments: Any) -> None:
    """Check that a tensor is no more than the numbers that it lies in."""
    if function == PARAMETER and arguments[0] is None:
        return
    if function not in TENSORS:
        raise UnpicklingError
    (_, _, _, count), offset, size, stride = arguments[:4]
    if len(size) != len(stride) or len(size) > DIMENSIONS:
        raise ValueError("no shape")
    if not all(type(number) is int and number >= 0 for number in (offset, *size, *stride)):
        raise ValueError("no shape")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if math.prod(size) > count or (math.prod(size) and last >= count):
        raise ValueError("a tensor of more than there is")
