import shutil

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from seq2seq.analysis.copied_fragments import overlap, text_words
from seq2seq.analysis.passages import part_numbers
from seq2seq.checkpoint import load
from seq2seq.decoding.options import Options
from seq2seq.inference.pipeline import run
from seq2seq.trace import Trace
from tests.conftest import KINDS, PARAGRAPHS
from ui.runtime.runs import subject_of
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


@pytest.fixture
def styled(summarizers, tmp_path, monkeypatch):
    """A folder of a checkpoint that always gets an instruction, and of one that gets none."""
    folder = tmp_path / "checkpoints"
    shutil.copytree(summarizers / "lstm-attention", folder / "styled")
    shutil.copytree(summarizers / "transformer", folder / "plain")
    card = folder / "styled" / "card.toml"
    card.write_text('instructions = ["compress", "abstract"]\n' + card.read_text())
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", folder)
    return folder


def test_the_style_is_chosen_by_the_visitor_and_by_the_link(styled, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "ui.views.task.run", lambda subject: asked.append(subject.options.instruction)
    )
    at = open_page(checkpoint="styled", text="The cat sleeps.")
    assert not at.exception
    at.segmented_control(key="instruction").set_value("abstract").run()
    linked = open_page(checkpoint="styled", text="The cat sleeps.", instruction="abstract")
    assert linked.segmented_control(key="instruction").value == "abstract"
    plain = open_page(checkpoint="plain", text="The cat sleeps.", instruction="abstract")
    assert not plain.exception
    assert "instruction" not in [each.key for each in plain.segmented_control]
    assert asked == ["compress", "abstract", "abstract", ""]


def test_a_run_of_a_style_can_be_saved_and_shown_again(styled):
    checkpoint = load(styled / "styled")
    trace = run(checkpoint, TEXT, Options(max_length=4, instruction="abstract"))
    saved = Trace.from_json(trace.to_json())
    assert saved.options.instruction == "abstract"
    subject = subject_of(saved)
    assert subject.given == TEXT
    assert run(checkpoint, subject.given, subject.options).source.ids == trace.source.ids
    at = open_page()
    at.get("file_uploader")[0].set_value(("run.json", trace.to_json(), "application/json")).run()
    assert not at.exception
    assert metric(at, "Words read") == str(len(TEXT.split()))
