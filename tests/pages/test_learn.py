"""The course, by AppTest, with experiments that take no time."""

import re
import shutil

import pytest
import streamlit as st

from seq2seq.experiments import registry
from seq2seq.lessons.course import LESSONS
from tests.visit import charts, live_pictures, visit

pytestmark = pytest.mark.usefixtures("root")
# Real names of the lessons' models, and the tiny ones that stand for them.
STAND_INS = {
    "lstm-vanilla-en-fr": "gru-plain",
    "gru-vanilla-en-fr": "gru-plain",
    "bilstm-attention-en-fr": "lstm-attention",
    "rnn-vanilla-en-fr": "gru-plain",
    "lstm-attention-en-fr": "lstm-attention",
    "bigru-additive-en-fr": "rnn-additive",
    "transformer-en-fr": "transformer",
}
ANSWER = {"answer_overfitting": "0.3 to 3 nats"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    real = registry.run_experiment

    def quick(name, load, on_part, seed=0, **settings):
        quicker = {"steps": 8} if name == "overfitting" else {}
        return real(name, load, on_part, seed, **quicker | settings)

    monkeypatch.setattr(registry, "run_experiment", quick)


def test_the_contents_lead_to_every_lesson():
    at = visit("learn")
    assert not at.exception
    shown = " ".join(each.value for each in at.markdown)
    assert all(lesson.claim.split()[0] in shown for lesson in LESSONS.values() if lesson.claim)
    assert "0 of 18" in at.get("progress")[0].proto.text


def test_an_unknown_lesson_is_said_and_the_contents_are_there():
    at = visit("learn", lesson="**bold**")
    assert "no lesson" in at.warning[0].value
    assert at.title[0].value == "Course"


@pytest.mark.parametrize("name", LESSONS)
def test_nothing_runs_before_an_answer(name):
    at = visit("learn", lesson=name)
    assert not at.exception
    assert at.title[0].value == LESSONS[name].title
    if LESSONS[name].question:
        assert at.button(key="run").disabled
    if not LESSONS[name].sections:
        assert not charts(at)


@pytest.mark.parametrize("seed", ["0", "4"])
def test_an_answer_is_measured_and_judged(seed):
    at = visit("learn", lesson="overfitting", seed=seed, **ANSWER)
    at.button(key="run").click().run(timeout=60)
    assert not at.exception
    assert len(charts(at)) == 3  # the answer, the curves, and those of dropout
    assert "nats" in at.metric[0].value
    verdict = [*at.success, *at.error, *at.warning][0].value
    assert "claim" in verdict
    assert "You" in verdict
    assert f"seed {seed}" in at.caption[-1].value
    assert at.query_params["done"] in ("overfitting", ["overfitting"])


def test_a_control_measures_anew():
    at = visit("learn", lesson="overfitting", **ANSWER)
    at.button(key="run").click().run(timeout=60)
    at.selectbox(key="overfitting_pairs").set_value(200).run()
    assert not charts(at)
    at.button(key="run").click().run(timeout=60)
    assert any("200 pairs" in each.value for each in at.caption)


def test_a_model_that_is_not_here_is_one_sentence():
    at = visit("learn", lesson="variable-length", **{"answer_variable_length": "50 to 100"})
    at.button(key="run").click().run(timeout=60)
    assert not at.exception
    assert "There is no checkpoint" in at.error[0].value
    assert at.title[0].value == LESSONS["variable-length"].title


def test_finished_lessons_stand_in_the_address():
    at = visit("learn", done="bottleneck.latency.nonsense")
    assert "2 of 18" in at.get("progress")[0].proto.text


@pytest.mark.parametrize(
    ("lesson", "query", "said"),
    [
        ("overfitting", {"answer_overfitting": "all of it"}, "the answer"),
        ("overfitting", {"overfitting_pairs": "7"}, "the pairs"),
        ("overfitting", {"seed": "500"}, "the seed"),
        ("variable-length", {"variable_length_model": "BERT"}, "the model"),
        ("how-it-works", {"how_it_works_model": "GPT"}, "the model"),
        ("how-it-works", {"how_it_works_sentence": "a " * 200}, "has 400 characters"),
        ("latency", {"latency_sentence": "a " * 200}, "has 400 characters"),
    ],
)
def test_what_a_link_cannot_have_is_one_sentence_and_the_lesson_stays(named, lesson, query, said):
    at = visit("learn", lesson=lesson, **query)
    assert not at.exception
    assert at.title[0].value == LESSONS[lesson].title
    [warning] = at.warning
    assert said in warning.value
    at.run()
    assert at.title[0].value == LESSONS[lesson].title


def test_what_a_link_may_have_is_not_warned_of(named):
    query = {"answer_overfitting": "0.3 to 3 nats", "overfitting_pairs": "200", "seed": "7"}
    at = visit("learn", lesson="overfitting", **query)
    assert not at.warning
    assert at.selectbox(key="overfitting_pairs").value == 200
    at = visit("learn", lesson="variable-length", variable_length_model="A tiny model")
    assert not at.exception


def test_an_empty_sentence_is_not_decoded(named):
    at = visit("learn", lesson="latency", **{"answer_latency": "1.5 to 5"})
    at.text_input(key="latency_sentence").set_value("  ").run()
    assert not at.exception
    assert "type a sentence" in at.info[0].value
    assert not [each for each in at.button if each.key == "run"]


def test_verdicts_of_several_seeds_stand_together():
    at = visit("learn", lesson="overfitting", **ANSWER)
    at.button(key="run").click().run(timeout=60)
    assert not any("Verdicts by seed" in each.value for each in at.caption)
    at.number_input(key="seed").set_value(3).run()
    at.button(key="run").click().run(timeout=60)
    [said] = [each.value for each in at.caption if "Verdicts by seed" in each.value]
    assert "seed 0 " in said
    assert "seed 3 " in said


def test_sentences_behind_a_point_are_listed_with_links(named):
    query = {"answer_attention_helps": "nothing", "attention_helps_sentences": "20"}
    at = visit("learn", lesson="attention-helps", **query)
    at.button(key="run").click().run(timeout=120)
    assert not at.exception
    assert at.selectbox(key="attention_helps_place").value == 4
    listed = [each.value for each in at.markdown if "Reference:" in each.value]
    assert len(listed) == 5
    scores = [float(re.search(r"\((\d+) chrF\)", each)[1]) for each in listed]
    assert scores == sorted(scores)
    at.segmented_control(key="attention_helps_place_order").set_value("Best first").run()
    listed = [each.value for each in at.markdown if "Reference:" in each.value]
    scores = [float(re.search(r"\((\d+) chrF\)", each)[1]) for each in listed]
    assert scores == sorted(scores, reverse=True)


@pytest.fixture
def named(root):
    """The tiny models under the names of those that lessons use."""
    for name, tiny in STAND_INS.items():
        shutil.copytree(root / tiny, root / name)
    st.cache_data.clear()
    return root


@pytest.mark.parametrize("model", ["lstm-vanilla-en-fr", "transformer-en-fr"])
def test_how_it_works_fills_the_formulas_of_a_step(named, model):
    query = {"how_it_works_model": model, "how_it_works_sentence": "The old dog sleeps."}
    at = visit("learn", lesson="how-it-works", **query)
    assert not at.exception
    [picture] = live_pictures(at)
    formulas, stages = (table.value for table in at.table)
    assert len(formulas) >= 3
    assert formulas["with this run's numbers"].str.contains(r"\d").any()
    assert (
        stages["what comes out"]
        .str.contains(str(len(picture["picture"]["source"]["tokens"])))
        .any()
    )
    at.slider(key="how_it_works_step").set_value(2).run()
    assert not at.exception
    assert "step 2" in " ".join(each.value for each in at.markdown)
    at.button[0].click().run()
    assert at.query_params["done"] in ("how-it-works", ["how-it-works"])


def test_an_empty_sentence_is_one_sentence_and_the_lesson_stays(named):
    at = visit("learn", lesson="how-it-works")
    at.text_input(key="how_it_works_sentence").set_value("  ").run()
    assert not at.exception
    assert "type a sentence" in at.info[0].value
    assert at.title[0].value == "How it works"


def test_a_visitor_is_the_beam(named):
    at = visit("learn", lesson="beam-by-hand", beam_by_hand_sentence="The old dog sleeps.")
    assert at.button(key="keep").disabled
    for step in range(24):
        if not [each for each in at.button if each.key == "keep"]:
            break
        at.checkbox(key=f"keep_{step}_0").check()
        at.checkbox(key=f"keep_{step}_1").check()
        at.run()
        at.button(key="keep").click().run()
        assert not at.exception
        assert f"Step {step + 1}" in at.expander[step].label
    shown = at.dataframe[0].value
    assert set(shown["you"]) == {"kept", "pruned"}
    assert set(shown["beam of 2"]) <= {"kept", "finished", "pruned", "not reached"}
    # The first step offers the same to both: a beam keeps the two that are most probable.
    assert (shown["beam of 2"][:2] == "kept").all()
    at.button[-1].click().run()
    assert not at.exception


def test_three_are_too_many_for_a_beam_of_two(named):
    at = visit("learn", lesson="beam-by-hand", beam_by_hand_sentence="The old dog sleeps.")
    for place in range(3):
        at.checkbox(key=f"keep_0_{place}").check()
    at.run()
    assert at.button(key="keep").disabled


def test_teacher_forcing_begins_with_a_reference(named):
    at = visit("learn", lesson="teacher-forcing")
    assert not at.exception
    assert at.text_input(key="reference").value
    assert charts(at)


def test_the_keras_example_counts_layer_by_layer(named):
    at = visit("learn", lesson="keras-example")
    assert not at.exception
    assert list(at.table[0].value["Keras"]) == ["–", "197,120", "–", "197,120", "1,290,000"]


def test_names_are_sorted(named):
    at = visit("learn", lesson="model-names")
    at.segmented_control(key="kind_BERT").set_value("decoder").run()
    at.segmented_control(key="kind_GPT").set_value("decoder").run()
    shown = " ".join(each.value for each in at.markdown)
    assert "BERT is an encoder" in shown
    assert "1 of 5" in " ".join(each.value for each in at.caption)


def test_a_class_link_holds_what_stands_there_and_no_answer(named):
    at = visit(
        "learn",
        lesson="overfitting",
        overfitting_pairs="200",
        seed="4",
        done="bottleneck",
        **ANSWER,
    )
    [link] = [each.value for each in at.code if "lesson=" in each.value]
    assert "lesson=overfitting" in link
    assert "overfitting_pairs=200" in link
    assert "seed=4" in link
    assert "answer" not in link
    assert "done" not in link
    at.toggle(key="class_predicts").set_value(False).run()
    assert any("prediction=hidden" in each.value for each in at.code)


def test_where_the_prediction_is_hidden_the_run_is_open():
    at = visit("learn", lesson="overfitting", prediction="hidden")
    assert not at.radio
    at.button(key="run").click().run(timeout=60)
    assert not at.exception
    assert len(charts(at)) == 2


@pytest.mark.parametrize("name", LESSONS)
def test_a_sheet_to_print_has_no_controls(name):
    at = visit("learn", lesson=name, view="print")
    assert not at.exception
    assert not at.button
    assert not at.selectbox
    assert not at.radio
    assert at.title[0].value == LESSONS[name].title


def test_the_quiz_says_what_was_measured_and_judges_answers():
    at = visit("learn", lesson="overfitting", **ANSWER)
    at.button(key="run").click().run(timeout=60)
    at.query_params["lesson"] = "quiz"
    at.run()
    assert not at.exception
    assert any("You measured" in each.value for each in at.caption)
    at.radio(key="quiz_overfitting").set_value(1).run()
    at.radio(key="quiz_latency").set_value(0).run()
    assert len(at.success) == len(at.error) == 1
    assert "1 right of 2" in at.get("progress")[0].proto.text
