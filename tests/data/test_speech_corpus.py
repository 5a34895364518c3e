"""Archives of speech in every state, batches, the second loss, and a model that learns to hear."""

import io
import itertools
import json
import random
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from seq2seq.checkpoint import load, save
from seq2seq.cli.main import main
from seq2seq.data.audio import RATE, log_mel
from seq2seq.data.speech_corpus import (
    Spoken,
    collate_speech,
    features,
    pad_frames,
    plan_speech,
    read_speech,
)
from seq2seq.data.tokenizer import EOS, PAD
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.evaluation.evaluate_speech import evaluate_speech
from seq2seq.evaluation.losses import speech_loss
from seq2seq.inference.generated import to_text
from seq2seq.inference.transcription import transcribe
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import build
from seq2seq.training.datasets import SpeechCorpus
from seq2seq.training.losses import Objective, best_path, ctc_loss, guide_loss
from seq2seq.training.recipe import read_recipe
from seq2seq.training.trainer import train

HEADER = "id\tsplit\tspeaker\tsample_rate\tseconds\ttext\n"
# How high a letter sounds, from its beginning to its end. Each band is normalised by itself, so
# tones that never change would sound alike.
TONES = {"a": (300, 2400), "b": (2400, 300), "c": (300, 2400, 300), "d": (2400, 300, 2400)}


def spoken(text, draw):
    """Letters as gliding tones of unequal length and loudness, in a little noise."""
    parts = []
    for letter in text.replace(" ", ""):
        count = int(RATE * draw.uniform(0.15, 0.25))
        points = TONES[letter]
        hertz = np.interp(np.arange(count) / count, np.linspace(0, 1, len(points)), points)
        parts.append(draw.uniform(0.3, 0.6) * np.sin(2 * np.pi * np.cumsum(hertz) / RATE))
        parts.append(np.zeros(int(RATE * 0.05)))
    sound = np.concatenate(parts)
    noise = np.random.default_rng(draw.getrandbits(30)).normal(size=len(sound))
    return (sound + 0.003 * noise).astype("f4")


def flac(samples):
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="FLAC")
    return file.getvalue()


def write_archive(path, files):
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_tones(path, train=200, valid=20):
    draw, rows, files = random.Random(0), HEADER, {}
    for number in range(train + valid):
        split = "valid" if number < valid else "train"
        text = " ".join(draw.choices("abcd", k=draw.randint(1, 2)))
        speaker = f"s{number % 3}"
        rows += f"u{number}\t{split}\t{speaker}\t16000\t1.0\t{text}\n"
        files[f"tones/{split}/{speaker}/u{number}.flac"] = flac(spoken(text, draw))
    return write_archive(path, {"tones/manifest.tsv": rows.encode(), **files})


