from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from seq2seq.analysis.step_internals import embed, encode, step_internals
from seq2seq.checkpoint import Checkpoint, load
from seq2seq.data.audio import RATE, Audio
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.figures import step as drawn
from seq2seq.inference.pipeline import run
from seq2seq.models.config import Config, RecurrentConfig, TransformerConfig
from seq2seq.models.seq2seq import build
from tests import published
from tests.conftest import KINDS

TEXT = "The old dog sleeps in the garden."
DEEPER = {
    "gru-deep": {"cell": "gru", "attention": "dot", "feeds": "readout", "decoder_layers": 2},
    "lstm-both-ways": {
        "cell": "lstm",
        "attention": "additive",
        "bidirectional": True,
        "encoder_layers": 2,
        "decoder_layers": 2,
    },
    "copying": {"cell": "lstm", "attention": "general", "feeds": "token", "copies": True},
    "norm-last": {
        "architecture": "transformer",
        "encoder_layers": 2,
        "decoder_layers": 2,
        "heads": 2,
        "feedforward": 32,
        "norm_first": False,
        "gated": True,
    },
}


def every_step(checkpoint, given, **settings):
    """Yield a run and the close-up of each of its steps."""
    trace = run(checkpoint, given, Options(beam_width=2, max_length=6), self_attention=True)
    for step in range(len(trace.target)):
        yield trace, step, step_internals(checkpoint, given, trace.target.ids, step, **settings)


def built(config, card, tokenizer):
    return Checkpoint(build(config), tokenizer, card)


@pytest.fixture(params=[*KINDS, *DEEPER])
def model(request, tokenizer, any_card):
    config = Config.from_dict(
        {"vocabulary": len(tokenizer), "width": 16, **(KINDS | DEEPER)[request.param]}
    )
    return built(config, any_card, tokenizer)


@pytest.fixture(scope="session")
def any_card(checkpoint_root):
    return load(checkpoint_root / "transformer").card


def close(found, expected, atol=1e-5):
    # A run keeps sixteen bits of most numbers.
    np.testing.assert_allclose(found, expected, atol=atol, rtol=1e-3 if atol > 1e-4 else 1e-5)


def half(values):
    return values.astype(np.float32)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def next_state(kind, cell):
    """Compute the state after a step from the gates and the state before it."""
    gates, before = cell.gates, cell.before
    if kind == "rnn":
        return (np.tanh(gates["sum"]),)
    if kind == "gru":
        return (gates["update"] * before[0] + (1 - gates["update"]) * gates["candidate"],)
    memory = gates["forget"] * before[1] + gates["input"] * gates["candidate"]
    return gates["output"] * np.tanh(memory), memory


def test_gates_make_the_next_state(model):
    last = None
    for trace, step, found in every_step(model, TEXT):
        for cell in found.cells:
            for ours, theirs in zip(next_state(found.kind, cell), cell.after, strict=True):
                close(ours, theirs)
        if found.cells:
            close(half(trace.decoder_states[step]), found.cells[-1].after[0], 5e-3)
            if last is not None:  # a step begins where the one before has ended
                for one, other in zip(last, found.cells, strict=True):
                    close(one.after, other.before)
            last = found.cells


def test_gates_are_made_of_their_pre_activations(model):
    for _, _, found in every_step(model, TEXT):
        for cell in found.cells:
            assert list(cell.sums) == list(cell.gates)
            for name, total in cell.sums.items():
                bounded = np.tanh(total) if name == "candidate" else sigmoid(total)
                close(total if name == "sum" else bounded, cell.gates[name])


def test_the_output_layer_makes_the_logit_of_the_chosen_token(model):
    for _, _, found in every_step(model, TEXT):
        logit = found.output_row @ found.readout + found.output_bias
        if found.copying is None:
            close(logit, found.logits[found.chosen], 1e-4)
            continue
        whole = model.model.decoder.output(torch.from_numpy(found.readout))
        close(logit, whole[found.ids[found.chosen]].item(), 1e-4)


def test_scores_weights_and_context_are_those_of_the_run(model):
    for trace, step, found in every_step(model, TEXT):
        close(half(trace.contexts[step]), found.context, 1e-2)
        if trace.attention is None:
            assert found.look is None
            continue
        look = found.look
        assert found.source == trace.source.pieces
        close(half(trace.attention[step, -1, 0]), look.weights, 1e-3)
        exp = np.exp(look.scores - look.scores.max())
        close(exp / exp.sum(), look.weights)
        close(look.weights @ look.values, look.context)
        if look.keys is not None:
            close(look.keys @ look.query * look.scale, look.scores, 1e-4)


