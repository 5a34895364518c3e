"""The tables of checkpoints/README.md, written from what was measured of each checkpoint."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.catalogue import TASKS, Card, read_card
from seq2seq.errors import UserError, quote
from seq2seq.evaluation.results import (
    EVALUATION,
    JUDGED,
    MAIN_SCORES,
    VERDICTS,
    Measurements,
    Study,
    bin_name,
    quality,
    read_measurements,
)

WEIGHTS = "model.safetensors"
BLOCK = re.compile(r"(<!-- table: ([\w ]+) -->\n)(.*?)(<!-- /table -->)", re.DOTALL)
UNKNOWN = "–"  # what was not measured

# The columns of each task's table: their heads, and the score each one has.
SCORES = {
    "translation": {"BLEU": "bleu", "chrF": "chrf"},
    "summarization": {
        "words kept, F1": "kept_f1",
        "ROUGE-1": "rouge_1",
        "ROUGE-2": "rouge_2",
        "ROUGE-L": "rouge_l",
        "abstracts, ROUGE-L": "abstract",
    },
    "chatbot": {"perplexity": "perplexity", "distinct-2": "distinct_2", "dull replies, %": "dull"},
    "speech": {"words wrong, %": "word_error_rate", "by corpus": "by_corpus"},
    "spelling": {"phonemes wrong, %": "phoneme_error_rate", "words wrong, %": "word_error_rate"},
    "forecasting": {
        "MASE, relative": "relative_mase",
        "WQL, relative": "relative_wql",
        "inside the 80 % interval": "coverage_80",
    },
}
# Scores that are shown with their 95 % intervals, since few series give them.
OVER_SERIES = ("relative_mase", "relative_wql", "coverage_80")


class Scored(NamedTuple):
    """A checkpoint with weights. scores: its evaluation.json; size: bytes of its weights."""

    folder: Path
    card: Card
    scores: dict[str, Any]
    size: int


def with_tables(text: str, checkpoints: Path) -> str:
    """Return a text whose tables, between `<!-- table: NAME -->` and `<!-- /table -->`, are new.

    checkpoints: the folder of checkpoint folders that they are about. NAME: a task, "length",
    "registers", "data" or "judged". Raises UserError for another name, for a task that has a
    checkpoint but no table, and for files that are missing or damaged.
    """
    found = read_scored(checkpoints)
    named = {name for _, name, _, _ in BLOCK.findall(text)}
    for task in sorted({each.card.task for each in found} - named):
        raise UserError(
            f"There is no table for the task {task}: add the lines <!-- table: {task} --> and "
            "<!-- /table -->."
        )

    def renewed(block: re.Match[str]) -> str:
        start, name, _, end = block.groups()
        if name not in TABLES:
            raise UserError(f"There is no table {quote(name)}: use {', '.join(TABLES)}.")
        return f"{start}\n{TABLES[name](found)}\n{end}"

    return BLOCK.sub(renewed, text)


def read_scored(checkpoints: Path) -> list[Scored]:
    """Read all checkpoints with weights below a folder, the best of each task first."""
    found = []
    for folder in sorted(path.parent for path in checkpoints.glob(f"*/{WEIGHTS}")):
        card = read_card(folder)
        size = (folder / WEIGHTS).stat().st_size
        found.append(Scored(folder, card, _read_json(folder / EVALUATION), size))
    return sorted(found, key=lambda each: -quality(each.folder, each.card.task))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise UserError(
            f"The {path.name} of {path.parent.name} is missing or damaged: write it with the "
            "command assess."
        ) from None


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(_cells(line))} |\n" for line in lines)


def _cells(line: Sequence[str]) -> list[str]:
    return [re.sub(r"\s+", " ", cell).replace("|", r"\|") for cell in line]


def _of_task(task: str) -> Callable[[Sequence[Scored]], str]:
    def table(found: Sequence[Scored]) -> str:
        scores = SCORES.get(task, {MAIN_SCORES[task][0]: MAIN_SCORES[task][0]})
        heads = ["checkpoint", "model", "parameters", "size", *scores]
        heads += ["search in", "training", "one input"]
        rows = [_row(each, list(scores.values())) for each in found if each.card.task == task]
        return _markdown(heads, rows)

    return table


def _row(each: Scored, names: Sequence[str]) -> list[str]:
    scores = each.scores
    return [
        f"`{each.card.name}`",
        each.card.title,
        _in(scores.get("parameters"), "{:.1f} M", 1e-6),
        f"{each.size / 1e6:.1f} MB",
        *(_score(scores, name) for name in names),
        str(scores.get("precision", UNKNOWN)),
        _in(scores.get("training_seconds"), "{:.0f} min", 1 / 60),
        _in(scores.get("milliseconds"), "{:.1f} ms", 1),
    ]


def _in(value: float | None, unit: str, factor: float) -> str:
    return UNKNOWN if value is None else unit.format(value * factor)


def _score(scores: dict[str, Any], name: str) -> str:
    if name == "by_corpus":
        parts = scores.get(name, {}).items()
        return ", ".join(f"{corpus} {part['word_error_rate']}" for corpus, part in parts) or UNKNOWN
    if name == "abstract":
        found = [
            f"{corpus.partition('.')[0]} {part['rouge_l']}"
            for corpus, part in scores.get("by_corpus", {}).items()
            if part.get("instruction") == name
        ]
        return ", ".join(found) or UNKNOWN
    value = str(scores.get(name, UNKNOWN))
    ends = scores.get(f"{name}_interval") if name in OVER_SERIES else None
    return f"{value} ({ends[0]:.2f} to {ends[1]:.2f})" if ends else value


def _by_length(found: Sequence[Scored]) -> str:
    """Write BLEU by length of source; a table for all that were scored on as many sentences."""
    groups: dict[tuple[tuple[str, int], ...], list[Measurements]] = {}
    for each in found:
        measured = read_measurements(each.folder)
        bins = tuple((bin_name(part.words), part.sentences) for part in measured.by_length)
        if each.card.task == "translation" and bins:
            groups.setdefault(bins, []).append(measured)
    tables = []
    for bins, members in groups.items():
        rows = [["sentences", *(f"{count:,}" for _, count in bins)]]
        rows += [
            [f"`{each.name}`", *(_interval(part.bleu, part.interval) for part in each.by_length)]
            for each in members
        ]
        tables.append(_markdown(["BLEU by words in the source", *(name for name, _ in bins)], rows))
    return "\n".join(tables)


def _interval(value: float, ends: tuple[float, float]) -> str:
    return f"{value} ({ends[0]:.0f} to {ends[1]:.0f})"


def _by_register(found: Sequence[Scored]) -> str:
    """Write BLEU by kind of text: a row a file, a column a checkpoint that was scored on some."""
    scored = [each for each in found if each.scores.get("registers")]
    files = list(dict.fromkeys(name for each in scored for name in each.scores["registers"]))
    rows = []
    for name in files:
        parts = [each.scores["registers"].get(name) for each in scored]
        count = next(part["sentences"] for part in parts if part)
        cells = [_interval(part["bleu"], part["bleu_interval"]) if part else "" for part in parts]
        rows.append([f"`{name}`", f"{count:,}", *cells])
    heads = ["BLEU against one reference", "sentences"]
    heads += [f"`{each.card.name}`" for each in scored]
    return _markdown(heads, rows) if rows else ""


def _by_data(found: Sequence[Scored]) -> str:
    """Write what training on fewer pairs gave, and how a run without regularization overfits."""
    parts = []
    for each in found:
        studies = read_measurements(each.folder).studies
        if studies:
            rows = [
                [_pairs(study), _interval(study.bleu, study.interval), f"{study.loss:.2f}"]
                for study in studies
            ]
            parts.append(_markdown([f"`{each.card.name}` on so many pairs", "BLEU", "loss"], rows))
            parts += filter(None, map(_overfitting, studies))
    return "\n".join(parts)


def _pairs(study: Study) -> str:
    return f"{study.pairs:,}" + ", without dropout and label smoothing" * study.plain


def _overfitting(study: Study) -> str:
    """Say how the losses of a run part; "" for one with dropout, or one that does not overfit."""
    held_out = [line for line in study.log if line.valid_loss is not None]
    read = [line.loss for line in study.log if line.loss is not None]
    if not study.plain or study.falling or not held_out or not read:
        return ""
    best = min(held_out, key=lambda line: line.valid_loss or 0.0)
    return (
        f"The run on {_pairs(study)}, overfits: in {held_out[-1].epoch} passes its loss on what it "
        f"reads falls to {read[-1]:.2f}, while on held-out sentences it is lowest after "
        f"{best.epoch} passes and then rises from {best.valid_loss:.2f} to "
        f"{held_out[-1].valid_loss:.2f}.\n"
    )


def _judged(found: Sequence[Scored]) -> str:
    """Count the outputs of each checkpoint that a reader has judged, and those that serve."""
    rows = []
    for each in found:
        path, names = each.folder / JUDGED, VERDICTS.get(each.card.task, ("",))
        outputs = _read_json(path) if path.is_file() else []
        judged = [output for output in outputs if output.get(names[0]) is not None]
        counts = [f"{sum(bool(output[name]) for output in judged)} {name}" for name in names]
        if judged:
            rows.append([f"`{each.card.name}`", str(len(judged)), ", ".join(counts)])
    return _markdown(["checkpoint", "outputs judged", "of them"], rows) if rows else ""


TABLES: dict[str, Callable[[Sequence[Scored]], str]] = {
    **{task: _of_task(task) for task in TASKS},
    "length": _by_length,
    "registers": _by_register,
    "data": _by_data,
    "judged": _judged,
}
