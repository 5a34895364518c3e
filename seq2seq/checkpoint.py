"""A model on disk: config.json, model.safetensors (float16), tokenizer.model and card.toml.

With two vocabularies, source_tokenizer.model and target_tokenizer.model stand for tokenizer.model.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from seq2seq import hub
from seq2seq.catalogue import PRECISIONS, Card, card_named, is_name, read_card, resolve
from seq2seq.data.normalization import unfold
from seq2seq.data.tokenizer import Tokenizer, Unigram
from seq2seq.data.tokenizer_pair import SOURCE_TOKENIZER, TARGET_TOKENIZER, TokenizerPair
from seq2seq.data.typography import SENTENCE, is_shouted
from seq2seq.data.value_tokenizer import ValueTokenizer
from seq2seq.data.word_filter import WordFilter
from seq2seq.decoding.generation_config import GenerationConfig
from seq2seq.errors import UserError, quote
from seq2seq.families.loading import require_memory
from seq2seq.families.other_formats import describe
from seq2seq.families.pretrained import (
    check_links,
    family_of,
    is_foreign,
    read_folder,
    read_loaded,
)
from seq2seq.hub.watchdog import Progress
from seq2seq.models.config import Config
from seq2seq.models.quantization import available, quantize
from seq2seq.models.seq2seq import Seq2Seq, build_empty, tie

# Weights of Transformers that were saved before their residual connections had this name.
_FORMER = re.compile(r"\baround_(\w+)\.")
WEIGHTS, CONFIG = "model.safetensors", "config.json"
TOKENIZER, CARD = "tokenizer.model", "card.toml"
PAIR = (SOURCE_TOKENIZER, TARGET_TOKENIZER)
LARGEST_COPY = torch.float16  # what takes as much as a copy in eight bits may: see quantize
# What this library reads and writes: one vocabulary for both sides, or two.
SharedTokenizer = Unigram | ValueTokenizer
OwnTokenizer = SharedTokenizer | TokenizerPair

# Stand for what a caller leaves out.
UNNAMED = Card("model", "A model", "translation", "unknown")
FROM_CARD = GenerationConfig(start=())


@dataclass(frozen=True)
class Checkpoint:
    """A model ready to run, with the tokenizer it was trained with.

    `Checkpoint(model, tokenizer)` is enough for a model of `build`: the model is then put into
    evaluation mode, and decodes as our own checkpoints do.
    card: what it is. generation_config: how it decodes; FROM_CARD for what the card says.
    notes: sentences on where it came from that a reader of its results should know.
    quantized: a copy that multiplies in eight bits, for all runs; None to do without.
    family: of a published model, "" for one of ours.
    Raises UserError for a model and a tokenizer that do not fit together.
    """

    model: Seq2Seq
    tokenizer: Tokenizer
    card: Card = UNNAMED
    generation_config: GenerationConfig = FROM_CARD
    notes: tuple[str, ...] = ()
    quantized: Seq2Seq | None = None
    family: str = ""

    def __post_init__(self) -> None:
        if self.generation_config is not FROM_CARD:
            return
        if not isinstance(self.model, Seq2Seq) or not hasattr(self.tokenizer, "encode_target"):
            raise UserError(
                "A checkpoint is a model and its tokenizer: write "
                "Checkpoint(seq2seq.build(config), tokenizer)."
            )
        check_fit(self.model.config, self.tokenizer, self.card.name)
        self.model.eval()
        derived = own_generation_config(self.model.config, self.card, self.tokenizer)
        object.__setattr__(self, "generation_config", derived)

    def __repr__(self) -> str:
        """Write what the model is, its size, and where and in what it computes."""
        kind = self.family or self.model.config.name
        return (
            f"Checkpoint({self.card.name}: {self.card.title},\n"
            f"           {self.card.task}, {kind}, {self.model.parameter_count():,} parameters, "
            f"{len(self.tokenizer):,} tokens, {self.precision} on {self.device})"
        )

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    @property
    def ends(self) -> tuple[int, ...]:
        """The tokens that end an output, the usual one first."""
        return (self.model.config.eos, *self.generation_config.ends)

    @property
    def searcher(self) -> Seq2Seq:
        """The model that outputs are searched and recorded with."""
        return self.model if self.quantized is None else self.quantized

    @property
    def precision(self) -> str:
        """What a run multiplies in."""
        weight = next(self.model.parameters())
        return str(weight.dtype).removeprefix("torch.") if self.quantized is None else "int8"

    def text(self, tokens: Sequence[int], source: str = "") -> str:
        """Write an output, of a source as it was typed, whose capitals may be restored."""
        text, config = self.tokenizer.decode(tokens).strip(), self.generation_config
        if config.restores_capitals and is_shouted(source):
            return text.upper()
        return unfold(text, source) if config.folded else text

    def searching_in(self, precision: str) -> Checkpoint:
        """Return the checkpoint with runs in "float32", or in "int8" where the CPU can.

        Raises UserError where the copy would not fit into this machine's free memory.
        """
        fits = precision == "int8" and self.device.type == "cpu" and available()
        if fits:
            require_memory(self.model, LARGEST_COPY)
        return replace(self, quantized=quantize(self.model) if fits else None)


def best_device() -> torch.device:
    """Return the GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _device(named: torch.device | str | None) -> torch.device:
    """Return a device, the best one where none is named. Raises UserError for what is none."""
    if named is None:
        return best_device()
    try:
        return torch.device(named)
    except (RuntimeError, TypeError):
        raise UserError(f"There is no device {quote(named)}: use cpu or cuda.") from None


