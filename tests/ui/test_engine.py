"""Runs that another machine computes, as the pages see them."""

import pytest

from seq2seq.checkpoint import load
from seq2seq.errors import UserError
from seq2seq.serving.local import Local
from tests.visit import live_pictures, messages, visit
from ui.runtime import engine as engines
from ui.runtime.model_store import models

pytestmark = pytest.mark.usefixtures("root")
SHORT = {"checkpoint": "lstm-attention", "text": "the cat sleeps", "max_length": "8"}


class Elsewhere:
    """An engine that notes what it is asked for."""

    def __init__(self, root, error=None):
        self.here, self.error = Local(lambda name: load(str(root / name))), error
        self.asked = []

    def compute(self, request, on_wait=None):
        self.asked.append(request)
        if on_wait is not None:
            on_wait()
        if self.error:
            raise UserError(self.error)
        return self.here.compute(request)


@pytest.fixture
def elsewhere(root, monkeypatch):
    found = Elsewhere(root)
    monkeypatch.setenv("SEQ2SEQ_ENGINE", "ray://10.0.0.1:6379")
    monkeypatch.setattr(engines, "engine", lambda: found)
    return found


def test_a_page_shows_what_another_machine_computed(elsewhere):
    at = visit("translation", **SHORT)
    assert not at.exception
    assert not [said for said in messages(at) if "machine" in said]
    assert {request.source for request in elsewhere.asked} == {SHORT["text"]}
    assert {request.checkpoint for request in elsewhere.asked} == {"lstm-attention"}
    assert live_pictures(at)


def test_what_goes_wrong_there_is_one_sentence(elsewhere):
    elsewhere.error = "All machines are busy: try again in some seconds."
    at = visit("translation", **SHORT)
    assert not at.exception
    assert elsewhere.asked
    assert any("machines are busy" in said for said in messages(at))


def test_only_models_of_the_catalogue_are_run_elsewhere(elsewhere, root, monkeypatch):
    assert engines.is_served("lstm-attention")
    assert not engines.is_served("somebody/else")
    from seq2seq.catalogue import read_card
    from ui.runtime.model_store import Brought

    folder = root / "lstm-attention"
    models().bring("mine", Brought(folder, read_card(folder), uploaded=False))
    assert not engines.is_served("mine")
    monkeypatch.delenv("SEQ2SEQ_ENGINE")
    assert not engines.is_served("lstm-attention")


def test_an_engine_that_there_is_not_is_named(monkeypatch):
    monkeypatch.setenv("SEQ2SEQ_ENGINE", "http://10.0.0.1")
    engines.engine.clear()
    with pytest.raises(UserError, match="write ray://"):
        engines.engine()
