import dataclasses
import itertools
import json

import pytest
import torch

from seq2seq.errors import UserError
from seq2seq.models.config import CHOICES, Config, RecurrentConfig, TransformerConfig
from seq2seq.models.embeddings import SINUSOIDS
from seq2seq.models.protocol import Memory, select
from seq2seq.models.recurrent import CELLS
from seq2seq.models.seq2seq import build
from seq2seq.models.transformer import ACTIVATIONS

CLOSE = {"atol": 1e-5, "rtol": 0}
SOURCE = torch.tensor([[5, 6, 7, 8, 3], [9, 3, 0, 0, 0], [4, 4, 6, 3, 0]])
TARGET = torch.tensor([[2, 4, 5, 6, 7, 8], [2, 9, 9, 4, 5, 6], [2, 8, 7, 6, 5, 4]])
DEPTHS = [(1, 1), (2, 2), (1, 3), (3, 1)]
# Token vectors as wide as the states, and narrower: then the readout is projected.
EMBEDDINGS = {(1, 1): 0, (2, 2): 6, (1, 3): 6, (3, 1): 0}
RECURRENT = [
    dict(
        zip(("cell", "attention", "feeds", "bidirectional", "tied", "depths"), values, strict=True),
        embedding=EMBEDDINGS[values[-1]],
    )
    for values in itertools.product(
        CELLS, CHOICES["attention"], CHOICES["feeds"], (False, True), (False, True), DEPTHS
    )
]
COPYING = [
    {"cell": cell, "attention": attention, "feeds": feeds, "copies": True, "embedding": 6}
    for cell, attention, feeds in itertools.product(
        ("gru", "lstm"), ("additive", "dot", "general"), CHOICES["feeds"]
    )
]
TRANSFORMERS = [
    dict(zip(("activation", "norm_first", "positions", "tied", "depths"), values, strict=True))
    for values in itertools.product(
        CHOICES["activation"], (False, True), CHOICES["positions"], (False, True), DEPTHS
    )
]
SAMPLES = [
    {"cell": "lstm", "attention": "general", "feeds": "readout", "depths": (2, 1)},
    {"cell": "gru", "attention": "additive", "feeds": "context", "bidirectional": True},
    {"cell": "rnn", "feeds": "token", "tied": False, "embedding": 6},
    {"attention": "dot", "feeds": "token", "copies": True, "tied": False},
    {"architecture": "transformer", "heads": 2, "feedforward": 12, "depths": (2, 2)},
    {"architecture": "transformer", "heads": 4, "positions": "learned", "norm_first": False},
]


def config_of(values):
    encoder, decoder = values.get("depths", (1, 1))
    others = {name: value for name, value in values.items() if name != "depths"}
    depths = {"encoder_layers": encoder, "decoder_layers": decoder}
    return Config.from_dict({"vocabulary": 11, "width": 8, **others, **depths})


def model_of(values):
    model = build(config_of(values)).eval()
    # Fresh biases are 0: one left out on one of two ways would not show.
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return model


def name_of(values):
    return "-".join(f"{value}" for value in values.values()).replace(" ", "")


@torch.no_grad()
def check_step_equals_forward(model):
    memory = model.encode(SOURCE)
    steps = model.decoder(TARGET, memory, record=True)
    state = model.decoder.start(memory)
    for number, tokens in enumerate(TARGET.T):
        step = model.decoder.step(tokens, state, memory)
        state = step.state
        for name in ("logits", "hidden", "context"):
            expected = getattr(steps, name)[:, number]
            torch.testing.assert_close(getattr(step, name), expected, **CLOSE)
        if model.config.has_final_state and model.config.attention == "none":
            assert step.weights is None
            assert steps.weights is None
        else:
            torch.testing.assert_close(step.weights, steps.weights[:, number], **CLOSE)
            torch.testing.assert_close(step.weights.sum(-1), torch.ones(step.weights.shape[:3]))
            assert not step.weights.permute(0, 3, 1, 2)[SOURCE == 0].any()


@pytest.mark.parametrize("values", RECURRENT, ids=name_of)
def test_step_equals_forward_for_recurrent(values):
    check_step_equals_forward(model_of(values))


@pytest.mark.parametrize("values", COPYING, ids=name_of)
def test_step_equals_forward_where_tokens_are_copied(values):
    check_step_equals_forward(model_of(values))


