"""Cross-entropy on held-out examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.batching import Batch, Example, collate, pad, plan_batches
from seq2seq.data.parallel_corpus import Pair
from seq2seq.data.speech_corpus import Spoken, collate_speech, plan_speech
from seq2seq.data.tokenizer import PAD, Unigram
from seq2seq.data.tokenizer_pair import TokenizerPair
from seq2seq.decoding.options import Options
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.models.protocol import Memory
from seq2seq.models.seq2seq import Seq2Seq

IGNORED = -100  # a label that cross_entropy does not count


class SummedLoss(NamedTuple):
    """Cross-entropy in nats, over so many reference tokens."""

    nats: float = 0.0
    tokens: int = 0

    def plus(self, other: SummedLoss) -> SummedLoss:
        """Return the sum over the tokens of both."""
        return SummedLoss(self.nats + other.nats, self.tokens + other.tokens)


@torch.inference_mode()
def memory_loss(
    checkpoint: Checkpoint, memory: Memory, texts: Sequence[str], options: Options
) -> SummedLoss:
    """Sum the cross-entropy of the reference of each row of a memory, under teacher forcing."""
    config, device = checkpoint.model.config, checkpoint.device
    targets = [checkpoint.tokenizer.encode_target(text) for text in texts]
    begun = decoder_prompt(checkpoint, options)
    prompt = [*begun.start, *begun.forced_tokens]
    read = pad([[*prompt, *target] for target in targets], config.pad).to(device)
    skipped = [IGNORED] * (len(prompt) - 1)
    labels = pad([[*skipped, *target, config.eos] for target in targets], IGNORED).to(device)
    scores = checkpoint.model.decoder(read, memory).logits.flatten(0, 1).float()
    nats = float(F.cross_entropy(scores, labels.flatten(), reduction="sum"))
    return SummedLoss(nats, int((labels != IGNORED).sum()))


def encode_pairs(
    tokenizer: Unigram | TokenizerPair, pairs: Sequence[Pair], alpha: float | None = None
) -> list[Example]:
    """Split pairs into ids, by sampling where alpha is given."""
    source = target = tokenizer
    if isinstance(tokenizer, TokenizerPair):
        source, target = tokenizer.source, tokenizer.target
    assert isinstance(source, Unigram)
    assert isinstance(target, Unigram)
    sources = source.encode_all([pair.source for pair in pairs], alpha)
    targets = target.encode_all([pair.target for pair in pairs], alpha)
    return [Example(*both) for both in zip(sources, targets, strict=True)]


def corpus_loss(model: Seq2Seq, examples: Sequence[Example], tokens: int = 4_000) -> float:
    """Return the cross-entropy in nats a target token, EOS included, under teacher forcing."""
    plan = plan_batches(examples, tokens, seed=0)
    return mean_loss(model, (collate([examples[n] for n in numbers]) for numbers in plan))


def speech_loss(model: Seq2Seq, examples: Sequence[Spoken], frames: int = 20_000) -> float:
    """Return the same for recordings."""
    plan = plan_speech(examples, frames, seed=0)
    return mean_loss(model, (collate_speech([examples[n] for n in numbers]) for numbers in plan))


@torch.inference_mode()
def mean_loss(model: Seq2Seq, batches: Iterable[Batch]) -> float:
    """Return the loss of batches in nats a target token, padding left out."""
    device = next(model.parameters()).device
    total, count = 0.0, 0
    for batch in batches:
        total += float(token_loss(model, batch, device).sum())
        count += int((batch.labels != PAD).sum())
    return total / count


def token_loss(model: nn.Module, batch: Batch, device: torch.device) -> torch.Tensor:
    """Return the loss of each target token (rows x target,), 0 on padding."""
    batch = batch.to(device)
    logits = model(batch.source, batch.target, batch.mask)
    return F.cross_entropy(
        logits.flatten(0, 1).float(),
        batch.labels.flatten(),
        ignore_index=PAD,
        reduction="none",
    )
