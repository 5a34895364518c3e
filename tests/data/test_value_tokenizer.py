import numpy as np
import pytest

from seq2seq.data.tokenizer import UNKNOWN
from seq2seq.data.value_tokenizer import ValueTokenizer, mean_scaling, recent_scaling
from seq2seq.errors import UserError

VALUES = np.array([112.0, 118, 132, 129, np.nan, 135, 148])


def test_a_value_is_its_nearest_bin_and_comes_back_within_half_a_bin():
    tokenizer = ValueTokenizer(1001, -10, 10).fitted(VALUES, "M")
    ids = tokenizer.bin(VALUES)
    assert ids[4] == UNKNOWN
    known = ~np.isnan(VALUES)
    off = np.abs(tokenizer.values(ids)[known] - VALUES[known])
    assert off.max() <= tokenizer.scaling.scale * 0.01 + 1e-9
    scaled = tokenizer.scaling.apply(VALUES[known])
    nearest = np.abs(tokenizer.centers - scaled[:, None]).argmin(axis=1)
    np.testing.assert_array_equal(ids[known] - tokenizer.first, nearest)


def test_mean_scaling_divides_by_the_mean_absolute_value():
    """Ansari et al. 2024, section 3.1, computed by hand."""
    assert mean_scaling(np.array([-1.0, 2, np.nan, 3])).scale == 2
    assert mean_scaling(np.zeros(3)).scale == 1
    tokenizer = ValueTokenizer(5, -2, 2, "mean").fitted(np.array([-1.0, 2, 3]))
    assert (tokenizer.bin(np.array([-9.0, 0, 2, 9])) - tokenizer.first).tolist() == [0, 2, 3, 4]
    assert tokenizer.around("M") == ((), ())
    assert len(tokenizer.encode("1 2 3")) == 3


@pytest.mark.parametrize("factor", [0.001, 1.0, 1e6])
@pytest.mark.parametrize("shift", [0.0, -400.0])
def test_recent_scaling_makes_tokens_that_know_neither_unit_nor_level(factor, shift):
    tokenizer = ValueTokenizer()
    usual = tokenizer.fitted(VALUES, "Q").bin(VALUES)
    other = factor * (VALUES + shift)
    np.testing.assert_array_equal(tokenizer.fitted(other, "Q").bin(other), usual)
    assert recent_scaling(np.arange(30.0), 4).center == np.arange(18, 30).mean()
    assert recent_scaling(np.arange(30.0), 24).center == np.arange(6, 30).mean()


def test_a_source_begins_with_its_frequency_and_where_zero_lies():
    tokenizer = ValueTokenizer(64).fitted(VALUES, "M")
    before, after = tokenizer.around("M")
    assert (len(before), after) == (1, ())
    assert tokenizer.pieces(before) == ("<M>",)
    ids = tokenizer.encode("112 ? 135")
    assert len(ids) == len(tokenizer.split("112 ? 135").pieces) == 4
    assert ids[0] == tokenizer.bin(np.zeros(1))[0]
    assert ids[2] == UNKNOWN
    assert tokenizer.special.isdisjoint(ids[3:])
    assert tokenizer.encode_target("112") == ids[1:2]


def test_a_constant_series_and_zeros_have_a_scale():
    assert recent_scaling(np.full(5, 7.0), 1).scale == pytest.approx(0.07)
    assert recent_scaling(np.zeros(5), 1).scale == 1


def test_the_tokenizer_comes_back_from_its_file():
    tokenizer = ValueTokenizer(100, -3, 4, "mean")
    assert ValueTokenizer.from_bytes(tokenizer.model) == tokenizer
    with pytest.raises(UserError, match="damaged"):
        ValueTokenizer.from_bytes(b"{}")


@pytest.mark.parametrize("values", [VALUES, 1e6 + VALUES / 10, VALUES * 1e90, VALUES * 1e-90])
def test_what_is_written_is_short_and_is_read_as_the_same_tokens(values):
    tokenizer = ValueTokenizer().fitted(values, "M")
    ids = tokenizer.bin(values[~np.isnan(values)]).tolist()
    assert tokenizer.encode_target(tokenizer.decode(ids)) == ids
    assert len(set(tokenizer.pieces(ids))) == len(set(ids))
    if values is VALUES:
        assert max(map(len, tokenizer.decode(ids).split())) <= 6


@pytest.mark.parametrize("value", [5.0, -3e-7, 2e9, 0.0])
def test_a_constant_stands_in_the_middle_of_a_narrow_bin(value):
    tokenizer = ValueTokenizer().fitted(np.full(30, value), "M")
    (token,) = set(tokenizer.bin(np.full(30, value)).tolist())
    assert tokenizer.values([token])[0] == pytest.approx(value, rel=1e-12, abs=1e-12)
    below, above = tokenizer.values([token - 1, token + 1])
    assert above - below <= (0.001 * abs(value) or 1)
