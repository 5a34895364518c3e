"""The Attention tab, on the tiny checkpoints of each architecture."""

import json

import numpy as np
import pytest

from seq2seq.analysis.attention_matrix import grid
from seq2seq.checkpoint import load
from seq2seq.decoding.options import Options
from seq2seq.inference.pipeline import run
from seq2seq.inference.teacher_forcing import force
from tests.visit import SENTENCE, charts, messages, visit

pytestmark = pytest.mark.usefixtures("root")

LONG = "The old dog sleeps in the garden. " * 8
SHORT_OUTPUT = {"max_length": "12"}


@pytest.fixture(autouse=True)
def _read_whole(monkeypatch):
    """Read a text of several sentences whole, as other pages than Translation do."""
    monkeypatch.setattr("ui.views.task.sentence_looked_at", lambda name, text, options: text)


def shown(at, key="attention"):
    """Return a chart of the page: what describes it, and its figure."""
    (chart,) = [each for each in charts(at) if each.key == key]
    return chart.alt, chart.figure


def keys(at):
    return [each.key for each in charts(at)]


def translation(**query):
    at = visit("translation", **{"text": SENTENCE, "tab": "Attention", **SHORT_OUTPUT, **query})
    assert not at.exception
    assert not at.error
    return at


@pytest.mark.parametrize("picture", ["Matrix", "Ribbons", "All heads"])
@pytest.mark.parametrize("name", ["lstm-attention", "rnn-additive", "transformer"])
def test_every_picture_shows_every_architecture(name, picture):
    at = translation(checkpoint=name, picture=picture, step="2", word="3")
    if picture == "All heads" and name != "transformer":  # which is not offered for one head
        picture = "Matrix"
    assert at.segmented_control(key="picture").value == picture
    expected = {"Matrix": "attention", "Ribbons": "ribbons", "All heads": "heads"}[picture]
    assert expected in keys(at)


@pytest.mark.parametrize("picture", ["Blocks", "Matrix", "Ribbons", "All heads"])
@pytest.mark.parametrize("name", ["lstm-attention", "transformer"])
def test_every_picture_shows_a_long_text(name, picture):
    at = translation(checkpoint=name, text=LONG, long_picture=picture, word="3")
    assert charts(at)


def test_a_long_text_is_shown_by_sentences_first():
    at = translation(text=LONG)
    assert at.segmented_control(key="long_picture").value == "Blocks"
    assert keys(at)[:2] == ["blocks", "attention"]
    at.selectbox(key="column_sentence").set_value("3").run()
    _, figure = shown(at, "blocks")
    (frame,) = figure["layout"]["shapes"]
    assert (frame["x0"], frame["x1"]) == (2.5, 3.5)
    _, block = shown(at)
    assert max(len(block["layout"][f"{axis}axis"]["ticktext"]) for axis in "xy") <= 60


@pytest.mark.parametrize("which", ["Encoder self-attention", "Decoder self-attention"])
@pytest.mark.parametrize("picture", ["Matrix", "Ribbons", "All heads"])
def test_self_attention_in_every_picture(which, picture):
    at = translation(checkpoint="transformer", which=which, picture=picture, word="2")
    assert at.selectbox(key="which").value == which
    assert len(charts(at)) == 2


def test_layer_head_and_scale_are_those_of_the_link(root):
    at = translation(checkpoint="transformer", layer="2", head="max", scale="square root")
    _, figure = shown(at)
    trace = run(load(root / "transformer"), SENTENCE, Options(max_length=12))
    expected = np.sqrt(grid(trace, layer=1, head="max").weights)
    assert np.allclose(figure["data"][0]["z"], expected, atol=2e-3)


@pytest.mark.parametrize(
    "query",
    [
        {"picture": "nonsense"},
        {"layer": "9"},
        {"head": "-1"},
        {"scale": "log"},
        {"mass": "7", "picture": "Ribbons"},
        {"from_layer": "99", "picture": "All heads"},
        {"which": "Within the moon"},
        {"word": "999"},
        {"row_sentence": "40", "column_sentence": "x", "text": LONG},
    ],
)
def test_nonsense_in_a_link_is_ignored(query):
    assert charts(translation(**{"checkpoint": "transformer", **query}))


def test_a_layer_that_the_next_model_does_not_have_is_forgotten():
    at = translation(checkpoint="transformer", layer="2", which="Encoder self-attention")
    at.selectbox(key="checkpoint").set_value("lstm-attention").run()
    assert not at.exception
    at.selectbox(key="checkpoint").set_value("transformer").run()
    assert not at.exception
    assert len(charts(at)) == 2


