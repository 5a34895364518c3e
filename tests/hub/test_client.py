"""What goes wrong between here and the Hub ends soon, in a sentence."""

import re
import socket
import subprocess
import sys
from inspect import signature
from pathlib import Path

import pytest

from seq2seq import hub
from seq2seq.hub import cache, client, download
from tests.hub.files import BIN, FILES, SMALL, SOON, WEIGHTS, contents
from tests.hub_server import wait_until


@pytest.mark.parametrize(
    ("where", "fault", "said"),
    [
        ("/api/", {"status": 503}, "fault of its own (503)"),
        ("/api/", {"status": 500}, "fault of its own (500)"),
        ("/api/", {"status": 429}, "pause"),
        ("/api/", {"status": 403}, "refuses access"),
        ("/api/", {"status": 418}, "does not accept"),
        ("/api/", {"status": 404, "code": "RevisionNotFound"}, "no such revision"),
        ("/api/", {"stall": 0}, "does not answer"),
        ("/api/", {"stall": 20}, "does not answer"),
        ("/api/", {"trickle": 0.1}, "does not answer"),
        ("/api/", {"drop": 20}, "broke off"),
        ("/api/", {"swap": b"<html>Log in</html>"}, "not the Hub's"),
        ("/api/", {"swap": b"[]"}, "not the Hub's"),
        ("/api/", {"swap": b'{"id": "u/r", "sha": "../../x", "siblings": []}'}, "not the Hub's"),
        ("/api/", {"swap": b'{"id": "u/r", "siblings": [{}]}'}, "not the Hub's"),
        ("resolve", {"status": 503}, "fault of its own (503)"),
        ("resolve", {"status": 404, "code": "EntryNotFound"}, "not there any more"),
        ("resolve", {"status": 403, "code": "GatedRepo"}, "gated"),
        ("resolve/.*/vocab.json", {"stall": 0}, "does not answer"),
        ("model.safetensors", {"stall": 1000}, "does not answer"),
        ("model.safetensors", {"drop": 0}, "broke off"),
        ("model.safetensors", {"drop": 50_000}, "broke off"),
        ("model.safetensors", {"swap": bytes(300_000)}, "damaged"),
        ("model.safetensors", {"swap": bytes(300_001)}, "size"),
        ("model.safetensors", {"swap": bytes(3)}, "size"),
        ("config.json", {"swap": bytes(len(SMALL["config.json"]))}, "damaged"),
    ],
)
def test_what_goes_wrong_ends_soon_in_a_sentence(server, fails_soon, where, fault, said):
    server.model("u/r", FILES)
    server.fail(where, **fault)
    fails_soon(lambda: hub.fetch("u/r", patience=SOON), said)
    wait_until(lambda: not list(cache.root().rglob("*.incomplete")))
    assert not hub.is_cached("u/r")
    server.faults.clear()
    server.released.set()
    assert contents(hub.fetch("u/r"))["model.safetensors"] == WEIGHTS


def test_without_settings_a_call_gives_up_within_15_seconds():
    assert client.PATIENCE <= 10
    for call in (hub.inspect, hub.fetch, hub.upload_files):
        assert signature(call).parameters["patience"].default == client.PATIENCE


@pytest.mark.parametrize("ignore_range", [False, True])
def test_a_connection_that_breaks_off_is_taken_up_again(server, ignore_range):
    server.model("u/r", FILES)
    server.fail("model.safetensors", drop=100_000, times=1)
    server.fail("[0-9a-f]{64}/model.safetensors", drop=100_000, times=1)
    if ignore_range:
        server.fail("[0-9a-f]{64}/model.safetensors", ignore_range=True)
    seen = []
    fetched = hub.fetch("u/r", lambda done, total: seen.append(done))
    assert contents(fetched)["model.safetensors"] == WEIGHTS
    assert seen == sorted(seen)
    assert seen[-1] == hub.inspect("u/r").bytes


