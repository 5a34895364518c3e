"""A checkpoint published under a name, and model cards as the Hub wants them."""

import dataclasses
import json
import shutil
from pathlib import Path

import huggingface_hub
import huggingface_hub.errors
import pytest
import torch

from seq2seq import hub
from seq2seq.checkpoint import load
from seq2seq.cli.main import main
from seq2seq.decoding.options import Options
from seq2seq.hub import upload, watchdog
from seq2seq.hub.metadata import LICENCES, PIPELINE_TAGS
from seq2seq.inference.pipeline import run
from seq2seq.training import publication
from seq2seq.training.model_card import model_card
from seq2seq.training.publication import publish
from seq2seq.training.recipe import read_recipe
from tests.hub.files import SOON


@pytest.fixture
def publishable(checkpoint_root, tmp_path):
    """A tiny checkpoint with a model card as training writes it."""
    folder = tmp_path / "my-model"
    shutil.copytree(checkpoint_root / "transformer", folder)
    (folder / "README.md").write_text(card_of(folder), encoding="utf-8")
    (folder / "training.jsonl").write_text('{"loss": 1}\n', encoding="utf-8")
    (folder / "studies.json").write_text("[]\n", encoding="utf-8")
    (folder / "private-notes.txt").write_text("not to be uploaded", encoding="utf-8")
    return folder


def card_of(folder):
    scores = {
        "precision": "float32",
        "parameters": 1000,
        "data": {"valid.tsv": "0"},
        "options": dataclasses.asdict(Options(beam_width=5)),
        "sentences": 1,
        "references": 1,
        "bleu": 1.5,
        "chrf": 2.5,
        "loss": 3.0,
        "perplexity": 20.1,
        "sentences_per_second": 1.0,
        "bleu_signature": "b",
        "chrf_signature": "c",
        "by_source_length": [],
        "hardware": "a CPU",
        "training_hardware": "a CPU",
        "milliseconds": 6.5,
        "bleu_interval": [1.0, 2.0],
        "training_steps": 1,
        "training_seconds": 60,
        **dict.fromkeys(("distinct_1", "distinct_2", "different", "dull", "repetitive"), 4.0),
        **dict.fromkeys(("words", "words_kept", "kept_f1", "first_words_kept_f1"), 5.0),
        **{f"rouge_{size}": float(place) for place, size in enumerate("12l", start=6)},
        **{f"first_words_rouge_{size}": 9.0 for size in "12l"},
    }
    return model_card(read_recipe(folder / "recipe.toml"), scores)


def same_outputs(first, second):
    text = "The old dog sleeps in the garden."
    traces = [run(load(folder), text) for folder in (first, second)]
    assert traces[0].text == traces[1].text
    weights = [load(folder).model.state_dict() for folder in (first, second)]
    assert weights[0].keys() == weights[1].keys()
    return all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize("target", ["u/new", "u/new/small", "u/new/models/small-one"])
def test_what_is_published_loads_back_by_its_name(server, publishable, monkeypatch, target):
    seen = []
    address, _ = publish(
        publishable, target, server.token, lambda done, total: seen.append((done, total))
    )
    subfolder = target.partition("u/new/")[2]
    assert address == f"{server.hub}/u/new" + (f"/tree/main/{subfolder}" if subfolder else "")
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    shorter = len("my-model") - len(target)  # of the command on the model card
    assert (
        seen[-1][0]
        == seen[-1][1]
        == sum(path.stat().st_size for path in publishable.iterdir() if path.suffix != ".txt")
        - shorter
    )
    assert {name.rpartition("/")[2] for name in server.uploads} == {
        path.name for path in publishable.iterdir() if path.suffix != ".txt"
    }
    fetched = hub.fetch(target)
    assert same_outputs(publishable, fetched.folder)
    server.requests.clear()
    assert hub.fetch(f"{target}@{fetched.revision}").folder == fetched.folder
    assert server.count() == 0


def test_bytes_are_counted_as_they_are_sent(server, publishable, monkeypatch):
    meters = []

    class Meter(watchdog.Meter):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            meters.append(self)

    monkeypatch.setattr(upload, "Meter", Meter)
    publish(publishable, "u/new", server.token)
    sizes = {path.name: path.stat().st_size for path in publishable.iterdir()}
    assert meters[0].done >= sizes["model.safetensors"] + sizes["tokenizer.model"]


def test_publishing_again_uploads_what_has_changed(server, publishable, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", server.token)
    publish(publishable, "u/new")
    server.uploads.clear()
    publish(publishable, "u/new")
    assert server.uploads == []
    text = (publishable / "card.toml").read_text(encoding="utf-8").replace("tiny", "small")
    (publishable / "card.toml").write_text(text, encoding="utf-8")
    publish(publishable, "u/new")
    assert server.uploads == ["card.toml"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "tokenizer.model").unlink(),
        lambda folder: (folder / "model.safetensors").write_bytes(b"x"),
        lambda folder: (folder / "tokenizer.model").write_bytes(b"x"),
        lambda folder: (folder / "card.toml").write_text("title = 3"),
        lambda folder: (folder / "config.json").write_text('{"model_type": "marian"}'),
        lambda folder: shutil.rmtree(folder),
        lambda folder: (folder / "README.md").write_text("# No metadata"),
        lambda folder: (folder / "README.md").write_text("---\n[1, 2\n---\n"),
        lambda folder: (folder / "README.md").write_text("---\n- a\n---\n"),
        lambda folder: swap(folder, "cc0-1.0", "my own"),
        lambda folder: swap(folder, '["en", "fr"]', '["en", "en"]'),
        lambda folder: swap(folder, '["en", "fr"]', '["English"]'),
        lambda folder: swap(folder, "pipeline_tag", "no_tag"),
        lambda folder: swap(folder, 'pipeline_tag: "translation"', 'pipeline_tag: "cooking"'),
        lambda folder: swap(folder, '"value": 1.5', '"valu": 1.5'),
    ],
)
def test_what_is_no_checkpoint_is_not_published(server, publishable, fails_soon, damage):
    damage(publishable)
    fails_soon(lambda: publish(publishable, "u/new", server.token), "", limit=15)
    assert server.count() == 0


