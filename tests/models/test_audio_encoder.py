"""A model that listens: its steps, its padding, its front end."""

import pytest
import torch

from seq2seq.checkpoint import read_model, save
from seq2seq.data.tokenizer import Unigram
from seq2seq.errors import UserError
from seq2seq.models.audio_encoder import Subsampling
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import build

AUDIO = {"vocabulary": 9, "input": "audio", "bins": 12, "width": 8, "embedding": 6}
LISTENERS = [
    {"cell": "lstm", "bidirectional": True, "attention": "additive", "feeds": "readout"},
    {"cell": "gru", "attention": "dot", "feeds": "context", "encoder_layers": 2},
    {"cell": "rnn", "attention": "none", "feeds": "token", "tied": False},
]
TARGET = torch.tensor([[2, 4, 5, 6], [2, 8, 7, 5], [2, 5, 5, 4]])
LENGTHS = [21, 13, 2]


@pytest.fixture(params=LISTENERS, ids=lambda values: values["cell"])
def model(request):
    model = build(Config.from_dict({**AUDIO, **request.param})).eval()
    # Fresh biases are 0: padding that leaks through one would not show.
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return model


@pytest.fixture
def sound():
    """Three recordings of unequal length, with something wild where there is no sound."""
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    return torch.randn(3, max(LENGTHS), 12).masked_fill(~mask[:, :, None], 99.0), mask


@torch.no_grad()
def test_a_recording_alone_is_read_as_in_a_padded_batch(model, sound):
    frames, mask = sound
    together = model(frames, TARGET, mask)
    for row, length in enumerate(LENGTHS):
        alone = model(frames[row : row + 1, :length], TARGET[row : row + 1])
        torch.testing.assert_close(together[row : row + 1], alone, atol=1e-5, rtol=0)


@torch.no_grad()
def test_four_frames_make_one_state(model, sound):
    memory = model.encode(*sound)
    assert memory.states.shape == (3, 6, 8)
    assert memory.mask.sum(dim=1).tolist() == [6, 4, 1]
    assert not memory.states[~memory.mask].any()


@torch.no_grad()
def test_steps_equal_the_teacher_forced_pass(model, sound):
    memory = model.encode(*sound)
    steps = model.decoder(TARGET, memory, record=True)
    state = model.decoder.start(memory)
    for number, tokens in enumerate(TARGET.T):
        step = model.decoder.step(tokens, state, memory)
        state = step.state
        torch.testing.assert_close(step.logits, steps.logits[:, number], atol=1e-5, rtol=0)
        if step.weights is not None:
            sums = step.weights.sum(-1)
            torch.testing.assert_close(sums, torch.ones_like(sums))
            assert not step.weights[:, 0, 0][~memory.mask].any()


def test_every_weight_learns(model, sound):
    frames, mask = sound
    model(frames, TARGET, mask).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in model.parameters())


def test_a_front_end_takes_any_number_of_bins():
    for bins in (1, 5, 40, 80, 81, 128):
        front = Subsampling(bins)
        vectors, mask = front(torch.randn(2, 9, bins), torch.ones(2, 9, dtype=torch.bool))
        assert vectors.shape == (2, 3, front.width)
        assert mask.shape == (2, 3)


@torch.no_grad()
def test_it_is_saved_and_read(model, sound, tmp_path):
    for weight in model.parameters():
        weight.copy_(weight.half())
    # As many pieces as the model has: the special ones, the space and four letters.
    save(tmp_path, model, Unigram.train(["abcd abcd"], 9, kind="character"))
    again = read_model(tmp_path).eval()
    logits = (each(sound[0], TARGET, sound[1]) for each in (again, model))
    torch.testing.assert_close(*logits, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    "values", [{"input": "smell"}, {"bins": 0}, {"bins": -1}, {"level": "high"}, {"margin": -1.0}]
)
def test_impossible_values_are_refused(values):
    with pytest.raises(UserError, match=next(iter(values))):
        Config.from_dict({**AUDIO, **values})