def test_every_layer_and_head_of_a_transformer(model):
    if model.model.config.has_final_state:
        return
    places = [(layer, head) for layer in (0, 1) for head in (0, 1)]
    for layer, head in places:
        for trace, step, found in every_step(model, TEXT, layer=layer, head=head):
            close(half(trace.attention[step, layer, head]), found.look.weights, 1e-3)
            # The run's columns are the tokens read: a start token, then those written.
            own = half(trace.decoder_attention[step, layer, head])[: step + 1]
            close(own, found.own.weights, 1e-3)
            close(found.own.weights @ found.own.values, found.own.context)
            close(np.linalg.norm(found.states, axis=1), found.sizes[layer], 1e-4)
            assert found.sizes.shape == (2, 4)


def test_probabilities_are_those_of_the_run(model):
    for trace, step, found in every_step(model, TEXT):
        log_probabilities = found.logits - found.log_sum
        close(log_probabilities[found.chosen], trace.log_probabilities[step], 1e-4)
        best = trace.alternatives.log_probabilities[step]
        close(log_probabilities[: len(best)], best, 1e-4)
        assert found.ids[found.chosen] == trace.target.ids[step]
        assert found.rank == trace.ranks[step]
        assert found.read[1:] == trace.target.pieces[:step]
        assert len(found.pieces) == len(found.ids)


def test_a_copied_token_gets_its_share(model):
    for trace, step, found in every_step(model, TEXT):
        if not model.model.config.can_copy:
            assert found.copying is None
            continue
        token = trace.target.ids[step]
        places = [place for place, each in enumerate(trace.source.ids) if each == token]
        close(found.pointed, found.look.weights[places].sum())
        assert 0 < found.copying < 1
        assert found.probabilities[found.chosen] >= found.copying * found.pointed - 1e-6
        close(found.log_sum, 0, 1e-4)


def test_a_token_that_is_not_among_the_best_is_added(checkpoint):
    trace = run(checkpoint, TEXT, Options(max_length=4))
    last = np.argsort(-trace.alternatives.log_probabilities[0])[-1]
    others = set(range(4, 100)) - set(trace.alternatives.ids[0].tolist())
    found = step_internals(checkpoint, TEXT, [min(others)], 0)
    assert found.chosen == len(found.ids) - 1 > last
    assert found.rank >= found.chosen
    assert found.ids[-1] == min(others)


def test_a_source_that_is_encoded_once_gives_the_same(model):
    options = Options(max_length=4)
    encoded = encode(model, TEXT, options)
    for step in range(3):
        again = step_internals(model, encoded, [9, 8, 7], step)
        found = step_internals(model, TEXT, [9, 8, 7], step, options)
        assert np.array_equal(again.logits, found.logits)
        assert again.read == found.read


@pytest.mark.parametrize(("tokens", "step"), [([10_000], 0), ([5], 1), ([-1], 0), ([], 0)])
def test_other_tokens_are_refused(checkpoint, tokens, step):
    with pytest.raises(UserError, match="no output of this model"):
        step_internals(checkpoint, TEXT, tokens, step)


