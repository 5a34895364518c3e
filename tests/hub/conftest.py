"""A small Hub for each test, and a check that a call fails as a visitor may see it."""

import threading
import time

import httpx2
import huggingface_hub
import huggingface_hub.errors
import pytest

from seq2seq.errors import UserError
from seq2seq.hub import client, watchdog
from tests.hub_server import serving


@pytest.fixture
def server(tmp_path, monkeypatch):
    for name in ("HF_HUB_CACHE", "HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    with serving() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.hub)
        yield running
        running.faults.clear()
        running.released.set()
        for thread in threading.enumerate():  # those that a test left waiting
            if thread.name == watchdog.THREAD:
                thread.join(timeout=10)
                assert not thread.is_alive()
    huggingface_hub.close_session()


@pytest.fixture(scope="module", autouse=True)
def _imported():
    """Load what is loaded when first used, so that only waiting is timed."""
    library = client.client()
    assert all((library.HfApi, library.ModelCard, httpx2.Client, library.errors))


@pytest.fixture
def fails_soon():
    """Check that a call ends within the limit, in one sentence that a visitor may read."""

    def check(call, said, limit=8):
        start = time.monotonic()
        with pytest.raises(UserError) as raised:
            call()
        assert time.monotonic() - start < limit
        text = str(raised.value)
        assert said in text
        assert ": " in text, "no remedy"
        assert "\n" not in text
        assert "/tmp" not in text
        assert text.endswith(".")
        assert text.count(". ") == 0
        assert raised.value.__suppress_context__ or raised.value.__context__ is None
        return text

    return check
