"""What an encoder makes of whole sentences: one vector each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.batching import in_groups, pad
from seq2seq.decoding.options import Options
from seq2seq.inference.inputs import prepare
from seq2seq.models.protocol import Memory

FINAL, MEAN, WHOLE = "final", "mean", "whole"


def kinds(checkpoint: Checkpoint) -> tuple[str, ...]:
    """Return the vectors that a model has, the most telling first.

    "final": the context vector c = h_T, the last state of the top recurrent layer (Cho et al. 2014;
    Sutskever et al. 2014). "mean": of all encoder states, which is all that a Transformer has.
    """
    return (FINAL, MEAN) if checkpoint.model.config.has_final_state else (MEAN,)


@torch.inference_mode()
def sentence_vectors(
    checkpoint: Checkpoint,
    texts: Sequence[str],
    kind: str = "",
    options: Options | None = None,
    batch: int = 32,
    on_group: Callable[[int], None] | None = None,
) -> np.ndarray:
    """Encode texts to vectors (texts, width), float32. kind: see `kinds`, "" for the first of them.

    A recurrent model has a third, "whole": all that its decoder starts from, h of every layer and
    c of an LSTM, side by side (texts, parts * layers * width). on_group is called with the number
    of texts done since the last call. Raises UserError for a text without anything to read,
    ValueError for a kind that the model has not.
    """
    kind = kind or kinds(checkpoint)[0]
    if kind not in (*kinds(checkpoint), *([WHOLE] if FINAL in kinds(checkpoint) else [])):
        raise ValueError(kind)
    options = options or checkpoint.generation_config.options
    sources = [prepare(checkpoint, text, options).ids for text in texts]
    vectors = np.zeros((len(texts), 0), dtype=np.float32)
    for group in in_groups([len(ids) for ids in sources], batch):
        ids = pad([sources[index] for index in group], checkpoint.model.config.pad)
        memory = checkpoint.model.encode(ids.to(checkpoint.device))
        found = _OF[kind](memory)
        if not vectors.size:
            vectors = np.zeros((len(texts), found.shape[1]), dtype=np.float32)
        vectors[list(group)] = found.float().cpu().numpy()
        if on_group is not None:
            on_group(len(group))
    return vectors


def _final(memory: Memory) -> torch.Tensor:
    return memory.final[0][:, -1]


def _mean(memory: Memory) -> torch.Tensor:
    seen = memory.mask.unsqueeze(-1)
    return (memory.states * seen).sum(dim=1) / seen.sum(dim=1)


def _whole(memory: Memory) -> torch.Tensor:
    return torch.cat([part.flatten(1) for part in memory.final], dim=1)


_OF = {FINAL: _final, MEAN: _mean, WHOLE: _whole}
