import json
import random
import shutil

import pytest

from seq2seq.checkpoint import load
from seq2seq.cli.main import main
from seq2seq.data.parallel_corpus import Pair, read_pairs
from seq2seq.evaluation.evaluate import evaluate
from seq2seq.evaluation.results import read_studies
from seq2seq.inference.generation import generate
from seq2seq.training.datasets import read_corpus
from seq2seq.training.recipe import read_recipe

RECIPE = """
[card]
title = "Letters, backwards"
task = "translation"
licence = "CC0-1.0"
languages = ["en", "fr"]
[data]
train = ["short.tsv", "long.tsv"]
valid = ["valid.tsv"]
share = [1.0, 0.5]
{limit}
[tokenizer]
pieces = 21
[model]
cell = "gru"
width = 12
attention = "dot"
feeds = "token"
[training]
epochs = 1
batch_tokens = 400
"""


@pytest.fixture(scope="module")
def trained_folder(tmp_path_factory):
    """A folder of pairs with a checkpoint that was trained on them."""
    folder = tmp_path_factory.mktemp("letters")
    draw = random.Random(0)
    for name, count, lengths in (
        ("short", 200, (2, 4)),
        ("long", 400, (5, 8)),
        ("valid", 20, (3, 5)),
    ):
        lines = []
        for _ in range(count):
            letters = draw.choices("abcdefgh", k=draw.randint(*lengths))
            lines.append(f"{' '.join(letters)}\t{' '.join(reversed(letters))}\n")
        (folder / f"{name}.tsv").write_text("".join(lines))
    (folder / "recipe.toml").write_text(RECIPE.format(limit=""))
    work, out = str(folder / "work"), str(folder / "letters")
    words = ["train", str(folder / "recipe.toml"), "--data", str(folder)]
    assert main([*words, "--work", work, "--out", out]) == 0
    return folder


@pytest.fixture
def folder(trained_folder, tmp_path):
    """Give a copy of it that a test may change."""
    return shutil.copytree(trained_folder, tmp_path, dirs_exist_ok=True)


def test_english_to_french_is_scored_on_names_numbers_and_typing(folder):
    scores = json.loads((folder / "letters" / "evaluation.json").read_text(encoding="utf-8"))
    found = scores["robustness"]
    assert found["kept"]["probes"] > 100
    assert found["kept"]["names"] == 0  # it knows eight letters
    assert set(found["typing"]["lost"]) == {"upper", "lower", "unended", "typographic"}
    card = (folder / "letters" / "README.md").read_text(encoding="utf-8")
    assert "keeps 0.0 % of the names" in card


def test_a_limit_draws_the_same_pairs_for_every_epoch_as_the_shares_say(tmp_path, folder):
    (tmp_path / "limited.toml").write_text(RECIPE.format(limit="limit = 80"))
    corpus = read_corpus(read_recipe(tmp_path / "limited.toml"), tmp_path)
    again = read_corpus(read_recipe(tmp_path / "limited.toml"), tmp_path)
    assert corpus.files == again.files
    assert [len(file) for file in corpus.files] == [40, 40]  # 200 x 1.0 and 400 x 0.5 are as many
    for name, file in zip(("short", "long"), corpus.files, strict=True):
        assert set(file) <= set(read_pairs(tmp_path / f"{name}.tsv", ()))
    tokenizer = read_corpus(read_recipe(tmp_path / "recipe.toml"), tmp_path).fit()
    corpus.encode(tokenizer)
    first, second = (sorted(map(str, corpus.epoch(number))) for number in (0, 1))
    assert first == second
    assert len(first) == 80


def test_a_limit_is_for_pairs_of_texts(tmp_path, folder, capsys):
    text = RECIPE.format(limit="limit = 80").replace("width = 12", 'width = 12\ninput = "audio"')
    (tmp_path / "recipe.toml").write_text(text)
    assert main(["train", str(tmp_path / "recipe.toml"), "--data", str(tmp_path)]) == 2
    assert "limit is for pairs of texts" in capsys.readouterr().err


