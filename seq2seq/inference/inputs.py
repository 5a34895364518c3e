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
from seq2seq.data.audio import HOP, RATE, Audio, Recording, band_hertz, log_mel, with_quiet
from seq2seq.data.dialogue import source_of, turns_of
from seq2seq.data.series import Series, parse_values, write_values
from seq2seq.data.spans import Span, place
from seq2seq.data.tokenizer import Split, Tokenizer
from seq2seq.data.typography import as_trained, plain_punctuation
from seq2seq.data.value_tokenizer import ValueTokenizer
from seq2seq.decoding.options import MAX_CHARACTERS, Options
from seq2seq.errors import UserError, quote

MAX_TOKENS = 1_000
MAX_HEARD = 30.0  # seconds of a recording that one run hears
MAX_CONTEXT = 512  # values of a series that are read
JOINERS = "\u200c\u200d"  # they belong to the spelling of some scripts, and to emoji


class Source(NamedTuple):
    """An input made ready.

    text: its clean form, "" for a recording; typed: that before it was written as the model knows
    texts, see seq2seq.data.typography; given: the text before all that. tokens: with the special
    ones around them, and where they stand in the text; for a recording one for each encoder
    position, which lasts so many `seconds` and is named by its time. instruction: characters in
    front of the text that are an instruction's. notes: sentences on what was changed. frames:
    (frames, bins), None for a text.
    """

    text: str
    tokens: Split
    notes: tuple[str, ...]
    frames: Tensor | None = None
    seconds: float = 0.0
    typed: str = ""
    given: str = ""
    instruction: int = 0

    @property
    def ids(self) -> list[int]:
        """The ids of the tokens."""
        return self.tokens.ids

    @property
    def given_spans(self) -> tuple[Span, ...]:
        """Where each token stands in the text as it was given, empty for an instruction's."""
        surfaces = [
            "" if start < self.instruction else self.text[start:end]
            for start, end in self.tokens.spans
        ]
        return place(surfaces, self.given)

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


def _without_surrogates(text: str) -> str:
    """Return a text with spaces for lone halves of pairs, which no file takes."""
    return "".join(" " if "\ud800" <= each <= "\udfff" else each for each in text)


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
    notes, tokenizer, settings = [], checkpoint.tokenizer, checkpoint.generation_config
    if len(text) > MAX_CHARACTERS:
        notes.append(f"Only the first {MAX_CHARACTERS:,} of {len(text):,} characters were read.")
    given = text[:MAX_CHARACTERS]
    typed = clean(given)
    if separator := settings.turn_separator:
        typed = source_of(turns_of(typed, separator)[-settings.turns :], separator)
    read = as_trained(typed, settings.plain_punctuation, settings.case, settings.plain_letters)
    asked = settings.instruction(options, read.text)
    instruction = f"{clean(asked)} " if asked else ""
    words = instruction + read.text
    tokens = tokenizer.split(words)
    if not any(len(instruction) <= start < end for start, end in tokens.spans):
        raise UserError("There is nothing to read: type a sentence.")
    before, after = tokenizer.around(settings.source_language(options))
    if tokens.ids[0] in tokenizer.languages.values():  # as in >>fra<<, written by hand
        before = ()
    kept, cut = _cut(tokens, checkpoint.model.config.longest, len(before) + len(after))
    words = words[: kept.spans[-1][1]] if cut else words
    return Source(
        words,
        _between(tokenizer, before, kept, after, len(words)),
        (*notes, *read.notes, *cut, *_unknown_note(checkpoint, kept)),
        typed=typed,
        given=_without_surrogates(given),
        instruction=len(instruction),
    )


def _cut(tokens: Split, longest: int | None, around: int) -> tuple[Split, list[str]]:
    """Return the first tokens of a text, and a sentence on it where there are more.

    longest: the most that the model takes; around: how many special ones there will be.
    """
    most = MAX_TOKENS if longest is None else min(MAX_TOKENS, longest - around)
    if len(tokens.ids) <= most:
        return tokens, []
    note = f"Only the first {most} of {len(tokens.ids)} tokens were read."
    return Split(tokens.ids[:most], tokens.pieces[:most], tokens.spans[:most]), [note]


