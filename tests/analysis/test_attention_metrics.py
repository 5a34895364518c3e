from dataclasses import replace

import numpy as np
import pytest

from seq2seq.analysis.attention_matrix import KINDS, grid, has, layers_and_heads, merge, word_groups
from seq2seq.analysis.attention_metrics import (
    SINK,
    confidence,
    coverage,
    entropy,
    means,
    sinks,
    smallest_set,
)
from seq2seq.trace import words
from tests.made_tokens import made_tokens, made_words

WORDS = "The cat sleeps today ."


def spoken(trace, weights, source=WORDS, target="Le chat dort aujourd'hui ."):
    """Return the trace with these texts, a token for each word and an end, and these weights."""

    def tokens(text):
        pieces = (*("▁" + word for word in text.split()), "</s>")
        return made_tokens(pieces, text=text)

    weights = np.asarray(weights, dtype=np.float16)[:, None, None]
    return replace(trace, source=tokens(source), target=tokens(target), attention=weights)


@pytest.fixture
def straight():
    """Return a row for each of six tokens that looks at the one in its own place."""
    return np.eye(6)


def kinds(trace):
    return [which for which in KINDS if has(trace, which)]


def test_grid_holds_the_weights_of_a_layer_and_a_head(trace):
    for which in kinds(trace):
        layers, heads = layers_and_heads(trace, which)
        every = np.stack(
            [
                [grid(trace, which, layer, head).weights for head in range(heads)]
                for layer in range(layers)
            ]
        )
        assert np.allclose(grid(trace, which).weights, every.mean(axis=(0, 1)), atol=1e-3)
        assert np.array_equal(grid(trace, which, "max", "max").weights, every.max(axis=(0, 1)))
        kept = grid(trace, which, layers - 1, "mean").weights
        assert np.allclose(kept, every[-1].mean(axis=0), atol=1e-3)
    if trace.attention is None:
        with pytest.raises(ValueError, match="no attention"):
            grid(trace)


def test_rows_keep_their_sum_when_words_are_merged(trace):
    for which in kinds(trace):
        found = grid(trace, which, by_word=True)
        assert found.weights.shape == (len(found.rows), len(found.columns))
        assert np.allclose(found.weights.sum(axis=1), 1, atol=5e-3)


def test_a_part_of_a_grid_is_that_part_of_the_whole(trace):
    for which in kinds(trace):
        whole = grid(trace, which)
        part = grid(trace, which, rows=range(2, 6), columns=range(3, 7))
        assert np.array_equal(part.weights, whole.weights[2:6, 3:7])
        assert part.rows.labels == whole.rows.labels[2:6]
        assert part.columns.numbers == whole.columns.numbers[3:7]
        assert part.rows.place(2) == 0
        assert part.rows.place(1) is None
        assert part.rows.place(6) is None


def test_a_token_is_found_in_its_word(trace):
    if trace.attention is None:
        pytest.skip("a model without attention")
    columns = grid(trace, by_word=True).columns
    assert [columns.place(token) for token in range(len(trace.source))] == list(
        word_groups(trace.source)
    )


def test_a_decoder_reads_a_start_token_and_what_came_before(trace):
    if trace.decoder_attention is None:
        pytest.skip("a model that does not look at its own output")
    for by_word in (False, True):
        columns = grid(trace, "decoder", by_word=by_word).columns
        assert columns.labels[0] == "▷"
        assert columns.tokens[0] == -1
        assert columns.place(0) == 1
        # The last token is read by no step.
        assert columns.place(len(trace.target) - 1) is None


def test_entropy_is_that_of_the_definition():
    rows = np.array([[1, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0], [0.1, 0.1, 0, 0]])
    assert np.allclose(entropy(rows), [0, 2, 1, 1])


def test_the_smallest_set_reaches_the_mass_and_would_not_without_its_least_weight():
    weights = np.random.default_rng(0).dirichlet([0.4] * 9, size=20)
    for mass in (0.05, 0.5, 0.75, 0.99, 1):
        marked = smallest_set(weights, mass)
        kept = np.where(marked, weights, 0)
        assert (kept.sum(axis=1) >= mass - 1e-5).all()
        least = np.where(marked, weights, 2).min(axis=1)
        assert (kept.sum(axis=1) - least < mass).all()
        # Nothing left out is larger than what is kept.
        assert (np.where(marked, 0, weights).max(axis=1) <= least).all()


def test_merging_by_passages_adds_columns_and_averages_rows():
    weights = np.arange(12.0).reshape(3, 4)
    merged = merge(weights, (0, 0, 1), (0, 0, 0, 1))
    assert np.allclose(merged, [[(0 + 1 + 2 + 4 + 5 + 6) / 2, (3 + 7) / 2], [8 + 9 + 10, 11]])


def test_confidence_is_best_where_each_row_looks_at_its_own_column(straight):
    assert confidence(straight).total == pytest.approx(0, abs=1e-6)
    uniform = confidence(np.full((6, 6), 1 / 6))
    assert uniform.coverage_deviation == pytest.approx(0, abs=1e-6)
    assert uniform.absent_output == pytest.approx(-np.log(6))
    skewed = np.zeros((6, 6))
    skewed[:, 0] = 1
    expected = -(np.log1p(25) + 5 * np.log1p(1)) / 6
    assert confidence(skewed).coverage_deviation == pytest.approx(expected)


def test_maxima_are_measured_as_means():
    assert means({"layer": "max", "head": 1}) == {"layer": "mean", "head": 1}


def test_coverage_adds_rows(straight):
    assert np.array_equal(coverage(straight[[0, 0, 1]]), [2, 1, 0, 0, 0, 0])


@pytest.mark.parametrize("place", [0, 1, 4, 5])
def test_an_end_that_is_always_looked_at_is_a_sink(trace, straight, place):
    assert sinks(spoken(trace, straight)) == []
    looked = (1 - SINK) * straight
    looked[:, place] += SINK
    [(found, share)] = sinks(spoken(trace, looked))
    assert found == place
    assert share == pytest.approx(looked[:, place].mean(), abs=1e-3)
    middle = (1 - SINK) * straight
    middle[:, 2] += SINK
    assert sinks(spoken(trace, middle)) == []
    assert sinks(replace(trace, attention=None)) == []


@pytest.mark.parametrize(
    ("pieces", "merged"),
    [
        ("▁the ▁chair . </s>", "the chair . </s>"),
        ("▁don ' t ! </s>", "don't ! </s>"),
        ('▁" he llo " , ▁she', '" hello ", she'),
        ("▁twenty - five ▁cats ?!", "twenty-five cats ?!"),
        ("▁( really ) .", "( really )."),
        ("▁l ' été ▁...", "l'été ..."),
        ("▁. ▁a", ". a"),
    ],
)
def test_marks_are_words_of_their_own(pieces, merged):
    tokens = made_words(*pieces.split())
    groups = word_groups(tokens)
    assert " ".join(words(replace(tokens, words=tuple(groups.tolist())))) == merged


def test_rows_by_word_keep_their_sum(trace):
    if trace.attention is None:
        pytest.skip("no attention")
    found = grid(trace, "cross", by_word=True)
    assert found.weights.shape == (len(found.rows), len(found.columns))
    assert "." in found.columns.labels
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, atol=5e-3)
