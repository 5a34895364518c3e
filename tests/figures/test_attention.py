"""The pictures of attention other than the matrix, which is in test_figures."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from seq2seq import figures
from seq2seq.analysis.attention_matrix import KINDS, grid, has, layers_and_heads
from seq2seq.analysis.attention_metrics import smallest_set
from seq2seq.figures.head_grid import FINEST
from seq2seq.figures.ribbons import MOST_COLUMNS, MOST_ROWS, THINNEST, legible
from seq2seq.figures.sentence_blocks import block_texts, block_tokens, block_weights
from seq2seq.figures.theme import LABELS_UP_TO
from tests.made_tokens import made_tokens


@pytest.fixture
def looking(trace):
    if trace.attention is None:
        pytest.skip("a model without attention")
    return trace


def repeated(tokens, times):
    """Return a text of so many sentences, each these tokens and a full stop."""
    pieces = ("▁" + tokens.pieces[0].lstrip("▁").capitalize(), *tokens.pieces[1:-1], ".", "▁Yes.")
    return made_tokens(pieces * times)


@pytest.fixture
def long(looking):
    """Return a run of 400 source tokens and 80 output tokens."""
    source, target = repeated(looking.source, 16), repeated(looking.target, 9)
    shape = len(target), *looking.attention.shape[1:3], len(source)
    weights = np.random.default_rng(0).dirichlet([0.02] * shape[-1], size=shape[:-1])
    return replace(
        looking,
        source=source,
        target=target,
        attention=weights.astype(np.float16),
        encoder_attention=None,
        decoder_attention=None,
    )


def drawn_ribbons(figure):
    """Return (row token, column token) of each ribbon, as the points along it tell."""
    return {tuple(each[:2]) for each in figure.data[0].customdata}


@pytest.mark.parametrize("mass", [0.3, 0.75, 1.0])
def test_ribbons_are_the_smallest_set_that_can_be_seen(looking, mass):
    for which in (each for each in KINDS if has(looking, each)):
        found = grid(looking, which)
        kept = smallest_set(found.weights, mass) & (found.weights >= THINNEST)
        expected = {(row, found.columns.tokens[column]) for row, column in np.argwhere(kept)}
        assert drawn_ribbons(figures.ribbons(looking, 1, mass=mass, which=which)) == expected


def test_ribbons_of_a_window_are_those_of_the_whole(long):
    rows, columns = legible(long, 50)
    assert 50 in rows
    assert (len(rows), len(columns)) == (MOST_ROWS, MOST_COLUMNS)
    assert int(grid(long).weights[50].argmax()) in columns
    part = drawn_ribbons(figures.ribbons(long, 50, rows=rows, columns=columns))
    whole = drawn_ribbons(figures.ribbons(long, 50))
    assert part == {place for place in whole if place[0] in rows and place[1] in columns}


def test_the_selected_steps_ribbons_stand_out(looking):
    shapes = figures.ribbons(looking, selected=1).layout.shapes
    assert shapes[-1].opacity > shapes[0].opacity
    # One path holds them all, a part for each.
    ribbons = smallest_set(grid(looking).weights, 0.75) & (grid(looking).weights >= THINNEST)
    assert shapes[-1].path.count("M") == ribbons[1].sum()
    assert shapes[0].path.count("M") == ribbons.sum() - ribbons[1].sum()


def test_a_recordings_ribbons_begin_at_seconds(looking):
    heard = replace(looking, position_seconds=0.5)
    drawn = figures.ribbons(heard, 0)
    assert drawn.layout.yaxis.ticktext[:2] == ("0", "1") or "0.5" in drawn.layout.yaxis.ticktext
    assert " s</b>" in drawn.data[0].customdata[0][2]


def test_every_head_has_its_small_matrix(looking):
    for which in (each for each in KINDS if has(looking, each)):
        layers, heads = layers_and_heads(looking, which)
        drawn = figures.multiples(looking, which, selected=(layers - 1, heads - 1))
        cells, titles, points = drawn.data
        assert [each[:2] for each in points.customdata] == [
            [layer, head] for layer in range(layers) for head in range(heads)
        ]
        assert titles.text[-1] == f"layer {layers}, head {heads}"
        total = sum(
            grid(looking, which, layer, head).weights.sum()
            for layer in range(layers)
            for head in range(heads)
        )
        assert np.nansum(cells.z) == pytest.approx(total, rel=0.02)
        assert [shape.line.width for shape in drawn.layout.shapes].index(3) == layers * heads - 1


def test_small_matrices_of_a_long_run_stay_small(long):
    layers, heads = layers_and_heads(long)
    cells = figures.multiples(long).data[0].z
    assert np.isfinite(cells).sum() == layers * heads * FINEST**2
    assert np.nanmax(cells) == pytest.approx(long.attention.max(), abs=1e-3)


def test_blocks_hold_what_their_tokens_gave(long):
    weights, found = block_weights(long), grid(long).weights
    assert np.allclose(weights.sum(axis=1), found.sum(axis=1).mean(), atol=2e-2)
    for row, column in np.ndindex(weights.shape):
        rows, columns = block_tokens(long, "cross", row, column)
        assert max(len(rows), len(columns)) <= LABELS_UP_TO
        inside = found[rows.start : rows.stop, columns.start : columns.stop]
        assert weights[row, column] == pytest.approx(inside.sum(axis=1).mean(), abs=1e-4)


def test_blocks_cover_every_token_once(long):
    rows, columns = block_weights(long).shape
    seen = [token for row in range(rows) for token in block_tokens(long, "cross", row, 0)[0]]
    read = [token for place in range(columns) for token in block_tokens(long, "cross", 0, place)[1]]
    assert seen == list(range(len(long.target)))
    assert read == list(range(len(long.source)))


def test_a_block_is_framed_and_every_one_can_be_clicked(long):
    drawn = figures.blocks(long, (1, 2))
    frame = drawn.layout.shapes[0]
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (2.5, 3.5, 1.5, 2.5)
    shape = block_weights(long).shape
    assert {tuple(each[:2]) for each in drawn.data[1].customdata} == set(np.ndindex(shape))


def test_csv_of_blocks_names_the_sentences(long):
    lines = list(csv.DictReader(io.StringIO(figures.blocks_csv(long))))
    read, said = block_texts(long)
    assert len(lines) == len(read) * len(said)
    assert lines[0]["query_text"] == said[0]
    assert lines[-1]["key_text"] == read[-1]


def test_self_attention_in_blocks(looking):
    for which in ("encoder", "decoder"):
        if has(looking, which):
            assert figures.blocks(looking, which=which).data[0].z.sum() > 0


def test_the_context_strip_is_symmetric_around_0(trace):
    (cells,) = figures.context(trace, 1).data
    values = trace.contexts[1].astype(np.float32)
    assert np.allclose(np.ravel(cells.z)[: len(values)], values, atol=1e-4)
    assert cells.zmin == -cells.zmax
    assert cells.zmax == pytest.approx(np.abs(values).max())
    lines = figures.context_csv(trace).splitlines()
    assert len(lines) == 1 + trace.contexts.size


def test_markup_in_tokens_is_shown_as_text(looking):
    pieces = ("▁<b>x</b>",) * len(looking.source)
    marked = replace(looking, source=replace(looking.source, pieces=pieces))
    for drawn in (figures.ribbons(marked, 0), figures.blocks(marked), figures.multiples(marked)):
        assert "<b>x</b>" not in str(drawn.to_json()).replace("\\u003c", "<").replace(
            "\\u003e", ">"
        )


def test_same_trace_equal_figures(looking):
    for draw in (figures.ribbons, figures.multiples, figures.blocks, figures.context):
        assert draw(looking, dark=True) == draw(looking, dark=True)
