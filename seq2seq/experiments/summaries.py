"""A summarizer beside the simplest summary, the first sentence, on paragraphs of our own.

ROUGE is that of Lin 2004, the F1 of kept words that of Filippova et al. 2015, section 4.2. Rule:
for the claim if the words that the model keeps are nearer to those of our summaries, which were
written before the model had read the paragraphs, than those of the first sentence, by the paired
95 % interval; against it if farther.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from seq2seq.data.sentence_splitting import split_sentences
from seq2seq.evaluation.rouge import kept_f1, rouge_l, rouge_n
from seq2seq.experiments.result import (
    Axes,
    Load,
    Result,
    by_sign,
    interval,
    mean_curve,
    title_of,
)
from seq2seq.inference.generation import generate

FILE = Path(__file__).with_name("reference_summaries.tsv")
COUNT = 20
SCORES = ("ROUGE-1", "ROUGE-2", "ROUGE-L", "kept words")


def paragraphs() -> list[tuple[str, str]]:
    """Read our paragraphs, each with our summary of it."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [(text, summary) for text, summary in (line.split("\t") for line in lines)]


def run(load: Load, on_done: Callable[[int], None], seed: int, model: str) -> Result:
    """Summarize our paragraphs; value: F1 of kept words, in percent."""
    started, checkpoint = time.perf_counter(), load(model)
    texts, wanted = zip(*paragraphs(), strict=True)
    outputs = [each.text for each in generate(checkpoint, list(texts), on_group=on_done)]
    first = [split_sentences(text)[0] for text in texts]
    name = title_of(checkpoint)
    by_name = {
        name: [_scores(*each) for each in zip(outputs, wanted, texts, strict=True)],
        "the first sentence": [_scores(*each) for each in zip(first, wanted, texts, strict=True)],
    }
    kept, baseline = (np.array([row[-1] for row in rows]) for rows in by_name.values())
    low, high = interval((kept - baseline).tolist(), seed)
    rouge = [float(np.mean([row[2] for row in rows])) for rows in by_name.values()]
    return Result(
        by_sign(low, high),
        float(kept.mean()),
        "% F1 of kept words",
        f"Summarization: {name} keeps the words that we kept with an F1 of {kept.mean():.0f} %, "
        f"the first sentence with {baseline.mean():.0f} % (difference, 95 %: {low:+.0f} to "
        f"{high:+.0f} points); ROUGE-L is {rouge[0]:.0f} and {rouge[1]:.0f}.",
        tuple(
            mean_curve(each, {at + 1.0: [row[at] for row in rows] for at in range(4)}, seed)
            for each, rows in by_name.items()
        ),
        Axes("measure", "F1 for 100", SCORES, ordered=False),
        f"{len(texts)} paragraphs",
        seed,
        time.perf_counter() - started,
        {
            "paragraph": list(texts),
            "our summary": list(wanted),
            "summary": outputs,
            "kept words": [round(each) for each in kept],
            "kept words, first sentence": [round(each) for each in baseline],
        },
        ends=interval(kept.tolist(), seed),
    )


def _scores(output: str, wanted: str, source: str) -> tuple[float, ...]:
    rouge = (rouge_n(output, wanted, 1), rouge_n(output, wanted, 2), rouge_l(output, wanted))
    return tuple(100 * each for each in (*rouge, kept_f1(output, wanted, source)))
