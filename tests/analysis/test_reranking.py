from dataclasses import replace

import numpy as np
import pytest

from seq2seq.analysis.reranking import better, complete, order, scores
from seq2seq.decoding.options import Options
from seq2seq.inference.pipeline import run
from seq2seq.inference.teacher_forcing import coverage

SENTENCE = "The old dog sleeps in the garden."
# With these, the fresh weights of the tests end some outputs early and cut others.
CASES = [
    Options(beam_width=4, max_length=8),
    Options(beam_width=5, max_length=20, length_penalty=0.3, early_stopping=False),
    Options(beam_width=5, n_best=2, max_length=12, length_penalty=0.0),
    Options(beam_width=4, max_length=12, coverage_penalty=0.4),
    Options(beam_width=4, max_length=12, mmi_weight=0.5, length_penalty=0.7),
    Options(method="greedy", max_length=8),
    Options(method="sample", beam_width=5, max_length=20, temperature=2.0),
]


def ranked(checkpoint, options):
    """The run, its complete hypotheses, and their scores with the run's own penalties."""
    trace = run(checkpoint, SENTENCE, options)
    found, looked = complete(trace), None
    if options.coverage_penalty and trace.attention is not None:
        looked = coverage(checkpoint, SENTENCE, [each.tokens for each in found], trace.options)
    beta = 0.0 if looked is None else options.coverage_penalty
    return trace, found, scores(found, options.length_penalty, beta, looked)


@pytest.mark.parametrize("options", CASES)
def test_the_own_penalties_give_the_own_ranking(checkpoint, options):
    trace, found, scored = ranked(checkpoint, options)
    count = len(trace.outputs)
    if options.coverage_penalty and trace.attention is None:
        pytest.skip("a model without attention")
    np.testing.assert_allclose(scored[:count], [o.score for o in trace.outputs], atol=1e-4)
    np.testing.assert_allclose(scored, [each.score for each in found], atol=1e-4)
    assert [each.node for each in found[:count]] == [output.node for output in trace.outputs]
    placed = [n for n in order(found, [each.score for each in found]) if n < count]
    assert placed == list(range(count))
    # What the search completed beyond its outputs is no better than they are.
    if count == options.rows and not any(not each.finished for each in found[:count]):
        assert all(each.score <= trace.outputs[-1].score for each in found[count:])


def test_every_complete_hypothesis_of_the_tree_is_there_once(trace):
    found = complete(trace, most=1_000)
    nodes = [each.node for each in found]
    assert len(set(nodes)) == len(nodes)
    assert set(np.flatnonzero(trace.beam_tree.status == 1)) <= set(nodes)
    assert len(complete(trace, most=1)) == len(trace.outputs)
    for each in found:
        assert sum(each.log_probabilities) == pytest.approx(trace.beam_tree.cumulative[each.node])


def test_without_a_length_penalty_the_most_probable_output_comes_first(trace):
    found = complete(trace)
    best = order(found, scores(found, 0.0))[0]
    assert sum(found[best].log_probabilities) == max(sum(h.log_probabilities) for h in found)


def test_a_higher_length_penalty_never_puts_a_shorter_output_first(trace):
    found = complete(trace)
    lengths = []
    for penalty in np.linspace(0, 5, 26):
        lengths.append(len(found[order(found, scores(found, penalty))[0]].tokens))
    assert lengths == sorted(lengths)


def test_coverage_adds_up_the_attention_of_each_step(checkpoint):
    trace = run(checkpoint, SENTENCE, Options(beam_width=3, max_length=9))
    found = [each.tokens for each in complete(trace)]
    if trace.attention is None:
        with pytest.raises(ValueError, match="without attention"):
            coverage(checkpoint, SENTENCE, found)
        return
    looked = coverage(checkpoint, SENTENCE, found)
    assert looked.shape == (len(found), len(trace.source))
    np.testing.assert_allclose(looked.sum(axis=1), [len(each) for each in found], rtol=1e-4)
    own = trace.attention.astype(np.float32).mean(axis=(1, 2)).sum(axis=0)
    np.testing.assert_allclose(looked[0], own, atol=5e-3)
    # Each output is covered as if it were alone: padding changes nothing.
    for ids, row in zip(found, looked, strict=True):
        np.testing.assert_allclose(coverage(checkpoint, SENTENCE, [ids])[0], row, atol=1e-5)


def test_a_coverage_penalty_punishes_what_was_not_looked_at(trace):
    found = complete(trace)
    even = np.ones((len(found), 4))
    np.testing.assert_allclose(scores(found, 1.0, 0.7, even), scores(found, 1.0))
    blind = even.copy()
    blind[0, 2] = 0.0
    change = scores(found, 1.0, 0.7, blind) - scores(found, 1.0)
    assert change[0] < -1
    np.testing.assert_allclose(change[1:], 0)
    with pytest.raises(ValueError, match="needs the coverage"):
        scores(found, 1.0, 0.7)


def test_equals_go_by_their_tokens(trace):
    found = complete(trace)
    placed = order(found, [0.0] * len(found))
    assert [found[n].tokens for n in placed] == sorted(each.tokens for each in found)


def test_only_complete_others_with_higher_scores_are_search_errors(trace):
    best = replace(complete(trace)[0], score=-1.0)
    other = replace(best, tokens=(*best.tokens, 1), finished=True)
    rivals = {
        "better": replace(other, score=-0.5),
        "worse": replace(other, score=-1.5),
        "rounding": replace(other, score=-1.0 + 1e-5),
        "cut": replace(other, score=-0.5, finished=False),
        "same": replace(best, score=-0.5),
    }
    assert list(better(best, rivals)) == ["better"]
