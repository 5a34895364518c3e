import json
from dataclasses import replace

import numpy as np
import pytest

from seq2seq.analysis.problems import (
    LEAST_FLAGGED,
    OMITTED,
    UNSURE,
    Check,
    is_reliable,
    output_evidence,
    problems,
    read_checks,
    source_evidence,
)
from tests.analysis.test_attention_metrics import spoken

OMISSION = Check(OMITTED, {"coverage": 0.5, "loss": 1.0}, 60, 0.6, 0.2, 0.07, frozenset({"the"}))
DOUBT = Check(UNSURE, {"probability": 0.3}, 60, 0.6, 0.2, 0.3)


@pytest.fixture
def said(trace):
    """Return a trace of five words and an end on both sides, each step looking at its place."""
    chances = np.log(np.array([0.9, 0.8, 0.1, 0.7, 0.9, 0.9], np.float32))
    return replace(spoken(trace, np.eye(6)), log_probabilities=chances)


def test_a_word_that_nobody_looked_at_and_nobody_misses_is_flagged(said):
    lost = np.full((6, 6), 3.0)
    assert problems(said, [OMISSION], lost) == []
    looked = replace(said, attention=np.eye(6)[[0, 1, 1, 3, 4, 5]][:, None, None])
    # It was not looked at, but the output is less probable without it.
    assert problems(looked, [OMISSION], lost) == []
    lost[:, 2] = 0.2
    [found] = problems(looked, [OMISSION], lost)
    assert (found.token, found.text) == (2, "sleeps")
    assert found.values == {"coverage": pytest.approx(0), "loss": pytest.approx(0.2)}
    assert problems(looked, [OMISSION], None) == []
    assert problems(replace(looked, attention=None), [OMISSION], lost) == []


def test_frequent_words_marks_and_ends_are_never_left_out(said):
    looked = np.zeros((6, 6))
    looked[:, 1] = 1
    evidence = source_evidence(replace(said, attention=looked[:, None, None]), np.zeros((6, 6)))
    assert [each.text for each in evidence] == ["The", "cat", "sleeps", "today"]
    found = problems(replace(said, attention=looked[:, None, None]), [OMISSION], np.zeros((6, 6)))
    assert [each.text for each in found] == ["sleeps", "today"]


def test_an_improbable_word_is_unsure(said):
    assert [each.text for each in output_evidence(said)] == ["Le", "chat", "dort", "aujourd'hui"]
    [found] = problems(said, [DOUBT], None)
    assert (found.token, found.text) == (2, "dort")


def test_only_checks_that_are_right_often_enough_are_read(tmp_path):
    assert read_checks(tmp_path) == []
    few = DOUBT._replace(flagged=LEAST_FLAGGED - 1)
    wrong = OMISSION._replace(precision=0.49)
    assert not is_reliable(few)
    assert not is_reliable(wrong)
    checks = [
        {name: value for name, value in check._asdict().items() if name != "frequent"}
        for check in (DOUBT, few, wrong)
    ]
    file = tmp_path / "calibration.json"
    file.write_text(json.dumps({"checks": checks, "frequent": ["the"]}), encoding="utf-8")
    assert read_checks(tmp_path) == [DOUBT._replace(frequent=frozenset({"the"}))]
    for damaged in ("", "[]", "{}", '{"frequent": [], "checks": [{}]}', "\x00"):
        file.write_text(damaged, encoding="utf-8")
        assert read_checks(tmp_path) == []
