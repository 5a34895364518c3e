import numpy as np
import pytest
import torch

from seq2seq.analysis.context_vector import (
    BACKWARD,
    FORWARD,
    cosine,
    decode,
    keep_directions,
    kept_share,
    mix,
    principal,
    top_layer,
    whole,
    with_noise,
    without_half,
)
from seq2seq.analysis.sentence_vectors import sentence_vectors
from seq2seq.checkpoint import load, save
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.inference.pipeline import run
from seq2seq.models.config import RecurrentConfig
from seq2seq.models.seq2seq import build

A, B, C = "The old dog sleeps in the garden.", "Where is the cat?", "We ate fish and fresh bread."
OPTIONS = Options(beam_width=3)
CELLS = {
    "lstm": {"cell": "lstm", "feeds": "context", "encoder_layers": 2, "decoder_layers": 2},
    "gru": {"cell": "gru", "feeds": "context", "embedding": 12},
    "two-way-lstm": {"cell": "lstm", "feeds": "token", "bidirectional": True},
}


@pytest.fixture(scope="module", params=list(CELLS))
def blind(request, tokenizer, tmp_path_factory):
    """Return a checkpoint without attention."""
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("blind") / request.param
    config = RecurrentConfig(
        vocabulary=len(tokenizer), width=16, attention="none", **CELLS[request.param]
    )
    save(folder, build(config), tokenizer)
    card = 'title = "Tiny"\ntask = "translation"\nlicence = "CC0-1.0"\nsummary = "Fresh."\n'
    (folder / "card.toml").write_text(card, encoding="utf-8")
    return load(folder)


def same_run(outcome, trace):
    assert outcome.tokens == trace.target.ids
    assert outcome.text == trace.text
    assert outcome.log_probability == pytest.approx(float(trace.log_probabilities.sum()), abs=1e-4)


def test_interpolation_begins_with_one_run_and_ends_with_the_other(blind):
    a, b = whole(blind, A), whole(blind, B)
    found = decode(blind, A, [mix([(1 - x, a), (x, b)]) for x in (0.0, 0.5, 1.0)], OPTIONS)
    same_run(found[0], run(blind, A, OPTIONS))
    same_run(found[2], run(blind, B, OPTIONS))
    assert mix([(1.0, a), (0.0, b)]).numbers.tobytes() == a.numbers.tobytes()


def test_swapping_is_running_the_other(blind):
    (found,) = decode(blind, A, [whole(blind, B)], OPTIONS)
    same_run(found, run(blind, B, OPTIONS))


def test_its_own_vector_changes_nothing_with_attention_either(checkpoint):
    if not checkpoint.model.config.has_final_state:
        with pytest.raises(UserError, match="no final state"):
            decode(checkpoint, A, [])
        with pytest.raises(ValueError, match="whole"):
            whole(checkpoint, A)
        return
    (found,) = decode(checkpoint, A, [whole(checkpoint, A)], OPTIONS)
    same_run(found, run(checkpoint, A, OPTIONS))


def test_with_attention_another_vector_still_sees_the_text(checkpoint):
    if checkpoint.model.config.cross_attention_shape == (0, 0):
        pytest.skip("no attention")
    if not checkpoint.model.config.has_final_state:
        pytest.skip("no final state")
    (found,) = decode(checkpoint, A, [whole(checkpoint, B)], Options(beam_width=1, max_length=6))
    other = run(checkpoint, B, Options(beam_width=1, max_length=6))
    assert found.log_probability != pytest.approx(float(other.log_probabilities.sum()), abs=1e-4)


def test_no_noise_all_of_it_and_no_half_off_change_nothing(blind):
    a, width = whole(blind, A), blind.model.config.width
    assert with_noise(a, 0.0, 5, width).numbers.tobytes() == a.numbers.tobytes()
    assert without_half(a, "", width).numbers.tobytes() == a.numbers.tobytes()
    found = principal(blind)
    assert found.explained.sum() == pytest.approx(1)
    assert kept_share(a, found, len(found.directions)) == pytest.approx(1, abs=1e-6)
    kept = keep_directions(a, found, len(found.directions))
    np.testing.assert_allclose(kept.numbers, a.numbers, atol=1e-6)


def test_noise_has_the_size_it_is_given_and_comes_again_with_its_seed(blind):
    a, width = whole(blind, A), blind.model.config.width
    noise = with_noise(a, 0.5, 1, width).numbers - a.numbers
    for part, own in zip(noise.reshape(-1, width), a.numbers.reshape(-1, width), strict=True):
        assert np.linalg.norm(part) == pytest.approx(0.5 * np.linalg.norm(own), rel=1e-3)
    assert (with_noise(a, 0.5, 1, width).numbers - a.numbers == noise).all()
    assert (with_noise(a, 0.5, 2, width).numbers - a.numbers != noise).any()


def test_fewer_directions_keep_less_down_to_the_mean(blind):
    a, found = whole(blind, A), principal(blind)
    shares = [kept_share(a, found, count) for count in range(len(found.directions) + 1)]
    assert shares == sorted(shares)
    assert shares[0] == 0
    np.testing.assert_allclose(keep_directions(a, found, 0).numbers, found.mean, atol=1e-6)


def test_a_half_that_is_off_is_zero_and_the_other_as_it_was(blind):
    a, width = whole(blind, A), blind.model.config.width
    for place, half in enumerate((FORWARD, BACKWARD)):
        halves = without_half(a, half, width).numbers.reshape(-1, 2, width // 2)
        assert (halves[:, place] == 0).all()
        own = a.numbers.reshape(-1, 2, width // 2)[:, 1 - place]
        assert (halves[:, 1 - place] == own).all()


def test_halves_are_the_directions_of_the_encoder(blind):
    if not blind.model.config.bidirectional:
        pytest.skip("one direction")
    states = run(blind, A, OPTIONS).encoder_states.astype(np.float32)
    forward, backward = np.split(top_layer(whole(blind, A).numbers, blind.model.config), 2)
    np.testing.assert_allclose(forward, states[-1, : len(forward)], atol=1e-3)
    np.testing.assert_allclose(backward, states[0, len(forward) :], atol=1e-3)


def test_what_is_shown_is_the_last_state_of_the_top_layer(blind):
    final = sentence_vectors(blind, [A], "final")[0]
    np.testing.assert_array_equal(top_layer(whole(blind, A).numbers, blind.model.config), final)


def test_arithmetic(blind):
    a, b, c = (whole(blind, text) for text in (A, B, C))
    back = mix([(1, a), (-1, b), (1, b)])
    np.testing.assert_allclose(back.numbers, a.numbers, atol=1e-6)
    same = mix([(1, a), (-1, a), (1, c)])
    np.testing.assert_allclose(same.numbers, c.numbers, atol=1e-6)
    (found,) = decode(blind, A, [mix([(1, a), (-1, b), (1, c)])], OPTIONS)
    assert found.tokens


def test_cosine():
    x = np.array([3.0, 4.0])
    assert cosine(x, 2 * x) == pytest.approx(1)
    assert cosine(x, np.array([-4.0, 3.0])) == pytest.approx(0)
    assert cosine(x, 0 * x) == 0
