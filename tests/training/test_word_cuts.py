"""Where words are cut apart, by an attention that is made up."""

from types import SimpleNamespace

import pytest
import torch

from seq2seq.data.tokenizer import Unigram
from seq2seq.training.word_cuts import word_cuts

TEXT = "ab ba"
FRAMES, STRIDE = 60, 4


@pytest.fixture(scope="module")
def tokenizer():
    return Unigram.train([TEXT], 7, kind="character")


@pytest.fixture
def mel():
    """Two loud stretches, 8-24 and 32-52, of which the second begins more quietly."""
    energies = torch.full((FRAMES, 3), -6.0)
    energies[8:24] = 1.0
    energies[32:36] = 0.0
    energies[36:52] = 1.0
    return energies


class Model(torch.nn.Module):
    """A model whose attention peaks at given states, one for each piece."""

    config = SimpleNamespace(bos=2, stride=STRIDE)

    def __init__(self, peaks):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.peaks = peaks

    def encode(self, frames):
        assert frames.shape == (1, FRAMES, 3)

    def decoder(self, target, memory, record):
        weights = torch.zeros(1, target.shape[1], 1, 1, FRAMES // STRIDE)
        for step, peak in enumerate(self.peaks):
            weights[0, step, 0, 0, peak] = 1
        return SimpleNamespace(weights=weights)


def cuts_of(tokenizer, mel, first, second):
    pieces = tokenizer.pieces(target := tokenizer.encode(TEXT))
    peaks = iter([*first, *second])
    states = [0 if piece == "▁" else next(peaks) for piece in pieces]
    return word_cuts(Model(states), tokenizer, mel, mel, target)


def test_words_are_cut_apart_where_it_is_quietest_between_them(tokenizer, mel):
    begin, between, end = cuts_of(tokenizer, mel, (2, 5), (9, 12))
    assert 4 <= begin <= 8
    assert 24 <= between <= 32
    assert 52 <= end <= 56


def test_the_order_of_a_words_own_peaks_does_not_matter(tokenizer, mel):
    assert cuts_of(tokenizer, mel, (5, 2), (12, 9)) == cuts_of(tokenizer, mel, (2, 5), (9, 12))


def test_nothing_is_cut_where_the_attention_goes_back(tokenizer, mel):
    assert cuts_of(tokenizer, mel, (2, 10), (9, 12)) == []
