"""Requests, computed in this process: as the library computes them, and together."""

import pickle

import numpy as np
import pytest

import seq2seq
from seq2seq.decoding.interventions import Interventions
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.serving.engine import engine_of
from seq2seq.serving.local import Local
from seq2seq.serving.request import Request, compute_together

TEXTS = ("the cat sleeps", "where is the dog", "the old man reads")


def alike(one, other):
    """Require that two traces tell the same but for seconds and what rounding leaves."""
    assert one.target == other.target
    assert one.text == other.text
    assert (one.attention is None) == (other.attention is None)
    if one.attention is not None:
        np.testing.assert_allclose(one.attention, other.attention, atol=1e-3)
    np.testing.assert_allclose(one.log_probabilities, other.log_probabilities, atol=1e-4)


@pytest.mark.parametrize("name", ["lstm-attention", "transformer"])
def test_a_request_is_what_the_library_computes(open_tiny, name):
    options, muted = Options(beam_width=3, max_length=8), Interventions(muted=(1,))
    request = pickle.loads(pickle.dumps(Request(name, TEXTS[0], options, muted)))
    found = engine_of("", open_tiny).compute(request)
    alike(
        found,
        seq2seq.run(open_tiny(name), TEXTS[0], options, self_attention=None, interventions=muted),
    )
    forced = Local(open_tiny).compute(Request(name, TEXTS[0], options, target=TEXTS[1]))
    alike(forced, seq2seq.force(open_tiny(name), TEXTS[0], TEXTS[1], options))


def test_whoever_waits_is_called(open_tiny):
    waited = []
    request = Request("gru-plain", TEXTS[0], Options(method="greedy", max_length=5))
    Local(open_tiny).compute(request, lambda: waited.append(1))
    assert waited


@pytest.mark.parametrize("name", ["lstm-attention", "gru-plain", "transformer"])
def test_requests_that_come_together_are_computed_as_each_alone(open_tiny, name):
    options = Options(beam_width=2, max_length=8)
    requests = [Request(name, text, options) for text in TEXTS]
    requests += [Request(name, TEXTS[0], Options(method="greedy", max_length=4))]
    requests += [Request("gru-plain", TEXTS[0], options), Request(name, "", options)]
    found = compute_together(open_tiny, requests)
    assert isinstance(found[-1], UserError)
    for request, trace in zip(requests[:-1], found, strict=False):
        alike(trace, Local(open_tiny).compute(request))


def test_a_batch_with_one_bad_request_gives_the_others(open_tiny):
    options = Options(beam_width=2, max_length=8)
    requests = [Request("lstm-attention", text, options) for text in (TEXTS[0], "", TEXTS[1])]
    first, bad, last = compute_together(open_tiny, requests)
    assert isinstance(bad, UserError)
    for request, trace in ((requests[0], first), (requests[2], last)):
        alike(trace, Local(open_tiny).compute(request))


def test_a_model_that_is_not_there_is_one_sentence():
    def load_none(name):
        raise UserError(f"There is no {name}.")

    requests = [Request("none", text) for text in TEXTS]
    assert [str(error) for error in compute_together(load_none, requests)] == [
        "There is no none."
    ] * 3


@pytest.mark.parametrize("address", ["http://somewhere", "ray://", "ray"])
def test_an_address_of_no_engine_is_refused(address):
    with pytest.raises(UserError, match="write ray://"):
        engine_of(address, lambda name: None)
