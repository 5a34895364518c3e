"""Trainings that tell a story, each measured: what happens is what the text says."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from ui.training_lab.settings import LabSettings, ModelSettings


class Preset(NamedTuple):
    """Settings with a title. story: what to look at, in one or two sentences."""

    title: str
    story: str
    settings: LabSettings


GRU = ModelSettings()
TRANSFORMER = ModelSettings(cell="transformer", layers=2, learning_rate=0.01, warmup=200)
PRESETS = {
    "attention": Preset(
        "Attention against none",
        "Both models reverse up to 12 letters. **A** looks back at the letter that it needs; **B** "
        "has one vector of 64 numbers for all of them.",
        LabSettings(a=GRU, b=ModelSettings(attention="none")),
    ),
    "rnn-forgets": Preset(
        "An RNN forgets",
        "Neither has attention, and the letter read first is written first: it has to survive all "
        "others in one state. **A**'s gates carry it on; **B**'s plain cell has none.",
        LabSettings(
            "copy",
            ModelSettings("gru", 1, 128, False, "none", learning_rate=0.01),
            ModelSettings("rnn", 1, 128, False, "none", learning_rate=0.003),
            minutes=1.0,
        ),
    ),
    "bidirectional": Preset(
        "Reading in both directions",
        "The same model, reading forward and backward or forward only. With both, attention stands "
        "on the letter itself, which is framed; forward only, on one beside it that has read it.",
        LabSettings(a=GRU, b=ModelSettings(bidirectional=False), minutes=0.5),
    ),
    "overfit": Preset(
        "Overfit on purpose",
        "60 pairs are learnt by heart: **A**'s training loss falls to nothing while its validation "
        "loss turns and rises. **B** has dropout.",
        LabSettings(
            "numbers",
            ModelSettings(learning_rate=0.01),
            ModelSettings(learning_rate=0.01, dropout=0.5),
            pairs=60,
            minutes=0.4,
        ),
    ),
    "large-step": Preset(
        "Too large a step",
        "The same model with a learning rate of 0.02 and of 1: **B** jumps over every valley. "
        "Lower its rate while it trains, and see whether it recovers.",
        LabSettings(a=GRU, b=ModelSettings(learning_rate=1.0), minutes=0.4),
    ),
    "warm-up": Preset(
        "A Transformer needs warm-up",
        "Two equal Transformers. **A**'s learning rate rises over 200 steps; **B** starts at the "
        "full rate. Both learn, but **B** later: in this short time it ends with more errors.",
        LabSettings(a=TRANSFORMER, b=replace(TRANSFORMER, warmup=0), minutes=0.45),
    ),
}
FIRST = "attention"
