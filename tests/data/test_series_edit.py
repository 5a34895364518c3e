import numpy as np
import pytest

from seq2seq.data.series import Series
from seq2seq.data.series_edit import SeriesEdit
from seq2seq.errors import UserError

SERIES = Series(np.array([1.0, 2, np.nan, 4, 5]), "M", "2020-01")


@pytest.mark.parametrize(
    ("edit", "values"),
    [
        (SeriesEdit("set", 1, 1, 9), [1, 2, np.nan, 4, 9]),
        (SeriesEdit("set", 3, 3, 9), [1, 2, 9, 4, 5]),
        (SeriesEdit("scale", 4, 2, 10), [1, 20, np.nan, 40, 5]),
        (SeriesEdit("shift", 99, 4, -1), [0, 1, np.nan, 4, 5]),
        (SeriesEdit("hide", 2, 2), [1, 2, np.nan, np.nan, 5]),
    ],
)
def test_a_window_is_changed_and_nothing_else(edit, values):
    changed = edit.apply(SERIES)
    np.testing.assert_array_equal(changed.values, values)
    assert (changed.frequency, changed.start) == ("M", "2020-01")
    assert SERIES.values[1] == 2


@pytest.mark.parametrize(
    "given", [("drop", 1, 1), ("set", 1, 2), ("set", 3, 0), ("set", 1, 1, 1e999)]
)
def test_changes_that_cannot_be_are_refused(given):
    with pytest.raises(UserError):
        SeriesEdit(*given)


def test_a_series_of_which_all_is_hidden_is_refused():
    with pytest.raises(UserError, match="two numbers"):
        SeriesEdit("hide", 9, 1).apply(SERIES)
