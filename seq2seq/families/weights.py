"""Other people's weight files, read into our modules: only names and storage differ.

Formats: safetensors or torch's own .bin, read without running code; one file or several shards.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from seq2seq.errors import UserError
from seq2seq.families.configs import read_json
from seq2seq.families.other_formats import describe
from seq2seq.families.pickles import is_archive
from seq2seq.models.config import TransformerConfig
from seq2seq.models.seq2seq import Seq2Seq

SAFE, UNSAFE = "model.safetensors", "pytorch_model.bin"

LAYER = re.compile(r"(encoder|decoder)\.layers\.(\d+)\.(\w+)\.(\w+)\.(weight|bias)")
PROJECTIONS = ("query", "key", "value", "output")


def _attention(block: str, theirs: str, projections: Sequence[str]) -> dict[str, str]:
    pairs = zip(PROJECTIONS, projections, strict=True)
    return {f"{block}.{ours}": f"{theirs}.{name}" for ours, name in pairs}


# Part of a layer by our name and by theirs, for the descendants of fairseq and Marian, and for T5.
PROJ = ("q_proj", "k_proj", "v_proj", "out_proj")
FAIRSEQ = {
    "encoder": _attention("attention", "self_attn", PROJ)
    | {"attention_residual.norm": "self_attn_layer_norm"},
    "decoder": _attention("self_attention", "self_attn", PROJ)
    | _attention("attention", "encoder_attn", PROJ)
    | {
        "self_attention_residual.norm": "self_attn_layer_norm",
        "attention_residual.norm": "encoder_attn_layer_norm",
    },
}
for _parts in FAIRSEQ.values():
    _parts |= {"feedforward.inner": "fc1", "feedforward.outer": "fc2"}
    _parts |= {"feedforward_residual.norm": "final_layer_norm"}

T5 = {
    "encoder": _attention("attention", "layer.0.SelfAttention", "qkvo")
    | {"attention_residual.norm": "layer.0.layer_norm"},
    "decoder": _attention("self_attention", "layer.0.SelfAttention", "qkvo")
    | _attention("attention", "layer.1.EncDecAttention", "qkvo")
    | {
        "self_attention_residual.norm": "layer.0.layer_norm",
        "attention_residual.norm": "layer.1.layer_norm",
    },
}
for _number, _parts in enumerate(T5.values(), start=1):
    _parts |= {
        "feedforward.inner": f"layer.{_number}.DenseReluDense.wi",
        "feedforward.gate": f"layer.{_number}.DenseReluDense.wi_0",
        "feedforward.outer": f"layer.{_number}.DenseReluDense.wo",
        "feedforward_residual.norm": f"layer.{_number}.layer_norm",
    }

# The rest of the names, as patterns; of several, the first that is in the file.
FAIRSEQ_REST = {
    r"encoder\.embedding\.(first|second)\.(\w+)": [r"model.encoder.conv_\1.\2"],
    r"(\w+)\.embedding\.positions\.weight": [r"model.\1.embed_positions.weight"],
    r"(\w+)\.embedding\.norm\.(\w+)": [r"model.\1.layernorm_embedding.\2"],
    r"(\w+)\.norm\.(\w+)": [r"model.\1.layer_norm.\2"],
    r"encoder\.embedding\.tokens\.weight": [
        "model.encoder.embed_tokens.weight",
        "model.shared.weight",
        "model.decoder.embed_tokens.weight",
        "lm_head.weight",
    ],
    r"decoder\.embedding\.tokens\.weight": [
        "model.decoder.embed_tokens.weight",
        "model.shared.weight",
        "proj_out.weight",
        "lm_head.weight",
    ],
    r"decoder\.output\.weight": ["lm_head.weight", "proj_out.weight"],
    r"decoder\.output\.bias": ["final_logits_bias"],
}
T5_REST = {
    r"(\w+)\.bias\.values\.weight": [
        r"\1.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
    ],
    r"(\w+)\.bias\.(\d+)\.values\.weight": [
        r"\1.block.\2.layer.0.SelfAttention.relative_attention_bias.weight"
    ],
    r"(\w+)\.norm\.weight": [r"\1.final_layer_norm.weight"],
    r"encoder\.embedding\.tokens\.weight": [
        "encoder.embed_tokens.weight",
        "shared.weight",
        "decoder.embed_tokens.weight",
        "lm_head.weight",
    ],
    r"decoder\.embedding\.tokens\.weight": ["decoder.embed_tokens.weight", "shared.weight"],
    r"decoder\.output\.weight": ["lm_head.weight"],
}
# Tensors that say nothing new: copies of a shared one, tables that are computed here.
REDUNDANT = re.compile(
    r"(model\.)?(shared|(en|de)coder\.embed_tokens|lm_head|proj_out)\.weight"
    r"|model\.(en|de)coder\.embed_positions\.weights?|final_logits_bias"
    r"|model\.(en|de)coder\.version"
    r"|decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight"
)
# What older files leave out because it is zero.
OPTIONAL = re.compile(r".*\.key\.bias|decoder\.output\.bias")
OFFSET = {
    "bart": 2,
    "mbart": 2,
    "mvp": 2,
    "plbart": 2,
}  # rows before the first position, a leftover of fairseq's padding


def names_of(ours: str, family: str, gated: bool = False) -> list[str]:
    """Return the names that a weight of ours may have in a file of that family, best first."""
    t5 = family in ("t5", "mt5", "umt5")
    if found := LAYER.fullmatch(ours):
        side, number, block, part, kind = found.groups()
        theirs = (T5 if t5 else FAIRSEQ)[side][f"{block}.{part}"]
        if gated and theirs.endswith(".wi"):
            theirs += "_1"
        return (
            [f"{side}.block.{number}.{theirs}.{kind}"]
            if t5
            else [f"model.{side}.layers.{number}.{theirs}.{kind}"]
        )
    for pattern, names in (T5_REST if t5 else FAIRSEQ_REST).items():
        if found := re.fullmatch(pattern, ours):
            numbered = (found.expand(name) for name in names)
            return [
                n.replace("conv_first", "conv1").replace("conv_second", "conv2") for n in numbered
            ]
    return []


Stored = Path | Mapping[str, Tensor]  # a folder with files of weights, or weights in memory


class Weights:
    """The tensors of a folder by name, opened but not yet read, or those of a loaded model.

    Raises UserError if there are none, or if a file is missing, damaged, or more than tensors.
    """

    def __init__(self, stored: Stored, files: ExitStack) -> None:
        self.readers: dict[str, Callable[[], Tensor]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        if isinstance(stored, Path):
            self._open(stored, files)
            return
        for name, tensor in stored.items():
            self.shapes[name] = tuple(tensor.shape)
            self.readers[name] = partial(tensor.detach)

    def _open(self, folder: Path, files: ExitStack) -> None:
        for path in _files(folder):
            if path.suffix == ".safetensors":
                self._open_safe(path, files)
            else:
                self._open_bin(path)

    def _open_safe(self, path: Path, files: ExitStack) -> None:
        try:
            file = files.enter_context(safe_open(path, framework="pt"))
            for name in file.keys():  # noqa: SIM118
                self.shapes[name] = tuple(file.get_slice(name).get_shape())
                self.readers[name] = partial(file.get_tensor, name)
        except (SafetensorError, OSError):
            raise _damaged(path) from None

    def _open_bin(self, path: Path) -> None:
        try:
            # Torch wrote no archives before version 1.6; those alone can be mapped.
            archive = is_archive(path)
            tensors = torch.load(path, map_location="cpu", weights_only=True, mmap=archive)
        except UserError:
            raise
        except pickle.UnpicklingError:
            raise UserError(
                f"The {path.name} holds more than weights, so it was not opened: use a model with "
                "safetensors."
            ) from None
        except Exception:
            raise _damaged(path) from None
        if not isinstance(tensors, dict):
            raise _damaged(path)
        # A pickle may have put something else in the place of its own method.
        for name, tensor in dict.items(tensors):
            if isinstance(name, str) and isinstance(tensor, Tensor):
                if tensor.layout != torch.strided or tensor.device.type != "cpu":
                    raise _damaged(path)
                self.shapes[name] = tuple(tensor.shape)
                self.readers[name] = partial(tensor.detach)

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a tensor of this name."""
        return name in self.readers

    def read(self, name: str) -> Tensor:
        """Return a tensor. Raises UserError if its file is cut short."""
        try:
            return self.readers[name]()
        except (SafetensorError, OSError, RuntimeError):
            raise UserError("The weights of this model are damaged: fetch them again.") from None


