"""The largest of many scores."""

from __future__ import annotations

import torch
from torch import Tensor

# How many scores share a maximum, and fewer than how many are not worth the detour.
BLOCK, SMALL = 64, 16_384


def top(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The largest scores (rows, count) of scores (rows, vocabulary) and where they stand.

    As torch.topk, but faster where they are few of many: only the blocks with the largest maxima
    can hold them.
    """
    blocks = scores.shape[1] // BLOCK
    if scores.numel() < SMALL or blocks < count:
        values, tokens = scores.topk(count, dim=1)
        return values, tokens
    whole = blocks * BLOCK
    highest = scores[:, :whole].unflatten(1, (blocks, BLOCK)).amax(dim=2).topk(count, dim=1)
    inside = highest.indices.unsqueeze(2) * BLOCK + torch.arange(BLOCK, device=scores.device)
    rest = torch.arange(whole, scores.shape[1], device=scores.device).expand(len(scores), -1)
    tokens = torch.cat([inside.flatten(1), rest], dim=1)
    values, places = scores.gather(1, tokens).topk(count, dim=1)
    return values, tokens.gather(1, places)