@pytest.mark.parametrize(
    "kind",
    [
        partial(RecurrentConfig, attention="general", feeds="token"),
        partial(TransformerConfig, heads=2, feedforward=32),
    ],
    ids=["recurrent", "transformer"],
)
def test_a_recording(tokenizer, any_card, kind):
    config = kind(vocabulary=len(tokenizer), width=16, input="audio", bins=8)
    model = built(config, any_card, tokenizer)
    samples = torch.randn(RATE // 2).mul(0.1).numpy()
    for trace, step, found in every_step(model, Audio(samples, 0.5)):
        close(half(trace.attention[step, 0, 0]), found.look.weights, 1e-3)
        assert found.source == trace.source.pieces


@pytest.mark.parametrize("family", ["marian", "t5", "bart", "whisper", "mbart50"])
def test_models_of_others(family, tmp_path):
    folder, _, _ = published.save(tmp_path, family)
    checkpoint = load(folder)
    given = TEXT
    if family == "whisper":
        given = Audio(torch.randn(RATE // 2).mul(0.1).numpy(), 0.5)
    for layer, head in ((0, 0), (-1, 1)):
        for trace, step, found in every_step(checkpoint, given, layer=layer, head=head):
            close(half(trace.attention[step, layer, head]), found.look.weights, 2e-3)
            close(found.look.weights.sum() + found.look.unseen, 1)
            close(half(trace.contexts[step]), found.context, 2e-2)
            assert (found.own.bias is None) == (family != "t5")
            products = found.own.keys @ found.own.query * found.own.scale
            bias = 0 if found.own.bias is None else found.own.bias
            close(products + bias, found.own.scores, 1e-3)
            own = half(trace.decoder_attention[step, layer, head])
            count = min(len(own), len(found.own.weights), step + 1)
            close(own[:count], found.own.weights[-step - 1 :][:count], 2e-3)
            chosen = found.logits[found.chosen] - found.log_sum
            close(chosen, trace.log_probabilities[step], 1e-3)


def table(text):
    return [line.split(",") for line in text.strip().splitlines()]


@pytest.mark.parametrize("dark", [False, True])
def test_strips_draw_every_unit_of_every_row(model, dark):
    found = step_internals(model, TEXT, [9, 8, 7], 2)
    rows, scales = [("embedding", found.embedding)], ()
    if found.cells:
        rows, scales = drawn.cell_rows(found.cells[-1])
    values = np.stack([row for _, row in rows])
    figure = drawn.strips(rows, 3, scales, dark, clickable=True)
    heat, points = figure.data
    shown = np.asarray(heat.z) * np.array(scales or [np.abs(values).max()])[:, None]
    close(shown, values, 2e-3 * np.abs(values).max())
    assert (heat.zmin, heat.zmax) == (-1, 1)
    assert np.abs(heat.z).max() <= 1
    assert [row[0] for row in points.customdata] == list(range(values.shape[1]))
    close(points.customdata[:, 1:], values.T, 1e-3)
    header, *lines = table(drawn.strips_csv(rows))
    assert header == ["unit", *(name for name, _ in rows)]
    close([[float(value) for value in line[1:]] for line in lines], values.T, 1e-3)
    assert list(figure.layout.yaxis.ticktext) == [name for name, _ in rows]
    (heat,) = drawn.strips(rows, 3).data
    close(heat.customdata, values, 1e-3)
    assert drawn.strips(rows, 3) == drawn.strips(rows, 3)


def test_the_key_of_strips_tells_which_rows_have_which_scale():
    rows = [(name, np.array([value, 0.0])) for name, value in (("a", 1.0), ("b", -0.5), ("h", 4.0))]
    title = drawn.strips(rows, scales=(1.0, 1.0, 4.0)).layout.xaxis.title.text
    assert "a to b" in title
    assert "h <span" in title
    assert "to 4" in title
    assert "to 1" in title
    one = drawn.strips(rows).layout.xaxis.title.text
    assert "to 4" in one
    assert "<br>" not in one
    assert "a to b" not in one
    zeros = [("nothing", np.zeros(3))]
    assert np.isfinite(drawn.strips(zeros).data[0].z).all()


def test_gates_are_drawn_to_one_and_states_as_far_as_they_reach(model):
    found = step_internals(model, TEXT, [9, 8, 7], 2)
    for cell in found.cells:
        rows, scales = drawn.cell_rows(cell)
        assert len(rows) == len(scales) == len(cell.gates) + 2 * len(cell.after)
        gates = scales[: len(cell.gates)]
        assert len(set(gates)) == 1
        assert found.kind == "rnn" or gates[0] == 1
        for number, state in enumerate(zip(cell.before, cell.after, strict=True)):
            of_state = scales[len(cell.gates) + 2 * number :][:2]
            close(of_state, [np.abs(state).max()] * 2, 1e-6)


def test_scores_and_logits_are_drawn_as_they_are(model):
    found = step_internals(model, TEXT, [9, 8, 7], 2)
    left, right = drawn.logits(found).data
    close(left.x, found.logits)
    close(right.x, found.probabilities)
    framed = [number for number, width in enumerate(right.marker.line.width) if width > 1]
    assert framed == [found.chosen]
    assert len(table(drawn.logits_csv(found))) == 1 + len(found.ids)
    if found.look is None:
        return
    for more in ({}, {"seconds": 0.04}):  # beside each other, and along a time axis
        figure = drawn.scores(found.look, found.source, marked=1, **more)
        along = "y" if more else "x"
        close(getattr(figure.data[0], along), found.look.scores)
        close(getattr(figure.data[1], along), found.look.weights)
    assert len(table(drawn.scores_csv(found.look, found.source))) == 1 + len(found.source)


def test_markup_in_a_token_is_shown_as_text(model):
    found = step_internals(model, TEXT, [9], 0)
    found = replace(found, pieces=("<b>x</b>",) * len(found.pieces))
    if found.look is not None:
        pieces = ["<i>y</i>"] * len(found.source)
        assert "<i>" not in drawn.scores(found.look, pieces).to_json()
    assert "<b>x" not in drawn.logits(found).data[0].hovertext[0]


def test_the_lengths_of_a_transformers_states(model):
    found = step_internals(model, TEXT, [9, 8], 1)
    if found.sizes is None:
        return
    figure = drawn.sizes(found, layer=1)
    close(figure.data[0].y, found.sizes.ravel())
    widths = figure.data[0].marker.line.width
    assert [width > 1 for width in widths] == [False] * 4 + [True] * 4
    assert len(table(drawn.sizes_csv(found))) == 1 + found.sizes.size


def test_vectors_of_source_tokens(model):
    trace = run(model, "The cat 🙂 sleeps.", Options(max_length=3))
    found = embed(model, trace.source.ids)
    assert found.vectors.shape[0] == len(trace.source)
    expected = [token == model.model.config.unknown for token in trace.source.ids]
    assert list(found.unknown) == expected
    assert any(expected)
    assert found.vocabulary == model.model.config.vocabulary
    embedding = model.model.encoder.embedding
    close(found.vectors, embedding(torch.tensor([trace.source.ids]))[0].detach().numpy())
    with pytest.raises(UserError, match="no source of this model"):
        embed(model, [10_000])
