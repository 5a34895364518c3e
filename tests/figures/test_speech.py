"""The picture of a recording: three parts over one time axis, and what is marked in them."""

import csv
import io

import numpy as np
import pytest

import seq2seq
from seq2seq import figures
from seq2seq.analysis.word_timestamps import align
from seq2seq.data.audio import Recording
from seq2seq.figures.speech import POSITIONS, envelope, gathered
from tests.analysis.test_word_timestamps import PIECES, blocks, heard

RATE = 1_000


@pytest.fixture(scope="module")
def trace(checkpoint_root):
    """One run is enough: its attention is replaced."""
    return seq2seq.run(seq2seq.load(checkpoint_root / "transformer"), "The dog sleeps.")


@pytest.fixture
def run(trace):
    """A run on 0.56 s: a special token, a word of four tokens, one of a single token, the end."""
    return heard(trace, blocks([2] * 7), pieces=PIECES)


@pytest.fixture
def recording():
    samples = np.linspace(-0.5, 0.5, 560, dtype="f4")
    frames = np.arange(56 * 8, dtype="f4").reshape(56, 8)
    return Recording(samples, RATE, frames, 0.01, np.linspace(100, 7_000, 8))


def parts(drawn):
    names = ("yaxis", "yaxis2", "yaxis3")
    return [name for name in names if drawn.layout.to_plotly_json().get(name, {}).get("domain")]


@pytest.mark.parametrize("dark", [False, True])
def test_three_parts_share_the_seconds_and_do_not_overlap(run, recording, dark):
    drawn = figures.speech(run, align(run), recording, selected=2, path=True, dark=dark)
    assert list(drawn.layout.xaxis.range) == pytest.approx([0, 0.56])
    assert parts(drawn) == ["yaxis", "yaxis2", "yaxis3"]
    matrix, mel, wave = (drawn.layout[name].domain for name in parts(drawn))
    assert 0 <= matrix[0] < matrix[1] < mel[0] < mel[1] < wave[0] < wave[1] <= 1
    assert {each.xaxis or "x" for each in drawn.data} == {"x"}
    images = [each for each in drawn.data if each.type == "heatmap"]
    ends = [each.x0 + each.dx * (np.shape(each.z)[1] - 0.5) for each in images]
    assert ends == pytest.approx([0.56, 0.56])
    assert max(drawn.data[0].x) == pytest.approx(0.56, abs=0.002)


def test_the_time_of_the_selected_token_is_marked_in_all_parts(run, recording):
    band = figures.speech(run, align(run), recording, selected=2).layout.shapes[-1]
    assert (band.x0, band.x1) == pytest.approx((0.16, 0.24))
    assert (band.yref, band.y0, band.y1) == ("paper", 0, 1)
    whole = figures.speech(run, align(run), recording, selected=2, by_word=True).layout.shapes[-1]
    assert (whole.x0, whole.x1) == pytest.approx((0.16, 0.4))
    hidden = figures.speech(run, align(run), recording, selected=0).layout.shapes
    assert len(hidden) == 1
    assert (hidden[0].x0, hidden[0].x1) == pytest.approx((0, 0.08))


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, ["␣", "·o", "·n", "·e", "two"]),
        ({"special": True}, ["<|0.00|>", "␣", "·o", "·n", "·e", "two", "</s>"]),
        ({"by_word": True}, ["one", "two"]),
        ({"by_word": True, "special": True}, ["<|0.00|>", "one", "two", "</s>"]),
    ],
)
def test_rows_are_tokens_or_words(run, recording, settings, names):
    drawn = figures.speech(run, align(run), recording, **settings)
    shown = [name.replace("&lt;", "<").replace("&gt;", ">") for name in drawn.layout.yaxis.ticktext]
    assert shown == names
    bars = [each for each in drawn.data if each.type == "bar"]
    assert len(bars) == 3
    assert {len(each.customdata) for each in bars} == {len(names)}


