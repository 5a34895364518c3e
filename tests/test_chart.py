import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs

from seq2seq.figures import alternatives, attention, beam_tree, context, ribbons
from seq2seq.figures.closeup import strips
from seq2seq.figures.palette import figure, palette
from seq2seq.figures.tree import join
from tests.served import chromium
from ui.chart import drawn_once

# As Streamlit does: a figure is given to plotly twice, each time with new objects.
DRAW_TWICE = """async (made) => {
  const given = () => {
    const figure = JSON.parse(made);
    figure.layout = {...figure.layout, width: 800, height: 400};
    return figure;
  };
  const chart = document.getElementById("chart");
  Plotly.purge(chart);
  const first = given();
  await Plotly.newPlot(chart, first.data, first.layout);
  let drawings = 1;
  chart.on("plotly_beforeplot", () => drawings++);
  const second = given();
  await Plotly.react(chart, second.data, second.layout);
  const third = given();
  third.layout.datarevision = "another";
  await Plotly.react(chart, third.data, third.layout);
  return drawings;
}"""


@pytest.fixture
def makers(trace):
    rows = [(name, np.linspace(-1, 1, 64, dtype=np.float32)) for name in ("before", "after")]
    makers = {
        "alternatives": lambda: alternatives(trace, 0),
        "beam tree": lambda: beam_tree(join(trace), "1"),
        "strips": lambda: strips(rows, unit=3, clickable=True),
    }
    if trace.attention is None:
        makers["context"] = lambda: context(trace)
    else:
        makers["attention"] = lambda: attention(trace, selected=1, measured=True)
        makers["ribbons"] = lambda: ribbons(trace)
    return makers


@pytest.mark.browser
def test_plotly_draws_a_figure_once(makers):
    with chromium() as browser:
        page = browser.new_page()
        page.set_content("<div id='chart'></div>")
        page.add_script_tag(content=get_plotlyjs())
        for name, make in makers.items():
            drawings = page.evaluate(DRAW_TWICE, drawn_once(make(), selectable=True).to_json())
            assert drawings == 2, name  # the first, and that of another revision
            assert page.evaluate(DRAW_TWICE, make().to_json()) == 3, name


def test_what_is_drawn_stays_the_same(makers):
    for make in makers.values():
        before, after = make(), drawn_once(make(), selectable=False)
        for old, new in zip(before.data, after.data, strict=True):
            assert old.type == new.type
            for name in ("x", "y", "z"):
                if name in old and old[name] is not None:
                    np.testing.assert_array_equal(np.array(old[name]), np.array(new[name]))
        assert drawn_once(make(), selectable=False) == after


def test_other_data_has_another_revision():
    made = [
        drawn_once(figure(palette(False), 100).add_trace(go.Bar(y=np.array(y))), False)
        for y in ([1, 2], [1, 3], [1, 2])
    ]
    revisions = [each.layout.datarevision for each in made]
    assert revisions[0] == revisions[2] != revisions[1]
