"""Who gets this machine's token, and what was fetched with it."""

import huggingface_hub
import pytest

from seq2seq import hub
from seq2seq.errors import UserError
from tests.hub.files import BIN, FILES


@pytest.fixture
def token(server, tmp_path, monkeypatch):
    """A machine with a token in its environment and the same from an earlier log-in."""
    monkeypatch.setenv("HF_TOKEN", server.token)
    login = tmp_path / "token"
    login.write_text(server.token)
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(login))
    return server.token


def authorizations(server):
    return {authorization for _, _, authorization in server.requests}


@pytest.mark.parametrize("files", [FILES, BIN], ids=["safetensors", "pickle"])
def test_nothing_is_sent_for_somebody_anonymous(server, token, files):
    server.model("u/r", files)
    assert hub.inspect("u/r", anonymous=True).public
    hub.fetch("u/r", anonymous=True)
    assert server.count("model") > 1
    assert authorizations(server) == {None}


def test_a_log_in_is_not_sent_either(server, token, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    server.model("u/r", FILES)
    hub.fetch("u/r")
    assert authorizations(server) == {None}


def test_the_operator_uses_the_token(server, token):
    server.model("u/private", FILES, private=True)
    assert not hub.inspect("u/private").public
    hub.fetch("u/private")
    assert authorizations(server) - {None} == {f"Bearer {token}"}


@pytest.mark.parametrize("kind", ["private", "gated"])
def test_what_a_token_opened_is_not_there_for_others(server, token, fails_soon, kind):
    model = server.model("u/r", FILES, **{kind: True})
    hub.fetch("u/r")
    assert hub.cached("u/r")
    server.requests.clear()
    for name in ("u/r", f"u/r@{model.refs['main']}"):
        assert hub.cached(name, anonymous=True) is None
        fails_soon(lambda name=name: hub.inspect(name, anonymous=True), kind)
        fails_soon(lambda name=name: hub.fetch(name, anonymous=True), kind)
    assert authorizations(server) == {None}


def test_without_the_hub_only_public_models_are_there_for_others(server, token, monkeypatch):
    server.model("u/private", FILES, private=True)
    server.model("u/public", FILES)
    hub.fetch("u/private")
    public = hub.fetch("u/public", anonymous=True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert hub.fetch("u/public", anonymous=True).folder == public.folder
    with pytest.raises(UserError, match="HF_HUB_OFFLINE"):
        hub.fetch("u/private", anonymous=True)
