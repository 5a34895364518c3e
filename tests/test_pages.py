import shutil

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ui.instruments import TABS

PAGES = [
    "pages/home.py",
    "pages/translation.py",
    "pages/summarization.py",
    "pages/chatbot.py",
    "pages/speech.py",
    "pages/spelling.py",
    "pages/race.py",
    "pages/map.py",
    "pages/models.py",
]
SENTENCE = "The old dog sleeps in the garden."
BEAMS = {"tab": "Beam tree"}


@pytest.fixture(autouse=True)
def root(checkpoint_root, tmp_path, monkeypatch):
    """Pages that see the tiny checkpoints, in a folder that a test may damage."""
    copy = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", copy)
    monkeypatch.setattr("ui.models.DEFAULT", "lstm-attention")
    st.cache_resource.clear()
    yield copy
    st.cache_resource.clear()


def open_page(page, through_menu=True, **query):
    """Open a page by a click in the menu, or alone, as a link to it with a query does."""
    through_menu = through_menu and not query
    at = AppTest.from_file("../app.py" if through_menu else f"../{page}", default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    if through_menu:
        at.run()
        at.switch_page(page)
    return at.run()


def messages(at):
    return [element.value for kind in (at.error, at.warning, at.info) for element in kind]


def charts(at):
    return at.get("plotly_chart")


@pytest.mark.parametrize("through_menu", [True, False], ids=["menu", "alone"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_runs(page, through_menu):
    at = open_page(page, through_menu)
    assert not at.exception
    assert at.title[0].value


def test_start_page_shows_a_live_run():
    at = open_page(PAGES[0])
    assert len(charts(at)) == 1
    assert "tokens in" in at.caption[0].value


def test_translation_asks_for_a_sentence_when_there_is_none():
    at = open_page(PAGES[1])
    assert "type a sentence" in at.info[0].value
    assert not charts(at)


@pytest.mark.parametrize("name", ["lstm-attention", "rnn-additive", "transformer", "gru-plain"])
def test_every_architecture_is_shown(name):
    at = open_page(PAGES[1], checkpoint=name, text=SENTENCE)
    assert not at.exception
    assert at.selectbox(key="checkpoint").value == name
    without_attention = name == "gru-plain"
    assert len(charts(at)) == 2
    assert any("no attention" in message for message in messages(at)) == without_attention


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("name", ["lstm-attention", "transformer", "gru-plain"])
def test_every_instrument_shows_every_architecture(name, tab):
    at = open_page(PAGES[1], checkpoint=name, text=SENTENCE, tab=tab, step="2", word="1")
    assert not at.exception
    assert not at.error
    opened = next(each for each in at.tabs if each.label == tab)
    assert len(opened.children) > 0


def test_an_example_becomes_the_text():
    at = open_page(PAGES[1], through_menu=False)
    example = at.get("button_group")[0].options[0]
    at.pills(key="example").set_value(getattr(example, "content", example)).run()
    assert at.text_input(key="text").value == "The cat sleeps."
    assert len(charts(at)) == 2


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
    }
    at = open_page(PAGES[1], **query)
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
    at = open_page(PAGES[1], **query, **BEAMS)
    assert all(count <= 9 for count in at.dataframe[0].value["tokens"])
    assert all(text.startswith("Le") for text in at.dataframe[0].value["output"])


def test_the_selected_step_stays_inside_a_shorter_output():
    at = open_page(PAGES[1], text=SENTENCE)
    at.slider(key="step").set_value(at.slider(key="step").max).run()
    at.text_input(key="text").set_value("Hi").run()
    assert not at.exception
    assert 1 <= at.slider(key="step").value <= at.slider(key="step").max


def test_a_nonsense_step_in_a_link_is_ignored():
    for step in ("0", "-3", "9999", "x", "²"):
        at = open_page(PAGES[1], text=SENTENCE, step=step)
        assert not at.exception
        assert charts(at)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("   ", "type a sentence"),
        ("\x00\x07", "nothing to read"),
        ("word " * 2_000, "first 8,000 of 10,000 characters"),
        ("🙂", "never seen"),
        ("שלום עולם", "never seen"),
        ("<script>alert(1)</script> <b>x</b>", ""),
        ("The\x00 cat\x1b[31m sleeps.", ""),
        ("**bold** [link](http://example.org) $x$", ""),
    ],
)
def test_odd_text_gets_a_sentence_and_stays_in_the_box(text, said):
    at = open_page(PAGES[1], through_menu=False)
    at.text_input(key="text").set_value(text).run()
    assert not at.exception
    assert at.text_input(key="text").value == text
    assert any(said in message.replace("\\", "") for message in [*messages(at), ""])


