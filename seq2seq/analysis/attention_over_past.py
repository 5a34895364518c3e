"""What a step of a forecast looked at, value by value of the series."""

from __future__ import annotations

import numpy as np

from seq2seq.trace import Trace


def attention_to_values(
    trace: Trace, step: int, layer: int | None = None, head: int | None = None
) -> np.ndarray:
    """Return what a decoding step looked at of each value that was read, (values,).

    layer, head: None for the mean over them. The tokens before the values, which name frequency and
    zero, are left out, so that the sum may be below 1. Raises ValueError without attention.
    """
    if trace.attention is None:
        raise ValueError("a model without attention looks at nothing")
    weights = trace.attention[step].astype(np.float32)
    weights = weights.mean(axis=0) if layer is None else weights[layer]
    weights = weights.mean(axis=0) if head is None else weights[head]
    return weights[[start < end for start, end in trace.source.spans]]
