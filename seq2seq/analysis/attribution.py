"""What the source did for each output token, measured beside attention.

Two ways: leave a word out and see what the token loses; or follow the gradient back to the source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.func import functional_call

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.batching import pad
from seq2seq.errors import UserError
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.inputs import fit_tokenizer
from seq2seq.trace import Trace

BATCH = 32


@dataclass(frozen=True, eq=False)
class Attribution:
    """What source words meant for output tokens; all arrays are (target, words).

    attention: summed over a word's tokens, mean over layers and heads, None for a model without.
    occlusion: by how much the token's log-probability falls where the word is not there (Li et al.
    2016). gradient: |gradient times input| of the log-probability, summed over a word's tokens and
    divided by the row's sum (Denil et al. 2014).
    """

    attention: np.ndarray | None
    occlusion: np.ndarray
    gradient: np.ndarray


def attribute(
    checkpoint: Checkpoint,
    trace: Trace,
    on_pass: Callable[[int, int], object] = lambda done, total: None,
) -> Attribution:
    """Measure what each source word meant for each token of a trace's output.

    on_pass is called with the passes done and their number. Raises UserError for a recording, and
    for the run of another model.
    """
    if trace.position_seconds:
        raise UserError("A recording has no words to leave out: choose a model that reads text.")
    checkpoint = fit_tokenizer(checkpoint, trace.source.text, trace.options)
    config = checkpoint.model.config
    known = max(trace.target.ids) < config.vocabulary
    known &= max(trace.source.ids) < (config.source_vocabulary or config.vocabulary)
    pieces = checkpoint.tokenizer.pieces(trace.target.ids) if known else ()
    if pieces != trace.target.pieces:
        raise UserError("This run was made by another model: run it again.")
    begun = decoder_prompt(checkpoint, trace.options)
    read = torch.tensor([begun.before(trace.target.ids)], device=checkpoint.device)
    prompt, batches = begun.steps, -(-(max(trace.source.words) + 1) // BATCH)
    total = batches + len(trace.target)
    occlusion = _occlusion(checkpoint, trace, read, prompt, lambda n: on_pass(n, total))
    gradient = _gradients(checkpoint, trace, read, prompt, lambda n: on_pass(batches + n, total))
    return Attribution(
        None if trace.attention is None else _attention(trace),
        occlusion,
        _by_word(trace, gradient),
    )


def gradient_shares(checkpoint: Checkpoint, trace: Trace, every: int = 1) -> np.ndarray:
    """Return the `gradient` of an Attribution alone: (target, words).

    every: only every n-th token of the output, from the first on; each takes a backward pass.
    """
    begun = decoder_prompt(checkpoint, trace.options)
    read = torch.tensor([begun.before(trace.target.ids)], device=checkpoint.device)
    gradient = _gradients(checkpoint, trace, read, begun.steps, lambda row: None, every)
    return _by_word(trace, gradient)


def leave_one_out(checkpoint: Checkpoint, trace: Trace) -> np.ndarray:
    """Return the occlusion of `Attribution` alone, (target, words): one pass for 32 words."""
    prompt = decoder_prompt(checkpoint, trace.options)
    read = torch.tensor([prompt.before(trace.target.ids)], device=checkpoint.device)
    return _occlusion(checkpoint, trace, read, prompt.steps, lambda _: None)


def agreement(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return Spearman's rank correlation of each row (target,) of two arrays (target, words).

    It is 0 where a row is the same everywhere, and has no ranks.
    """
    found = [
        0.0 if np.ptp(a) == 0 or np.ptp(b) == 0 else float(spearmanr(a, b).statistic)
        for a, b in zip(left, right, strict=True)
    ]
    return np.array(found)


def _by_word(trace: Trace, gradient: np.ndarray) -> np.ndarray:
    """Sum over the tokens of each source word, and divide each row by its sum."""
    summed = gradient @ _membership(trace)
    shares: np.ndarray = summed / np.maximum(summed.sum(axis=1, keepdims=True), 1e-12)
    return shares


