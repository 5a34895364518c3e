import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from seq2seq.analysis.copied_fragments import overlap, text_words
from seq2seq.analysis.passages import part_numbers
from seq2seq.decoding.options import Options
from seq2seq.inference.pipeline import run
from tests.conftest import KINDS, PARAGRAPHS
from ui.views import summary

TEXT = PARAGRAPHS.replace("\\n", "\n")


@pytest.fixture(autouse=True)
def _only_summarizers(summarizers, monkeypatch):
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", summarizers)
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def open_page(**query):
    at = AppTest.from_file("../../pages/summarization.py", default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def metric(at, label):
    return next(each.value for each in at.metric if each.label == label)


@pytest.mark.parametrize("name", list(KINDS))
def test_the_summary_stands_beside_its_text(name):
    at = open_page(checkpoint=name, text=TEXT, max_length="20")
    assert not at.exception
    assert not at.error
    assert at.text_area(key="paragraphs").value == TEXT
    assert metric(at, "Words read") == str(len(TEXT.split()))
    assert any("no attention" in each.value for each in at.caption) == (name == "gru-plain")
    assert len(at.radio) == (name != "gru-plain")


@pytest.mark.parametrize("tab", ["Attention", "Probabilities", "Beam tree", "Tokens"])
def test_the_instruments_stand_below(tab):
    at = open_page(checkpoint="transformer", text=TEXT, max_length="20", tab=tab)
    assert not at.exception
    assert next(each for each in at.tabs if each.label == tab).children


def test_its_length_stands_in_the_link():
    at = open_page(text=TEXT, max_length="9", min_length="4", length_penalty="0.5")
    assert at.slider(key="max_length").value == 9
    assert at.slider(key="min_length").value == 4
    assert at.slider(key="length_penalty").value == 0.5
    at.slider(key="max_length").set_value(3).run()
    assert not at.exception
    assert at.slider(key="step").max <= 3
    assert any("maximum is below the minimum" in each.value for each in at.caption)


def test_what_is_shaded_stands_in_the_link():
    at = open_page(checkpoint="transformer", text=TEXT, shade=summary.WORD, step="2")
    assert at.radio(key="shade").value == summary.WORD
    for nonsense in ("", "x", "😀"):
        at = open_page(checkpoint="transformer", text=TEXT, shade=nonsense)
        assert not at.exception
        assert at.radio(key="shade").value == summary.WHOLE


def test_an_example_of_several_paragraphs_goes_into_the_box_whole():
    at = open_page()
    at.pills(key="example").set_value(TEXT).run()
    assert at.text_area(key="paragraphs").value == TEXT
    assert at.query_params["text"] == TEXT


def test_a_text_that_is_too_long_for_a_link_is_read_and_the_rest_is_said():
    at = open_page()
    at.text_area(key="paragraphs").set_value("The old dog sleeps. " * 3_000).run()
    assert not at.exception
    assert "text" not in at.query_params
    assert any("too long for a link" in each.value for each in at.caption)
    assert metric(at, "Words read").endswith("of 12,000")
    at.text_area(key="paragraphs").set_value(TEXT).run()
    assert at.query_params["text"] == TEXT


def test_a_saved_run_is_shown_with_its_text():
    trace = run_of("transformer", TEXT)
    at = open_page()
    at.get("file_uploader")[0].set_value(("run.json", trace.to_json(), "application/json")).run()
    assert not at.exception
    assert metric(at, "Words read") == str(len(TEXT.split()))


def run_of(name, text, **options):
    from seq2seq.checkpoint import load

    return run(load(name), text, Options(max_length=12, **options))


@pytest.mark.parametrize("name", ["lstm-attention", "rnn-additive", "transformer"])
def test_no_attention_is_lost_between_tokens_and_words(name):
    trace = run_of(name, TEXT, prefix="The dog")
    source = part_numbers(trace.source, trace.read.spans, text_words(TEXT))
    target = part_numbers(trace.target, trace.target.spans, text_words(trace.text))
    looked = summary._looked(trace, source, len(text_words(TEXT)))
    end = trace.attention.mean(axis=(1, 2), dtype=np.float32)[:, -1]
    np.testing.assert_allclose(looked.sum(axis=1) + end, 1, atol=2e-3)
    rows = summary._mean_rows(looked, target, len(text_words(trace.text)))
    whole = looked[summary._steps(trace, target, 0, summary.WHOLE)].mean(axis=0)
    counts = [target.count(number) for number in range(len(rows))]
    np.testing.assert_allclose(np.average(rows, axis=0, weights=counts), whole, atol=1e-5)


def test_the_strongest_have_the_highest_level():
    found = summary._levels(np.array([0.0, 0.2, 0.1, 0.0]))
    assert found == [(1, summary.SHADES), (2, summary.SHADES // 2)]
    assert summary._levels(np.zeros(3)) == []
    assert len(summary._levels(np.ones(500))) == summary.LIT


def test_copied_words_are_marked_in_both_texts():
    text, short = "The old, old dog (a poodle) sleeps.", "The dog sleeps: a poodle"
    shared = overlap(text, short)
    marks = summary._marks(shared)
    read = summary._marked(text, text_words(text), shared.source, marks[0])
    said = summary._marked(short, text_words(short), shared.summary, marks[1])
    assert "".join(word.text + word.gap for word in read) == text
    assert {word.text: word.mark for word in read} == {
        "The": 1,
        "old,": 0,
        "old": 0,
        "dog": 1,
        "(a": 2,
        "poodle)": 2,
        "sleeps.": 1,
    }
    assert [word.mark for word in said] == [1, 1, 1, 2, 2]