def _damaged(path: Path) -> UserError:
    return UserError(f"The {path.name} is damaged or of another format: fetch it again.")


def _files(folder: Path) -> Iterator[Path]:
    for name in (SAFE, UNSAFE):
        if (folder / name).is_file():
            yield folder / name
            return
        index = folder / f"{name}.index.json"
        if index.is_file():
            yield from _shards(folder, index)
            return
    neither = f"There is neither a {SAFE} nor a {UNSAFE}: fetch the whole model."
    raise UserError(describe(folder) or neither)


def _shards(folder: Path, index: Path) -> Iterator[Path]:
    try:
        names = set(read_json(index)["weight_map"].values())
    except (KeyError, AttributeError, TypeError):
        raise _damaged(index) from None
    for name in sorted(map(str, names)):
        if not re.fullmatch(r"[\w.-]+", name) or name.startswith("."):
            raise UserError(f"The {index.name} names a file outside the model: do not use it.")
        if not (folder / name).is_file():
            raise UserError(f"The weights lack the file {name}: fetch the whole model.")
        yield folder / name


def separate_matrices(stored: Stored, family: str) -> dict[str, bool]:
    """Return what a config has to say of token matrices that are not one: only the files know.

    "tied" is False where the output matrix is one of its own, as T5 1.1's, "shared" where the sides
    have one each; neither is named where they are one.
    """
    with ExitStack() as files:
        weights = Weights(stored, files)

        def first(ours: str) -> str | None:
            return next((name for name in names_of(ours, family) if name in weights), None)

        source = first("encoder.embedding.tokens.weight")
        target = first("decoder.embedding.tokens.weight") or source
        output = first("decoder.output.weight") or target
        found = {}
        if not _same(weights, source, target):
            found["shared"] = False
        if not _same(weights, target, output):
            found["tied"] = False
        return found


