"""What training makes smaller: the decoder's cross-entropy, and for speech two losses more."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.data.batching import Batch
from seq2seq.data.tokenizer import EOS, PAD
from seq2seq.errors import UserError
from seq2seq.models.seq2seq import Seq2Seq
from seq2seq.training.cross_entropy import cross_entropy

NEAR = 3  # source positions around those where CTC hears a token that attention may look at


class Objective(nn.Module):
    """The mean loss of a batch: nats a target token, label smoothing included.

    ctc: weight of Connectionist Temporal Classification (Graves et al. 2006) of the encoder's
    states, which teaches them to follow the sound in order (Watanabe et al. 2017); 0 for none. Its
    output layer is needed for training only. guide: weight of a loss that draws attention to where
    CTC hears each token; the idea is that of guided attention (Tachibana et al. 2018). It helps
    once CTC hears something, and harms before.
    Raises UserError for a guide without CTC or without attention.
    """

    def __init__(
        self, model: Seq2Seq, label_smoothing: float = 0.0, ctc: float = 0.0, guide: float = 0.0
    ) -> None:
        super().__init__()
        config = model.config
        if guide and not (ctc and config.cross_attention_shape == (1, 1)):
            raise UserError("The recipe's guide needs ctc, and attention of one layer and head.")
        self.model, self.label_smoothing, self.ctc, self.guide = model, label_smoothing, ctc, guide
        self.head = nn.Linear(config.width, config.vocabulary) if ctc else None

    def forward(self, batch: Batch, guided: bool = True) -> Tensor:
        """Return the loss of a batch on the model's device."""
        memory = self.model.encode(batch.source, batch.mask)
        steps = self.model.decoder(batch.target, memory)
        logits, labels = steps.logits.flatten(0, 1), batch.labels.flatten()
        loss = cross_entropy(logits, labels, self.label_smoothing)
        if self.head is None:
            return loss
        scores = F.log_softmax(self.head(memory.states).float(), dim=-1)
        loss = loss + self.ctc * ctc_loss(scores, memory.mask, batch.labels)
        if self.guide and guided:
            heard = best_path(scores.detach(), memory.mask, batch.labels)
            loss = loss + self.guide * guide_loss(steps.weights[:, :, 0, 0], heard, batch.labels)
        return loss


def ctc_loss(scores: Tensor, mask: Tensor, labels: Tensor) -> Tensor:
    """Return the CTC loss in nats a label; padding's id is the blank.

    scores: (rows, source, vocabulary), log-probabilities. mask: (rows, source). labels: (rows,
    target) with EOS, which has no sound. Rows with too few positions for their labels count as 0.
    """
    spoken = (labels != PAD) & (labels != EOS)
    lengths = spoken.sum(dim=1)
    losses = F.ctc_loss(
        scores.transpose(0, 1),
        labels,
        mask.sum(dim=1),
        lengths,
        blank=PAD,
        reduction="none",
        zero_infinity=True,
    )
    return losses.sum() / torch.clamp(lengths.sum(), min=1)


@torch.no_grad()
def best_path(scores: Tensor, mask: Tensor, labels: Tensor) -> Tensor:
    """Tell where each label is heard on CTC's most probable path (Viterbi): (rows, target, source).

    Arguments as for ctc_loss. No position is True for EOS, for padding, and in rows with too few
    positions for their labels.
    """
    rows, target = labels.shape
    spoken = (labels != PAD) & (labels != EOS)
    # Between the labels, and around them, there are blanks: state 2i + 1 is label i.
    states = torch.full((rows, 2 * target + 1), PAD, device=labels.device)
    states[:, 1::2] = labels.masked_fill(~spoken, PAD)
    jumps = (states != PAD) & (states != F.pad(states, (2, 0), value=-1)[:, :-2])
    emitted = scores.gather(2, states[:, None].expand(-1, scores.shape[1], -1))
    total = emitted[:, 0].clone()
    total[:, 2:] = -torch.inf
    came_by = []  # how many states each step went forward
    for time in range(1, scores.shape[1]):
        one = F.pad(total, (1, 0), value=-torch.inf)[:, :-1]
        two = F.pad(total, (2, 0), value=-torch.inf)[:, :-2].masked_fill(~jumps, -torch.inf)
        best, step = torch.stack([total, one, two]).max(dim=0)
        inside = mask[:, time, None]
        total = torch.where(inside, best + emitted[:, time], total)
        came_by.append(step * inside)
    ends = 2 * spoken.sum(dim=1, keepdim=True)
    before = (ends - 1).clamp(min=0)
    state = torch.where(total.gather(1, before) > total.gather(1, ends), before, ends)
    possible = total.gather(1, state).isfinite()
    path = [state]
    for step in reversed(came_by):
        state = state - step.gather(1, state)
        path.append(state)
    numbers = torch.arange(1, 2 * target, 2, device=labels.device)
    heard = torch.cat(path[::-1], dim=1)[:, None] == numbers[:, None]
    return heard & mask[:, None] & (spoken & possible)[:, :, None]


def guide_loss(weights: Tensor, heard: Tensor, labels: Tensor) -> Tensor:
    """Return how little attention falls near where each token is heard: nats a target token.

    weights, heard: (rows, target, source). labels: (rows, target).
    """
    near = F.max_pool1d(heard.float(), 2 * NEAR + 1, stride=1, padding=NEAR)
    inside = (weights.float() * near).sum(dim=2)
    losses = -torch.log(inside.clamp(min=1e-4)) * heard.any(dim=2)
    return losses.sum() / (labels != PAD).sum()
