"""The map of sentences, by AppTest, with tiny checkpoints."""

import numpy as np
import pytest

from seq2seq import figures
from seq2seq.analysis.probe_sentences import probes
from tests.visit import charts, visit

FIRST = probes(400)[0].text


pytestmark = pytest.mark.usefixtures("root")


def described(at):
    return [chart.alt for chart in charts(at)]


@pytest.mark.parametrize("projection", ["PCA, 2-d", "PCA, 3-d"])
@pytest.mark.parametrize("name", ["lstm-attention", "gru-plain", "rnn-additive", "transformer"])
def test_every_architecture_has_a_map(name, projection):
    at = visit(
        "sentence_map", checkpoint=name, projection=projection, feature="voice", sentence=FIRST
    )
    assert not at.exception
    assert described(at)[0].startswith("Map of 400 sentences and 2 of yours, coloured by voice")
    assert len(described(at)) == 3
    assert len(at.dataframe[0].value) == 8
    assert any(box.key == "vector" for box in at.selectbox) == (name != "transformer")


def test_nothing_of_ones_own_is_survived():
    at = visit("sentence_map", yours=" ")
    assert not at.exception
    assert "and 0 of yours" in described(at)[0]
    assert any("Type a sentence" in info.value for info in at.info)


def test_a_sentence_that_is_not_there_is_ignored():
    at = visit(
        "sentence_map",
        sentence="No such sentence.",
        feature="colour",
        projection="x",
        checkpoint="y",
    )
    assert not at.exception
    assert at.selectbox(key="sentence").value is None
    assert described(at)


def test_states_of_the_decoder_are_drawn_too():
    at = visit("sentence_map", states="Both")
    assert not at.exception
    assert at.segmented_control(key="states").value == "Both"


def test_tsne_waits_for_a_click():
    at = visit("sentence_map", projection="t-SNE")
    assert len(described(at)) == 2
    next(button for button in at.button if "t-SNE" in button.label).click().run()
    assert not at.exception
    assert len(described(at)) == 3


def test_a_line_that_cannot_be_read_is_left_out_and_named():
    at = visit("sentence_map", yours="\u200b\nA cat.")
    assert not at.exception
    assert "and 1 of yours" in described(at)[0]
    assert any("Nothing can be read in line 1" in caption.value for caption in at.caption)


def test_lines_are_counted_as_they_stand():
    at = visit("sentence_map", yours="\n  \nA cat.\n\u200b")
    assert "and 1 of yours" in described(at)[0]
    (said,) = [each.value for each in at.caption if "Nothing can be read" in each.value]
    assert "in line 4," in said


def test_what_does_not_fit_on_the_map_is_said():
    at = visit("sentence_map", yours="\n".join(["A cat."] * 12))
    assert "and 8 of yours" in described(at)[0]
    assert any("the first 8 sentences" in caption.value for caption in at.caption)


def test_ways_have_ends_and_labels_that_do_not_lie_on_each_other():
    points = np.array([[0, 0], [1, 1], [1, 1.001], [3, 0]])
    runs = [("one", points, "abcd"), ("two", points + 5, "efgh"), ("three", points, "ijkl")]
    first, second, third, start, end = figures.trajectories(runs, parts=2).data
    assert list(first.text) == ["a", "b", "", "d"]
    assert list(third.text) == [""] * 4
    assert (first.line.dash, second.line.dash, third.line.dash) == ("solid", "dot", "solid")
    assert first.line.color == second.line.color != third.line.color
    assert (start.name, end.name) == ("start", "end")
    assert list(start.x) == [0, 5, 0]
    assert list(end.x) == [3, 8, 3]


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_neighbours_of_a_sentence_are_joined_to_it(dimensions):
    places = np.arange(4.0 * dimensions).reshape(4, dimensions)
    points = figures.Points(places, list("abcd"), list("xxyy"))
    drawn = figures.sentence_map(points, selected=1, near=[0, 3])
    [line] = [trace for trace in drawn.data if trace.mode == "lines"]
    ends = [(a, b) for a, b in zip(line.x[0::3], line.x[1::3], strict=True)]
    assert ends == [(places[1][0], places[0][0]), (places[1][0], places[3][0])]
    assert not [t for t in figures.sentence_map(points, near=[0]).data if t.mode == "lines"]


def test_the_neighbours_in_the_table_are_those_on_the_map():
    at = visit("sentence_map", sentence=FIRST)
    figure = charts(at)[0].figure
    [line] = [trace for trace in figure["data"] if trace.get("mode") == "lines"]
    assert str(len(at.dataframe[0].value)) in line["name"]
