import random
import re
from datetime import date

import numpy as np
import pytest

from seq2seq.data.number_words import READ, english, read_english
from seq2seq.data.pig_latin import invented_word, pig_latin
from seq2seq.data.tasks import (
    LEVELS,
    LONGEST,
    SEEN,
    SHORTEST,
    TASKS,
    UNSEEN,
    draw_pairs,
    text_task,
)
from seq2seq.data.written_dates import MONTHS, PATTERNS, written_date
from seq2seq.errors import UserError


def drawn(name):
    return draw_pairs(name, 300, 40, seed=3)


@pytest.mark.parametrize("name", TASKS)
def test_a_seed_draws_the_same_pairs_and_nothing_twice(name):
    task = drawn(name)
    assert task == drawn(name)
    assert task != draw_pairs(name, 300, 40, seed=4)
    assert (len(task.train), len(task.valid)) == (300, 40)
    sources = [pair.source for pair in (*task.train, *task.valid)]
    assert len(set(sources)) == 340
    assert all(pair.source and pair.target for pair in task.train)


@pytest.mark.parametrize(
    ("name", "rule"), [("copy", list), ("reverse", lambda x: x[::-1]), ("sort", sorted)]
)
def test_strings_follow_their_rule(name, rule):
    for pair in drawn(name).train:
        symbols = pair.source.split()
        assert SHORTEST <= len(symbols) <= LONGEST
        assert pair.target.split() == rule(symbols)


def test_sums_are_right():
    for pair in drawn("addition").train:
        first, second = map(int, pair.source.split(" + "))
        assert int(pair.target) == first + second


def test_numbers_in_words_are_read_back():
    for pair in drawn("numbers").train:
        number = int(pair.target)
        assert re.fullmatch(r"[a-z ]+", pair.source)
        assert pair.source == english(number).replace("-", " ")
        assert number > READ or read_english(pair.source) == number


def test_waves_go_on_as_they_began():
    for pair in drawn("waves").train:
        seen, unseen = (np.array(side.split(), dtype=float) for side in pair)
        assert (len(seen), len(unseen)) == (SEEN, UNSEEN)
        assert set(seen) | set(unseen) <= set(range(LEVELS))
        # Three neighbours of a sampled sine, y[t] + y[t + 2] = 2 cos(2 pi / period) y[t + 1].
        values = np.concatenate([seen, unseen]) - (LEVELS - 1) / 2
        sums, middle = values[:-2] + values[2:], values[1:-1]
        factor = (sums[:16] @ middle[:16]) / (middle[:16] @ middle[:16])
        assert np.abs(sums[16:] - factor * middle[16:]).max() < 2.5  # roundings and their factor


def test_dates_tell_their_day():
    for pair in drawn("dates").train:
        day = date.fromisoformat(pair.target)
        assert str(day.year) in pair.source
        assert str(day.day) in pair.source.replace(str(day.year), "")
        assert MONTHS[day.month - 1][:3] in pair.source or f"{day.month}" in pair.source


@pytest.mark.parametrize(
    ("day", "written"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (23, "23rd")]
)
def test_days_have_their_ordinals(day, written):
    found = {written_date(date(2026, 11, day), random.Random(seed)) for seed in range(200)}
    assert len(found) == len(PATTERNS)
    assert f"November {written}, 2026" in found


@pytest.mark.parametrize(
    ("word", "expected"),
    [("string", "ingstray"), ("apple", "appleway"), ("pig", "igpay"), ("hmm", "hmmway")],
)
def test_pig_latin(word, expected):
    assert pig_latin(word) == expected


def test_words_are_letters_only():
    draw = random.Random(0)
    assert all(re.fullmatch(r"[a-z]{1,20}", invented_word(draw)) for _ in range(500))


def test_where_an_output_comes_from():
    assert [TASKS["copy"].source_of(step, 3) for step in range(4)] == [0, 1, 2, None]
    assert [TASKS["reverse"].source_of(step, 3) for step in range(4)] == [2, 1, 0, None]
    assert TASKS["dates"].source_of(0, 3) is None


@pytest.mark.slow
def test_more_pairs_than_there_are_are_refused():
    with pytest.raises(UserError, match="too few different sources"):
        draw_pairs("numbers", 99_990, 100)


def test_an_unknown_task_is_named():
    with pytest.raises(UserError, match=r"no task 'hanoi': use copy, reverse"):
        text_task("hanoi")
