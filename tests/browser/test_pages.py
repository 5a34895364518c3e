"""Pages and instruments without a browser test of their own, with the embedded checkpoints."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.served import check_accessible, served_app, settled

pytestmark = pytest.mark.browser

SENTENCE = "The old dog sleeps in the garden."
ROW = "text=Let it look at"  # there is no picture before something is changed
PLACES = [
    ("pronunciation", {"text": "garden"}),
    ("compare", {"text": SENTENCE, "reference": "Le vieux chien dort au jardin."}),
    ("translation", {"text": SENTENCE, "tab": "Probabilities"}),
    ("translation", {"text": SENTENCE, "tab": "What if", "muted": "2 old"}),
    ("translation", {"text": SENTENCE, "tab": "Attribution"}),
    ("benchmarks", {}),
]


@pytest.fixture(scope="module")
def server():
    with served_app() as address:
        yield address


def opened(page, server, path, shown=".figure.js-plotly-plot", **query):
    page.goto(f"{server}/{path}?{urlencode(query)}")
    page.wait_for_selector(shown)
    settled(page)
    return page


@pytest.mark.parametrize(("width", "colours"), [(375, "dark"), (1280, "light")])
@pytest.mark.parametrize(
    ("path", "query"), PLACES, ids=[query.get("tab", path) for path, query in PLACES]
)
def test_accessible_and_inside_the_screen(server, new_page, path, query, width, colours):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=colours)
    check_accessible(opened(page, server, path, **query), width)


def test_a_word_is_muted_a_row_changed_and_all_of_it_linked(server, new_page):
    page = opened(new_page(), server, "translation", ROW, text=SENTENCE, tab="What if", step=3)
    page.get_by_role("button", name="2 old").click()
    expect(page.get_by_text("Log-probability").last).to_contain_text("after")
    page.get_by_role("combobox", name="Let it look at").click()
    page.get_by_role("option", name="All words alike").click()
    page.get_by_role("button", name="Change this row").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.wait_for_url("**edit=2.a.a.*")
    settled(page)
    again = new_page()
    again.goto(page.url)
    expect(again.get_by_role("button", name="Undo")).to_be_visible()
    expect(again.get_by_text("Step 3 looks most at")).to_be_visible()
    expect(again.get_by_text("had the probability").first).to_be_visible()


def test_a_word_is_made_to_be_said(server, new_page):
    query = {"tab": "What if", "step": 3, "preset": "Make it say", "say": "jardin"}
    page = opened(new_page(), server, "translation", ROW, text=SENTENCE, **query)
    expect(page.get_by_text("The best row found raises")).to_be_visible()
    page.get_by_role("button", name="Change this row").click()
    expect(page.get_by_text("most probable now: jardin")).to_be_visible()


def test_a_click_in_the_race_chooses_the_step_of_all(server, new_page):
    page = opened(new_page(), server, "compare", sentence=SENTENCE)
    group = page.get_by_role("group", name="Output tokens").first
    group.get_by_role("button").nth(2).click()
    expect(page.get_by_role("slider", name="Decoding step of all")).to_have_value("3")
