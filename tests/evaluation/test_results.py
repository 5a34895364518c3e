"""What lies beside a checkpoint's weights, read into numbers that curves are drawn of."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from seq2seq.catalogue import TASKS
from seq2seq.errors import UserError
from seq2seq.evaluation.results import (
    EVALUATION,
    FILES,
    LENGTH_BINS,
    LOG,
    MAIN_SCORES,
    STUDIES,
    bin_name,
    bins,
    by_length,
    by_pairs,
    progress,
    quality,
    read_measurements,
    sent_to_help,
)

ROOT = Path(__file__).parents[2]
ROWS = [
    {"words": [6, 10], "sentences": 50, "bleu": 20.0, "bleu_interval": [18.0, 22.5], "chrf": 1.0},
    {"words": [1, 5], "sentences": 70, "bleu": 40.0, "bleu_interval": [39.0, 41.0], "chrf": 2.0},
]
LINES = [
    {"step": 50, "epoch": 0, "seconds": 30.0, "train_loss": 6.0},
    {
        "step": 60,
        "epoch": 1,
        "seconds": 90.0,
        "valid_loss": 5.0,
        "valid_loss_averaged": 5.5,
        "valid_bleu_greedy": 3.0,
    },
    {"step": 90, "epoch": 2, "seconds": 120.0, "valid_loss": 4.0, "valid_loss_averaged": 3.5},
]
STUDY = {"pairs": 500, "plain": False, "bleu": 4.0, "bleu_interval": [3.0, 5.0], "loss": 3.5}


@pytest.fixture
def folder(tmp_path):
    def write(rows=ROWS, lines=LINES, kept=(), attention="dot"):
        config = {
            "vocabulary": 9,
            "architecture": "recurrent",
            "cell": "gru",
            "attention": attention,
        }
        (tmp_path / "config.json").write_text(json.dumps(config))
        scores = {"by_source_length": rows, "training_hardware": "a CPU"}
        (tmp_path / EVALUATION).write_text(json.dumps(scores))
        (tmp_path / LOG).write_text("".join(json.dumps(line) + "\n" for line in lines))
        (tmp_path / STUDIES).write_text(json.dumps(list(kept)))
        return tmp_path

    return write


def test_lengths_come_in_order_whatever_the_file_has(folder):
    measured = read_measurements(folder())
    places = bins([measured])
    assert places == [(1, 5), (6, 10)]
    curve = by_length(measured, [(0, 0), *places])
    assert curve.name == measured.name == folder().name
    assert (curve.x, curve.y) == ((2, 3), (40.0, 20.0))
    assert (curve.low, curve.high) == ((39.0, 18.0), (41.0, 22.5))
    assert curve.notes == ("70 sentences", "50 sentences")
    assert measured.hardware == "a CPU"


def test_progress_has_what_was_measured_and_the_better_of_both_weights(folder):
    log = read_measurements(folder()).log
    assert progress("a", log, "loss")[1:3] == ((50,), (6.0,))
    assert progress("a", log, "valid_loss")[1:3] == ((60, 90), (5.0, 3.5))
    assert progress("a", log, "valid_loss", "seconds", 60)[1:3] == ((1.5, 2.0), (5.0, 3.5))
    assert progress("a", log, "bleu")[1:3] == ((60,), (3.0,))
    assert progress("a", log, "bleu").notes == ("pass 2 over the data",)


def test_steps_that_a_resumed_run_repeated_count_once(folder):
    again = {"step": 60, "epoch": 1, "seconds": 95.0, "valid_loss": 4.5}
    lines = [*LINES, again, {**LINES[2], "seconds": 125.0}, {**LINES[2], "seconds": 125.0}]
    log = read_measurements(folder(lines=lines)).log
    assert [(line.step, line.seconds) for line in log] == [(50, 30), (60, 95), (90, 125)]


def test_studies_are_drawn_by_pairs_without_the_plain_ones(folder):
    kept = [
        {**STUDY, "pairs": 900, "log": LINES},
        {**STUDY, "plain": True, "log": LINES},
        {**STUDY, "log": [*LINES, {**LINES[1], "step": 99}]},
    ]
    curve = by_pairs(read_measurements(folder(kept=kept)))
    assert (curve.x, curve.y, curve.low, curve.high) == (
        (500, 900),
        (4.0, 4.0),
        (3.0, 3.0),
        (5.0, 5.0),
    )
    assert ["still falling" in note for note in curve.notes] == [False, True]


@pytest.mark.parametrize(("attention", "attends"), [("none", False), ("dot", True)])
def test_whether_it_attends_is_known(folder, attention, attends):
    measured = read_measurements(folder(attention=attention))
    assert measured.attends == attends
    assert measured.encoder == "GRU"


def test_a_folder_without_measurements_has_none(tmp_path):
    measured = read_measurements(tmp_path)
    assert (measured.by_length, measured.log, measured.studies) == ((), (), ())
    assert bins([measured]) == []
    assert by_length(measured, []).x == by_pairs(measured).x == ()


def test_an_endless_bin_is_named_so():
    assert [bin_name(words) for words in LENGTH_BINS[-2:]] == ["21 to 30", "31 and more"]


ROW, LINE = ROWS[0], LINES[1]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((name, text) for name in FILES for text in ("{", "[" * 100_000, '"text"')),
        ("config.json", "[1]"),
        (EVALUATION, "[1]"),
        (EVALUATION, {"by_source_length": [3]}),
        (EVALUATION, {"by_source_length": [{**ROW, "bleu": None}]}),
        (EVALUATION, {"by_source_length": [{**ROW, "words": [1]}]}),
        (EVALUATION, {"by_source_length": [{**ROW, "bleu_interval": "x"}]}),
        (EVALUATION, {"training_runs": "x"}),
        (LOG, '{"step": 1}'),
        (LOG, {**LINE, "valid_loss": "x"}),
        (LOG, {**LINE, "seconds": None}),
        (STUDIES, [{"pairs": 3}]),
        (STUDIES, [{**STUDY, "log": [{"step": 1}]}]),
        (STUDIES, {"pairs": 3}),
    ],
)
def test_what_is_damaged_is_named_in_one_sentence(folder, name, content):
    written = folder()
    (written / name).write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(UserError, match=f"The {name} of {written.name} is damaged") as raised:
        read_measurements(written)
    assert str(raised.value).count(". ") == 0
    assert str(written.parent) not in str(raised.value)


def test_measurements_are_read_without_torch():
    code = "import sys, seq2seq.evaluation.results; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("folder", sorted((ROOT / "checkpoints").glob("*-en-fr/training.jsonl")))
def test_the_family_can_be_compared_from_its_files(folder):
    measured = read_measurements(folder.parent)
    assert len(measured.by_length) == 6
    assert all(row.sentences >= 50 for row in measured.by_length)
    assert all(row.interval[0] < row.bleu < row.interval[1] for row in measured.by_length)
    steps = [line.step for line in measured.log]
    assert steps == sorted(steps)
    assert measured.log[-1].valid_loss < 2.5


@pytest.mark.parametrize(
    ("task", "better", "worse"),
    [
        ("translation", {"bleu": 40.0}, {"bleu": 39.9}),
        ("speech", {"word_error_rate": 3.0}, {"word_error_rate": 3.1}),
        ("chatbot", {"perplexity": 30}, {"perplexity": 31}),
        ("translation", {"bleu": 1.0}, {"chrf": 99.0}),
        ("translation", {"bleu": 1.0}, {"bleu": "high"}),
        ("translation", {"bleu": 1.0}, []),
    ],
)
def test_the_better_score_is_the_higher_quality(tmp_path, task, better, worse):
    for name, scores in (("a", better), ("b", worse)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "evaluation.json").write_text(json.dumps(scores), encoding="utf-8")
    assert quality(tmp_path / "a", task) > quality(tmp_path / "b", task)
    assert quality(tmp_path / "a", task) > quality(tmp_path / "not there", task)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        (
            '{"danger": {"sent": 3, "dangerous": 4, "sent_needlessly": 1, "harmless": 5}}',
            (3, 4, 1, 5),
        ),
        ('{"danger": {"sent": 3, "dangerous": 4}}', (0, 0, 0, 0)),
        ('{"danger": [3, 4, 1, 5]}', (0, 0, 0, 0)),
        ('{"perplexity": 3}', (0, 0, 0, 0)),
        ("[]", (0, 0, 0, 0)),
        ("{", (0, 0, 0, 0)),
    ],
)
def test_messages_of_danger_are_counted_where_they_were_measured(tmp_path, text, counts):
    assert sent_to_help(tmp_path) == (0, 0, 0, 0)
    (tmp_path / "evaluation.json").write_text(text, encoding="utf-8")
    assert sent_to_help(tmp_path) == counts


def test_every_task_has_a_main_score():
    assert set(MAIN_SCORES) == set(TASKS)
