"""The page of forecasts, by AppTest, with tiny forecasters."""

import pytest

from seq2seq.data.example_series import EXAMPLE_SERIES
from tests.forecasters import KINDS, write_forecaster
from tests.visit import charts, visit
from ui.instruments import TABS


@pytest.fixture(autouse=True)
def _forecasters(tmp_path, monkeypatch):
    for kind in KINDS:
        write_forecaster(tmp_path / f"tiny-{kind}", kind)
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", tmp_path)


def open_page(**query):
    at = visit("forecasting", **query)
    assert not at.exception
    return at


def said(at):
    parts = (part.value for kind in ("markdown", "info", "caption") for part in at.get(kind))
    return " ".join(parts).replace("\\", "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_series_is_forecast_and_scored(kind):
    at = open_page(checkpoint=f"tiny-{kind}", horizon="5")
    assert len(charts(at)) >= 2
    assert [metric.label for metric in at.metric] == ["MASE", "Inside the 80 % interval", "WQL"]
    assert "Step 1: median" in said(at)


def test_the_future_has_no_scores():
    at = open_page(hide="false", horizon="3")
    assert not at.metric
    assert len(charts(at)) >= 2


@pytest.mark.parametrize("example", [each.title for each in EXAMPLE_SERIES[3:6]])
def test_examples_say_how_they_were_made(example):
    at = open_page(series=example, horizon="2", samples="3")
    assert "the process is known" in said(at)


def test_pasted_numbers_are_forecast_and_repairs_are_told():
    rows = "\n".join(f"2020-{month:02},{10 + month % 3}" for month in (2, 1, *range(3, 13)))
    at = open_page(series="Your own", values="month,value\n" + rows, horizon="3")
    assert "sorted by date" in said(at)
    assert len(at.metric) == 3


@pytest.mark.parametrize("values", ["a,b\nx,y", "5", "1 1e300", "1 2 3"])
def test_what_cannot_be_forecast_is_one_sentence(values):
    at = open_page(series="Your own", values=values, horizon="3")
    assert len(at.error) == 1
    assert at.error[0].value.endswith(".")


def test_nothing_pasted_asks_for_numbers():
    assert "Paste a column" in said(open_page(series="Your own"))


def test_a_head_and_a_step_can_be_chosen():
    at = open_page(checkpoint="tiny-transformer", looker="1.2", step="4", horizon="6")
    assert "Step 4: median" in said(at)


@pytest.mark.parametrize("tab", TABS)
def test_every_instrument_looks_into_the_recorded_path(tab):
    at = open_page(series="Weekly level shift", horizon="3", context="24", tab=tab)
    assert not at.error
    assert len(at.get("tab")) == len(TABS)
