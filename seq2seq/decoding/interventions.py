"""What a visitor changes inside a run: where a step looks, which source tokens nobody sees.

They are handed to the decoder's step like its state; no module is patched, and nothing is kept.
Needs no torch but for the tensors it is given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seq2seq.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from seq2seq.models.protocol import Change, Memory
    from seq2seq.models.seq2seq import Seq2Seq

MOST_EDITS = 64


@dataclass(frozen=True)
class AttentionEdit:
    """Where a step looks instead.

    step: of the output, from 0. weights: one for each source token, of any sum above 0. layer,
    head: of a Transformer, from 0; None for all of them.
    """

    step: int
    weights: tuple[float, ...]
    layer: int | None = None
    head: int | None = None


@dataclass(frozen=True)
class Interventions:
    """All changes of one run; a frozen value, so that it can be a cache key.

    attention: in the order in which they are made, the later over the earlier. muted: source tokens
    that no attention sees, from 0.
    """

    attention: tuple[AttentionEdit, ...] = ()
    muted: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything is changed."""
        return bool(self.attention or self.muted)

    def check(self, source: int, layers: int, heads: int) -> None:
        """Raise UserError if they do not fit a source of so many tokens, or a model's attention."""
        if not self:
            return
        if not layers:
            raise UserError(
                "This model has no attention to change: leave the word out of the source instead."
            )
        if len(self.attention) > MOST_EDITS:
            raise UserError(f"These are {len(self.attention)} changes: make at most {MOST_EDITS}.")
        muted = set(self.muted)
        if not all(0 <= position < source for position in muted):
            raise UserError("A masked word is not in this source: choose one that is.")
        if len(muted) >= source:
            raise UserError("Every word is masked: leave at least one unmasked.")
        for edit in self.attention:
            if len(edit.weights) != source:
                raise UserError(
                    f"A changed row has {len(edit.weights)} weights and the source {source} "
                    "tokens: make it anew."
                )
            if not all(math.isfinite(weight) and weight >= 0 for weight in edit.weights):
                raise UserError("A weight of attention is out of range: give 0 or more.")
            if not sum(weight for i, weight in enumerate(edit.weights) if i not in muted) > 0:
                raise UserError("All weights of a row are 0: give at least one word some weight.")
            for value, count, name in ((edit.layer, layers, "layer"), (edit.head, heads, "head")):
                if value is not None and not 0 <= value < count:
                    raise UserError(f"This model has no {name} {value + 1}: it has {count}.")

    def mask(self, mask: Tensor) -> Tensor:
        """Return a mask (rows, source) in which muted positions cannot be seen."""
        if not self.muted:
            return mask
        mask = mask.clone()
        mask[:, list(self.muted)] = False
        return mask

    def encode(self, model: Seq2Seq, source: Tensor, record: bool = False) -> Memory:
        """Encode a source whose muted positions nobody sees; a recurrent encoder still reads them.

        source: as for the model's encode.
        """
        if not self.muted:
            return model.encode(source, record=record)
        if model.config.hides_masked:
            mask = self.mask(source != model.config.pad)
            return model.encode(source, mask, record=record)
        memory = model.encode(source, record=record)
        return memory._replace(mask=self.mask(memory.mask))

    def at(self, step: int) -> Change | None:
        """Return what happens to the weights of a step, None for nothing."""
        edits = [edit for edit in self.attention if edit.step == step]
        if not edits:
            return None

        def change(layer: int, weights: Tensor) -> Tensor:
            """Replace rows of weights (rows, heads, 1, source)."""
            changed = weights.clone()
            for edit in edits:
                if edit.layer in (None, layer):
                    row = self._row(edit, weights)
                    heads = slice(None) if edit.head is None else slice(edit.head, edit.head + 1)
                    changed[:, heads] = row
            return changed

        return change

    def _row(self, edit: AttentionEdit, like: Tensor) -> Tensor:
        """Return the weights of an edit as they are used: of sum 1, 0 where muted or padding."""
        row = like.new_zeros(like.shape[-1])
        row[: len(edit.weights)] = like.new_tensor(edit.weights)
        row[list(self.muted)] = 0.0
        return row / row.sum()


NOTHING = Interventions()