def load(
    checkpoint: str | Path,
    device: torch.device | str | None = None,
    on_progress: Progress | None = None,
    precision: str | None = None,
    called: str = "",
) -> Checkpoint:
    """Load a checkpoint by its name in checkpoints/, its folder or its id on the Hub.

    on_progress is called with the bytes fetched and the bytes in all, where some have to be.
    device: the GPU if there is one, unless another is named.
    precision: of a run, None for what the checkpoint's card allows. called: what records and
    messages name it, by default what it was asked for by. A model of the Hub that was fetched
    before stays as it is: another revision is another name.
    Raises UserError, naming what is wrong, if it cannot be fetched, if a file is missing or
    damaged, if weights are missing, left over, of another shape or not finite, or if they do not
    fit into this machine's free memory.
    """
    if precision not in (None, *PRECISIONS):
        raise UserError(f"The precision is {quote(precision)}: use {', '.join(PRECISIONS)}.")
    place, name = _device(device), str(checkpoint)
    notes: tuple[str, ...] = ()
    folder, identifier = resolve(checkpoint)
    # Never where on this machine it lies: that is nobody's business in a record or a message.
    called_here = name if is_name(name) or folder is None else folder.name
    if identifier:
        fetched = hub.fetch(hub.cached(identifier) or identifier, on_progress)
        folder, notes = fetched.folder, fetched.notes
    assert folder is not None
    ours = None if called else card_named(name)
    loaded = _load(folder, called or called_here, place, ours)
    loaded = replace(loaded, notes=notes + loaded.notes)
    return loaded.searching_in(precision or loaded.card.precision)


def _load(folder: Path, name: str, device: torch.device, ours: Card | None) -> Checkpoint:
    if folder.is_file():
        raise UserError(describe(folder))
    check_links(folder)
    if is_foreign(folder):
        ours = ours or card_named(name)
        card, model, tokenizer, generation_config = read_folder(
            folder, name, _precision(device), ours
        )
        notes, model = _unfollowed(generation_config), model.to(device)
        return Checkpoint(
            model, tokenizer, card, generation_config, notes, family=family_of(folder)
        )
    if not (folder / CARD).is_file() and (found := describe(folder)):
        raise UserError(found)
    card = replace(read_card(folder), name=name)
    model = read_model(folder)
    tokenizer = tokenizer_of(folder, card.folded)
    return Checkpoint(model.to(device), tokenizer, card)


def from_transformers(model: Any, tokenizer: Any, name: str = "loaded model") -> Checkpoint:
    """Wrap a model and its tokenizer, or processor, that transformers has loaded.

    The weights are shared, not copied, where they are float32 on the CPU: what is trained further
    there changes here. The tokenizer and the generation config are copies. Neither object is
    changed, and none of transformers' code runs afterwards. Raises UserError for a family that is
    not known here, and for objects of other kinds.
    """
    card, ours, words, generation_config = read_loaded(model, tokenizer, name)
    notes = _unfollowed(generation_config)
    family = str(model.config.model_type)
    return Checkpoint(ours, words, card, generation_config, notes, family=family)


