"""The published catalogue: uploaded from one clone, run from another that has cards alone."""

import json
import re
import shutil
from email.message import Message

import huggingface_hub
import pytest
import streamlit as st

from seq2seq import catalogue
from seq2seq.checkpoint import load, save
from seq2seq.cli.main import main
from seq2seq.errors import UserError
from seq2seq.hub.repository import parse
from seq2seq.training import project_address
from seq2seq.training.publication import publish, publish_all
from tests.visit import SENTENCE, charts, visit

NAMES = ("gru-plain", "lstm-attention", "rnn-additive", "transformer")
PROJECT = "https://example.org/seq2seq-explorer"


@pytest.fixture
def first_clone(root, server, monkeypatch):
    """The tiny checkpoints, whose README.md training has not written yet, and a token."""
    monkeypatch.setenv("HF_TOKEN", server.token)
    for name in NAMES:
        (root / name / "README.md").unlink()
    (root / "other").mkdir()
    (root / "other/card.toml").write_text(
        'title = "Another"\ntask = "speech"\nlicence = "MIT"\nhub = "u/other"\n'
    )
    return root


@pytest.fixture
def clone(first_clone, server, tmp_path, monkeypatch, capsys):
    """A clone with the pinned cards and nothing else, as another person has it, without a token."""
    empty = tmp_path / "clone"
    assert main(["publish", "--all", "u/explorer", "--cards", str(empty)]) == 0
    assert capsys.readouterr().out == f"{server.hub}/u/explorer\n"
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(catalogue, "CHECKPOINTS", empty)
    st.cache_resource.clear()
    st.cache_data.clear()
    return empty


