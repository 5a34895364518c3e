import json
import shutil

import pytest

from seq2seq.decoding.options import MAX_CHARACTERS
from tests.visit import SENTENCE, charts, live_pictures, messages, visit, visit_by_menu
from ui.instruments import TABS

PAGES = [
    "start",
    "translation",
    "summarization",
    "chatbot",
    "speech",
    "pronunciation",
    "compare",
    "context_vector",
    "sentence_map",
    "models",
    "benchmarks",
    "learn",
]
BEAMS = {"tab": "Beam tree"}


pytestmark = pytest.mark.usefixtures("root")


@pytest.mark.parametrize("through_menu", [True, False], ids=["menu", "alone"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_runs(page, through_menu):
    at = visit_by_menu(page) if through_menu else visit(page)
    assert not at.exception
    assert at.title[0].value


def test_start_page_shows_a_live_run():
    at = visit_by_menu("start")
    (picture,) = live_pictures(at)
    assert picture["autoplay"]
    assert picture["picture"]["model"]["attends"]
    assert "tokens in" in at.caption[0].value


def test_the_start_page_shows_the_same_sentence_without_attention():
    at = visit_by_menu("start")
    (first,) = live_pictures(at)
    at.segmented_control(key="decoder").set_value("Without attention").run()
    assert not at.exception
    (second,) = live_pictures(at)
    assert not second["picture"]["model"]["attends"]
    assert second["picture"]["source"]["tokens"] == first["picture"]["source"]["tokens"]
    assert not second["autoplay"]


def test_translation_shows_its_first_example_until_it_is_cleared():
    at = visit_by_menu("translation")
    assert at.text_area(key="text").value == "The cat sleeps."
    assert len(live_pictures(at)) == 1
    at.text_area(key="text").set_value("").run()
    assert "type a sentence" in at.info[0].value
    assert not live_pictures(at)


@pytest.mark.parametrize("page", ["start", "translation", "compare", "context_vector"])
def test_a_sentence_travels_from_page_to_page(page):
    at = visit_by_menu("translation")
    at.text_area(key="text").set_value(SENTENCE).run()
    at.switch_page(f"pages/{page}.py").run()
    assert not at.exception
    keys = {"context_vector": "a", "translation": "text"}
    boxes = [*at.text_input, *at.text_area]
    [box] = [box for box in boxes if box.key == keys.get(page, "sentence")]
    assert box.value == SENTENCE
    at.switch_page("pages/pronunciation.py").run()
    assert SENTENCE not in [box.value for box in at.text_input]


@pytest.mark.parametrize("page", ["compare", "context_vector"])
def test_what_a_page_opens_with_does_not_travel(page):
    own = visit_by_menu("translation").text_area(key="text").value
    at = visit_by_menu(page)
    at.switch_page("pages/translation.py").run()
    assert at.text_area(key="text").value == own


def test_several_sentences_are_translated_one_by_one():
    at = visit("translation", text=f"The cat sleeps. {SENTENCE}\nWhere is the dog?")
    assert not at.exception
    assert list(at.segmented_control(key="sentence_number").options) == ["1", "2", "3"]
    first = tokens_read(at)
    at.segmented_control(key="sentence_number").set_value("2").run()
    assert not at.exception
    assert tokens_read(at) == tokens_read(visit("translation", text=SENTENCE)) != first
    at.text_area(key="text").set_value("Where is the dog? The cat sleeps.").run()
    assert at.segmented_control(key="sentence_number").value == "1"
    at.text_area(key="text").set_value(SENTENCE).run()
    assert not any(each.key == "sentence_number" for each in at.segmented_control)


def tokens_read(at):
    """Return the source tokens that are shown."""
    [view] = [
        each for each in at.get("bidi_component") if each.proto.component_name == "token_view"
    ]
    return [token["text"] for token in json.loads(view.proto.json)["source"]["tokens"]]


@pytest.mark.parametrize("name", ["lstm-attention", "rnn-additive", "transformer", "gru-plain"])
def test_every_architecture_is_shown(name):
    at = visit("translation", checkpoint=name, text=SENTENCE, tab="Attention")
    assert not at.exception
    assert at.selectbox(key="checkpoint").value == name
    without_attention = name == "gru-plain"
    assert len(charts(at)) == 2
    assert any("no attention" in message for message in messages(at)) == without_attention


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("name", ["lstm-attention", "transformer", "gru-plain"])
def test_every_instrument_shows_every_architecture(name, tab):
    at = visit("translation", checkpoint=name, text=SENTENCE, tab=tab, step="2", word="1")
    assert not at.exception
    assert not at.error
    opened = next(each for each in at.tabs if each.label == tab)
    assert len(opened.children) > 0


def test_what_was_changed_before_the_model_read_it_is_said(root):
    card = root / "lstm-attention" / "card.toml"
    card.write_text(
        card.read_text(encoding="utf-8") + 'plain_punctuation = true\ncase = "sentence"\n',
        encoding="utf-8",
    )
    at = visit("translation", checkpoint="lstm-attention", text="THE CAT’S ON THE CHAIR.")
    assert not at.exception
    said = [message.replace("\\", "") for message in messages(at)]
    assert any("plain punctuation" in message for message in said)
    assert any("The cat's on the chair." in message for message in said)
    assert at.text_area(key="text").value == "THE CAT’S ON THE CHAIR."


def test_an_example_becomes_the_text():
    at = visit("translation")
    example = at.get("button_group")[0].options[0]
    at.pills(key="example").set_value(getattr(example, "content", example)).run()
    assert at.text_area(key="text").value == "The cat sleeps."
    assert len(live_pictures(at)) == 1


def test_a_link_restores_every_control():
    query = {
        "text": SENTENCE,
        "method": "Sample",
        "beam_width": "3",
        "temperature": "0.5",
        "top_k": "7",
        "seed": "11",
        "min_length": "4",
        "max_length": "9",
        "prefix": "Le",
        "step": "2",
        "by_word": "true",
        "tab": "Attention",
    }
    at = visit("translation", **query)
    assert not at.exception
    assert at.segmented_control(key="method").value == "sample"
    assert at.slider(key="beam_width").value == 3
    assert at.slider(key="temperature").value == 0.5
    assert at.slider(key="top_k").value == 7
    assert at.number_input(key="seed").value == 11
    assert at.slider(key="min_length").value == 4
    assert at.text_input(key="prefix").value == "Le"
    assert at.slider(key="step").value == 2
    assert at.toggle(key="by_word").value is True
    at = visit("translation", **query | BEAMS)
    assert all(count <= 9 for count in at.dataframe[0].value["tokens"])
    assert all(text.startswith("Le") for text in at.dataframe[0].value["output"])


def test_the_selected_step_stays_inside_a_shorter_output():
    at = visit("translation", text=SENTENCE)
    at.slider(key="step").set_value(at.slider(key="step").max).run()
    at.text_area(key="text").set_value("Hi").run()
    assert not at.exception
    assert 1 <= at.slider(key="step").value <= at.slider(key="step").max


def test_a_nonsense_step_in_a_link_is_ignored():
    for step in ("0", "-3", "9999", "x", "²"):
        at = visit("translation", text=SENTENCE, step=step)
        assert not at.exception
        assert live_pictures(at)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("   ", "type a sentence"),
        ("\x00\x07", "nothing to read"),
        ("word " * 2_000, "tokens were read"),
        ("🙂", "never seen"),
        ("שלום עולם", "never seen"),
        ("<script>alert(1)</script> <b>x</b>", ""),
        ("The\x00 cat\x1b[31m sleeps.", ""),
        ("**bold** [link](http://example.org) $x$", ""),
    ],
)
def test_odd_text_gets_a_sentence_and_stays_in_the_box(text, said):
    at = visit("translation")
    at.text_area(key="text").set_value(text).run()
    assert not at.exception
    assert at.text_area(key="text").value == text[:MAX_CHARACTERS]
    assert any(said in message.replace("\\", "") for message in [*messages(at), ""])


