"""What a visitor can set about one decoding: a frozen value, so that it can be a cache key."""

from __future__ import annotations

from dataclasses import dataclass, fields

from seq2seq.errors import UserError, quote

METHODS = ("beam", "greedy", "sample")
MAX_BEAM_WIDTH = 10
MAX_LENGTH = 512
MAX_LENGTH_PENALTY = 5.0
MAX_CHARACTERS = 8_000  # of a source; what is longer is cut, with a note
MAX_INSTRUCTION = 200
MAX_SEED = 2**31 - 1
KINDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    tuple: "a tuple of ids",
}


@dataclass(frozen=True)
class Options:
    """Decoding settings. Raises UserError where a value is out of range or of another kind.

    method: "beam", "greedy" (the same as a beam of width 1) or "sample".
    beam_width: live hypotheses kept at each step; for "sample", how many are drawn.
    length_penalty: alpha in score = log P / length ** alpha; 0 prefers short outputs.
    coverage_penalty: beta in Wu et al. 2016, eq. 14: punishes source tokens never looked at.
    early_stopping: end once beam_width hypotheses are complete; else go on while a live one has a
    better score at its present length. n_best: hypotheses returned, at most beam_width.
    mmi_weight: lambda by which they are ranked anew, by log P(output | source) - lambda
    log P(output): maximum mutual information on an n-best list (Li et al. 2016, sections 4.1 and
    4.4); 0 for the search's own order.
    temperature, top_k, top_p, seed: of the sampling; top_k 0 and top_p 1 cut nothing.
    max_length: most tokens written, 0 for a length that follows from the source's.
    min_length: tokens before the end may be chosen. no_repeat_ngram: 0, or the size n of which no
    n-gram may occur twice. repetition_penalty: by which the score of what was written is divided,
    or multiplied where it is below 0; 1 for none (Keskar et al. 2019, section 4.1). prefix: text
    the output has to begin with; prefix_tokens: the same as ids, instead, where another run has
    gone; the last one may end the output.
    instruction: text put before the source, for models that do several tasks, or the name of one
    that the model knows. source_language, target_language: codes, for models that know several.
    timestamps: a speech model writes times. previous_tokens: its output for the part before, as
    ids.
    """

    method: str = "beam"
    beam_width: int = 5
    length_penalty: float = 1.0
    coverage_penalty: float = 0.0
    mmi_weight: float = 0.0
    early_stopping: bool = True
    n_best: int = MAX_BEAM_WIDTH
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    max_length: int = 0
    min_length: int = 0
    no_repeat_ngram: int = 0
    repetition_penalty: float = 1.0
    prefix: str = ""
    prefix_tokens: tuple[int, ...] = ()
    instruction: str = ""
    source_language: str = ""
    target_language: str = ""
    timestamps: bool = False
    previous_tokens: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise UserError(
                f"There is no method {str(self.method)[:40]!r}: use {', '.join(METHODS)}."
            )
        for field in fields(self):
            value, kind = getattr(self, field.name), type(field.default)
            if type(value) is not kind and not (kind is float and type(value) is int):
                raise UserError(f"{field.name} is {quote(value)}: give {KINDS[kind]}.")
        for name in ("prefix", "instruction", "source_language", "target_language"):
            if any("\ud800" <= character <= "\udfff" for character in getattr(self, name)):
                raise UserError(f"The {name} holds bytes that are no text: give it as UTF-8.")
        if len(self.instruction) > MAX_INSTRUCTION:
            raise UserError(f"The instruction is too long: give at most {MAX_INSTRUCTION} letters.")
        for name in ("prefix_tokens", "previous_tokens"):
            if any(type(token) is not int for token in getattr(self, name)):
                raise UserError(f"{name} is no such list: give {KINDS[tuple]}.")
        for name, low, high in (
            ("beam_width", 1, MAX_BEAM_WIDTH),
            ("n_best", 1, MAX_BEAM_WIDTH),
            ("length_penalty", 0.0, MAX_LENGTH_PENALTY),
            ("coverage_penalty", 0.0, 5.0),
            ("mmi_weight", 0.0, 1.0),
            ("temperature", 0.01, 10.0),
            ("top_k", 0, 1_000_000),
            ("top_p", 0.01, 1.0),
            ("seed", 0, MAX_SEED),
            ("max_length", 0, MAX_LENGTH),
            ("min_length", 0, MAX_LENGTH),
            ("no_repeat_ngram", 0, 10),
            ("repetition_penalty", 0.1, 10.0),
        ):
            if not low <= getattr(self, name) <= high:
                raise UserError(
                    f"{name} is {quote(getattr(self, name))}: choose a value from {low} to {high}."
                )

    @property
    def rows(self) -> int:
        """Hypotheses kept alive for each source."""
        return 1 if self.method == "greedy" else self.beam_width

    def length_limit(self, source_length: int, forced: int = 0) -> int:
        """Return the most tokens to write for a source of so many tokens.

        forced: tokens of the prefix. There is room for it and for the minimum length.
        """
        room = max(10 + 2 * source_length, 10 + forced, 1 + self.min_length)
        return self.max_length or min(MAX_LENGTH, room)
