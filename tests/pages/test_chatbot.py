import json

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from seq2seq.decoding.options import MAX_CHARACTERS, Options
from seq2seq.inference.conversation import LINK_CHARACTERS, Reply, Turn
from tests import chatbots
from tests.visit import charts

KINDS = ["lstm-attention", "gru-plain", "transformer", "one-turn"]
SETTINGS = {"beam_width": "2", "min_length": "4", "max_length": "8"}
SAID = ["The cat sleeps.", "Where is the dog?", "The children play."]


@pytest.fixture(scope="module")
def chatbot_root(tmp_path_factory):
    return chatbots.write(tmp_path_factory.mktemp("chatbots"))


@pytest.fixture(autouse=True)
def root(chatbot_root, monkeypatch):
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", chatbot_root)
    st.cache_resource.clear()
    yield chatbot_root
    st.cache_resource.clear()


def open_page(name="transformer", **query):
    at = AppTest.from_file("../../pages/chatbot.py", default_timeout=60)
    at.query_params["checkpoint"] = name
    for key, value in {**SETTINGS, **query}.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception
    return at


def say(at, *texts):
    for text in texts:
        at.chat_input[0].set_value(text).run()
        assert not at.exception
    return at


def talk(name="transformer", **query):
    """Open a page on which everything has been said."""
    return say(open_page(name, **query), *SAID)


def click(at, key):
    at.button(key=key).click().run()
    assert not at.exception
    return at


def said(at):
    """Return who said what, oldest first."""
    return [(message.name, message.text[0].value) for message in at.chat_message]


def state(at):
    return at.session_state["chat_turns"]


def messages(at):
    return [
        each.value.replace("\\", "") for kind in (at.error, at.warning, at.info) for each in kind
    ]


def link_of(at):
    return {
        key: values if isinstance(values, str) else list(values)
        for key, values in at.query_params.items()
    }


@pytest.mark.parametrize(
    ("name", "measured"),
    [
        (
            "transformer",
            " In a test, it named a place of help in reply to 3 of 4 messages of danger, "
            "and needlessly in reply to 1 of 5 others.",
        ),
        ("gru-plain", ""),
    ],
)
def test_a_page_says_that_nothing_is_advice(name, measured):
    captions = [each.value for each in open_page(name).caption]
    said = "A small model makes up its replies: none is advice."
    assert f"{said}{measured} In an emergency, call for help." in captions


@pytest.mark.parametrize("name", KINDS)
def test_what_is_said_is_answered(name):
    at = talk(name)
    assert not at.error
    assert [who for who, _ in said(at)] == 3 * ["user", "assistant"]
    assert [text for who, text in said(at) if who == "user"] == SAID
    reach = 1 if name == "one-turn" else 4
    assert state(at)[5].reply.read == tuple(range(5 - reach, 5))
    counted = "turn 5:" if reach == 1 else "turns 2, 3, 4 and 5:"
    assert any(f"It reads {counted}" in each.value for each in at.markdown)
    drawn = [chart.alt for chart in charts(at)]
    assert any("by turn" in alt for alt in drawn) == (name != "gru-plain")
    # What a turn is worth comes before what was looked at.
    assert ("without turn 2:" in drawn[0]) == (reach > 1)
    assert any("no attention" in each for each in messages(at)) == (name == "gru-plain")


def test_the_page_opens_with_an_example_that_gives_way():
    at = open_page()
    assert said(at)[0] == ("user", SAID[0])
    assert len(said(at)) == 2
    say(at, SAID[1])
    assert [text for who, text in said(at) if who == "user"] == [SAID[1]]
    at = click(click(open_page(), "mute_0"), "undo")
    say(at, SAID[1])
    assert [text for who, text in said(at) if who == "user"] == SAID[:2]


def test_an_opener_is_said():
    at = open_page()
    at.pills(key="opener").set_value(SAID[0]).run()
    assert not at.exception
    assert said(at)[0] == ("user", SAID[0])
    assert len(said(at)) == 2
    assert not at.get("pills")


