from dataclasses import replace

import pytest
import torch

from seq2seq.data.tasks import copying
from seq2seq.evaluation.exact_match import outputs, tokens_right
from seq2seq.experiments.live_training import (
    Moment,
    Settings,
    cut_short,
    is_whole,
    loss_on,
    share_of,
    small_gru,
    train,
)
from seq2seq.experiments.result import Partial

TASK = copying(500, 40, range(2, 5), symbols=8)
FEW = Settings(steps=60, seconds=60, learning_rate=0.01)


def test_the_loss_falls_and_every_part_moves():
    model, seen = small_gru(TASK, 0, width=24), []
    before = loss_on(model, TASK.valid)
    moments = train(model, TASK.train, TASK.valid, FEW, seen.append)
    assert seen == moments
    assert moments[-1].step == FEW.steps
    assert moments[-1].valid_loss < 0.9 * before
    assert moments[-1].valid_loss == pytest.approx(loss_on(model, TASK.valid), abs=1e-5)
    assert all(value > 0 for value in moments[-1].gradients.values())
    assert {"encoder.embedding", "encoder.stack", "decoder.stack"} <= set(moments[-1].gradients)


def test_there_is_something_to_measure_when_the_time_is_over_before_it_began():
    late = Settings(seconds=1e-9)
    moments = train(small_gru(TASK, 0, width=24), TASK.train, TASK.valid, late)
    assert [moment.step for moment in moments] == [1]


def test_the_same_seed_trains_the_same_model_and_leaves_the_process_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    models = [
        small_gru(TASK, 1, width=24),
        small_gru(TASK, 1, width=24),
        small_gru(TASK, 2, width=24),
    ]
    for model in models:
        train(model, TASK.train, TASK.valid, FEW)
    first, second, other = (model.decoder.output.weight for model in models)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(torch.rand(3), expected)


def test_how_often_it_is_measured_changes_nothing_that_is_learnt():
    ends = []
    for moments in (3, 30):
        model = small_gru(TASK, 1, width=24, dropout=0.3)
        ends.append(train(model, TASK.train, TASK.valid, replace(FEW, moments=moments)))
    assert len(ends[0]) < len(ends[1])
    assert ends[0][-1][:1] == ends[1][-1][:1]
    assert ends[0][-1].valid_loss == pytest.approx(ends[1][-1].valid_loss)
    assert ends[0][-1].train_loss == pytest.approx(ends[1][-1].train_loss)


def test_a_training_that_a_slow_machine_ended_is_told_from_a_whole_one():
    whole = Settings(steps=2)
    assert is_whole([Moment(2, 1.0, 0.5, 0.5, {})], whole)
    assert not is_whole([Moment(1, 25.0, 0.5, 0.5, {})], whole)
    assert "2 steps in 25 s" in cut_short(whole)


def test_a_part_is_reported_with_what_is_known_by_then():
    told = []

    def on_part(done, total, partial=None):
        told.append((done, total, partial))

    shown = Partial(texts={"a": "b"})
    report = share_of(FEW, on_part, 1, 2, lambda moment: shown)
    report(Moment(30, 1.0, 0.5, 0.5, {}))
    report(Moment(60, 2.0, 0.5, 0.5, {}))
    assert [each[:2] for each in told] == [(75, 100), (99, 100)]
    assert told[0][2] is shown


def test_outputs_keep_the_order_of_the_sources():
    model = small_gru(TASK, 0, width=24)
    sources = [pair.source for pair in TASK.valid]
    together = outputs(model, sources, 6)
    assert together == [outputs(model, [source], 6)[0] for source in sources]
    assert all(len(ids) <= 6 for ids in together)


@pytest.mark.parametrize(
    ("output", "share"), [([], 0), ([7, 8], 1), ([7], 0.5), ([8, 7], 0), ([7, 8, 9], 1)]
)
def test_tokens_count_at_their_place(output, share):
    assert tokens_right(output, [7, 8]) == share