@pytest.mark.parametrize("method", ["", "nonsense"])
def test_a_link_with_a_nonsense_method_still_works(method):
    at = visit("translation", text=SENTENCE, method=method)
    assert not at.exception
    assert live_pictures(at)


def test_a_beam_may_go_on_after_enough_outputs_are_complete():
    at = visit("translation", text=SENTENCE, early_stopping="false")
    assert not at.exception
    assert at.toggle(key="early_stopping").value is False
    assert live_pictures(at)


def test_a_cleared_start_page_asks_for_a_sentence():
    at = visit("start")
    at.text_input(key="sentence").set_value(" ").run()
    assert not at.exception
    assert not at.error
    assert "type a sentence" in at.info[0].value


@pytest.mark.parametrize(
    ("file", "said"), [("card.toml", "no card.toml"), ("model.safetensors", "no weights")]
)
def test_a_checkpoint_without_its_files_is_named(root, file, said):
    (root / "transformer" / file).unlink()
    at = visit("translation", checkpoint="transformer", text=SENTENCE)
    assert not at.exception
    assert said in at.warning[0].value.replace("\\", "")
    assert live_pictures(at)


def test_an_unknown_checkpoint_in_a_link_is_named():
    at = visit("translation", checkpoint="no-such-model", text=SENTENCE)
    assert not at.exception
    assert "no-such-model" in at.warning[0].value.replace("\\", "")
    assert live_pictures(at)