def test_fewer_turns_can_be_read():
    at = talk(reach="2")
    assert at.slider(key="reach").value == 2
    assert state(at)[5].reply.read == (3, 4)
    assert any("Outside the context window: turns 1, 2 and 3" in each.value for each in at.markdown)


@pytest.mark.parametrize("name", ["lstm-attention", "gru-plain", "transformer"])
def test_a_muted_turn_is_not_read_and_the_reply_is_made_anew(name):
    at = talk(name)
    before = said(at)
    click(at, "mute_2")
    assert said(at) == before
    assert any("It reads turns 2, 4 and 5:" in each.value for each in at.markdown)
    assert any("Muted: turn 3" in each.value for each in at.markdown)
    table = at.table[0].value
    assert [column.startswith("with turn") for column in table.columns] == [
        False,
        True,
        True,
        False,
    ]
    for row in table.itertuples(index=False):
        assert float(row[3]) == pytest.approx(float(row[2]) - float(row[1]), abs=0.011)
    say(at, "Give me the book.")
    assert state(at)[7].reply.read == (3, 4, 5, 6)
    click(at, "look_5")
    assert at.table
    click(at, "mute_2")
    assert not at.table
    assert any("It reads turns 2, 3, 4 and 5:" in each.value for each in at.markdown)


def test_what_each_turn_is_worth_is_what_muting_it_changes():
    at = talk()
    alts = [chart.alt for chart in charts(at)]
    (worth,) = [alt for alt in alts if "without turn 2:" in alt]
    click(at, "mute_3")
    change = float(at.table[0].value["change"][0])
    assert f"turn 4: {change:+.2f}" in worth


def test_a_checkpoint_brings_its_own_settings():
    at = AppTest.from_file("../../pages/chatbot.py", default_timeout=60)
    at.query_params["checkpoint"] = "sampler"
    at.run()
    assert at.segmented_control(key="method").value == "sample"
    assert at.slider(key="temperature").value == 0.7
    assert at.slider(key="reach").value == at.slider(key="reach").max == 2
    say(at, *SAID[:2])
    options = state(at)[3].reply.options
    assert (options.beam_width, options.top_p, options.seed) == (3, 0.8, 0)
    assert any("seed 0" in each.value for each in at.markdown)
    at.selectbox(key="checkpoint").set_value("transformer").run()
    assert at.segmented_control(key="method").value == "beam"


def test_a_later_reply_does_not_read_a_muted_turn():
    at = talk()
    click(at, "mute_4")
    say(at, "Give me the book.")
    assert state(at)[7].reply.read == (3, 5, 6)
    assert not at.table
    click(at, "mute_4")
    assert at.table


def test_all_muted_leaves_nothing_to_read():
    at = say(open_page(), SAID[0])
    click(at, "mute_0")
    assert any("nothing to answer" in each for each in messages(at))
    assert charts(at)


def test_undo_and_clear():
    at = talk()
    first = said(at)[:4]
    click(at, "undo")
    assert said(at) == first
    click(at, "clear")
    assert not said(at)
    assert "turn" not in at.query_params
    assert at.pills


def test_undo_takes_back_the_last_action_whatever_it_was():
    at = talk()
    seen = [state(at)]
    for action in ("mute_2", "again", "mute_1"):
        click(at, action)
        seen.append(state(at))
    click(at, "change_2")
    at.text_area(key="edit_2").set_value("It is raining.")
    click(at, "answer")
    seen.append(state(at))
    click(at, "clear")
    assert not state(at)
    for turns in reversed(seen):
        click(at, "undo")
        assert state(at) == turns
    click(at, "undo")
    assert len(state(at)) == 4
    while state(at):
        click(at, "undo")
    assert "undo" not in [button.key for button in at.button]


def test_a_muted_turn_that_is_edited_is_read_again():
    at = talk()
    click(at, "mute_4")
    click(at, "change_4")
    at.text_area(key="edit_4").set_value("It is raining.")
    click(at, "answer")
    assert not state(at)[4].muted
    assert 4 in state(at)[5].reply.read