@pytest.mark.parametrize("values", COPYING, ids=name_of)
@torch.no_grad()
def test_what_is_copied_is_mixed_with_what_is_written(values):
    model = model_of(values).double()
    memory = model.encode(SOURCE)
    steps = model.decoder(TARGET, memory)
    copying, weights = steps.copying[..., None], steps.weights[:, :, 0, 0]
    assert ((copying > 0) & (copying < 1)).all()
    seen = torch.cat([steps.context, steps.hidden, model.decoder.embedding(TARGET)], dim=-1)
    torch.testing.assert_close(copying, torch.sigmoid(-model.decoder.switch(seen)))
    readout = torch.tanh(model.decoder.combine(torch.cat([steps.hidden, steps.context], dim=-1)))
    written = model.decoder.output(readout).softmax(-1)
    expected = (1 - copying) * written
    for row, ids in enumerate(SOURCE.tolist()):
        for place, token in enumerate(ids):
            expected[row, :, token] += copying[row, :, 0] * weights[row, :, place]
    torch.testing.assert_close(steps.logits.exp(), expected, atol=1e-9, rtol=1e-6)
    torch.testing.assert_close(steps.logits.log_softmax(-1), steps.logits, atol=1e-9, rtol=0)


@pytest.mark.parametrize("values", COPYING[:3], ids=name_of)
@torch.no_grad()
def test_what_is_copied_keeps_its_share_where_its_first_place_is_masked(values):
    model = model_of(values).double()
    memory = model.encode(torch.tensor([[5, 6, 5, 7, 5, 3]]))
    memory = memory._replace(mask=torch.tensor([[False, True, True, False, True, True]]))
    steps = model.decoder(TARGET[:1], memory)
    copied = steps.copying[0] * steps.weights[0, :, 0, 0, [2, 4]].sum(dim=1)
    assert (steps.logits[0, :, 5].exp() > copied).all()
    total = steps.logits.exp().sum(dim=-1)
    torch.testing.assert_close(total, torch.ones_like(total), atol=1e-9, rtol=0)


def test_copying_can_be_learnt():
    """A target of unseen order is said by pointing: no weight knows it by heart."""
    model = build(
        RecurrentConfig(40, width=24, attention="general", feeds="token", copies=True, dropout=0)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(250):
        source = torch.randint(4, 40, (32, 5))
        logits = model(source, torch.cat([torch.full((32, 1), 2), source[:, :-1]], dim=1))
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), source.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step == 0:
            first = loss.item()
    assert loss.item() < first / 4


@pytest.mark.parametrize(
    "values",
    [
        {"attention": "none"},
        {"attention": "dot", "input": "audio"},
        {"attention": "dot", "shared": False, "source_vocabulary": 30},
    ],
    ids=name_of,
)
def test_what_cannot_be_copied_is_refused(values):
    with pytest.raises(UserError, match=r"copied.*(choose|give)"):
        Config.from_dict({"vocabulary": 40, "copies": True, **values})


@pytest.mark.parametrize("values", TRANSFORMERS, ids=name_of)
def test_step_equals_forward_for_transformer(values):
    check_step_equals_forward(
        model_of({"architecture": "transformer", "heads": 2, "feedforward": 12, **values})
    )


@pytest.mark.parametrize("heads", [1, 7])
def test_step_equals_forward_for_an_odd_width(heads):
    check_step_equals_forward(
        model_of({"architecture": "transformer", "width": 7, "heads": heads, "feedforward": 5})
    )


@pytest.mark.parametrize("values", SAMPLES, ids=name_of)
def test_shapes_are_those_of_the_protocol(values):
    model = model_of(values)
    rows, source, target = *SOURCE.shape, TARGET.shape[1]
    memory = model.encode(SOURCE, record=True)
    steps = model.decoder(TARGET, memory, record=True)
    assert memory.states.shape == (rows, source, 8)
    assert steps.logits.shape == (rows, target, 11)
    assert steps.hidden.shape == steps.context.shape == (rows, target, 8)
    assert torch.equal(model(SOURCE, TARGET), model.decoder(TARGET, model.encode(SOURCE)).logits)


