"""What training makes smaller: the decoder's cross-entropy, and for speech two losses more."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.data.batching import Batch
from seq2seq.data.tokenizer import EOS, PAD
from seq2seq.errors import UserError
from seq2seq.models.protocol import Memory, select
from seq2seq.models.recurrent import RecurrentDecoder
from seq2seq.models.seq2seq import Seq2Seq
from seq2seq.training.cross_entropy import copy_cross_entropy, cross_entropy

CONTRASTED, MARGIN = 4, 0.5  # one batch in so many; nats a token
NEAR = 3  # source positions around those where CTC hears a token that attention may look at


class Objective(nn.Module):
    """The mean loss of a batch: nats a target token, label smoothing included.

    ctc: weight of Connectionist Temporal Classification (Graves et al. 2006) of the encoder's
    states, which teaches them to follow the sound in order (Watanabe et al. 2017); 0 for none. Its
    output layer is needed for training only. guide: weight of a loss that draws attention to where
    CTC hears each token; the idea is that of guided attention (Tachibana et al. 2018). It helps
    once CTC hears something, and harms before.
    hide: see hidden. contrast: weight of the loss by which a target is less probable after the
    source of another row, for one batch in CONTRASTED; see contrast_loss.
    Raises UserError for a guide without CTC or without attention.
    """

    def __init__(
        self,
        model: Seq2Seq,
        label_smoothing: float = 0.0,
        ctc: float = 0.0,
        guide: float = 0.0,
        hide: float = 0.0,
        contrast: float = 0.0,
    ) -> None:
        super().__init__()
        config = model.config
        if guide and not (ctc and config.cross_attention_shape == (1, 1)):
            raise UserError("The recipe's guide needs ctc, and attention of one layer and head.")
        self.model, self.label_smoothing, self.ctc, self.guide = model, label_smoothing, ctc, guide
        self.hide, self.contrast = hide, contrast
        self.head = nn.Linear(config.width, config.vocabulary) if ctc else None

    def forward(self, batch: Batch, guided: bool = True) -> Tensor:
        """Return the loss of a batch on the model's device."""
        memory = self.model.encode(batch.source, batch.mask)
        if self.hide:
            memory = hidden(memory, self.hide)
        if self._copies_alone:
            return self._copy_loss(batch, memory)
        steps = self.model.decoder(batch.target, memory)
        logits, labels = steps.logits.flatten(0, 1), batch.labels.flatten()
        loss = cross_entropy(logits, labels, self.label_smoothing)
        if self.contrast and len(batch.labels) > 1 and torch.rand(()) < 1 / CONTRASTED:
            other = select(memory, torch.arange(len(batch.labels), device=labels.device).roll(1))
            wrong = self.model.decoder(batch.target, other).logits
            loss = loss + self.contrast * contrast_loss(steps.logits, wrong, batch.labels)
        if self.head is None:
            return loss
        scores = F.log_softmax(self.head(memory.states).float(), dim=-1)
        loss = loss + self.ctc * ctc_loss(scores, memory.mask, batch.labels)
        if self.guide and guided:
            heard = best_path(scores.detach(), memory.mask, batch.labels)
            loss = loss + self.guide * guide_loss(steps.weights[:, :, 0, 0], heard, batch.labels)
        return loss

    @property
    def _copies_alone(self) -> bool:
        """Whether the decoder copies and nothing but its probabilities of the labels is needed."""
        further = self.label_smoothing or self.contrast or self.ctc
        return getattr(self.model.config, "copies", False) and not further and self.training

    def _copy_loss(self, batch: Batch, memory: Memory) -> Tensor:
        decoder = self.model.decoder
        assert isinstance(decoder, RecurrentDecoder)
        mixed = decoder.unmixed(batch.target, memory, batch.labels)
        flat = mixed.logits.flatten(0, 1), mixed.switch.flatten(), mixed.copied.flatten()
        return copy_cross_entropy(*flat, batch.labels.flatten())


def hidden(memory: Memory, share: float) -> Memory:
    """Return a memory whose states attention sees in part, so that it must not rest on a few.

    share: of each row's positions that are hidden; of rows, that also begin with no state of the
    encoder and hide their first two positions. The backward halves of these have read the whole
    source, and serve as a summary of it where nothing is hidden, as the final state does. One
    position at least is seen. It is dropout (Srivastava et al. 2014) of whole positions.
    """
    rows, positions = memory.mask.shape
    drawn = torch.rand((rows, positions), device=memory.mask.device)
    begins = torch.rand((rows, 1), device=memory.mask.device) >= share
    seen = memory.mask & (drawn >= share)
    seen[:, :2] &= begins
    drawn[:, :2] -= 1  # chosen only where a row has no other position
    most = drawn.masked_fill(~memory.mask, -2.0).argmax(dim=1, keepdim=True)
    seen.scatter_(1, most, True)
    final = tuple(part * begins[:, :, None] for part in memory.final)
    return memory._replace(mask=seen, final=final)


def contrast_loss(right: Tensor, wrong: Tensor, labels: Tensor) -> Tensor:
    """Return by how much targets lack a margin over what they are after a wrong source.

    right, wrong: logits (rows, target, vocabulary) after each row's source and after another's.
    labels: (rows, target). The hinge of MARGIN nats a token and the difference of the mean
    log-probabilities: the training's side of maximum mutual information (Li et al. 2016, section
    4.1), as a max-margin loss.
    """
    counts = (labels != PAD).sum(dim=1).clamp(min=1)
    losses = [
        F.cross_entropy(logits.transpose(1, 2).float(), labels, ignore_index=PAD, reduction="none")
        for logits in (right, wrong)
    ]
    cost, other = (each.sum(dim=1) / counts for each in losses)
    return F.relu(MARGIN + cost - other).mean()


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
