"""How well a model hears people whom it has not heard: a recipe, trained without some of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seq2seq.checkpoint import load
from seq2seq.data.speech_corpus import Utterance, read_speakers, read_speech
from seq2seq.errors import UserError, quote
from seq2seq.evaluation.evaluate_speech import evaluate_speech
from seq2seq.evaluation.results import LOG
from seq2seq.training.data_files import data_files
from seq2seq.training.recipe import Recipe, read_recipe


def held_out_scores(folders: Sequence[Path], data: Path) -> list[dict[str, Any]]:
    """Score checkpoint folders on all recordings of the speakers that their recipes hold out.

    data: the folder of the recipes' files. Returns an entry for each speaker: name, recordings, the
    word error rate in percent, normalised (the same where the model writes no English), and the
    minutes of the training. Raises UserError, before anything is scored, for a folder that is no
    checkpoint of a recipe, and for a recipe that holds out nobody, or somebody whom its files do
    not know.
    """
    recipes = [read_recipe(folder / "recipe.toml") for folder in folders]
    heard = [_recordings(recipe, data) for recipe in recipes]
    minutes = [_minutes(folder) for folder in folders]
    entries = []
    for folder, by_speaker, count in zip(folders, heard, minutes, strict=True):
        checkpoint = load(folder)
        for speaker, recordings in by_speaker.items():
            options = checkpoint.generation_config.options
            scores = evaluate_speech(checkpoint, {speaker: recordings}, options)
            entries.append(
                {
                    "speaker": speaker,
                    "recordings": len(recordings),
                    "word_error_rate": scores["word_error_rate"],
                    "normalised": scores.get("normalised", scores)["word_error_rate"],
                    "minutes": count,
                }
            )
    return entries


def _recordings(recipe: Recipe, data: Path) -> dict[str, list[Utterance]]:
    """Read all recordings of those who are held out, by speaker."""
    names = recipe.data.held_out_speakers
    if not names:
        raise UserError(
            f"The recipe of {recipe.name} holds out no speaker: name some in held_out_speakers."
        )
    found: dict[str, list[Utterance]] = {name: [] for name in names}
    for path in data_files(data, dict.fromkeys((*recipe.data.train, *recipe.data.valid))):
        if known := read_speakers(path).intersection(names):
            for recording in read_speech(path, "", sorted(known)):
                found[recording.speaker].append(recording)
    for name, recordings in found.items():
        if not recordings:
            raise UserError(f"No file of {recipe.name} has a speaker {quote(name)}: see manifests.")
    return found


def _minutes(folder: Path) -> int:
    try:
        lines = (folder / LOG).read_text(encoding="utf-8").splitlines()
        return round(json.loads(lines[-1])["seconds"] / 60)
    except (OSError, ValueError, LookupError, TypeError):
        raise UserError(f"{folder.name} has no {LOG} of its training: train it again.") from None