@pytest.mark.parametrize("values", SAMPLES, ids=name_of)
def test_rows_of_state_and_memory_can_be_selected(values):
    model, rows = model_of(values), torch.tensor([2, 0, 0, 1])
    with torch.no_grad():
        memory = model.encode(SOURCE)
        step = model.decoder.step(TARGET[:, 0], model.decoder.start(memory), memory)
        whole = model.decoder.step(TARGET[:, 1], step.state, memory)
        chosen = select(memory, rows)
        part = model.decoder.step(TARGET[rows, 1], select(step.state, rows), chosen)
    assert isinstance(chosen, Memory)
    torch.testing.assert_close(part.logits, whole.logits[rows], **CLOSE)
    torch.testing.assert_close(part.hidden, whole.hidden[rows], **CLOSE)


@pytest.mark.parametrize("values", SAMPLES, ids=name_of)
def test_padding_changes_no_logits(values):
    model = model_of(values)
    with torch.no_grad():
        together = model(SOURCE, TARGET)
        for row, length in enumerate([5, 2, 4]):
            alone = model(SOURCE[row : row + 1, :length], TARGET[row : row + 1])
            torch.testing.assert_close(together[row], alone[0], **CLOSE)


@pytest.mark.parametrize("values", SAMPLES, ids=name_of)
def test_the_source_and_every_earlier_token_matter(values):
    model = model_of(values)
    with torch.no_grad():
        before = model(SOURCE, TARGET)[0]
        other_source, other_target = SOURCE.clone(), TARGET.clone()
        other_source[0, 0], other_target[0, 1] = 10, 10
        assert not torch.allclose(model(other_source, TARGET)[0], before, atol=1e-4)
        after = model(SOURCE, other_target)[0]
    torch.testing.assert_close(after[0], before[0], **CLOSE)
    for step in range(1, 6):
        assert not torch.allclose(after[step], before[step], atol=1e-6)


@pytest.mark.parametrize("values", SAMPLES, ids=name_of)
@pytest.mark.parametrize("training", [False, True])
def test_forward_stores_nothing_on_modules(values, training):
    def contents(model):
        return {
            (name, key): sorted(value.items(), key=str) if isinstance(value, dict) else value
            for name, module in model.named_modules()
            for key, value in vars(module).items()
        }

    model = model_of(values).train(training)
    before = contents(model)
    memory = model.encode(SOURCE, record=True)
    step = model.decoder.step(TARGET[:, 0], model.decoder.start(memory), memory)
    model.decoder.step(TARGET[:, 1], step.state, memory)
    model.decoder(TARGET, memory, record=True)
    model(SOURCE, TARGET).sum().backward()
    after = contents(model)
    assert before.keys() == after.keys()
    changed = [key for key in before if not same(before[key], after[key])]
    assert not changed


def same(one, other):
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, torch.Tensor):
        return one is other
    return one is other or one == other


def test_a_stored_tensor_would_be_noticed():
    assert not same([("weights", None)], [("weights", torch.zeros(1))])
    assert not same(torch.zeros(1), torch.zeros(1))


@pytest.mark.parametrize("values", SAMPLES, ids=name_of)
def test_tied_weights_are_one_tensor(values):
    untied = build(config_of(values | {"tied": False, "shared": False}))
    shared = build(config_of(values | {"tied": False, "shared": True}))
    target = build(config_of(values | {"tied": True, "shared": False}))
    tied = build(config_of(values | {"tied": True}))
    for model, count in ((untied, 3), (shared, 2), (target, 2), (tied, 1)):
        encoder, decoder = model.encoder.embedding, model.decoder.embedding
        source = getattr(encoder, "tokens", encoder).weight
        target = getattr(decoder, "tokens", decoder).weight
        assert len({id(source), id(target), id(model.decoder.output.weight)}) == count
    assert tied.parameter_count() == sum(w.numel() for w in set(tied.parameters()))
    assert tied.parameter_count() < untied.parameter_count()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("attention", CHOICES["attention"])
