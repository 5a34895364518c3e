"""A visitor's own table, forecast in the running app: fan, attention, another past."""

import pytest
from playwright.sync_api import expect

from tests.served import (
    FIGURE,
    answered,
    check_accessible,
    link,
    opened,
    query_of,
    settled,
    still,
)

FAN = f".st-key-chart_forecast {FIGURE}"
ROWS = "".join(f"{2015 + n // 12}-{n % 12 + 1:02},{50 + n % 12}\n" for n in range(60))


def lines(page, key="forecast"):
    """Names of the lines of a chart, with how many points each has."""
    page.wait_for_selector(f".st-key-chart_{key} {FIGURE}")
    return page.evaluate(
        """(key) => Object.fromEntries(
          document.querySelector(`.st-key-chart_${key} .js-plotly-plot`).data
            .filter((line) => line.name).map((line) => [line.name, line.x.length]))""",
        key,
    )


def test_a_table_is_forecast_with_what_each_step_looked_at(server, new_page):
    page = opened(new_page(), link(server, "forecasting", series="Your own", horizon=6), "textarea")
    area = page.get_by_role("textbox", name="Numbers, or a table")
    area.fill("month,visitors\n" + ROWS)
    answered(page, lambda: area.press("Control+Enter"))
    page.wait_for_selector(FAN)
    assert {"history": 54, "held back": 6, "median forecast": 6, "attention": 54}.items() <= (
        lines(page).items()
    )
    expect(page.locator(f"{FAN} .xtitle")).to_have_text("date")
    expect(page.get_by_role("table").first).to_contain_text("seasonal naive")
    assert query_of(page)["values"].startswith("month,visitors")

    box = still(page.locator(f"{FAN} .scatterlayer .points path").nth(3))
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 4, y - 4)
    page.mouse.move(x, y)
    expect(page.locator(f"{FAN} .hoverlayer")).to_contain_text("median forecast")
    answered(page, lambda: page.mouse.click(x, y))
    assert query_of(page)["step"] == "4"
    expect(page.get_by_text("Step 4, 2019-10-01: median")).to_be_visible()


@pytest.mark.slow
def test_another_past_is_forecast_and_the_link_restores_it(server, new_page):
    page = opened(
        new_page(), link(server, "forecasting", series="Weekly level shift", horizon=5), FAN
    )
    answered(page, lambda: page.get_by_text("What if the past had been different?").click())
    expect(page.get_by_text("The median moves by")).to_be_visible()
    assert {"median before": 5, "median after": 5}.items() <= lines(page, "changed").items()
    answered(page, lambda: page.get_by_text("Rolling backtest").click())
    expect(page.get_by_text("Mean over 4 origins")).to_be_visible()
    settled(page)
    again = opened(new_page(), page.url, f".st-key-chart_rolling {FIGURE}")
    expect(again.get_by_text("The median moves by")).to_be_visible()


def place_of(page, key, line, index):
    """Where a point of a chart's line is on the screen, in pixels."""
    return page.evaluate(
        """([key, line, index]) => {
          const plot = document.querySelector(`.st-key-chart_${key} .js-plotly-plot`);
          const { x, y } = plot._fullData.find(({ name }) => name === line);
          const { xaxis, yaxis } = plot._fullLayout, box = plot.getBoundingClientRect();
          return [box.left + xaxis._offset + xaxis.d2p(x.at(index)),
                  box.top + yaxis._offset + yaxis.d2p(y.at(index))];
        }""",
        [key, line, index],
    )


VALUE_AT = """(along) => {
  const plot = document.querySelector(".st-key-chart_changed .js-plotly-plot");
  const { yaxis } = plot._fullLayout;
  return yaxis.p2d(along - plot.getBoundingClientRect().top - yaxis._offset);
}"""


def test_a_value_of_the_past_is_dragged_to_another(server, new_page):
    address = link(server, "forecasting", series="Weekly level shift", horizon=5, past="true")
    page = opened(new_page(), address, f".st-key-chart_changed {FIGURE}")
    settled(page)
    still(page.locator(f".st-key-chart_changed {FIGURE}").first)
    for index, by in ((-1, -40), (-6, 30)):  # the second one changes fields that are there by now
        x, y = place_of(page, "changed", "history", index)
        wanted = page.evaluate(VALUE_AT, y + by)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y + by / 2)
        page.mouse.move(x, y + by)
        answered(page, page.mouse.up)
        for name in ("From value", "To value"):
            field = page.get_by_role("spinbutton", name=name)
            expect(field).to_have_value(str(-index))
        assert query_of(page)["change"] == "Set to"
        amount = page.get_by_role("spinbutton", name="Amount").input_value()
        assert float(amount) == pytest.approx(wanted, rel=0.01)
        assert float(query_of(page)["change_set"]) == pytest.approx(wanted, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("width", "colours"), [(1280, "light"), (1280, "dark"), (375, "light")])
def test_the_page_is_accessible(server, new_page, width, colours):
    page = new_page(width=width, colours=colours)
    opened(page, link(server, "forecasting", horizon=5, past="true", rolling="true"), FAN)
    expect(page.get_by_text("Mean over 4 origins")).to_be_visible()
    settled(page)
    check_accessible(page)
