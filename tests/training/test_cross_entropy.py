import pytest
import torch
import torch.nn.functional as F

from seq2seq.data.tokenizer import PAD
from seq2seq.training.cross_entropy import CHUNK, copy_cross_entropy, cross_entropy


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("rows", [1, CHUNK, 2 * CHUNK + 3])
def test_loss_and_gradient_are_those_of_torch(rows, smoothing):
    torch.manual_seed(rows)
    logits = torch.randn(rows, 50, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(PAD, 50, (rows,))
    labels[0] = PAD + 1
    labels[2::3] = PAD
    wanted = F.cross_entropy(logits, labels, ignore_index=PAD, label_smoothing=smoothing)
    (slope,) = torch.autograd.grad(3 * wanted, logits)
    found = cross_entropy(logits, labels, smoothing)
    assert torch.allclose(found, wanted)
    assert torch.allclose(torch.autograd.grad(3 * found, logits)[0], slope)


def test_half_precision_keeps_its_type():
    logits = torch.randn(5, 20).to(torch.bfloat16).requires_grad_()
    labels = torch.arange(1, 6)
    loss = cross_entropy(logits, labels, 0.1)
    assert loss.dtype == torch.float32
    (slope,) = torch.autograd.grad(loss, logits)
    assert slope.dtype == torch.bfloat16


def test_without_a_gradient_it_is_torch():
    logits, labels = torch.randn(4, 9), torch.tensor([1, PAD, 2, 3])
    expected = F.cross_entropy(logits, labels, ignore_index=PAD)
    assert torch.equal(cross_entropy(logits, labels), expected)


@pytest.mark.parametrize("rows", [1, 2 * CHUNK + 3])
def test_the_loss_of_a_copying_decoder_is_that_of_the_mixture(rows):
    torch.manual_seed(rows)
    logits = torch.randn(rows, 50, dtype=torch.float64, requires_grad=True)
    switch = torch.randn(rows, dtype=torch.float64, requires_grad=True)
    copied = torch.rand(rows, dtype=torch.float64).requires_grad_()
    labels = torch.randint(PAD, 50, (rows,))
    labels[0] = PAD + 1
    labels[2::3] = PAD
    said = logits.softmax(dim=1).gather(1, labels[:, None]).squeeze(1)
    mixed = switch.sigmoid() * said + switch.neg().sigmoid() * copied
    wanted = -mixed.log()[labels != PAD].mean()
    inputs = logits, switch, copied
    found = copy_cross_entropy(*inputs, labels)
    assert torch.allclose(found, wanted)
    for one, other in zip(
        torch.autograd.grad(3 * found, inputs), torch.autograd.grad(3 * wanted, inputs), strict=True
    ):
        assert torch.allclose(one, other)
