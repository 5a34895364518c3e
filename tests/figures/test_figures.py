import csv
import io
import itertools
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from seq2seq import figures
from seq2seq.analysis.attention_matrix import word_groups
from seq2seq.figures.heatmap import PLACES
from seq2seq.figures.theme import DARK, LIGHT, escape, mix, readable_on
from seq2seq.trace import label


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("by_word", [False, True])
def test_attention_draws_every_cell(trace, by_word, dark):
    if trace.attention is None:
        with pytest.raises(ValueError, match="no attention"):
            figures.attention(trace)
        return
    drawn = figures.attention(trace, by_word=by_word, selected=1, dark=dark)
    heatmap, points = drawn.data
    groups = [
        word_groups(tokens).tolist() if by_word else list(range(len(tokens)))
        for tokens in (trace.target, trace.source)
    ]
    rows, columns = (max(each) + 1 for each in groups)
    firsts = [[each.index(number) for number in range(max(each) + 1)] for each in groups]
    assert np.shape(heatmap.z) == (rows, columns)
    assert (heatmap.zmin, heatmap.zmax) == (0, 1)
    assert np.allclose(np.sum(heatmap.z, axis=1), 1, atol=5e-3)
    assert len(points.x) == rows * columns
    assert [tuple(each[:2]) for each in points.customdata] == list(itertools.product(*firsts))
    assert len(drawn.layout.xaxis.ticktext) == columns
    assert len(drawn.layout.shapes) == 1


def test_attention_of_a_layer_and_a_head(trace):
    if trace.attention is None:
        pytest.skip("a model without attention")
    drawn = figures.attention(trace, layer=0, head=0)
    assert np.allclose(drawn.data[0].z, trace.attention[:, 0, 0], atol=1e-4)


def test_same_trace_equal_figure(trace):
    if trace.attention is not None:
        assert figures.attention(trace) == figures.attention(trace)
    assert figures.probabilities(trace) == figures.probabilities(trace)
    assert figures.alternatives(trace, 0) == figures.alternatives(trace, 0)


def test_repeated_tokens_keep_their_columns(trace):
    if trace.attention is None:
        pytest.skip("a model without attention")
    pieces = ("▁the",) * len(trace.source)
    same = replace(trace, source=replace(trace.source, pieces=pieces))
    drawn = figures.attention(same)
    assert list(drawn.layout.xaxis.tickvals) == list(range(1, len(pieces) + 1))
    assert list(drawn.layout.xaxis.ticktext) == ["the"] * len(pieces)


def hover(drawn, place):
    """Fill in the hover text of a point as plotly does, ticks for x and y where there are some."""
    points = drawn.data[1]

    def value(match):
        if match[1]:
            return str(points.customdata[place][int(match[1])])
        axis = drawn.layout.xaxis if match[0] == "%{x}" else drawn.layout.yaxis
        position = points.x[place] if match[0] == "%{x}" else points.y[place]
        return axis.ticktext[list(axis.tickvals).index(position)]

    return re.sub(r"%{(?:customdata\[(\d)\]|x|y)}", value, points.hovertemplate)


def test_hover_names_both_tokens_and_the_weight(trace):
    if trace.attention is None:
        pytest.skip("a model without attention")
    row, column = 1, 2
    text = hover(figures.attention(trace), row * len(trace.source) + column)
    assert f"y{row + 1} <b>{escape(label(trace.target.pieces[row]))}</b>" in text
    assert f"x{column + 1} <b>{escape(label(trace.source.pieces[column]))}</b>" in text
    weights = trace.attention[row].astype(np.float32).mean(axis=(0, 1))
    assert f"{weights[column]:.2f}" in text
    found = re.search(rf"(\d+)(st|nd|rd|th) of {len(weights)}; row entropy \d\.\d bits", text)
    least, most = (weights > weights[column]).sum(), (weights >= weights[column]).sum()
    assert least < int(found[1]) <= most


def test_markup_in_tokens_is_shown_as_text(trace):
    if trace.attention is None:
        pytest.skip("a model without attention")
    pieces = ("<b>x</b>",) * len(trace.source)
    drawn = figures.attention(replace(trace, source=replace(trace.source, pieces=pieces)))
    assert drawn.layout.xaxis.ticktext[0] == "&lt;b&gt;x&lt;/b&gt;"
    assert "<b>x</b>" not in hover(drawn, 0)