def test_a_prefix_the_model_cannot_say_is_named():
    at = visit("translation", text=SENTENCE, prefix="🙂")
    assert not at.exception
    assert "cannot begin with" in at.error[0].value
    assert at.text_input(key="prefix").value == "🙂"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("config.json", b"{}", "does not give a vocabulary"),
        ("config.json", b'{"vocabulary": 99}', "config"),
        ("tokenizer.model", b"no tokenizer", "tokenizer.model is damaged"),
        ("model.safetensors", b"\x80\x04K\x01.", "damaged or of another format"),
        ("model.safetensors", b"", "damaged or of another format"),
    ],
)
def test_a_damaged_checkpoint_is_named_and_the_others_still_work(root, file, content, said):
    (root / "lstm-attention" / file).write_bytes(content)
    at = visit("translation", text=SENTENCE, checkpoint="lstm-attention")
    assert not at.exception
    assert said in at.error[0].value.replace("\\", "")
    assert str(root) not in at.error[0].value
    at.selectbox(key="checkpoint").set_value("transformer").run()
    assert not at.error
    assert live_pictures(at)


def test_no_checkpoint_at_all_is_said(root):
    shutil.rmtree(root)
    for page in PAGES[: PAGES.index("models")]:
        at = visit_by_menu(page)
        assert not at.exception
        assert "no checkpoint" in at.error[0].value
        assert [*at.text_input, *at.text_area, *at.chat_input, *at.get("file_uploader")]


def test_a_step_changes_what_is_shown_of_it():
    at = visit("translation", text=SENTENCE, tab="Attention")
    assert charts(at)[1].alt.startswith("Most probable tokens of step 1:")
    at.slider(key="step").set_value(2).run()
    assert charts(at)[1].alt.startswith("Most probable tokens of step 2:")


def test_a_saved_run_is_reopened_without_its_model(trace, root):
    shutil.rmtree(root / "transformer")
    at = visit_by_menu("translation")
    at.get("file_uploader")[0].set_value(("run.json", trace.to_json(), "application/json")).run()
    assert not at.exception
    assert len(live_pictures(at)) == 1


def test_a_file_that_is_no_run_is_named():
    at = visit("translation")
    at.get("file_uploader")[0].set_value(("run.json", b"{}", "application/json")).run()
    assert not at.exception
    assert "not a run" in at.error[0].value