@pytest.mark.parametrize("feeds", CHOICES["feeds"])
@torch.no_grad()
def test_a_recurrent_step_is_its_formula(cell, attention, feeds):
    model = model_of({"cell": cell, "attention": attention, "feeds": feeds, "depths": (2, 2)})
    decoder, memory = model.decoder, model.encode(SOURCE)

    def look(state):
        if attention == "none":
            return memory.final[0][:, 1]
        scores = decoder.attention.scores(state[:, None], memory.keys)
        weights = scores.masked_fill((SOURCE == 0)[:, None], -torch.inf).softmax(-1)
        return (weights @ memory.states)[:, 0]

    def readout(hidden, context):
        if attention == "none":
            return hidden
        return torch.tanh(torch.cat([hidden, context], -1) @ decoder.combine.weight.T)

    cells, state = memory.final, decoder.start(memory)
    read = torch.zeros(3, 8)
    for tokens in TARGET.T:
        inputs = [decoder.embedding.weight[tokens]]
        if feeds == "context":
            inputs.append(look(cells[0][:, 1]))  # with the top layer's s_{t-1}
        elif feeds == "readout":
            inputs.append(read)
        hidden, new_cells = decoder.stack.step(torch.cat(inputs, -1), cells)
        context = inputs[1] if feeds == "context" else look(hidden)
        cells, read = new_cells, readout(hidden, context)
        step = decoder.step(tokens, state, memory)
        state = step.state
        torch.testing.assert_close(step.hidden, hidden, **CLOSE)
        torch.testing.assert_close(step.context, context, **CLOSE)
        torch.testing.assert_close(step.logits, decoder.output(read), **CLOSE)


def test_a_decoder_starts_from_the_encoders_final_state_counted_from_the_top():
    for depths, expected in (((3, 3), [0, 1, 2]), ((3, 1), [2]), ((1, 3), [0, 0, 0])):
        model = model_of({"cell": "lstm", "depths": depths})
        memory = model.encode(SOURCE)
        cells, _ = model.decoder.start(memory)
        for part, final in zip(cells, memory.final, strict=True):
            assert torch.equal(part, final[:, expected])


def test_without_attention_the_context_is_the_last_encoder_state():
    model = model_of({"cell": "gru", "feeds": "context", "depths": (2, 2)})
    memory = model.encode(SOURCE)
    steps = model.decoder(TARGET, memory)
    last = torch.stack([memory.states[0, 4], memory.states[1, 1], memory.states[2, 3]])
    for step in range(TARGET.shape[1]):
        torch.testing.assert_close(steps.context[:, step], last)


@pytest.mark.parametrize("feeds", ["token", "context"])
def test_the_context_vector_is_fed_at_every_step(feeds):
    model = model_of({"cell": "gru", "feeds": feeds})
    with torch.no_grad():
        memory = model.encode(SOURCE)
        state = model.decoder.start(memory)
        # The same cell state, another context vector: only a decoder that reads c notices.
        other = memory._replace(final=tuple(part + 1.0 for part in memory.final))
        first = model.decoder.step(TARGET[:, 0], state, memory).hidden
        second = model.decoder.step(TARGET[:, 0], state, other).hidden
    assert torch.allclose(first, second) == (feeds == "token")


@pytest.mark.parametrize("values", [*SAMPLES, {"dropout": 0.5, "pad": 4, "eos": 1}], ids=name_of)
def test_config_round_trips_through_json(values):
    config = config_of(values)
    assert Config.from_json(config.to_json()) == config
    assert Config.from_dict(config.to_dict()) == config
    names = {field.name for field in dataclasses.fields(config)}
    assert set(json.loads(config.to_json())) == {"architecture", *names}


def test_fields_of_the_other_architecture_are_ignored():
    recurrent, transformer = RecurrentConfig(11, cell="gru"), TransformerConfig(11, heads=2)
    both = transformer.to_dict() | recurrent.to_dict()
    assert Config.from_dict(both) == recurrent
    assert Config.from_dict(both | {"architecture": "transformer"}) == transformer


def test_the_choices_of_a_config_are_what_the_parts_offer():
    assert set(CHOICES["cell"]) == set(CELLS)
    assert set(CHOICES["activation"]) == set(ACTIVATIONS)
    assert set(CHOICES["positions"]) == {*SINUSOIDS, "learned", "relative"}


@pytest.mark.parametrize("values", SAMPLES, ids=name_of)
def test_a_config_knows_what_its_model_has(values):
    model, config = model_of(values), config_of(values)
    memory = model.encode(SOURCE, record=True)
    step = model.decoder.step(TARGET[:, 0], model.decoder.start(memory), memory)
    parts, layers, width = config.final_state_shape
    assert config.has_final_state == bool(memory.final)
    assert [tuple(part.shape[1:]) for part in memory.final] == [(layers, width)] * parts
    assert config.has_attention == (step.weights is not None)
    if step.weights is not None:
        assert step.weights.shape[1:3] == config.cross_attention_shape
    if memory.weights is not None:
        assert memory.weights.shape[1:3] == config.self_attention_shape
    assert (memory.weights is None) == (config.self_attention_shape == (0, 0))


