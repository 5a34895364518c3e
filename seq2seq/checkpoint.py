"""A model on disk: config.json, model.safetensors (float16), tokenizer.model and card.toml."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from seq2seq import hub
from seq2seq.catalogue import Card, embedded, is_name, locate, offered, on_hub, read_card
from seq2seq.data.normalization import unfold
from seq2seq.data.tokenizer import Tokenizer, Unigram
from seq2seq.data.value_tokenizer import ValueTokenizer
from seq2seq.data.word_filter import WordFilter
from seq2seq.decoding.generation_config import GenerationConfig
from seq2seq.errors import UserError
from seq2seq.families.pretrained import check_links, family_of, is_foreign, read_folder
from seq2seq.hub.watchdog import Progress
from seq2seq.models.config import Config
from seq2seq.models.quantization import available, quantize
from seq2seq.models.seq2seq import Seq2Seq, build_empty, tie

OwnTokenizer = Unigram | ValueTokenizer
WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.model"


@dataclass(frozen=True)
class Checkpoint:
    """A model ready to run, with the tokenizer it was trained with and the habits it was given.

    notes: sentences on where it came from that a reader of its results should know.
    quantized: a copy that multiplies in eight bits, for the search alone; None to do without.
    family: of a published model, "" for one of ours.
    """

    card: Card
    model: Seq2Seq
    tokenizer: Tokenizer
    generation_config: GenerationConfig
    notes: tuple[str, ...] = ()
    quantized: Seq2Seq | None = None
    family: str = ""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    @property
    def searcher(self) -> Seq2Seq:
        """The model that outputs are searched with."""
        return self.model if self.quantized is None else self.quantized

    @property
    def precision(self) -> str:
        """What the search multiplies in."""
        weight = next(self.model.parameters())
        return str(weight.dtype).removeprefix("torch.") if self.quantized is None else "int8"

    def text(self, tokens: Sequence[int], source: str = "") -> str:
        """Write an output, of a source that is needed where the model writes folded text."""
        text = self.tokenizer.decode(tokens).strip()
        return unfold(text, source) if self.generation_config.folded else text

    def searching_in(self, precision: str) -> Checkpoint:
        """Return the checkpoint with a search in "float32", or in "int8" where the CPU can."""
        fits = precision == "int8" and self.device.type == "cpu" and available()
        return replace(self, quantized=quantize(self.model) if fits else None)


def best_device() -> torch.device:
    """Return the GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def load(
    checkpoint: str | Path,
    device: torch.device | None = None,
    on_progress: Progress | None = None,
    precision: str | None = None,
    called: str = "",
) -> Checkpoint:
    """Load a checkpoint by its name in checkpoints/, its folder or its id on the Hub.

    on_progress is called with the bytes fetched and the bytes in all, where some have to be.
    precision: of the search, None for what the checkpoint's card allows. called: what records and
    messages name it, by default what it was asked for by. A model of the Hub that was fetched
    before stays as it is: another revision is another name.
    Raises UserError, naming what is wrong, if it cannot be fetched, if a file is missing or
    damaged, or if weights are missing, left over, of another shape or not finite.
    """
    name = str(checkpoint)
    notes: tuple[str, ...] = ()
    if identifier := on_hub(name):
        fetched = hub.fetch(hub.cached(identifier) or identifier, on_progress)
        folder, notes = fetched.folder, fetched.notes
    else:
        folder = locate(name)
    ours = None if called else (embedded() | offered()).get(name)
    loaded = _load(folder, called or _known_as(name), device or best_device(), ours)
    loaded = replace(loaded, notes=notes + loaded.notes)
    return loaded.searching_in(precision or loaded.card.precision)


def _load(folder: Path, name: str, device: torch.device, ours: Card | None) -> Checkpoint:
    check_links(folder)
    if is_foreign(folder):
        ours = ours or (embedded() | offered()).get(name)
        card, model, tokenizer, habits = read_folder(folder, name, _precision(device), ours)
        notes: tuple[str, ...] = ()
        if habits.ignored:
            notes = (f"Its authors also set {', '.join(habits.ignored)}: that is not done here.",)
        model = model.to(device)
        return Checkpoint(card, model, tokenizer, habits, notes, family=family_of(folder))
    card = replace(read_card(folder), name=name)
    model = read_model(folder)
    own = read_tokenizer(folder / TOKENIZER, card.folded)
    if len(own) != model.config.vocabulary:
        raise UserError(
            f"{folder.name} has a tokenizer of {len(own)} pieces and a model of "
            f"{model.config.vocabulary}: they are not from the same checkpoint."
        )
    config = model.config
    if own.special_ids() != (config.pad, config.unknown, config.bos, config.eos):
        raise UserError(
            f"{folder.name} has a tokenizer whose special tokens (pad, unknown, start, end) are "
            f"{own.special_ids()}, not those of its config.json."
        )
    return Checkpoint(card, model.to(device).eval(), own, own_generation_config(config, card, own))


def _known_as(name: str) -> str:
    """Return what messages and records call a model: never where on this machine it lies."""
    return name if is_name(name) or on_hub(name) else Path(name).resolve().name


def own_generation_config(config: Config, card: Card, tokenizer: Tokenizer) -> GenerationConfig:
    """Return the habits of our own checkpoints: what the card says, and no special tokens."""
    forbidden = [config.pad, config.unknown, config.bos]
    if config.input == "series":  # every token that is written is a value
        forbidden = sorted(tokenizer.special)
    if card.turn_separator:  # a reply is one turn
        forbidden += tokenizer.encode(card.turn_separator)[-1:]
    pieces = tokenizer.pieces(range(len(tokenizer))) if card.word_filter else ()
    return GenerationConfig(
        start=(config.bos,),
        forbidden=tuple(forbidden),
        turn_separator=card.turn_separator,
        turns=card.turns,
        folded=card.folded,
        word_filter=WordFilter(pieces) if card.word_filter else None,
        options=card.decoding,
    )


def _precision(device: torch.device) -> torch.dtype:
    """Choose how weights of others are held: bfloat16 where the GPU computes in it.

    Not float16: T5 and BART leave its range.
    """
    fast = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if fast else torch.float32


def save(folder: Path, model: Seq2Seq, tokenizer: OwnTokenizer) -> None:
    """Write config, weights (float16) and tokenizer to a folder, made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    with replaced(folder / CONFIG) as new:
        new.write_text(model.config.to_json(), encoding="utf-8")
    with replaced(folder / TOKENIZER) as new:
        new.write_bytes(tokenizer.model)
    weights = {name: weight.detach().cpu().half() for name, weight in model.named_parameters()}
    with replaced(folder / WEIGHTS) as new:
        save_file(weights, new, metadata={"format": "pt"})


def read_tokenizer(path: Path, folded: bool = False) -> OwnTokenizer:
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
            found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            _compare(expected, found, folder.name)
            weights = {name: file.get_tensor(name).float() for name in expected}
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
