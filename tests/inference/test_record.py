import numpy as np
import pytest
import torch

from seq2seq.decoding.hypothesis import FINISHED
from seq2seq.decoding.options import Options
from seq2seq.inference.pipeline import run
from seq2seq.inference.record import ALTERNATIVES

TEXT = "The old dog sleeps in the garden."
METHODS = [
    Options(max_length=8),
    Options(beam_width=1, max_length=8),
    Options(method="greedy", max_length=8),
    Options(method="sample", beam_width=3, seed=2, max_length=8),
]


def tokens_and_scores(checkpoint, trace):
    """Log-probabilities (target, vocabulary) of the recorded output, by one forward pass."""
    target = torch.tensor([[checkpoint.model.config.bos, *trace.target.ids[:-1]]])
    logits = checkpoint.model(torch.tensor([trace.source.ids]), target)
    return logits[0].log_softmax(-1).numpy()


@pytest.mark.parametrize("options", METHODS, ids=lambda options: options.method)
def test_recorded_probabilities_are_the_searchs(checkpoint, options):
    trace = run(checkpoint, TEXT, options)
    best = trace.outputs[0]
    path = trace.beam_tree.path(best.node)
    np.testing.assert_allclose(
        trace.log_probabilities, trace.beam_tree.log_probability[path], atol=1e-4
    )
    assert trace.beam_tree.token[path].tolist() == list(trace.target.ids)
    assert trace.log_probabilities.sum() == pytest.approx(best.log_probability, abs=1e-4)


def test_attention_rows_sum_to_one(checkpoint, trace):
    config = checkpoint.model.config
    if not config.has_attention:
        assert trace.attention is None
    else:
        layers, heads = config.cross_attention_shape
        size = len(trace.target), layers, heads, len(trace.source)
        assert trace.attention.shape == size
        np.testing.assert_allclose(trace.attention.astype(np.float32).sum(-1), 1, atol=5e-3)


def test_what_is_copied_is_recorded(checkpoint, trace):
    assert (trace.copying is not None) == checkpoint.model.config.can_copy
    if trace.copying is not None:
        assert trace.copying.shape == (len(trace.target),)
        assert (trace.copying > 0).all()
        assert (trace.copying < 1).all()


def test_self_attention_is_recorded_where_there_is_some(checkpoint, trace):
    config, source, target = checkpoint.model.config, len(trace.source), len(trace.target)
    if config.self_attention_shape == (0, 0):
        assert trace.encoder_attention is None
        assert trace.decoder_attention is None
        return
    heads = config.heads
    assert trace.encoder_attention.shape == (config.encoder_layers, heads, source, source)
    assert trace.decoder_attention.shape == (target, config.decoder_layers, heads, target)
    for weights in (trace.encoder_attention, trace.decoder_attention):
        np.testing.assert_allclose(weights.astype(np.float32).sum(-1), 1, atol=5e-3)


def test_self_attention_is_left_out_unless_asked_for(checkpoint):
    trace = run(checkpoint, TEXT, Options(max_length=4))
    assert trace.encoder_attention is None
    assert trace.decoder_attention is None


def test_recording_self_attention_changes_nothing_else(checkpoint, trace):
    plain = run(checkpoint, TEXT, trace.options)
    assert plain.target == trace.target
    np.testing.assert_allclose(plain.log_probabilities, trace.log_probabilities, atol=1e-5)
    for name in ("encoder_states", "decoder_states", "contexts"):
        one, other = getattr(plain, name), getattr(trace, name)
        np.testing.assert_allclose(one.astype(np.float32), other.astype(np.float32), atol=1e-2)


def test_chosen_tokens_and_their_ranks(checkpoint, trace):
    scores = tokens_and_scores(checkpoint, trace)
    chosen = scores[np.arange(len(trace.target)), list(trace.target.ids)]
    np.testing.assert_allclose(trace.log_probabilities, chosen, atol=1e-5)
    assert np.array_equal(trace.ranks, (scores > chosen[:, None]).sum(1))


