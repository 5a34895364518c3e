"""What time is taken with: that of the processor, so that a busy machine looks no slower."""

from __future__ import annotations

import time

import torch

from seq2seq.checkpoint import Checkpoint


def seconds() -> float:
    """Return the seconds that this thread has computed, or the time where it has help.

    Torch computes in the calling thread as long as it may use one only.
    """
    return time.thread_time() if torch.get_num_threads() == 1 else time.perf_counter()


def seconds_of(checkpoint: Checkpoint) -> float:
    """Return the same where a model computes on the processor, else the time, once it is done."""
    if checkpoint.device.type != "cuda":
        return seconds()
    torch.cuda.synchronize()
    return time.perf_counter()
