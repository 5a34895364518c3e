"""What if, by AppTest, with tiny checkpoints."""

import pytest

from seq2seq.checkpoint import load
from seq2seq.decoding.interventions import AttentionEdit, Interventions
from seq2seq.decoding.options import Options
from seq2seq.inference.pipeline import run
from seq2seq.trace import shown
from tests.visit import SENTENCE, charts, visit
from ui.instruments.what_if import first_difference, written_now

WITH_ATTENTION = ["lstm-attention", "rnn-additive", "transformer"]


pytestmark = pytest.mark.usefixtures("root")


def open_tab(name, **query):
    usual = {"checkpoint": name, "text": SENTENCE, "tab": "What if"}
    return visit("translation", **usual | query)


def said(at, what):
    return [e.value for e in (*at.caption, *at.markdown, *at.info) if what in e.value]


@pytest.mark.parametrize("name", WITH_ATTENTION)
@pytest.mark.parametrize(
    "preset",
    ["One word only", "Uniform", "Shift right", "Shift left", "Custom"],
)
def test_a_row_is_changed_shown_and_taken_back(name, preset):
    at = open_tab(name, preset=preset, step="2")
    assert not at.exception
    assert said(at, "Nothing is changed: ")
    at.button(key="change_row").click().run()
    assert not at.exception
    assert not at.error
    assert "edit" in at.query_params
    assert said(at, "before,")
    assert said(at, "had the probability")
    assert len(charts(at)) == 2
    at.button(key="undo_0").click().run()
    assert "edit" not in at.query_params
    assert said(at, "Nothing is changed: ")


@pytest.mark.parametrize("name", WITH_ATTENTION)
def test_a_link_restores_muted_words_and_rows(name):
    first = open_tab(name, preset="Uniform", step="3")
    first.button(key="change_row").click().run()
    edit = first.query_params["edit"]
    edit = edit if isinstance(edit, str) else edit[0]
    at = open_tab(name, edit=edit, muted=["2 old", "3 dog"])
    assert not at.exception
    assert at.get("button_group")  # the pills of words
    assert said(at, "Step 3 attends most to")
    assert said(at, "before,")


@pytest.mark.parametrize("name", [*WITH_ATTENTION, "gru-plain"])
def test_another_source_is_run_beside(name):
    at = open_tab(name, instead="The old dog slept.")
    assert not at.exception
    assert said(at, "before,")


def test_a_contrast_becomes_the_other_source():
    at = open_tab("lstm-attention", text="My sister is here.")
    at.pills(key="contrast").set_value("tense").run()
    assert at.text_input(key="instead").value == "My sister was here."
    assert said(at, "before,")


def test_a_model_without_attention_says_why():
    at = open_tab("gru-plain")
    assert any("change the source above" in info.value for info in at.info)


@pytest.mark.parametrize("name", WITH_ATTENTION)
def test_a_word_is_made_to_be_said(name):
    at = open_tab(name, preset="Optimize for a word", say="chat")
    assert not at.exception
    assert said(at, "The best row found raises")
    at.button(key="change_row").click().run()
    assert said(at, "had the probability")


def test_a_word_that_cannot_be_said_is_named():
    at = open_tab("lstm-attention", preset="Optimize for a word", say="🙂")
    assert not at.exception
    assert "choose another" in at.error[0].value


@pytest.mark.parametrize(
    "edit",
    [
        "x",
        "1.a.a.",
        "0.9.9.1_1",
        "0.a.a.0_0_0",
        "999.a.a.1",
        "0.a.a." + "1_" * 5_000,
        "0.a.a." + "1" * 60 + "x",  # which some patterns take years to refuse
    ],
)
def test_nonsense_in_a_link_is_ignored(edit):
    at = open_tab("transformer", edit=edit, muted="99 nothing", preset="x", edit_layer="77")
    assert not at.exception
    assert not at.error
    assert said(at, "Nothing is changed: ")


def test_all_weights_zero_are_refused_in_a_sentence():
    at = open_tab("lstm-attention", preset="Custom")
    for slider in [each for each in at.slider if str(each.key).startswith("share ")]:
        at.slider(key=slider.key).set_value(0.0)
    at.run()
    assert any("some weight" in warning.value for warning in at.warning)


def row(at, *chosen):
    """Write a row that looks at these source tokens alone, as an address does."""
    count = len(run(load(at), SENTENCE).source)
    return "_".join("500" if number in chosen else "0" for number in range(count))


def test_what_a_run_cannot_have_waits_and_says_why(root):
    folder = root / "lstm-attention"
    edits = [f"30.a.a.{row(folder, 0)}", f"0.a.a.{row(folder, 1)}", f"1.a.a.{row(folder, 0)}"]
    at = open_tab("lstm-attention", edit=edits, muted="2 old", max_length="6")
    assert not at.error
    assert said(at, "The change of step 31 is not applied: this output has")
    muted = [i for i, word in enumerate(run(load(folder), SENTENCE).source.words) if word == 1]
    at = open_tab("lstm-attention", edit=f"0.a.a.{row(folder, *muted)}", muted="2 old")
    assert not at.error
    assert said(at, "The change of step 1 is not applied: all its weight is on masked words.")
    assert said(at, "before,")  # what the muted word alone does is still shown


