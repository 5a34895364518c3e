"""The live picture, on Start and as the tab Overview, in headless Chromium."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.served import LIVE, check_accessible, link, opened, settled, still

pytestmark = pytest.mark.browser

SENTENCE = "The old dog sleeps in the garden."
LEFT = "stage => stage.scrollLeft"
LONG = " ".join(["The old dog sleeps in the garden behind the house of my sister"] * 2)
MARKUP = "<img src=x onerror=alert(1)> & <b>dog</b>"


def overview(page, server, name="lstm-attention", **query):
    query = {"checkpoint": name, "text": SENTENCE, "max_length": 8, "tab": "Overview", **query}
    return opened(page, link(server, **query), LIVE)


def part(page, kind, index):
    return page.locator(f'.live .part[data-kind={kind}][data-index="{index}"]')


def title(page):
    return page.locator(".live .title")


def slider(page):
    return page.get_by_role("slider", name="Decoding step")


def test_start_plays_once_by_itself_and_opens_the_step_elsewhere(server, new_page):
    page = opened(new_page(), server, LIVE)
    speed = page.get_by_role("combobox", name="Speed")
    speed.select_option("4")
    expect(title(page)).to_contain_text("Step ")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible(timeout=60_000)
    page.wait_for_timeout(2_500)  # it then rests at the step where there is most to see
    last = re.search(r"Step (\d+) of (\d+)", title(page).inner_text())
    assert 1 <= int(last[1]) <= int(last[2])
    parts = page.locator(".live .story li b").all_inner_texts()
    assert [name.strip() for name in parts] == ["Encoder", "Attention", "Context vector", "Decoder"]
    page.get_by_role("button", name="Previous step").click()
    page.locator(".live .opens").get_by_role("button", name="Attention").click()
    page.wait_for_url("**/translation?**")
    expect(slider(page)).to_have_value(str(max(1, int(last[1]) - 1)))
    expect(page.get_by_role("tab", name="Attention")).to_have_attribute("aria-selected", "true")


def test_keys_and_the_slider_of_all_instruments_choose_one_step(server, new_page):
    page = overview(new_page(), server, step=2)
    expect(title(page)).to_have_text("Step 2 of 8")
    page.locator(".live .stage").press("ArrowRight")
    expect(title(page)).to_have_text("Step 3 of 8")
    expect(slider(page)).to_have_value("3")
    page.locator(".live .stage").press("End")
    expect(slider(page)).to_have_value("8")
    slider(page).press("Home")
    expect(title(page)).to_have_text("Step 1 of 8")
    expect(part(page, "output", 0)).to_have_css("opacity", "1")
    expect(part(page, "output", 1)).to_have_attribute("opacity", "0")


@pytest.mark.slow
def test_a_click_chooses_the_token_for_all_instruments(server, new_page):
    page = overview(new_page(), server, step=5)
    part(page, "output", 1).click()
    expect(slider(page)).to_have_value("2")
    part(page, "source", 2).click()
    source = page.get_by_role("group", name="Source tokens").get_by_role("button")
    expect(source.nth(2)).to_have_attribute("aria-pressed", "true")
    expect(part(page, "source", 2)).to_have_class(re.compile("chosen"))


@pytest.mark.slow
def test_space_plays_and_pauses(server, new_page):
    page = overview(new_page(), server, step=2)
    stage = page.locator(".live .stage")
    stage.press(" ")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(title(page)).to_have_text("Step 4 of 8")
    stage.press(" ")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    step = re.search(r"Step (\d)", title(page).inner_text())[1]
    expect(slider(page)).to_have_value(step)


def test_a_part_tells_its_size_and_its_formula(server, new_page):
    page = overview(new_page(), server, step=3)
    tip = page.locator(".live .tip")
    part(page, "encoder", 1).hover()
    expect(tip).to_contain_text("16 units")
    expect(tip).to_contain_text("LSTM(xj, hj−1)")
    expect(tip).to_contain_text("‖h2‖ = ")
    expect(tip.locator(".strip span")).to_have_count(16)
    part(page, "decoder", 2).hover()
    expect(tip).to_contain_text("‖s3‖ = ")
    formula = page.locator('.live .formulas li[data-part="decoder"]')
    expect(formula).to_have_class(re.compile("lit"))
    page.locator('.live .formulas li[data-part="output"]').hover()
    expect(part(page, "output", 2)).to_have_class(re.compile("lit"))
    page.locator(".live .stage").press("ArrowUp")
    expect(tip).to_be_visible()


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("lstm-attention", ["decoder", "attention", "context", "readout", "output"]),
        ("rnn-additive", ["attention", "context", "decoder", "readout", "output", "copy"]),
        ("gru-plain", ["context", "decoder", "readout", "output"]),
        ("transformer", ["self", "attention", "context", "decoder", "output"]),
    ],
)
def test_each_architecture_is_drawn_as_it_is(name, order, server, new_page):
    page = overview(new_page(), server, name, step=3)
    parts = page.locator(".live .formulas li").evaluate_all("all => all.map(e => e.dataset.part)")
    assert parts == order
    neighbours = page.locator(".live .flow").count()
    source = page.locator(".live .source").count()
    assert neighbours == {"transformer": 0, "rnn-additive": 2 * (source - 1)}.get(name, source - 1)
    assert page.locator(".live .trunk").count() == (name == "gru-plain")
    shown = page.locator(".live .ribbons .ribbon").evaluate_all(
        "all => all.filter(e => e.getAttribute('display') === 'inline').length"
    )
    assert (shown > 0) == (name != "gru-plain")


@pytest.mark.slow
def test_heads_and_self_attention_of_a_transformer(server, new_page):
    page = overview(new_page(), server, "transformer", step=3)
    ribbons = "all => all.map(e => e.getAttribute('stroke-width')).join()"
    mean = page.locator(".live .ribbons .ribbon").evaluate_all(ribbons)
    page.get_by_role("combobox", name="Attention head").select_option(label="Layer 2, head 1")
    assert page.locator(".live .ribbons .ribbon").evaluate_all(ribbons) != mean
    part(page, "encoder", 2).hover()
    assert page.locator(".live .arcs path").count() > 0
    page.mouse.move(0, 0)
    expect(page.locator(".live .arcs path")).to_have_count(0)


def test_what_visitors_type_is_text(server, new_page):
    page = overview(new_page(), server, text=MARKUP)
    tokens = page.locator(".live .source text").all_text_contents()
    assert "<" in "".join(tokens)
    assert page.locator(".live img, .live b").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("width", [1400, 375])
def test_forty_tokens_stand_apart_and_time_is_scrolled(width, server, new_page):
    page = overview(new_page(width=width), server, text=LONG, step=8)
    boxes = page.locator(".live .source rect").evaluate_all(
        "all => all.map(({ x, width }) => [x.baseVal.value, x.baseVal.value + width.baseVal.value])"
    )
    assert len(boxes) >= 40
    assert all(right <= left for (_, right), (left, _) in pairwise(boxes))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    stage = page.locator(".live .stage")
    assert stage.evaluate("stage => stage.scrollWidth > stage.clientWidth")
    box, frame = part(page, "output", 7).bounding_box(), stage.bounding_box()
    assert frame["x"] <= box["x"] <= frame["x"] + frame["width"] - box["width"]


def test_nothing_moves_by_itself_where_less_motion_is_asked_for(server, new_page):
    page = new_page()
    page.emulate_media(reduced_motion="reduce")
    opened(page, server, LIVE)
    found = re.search(r"Step (\d+) of (\d+)", title(page).inner_text())
    assert 1 <= int(found[1]) <= int(found[2])
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.emulate_media(reduced_motion="no-preference")


@pytest.mark.slow
def test_a_still_is_drawn_and_a_page_plays_alone(server, new_page, tmp_path):
    page = overview(new_page(), server, step=3)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as SVG").click()
    drawn = Path(download.value.path()).read_text(encoding="utf-8")
    assert drawn.startswith("<svg")
    assert "&lt;/s&gt;" in drawn
    assert "<image" not in drawn
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    assert Path(download.value.path()).read_bytes()[1:4] == b"PNG"
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as HTML").click()
    file = tmp_path / "live.html"
    download.value.save_as(file)
    assert "http" not in re.sub(r"http://www\.w3\.org/\w+/svg", "", file.read_text("utf-8"))
    alone = new_page()
    alone.goto(file.as_uri())
    expect(title(alone)).to_contain_text("Step ")
    expect(alone.locator(".live .source")).to_have_count(page.locator(".live .source").count())


@pytest.mark.slow
def test_a_recording_stands_below_its_states(server, new_page):
    page = new_page()
    query = {"recording": "seven three one zero", "tab": "Overview", "step": 5}
    opened(page, link(server, "speech", **query), LIVE)
    assert page.locator(".live .boxes rect").count() > 300
    expect(page.locator(".live .tick").first).to_have_text("0 s")
    expect(page.locator(".live .formulas")).to_contain_text("rt−1")


@pytest.mark.slow
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_it_is_accessible(width, colours, server, new_page):
    page = overview(new_page(width=width, colours=colours), server, step=3)
    settled(page)
    check_accessible(page)


def test_the_beam_shows_what_the_search_kept(server, new_page):
    page = overview(new_page(), server, step=3)
    nodes, kept = page.locator(".live .node"), page.locator(".live ol.kept li")
    expect(nodes).to_have_count(0)
    expect(kept.first).to_be_hidden()
    switch = page.get_by_role("button", name="Beam", exact=True)
    switch.press("Enter")
    expect(switch).to_have_attribute("aria-pressed", "true")
    expect(kept).to_have_count(5)
    sums = [float(text.replace("−", "-")) for text in kept.locator(".value").all_inner_texts()]
    assert sums == sorted(sums, reverse=True)
    written = page.locator(".live .node.won").evaluate_all(
        "all => all.filter(e => +e.getAttribute('opacity')).map(e => e.textContent)"
    )
    output = [part(page, "output", step).text_content() for step in range(3)]
    assert len(written) == 3
    assert [text.strip("…") in full for text, full in zip(written, output, strict=True)] == [
        True
    ] * 3
    page.locator(".live .stage").press("ArrowRight")
    expect(title(page)).to_have_text("Step 4 of 8")
    page.locator(".live .node.won").first.hover()
    expect(page.locator(".live .tip")).to_contain_text("part of the output that won")
    expect(page.locator(".live .tip")).to_contain_text("Double click: Beam tree")
    page.locator(".live .node.won").first.click()
    expect(title(page)).to_have_text("Step 1 of 8")
    switch.click()
    expect(nodes).to_have_count(0)


@pytest.mark.slow
def test_a_greedy_search_has_no_beam(server, new_page):
    page = overview(new_page(), server, method="Greedy")
    expect(page.get_by_role("button", name="Beam", exact=True)).to_be_hidden()


@pytest.mark.slow
def test_two_hundred_tokens_are_seen_through_a_window(server, new_page):
    page = overview(new_page(), server, text=" ".join([LONG] * 3), step=8)
    assert page.locator(".live .source").count() >= 200
    stage, window = page.locator(".live .stage"), page.get_by_role("slider", name="Part of the")
    for width in (1280, 375):
        page.set_viewport_size({"width": width, "height": 900})
        box = still(window)
        last, middle = box["x"] + box["width"] - 3, box["y"] + box["height"] / 2
        page.mouse.click(last, middle)
        end = stage.evaluate("stage => stage.scrollWidth - stage.clientWidth")
        assert stage.evaluate(LEFT) == pytest.approx(end, abs=2)
        page.mouse.move(last, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, middle, steps=4)
        page.mouse.up()
        assert 0.2 * end < stage.evaluate(LEFT) < 0.8 * end
        window.press("Home")
        expect(window).to_have_attribute("aria-valuetext", re.compile(r"^source 1 to \d+ of 2\d\d"))
        expect(title(page)).to_have_text("Step 8 of 8")


@pytest.mark.slow
def test_what_fits_has_no_window(server, new_page):
    page = overview(new_page(), server, text="Dogs sleep.")
    expect(page.get_by_role("slider", name="Part of the sequence")).to_be_hidden()