@pytest.mark.slow
def test_a_study_is_kept_as_numbers_beside_the_checkpoint(folder, capsys):
    def study(*more):
        words = ["study", str(folder / "letters"), "--data", str(folder), "--minutes", "0.03"]
        assert main([*words, "--work", str(folder / "study"), *more]) == 0

    weights = (folder / "letters" / "model.safetensors").read_bytes()
    study("--pairs", "60")
    study("--pairs", "20")
    study("--pairs", "20", "--plain")
    study("--pairs", "60")  # takes the place of the one before
    assert "loss" in capsys.readouterr().out
    kept = read_studies(folder / "letters")
    assert [(each["pairs"], each["plain"]) for each in kept] == [
        (20, False),
        (60, False),
        (20, True),
    ]
    for each in kept:
        assert {"bleu", "bleu_interval", "chrf", "loss", "log"} <= each.keys()
        assert each["loss"] > 0
        assert any("valid_loss" in line for line in each["log"])
    assert (folder / "letters" / "model.safetensors").read_bytes() == weights


@pytest.mark.slow
def test_without_dropout_and_smoothing_the_loss_on_train_can_fall_below_valid(folder):
    words = ["study", str(folder / "letters"), "--data", str(folder), "--minutes", "0.15"]
    assert main([*words, "--work", str(folder / "study"), "--pairs", "10", "--plain"]) == 0
    (entry,) = read_studies(folder / "letters")
    train = [line["train_loss"] for line in entry["log"] if "train_loss" in line]
    valid = [line["valid_loss"] for line in entry["log"] if "valid_loss" in line]
    assert train[-1] < valid[-1]
    assert train[-1] < train[0]


@pytest.mark.parametrize("wrong", [("--pairs", "0"), ("--minutes", "0")])
def test_a_study_needs_pairs_and_time(folder, wrong, capsys):
    given = {"--pairs": "10", "--minutes": "1", **dict([wrong])}
    words = [each for pair in given.items() for each in pair]
    assert main(["study", str(folder / "letters"), "--data", str(folder), *words]) == 2
    assert "must be more than 0" in capsys.readouterr().err


def test_nothing_is_there_before_the_first_study(folder):
    assert read_studies(folder / "letters") == []
    assert json.loads((folder / "letters" / "evaluation.json").read_text())["sentences"] == 20


def test_registers_are_scored_one_by_one_on_the_first_reference_of_each_source(folder):
    text = RECIPE.format(limit='registers = ["valid.tsv", "tales.tsv"]')
    (folder / "letters" / "recipe.toml").write_text(text)
    first = (folder / "valid.tsv").read_text()
    sources = [line.split("\t")[0] for line in first.splitlines()]
    written = [each.text for each in generate(load(folder / "letters"), sources)]
    second = "".join(f"{pair[0]}\t{pair[1]}\n" for pair in zip(sources, written, strict=True))
    (folder / "valid.tsv").write_text(first + second)
    (folder / "tales.tsv").write_text("".join(first.splitlines(keepends=True)[:3]))
    assert main(["assess", str(folder / "letters"), "--data", str(folder)]) == 0
    scores = json.loads((folder / "letters" / "evaluation.json").read_text(encoding="utf-8"))
    found = scores["registers"]
    assert list(found) == ["valid.tsv", "tales.tsv"]
    assert found["valid.tsv"]["sentences"] == len(set(sources))
    assert scores["references"] > found["valid.tsv"]["sentences"]
    pairs = {
        source: line.split("\t")[1]
        for source, line in zip(sources, first.splitlines(), strict=True)
    }
    alone = evaluate(load(folder / "letters"), [Pair(*each) for each in pairs.items()])
    assert found["valid.tsv"]["chrf"] == alone["chrf"] != scores["chrf"]
    assert list(scores["data"]) == ["valid.tsv"]  # of the scores that checkpoints are compared by
    card = (folder / "letters" / "README.md").read_text(encoding="utf-8")
    assert f"| `tales.tsv` | {found['tales.tsv']['sentences']} |" in card


def test_a_register_that_is_missing_is_told_before_the_training(tmp_path, folder, capsys):
    (tmp_path / "recipe.toml").write_text(RECIPE.format(limit='registers = ["tales.tsv"]'))
    assert main(["train", str(tmp_path / "recipe.toml"), "--data", str(tmp_path)]) == 2
    assert "tales.tsv" in capsys.readouterr().err
