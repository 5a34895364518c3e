"""What a model is built from: the fields of its config.json, checked."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from seq2seq.errors import UserError
from seq2seq.models.embeddings import SINUSOIDS
from seq2seq.models.recurrent import CELLS
from seq2seq.models.transformer import (
    ACTIVATIONS,
)

CHOICES = {
    "architecture": ("recurrent", "transformer"),
    "cell": tuple(CELLS),
    "attention": ("none", "additive", "dot", "general"),
    "feeds": ("token", "context", "readout"),
    "activation": tuple(ACTIVATIONS),
    "positions": (*SINUSOIDS, "learned", "relative"),
    "norm": ("layer", "rms"),
    "embedding_norm": ("none", "sum", "decoder_tokens"),
    "input": ("tokens", "audio", "series"),
    "positions_from": ("start", "end"),
}
# Far above any model there is; beyond, torch cannot even count the weights.
LARGEST = {"vocabulary": 10_000_000, "encoder_layers": 256, "decoder_layers": 256, "bins": 1_000}
LARGEST_SIZE = 1_000_000


@dataclass(frozen=True)
class Config:
    """All that is needed to build a model. Fields of the other architecture are ignored.

    width: of the states of encoder and decoder; a bidirectional encoder gives half to each side.
    embedding: width of the token vectors of a recurrent model, 0 for the same as `width`.
    feeds: what a recurrent decoder reads beside the previous token, see RecurrentDecoder.
    copies: a recurrent decoder with attention may copy tokens of the source.
    shared: source and target have one embedding. tied: the output matrix is the target embedding
    (Press and Wolf 2017). source_vocabulary: 0 for the same as the target's.
    bos: what the decoder reads first. input: token ids, of text or of a series of numbers, or
    log-mel frames of so many bins, which become as many source positions as `max_source` says at
    most. positions_from: "end" where a Transformer's sinusoidal source positions are counted back
    from the last token, so that "twelve steps ago" is one place in sources of any length.
    heads, feedforward: decoder_heads and decoder_feedforward 0 are the same as the encoder's.
    The other switches of a Transformer are explained in Shape, Embedding and TransformerDecoder;
    embedding_norm "decoder_tokens" norms the sum in the encoder, token vectors in the decoder.
    Raises UserError where a value is not possible.
    """

    vocabulary: int
    architecture: str = "recurrent"
    width: int = 256
    embedding: int = 0
    encoder_layers: int = 1
    decoder_layers: int = 1
    tied: bool = True
    shared: bool = True
    source_vocabulary: int = 0
    input: str = "tokens"
    bins: int = 80
    max_source: int = 1500
    dropout: float = 0.1
    pad: int = 0
    unknown: int = 1
    bos: int = 2
    eos: int = 3
    cell: str = "lstm"
    bidirectional: bool = False
    attention: str = "none"
    feeds: str = "context"
    copies: bool = False
    heads: int = 4
    feedforward: int = 1024
    activation: str = "relu"
    norm_first: bool = True
    positions: str = "sinusoidal"
    positions_from: str = "start"
    max_positions: int = 512
    decoder_heads: int = 0
    decoder_feedforward: int = 0
    head_width: int = 0
    gated: bool = False
    norm: str = "layer"
    epsilon: float = 1e-5
    bias: bool = True
    scaled: bool = True
    buckets: int = 32
    distance: int = 128
    scale_embedding: bool = True
    embedding_norm: str = "none"
    scale_output: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value, kind = getattr(self, field.name), type(field.default)
            kind = int if field.name == "vocabulary" else kind
            if kind is float and type(value) is int:
                object.__setattr__(self, field.name, float(value))
            elif type(value) is not kind:
                raise UserError(f"The config's {field.name} is {value!r}: give {kind.__name__}.")
            most = LARGEST.get(field.name, LARGEST_SIZE)
            if kind is int and not 0 <= value <= most:
                raise UserError(f"The config's {field.name} is {value}: give 0 to {most}.")
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                known = ", ".join(allowed)
                raise UserError(f"The config's {name} is {getattr(self, name)!r}: use {known}.")
        self._check_sizes()

    def _check_sizes(self) -> None:
        sizes = ["vocabulary", "width", "encoder_layers", "decoder_layers", "bins"]
        if self.architecture == "transformer":
            sizes += ["feedforward", "max_positions", "max_source"]
        for name in sizes:
            if getattr(self, name) < 1:
                raise UserError(f"The config's {name} is 0: it must be at least 1.")
        if not 0 <= self.dropout < 1:
            raise UserError(f"The config's dropout is {self.dropout}: it must be in [0, 1).")
        if not 0 < self.epsilon < 1:
            raise UserError(f"The config's epsilon is {self.epsilon}: it must be in (0, 1).")
        if self.shared and self.source_vocabulary not in (0, self.vocabulary):
            raise UserError("Two vocabularies of unequal size cannot share an embedding.")
        padded = min(self.vocabulary, self.source_vocabulary or self.vocabulary)
        if max(self.unknown, self.bos, self.eos) >= self.vocabulary or self.pad >= padded:
            raise UserError(
                "The config's special tokens lie outside its vocabulary: give ids below its size."
            )
        if self.architecture == "transformer":
            self._check_transformer()
        elif self.bidirectional and self.width % 2:
            raise UserError(f"Two directions cannot share an odd width, {self.width}.")
        elif self.copies and (self.attention == "none" or self.input == "audio"):
            raise UserError("Without attention to tokens nothing can be copied: choose attention.")
        elif self.copies and self.source_vocabulary not in (0, self.vocabulary):
            raise UserError("What is copied must be in both vocabularies: give both one size.")

    def _check_transformer(self) -> None:
        for heads in (self.heads, self.decoder_heads or self.heads):
            if heads < 1 or (self.width % heads and not self.head_width):
                raise UserError(
                    f"{heads} heads do not divide the width {self.width}: give a number that does."
                )
        if self.positions == "relative" and not 4 <= self.buckets <= self.distance:
            raise UserError("The config's buckets must be at least 4, and at most its distance.")
        if self.positions == "sinusoidal_fairseq" and self.width < 4:
            raise UserError("The config's positions need a width of at least 4.")
        if self.positions_from == "end" and (
            not self.positions.startswith("sinusoidal") or self.input == "audio"
        ):
            raise UserError("Only sinusoidal positions of tokens can be counted from the end.")

    @property
    def longest(self) -> int | None:
        """The most tokens the model can take on one side, None where there is no limit."""
        learned = self.architecture == "transformer" and self.positions == "learned"
        return self.max_positions if learned else None

    @property
    def stride(self) -> int:
        """How many frames of audio make one source position."""
        if self.input != "audio":
            return 1
        return 2 if self.architecture == "transformer" else 4

    @property
    def attention_shape(self) -> tuple[int, int]:
        """Layers and heads of the attention to the source, (0, 0) without."""
        if self.architecture == "transformer":
            return self.decoder_layers, self.decoder_heads or self.heads
        return (0, 0) if self.attention == "none" else (1, 1)

    @classmethod
    def from_json(cls, text: str) -> Config:
        """Read what to_json wrote. Raises UserError for anything else."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            raise UserError("The config is not JSON: write it with save().") from None
        return cls.from_dict(values)

    @classmethod
    def from_dict(cls, values: Any) -> Config:
        """Build from plain values, as in a recipe. Raises UserError for unknown or missing ones."""
        if not isinstance(values, dict) or "vocabulary" not in values:
            raise UserError("The config does not give a vocabulary: it is not one of this library.")
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise UserError(f"The config has a field this library does not know: {unknown[0]!r}.")
        return cls(**values)

    def to_json(self) -> str:
        """Write as JSON, one field a line."""
        return json.dumps(asdict(self), indent=2) + "\n"
