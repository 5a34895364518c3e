"""The whole model: its configuration, and the encoder and decoder built from it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

from seq2seq.attention import Additive, Dot, General
from seq2seq.errors import UserError
from seq2seq.listener import Listener, Subsampling
from seq2seq.protocol import Memory
from seq2seq.recurrent import CELLS, RecurrentDecoder, RecurrentEncoder, Stack
from seq2seq.transformer import (
    ACTIVATIONS,
    SINUSOIDS,
    AudioEmbedding,
    Embedding,
    Shape,
    TransformerDecoder,
    TransformerEncoder,
    norm,
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
    "input": ("tokens", "audio"),
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
    bos: what the decoder reads first. input: token ids, or log-mel frames of so many bins, which
    become as many source positions as `max_source` says at most.
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
        elif self.copies and (self.attention == "none" or self.input != "tokens"):
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

    @property
    def longest(self) -> int | None:
        """The most tokens the model can take on one side, None where there is no limit."""
        learned = self.architecture == "transformer" and self.positions == "learned"
        return self.max_positions if learned else None

    @property
    def stride(self) -> int:
        """How many frames of audio make one source position."""
        if self.input == "tokens":
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


class Seq2Seq(nn.Module):
    """An encoder and a decoder that share nothing but the memory, and perhaps the embedding."""

    def __init__(
        self,
        config: Config,
        encoder: RecurrentEncoder | TransformerEncoder | Listener,
        decoder: RecurrentDecoder | TransformerDecoder,
    ) -> None:
        super().__init__()
        self.config = config
        self.encoder = encoder
        self.decoder = decoder

    def encode(self, source: Tensor, mask: Tensor | None = None, record: bool = False) -> Memory:
        """Encode a source, padded on the right, ready for the decoder.

        source: ids (rows, source), or frames (rows, frames, bins) where the input is audio.
        mask: True where there is something to read; None for all but padding ids, or all frames.
        """
        if mask is None:
            frames = source.dim() == 3
            mask = source.new_ones(source.shape[:2]).bool() if frames else source != self.config.pad
        memory = self.encoder(source, mask, record)
        return memory._replace(keys=self.decoder.prepare(memory))

    def forward(self, source: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return logits (rows, target, vocabulary) after each token of target (rows, target)."""
        return self.decoder(target, self.encode(source, mask)).logits

    def parameter_count(self) -> int:
        """Count the weights, shared ones once."""
        return sum(weight.numel() for weight in self.parameters())


def build(config: Config) -> Seq2Seq:
    """Build the model that a config describes, with fresh weights."""
    recurrent = config.architecture == "recurrent"
    model = _build_recurrent(config) if recurrent else _build_transformer(config)
    tie(model)
    _initialise(model)
    return model


def _build_recurrent(config: Config) -> Seq2Seq:
    embedding = config.embedding or config.width
    width, dropout = config.width, config.dropout
    attends = config.attention != "none"
    extra = {"token": 0, "context": width, "readout": embedding if config.tied else width}
    encoder: RecurrentEncoder | Listener
    if config.input == "audio":
        front = Subsampling(config.bins)
        encoder = Listener(front, _encoder_stack(config, front.width), dropout)
    else:
        tokens = nn.Embedding(config.source_vocabulary or config.vocabulary, embedding)
        encoder = RecurrentEncoder(tokens, _encoder_stack(config, embedding), dropout)
    decoder = RecurrentDecoder(
        nn.Embedding(config.vocabulary, embedding),
        Stack(config.cell, embedding + extra[config.feeds], width, config.decoder_layers, dropout),
        nn.Linear(embedding if config.tied else width, config.vocabulary),
        _attention(config.attention, width) if attends else None,
        config.feeds,
        dropout,
        config.copies,
    )
    return Seq2Seq(config, encoder, decoder)


def _encoder_stack(config: Config, entering: int) -> Stack:
    layers, dropout = config.encoder_layers, config.dropout
    return Stack(config.cell, entering, config.width, layers, dropout, config.bidirectional)


def _attention(kind: str, width: int) -> Additive | Dot | General:
    if kind == "additive":
        return Additive(width, width, width)
    return General(width, width) if kind == "general" else Dot()


def _build_transformer(config: Config) -> Seq2Seq:
    shape = Shape(
        width=config.width,
        layers=config.encoder_layers,
        heads=config.heads,
        feedforward=config.feedforward,
        activation=config.activation,
        norm_first=config.norm_first,
        dropout=config.dropout,
        head_width=config.head_width,
        gated=config.gated,
        norm=config.norm,
        epsilon=config.epsilon,
        bias=config.bias,
        scaled=config.scaled,
        buckets=config.buckets if config.positions == "relative" else 0,
        distance=config.distance,
    )
    decoder_shape = shape._replace(
        layers=config.decoder_layers,
        heads=config.decoder_heads or config.heads,
        feedforward=config.decoder_feedforward or config.feedforward,
    )

    def embedding(vocabulary: int, norm_tokens: bool) -> Embedding:
        positions: nn.Embedding | str | None = config.positions
        if positions == "relative":
            positions = None
        elif positions == "learned":
            positions = nn.Embedding(config.max_positions, config.width)
        return Embedding(
            nn.Embedding(vocabulary, config.width),
            positions,
            config.dropout,
            config.scale_embedding,
            None if config.embedding_norm == "none" else norm(shape),
            norm_tokens,
        )

    if config.input == "audio":
        places = nn.Embedding(config.max_source, config.width)
        source: nn.Module = AudioEmbedding(config.bins, places, config.dropout)
    else:
        source = embedding(config.source_vocabulary or config.vocabulary, norm_tokens=False)
    return Seq2Seq(
        config,
        TransformerEncoder(source, shape),
        TransformerDecoder(
            embedding(config.vocabulary, config.embedding_norm == "decoder_tokens"),
            decoder_shape,
            nn.Linear(config.width, config.vocabulary, config.bias),
            config.scale_output,
        ),
    )


def tie(model: Seq2Seq) -> None:
    """Make those token matrices one that the config says are one."""
    config = model.config
    target = _tokens(model.decoder.embedding)
    if config.shared and config.input == "tokens":
        target.weight = _tokens(model.encoder.embedding).weight
    if config.tied:
        model.decoder.output.weight = target.weight


def _tokens(embedding: nn.Module | Tensor) -> nn.Embedding:
    tokens = embedding.tokens if isinstance(embedding, Embedding) else embedding
    assert isinstance(tokens, nn.Embedding)
    return tokens


@torch.no_grad()
def _initialise(model: Seq2Seq) -> None:
    """Glorot for matrices, small embeddings so that tied logits start small, open forget gates."""
    for name, weight in model.named_parameters():
        if "embedding" in name and weight.dim() == 2:
            nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
        elif weight.dim() > 1:
            nn.init.xavier_uniform_(weight)
        elif "bias" in name:
            nn.init.zeros_(weight)
        if "bias_ih" in name and model.config.cell == "lstm":
            nn.init.ones_(weight.chunk(4)[1])