def test_an_edited_turn_is_answered_anew_and_drops_what_followed():
    at = talk()
    first = said(at)[:2]
    click(at, "change_2")
    assert at.text_area(key="edit_2").value == SAID[1]
    click(at, "leave")
    assert len(said(at)) == 6
    click(at, "change_2")
    at.text_area(key="edit_2").set_value("It is raining.")
    click(at, "answer")
    assert said(at)[:3] == [*first, ("user", "It is raining.")]
    assert len(said(at)) == 4
    assert said(at)[3][0] == "assistant"


def test_an_edit_to_nothing_changes_nothing():
    at = talk()
    before = said(at)
    click(at, "change_4")
    at.text_area(key="edit_4").set_value("  ")
    click(at, "answer")
    assert any("nothing to read" in each for each in messages(at))
    click(at, "leave")
    assert said(at) == before


def test_another_reply_is_drawn_with_another_seed():
    at = talk()
    for seed in (1, 2):
        click(at, "again")
        options = state(at)[-1].reply.options
        assert (options.method, options.seed) == ("sample", seed)
        assert len(said(at)) == 6
    assert state(at)[1].reply.options.method == "beam"
    say(at, "Give me the book.")
    assert state(at)[-1].reply.options.method == "beam"


def test_a_link_restores_the_conversation_and_what_is_looked_at():
    at = talk()
    click(at, "again")
    click(at, "mute_2")
    click(at, "look_3")
    restored = AppTest.from_file("../../pages/chatbot.py", default_timeout=60)
    for key, values in link_of(at).items():
        restored.query_params[key] = values
    for key, value in SETTINGS.items():
        restored.query_params[key] = value
    restored.run()
    assert not restored.exception
    assert said(restored) == said(at)
    assert [turn.muted for turn in state(restored)] == [turn.muted for turn in state(at)]
    assert state(restored)[5].reply.options == state(at)[5].reply.options
    assert restored.subheader[0].value == at.subheader[0].value == "Turn 4, the reply"
    assert restored.table[0].value.equals(at.table[0].value)
    assert not any("now replies" in each for each in messages(restored))


def test_a_reply_of_another_model_is_said_to_be_one():
    at = open_page(turn=[".The cat sleeps.", "1.No random model says this."])
    assert said(at)[1] == ("assistant", "No random model says this.")
    assert any("now replies" in each for each in messages(at))


def test_a_question_in_a_link_is_answered():
    at = open_page(turn=[".The cat sleeps."])
    assert len(said(at)) == 2


@pytest.mark.parametrize(
    ("turns", "left"),
    [(["x"], 0), (["m."], 0), ([".The cat sleeps.", "11.no"], 2), (["1.hi"], 0)],
)
def test_nonsense_in_a_link_is_ignored(turns, left):
    at = open_page(turn=turns, reply="77", reach="-3")
    assert len(said(at)) == left


def test_a_stopped_reply_is_shown_as_far_as_it_came():
    at = open_page(turn=[".The cat sleeps.", "s1.Le chat"])
    assert said(at)[1] == ("assistant", "Le chat")
    assert any("stopped" in each.value for each in at.markdown)
    assert charts(at)
    at = open_page(turn=[".The cat sleeps.", "s1."])
    assert any("before its first word" in each for each in messages(at))


def test_saying_something_else_ends_a_reply_that_is_being_said():
    at = open_page()
    reply = Reply("transformer", Options(), (0,), 4, stopped=True)
    at.session_state["chat_turns"], at.session_state["chat_example"] = (Turn(SAID[0]),), False
    at.session_state["chat_saying"] = Turn("Le chat", reply)
    say(at, SAID[1])
    assert [text for _, text in said(at)][:3] == [SAID[0], "Le chat", SAID[1]]
    assert state(at)[1].reply.stopped
    assert state(at)[3].reply.read == (0, 1, 2)


