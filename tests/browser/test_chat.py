"""The page of chatbots in headless Chromium, with tiny ones that have learnt nothing."""

import json
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.served import HEATMAP, answered, check_accessible, link, queries_of, served_app, settled

pytestmark = pytest.mark.browser

SHORT = {"min_length": 4, "max_length": 8, "beam_width": 2}
LONG = {"min_length": 500, "max_length": 512, "beam_width": 10}
# Notes what the reply after `earlier` ones looks like while it is decoded, and when after Enter.
WATCH = """(earlier) => {
  window.seen = [];
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { window.entered = performance.now(); window.seen = []; }
  }, true);
  new MutationObserver(() => {
    const replies = document.querySelectorAll(
      "[aria-label='Chat message from assistant'] [data-testid=stText]");
    const text = replies.length ? replies[replies.length - 1].textContent : "";
    const last = window.seen[window.seen.length - 1];
    const grows = replies.length > earlier && text.length > 1;
    if (grows && (!last || last.text !== text)) {
      window.seen.push({ text, milliseconds: performance.now() - window.entered });
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def open_chat(page, server, name="chat-transformer", **query):
    page.goto(link(server, "chatbot", checkpoint=name, **query))
    expect(page.get_by_text("Context window (turns)")).to_be_visible()
    settled(page)
    return page


def say(page, text):
    box = page.get_by_role("textbox", name="Type a message")
    box.fill(text)
    box.press("Enter")


def replies(page):
    return page.get_by_label("Chat message from assistant")


def turns_of(page):
    return queries_of(page).get("turn", [])


def test_the_place_to_type_in_is_in_sight_at_first(server, new_page):
    page = new_page()
    page.set_viewport_size({"width": 1280, "height": 640})
    open_chat(page, server)
    expect(replies(page)).to_have_count(1)
    expect(page.get_by_role("textbox", name="Type a message")).to_be_in_viewport(ratio=1)


@pytest.mark.slow
def test_a_link_is_restored_on_a_server_that_nobody_has_visited(checkpoints, new_page):
    turns = [".Hello", "0001.Le chat", "m.Where is the dog?", "s0111.Le"]
    with served_app(checkpoints) as fresh:
        page = open_chat(new_page(), fresh, turn=turns, **SHORT)
        expect(page.get_by_role("link", name="Start")).to_be_visible()
        said = page.locator(".st-key-conversation").get_by_test_id("stText")
        assert said.all_text_contents() == ["Hello", "Le chat", "Where is the dog?", "Le"]
        assert turns_of(page) == turns
        page.goto("about:blank")  # before its server ends, or scripts that still load complain


def test_a_reply_grows_and_is_stopped_where_it_is(server, new_page):
    page = open_chat(new_page(), server, "chat-slow", turn=[".Hello", "s1.Le chat"], **LONG)
    page.evaluate(WATCH, 1)
    say(page, "The cat sleeps.")
    page.wait_for_function("window.seen.length > 2")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("turn 4, stopped")).to_be_visible()
    settled(page)
    seen = page.evaluate("window.seen")
    assert len(seen[0]["text"]) < len(seen[2]["text"])
    assert seen[0]["milliseconds"] < 3_000
    said = replies(page).last.get_by_test_id("stText").text_content()
    assert said
    assert said in {each["text"] for each in seen}
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.get_by_label("by turn")).to_be_visible()


@pytest.mark.slow
def test_mute_look_and_the_link(server, new_page):
    page = open_chat(new_page(), server, **SHORT)
    for number, text in enumerate(("The cat sleeps.", "Where is the dog?"), 1):
        answered(page, partial(say, page, text))
        expect(page.get_by_role("heading", name=f"Turn {2 * number}, the reply")).to_be_visible()
    page.get_by_role("button", name="Mute").first.click()
    expect(page.get_by_text("With turns 1, 2 and 3").first).to_be_visible()
    expect(page.get_by_text("With turns 2 and 3", exact=True)).to_be_visible()
    page.get_by_text("Instruments for turn 4").click()
    expect(page.locator(HEATMAP)).to_be_visible()
    settled(page)
    assert turns_of(page)[0] == "m.The cat sleeps."
    texts = page.locator(".st-key-conversation").get_by_test_id("stText").all_text_contents()
    other = new_page()
    other.goto(page.url)
    expect(other.get_by_text("With turns 2 and 3", exact=True)).to_be_visible()
    expect(other.locator(HEATMAP)).to_be_visible()
    conversation = other.locator(".st-key-conversation")
    assert conversation.get_by_test_id("stText").all_text_contents() == texts
    other.get_by_role("button", name="Unmute").click()
    expect(other.get_by_text("With turns 2 and 3", exact=True)).to_have_count(0)


@pytest.mark.slow
def test_another_page_keeps_the_conversation_whose_markup_is_never_run(server, new_page):
    evil = "<img src=x onerror='window.pwned=1'> [a](javascript:window.pwned=1) **bold** 🙂"
    page = open_chat(new_page(), server, **SHORT)
    say(page, evil)
    expect(page.get_by_role("heading", name="Turn 2, the reply")).to_be_visible()
    settled(page)
    said = page.get_by_label("Chat message from user").get_by_test_id("stText")
    assert said.text_content() == evil
    assert page.evaluate("window.pwned") is None
    assert page.locator("a[href^=javascript]").count() == 0
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    page.get_by_role("link", name="Chatbot").click()
    expect(said.first).to_have_text(evil)
    settled(page)
    assert turns_of(page)[0] == f".{evil}"
    page.get_by_role("button", name="Clear all").click()
    expect(page.get_by_text("Conversation starters")).to_be_visible()
    settled(page)
    assert not turns_of(page)


@pytest.mark.slow
def test_the_transcript_is_downloaded(server, new_page):
    page = open_chat(new_page(), server, turn=[".Hello", "01-3.Le chat"], **SHORT)
    page.get_by_role("button", name="Transcript").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Plain text").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text == "1. You: Hello\n2. chat-transformer (seed 3): Le chat\n"
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON, with").click()
    turns = json.loads(Path(download.value.path()).read_bytes())["turns"]
    assert turns[1]["options"]["seed"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_and_fits(server, new_page, scheme):
    turns = ["m.The cat sleeps.", "001.Le chat", ".Where is the dog?", "s111.Le"]
    page = open_chat(new_page(colours=scheme), server, "chat-lstm-attention", turn=turns, **SHORT)
    expect(page.get_by_label("by turn")).to_be_visible()
    page.get_by_role("button", name="Edit").last.click()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Edit")).to_have_count(1)
    settled(page)
    for width in (1280, 375):
        page.set_viewport_size({"width": width, "height": 800})
        settled(page)
        check_accessible(page)