RECIPE = """
[card]
title = "Tones"
task = "speech"
licence = "CC0-1.0"
name = "tones"
[data]
train = ["tones.tar"]
valid = ["tones.tar"]
[tokenizer]
pieces = 9
kind = "character"
[model]
input = "audio"
bins = 16
cell = "lstm"
bidirectional = true
attention = "additive"
feeds = "token"
width = 48
embedding = 16
tied = false
dropout = 0.0
[augmentation]
speeds = [1.0, 1.02]
strings = [1]
noise = 0.2
[training]
epochs = {epochs}
batch_frames = 400
ctc = 0.5
guide = 1.0
guide_from = 0.4
learning_rate = 0.006
warmup_steps = 20
label_smoothing = 0.0
averaging = 0.95
evaluate_every = 500
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    write_tones(folder / "tones.tar")
    whole = RECIPE.replace("{epochs}", "14")
    (folder / "recipe.toml").write_text(whole)
    (folder / "strings.toml").write_text(whole.replace("strings = [1]", "strings = [2]"))
    (folder / "short.toml").write_text(RECIPE.replace("{epochs}", "1"))
    return folder


@pytest.fixture(scope="module")
def corpus(folder):
    corpus = SpeechCorpus(read_recipe(folder / "strings.toml"), folder)
    corpus.encode(corpus.fit())
    return corpus


# --- archives


def test_an_archive_gives_the_recordings_of_a_split(folder):
    valid, rest = (read_speech(folder / "tones.tar", split) for split in ("valid", "train"))
    assert (len(valid), len(rest)) == (20, 200)
    assert not {each.name for each in valid} & {each.name for each in rest}
    assert {each.speaker for each in valid} == {"s0", "s1", "s2"}
    assert set("".join(each.text for each in rest)) == set("abcd ")
    assert all(each.samples.dtype == np.float32 for each in valid)


MANIFEST = (HEADER + "u\ttrain\ts\t16000\t1\tyes\n").encode()
SOUND = flac(np.sin(np.arange(RATE) / 10).astype("f4"))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"x/manifest.tsv": MANIFEST, "../u.flac": SOUND}, "outside itself"),
        ({"x/manifest.tsv": MANIFEST, "/tmp/u.flac": SOUND}, "outside itself"),
        ({"x/manifest.tsv": MANIFEST}, "lacks the recording u"),
        ({"x/u.flac": SOUND}, "no manifest"),
        ({"manifest.tsv": b"id\tsaid\n", "u.flac": SOUND}, "no column 'text'"),
        ({"manifest.tsv": b"\xff\xfe\x00", "u.flac": SOUND}, "not UTF-8"),
        ({"manifest.tsv": HEADER.encode(), "u.flac": SOUND}, "no recordings of the split 'train'"),
        ({"manifest.tsv": MANIFEST, "u.flac": b"no sound"}, "u in a.tar cannot be read"),
        ({"manifest.tsv": MANIFEST, "u.flac": SOUND[:50]}, "u in a.tar"),
    ],
)
def test_a_bad_archive_is_refused_in_one_sentence(tmp_path, files, said):
    with pytest.raises(UserError, match=said):
        read_speech(write_archive(tmp_path / "a.tar", files), "train")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar"]


def test_what_is_no_archive_is_refused(tmp_path, folder):
    (tmp_path / "a.tar").write_bytes(b"Hello")
    (tmp_path / "b.tar").write_bytes((folder / "tones.tar").read_bytes()[:5000])
    for name, said in {"a.tar": "cannot be read", "b.tar": "b.tar", "c.tar": "no file"}.items():
        with pytest.raises(UserError, match=said):
            read_speech(tmp_path / name, "train")


def test_a_link_in_an_archive_is_not_followed(tmp_path):
    secret = tmp_path / "secret.flac"
    secret.write_bytes(SOUND)
    path = write_archive(tmp_path / "a.tar", {"manifest.tsv": MANIFEST})
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("u.flac")
        link.type, link.linkname = tarfile.SYMTYPE, str(secret)
        archive.addfile(link)
    with pytest.raises(UserError, match="lacks the recording"):
        read_speech(path, "train")


# --- batches


def test_padding_is_masked():
    frames, mask = pad_frames([torch.ones(3, 4), torch.ones(5, 4)])
    assert mask.tolist() == [[True] * 3 + [False] * 2, [True] * 5]
    assert frames.sum(dim=(1, 2)).tolist() == [12, 20]


def test_batches_hold_every_recording_once_and_are_full():
    lengths = [random.Random(n).randint(10, 90) for n in range(50)]
    examples = [Spoken(torch.zeros(length, 2), [5]) for length in lengths]
    plan = plan_speech(examples, 200, seed=1)
    assert sorted(number for batch in plan for number in batch) == list(range(50))
    sizes = [len(batch) * max(lengths[number] for number in batch) for batch in plan]
    assert max(sizes) <= 200
    assert len(plan) < 2 * sum(lengths) / 200
    assert plan_speech(examples, 1, seed=1)
    assert plan_speech([], 100, seed=1) == []


def test_an_epoch_has_every_text_and_is_the_same_again(corpus):
    epoch, again, other = (corpus.epoch(number) for number in (3, 3, 4))
    tokens = sorted(token for example in epoch for token in example.target)
    assert tokens == sorted(itertools.chain.from_iterable(corpus.targets[0]))
    assert len(epoch) < 200
    assert all(torch.equal(a.source, b.source) for a, b in zip(epoch, again, strict=True))
    assert [len(example.source) for example in epoch] != [len(each.source) for each in other]


def test_a_batch_for_training_is_of_one_length(corpus):
    examples = corpus.epoch(0)[:7]
    batch = corpus.batch(examples)
    assert batch.mask.all()
    assert batch.source.shape[1] == max(len(example.source) for example in examples)
    assert (
        batch.target[:, 1:] == batch.labels[:, :-1].masked_fill(batch.labels[:, :-1] == EOS, 0)
    ).all()


def test_some_words_in_a_row_of_a_recording_are_learnt(folder):
    text = RECIPE.replace("[augmentation]", "[augmentation]\ncut = 1.0\ncut_words = 1")
    (folder / "cut.toml").write_text(text.replace("{epochs}", "1"), encoding="utf-8")
    recipe = read_recipe(folder / "cut.toml")
    with pytest.raises(UserError, match="by --start"):
        train(recipe, folder, folder / "run")
    corpus = SpeechCorpus(recipe, folder)
    corpus.encode(corpus.fit())
    lengths = [len(log_mel(each.samples, 16)) for each in corpus.files[0]]
    corpus.cuts = [
        [
            [0, length // 2, length] if " " in each.text else []
            for each, length in zip(corpus.files[0], lengths, strict=True)
        ]
    ]
    draw = random.Random(0)
    for number, (each, length) in enumerate(zip(corpus.files[0], lengths, strict=True)):
        found, letters = corpus._joined(0, [number], draw), each.text.split()
        assert corpus.tokenizer.decode(found.target) in letters
        whole = length if len(letters) == 1 else length / 2
        assert 0.9 * whole < len(found.source) < 1.1 * whole + (1 + len(letters)) * 20


def test_valid_is_not_varied(corpus, folder):
    valid = read_speech(folder / "tones.tar", "valid")
    for utterance, example in zip(valid, corpus.valid_examples, strict=True):
        assert torch.equal(example.source, log_mel(utterance.samples, 16, level="mean"))


# --- the second loss


def paths(scores, labels):
    """Yield the log-probability of every path that says the labels, and the path."""
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        if [token for token, _ in itertools.groupby(path) if token != PAD] == labels:
            yield float(sum(scores[time, token] for time, token in enumerate(path))), path


def by_hand(scores, labels):
    return -float(np.log(sum(np.exp(score) for score, _ in paths(scores, labels))))


def heard_by_hand(scores, labels):
    """Tell in which positions each label is heard on the best path."""
    _, path = max(paths(scores, labels))
    heard, label, before = torch.zeros(len(labels), len(path), dtype=torch.bool), -1, PAD
    for time, token in enumerate(path):
        label += token not in (PAD, before)
        before = token
        if token != PAD:
            heard[label, time] = True
    return heard


def test_ctc_counts_every_path():
    scores = torch.randn(2, 4, 6).log_softmax(dim=-1)
    mask = torch.tensor([[True] * 4, [True, True, True, False]])
    labels = torch.tensor([[4, 4, EOS], [5, EOS, PAD]])
    expected = (by_hand(scores[0], [4, 4]) + by_hand(scores[1, :3], [5])) / 3
    assert float(ctc_loss(scores, mask, labels)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_the_best_path_is_the_best_of_all(seed):
    torch.manual_seed(seed)
    scores = (2 * torch.randn(3, 5, 6)).log_softmax(dim=-1)
    mask = torch.arange(5) < torch.tensor([5, 3, 1])[:, None]
    labels = torch.tensor([[4, 4, EOS], [5, EOS, PAD], [4, 5, EOS]])
    heard = best_path(scores, mask, labels)
    assert torch.equal(heard[0, :2], heard_by_hand(scores[0], [4, 4]))
    assert torch.equal(heard[1, :1, :3], heard_by_hand(scores[1, :3], [5]))
    assert not heard[0, 2].any()
    assert not heard[1, 1:].any()
    assert not heard[2].any()  # one position cannot be two labels


def test_the_guide_asks_for_attention_near_what_is_heard():
    heard = torch.zeros(1, 2, 20, dtype=torch.bool)
    heard[0, 0, 5] = True
    labels = torch.tensor([[4, EOS]])
    weights = torch.zeros(1, 2, 20)
    weights[0, 0, 7], weights[0, 0, 15], weights[0, 1, 0] = 0.5, 0.5, 1.0
    assert float(guide_loss(weights, heard, labels)) == pytest.approx(np.log(2) / 2)
    weights[0, 0, 7], weights[0, 0, 15] = 1.0, 0.0
    assert float(guide_loss(weights, heard, labels)) == 0


@pytest.mark.parametrize(
    ("values", "ctc"),
    [({"attention": "dot"}, 0.0), ({}, 1.0), ({"architecture": "transformer"}, 1.0)],
)
def test_a_guide_needs_something_to_guide_and_to_go_by(values, ctc):
    with pytest.raises(UserError, match="guide needs"):
        Objective(
            build(Config.from_dict({"vocabulary": 9, "width": 8, **values})), ctc=ctc, guide=1.0
        )


def test_too_many_labels_for_the_sound_cost_nothing():
    scores = torch.randn(1, 2, 6).log_softmax(dim=-1)
    loss = ctc_loss(scores, torch.ones(1, 2, dtype=torch.bool), torch.tensor([[4, 4, 5, EOS]]))
    assert float(loss) == 0


def test_the_second_loss_reaches_the_encoder_only():
    values = {"attention": "dot", "feeds": "token", "tied": False, "dropout": 0.0}
    model = build(
        Config.from_dict({"vocabulary": 9, "input": "audio", "bins": 8, "width": 8, **values})
    )
    batch = collate_speech([Spoken(torch.randn(20, 8), [4, 5]), Spoken(torch.randn(14, 8), [6])])
    plain, both = Objective(model), Objective(model, ctc=1.0)
    loss = plain(batch)
    extra = both(batch) - loss
    assert extra > 0
    extra.backward()
    assert any(
        weight.grad is not None and weight.grad.any() for weight in model.encoder.parameters()
    )
    rest = [weight.grad for weight in model.decoder.parameters()]
    assert all(grad is None or grad.abs().max() < 1e-6 for grad in rest)


# --- the whole way


@pytest.fixture(scope="module")
def trained(folder):
    return train(read_recipe(folder / "recipe.toml"), folder, folder / "work")


@pytest.mark.slow
def test_tones_are_learnt_in_seconds(trained, folder):
    valid = read_speech(folder / "tones.tar", "valid")
    scores = evaluate_speech(trained, {"tones": valid}, Options(method="greedy"))
    assert scores["word_error_rate"] < 25
    assert scores["by_corpus"]["tones"]["recordings"] == 20
    assert scores["loss"] < 0.5


@torch.no_grad()
def test_attention_moves_through_the_sound(trained, folder):
    backward, moves = 0, 0
    for utterance in read_speech(folder / "tones.tar", "valid"):
        [heard] = features([utterance], 16, "mean", 0.0)
        memory = trained.model.encode(heard[None])
        ids = [2, *trained.tokenizer.encode(utterance.text)]
        weights = trained.model.decoder(torch.tensor([ids]), memory, record=True).weights[
            0, :, 0, 0
        ]
        centres = weights @ torch.arange(weights.shape[1], dtype=torch.float32)
        letters = [
            n for n, token in enumerate(ids[1:]) if trained.tokenizer.pieces([token])[0] != "▁"
        ]
        steps = centres[letters].diff()
        backward, moves = backward + int((steps < 0).sum()), moves + len(steps)
    assert backward <= 0.1 * moves


def test_batched_recordings_are_heard_as_alone(trained, folder):
    heard = features(read_speech(folder / "tones.tar", "valid"), 16, "mean", 0.0)
    options = Options(beam_width=2)
    together = transcribe(trained, heard, options)
    alone = [transcribe(trained, [each], options)[0] for each in heard]
    assert [to_text(trained, a) for a in together] == [to_text(trained, b) for b in alone]


def test_the_loss_is_that_of_each_recording(trained, corpus):
    parts = [speech_loss(trained.model, [example]) for example in corpus.valid_examples]
    counts = [len(example.target) + 1 for example in corpus.valid_examples]
    mean = np.average(parts, weights=counts)
    assert speech_loss(trained.model, corpus.valid_examples) == pytest.approx(mean, abs=1e-4)


def test_the_command_line_trains_and_scores(folder, tmp_path, capsys):
    out, work = tmp_path / "tones", tmp_path / "work"
    arguments = [str(folder / "short.toml"), "--data", str(folder), "--out", str(out)]
    assert main(["train", *arguments, "--work", str(work)]) == 0
    assert "word_error_rate" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md",
        "card.toml",
        "config.json",
        "evaluation.json",
        "model.safetensors",
        "recipe.toml",
        "tokenizer.model",
        "training.jsonl",
    ]
    evaluation = json.loads((out / "evaluation.json").read_text())
    assert evaluation["by_corpus"]["tones"]["words"] > 20
    assert "| tones | 20 |" in (out / "README.md").read_text()
    assert not any("head" in name for name, _ in load(out).model.named_parameters())
    assert main(["evaluate", str(out), str(folder / "tones.tar"), "--json", "--limit", "5"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["recordings"] == 5
    assert set(scores["by_corpus"]) == {"tones"}
    assert scores["normalised"]["word_error_rate"] == scores["word_error_rate"]
    assert scores["normalised"]["normaliser"].startswith("English")
    archive = str(folder / "tones.tar")
    assert main(["evaluate", str(out), archive, "--json", "--split", "train"]) == 0
    assert json.loads(capsys.readouterr().out)["recordings"] > 20
    assert main(["evaluate", str(out), archive, "--split", "none"]) == 2
    assert "'none'" in capsys.readouterr().err


def test_a_recording_is_encoded_once_and_its_loss_is_that_of_training(trained, folder, monkeypatch):
    valid, done, encoded = read_speech(folder / "tones.tar", "valid"), [], []
    encode = trained.model.encode

    def counted(frames, mask):
        encoded.append(len(frames))
        return encode(frames, mask)

    monkeypatch.setattr(trained.model, "encode", counted)
    scores = evaluate_speech(trained, {"tones": valid}, Options(method="greedy"), done.append)
    assert sum(encoded) == sum(done) == len(valid)
    corpus = SpeechCorpus(read_recipe(folder / "recipe.toml"), folder)
    corpus.encode(trained.tokenizer)
    assert scores["loss"] == pytest.approx(corpus.loss(trained.model), abs=1e-3)


def test_words_taken_for_others_are_counted(trained, folder, monkeypatch):
    valid = read_speech(folder / "tones.tar", "valid")[:4]
    texts = iter(["B d", "b e", "b e", "b"])
    monkeypatch.setattr(
        "seq2seq.evaluation.evaluate_speech.to_text", lambda checkpoint, found: next(texts)
    )
    said = [each._replace(text="b d") for each in valid]
    monkeypatch.setattr(
        "seq2seq.evaluation.evaluate_speech.in_groups", lambda lengths, size: [[0, 1, 2, 3]]
    )
    scores = evaluate_speech(trained, {"tones": said}, Options(method="greedy"))
    assert scores["confusions"] == [{"said": "d", "heard": "e", "times": 2}]
    assert scores["word_error_rate"] == 50.0
    assert scores["normalised"]["word_error_rate"] == 37.5


def test_strings_are_for_each_file(folder, tmp_path):
    text = RECIPE.replace("{epochs}", "1").replace("strings = [1]", "strings = [2, 3]")
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(UserError, match="strings"):
        SpeechCorpus(read_recipe(tmp_path / "recipe.toml"), folder)


def test_speakers_who_are_held_out_are_neither_learnt_nor_chosen_by(folder, tmp_path):
    text = RECIPE.replace("{epochs}", "1")
    text = text.replace("[tokenizer]", 'held_out_speakers = ["s1"]\n[tokenizer]')
    (tmp_path / "recipe.toml").write_text(text)
    corpus = SpeechCorpus(read_recipe(tmp_path / "recipe.toml"), folder)
    heard = [one.speaker for file in (*corpus.files, *corpus.valid.values()) for one in file]
    assert set(heard) == {"s0", "s2"}
    for names, said in ((["s9"], "'s9'"), (["s0", "s1", "s2"], "everybody in tones.tar")):
        (tmp_path / "recipe.toml").write_text(text.replace('["s1"]', json.dumps(names)))
        with pytest.raises(UserError, match=said):
            SpeechCorpus(read_recipe(tmp_path / "recipe.toml"), folder)


def test_a_checkpoint_is_scored_on_whom_its_recipe_held_out(trained, folder, tmp_path, capsys):
    text = RECIPE.replace("{epochs}", "1")
    for name, recipe in (
        ("whole", text),
        ("without", text.replace("[tokenizer]", 'held_out_speakers = ["s1", "s2"]\n[tokenizer]')),
        ("nobody", text.replace("[tokenizer]", 'held_out_speakers = ["s9"]\n[tokenizer]')),
    ):
        (tmp_path / name).mkdir()
        save(tmp_path / name, trained.model, trained.tokenizer)
        (tmp_path / name / "recipe.toml").write_text(recipe)
        (tmp_path / name / "training.jsonl").write_text('{"step": 9, "seconds": 130.0}\n')
        (tmp_path / name / "card.toml").write_text(
            read_recipe(tmp_path / name / "recipe.toml").card.to_toml()
        )
    whole = tmp_path / "whole"
    (whole / "evaluation.json").write_text('{"hardware": "a machine"}')
    words = ["assess", str(whole), "--data", str(folder)]
    assert main([*words, "--held-out", str(tmp_path / "without")]) == 0
    found = json.loads((whole / "evaluation.json").read_text())["held_out_speakers"]
    everybody = read_speech(folder / "tones.tar", "")
    for entry, speaker in zip(found, ("s1", "s2"), strict=True):
        said = [one for one in everybody if one.speaker == speaker]
        scores = evaluate_speech(trained, {speaker: said})
        assert entry["speaker"] == speaker
        assert entry["recordings"] == len(said) > 0
        assert entry["word_error_rate"] == pytest.approx(scores["word_error_rate"], abs=1)
        assert entry["minutes"] == 2
    row = f"| s1 | {found[0]['recordings']} | {found[0]['word_error_rate']} |"
    assert row in (whole / "README.md").read_text()
    assert main(words) == 0  # what was measured before stays
    assert json.loads((whole / "evaluation.json").read_text())["held_out_speakers"] == found
    capsys.readouterr()
    (tmp_path / "unlogged").mkdir()
    shutil.copy(tmp_path / "without" / "recipe.toml", tmp_path / "unlogged")
    for name, said in (
        ("whole", "holds out no speaker"),
        ("nobody", "speaker 's9'"),
        ("unlogged", "training.jsonl"),
    ):
        assert main([*words, "--held-out", str(tmp_path / name)]) == 2
        assert said in capsys.readouterr().err


def test_the_speakers_to_score_can_be_named(trained, folder, tmp_path, capsys):
    save(tmp_path / "heard", trained.model, trained.tokenizer)
    (tmp_path / "heard" / "card.toml").write_text(trained.card.to_toml())
    archive = str(folder / "tones.tar")
    words = ["evaluate", str(tmp_path / "heard"), archive, "--json", "--speakers"]
    assert main([*words, "s0", "s2"]) == 0
    words_said = [one.text for one in read_speech(Path(archive), "", ("s0", "s2"))]
    found = json.loads(capsys.readouterr().out)
    assert found["recordings"] == len(words_said)
    assert main([*words, "s9"]) == 2
    assert "has no speaker 's9'" in capsys.readouterr().err
