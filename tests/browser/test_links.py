"""What stands in a link: every control is moved, and a fresh browser shows the same again."""

import pytest

from tests.served import LIVE, answered, link, opened, settled

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


def open_run(page, address):
    page.goto(address)
    page.get_by_role("button", name="Run (JSON)").wait_for()
    settled(page)
    return page


def shown(page):
    """Return what is on the page, once it stays the same from one look to the next."""
    before = None
    for _ in range(40):
        settled(page)
        now = page.evaluate(SHOWN), page.url
        if now == before:
            return now
        before = now
        page.wait_for_timeout(200)
    raise AssertionError("the page does not come to rest")


def move_all(page, place):
    """Move every control in a place: sliders, switches, lists, choices."""
    for count in range(place.get_by_role("slider").count()):
        answered(page, lambda: place.get_by_role("slider").nth(count).press("ArrowRight"))  # noqa: B023
    for count in range(place.get_by_role("radiogroup").count()):
        last = place.get_by_role("radiogroup").nth(count).get_by_role("radio").last
        answered(page, last.locator("..").click)
    for count in range(place.get_by_role("switch").count()):
        answered(page, lambda: place.get_by_role("switch").nth(count).press("Space"))  # noqa: B023
    for count in range(place.get_by_role("combobox").count()):
        box = place.get_by_role("combobox").nth(count)
        if "candidate" in box.get_attribute("aria-label").lower():
            continue  # what to go on with is chosen anew each time
        box.click()
        answered(page, page.get_by_role("option").last.click)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tab"),
    [
        ("transformer", "Attention"),
        ("lstm-attention", "Beam tree"),
        ("gru-plain", "Step internals"),
    ],
)
def test_a_link_restores_every_control_of_an_instrument(server, new_page, name, tab):
    query = {"checkpoint": name, "text": SENTENCE, "max_length": 9, "tab": tab}
    page = open_run(new_page(), link(server, **query))
    move_all(page, page.get_by_role("tabpanel", name=tab))
    before = shown(page)
    assert shown(open_run(new_page(), page.url)) == before


@pytest.mark.slow
def test_the_copied_link_restores_what_was_chosen(server, new_page):
    query = {"text": SENTENCE, "max_length": 9, "branch": "5.6"}
    page = open_run(new_page(), link(server, **query))
    for group, place in (("Output tokens", 1), ("Source tokens", 2)):
        answered(page, page.get_by_role("group", name=group).get_by_role("button").nth(place).click)
    page.get_by_role("combobox", name="Hypothesis").click()
    answered(page, page.get_by_role("option", name="Branch A").click)
    answered(page, page.get_by_role("tab", name="Probabilities").click)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("textbox", name="Output begins with").fill("The")
    answered(page, lambda: page.get_by_role("textbox", name="Output begins with").press("Enter"))
    answered(page, lambda: page.get_by_role("slider", name="Beam width").press("ArrowRight"))
    page.keyboard.press("Escape")
    # By keyboard, as everything else here can be.
    page.get_by_role("button", name="Copy link").press("Enter")
    page.get_by_role("button", name="Link copied").wait_for()
    address = page.evaluate("navigator.clipboard.readText()")
    for part in ("prefix=The", "beam_width=6", "branch=5.6", "output=A", "word=3", "step=2"):
        assert part in address
    again = open_run(new_page(), address)
    page.get_by_role("button", name="Copy link").wait_for()
    assert shown(again) == shown(page)
    assert again.url == address


@pytest.mark.slow
def test_a_hint_that_was_closed_by_keyboard_stays_closed(server, new_page):
    page = opened(new_page(), link(server, text=SENTENCE, max_length=9, tab="Overview"), LIVE)
    hint = page.get_by_role("note")
    hint.get_by_role("button", name="Close this hint").press("Enter")
    hint.wait_for(state="hidden")
    opened(page, page.url, LIVE)
    assert not hint.is_visible()


@pytest.mark.slow
def test_old_addresses_lead_to_the_pages_with_what_the_link_says(server, new_page):
    page = new_page()
    page.goto(server)
    settled(page)  # app.py has run once, as it has on a server that was warmed up
    for old, new, field in (
        ("race", "compare", "sentence"),
        ("lab", "context_vector", "a"),
        ("map", "sentence_map", "yours"),
        ("spelling", "pronunciation", "text"),
    ):
        page.goto(link(server, old, **{field: SENTENCE}))
        page.wait_for_url(f"**/{new}?**")
        page.wait_for_function(
            """text => [...document.querySelectorAll("input, textarea")]
                .some(field => field.value === text)""",
            arg=SENTENCE,
        )
