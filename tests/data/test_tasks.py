import pytest

from seq2seq.data.number_words import read_english
from seq2seq.data.tasks import SPECIAL, copying, number_reading


@pytest.mark.parametrize("seed", [0, 1])
def test_strings_are_to_be_copied(seed):
    task = copying(200, 50, range(2, 6), symbols=5, seed=seed)
    assert (len(task.train), len(task.valid)) == (200, 50)
    for pair in (*task.train, *task.valid):
        assert pair.source == pair.target
        assert 2 <= len(pair.source) < 6
        assert set(pair.source) <= set(range(SPECIAL, task.vocabulary))
    assert task.vocabulary == SPECIAL + 5
    assert task.text([SPECIAL, SPECIAL + 4, 3]) == "a e"


@pytest.mark.parametrize(
    "make", [lambda: copying(300, 40, range(2, 7)), lambda: number_reading(300, 40)]
)
def test_what_is_held_out_is_never_learnt_from(make):
    task = make()
    known = {tuple(pair.source) for pair in task.train}
    assert not known & {tuple(pair.source) for pair in task.valid}
    assert task == make()


def test_numbers_are_read_as_a_person_reads_them():
    task = number_reading(100, 20)
    for pair in task.valid:
        digits = "".join(task.text([token]) for token in pair.target)
        assert read_english(task.text(pair.source)) == int(digits)


def test_more_strings_than_there_are_is_refused():
    with pytest.raises(ValueError, match="too few"):
        copying(500, 40, range(2, 4), symbols=4)