def _unfollowed(generation_config: GenerationConfig) -> tuple[str, ...]:
    ignored = ", ".join(generation_config.ignored)
    return (f"Its authors also set {ignored}: that is not done here.",) if ignored else ()


def check_fit(config: Config, tokenizer: Tokenizer, name: str) -> None:
    """Raise UserError where a tokenizer is not the one that a model was built for."""
    pair = isinstance(tokenizer, TokenizerPair)
    sides = [("target " if pair else "", tokenizer, config.vocabulary)]
    if isinstance(tokenizer, TokenizerPair):
        sides += [("source ", tokenizer.source, config.source_vocabulary or config.vocabulary)]
    for side, each, size in sides:
        if len(each) != size:
            raise UserError(
                f"{name} has a {side}tokenizer of {len(each)} pieces and a model of {size}: they "
                "are not from the same checkpoint."
            )
    _check_sides(config, pair, name)
    special = (config.pad, config.unknown, config.bos, config.eos)
    if isinstance(tokenizer, OwnTokenizer) and tokenizer.special_ids() != special:
        raise UserError(
            f"{name} has a tokenizer whose special tokens (pad, unknown, start, end) are "
            f"{tokenizer.special_ids()}, not those of its config.json."
        )


def _check_sides(config: Config, pair: bool, name: str) -> None:
    """Raise UserError where a model needs one vocabulary and has two, or the other way round."""
    if not pair and config.source_vocabulary not in (0, config.vocabulary):
        raise UserError(
            f"{name} has one tokenizer and a model of two vocabularies: give a TokenizerPair."
        )
    problem = ""
    if pair and config.input == "audio":
        problem = "hears and reads no text: give it one tokenizer"
    elif pair and config.shared:
        problem = "has one embedding for both sides: set shared to false"
    elif pair and config.can_copy:
        problem = "copies tokens, which must be in both: set copies to false"
    if problem:
        raise UserError(f"{name} has two vocabularies, but its model {problem}.")


def tokenizer_of(folder: Path, folded: bool = False) -> OwnTokenizer:
    """Read the tokenizer of a folder, or the two of it. Raises UserError as their `load` does."""
    if any((folder / file).exists() for file in PAIR):
        return TokenizerPair.load(folder, folded)
    return read_tokenizer(folder / TOKENIZER, folded)


def write_tokenizer(folder: Path, tokenizer: OwnTokenizer) -> None:
    """Write a tokenizer, or two, to a folder; files of another kind there would be read instead."""
    if isinstance(tokenizer, TokenizerPair):
        pair = {SOURCE_TOKENIZER: tokenizer.source, TARGET_TOKENIZER: tokenizer.target}
        files: dict[str, SharedTokenizer] = {**pair}
    else:
        files = {TOKENIZER: tokenizer}
    for name, each in files.items():
        with replaced(folder / name) as new:
            new.write_bytes(each.model)
    for name in {TOKENIZER, *PAIR} - files.keys():
        (folder / name).unlink(missing_ok=True)


def own_generation_config(config: Config, card: Card, tokenizer: Tokenizer) -> GenerationConfig:
    """Return the generation config of our own checkpoints: as the card says, no special tokens."""
    forbidden = [config.pad, config.unknown, config.bos]
    if config.input == "series":  # every token that is written is a value
        forbidden = sorted(tokenizer.special)
    if card.turn_separator:  # a reply is one turn
        forbidden += tokenizer.encode_target(card.turn_separator)[-1:]
    instructions = {name: f"<{name}>" for name in card.instructions}
    for instruction in instructions.values():
        forbidden += tokenizer.encode_target(instruction)[-1:]
    pieces = tokenizer.pieces(range(len(tokenizer))) if card.word_filter else ()
    return GenerationConfig(
        start=(config.bos,),
        forbidden=tuple(forbidden),
        instructions=instructions,
        always_instructed=bool(instructions),
        turn_separator=card.turn_separator,
        turns=card.turns,
        folded=card.folded,
        plain_punctuation=card.plain_punctuation,
        plain_letters=card.plain_letters,
        case=card.case,
        restores_capitals=card.case == SENTENCE and card.task == "translation",
        word_filter=WordFilter(pieces) if card.word_filter else None,
        options=card.decoding,
    )


