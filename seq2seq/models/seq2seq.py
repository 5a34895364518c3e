"""The whole model: its configuration, and the encoder and decoder built from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from seq2seq.errors import UserError, quote
from seq2seq.models.attention import Additive, Dot, General
from seq2seq.models.audio_encoder import AudioEncoder, Subsampling
from seq2seq.models.config import Config, RecurrentConfig, TransformerConfig
from seq2seq.models.embeddings import AudioEmbedding, Embedding, Positions
from seq2seq.models.initialization import WithoutInitialization, initialize, order_by_value
from seq2seq.models.protocol import Memory
from seq2seq.models.recurrent import RecurrentDecoder, RecurrentEncoder, Stack
from seq2seq.models.transformer import (
    StackConfig,
    TransformerDecoder,
    TransformerEncoder,
    norm,
)


class Seq2Seq(nn.Module):
    """An encoder and a decoder that share nothing but the memory, and perhaps the embedding."""

    def __init__(
        self,
        config: Config,
        encoder: RecurrentEncoder | TransformerEncoder | AudioEncoder,
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
    """Build the model that a config describes, with fresh weights.

    Raises UserError for what is no config.
    """
    if not isinstance(config, Config):
        raise UserError(
            f"A model is built of a config, not of {quote(config)}: give one, as "
            "seq2seq.Config.from_dict(values) makes it."
        )
    model = _assemble(config)
    initialize(model)
    return model


def build_empty(config: Config) -> Seq2Seq:
    """Build the model that a config describes, for weights that come from a file.

    It lies on the meta device, where it takes no memory, whatever sizes the config claims.
    """
    with torch.device("meta"), WithoutInitialization():
        return _assemble(config)


def _assemble(config: Config) -> Seq2Seq:
    model = _BUILDERS[type(config)](config)
    tie(model)
    return model


def _build_recurrent(config: RecurrentConfig) -> Seq2Seq:
    embedding = config.embedding or config.width
    width, dropout = config.width, config.dropout
    extra = {"token": 0, "context": width, "readout": embedding if config.tied else width}
    encoder: RecurrentEncoder | AudioEncoder
    if config.input == "audio":
        front = Subsampling(config.bins)
        encoder = AudioEncoder(front, _encoder_stack(config, front.width), dropout)
    else:
        tokens = nn.Embedding(config.source_vocabulary or config.vocabulary, embedding)
        encoder = RecurrentEncoder(tokens, _encoder_stack(config, embedding), dropout)
    decoder = RecurrentDecoder(
        nn.Embedding(config.vocabulary, embedding),
        Stack(config.cell, embedding + extra[config.feeds], width, config.decoder_layers, dropout),
        nn.Linear(embedding if config.tied else width, config.vocabulary),
        _attention(config.attention, width),
        config.feeds,
        dropout,
        config.copies,
    )
    return Seq2Seq(config, encoder, decoder)


def _encoder_stack(config: RecurrentConfig, entering: int) -> Stack:
    layers, dropout = config.encoder_layers, config.dropout
    return Stack(config.cell, entering, config.width, layers, dropout, config.bidirectional)


def _attention(kind: str, width: int) -> Additive | Dot | General | None:
    if kind == "additive":
        return Additive(width, width, width)
    if kind == "general":
        return General(width, width)
    return Dot() if kind == "dot" else None


def _build_transformer(config: TransformerConfig) -> Seq2Seq:
    stack = _stack(config)
    decoder_stack = stack._replace(
        layers=config.decoder_layers,
        heads=config.decoder_heads or config.heads,
        feedforward=config.decoder_feedforward or config.feedforward,
    )
    if config.input == "audio":
        places = nn.Embedding(config.max_source, config.width)
        source: nn.Module = AudioEmbedding(config.bins, places, config.dropout)
    else:
        pad = config.pad if config.positions_from == "end" else None
        size = config.source_vocabulary or config.vocabulary
        source = _embedding(config, stack, size, pad=pad)
    norm_tokens = config.embedding_norm == "decoder_tokens"
    decoder = TransformerDecoder(
        _embedding(config, stack, config.vocabulary, norm_tokens),
        decoder_stack,
        nn.Linear(config.width, config.vocabulary, config.bias),
        config.scale_output,
    )
    return Seq2Seq(config, TransformerEncoder(source, stack), decoder)


def _stack(config: TransformerConfig) -> StackConfig:
    """Return what the encoder's stack is built from."""
    return StackConfig(
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
        bias_each=config.bias_each,
    )


def _embedding(
    config: TransformerConfig,
    stack: StackConfig,
    vocabulary: int,
    norm_tokens: bool = False,
    pad: int | None = None,
) -> Embedding:
    table: nn.Embedding | str | None = config.positions
    if table == "relative":
        table = None
    elif table == "learned":
        table = nn.Embedding(config.max_positions, config.width)
    return Embedding(
        nn.Embedding(vocabulary, config.width),
        Positions(table, config.first_position, pad),
        config.dropout,
        config.scale_embedding,
        None if config.embedding_norm == "none" else norm(stack),
        norm_tokens,
    )


_BUILDERS: dict[type[Config], Callable[[Any], Seq2Seq]] = {
    RecurrentConfig: _build_recurrent,
    TransformerConfig: _build_transformer,
}


def tie(model: Seq2Seq) -> None:
    """Make those token matrices one that the config says are one."""
    config = model.config
    target = _tokens(model.decoder.embedding)
    if config.shared and config.input != "audio":
        target.weight = _tokens(model.encoder.embedding).weight
    if config.tied:
        model.decoder.output.weight = target.weight


def order_tokens(model: Seq2Seq, values: Tensor) -> None:
    """Begin with vectors that are alike where tokens, the last of the vocabulary, stand for values
    (tokens,) that are: see order_by_value.
    """
    order_by_value(_tokens(model.decoder.embedding), values)
    if not model.config.shared:
        order_by_value(_tokens(model.encoder.embedding), values)


def _tokens(embedding: nn.Module | Tensor) -> nn.Embedding:
    tokens = embedding.tokens if isinstance(embedding, Embedding) else embedding
    assert isinstance(tokens, nn.Embedding)
    return tokens
