"""Encoder-decoder models whose every step can be seen.

    checkpoint = seq2seq.load("lstm-attention-en-fr")
    trace = seq2seq.run(checkpoint, "How old are you?", seq2seq.Options(beam_width=5))
    print(trace.text)
    figures.attention(trace).show()

The flow: Tokenizer -> Seq2Seq.encode -> search -> record -> Trace -> figures.
Names are imported when first used, so that a picture of a saved run needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seq2seq.catalogue import embedded as embedded
    from seq2seq.checkpoint import load as load
    from seq2seq.decoding.interventions import AttentionEdit as AttentionEdit
    from seq2seq.decoding.interventions import Interventions as Interventions
    from seq2seq.decoding.options import Options as Options
    from seq2seq.errors import UserError as UserError
    from seq2seq.inference.pipeline import force as force
    from seq2seq.inference.pipeline import generate as generate
    from seq2seq.inference.pipeline import run as run
    from seq2seq.models.config import Config as Config
    from seq2seq.models.seq2seq import build as build
    from seq2seq.trace import Trace as Trace

_HOMES = {
    "AttentionEdit": "decoding.interventions",
    "Config": "models.config",
    "Interventions": "decoding.interventions",
    "Options": "decoding.options",
    "Trace": "trace",
    "UserError": "errors",
    "build": "models.seq2seq",
    "embedded": "catalogue",
    "force": "inference.pipeline",
    "generate": "inference.pipeline",
    "load": "checkpoint",
    "run": "inference.pipeline",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
