"""Models scored on pairs that somebody brings."""

import csv
import io
import json

import numpy as np
import pytest

import seq2seq
from seq2seq import Options, UserError
from seq2seq.data.parallel_corpus import Pair
from seq2seq.evaluation import own_pairs
from seq2seq.evaluation.evaluate import evaluate
from seq2seq.evaluation.own_pairs import (
    ScoredModel,
    ScoredSentence,
    as_dict,
    differences,
    interval,
    read_own_pairs,
    score_pairs,
    sentences_csv,
)
from seq2seq.evaluation.sentence_metrics import chrf
from tests.conftest import PAIRS

TIMED = {"seconds", "sentences_per_second"}


def test_bad_lines_are_named_by_number():
    text = "a cat\tun chat\n\nno tab here\n\tun chien\na dog\t \na\tb\tc\nthe end\tla fin\r\n"
    pairs, problems = read_own_pairs(text.encode())
    assert pairs == [(1, Pair("a cat", "un chat")), (7, Pair("the end", "la fin"))]
    assert problems == [
        "Line 3 has no tab.",
        "Line 4 has no source.",
        "Line 5 has no target.",
        "Line 6 has 3 columns, not 2.",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "There are no pairs"),
        (b"one\ntwo\n", "There are no pairs: .* Line 1 has no tab"),
        (b"a\tb\nc\t\xff\n", "Line 2 is no UTF-8 text: save"),
        (b"a\tb\n" * 5_001, "There are 5,001 pairs: give at most 5,000"),
    ],
)
def test_what_holds_no_pairs_is_refused(content, said):
    with pytest.raises(UserError, match=said):
        read_own_pairs(content)


def test_scores_are_those_of_evaluate(checkpoint_root):
    checkpoint = seq2seq.load(checkpoint_root / "lstm-attention")
    options, done = Options(beam_width=2, max_length=8), []
    numbered = list(enumerate(PAIRS[:9], start=1))
    found = score_pairs(checkpoint, numbered, options, done.append)
    expected = evaluate(checkpoint, PAIRS[:9], options)
    assert sum(done) == 9
    for name, value in expected.items():
        assert name in TIMED or found.scores[name] == value
    for (line, pair), each in zip(numbered, found.sentences, strict=True):
        assert (each.line, each.source, each.reference) == (line, pair.source, pair.target)
        assert each.output == seq2seq.generate(checkpoint, pair.source, options).text
        assert each.scores["chrf"] == round(chrf(each.output, pair.target), 2)
    order = [each.scores["chrf"] for each in found.worst_first]
    assert order == sorted(order)


def model(name, scores):
    sentences = [
        ScoredSentence(line, "a", "b", "c", {"bleu": 0.0, "chrf": value, "rouge_l": 0.0})
        for line, value in enumerate(scores, start=1)
    ]
    return ScoredModel(name, {}, tuple(sentences))


def test_intervals_hold_the_mean_and_shrink_with_more_sentences():
    values = np.random.default_rng(0).normal(50, 10, 400).clip(0, 100).tolist()
    low, high = interval(model("m", values))
    assert low < np.mean(values) < high
    assert 1.5 < high - low < 2.5  # 2 x 1.96 x 10 / sqrt(400)
    few = interval(model("m", values[:25]))
    assert few[1] - few[0] > 3 * (high - low)
    assert interval(model("m", [7.0] * 5)) == (7.0, 7.0)


def test_models_are_compared_on_the_same_sentences():
    rng = np.random.default_rng(1)
    hard = rng.uniform(10, 90, 100)
    better, same = model("better", hard + 2), model("worse", hard + rng.normal(0, 1, 100))
    [found] = differences([better, same])
    assert (found.first, found.second) == ("better", "worse")
    assert 1.5 < found.low < found.mean < found.high < 2.5
    assert found.probability == 1.0
    [equal] = differences([better, better])
    assert (equal.mean, equal.probability) == (0.0, 0.5)
    assert len(differences([better, same, better])) == 3


def test_files_hold_every_sentence():
    models = [model("one", [1.0, 2.0]), model("two", [3.0, 4.0])]
    rows = list(csv.DictReader(io.StringIO(sentences_csv(models))))
    assert [(row["checkpoint"], row["line"], row["chrf"]) for row in rows] == [
        ("one", "1", "1.0"),
        ("one", "2", "2.0"),
        ("two", "1", "3.0"),
        ("two", "2", "4.0"),
    ]
    values = json.loads(json.dumps(as_dict(models)))
    assert [each["checkpoint"] for each in values["models"]] == ["one", "two"]
    assert len(values["models"][0]["sentences"]) == 2
    assert values["differences"][0]["mean"] == -2.0
    assert own_pairs.MAX_PAIRS == 5_000