def test_what_is_not_there_is_told(server, fails_soon):
    server.model("u/r", FILES)
    server.model("u/private", FILES, private=True)
    fails_soon(lambda: hub.fetch("u/none"), "no model u/none")
    fails_soon(lambda: hub.fetch("t5-none"), "no model t5-none")
    fails_soon(lambda: hub.fetch("u/private"), "private")
    fails_soon(lambda: hub.fetch("u/r@nothing"), "revision")
    fails_soon(lambda: hub.fetch(f"u/r@{'0' * 40}"), "revision")


def test_a_gated_model_needs_the_environments_token(server, fails_soon, monkeypatch, tmp_path):
    server.model("u/r", FILES, gated=True)
    (tmp_path / "token").write_text(server.token)  # where `hf auth login` puts one
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    assert hub.inspect("u/r").gated
    fails_soon(lambda: hub.fetch("u/r"), "HF_TOKEN")
    assert {token for _, _, token in server.requests} == {None}
    monkeypatch.setenv("HF_TOKEN", f" {server.token}\n")
    server.requests.clear()
    assert contents(hub.fetch("u/r"))["model.safetensors"] == WEIGHTS
    stored = {token for _, path, token in server.requests if path.endswith("/model.safetensors")}
    assert stored == {f"Bearer {server.token}", None}
    for _, path, token in server.requests:  # the other host gets no token
        assert (token is None) == bool(re.match(r"/[0-9a-f]{64}/", path))
    for token, said in (("hf_wrong", "HF_TOKEN"), ("hf_\u0301", "HF_TOKEN"), ("a b", "HF_TOKEN")):
        monkeypatch.setenv("HF_TOKEN", token)
        fails_soon(lambda: hub.fetch("u/r"), said)


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://127.0.0.1:9", "cannot be reached"),
        ("ftp://127.0.0.1", "HF_ENDPOINT"),
        ("nonsense", "HF_ENDPOINT"),
    ],
)
def test_an_endpoint_that_is_none(server, fails_soon, monkeypatch, endpoint, said):
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    fails_soon(lambda: hub.fetch("u/r", patience=2), said)


def test_a_port_that_accepts_and_says_nothing(server, fails_soon, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{mute.getsockname()[1]}")
        fails_soon(lambda: hub.fetch("u/r", patience=SOON), "does not answer")


def test_a_stalled_fetch_keeps_no_program_from_ending(server):
    server.model("u/r", FILES)
    server.fail("/api/", trickle=0.2)  # which no limit on a single read would end
    code = """
from seq2seq import hub
try:
    hub.fetch("u/r", patience=0.5)
except ValueError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )
    assert "does not answer" in done.stdout
    assert done.stderr == ""


def test_a_client_that_another_thread_closes(server, fails_soon, monkeypatch):
    server.model("u/r", FILES)

    def closed(*_):
        raise RuntimeError("Cannot send a request, as the client has been closed.")

    monkeypatch.setattr(download, "_receive_once", closed)
    fails_soon(lambda: hub.fetch("u/r"), "broke off")


def test_a_mistake_of_our_own_is_not_hidden(server, monkeypatch):
    server.model("u/r", FILES)
    monkeypatch.setattr(download, "_receive_once", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hub.fetch("u/r")


def test_nothing_is_asked_of_anybody_else(server, monkeypatch, tmp_path):
    asked = set()
    resolve = socket.getaddrinfo

    def watched(host, *arguments, **values):
        asked.add(host)
        return resolve(host, *arguments, **values)

    monkeypatch.setattr(socket, "getaddrinfo", watched)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", False)
    monkeypatch.setattr("huggingface_hub.constants.AGENT_HARNESSES_PATH", str(tmp_path / "none"))
    monkeypatch.setattr("huggingface_hub.utils._detect_agent._registry", None)
    server.model("u/r", BIN)
    hub.fetch("u/r")
    assert asked == {"127.0.0.1"}
