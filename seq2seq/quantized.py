"""Linear layers in eight bits for the search on a CPU: a copy of a model that shares the rest."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from seq2seq.model import Seq2Seq


class Int8Linear(nn.Module):
    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.in_features, self.out_features = weight.shape[1], weight.shape[0]
        scale = weight.abs().amax(dim=1).clamp(min=1e-12) / 127
        zeros = torch.zeros(len(weight), dtype=torch.long)
        torch.backends.quantized.engine = "fbgemm"
        q = torch.quantize_per_channel(weight.detach(), scale, zeros, 0, torch.qint8)
        self.packed = torch.ops.quantized.linear_prepack(q, None if bias is None else bias.detach())

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.ops.quantized.linear_dynamic(inputs, self.packed)


def quantize(model: Seq2Seq) -> Seq2Seq:
    return _copy(model)


def _copy(module):
    if type(module) is nn.Linear:
        return Int8Linear(module.weight, module.bias)
    copied = copy.copy(module)
    copied._modules = {name: _copy(child) for name, child in module._modules.items()}
    return copied