def swap(folder, old, new):
    text = (folder / "README.md").read_text(encoding="utf-8")
    (folder / "README.md").write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("target", ["single", "u/r@main", "../x", "", "u/r/../x"])
def test_a_target_that_is_none(server, publishable, fails_soon, target):
    fails_soon(lambda: publish(publishable, target, server.token), "USER/REPO")
    assert server.count() == 0


@pytest.mark.parametrize(
    ("where", "fault", "said"),
    [
        ("repos/create", {"status": 403}, "refuses access"),
        ("repos/create", {"status": 503}, "fault of its own"),
        ("repos/create", {"stall": 0}, "does not answer"),
        ("preupload", {"stall": 0}, "does not answer"),
        ("preupload", {"status": 403}, "refuses access"),
        ("lfs/objects/batch", {"stall": 0}, "does not answer"),
        ("/upload", {"stall": 0}, "does not answer"),
        ("/upload", {"status": 403}, "refuses access"),
        ("/commit/", {"stall": 0}, "does not answer"),
        ("/commit/", {"drop": 3}, "broke off"),
        ("/commit/", {"status": 500}, "fault of its own"),
        ("validate-yaml", {"swap": b"<html>"}, "not the Hub's"),
    ],
)
def test_publishing_that_goes_wrong(server, publishable, fails_soon, where, fault, said):
    server.fail(where, **fault)
    fails_soon(lambda: publish(publishable, "u/new", server.token, patience=SOON), said, limit=15)


def test_publishing_needs_a_token_that_may(server, publishable, fails_soon, monkeypatch):
    fails_soon(lambda: publish(publishable, "u/new"), "HF_TOKEN")
    assert server.count() == 0
    fails_soon(lambda: publish(publishable, "u/new", "hf_wrong"), "HF_TOKEN")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    fails_soon(lambda: publish(publishable, "u/new", server.token), "HF_HUB_OFFLINE")


def test_the_hubs_own_complaint_is_passed_on(server, publishable, fails_soon, monkeypatch):
    monkeypatch.setattr("seq2seq.training.publication.LICENCES", {"licence-nobody-knows"})
    swap(publishable, "cc0-1.0", "licence-nobody-knows")
    said = '"license" must be one of a list'
    fails_soon(lambda: publish(publishable, "u/new", server.token), said)


@pytest.mark.parametrize(
    "task", sorted(PIPELINE_TAGS.keys() - {"speech", "spelling", "forecasting"})
)
@pytest.mark.parametrize(
    ("licence", "name"), [("CC-BY-SA-4.0", None), ("My own one", "my-own-one")]
)
def test_model_cards_are_as_the_hub_wants_them(tmp_path, publishable, task, licence, name):
    recipe = publishable / "recipe.toml"
    text = recipe.read_text(encoding="utf-8").replace('"translation"', f'"{task}"')
    text = text.replace("CC0-1.0", licence).replace('["en", "fr"]', '["en", "en"]')
    recipe.write_text(text, encoding="utf-8")
    card = huggingface_hub.ModelCard(card_of(publishable))
    assert card.data.language == ["en"]
    assert card.data.license in LICENCES
    assert card.data.license_name == name
    assert card.data.pipeline_tag in PIPELINE_TAGS.values()
    metrics = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert metrics == {
        "chatbot": {"perplexity": 20.1},
        "summarization": {"rouge1": 6.0, "rouge2": 7.0, "rougeL": 8.0},
    }.get(task, {"bleu": 1.5, "chrf": 2.5})
    assert " " not in card.data.eval_results[0].dataset_type


def test_the_embedded_model_cards_can_be_published():
    folders = list((Path(__file__).parents[2] / "checkpoints").glob("*/README.md"))
    assert folders
    for path in folders:
        publication.check_card(path.read_text(encoding="utf-8"))


def test_scores_on_several_corpora_are_a_data_set_each():
    folder = Path(__file__).parents[2] / "checkpoints" / "speech-en"
    corpora = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))["by_corpus"]
    card = huggingface_hub.ModelCard((folder / "README.md").read_text(encoding="utf-8"))
    found = card.data.eval_results
    assert len({result.dataset_name for result in found}) == len(corpora) > 1
    rates = [each.metric_value for each in found if each.metric_type == "wer"]
    assert rates == [each["word_error_rate"] for each in corpora.values()]


def test_the_command_publishes(server, publishable, monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", server.token)
    assert main(["publish", str(publishable), "u/new"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{server.hub}/u/new\n"
    assert "Publishing" in captured.err
    assert main(["publish", str(publishable), "nowhere"]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("seq2seq: ")