def _same(weights: Weights, one: str | None, other: str | None) -> bool:
    """Tell whether two tensors are one, or one of them is not there."""
    if one is None or other is None or one == other:
        return True
    return weights.shapes[one] == weights.shapes[other] and torch.equal(
        weights.read(one), weights.read(other)
    )


def read_weights(
    stored: Stored, model: Seq2Seq, family: str, dtype: torch.dtype
) -> dict[str, Tensor]:
    """Return a tensor for every weight of the model, by our names.

    Raises UserError for what is missing, left over, of another shape or not finite.
    """
    gated = cast(TransformerConfig, model.config).gated
    result, used = {}, set()
    with ExitStack() as files:
        weights = Weights(stored, files)
        for name, weight in model.named_parameters():
            theirs = _theirs(name, names_of(name, family, gated), weights)
            if theirs is None:
                result[name] = torch.zeros(weight.shape, dtype=dtype)
                continue
            used.add(theirs)
            tensor = _as_ours(name, theirs, weights.read(theirs), family)
            _check_shape(theirs, tensor, weight)
            tensor = _finite(theirs, tensor.to(dtype))
            # torch's kernels want aligned memory, which a mapped file does not promise.
            result[name] = tensor.clone() if tensor.data_ptr() % 64 else tensor
        left = sorted(n for n in weights.shapes.keys() - used if not REDUNDANT.fullmatch(n))
    if left:
        raise UserError(
            f"There is a weight {left[0]} that the config does not know: the two are not from the "
            "same model."
        )
    return result


def _theirs(name: str, candidates: Sequence[str], weights: Weights) -> str | None:
    """Return the name that a weight of ours has in a file, None if it may be absent and is."""
    for candidate in candidates:
        if candidate in weights:
            return candidate
    if OPTIONAL.fullmatch(name):
        return None
    raise UserError(
        f"The weights lack what a model of this config calls {(candidates or [name])[0]}: "
        "the two are not from the same model."
    )


def _as_ours(name: str, theirs: str, tensor: Tensor, family: str) -> Tensor:
    """Return a weight of a file in the form in which a model of ours has it."""
    if not tensor.is_floating_point():
        raise UserError(
            f"The weight {theirs} is stored in whole numbers: choose a model that was not "
            "quantized."
        )
    if name.endswith("embedding.positions.weight") and family in OFFSET:
        tensor = tensor[OFFSET[family] :]
    return tensor.reshape(-1) if name == "decoder.output.bias" else tensor


def _check_shape(theirs: str, tensor: Tensor, ours: Tensor) -> None:
    if tensor.shape != ours.shape:
        raise UserError(
            f"The weight {theirs} is of shape {list(tensor.shape)} where the config says "
            f"{list(ours.shape)}: the two are not from the same model."
        )


def _finite(theirs: str, tensor: Tensor) -> Tensor:
    # The extremes tell, and take no memory of the tensor's size.
    if tensor.numel() and not torch.isfinite(torch.stack(tensor.aminmax())).all():
        raise UserError(
            f"The weight {theirs} holds numbers that are not finite: fetch the model again."
        )
    return tensor
