"""What training makes smaller: the decoder's cross-entropy, and perhaps a second loss."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.data import Batch
from seq2seq.model import Seq2Seq
from seq2seq.tokenizer import EOS, PAD


class Objective(nn.Module):
    """The mean loss of a batch: nats a target token, label smoothing included.

    ctc: weight of Connectionist Temporal Classification (Graves et al. 2006) of the encoder's
    states, which teaches them to follow the sound in order (Watanabe et al. 2017); 0 for none. Its
    output layer is needed for training only.
    """

    def __init__(self, model: Seq2Seq, label_smoothing: float = 0.0, ctc: float = 0.0) -> None:
        super().__init__()
        self.model, self.label_smoothing, self.ctc = model, label_smoothing, ctc
        config = model.config
        self.head = nn.Linear(config.width, config.vocabulary) if ctc else None

    def forward(self, batch: Batch) -> Tensor:
        """Return the loss of a batch on the model's device."""
        memory = self.model.encode(batch.source, batch.mask)
        logits = self.model.decoder(batch.target, memory).logits
        loss = F.cross_entropy(
            logits.flatten(0, 1).float(),
            batch.labels.flatten(),
            ignore_index=PAD,
            label_smoothing=self.label_smoothing,
        )
        if self.head is None:
            return loss
        scores = F.log_softmax(self.head(memory.states).float(), dim=-1)
        return loss + self.ctc * ctc_loss(scores, memory.mask, batch.labels)


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