def test_probabilities_are_those_of_the_trace(trace):
    drawn = figures.probabilities(trace, selected=0)
    assert np.allclose(drawn.data[0].y, trace.probabilities)
    widths = drawn.data[0].marker.line.width
    assert widths[0] > widths[1]


def test_copying_is_drawn_where_a_model_copies(trace):
    if trace.copying is None:
        with pytest.raises(ValueError, match="does not copy"):
            figures.copying(trace)
        return
    drawn = figures.copying(trace, selected=1).data[0]
    assert np.allclose(drawn.y, trace.copying)
    assert drawn.marker.line.width[1] > drawn.marker.line.width[0]
    assert [place for (place,) in drawn.customdata] == list(range(len(trace.target)))
    read = list(csv.DictReader(io.StringIO(figures.copying_csv(trace))))
    assert np.allclose([float(row["p_copy"]) for row in read], trace.copying)


def test_alternatives_frame_the_chosen_token(trace):
    for step in range(len(trace.target)):
        bars = figures.alternatives(trace, step).data[0]
        assert np.all(np.diff(bars.x) <= 0)
        assert sum(bars.x) <= 1 + 1e-5
        framed = [i for i, width in enumerate(bars.marker.line.width) if width > 1]
        ids = trace.alternatives.ids[step].tolist()
        chosen = trace.target.ids[step]
        assert framed == [ids.index(chosen) if chosen in ids else len(ids)]


def test_a_chosen_token_outside_the_best_is_added_with_its_rank(trace):
    ids = list(trace.target.ids)
    missing = next(token for token in range(200) if token not in trace.alternatives.ids[0])
    target = replace(trace.target, ids=(missing, *ids[1:]))
    low = trace.log_probabilities.copy()
    low[0] = -20
    drawn = figures.alternatives(
        replace(trace, target=target, log_probabilities=low, ranks=trace.ranks + 40), 0
    )
    assert drawn.layout.yaxis.ticktext[-1].endswith(f"(rank {trace.ranks[0] + 41:,})")
    assert drawn.data[0].marker.line.width[-1] > 1


def test_a_long_run_has_points_on_the_strongest_cells_only(trace):
    if trace.attention is None:
        pytest.skip("a model without attention")
    source = replace(
        trace.source,
        pieces=("▁a",) * 80,
        ids=(5,) * 80,
        words=tuple(range(80)),
        special=(False,) * 80,
    )
    weights = np.full((*trace.attention.shape[:3], 80), 0.005, dtype=np.float16)
    weights[1, ..., 33] = 0.6
    drawn = figures.attention(replace(trace, source=source, attention=weights))
    cells, points = drawn.data
    assert cells.z.dtype == np.uint8
    assert (cells.z.max(), cells.zmax) == (153, 255)
    assert len(points.x) == len(trace.target) * PLACES
    assert [1, 33] in [each[:2] for each in points.customdata]
    assert not drawn.layout.xaxis.ticktext
    place = [each[:2] for each in points.customdata].index([1, 33])
    assert "x34 <b>a</b>  0.60" in hover(drawn, place)


def test_csv_holds_every_weight(trace):
    if trace.attention is None:
        pytest.skip("a model without attention")
    lines = list(csv.DictReader(io.StringIO(figures.attention_csv(trace))))
    assert len(lines) == len(trace.target) * len(trace.source)
    mean = trace.attention.astype(np.float32).mean(axis=(1, 2))
    for line in lines:
        place = int(line["target_position"]) - 1, int(line["source_position"]) - 1
        assert math.isclose(float(line["weight"]), mean[place], abs_tol=1e-5)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_scales_run_from_end_to_end_and_text_on_them_is_readable(palette):
    for scale in (palette.attention, palette.probability):
        assert mix(scale, 0) == scale[0][1]
        assert mix(scale, 1) == scale[-1][1]
        for value in np.linspace(0, 1, 21):
            assert contrast(mix(scale, value), readable_on(mix(scale, value))) >= 4.5


def contrast(first, second):
    """Contrast ratio of two colours, by the definition in WCAG 2.1."""
    levels = []
    for colour in (first, second):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        levels.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(levels) + 0.05) / (min(levels) + 0.05)
