import json

import pytest

from seq2seq.decoding.options import MAX_CHARACTERS
from tests.visit import SENTENCE, visit

pytestmark = pytest.mark.usefixtures("root")


@pytest.mark.parametrize("tab", ["Attention", "Probabilities"])
def test_the_menu_of_candidates_shows_the_token_that_its_button_inserts(tab):
    at = visit("translation", text=SENTENCE, tab=tab)
    menu = at.selectbox(key="other_token")
    menu.set_value(menu.options[-1]).run()
    at.slider(key="step").set_value(2).run()
    menu = at.selectbox(key="other_token")
    assert menu.value in menu.options
    # A browser shows what it is told to; what it is not told, it keeps from the step before.
    assert menu.proto.set_value
    assert menu.proto.raw_value == menu.value
    token = menu.value.partition(": ")[2]
    assert token in at.button(key="go_on_token").label


def test_another_text_begins_with_nothing_selected():
    at = visit("translation", text=SENTENCE, step="4", word="3", output="2")
    assert at.slider(key="step").value == 4
    assert at.selectbox(key="output").value == "2"
    at.text_area(key="text").set_value("The new house has a red door.").run()
    assert not at.exception
    assert at.slider(key="step").value == 1
    assert at.selectbox(key="output").value == "1"
    assert "word" not in at.query_params


def test_another_model_keeps_the_step_and_the_word_of_the_same_text():
    at = visit("translation", text=SENTENCE, step="2", word="3", output="2")
    at.selectbox(key="checkpoint").set_value("transformer").run()
    assert not at.exception
    assert at.slider(key="step").value == 2
    assert at.query_params["word"] in ("3", ["3"])
    assert at.selectbox(key="output").value == "1"


@pytest.mark.parametrize(
    ("name", "several", "attends"),
    [("lstm-attention", False, True), ("transformer", True, True), ("gru-plain", False, False)],
)
def test_a_model_is_offered_only_what_it_has(name, several, attends):
    at = visit("translation", checkpoint=name, text=SENTENCE, tab="Attention", picture="All heads")
    assert not at.exception
    pictures = [group.options for group in at.segmented_control if group.key == "picture"]
    assert len(pictures) == attends
    assert all(("All heads" in options) == several for options in pictures)
    at = visit("translation", checkpoint=name, text=SENTENCE)
    [hint] = [
        json.loads(each.proto.json)["text"]
        for each in at.get("bidi_component")
        if each.proto.component_name == "hint"
    ]
    assert ("what it looked at" in hint) == attends


def test_limits_are_the_same_wherever_they_are_named():
    at = visit("translation", text=SENTENCE, tab="Beam tree")
    assert at.text_area(key="text").proto.max_chars == MAX_CHARACTERS
    assert at.slider(key="length_penalty").max == at.slider(key="rank_length").max


def test_parameters_are_grouped():
    at = visit("compare", sentence=SENTENCE, models=["lstm-attention", "gru-plain"])
    assert not at.exception
    columns = json.loads(at.dataframe[0].proto.columns)
    assert columns["parameters"]["type_config"]["format"] == "localized"
