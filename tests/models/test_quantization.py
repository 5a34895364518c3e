from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from seq2seq.analysis.step_internals import step_internals
from seq2seq.catalogue import Card
from seq2seq.checkpoint import Checkpoint, load, own_generation_config
from seq2seq.data.batching import Example, collate, pad
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import search
from seq2seq.inference.generation import generate
from seq2seq.inference.pipeline import run
from seq2seq.inference.teacher_forcing import force
from seq2seq.inference.transcription import transcribe
from seq2seq.models.attention import BLOCK, FEW, LONG
from seq2seq.models.config import RecurrentConfig, TransformerConfig
from seq2seq.models.quantization import MANY, TALL, Linear8, available, quantize
from seq2seq.models.seq2seq import build
from seq2seq.trace import Trace

pytestmark = pytest.mark.skipif(not available(), reason="no int8 kernels on this machine")

TEXTS = ["The old dog sleeps.", "A bird sings in the old tree.", "Where is it?"]
# Each product is rounded twice to one part in 255 of its range; the errors of a sum partly cancel.
BOUND = 0.03


@pytest.fixture
def wide():
    """A layer tall enough for both kernels."""
    return nn.Linear(96, TALL).requires_grad_(False)


# What one input that is rounded the other way, as its last digit differs, does to a logarithm.
CLOSE = 0.01