def record(name, capsys):
    """Return the whole record of a run, as the command line prints it."""
    assert main(["run", name, SENTENCE, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    return {key: value for key, value in found.items() if key not in ("seconds", "notes")}


def test_all_of_ours_go_to_one_repository_in_one_commit(first_clone, server):
    published = publish_all("u/explorer", project=PROJECT)
    model = server.models["u/explorer"]
    assert len(model.commits) == 2  # the empty one that made the repository, and ours
    files = model.commits[model.refs["main"]]
    assert {name.split("/")[0] for name in files if "/" in name} == set(NAMES)
    assert (
        files["transformer/config.json"] == (first_clone / "transformer/config.json").read_bytes()
    )
    top = files["README.md"].decode()
    assert top in server.cards
    assert f"[Seq2Seq Explorer]({PROJECT})" in top
    assert huggingface_hub.ModelCard(top).data.license == "cc0-1.0"
    for name in NAMES:
        assert f"[{name}](./{name})" in top
        assert parse(published.cards[name].hub).revision == model.refs["main"]
        card = files[f"{name}/README.md"].decode()
        assert f'python -m seq2seq run u/explorer/{name} "The cat sleeps."' in card
        assert f"[Seq2Seq Explorer]({PROJECT})" in card
    server.uploads.clear()
    assert publish_all("u/explorer", project=PROJECT) == published
    assert server.uploads == []


def linked(server, repository, name=""):
    """Return what the model card of a published model links to."""
    model = server.models[repository]
    card = model.commits[model.refs["main"]][f"{name}/README.md" if name else "README.md"].decode()
    return re.search(r"\[Seq2Seq Explorer\]\((.+?)\)", card)


def test_cards_link_to_the_catalogue_where_the_project_has_no_address(clone, mine, server):
    assert not project_address.declared_address()
    for name in NAMES:
        assert linked(server, "u/explorer", name)[1] == f"{server.hub}/u/explorer"
    assert not linked(server, "u/explorer")  # which is the catalogue
    # Who publishes a model of their own has its cards.
    publish(mine, "v/mine", server.token)
    assert linked(server, "v/mine")[1] == f"{server.hub}/u/explorer"


def test_cards_link_to_the_address_that_the_package_names(first_clone, mine, server, monkeypatch):
    publish(mine, "v/unlinked", server.token)
    assert not linked(server, "v/unlinked")
    beside = mine.parent / "pyproject.toml"
    beside.write_text(f'[project.urls]\nRepository = "{PROJECT}"\nOther = "https://b.org"\n')
    monkeypatch.setattr(project_address, "BESIDE", beside)
    publish(mine, "v/mine", server.token)
    publish_all("u/explorer")
    for found in (("v/mine",), ("u/explorer",), ("u/explorer", "transformer")):
        assert linked(server, *found)[1] == PROJECT
    installed = Message()
    installed["Project-URL"] = "Repository, https://installed.org/a"
    monkeypatch.setattr(project_address, "metadata", lambda name: installed)
    assert project_address.declared_address() == "https://installed.org/a"


def test_a_clone_of_cards_runs_as_the_first_one_does(
    first_clone, server, clone, monkeypatch, capsys
):
    assert sorted(path.relative_to(clone).as_posix() for path in clone.rglob("*.*")) == [
        f"{name}/card.toml" for name in NAMES
    ]
    monkeypatch.setattr(catalogue, "CHECKPOINTS", first_clone)
    expected = {name: record(name, capsys) for name in NAMES}
    # What is published later does not change what a card has pinned.
    model = server.models["u/explorer"]
    revision = model.refs["main"]
    model.commit(dict.fromkeys(model.commits[revision], b"later"))
    monkeypatch.setattr(catalogue, "CHECKPOINTS", clone)
    assert {name: record(name, capsys) for name in NAMES} == expected
    assert main(["list"]) == 0
    assert f"\tfrom u/explorer/transformer@{revision}\n" in capsys.readouterr().out


def test_without_a_network_the_message_says_so_until_it_was_fetched(clone, monkeypatch, capsys):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(["run", "transformer", SENTENCE]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said == ["seq2seq: HF_HUB_OFFLINE keeps u/explorer from being reached: unset it."]
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert main(["run", "transformer", SENTENCE]) == 2
    assert "The Hub cannot be reached: check the connection" in capsys.readouterr().err
    monkeypatch.undo()


def test_what_was_fetched_needs_no_network(clone, server, monkeypatch, capsys):
    online = record("transformer", capsys)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    server.requests.clear()
    assert record("transformer", capsys) == online
    assert server.count() == 0


def test_the_app_offers_the_cards_and_then_shows_all(first_clone, clone):
    measured = json.loads((first_clone / "lstm-attention/evaluation.json").read_text())
    assert measured["bleu"] == 1.0
    at = visit("translation", text=SENTENCE)
    assert not at.exception
    assert (
        at.selectbox(key="checkpoint").options[0] == "A tiny model · download of 1 MB (gru-plain)"
    )
    assert not charts(at)
    next(each for each in at.button if each.label == "Download 1 MB").click().run()
    assert not at.exception
    at = visit("translation", text=SENTENCE, checkpoint="gru-plain", tab="Probabilities")
    assert not at.exception
    assert charts(at)
    load("lstm-attention")
    at = visit("translation", text=SENTENCE)
    assert at.selectbox(key="checkpoint").options[0].startswith("A tiny model · BLEU 1")
    for page in ("start", "compare", "context_vector", "models", "benchmarks"):
        assert not visit(page).exception


@pytest.fixture
def mine(tmp_path, checkpoint_root):
    """A model of one's own, saved with a card and no README.md."""
    folder = tmp_path / "mine"
    checkpoint = load(checkpoint_root / "transformer")
    save(folder, checkpoint)
    return folder


def test_a_folder_of_ones_own_needs_no_readme(mine, server):
    published = publish(mine, "u/mine", server.token, project=PROJECT)
    assert published.address == f"{server.hub}/u/mine"
    revision = server.models["u/mine"].refs["main"]
    assert published.cards["mine"].hub == f"u/mine@{revision}"
    assert not (mine / "README.md").exists()
    card = server.models["u/mine"].commits[revision]["README.md"].decode()
    data = huggingface_hub.ModelCard(card).data
    assert (data.license, data.pipeline_tag, data.language) == (
        "cc0-1.0",
        "translation",
        ["en", "fr"],
    )
    assert data.eval_results is None
    for said in ("# A tiny model", "Fresh weights: it has learnt nothing.", "run u/mine "):
        assert said in card
    assert "has not been scored" in card


def test_what_somebody_wrote_stays_but_for_the_name_that_is_run(mine, server):
    written = "---\nlicense: mit\npipeline_tag: translation\n---\n# Mine\n\nBy hand.\n\n"
    (mine / "README.md").write_text(
        f"{written}python -m seq2seq run mine hello\npython -m seq2seq run miner hello\n"
    )
    publish(mine, "u/mine", server.token)
    files = server.models["u/mine"].commits[server.models["u/mine"].refs["main"]]
    assert files["README.md"].decode() == (
        f"{written}python -m seq2seq run u/mine hello\npython -m seq2seq run miner hello\n"
    )


def test_there_must_be_something_to_publish(root, server, capsys):
    for name in NAMES:
        shutil.rmtree(root / name)
    with pytest.raises(UserError, match="No checkpoint of ours is in checkpoints/: train one"):
        publish_all("u/explorer", server.token)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["transformer"], "takes a checkpoint and USER/REPO, or --all USER/REPO"),
        (["transformer", "u/r", "--all", "u/r"], "takes a checkpoint and USER/REPO"),
        (["transformer", "u/r", "--project", "our site"], "give an address with https://"),
        (["--all", "alone"], "write USER/REPO"),
    ],
)
def test_a_mistake_in_the_command_is_a_sentence(root, capsys, arguments, said):
    assert main(["publish", *arguments]) == 2
    assert said in capsys.readouterr().err
