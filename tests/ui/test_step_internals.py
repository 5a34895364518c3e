"""The instruments that look into a step, follow a reference, show the way of a text."""

import shutil

import pytest

from tests.visit import SENTENCE, charts, messages, visit

pytestmark = pytest.mark.usefixtures("root")


INSIDE = {"text": SENTENCE, "tab": "Inside a step"}


def titles(at):
    return [each.value for each in at.subheader]


@pytest.mark.parametrize(
    ("name", "first", "chart"),
    [
        ("lstm-attention", "2. What becomes of the old state", "gates"),
        ("gru-plain", "2. It knows the source by one vector", "context"),
        ("rnn-additive", "2. It looks at the source", "source_scores"),
        ("transformer", "2. It looks back at what it has read (layer 2, head 1)", "own_scores"),
    ],
)
def test_a_step_is_a_chain_in_the_order_of_its_model(name, first, chart):
    at = visit("translation", checkpoint=name, step="2", **INSIDE)
    assert not at.exception
    assert not at.error
    assert titles(at)[0] == "1. It reads the token before"
    assert titles(at)[1] == first
    assert titles(at)[-1].endswith("It chooses a token")
    assert len(charts(at)) >= 4
    assert any("aligned" in each.value for each in at.markdown)


def test_the_written_token_is_what_the_next_step_reads():
    at = visit("translation", step="1", **INSIDE)
    button = next(each for each in at.button if each.label.startswith("Next step"))
    piece = button.label.split("reads ")[1]
    button.click().run()
    assert at.slider(key="step").value == 2
    assert any(piece in each.value for each in at.markdown)


def test_a_unit_is_chosen_by_number_pill_or_link():
    at = visit("translation", unit="7", **INSIDE)
    assert at.number_input(key="unit").value == 7
    assert any("Unit 7 goes from" in each.value for each in at.markdown)
    pill = at.pills(key="most_changed")
    number = pill.options[1]
    pill.set_value(getattr(number, "content", number)).run()
    assert at.number_input(key="unit").value == int(getattr(number, "content", number))


@pytest.mark.parametrize("unit", ["0", "999999", "x"])
def test_a_nonsense_unit_layer_and_head_in_a_link_are_ignored(unit):
    for name in ("lstm-attention", "transformer"):
        more = {"unit": unit, "inside_layer": unit, "inside_head": unit}
        at = visit("translation", checkpoint=name, **more, **INSIDE)
        assert not at.exception
        assert titles(at)[-1].endswith("It chooses a token")


def test_a_narrower_model_forgets_the_unit(root):
    at = visit("translation", checkpoint="lstm-attention", unit="16", inside_layer="1", **INSIDE)
    assert at.number_input(key="unit").value == 16
    at.selectbox(key="checkpoint").set_value("transformer").run()
    assert not at.exception
    at.selectbox(key="checkpoint").set_value("gru-plain").run()
    assert not at.exception
    assert titles(at)[-1].endswith("It chooses a token")


def test_a_saved_run_without_its_model_says_so(trace, root):
    shutil.rmtree(root / trace.checkpoint)
    at = visit("translation", tab="Inside a step")
    at.get("file_uploader")[0].set_value(("run.json", trace.to_json(), "application/json")).run()
    assert not at.exception
    assert any("nothing can be run anew" in each for each in messages(at))


FORCED = {"text": SENTENCE, "tab": "Teacher forcing"}


@pytest.mark.parametrize("name", ["lstm-attention", "gru-plain", "rnn-additive", "transformer"])
def test_a_reference_is_compared_with_the_output(name):
    reference = "Le chien dort dans le jardin."
    at = visit("translation", checkpoint=name, reference=reference, reference_step="3", **FORCED)
    assert not at.exception
    assert not at.error
    assert at.slider(key="reference_step").value == 3
    assert [metric.label for metric in at.metric][:3] == ["BLEU", "chrF", "ROUGE-L"]
    assert any("exposure bias" in each.value for each in at.markdown)
    assert len(charts(at)) == (3 if name == "gru-plain" else 5)


def test_the_output_shown_can_be_the_reference():
    at = visit("translation", **FORCED)
    assert "Type a right answer" in messages(at)[-1]
    at.button(key="take_0").click().run()
    assert at.text_input(key="reference").value
    assert not at.exception
    assert at.metric


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("", "Type a right answer"),
        ("  ", "Type a right answer"),
        ("🙂 ☃", "never seen"),
        ("\x07", "no output to follow"),
        ("chien " * 2_000, "cannot follow an output of"),
        ("<b>x</b> **bold** $x$ [a](b)", ""),
    ],
)
def test_an_odd_reference_gets_a_sentence_and_stays(reference, said):
    at = visit("translation", **FORCED)
    at.text_input(key="reference").set_value(reference).run()
    assert not at.exception
    assert at.text_input(key="reference").value == reference
    assert any(said in each.replace("\\", "") for each in [*messages(at), ""])


@pytest.mark.parametrize("step", ["0", "99", "x"])
def test_a_nonsense_step_of_the_reference_is_ignored(step):
    at = visit("translation", reference="Le chien dort.", reference_step=step, **FORCED)
    assert not at.exception
    assert at.metric


def test_nothing_is_asked_of_a_saved_run_without_its_model(trace, root):
    shutil.rmtree(root / trace.checkpoint)
    at = visit("translation", tab="Teacher forcing")
    at.get("file_uploader")[0].set_value(("run.json", trace.to_json(), "application/json")).run()
    assert not at.exception
    assert any("nothing can be run anew" in each for each in messages(at))
    assert "reference" not in {each.key for each in at.text_input}


@pytest.mark.parametrize("name", ["lstm-attention", "gru-plain", "transformer"])
def test_the_way_of_a_text_is_shown(name):
    typed = "The  cat\tsleeps 🙂."
    at = visit("translation", checkpoint=name, text=typed, tab="Tokens", word="2")
    assert not at.exception
    said = " ".join(each.value for each in at.markdown)
    assert "Cleaned:" in said
    assert "That of token 2" in said
    assert "Joined:" in said
    assert any("never seen" in each.value for each in at.caption)
    assert "vector's length" in at.dataframe[0].value


def test_the_tokens_of_a_saved_run_need_no_model(trace, root):
    shutil.rmtree(root / trace.checkpoint)
    at = visit("translation", tab="Tokens")
    at.get("file_uploader")[0].set_value(("run.json", trace.to_json(), "application/json")).run()
    assert not at.exception
    assert list(at.dataframe[0].value["id"]) == list(trace.source.ids)
    assert list(at.dataframe[1].value["id"]) == list(trace.target.ids)
