"""What a model expects of whoever runs it: how outputs begin and end, and its authors' settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from seq2seq.errors import UserError
from seq2seq.options import Options


@dataclass(frozen=True)
class SpeechTokens:
    """Ids that tell a speech model what to do: write down, translate, leave out the times.

    first_time: of the token for 0.00 s; the later ones follow in steps of 0.02 s.
    """

    transcribe: int | None
    translate: int | None
    no_times: int | None
    first_time: int | None


@dataclass(frozen=True)
class Conventions:
    """The habits of one checkpoint.

    start: what the decoder reads before its first output. forced: what outputs then begin with, at
    no cost of probability. end_at_limit: the token that is forced where an output is as long as
    allowed, None for none. forbidden, forbidden_first: never said, or not as the first token.
    renormalise: probabilities sum to 1 again after what is forbidden has been left out.
    no_copy_ngram: no n-gram of this size may be copied from the source, 0 for no such rule.
    instructions: texts that can be put before a source, by what they ask for.
    window: seconds that a recording is filled up to with silence, 0 to take it as it is.
    language_leads: "" where no token names the language of the output, "forced" where it comes
    first, "start" where the decoder reads it. speech: of a speech model.
    options: what its authors decode with.
    """

    start: tuple[int, ...]
    forced: tuple[int, ...] = ()
    end_at_limit: int | None = None
    forbidden: tuple[int, ...] = ()
    forbidden_first: tuple[int, ...] = ()
    renormalise: bool = False
    no_copy_ngram: int = 0
    instructions: dict[str, str] = field(default_factory=dict)
    window: float = 0.0
    language_leads: str = ""
    speech: SpeechTokens | None = None
    options: Options = field(default_factory=Options)

    def beginning(
        self, options: Options, languages: dict[str, int]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return what the decoder reads first and what its outputs begin with, for these options.

        languages: ids of the language tokens. Raises UserError for a language that is not there.
        """
        start, forced = self.start, self.forced
        if self.language_leads == "forced" and options.target_language:
            forced = (_language(options.target_language, languages),)
        if self.speech is None:
            return start, forced
        if self.language_leads == "start" and options.source_language:
            start += (_language(options.source_language, languages),)
            translates = options.target_language not in ("", options.source_language)
            task = self.speech.translate if translates else self.speech.transcribe
            start += () if task is None else (task,)
        if self.speech.no_times is not None and not options.timestamps:
            start += (self.speech.no_times,)
        return start, forced


def _language(code: str, languages: dict[str, int]) -> int:
    if code not in languages:
        some = ", ".join(list(languages)[:8]) or "none"
        raise UserError(f"This model has no language {code[:40]!r}: it has {some} and so on.")
    return languages[code]
