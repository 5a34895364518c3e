"""What a model expects of whoever runs it: how outputs begin and end, and its authors' settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple

from seq2seq.data.word_filter import WordFilter
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError, quote

ENGLISH = "en"  # what speech models translate to


@dataclass(frozen=True)
class SpeechTokens:
    """Ids that tell a speech model what to do: write down, translate, leave out the times.

    first_time: of the token for 0.00 s; the later ones follow in steps of 0.02 s.
    latest_start: steps into the recording at which the first text may begin. previous: stands
    before what was said earlier; no_speech: says that nothing is said.
    """

    transcribe: int | None
    translate: int | None
    no_times: int | None
    first_time: int | None
    latest_start: int = 50
    previous: int | None = None
    no_speech: int | None = None


class SeriesDefaults(NamedTuple):
    """How a forecaster's authors run it. samples: paths that are drawn. context: last values that
    are read, 0 for as many as are usual at the series' frequency.
    """

    samples: int = 100
    context: int = 0


USUAL_SERIES = SeriesDefaults()


class DecoderPrompt(NamedTuple):
    """What one decoding begins with.

    start: what the decoder reads before its first output. forced_tokens: what the output then
    begins with, because the model's always do or to name a language. prefix: what the visitor wants
    after them.
    """

    start: tuple[int, ...]
    forced_tokens: tuple[int, ...] = ()
    prefix: tuple[int, ...] = ()

    @property
    def steps(self) -> int:
        """Steps of the decoder before the one that writes the first output."""
        return len(self.start) - 1

    def before(self, tokens: Sequence[int]) -> list[int]:
        """Return what the decoder reads in order to write these tokens under teacher forcing."""
        return [*self.start, *tokens[:-1]]


@dataclass(frozen=True)
class GenerationConfig:
    """How one checkpoint is run.

    start: what the decoder reads before its first output. forced: what outputs then begin with, at
    no cost of probability. ends: tokens that end an output beside the model's usual one.
    end_at_limit: the token that is forced where an output is as long as
    allowed, None for none. forbidden, forbidden_first: never said, or not as the first token.
    forbidden_sequences: of several tokens, never completed.
    renormalise: probabilities sum to 1 again after what is forbidden has been left out.
    no_copy_ngram: no n-gram of this size may be copied from the source, 0 for no such rule.
    instructions: texts that can be put before a source, by what they ask for. always_instructed:
    one of them always is, so that options may name what is asked for.
    window: seconds that a recording is filled up to with silence, 0 to take it as it is.
    language_leads: where a token names the language of the output: "" nowhere, "source" before the
    source, "start" as what the decoder reads first, "forced" as the first output; "heard" where one
    names the language of a recording instead, after the start. speech: of a speech model; series:
    of a forecaster.
    turn_separator: what stands between the turns of a conversation in a source (see source_of), ""
    for a model that knows none; turns: how many of the last ones are read, 0 for all.
    folded: it reads and writes folded text, see seq2seq.data.normalization; outputs
    are written as their source is. plain_punctuation, plain_letters, case: how the texts were
    written that it was trained on, see seq2seq.data.typography; restores_capitals: the
    output of a source that is in capitals throughout is written so too. word_filter: words that it
    must not say.
    options: what its authors decode with; ignored: settings of theirs that have no counterpart.
    """

    start: tuple[int, ...]
    forced: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    end_at_limit: int | None = None
    forbidden: tuple[int, ...] = ()
    forbidden_first: tuple[int, ...] = ()
    forbidden_sequences: tuple[tuple[int, ...], ...] = ()
    renormalise: bool = False
    no_copy_ngram: int = 0
    instructions: dict[str, str] = field(default_factory=dict)
    always_instructed: bool = False
    window: float = 0.0
    language_leads: str = ""
    speech: SpeechTokens | None = None
    series: SeriesDefaults = USUAL_SERIES
    turn_separator: str = ""
    turns: int = 0
    folded: bool = False
    plain_punctuation: bool = False
    plain_letters: bool = False
    case: str = ""
    restores_capitals: bool = False
    word_filter: WordFilter | None = None
    options: Options = field(default_factory=Options)
    ignored: tuple[str, ...] = ()

    @property
    def writes_times(self) -> bool:
        """Whether it can write times, by which it goes through a long recording."""
        return self.window > 0 and self.speech is not None and self.speech.first_time is not None

    def decoder_prompt(self, options: Options, languages: dict[str, int]) -> DecoderPrompt:
        """Return what a decoding with these options begins with, their prefix apart.

        languages: ids of the language tokens. Raises UserError for a language that is not there.
        """
        target = options.target_language
        if not languages and (target or options.source_language):
            raise UserError("This model has no languages to choose from: leave them out.")
        if self.speech is not None:
            return DecoderPrompt(self._spoken(self.speech, options, languages), self.forced)
        if self.language_leads == "start" and target:
            return DecoderPrompt((_language(target, languages),), self.forced)
        if self.language_leads == "forced" and target:
            return DecoderPrompt(self.start, (_language(target, languages),))
        return DecoderPrompt(self.start, self.forced)

    def instruction(self, options: Options, text: str = "") -> str:
        """Return what is put before a source, "" for nothing: its text may begin with it already.

        Raises UserError for an instruction that a model which always gets one does not know.
        """
        if not self.always_instructed:
            return options.instruction
        known = self.instructions
        if text.startswith(tuple(known.values())):
            return ""
        asked = options.instruction or self.options.instruction or next(iter(known))
        if asked in known.values():
            return asked
        if asked not in known:
            raise UserError(
                f"This model knows no instruction {quote(asked)}: use {', '.join(known)}."
            )
        return known[asked]

    def source_language(self, options: Options) -> str:
        """Return the code of the language that a source is marked with, "" for the usual one.

        Raises UserError for options that make no sense with this model.
        """
        if self.language_leads != "source":
            return options.source_language
        if options.source_language:
            raise UserError("The source of this model has one language: choose the target's alone.")
        return options.target_language

    def _spoken(
        self, speech: SpeechTokens, options: Options, languages: dict[str, int]
    ) -> tuple[int, ...]:
        """Return the start of what is heard. Radford et al. 2022, section 2.3."""
        source, target = options.source_language, options.target_language
        start = self.start
        if self.language_leads != "heard":
            if {source, target} - {"", ENGLISH}:
                raise UserError("This model knows English only: choose no other language.")
        else:
            if target not in ("", source, ENGLISH):
                raise UserError(f"This model translates to {ENGLISH!r} only: choose that, or none.")
            start += (_language(source, languages),) if source else ()
            task = speech.transcribe if target in ("", source) else speech.translate
            start += () if task is None else (task,)
        if speech.no_times is not None and not options.timestamps:
            start += (speech.no_times,)
        if options.previous_tokens:
            if speech.previous is None:
                raise UserError("This model reads nothing of what was said before: leave it out.")
            start = (speech.previous, *options.previous_tokens, *start)
        return start


def _language(code: str, languages: dict[str, int]) -> int:
    if code not in languages:
        near = ", ".join(get_close_matches(code, languages, n=5, cutoff=0)) or "none"
        raise UserError(
            f"This model has no language {code[:40]!r}: of {len(languages)}, the nearest are "
            f"{near}."
        )
    return languages[code]
