import numpy as np
import pytest
import torch

from seq2seq.decoding.interventions import NOTHING, AttentionEdit, Interventions
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.inference.pipeline import run
from seq2seq.inference.record import teach
from seq2seq.inference.teacher_forcing import force
from seq2seq.trace import Trace

SENTENCE = "The old dog sleeps in the garden."
OPTIONS = Options(beam_width=3, n_best=3, max_length=8)


@pytest.fixture(scope="module")
def plain(checkpoint):
    return run(checkpoint, SENTENCE, OPTIONS, self_attention=True)


def edited(checkpoint, *edits, muted=()):
    interventions = Interventions(tuple(edits), tuple(muted))
    return run(checkpoint, SENTENCE, OPTIONS, self_attention=True, interventions=interventions)


def one_hot(trace, position):
    return tuple(float(index == position) for index in range(len(trace.source)))


def skip_without_attention(trace):
    if trace.attention is None:
        pytest.skip("no attention to change")


def test_nothing_changed_is_the_same_run_to_the_bit(checkpoint, plain):
    again = edited(checkpoint)
    assert not NOTHING
    assert again.target == plain.target
    for name in ("log_probabilities", "contexts", "decoder_states", "encoder_states"):
        assert getattr(again, name).tobytes() == getattr(plain, name).tobytes()


def test_a_row_put_in_for_itself_changes_nothing(checkpoint, plain):
    skip_without_attention(plain)
    _, layers, heads, _ = plain.attention.shape
    edits = [
        AttentionEdit(2, tuple(plain.attention[2, layer, head].astype(float)), layer, head)
        for layer in range(layers)
        for head in range(heads)
    ]
    again = edited(checkpoint, *edits)
    assert again.target.ids == plain.target.ids
    np.testing.assert_allclose(again.log_probabilities, plain.log_probabilities, atol=5e-3)
    np.testing.assert_allclose(
        again.attention.astype(float), plain.attention.astype(float), atol=2e-3
    )


def test_a_one_hot_row_gives_exactly_that_source_vector(checkpoint, plain):
    skip_without_attention(plain)
    changed = edited(checkpoint, AttentionEdit(1, one_hot(plain, 3)))
    np.testing.assert_array_equal(
        changed.attention[1], np.broadcast_to(one_hot(plain, 3), changed.attention[1].shape)
    )
    if checkpoint.model.config.has_final_state:
        np.testing.assert_array_equal(changed.contexts[1], plain.encoder_states[3])
    # What was said before is as it was.
    if changed.target.ids[:1] == plain.target.ids[:1]:
        assert changed.log_probabilities[0] == pytest.approx(plain.log_probabilities[0], abs=1e-5)


def test_one_layer_and_head_are_changed_alone(checkpoint, plain):
    skip_without_attention(plain)
    _, layers, heads, _ = plain.attention.shape
    changed = edited(checkpoint, AttentionEdit(0, one_hot(plain, 0), layers - 1, heads - 1))
    np.testing.assert_array_equal(changed.attention[0, -1, -1], one_hot(plain, 0))
    if layers > 1:
        np.testing.assert_allclose(
            changed.attention[0, 0].astype(float), plain.attention[0, 0].astype(float), atol=1e-3
        )


def test_a_muted_word_is_seen_by_nobody_and_rows_still_sum_to_one(checkpoint, plain):
    skip_without_attention(plain)
    changed = edited(checkpoint, muted=[2, 4])
    assert (changed.attention[..., [2, 4]] == 0).all()
    np.testing.assert_allclose(changed.attention.astype(float).sum(-1), 1, atol=2e-3)
    if changed.encoder_attention is not None:
        assert (changed.encoder_attention[..., [2, 4]] == 0).all()


