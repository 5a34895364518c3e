"""The race of architectures, by AppTest, with tiny checkpoints."""

from dataclasses import replace

import pytest

from tests.visit import SENTENCE, charts, visit
from ui.runtime.names import card_of

NAMES = ["lstm-attention", "gru-plain", "rnn-additive", "transformer"]


@pytest.fixture(autouse=True)
def _models(root, monkeypatch):
    monkeypatch.setattr("ui.views.compare.FIRST", tuple(NAMES))


def test_four_architectures_run_side_by_side():
    at = visit("compare", sentence=SENTENCE)
    assert not at.exception
    assert at.multiselect(key="models").value == NAMES
    assert len(charts(at)) == 4
    table = at.dataframe[0].value
    assert list(table["checkpoint"]) == NAMES
    assert list(table["model"]) == [f"A tiny model ({name})" for name in NAMES]
    assert all(
        any(title in each.value.replace("\\", "") for each in at.markdown)
        for title in table["model"]
    )
    assert (table["parameters"] > 0).all()
    assert (table["search, ms"] > 0).all()
    assert sum("final state is all" in caption.value for caption in at.caption) == 1


def test_a_link_names_models_step_and_reference():
    query = {
        "models": ["transformer", "gru-plain"],
        "race_step": "2",
        "reference": "Le chien dort.",
    }
    at = visit("compare", sentence=SENTENCE, **query)
    assert not at.exception
    assert at.multiselect(key="models").value == ["transformer", "gru-plain"]
    assert all(text.startswith("A tiny model") for text in at.multiselect(key="models").options)
    assert at.slider(key="race_step").value == 2
    assert {"BLEU", "chrF"} <= set(at.dataframe[0].value.columns)


def test_a_step_beyond_a_shorter_output_is_said():
    at = visit("compare", sentence=SENTENCE)
    most = at.slider(key="race_step").max
    at.slider(key="race_step").set_value(most).run()
    assert not at.exception
    assert at.session_state["race_step"] == most
    done = [caption.value for caption in at.caption if "done after" in caption.value]
    tables = at.dataframe[0].value
    assert len(done) < len(tables)


def test_nothing_to_run_is_said():
    assert "Type a sentence" in visit("compare", sentence=" ").info[0].value
    at = visit("compare", sentence=SENTENCE)
    at.multiselect(key="models").set_value([]).run()
    assert any("Choose a model" in info.value for info in at.info)


def test_nonsense_in_a_link_is_survived():
    at = visit("compare", sentence=SENTENCE, models="no-such-model", race_step="x")
    assert not at.exception


def test_models_of_other_languages_are_named_and_not_compared(root):
    card = root / "gru-plain" / "card.toml"
    card.write_text(card.read_text().replace('"fr"', '"de"'))
    at = visit("compare", sentence=SENTENCE)
    (warning,) = at.warning
    assert "do not share their languages" in warning.value
    said = warning.value.replace("\\", "")
    assert "A tiny model (gru-plain) from English to German" in said
    assert not any("Underlined" in caption.value for caption in at.caption)
    at.multiselect(key="models").set_value(["lstm-attention", "transformer"]).run()
    assert not at.warning
    assert not at.exception


def test_models_with_more_data_than_the_others_are_named(monkeypatch):
    def card_with(data):
        given = {"transformer": (*data, "B"), "gru-plain": ()}
        return lambda name: replace(card_of(name), data=given.get(name, data))

    told = "Trained on data that the others did not have"
    for data, models in ((("A",), ["transformer"]), ((), [])):
        monkeypatch.setattr("ui.views.compare.card_of", card_with(data))
        at = visit("compare", sentence=SENTENCE)
        assert not at.exception
        captions = [each.value for each in at.caption if told in each.value]
        assert len(captions) == len(models)
        assert all("A tiny model (transformer)" in each.replace("\\", "") for each in captions)


def test_what_is_worth_knowing_of_the_input_is_said_once():
    assert "Type a sentence" in visit("compare", sentence="\u200b").info[0].value
    at = visit("compare", sentence="The dog 🙂 sleeps.")
    said = [info.value for info in at.info]
    assert len(said) == len(set(said)) >= 1
    assert not at.exception
