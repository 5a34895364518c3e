"""Minimal pairs of agreement: built as they say, and scored by what the model writes."""

import numpy as np
import pytest
import torch

from seq2seq.checkpoint import load
from seq2seq.data.tokenizer import BOS
from seq2seq.experiments.agreement import WORDS_BETWEEN, _log_probabilities, _memory, pairs


@pytest.mark.parametrize("between", WORDS_BETWEEN)
def test_pairs_differ_in_the_verb_alone_and_have_as_many_words_between(between):
    found = pairs(between, 30)
    assert len(found) == 30
    for number, pair in enumerate(found):
        assert len(pair.source.split()) == 3 + between
        right, wrong = pair.right.split(), pair.wrong.split()
        assert right[:-1] == wrong[:-1]
        assert right[-1].endswith("aient") is (number % 2 == 1)
        assert wrong[-1].endswith("aient") is (number % 2 == 0)
        plural = right[0] == "Les"
        assert plural is (number % 2 == 1)
        # What stands between has the other number.
        others = [word for word in pair.source.split()[2:-1] if word.endswith("s")]
        assert bool(others) is (between > 0 and not plural)


def test_pairs_are_drawn_by_the_seed():
    assert pairs(6, 10, 1) == pairs(6, 10, 1) != pairs(6, 10, 2)


@pytest.mark.parametrize("name", ["gru-plain", "lstm-attention", "transformer"])
def test_probabilities_of_a_batch_are_those_of_each_alone(checkpoint_root, name):
    checkpoint = load(str(checkpoint_root / name))
    sources = ["The cat sleeps.", "The old dog sees the cat."]
    begun = ["Le chat", "Le chien voit le"]
    with torch.inference_mode():
        found = _log_probabilities(checkpoint, _memory(checkpoint, sources), begun)
    tokenizer, config = checkpoint.tokenizer, checkpoint.model.config
    for source, target, score in zip(sources, begun, found, strict=True):
        read = torch.tensor([[*tokenizer.encode(source), config.eos]])
        written = tokenizer.encode_target(target)
        with torch.inference_mode():
            logits = checkpoint.model(read, torch.tensor([[BOS, *written]]))[0]
        each = logits.log_softmax(dim=-1)[range(len(written)), written]
        assert score == pytest.approx(float(each.sum()), abs=1e-4)
    assert np.isfinite(found).all()
