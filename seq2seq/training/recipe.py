"""How a checkpoint is made: the recipe.toml beside its weights."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

from seq2seq.catalogue import Card
from seq2seq.data.parallel_corpus import Pair
from seq2seq.data.value_tokenizer import SCALINGS
from seq2seq.errors import UserError, quote
from seq2seq.text_files import read_text_file
from seq2seq.toml import read_table, read_toml


@dataclass(frozen=True, repr=False)
class DataSettings:
    """train, valid: files below the data folder, or of seq2seq/training/own if their names begin
    with "own/"; or task: one of seq2seq.data.tasks, of which so many pairs are drawn, and as many
    more as are held_out as valid. score: of valid, beside the loss: "bleu", or "exact_match" for
    the share of outputs that are right. longer: more files like valid, whose sentences are scored
    by length only, since those of valid are short. columns: of the source's turns and of the
    target, () for the first two. max_tokens: longer pairs are left out of training. share: of each
    training file's pairs seen in an epoch, drawn anew each time; 2.5 is all of them twice and half
    of them once more; () for all of them. share_later: the same for all epochs but the first, ()
    for no other ones: what matters most can be read last. join: share of examples that get one or
    two others after them, so that texts of several sentences are learnt from single ones. limit:
    pairs that are drawn once of all files, as their first shares say, and read in every epoch
    instead; 0 for no limit. measured: pairs of valid that weights are chosen by while they are
    trained, 0 for all; of conversations, as many of each file. instructions, valid_instructions:
    for each file of train and of valid, the text put before its sources, as the card's instructions
    have it; () for none. paragraph: for each file of train, the most examples, drawn anew, whose
    sources are put together to a text; lead: how many of their targets, the first, are its target;
    () for 1 each. headlines: for each file of train, whether its targets are made headlines, see
    seq2seq.training.headlines; () for none. held_out_speakers: whose recordings are neither trained
    on nor in valid, so that the model can be scored on voices that it has not heard. registers:
    files like valid that a translator is scored on one by one, against one reference a sentence.
    danger: a file like valid of messages to a chatbot, some of which tell of danger, see
    seq2seq.evaluation.danger.
    """

    LATER: ClassVar = (
        *("instructions", "valid_instructions", "paragraph", "lead", "headlines"),
        *("held_out_speakers", "registers", "danger"),
    )

    train: tuple[str, ...] = ()
    valid: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    share: tuple[float, ...] = ()
    share_later: tuple[float, ...] = ()
    max_tokens: int = 100
    join: float = 0.0
    longer: tuple[str, ...] = ()
    limit: int = 0
    measured: int = 0
    task: str = ""
    pairs: int = 20_000
    held_out: int = 200
    score: str = "bleu"
    instructions: tuple[str, ...] = ()
    valid_instructions: tuple[str, ...] = ()
    paragraph: tuple[int, ...] = ()
    lead: tuple[int, ...] = ()
    headlines: tuple[bool, ...] = ()
    held_out_speakers: tuple[str, ...] = ()
    registers: tuple[str, ...] = ()
    danger: str = ""

    def __repr__(self) -> str:
        """Write the settings as those of a run that was begun before some were there."""
        return _brief(self)

    def __post_init__(self) -> None:
        if self.task and (self.train or self.valid):
            raise UserError("The recipe's [data] has a task and files: leave one of them out.")
        if not self.task and not (self.train and self.valid):
            missing = "valid" if self.train else "train"
            raise UserError(f"The recipe's [data] lacks {missing!r}: name files there, or a task.")
        if self.score not in SCORES:
            raise UserError(
                f"The recipe's score is {quote(self.score)}: use {' or '.join(SCORES)}."
            )
        if len(self.columns) == 1:
            raise UserError("The recipe's columns are one: name two or more, or none.")
        lists = ("share", "share_later", "instructions", "paragraph", "lead", "headlines")
        for name in lists:
            self._check_one_each(name, "train")
        self._check_one_each("valid_instructions", "valid")
        if not all(0 < share <= 1_000 for share in (*self.share, *self.share_later)):
            raise UserError("A share in the recipe is out of range: give more than 0, to 1,000.")
        if not all(1 <= count <= 100 for count in (*self.paragraph, *self.lead)):
            raise UserError("The recipe's paragraph and lead are counts: give 1 to 100 a file.")
        ranges: dict[str, tuple[float, float]] = {"max_tokens": (1, 10_000), "join": (0, 1)}
        ranges |= {
            "limit": (0, 10**9),
            "measured": (0, 10**9),
            "pairs": (1, 10**6),
            "held_out": (1, 10**5),
        }
        _check_ranges(self, ranges)

    def _check_one_each(self, name: str, files: str) -> None:
        if len(getattr(self, name)) not in (0, len(getattr(self, files))):
            raise UserError(f"The recipe's {name} and {files} differ in length: give one a file.")


KINDS = ("unigram", "character", "word")
SCORES = ("bleu", "exact_match")
SCHEDULES = ("linear", "constant")


@dataclass(frozen=True)
class TokenizerSettings:
    """pieces: of the vocabulary shared by both sides. kind: "unigram" pieces, "character" or
    "word". source_kind: of a vocabulary of its own for the source, "" for a shared one. space: what
    is read begins with a space, as it does where words are pieces. alpha: of the sampled splits
    that training sees (Kudo 2018), 0 for the best split always.
    symbols: never split. digits: each is a piece of its own, so that numbers can be copied. fit:
    "both", or the one side, "source" or "target", whose text the pieces are made from; the other
    is read by character.
    """

    pieces: int = 8000
    alpha: float = 0.0
    symbols: tuple[str, ...] = ()
    digits: bool = False
    fit: str = "both"
    kind: str = "unigram"
    source_kind: str = ""
    space: bool = True

    def __post_init__(self) -> None:
        if self.fit not in ("both", *Pair._fields):
            raise UserError(f"The recipe's fit is {quote(self.fit)}: use both, source or target.")
        for name, kind in (("kind", self.kind), ("source_kind", self.source_kind or KINDS[0])):
            if kind not in KINDS:
                raise UserError(f"The recipe's {name} is {quote(kind)}: use {' or '.join(KINDS)}.")
        _check_ranges(self, {"pieces": (8, 1_000_000), "alpha": (0, 10)})


def _brief(settings: Any) -> str:
    """Write settings as dataclasses do, but fields that came later only where they are set, so that
    a run that was begun before can be resumed.
    """
    values = {each.name: (getattr(settings, each.name), each.default) for each in fields(settings)}
    written = (
        f"{name}={value!r}"
        for name, (value, usual) in values.items()
        if name not in settings.LATER or value != usual
    )
    return f"{type(settings).__name__}({', '.join(written)})"


@dataclass(frozen=True, repr=False)
class TrainingSettings:
    """Settings of the loop.

    batch_tokens: padded target tokens a batch. learning_rate: the peak, reached after warmup_steps;
    by the schedule "linear" it falls in a line to 0 at the end of the run, by "constant" it stays.
    averaging: decay of the running average of the
    weights, 0 for none. evaluate_every: steps. patience: evaluations on valid without a better one
    after which the run ends. For speech, batch_frames: padded frames of 10 ms a batch, instead of
    batch_tokens; ctc, guide: weights of further losses, see
    Objective; guide_from: share of the run after which there is a guide. teacher_forcing: share of
    the target's tokens that the decoder reads; the rest is what it says itself. hide: share of the
    source's positions that attention cannot see in training; contrast: weight of the loss that
    tells a source from a wrong one; see Objective for both. start_share: of the weights that the
    run began with in those that come of it: the mean of both stands what is unlike the last data
    better than either (Wortsman et al. 2022, "Robust fine-tuning"). With it, the best weights are
    the run's own, even where none are better than what it began with.
    """

    LATER: ClassVar = ("start_share", "hide", "contrast")
    __repr__ = _brief

    epochs: int = 20
    batch_tokens: int = 2_000
    learning_rate: float = 1e-3
    warmup_steps: int = 500
    label_smoothing: float = 0.1
    clip: float = 1.0
    averaging: float = 0.999
    evaluate_every: int = 1_000
    patience: int = 10
    seed: int = 1
    batch_frames: int = 6_000
    ctc: float = 0.0
    guide: float = 0.0
    guide_from: float = 0.0
    teacher_forcing: float = 1.0
    hide: float = 0.0
    contrast: float = 0.0
    schedule: str = "linear"
    start_share: float = 0.0

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise UserError(
                f"The recipe's schedule is {quote(self.schedule)}: use {' or '.join(SCHEDULES)}."
            )
        ranges: dict[str, tuple[float, float]] = {
            "epochs": (1, 100_000),
            "batch_tokens": (1, 10_000_000),
            "batch_frames": (1, 10_000_000),
            "ctc": (0, 10),
            "guide": (0, 10),
            "guide_from": (0, 1),
            "start_share": (0, 0.99),
            "teacher_forcing": (0, 1),
            "hide": (0, 0.9),
            "contrast": (0, 10),
            "learning_rate": (1e-8, 1_000_000),
            "warmup_steps": (0, 10_000_000),
            "label_smoothing": (0, 0.99),
            "clip": (1e-6, 1e6),
            "averaging": (0, 0.999999),
            "evaluate_every": (1, 100_000_000),
            "patience": (1, 1_000_000),
            "seed": (0, 1_000_000),
        }
        _check_ranges(self, ranges)


@dataclass(frozen=True, repr=False)
class AugmentationSettings:
    """How recordings are varied in training.

    speeds: one is drawn each time. strings: for each training file, the most recordings of one
    speaker that are joined to one; () for none. warp: most that frequencies are stretched by.
    colour: most decibels by which a band is raised or lowered, smoothly over the bands. silence:
    most frames of 10 ms of quiet around a recording, before it and after it. background: share of
    recordings set in as much silence and then in noise, background_decibels below.
    cut: share of the recordings of several words of which only some in a row are learnt, see
    seq2seq.training.word_cuts; cut_words: at most so many.
    narrow, noise: share of recordings cut off above 4 kHz, and with noise so many decibels below.
    room: share of recordings with the echo of a room, which dies away in so many room_seconds.
    time_masks: spans blotted out in a second, of up to time_width frames of 10 ms. bin_masks: spans
    of up to bin_width bins.
    """

    LATER: ClassVar = (
        "room",
        "room_seconds",
        "background",
        "background_decibels",
        "cut",
        "cut_words",
    )
    __repr__ = _brief

    speeds: tuple[float, ...] = (1.0,)
    strings: tuple[int, ...] = ()
    cut: float = 0.0
    cut_words: int = 3
    warp: float = 0.0
    colour: float = 0.0
    silence: int = 20
    background: float = 0.0
    background_decibels: tuple[float, ...] = (15.0, 70.0)
    narrow: float = 0.0
    noise: float = 0.0
    noise_decibels: tuple[float, ...] = (5.0, 30.0)
    room: float = 0.0
    room_seconds: tuple[float, ...] = (0.1, 0.6)
    time_masks: float = 0.0
    time_width: int = 10
    bin_masks: int = 0
    bin_width: int = 10

    def __post_init__(self) -> None:
        if not self.speeds or not all(0.5 <= speed <= 2 for speed in self.speeds):
            raise UserError("The recipe's speeds are out of range: give some of 0.5 to 2.")
        if not all(1 <= most <= 100 for most in self.strings):
            raise UserError("The recipe's strings are out of range: give 1 to 100 for each file.")
        for name in ("noise_decibels", "background_decibels"):
            if len(getattr(self, name)) != 2:
                raise UserError(f"The recipe's {name} are a range: give two numbers.")
        if len(self.room_seconds) != 2 or not all(0 < each <= 5 for each in self.room_seconds):
            raise UserError("The recipe's room_seconds are a range: give two numbers of up to 5.")
        ranges: dict[str, tuple[float, float]] = {
            "cut": (0, 1),
            "cut_words": (1, 100),
            "warp": (0, 0.5),
            "colour": (0, 40),
            "silence": (0, 1_000),
            "background": (0, 1),
            "narrow": (0, 1),
            "noise": (0, 1),
            "room": (0, 1),
            "time_masks": (0, 100),
            "time_width": (0, 1_000),
            "bin_masks": (0, 100),
            "bin_width": (0, 1_000),
        }
        _check_ranges(self, ranges)


@dataclass(frozen=True, repr=False)
class DialogueSettings:
    """How conversations are varied in training, each time anew.

    casual: share of them written in small letters, without the last mark, or both. forget: share
    of those of several turns that keep the last one only. interrupt: share of those of one turn
    that get a reply to something else before it, as in a talk that changes its subject. dull: share
    of the dull replies (see seq2seq.evaluation.reply_metrics) that are learnt: few as they are,
    they fit anything, so that a model says little else (Li et al. 2016). unrelated: share of the
    replies that take up no word of a statement which are learnt (see `related`). blank: share of
    the sources that are left out, so that the model knows how probable a reply is on its own, which
    decoding can compare. earlier: turns before the file's own that are looked up in its other rows.
    made: exchanges made from patterns, for one of the files, none of them one of the [prompts].
    unasked: share of the replies that end in a question after something else which are learnt
    without it, so that a model asks where it is sure of the question.
    """

    LATER: ClassVar = ("unasked",)
    __repr__ = _brief

    casual: float = 0.0
    forget: float = 0.0
    interrupt: float = 0.0
    dull: float = 1.0
    unrelated: float = 1.0
    blank: float = 0.0
    earlier: int = 0
    made: float = 0.0
    unasked: float = 0.0

    def __post_init__(self) -> None:
        shares = ("casual", "forget", "interrupt", "dull", "unrelated", "blank", "unasked")
        ranges: dict[str, tuple[float, float]] = dict.fromkeys(shares, (0, 1))
        _check_ranges(self, ranges | {"earlier": (0, 6), "made": (0, 10)})


@dataclass(frozen=True)
class SubstitutionSettings:
    """Names and numbers in English and French pairs, each epoch anew: see seq2seq.substitution.

    replaced: share of the pairs in which those of both sides are replaced by others. made: pairs
    made from patterns, for one of the files.
    """

    replaced: float = 0.0
    made: float = 0.0

    def __post_init__(self) -> None:
        _check_ranges(self, {"replaced": (0, 1), "made": (0, 10)})


@dataclass(frozen=True)
class TypingSettings:
    """How sources are varied in training, as others might type them; shares of all, each epoch
    anew.

    lower, capitals: in small letters, or in capitals. unended: without the marks at their end.
    quotes: with typographic apostrophes and quotation marks for plain ones, or the other way round.
    """

    lower: float = 0.0
    unended: float = 0.0
    quotes: float = 0.0
    capitals: float = 0.0

    def __post_init__(self) -> None:
        _check_ranges(
            self, {"lower": (0, 1), "unended": (0, 1), "quotes": (0, 1), "capitals": (0, 1)}
        )


@dataclass(frozen=True)
class QualifierSettings:
    """Words that negate or hedge, such as "not" and "allegedly", in compressions of folded texts:
    see seq2seq.training.qualifiers.

    restored: those that a compression lacks before a word that it keeps are put back. added: share
    of the pairs that get one more on both sides, where it has room; drawn anew each epoch.
    """

    restored: bool = False
    added: float = 0.0

    def __post_init__(self) -> None:
        _check_ranges(self, {"added": (0, 1)})


@dataclass(frozen=True)
class SeriesSettings:
    """How a forecaster reads series, and what it trains on.

    scaling, bins, reach: of ValueTokenizer; the bins go from -reach to reach. context: most values
    that are read. horizon: values that are forecast in most examples. held_out: share of the series
    that are kept from training, by the hash of their names. windows: examples an epoch. synthetic:
    share of them that are made; mixed: share of the others that are mixes of several series.
    """

    scaling: str = "recent"
    bins: int = 1_024
    reach: float = 10.0
    context: int = 512
    horizon: int = 24
    held_out: float = 0.15
    windows: int = 20_000
    synthetic: float = 0.5
    mixed: float = 0.4

    def __post_init__(self) -> None:
        if self.scaling not in SCALINGS:
            raise UserError(
                f"The recipe's scaling is {quote(self.scaling)}: use {' or '.join(SCALINGS)}."
            )
        ranges: dict[str, tuple[float, float]] = {
            "bins": (2, 100_000),
            "reach": (1, 1_000),
            "context": (16, 512),
            "horizon": (1, 64),
            "held_out": (0.01, 0.9),
            "windows": (1, 10_000_000),
            "synthetic": (0, 1),
            "mixed": (0, 1),
        }
        _check_ranges(self, ranges)


@dataclass(frozen=True)
class Recipe:
    """card: what the checkpoint is. model: fields of Config but for the vocabulary. prompts: inputs
    whose outputs are printed on the model card, by their kind.
    """

    card: Card
    data: DataSettings
    tokenizer: TokenizerSettings
    model: dict[str, Any]
    training: TrainingSettings
    augmentation: AugmentationSettings
    dialogue: DialogueSettings
    substitution: SubstitutionSettings
    typing: TypingSettings
    qualifiers: QualifierSettings
    series: SeriesSettings
    prompts: dict[str, tuple[str, ...]]
    text: str

    @property
    def name(self) -> str:
        """Name of the checkpoint's folder."""
        return self.card.name

    @property
    def settings(self) -> str:
        """All that the trained weights depend on, the data's own content aside."""
        model = sorted(self.model.items())
        reading = self.card.turn_separator, self.card.folded, self.dialogue
        data = replace(self.data, registers=())
        settings = data, self.tokenizer, model, self.training, self.augmentation
        later = [
            each
            for each in (self.qualifiers, self.series)
            if each not in (QualifierSettings(), SeriesSettings())
        ]
        return repr((*settings, *reading, self.substitution, self.typing, *later))


