"""The main path in the other browser: from Start to the attention of one's own sentence."""

import pytest

from tests.firefox import FIREFOX, RETURN, firefox
from tests.served import FIGURE, link

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(FIREFOX is None, reason="needs Firefox"),
]
SETTLED = "found('[data-testid=stApp]')[0]?.dataset.testScriptState === 'notRunning'"
TYPED = "The old dog sleeps."


@pytest.fixture
def page(tmp_path):
    with firefox(tmp_path) as page:
        yield page
        assert not page.complaints


def reads(selector, word):
    """Return JavaScript that tells whether the tokens that a CSS selector finds hold a word."""
    texts = f"found({selector!r}).map((element) => element.textContent)"
    return f"{texts}.join('').replace(/[· ]/g, '').includes({word!r})"


def test_a_sentence_goes_from_start_to_its_attention(server, page):
    page.open(server)
    page.wait_for("found('.live rect.lane').length > 2")
    page.wait_for(SETTLED)
    page.click("input[type=text]")
    page.evaluate("found('input[type=text]')[0].select()")
    page.press(TYPED + RETURN)
    page.wait_for(reads(".live text", "dog"))
    page.click("[data-testid=stMain] a[href*=translation]")
    page.wait_for("location.pathname.endsWith('/translation')")
    page.wait_for(f"found('textarea').some(({{ value }}) => value === {TYPED!r})")
    page.wait_for(reads(".live text", "dog"))


def test_attention_is_drawn_and_a_click_chooses_a_step(server, page):
    page.open(link(server, text=TYPED))
    page.wait_for(reads(f"{FIGURE} .xtick text", "dog"))
    page.wait_for(SETTLED)
    second = "[aria-label^='Output tokens'] button:nth-of-type(2)"
    page.click(second)
    page.wait_for(f"found({second!r})[0].getAttribute('aria-pressed') === 'true'")
    page.wait_for("new URL(location).searchParams.get('step') === '2'")
