import numpy as np
import pytest

from seq2seq.analysis.attention_optimization import ROUNDS, Row, steer
from seq2seq.decoding.interventions import AttentionEdit, Interventions
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.inference.pipeline import run
from seq2seq.inference.teacher_forcing import force

SENTENCE = "The old dog sleeps in the garden."


@pytest.fixture(scope="module")
def plain(checkpoint):
    trace = run(checkpoint, SENTENCE, Options(beam_width=2, max_length=8))
    if trace.attention is None:
        pytest.skip("no attention to steer by")
    return trace


def test_the_row_found_gives_the_probability_that_is_claimed(checkpoint, plain):
    step, token = 1, int(plain.alternatives.ids[1][3])
    found = steer(checkpoint, plain, Row(step), token)
    assert sum(found.edit.weights) == pytest.approx(1, abs=1e-5)
    assert found.after >= found.before * 0.999
    target = (*plain.target.ids[:step], token)
    for edits, expected in (((), found.before), ((found.edit,), found.after)):
        again = force(
            checkpoint, SENTENCE, target, plain.options, interventions=Interventions(edits)
        )
        assert np.exp(again.log_probabilities[step]) == pytest.approx(expected, rel=2e-3)


def test_the_row_found_is_better_than_any_single_word(checkpoint, plain):
    step, token, count = 0, int(plain.alternatives.ids[0][5]), len(plain.source)
    found = steer(checkpoint, plain, Row(step), token)
    config = checkpoint.model.config
    if not config.has_final_state and config.decoder_layers > 1:
        pytest.skip("what the lower layer does changes what the upper one wants")
    for position in range(count):
        weights = tuple(float(index == position) for index in range(count))
        edit = Interventions((type(found.edit)(step, weights),))
        once = force(checkpoint, SENTENCE, (token,), plain.options, interventions=edit)
        assert found.after >= 0.9 * np.exp(once.log_probabilities[0])


def test_other_changes_are_made_beside_it(checkpoint, plain):
    step, token, size = 1, int(plain.alternatives.ids[1][3]), len(plain.source)
    before = AttentionEdit(0, (1.0,) + (0.0,) * (size - 1))
    changes = Interventions((before,), (1, 2))
    found = steer(checkpoint, plain, Row(step), token, changes=changes)
    assert found.edit.weights[1:3] == (0, 0)
    target = (*plain.target.ids[:step], token)
    for edits, expected in (((before,), found.before), ((before, found.edit), found.after)):
        every = Interventions(edits, changes.muted)
        again = force(checkpoint, SENTENCE, target, plain.options, interventions=every)
        assert np.exp(again.log_probabilities[step]) == pytest.approx(expected, rel=2e-3)
    with pytest.raises(UserError, match="Every word is masked"):
        steer(checkpoint, plain, Row(step), token, changes=Interventions((), tuple(range(size))))


def test_it_can_be_stopped_and_tells_its_progress(checkpoint, plain):
    done = []
    steer(checkpoint, plain, Row(0), 5, on_round=lambda n, total: done.append(n) or n == 3)
    assert done == [1, 2, 3]
    assert ROUNDS > 3


def test_one_head_alone_is_steered(checkpoint, plain):
    _, layers, heads, _ = plain.attention.shape
    found = steer(checkpoint, plain, Row(0, layers - 1, heads - 1), 5)
    assert (found.edit.layer, found.edit.head) == (layers - 1, heads - 1)


def test_what_is_not_there_is_named(checkpoint, plain):
    for step, token in ((0, -1), (0, 10**9), (-1, 5), (99, 5)):
        with pytest.raises(UserError, match="choose another"):
            steer(checkpoint, plain, Row(step), token)


def test_a_model_without_attention_says_why(checkpoint_root):
    from seq2seq.checkpoint import load

    checkpoint = load(checkpoint_root / "gru-plain")
    with pytest.raises(UserError, match="no attention"):
        steer(checkpoint, run(checkpoint, SENTENCE), Row(0), 5)
