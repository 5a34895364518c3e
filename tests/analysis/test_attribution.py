import dataclasses

import numpy as np
import pytest
import torch
from torch.func import functional_call

from seq2seq.analysis.attribution import _gradients, _source_table, agreement, attribute
from seq2seq.errors import UserError
from seq2seq.inference.pipeline import run
from seq2seq.inference.teacher_forcing import force

SENTENCE = "The old dog sleeps in the garden."


@pytest.fixture(scope="module")
def found(checkpoint):
    trace = run(checkpoint, SENTENCE)
    return trace, attribute(checkpoint, trace)


def test_every_word_and_token_has_a_number(found):
    trace, attribution = found
    size = len(trace.target), max(trace.source.words) + 1
    assert attribution.occlusion.shape == attribution.gradient.shape == size
    assert np.isfinite(attribution.occlusion).all()
    np.testing.assert_allclose(attribution.gradient.sum(axis=1), 1)
    assert (attribution.attention is None) == (trace.attention is None)
    if attribution.attention is not None:
        np.testing.assert_allclose(attribution.attention.sum(axis=1), 1, atol=5e-3)


def test_a_word_left_out_is_a_source_without_it(checkpoint, found):
    trace, attribution = found
    # The word "old", whose pieces are a prefix of no other: the text without it reads the same.
    shorter = force(checkpoint, SENTENCE.replace("old ", ""), trace.target.ids, trace.options)
    expected = trace.log_probabilities - shorter.log_probabilities
    np.testing.assert_allclose(attribution.occlusion[:, 1], expected, atol=1e-4)


def test_the_gradient_is_that_of_a_small_change(checkpoint, found):
    """Make the vector of a source token a little longer and shorter, and see what happens."""
    trace, model = found[0], checkpoint.model
    ids = torch.tensor([trace.source.ids])
    read = torch.tensor([[*checkpoint.generation_config.start, *trace.target.ids[:-1]]])
    gradients = _gradients(checkpoint, trace, read, 0, int)
    name, table = _source_table(model.encoder)
    place = next(i for i, token in enumerate(trace.source.ids) if trace.source.ids.count(token) < 2)

    def scores(factor):
        weight = table.weight.clone()
        weight[trace.source.ids[place]] *= factor
        mask = torch.ones_like(ids, dtype=torch.bool)
        with torch.no_grad():
            memory = functional_call(model.encoder, {f"{name}.weight": weight}, (ids, mask))
            memory = memory._replace(keys=model.decoder.prepare(memory))
            logits = model.decoder(read, memory).logits[0].double().log_softmax(-1)
        return logits.gather(1, torch.tensor([trace.target.ids]).T)[:, 0].numpy()

    slope = np.abs(scores(1.05) - scores(0.95)) / 0.1
    np.testing.assert_allclose(gradients[:, place], slope, rtol=0.05, atol=2e-4)


def test_rank_correlation():
    left = np.array([[1.0, 2, 3], [1, 2, 3], [1, 1, 1]])
    right = np.array([[10.0, 20, 30], [3, 2, 1], [1, 2, 3]])
    np.testing.assert_allclose(agreement(left, right), [1, -1, 0])


def test_progress_is_told(checkpoint, found):
    done = []
    attribute(checkpoint, found[0], lambda passes, total: done.append((passes, total)))
    assert done[-1][0] == done[-1][1] == len(done)


def test_the_run_of_another_model_is_refused(checkpoint, found):
    trace, _ = found
    strange = dataclasses.replace(
        trace, target=dataclasses.replace(trace.target, pieces=("x",) * len(trace.target))
    )
    with pytest.raises(UserError, match="another model"):
        attribute(checkpoint, strange)
    with pytest.raises(UserError, match="recording"):
        attribute(checkpoint, dataclasses.replace(trace, position_seconds=0.04))
