"""What somebody else wrote makes no browser ask another host, in headless Chromium."""

import shutil
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from tests.hostile import HOSTILE, card
from tests.served import served_app, settled

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(checkpoint_root, tmp_path_factory):
    root = shutil.copytree(checkpoint_root, tmp_path_factory.mktemp("hostile") / "checkpoints")
    for name in ("lstm-attention", "transformer"):
        (root / name / "card.toml").write_text(card("translation"), encoding="utf-8")
    with served_app(root) as address:
        yield address


@pytest.mark.parametrize(
    ("page", "query"),
    [
        pytest.param("models", {"model": "transformer"}, marks=pytest.mark.slow),
        ("translation", {"tab": "What if", "text": HOSTILE, "instead": HOSTILE}),
        ("translation", {"checkpoint": HOSTILE, "tab": "Beam tree", "text": HOSTILE}),
        pytest.param("context_vector", {"a": HOSTILE}, marks=pytest.mark.slow),
    ],
)
def test_nothing_is_asked_of_another_host(server, new_page, page, query):
    opened, hosts = new_page(), set()
    opened.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    if page == "models":
        opened.goto(f"{server}/models")
        field = opened.get_by_role("textbox", name="Id on the Hugging Face Hub")
        field.fill(query["model"])
        field.press("Enter")
        expect(opened.get_by_role("table")).to_contain_text("**bold** ![x](", timeout=60_000)
    else:
        opened.goto(f"{server}/{page}?{urlencode(query)}")
        opened.get_by_role("heading", level=1).wait_for()
    settled(opened)
    opened.wait_for_timeout(500)
    assert hosts - {None} == {urlsplit(server).hostname}
    assert opened.locator("img[src*=elsewhere], a[href*=elsewhere]").count() == 0
    assert opened.locator("strong", has_text="bold").filter(has_not_text="**").count() == 0