@pytest.mark.parametrize("method", ["", "nonsense"])
def test_a_link_with_a_nonsense_method_still_works(method):
    at = open_page(PAGES[1], text=SENTENCE, method=method)
    assert not at.exception
    assert charts(at)


def test_a_beam_may_go_on_after_enough_outputs_are_complete():
    at = open_page(PAGES[1], text=SENTENCE, early_stopping="false")
    assert not at.exception
    assert at.toggle(key="early_stopping").value is False
    assert charts(at)


def test_a_cleared_start_page_asks_for_a_sentence():
    at = open_page(PAGES[0], through_menu=False)
    at.text_input(key="sentence").set_value(" ").run()
    assert not at.exception
    assert not at.error
    assert "type a sentence" in at.info[0].value


@pytest.mark.parametrize(
    ("file", "said"), [("card.toml", "no card.toml"), ("model.safetensors", "no weights")]
)
def test_a_checkpoint_without_its_files_is_named(root, file, said):
    (root / "transformer" / file).unlink()
    at = open_page(PAGES[1], checkpoint="transformer", text=SENTENCE)
    assert not at.exception
    assert said in at.warning[0].value.replace("\\", "")
    assert charts(at)


def test_an_unknown_checkpoint_in_a_link_is_named():
    at = open_page(PAGES[1], checkpoint="no-such-model", text=SENTENCE)
    assert not at.exception
    assert "no-such-model" in at.warning[0].value.replace("\\", "")
    assert charts(at)


def test_a_prefix_the_model_cannot_say_is_named():
    at = open_page(PAGES[1], text=SENTENCE, prefix="🙂")
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
    at = open_page(PAGES[1], text=SENTENCE, checkpoint="lstm-attention")
    assert not at.exception
    assert said in at.error[0].value.replace("\\", "")
    assert str(root) not in at.error[0].value
    at.selectbox(key="checkpoint").set_value("transformer").run()
    assert not at.error
    assert charts(at)


def test_no_checkpoint_at_all_is_said(root):
    shutil.rmtree(root)
    for page in PAGES[:-1]:
        at = open_page(page)
        assert not at.exception
        assert "no checkpoint" in at.error[0].value
        assert [*at.text_input, *at.text_area, *at.chat_input, *at.get("file_uploader")]


def test_a_step_changes_what_is_shown_of_it():
    at = open_page(PAGES[1], text=SENTENCE)
    assert charts(at)[1].proto.alt.startswith("Most probable tokens of step 1:")
    at.slider(key="step").set_value(2).run()
    assert charts(at)[1].proto.alt.startswith("Most probable tokens of step 2:")


def test_a_saved_run_is_reopened_without_its_model(trace, root):
    shutil.rmtree(root / "transformer")
    at = open_page(PAGES[1])
    at.get("file_uploader")[0].set_value(("run.json", trace.to_json(), "application/json")).run()
    assert not at.exception
    assert len(charts(at)) == 2


def test_a_file_that_is_no_run_is_named():
    at = open_page(PAGES[1], through_menu=False)
    at.get("file_uploader")[0].set_value(("run.json", b"{}", "application/json")).run()
    assert not at.exception
    assert "not a run" in at.error[0].value
