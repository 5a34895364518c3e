"""A model that transformers has loaded, wrapped without a folder."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

import seq2seq
from seq2seq import Options, UserError
from seq2seq.data.audio import Audio, to_wav
from tests import published

published.hf.logging.set_verbosity_error()
TEXT = "The small cat sleeps on the old chair."
NAMES = [name for name in published.MODELS if name != "whisper"]


@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_model_runs_as_from_its_folder(tmp_path, name):
    folder, model, tokenizer = published.save(tmp_path, name)
    wrapped, loaded = seq2seq.from_transformers(model, tokenizer), seq2seq.load(folder)
    options = Options(beam_width=2, max_length=8)
    trace, expected = seq2seq.run(wrapped, TEXT, options), seq2seq.run(loaded, TEXT, options)
    assert trace.target.ids == expected.target.ids
    assert trace.source.ids == expected.source.ids
    np.testing.assert_array_equal(trace.attention, expected.attention)
    assert seq2seq.figures.attention(trace) is not None
    assert wrapped.family == loaded.family


def test_weights_are_shared_and_the_model_is_as_before(tmp_path):
    _, model, tokenizer = published.save(tmp_path, "t5")
    model.requires_grad_(True)
    model.train()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    wrapped = seq2seq.from_transformers(model, tokenizer)
    shared = model.shared.weight
    assert wrapped.model.encoder.embedding.tokens.weight.data_ptr() == shared.data_ptr()
    assert all(weight.requires_grad for weight in model.parameters())
    assert model.training
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())
    first = seq2seq.run(wrapped, TEXT).log_probabilities
    with torch.no_grad():
        shared.mul_(0.5)
    assert not np.array_equal(first, seq2seq.run(wrapped, TEXT).log_probabilities[: len(first)])


def test_other_precisions_are_copied(tmp_path):
    _, model, tokenizer = published.save(tmp_path, "bart")
    wrapped = seq2seq.from_transformers(model.bfloat16(), tokenizer)
    assert wrapped.precision == "float32"
    assert seq2seq.run(wrapped, TEXT).target.ids


def test_a_speech_model_comes_with_its_tokenizer_or_processor(tmp_path):
    folder, model, tokenizer = published.save(tmp_path, "whisper")
    extractor = published.hf.WhisperFeatureExtractor(feature_size=8)
    sound = Audio(np.random.default_rng(1).normal(0, 0.1, 12_000).astype(np.float32), 0.75)
    expected = seq2seq.run(seq2seq.load(folder), sound, Options(max_length=6))
    for words in (tokenizer, published.hf.WhisperProcessor(extractor, tokenizer)):
        trace = seq2seq.run(seq2seq.from_transformers(model, words), sound, Options(max_length=6))
        assert trace.target.ids == expected.target.ids


def test_other_objects_are_refused(tmp_path):
    _, model, tokenizer = published.save(tmp_path, "t5")
    for pair in ((model, "t5-small"), ("t5-small", tokenizer), (torch.nn.Linear(2, 2), tokenizer)):
        with pytest.raises(UserError, match=r"needs a model and a tokenizer of transformers, not"):
            seq2seq.from_transformers(*pair)
    tiny = published.hf.BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    with pytest.raises(UserError, match="an encoder only"):
        seq2seq.from_transformers(published.hf.BertModel(tiny), tokenizer)


def test_the_code_for_users_of_transformers_runs(tmp_path, monkeypatch, capsys):
    text = (Path(__file__).parents[2] / "docs" / "transformers.md").read_text(encoding="utf-8")
    _, model, tokenizer = published.save(tmp_path, "bart")
    folder, _, _ = published.save(tmp_path / "speech", "whisper")
    monkeypatch.chdir(tmp_path)
    names = {"model": model, "tokenizer": tokenizer}
    for code in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        exec(compile(code, "transformers.md", "exec"), names)
    assert "plotly" in (tmp_path / "heatmap.html").read_text(encoding="utf-8")
    noise = np.random.default_rng(1).normal(0, 0.1, 40_000).clip(-1, 1).astype(np.float32)
    (tmp_path / "long.wav").write_bytes(to_wav(noise))
    assert names["transcribe"](seq2seq.load(folder), "long.wav")
    assert "of 2 s" in capsys.readouterr().out
