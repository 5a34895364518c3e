"""Models scored on pairs that somebody brings: whole scores, and each sentence of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.parallel_corpus import Pair
from seq2seq.decoding.options import MAX_CHARACTERS, Options
from seq2seq.errors import UserError
from seq2seq.evaluation.evaluate import evaluate_with_outputs
from seq2seq.evaluation.sentence_metrics import sentence_scores

MAX_PAIRS = 5_000
RESAMPLED = 1_000  # times that sentences are drawn anew


@dataclass(frozen=True)
class ScoredSentence:
    """One output beside its reference; line: of the file; scores: see sentence_scores, 0-100."""

    line: int
    source: str
    reference: str
    output: str
    scores: dict[str, float]


@dataclass(frozen=True)
class ScoredModel:
    """What one model scored. scores: as `evaluate` returns them. sentences: in the file's order."""

    checkpoint: str
    scores: dict[str, Any]
    sentences: tuple[ScoredSentence, ...]

    @property
    def worst_first(self) -> list[ScoredSentence]:
        """The sentences, those with the lowest chrF first."""
        return sorted(self.sentences, key=lambda sentence: sentence.scores["chrf"])


@dataclass(frozen=True)
class Difference:
    """How two models differ in the mean chrF of a sentence. probability: that `first` is better.

    low, high: 95 % of the differences where other such sentences had been drawn (paired bootstrap;
    Koehn 2004).
    """

    first: str
    second: str
    mean: float
    low: float
    high: float
    probability: float


def read_own_pairs(content: bytes) -> tuple[list[tuple[int, Pair]], list[str]]:
    """Read lines of a source, a tab and a target; returns them by line number, and what is wrong.

    A line that is no pair is left out and named by its number. Raises UserError for what is no
    text, holds no pair, or more than MAX_PAIRS.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        bad = content[: error.start].count(b"\n") + 1
        raise UserError(f"Line {bad} is no UTF-8 text: save the file as UTF-8.") from None
    pairs, problems = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        cells = [cell.strip() for cell in line.rstrip("\r").split("\t")]
        problem = _problem(cells)
        if problem:
            problems.append(f"Line {number} {problem}.")
        elif any(cells):
            pairs.append((number, Pair(cells[0], cells[1])))
    if not pairs:
        first = f" {problems[0]}" if problems else ""
        raise UserError(f"There are no pairs: each line needs a source, a tab, a target.{first}")
    if len(pairs) > MAX_PAIRS:
        raise UserError(f"There are {len(pairs):,} pairs: give at most {MAX_PAIRS:,}.")
    return pairs, problems


def _problem(cells: list[str]) -> str:
    if not any(cells):
        return ""
    if len(cells) < 2:
        return "has no tab"
    if len(cells) > 2 and any(cells[2:]):
        return f"has {len(cells)} columns, not 2"
    if not cells[0] or not cells[1]:
        return f"has no {'source' if not cells[0] else 'target'}"
    if max(map(len, cells)) > MAX_CHARACTERS:
        return f"is longer than {MAX_CHARACTERS:,} characters"
    return ""


def score_pairs(
    checkpoint: Checkpoint,
    pairs: Sequence[tuple[int, Pair]],
    options: Options | None = None,
    on_group: Callable[[int], None] | None = None,
) -> ScoredModel:
    """Score a model on pairs of texts, as `evaluate` does, and each of its outputs.

    on_group is called with the number of sentences done since the last call.
    """
    scores, outputs = evaluate_with_outputs(
        checkpoint, [pair for _, pair in pairs], options, on_group
    )
    sentences = tuple(
        ScoredSentence(
            line,
            pair.source,
            pair.target,
            outputs[pair.source],
            sentence_scores(outputs[pair.source], pair.target),
        )
        for line, pair in pairs
    )
    return ScoredModel(checkpoint.card.name, scores, sentences)


def interval(model: ScoredModel, metric: str = "chrf") -> tuple[float, float]:
    """Return the 95 % interval of a mean over sentences, if others had been drawn (bootstrap)."""
    values = np.array([sentence.scores[metric] for sentence in model.sentences])
    low, high = np.percentile(values[_draws(len(values))].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def differences(models: Sequence[ScoredModel], metric: str = "chrf") -> list[Difference]:
    """Compare each two models on the same sentences."""
    found = []
    for first, second in combinations(models, 2):
        both = zip(first.sentences, second.sentences, strict=True)
        gaps = np.array([a.scores[metric] - b.scores[metric] for a, b in both])
        means = gaps[_draws(len(gaps))].mean(axis=1)
        low, high = np.percentile(means, [2.5, 97.5])
        better = float((means > 0).mean() + 0.5 * (means == 0).mean())
        found.append(
            Difference(
                first.checkpoint,
                second.checkpoint,
                float(gaps.mean()),
                float(low),
                float(high),
                better,
            )
        )
    return found


def _draws(count: int) -> np.ndarray:
    """Return which sentences are drawn, the same each time: (draws, sentences)."""
    return np.random.default_rng(0).integers(count, size=(RESAMPLED, count))


def sentences_csv(models: Sequence[ScoredModel]) -> str:
    """Write a row for each sentence of each model."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(
        ["checkpoint", "line", "source", "reference", "output", "bleu", "chrf", "rouge_l"]
    )
    for model in models:
        for each in model.sentences:
            writer.writerow(
                [
                    model.checkpoint,
                    each.line,
                    each.source,
                    each.reference,
                    each.output,
                    *each.scores.values(),
                ]
            )
    return file.getvalue()


def as_dict(models: Sequence[ScoredModel]) -> dict[str, Any]:
    """Return plain values: the models with their scores and sentences, and the paired tests."""
    return {
        "models": [asdict(model) for model in models],
        "differences": [asdict(each) for each in differences(models)],
    }
