"""Weights that are stored in ways of their own: an output matrix apart, a matrix for each side."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from seq2seq.families.loading import read_model
from tests import published

published.hf.logging.set_verbosity_error()
SOURCE, TARGET = torch.tensor([[5, 9, 30, 12, 2]]), torch.tensor([[2, 8, 11]])
NAMES = ("bart", "marian", "pegasus", "mbart50", "blenderbot", "m2m100", "t5")


def altered(root, name, changes, **settings):
    """Save a model, change tensors of its file, and read it again on both sides."""
    folder, model, _ = published.save(root, name, **settings)
    weights = load_file(folder / "model.safetensors")
    for seed, (key, like) in enumerate(changes.items()):
        torch.manual_seed(seed)
        weights[key] = torch.randn_like(weights[like])
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    theirs = type(model).from_pretrained(folder, attn_implementation="eager").eval()
    return theirs, read_model(folder, json.loads((folder / "config.json").read_text()))


def shared(name):
    return "shared.weight" if name == "t5" else "model.shared.weight"


def assert_equal(theirs, ours):
    with torch.inference_mode():
        expected = theirs(input_ids=SOURCE, decoder_input_ids=TARGET).logits
        logits = ours(SOURCE, TARGET)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_an_output_matrix_of_its_own_is_used(tmp_path, name, tied):
    changes = {"lm_head.weight": shared(name)}
    theirs, ours = altered(tmp_path, name, changes, tie_word_embeddings=tied)
    assert ours.decoder.output.weight is not ours.decoder.embedding.tokens.weight
    assert_equal(theirs, ours)


@pytest.mark.parametrize("name", ["bart", "mbart50"])
def test_each_side_may_have_a_matrix(tmp_path, name):
    changes = {
        f"model.{side}.embed_tokens.weight": shared(name) for side in ("encoder", "decoder")
    } | {"lm_head.weight": shared(name)}
    theirs, ours = altered(tmp_path, name, changes, tie_word_embeddings=False)
    assert ours.encoder.embedding.tokens.weight is not ours.decoder.embedding.tokens.weight
    assert_equal(theirs, ours)


def test_whispers_output_matrix_may_be_its_own(tmp_path):
    key = "model.decoder.embed_tokens.weight"
    theirs, ours = altered(tmp_path, "whisper", {"proj_out.weight": key})
    frames = torch.randn(1, 100, 8)
    with torch.inference_mode():
        expected = theirs(input_features=frames.mT, decoder_input_ids=TARGET).logits
        logits = ours(frames, TARGET)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-3)
