"""What a model is built of, in plain values: its parts, their sizes, their weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn

from seq2seq.checkpoint import Checkpoint
from seq2seq.models.audio_encoder import AudioEncoder
from seq2seq.models.recurrent import RecurrentDecoder
from seq2seq.models.seq2seq import Seq2Seq
from seq2seq.models.transformer import DecoderLayer


@dataclass(frozen=True)
class Outline:
    """One model, as a picture of it needs to know it.

    kind: "rnn", "lstm", "gru" or "transformer". attention: "none", "additive", "dot", "general" or
    "heads". feeds: what a recurrent decoder reads beside the previous token, "" for a Transformer.
    heads: of the attention to the source, 0 without; encoder_heads: of a Transformer's encoder, 0
    for a recurrent one. width: of states; embedding, readout: of token vectors, and of what the
    output layer reads. stride: frames of audio that make one source position, 1 for tokens.
    scaled: whether scores of heads are divided by the root of their width.
    output_bias: whether the output layer has one; output_scale: what its input is multiplied by.
    parameters: weights of each part, "embedding", "subsampling", "encoder", "attention", "decoder",
    "readout" and "output", without those that the model has not; a matrix that two parts share is
    counted in the first. total: all weights.
    """

    kind: str
    encoder_layers: int
    decoder_layers: int
    bidirectional: bool
    attention: str
    feeds: str
    copies: bool
    heads: int
    encoder_heads: int
    width: int
    embedding: int
    readout: int
    feedforward: int
    vocabulary: int
    audio: bool
    stride: int
    scaled: bool
    output_bias: bool
    output_scale: float
    parameters: dict[str, int]
    total: int


def outline(checkpoint: Checkpoint) -> Outline:
    """Return the outline of a checkpoint's model."""
    model, config = checkpoint.model, checkpoint.model.config
    return Outline(
        kind=config.kind,
        encoder_layers=config.encoder_layers,
        decoder_layers=config.decoder_layers,
        bidirectional=config.directions == 2,
        attention=config.attention_kind,
        feeds=config.fed,
        copies=config.can_copy,
        heads=config.cross_attention_shape[1],
        encoder_heads=config.self_attention_shape[1],
        width=config.width,
        embedding=config.token_width,
        readout=model.decoder.output.in_features,
        feedforward=config.inner_width,
        vocabulary=config.vocabulary,
        audio=config.input == "audio",
        stride=config.stride,
        scaled=getattr(config, "scaled", False),
        output_bias=model.decoder.output.bias is not None,
        output_scale=getattr(model.decoder, "output_scale", 1.0),
        parameters=_counts(model),
        total=model.parameter_count(),
    )


def _counts(model: Seq2Seq) -> dict[str, int]:
    """Count the weights of each part, each weight in the first part that has it."""
    counted: set[int] = set()
    found = {name: _count(modules, counted) for name, modules in _parts(model).items()}
    return {name: count for name, count in found.items() if count}


def _parts(model: Seq2Seq) -> dict[str, list[nn.Module | None]]:
    """Return the modules of each part."""
    encoder, decoder = model.encoder, model.decoder
    embeddings: list[nn.Module | None] = [decoder.embedding]
    front: nn.Module | None = None
    if isinstance(encoder, AudioEncoder):
        front = encoder.front
    elif model.config.input == "audio":
        front = encoder.embedding
    else:
        embeddings.append(encoder.embedding)
    parts: dict[str, list[nn.Module | None]] = {
        "embedding": embeddings,
        "subsampling": [front],
        "encoder": [encoder],
    }
    if isinstance(decoder, RecurrentDecoder):
        parts["attention"] = [decoder.attention]
        parts["readout"] = [decoder.combine, decoder.switch]
    else:
        layers = [layer for layer in decoder.layers if isinstance(layer, DecoderLayer)]
        parts["attention"] = [layer.attention for layer in layers]
    return parts | {"output": [decoder.output], "decoder": [decoder]}


def _count(modules: Iterable[nn.Module | None], counted: set[int]) -> int:
    """Count the weights of modules that were not counted yet."""
    count = 0
    for module in modules:
        for weight in () if module is None else module.parameters():
            count += 0 if id(weight) in counted else weight.numel()
            counted.add(id(weight))
    return count
