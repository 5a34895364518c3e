import pytest
import torch

from seq2seq.data.batching import Example, collate
from seq2seq.models.config import Config
from seq2seq.models.protocol import Memory
from seq2seq.models.seq2seq import build
from seq2seq.training.losses import MARGIN, Objective, contrast_loss, hidden

LABELS = torch.tensor([[4, 3, 0], [5, 6, 3]])


def logits_for(labels, height):
    return height * torch.nn.functional.one_hot(labels, 8).float()


def test_no_contrast_is_missing_where_a_wrong_source_makes_targets_improbable():
    right, wrong = logits_for(LABELS, 9.0), logits_for((LABELS + 1) % 8, 9.0)
    assert float(contrast_loss(right, wrong, LABELS)) == 0
    assert float(contrast_loss(right, right, LABELS)) == pytest.approx(MARGIN)
    assert float(contrast_loss(wrong, right, LABELS)) > MARGIN


def test_padding_does_not_count_in_the_contrast():
    right, wrong = logits_for(LABELS, 1.0), logits_for(LABELS, 0.9)
    padded = torch.nn.functional.pad(LABELS, (0, 2))
    more = [torch.cat([each, torch.randn(2, 2, 8)], dim=1) for each in (right, wrong)]
    assert float(contrast_loss(*more, padded)) == pytest.approx(
        float(contrast_loss(right, wrong, LABELS))
    )


def test_hidden_positions_leave_one_to_see_and_no_padding():
    torch.manual_seed(0)
    mask = torch.tensor([[True] * 6, [True, True, False, False, False, False]]).repeat(500, 1)
    memory = Memory(torch.zeros(1_000, 6, 4), mask, (torch.ones(1_000, 1, 4),) * 2)
    seen = hidden(memory, 0.3)
    assert bool((seen.mask.sum(dim=1) > 0).all())
    assert not bool((seen.mask & ~mask).any())
    empty = seen.final[0].sum(dim=(1, 2)) == 0
    assert 0.2 < float(empty.float().mean()) < 0.4
    long = empty & mask.all(dim=1)
    assert not bool(seen.mask[long, :2].any())
    assert 0.6 < float(seen.mask[~empty & mask.all(dim=1), 2:].float().mean()) < 0.8
    assert hidden(memory, 0.3).states is memory.states


def test_the_losses_of_sources_have_gradients():
    torch.manual_seed(1)
    values = {"architecture": "recurrent", "attention": "general", "width": 8, "vocabulary": 12}
    model = build(Config.from_dict(values))
    batch = collate([Example([5, 6, 7], [8, 9]), Example([7, 6, 5], [9, 8])])
    model.eval()
    plain = float(Objective(model)(batch).detach())
    losses = [Objective(model, contrast=1.0)(batch) for _ in range(40)]
    costs = {round(float(loss.detach()) - plain, 4) for loss in losses}
    assert 0 in costs
    assert max(costs) > 0
    max(losses).backward()
    assert model.encoder.embedding.weight.grad.abs().sum() > 0
    assert float(Objective(model, hide=0.5)(batch).detach()) != plain
