"""How good summaries are by each instruction: on its files, in wording, and in what they keep of
the sense, which are qualifiers and the main sentence of a paragraph.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from seq2seq.analysis.copied_fragments import overlap
from seq2seq.checkpoint import Checkpoint
from seq2seq.data.parallel_corpus import Pair, read_pairs
from seq2seq.data.sentence_splitting import split_sentences
from seq2seq.decoding.options import Options
from seq2seq.evaluation.evaluate import evaluate_with_outputs
from seq2seq.evaluation.fluency import MARGIN, TrigramModel, less_probable
from seq2seq.evaluation.rouge import kept
from seq2seq.inference.generation import generate
from seq2seq.training.data_files import data_files
from seq2seq.training.recipe import Recipe

LONGEST, MOST = 15, 3  # sentences of a paragraph, and of a summary that is one
PARAGRAPHS = 150
MAIN = 0.5  # of the words that the main sentence's reference keeps


class QualifiedPair(NamedTuple):
    """Two sentences that differ by a qualifier. kind: "negation" or "hedge"."""

    kind: str
    qualifier: str
    plain: str
    qualified: str


def summary_quality(
    checkpoint: Checkpoint, recipe: Recipe, data: Path, options: Options, targets: Iterable[str]
) -> dict[str, Any]:
    """Score a checkpoint on each of the recipe's valid files, after the file's instruction.

    targets: of the training, from which the wording is judged. Returns the scores of the first
    file; those of each by_corpus; and by_instruction `qualifier_scores`, and `paragraph_scores` of
    the first file's pairs.
    """
    encode = checkpoint.tokenizer.encode_target
    model = TrigramModel(map(encode, targets), len(checkpoint.tokenizer))
    paths = data_files(data, recipe.data.valid)
    files = [read_pairs(path, recipe.data.columns) for path in paths]
    by_corpus = {}
    for name, text, pairs in zip(
        recipe.data.valid, recipe.data.valid_instructions, files, strict=True
    ):
        asked = replace(options, instruction=text)
        scores, outputs = evaluate_with_outputs(checkpoint, pairs, asked)
        wording = wording_scores(checkpoint, model, pairs, outputs)
        by_corpus[PurePath(name).stem] = {"instruction": text.strip("<>"), **scores, **wording}
    by_instruction = {}
    for name in recipe.card.instructions:
        asked = replace(options, instruction=name)
        by_instruction[name] = {
            "qualifiers": qualifier_scores(checkpoint, asked),
            "paragraphs": paragraph_scores(checkpoint, files[0], asked),
        }
    first = next(iter(by_corpus.values()))
    parts = {"by_corpus": by_corpus, "by_instruction": by_instruction}
    return {key: value for key, value in first.items() if key != "instruction"} | parts


def wording_scores(
    checkpoint: Checkpoint, model: TrigramModel, pairs: Sequence[Pair], outputs: dict[str, str]
) -> dict[str, float]:
    """Return the share of novel bigrams, and that of outputs that are less probable than their
    references, both in %; and for comparison that of the references without one of their words.
    """
    encode, draw = checkpoint.tokenizer.encode_target, random.Random(0)
    references = [encode(pair.target) for pair in pairs]
    damaged = [encode(without_a_word(pair.target, draw)) for pair in pairs]
    written = [outputs[pair.source] for pair in pairs]
    return {
        "novel_bigrams": novel_bigrams([pair.source for pair in pairs], written),
        "novel_bigrams_of_references": novel_bigrams(*zip(*pairs, strict=True)),
        "less_probable": less_probable(model, list(map(encode, written)), references),
        "less_probable_without_a_word": less_probable(model, damaged, references),
        "margin": MARGIN,
    }


@cache
def qualified_pairs() -> tuple[QualifiedPair, ...]:
    """Read our minimal pairs, which training never sees."""
    lines = Path(__file__).with_name("qualified_sentences.tsv").read_text(encoding="utf-8")
    _, *rows = (line.split("\t") for line in lines.splitlines() if line[:1] != "#")
    return tuple(QualifiedPair(*row) for row in rows)


def qualifier_scores(checkpoint: Checkpoint, options: Options) -> dict[str, Any]:
    """Return the share, in %, of sentences whose qualifier is in their summary, by its kind, and of
    the same sentences without it that get it: invented. lost: some of those that lose theirs.
    """
    pairs = qualified_pairs()
    read = [text for pair in pairs for text in (pair.plain, pair.qualified)]
    outputs = [each.text for each in generate(checkpoint, read, options)]
    scores: dict[str, Any] = {"pairs": len(pairs)}
    found = list(zip(pairs, outputs[::2], outputs[1::2], strict=True))
    for kind in ("negation", "hedge"):
        of_kind = [_says(text, pair.qualifier) for pair, _, text in found if pair.kind == kind]
        scores[f"{kind}_kept"] = _percent(of_kind)
    scores["invented"] = _percent([_says(text, pair.qualifier) for pair, text, _ in found])
    lost = (
        {"text": pair.qualified, "summary": text}
        for pair, _, text in found
        if not _says(text, pair.qualifier)
    )
    return scores | {"lost": list(lost)[:4]}


def paragraph_scores(
    checkpoint: Checkpoint, pairs: Sequence[Pair], options: Options, seed: int = 0
) -> dict[str, Any]:
    """Summarize paragraphs of 4 to LONGEST sentences, the sources of pairs drawn at random.

    Returns the share, in %, of summaries of one to MOST sentences, and of those that keep MAIN of
    the words which the reference of the first sentence keeps.
    """
    draw = random.Random(seed)
    parts = [draw.sample(pairs, draw.randint(4, LONGEST)) for _ in range(PARAGRAPHS)]
    texts = [" ".join(pair.source for pair in part) for part in parts]
    outputs = [each.text for each in generate(checkpoint, texts, options)]
    short = [1 <= len(split_sentences(output)) <= MOST for output in outputs]
    main = [_keeps_main(output, part[0]) for output, part in zip(outputs, parts, strict=True)]
    return {
        "paragraphs": len(texts),
        "short": _percent(short),
        "main_kept": _percent(main),
        "sentences": round(sum(len(split_sentences(each)) for each in outputs) / len(outputs), 2),
    }


def novel_bigrams(sources: Sequence[str], outputs: Sequence[str]) -> float:
    """Return the mean share of bigrams of the outputs that their sources lack, in %."""
    found = [
        overlap(source, output).novel_pairs for source, output in zip(sources, outputs, strict=True)
    ]
    return round(100 * sum(found) / max(1, len(found)), 1)


def without_a_word(text: str, draw: random.Random) -> str:
    """Return a text without one of its inner words: what a measure of its wording should notice."""
    words = text.split()
    if len(words) > 2:
        del words[draw.randrange(1, len(words) - 1)]
    return " ".join(words)


def _keeps_main(output: str, first: Pair) -> bool:
    wanted = kept(first.target, first.source)
    return len(kept(output, first.source) & wanted) >= MAIN * max(1, len(wanted))


def _says(text: str, qualifier: str) -> bool:
    if qualifier in ("not", "cannot"):
        return bool(re.search(r"\b(?:not|cannot|no)\b|n['’]t\b", text.lower()))
    return qualifier in re.findall(r"\w+", text.lower())


def _percent(values: Sequence[bool]) -> float:
    return round(100 * sum(values) / max(1, len(values)), 1)
