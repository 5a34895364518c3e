"""What a recipe needs: its training on less data, or without what keeps it from overfitting."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seq2seq.checkpoint import TOKENIZER
from seq2seq.evaluation.results import LOG, STUDIES, read_studies
from seq2seq.training.data_files import data_files
from seq2seq.training.export import score
from seq2seq.training.recipe import Recipe
from seq2seq.training.trainer import train

EVERY = 250  # steps between two measurements of a study
LOGGED = (
    "step",
    "epoch",
    "seconds",
    "train_loss",
    "valid_loss",
    "valid_loss_averaged",
    "valid_bleu_greedy",
)


@dataclass(frozen=True)
class Ablation:
    """What a training is given less of.

    pairs: of the training files, the same ones in every epoch. minutes: of one process. plain:
    without dropout and label smoothing, where the loss on train can be compared with that on valid
    (Goodfellow et al. 2016, section 5.2).
    """

    pairs: int
    minutes: float
    plain: bool = False


def ablate(
    folder: Path, recipe: Recipe, data: Path, work: Path, ablation: Ablation
) -> dict[str, Any]:
    """Train what the recipe describes on less; adds what was measured to studies.json.

    folder: of the checkpoint, whose tokenizer is used, so that only the model has less to learn
    from. data: the folder of the recipe's files. work: the folder of the run, emptied before.
    Returns that entry: pairs, plain, the log of losses, and the scores of the best weights.
    """
    pairs, plain = ablation.pairs, ablation.plain
    changed = replace(
        recipe,
        data=replace(recipe.data, limit=pairs),
        training=replace(recipe.training, evaluate_every=EVERY, patience=10**6),
    )
    if plain:
        changed = replace(
            changed,
            model={**changed.model, "dropout": 0.0},
            training=replace(changed.training, label_smoothing=0.0, averaging=0.0),
        )
    before = read_studies(folder)
    shutil.rmtree(work, ignore_errors=True)
    best = train(changed, data, work, minutes=ablation.minutes, tokenizer=folder / TOKENIZER)
    files = data_files(data, recipe.data.valid)
    scores = score(best, files, recipe.data.columns, best.generation_config.options, len(files))
    lines = (work / LOG).read_text(encoding="utf-8").splitlines()
    log = [{k: v for k, v in json.loads(line).items() if k in LOGGED} for line in lines]
    entry: dict[str, Any] = {
        "pairs": pairs,
        "plain": plain,
        **{key: scores[key] for key in ("bleu", "bleu_interval", "chrf", "loss") if key in scores},
        "log": log,
    }
    others = [each for each in before if (each["pairs"], each["plain"]) != (pairs, plain)]
    entries = sorted([*others, entry], key=lambda each: (each["plain"], each["pairs"]))
    text = ",\n".join(json.dumps(each) for each in entries)
    (folder / STUDIES).write_text(f"[\n{text}\n]\n", encoding="utf-8")
    return entry
