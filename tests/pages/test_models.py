"""The page of models, and what is fetched or brought through it."""

import json
import shutil
import threading
import time
from pathlib import Path

import huggingface_hub
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from seq2seq import hub
from seq2seq.checkpoint import load
from seq2seq.inference.pipeline import run
from tests import published
from tests.hub_server import serving
from tests.visit import live_pictures
from ui.runtime import hosting, names, uploads
from ui.runtime import model_store as store

SENTENCE = "The old dog sleeps in the garden."
OURS = ("card.toml", "config.json", "model.safetensors", "tokenizer.model", "README.md")


@pytest.fixture(autouse=True)
def root(checkpoint_root, tmp_path, monkeypatch):
    """Pages that see the tiny checkpoints."""
    copy = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", copy)
    for name in hosting.HOSTED:
        monkeypatch.delenv(name, raising=False)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield copy
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def server(root, tmp_path, monkeypatch):
    """A Hub that has one of the tiny checkpoints."""
    for name in ("HF_HUB_CACHE", "HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    with serving() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.hub)
        files = {name: (root / "transformer" / name).read_bytes() for name in OURS}
        running.model("user/tiny", files)
        yield running
    huggingface_hub.close_session()


def open_page(page="models", **query):
    at = AppTest.from_file(f"../../pages/{page}.py", default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def shown(at):
    parts = (at.markdown, at.caption, at.error, at.info, at.warning)
    return "\n".join(element.value for kind in parts for element in kind)


def name_a_model(text):
    at = open_page()
    at.text_input(key="model").set_value(text).run()
    assert not at.exception
    return at


def button(at, label):
    return next(each for each in at.button if each.label.startswith(label))


def test_every_checkpoint_has_a_card(root):
    (root / "far-away").mkdir()
    (root / "far-away" / "card.toml").write_text(
        'title = "Far away"\ntask = "translation"\nlicence = "MIT"\n'
        'hub = "user/far"\nmegabytes = 12\n'
    )
    at = open_page()
    assert not at.exception
    said = shown(at)
    assert said.count("A tiny model") == 4
    assert "Far away" in said
    assert "download of 12 MB" in said.replace("\\", "")
    at.text_input(key="search_models").set_value("far").run()
    assert "Far away" in shown(at)
    assert "A tiny model" not in shown(at)
    at.segmented_control(key="show_models").set_value("Installed").run()
    assert "No model matches" in shown(at)


def test_a_folder_is_described(root):
    at = name_a_model(str(root / "gru-plain"))
    facts = dict(zip(*(at.table[0].value[name] for name in ("property", "value")), strict=True))
    assert facts["architecture"] == "GRU, no attention"
    assert int(facts["parameters"].replace(",", "")) > 0
    assert "It has no attention" in shown(at)


def test_a_folder_that_was_brought_is_offered_on_its_tasks_page(root, tmp_path):
    elsewhere = shutil.copytree(root / "transformer", tmp_path / "elsewhere")
    name_a_model(str(elsewhere))
    (name,) = store.models().brought
    assert name.startswith("elsewhere-")
    at = open_page("translation", checkpoint=name, text=SENTENCE)
    assert not at.exception
    assert at.selectbox(key="checkpoint").value == name
    assert live_pictures(at)
    at = open_page("translation", checkpoint=name, text=SENTENCE, tab="Attention")
    assert {each.label for each in at.selectbox} >= {"Attention", "Head", "Layer"}


@pytest.mark.parametrize(
    "text", ["/no/such/folder", "no-such-name", "~/..", "x\0y", "a" * 300, "..", "🙂"]
)
def test_what_is_no_folder_is_said(text):
    at = name_a_model(text)
    assert len(at.error) == 1
    assert not at.table


def test_a_hosted_page_says_nothing_of_its_disk(root, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "user/space")
    there, missing = name_a_model(str(root / "transformer")), name_a_model(str(root / "nothing"))
    assert not there.table
    kinds = [after_the_name(at.error[0].value) for at in (there, missing)]
    assert kinds[0] == kinds[1]


def after_the_name(text):
    return text.split("is not an id")[1]


def test_a_damaged_folder_is_refused_and_the_rest_goes_on(root, tmp_path):
    broken = shutil.copytree(root / "transformer", tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"no weights")
    at = name_a_model(str(broken))
    assert "damaged" in at.error[0].value
    assert str(tmp_path) not in shown(at)
    assert "broken" not in open_page("translation").selectbox(key="checkpoint").options


def test_a_model_of_the_hub_is_fetched_after_a_click(server):
    at = name_a_model("user/tiny")
    assert not at.table
    assert "is on the Hugging Face Hub: the download is" in shown(at)
    button(at, "Download").click().run()
    assert not at.exception
    assert at.table
    before = len(server.requests)
    again = name_a_model("user/tiny")
    assert again.table
    assert len(server.requests) == before


def test_a_link_to_a_model_of_the_hub_works_on_a_task_page(server):
    at = open_page("translation", checkpoint="user/tiny", text=SENTENCE)
    assert not at.exception
    assert at.selectbox(key="checkpoint").value == "user/tiny"
    button(at, "Download").click().run()
    assert not at.exception
    assert live_pictures(at)


def test_a_model_that_the_hub_lacks_is_said(server):
    at = name_a_model("user/nothing")
    assert "user/nothing" in at.error[0].value
    assert not at.table


def test_a_hub_that_is_out_of_reach_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    at = name_a_model("user/tiny")
    assert len(at.error) == 1
    assert not at.table


class Upload:
    def __init__(self, path, name=None):
        self.name, self.content = name or path.name, path.read_bytes()

    def getbuffer(self):
        return memoryview(self.content)


def test_uploaded_files_become_a_model(root):
    files = [Upload(path) for path in (root / "rnn-additive").iterdir()]
    name = uploads.bring_files(files)
    assert name.startswith("upload-")
    assert seq2seq_run(name).checkpoint == name
    assert uploads.bring_files(files) == name
    assert names.card_of(name).task == "translation"
    assert name in names.checkpoints_for("translation")


def test_an_upload_is_offered_to_its_visitor_alone_and_ends_with_the_visit(root, monkeypatch):
    there = threading.Event()
    there.set()
    monkeypatch.setattr(uploads, "presence", lambda: there.is_set)
    monkeypatch.setattr(uploads, "LEFT", 0.1)
    monkeypatch.setattr(uploads, "BETWEEN_LOOKS", 0.01)
    files = [
        (path.name, path.read_bytes(), "application/octet-stream")
        for path in (root / "transformer").iterdir()
    ]
    mine = open_page()
    mine.get("file_uploader")[0].set_value(files).run()
    assert not mine.exception
    ((name, brought),) = store.models().brought.items()
    assert name in listed(mine)
    assert name not in listed(open_page())
    title = brought.card.title
    assert title not in open_page("translation").selectbox(key="checkpoint").options
    link = open_page("translation", checkpoint=name, text=SENTENCE)
    assert link.selectbox(key="checkpoint").value == name
    time.sleep(2 * uploads.LEFT)
    assert name in store.models().brought
    there.clear()
    ends = time.monotonic() + 10
    while brought.folder.exists() and time.monotonic() < ends:
        time.sleep(0.01)
    assert not brought.folder.exists()
    assert not store.models().brought
    assert name not in store.models().loaded


def listed(at):
    return "\n".join(each.value for each in at.caption).replace("\\", "")


def test_what_is_forgotten_while_it_is_loaded_is_not_kept(root, monkeypatch):
    kept, load = store.models(), store.Models._load

    def interrupted(self, name):
        checkpoint = load(self, name)
        self.forget(name)  # its visitor has left
        return checkpoint

    monkeypatch.setattr(store.Models, "_load", interrupted)
    uploads.bring_files([Upload(path) for path in (root / "transformer").iterdir()])
    assert not kept.brought
    assert not kept.loaded
    assert not list(Path(kept.uploads.name).iterdir())


@pytest.mark.parametrize("name", ["../config.json", "a/b", ".hidden", "a\\b", ""])
def test_an_upload_cannot_leave_its_folder(root, name):
    place = Path(store.models().uploads.name)
    around = sorted(place.parent.glob("*")), sorted(place.rglob("*"))
    assert uploads.bring_files([Upload(root / "transformer" / "config.json", name or " ")]) is None
    assert (sorted(place.parent.glob("*")), sorted(place.rglob("*"))) == around
    assert not (place.parent / "config.json").exists()


def test_only_so_many_uploads_are_kept(root, tmp_path):
    first = uploads.bring_files([Upload(p) for p in (root / "gru-plain").iterdir()])
    place = store.models().brought[first].folder
    for number in range(store.BROUGHT_KEPT):
        folder = shutil.copytree(root / "transformer", tmp_path / f"upload-{number}")
        assert uploads.bring_folder(str(folder))
    assert first not in store.models().brought
    assert not place.exists()
    again = shutil.copytree(root / "rnn-additive", tmp_path / "one-more")
    assert uploads.bring_folder(str(again))
    assert (tmp_path / "upload-0").exists()  # it is its owner's


def test_the_least_recently_used_model_goes_first(monkeypatch):
    kept = store.models()
    one = store.held_bytes(kept.get("transformer"))
    monkeypatch.setenv("SEQ2SEQ_MODELS_GB", f"{2.5 * max(one, 1) / 1e9:.12f}")
    used = kept.get("transformer")
    for name in ("lstm-attention", "gru-plain", "rnn-additive"):
        kept.get(name)
    assert "rnn-additive" in kept.loaded
    assert "transformer" not in kept.loaded
    assert sum(map(store.held_bytes, kept.loaded.values())) <= 2.5 * one
    assert used.model.parameter_count() > 0  # whoever holds it goes on with it


def seq2seq_run(name):
    return run(store.models().get(name), SENTENCE)


def test_two_folders_of_one_name_are_two_models(root, tmp_path):
    one = shutil.copytree(root / "transformer", tmp_path / "one" / "same")
    two = shutil.copytree(root / "lstm-attention", tmp_path / "two" / "same")
    first, second = uploads.bring_folder(str(one)), uploads.bring_folder(str(two))
    assert first != second
    configs = [store.models().get(name).model.config.architecture for name in (first, second)]
    assert configs == ["transformer", "recurrent"]
    shutil.copyfile(root / "gru-plain" / "card.toml", one / "card.toml")
    (one / "notes.txt").write_text("changed")
    assert uploads.bring_folder(str(one)) not in (first, second)


def test_a_loaded_model_waits_for_nobody(monkeypatch):
    kept, started, go_on = store.models(), threading.Event(), threading.Event()
    ready = kept.get("transformer")
    load = kept._load

    def slow(name):
        started.set()
        go_on.wait(10)
        return load(name)

    monkeypatch.setattr(kept, "_load", slow)
    other = threading.Thread(target=kept.get, args=("gru-plain",))
    other.start()
    assert started.wait(10)
    assert kept.get("transformer") is ready
    go_on.set()
    other.join()
    assert "gru-plain" in kept.loaded


def test_one_model_is_loaded_at_a_time(monkeypatch):
    """Each looks at how much memory is free, which another one may be about to take."""
    kept, loading, most = store.models(), [], []

    def slow(folder, called):
        loading.append(called)
        most.append(len(loading))
        time.sleep(0.1)
        loading.remove(called)
        return load(folder, called=called)

    monkeypatch.setattr("seq2seq.checkpoint.load", slow)
    threads = [
        threading.Thread(target=kept.get, args=(name,)) for name in ("transformer", "gru-plain")
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10)
    assert most == [1, 1]
    assert len(kept.loaded) == 2


def test_a_newer_revision_is_not_fetched_unasked(server, root):
    at = name_a_model("user/tiny")
    button(at, "Download").click().run()
    files = {name: (root / "transformer" / name).read_bytes() for name in OURS}
    server.models["user/tiny"].commit(files | {"README.md": b"# Newer"})
    before = len(server.requests)
    st.cache_resource.clear()
    st.cache_data.clear()
    assert name_a_model("user/tiny").table
    assert seq2seq_run("user/tiny").checkpoint == "user/tiny"
    assert len(server.requests) == before


def test_the_controls_after_a_fetch_are_the_authors(server, root, tmp_path):
    folder, _, _ = published.save(tmp_path, "bart")
    settings = {"num_beams": 3, "length_penalty": 2.0, "no_repeat_ngram_size": 3, "max_length": 30}
    settings |= {"decoder_start_token_id": 2}
    (folder / "generation_config.json").write_text(json.dumps(settings))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    server.model("user/bart", files)
    card = (
        'title = "BART"\ntask = "translation"\nlicence = "MIT"\nhub = "user/bart"\nmegabytes = 1\n'
    )
    (root / "far").mkdir()
    (root / "far" / "card.toml").write_text(card)
    at = open_page("translation", checkpoint="far", text=SENTENCE)
    assert at.selectbox(key="checkpoint").value == "far"
    button(at, "Download").click().run()
    assert not at.exception
    assert at.slider(key="beam_width").value == 3
    assert at.slider(key="length_penalty").value == 2.0
    assert at.slider(key="no_repeat_ngram").value == 3
    assert at.slider(key="max_length").value == 29
    assert live_pictures(at)


@pytest.mark.parametrize("name", ["a" * 10_000, "x/" * 300, "é" * 300, "\x00", "../../etc"])
def test_a_strange_address_is_no_crash(name):
    at = open_page("translation", checkpoint=name, text=SENTENCE)
    assert not at.exception
    assert live_pictures(at) or at.error or at.warning


@pytest.mark.parametrize("name", ["seq2seq/families", "checkpoints/transformer"])
def test_an_id_of_the_hub_is_never_a_folder(server, monkeypatch, name):
    monkeypatch.setenv("SEQ2SEQ_HOSTED", "1")
    at = name_a_model(name)
    assert not at.table
    assert server.count(name) > 0


def test_an_instruction_of_any_length_is_no_crash(tmp_path):
    folder, _, _ = published.save(tmp_path, "t5")
    config = json.loads((folder / "config.json").read_text())
    config["task_specific_params"] = {
        "translation_en_to_fr": {"prefix": "translate: "},
        "too_long": {"prefix": "x" * 300},
    }
    (folder / "config.json").write_text(json.dumps(config))
    name = uploads.bring_folder(str(folder))
    at = open_page("translation", checkpoint=name, text=SENTENCE)
    assert at.selectbox(key="instruction").value == "translate:"
    at = open_page("translation", checkpoint=name, text=SENTENCE, instruction="y" * 5_000)
    assert not at.exception
    assert live_pictures(at)


def authorizations(server):
    return {authorization for _, _, authorization in server.requests}


@pytest.mark.parametrize("kind", [{"private": True}, {"gated": True}, {}])
@pytest.mark.parametrize("page", ["models", "translation"])
def test_a_hosted_page_keeps_its_token_from_what_visitors_name(
    server, root, monkeypatch, page, kind
):
    monkeypatch.setenv("SEQ2SEQ_HOSTED", "1")
    monkeypatch.setenv("HF_TOKEN", server.token)
    files = server.models["user/tiny"].commits[server.models["user/tiny"].refs["main"]]
    server.model("victim/model", files, **kind)
    at = (
        name_a_model("victim/model")
        if page == "models"
        else open_page(page, checkpoint="victim/model")
    )
    assert server.count("victim") > 0
    if kind:
        assert at.error
        assert not [each for each in at.button if each.label.startswith("Download")]
    else:
        button(at, "Download").click().run()
        assert not at.error
    assert authorizations(server) == {None}


def test_a_hosted_page_uses_its_token_for_what_its_operator_lists(server, monkeypatch):
    monkeypatch.setenv("SEQ2SEQ_HOSTED", "1")
    monkeypatch.setenv("HF_TOKEN", server.token)
    monkeypatch.setenv("SEQ2SEQ_PRIVATE_MODELS", "user/other, user/tiny")
    server.models["user/tiny"].private = True
    at = name_a_model("user/tiny")
    button(at, "Download").click().run()
    assert not at.error
    assert f"Bearer {server.token}" in authorizations(server)


@pytest.mark.parametrize(
    ("address", "said", "hosted"),
    [
        ("localhost", "", False),
        ("127.0.0.1", "", False),
        ("::1", "", False),
        (None, "", True),
        ("0.0.0.0", "", True),
        ("::", "", True),
        ("192.168.0.7", "", True),
        ("unix:///run/app", "", True),
        ("0.0.0.0", "0", False),
        ("localhost", "1", True),
    ],
)
def test_listening_to_others_is_hosting(monkeypatch, address, said, hosted):
    monkeypatch.setenv("SEQ2SEQ_HOSTED", said)
    monkeypatch.setattr(st, "get_option", {"server.address": address}.get)
    assert hosting.is_hosted() == hosted


def test_a_hosted_page_keeps_its_cache_within_a_budget(server, monkeypatch):
    monkeypatch.setenv("SEQ2SEQ_HOSTED", "1")
    files = server.models["user/tiny"].commits[server.models["user/tiny"].refs["main"]]
    size = sum(map(len, files.values()))
    monkeypatch.setenv("SEQ2SEQ_DOWNLOADS_GB", f"{2.5 * size / 1e9:.9f}")
    for name in ("user/two", "user/three", "user/four"):
        server.model(name, files)
    for name in ("user/tiny", "user/two", "user/three", "user/four"):
        store.models().loaded.clear()
        button(name_a_model(name), "Download").click().run()
    fetched = [name for name in ("tiny", "two", "three", "four") if hub.cached(f"user/{name}")]
    assert fetched == ["three", "four"]


def test_a_model_in_use_stays_and_one_beyond_the_budget_is_refused(server, monkeypatch):
    monkeypatch.setenv("SEQ2SEQ_HOSTED", "1")
    files = server.models["user/tiny"].commits[server.models["user/tiny"].refs["main"]]
    monkeypatch.setenv("SEQ2SEQ_DOWNLOADS_GB", f"{1.5 * sum(map(len, files.values())) / 1e9:.9f}")
    server.model("user/two", files)
    button(name_a_model("user/tiny"), "Download").click().run()
    at = button(name_a_model("user/two"), "Download").click().run()
    assert "more than is free" in at.error[0].value
    assert hub.cached("user/tiny")


def test_a_recording_brought_as_a_model_is_called_one():
    at = AppTest.from_file("../../pages/models.py", default_timeout=60).run()
    wave = b"RIFF\x24\x00\x00\x00WAVEfmt "
    at.get("file_uploader")[0].set_value(("voice.wav", wave, "audio/wav")).run()
    assert not at.exception
    assert "voice.wav is a recording" in at.error[0].value.replace("\\", "")