def _membership(trace: Trace) -> np.ndarray:
    """Return 1 where a source token (rows) belongs to a word (columns)."""
    numbers = np.array(trace.source.words)
    return np.equal.outer(numbers, np.arange(numbers.max() + 1)).astype(np.float64)


def _attention(trace: Trace) -> np.ndarray:
    assert trace.attention is not None
    return trace.attention.astype(np.float64).mean(axis=(1, 2)) @ _membership(trace)


@torch.inference_mode()
def _occlusion(
    checkpoint: Checkpoint,
    trace: Trace,
    read: Tensor,
    prompt: int,
    on_batch: Callable[[int], object],
) -> np.ndarray:
    numbers, ids = np.array(trace.source.words), np.array(trace.source.ids)
    words = numbers.max() + 1
    shorter = [ids[numbers != word].tolist() for word in range(words)]
    losses = np.zeros((words, len(trace.target)))
    for batch, first in enumerate(range(0, words, BATCH)):
        # A source of one word leaves nothing behind, and nothing cannot be read.
        kept = [n for n in range(first, min(first + BATCH, words)) if shorter[n]]
        if kept:
            sources = pad([shorter[n] for n in kept], checkpoint.model.config.pad)
            logits = checkpoint.searcher(sources.to(checkpoint.device), read.expand(len(kept), -1))
            scores = _chosen(logits[:, prompt:], trace)
            losses[kept] = trace.log_probabilities - scores.cpu().double().numpy()
        on_batch(batch + 1)
    return losses.T


def _chosen(logits: Tensor, trace: Trace) -> Tensor:
    """Return the log-probabilities (rows, target) of the output's own tokens."""
    target = torch.tensor(trace.target.ids, device=logits.device).expand(len(logits), -1)
    return logits.float().log_softmax(dim=-1).gather(2, target.unsqueeze(2)).squeeze(2)


def _gradients(
    checkpoint: Checkpoint,
    trace: Trace,
    read: Tensor,
    prompt: int,
    on_row: Callable[[int], object],
    every: int = 1,
) -> np.ndarray:
    """Return |gradient times input| (target, source) of each token's log-probability."""
    model, ids = checkpoint.model, torch.tensor(trace.source.ids, device=checkpoint.device)
    name, table = _source_table(model.encoder)
    # The encoder reads positions of a table that holds this source's vectors alone: so the
    # gradient is by token, and no module has to be changed for it.
    vectors = table.weight[ids].detach().clone().requires_grad_()
    # Place 0 is left empty, since an encoder that counts from the end takes id 0 for padding.
    places = torch.arange(1, len(ids) + 1, device=ids.device).unsqueeze(0)
    # On a GPU the fused recurrent kernels have no way back outside of training.
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
        mask = (ids != model.config.pad).unsqueeze(0)
        shifted = F.pad(vectors, (0, 0, 1, 0))
        memory = functional_call(model.encoder, {f"{name}.weight": shifted}, (places, mask))
        if memory.source is not None:
            memory = memory._replace(source=ids.unsqueeze(0))
        memory = memory._replace(keys=model.decoder.prepare(memory))
        scores = _chosen(model.decoder(read, memory).logits[:, prompt:], trace)[0][::every]
        rows = []
        for step, score in enumerate(scores):
            more = step + 1 < len(scores)
            (gradient,) = torch.autograd.grad(score, vectors, retain_graph=more)
            rows.append((gradient * vectors).sum(dim=1).abs().detach())
            on_row(step + 1)
    return torch.stack(rows).cpu().double().numpy()


def _source_table(encoder: nn.Module) -> tuple[str, nn.Embedding]:
    """Find the table of token vectors that an encoder reads from, and its name."""
    tables = [
        (name, module)
        for name, module in encoder.named_modules()
        if isinstance(module, nn.Embedding) and "position" not in name and "bias" not in name
    ]
    (found,) = tables
    return found
