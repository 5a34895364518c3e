"""What a visitor chooses to train, as plain values: in the address, and as recipes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from seq2seq.data.tasks import TASKS
from seq2seq.errors import UserError
from seq2seq.training.task_recipe import OWN, task_recipe

CELLS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU", "transformer": "Transformer"}
ATTENTIONS = ("none", "additive", "dot", "general")
MINUTES, HOSTED_MINUTES = 20.0, 3.0  # at most
# The least and the largest value of each number that can be chosen.
RANGES: dict[str, tuple[float, float]] = {
    "layers": (1, 4),
    "width": (8, 512),
    "heads": (1, 8),
    "learning_rate": (1e-5, 1e6),
    "dropout": (0.0, 0.8),
    "label_smoothing": (0.0, 0.5),
    "teacher_forcing": (0.0, 1.0),
    "clip": (0.01, 100.0),
    "warmup": (0, 2_000),
    "pairs": (20, 50_000),
    "minutes": (0.05, MINUTES),
    "batch": (64, 8_192),
    "seed": (0, 99),
}


@dataclass(frozen=True)
class ModelSettings:
    """One model and how it is trained. warmup: steps until the learning rate is reached."""

    cell: str = "gru"
    layers: int = 1
    width: int = 64
    bidirectional: bool = True
    attention: str = "general"
    heads: int = 4
    learning_rate: float = 0.02
    dropout: float = 0.0
    label_smoothing: float = 0.0
    teacher_forcing: float = 1.0
    clip: float = 1.0
    warmup: int = 0

    @property
    def name(self) -> str:
        """What the model is, in a few words."""
        kind = CELLS[self.cell]
        size = f"{self.layers} × {self.width}"
        if self.cell == "transformer":
            return f"{kind} {size}, {self.heads} heads"
        kind = f"bidirectional {kind}" if self.bidirectional else kind
        attention = "no" if self.attention == "none" else self.attention
        return f"{kind} {size}, {attention} attention"

    @property
    def model(self) -> dict[str, Any]:
        """The fields of a recipe's [model]."""
        shared: dict[str, Any] = {"encoder_layers": self.layers, "decoder_layers": self.layers}
        shared |= {"width": self.width, "dropout": self.dropout}
        if self.cell == "transformer":
            own = {"architecture": "transformer", "heads": self.heads}
            return {**shared, **own, "feedforward": 2 * self.width}
        return {
            **shared,
            "cell": self.cell,
            "bidirectional": self.bidirectional,
            "attention": self.attention,
            "embedding": max(8, self.width // 2),
        }

    @property
    def training(self) -> dict[str, Any]:
        """The fields of a recipe's [training] that are of one model."""
        return {
            "learning_rate": self.learning_rate,
            "warmup_steps": self.warmup,
            "label_smoothing": self.label_smoothing,
            "teacher_forcing": self.teacher_forcing,
            "clip": self.clip,
        }


@dataclass(frozen=True)
class LabSettings:
    """A task, one model or two, and what both are trained with.

    minutes: of training, by both together. batch: target tokens.
    """

    task: str = "reverse"
    a: ModelSettings = ModelSettings()
    b: ModelSettings | None = None
    pairs: int = 20_000
    minutes: float = 0.35
    batch: int = 600
    seed: int = 1

    @property
    def models(self) -> dict[str, ModelSettings]:
        """The models by their letters."""
        return {"A": self.a} if self.b is None else {"A": self.a, "B": self.b}

    def recipes(self, kind: str = "character") -> tuple[str, ...]:
        """Write a recipe.toml for each model; kind: of the tokens of own pairs.

        Raises UserError for what no model can be.
        """
        data = {} if self.task == OWN else {"pairs": self.pairs}
        shared = {"seed": self.seed, "batch_tokens": self.batch}
        return tuple(
            task_recipe(self.task, each.model, {**each.training, **shared}, data, kind)
            for each in self.models.values()
        )


def to_query(settings: LabSettings, usual: LabSettings) -> dict[str, str]:
    """Return what differs from usual settings, as the address has it."""
    flat, known = _flat(settings), _flat(usual)
    return {name: _written(value) for name, value in flat.items() if known.get(name) != value}


def from_query(query: Mapping[str, str], usual: LabSettings) -> LabSettings:
    """Read what to_query wrote; values that are not possible are as usual."""
    known = _flat(usual)
    known |= {f"b_{name}": value for name, value in vars(usual.b or usual.a).items()}
    values = {name: _read(query.get(name, ""), name, value) for name, value in known.items()}
    if values["task"] not in (*TASKS, OWN):
        values["task"] = usual.task
    models = {
        letter: ModelSettings(
            **{each.name: values[f"{letter}_{each.name}"] for each in fields(ModelSettings)}
        )
        for letter in "ab"
    }
    shared = ("task", "pairs", "minutes", "batch", "seed")
    second = models["b"] if values["compare"] else None
    return LabSettings(a=models["a"], b=second, **{name: values[name] for name in shared})


def checked(settings: LabSettings, hosted: bool) -> LabSettings:
    """Return settings that can be trained. Raises UserError for what no model can be."""
    for letter, model in settings.models.items():
        if model.cell == "transformer" and model.width % model.heads:
            raise UserError(
                f"Model {letter} has {model.heads} heads, which do not divide its width "
                f"{model.width}: choose numbers that do."
            )
        if model.cell != "transformer" and model.bidirectional and model.width % 2:
            raise UserError(
                f"Model {letter} reads in two directions, which cannot share the odd width "
                f"{model.width}: choose an even one."
            )
    most = HOSTED_MINUTES if hosted else MINUTES
    return replace(settings, minutes=min(settings.minutes, most))


def _flat(settings: LabSettings) -> dict[str, Any]:
    """Return the values by the names that they have in the address."""
    flat = {f"a_{name}": value for name, value in vars(settings.a).items()}
    if settings.b is not None:
        flat |= {f"b_{name}": value for name, value in vars(settings.b).items()}
    flat["compare"] = settings.b is not None
    for name in ("task", "pairs", "minutes", "batch", "seed"):
        flat[name] = getattr(settings, name)
    return flat


def _written(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _read(text: str, name: str, usual: Any) -> Any:
    """Read a value of the type that the usual one has; that one where it is not possible."""
    if isinstance(usual, bool):
        return {"0": False, "1": True}.get(text, usual)
    plain = name.removeprefix("a_").removeprefix("b_")
    if isinstance(usual, str):
        allowed = {"cell": tuple(CELLS), "attention": ATTENTIONS}.get(plain)
        return text if text and (allowed is None or text in allowed) else usual
    try:
        value = type(usual)(float(text))
    except (ValueError, OverflowError):
        return usual
    low, high = RANGES[plain]
    return value if low <= value <= high else usual