def _unknown_note(checkpoint: Checkpoint, tokens: Split) -> list[str]:
    config = checkpoint.model.config
    pairs = zip(tokens.pieces, tokens.ids, strict=True)
    unknown = dict.fromkeys(piece for piece, token in pairs if token == config.unknown)
    if not unknown or config.unknown == config.pad:
        return []
    return [f"This model has never seen these characters: {' '.join(unknown)[:60]}"]


def _between(
    tokenizer: Tokenizer,
    before: tuple[int, ...],
    tokens: Split,
    after: tuple[int, ...],
    end: int,
) -> Split:
    """Put special tokens around those of a text of so many characters."""
    return Split(
        [*before, *tokens.ids, *after],
        (*tokenizer.source_pieces(before), *tokens.pieces, *tokenizer.source_pieces(after)),
        (*[(0, 0)] * len(before), *tokens.spans, *[(end, end)] * len(after)),
    )


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
    tokens = _between(tokenizer, before, tokenizer.split(text), after, len(text))
    return Source(text, tokens, series.notes)


def _prepare_audio(checkpoint: Checkpoint, given: Audio) -> Source:
    config, window = checkpoint.model.config, checkpoint.generation_config.window
    heard, notes = window or MAX_HEARD, given.notes
    if given.seconds > heard + HOP / RATE:
        notes = (*notes, f"Only the first {heard:g} seconds were heard.")
    audio = _with_quiet(checkpoint, given)
    if len(audio.samples) > len(given.samples):
        notes = (
            *notes,
            f"It begins or ends with sound: {config.margin:g} s of silence were added there.",
        )
    samples = audio.samples[: round(heard * RATE)]
    frames = log_mel(samples, config.bins, window or None, "" if window else config.level)
    seconds = config.stride * HOP / RATE
    count = math.ceil(len(frames) / config.stride)
    if window:  # the rest is silence that nobody wants to see
        count = min(count, math.ceil(audio.seconds / seconds))
    pieces = tuple(f"{number * seconds:.2f}" for number in range(count))
    return Source("", Split(list(range(count)), pieces, ((0, 0),) * count), notes, frames, seconds)


def _with_quiet(checkpoint: Checkpoint, audio: Audio) -> Audio:
    """Return a recording with the silence around it that a model hears at its ends."""
    samples = with_quiet(audio.samples, checkpoint.model.config.margin)
    return replace(audio, samples=samples, seconds=len(samples) / RATE)


def speech_features(checkpoint: Checkpoint, heard: Audio | Tensor) -> Tensor:
    """Return what a speech model hears of a recording: (frames, bins).

    All of it where the model can go through it window by window, else as `prepare` has it. heard:
    may be such frames already. Raises UserError for a model that reads text, or for other frames.
    """
    config, generation_config = checkpoint.model.config, checkpoint.generation_config
    if config.input != "audio":
        raise UserError("This model reads text: use generate, or choose a speech model.")
    if isinstance(heard, Tensor):
        if heard.dim() != 2 or heard.shape[1] != config.bins:
            raise UserError(f"This model hears {config.bins} bands: give (frames, {config.bins}).")
        return heard
    if isinstance(heard, Audio) and generation_config.writes_times:
        whole = len(heard.samples) // HOP
        if whole > generation_config.window * RATE / HOP:
            return log_mel(heard.samples, config.bins)
    frames = prepare(checkpoint, heard).frames
    assert frames is not None
    return frames


def hear(checkpoint: Checkpoint, audio: Audio) -> Recording:
    """Return a recording with what a model reads of it. Raises UserError as prepare does."""
    read = prepare(checkpoint, audio)
    assert read.frames is not None
    heard = round(len(read.ids) * read.seconds * RATE / HOP)
    hertz = band_hertz(read.frames.shape[1])
    samples = _with_quiet(checkpoint, audio).samples
    return Recording(samples, RATE, read.frames[:heard].numpy(), HOP / RATE, hertz)
