import numpy as np
import pytest

from seq2seq.decoding import step_log
from seq2seq.decoding.interventions import AttentionEdit, Interventions
from seq2seq.decoding.options import Options
from seq2seq.inference import pipeline
from seq2seq.inference.pipeline import run

TEXT = "The old dog sleeps in the garden."
ARRAYS = ("log_probabilities", "ranks", "decoder_states", "contexts", "attention", "copying")
ARRAYS += ("decoder_attention", "encoder_attention", "encoder_states")
METHODS = [
    Options(method="greedy", max_length=8),
    Options(beam_width=3, max_length=8),
    Options(beam_width=4, max_length=8, n_best=2, length_penalty=2.0, no_repeat_ngram=2),
    Options(method="sample", beam_width=3, seed=2, max_length=8),
]


@pytest.fixture
def passes(monkeypatch):
    """The outputs that were gone through once more."""
    found, observe = [], pipeline.observe
    monkeypatch.setattr(
        pipeline, "observe", lambda *given: found.append(given[2]) or observe(*given)
    )
    return found


def assert_same(one, other):
    assert one.target == other.target
    assert (one.alternatives.ids == other.alternatives.ids).all()
    for name in ARRAYS:
        kept, again = getattr(one, name), getattr(other, name)
        assert (kept is None) == (again is None), name
        if kept is not None:
            np.testing.assert_allclose(kept, again, atol=2e-3, err_msg=name)


@pytest.mark.parametrize("options", METHODS)
def test_what_a_search_keeps_is_what_one_more_pass_finds(checkpoint, options, passes, monkeypatch):
    kept = run(checkpoint, TEXT, options, self_attention=True)
    assert not passes or options.method == "sample"
    monkeypatch.setattr(step_log, "MOST_BYTES", 0)
    again = run(checkpoint, TEXT, options, self_attention=True)
    assert passes[-1] == again.target.ids
    assert_same(kept, again)


def test_changed_attention_is_kept_as_it_was_used(checkpoint, passes, monkeypatch):
    if not checkpoint.model.config.has_attention:
        return
    options = Options(beam_width=2, max_length=5)
    plain = run(checkpoint, TEXT, options)
    row = tuple(float(place == 1) for place in range(len(plain.source)))
    changes = Interventions((AttentionEdit(2, row),), (3,))
    kept = run(checkpoint, TEXT, options, interventions=changes)
    assert not passes
    assert kept.attention[2, ..., 1].min() > 0.99
    monkeypatch.setattr(step_log, "MOST_BYTES", 0)
    assert_same(kept, run(checkpoint, TEXT, options, interventions=changes))


def test_a_token_that_nobody_thought_of_takes_one_more_pass(checkpoint, passes):
    first = run(checkpoint, TEXT, Options(max_length=4))
    unlikely = next(n for n in range(4, 100) if n not in first.alternatives.ids[0])
    forced = run(checkpoint, TEXT, Options(max_length=4, prefix_tokens=(unlikely,)))
    assert passes == [forced.target.ids]
    assert forced.ranks[0] >= len(first.alternatives.ids[0])
    assert forced.alternatives.ids[0].tolist() == first.alternatives.ids[0].tolist()