def test_the_selected_step_and_word_are_framed():
    at = translation(step="2", word="4")
    frames = shown(at)[1]["layout"]["shapes"]
    assert [(frame["x0"], frame["y0"]) for frame in frames] == [(3.5, 0.5), (0.5, 1.5)]


@pytest.mark.parametrize("name", ["lstm-attention", "rnn-additive", "transformer"])
def test_the_attention_of_each_output_is_its_own(root, name):
    """What is drawn of an output is what a fresh pass over its tokens gives."""
    checkpoint = load(root / name)
    trace = run(checkpoint, SENTENCE, Options(max_length=12))
    at = translation(checkpoint=name)
    drawn = []
    for number, output in enumerate(trace.outputs, 1):
        at.selectbox(key="output").set_value(str(number)).run()
        described, figure = shown(at)
        assert f"of hypothesis {number}:" in described
        said = any(f"Attention of hypothesis {number}" in each.value for each in at.caption)
        assert said == (number > 1)
        path = trace.beam_tree.path(output.node)
        tokens = tuple(trace.beam_tree.token[path].tolist())
        fresh = force(checkpoint, SENTENCE, tokens)
        assert fresh.target.pieces == output.pieces
        drawn.append(figure["data"][0]["z"])
        assert np.allclose(drawn[-1], grid(fresh).weights, atol=2e-3)
    assert len(drawn) > 1
    assert any(other != drawn[0] for other in drawn[1:])


CALIBRATED = {
    "frequent": [],
    "checks": [
        {
            "kind": kind,
            "limits": limits,
            "flagged": 60,
            "precision": 0.6,
            "recall": 0.2,
            "base": 0.1,
        }
        for kind, limits in (
            ("omitted", {"coverage": 9.0, "loss": 99.0}),
            ("unsure", {"probability": 1.0}),
        )
    ],
}


def test_without_a_measurement_no_problem_is_shown():
    at = translation()
    assert not any("Possible problems" in each.value for each in at.markdown)
    assert not [button for button in at.button if (button.key or "").startswith("finding_")]


def test_a_problem_can_be_selected_and_says_how_often_it_is_one(root):
    file = root / "lstm-attention" / "calibration.json"
    file.write_text(json.dumps(CALIBRATED), encoding="utf-8")
    at = translation(checkpoint="lstm-attention")
    found = [button for button in at.button if (button.key or "").startswith("finding_")]
    assert found
    for button in found:
        assert "60% were problems (precision)" in button.help
        assert "20% are flagged (recall)" in button.help
        assert "`" not in button.label  # code is unreadable on the button of the selected one
    assert {"under-translation" in button.label for button in found} == {True, False}
    before = shown(at)[1]["layout"]["shapes"]
    found[0].click().run()
    assert not at.exception
    assert shown(at)[1]["layout"]["shapes"] != before


def test_a_model_without_attention_shows_its_context_vector():
    at = translation(checkpoint="gru-plain")
    assert any("no attention" in message for message in messages(at))
    assert keys(at)[0] == "context"


@pytest.mark.parametrize("name", ["lstm-attention", "transformer"])
def test_the_strongest_source_tokens_of_each_step_are_listed(root, name):
    at = translation(checkpoint=name, picture="Top words", top_words="2")
    table = at.dataframe[0].value
    trace = run(load(root / name), SENTENCE, Options(max_length=12))
    weights = grid(trace).weights
    assert list(table.columns) == ["row", "token", "1", "2"]
    assert [float(each.split()[-1]) for each in table["1"]] == pytest.approx(
        weights.max(axis=1), abs=0.006
    )
    assert [int(each.split("(")[-1].split(")")[0]) for each in table["1"]] == list(
        weights.argmax(axis=1) + 1
    )


def test_a_source_in_a_script_from_the_right_begins_there():
    at = translation(text="שלום עולם")
    assert at.toggle(key="right_to_left").value is True
    _, figure = shown(at)
    first, last = figure["layout"]["xaxis"]["range"]
    assert first > last
    at.toggle(key="right_to_left").set_value(False).run()
    _, figure = shown(at)
    assert figure["layout"]["xaxis"]["range"] == [last, first]
    assert "right_to_left" not in {each.key for each in translation().toggle}
