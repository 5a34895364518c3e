"""The encoder of sound: convolutions that make one state of four frames, then a recurrent stack.

The listener of "Listen, Attend and Spell" (Chan et al. 2016), with convolutions (Zhang et al. 2017)
in place of its pyramid.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.models.protocol import Memory
from seq2seq.models.recurrent import Stack

CHANNELS = 32


class Subsampling(nn.Module):
    """Two convolutions over time and frequency, each of which halves both."""

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, CHANNELS, 3, stride=2, padding=1)
        self.second = nn.Conv2d(CHANNELS, CHANNELS, 3, stride=2, padding=1)
        self.width = CHANNELS * -(-bins // 4)

    def forward(self, frames: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Turn frames (rows, frames, bins) into (rows, ceil(frames / 4), width), with their mask.

        Padding reads as zeros, as what lies beyond the ends does: it changes nothing.
        """
        image = frames.unsqueeze(1)
        for convolution in (self.first, self.second):
            image = F.relu(convolution(image * mask[:, None, :, None]))
            mask = mask[:, ::2]
        return image.transpose(1, 2).flatten(2), mask


class AudioEncoder(nn.Module):
    """Reads log-mel frames into one state for each 40 ms."""

    def __init__(self, front: Subsampling, stack: Stack, dropout: float = 0.0) -> None:
        super().__init__()
        self.front = front
        self.stack = stack
        self.dropout = nn.Dropout(dropout)

    def forward(self, source: Tensor, mask: Tensor, record: bool = False) -> Memory:
        """Encode source (rows, frames, bins); mask (rows, frames) is True where there is sound.

        The mask of the memory is that of its states: a quarter as long.
        """
        vectors, mask = self.front(source, mask)
        lengths = None if bool(mask.all()) else mask.sum(dim=1)
        vectors = self.dropout(vectors)
        states, final = self.stack(vectors, self.stack.zeros(vectors), lengths)
        return Memory(states, mask, final)
