"""The context vector, by AppTest, with tiny checkpoints."""

import pytest

from tests.visit import charts, visit

NAMES = ["lstm-attention", "gru-plain", "rnn-additive", "transformer"]
A, B, C = "The old dog sleeps in the garden.", "Where is the cat?", "We ate fish."
CHANGES = ["Interpolate", "Noise", "Principal directions", "Swap", "Arithmetic"]


pytestmark = pytest.mark.usefixtures("root")


def open_lab(**query):
    at = visit("context_vector", **{"a": A, "b": B, "c": C, **query})
    assert not at.exception
    return at


def said(at):
    return " ".join(part.value for kind in ("markdown", "info", "caption") for part in at.get(kind))


@pytest.mark.parametrize("name", NAMES)
def test_every_architecture_shows_its_vector(name):
    at = open_lab(checkpoint=name)
    changed, looks = name != "transformer", name != "gru-plain"
    assert len(charts(at)) == 2 + looks + changed
    assert ("A Transformer has no final state: its decoder attends" in said(at)) == (not changed)
    assert ("model has attention" in said(at)) == (looks and changed)
    assert "cosine: " in said(at).replace("\\", "")
    options = [option for group in at.segmented_control for option in group.options]
    assert ("Encoder halves" in options) == (name == "rnn-additive")


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_decoded(change):
    at = open_lab(checkpoint="gru-plain", change=change)
    assert "**Edited**" in said(at)
    assert len(at.dataframe) == (change in CHANGES[:3])


def test_the_table_ends_with_b_and_swapping_gives_the_same():
    at = open_lab(checkpoint="gru-plain", alpha="1.0")
    assert at.slider(key="alpha").value == 1.0
    table = at.dataframe[0].value
    assert list(table["α"])[::8] == ["0", "1"]
    assert table["word errors, %"].iloc[0] == 0
    swapped = open_lab(checkpoint="gru-plain", change="Swap")
    (changed,) = [part.value for part in swapped.markdown if part.value.startswith("**Edited**")]
    assert table["output"].iloc[8] in changed


def test_no_noise_says_that_nothing_changes():
    at = open_lab(checkpoint="gru-plain", change="Noise", noise="0.0", seed="3")
    assert at.number_input(key="seed").value == 3
    assert "The output is the same" in said(at)


def test_all_directions_of_a_small_model_hold_everything():
    at = open_lab(checkpoint="gru-plain", change="Principal directions", m="16")
    assert said(at).replace("\\", "").count("100.0%") == 2


def test_halves_are_set_to_0():
    at = open_lab(checkpoint="rnn-additive", change="Encoder halves", half="backward")
    assert list(at.dataframe[0].value["set to 0"]) == ["none", "forward", "backward"]
    assert "half backward" in said(at)


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ({"a": " "}, "Sentence A is empty"),
        ({"b": " "}, "Sentence B is empty: type one above."),
        ({"b": " ", "change": "Swap"}, "Sentence B is empty: type one above."),
        ({"c": " ", "change": "Arithmetic"}, "Sentence C is empty: type one above."),
        ({"b": A}, "their difference is 0"),
        ({"b": "cat " * 2000}, "Sentence B: Only the first"),
    ],
)
def test_what_is_missing_is_said(query, what):
    assert what in said(open_lab(checkpoint="gru-plain", **query)).replace("\\", "")


def test_nonsense_in_a_link_is_survived():
    for change in ("x", "Noise", "Principal directions", "Encoder halves"):
        bad = {"alpha": "7", "noise": "-1", "seed": "x", "m": "9999", "half": "x"}
        at = open_lab(checkpoint="gru-plain", change=change, **bad)
        assert "**Edited**" in said(at)


def test_the_table_of_a_long_text_waits_to_be_asked_for():
    long = {"a": "The cat sleeps. " * 60, "checkpoint": "gru-plain"}
    at = open_lab(**long)
    assert not at.dataframe
    assert "**Edited**" in said(at)
    assert len(open_lab(**long, table="true").dataframe) == 1
