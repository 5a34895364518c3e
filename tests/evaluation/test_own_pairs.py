"""Models scored on pairs that somebody brings."""

import csv
import io
import json

import numpy as np
import pytest

import seq2seq
from seq2seq import Options, UserError
from seq2seq.catalogue import Card
from seq2seq.data.audio import RATE, Audio
from seq2seq.data.parallel_corpus import Pair
from seq2seq.data.speech_corpus import Utterance
from seq2seq.evaluation import own_pairs
from seq2seq.evaluation.evaluate import evaluate
from seq2seq.evaluation.evaluate_speech import evaluate_speech
from seq2seq.evaluation.own_pairs import (
    ScoredModel,
    ScoredSentence,
    as_dict,
    differences,
    interval,
    read_own_pairs,
    score_pairs,
    score_recordings,
    sentences_csv,
)
from seq2seq.evaluation.sentence_metrics import chrf
from seq2seq.evaluation.sentence_problems import sentence_problems
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import build
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
        (b"a\tb\nc\t\xff\n", "Line 2 is not UTF-8 text: save"),
        (b"a\tb\n" * 5_001, "There are 5,001 pairs: give at most 5,000"),
        (b"\n" * 20_001, "There are 20,001 lines: give at most 5,000 pairs"),
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
        assert each.problems == sentence_problems(pair.source, pair.target, each.output)
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


def test_sentences_are_told_apart_by_length_and_by_what_is_wrong_with_them():
    long = "one two three four five six"
    rows = [("a b", 10.0, ("empty",)), (long, 30.0, ()), ("c", 20.0, ("empty", "repeats itself"))]
    sentences = tuple(
        ScoredSentence(line, source, "b", "c", {"chrf": value}, problems)
        for line, (source, value, problems) in enumerate(rows, start=1)
    )
    found = ScoredModel("m", {}, sentences)
    assert found.by_length == {"1 to 5": [0, 2], "6 to 10": [1]}
    assert [found.mean_of(places) for places in found.by_length.values()] == [15.0, 30.0]
    assert found.problems == {"empty": 2, "repeats itself": 1}
    [written] = as_dict([found])["models"]
    assert written["by_length"][0] == {"words": "1 to 5", "sentences": 2, "chrf": 15.0}
    assert written["problems"] == found.problems
    last = list(csv.DictReader(io.StringIO(sentences_csv([found]))))[-1]
    assert last["problems"] == "empty; repeats itself"


def listener(folder, tokenizer):
    """A tiny model of speech with fresh weights."""
    values = {"vocabulary": len(tokenizer), "width": 12, "input": "audio", "bins": 16}
    config = Config.from_dict({**values, "attention": "additive", "shared": False, "tied": False})
    card = Card(folder.name, "Tiny ears", "speech", "CC0-1.0", languages=("en",))
    seq2seq.save(folder, seq2seq.Checkpoint(build(config), tokenizer, card))
    return seq2seq.load(folder)


def noises(count):
    """Return recordings of half a second that differ."""
    draw = np.random.default_rng(0)
    return [draw.normal(0, 0.1, RATE // 2).astype(np.float32) for _ in range(count)]


def heard(name, parts):
    """A model of so many errors and words in each recording."""
    sentences = [
        ScoredSentence(
            line,
            "a",
            "b",
            "c",
            {"word_error_rate": 100 * errors / words, "errors": errors, "words": words},
        )
        for line, (errors, words) in enumerate(parts, start=1)
    ]
    return ScoredModel(name, {}, tuple(sentences), "word_error_rate")


def test_a_word_error_rate_is_all_errors_over_all_words():
    model = heard("first", [(1, 1), (0, 9)])
    assert model.mean == 10.0
    assert [each.line for each in model.worst_first] == [1, 2]
    # Two draws of two: both the first, one of each, both the second.
    assert interval(model) == (0.0, 100.0)
    same = heard("same", [(2, 10)] * 20)
    assert interval(same) == (20.0, 20.0)


def test_fewer_word_errors_are_better():
    first, second = heard("first", [(1, 10)] * 20), heard("second", [(3, 10)] * 20)
    [found] = differences([first, second])
    assert (found.mean, found.low, found.high) == pytest.approx((-20, -20, -20))
    assert found.probability == 1.0


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("one two three", (0.0, 0, 3)),
        ("one three", (33.33, 1, 3)),
        ("one two two three four", (66.67, 2, 3)),
        ("", (100.0, 3, 3)),
    ],
)
def test_the_words_of_a_recording_are_counted(output, expected):
    scores = own_pairs.recording_scores(output, "one two three")
    assert (scores["word_error_rate"], scores["errors"], scores["words"]) == expected


def test_recordings_are_scored_as_evaluate_does(tmp_path, tokenizer):
    checkpoint = listener(tmp_path / "tiny-ears", tokenizer)
    recordings = [
        (line, Utterance(f"r{line}", "", text, noise))
        for line, text, noise in zip((2, 5, 6), ("the cat", "a", "dog cat"), noises(3), strict=True)
    ]
    options, done = Options(method="greedy", max_length=6), []
    found = score_recordings(checkpoint, recordings, options, done.append)
    expected = evaluate_speech(checkpoint, {"x": [each for _, each in recordings]}, options)
    assert sum(done) == 3
    for name in ("word_error_rate", "character_error_rate", "loss", "words", "recordings"):
        assert found.scores[name] == expected[name]
    assert round(found.mean, 2) == expected["word_error_rate"]
    for (line, utterance), each in zip(recordings, found.sentences, strict=True):
        audio = Audio(utterance.samples, len(utterance.samples) / RATE)
        assert (each.line, each.source, each.reference) == (line, utterance.name, utterance.text)
        assert each.output == seq2seq.transcribe(checkpoint, audio, options).text
    [header, *rows] = csv.reader(io.StringIO(sentences_csv([found])))
    assert header[5:-1] == ["word_error_rate", "character_error_rate", "errors", "words"]
    assert [row[1] for row in rows] == ["2", "5", "6"]