def relative(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("rows", [1, 2, MANY, MANY + 1, 64])
def test_a_layer_is_close_to_the_float_one(wide, rows):
    inputs = torch.randn(rows, 96)
    assert relative(Linear8(wide.weight, wide.bias)(inputs), wide(inputs)) < BOUND
    inputs = torch.randn(rows, 3, 96)
    assert relative(Linear8(wide.weight, None)(inputs), inputs @ wide.weight.T) < BOUND


@pytest.mark.parametrize("rows", [3, MANY + 1])
def test_a_row_comes_out_the_same_in_any_company(wide, rows):
    inputs = torch.randn(rows, 96) * torch.logspace(-3, 3, rows)[:, None]
    layer = Linear8(wide.weight, wide.bias)
    together, alone = layer(inputs), torch.cat([layer(row) for row in inputs.split(1)])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_rows_of_the_weight_and_inputs_are_those_that_are_multiplied(wide):
    inputs, layer = torch.randn(2, 96), Linear8(wide.weight, wide.bias)
    for index in (0, TALL - 1):
        product = layer.rounded(inputs) @ layer.row(index) + wide.bias[index]
        torch.testing.assert_close(layer(inputs)[:, index], product, rtol=1e-4, atol=1e-5)


def test_each_row_of_a_matrix_has_its_own_scale(wide):
    wide.weight *= torch.logspace(-4, 4, TALL)[:, None]
    inputs = torch.randn(5, 96)
    found, expected = Linear8(wide.weight, None)(inputs), inputs @ wide.weight.T
    errors = (found - expected).abs().amax(dim=0) / expected.abs().amax(dim=0)
    assert errors.max() < 0.1


def test_a_row_of_zeros_stays_zero():
    weight = torch.randn(4, 8)
    weight[2] = 0
    assert (Linear8(weight, None)(torch.randn(3, 8))[:, 2] == 0).all()


def test_the_choice_of_kernels_is_left_as_it_was(wide):
    before = torch.backends.quantized.engine
    Linear8(wide.weight, wide.bias)
    assert torch.backends.quantized.engine == before


def test_threads_that_pack_at_once_neither_mix_nor_leave_their_choice(wide):
    """A layer this tall is packed for both kernels: unguarded, one choice becomes the other's."""
    before, inputs = torch.backends.quantized.engine, torch.randn(2 * MANY, 96)
    alone = Linear8(wide.weight, wide.bias)
    with ThreadPoolExecutor(4) as pool:
        layers = list(pool.map(lambda _: Linear8(wide.weight, wide.bias), range(24)))
    assert torch.backends.quantized.engine == before
    for layer in layers:
        assert torch.equal(layer(inputs), alone(inputs))
        assert torch.equal(layer(inputs[:1]), alone(inputs[:1]))


def encoded(checkpoint, texts):
    ids = [[*checkpoint.tokenizer.encode(text), checkpoint.model.config.eos] for text in texts]
    return pad(ids, checkpoint.model.config.pad)


@pytest.mark.parametrize("feeds", ["token", "context", "readout"])
def test_what_is_copied_stays_nearly_as_probable(feeds):
    config = RecurrentConfig(
        50, width=16, attention="general", feeds=feeds, copies=True, bidirectional=True
    )
    model = build(config).eval()
    source, target = torch.randint(4, 50, (3, 7)), torch.randint(4, 50, (3, 5))
    with torch.inference_mode():
        expected, found = (each(source, target).exp() for each in (model, quantize(model)))
    assert (found - expected).abs().max() < BOUND * expected.max()
    torch.testing.assert_close(found.sum(-1), torch.ones(3, 5))


def test_logits_are_close_in_every_kind(checkpoint):
    source = encoded(checkpoint, TEXTS)
    model, copied = checkpoint.model, quantize(checkpoint.model)
    target = torch.randint(4, model.config.vocabulary, (3, 6))
    with torch.inference_mode():
        expected, found = model(source, target), copied(source, target)
        assert relative(found, expected) < BOUND
        assert not torch.equal(found, expected)
        memory = copied.encode(source)
        state = copied.decoder.start(memory)
        for number, tokens in enumerate(target.unbind(1)):
            step = copied.decoder.step(tokens, state, memory)
            state = step.state
            assert relative(step.logits, expected[:, number]) < BOUND


def test_a_step_can_read_the_float_models_memory(checkpoint):
    source = encoded(checkpoint, TEXTS)
    model, copied = checkpoint.model, quantize(checkpoint.model)
    with torch.inference_mode():
        memory, tokens = model.encode(source), torch.tensor([5, 6, 7])
        expected = model.decoder.step(tokens, model.decoder.start(memory), memory)
        found = copied.decoder.step(tokens, copied.decoder.start(memory), memory)
    assert relative(found.logits, expected.logits) < BOUND


def test_the_model_itself_is_untouched(checkpoint):
    model, source = checkpoint.model, encoded(checkpoint, TEXTS)
    before = {name: id(weight) for name, weight in model.named_parameters()}
    kinds = [type(module) for module in model.modules()]
    logits = model(source, source)
    copied = quantize(model)
    assert {name: id(weight) for name, weight in model.named_parameters()} == before
    assert [type(module) for module in model.modules()] == kinds
    assert torch.equal(model(source, source), logits)
    assert not any(isinstance(module, nn.Linear) for module in copied.modules())


def test_all_other_weights_are_shared(checkpoint):
    theirs = {weight.data_ptr() for weight in checkpoint.model.parameters()}
    ours = {weight.data_ptr() for weight in quantize(checkpoint.model).parameters()}
    assert ours <= theirs


def test_nothing_is_stored_while_it_runs(checkpoint):
    copied, source = quantize(checkpoint.model), encoded(checkpoint, TEXTS)

    def attributes():
        return {name: set(vars(module)) for name, module in copied.named_modules()}

    before = attributes()
    with torch.inference_mode():
        memory = copied.encode(source)
        search(copied.decoder, memory, Options(max_length=4), [2], 3)
    assert attributes() == before


def test_the_packed_weights_take_a_quarter():
    config = TransformerConfig(64, width=512, feedforward=2_048, tied=False)
    model = build(config)
    linear = sum(m.weight.nbytes for m in model.modules() if isinstance(m, nn.Linear))
    packed = sum(
        module.few.unpack()[0].int_repr().nbytes
        for module in quantize(model).modules()
        if isinstance(module, Linear8)
    )
    assert packed == linear / 4


@pytest.fixture(scope="module")
def trained(tokenizer, pairs):
    """A small model that knows the pairs by heart."""
    torch.manual_seed(0)
    config = RecurrentConfig(len(tokenizer), width=64, attention="general", dropout=0.0)
    model = build(config)
    examples = [(tokenizer.encode(each.source), tokenizer.encode(each.target)) for each in pairs]

    batch = collate([Example(*example) for example in examples])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(150):
        logits = model(batch.source, batch.target).flatten(0, 1)
        loss = nn.functional.cross_entropy(logits, batch.labels.flatten(), ignore_index=0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1
    card = Card("tiny", "A tiny model", "translation", "CC0-1.0")
    generation_config = own_generation_config(config, card, tokenizer)
    return Checkpoint(model.eval().requires_grad_(False), tokenizer, card, generation_config)


@pytest.mark.slow
@pytest.mark.parametrize("options", [Options(method="greedy"), Options(beam_width=4, n_best=1)])
def test_a_trained_model_writes_the_same(trained, pairs, options):
    texts = [pair.source for pair in pairs]
    expected = generate(trained, texts, options)
    found = generate(trained.searching_in("int8"), texts, options)
    for one, other in zip(found, expected, strict=True):
        assert one.hypotheses[0].tokens == other.hypotheses[0].tokens
        scores = [each.hypotheses[0].score for each in (one, other)]
        assert scores[0] == pytest.approx(scores[1], abs=0.05)


def test_a_run_is_in_one_precision(trained):
    quantized = trained.searching_in("int8")
    assert (trained.precision, quantized.precision) == ("float32", "int8")
    assert quantized.searching_in("float32").quantized is None
    plain, fast = (run(each, TEXTS[0], Options()) for each in (trained, quantized))
    assert (plain.precision, fast.precision) == ("float32", "int8")
    assert plain.target == fast.target
    assert not (plain.log_probabilities == fast.log_probabilities).all()
    assert Trace.from_json(fast.to_json()).precision == "int8"


@pytest.mark.parametrize("options", [Options(method="greedy", max_length=6), Options(max_length=6)])
def test_what_is_shown_of_a_run_are_the_numbers_of_its_search(checkpoint, options):
    quantized = checkpoint.searching_in("int8")
    trace = run(quantized, TEXTS[0], options)
    path = trace.beam_tree.path(trace.outputs[0].node)
    np.testing.assert_array_equal(
        trace.log_probabilities, np.float32(trace.beam_tree.log_probability[path])
    )
    again = force(quantized, TEXTS[0], trace.target.ids, options)
    np.testing.assert_allclose(again.log_probabilities, trace.log_probabilities, atol=CLOSE)
    for step in range(len(trace.target)):
        found = step_internals(quantized, TEXTS[0], trace.target.ids, step, options)
        log_probability = found.logits[found.chosen] - found.log_sum
        assert log_probability == pytest.approx(trace.log_probabilities[step], abs=CLOSE)
        product = found.output_row @ found.readout + found.output_bias
        if found.copying is None:
            assert product == pytest.approx(found.logits[found.chosen], abs=1e-4)


def test_a_list_is_searched_as_each_of_its_texts(checkpoint):
    quantized, options = checkpoint.searching_in("int8"), Options(max_length=6)
    for text, listed in zip(TEXTS, run(quantized, TEXTS, options), strict=True):
        alone = force(quantized, text, listed.target.ids, options)
        np.testing.assert_allclose(listed.log_probabilities, alone.log_probabilities, atol=CLOSE)


def test_the_card_chooses(checkpoint_folder, tmp_path):
    for file in checkpoint_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert load(tmp_path).precision == "float32"
    assert load(tmp_path, precision="int8").precision == "int8"
    with (tmp_path / "card.toml").open("a") as card:
        card.write('precision = "int8"\n')
    assert load(tmp_path).precision == "int8"
    assert load(tmp_path, precision="float32").precision == "float32"


@pytest.mark.parametrize("sort", ["sound", "text with relative positions"])
def test_a_long_source_is_looked_at_as_in_float(sort):
    torch.manual_seed(1)
    values = {"vocabulary": 50, "width": 32, "heads": 4, "feedforward": 64, "dropout": 0.0}
    longest = LONG + BLOCK + 30
    mask = torch.ones(2, longest, dtype=torch.bool)
    if sort == "sound":
        values |= {"input": "audio", "bins": 16, "positions": "learned", "max_source": longest}
        source, mask = torch.randn(2, 2 * longest, 16), mask.repeat_interleave(2, dim=1)
    else:
        values |= {"positions": "relative", "scaled": False}
        source = torch.randint(4, 50, (2, longest))
    mask[1, len(mask[1]) // 2 :] = False
    model = build(TransformerConfig(**values, shared=sort != "sound")).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.mul_(10 if "bias.values" in name else 1)
    target, copied = torch.randint(4, 50, (2, FEW + 3)), quantize(model)
    with torch.inference_mode():
        expected = model.decoder(target, model.encode(source, mask), record=True)
        memory = copied.encode(source, mask)
        assert relative(memory.states, model.encode(source, mask).states) < BOUND
        assert relative(copied.encode(source, mask, record=True).states, memory.states) < BOUND / 3
        found = copied.decoder(target, memory, record=True)
        state = copied.decoder.start(memory)
        for number, tokens in enumerate(target.unbind(1)):
            step = copied.decoder.step(tokens, state, memory)
            state = step.state
            assert relative(step.logits, found.logits[:, number]) < BOUND / 3
    assert relative(found.logits, expected.logits) < BOUND
    # A weight is an exponential: it moves by more, in eight bits alone by as much.
    assert relative(found.weights, expected.weights) < 4 * BOUND
    torch.testing.assert_close(found.weights.sum(-1), torch.ones_like(found.weights[..., 0]))
    assert (found.weights[1, ..., longest // 2 + 1 :] == 0).all()


def test_a_recording_is_encoded_in_eight_bits_where_it_is_searched_in_them(tokenizer):
    values = {"vocabulary": len(tokenizer), "width": 32, "heads": 4, "feedforward": 64}
    values |= {"input": "audio", "bins": 16, "positions": "learned", "max_source": 60}
    model = build(TransformerConfig(**values, shared=False, dropout=0.0)).eval()
    card = Card("ears", "Tiny ears", "speech", "CC0-1.0")
    checkpoint = Checkpoint(model.requires_grad_(False), tokenizer, card).searching_in("int8")
    frames, options = torch.randn(100, 16), Options(method="greedy", beam_width=1, max_length=6)
    mask = torch.ones(1, 100, dtype=torch.bool)
    with torch.inference_mode():
        memories = [each.encode(frames[None], mask) for each in (checkpoint.quantized, model)]
    assert 0 < relative(*(memory.states for memory in memories)) < BOUND
    seen = []
    start = checkpoint.quantized.decoder.start
    checkpoint.quantized.decoder.start = lambda memory, *rest: (
        seen.append(memory.states) or start(memory, *rest)
    )
    assert transcribe(checkpoint, frames, options).hypotheses
    torch.testing.assert_close(seen[0], memories[0].states)
    assert not torch.equal(seen[0], memories[1].states)
