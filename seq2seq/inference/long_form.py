"""A recording longer than the window of a speech model: window by window, led by its timestamps.

Radford et al. 2022, section 3.8: each window begins where the last complete segment before it
ended, reads what was said before, and is decoded again at a higher temperature where its text is
too repetitive or too unlikely.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.audio import HOP, RATE, Audio
from seq2seq.decoding.generation_config import SpeechTokens
from seq2seq.decoding.hypothesis import Hypothesis
from seq2seq.decoding.options import MAX_LENGTH, Options
from seq2seq.decoding.search import OnStep, Steering
from seq2seq.errors import UserError
from seq2seq.inference.arguments import Named, opened, options_for
from seq2seq.inference.decode import decode, detect_language
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.inputs import speech_features
from seq2seq.models.protocol import Memory

STEP = 0.02  # seconds from one timestamp to the next
HOT = 0.5  # what was written at a temperature above is no prompt for what follows


@dataclass(frozen=True)
class LongForm:
    """How a long recording is transcribed; the defaults are those of openai/whisper.

    temperatures: tried in this order, the first of which decodes as the options say, until a text
    passes; those above 0 draw `samples` outputs and keep the best. compression_ratio: how many
    times smaller a text may become at most; log_probability: the least mean of a token; no_speech:
    how probable it may be that nothing is said, in a window whose text is too unlikely; None for
    each turns its test off. previous_text: a window reads what was said before.
    """

    temperatures: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    samples: int = 5
    compression_ratio: float | None = 2.4
    log_probability: float | None = -1.0
    no_speech: float | None = 0.6
    previous_text: bool = True


@dataclass(frozen=True)
class Segment:
    """A stretch of speech between two timestamps. start, end: seconds into the recording."""

    start: float
    end: float
    tokens: tuple[int, ...]
    text: str


@dataclass(frozen=True)
class Window:
    """One run of the model over a part of a recording, and why it was taken as it is.

    start, seconds: the part. options: with which a run over it writes the same: its language, what
    was said before, and its own tokens as the prefix. tokens, log_probabilities: all that was
    written, with what is decoded again in the next window. mean_log_probability,
    compression_ratio, no_speech: what was tested, and temperature: the last that was tried.
    silent: nothing was said, so nothing of it is in the transcript. segments: what is in it.
    """

    start: float
    seconds: float
    options: Options
    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    mean_log_probability: float
    compression_ratio: float
    no_speech: float
    temperature: float
    silent: bool
    segments: tuple[Segment, ...] = ()

    @property
    def kept_log_probabilities(self) -> tuple[float, ...]:
        """Those of the tokens that are in segments: the first ones."""
        return self.log_probabilities[: sum(len(segment.tokens) for segment in self.segments)]


@dataclass(frozen=True)
class Transcript:
    """What was heard in a whole recording. seconds: of it that have been heard; total: its length.

    text: of all segments. language: the code of what is spoken, "" for a model that knows one.
    """

    text: str = ""
    windows: tuple[Window, ...] = ()
    seconds: float = 0.0
    total: float = 0.0
    language: str = ""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments, in their order."""
        return tuple(segment for window in self.windows for segment in window.segments)

    @property
    def tokens(self) -> tuple[int, ...]:
        """The tokens of all segments, times among them."""
        return tuple(token for segment in self.segments for token in segment.tokens)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values: the text, the segments with their times, and the windows."""
        windows = [
            {
                name: getattr(window, name)
                for name in ("start", "seconds", "temperature", "silent", "mean_log_probability")
            }
            | {"compression_ratio": window.compression_ratio, "no_speech": window.no_speech}
            for window in self.windows
        ]
        return {
            "text": self.text,
            "language": self.language,
            "seconds": self.seconds,
            "total": self.total,
            "segments": [asdict(segment) for segment in self.segments],
            "windows": windows,
        }

    @property
    def is_complete(self) -> bool:
        """Whether all of the recording was heard."""
        return self.seconds >= self.total


OnWindow = Callable[[Transcript], bool | None]


def is_long(checkpoint: Checkpoint, frames: int) -> bool:
    """Tell whether a recording of so many frames takes several windows, and can have them."""
    return checkpoint.generation_config.writes_times and frames > _window_frames(checkpoint)


def _window_frames(checkpoint: Checkpoint) -> int:
    return round(checkpoint.generation_config.window * RATE / HOP)


@torch.inference_mode()
def transcribe_long(
    checkpoint: Named,
    heard: Audio | Tensor,
    options: Options | None = None,
    settings: LongForm | None = None,
    on_window: OnWindow | None = None,
    on_step: OnStep | None = None,
) -> Transcript:
    """Transcribe a recording of any length, window by window.

    heard: as `read_audio` returns it, or its log-mel frames (frames, bins). on_window is called
    after each window and stops by returning True; what stands so far is then returned. on_step is
    called after each step of a window's search. Raises UserError for a model that writes no times.
    """
    ready, transcript = opened(checkpoint), Transcript()
    frames, options = speech_features(ready, heard), options_for(ready, options)
    if not ready.generation_config.writes_times:
        raise UserError("This model writes no times: give it at most 30 seconds, with transcribe.")
    for transcript in _Windows(ready, frames, options, settings or LongForm(), on_step):
        if on_window is not None and on_window(transcript):
            break
    return transcript


class _Try(NamedTuple):
    """What one temperature made of a window; tokens without the end."""

    hypothesis: Hypothesis
    tokens: tuple[int, ...]
    mean: float
    ratio: float
    temperature: float


@dataclass
class _Windows:
    """The state of one transcription: where it stands, and what was said so far."""

    checkpoint: Checkpoint
    frames: Tensor
    options: Options
    settings: LongForm
    on_step: OnStep | None = None
    windows: list[Window] = field(default_factory=list)
    said: list[int] = field(default_factory=list)

    @property
    def speech(self) -> SpeechTokens:
        """The tokens that tell the model what to do."""
        speech = self.checkpoint.generation_config.speech
        assert speech is not None
        return speech

    def __iter__(self) -> Iterator[Transcript]:
        seek, total = 0, len(self.frames)
        while seek < total:
            window, advance = self._window(seek)
            seek += advance
            self.windows.append(window)
            done = min(seek, total) * HOP / RATE
            tokens = [t for w in self.windows for segment in w.segments for t in segment.tokens]
            yield Transcript(
                self.checkpoint.text(tokens),
                tuple(self.windows),
                done,
                total * HOP / RATE,
                window.options.source_language,
            )

    def _window(self, seek: int) -> tuple[Window, int]:
        """Hear the window that begins at a frame; returns it, and the frames to go on by."""
        left = min(_window_frames(self.checkpoint), len(self.frames) - seek)
        memory = self._encode(self.frames[seek : seek + left])
        if not self.windows:  # the language of the first window is that of all
            self.options = detect_language(self.checkpoint, memory, self.options)
        options = self._led()
        tried = self._tried(memory, options)
        quiet = self._no_speech(memory, options)
        silent = self._is_silent(tried, quiet)
        segments: tuple[Segment, ...] = ()
        advance = left
        if not silent:
            segments, advance = self._segments(tried.tokens, seek, left)
        self._remember(segments, tried.temperature)
        window = Window(
            start=seek * HOP / RATE,
            seconds=left * HOP / RATE,
            options=replace(options, prefix_tokens=tried.hypothesis.tokens),
            tokens=tried.tokens,
            log_probabilities=tried.hypothesis.log_probabilities,
            mean_log_probability=tried.mean,
            compression_ratio=tried.ratio,
            no_speech=quiet,
            temperature=tried.temperature,
            silent=silent,
            segments=segments,
        )
        return window, advance

    def _encode(self, frames: Tensor) -> Memory:
        """Encode the frames of a window; the last one is filled up with zeros."""
        missing = _window_frames(self.checkpoint) - len(frames)
        filled = F.pad(frames, (0, 0, 0, missing))[None].to(self.checkpoint.device)
        return self.checkpoint.searcher.encode(filled)

    def _led(self) -> Options:
        """Return the options of the next window: with times, and what was said before it."""
        longest = self.checkpoint.model.config.longest or MAX_LENGTH
        said = self.said[-(longest // 2 - 1) :] if self.settings.previous_text else []
        if self.speech.previous is None:
            said = []
        options = replace(self.options, timestamps=True, previous_tokens=tuple(said))
        room = longest - len(decoder_prompt(self.checkpoint, options).start)
        written = min(self.options.max_length or MAX_LENGTH, room, MAX_LENGTH)
        return replace(options, max_length=max(1, written))

    def _tried(self, memory: Memory, options: Options) -> _Try:
        """Decode a window at one temperature after the other, until a text passes."""
        for temperature in self.settings.temperatures:
            tried = self._at(memory, options, temperature)
            if self._passes(tried):
                break
        return tried

    def _at(self, memory: Memory, options: Options, temperature: float) -> _Try:
        checkpoint = self.checkpoint
        if temperature > 0:
            options = replace(
                options,
                method="sample",
                beam_width=self.settings.samples,
                temperature=temperature,
                top_k=0,
                top_p=1.0,
            )
        if options.rows == 1 or options.method == "sample":
            # The mean is of the probabilities among what may be said.
            settings = replace(checkpoint.generation_config, renormalise=True)
            checkpoint = replace(checkpoint, generation_config=settings)
        prompt = decoder_prompt(checkpoint, options)
        steering = Steering(on_step=self.on_step)
        [found] = decode(checkpoint, memory, options, prompt, (), steering)
        best = found.hypotheses[0]
        tokens = best.tokens[:-1] if best.finished else best.tokens
        mean = float(np.mean(best.log_probabilities)) if best.tokens else 0.0
        text = self.checkpoint.text(tokens)
        return _Try(best, tokens, mean, compression_ratio(text), temperature)

    def _passes(self, tried: _Try) -> bool:
        least, most = self.settings.log_probability, self.settings.compression_ratio
        if most is not None and tried.ratio > most:
            return False
        return least is None or tried.mean >= least

    def _no_speech(self, memory: Memory, options: Options) -> float:
        """Return the probability, at the start token, that nothing is said."""
        if self.speech.no_speech is None:
            return 0.0
        decoder = self.checkpoint.searcher.decoder
        start = decoder_prompt(self.checkpoint, options).start
        first = start.index(self.checkpoint.generation_config.start[0])
        read = torch.tensor([start[: first + 1]], device=memory.states.device)
        state = decoder.prefill(read[:, :-1], decoder.start(memory), memory)
        logits = decoder.step(read[:, -1], state, memory, record=False).logits
        return float(logits.float().softmax(-1)[0, self.speech.no_speech])

    def _is_silent(self, tried: _Try, no_speech: float) -> bool:
        most, least = self.settings.no_speech, self.settings.log_probability
        if most is None or no_speech <= most:
            return False
        return least is None or tried.mean < least

    def _segments(
        self, tokens: Sequence[int], seek: int, left: int
    ) -> tuple[tuple[Segment, ...], int]:
        """Cut what was written at its times; returns the segments, and the frames to go on by."""
        first_time = self.speech.first_time
        assert first_time is not None
        stride, begins = self.checkpoint.model.config.stride, seek * HOP / RATE
        parts, advance = cut_at_times(tokens, first_time, left, stride)
        segments = tuple(
            Segment(
                begins + start * STEP,
                begins + end * STEP,
                tuple(part),
                self.checkpoint.text(part),
            )
            for part, start, end in parts
        )
        # A time of 0 would hear the same window for ever.
        return segments, advance or left

    def _remember(self, segments: tuple[Segment, ...], temperature: float) -> None:
        """Keep what the next window reads first; nothing of what was guessed."""
        first_time = self.speech.first_time
        for segment in segments:
            tokens = list(segment.tokens)
            # Of two times at the end, the second begins what is heard again.
            twice = len(tokens) > 2 and tokens[-2] >= (first_time or 0)
            self.said += tokens[:-1] if twice else tokens
        if temperature > HOT:
            self.said.clear()


def cut_at_times(
    tokens: Sequence[int], first_time: int, frames: int, stride: int
) -> tuple[list[tuple[Sequence[int], float, float]], int]:
    """Cut the output of a window into segments, each with its start and end in timestamps.

    first_time: token of 0.00 s. frames: of the window; stride: of them in a timestamp. Also returns
    the frames after which the next window begins: where two times stand together, one segment ended
    and the next began, so that all after the last such place is heard again.
    """
    timed = [token >= first_time for token in tokens]
    ends_in_one = timed[-2:] == [False, True]
    cuts = [place for place in range(1, len(tokens)) if timed[place - 1] and timed[place]]
    if not cuts:
        last = frames / stride
        times = [token - first_time for token in tokens if token >= first_time]
        if times and times[-1]:
            last = times[-1]
        return ([(tokens, 0.0, last)] if tokens else []), frames
    if ends_in_one:
        cuts.append(len(tokens))
    else:
        cuts[-1] += 1  # with the second time: it tells that the segment was complete
    parts: list[tuple[Sequence[int], float, float]] = []
    begin = 0
    for cut in cuts:
        part = tokens[begin:cut]
        complete = cut != cuts[-1] or ends_in_one
        end = part[-1 if complete else -2]
        parts.append((part, part[0] - first_time, end - first_time))
        begin = cut
    advance = frames if ends_in_one else (tokens[begin - 2] - first_time) * stride
    return parts, advance


def compression_ratio(text: str) -> float:
    """Return how many times smaller zlib makes a text: what repeats itself becomes very small."""
    written = text.encode()
    return len(written) / len(zlib.compress(written)) if written else 0.0
