"""Linear layers in eight bits, for searching on a CPU: a copy of a model that shares all the rest.

Weights are rounded once, each row of a matrix by a scale of its own; inputs are rounded at every
call, all rows by one scale, so that a sentence may come out a little differently in other company.
What is shown of a run is not computed here: the record pass keeps the float weights.
"""

from __future__ import annotations

import copy
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

from seq2seq.models.attention import MultiHead
from seq2seq.models.recurrent import RecurrentDecoder, Stack
from seq2seq.models.seq2seq import Seq2Seq
from seq2seq.models.transformer import TransformerDecoder, TransformerEncoder

# fbgemm is the faster one for few rows; onednn is for many rows of matrices this tall.
FEW_ROWS, MANY_ROWS, TALL, MANY = "fbgemm", "onednn", 4_096, 16
LARGEST = 127
_LOCK = threading.Lock()


def available() -> bool:
    """Tell whether this machine has the kernels: x86 has."""
    return {FEW_ROWS, MANY_ROWS} <= set(torch.backends.quantized.supported_engines)


def quantize(model: Seq2Seq) -> Seq2Seq:
    """Return a copy of a model on the CPU that multiplies in eight bits; it cannot be trained.

    Embeddings, norms, fused recurrent kernels and the like are those of the model itself: the copy
    adds a third of its memory, or half where tall matrices are packed for both kernels.
    """
    copied = cast(Seq2Seq, _copy(model))
    if model.config.has_final_state:
        stack = cast(RecurrentDecoder, copied.decoder).stack
        stack.gates = _gates(stack)
    for original, joined in zip(_self_attentions(model), _self_attentions(copied), strict=True):
        _join(original, joined)
    return copied


def _self_attentions(model: Seq2Seq) -> list[MultiHead]:
    if model.config.self_attention_shape == (0, 0):
        return []
    encoder, decoder = (
        cast(TransformerEncoder, model.encoder),
        cast(TransformerDecoder, model.decoder),
    )
    return [*encoder.self_attentions(), *decoder.self_attentions()]


class Linear8(nn.Module):
    """A linear layer whose weight (out, in) is stored and multiplied in eight bits."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.few = _pack(weight, bias, FEW_ROWS)
        self.many = _pack(weight, bias, MANY_ROWS) if len(weight) >= TALL else None
        # Without the newer instructions, sums of products of full bytes do not fit.
        self.reduced = not torch.cpu._is_vnni_supported()

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs (..., in) to (..., out)."""
        many = self.many is not None and inputs.numel() > MANY * self.in_features
        packed = self.many if many else self.few
        return torch.ops.quantized.linear_dynamic(inputs, packed, self.reduced)


def _pack(weight: Tensor, bias: Tensor | None, engine: str) -> Any:
    weight = weight.detach().float()
    scales = weight.abs().amax(dim=1).clamp(min=1e-12) / LARGEST
    zeros = torch.zeros(len(weight), dtype=torch.long)
    with _packing_for(engine):
        rounded = torch.quantize_per_channel(weight, scales, zeros, 0, torch.qint8)
        return torch.ops.quantized.linear_prepack(rounded, bias)


@contextmanager
def _packing_for(engine: str) -> Iterator[None]:
    """Choose the kernels to pack for; one thread at a time, as the choice holds for the process."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a later torch may drop this; the version is pinned
        before = torch.backends.quantized.engine
        torch.backends.quantized.engine = engine
        try:
            yield
        finally:
            torch.backends.quantized.engine = before


def _copy(module: Any) -> Any:
    """Copy a module and those inside it; their weights stay where they are."""
    if type(module) is nn.Linear:
        return Linear8(module.weight, module.bias)
    if type(module) is nn.Dropout:
        return nn.Identity()
    copied = copy.copy(module)
    copied._modules = {
        name: None if child is None else _copy(child) for name, child in module._modules.items()
    }
    return copied


def _join(original: MultiHead, copied: nn.Module) -> None:
    """Let self-attention read queries, keys and values with one matrix."""
    parts = (original.query, original.key, original.value)
    biases = [part.bias.detach() for part in parts if part.bias is not None]
    weight = torch.cat([part.weight.detach() for part in parts])
    copied.joint = Linear8(weight, torch.cat(biases) if biases else None)
    copied.query = copied.key = copied.value = nn.Identity()


def _gates(stack: Stack) -> nn.ModuleList:
    """Return, for each layer, what multiplies its input and what multiplies its state."""
    return nn.ModuleList(
        nn.ModuleList([Linear8(weights[0], weights[2]), Linear8(weights[1], weights[3])])
        for weights in stack.sequence.all_weights
    )
