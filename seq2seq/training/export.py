"""Turns a finished training run into a checkpoint folder: weights, scores, card, model card."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from seq2seq.checkpoint import Checkpoint, load, save
from seq2seq.data.audio import RATE, Audio
from seq2seq.data.frequency import frequency
from seq2seq.data.speech_corpus import read_speech, without
from seq2seq.decoding.options import Options
from seq2seq.evaluation.danger import danger_scores
from seq2seq.evaluation.evaluate import evaluate, read_references, reference_scores
from seq2seq.evaluation.evaluate_speech import evaluate_speech
from seq2seq.evaluation.exact_match import match_scores, outputs
from seq2seq.evaluation.forecast_metrics import evaluate_series
from seq2seq.evaluation.registers import register_scores
from seq2seq.evaluation.results import EVALUATION, LOG
from seq2seq.inference.forecasting import forecast
from seq2seq.inference.pipeline import run
from seq2seq.training.data_files import data_file, data_files
from seq2seq.training.datasets import TextCorpus
from seq2seq.training.held_out_speakers import held_out_scores
from seq2seq.training.judged_outputs import read_judged, write_outputs
from seq2seq.training.model_card import model_card
from seq2seq.training.recipe import Recipe
from seq2seq.training.robustness import robustness
from seq2seq.training.series_corpus import SeriesCorpus
from seq2seq.training.summary_quality import summary_quality

TIMED = 100  # runs whose median is the time of one


def finish(
    checkpoint: Checkpoint, recipe: Recipe, data: Path, work: Path, folder: Path
) -> dict[str, Any]:
    """Write the checkpoint folder of a run; returns its scores, as `assess` does.

    What is scored is what was written: the weights are read back, rounded to float16.
    """
    save(folder, checkpoint.model, checkpoint.tokenizer)
    (folder / "card.toml").write_text(recipe.card.to_toml(), encoding="utf-8")
    (folder / "recipe.toml").write_text(recipe.text, encoding="utf-8")
    shutil.copyfile(work / LOG, folder / LOG)
    return assess(folder, recipe, data, hardware())


def finish_pairs(
    checkpoint: Checkpoint, recipe: Recipe, data: Path, work: Path, folder: Path
) -> dict[str, Any]:
    """Write the checkpoint folder of a run that is scored by exact match; returns its scores.

    The weights are read back before they are scored on the held-out pairs.
    """
    save(folder, checkpoint)
    (folder / "recipe.toml").write_text(recipe.text, encoding="utf-8")
    shutil.copyfile(work / LOG, folder / LOG)
    written, corpus = load(folder), TextCorpus(recipe, data)
    corpus.encode(written.tokenizer)  # type: ignore[arg-type]
    sources = [example.source for example in corpus.valid_examples]
    targets = [example.target for example in corpus.valid_examples]
    last = json.loads((folder / LOG).read_text(encoding="utf-8").splitlines()[-1])
    shown = {"step": last["step"], "seconds": last["seconds"], "held_out": len(targets)}
    return shown | match_scores(outputs(written.model, sources), targets)


def assess(
    folder: Path,
    recipe: Recipe,
    data: Path,
    trained_on: str = "",
    held_out: Sequence[Path] = (),
) -> dict[str, Any]:
    """Score a checkpoint folder on the recipe's valid files; writes evaluation.json and model card.

    data: the folder of the recipe's files. trained_on: the hardware, as its scores have it already
    if it is not given. held_out: folders of the same recipe, trained without some speakers, which
    are scored on those; if none is given, the scores that were written before stay. Returns the
    scores.
    """
    before: dict[str, Any] = {}
    if not trained_on:
        before = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
        trained_on = before.get("training_hardware", before["hardware"])
    names = [*recipe.data.valid, *recipe.data.longer]
    files = data_files(data, names)
    unheard = held_out_scores(held_out, data) or before.get("held_out_speakers")
    written = load(folder)
    options = written.generation_config.options
    log = [json.loads(line) for line in (folder / LOG).read_text(encoding="utf-8").splitlines()]
    scores = {
        "data": {
            name: hashlib.sha256(file.read_bytes()).hexdigest()
            for name, file in zip(names, files, strict=True)
        },
        "options": asdict(options),
        **_measured(written, recipe, data, files, options),
        **({"held_out_speakers": unheard} if unheard else {}),
        "precision": written.precision,
        "parameters": written.model.parameter_count(),
        "seed": recipe.training.seed,
        "training_seconds": log[-1]["seconds"],
        "training_steps": log[-1]["step"],
        # Resuming a run that is done ends it once more, at the same step.
        "training_runs": len({line["step"] for line in log if line.get("done") == 1}),
        "training_hardware": trained_on,
        "hardware": hardware(),
        "torch": torch.__version__,
    }
    _write_json(folder / EVALUATION, scores)
    write_outputs(folder, written, recipe)
    write_model_card(folder, recipe)
    return scores


def _measured(
    checkpoint: Checkpoint, recipe: Recipe, data: Path, files: Sequence[Path], options: Options
) -> dict[str, Any]:
    """Return the scores on the recipe's valid files, and the time of one run."""
    if checkpoint.model.config.input == "series":
        return score_series(checkpoint, recipe, data)
    columns = recipe.data.columns
    if recipe.data.valid_instructions:
        targets = TextCorpus(recipe, data).targets()
        scores = summary_quality(checkpoint, recipe, data, options, targets)
    else:
        held_out = recipe.data.held_out_speakers
        scores = score(checkpoint, files, columns, options, len(recipe.data.valid), held_out)
    scores["milliseconds"] = milliseconds(checkpoint, files[0], columns)
    if recipe.card.task == "translation" and recipe.card.languages == ("en", "fr"):
        pairs = read_references(checkpoint, files[0], columns)
        scores["robustness"] = robustness(checkpoint, pairs, options)
    if recipe.data.registers:
        registers = {
            name: read_references(checkpoint, data_file(data, name), columns)
            for name in recipe.data.registers
        }
        scores["registers"] = register_scores(checkpoint, registers, options)
    if recipe.data.danger:
        told = read_references(checkpoint, data_file(data, recipe.data.danger), columns)
        scores["danger"] = danger_scores(checkpoint, told, options)
    return scores


