"""Whole published folders, good and bad, through the door that every visitor comes in by."""

import io
import json
import os
import pickle
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file, save_file

import seq2seq
from seq2seq import Options, Trace, UserError
from seq2seq.data.audio import Audio, log_mel, read_audio
from seq2seq.families.model_cards import read_card
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.generated import to_text
from tests import published

published.hf.logging.set_verbosity_error()
published.hf.logging.disable_progress_bar()

TEXT = "The small cat sleeps on the old chair near the window, doesn't it?"
OPTIONS = {"beam_width": 3, "max_length": 8}
SAFE, BIN = "model.safetensors", "pytorch_model.bin"
every_model = pytest.mark.parametrize("name", published.MODELS)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return folder, model and tokenizer of a name, each made once."""
    found = {}

    def get(name):
        if name not in found:
            found[name] = published.save(tmp_path_factory.mktemp(name), name)
        return found[name]

    return get


@pytest.fixture
def copied(saved, tmp_path):
    """Return a function that copies a folder, to be changed."""

    def copy(name="bart"):
        return Path(shutil.copytree(saved(name)[0], tmp_path / "copied"))

    return copy


def sound(seconds=0.7, rate=16_000, seed=1):
    return np.random.default_rng(seed).normal(0, 0.1, int(seconds * rate)).astype(np.float32)


def options_for(checkpoint, **more):
    theirs = checkpoint.generation_config.options
    languages = {n: getattr(theirs, n) for n in ("source_language", "target_language")}
    return Options(**OPTIONS | languages | more)


def given(name):
    return Audio(sound(), 0.7) if name == "whisper" else TEXT


# --- what the reference saves runs


@every_model
def test_a_saved_folder_runs_end_to_end(saved, name):
    folder, reference, _ = saved(name)
    checkpoint = seq2seq.load(folder)
    options = options_for(checkpoint)
    trace = seq2seq.run(checkpoint, given(name), options, self_attention=True)
    config, (target, source) = checkpoint.model.config, (len(trace.target), len(trace.source))
    heads = config.decoder_heads or config.heads
    assert trace.attention.shape == (target, config.decoder_layers, heads, source)
    assert trace.encoder_attention.shape == (config.encoder_layers, config.heads, source, source)
    assert trace.decoder_attention.shape == (target, config.decoder_layers, heads, target)
    same = Trace.from_json(trace.to_json())
    assert same.target == trace.target
    np.testing.assert_array_equal(same.attention, trace.attention)
    np.testing.assert_array_equal(same.encoder_attention, trace.encoder_attention)
    assert seq2seq.run(checkpoint, given(name), options).encoder_attention is None
    # What the trace says is what the reference computes for the same tokens.
    start = decoder_prompt(checkpoint, trace.options).start
    read = [*start, *trace.target.ids[:-1]]
    if name == "whisper":
        frames = log_mel(sound(), config.bins, checkpoint.generation_config.window)
        inputs = {"input_features": frames.T[None]}
    else:
        inputs = {"input_ids": torch.tensor([trace.source.ids])}
    theirs = reference(**inputs, decoder_input_ids=torch.tensor([read]), output_attentions=True)
    scores = theirs.logits[0, len(start) - 1 :].log_softmax(-1)
    chosen = scores[range(target), trace.target.ids]
    np.testing.assert_allclose(trace.log_probabilities, chosen, atol=1e-3)
    attention = torch.stack(theirs.cross_attentions, 0)[:, 0, :, len(start) - 1 :, :source]
    np.testing.assert_allclose(trace.attention, attention.permute(2, 0, 1, 3), atol=2e-3)


@pytest.mark.parametrize("name", [name for name in published.MODELS if name != "whisper"])
def test_many_texts_are_read_as_one_by_one(saved, name):
    checkpoint = seq2seq.load(saved(name)[0])
    options = options_for(checkpoint)
    texts = [TEXT, "Winter is cold.", "We're going to the market to buy bread, cheese."]
    found = seq2seq.generate(checkpoint, texts, options)
    alone = [seq2seq.run(checkpoint, text, options) for text in texts]
    assert [each.hypotheses[0].tokens for each in found] == [t.target.ids for t in alone]
    assert [to_text(checkpoint, each) for each in found] == [trace.text for trace in alone]


@pytest.mark.parametrize("name", [n for n in published.MODELS if n not in ("whisper", "nllb")])
def test_a_source_is_split_as_the_reference_splits_it(saved, name):
    folder, _, tokenizer = saved(name)
    checkpoint = seq2seq.load(folder)
    if name == "marian-multilingual":  # whose sources begin with the target's language
        return
    if checkpoint.generation_config.options.source_language:
        tokenizer.src_lang = checkpoint.generation_config.options.source_language
    trace = seq2seq.run(checkpoint, TEXT, options_for(checkpoint))
    expected = tokenizer(TEXT).input_ids
    if name == "blenderbot":  # whose end the reference loses when it reads older files
        expected.append(tokenizer.eos_token_id)
    assert list(trace.source.ids) == expected


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_a_recording_is_heard(saved, tmp_path, kind):
    path = tmp_path / f"sound.{kind}"
    soundfile.write(path, sound(0.7, 22_050), 22_050)
    checkpoint = seq2seq.load(saved("whisper")[0])
    trace = seq2seq.run(checkpoint, read_audio(path), Options(**OPTIONS), self_attention=True)
    assert trace.attention.shape[-1] == len(trace.source) == 35
    assert trace.encoder_attention.shape == (2, 4, 35, 35)
    assert trace.position_seconds == pytest.approx(0.02)
    assert any(note.startswith("Detected: ") for note in trace.notes)
    assert Trace.from_json(trace.to_json()).source == trace.source


# --- how weights are stored changes nothing


def state(name, model):
    """Return the state dict as older versions wrote it, with every copy of a shared matrix."""
    tensors = {key: value.clone() for key, value in model.state_dict().items()}
    tensors["lm_head.weight" if name != "whisper" else "proj_out.weight"] = (
        model.get_output_embeddings().weight.clone()
    )
    return tensors


def as_shards(folder, name, tensors):
    """Save tensors as two files with an index."""
    stem, kind = name.split(".")
    parts = [dict(list(tensors.items())[n::2]) for n in (0, 1)]
    where = {}
    for number, part in enumerate(parts, start=1):
        file = f"{stem}-{number:05}-of-00002.{kind}"
        (save_file if kind == "safetensors" else torch.save)(part, folder / file)
        where |= dict.fromkeys(part, file)
    (folder / f"{name}.index.json").write_text(json.dumps({"weight_map": where}))


STORED = {
    "safetensors, every copy": lambda f, t: save_file(t, f / SAFE),
    "safetensors, shards": lambda f, t: as_shards(f, SAFE, t),
    "pickle": lambda f, t: torch.save(t, f / BIN),
    "pickle, shards": lambda f, t: as_shards(f, BIN, t),
    "pickle, before 1.6": lambda f, t: torch.save(t, f / BIN, _use_new_zipfile_serialization=False),
    "pickle, parameters": lambda f, t: torch.save(
        {key: torch.nn.Parameter(value) for key, value in t.items()}, f / BIN
    ),
}


def outcome(folder, name):
    checkpoint = seq2seq.load(folder)
    return seq2seq.run(checkpoint, given(name), options_for(checkpoint))


@pytest.mark.parametrize("name", ["marian", "bart", "t5", "t5-1.1", "whisper"])
@pytest.mark.parametrize("stored", STORED)
def test_the_storage_of_weights_changes_nothing(saved, copied, name, stored):
    folder = copied(name)
    (folder / SAFE).unlink()
    STORED[stored](folder, state(name, saved(name)[1]))
    ours, expected = outcome(folder, name), outcome(saved(name)[0], name)
    assert ours.target == expected.target
    np.testing.assert_array_equal(ours.log_probabilities, expected.log_probabilities)


def test_shards_of_the_reference_are_read(saved, tmp_path):
    folder, model, tokenizer = saved("m2m100")
    model.save_pretrained(tmp_path, max_shard_size="10KB")
    tokenizer.save_pretrained(tmp_path)
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 2
    assert outcome(tmp_path, "m2m100").target == outcome(folder, "m2m100").target


@pytest.mark.parametrize("name", ["marian", "t5-1.1", "pegasus", "whisper"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_close(saved, copied, name, dtype):
    folder = copied(name)
    tensors = {key: value.to(dtype) for key, value in load_file(folder / SAFE).items()}
    save_file(tensors, folder / SAFE)
    checkpoint, whole = seq2seq.load(folder), seq2seq.load(saved(name)[0])
    assert {weight.dtype for weight in checkpoint.model.parameters()} == {torch.float32}
    for ours, theirs in zip(checkpoint.model.parameters(), whole.model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("marian", {"model.encoder.embed_positions.weight": torch.zeros(64, 16)}),
        ("pegasus", {"model.decoder.embed_positions.weight": torch.zeros(64, 16)}),
        ("m2m100", {"model.encoder.embed_positions.weights": torch.zeros(66, 16)}),
        ("bart", {"model.encoder.version": torch.zeros(1)}),
        ("bart", {"final_logits_bias": None}),
        ("bart", {"model.shared.weight": "model.encoder.embed_tokens.weight"}),
        ("bart", {"model.shared.weight": "lm_head.weight"}),
        ("t5", {"shared.weight": "decoder.embed_tokens.weight"}),
        ("t5", {"shared.weight": "lm_head.weight"}),
        ("whisper", {"model.decoder.embed_tokens.weight": "proj_out.weight"}),
    ],
)
def test_older_names_are_known(saved, copied, name, change):
    folder = copied(name)
    tensors = load_file(folder / SAFE)
    for key, value in change.items():
        if isinstance(value, torch.Tensor):
            tensors[key] = value
        elif value is None:
            del tensors[key]
        else:
            tensors[value] = tensors.pop(key)
    save_file(tensors, folder / SAFE)
    ours, expected = outcome(folder, name), outcome(saved(name)[0], name)
    if None in change.values():
        assert ours.target.ids
    else:
        np.testing.assert_array_equal(ours.log_probabilities, expected.log_probabilities)


# --- what is wrong with a folder is told in one sentence


@pytest.fixture
def refused(tmp_path):
    """Check that loading ends in one sentence, with a remedy, and leaves no trace."""

    def check(folder, said):
        before = sorted(folder.iterdir())
        with pytest.raises(UserError, match=said) as raised:
            seq2seq.load(folder)
        text = str(raised.value)
        assert re.fullmatch(r"[^\n]{20,400}\.", text)
        assert text.count(". ") == 0
        assert re.search(r"[:,] \w+", text), "no remedy"
        assert str(tmp_path) not in text
        assert raised.value.__suppress_context__ or raised.value.__context__ is None
        assert sorted(folder.iterdir()) == before
        assert not (tmp_path / "harm").exists()

    return check


def rewritten(folder, file="config.json", **changes):
    path = folder / file
    values = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(values | changes))
    return folder


DEEP = json.loads("[" * 900 + "]" * 900)
CONFIGS = [
    ({"model_type": "gpt2"}, "'gpt2', a decoder only: choose"),
    ({"model_type": "bert"}, "'bert', an encoder only: choose"),
    ({"model_type": "mamba"}, "'mamba', which is not known here: choose one of marian, t5"),
    ({"model_type": ["bart"]}, "family list, which"),
    ({"model_type": {}}, "family dict, which"),
    ({"model_type": None}, "family missing, which"),
    ({"is_encoder_decoder": False}, "has no decoder: choose"),
    ({"vocab_size": 10**9}, "vocabulary is 1000000000"),
    ({"vocab_size": 9_999_999}, "not from the same model|take .* GB"),
    ({"vocab_size": -5}, "vocab_size is -5"),
    ({"vocab_size": "many"}, "vocab_size is 'many'"),
    ({"vocab_size": [455]}, "vocab_size is list"),
    ({"vocab_size": DEEP}, "vocab_size is list"),
    ({"vocab_size": True}, "vocab_size is True"),
    ({"vocab_size": float("nan")}, "vocab_size is nan"),
    ({"vocab_size": None}, "vocab_size is missing"),
    ({"d_model": 0}, "width is 0"),
    ({"d_model": 10**12}, "width is 1000000000000"),
    ({"d_model": 999_996, "encoder_ffn_dim": 999_999}, "take .* GB are free: choose"),
    ({"d_model": 32}, "where the config says"),
    ({"encoder_layers": 10**6}, "encoder_layers is 1000000"),
    ({"decoder_layers": 4}, "weights lack"),
    ({"encoder_layers": 1}, "that the config does not know"),
    ({"encoder_attention_heads": 5}, "5 heads do not divide"),
    ({"encoder_attention_heads": 0}, "0 heads do not divide"),
    ({"encoder_attention_heads": 1.5}, "encoder_attention_heads is 1.5"),
    ({"max_position_embeddings": 10**9}, "max_positions is 1000000000"),
    ({"max_position_embeddings": 63}, "where the config says"),
    ({"activation_function": "exec"}, "activation is 'exec'"),
    ({"activation_function": DEEP}, "activation is list"),
    ({"pad_token_id": 455}, "special tokens lie outside"),
    ({"eos_token_id": 10**6}, "special tokens lie outside"),
    ({"decoder_start_token_id": 10**6}, "special tokens lie outside|decoder_start_token_id is"),
    ({"eos_token_id": -1}, "eos_token_id is -1"),
    ({"eos_token_id": [DEEP]}, "eos_token_id is list"),
]


@pytest.mark.parametrize(("changes", "said"), CONFIGS)
def test_a_config_that_cannot_be_is_refused(copied, refused, changes, said):
    refused(rewritten(copied(), **changes), said)


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("t5", {"layer_norm_epsilon": float("nan")}, "epsilon is nan"),
        ("t5", {"layer_norm_epsilon": float("inf")}, "epsilon is inf"),
        ("t5", {"layer_norm_epsilon": "small"}, "epsilon is 'small'"),
        ("t5", {"layer_norm_epsilon": -1.0}, "epsilon is -1.0"),
        ("t5", {"d_kv": 10**6, "num_heads": 10**6}, "take .* GB are free"),
        ("t5", {"feed_forward_proj": ["relu"]}, "activation is ''"),
        ("t5", {"relative_attention_num_buckets": 0}, "buckets must be"),
        ("whisper", {"max_source_positions": 10**6}, "hears 1000000 steps"),
        ("whisper", {"num_mel_bins": 10**6}, "bins is 1000000"),
        ("marian-separate", {"decoder_vocab_size": 30}, "special tokens lie outside"),
        ("marian-separate", {"vocab_size": 30}, "special tokens lie outside"),
    ],
)
def test_so_is_one_of_other_families(copied, refused, name, changes, said):
    refused(rewritten(copied(name), **changes), said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "config.json is damaged"),
        (b"{", "config.json is damaged"),
        (b"\xff\xfe\x00", "config.json is damaged"),
        (b"[]", "config.json is no JSON object"),
        (b'{"a":' * 100_000, "config.json is damaged"),
        (b'{"model_type": 1' + b"0" * 5000 + b"}", "config.json is damaged"),
        (b'{"model_type": "bart"' + b" " * 2**24 + b"}", "config.json is too large"),
        (b'{"model_type": "bart"}', "vocab_size is missing"),
    ],
)
def test_a_config_that_is_none_is_refused(copied, refused, content, said):
    folder = copied()
    (folder / "config.json").write_bytes(content)
    refused(folder, said)


def test_a_folder_without_a_tokenizer_is_refused(copied, refused):
    folder = copied()
    (folder / "tokenizer.json").unlink()
    refused(folder, "no tokenizer.json and no vocab.json")


def test_a_tokenizer_that_is_larger_than_the_model_is_refused(saved, copied, refused):
    folder, tensors = copied(), load_file(saved("bart")[0] / SAFE)
    tensors["model.shared.weight"] = tensors["model.shared.weight"][:300].clone()
    tensors["final_logits_bias"] = tensors["final_logits_bias"][:, :300].clone()
    save_file(tensors, folder / SAFE)
    refused(rewritten(folder, vocab_size=300), "tokenizer has more tokens|tokenizer has 455")


@pytest.mark.parametrize("name", ["bart", "t5"])
def test_no_weights_are_refused(copied, refused, name):
    folder = copied(name)
    (folder / SAFE).unlink()
    refused(folder, "neither a model.safetensors nor a pytorch_model.bin: fetch")


@pytest.mark.parametrize("size", [0, 4, 100, -1, -4000])
@pytest.mark.parametrize("name", [SAFE, BIN])
def test_weights_that_are_cut_short_are_refused(saved, copied, refused, name, size):
    folder = copied()
    (folder / SAFE).unlink()
    tensors = state("bart", saved("bart")[1])
    (save_file if name == SAFE else torch.save)(tensors, folder / name)
    (folder / name).write_bytes((folder / name).read_bytes()[:size])
    refused(folder, f"{name} is damaged")


def indexed(folder, *files):
    """Put an index that names these files in place of the weights."""
    names = {f"weight{number}": file for number, file in enumerate(files)}
    (folder / f"{SAFE}.index.json").write_text(json.dumps({"weight_map": names}))
    return folder


def test_a_missing_shard_is_named(saved, copied, refused):
    folder = copied()
    (folder / SAFE).unlink()
    as_shards(folder, SAFE, state("bart", saved("bart")[1]))
    (folder / "model-00002-of-00002.safetensors").unlink()
    refused(folder, "lack the file model-00002-of-00002.safetensors: fetch")


@pytest.mark.parametrize(
    "file", ["../x.safetensors", "/etc/passwd", "a/b", "..", ".x", "", 3, None]
)
def test_shards_elsewhere_are_refused(copied, refused, tmp_path, file):
    folder = copied()
    (folder / SAFE).rename(tmp_path / "x.safetensors")
    refused(indexed(folder, file), "outside the model: do not use it|lack the file")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"weight_map": [1]}', '{"weight_map": {"a": []}}']
)
def test_a_damaged_index_is_refused(copied, refused, content):
    folder = copied()
    (folder / SAFE).unlink()
    (folder / f"{SAFE}.index.json").write_text(content)
    refused(folder, "index.json is (damaged|no JSON)|neither")


@pytest.mark.parametrize("file", [SAFE, "config.json", "tokenizer.json"])
def test_links_lead_nowhere_but_into_the_cache(saved, copied, refused, tmp_path, file):
    folder = copied()
    target = (tmp_path / file).with_suffix(".elsewhere")
    (folder / file).rename(target)
    (folder / file).symlink_to(target)
    refused(folder, f"{file} is a link out of the model's folder: put")
    # As the Hub's own cache lays a model out.
    root = tmp_path / "models--user--tiny"
    snapshot = root / "snapshots" / ("a" * 40)
    (root / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for path in saved("bart")[0].iterdir():
        shutil.copy(path, root / "blobs" / f"{path.name}-digest")
        (snapshot / path.name).symlink_to(Path("../../blobs") / f"{path.name}-digest")
    assert outcome(snapshot, "bart").target == outcome(saved("bart")[0], "bart").target


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t["model.shared.weight"].fill_(float("nan")), "numbers that are not finite"),
        (lambda t: t["model.shared.weight"][0, :1].fill_(float("inf")), "are not finite: fetch"),
        (lambda t: t.update({"model.shared.weight": torch.zeros(455, 15)}), r"\[455, 15\]"),
        (lambda t: t.update({"model.shared.weight": torch.zeros(455)}), r"shape \[455\]"),
        (lambda t: t.update({"more": torch.zeros(1)}), "a weight more that the config"),
        (lambda t: t.pop("model.encoder.layers.0.fc1.weight"), "lack what .*layers.0.fc1.weight"),
        (lambda t: t.update({k: v.to(torch.int8) for k, v in t.items()}), "was not quantized"),
    ],
)
def test_weights_of_another_model_are_refused(copied, refused, change, said):
    folder = copied()
    tensors = load_file(folder / SAFE)
    change(tensors)
    save_file(tensors, folder / SAFE)
    refused(folder, said)


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("archive", [True, False])
@pytest.mark.parametrize("alone", [True, False])
def test_code_in_a_pickle_is_not_run(copied, refused, tmp_path, archive, alone):
    folder, bomb = copied(), Bomb(tmp_path / "harm")
    (folder / SAFE).unlink()
    content = bomb if alone else {"model.shared.weight": torch.zeros(2), "x": bomb}
    torch.save(content, folder / BIN, _use_new_zipfile_serialization=archive)
    refused(folder, "holds more than weights, so it was not opened: use")


def test_a_plain_pickle_is_not_run(copied, refused, tmp_path):
    folder = copied()
    (folder / SAFE).unlink()
    (folder / BIN).write_bytes(pickle.dumps(Bomb(tmp_path / "harm"), protocol=2))
    refused(folder, "holds more than weights|is damaged")


@pytest.mark.parametrize(
    "content", [[torch.zeros(2)], torch.zeros(3), {"x": torch.zeros(2).to_sparse()}]
)
def test_other_pickles_are_refused(copied, refused, content):
    folder = copied()
    (folder / SAFE).unlink()
    torch.save(content, folder / BIN)
    refused(folder, "is damaged or of another format|holds more than weights")


@pytest.mark.parametrize("entry", ["data.pkl", "data/0", "version"])
def test_a_pickle_that_unfolds_is_not_opened(copied, refused, entry):
    folder, file = copied(), io.BytesIO()
    (folder / SAFE).unlink()
    torch.save({"model.shared.weight": torch.zeros(455, 16)}, file)
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(folder / BIN, "w") as new:
        for item in old.infolist():
            unfolds = item.filename.endswith(entry)
            content = b"\0" * 10**7 if unfolds else old.read(item)
            kind = zipfile.ZIP_DEFLATED if unfolds else zipfile.ZIP_STORED
            new.writestr(item.filename, content, kind)
    assert (folder / BIN).stat().st_size < 10**6
    refused(folder, "is compressed, so it was not opened: use")


# --- generation_config.json


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"max_length": -5}, "max_length is -5"),
        ({"max_length": "long"}, "max_length is 'long'"),
        ({"max_length": float("inf")}, "max_length is inf"),
        ({"min_length": [DEEP]}, "min_length is list"),
        ({"num_beams": 1.5}, "num_beams is 1.5"),
        ({"length_penalty": float("nan")}, "length_penalty is nan"),
        ({"length_penalty": float("-inf")}, "length_penalty is -inf"),
        ({"length_penalty": "2"}, "length_penalty is '2'"),
        ({"decoder_start_token_id": 455}, "decoder_start_token_id is 455"),
        ({"decoder_start_token_id": "a"}, "decoder_start_token_id is 'a'"),
        ({"forced_bos_token_id": -1}, "forced_bos_token_id is -1"),
        ({"forced_eos_token_id": 10**9}, "forced_eos_token_id is 1000000000"),
        ({"no_repeat_ngram_size": -1}, "no_repeat_ngram_size is -1"),
        ({"encoder_no_repeat_ngram_size": {}}, "encoder_no_repeat_ngram_size is dict"),
    ],
)
def test_settings_that_cannot_be_are_refused(copied, refused, changes, said):
    refused(rewritten(copied(), "generation_config.json", **changes), said)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"[" * 10**5, b"\xff", b" " * (2**24 + 1)])
def test_damaged_settings_are_refused(copied, refused, content):
    folder = copied()
    (folder / "generation_config.json").write_bytes(content)
    refused(folder, r"generation_config.json is (damaged|no JSON object|too large)")


def test_settings_beyond_what_there_is_get_the_most_there_is(copied):
    huge = 10**9
    folder = rewritten(
        copied(),
        "generation_config.json",
        num_beams=huge,
        max_length=huge,
        min_length=huge,
        length_penalty=1e300,
        no_repeat_ngram_size=huge,
        early_stopping="never",
        suppress_tokens=[3, huge, -1, "a", None, DEEP],
        begin_suppress_tokens=5,
        bad_words_ids=[[4], [huge], 3, [5, 6], DEEP],
    )
    generation_config = seq2seq.load(folder).generation_config
    options = generation_config.options
    assert (options.beam_width, options.length_penalty) == (10, 5.0)
    assert (options.max_length, options.min_length, options.no_repeat_ngram) == (512, 511, 10)
    assert not options.early_stopping
    assert generation_config.forbidden == (3, 4)
    assert generation_config.forbidden_first == ()


def test_a_folder_needs_no_settings(saved, copied):
    folder = copied()
    (folder / "generation_config.json").unlink()
    assert outcome(folder, "bart").target == outcome(saved("bart")[0], "bart").target


# --- the card


@pytest.mark.parametrize(
    "content",
    [
        b"---\nlicense: [mit\n---\n",
        b"---\ndate: 2020-99-99\n---\n",
        b"---\n- 1\n---\n",
        b"---\n" + b"[" * 2_000,
        b"---\nlicense: !!python/object/apply:os.mkdir [harm]\n---\n",
        b"\xff---\n",
        b"---",
    ],
)
def test_a_damaged_card_says_nothing(tmp_path, content):
    (tmp_path / "README.md").write_bytes(content)
    card = read_card(tmp_path, {"model_type": "bart"}, "tiny")
    assert (card.licence, card.languages) == ("unknown", ())


def test_a_card_that_unfolds_is_not_unfolded(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    lines += ["license: *a11", "language: *a11", "datasets: [*a11, wmt]"]
    (tmp_path / "README.md").write_text("\n".join(["---", *lines, "---", ""]))
    card = read_card(tmp_path, {"model_type": "t5"}, "tiny")
    assert (card.licence, card.languages, card.data) == ("unknown", (), ("wmt",))


def test_a_card_is_read(tmp_path):
    text = "---\nlicense: mit\nlanguage: [en, no]\npipeline_tag: summarization\n---\n# Title\n"
    (tmp_path / "README.md").write_text(text)
    card = read_card(tmp_path, {"model_type": "t5"}, "tiny")
    assert (card.licence, card.languages, card.task) == ("mit", ("en", "no"), "summarization")
