import dataclasses

import pytest

from seq2seq.decoding.options import MAX_BEAM_WIDTH, MAX_LENGTH, METHODS, Options
from seq2seq.errors import UserError

BOUNDS = {
    "beam_width": (1, MAX_BEAM_WIDTH),
    "n_best": (1, MAX_BEAM_WIDTH),
    "length_penalty": (0.0, 5.0),
    "coverage_penalty": (0.0, 5.0),
    "mmi_weight": (0.0, 1.0),
    "temperature": (0.01, 10.0),
    "top_k": (0, 1_000_000),
    "top_p": (0.01, 1.0),
    "seed": (0, 2**31 - 1),
    "max_length": (0, MAX_LENGTH),
    "min_length": (0, MAX_LENGTH),
    "no_repeat_ngram": (0, 10),
    "repetition_penalty": (0.1, 10.0),
}


def test_every_number_has_bounds():
    numbers = {
        field.name for field in dataclasses.fields(Options) if type(field.default) in (int, float)
    }
    assert numbers == set(BOUNDS)


@pytest.mark.parametrize("name", BOUNDS)
def test_values_up_to_the_bounds_are_taken(name):
    for value in BOUNDS[name]:
        assert getattr(Options(**{name: value}), name) == value


@pytest.mark.parametrize("name", BOUNDS)
def test_values_beyond_the_bounds_are_refused_by_name(name):
    low, high = BOUNDS[name]
    small = 1 if isinstance(low, int) else 0.001
    for value in (low - small, high + small, float("nan"), float("inf"), 10**30, -(10**30)):
        with pytest.raises(UserError, match=name):
            Options(**{name: value})


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("value", ["2", None, True, [2], (1,)])
def test_what_is_no_number_is_refused_by_name(name, value):
    with pytest.raises(UserError, match=name):
        Options(**{name: value})


@pytest.mark.parametrize("name", [name for name in BOUNDS if type(BOUNDS[name][0]) is int])
def test_counts_are_whole_numbers(name):
    with pytest.raises(UserError, match=name):
        Options(**{name: 1.5})


@pytest.mark.parametrize(
    ("name", "value"),
    [("early_stopping", 1), ("early_stopping", "no"), ("prefix", 3), ("prefix", None)],
)
def test_other_fields_are_of_their_kind(name, value):
    with pytest.raises(UserError, match=name):
        Options(**{name: value})


@pytest.mark.parametrize("method", ["", "Beam", "diverse", None, 3, ["beam"]])
def test_an_unknown_method_is_refused_with_those_there_are(method):
    with pytest.raises(UserError, match="beam, greedy, sample"):
        Options(method=method)


def test_options_are_a_frozen_key():
    assert {Options(): 1}[Options()] == 1
    assert Options(beam_width=3) != Options()
    assert Options(length_penalty=1) == Options(length_penalty=1.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Options().beam_width = 3


@pytest.mark.parametrize("method", METHODS)
def test_rows_kept_alive(method):
    assert Options(method=method, beam_width=4).rows == (1 if method == "greedy" else 4)


def test_length_follows_from_the_source_unless_given():
    assert Options(max_length=7).length_limit(100) == 7
    lengths = [Options().length_limit(length) for length in range(1, 1_000)]
    assert lengths == sorted(lengths)
    assert lengths[0] >= 10
    assert max(lengths) == MAX_LENGTH
    assert all(limit > length for length, limit in zip(range(1, 500), lengths, strict=False))
