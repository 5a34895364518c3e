"""The page of forecasts, by AppTest, with tiny forecasters."""

import pytest
import streamlit as st

from seq2seq.catalogue import Card
from seq2seq.data.example_series import EXAMPLE_SERIES
from tests.forecasters import KINDS, chronos, write_forecaster
from tests.visit import charts, visit
from ui.instruments import TABS
from ui.runtime.model_store import Brought, models


@pytest.fixture(autouse=True)
def _forecasters(tmp_path, monkeypatch):
    for kind in KINDS:
        write_forecaster(tmp_path / f"tiny-{kind}", kind)
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", tmp_path)


SIMPLE = ["seasonal naive", "exponential smoothing"]


def open_page(**query):
    at = visit("forecasting", **query)
    assert not at.exception
    return at


def said(at):
    parts = (part.value for kind in ("markdown", "info", "caption") for part in at.get(kind))
    return " ".join(parts).replace("\\", "")


def scored(at):
    """Names of the methods in the table of scores."""
    (table,) = [each.value for each in at.markdown if "| MASE |" in each.value] or [""]
    return [line.split("|")[1].strip() for line in table.replace("\\", "").splitlines()[2:]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_series_is_forecast_and_scored(kind):
    at = open_page(checkpoint=f"tiny-{kind}", horizon="5")
    assert len(charts(at)) >= 2
    assert scored(at) == [f"tiny-{kind}", *SIMPLE]
    assert "Step 1: median" in said(at)


def test_the_future_has_no_scores():
    at = open_page(hide="false", horizon="3")
    assert not scored(at)
    assert len(charts(at)) >= 2


@pytest.mark.parametrize("example", [each.title for each in EXAMPLE_SERIES[3:6]])
def test_examples_say_how_they_were_made(example):
    at = open_page(series=example, horizon="2", samples="3")
    assert "the process is known" in said(at)


def test_pasted_numbers_are_forecast_and_repairs_are_told():
    rows = "\n".join(f"2020-{month:02},{10 + month % 3}" for month in (2, 1, *range(3, 13)))
    at = open_page(series="Your own", values="month,value\n" + rows, horizon="3")
    assert "sorted by date" in said(at)
    assert len(scored(at)) == 2  # too short for exponential smoothing
    assert "Step 1, 2020-10-01: median" in said(at)


@pytest.mark.parametrize("values", ["a,b\nx,y", "5", "1 1e300", "1 2 3", "1 1e999"])
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


def test_another_model_is_drawn_and_scored_beside():
    at = open_page(checkpoint="tiny-gru", other="tiny-transformer", horizon="4", samples="3")
    assert scored(at) == ["tiny-gru", "tiny-transformer", *SIMPLE]


def test_the_widest_band_of_the_fan_is_as_chosen():
    at = open_page(horizon="4", interval="95 %")
    assert "95 % interval" in said(at)
    assert "held-back values lie inside" in said(at)


@pytest.mark.parametrize("query", [{}, {"hide": "false"}, {"other": "tiny-gru", "samples": "7"}])
def test_the_code_makes_the_forecast_without_the_app(query, monkeypatch):
    at = open_page(checkpoint="tiny-transformer", series="Weekly level shift", horizon="3", **query)
    (code,) = [each.value for each in at.code if "import seq2seq" in each.value]
    monkeypatch.setattr("plotly.graph_objects.Figure.show", lambda figure: None)
    names = {}
    exec(code, names)  # what the page shows, not what a visitor typed
    tested = names["tested"]
    assert (tested.actual is None) == ("hide" in query)
    assert len(tested.forecast.paths) == int(query.get("samples", 20))
    assert f"median {tested.forecast.median[0]:.4g}" in said(at)


def test_a_decimal_mark_in_doubt_can_be_chosen():
    values = "v\n" + "".join(f"1,{at}50\n" for at in (1, 2, 3, 4, 5, 6, 7, 8, 9))
    at = open_page(series="Your own", values=values, horizon="2", samples="3")
    assert "1,150 was read as 1150" in said(at)
    other = open_page(series="Your own", values=values, horizon="2", samples="3", decimal="comma")
    assert "decimal mark" not in said(other)


@pytest.mark.parametrize("change", ["Scale by", "Shift by", "Set to", "Hide"])
def test_another_past_is_forecast_beside_the_one_it_was(change):
    at = open_page(past="true", change=change, horizon="3", samples="3")
    assert not at.error
    assert "The median moves by" in said(at)
    assert len(charts(at)) == 3 + (at.query_params.get("tab") is not None)


def test_a_window_that_ends_before_it_begins_is_one_sentence():
    at = open_page(past="true", change_from="2", change_to="5", horizon="3", samples="3")
    assert len(at.error) == 1
    assert at.error[0].value.startswith("The window ends before it begins")


def test_a_rolling_backtest_has_mean_scores():
    at = open_page(rolling="true", origins="3", horizon="4", samples="3")
    assert "Mean over 3 origins: MASE" in said(at)


def test_a_link_to_a_model_that_is_not_there_says_so():
    at = open_page(checkpoint="none-such", horizon="3", samples="3")
    assert "There is no checkpoint" in at.warning[0].value


@pytest.mark.parametrize("values", ["7 " * 40, "1 ? " * 20, "0 " * 40])
def test_constants_have_a_forecast_and_no_mase(values):
    at = open_page(series="Your own", values=values, horizon="3", samples="3")
    assert not at.error
    assert "| – |" in " ".join(each.value for each in at.markdown)


def test_a_horizon_beyond_the_series_is_one_sentence():
    at = open_page(series="Your own", values="1 2 3 4 5 6 7", horizon="20")
    assert len(at.error) == 1
    assert "too short for a horizon of 20" in at.error[0].value


def test_attention_to_a_long_series_is_no_attention_between_sentences():
    query = {"series": "Hourly load", "horizon": "3", "tab": "Attention"}
    at = open_page(checkpoint="tiny-transformer", **query)
    offered = next(each.options for each in at.get("button_group") if "Matrix" in each.options)
    assert set(offered) <= {"Matrix", "Ribbons", "All heads"}
    assert not [each for each in at.toggle if each.label == "Whole words"]


def test_the_tokens_of_a_series_are_not_called_text():
    at = open_page(series="Weekly level shift", horizon="3", samples="3", tab="Tokens")
    assert "Scaled and binned" in said(at)
    assert "Split into" not in said(at)


def test_a_folder_of_chronos_forecasts_and_stands_beside_ours(tmp_path):
    folder = tmp_path / "their-files"
    chronos().save_pretrained(folder)
    st.cache_resource.clear()
    card = Card("tiny-chronos", "Tiny Chronos", "forecasting", "unknown")
    models().bring("tiny-chronos", Brought(folder, card, uploaded=False))
    query = {"series": "Weekly level shift", "horizon": "3", "samples": "3"}
    beside = open_page(checkpoint="tiny-gru", other="tiny-chronos", **query)
    assert scored(beside) == ["tiny-gru", "tiny-chronos", *SIMPLE]
    alone = open_page(checkpoint="tiny-chronos", looker="2.4", tab="Attention", **query)
    assert scored(alone)[0] == "tiny-chronos"
    assert "from the last 48 of 127 values" in said(alone)
    st.cache_resource.clear()