def _precision(device: torch.device) -> torch.dtype:
    """Choose how weights of others are held: bfloat16 where the GPU computes in it.

    Not float16: T5 and BART leave its range.
    """
    fast = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if fast else torch.float32


def save(
    folder: str | Path, model: Seq2Seq | Checkpoint, tokenizer: Tokenizer | None = None
) -> None:
    """Write a checkpoint, or a model and its tokenizer, to a folder, made if need be.

    The folder has config, weights (float16), tokenizer and card.toml: load, run, the command line
    and the app open it. A card that is there already stays where a model alone is given.
    Raises UserError for what cannot be written, such as a tokenizer of somebody else's model.
    """
    folder, card = _path_of(folder), None
    if isinstance(model, Checkpoint):
        tokenizer, card, model = model.tokenizer, model.card, model.model
    if not isinstance(model, Seq2Seq) or not isinstance(tokenizer, OwnTokenizer):
        raise UserError(
            "Only a model of seq2seq.build and a tokenizer of this library can be saved: write "
            "save(folder, checkpoint) or save(folder, model, tokenizer)."
        )
    check_fit(model.config, tokenizer, folder.name)
    folder.mkdir(parents=True, exist_ok=True)
    with replaced(folder / CONFIG) as new:
        new.write_text(model.config.to_json(), encoding="utf-8")
    write_tokenizer(folder, tokenizer)
    weights = {name: weight.detach().cpu().half() for name, weight in model.named_parameters()}
    with replaced(folder / WEIGHTS) as new:
        save_file(weights, new, metadata={"format": "pt"})
    if card is not None or not (folder / CARD).exists():
        with replaced(folder / CARD) as new:
            new.write_text((card or UNNAMED).to_toml(), encoding="utf-8")


def _path_of(folder: str | Path) -> Path:
    """Return a folder to write to. Raises UserError for what is none."""
    if not isinstance(folder, str | Path) or not str(folder).strip():
        raise UserError(f"A folder to save to is needed, not {quote(folder)}: give its path first.")
    if Path(folder).is_file():
        raise UserError(f"{Path(folder).name} is a file: name a folder.")
    return Path(folder)


def read_tokenizer(path: Path, folded: bool = False) -> SharedTokenizer:
    """Read a tokenizer.model, of text or of numbers. Raises UserError if it is none of them."""
    content = path.read_bytes() if path.is_file() else b""
    return ValueTokenizer.from_bytes(content) if content[:1] == b"{" else Unigram.load(path, folded)


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give the name of a new file, which takes the place of another once it is complete.

    Whatever happens before leaves the other one, and nothing else.
    """
    new = path.with_name(path.name + ".new")
    try:
        yield new
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def read_model(folder: Path) -> Seq2Seq:
    """Read config and weights of a folder into a model whose weights take no gradient."""
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise UserError(f"{folder.name} has no {name}: fetch the checkpoint again.")
    config = Config.from_json((folder / CONFIG).read_text(encoding="utf-8", errors="replace"))
    model = build_empty(config)
    model.load_state_dict(_read_weights(folder, model), strict=False, assign=True)
    tie(model)
    return model.requires_grad_(False)


def _read_weights(folder: Path, model: Seq2Seq) -> dict[str, Tensor]:
    expected = {name: tuple(weight.shape) for name, weight in model.named_parameters()}
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            stored = {_FORMER.sub(r"\1_residual.", name): name for name in file.keys()}  # noqa: SIM118
            found = {name: tuple(file.get_slice(stored[name]).get_shape()) for name in stored}
            _compare(expected, found, folder.name)
            require_memory(model, torch.float32)
            weights = {name: file.get_tensor(stored[name]).float() for name in expected}
    except (SafetensorError, OSError):
        raise UserError(
            f"The {WEIGHTS} of {folder.name} is damaged or of another format: fetch it again."
        ) from None
    for name, weight in weights.items():
        if not torch.isfinite(weight).all():
            raise UserError(f"{folder.name} holds numbers that are not finite in {name}.")
    return weights


def _compare(
    expected: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]], folder: str
) -> None:
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            problem = f"lacks the weight {name}"
        elif name not in expected:
            problem = f"has a weight {name} that its config does not know"
        elif expected[name] != found[name]:
            problem = f"has {name} of shape {found[name]} where its config says {expected[name]}"
        else:
            continue
        raise UserError(f"{folder} {problem}: its config.json is of another model.")
