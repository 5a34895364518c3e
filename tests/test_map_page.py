"""The map of sentences, by AppTest, with tiny checkpoints."""

import shutil

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from seq2seq.probes import probes

FIRST = probes(400)[0].text


@pytest.fixture(autouse=True)
def root(checkpoint_root, tmp_path, monkeypatch):
    copy = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", copy)
    monkeypatch.setattr("ui.models.DEFAULT", "lstm-attention")
    st.cache_resource.clear()
    yield copy
    st.cache_resource.clear()


def open_map(**query):
    at = AppTest.from_file("../pages/map.py", default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def described(at):
    return [chart.proto.alt for chart in at.get("plotly_chart")]


@pytest.mark.parametrize("projection", ["PCA, 2-d", "PCA, 3-d"])
@pytest.mark.parametrize("name", ["lstm-attention", "gru-plain", "rnn-additive", "transformer"])
def test_every_architecture_has_a_map(name, projection):
    at = open_map(checkpoint=name, projection=projection, feature="voice", sentence=FIRST)
    assert not at.exception
    assert described(at)[0].startswith("Map of 400 sentences and 2 of yours, coloured by voice")
    assert len(described(at)) == 3
    assert len(at.dataframe[0].value) == 8
    assert any(box.key == "vector" for box in at.selectbox) == (name != "transformer")


def test_nothing_of_ones_own_is_survived():
    at = open_map(yours=" ")
    assert not at.exception
    assert "and 0 of yours" in described(at)[0]
    assert any("Type a sentence" in info.value for info in at.info)


def test_a_sentence_that_is_not_there_is_ignored():
    at = open_map(sentence="No such sentence.", feature="colour", projection="x", checkpoint="y")
    assert not at.exception
    assert at.selectbox(key="sentence").value is None
    assert described(at)


def test_states_of_the_decoder_are_drawn_too():
    at = open_map(states="Both")
    assert not at.exception
    assert at.segmented_control(key="states").value == "Both"


def test_tsne_waits_for_a_click():
    at = open_map(projection="t-SNE")
    assert len(described(at)) == 2
    next(button for button in at.button if "t-SNE" in button.label).click().run()
    assert not at.exception
    assert len(described(at)) == 3