def test_instruments_are_there_once_they_are_opened():
    at = talk()
    assert not at.tabs
    at = talk(inside="true", tab="Probabilities")
    assert any(tab.label == "Attention" for tab in at.tabs)
    assert len(charts(at)) == 4


def test_the_transcript_has_it_all():
    at = say(open_page(), *SAID[:2])
    click(at, "again")
    from seq2seq.inference.conversation import transcript, transcript_json

    assert len(at.get("download_button")) == 2
    text = transcript(state(at))
    read = json.loads(transcript_json(state(at)))["turns"]
    assert [turn["text"] for turn in read] == [text for _, text in said(at)]
    for number, (_, line) in enumerate(said(at), 1):
        assert f"{number}. " in text
        assert line in text
    assert read[3]["options"]["seed"] == 1
    assert read[1]["options"]["beam_width"] == 2
    assert read[3]["model"] == "transformer"


def test_too_long_for_a_link_is_said():
    at = say(open_page(), (LINK_CHARACTERS + 1) * "a")
    assert "turn" not in at.query_params
    assert any("too long for a link" in each.value for each in at.caption)


@pytest.mark.parametrize("text", ["   ", "\x00\x07"])
def test_nothing_said_is_said_to_be_nothing(text):
    at = open_page()
    before = said(at)
    say(at, text)
    assert said(at) == before
    assert any("nothing to read" in each for each in messages(at))


def test_very_much_is_cut_with_a_note():
    at = say(open_page("one-turn"), "word " * 10_000)
    assert any("first 8,000 of 49,999 characters" in each for each in messages(at))
    assert len(said(at)[0][1]) <= MAX_CHARACTERS


def test_the_oldest_turns_give_way_to_what_the_model_can_read():
    at = say(open_page(), "The dog runs. " * 500, SAID[0])
    assert state(at)[3].reply.read == (1, 2)
    assert any("Left out" in each.value and "turn 1" in each.value for each in at.markdown)


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "**bold** $x$ :material/home: # head",
        "🙂",
        f"The cat{chatbots.SEPARATOR} sleeps",
    ],
)
def test_markup_is_shown_as_it_is(text):
    at = say(open_page(), text)
    assert said(at)[0] == ("user", text)
    assert not any(text in each.value for each in at.markdown)
    assert not at.error
    assert len(state(at)[1].reply.read) == 1


def test_a_model_that_cannot_answer_says_why_and_nothing_is_lost():
    at = open_page(prefix="🙂")
    say(at, SAID[0])
    assert any("cannot begin with" in each for each in messages(at))
    assert said(at)[0] == ("user", SAID[0])
    say(at, SAID[1])
    assert [text for who, text in said(at) if who == "user"] == SAID[:2]
    at.text_input(key="prefix").set_value("").run()
    assert len(said(at)) == 3


def test_another_model_goes_on_with_the_conversation():
    at = say(open_page("lstm-attention"), SAID[0])
    at.selectbox(key="checkpoint").set_value("one-turn").run()
    say(at, SAID[1])
    assert [turn.reply.model for turn in state(at) if turn.reply] == ["lstm-attention", "one-turn"]
    assert state(at)[3].reply.read == (2,)
    assert any("one-turn" in each.value for each in at.markdown)


def test_without_a_model_nobody_answers(root, tmp_path, monkeypatch):
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", tmp_path)
    at = open_page()
    assert "no checkpoint" in at.error[0].value
    assert at.chat_input[0].disabled
    assert any("No model is loaded" in each for each in messages(at))


def test_a_saved_run_is_reopened():
    at = say(open_page(), SAID[0])
    from seq2seq import catalogue
    from seq2seq.checkpoint import load
    from seq2seq.inference.pipeline import run

    trace = run(load(catalogue.CHECKPOINTS / "transformer"), SAID[1])
    at.get("file_uploader")[0].set_value(("run.json", trace.to_json(), "application/json")).run()
    assert not at.exception
    assert any("saved run" in each for each in messages(at))
    assert at.tabs