def read_recipe(path: Path) -> Recipe:
    """Read a recipe. The checkpoint is named by `name` in [card], else by the recipe's folder.

    Raises UserError if the file is missing or has a field that nobody knows.
    """
    try:
        text, values = read_text_file(path), read_toml(path)
    except FileNotFoundError:
        raise UserError(f"There is no recipe {path.name}: check its path.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"The recipe {path.name} cannot be read: {error}.") from None
    return _recipe(text, values, path.name, path.resolve().parent.name)


def parse_recipe(text: str) -> Recipe:
    """Read a recipe from its text, as read_recipe does; [card] has to name it."""
    try:
        values = tomllib.loads(text)
    except ValueError as error:
        raise UserError(f"The recipe cannot be read: {error}.") from None
    return _recipe(text, values, "recipe.toml", "")


def _recipe(text: str, values: dict[str, Any], file: str, folder: str) -> Recipe:
    sections = {"card", "data", "tokenizer", "model", "training", "augmentation", "dialogue"}
    sections |= {"substitution", "typing", "qualifiers", "series", "prompts"}
    unknown = sorted(set(values) - sections)
    missing = sorted({"card", "data", "model"} - set(values))
    if unknown or missing:
        what = f"an unknown section [{unknown[0]}]" if unknown else f"no section [{missing[0]}]"
        raise UserError(f"The recipe {file} has {what}: it has {', '.join(sorted(sections))}.")
    card, model = values["card"], values["model"]
    if not isinstance(card, dict) or not isinstance(model, dict):
        raise UserError(f"The recipe {file} needs tables: write [card] and [model].")
    data = read_table(DataSettings, values["data"], "The recipe's [data]")
    if data.held_out_speakers and model.get("input") != "audio":
        raise UserError("The recipe's held_out_speakers are of recordings: leave them out.")
    if data.registers and card.get("task") != "translation":
        raise UserError("The recipe's registers are of translations: leave them out.")
    return Recipe(
        Card.from_dict(card, card.get("name") or folder),
        data,
        read_table(TokenizerSettings, values.get("tokenizer", {}), "The recipe's [tokenizer]"),
        model,
        read_table(TrainingSettings, values.get("training", {}), "The recipe's [training]"),
        read_table(
            AugmentationSettings, values.get("augmentation", {}), "The recipe's [augmentation]"
        ),
        read_table(DialogueSettings, values.get("dialogue", {}), "The recipe's [dialogue]"),
        read_table(
            SubstitutionSettings, values.get("substitution", {}), "The recipe's [substitution]"
        ),
        read_table(TypingSettings, values.get("typing", {}), "The recipe's [typing]"),
        read_table(QualifierSettings, values.get("qualifiers", {}), "The recipe's [qualifiers]"),
        read_table(SeriesSettings, values.get("series", {}), "The recipe's [series]"),
        _prompts(values.get("prompts", {})),
        text,
    )


def _prompts(values: Any) -> dict[str, tuple[str, ...]]:
    lists = values.values() if isinstance(values, dict) else [None]
    for prompts in lists:
        if not isinstance(prompts, list) or not all(type(each) is str for each in prompts):
            raise UserError("The recipe's [prompts] are lists of texts: write one for each kind.")
    return {kind: tuple(prompts) for kind, prompts in values.items()}


def _check_ranges(settings: Any, ranges: dict[str, tuple[float, float]]) -> None:
    for name, (low, high) in ranges.items():
        if not low <= getattr(settings, name) <= high:
            raise UserError(
                f"The recipe's {name} is {getattr(settings, name)}: give {low:g} to {high:g}."
            )
