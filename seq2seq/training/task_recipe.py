"""Recipes for generated tasks and for a visitor's own pairs: small models, trained in a minute."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from seq2seq.data.tasks import text_task

# What learns to reverse strings in some seconds of one core; see the presets of the training lab.
MODEL: dict[str, Any] = {
    "architecture": "recurrent",
    "cell": "gru",
    "bidirectional": True,
    "attention": "general",
    "feeds": "token",
    "width": 64,
    "embedding": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "dropout": 0.0,
}
TRAINING: dict[str, Any] = {
    "batch_tokens": 600,
    "learning_rate": 0.02,
    "warmup_steps": 0,
    "label_smoothing": 0.0,
    "averaging": 0.0,
    "patience": 1_000_000,
    "epochs": 20,
    "evaluate_every": 200,
}
PIECES = 8_000  # of a vocabulary of characters or words, at most
PAIRS_FILES = {"train": "train.tsv", "valid": "valid.tsv"}
OWN = "own"  # names pairs that a visitor has brought

Settings = Mapping[str, Any]


def task_recipe(
    task: str,
    model: Settings | None = None,
    training: Settings | None = None,
    data: Settings | None = None,
    kind: str = "character",
) -> str:
    """Write the recipe.toml of a generated task, or with OWN of pairs in PAIRS_FILES.

    model, training, data: fields that differ from MODEL, TRAINING and the recipe's own defaults.
    kind: of the tokens of own pairs. Raises UserError for a task that there is not.
    """
    if task == OWN:
        title = "Own pairs"
        shown: dict[str, Any] = {side: [name] for side, name in PAIRS_FILES.items()}
        tokenizer: dict[str, Any] = {"kind": kind}
    else:
        found = text_task(task)
        title, shown = found.title, {"task": task}
        tokenizer = {"kind": found.kind, "source_kind": found.source_kind}
    tokenizer |= {"pieces": PIECES, "space": tokenizer["kind"] == "word"}
    own_model = MODEL | dict(model or {})
    if tokenizer.get("source_kind"):
        own_model["shared"] = False
    sections: dict[str, Settings] = {
        "card": {
            "name": task,
            "title": f"{title}, {_kind_of(own_model)}",
            "task": "translation",
            "licence": "CC0-1.0",
        },
        "data": {**shown, "score": "exact_match", **(data or {})},
        "tokenizer": tokenizer,
        "model": own_model,
        "training": TRAINING | dict(training or {}),
    }
    return "\n".join(f"[{name}]\n" + "".join(_lines(each)) for name, each in sections.items())


def _kind_of(model: Settings) -> str:
    if model["architecture"] == "transformer":
        return "Transformer"
    attention = model["attention"]
    return f"{model['cell'].upper()} " + (
        "without attention" if attention == "none" else f"with {attention} attention"
    )


def _lines(values: Settings) -> list[str]:
    """Write lines of TOML; what JSON writes of texts, numbers and lists is also TOML."""
    return [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items()]
