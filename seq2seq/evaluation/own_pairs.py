"""Models scored on pairs or recordings that somebody brings: whole scores, and each sentence."""

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
from seq2seq.data.speech_corpus import Utterance
from seq2seq.decoding.options import MAX_CHARACTERS, Options
from seq2seq.errors import UserError
from seq2seq.evaluation.evaluate import evaluate_with_outputs
from seq2seq.evaluation.evaluate_speech import evaluate_speech_with_outputs
from seq2seq.evaluation.results import LENGTH_BINS, bin_name
from seq2seq.evaluation.sentence_metrics import sentence_scores
from seq2seq.evaluation.sentence_problems import EMPTY, PROBLEMS, sentence_problems

MAX_PAIRS = 5_000
MAX_LINES = 4 * MAX_PAIRS  # with empty ones and those that are no pairs
RESAMPLED = 1_000  # times that sentences are drawn anew


@dataclass(frozen=True)
class ScoredSentence:
    """One output beside its reference.

    line: of the file. source: the text, or the recording's name. scores: see sentence_scores,
    0-100, or recording_scores. problems: see sentence_problems.
    """

    line: int
    source: str
    reference: str
    output: str
    scores: dict[str, float]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScoredModel:
    """What one model scored. scores: as `evaluate` returns them. sentences: in the file's order.

    metric: what sentences are ranked and models compared by, "chrf" or "word_error_rate".
    """

    checkpoint: str
    scores: dict[str, Any]
    sentences: tuple[ScoredSentence, ...]
    metric: str = "chrf"

    @property
    def sign(self) -> int:
        """1 where more of the metric is better, -1 where less is."""
        return -1 if self.metric == "word_error_rate" else 1

    @property
    def worst_first(self) -> list[ScoredSentence]:
        """The sentences, the worst by the metric first."""
        return sorted(self.sentences, key=lambda each: self.sign * each.scores[self.metric])

    @property
    def by_length(self) -> dict[str, list[int]]:
        """The places of the sentences of each length that there is, in words.

        Of the source, or of what is said in a recording.
        """
        recordings = self.metric == "word_error_rate"
        counts = [
            len((each.reference if recordings else each.source).split()) for each in self.sentences
        ]
        bins = {
            bin_name((low, high)): [n for n, count in enumerate(counts) if low <= count <= high]
            for low, high in LENGTH_BINS
        }
        return {name: places for name, places in bins.items() if places}

    @property
    def problems(self) -> dict[str, int]:
        """How many sentences have each problem, of those that any has."""
        found = {
            name: sum(name in each.problems for each in self.sentences)
            for name in (EMPTY, *PROBLEMS)
        }
        return {name: count for name, count in found.items() if count}

    @property
    def mean(self) -> float:
        """The metric over all sentences: the mean, or errors for 100 words."""
        return self.mean_of(range(len(self.sentences)))

    def mean_of(self, places: Sequence[int]) -> float:
        """The metric over some sentences, by their places."""
        values, weights = (each[list(places)] for each in self.parts())
        return float(values.sum() / weights.sum())

    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what each sentence adds to the metric and to what it is divided by, (sentences,).

        A word error rate is all errors over all words, not the mean of rates.
        """
        of = [sentence.scores for sentence in self.sentences]
        if self.metric == "word_error_rate":
            errors = np.array([scores["errors"] for scores in of])
            return 100.0 * errors, np.array([scores["words"] for scores in of])
        return np.array([scores[self.metric] for scores in of]), np.ones(len(of))


@dataclass(frozen=True)
class Difference:
    """How two models differ in their metric. probability: that `first` is better.

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
    text, holds no pair, more than MAX_PAIRS or more than MAX_LINES.
    """
    if (lines := content.count(b"\n")) > MAX_LINES:
        raise UserError(f"There are {lines:,} lines: give at most {MAX_PAIRS:,} pairs.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        bad = content[: error.start].count(b"\n") + 1
        raise UserError(f"Line {bad} is not UTF-8 text: save the file as UTF-8.") from None
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
            sentence_problems(pair.source, pair.target, outputs[pair.source]),
        )
        for line, pair in pairs
    )
    return ScoredModel(checkpoint.card.name, scores, sentences)


def score_recordings(
    checkpoint: Checkpoint,
    recordings: Sequence[tuple[int, Utterance]],
    options: Options | None = None,
    on_group: Callable[[int], None] | None = None,
) -> ScoredModel:
    """Score a model on recordings by their lines, as `evaluate` does, and each of its outputs.

    on_group is called with the number of recordings done since the last call.
    """
    utterances = [utterance for _, utterance in recordings]
    scores, outputs = evaluate_speech_with_outputs(
        checkpoint, {"own": utterances}, options, on_group
    )
    del scores["by_corpus"]  # there is one only
    sentences = tuple(
        ScoredSentence(
            line,
            each.name,
            each.text,
            output,
            recording_scores(output, each.text),
            sentence_problems("", each.text, output),
        )
        for (line, each), output in zip(recordings, outputs, strict=True)
    )
    return ScoredModel(checkpoint.card.name, scores, sentences, "word_error_rate")


def recording_scores(output: str, reference: str) -> dict[str, float]:
    """Count the words that were said and those that are wrong, and return both error rates in %.

    A rate is above 100 where more words were heard than said.
    """
    import jiwer

    words = jiwer.process_words(reference, output)
    said = words.hits + words.substitutions + words.deletions
    return {
        "word_error_rate": round(100 * words.wer, 2),
        "character_error_rate": round(100 * float(jiwer.cer(reference, output)), 2),
        "errors": words.substitutions + words.deletions + words.insertions,
        "words": said,
    }


def interval(model: ScoredModel) -> tuple[float, float]:
    """Return the 95 % interval of the metric, if others had been drawn (bootstrap).

    Of word errors: Bisani and Ney 2004, section 3.
    """
    low, high = np.percentile(_drawn(model), [2.5, 97.5])
    return float(low), float(high)


def differences(models: Sequence[ScoredModel]) -> list[Difference]:
    """Compare each two models on the same sentences."""
    found = []
    for first, second in combinations(models, 2):
        gaps = _drawn(first) - _drawn(second)
        low, high = np.percentile(gaps, [2.5, 97.5])
        better = float((first.sign * gaps > 0).mean() + 0.5 * (gaps == 0).mean())
        found.append(
            Difference(
                first.checkpoint,
                second.checkpoint,
                first.mean - second.mean,
                float(low),
                float(high),
                better,
            )
        )
    return found


def _drawn(model: ScoredModel) -> np.ndarray:
    """Return the metric of each draw of as many sentences: (draws,)."""
    values, weights = model.parts()
    draws = _draws(len(values))
    return values[draws].sum(axis=1) / weights[draws].sum(axis=1)


def _draws(count: int) -> np.ndarray:
    """Return which sentences are drawn, the same each time: (draws, sentences)."""
    return np.random.default_rng(0).integers(count, size=(RESAMPLED, count))


def sentences_csv(models: Sequence[ScoredModel]) -> str:
    """Write a row for each sentence of each model."""
    file = io.StringIO()
    writer = csv.writer(file)
    names = list(models[0].sentences[0].scores)
    writer.writerow(["checkpoint", "line", "source", "reference", "output", *names, "problems"])
    for model in models:
        for each in model.sentences:
            texts = each.source, each.reference, each.output
            scores = (each.scores[name] for name in names)
            problems = "; ".join(each.problems)
            writer.writerow([model.checkpoint, each.line, *texts, *scores, problems])
    return file.getvalue()


def _by_length(model: ScoredModel) -> dict[str, Any]:
    rows = [
        {"words": name, "sentences": len(places), model.metric: round(model.mean_of(places), 2)}
        for name, places in model.by_length.items()
    ]
    return {"by_length": rows, "problems": model.problems}


def as_dict(models: Sequence[ScoredModel]) -> dict[str, Any]:
    """Return plain values: the models with all that was measured, and the paired tests."""
    return {
        "models": [asdict(model) | _by_length(model) for model in models],
        "differences": [asdict(each) for each in differences(models)],
    }