def test_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RecurrentConfig(11).width = 3


def test_a_whole_number_is_a_dropout():
    assert RecurrentConfig(11, dropout=0) == RecurrentConfig(11, dropout=0.0)
    assert type(RecurrentConfig(11, dropout=0).dropout) is float


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"layers": 3}, "layers"),
        ({"width": "8"}, "width"),
        ({"width": 8.0}, "width"),
        ({"width": None}, "width"),
        ({"width": True}, "width"),
        ({"width": 0}, "width"),
        ({"width": -8}, "width"),
        ({"width": 10**18}, "width"),
        ({"embedding": 10**12}, "embedding"),
        ({"vocabulary": 0}, "vocabulary"),
        ({"vocabulary": 3}, "special tokens"),
        ({"vocabulary": 10**15}, "vocabulary"),
        ({"encoder_layers": 0}, "encoder_layers"),
        ({"decoder_layers": 0}, "decoder_layers"),
        ({"decoder_layers": 10**9}, "decoder_layers"),
        ({"tied": 1}, "tied"),
        ({"tied": "yes"}, "tied"),
        ({"dropout": 1.0}, "dropout"),
        ({"dropout": -0.1}, "dropout"),
        ({"dropout": float("nan")}, "dropout"),
        ({"dropout": "0.1"}, "dropout"),
        ({"cell": "mlp"}, "cell"),
        ({"cell": 3}, "cell"),
        ({"cell": ["lstm"]}, "cell"),
        ({"attention": "cosine"}, "attention"),
        ({"feeds": ""}, "feeds"),
        ({"architecture": "cnn"}, "architecture"),
        ({"architecture": "transformer", "activation": "swish"}, "activation"),
        ({"architecture": "transformer", "positions": "rotary"}, "positions"),
        ({"pad": 11}, "special tokens"),
        ({"eos": -1}, "eos"),
        ({"bidirectional": True, "width": 7}, "odd width"),
        ({"architecture": "transformer", "heads": 3}, "heads"),
        ({"architecture": "transformer", "heads": 0}, "heads"),
        ({"architecture": "transformer", "width": 7, "heads": 2}, "heads"),
        ({"architecture": "transformer", "feedforward": 0}, "feedforward"),
        ({"architecture": "transformer", "feedforward": 10**12}, "feedforward"),
        ({"architecture": "transformer", "max_positions": 0}, "max_positions"),
        ({"architecture": "transformer", "max_positions": 10**15}, "max_positions"),
    ],
    ids=str,
)
def test_an_impossible_config_is_refused_by_name(values, named):
    with pytest.raises(UserError, match=named):
        Config.from_dict({"vocabulary": 11, "width": 8, **values})
    with pytest.raises(UserError, match=named):
        Config.from_json(json.dumps({"vocabulary": 11, "width": 8, **values}))


@pytest.mark.parametrize(
    "text",
    ["", "nothing", "{", "[]", "3", "null", '"config"', "{}", '{"width": 8}', "[" * 100_000],
    ids=lambda text: text[:12],
)
def test_what_is_no_config_is_refused(text):
    with pytest.raises(UserError, match="config"):
        Config.from_json(text)


def test_fresh_lstms_keep_what_they_have_read():
    bias = build(
        RecurrentConfig(50, width=32, cell="lstm")
    ).encoder.stack.sequence.bias_ih_l0.chunk(4)
    assert (bias[1] == 1).all()
    assert not torch.cat([bias[0], bias[2], bias[3]]).any()


@pytest.mark.parametrize("values", SAMPLES, ids=name_of)
@pytest.mark.parametrize("tied", [False, True])
def test_fresh_embeddings_are_of_length_one(values, tied):
    config = dataclasses.replace(config_of(values), vocabulary=500, tied=tied)
    embedding = build(config).encoder.embedding
    lengths = getattr(embedding, "tokens", embedding).weight.norm(dim=1)
    assert lengths.mean().item() == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("values", SAMPLES, ids=name_of)
def test_fresh_models_find_every_token_about_as_likely(values):
    config = dataclasses.replace(config_of(values), vocabulary=500)
    chances = build(config).eval()(SOURCE, TARGET).softmax(-1)
    chances[..., SOURCE.unique()] = 0.0  # which may be copied
    assert chances.mean(dim=(0, 1)).max() < 0.05
