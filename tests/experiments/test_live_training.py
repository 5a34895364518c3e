import pytest
import torch

from seq2seq.data.tasks import copying
from seq2seq.evaluation.exact_match import outputs, tokens_right
from seq2seq.experiments.live_training import Settings, loss_on, small_gru, train

TASK = copying(500, 40, range(2, 5), symbols=8)
FEW = Settings(seconds=60, every=0.05, learning_rate=0.01, steps=60)


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
    late = Settings(seconds=1e-9, every=1e-9)
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
