"""What a visitor gives, a text, a recording or a series, made ready for the encoder."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.audio import HOP, RATE, Audio, Recording, band_hertz, log_mel
from seq2seq.data.dialogue import source_of, turns_of
from seq2seq.data.series import Series, parse_values, write_values
from seq2seq.data.tokenizer import WORD_START
from seq2seq.data.typography import as_trained, plain_punctuation
from seq2seq.data.value_tokenizer import ValueTokenizer
from seq2seq.decoding.options import MAX_CHARACTERS, Options
from seq2seq.errors import UserError, quote

MAX_TOKENS = 1_000
MAX_CONTEXT = 512  # values of a series that are read
JOINERS = "\u200c\u200d"  # they belong to the spelling of some scripts, and to emoji


class Source(NamedTuple):
    """An input made ready.

    text: its clean form, "" for a recording; typed: that before it was written as the model knows
    texts, see seq2seq.data.typography. ids, pieces: with the special tokens around them; for
    a recording one for each encoder position, which lasts so many `seconds` and is named by its
    time. notes: sentences on what was changed. frames: (frames, bins), None for a text.
    """

    text: str
    ids: list[int]
    pieces: tuple[str, ...]
    notes: tuple[str, ...]
    frames: Tensor | None = None
    seconds: float = 0.0
    typed: str = ""

    def batch(self, device: torch.device) -> Tensor:
        """Return what the encoder reads, as a batch of one."""
        if self.frames is not None:
            return self.frames.unsqueeze(0).to(device)
        return torch.tensor([self.ids], device=device)


def clean(text: str) -> str:
    """Drop what cannot be seen and make every run of white space one space.

    Marks that turn the direction of writing go too: they would turn the labels of the pictures.
    """
    kept = (
        " " if unicodedata.category(character) == "Cc" else character
        for character in text
        if character in JOINERS or unicodedata.category(character) not in ("Cf", "Cs", "Co", "Cn")
    )
    return re.sub(r"\s+", " ", "".join(kept)).strip()


def clean_target(checkpoint: Checkpoint, text: str) -> str:
    """Return a typed output, or its beginning, in the punctuation that the model knows."""
    text = clean(text)
    return plain_punctuation(text) if checkpoint.generation_config.plain_punctuation else text


def prepare(
    checkpoint: Checkpoint, given: str | Audio | Series, options: Options | None = None
) -> Source:
    """Make a text, a recording or a series ready, with what the options put around it.

    A series may also be a text of numbers, with its frequency as the source's language.
    Raises UserError if nothing is left to read, or if the model does not read such a thing.
    """
    reads = checkpoint.model.config.input
    if reads == "series" and not isinstance(given, Audio):
        return _prepare_series(checkpoint, given, options or Options())
    if isinstance(given, Series):
        raise UserError("This model reads no series: choose a forecaster.")
    hears = reads == "audio"
    if isinstance(given, Audio):
        if not hears:
            raise UserError("This model reads text: give it a sentence, or choose a speech model.")
        return _prepare_audio(checkpoint, given)
    if hears:
        raise UserError(
            "This model hears: give it a recording, as seq2seq.read_audio(path) returns one, or "
            "choose one that reads text."
        )
    if not isinstance(given, str):
        raise UserError(f"The input is {quote(given)}: give a text, or a list of texts.")
    return _prepare_text(checkpoint, given, options or Options())


def _prepare_text(checkpoint: Checkpoint, text: str, options: Options) -> Source:
    notes, tokenizer, config = [], checkpoint.tokenizer, checkpoint.model.config
    if len(text) > MAX_CHARACTERS:
        notes.append(f"Only the first {MAX_CHARACTERS:,} of {len(text):,} characters were read.")
    words = clean(text[:MAX_CHARACTERS])
    if separator := checkpoint.generation_config.turn_separator:
        turns = turns_of(words, separator)[-checkpoint.generation_config.turns :]
        words = source_of(turns, separator)
    typed, habits = words, checkpoint.generation_config
    words, changed = as_trained(words, habits.plain_punctuation, habits.case)
    notes += changed
    if not words or not tokenizer.split(words):
        raise UserError("There is nothing to read: type a sentence.")
    if options.instruction:
        words = f"{clean(options.instruction)} {words}"
    ids, pieces = tokenizer.encode(words), tokenizer.split(words)
    language = checkpoint.generation_config.source_language(options)
    before, after = tokenizer.around(language)
    if ids[0] in tokenizer.languages.values():  # as in >>fra<<, written by hand
        before = ()
    most = MAX_TOKENS
    if config.longest is not None:
        most = min(most, config.longest - len(before) - len(after))
    if len(ids) > most:
        notes.append(f"Only the first {most} of {len(ids)} tokens were read.")
        ids, pieces = ids[:most], pieces[:most]
        if not checkpoint.generation_config.folded:
            words = "".join(pieces).replace(WORD_START, " ").strip()
    unknown = [piece for piece, token in zip(pieces, ids, strict=True) if token == config.unknown]
    if unknown and config.unknown != config.pad:
        shown = " ".join(dict.fromkeys(unknown))
        notes.append(f"This model has never seen these characters: {shown[:60]}")
    around = tokenizer.source_pieces(before), tokenizer.source_pieces(after)
    everything = (*around[0], *pieces, *around[1])
    return Source(words, [*before, *ids, *after], everything, tuple(notes), typed=typed)


def _series_of(checkpoint: Checkpoint, given: str | Series, options: Options) -> Series:
    """Return what a forecaster reads of a series: its last values, as their text has them.

    So that the text of a record is enough to read the same again.
    """
    most = min(MAX_CONTEXT, checkpoint.generation_config.series.context or MAX_CONTEXT)
    if isinstance(given, str):
        return _last(Series(parse_values(clean(given)), options.source_language), most)
    return _last(replace(given, values=parse_values(given.text)), most)


def _last(given: Series, most: int) -> Series:
    if len(given) <= most:
        return given
    note = f"Only the last {most} of {len(given):,} values were read."
    return replace(given, values=given.values[-most:].copy(), notes=(*given.notes, note))


def fit_tokenizer(
    checkpoint: Checkpoint, given: str | Audio | Series, options: Options | None = None
) -> Checkpoint:
    """Return a checkpoint that writes values in the unit of a series, where it reads series."""
    tokenizer = checkpoint.tokenizer
    if not isinstance(tokenizer, ValueTokenizer) or isinstance(given, Audio):
        return checkpoint
    series = _series_of(checkpoint, given, options or Options())
    return replace(checkpoint, tokenizer=tokenizer.fitted(series.values, series.frequency))


def _prepare_series(checkpoint: Checkpoint, given: str | Series, options: Options) -> Source:
    series = _series_of(checkpoint, given, options)
    tokenizer = fit_tokenizer(checkpoint, series).tokenizer
    text = write_values(series.values)
    before, after = tokenizer.around(series.frequency)
    pieces = (*tokenizer.pieces(before), *tokenizer.split(text), *tokenizer.pieces(after))
    return Source(text, [*before, *tokenizer.encode(text), *after], pieces, series.notes)


def _prepare_audio(checkpoint: Checkpoint, audio: Audio) -> Source:
    config, window = checkpoint.model.config, checkpoint.generation_config.window
    frames = log_mel(audio.samples, config.bins, window or None, normalise=not window)
    seconds = config.stride * HOP / RATE
    count = math.ceil(len(frames) / config.stride)
    if window:  # the rest is silence that nobody wants to see
        count = min(count, math.ceil(audio.seconds / seconds))
    pieces = tuple(f"{number * seconds:.2f}" for number in range(count))
    return Source("", list(range(count)), pieces, audio.notes, frames, seconds)


def hear(checkpoint: Checkpoint, audio: Audio) -> Recording:
    """Return a recording with what a model reads of it. Raises UserError as prepare does."""
    read = prepare(checkpoint, audio)
    assert read.frames is not None
    heard = round(len(read.ids) * read.seconds * RATE / HOP)
    hertz = band_hertz(read.frames.shape[1])
    return Recording(audio.samples, RATE, read.frames[:heard].numpy(), HOP / RATE, hertz)
