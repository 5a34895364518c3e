"""How well a model hears people whom it has not heard: its recipe, trained without them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from seq2seq.checkpoint import load
from seq2seq.data.speech_corpus import read_speech
from seq2seq.errors import UserError
from seq2seq.evaluation.evaluate_speech import evaluate_speech
from seq2seq.evaluation.results import LOG
from seq2seq.training.data_files import data_file
from seq2seq.training.recipe import Recipe, read_recipe


def held_out_scores(folder: Path, data: Path) -> list[dict[str, Any]]:
    """Score a checkpoint folder on all recordings of the speakers that its recipe holds out.

    data: the folder of the recipe's files. Returns an entry for each speaker: name, recordings, the
    word error rate in percent, normalised too, and the minutes of the training. Raises UserError if
    the recipe holds out nobody, or nobody whom its files know.
    """
    recipe = read_recipe(folder / "recipe.toml")
    last = json.loads((folder / LOG).read_text(encoding="utf-8").splitlines()[-1])
    checkpoint = load(folder)
    entries = []
    for speaker in _speakers(recipe):
        heard = [
            one
            for name in dict.fromkeys(recipe.data.valid)
            for one in read_speech(data_file(data, name), "")
            if one.speaker == speaker
        ]
        if not heard:
            raise UserError(f"The recipe's files have no speaker {speaker!r}: see their manifests.")
        scores = evaluate_speech(checkpoint, {speaker: heard}, checkpoint.generation_config.options)
        entries.append(
            {
                "speaker": speaker,
                "recordings": len(heard),
                "word_error_rate": scores["word_error_rate"],
                "normalised": scores["normalised"]["word_error_rate"],
                "minutes": round(last["seconds"] / 60),
            }
        )
    return entries


def _speakers(recipe: Recipe) -> tuple[str, ...]:
    if not recipe.data.held_out_speakers:
        raise UserError(
            f"The recipe of {recipe.name} holds out no speaker: name some in held_out_speakers."
        )
    return recipe.data.held_out_speakers
