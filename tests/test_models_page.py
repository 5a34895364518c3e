"""The page of models, and what is fetched or brought through it."""

import shutil
from pathlib import Path

import huggingface_hub
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.hub_server import serving
from ui import models as store

SENTENCE = "The old dog sleeps in the garden."
OURS = ("card.toml", "config.json", "model.safetensors", "tokenizer.model", "README.md")


@pytest.fixture(autouse=True)
def root(checkpoint_root, tmp_path, monkeypatch):
    """Pages that see the tiny checkpoints."""
    copy = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", copy)
    monkeypatch.setattr("ui.models.DEFAULT", "lstm-attention")
    for name in store.HOSTED:
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
    at = AppTest.from_file(f"../pages/{page}.py", default_timeout=60)
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
    assert "Hub, 12 MB" in said


def test_a_folder_is_described(root):
    at = name_a_model(str(root / "gru-plain"))
    facts = dict(zip(*(at.table[0].value[name] for name in ("what", "here")), strict=True))
    assert facts["architecture"] == "GRU, no attention"
    assert int(facts["parameters"].replace(",", "")) > 0
    assert "It has no attention" in shown(at)


def test_a_folder_that_was_brought_is_offered_on_its_tasks_page(root, tmp_path):
    elsewhere = shutil.copytree(root / "transformer", tmp_path / "elsewhere")
    name_a_model(str(elsewhere))
    at = open_page("translation", checkpoint="elsewhere", text=SENTENCE)
    assert not at.exception
    assert at.selectbox(key="checkpoint").value == "elsewhere"
    assert at.get("plotly_chart")
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
    return text.split("is no id")[1]


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
    assert "lies on the Hugging Face Hub and takes" in shown(at)
    button(at, "Fetch").click().run()
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
    button(at, "Fetch").click().run()
    assert not at.exception
    assert at.get("plotly_chart")


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
    name = store.bring_files(files)
    assert name.startswith(store.UPLOADED)
    assert store.bring_files(files) == name
    assert store.card_of(name).task == "translation"
    assert name in store.checkpoints_for("translation")


@pytest.mark.parametrize("name", ["../config.json", "a/b", ".hidden", "a\\b", ""])
def test_an_upload_cannot_leave_its_folder(root, name):
    before = sorted(Path(root).rglob("*"))
    assert store.bring_files([Upload(root / "transformer" / "config.json", name or " ")]) is None
    assert sorted(Path(root).rglob("*")) == before


def test_only_so_many_uploads_are_kept(root):
    first = store.bring_files([Upload(p) for p in (root / "gru-plain").iterdir()])
    place = store.models().brought[first][0]
    card = store.card_of(first)
    for number in range(store.BROUGHT_KEPT):
        store.models().bring(f"other-{number}", place / "nothing", card)
    assert first not in store.models().brought
    assert not place.exists()


def test_the_least_recently_used_model_goes_first(monkeypatch):
    kept = store.models()
    one = store._bytes(kept.get("transformer"))
    monkeypatch.setenv("SEQ2SEQ_MODELS_GB", f"{2.5 * max(one, 1) / 1e9:.12f}")
    used = kept.get("transformer")
    for name in ("lstm-attention", "gru-plain", "rnn-additive"):
        kept.get(name)
    assert "rnn-additive" in kept.loaded
    assert "transformer" not in kept.loaded
    assert sum(map(store._bytes, kept.loaded.values())) <= 2.5 * one
    assert used.model.parameter_count() > 0  # whoever holds it goes on with it
