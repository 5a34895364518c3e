"""The race of architectures, by AppTest, with tiny checkpoints."""

import shutil

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

NAMES = ["lstm-attention", "gru-plain", "rnn-additive", "transformer"]
SENTENCE = "The old dog sleeps in the garden."


@pytest.fixture(autouse=True)
def root(checkpoint_root, tmp_path, monkeypatch):
    copy = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", copy)
    monkeypatch.setattr("ui.models.DEFAULT", "lstm-attention")
    monkeypatch.setattr("ui.race.FIRST", tuple(NAMES))
    st.cache_resource.clear()
    yield copy
    st.cache_resource.clear()


def open_race(**query):
    at = AppTest.from_file("../pages/race.py", default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def test_four_architectures_run_side_by_side():
    at = open_race(text=SENTENCE)
    assert not at.exception
    assert at.multiselect(key="models").value == NAMES
    assert len(at.get("plotly_chart")) == 4
    table = at.dataframe[0].value
    assert list(table["model"]) == NAMES
    assert (table["parameters"] > 0).all()
    assert (table["search, ms"] > 0).all()
    assert sum("one vector" in caption.value for caption in at.caption) == 1


def test_a_link_names_models_step_and_reference():
    query = {"models": ["transformer", "gru-plain"], "step": "2", "reference": "Le chien dort."}
    at = open_race(text=SENTENCE, **query)
    assert not at.exception
    assert at.multiselect(key="models").value == ["transformer", "gru-plain"]
    assert at.slider(key="step").value == 2
    assert {"BLEU", "chrF"} <= set(at.dataframe[0].value.columns)


def test_a_step_beyond_a_shorter_output_is_said():
    at = open_race(text=SENTENCE)
    most = at.slider(key="step").max
    at.slider(key="step").set_value(most).run()
    assert not at.exception
    assert at.session_state["step"] == most
    done = [caption.value for caption in at.caption if "done after" in caption.value]
    tables = at.dataframe[0].value
    assert len(done) < len(tables)


def test_nothing_to_run_is_said():
    assert "type a sentence" in open_race(text=" ").info[0].value
    at = open_race(text=SENTENCE)
    at.multiselect(key="models").set_value([]).run()
    assert any("choose a model" in info.value for info in at.info)


def test_nonsense_in_a_link_is_survived():
    at = open_race(text=SENTENCE, models="no-such-model", step="x")
    assert not at.exception
