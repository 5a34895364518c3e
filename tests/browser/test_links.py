"""What stands in a link: every control is moved, and a fresh browser shows the same again."""

from urllib.parse import urlencode

import pytest

from tests.served import served_app, settled

pytestmark = pytest.mark.browser

SENTENCE = "The old dog sleeps in the garden."
# What is on the page: its words, the values of its controls, what is pressed, what is drawn.
SHOWN = """() => {
  const main = document.querySelector("[data-testid=stMain]"), found = [];
  const walk = (root) => {
    for (const each of root.querySelectorAll("*")) {
      if (each.shadowRoot) walk(each.shadowRoot);
      // What to go on with is chosen anew each time: it is no state.
      const anew = /another token|node:/i.test(each.getAttribute("aria-label") ?? "");
      if (each.matches("input, textarea") && !anew) found.push(each.type, each.value, each.checked);
      for (const name of ["aria-pressed", "aria-checked", "aria-selected", "aria-valuenow"]) {
        if (each.hasAttribute(name)) found.push(name, each.getAttribute(name), each.textContent);
      }
      if (each.matches(".token, .word")) found.push(each.textContent, each.style.background);
    }
  };
  walk(main);
  return [main.innerText, ...found];
}"""


@pytest.fixture(scope="module")
def server(checkpoint_root):
    with served_app(checkpoint_root) as address:
        yield address


def opened(page, address):
    page.goto(address)
    page.get_by_role("button", name="Run (JSON)").wait_for()
    quiet(page)
    return page


def quiet(page):
    """Wait until nothing on the page changes."""
    before = None
    for _ in range(40):
        settled(page)
        page.wait_for_timeout(300)
        now = page.evaluate(SHOWN), page.url
        if now == before:
            return
        before = now


def move_all(page, place):
    """Move every control in a place: sliders, switches, lists, choices."""
    for count in range(place.get_by_role("slider").count()):
        place.get_by_role("slider").nth(count).press("ArrowRight")
        quiet(page)
    for count in range(place.get_by_role("radiogroup").count()):
        place.get_by_role("radiogroup").nth(count).get_by_role("radio").last.locator("..").click()
        quiet(page)
    for count in range(place.get_by_role("switch").count()):
        place.get_by_role("switch").nth(count).press("Space")
        quiet(page)
    for count in range(place.get_by_role("combobox").count()):
        box = place.get_by_role("combobox").nth(count)
        if "token" in box.get_attribute("aria-label").lower():
            continue  # what to go on with is chosen anew each time
        box.click()
        page.get_by_role("option").last.click()
        quiet(page)


def check_restored(page, new_page):
    quiet(page)
    again = opened(new_page(), page.url)
    assert again.evaluate(SHOWN) == page.evaluate(SHOWN)
    assert again.url == page.url


@pytest.mark.parametrize(
    ("name", "tab"),
    [("transformer", "Attention"), ("lstm-attention", "Beam tree"), ("gru-plain", "Inside a step")],
)
def test_a_link_restores_every_control_of_an_instrument(server, new_page, name, tab):
    query = {"checkpoint": name, "text": SENTENCE, "max_length": 9, "tab": tab}
    page = opened(new_page(), f"{server}/translation?{urlencode(query)}")
    move_all(page, page.get_by_role("tabpanel", name=tab))
    check_restored(page, new_page)


@pytest.mark.parametrize("name", ["lstm-attention", "transformer"])
def test_the_copied_link_restores_what_was_chosen(server, new_page, name):
    query = {"checkpoint": name, "text": SENTENCE, "max_length": 9, "branch": "5.6"}
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    opened(page, f"{server}/translation?{urlencode(query)}")
    page.get_by_role("group", name="Output tokens").get_by_role("button").nth(1).click()
    quiet(page)
    page.get_by_role("group", name="Source tokens").get_by_role("button").nth(2).click()
    quiet(page)
    page.get_by_role("combobox", name="Output").click()
    page.get_by_role("option", name="A").click()
    quiet(page)
    page.get_by_role("tab", name="Probabilities").click()
    quiet(page)
    page.get_by_role("button", name="Decoding settings").click()
    quiet(page)
    page.get_by_role("textbox", name="Output begins with").fill("The")
    page.get_by_role("textbox", name="Output begins with").press("Enter")
    quiet(page)
    page.get_by_role("slider", name="Beam width").press("ArrowRight")
    quiet(page)
    page.keyboard.press("Escape")
    # By keyboard, as everything else here can be.
    page.get_by_role("button", name="Copy link").press("Enter")
    page.get_by_role("button", name="Link copied").wait_for()
    address = page.evaluate("navigator.clipboard.readText()")
    for part in ("prefix=The", "beam_width=6", "branch=5.6", "output=A", "word=3", "step=2"):
        assert part in address
    quiet(page)
    again = opened(new_page(), address)
    page.get_by_role("button", name="Copy link").wait_for()
    assert again.evaluate(SHOWN) == page.evaluate(SHOWN)
    assert again.url == address


def test_a_hint_that_was_closed_by_keyboard_stays_closed(server, new_page):
    page = opened(new_page(), f"{server}/translation?{urlencode({'text': SENTENCE})}")
    hint = page.get_by_role("note")
    hint.get_by_role("button", name="Close this hint").press("Enter")
    hint.wait_for(state="hidden")
    opened(page, page.url)
    assert not hint.is_visible()


@pytest.mark.parametrize(
    ("old", "new", "query"),
    [
        ("race", "compare", {"sentence": SENTENCE}),
        ("lab", "context_vector", {"a": SENTENCE}),
        ("map", "sentence_map", {"yours": SENTENCE}),
    ],
)
def test_an_old_address_leads_to_the_page_with_what_the_link_says(
    server, new_page, old, new, query
):
    page = new_page()
    page.goto(server)
    settled(page)  # app.py has run once, as it has on a server that was warmed up
    page.goto(f"{server}/{old}?{urlencode(query)}")
    page.wait_for_url(f"**/{new}?**")
    page.wait_for_function(
        """text => [...document.querySelectorAll("input, textarea")]
            .some(field => field.value === text)""",
        arg=SENTENCE,
    )