def test_muting_equals_masking(checkpoint, plain):
    skip_without_attention(plain)
    changed = edited(checkpoint, muted=[2])
    ids = torch.tensor([plain.source.ids])
    mask = torch.ones_like(ids, dtype=torch.bool)
    model, transformer = checkpoint.model, not checkpoint.model.config.has_final_state
    with torch.inference_mode():
        hidden = mask.clone()
        hidden[0, 2] = False
        memory = model.encode(ids, hidden if transformer else mask)._replace(mask=hidden)
        target = torch.tensor([[*checkpoint.generation_config.start, *changed.target.ids[:-1]]])
        logits = model.decoder(target, memory).logits[0].log_softmax(-1)
    expected = logits.gather(1, torch.tensor([changed.target.ids]).T)[:, 0]
    np.testing.assert_allclose(changed.log_probabilities, expected.numpy(), atol=1e-5)


def test_all_weight_on_what_is_muted_is_refused(checkpoint, plain):
    skip_without_attention(plain)
    with pytest.raises(UserError, match="some weight"):
        edited(checkpoint, AttentionEdit(0, one_hot(plain, 2)), muted=[2])


def test_steps_in_turn_equal_the_pass_at_once(checkpoint, plain):
    ids = torch.tensor([plain.source.ids])
    target = torch.tensor([[*checkpoint.generation_config.start, *plain.target.ids[:-1]]])
    far = Interventions((AttentionEdit(500, one_hot(plain, 0)),))
    with torch.inference_mode():
        memory = checkpoint.model.encode(ids)
        at_once = teach(checkpoint.model.decoder, target, memory, record=True)
        in_turn = teach(checkpoint.model.decoder, target, memory, far, record=True)
    for left, right in zip(at_once, in_turn, strict=True):
        assert (left is None) == (right is None)
        if left is not None:
            torch.testing.assert_close(left, right, atol=1e-5, rtol=1e-4)


def test_a_forced_output_feels_the_change_too(checkpoint, plain):
    skip_without_attention(plain)
    interventions = Interventions((AttentionEdit(1, one_hot(plain, 0)),))
    changed = force(checkpoint, SENTENCE, plain.target.ids, OPTIONS, interventions=interventions)
    np.testing.assert_array_equal(changed.attention[1, 0, 0], one_hot(plain, 0))
    assert changed.log_probabilities[0] == pytest.approx(plain.log_probabilities[0], abs=1e-5)
    assert abs(changed.log_probabilities[1] - plain.log_probabilities[1]) > 1e-6


def test_a_changed_run_is_saved_and_read_again(checkpoint, plain):
    skip_without_attention(plain)
    changed = edited(checkpoint, AttentionEdit(0, one_hot(plain, 1), 0, 0), muted=[3])
    again = Trace.from_json(changed.to_json())
    assert again.interventions == changed.interventions
    assert again.to_json() == changed.to_json()


def test_a_model_without_attention_says_why(checkpoint, plain):
    if plain.attention is not None:
        pytest.skip("it has attention")
    for change in ({"muted": (1,)}, {"attention": (AttentionEdit(0, one_hot(plain, 0)),)}):
        with pytest.raises(UserError, match="no attention to change"):
            run(checkpoint, SENTENCE, OPTIONS, interventions=Interventions(**change))


@pytest.mark.parametrize(
    ("interventions", "said"),
    [
        (Interventions(muted=(99,)), "not in this source"),
        (Interventions(muted=(-1,)), "not in this source"),
        (Interventions(muted=(0, 1, 2)), "at least one"),
        (Interventions((AttentionEdit(0, (1.0,)),)), "make it anew"),
        (Interventions((AttentionEdit(0, (0.0, 0.0, 0.0)),)), "some weight"),
        (Interventions((AttentionEdit(0, (1.0, -1.0, 1.0)),)), "0 or more"),
        (Interventions((AttentionEdit(0, (1.0, float("nan"), 1.0)),)), "0 or more"),
        (Interventions((AttentionEdit(0, (1.0, 0.0, 0.0), 2),)), "no layer 3"),
        (Interventions((AttentionEdit(0, (1.0, 0.0, 0.0), 0, 4),)), "no head 5"),
        (Interventions((AttentionEdit(0, (1.0, 0.0, 0.0)),) * 65), "at most 64"),
    ],
)
def test_what_does_not_fit_is_named(interventions, said):
    with pytest.raises(UserError, match=said):
        interventions.check(3, 2, 4)