def score_series(checkpoint: Checkpoint, recipe: Recipe, data: Path) -> dict[str, Any]:
    """Score a forecaster on the series that its recipe holds out, and time its forecasts."""
    corpus = SeriesCorpus(recipe, data)
    corpus.encode(corpus.fit())
    taken = []
    for series in corpus.valid[:TIMED]:
        started = time.perf_counter()
        forecast(checkpoint, series, frequency(series.frequency).horizon)
        taken.append(time.perf_counter() - started)
    return {
        **evaluate_series(checkpoint, corpus.valid),
        "loss": round(corpus.loss(checkpoint.model), 4),
        "milliseconds": round(1_000 * statistics.median(taken), 1),
    }


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_model_card(folder: Path, recipe: Recipe) -> None:
    """Write the README.md of a checkpoint folder, of its scores and its judged outputs."""
    scores = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
    card = model_card(recipe, scores, read_judged(folder))
    (folder / "README.md").write_text(card, encoding="utf-8")


def score(
    checkpoint: Checkpoint,
    files: Sequence[Path],
    columns: Sequence[str],
    options: Options,
    count: int,
    held_out: Sequence[str] = (),
) -> dict[str, Any]:
    """Score a checkpoint on files of pairs, or on the valid splits of archives of recordings.

    count: of the files that all scores are of; those after them count by length only. held_out:
    speakers whose recordings are left out. Of a chatbot each file has a perplexity of its own, too.
    """
    if checkpoint.model.config.input == "audio":
        corpora = {file.stem: without(read_speech(file, "valid"), held_out) for file in files}
        return evaluate_speech(checkpoint, corpora, options)
    read = {file.stem: read_references(checkpoint, file, columns) for file in files}
    parts = list(read.values())
    pairs, longer = (list(chain.from_iterable(part)) for part in (parts[:count], parts[count:]))
    scores = evaluate(checkpoint, pairs, options, longer=longer)
    if checkpoint.card.task == "chatbot":
        by_corpus = {name: reference_scores(checkpoint, of, options) for name, of in read.items()}
        scores["by_corpus"] = by_corpus
    return scores


def milliseconds(checkpoint: Checkpoint, file: Path, columns: Sequence[str]) -> float:
    """Return the median time of a whole run, one source after the other, as a visitor waits for it.

    The sources are the first of the file.
    """
    sources: Iterable[str | Audio]
    if checkpoint.model.config.input == "audio":
        heard = read_speech(file, "valid")[:TIMED]
        sources = [Audio(each.samples, len(each.samples) / RATE) for each in heard]
    else:
        pairs = read_references(checkpoint, file, columns)
        sources = list(dict.fromkeys(pair.source for pair in pairs))[:TIMED]
    taken = []
    for source in sources:
        started = time.perf_counter()
        run(checkpoint, source)
        taken.append(time.perf_counter() - started)
    return round(1_000 * statistics.median(taken), 1)


def hardware() -> str:
    """Name what the run used: the GPU, or the processor and its threads."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{torch.get_num_threads()} CPU threads, {platform.machine()}, {capability}"
