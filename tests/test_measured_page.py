"""The page of measurements, by AppTest: with tiny checkpoints, and with the embedded ones."""

import json

import pytest
import streamlit as st

from seq2seq.catalogue import CHECKPOINTS
from tests.test_measurements import LINES, ROWS, STUDY
from tests.visit import SENTENCE, charts, messages, visit

NAMES = ("gru-plain", "transformer")


@pytest.fixture
def measured(root):
    """Give two of the tiny checkpoints scores by length and logs, one of them studies."""
    for name in NAMES:
        scores = {"by_source_length": ROWS, "training_hardware": f"machine of {name}"}
        (root / name / "evaluation.json").write_text(json.dumps(scores))
        text = "".join(json.dumps(line) + "\n" for line in LINES)
        (root / name / "training.jsonl").write_text(text)
    kept = [
        {**STUDY, "log": LINES},
        {**STUDY, "pairs": 900, "log": LINES},
        {**STUDY, "plain": True, "log": LINES},
    ]
    (root / "transformer" / "studies.json").write_text(json.dumps(kept))
    return root


def by_key(at):
    return {chart.key: chart for chart in charts(at)}


def test_all_that_was_measured_is_drawn(measured):
    at = visit("measured")
    assert not at.exception
    assert set(by_key(at)) == {"by_length", "training", "by_pairs", "overfitting", "beam_cost"}
    assert at.multiselect(key="compared").value == list(NAMES)
    (said,) = [each.value for each in at.markdown if "divided by" in each.value]
    assert r"1\.0 at 1 to 5 words, 1\.0 at 6 and more words" in said
    (said,) = [each.value for each in at.markdown if "at its best" in each.value]
    assert "after 2 passes" in said


def test_a_link_chooses_models_and_what_is_drawn_of_their_training(measured):
    at = visit("measured", compared="gru-plain", progress="Loss", over="Minutes")
    assert not at.exception
    (line,) = by_key(at)["training"].figure["data"]
    assert (line["x"], line["y"]) == ([1.5, 2.0], [5.0, 3.5])
    assert not any("divided by" in each.value for each in at.markdown)
    assert not any("different machines" in each.value for each in at.caption)
    at.multiselect(key="compared").set_value(list(NAMES)).run()
    (said,) = [each.value for each in at.caption if "different machines" in each.value]
    assert all(f"machine of {name}".replace("-", "\\-") in said for name in NAMES)


def test_nonsense_in_a_link_is_survived(measured):
    at = visit("measured", compared="none", progress="x", over="y", searched_by="z", searched=" ")
    assert not at.exception
    assert "by_length" in by_key(at)
    assert any("type a sentence" in message for message in messages(at))


def test_nothing_chosen_and_nothing_measured_are_said(measured, root):
    at = visit("measured")
    at.multiselect(key="compared").set_value([]).run()
    assert any("choose a model" in message for message in messages(at))
    for name in NAMES:
        (root / name / "evaluation.json").unlink()
    st.cache_resource.clear()
    at = visit("measured")
    assert not at.exception
    assert any("scores by length" in message for message in messages(at))
    assert list(by_key(at)) == ["beam_cost"]


def test_a_damaged_file_is_named_and_the_others_are_drawn(measured, root):
    (root / "gru-plain" / "training.jsonl").write_text("{")
    at = visit("measured")
    assert not at.exception
    assert "gru\\-plain is damaged" in at.warning[0].value
    assert at.multiselect(key="compared").value == ["transformer"]


def test_beams_are_timed_on_the_sentence_of_the_visitor(measured):
    at = visit("measured", searched=SENTENCE, searched_by="transformer")
    table = at.dataframe[0].value
    (line,) = by_key(at)["beam_cost"].figure["data"]
    assert line["x"] == list(table["width"])
    assert line["name"] == "transformer"
    assert (table["ms"] > 0).all()
    at.text_input(key="searched").set_value("My sister reads.").run()
    assert not at.exception


def test_the_embedded_family_is_drawn_from_its_files():
    at = visit("measured")
    assert not at.exception
    shown = by_key(at)["by_length"].figure["data"]
    assert len(shown) == 4
    for line in shown:
        scores = json.loads((CHECKPOINTS / line["name"] / "evaluation.json").read_text())
        assert line["y"] == [row["bleu"] for row in scores["by_source_length"]]


def test_sentences_are_joined_after_a_click(measured, monkeypatch):
    monkeypatch.setattr("ui.bottleneck.GROUPS", 2)
    at = visit("measured", compared=list(NAMES))
    assert "joined" not in by_key(at)
    at.toggle(key="joined").set_value(True).run()
    assert not at.exception
    picture = by_key(at)["joined"].figure
    assert [line["name"] for line in picture["data"]] == list(NAMES)
    assert picture["layout"]["xaxis"]["ticktext"] == ["2", "3", "4", "5", "6"]
    table = at.dataframe[0].value
    assert list(table["sentences"].unique()) == [2, 3, 4, 5, 6]
    at.selectbox(key="joined_by").set_value(NAMES[1]).run()
    assert list(at.dataframe[0].value["written"]) != list(table["written"])


def test_sentences_of_the_visitor_are_joined(measured):
    lines = [
        f"The dog number {number} runs."
        for number in ["one", "two", "three", "four", "five", "six"]
    ]
    at = visit("measured", compared="transformer", joined="true", sentences="\n".join(lines))
    assert not at.exception
    table = at.dataframe[0].value
    assert all(any(line in source for line in lines) for source in table["read at once"])
    at.text_area(key="to_join").set_value("\n".join(lines[:3])).run()
    assert "3 different sentences" in at.error[0].value
    assert "by_length" in by_key(at)