def test_alternatives_are_the_most_probable_best_first(checkpoint, trace):
    scores = tokens_and_scores(checkpoint, trace)
    alternatives = trace.alternatives
    assert alternatives.ids.shape == (len(trace.target), ALTERNATIVES)
    best = np.sort(scores, axis=1)[:, ::-1][:, :ALTERNATIVES]
    np.testing.assert_allclose(alternatives.log_probabilities, best, atol=1e-5)
    assert (np.diff(alternatives.log_probabilities, axis=1) <= 0).all()
    found = np.take_along_axis(scores, alternatives.ids, axis=1)
    np.testing.assert_allclose(found, best, atol=1e-5)
    for ids, pieces in zip(alternatives.ids.tolist(), alternatives.pieces, strict=True):
        assert pieces == checkpoint.tokenizer.pieces(ids)


def test_a_chosen_token_stands_among_the_alternatives_at_its_rank(trace):
    for step, (token, rank) in enumerate(zip(trace.target.ids, trace.ranks, strict=True)):
        if rank < ALTERNATIVES:
            assert trace.alternatives.ids[step, rank] == token


def test_states_and_contexts_are_the_models(checkpoint, trace):
    with torch.no_grad():
        memory = checkpoint.model.encode(torch.tensor([trace.source.ids]))
        target = torch.tensor([[checkpoint.model.config.bos, *trace.target.ids[:-1]]])
        steps = checkpoint.model.decoder(target, memory)
    for ours, model in (
        (trace.encoder_states, memory.states),
        (trace.decoder_states, steps.hidden),
        (trace.contexts, steps.context),
    ):
        np.testing.assert_allclose(ours.astype(np.float32), model[0].numpy(), atol=5e-3)
        assert ours.dtype == np.float16


def test_the_context_is_the_weighted_average_of_the_encoder_states(checkpoint, trace):
    if not checkpoint.model.config.has_final_state or trace.attention is None:
        return
    average = trace.attention[:, 0, 0].astype(np.float32) @ trace.encoder_states.astype(np.float32)
    np.testing.assert_allclose(trace.contexts.astype(np.float32), average, atol=5e-3)


def test_texts_and_pieces(checkpoint, trace):
    tokenizer, eos = checkpoint.tokenizer, checkpoint.model.config.eos
    assert trace.source.text == TEXT
    assert trace.source.ids == (*tokenizer.encode(TEXT), eos)
    assert trace.source.pieces == tokenizer.pieces(trace.source.ids)
    assert trace.target.pieces == tokenizer.pieces(trace.target.ids)
    assert trace.text == tokenizer.decode(trace.target.ids).strip() == trace.outputs[0].text
    assert (trace.checkpoint, trace.task) == (checkpoint.card.name, "translation")
    assert trace.beam_pieces == tokenizer.pieces(trace.beam_tree.token.tolist())


def test_outputs_are_the_n_best_of_the_search(checkpoint, trace):
    assert len(trace.outputs) == trace.options.n_best
    scores = [output.score for output in trace.outputs]
    assert scores == sorted(scores, reverse=True)
    for output in trace.outputs:
        path = trace.beam_tree.path(output.node)
        tokens = trace.beam_tree.token[path].tolist()
        assert output.pieces == checkpoint.tokenizer.pieces(tokens)
        assert output.text == checkpoint.tokenizer.decode(tokens).strip()
        assert output.finished == (trace.beam_tree.status[output.node] == FINISHED)
        total = trace.beam_tree.cumulative[output.node]
        assert output.log_probability == pytest.approx(total)
        assert output.score == pytest.approx(total / len(tokens))


def test_phases_are_timed(trace):
    assert set(trace.seconds) == {"encode", "search", "record"}
    assert all(0 < seconds < 60 for seconds in trace.seconds.values())
