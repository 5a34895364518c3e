"""What if, by AppTest, with tiny checkpoints."""

import shutil

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

SENTENCE = "The old dog sleeps in the garden."
WITH_ATTENTION = ["lstm-attention", "rnn-additive", "transformer"]


@pytest.fixture(autouse=True)
def root(checkpoint_root, tmp_path, monkeypatch):
    copy = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", copy)
    monkeypatch.setattr("ui.models.DEFAULT", "lstm-attention")
    st.cache_resource.clear()
    yield copy
    st.cache_resource.clear()


def open_tab(name, **query):
    at = AppTest.from_file("../pages/translation.py", default_timeout=60)
    query = {"checkpoint": name, "text": SENTENCE, "tab": "What if", **query}
    for key, value in query.items():
        at.query_params[key] = value
    return at.run()


def said(at, what):
    return [e.value for e in (*at.caption, *at.markdown, *at.info) if what in e.value]


@pytest.mark.parametrize("name", WITH_ATTENTION)
@pytest.mark.parametrize(
    "preset",
    ["One word only", "All words alike", "One token further", "One token back", "By hand"],
)
def test_a_row_is_changed_shown_and_taken_back(name, preset):
    at = open_tab(name, preset=preset, step="2")
    assert not at.exception
    assert said(at, "Nothing is changed yet")
    at.button(key="change_row").click().run()
    assert not at.exception
    assert not at.error
    assert "edit" in at.query_params
    assert said(at, "before,")
    assert said(at, "had the probability")
    assert len(at.get("plotly_chart")) == 2
    at.button(key="undo_0").click().run()
    assert "edit" not in at.query_params
    assert said(at, "Nothing is changed yet")


@pytest.mark.parametrize("name", WITH_ATTENTION)
def test_a_link_restores_muted_words_and_rows(name):
    first = open_tab(name, preset="All words alike", step="3")
    first.button(key="change_row").click().run()
    edit = first.query_params["edit"]
    edit = edit if isinstance(edit, str) else edit[0]
    at = open_tab(name, edit=edit, muted=["2 old", "3 dog"])
    assert not at.exception
    assert at.get("button_group")  # the pills of words
    assert said(at, "Step 3 looks most at")
    assert said(at, "before,")


@pytest.mark.parametrize("name", [*WITH_ATTENTION, "gru-plain"])
def test_another_source_is_run_beside(name):
    at = open_tab(name, instead="The old dog slept.")
    assert not at.exception
    assert said(at, "before,")


def test_a_contrast_becomes_the_other_source():
    at = open_tab("lstm-attention", text="My sister is here.")
    at.pills(key="contrast").set_value("tense").run()
    assert at.text_input(key="instead").value == "My sister was here."
    assert said(at, "before,")


def test_a_model_without_attention_says_why():
    at = open_tab("gru-plain")
    assert any("change the source above" in info.value for info in at.info)


@pytest.mark.parametrize("name", WITH_ATTENTION)
def test_a_word_is_made_to_be_said(name):
    at = open_tab(name, preset="Make it say", say="chat")
    assert not at.exception
    assert said(at, "The best row found raises")
    at.button(key="change_row").click().run()
    assert said(at, "had the probability")


def test_a_word_that_cannot_be_said_is_named():
    at = open_tab("lstm-attention", preset="Make it say", say="🙂")
    assert not at.exception
    assert "choose another" in at.error[0].value


@pytest.mark.parametrize(
    "edit", ["x", "1.a.a.", "0.9.9.1_1", "0.a.a.0_0_0", "999.a.a.1", "0.a.a." + "1_" * 5_000]
)
def test_nonsense_in_a_link_is_ignored(edit):
    at = open_tab("transformer", edit=edit, muted="99 nothing", preset="x", edit_layer="77")
    assert not at.exception
    assert not at.error
    assert said(at, "Nothing is changed yet")


def test_all_weights_zero_are_refused_in_a_sentence():
    at = open_tab("lstm-attention", preset="By hand")
    for slider in [each for each in at.slider if str(each.key).startswith("share ")]:
        at.slider(key=slider.key).set_value(0.0)
    at.run()
    assert any("some weight" in warning.value for warning in at.warning)
