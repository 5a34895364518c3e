"""What a Transformer reads at each position: token vectors and positions, or frames of audio."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.errors import UserError

# Where sine and cosine stand in a position vector, and how their frequencies fall.
SINUSOIDS = (
    "sinusoidal",
    "sinusoidal_halves",
    "sinusoidal_tensor2tensor",
    "sinusoidal_fairseq",
)


class Positions(NamedTuple):
    """What tells positions apart. table: learned, or one of SINUSOIDS, or None where the attention
    itself knows distances.

    first: the number of the first position; 1 where CTranslate2 or fairseq counts from 1. pad: the
    id of padding where sinusoids are counted back from the end of each row, -1 for its last token;
    None to count from the start.
    """

    table: nn.Embedding | str | None
    first: int = 0
    pad: int | None = None


def sinusoids(start: int, stop: int, width: int, device: torch.device, kind: str) -> Tensor:
    """Position vectors (stop - start, width). Section 3.5.

    kind: "sinusoidal" has sine and cosine in turn; "sinusoidal_halves" first all sines, as Marian
    and Pegasus; "sinusoidal_tensor2tensor" the same with the lowest frequency at exactly 1/10,000,
    as CTranslate2; "sinusoidal_fairseq" that, counting from 2, as M2M100.
    """
    exact = kind in ("sinusoidal_tensor2tensor", "sinusoidal_fairseq")
    first = 2 if kind == "sinusoidal_fairseq" else 0
    position = torch.arange(start + first, stop + first, device=device, dtype=torch.float32)
    pair = torch.arange(0, width, 2, device=device, dtype=torch.float32)
    fall = math.log(10_000.0) / (width - 2 if exact else width)
    angle = position.unsqueeze(1) * torch.exp(pair * -fall)
    if kind == "sinusoidal":
        return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :width]
    return torch.cat([angle.sin(), angle.cos()], dim=1)[:, :width]


class Embedding(nn.Module):
    """Token vectors, scaled by the root of the width, plus position vectors.

    norm: of the sum, or of the token vectors alone with norm_tokens.
    """

    def __init__(
        self,
        tokens: nn.Embedding,
        positions: Positions,
        dropout: float = 0.0,
        scaled: bool = True,
        norm: nn.Module | None = None,
        norm_tokens: bool = False,
    ) -> None:
        super().__init__()
        self.tokens = tokens
        table, self.first, self.pad = positions
        self.positions = table if isinstance(table, nn.Embedding) else None
        self.kind = table if isinstance(table, str) else None
        self.scale = math.sqrt(tokens.embedding_dim) if scaled else 1.0
        self.norm = norm
        self.norm_tokens = norm_tokens
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor, start: int = 0) -> Tensor:
        """Embed ids (rows, time), the first of which stands at position `start`.

        Raises UserError beyond the positions that were learnt.
        """
        states = self.tokens(ids) * self.scale
        if self.norm is not None and self.norm_tokens:
            states = self.norm(states)
        start += self.first
        stop, width = start + ids.shape[1], states.shape[2]
        if self.kind is not None and self.pad is not None:
            states = states + self._counted_back(ids, self.kind).to(states.dtype)
        elif self.kind is not None:
            states = states + sinusoids(start, stop, width, ids.device, self.kind).to(states.dtype)
        elif self.positions is not None:
            most = len(self.positions.weight)
            if stop > most:
                known = most - self.first
                raise UserError(
                    f"This model has learnt {known} positions: keep texts and output below."
                )
            states = states + self.positions.weight[start:stop]
        if self.norm is not None and not self.norm_tokens:
            states = self.norm(states)
        return self.dropout(states)

    def _counted_back(self, ids: Tensor, kind: str) -> Tensor:
        """Return position vectors (rows, time, width) of ids, padded on the right."""
        time, width = ids.shape[1], self.tokens.embedding_dim
        table = sinusoids(-time, time, width, ids.device, kind)
        lengths = torch.ne(ids, self.pad or 0).sum(dim=1, keepdim=True)
        return table[torch.arange(time, 2 * time, device=ids.device) - lengths]


class AudioEmbedding(nn.Module):
    """Two convolutions over log-mel frames, the second halving their number, plus positions.

    Radford et al. 2022, section 2.2.
    """

    def __init__(self, bins: int, positions: nn.Embedding, dropout: float = 0.0) -> None:
        super().__init__()
        width = positions.embedding_dim
        self.first = nn.Conv1d(bins, width, kernel_size=3, padding=1)
        self.second = nn.Conv1d(width, width, kernel_size=3, stride=2, padding=1)
        self.positions = positions
        self.dropout = nn.Dropout(dropout)

    def forward(self, frames: Tensor) -> Tensor:
        """Embed frames (rows, frames, bins) as (rows, frames / 2, width).

        Raises UserError beyond the positions that were learnt.
        """
        frames = frames.transpose(1, 2).to(self.first.weight.dtype)
        states = F.gelu(self.second(F.gelu(self.first(frames)))).transpose(1, 2)
        most = len(self.positions.weight)
        if states.shape[1] > most:
            raise UserError(f"This model hears {2 * most} frames: give a shorter recording.")
        return self.dropout(states + self.positions.weight[: states.shape[1]])
