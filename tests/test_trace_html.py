from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from seq2seq.errors import quote
from seq2seq.trace import shown
from seq2seq.trace_html import MAX_COLUMNS, MAX_ROWS, Table, to_html
from tests.hostile import HOSTILE


class Page(HTMLParser):
    """The tags of a text, the attributes of each, and the texts of its cells by row."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.rows, self.title = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows:
            self.rows[-1][-1] += data
        else:
            self.title += data


def made(source, target, attends=True):
    weights = np.random.default_rng(0).dirichlet(np.ones(source), size=target)
    return Table(
        "a → b",
        [f"x{number}" for number in range(source)],
        [f"y{number}" for number in range(target)],
        np.linspace(0, 1, target),
        weights if attends else None,
    )


def test_a_run_is_a_table_of_tokens_and_weights(trace):
    page = Page(trace._repr_html_())
    assert page.title == f"{trace.checkpoint}: {trace.source.text} → {trace.text}"
    head, *rows = page.rows
    attends = trace.attention is not None
    assert head[2:] == [shown(piece) for piece in trace.source.pieces] * attends
    assert [row[0] for row in rows] == [shown(piece) for piece in trace.target.pieces]
    assert [row[1] for row in rows] == [f"{p:.2f}" for p in trace.probabilities]
    assert {len(row) for row in page.rows} == {2 + len(trace.source) * attends}
    if attends:
        titles = [float(value[4:]) for name, value in page.attributes if name == "title"]
        expected = trace.attention.astype(float).mean(axis=(1, 2)).ravel()
        np.testing.assert_allclose(titles, expected, atol=1e-3)


def test_nothing_runs_and_nothing_is_fetched(trace):
    page = Page(trace._repr_html_())
    assert set(page.tags) <= {"div", "p", "table", "thead", "tbody", "tr", "th", "td"}
    assert {name for name, _ in page.attributes} <= {"style", "title", "dir"}
    assert "url(" not in trace._repr_html_()


@pytest.mark.parametrize(
    "text", [HOSTILE, "<script>alert(1)</script>", '" onclick="x', "</table>&amp;", "שלום"]
)
def test_text_stays_text(trace, text):
    pieces = (text, *trace.source.pieces[1:])
    foreign = replace(
        trace,
        checkpoint=text,
        source=replace(trace.source, text=text, pieces=pieces),
        target=replace(trace.target, text=text, pieces=(text, *trace.target.pieces[1:])),
    )
    page = Page(foreign._repr_html_())
    assert page.tags == Page(trace._repr_html_()).tags
    assert page.title == f"{text}: {text} → {text}"
    assert page.rows[1][0] == shown(text)


def test_many_source_tokens_share_columns():
    table = made(source=173, target=3)
    page = Page(to_html(table))
    assert len(page.rows[0]) == 2 + MAX_COLUMNS
    assert page.rows[0][2] == "x0 …"
    sums = [float(value[4:]) for name, value in page.attributes if name == "title"]
    np.testing.assert_allclose(np.reshape(sums, (3, -1)).sum(axis=1), 1, atol=0.03)


def test_rows_that_are_too_many_are_counted():
    html = to_html(made(source=2, target=MAX_ROWS + 20))
    assert len(Page(html).rows) == 1 + MAX_ROWS
    assert "and 20 more output tokens" in html


def test_a_model_without_attention_has_no_columns():
    assert Page(to_html(made(3, 2, attends=False))).rows[0] == ["output", "p"]


def test_a_run_and_a_model_are_a_few_lines(trace, checkpoint):
    for shown_as in (repr(trace), repr(checkpoint)):
        assert len(shown_as.splitlines()) <= 3
        assert max(map(len, shown_as.splitlines())) < 200
    assert quote(trace.text) in repr(trace)
    assert trace.checkpoint in repr(trace)
    assert checkpoint.card.name in repr(checkpoint)
    assert f"{checkpoint.model.parameter_count():,}" in repr(checkpoint)
    long = replace(trace, source=replace(trace.source, text="x" * 5_000))
    assert len(repr(long)) < 400
