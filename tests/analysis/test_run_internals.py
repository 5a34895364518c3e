import numpy as np
import pytest
import torch

from seq2seq.analysis.model_outline import outline
from seq2seq.analysis.run_internals import run_internals
from seq2seq.checkpoint import load
from seq2seq.decoding.interventions import AttentionEdit, Interventions
from seq2seq.decoding.options import Options
from seq2seq.inference.pipeline import run
from seq2seq.models.config import Config
from tests.analysis.test_step_internals import DEEPER, built
from tests.conftest import KINDS

TEXT = "The old dog sleeps in the garden."
MORE = {
    "gru-unfed": {"cell": "gru", "attention": "none", "feeds": "token"},
    "luong-fed": {"cell": "lstm", "attention": "dot", "feeds": "readout", "bidirectional": True},
}
MODELS = KINDS | DEEPER | MORE


@pytest.fixture(params=list(MODELS))
def checkpoint(request, tokenizer, checkpoint_root):
    card = load(checkpoint_root / "transformer").card
    config = Config.from_dict({"vocabulary": len(tokenizer), "width": 16, **MODELS[request.param]})
    return built(config, card, tokenizer)


def followed(checkpoint, interventions=None):
    options = Options(beam_width=2, max_length=6)
    changes = interventions or Interventions()
    trace = run(checkpoint, TEXT, options, interventions=changes)
    return trace, run_internals(checkpoint, TEXT, trace)


def close(found, expected):
    np.testing.assert_allclose(found, expected, atol=1e-4)


def tensor(values):
    return torch.from_numpy(np.ascontiguousarray(values))


@torch.inference_mode()
def recomputed_readouts(checkpoint, found):
    """Compute r_t of all steps from y_{t-1}, s_{t-1} and h_j, in the order of the model."""
    decoder = checkpoint.model.decoder
    states, previous, readouts = tensor(found.encoder_states), tensor(found.start), []
    read = torch.zeros(decoder.output.in_features)
    for step in range(len(found.states)):
        reads = [tensor(found.inputs[step])]
        if decoder.feeds == "context":
            reads.append(context_of(found, step, states, previous))
        elif decoder.feeds == "readout":
            reads.append(read)
        state = tensor(found.states[step])
        assert sum(map(len, reads)) == decoder.stack.sequence.input_size
        if decoder.feeds != "context":
            context_of(found, step, states, state)
        read = combined(decoder, state, tensor(found.contexts[step]))
        readouts.append(read)
        previous = state
    return torch.stack(readouts)


def context_of(found, step, states, query):
    """Require that weights are the softmax of scores, and the context their mean of states."""
    context = tensor(found.contexts[step])
    if found.scores is not None:
        weights = tensor(found.scores[step]).softmax(-1)
        close(found.weights[step], weights)
        close(context, weights @ states)
    return context


def combined(decoder, state, context):
    if decoder.attention is None:
        return decoder.combine(state)
    return torch.tanh(decoder.combine(torch.cat([state, context])))


@torch.inference_mode()
def test_the_numbers_of_a_step_lead_to_the_logits_of_the_run(checkpoint):
    trace, found = followed(checkpoint)
    decoder = checkpoint.model.decoder
    readouts = tensor(found.readouts)
    if found.start is not None:
        close(recomputed_readouts(checkpoint, found), readouts)
    logits = decoder.output(readouts)
    chosen = torch.tensor(trace.target.ids)[:, None]
    if found.written is None:
        close(found.log_sums, logits.logsumexp(-1))
        close(found.logits, logits.gather(1, torch.tensor(trace.alternatives.ids)))
        close(found.chosen_logits, logits.gather(1, chosen)[:, 0])
    else:
        close(found.written, logits.softmax(-1).gather(1, chosen)[:, 0])
    close(found.chosen_logits - found.log_sums, trace.log_probabilities)
    expected = trace.alternatives.log_probabilities
    close(found.logits - found.log_sums[:, None], expected)


@torch.inference_mode()
def test_states_follow_from_those_before(checkpoint):
    model = checkpoint.model
    trace, found = followed(checkpoint)
    if found.start is None:  # a Transformer has no state before
        close(found.readouts, found.states * model.decoder.output_scale)
        return
    beside = {
        "token": found.inputs[:, :0],
        "context": found.contexts,
        "readout": np.vstack([np.zeros_like(found.readouts[0]), found.readouts[:-1]]),
    }[model.decoder.feeds]
    memory = model.encode(torch.tensor([trace.source.ids]))
    cells = model.decoder.start(memory)[0]
    close(found.start, cells[0][0, -1])
    for inputs, state in zip(np.hstack([found.inputs, beside]), found.states, strict=True):
        after, cells = model.decoder.stack.step(tensor(inputs)[None], cells)
        close(state, after[0])


@torch.inference_mode()
def test_scores_are_those_of_the_query_that_the_model_asks_with(checkpoint):
    decoder = checkpoint.model.decoder
    _, found = followed(checkpoint)
    if found.scores is None:
        return
    queries = found.states
    if decoder.feeds == "context":
        queries = np.vstack([found.start, queries[:-1]])
    keys = decoder.attention.prepare(tensor(found.encoder_states)[None])
    close(found.scores, decoder.attention.scores(tensor(queries)[None], keys)[0])


def test_the_mixture_of_a_model_that_copies(checkpoint):
    trace, found = followed(checkpoint)
    if found.written is None:
        return
    same = np.array(trace.source.ids) == np.array(trace.target.ids)[:, None]
    pointed = (found.weights * same).sum(1)
    copying = trace.copying.astype(np.float32)
    mixed = (1 - copying) * found.written + copying * pointed
    np.testing.assert_allclose(mixed, trace.probabilities, atol=1e-3)  # p_copy has sixteen bits


def test_interventions_are_made_again(checkpoint_root):
    checkpoint = load(checkpoint_root / "lstm-attention")
    length = len(checkpoint.tokenizer.encode(TEXT)) + 1
    row = tuple(float(place == 2) for place in range(length))
    trace, found = followed(checkpoint, Interventions((AttentionEdit(1, row),), (0,)))
    np.testing.assert_allclose(found.weights[1], row)
    assert (found.weights[:, 0] == 0).all()
    close(found.chosen_logits - found.log_sums, trace.log_probabilities)


def test_every_weight_is_counted_in_one_part(checkpoint):
    found = outline(checkpoint)
    assert sum(found.parameters.values()) == found.total == checkpoint.model.parameter_count()
    assert found.parameters["encoder"] > 0 < found.parameters["decoder"]
    assert ("attention" in found.parameters) == (found.attention not in ("none", "dot"))
    assert found.readout == checkpoint.model.decoder.output.in_features
    tied = checkpoint.model.config.tied
    bias = checkpoint.model.decoder.output.bias
    expected = 0 if bias is None else bias.numel()
    if not tied:
        expected += checkpoint.model.decoder.output.weight.numel()
    assert found.parameters.get("output", 0) == expected


def test_a_shared_matrix_is_an_embedding(checkpoint):
    found, model = outline(checkpoint), checkpoint.model
    tables = {id(weight) for weight in model.decoder.embedding.parameters()}
    tables |= {id(weight) for weight in model.encoder.embedding.parameters()}
    counted = {id(weight): weight.numel() for weight in model.parameters() if id(weight) in tables}
    assert found.parameters["embedding"] == sum(counted.values())
