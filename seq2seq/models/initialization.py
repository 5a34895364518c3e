"""Fresh weights for training, and modules that wait for theirs from a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

FILLING = {Tensor.normal_, Tensor.uniform_, Tensor.zero_, Tensor.fill_}


class WithoutInitialization(TorchFunctionMode):
    """A context in which modules of torch.nn are made with weights that hold nothing yet.

    Torch would fill each, and on the meta device import its compiler to do so, a second's work. It
    holds for its own thread alone.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch, unless it fills a tensor: that is left as it is."""
        kwargs = kwargs or {}
        if func in FILLING or getattr(func, "__module__", "") == nn.init.__name__:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


@torch.no_grad()
def order_by_value(embedding: nn.Embedding, values: Tensor) -> None:
    """Give the last rows of an embedding vectors that are alike where their values (rows,) are.

    Cosines of random phase, from one wave over the whole range of the values to one over a few of
    them (random Fourier features, Rahimi and Recht 2007): a model then need not learn from data
    which of its tokens are neighbours.
    """
    width = embedding.embedding_dim
    span = float(values.max() - values.min())
    slowest, fastest = math.log(math.pi / span), math.log(math.pi * len(values) / span / 4)
    waves = torch.linspace(slowest, fastest, width).exp()
    phases = torch.rand(width) * 2 * math.pi
    features = torch.cos(values[:, None] * waves + phases) * (2 / width) ** 0.5
    embedding.weight[-len(values) :] = features.to(embedding.weight)


@torch.no_grad()
def initialize(model: nn.Module) -> None:
    """Glorot for matrices, small embeddings so that tied logits start small, open forget gates."""
    for name, weight in model.named_parameters():
        if "embedding" in name and weight.dim() == 2:
            nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
        elif weight.dim() > 1:
            nn.init.xavier_uniform_(weight)
        elif "bias" in name:
            nn.init.zeros_(weight)
    for module in model.modules():
        if isinstance(module, nn.LSTM):
            for name, bias in module.named_parameters():
                if "bias_ih" in name:
                    nn.init.ones_(bias.chunk(4)[1])
