"""Linear layers in eight bits, for running on a CPU: a copy of a model that shares all the rest.

Weights are rounded once, each row of a matrix by a scale of its own; inputs are rounded at every
call, each row by its own largest number, so that no row depends on the company it is in.
Where the processor can, attention over a long source is in bfloat16.
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
from seq2seq.models.transformer import DecoderLayer, TransformerDecoder, TransformerEncoder

# fbgemm is the faster one for few rows; onednn is for many rows of matrices this tall.
FEW_ROWS, MANY_ROWS, TALL, MANY = "fbgemm", "onednn", 4_096, 16
LARGEST, LEAST = 127, 1e-12
# Rounds its inputs by the scale and the zero that it is given, and returns floats. Called without
# the wrapper around operators of packed weights, which takes longer than a small product.
_MULTIPLY = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32.default._op
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
    if torch.cpu._is_avx512_bf16_supported():
        for attention in _source_attentions(copied):
            attention.rounded = torch.bfloat16
    return copied


def _source_attentions(model: Seq2Seq) -> list[MultiHead]:
    """Return what looks at the source, in the encoder and in the decoder."""
    if model.config.self_attention_shape == (0, 0):
        return []
    encoder = cast(TransformerEncoder, model.encoder)
    layers = cast("list[DecoderLayer]", list(cast(TransformerDecoder, model.decoder).layers))
    return [*encoder.self_attentions(), *(layer.attention for layer in layers)]


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
        self.in_features = weight.shape[1]
        self.bias = bias
        scales = weight.detach().float().abs().amax(dim=1).clamp(min=LEAST) / LARGEST
        self.few = _pack(weight, scales)
        self.many = _pack_tall(weight, scales) if len(weight) >= TALL else None
        # Without the newer instructions, sums of products of full bytes do not fit.
        self.largest = LARGEST if torch.cpu._is_vnni_supported() else LARGEST // 2

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs (..., in) to (..., out)."""
        rows, largest = inputs.numel() // self.in_features, self.largest
        if rows == 1:
            scale = max(float(inputs.abs().max()), LEAST) / largest
            found = _MULTIPLY(inputs, scale, largest + 1, self.few)
        else:
            scales = inputs.abs().amax(dim=-1, keepdim=True).clamp_(min=LEAST)
            if self.many is not None and rows > MANY:
                found = self._multiply_many(inputs * (largest / scales)).mul_(scales)
            else:
                found = _MULTIPLY(inputs / scales, 1 / largest, largest + 1, self.few).mul_(scales)
        return found if self.bias is None else found.add_(self.bias)

    def row(self, index: int) -> Tensor:
        """Return a row of the weight (in,) as it is multiplied."""
        weight: Tensor = self.few.unpack()[0]
        return weight[index].dequantize()

    def rounded(self, inputs: Tensor) -> Tensor:
        """Return inputs (..., in) as they are multiplied."""
        scales = inputs.abs().amax(dim=-1, keepdim=True).clamp_(min=LEAST) / self.largest
        return (inputs / scales).round_() * scales

    def _multiply_many(self, inputs: Tensor) -> Tensor:
        assert self.many is not None
        zero = self.largest + 1
        rounded = inputs.round_().add_(zero).to(torch.uint8)
        weight, scales, zeros = self.many
        return torch.ops.onednn.qlinear_pointwise.default(
            rounded, 1 / self.largest, zero, weight, scales, zeros, None,
            1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip


def as_read(layer: nn.Module, inputs: Tensor) -> Tensor:
    """Return inputs as a linear layer, in eight bits or not, multiplies them."""
    return layer.rounded(inputs) if isinstance(layer, Linear8) else inputs


def weight_row(layer: nn.Linear | Linear8, index: int) -> Tensor:
    """Return a row (in,) of the weight of a linear layer, in eight bits or not."""
    return layer.row(index) if isinstance(layer, Linear8) else layer.weight[index]


def _pack(weight: Tensor, scales: Tensor) -> Any:
    """Pack a weight (out, in), a scale for each row, for few rows of inputs."""
    zeros = torch.zeros(len(weight), dtype=torch.long)
    with _packing():
        rounded = torch.quantize_per_channel(weight.detach().float(), scales, zeros, 0, torch.qint8)
        return torch.ops.quantized.linear_prepack(rounded, None)


def _pack_tall(weight: Tensor, scales: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pack the same for many rows: the weight, its scales and where their zeros are."""
    rounded = (weight.detach().float() / scales[:, None]).round().to(torch.int8)
    zeros = torch.zeros(len(weight), dtype=torch.long)
    return torch.ops.onednn.qlinear_prepack(rounded, None), scales, zeros


@contextmanager
def _packing() -> Iterator[None]:
    """Choose the kernels to pack for; one thread at a time, as the choice holds for the process."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a later torch may drop this; the version is pinned
        before = torch.backends.quantized.engine
        torch.backends.quantized.engine = FEW_ROWS
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
