"""A model while it learns: what it writes, where it looks, and how far its gradient reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.checkpoint import OwnTokenizer
from seq2seq.data.batching import Batch, Example, collate
from seq2seq.data.tasks import TextTask
from seq2seq.evaluation.exact_match import longest_output, outputs
from seq2seq.models.seq2seq import Seq2Seq

ALIGNED = 60  # held-out examples whose attention is compared with where the tokens come from


@dataclass(frozen=True)
class Written:
    """One held-out example: source, target and output as pieces.

    weights: (output and its end, source and its end), the mean over layers and heads; None without
    attention.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    output: tuple[str, ...]
    weights: np.ndarray | None

    @property
    def source_text(self) -> str:
        """The source as it was given, whatever the pieces are."""
        return "".join(self.source).replace("▁", " ").strip()


def written(
    model: Seq2Seq, tokenizer: OwnTokenizer, examples: Sequence[Example]
) -> tuple[Written, ...]:
    """Return what a model in eval mode writes, greedily, and where it looks while it does."""
    found = outputs(model, [example.source for example in examples], longest_output(examples))
    return tuple(
        Written(
            tokenizer.source_pieces(example.source),
            tokenizer.pieces(example.target),
            tokenizer.pieces(output),
            attention_of(model, Example(example.source, output)),
        )
        for example, output in zip(examples, found, strict=True)
    )


@torch.inference_mode()
def attention_of(model: Seq2Seq, example: Example) -> np.ndarray | None:
    """Return the cross-attention (target and EOS, source and EOS), None without attention.

    It is the mean over layers and heads, under teacher forcing.
    """
    batch = collate([example]).to(_device(model))
    weights = model.decoder(batch.target, model.encode(batch.source), record=True).weights
    return None if weights is None else weights[0].mean(dim=(1, 2)).float().cpu().numpy()


def aligned_share(model: Seq2Seq, task: TextTask, examples: Sequence[Example]) -> float | None:
    """Return the mean weight on the source token that each target token is made from.

    None without attention, or where the task has no such rule. The end token does not count.
    """
    if not (task.order and model.config.has_attention):
        return None
    found = []
    for example in examples[:ALIGNED]:
        weights = attention_of(model, example)
        assert weights is not None
        for step in range(len(example.target)):
            place = task.source_of(step, len(example.source))
            found.append(weights[step, place])
    return float(np.mean(found))


def gradient_by_distance(model: Seq2Seq, examples: Sequence[Example]) -> tuple[float, ...]:
    """Return how much each source token matters to the first output token, by its distance.

    The norm of the gradient of that token's loss at the source token's vector, mean over the
    examples of the commonest length. The first number is of the last source token, which a
    recurrent encoder read just before it ended (Pascanu et al. 2013, section 2).
    """
    lengths = [len(example.source) for example in examples]
    commonest = max(set(lengths), key=lambda length: (lengths.count(length), length))
    batch = collate([each for each in examples if len(each.source) == commonest])
    vectors, loss = _first_loss(model, batch.to(_device(model)))
    (gradient,) = torch.autograd.grad(loss, vectors)
    norms = gradient[:, :commonest].float().norm(dim=2).mean(dim=0)
    return tuple(float(norm) for norm in norms.flip(0) * len(batch.source))


def _first_loss(model: Seq2Seq, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the vectors (rows, source, width) that the encoder reads, and the first loss."""
    kept: list[Tensor] = []

    def keep(part: nn.Module, given: object, vectors: Tensor) -> None:
        kept.append(vectors)

    embedding = model.encoder.embedding
    assert isinstance(embedding, nn.Module)
    hook = embedding.register_forward_hook(keep)
    try:
        # cuDNN has no gradient through a recurrent net in eval mode.
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            logits = model(batch.source, batch.target[:, :1])
    finally:
        hook.remove()
    return kept[0], F.cross_entropy(logits[:, 0].float(), batch.labels[:, 0])


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
