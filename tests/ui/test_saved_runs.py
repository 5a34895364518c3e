import json
import shutil
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from seq2seq.checkpoint import load
from seq2seq.data.series import Series
from seq2seq.decoding.interventions import AttentionEdit, Interventions
from seq2seq.inference.forecasting import forecast
from seq2seq.inference.pipeline import run
from seq2seq.trace import shown
from tests.forecasters import KINDS, write_forecaster
from tests.visit import SENTENCE, charts, live_pictures

PAGES = ["translation", "summarization", "chatbot", "speech", "pronunciation"]


pytestmark = pytest.mark.usefixtures("root")


def reopened(page, content, **query):
    at = AppTest.from_file(f"../../pages/{page}.py", default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    uploader = next(each for each in at.get("file_uploader") if each.key == "saved_run")
    uploader.set_value(("run.json", content, "application/json")).run()
    assert not at.exception
    return at


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_a_run_without_its_model(page, trace, root):
    shutil.rmtree(root / trace.checkpoint)
    at = reopened(page, trace.to_json())
    assert live_pictures(at)
    said = next(each.value for each in at.info if "A saved run of" in each.value)
    assert ("It belongs to the page of ` translation `" in said) == (page != "translation")
    at.slider(key="step").set_value(2).run()
    assert at.slider(key="step").value == 2
    assert live_pictures(at)


def test_a_changed_run_opens_and_says_what_was_changed(root):
    checkpoint = load(root / "transformer")
    first_only = [1.0] + [0.0] * (len(run(checkpoint, SENTENCE).source) - 1)
    edit = AttentionEdit(2, tuple(first_only))
    changed = run(checkpoint, SENTENCE, interventions=Interventions((edit,), (1,)))
    shutil.rmtree(root / "transformer")
    at = reopened("translation", changed.to_json())
    banner = next(each.value for each in at.info if "A saved run of" in each.value)
    assert f"` {shown(changed.source.pieces[1])} ` was masked." in banner
    assert "Its attention was changed at step 3." in banner


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_a_recording(page, trace):
    source = replace(trace.source, text="", spans=((0, 0),) * len(trace.source))
    heard = replace(trace, source=source, position_seconds=0.04)
    assert live_pictures(reopened(page, heard.to_json()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_forecast_shows_its_sampled_path_without_its_model(kind, root):
    checkpoint = load(write_forecaster(root / "numbers", kind))
    values = [50 + 10 * (number % 6) for number in range(40)]
    trace = forecast(checkpoint, Series(values, "M"), 5).trace
    (root / "numbers").rename(root / "others")
    at = reopened("forecasting", trace.to_json())
    assert any("on a series of 40 values. Remove" in each.value for each in at.info)
    at.slider(key="step").set_value(3).run()
    [chart] = [each for each in charts(at) if each.key == "path"]
    lines = {line.get("name"): line for line in chart.figure["data"]}
    said = [float(value) for value in trace.target.text.split()]
    assert lines["sampled path"]["y"] == pytest.approx(said)
    assert lines["sampled path"]["x"] == [1, 2, 3, 4, 5]
    assert lines["history"]["y"][-40:] == pytest.approx(values)
    assert lines["step 3"]["x"] == [3]
    assert any("sampled beside the fan" in each.value for each in at.caption)


def test_a_translation_opened_among_forecasts_has_no_path(trace, root):
    write_forecaster(root / "numbers")
    at = reopened("forecasting", trace.to_json())
    assert live_pictures(at)
    assert "path" not in [each.key for each in charts(at)]


@pytest.mark.parametrize("tab", ["Attention", "Probabilities", "Beam tree", "Step internals"])
def test_every_instrument_shows_a_run_without_its_model(tab, trace, root):
    shutil.rmtree(root / trace.checkpoint)
    at = reopened("translation", trace.to_json(), tab=tab)
    assert not at.error
    if tab == "Step internals":
        assert any("model of this saved run is not here" in each.value for each in at.info)


def damaged(values):
    yield "another version", {**values, "format": "seq2seq-trace/1"}
    yield "not a run", {**values, "log_probabilities": values["log_probabilities"][:-1]}
    yield "not a run", {**values, "text": "something else"}
    yield "not a run", {**values, "attention": "<script>"}
    yield "not a run", {**values, "source": {**values["source"], "ids": [1e400]}}
    yield "not a run", {**values, "options": {**values["options"], "beam_width": [5]}}
    yield "not a run", []


@pytest.mark.parametrize("checkpoint_folder", ["lstm-attention"], indirect=True)
def test_a_damaged_file_is_named_in_one_sentence(trace):
    for said, values in damaged(json.loads(trace.to_json())):
        at = reopened("translation", json.dumps(values).encode())
        (error,) = at.error
        assert said in error.value or "beam" in error.value
        assert not live_pictures(at)
    for content in (trace.to_json()[:-100], b"", b"\xff" * 100, b"[" * 100_000, b"9" * 30_000_000):
        (error,) = reopened("translation", content).error
        assert "not a run saved by this app" in error.value


def test_what_was_typed_is_there_when_the_file_is_removed(trace):
    at = reopened("translation", trace.to_json(), text="The cat sleeps.")
    assert at.text_area(key="text").value == "The cat sleeps."


def test_a_file_that_names_a_path_as_its_model_opens_nothing(trace):
    at = reopened("translation", replace(trace, checkpoint="/etc").to_json(), tab="Step internals")
    assert any("is not here" in each.value for each in at.info)
