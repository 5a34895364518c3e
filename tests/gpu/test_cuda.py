"""A GPU gives what the processor gives: every checkpoint of ours, every family of others.

Skipped by name where there is none; `pytest -m gpu` runs these alone.
"""

import numpy as np
import pytest
import torch

from seq2seq.catalogue import CHECKPOINTS
from seq2seq.checkpoint import load
from seq2seq.data.audio import RATE, Audio
from seq2seq.decoding.options import Options
from seq2seq.inference.pipeline import run
from tests import published

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here"),
]

OWN = sorted(folder.name for folder in CHECKPOINTS.iterdir() if (folder / "card.toml").exists())
TEXTS = {"tokens": "The old dog sleeps in the garden.", "series": " ".join("1 3 5 4 2 1" * 8)}
GREEDY = Options(method="greedy", max_length=12)


def given(checkpoint):
    """Return something that a model reads."""
    kind = checkpoint.model.config.input
    if kind != "audio":
        return TEXTS[kind]
    samples = np.sin(np.arange(RATE) * 0.1) * np.linspace(0, 0.5, RATE)
    return Audio(samples.astype(np.float32), RATE)


def assert_alike(one, other, tolerance):
    """Require the same tokens, and numbers within a tolerance."""
    assert one.target.ids == other.target.ids
    np.testing.assert_allclose(one.log_probabilities, other.log_probabilities, atol=tolerance)
    for name in ("encoder_states", "decoder_states", "contexts", "attention"):
        values = [getattr(trace, name) for trace in (one, other)]
        assert (values[0] is None) == (values[1] is None)
        if values[0] is not None:
            scale = max(1.0, float(np.abs(values[0].astype(np.float32)).max()))
            np.testing.assert_allclose(*values, atol=tolerance * scale)


@pytest.mark.parametrize("name", OWN)
def test_a_checkpoint_of_ours_says_the_same(name):
    here = load(CHECKPOINTS / name, device="cpu", precision="float32")
    there = load(CHECKPOINTS / name, device="cuda")
    source = given(here)
    assert there.device.type == "cuda"
    assert_alike(run(here, source, GREEDY), run(there, source, GREEDY), 2e-2)


@pytest.mark.parametrize("name", published.MODELS)
def test_a_family_of_others_computes_the_same(name, tmp_path):
    folder, _, _ = published.save(tmp_path, name)
    here, there = (load(folder, device=device) for device in ("cpu", "cuda"))
    there.model.float()  # in bfloat16, tiny random models choose other tokens
    source = given(here)
    assert_alike(run(here, source, GREEDY), run(there, source, GREEDY), 2e-2)


@pytest.mark.parametrize("name", published.MODELS)
def test_a_family_of_others_runs_in_the_precision_of_the_gpu(name, tmp_path):
    folder, _, _ = published.save(tmp_path, name)
    checkpoint = load(folder, device="cuda")
    trace = run(checkpoint, given(checkpoint), GREEDY)
    assert np.isfinite(trace.log_probabilities).all()
    assert trace.precision == checkpoint.precision


def test_a_list_is_recorded_as_each_of_its_texts():
    checkpoint = load(CHECKPOINTS / OWN[0], device="cuda")
    if checkpoint.model.config.input != "tokens":
        pytest.skip("no texts")
    texts = [TEXTS["tokens"], "A cat."]
    for one, text in zip(run(checkpoint, texts, GREEDY), texts, strict=True):
        assert_alike(run(checkpoint, text, GREEDY), one, 2e-2)
