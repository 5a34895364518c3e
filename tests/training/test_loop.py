import time

import pytest
import torch

from seq2seq.data.batching import Example, collate
from seq2seq.data.tokenizer import PAD
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import build
from seq2seq.training.loop import (
    Evaluated,
    Finished,
    Learner,
    Loop,
    Step,
    Stopwatch,
    set_dropout,
    with_own_outputs,
)
from seq2seq.training.recipe import TrainingSettings

TRANSFORMER = {"architecture": "transformer", "heads": 2, "feedforward": 16}
BATCH = collate([Example([4, 5, 6], [6, 5, 4]), Example([5, 5, 6], [6, 5])])


def model(**values):
    torch.manual_seed(0)
    return build(Config.from_dict({"vocabulary": 9, "width": 8, "dropout": 0.0, **values}))


def loop(learner, steps=4, every=2, clock=None):
    clock = clock or Stopwatch()
    return Loop(
        learner,
        iter([BATCH] * 100),
        clock,
        lambda: learner.steps / steps,
        lambda: learner.steps % every == 0,
        lambda done: Evaluated(learner.steps, clock.seconds, {"done": done}),
    )


def settings(**values):
    return TrainingSettings(warmup_steps=0, averaging=0.0, learning_rate=0.1, **values)


def test_steps_evaluations_and_an_end():
    learner = Learner(model(), settings())
    events = list(loop(learner).events())
    assert [type(event) for event in events] == [
        *[Step, Step, Evaluated] * 2,
        Evaluated,
        Finished,
    ]
    steps = [event for event in events if isinstance(event, Step)]
    assert [step.number for step in steps] == [1, 2, 3, 4]
    assert {step.tokens for step in steps} == {int((BATCH.labels != PAD).sum())}
    assert [step.learning_rate for step in steps] == pytest.approx([0.1, 0.075, 0.05, 0.025])
    assert float(steps[-1].loss) < float(steps[0].loss)
    assert events[-1].step == 4


def test_waiting_for_the_reader_takes_no_time():
    clock = Stopwatch()
    events = loop(Learner(model(), settings()), clock=clock).events()
    next(events)
    before = clock.seconds
    time.sleep(0.05)
    assert clock.seconds == before
    clock.resume()
    time.sleep(0.01)
    assert clock.seconds > before


def test_a_constant_schedule_stays():
    learner = Learner(model(), settings(schedule="constant"))
    assert learner.learning_rate(0.9) == 0.1


def test_settings_change_while_it_trains():
    learner = Learner(model(encoder_layers=2, decoder_layers=2), settings())
    learner.change(learning_rate=0.3, dropout=0.5)
    assert learner.learning_rate(0.0) == pytest.approx(0.3)
    assert {part.p for part in learner.model.modules() if isinstance(part, torch.nn.Dropout)} == {
        0.5
    }


@pytest.mark.parametrize("values", [{}, {"encoder_layers": 2, "cell": "rnn"}, TRANSFORMER])
def test_dropout_can_be_switched_on_and_off(values):
    learning = model(**values).train()
    plain = learning(BATCH.source, BATCH.target)
    set_dropout(learning, 0.5)
    assert not torch.allclose(learning(BATCH.source, BATCH.target), plain)
    set_dropout(learning, 0.0)
    assert torch.allclose(learning(BATCH.source, BATCH.target), plain)


def test_norms_of_parts_make_up_the_whole_before_clipping():
    learner = Learner(model(), settings(clip=0.01))
    learner.step(BATCH, 0.0)
    norms = learner.gradient_norms()
    assert {"encoder.embedding", "decoder.stack"} <= set(norms)
    assert sum(norm**2 for norm in norms.values()) ** 0.5 == pytest.approx(learner.norm, rel=1e-3)
    assert learner.norm > 0.01


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_decoder_reads_what_it_says_itself(share):
    learning = model()
    mixed = with_own_outputs(learning, BATCH, share)
    said = learning(BATCH.source, BATCH.target)[:, :-1].argmax(dim=2)
    expected = BATCH.target.clone()
    if share == 0:
        expected[:, 1:] = torch.where(BATCH.target[:, 1:] != PAD, said, BATCH.target[:, 1:])
    assert torch.equal(mixed.target, expected)
    assert torch.equal(mixed.labels, BATCH.labels)
