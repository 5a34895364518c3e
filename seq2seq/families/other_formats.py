"""Formats of models that are known and not read here: found by name, never opened as code."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

HEAD = 4_096  # bytes of a file that tell what it is
PICKLE = 2**20  # bytes of the pickle in an archive that are searched for names
ARCHIVES = (".pt", ".pth", ".ckpt", ".bin", ".pkl")


def describe(path: Path) -> str:
    """Say in one sentence what a file or folder is that cannot be opened, and what to do.

    "" for what is not known either. Reads a few bytes of files, and runs nothing.
    """
    with suppress(OSError):
        if path.is_file():
            found = _file(path)
            return (
                found or f"{path.name} is a file, not a model's folder: give the folder it is in."
            )
        for tell in (_trainer, _adapter, _ctranslate2, _other_frameworks):
            if found := tell(path):
                return found
        return next((found for file in _files(path) if (found := _file(file))), "")
    return ""


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.iterdir())[:100] if file.is_file())


def _trainer(folder: Path) -> str:
    """Tell the folder above the checkpoints of a training."""
    found = [path for path in folder.glob("checkpoint-*") if (path / "config.json").is_file()]
    steps = {int(match[1]): path for path in found if (match := re.search(r"-(\d+)$", path.name))}
    if not steps or (folder / "config.json").is_file():
        return ""
    last = steps[max(steps)].name
    return (
        f"{folder.name} holds {len(steps)} checkpoints of a training and no model of its own: name "
        f"one of them, such as {folder.name}/{last}."
    )


def _adapter(folder: Path) -> str:
    if not (folder / "adapter_config.json").is_file():
        return ""
    return (
        f"{folder.name} is a LoRA adapter, which changes another model: merge the two with peft's "
        "merge_and_unload(), save that, and give its folder."
    )


def _ctranslate2(folder: Path) -> str:
    """Tell CTranslate2's binary, which begins with a version and the name of a specification."""
    with suppress(OSError, struct.error), (folder / "model.bin").open("rb") as file:
        version, length = struct.unpack("<IH", file.read(6))
        name = file.read(min(length, 100)).rstrip(b"\0")
        if version < 100 and re.fullmatch(rb"\w+(Spec|Model)", name):
            return (
                f"{folder.name} is a CTranslate2 model ({name.decode()}), and no command converts "
                "one back: give the model that it was made from, as ct2-transformers-converter was "
                "given it with --model."
            )
    return ""


def _other_frameworks(folder: Path) -> str:
    has_weights = any(folder.glob("*.safetensors")) or any(folder.glob("pytorch_model*"))
    for name, what in (
        ("tf_model.h5", "TensorFlow"),
        ("flax_model.msgpack", "Flax"),
    ):
        if (folder / name).is_file() and not has_weights:
            return (
                f"{folder.name} has weights for {what} alone: open it with transformers, "
                f"from_{'tf' if name.startswith('tf') else 'flax'}=True, and save it again."
            )
    return ""


def _file(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(HEAD)
    for tell in (_gguf, _onnx, _marian, _archive):
        if found := tell(path, head):
            return found
    return ""


def _gguf(path: Path, head: bytes) -> str:
    if not head.startswith(b"GGUF"):
        return ""
    return f"{path.name} is a GGUF file, of llama.cpp: give the model that it was converted from."


def _onnx(path: Path, head: bytes) -> str:
    if path.suffix != ".onnx":
        return ""
    return (
        f"{path.name} is an ONNX graph, whose parts cannot be seen: give the model that it was "
        "exported from."
    )


def _marian(path: Path, head: bytes) -> str:
    names: list[str] = []
    if path.suffix == ".npz":
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    if "special:model.yml.npy" not in names:
        return ""
    return (
        f"{path.name} is a checkpoint of Marian itself: convert it with transformers 4, "
        "python -m transformers.models.marian.convert_marian_to_pytorch --src "
        f"{path.absolute().parent.name} --dest NEW."
    )


# What no command converts.
ANOTHER = "no command makes a model for transformers of it: train one here, or give such a model"
# A training framework by names in its pickled files.
FRAMEWORKS: dict[str, tuple[bytes, ...]] = {
    "fairseq": (b"fairseq", b"last_optimizer_state", b"optimizer_history"),
    "JoeyNMT": (b"best_ckpt_score", b"joeynmt"),
    "OpenNMT-py": (
        b"onmt",
        b"generator.0.weight",
        b"decoder.transformer_layers",
        b"copy_attn_type",
    ),
}
# Architectures and tasks of fairseq, and the script of transformers 4 that converts them.
CONVERTERS: dict[bytes, str] = {
    b"mbart": "mbart.convert_mbart_original_checkpoint_to_pytorch",
    b"bart_": "bart.convert_bart_original_pytorch_checkpoint_to_pytorch",
    b"translation_multi_simple_epoch": "m2m_100.convert_m2m100_original_checkpoint_to_pytorch",
}


def _archive(path: Path, head: bytes) -> str:
    """Tell whose training wrote a torch file, by names in it; nothing is unpickled."""
    if path.suffix not in ARCHIVES:
        return ""
    content = _pickle(path, head)
    for framework, names in FRAMEWORKS.items():
        if any(name in content for name in names):
            remedy = _conversion(path, content) if framework == "fairseq" else ANOTHER
            return f"{path.name} is a checkpoint of {framework}: {remedy}."
    return ""


def _conversion(path: Path, content: bytes) -> str:
    """Return the command for a checkpoint of fairseq, where there is one for its architecture."""
    for name, script in CONVERTERS.items():
        if name in content:
            return (
                "convert it with transformers 4, python -m "
                f"transformers.models.{script} {path.name} NEW"
            )
    return ANOTHER


def _pickle(path: Path, head: bytes) -> bytes:
    """Return the beginning of the pickle in a torch file, plain or in an archive."""
    if head.startswith(b"PK"):
        with suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith("data.pkl")]
            if names:
                with archive.open(names[0]) as file:
                    return file.read(PICKLE)
        return b""
    with path.open("rb") as file:
        return file.read(PICKLE)