def test_undo_takes_back_the_change_that_it_stands_beside(root):
    fits = f"0.a.a.{row(root / 'lstm-attention', 0)}"
    at = open_tab("lstm-attention", edit=["0.a.a.0_1000", fits])
    assert at.query_params["edit"] == fits  # the other fits no run of this source
    at.button(key="undo_0").click().run()
    assert "edit" not in at.query_params
    assert said(at, "Nothing is changed: ")


def test_a_change_takes_the_place_of_those_that_it_covers():
    at = open_tab("transformer", edit_layer="2", edit_head="1", preset="Uniform")
    at.button(key="change_row").click().run()
    at.selectbox(key="edit_head").set_value("2").run()
    at.button(key="change_row").click().run()
    assert len(at.query_params["edit"]) == 2
    at.selectbox(key="edit_layer").set_value("all").run()
    at.selectbox(key="edit_head").set_value("all").run()
    at.button(key="change_row").click().run()
    assert at.query_params["edit"].startswith("0.a.a.")


def test_changes_belong_to_a_text_and_rows_to_a_model():
    at = open_tab("lstm-attention", preset="Uniform", muted="2 old")
    at.button(key="change_row").click().run()
    at.selectbox(key="checkpoint").set_value("transformer").run()
    assert "edit" not in at.query_params
    assert at.query_params["muted"] == "2 old"
    at.text_area(key="text").set_value("The new dog sleeps in the garden.").run()
    assert not at.exception
    assert "muted" not in at.query_params
    assert said(at, "Nothing is changed: ")


def test_changes_stay_in_the_address_while_another_tab_is_open():
    at = open_tab("lstm-attention", muted="2 old", instead="The dog slept.")
    assert at.query_params["muted"] == "2 old"
    at.session_state["tab"] = "Tokens"
    at.run()
    assert at.query_params["muted"] == "2 old"
    assert at.query_params["instead"] == "The dog slept."
    at.session_state["tab"] = "What if"
    at.run()
    assert at.text_input(key="instead").value == "The dog slept."
    at.text_input(key="instead").set_value("").run()
    assert "instead" not in at.query_params
    assert said(at, "before,")  # of the muted word


def test_each_step_has_sliders_of_its_own():
    def shares():
        return [slider.value for slider in at.slider if str(slider.key).startswith("share ")]

    at = open_tab("lstm-attention", preset="Custom", step="1")
    first = shares()
    slider = next(each for each in at.slider if str(each.key).startswith("share "))
    at.slider(key=slider.key).set_value(0.97).run()
    assert 0.97 in shares()
    at.slider(key="step").set_value(2).run()
    assert shares() == pytest.approx(
        [
            slider.value
            for slider in open_tab("lstm-attention", preset="Custom", step="2").slider
            if str(slider.key).startswith("share ")
        ]
    )
    assert len(first) == len(shares())


def test_a_word_of_several_tokens_is_not_claimed_as_a_whole():
    at = open_tab(
        "lstm-attention", preset="Optimize for a word", say="chat chat chat", muted="2 old"
    )
    assert not at.error
    assert said(at, "the first of the ")


@pytest.mark.parametrize("name", WITH_ATTENTION)
def test_what_is_said_to_be_written_now_is_what_is_written(name, root):
    checkpoint = load(root / name)
    before = run(checkpoint, SENTENCE, Options(max_length=10))
    seen = set()
    for place in range(1, len(before.source) - 1):
        row = tuple(float(place == other) for other in range(len(before.source)))
        edit = Interventions((AttentionEdit(1, row),), ())
        after = run(checkpoint, SENTENCE, Options(max_length=10), interventions=edit)
        first = first_difference(before, after)
        if first is None:
            assert written_now(after, 1, first) == "; it is still written."
            continue
        assert before.target.ids[:first] == after.target.ids[:first]
        sentence = written_now(after, first, first)
        assert shown(after.target.pieces[first]) in sentence.replace("\\", "")
        best = after.ranks[first] == 0
        assert ("number" in sentence) == (not best)
        assert "left them" in written_now(after, first + 1, first)
        seen.add(bool(best))
    assert seen


def test_a_minimal_pair_overlays_both_state_trajectories():
    at = visit("translation", text="The black cat sleeps.", tab="What if")
    at.pills(key="contrast").set_value("word order").run()
    assert at.text_input(key="instead").value == "The cat black sleeps."
    for side in ("Encoder", "Decoder"):
        at.segmented_control(key="pair_states").set_value(side).run()
        assert not at.exception
        (found,) = [each for each in charts(at) if each.key == "pair_trajectories"]
        names = [trace["name"] for trace in found.figure["data"]]
        assert names[:2] == ["before", "after"]
