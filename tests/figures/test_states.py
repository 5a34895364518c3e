import numpy as np
import pytest

from seq2seq import figures
from seq2seq.figures.states import UNITS_UP_TO, strongest
from seq2seq.figures.theme import LABELS_UP_TO

PIECES = ["▁the", "▁<b>", "s", "</s>"]


@pytest.fixture
def values():
    return np.random.default_rng(0).standard_normal((4, 100)).astype(np.float32)


def test_the_strongest_units_are_drawn_around_0(values):
    (cells,) = figures.states(values, PIECES, "source →").data
    units = strongest(values)
    np.testing.assert_allclose(cells.z, values[:, units].T, atol=1e-3)
    assert cells.z.shape == (UNITS_UP_TO, 4)
    assert cells.zmin == -cells.zmax == -np.abs(values).max()
    left = np.setdiff1d(np.arange(100), units)
    assert np.abs(values[:, left]).max(axis=0).max() <= np.abs(values[:, units]).max(axis=0).min()


def test_a_long_text_is_drawn_from_its_start():
    values = np.ones((LABELS_UP_TO + 5, 3))
    drawn = figures.states(values, ["x"] * len(values), "source →", dark=True)
    assert drawn.data[0].z.shape == (3, LABELS_UP_TO)
    assert drawn == figures.states(values, ["x"] * len(values), "source →", dark=True)


def test_markup_in_tokens_is_shown_as_text(values):
    drawn = figures.states(values, PIECES, "source →")
    assert "&lt;b&gt;" in drawn.layout.xaxis.ticktext
    assert "<b>" not in "".join(drawn.data[0].text[0])


def test_all_of_it_is_in_the_csv(values):
    lines = figures.states_csv(values, PIECES).splitlines()
    assert len(lines) == 1 + values.size
    assert lines[1].startswith("1,the,1,") or lines[1].startswith("1,·▁the,1,")


def test_each_half_has_its_strongest(values):
    values[:, :50] *= 9
    assert (strongest(values, 10) < 50).all()
    halves = strongest(values, 10, parts=2)
    assert (halves < 50).sum() == 5
    assert set(halves[:5]) == set(strongest(values[:, :50], 5))
