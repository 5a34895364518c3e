"""What is met and not read here is named, in one sentence with a remedy."""

import argparse
import json
import struct

import numpy as np
import pytest
import torch

import seq2seq
from seq2seq import UserError
from seq2seq.families.configs import OTHER_PARTS
from tests import published


def ctranslate2(folder):
    name = b"TransformerSpec\0"
    (folder / "model.bin").write_bytes(struct.pack("<IH", 6, len(name)) + name + b"\0" * 50)
    (folder / "config.json").write_text(
        json.dumps({"bos_token": "<s>", "decoder_start_token": "<s>"})
    )
    (folder / "shared_vocabulary.json").write_text("[]")


def opennmt(folder):
    state = {"model": {"decoder.transformer_layers.0.w": torch.zeros(1)}, "opt": {}, "vocab": {}}
    torch.save(state, folder / "model_step_5000.pt")


def opennmt_rnn(folder):
    options = argparse.Namespace(copy_attn_type=None, rnn_size=500)
    torch.save({"model": {}, "generator": {}, "opt": options}, folder / "model.pt")


def fairseq(folder, arch="mbart_large", task="translation_from_pretrained_bart"):
    options = argparse.Namespace(arch=arch, task=task)
    state = {"args": options, "model": {}, "last_optimizer_state": {}, "extra_state": {}}
    torch.save(state, folder / "model.pt")


def fairseq_bart(folder):
    fairseq(folder, "bart_large", "denoising")


def fairseq_m2m(folder):
    fairseq(folder, "transformer_wmt_en_de_big", "translation_multi_simple_epoch")


def fairseq_transformer(folder):
    fairseq(folder, "transformer_iwslt_de_en", "translation")


def joeynmt(folder):
    torch.save({"best_ckpt_score": 1.0, "model_state": {}}, folder / "best.ckpt")
    (folder / "config.yaml").write_text("name: joey")


def old_joeynmt(folder):
    state = {"best_ckpt_score": 1.0, "model_state": {}}
    torch.save(state, folder / "best.ckpt", _use_new_zipfile_serialization=False)


def marian(folder):
    np.savez(folder / "model.npz", **{"special:model.yml": np.zeros(3, np.int8)})


def gguf(folder):
    (folder / "t5-Q4.gguf").write_bytes(b"GGUF\3\0\0\0" + b"\0" * 40)


def onnx(folder):
    (folder / "encoder_model.onnx").write_bytes(b"\x08\x07")


def adapter(folder):
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(b"")


def trainer(folder):
    for step in (500, 1000, 90):
        (folder / f"checkpoint-{step}").mkdir()
        (folder / f"checkpoint-{step}" / "config.json").write_text("{}")


def tensorflow(folder):
    (folder / "tf_model.h5").write_bytes(b"")


CASES = {
    ctranslate2: r"is a CTranslate2 model \(TransformerSpec\), and no command .*: give",
    opennmt: r"model_step_5000.pt is a checkpoint of OpenNMT-py: no command .*: train",
    opennmt_rnn: r"model.pt is a checkpoint of OpenNMT-py: no command",
    fairseq: r"model.pt is a checkpoint of fairseq: convert it .*python -m "
    r"transformers\.models\.mbart\.convert_mbart_original_checkpoint_to_pytorch model.pt NEW\.$",
    fairseq_bart: r"fairseq: convert it .*convert_bart_original_pytorch_checkpoint_to_pytorch",
    fairseq_m2m: r"fairseq: convert it .*convert_m2m100_original_checkpoint_to_pytorch",
    fairseq_transformer: r"model.pt is a checkpoint of fairseq: no command",
    joeynmt: r"best.ckpt is a checkpoint of JoeyNMT: ",
    old_joeynmt: r"best.ckpt is a checkpoint of JoeyNMT: ",
    marian: r"model.npz is a checkpoint of Marian itself: convert it .*"
    r"convert_marian_to_pytorch --src \w+ --dest NEW\.$",
    gguf: r"t5-Q4.gguf is a GGUF file, of llama.cpp: give",
    onnx: r"encoder_model.onnx is an ONNX graph.*: give",
    adapter: r"is a LoRA adapter.*: merge",
    trainer: r"3 checkpoints of a training .*: name one of them, such as found/checkpoint-1000\.$",
    tensorflow: r"has weights for TensorFlow alone: open it with transformers",
}


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_a_folder_of_another_format_is_named(tmp_path, make):
    folder = tmp_path / "found"
    folder.mkdir()
    make(folder)
    with pytest.raises(UserError, match=CASES[make]):
        seq2seq.load(folder)


@pytest.mark.parametrize("make", [gguf, marian, fairseq, joeynmt, onnx])
def test_a_file_is_named_and_never_taken_for_an_id_of_the_hub(tmp_path, monkeypatch, make):
    folder = tmp_path / "user"
    folder.mkdir()
    make(folder)
    monkeypatch.chdir(tmp_path)
    [name] = [path.name for path in folder.iterdir() if path.suffix not in (".yaml",)]
    assert seq2seq.catalogue.is_hub_name(f"user/{name}")
    with pytest.raises(UserError, match=CASES[make]):
        seq2seq.load(f"user/{name}")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UserError, match=r"is a file, not a model's folder: give the folder"):
        seq2seq.load("notes.txt")


def test_weights_in_another_format_beside_a_config_are_named(tmp_path):
    folder, _, _ = published.save(tmp_path, "t5")
    (folder / "model.safetensors").unlink()
    onnx(folder)
    with pytest.raises(UserError, match="is an ONNX graph"):
        seq2seq.load(folder)


@pytest.mark.parametrize("family", OTHER_PARTS)
def test_encoder_decoders_of_other_parts_are_named(tmp_path, family):
    folder = tmp_path / "found"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": family}))
    with pytest.raises(UserError) as raised:
        seq2seq.load(folder)
    said = str(raised.value)
    assert said.startswith(f"This is {OTHER_PARTS[family]}, and such models are not run here: ")
    assert "choose one of" in said


def test_what_nobody_knows_is_still_no_checkpoint(tmp_path):
    (tmp_path / "photo.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"has no card.toml"):
        seq2seq.load(tmp_path)