def test_a_bar_lies_over_the_time_of_each_token(run, recording):
    found = align(run)
    drawn = figures.speech(run, found, recording)
    row, *columns = [each for each in drawn.data if each.type == "bar"]
    assert list(row.x) == pytest.approx([0.56] * 5)
    assert "0.16 to 0.24 s" in row.hovertext[1]
    for each in columns:
        low = np.array(each.x) - np.array(each.width) / 2
        assert low == pytest.approx(found.starts[1:6])
        assert [data[0] for data in each.customdata] == [1, 2, 3, 4, 5]


def test_the_path_goes_from_start_to_end_of_each_row(run):
    drawn = figures.speech(run, align(run), special=True, path=True)
    line = drawn.data[-1]
    assert list(line.x) == pytest.approx(np.repeat(np.arange(8) * 0.08, 2)[1:-1])
    assert list(line.y) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]


def test_without_sound_attention_is_left_and_without_attention_sound(run, recording):
    assert parts(figures.speech(run, align(run))) == ["yaxis"]
    assert parts(figures.speech(run, None, recording)) == ["yaxis2", "yaxis3"]


def test_same_run_equal_figure(run, recording):
    first, second = (figures.speech(run, align(run), recording, selected=1) for _ in range(2))
    assert first == second


def test_tokens_are_shown_as_they_are(trace, recording):
    run = heard(trace, blocks([7, 7]), pieces=("▁<b>x</b>", "▁&amp;"))
    drawn = figures.speech(run, align(run), recording)
    assert list(drawn.layout.yaxis.ticktext) == ["&lt;b&gt;x&lt;/b&gt;", "&amp;amp;"]
    assert all("<b>x</b>" not in text for each in drawn.data for text in each.hovertext or ())


def test_half_a_minute_and_many_tokens_stay_small(trace):
    run = heard(trace, blocks([10] * 150), seconds=0.02)
    samples = np.random.default_rng(0).normal(size=30 * 16_000).astype("f4")
    frames = np.random.default_rng(0).normal(size=(3_000, 80)).astype("f4")
    recording = Recording(samples, 16_000, frames, 0.01, np.linspace(50, 7_900, 80))
    drawn = figures.speech(run, align(run), recording, scale="0 to 1", selected=3)
    assert len(drawn.to_json()) < 700_000
    assert drawn.layout.height < 1_000
    assert not drawn.layout.yaxis.ticktext
    matrix = next(each for each in drawn.data if each.type == "heatmap" and each.zmax)
    assert np.shape(matrix.z)[1] <= POSITIONS
    assert np.allclose(np.sum(matrix.z, axis=1, dtype=float) / matrix.zmax, 1, atol=0.05)


def test_an_envelope_holds_every_peak():
    samples = np.zeros(1_000, "f4")
    samples[333], samples[777] = 1, -1
    low, high = envelope(samples, 60)
    assert len(low) == len(high) == 60
    assert (low.min(), high.max()) == (-1, 1)
    low, high = envelope(samples[:7], 60)
    assert len(low) == 7


@pytest.mark.parametrize("columns", [3, 10, 4])
def test_joined_columns_keep_sum_or_mean(columns):
    values = np.random.default_rng(0).random((2, 10))
    sums, each = gathered(values, columns, mean=False)
    assert sums.shape[1] <= columns
    assert sums.sum(axis=1) == pytest.approx(values.sum(axis=1))
    means, _ = gathered(values, columns, mean=True)
    assert means[:, 0] == pytest.approx(values[:, :each].mean(axis=1))
    assert means[:, -1] == pytest.approx(values[:, (sums.shape[1] - 1) * each :].mean(axis=1))


def test_csv_has_time_and_weights_of_every_row(run):
    lines = list(csv.DictReader(io.StringIO(figures.speech_csv(run, align(run)))))
    assert [line["token"] for line in lines] == ["␣", "·o", "·n", "·e", "two"]
    assert [line["start"] for line in lines] == ["0.08", "0.16", "0.24", "0.32", "0.40"]
    assert lines[1]["step"] == "3"
    assert float(lines[1]["0.16"]) == pytest.approx(0.5, abs=1e-3)
    assert float(lines[1]["0.00"]) == 0
