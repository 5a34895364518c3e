"""Encoder-decoder models whose every step can be seen.

    checkpoint = seq2seq.load("bilstm-attention-en-fr")
    trace = seq2seq.run(checkpoint, "How old are you?", seq2seq.Options(beam_width=5))
    print(trace.text)
    seq2seq.figures.attention(trace).show()

The flow: Tokenizer -> Seq2Seq.encode -> search -> record -> Trace -> figures.
Names are imported when first used, so that a picture of a saved run needs no torch.
"""

import tomllib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seq2seq import figures as figures
    from seq2seq.catalogue import Card as Card
    from seq2seq.catalogue import embedded as embedded
    from seq2seq.catalogue import list_checkpoints as list_checkpoints
    from seq2seq.checkpoint import Checkpoint as Checkpoint
    from seq2seq.checkpoint import from_transformers as from_transformers
    from seq2seq.checkpoint import load as load
    from seq2seq.checkpoint import save as save
    from seq2seq.data.audio import Audio as Audio
    from seq2seq.data.audio import read_audio as read_audio
    from seq2seq.data.series import Series as Series
    from seq2seq.data.tokenizer import Unigram as Unigram
    from seq2seq.data.tokenizer_pair import TokenizerPair as TokenizerPair
    from seq2seq.decoding.interventions import AttentionEdit as AttentionEdit
    from seq2seq.decoding.interventions import Interventions as Interventions
    from seq2seq.decoding.options import Options as Options
    from seq2seq.errors import UserError as UserError
    from seq2seq.inference.forecasting import forecast as forecast
    from seq2seq.inference.generation import generate as generate
    from seq2seq.inference.long_form import LongForm as LongForm
    from seq2seq.inference.long_form import Transcript as Transcript
    from seq2seq.inference.long_form import transcribe_long as transcribe_long
    from seq2seq.inference.pipeline import run as run
    from seq2seq.inference.teacher_forcing import force as force
    from seq2seq.inference.transcription import transcribe as transcribe
    from seq2seq.models.config import Config as Config
    from seq2seq.models.config import RecurrentConfig as RecurrentConfig
    from seq2seq.models.config import TransformerConfig as TransformerConfig
    from seq2seq.models.seq2seq import Seq2Seq as Seq2Seq
    from seq2seq.models.seq2seq import build as build
    from seq2seq.trace import Trace as Trace

    __version__: str

_HOMES = {
    "AttentionEdit": "decoding.interventions",
    "Audio": "data.audio",
    "Card": "catalogue",
    "Checkpoint": "checkpoint",
    "Config": "models.config",
    "Interventions": "decoding.interventions",
    "LongForm": "inference.long_form",
    "Options": "decoding.options",
    "RecurrentConfig": "models.config",
    "Seq2Seq": "models.seq2seq",
    "Series": "data.series",
    "TokenizerPair": "data.tokenizer_pair",
    "Trace": "trace",
    "Transcript": "inference.long_form",
    "TransformerConfig": "models.config",
    "Unigram": "data.tokenizer",
    "UserError": "errors",
    "build": "models.seq2seq",
    "embedded": "catalogue",
    "force": "inference.teacher_forcing",
    "from_transformers": "checkpoint",
    "forecast": "inference.forecasting",
    "generate": "inference.generation",
    "list_checkpoints": "catalogue",
    "load": "checkpoint",
    "read_audio": "data.audio",
    "run": "inference.pipeline",
    "save": "checkpoint",
    "transcribe": "inference.transcription",
    "transcribe_long": "inference.long_form",
}

__all__ = [*sorted(_HOMES), "__version__", "figures"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name == "figures":
        return import_module(f"{__name__}.figures")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)


def _version() -> str:
    """Return the version that is installed, or the one in pyproject.toml beside the package."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("seq2seq-explorer")
    except PackageNotFoundError:
        text = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
        return str(tomllib.loads(text)["project"]["version"])
