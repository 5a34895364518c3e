import dataclasses
import errno
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from inspect import signature
from pathlib import Path

import httpx2
import huggingface_hub
import huggingface_hub.errors
import pytest
import torch

from seq2seq import hub, waiting
from seq2seq.__main__ import main
from seq2seq.checkpoint import load
from seq2seq.errors import UserError
from seq2seq.hub import cache, connection, fetching, publishing
from seq2seq.hub.repository import File, Identifier, Repository, needed, parse
from seq2seq.model_card import LICENCES, PIPELINE_TAGS, model_card
from seq2seq.options import Options
from seq2seq.pipeline import run
from seq2seq.recipe import read_recipe
from tests.hub_server import serving, wait_until

SOON = 0.5  # seconds of patience where the answer never comes
WEIGHTS = os.urandom(300_000)
SMALL = {
    "config.json": b'{"model_type": "marian"}',
    "source.spm": b"pieces of the source",
    "vocab.json": b"{}",
    "README.md": b"# A model",
}
FILES = SMALL | {
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"pickle",
    "tf_model.h5": b"other",
    "onnx/model.onnx": b"more",
    ".gitattributes": b"",
    "training_args.bin": b"pickle",
}


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
            if thread.name == waiting.THREAD:
                thread.join(timeout=10)
                assert not thread.is_alive()
    huggingface_hub.close_session()


@pytest.fixture(scope="module", autouse=True)
def _imported():
    """Load what is loaded when first used, so that only waiting is timed."""
    library = connection.client()
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


def fetched_names(fetched):
    return {path.name for path in fetched.folder.iterdir()}


def contents(fetched):
    return {path.name: path.read_bytes() for path in fetched.folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("t5-small", Identifier("t5-small")),
        ("google/flan-t5-small", Identifier("google/flan-t5-small")),
        ("u/r@refs/pr/2", Identifier("u/r", "", "refs/pr/2")),
        ("u/r@v1.0", Identifier("u/r", "", "v1.0")),
        ("u/r/sub", Identifier("u/r", "sub")),
        ("u/r/a/b-c@main", Identifier("u/r", "a/b-c", "main")),
        (f"u/r@{'a' * 40}", Identifier("u/r", "", "a" * 40)),
    ],
)
def test_a_name_is_taken_apart(text, wanted):
    assert hub.is_identifier(text)
    assert parse(text) == wanted
    assert wanted.pinned == ("a" * 40 in text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "/",
        "../x",
        "u/..",
        "u/r/../x",
        "u/r/.",
        "u//r",
        "/u/r",
        "u/r/",
        "u\\r",
        "C:\\models",
        "u/r\n",
        "u/r\x00",
        "u/\u202er",
        "é/è",
        "u/r@",
        "u/r@../x",
        "u/r@a..b",
        "u/r@/x",
        "u/r@a//b",
        "u/r@x\n",
        "@main",
        "u/r@a@b",
        "u r/x",
        "u/r?x=1",
        "u/r#x",
        "u/r%2e%2e",
        "http://u/r",
        "-u/r",
        "u/r-",
        ".u/r",
        "u/r.git",
        "u--v/r",
        "u/" + "r" * 96,
        "r" * 10_000,
        "u/r@" + "r" * 10_000,
    ],
)
def test_what_is_no_name_makes_no_request(server, fails_soon, text):
    assert not hub.is_identifier(text)
    assert not hub.is_cached(text)
    assert len(fails_soon(lambda: hub.inspect(text), "USER/REPO")) < 400
    fails_soon(lambda: hub.fetch(text), "USER/REPO")
    assert server.count() == 0


def test_names_are_told_without_the_library():
    code = (
        "import sys; from seq2seq import hub; hub.is_identifier('u/r'); "
        "sys.exit(bool({'huggingface_hub', 'httpx2', 'torch', 'tqdm'} & set(sys.modules)))"
    )
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_a_look_tells_what_would_be_fetched(server):
    page = {
        "pipeline_tag": "translation",
        "cardData": {"license": "apache-2.0", "language": ["en", "fr"]},
    }
    model = server.model("u/r", FILES, page=page)
    found = hub.inspect("u/r")
    wanted = {*SMALL, "model.safetensors"}
    assert {file.name for file in found.files} == wanted
    assert found.files[-1].name == "model.safetensors"
    assert found.bytes == sum(len(FILES[name]) for name in wanted)
    assert found.revision == model.refs["main"]
    assert (found.licence, found.task, found.languages) == (
        "apache-2.0",
        "translation",
        ("en", "fr"),
    )
    assert not found.gated
    assert not found.pickled
    assert found.notes == ()
    assert parse(found.identifier).revision == found.revision
    assert server.requests == [("GET", "/api/models/u/r/revision/main", None)]
    assert not (Path(os.environ["HF_HOME"])).exists()


@pytest.mark.parametrize(
    "page",
    [
        {"cardData": {"license": ["mit", 3], "language": "en"}},
        {"cardData": {"license": {"a": 1}, "language": [None, "en"]}},
        {"cardData": None, "pipeline_tag": None},
        {"cardData": {"model-index": "nonsense"}},
    ],
)
def test_a_card_may_hold_anything(server, page):
    server.model("u/r", FILES, page=page)
    found = hub.inspect("u/r")
    assert found.licence in ("", "mit")
    assert found.languages in ((), ("en",))


def test_only_what_is_needed_is_fetched(server):
    model = server.model("u/r", FILES)
    fetched = hub.fetch("u/r")
    assert contents(fetched) == SMALL | {"model.safetensors": WEIGHTS}
    assert fetched.revision == model.refs["main"]
    assert fetched.notes == ()
    # a look, a request a file, and another for each of the two that lie elsewhere
    assert server.count() == 1 + len(fetched_names(fetched)) + 2
    assert server.encodings == {"identity"}  # else a file that broke off could not be gone on with
    assert not list(cache.root().rglob("*.incomplete"))


def test_progress_grows_and_ends_at_the_total(server):
    server.model("u/r", FILES)
    seen, threads = [], set()

    def on_progress(done, total):
        seen.append((done, total))
        threads.add(threading.current_thread())

    found = hub.inspect("u/r")
    hub.fetch(found, on_progress)
    assert seen[-1] == (found.bytes, found.bytes)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert {total for _, total in seen} == {found.bytes}
    assert threads == {threading.current_thread()}
    seen.clear()
    hub.fetch(found, on_progress)
    assert seen == [(found.bytes, found.bytes)]


def test_progress_is_told_when_there_is_some():
    meter, seen = waiting.Meter(3), []

    def work():
        for _ in range(3):
            time.sleep(0.15)
            meter.add(1)
        return "done"

    result = waiting.watch(work, meter, 5, lambda done, total: seen.append((done, total)))
    assert result == "done"
    assert len(seen) == len(set(seen))
    assert seen[0] == (0, 3)
    assert seen[-1] == (3, 3)
    assert seen == sorted(seen)


def test_what_was_looked_at_is_fetched_without_another_look(server):
    model = server.model("u/r", FILES)
    found = hub.inspect("u/r")
    model.commit(FILES | {"config.json": b'{"new": 1}'})
    assert hub.fetch(found).revision == found.revision
    assert server.count("/api/") == 1


def test_a_cached_commit_makes_no_request(server, monkeypatch):
    model = server.model("u/r", FILES)
    pinned = f"u/r@{model.refs['main']}"
    assert not hub.is_cached(pinned)
    first = hub.fetch(pinned)
    assert hub.is_cached(pinned)
    server.requests.clear()
    assert hub.fetch(pinned) == first
    assert hub.inspect(pinned).files
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert hub.fetch(pinned) == first
    assert server.count() == 0


def test_a_branch_costs_one_request_and_follows_its_commits(server):
    model = server.model("u/r", FILES)
    first = hub.fetch("u/r")
    assert hub.is_cached("u/r")
    assert hub.is_cached(f"u/r@{first.revision}")
    server.requests.clear()
    assert hub.fetch("u/r") == first
    assert server.count() == 1
    model.commit(FILES | {"config.json": b'{"new": 1}'})
    second = hub.fetch("u/r")
    assert second.revision != first.revision
    assert contents(second)["config.json"] == b'{"new": 1}'
    assert contents(first)["config.json"] == SMALL["config.json"]


def test_a_file_that_was_lost_is_fetched_again(server):
    model = server.model("u/r", FILES)
    pinned = f"u/r@{model.refs['main']}"
    folder = hub.fetch(pinned).folder
    (folder / "vocab.json").unlink()
    (folder / "model.safetensors").write_bytes(b"cut off")
    assert not hub.is_cached(pinned)
    server.requests.clear()
    assert contents(hub.fetch(pinned))["model.safetensors"] == WEIGHTS
    assert server.count("resolve") == 2


@pytest.mark.parametrize("fault", [{"status": 503}, {"stall": 0}, {"drop": 10}, {"status": 429}])
def test_without_the_hub_the_cache_does(server, fault):
    server.model("u/r", FILES)
    first = hub.fetch("u/r")
    server.fail("/api/", **fault)
    for _ in range(2):
        again = hub.fetch("u/r", patience=SOON)
        assert again.folder == first.folder
        assert again.notes == (fetching.NOT_REACHED,)
    server.faults.clear()
    assert hub.fetch("u/r").notes == ()


def test_offline_the_revision_of_last_time_does(server, monkeypatch, fails_soon):
    server.model("u/r", FILES)
    first = hub.fetch("u/r")
    found = hub.inspect("u/r")
    server.requests.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    again = hub.fetch("u/r")
    assert (again.folder, again.notes) == (first.folder, (fetching.NOT_REACHED,))
    assert hub.inspect("u/r").licence == found.licence
    fails_soon(lambda: hub.fetch("u/other"), "HF_HUB_OFFLINE")
    shutil.rmtree(first.folder)
    fails_soon(lambda: hub.fetch(found), "HF_HUB_OFFLINE")
    assert server.count() == 0


def test_a_cache_that_the_library_filled_is_used(server, monkeypatch):
    model = server.model("u/r", SMALL | {"model.safetensors": WEIGHTS})
    folder = huggingface_hub.snapshot_download(
        "u/r", endpoint=server.hub, cache_dir=str(cache.root()), token=False
    )
    assert (Path(folder) / "model.safetensors").is_symlink()
    server.requests.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in ("u/r", f"u/r@{model.refs['main']}"):
        fetched = hub.fetch(name)
        assert fetched.folder == Path(folder)
        assert fetched.notes == (fetching.NOT_REACHED,)
    assert server.count() == 0
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert hub.fetch("u/r").notes == ()
    assert server.count("resolve") == 0
    (Path(folder) / "model.safetensors").unlink()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="unset"):
        hub.fetch("u/r")


def test_the_library_finds_what_was_fetched(server):
    model = server.model("u/r", FILES)
    folder = hub.fetch("u/r").folder
    sha = model.refs["main"]
    server.requests.clear()
    found = huggingface_hub.hf_hub_download(
        "u/r", "config.json", revision=sha, cache_dir=str(cache.root()), endpoint=server.hub
    )
    assert Path(found) == folder / "config.json"
    assert server.count() == 0
    report = huggingface_hub.scan_cache_dir(cache.root())
    assert not report.warnings
    assert [repo.repo_id for repo in report.repos] == ["u/r"]


def test_shards_come_with_their_index(server):
    shards = {f"model-0000{n}-of-00002.safetensors": os.urandom(1000) for n in (1, 2)}
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": list(shards)[1]}}
    files = SMALL | shards | {"model.safetensors.index.json": json.dumps(index).encode()}
    server.model("u/r", files)
    assert contents(hub.fetch("u/r")) == files


@pytest.mark.parametrize("text", [b"no JSON", b"[]", b'{"weight_map": {"a": "../../x"}}', b"{}"])
def test_a_strange_index_is_refused(server, fails_soon, text):
    files = {"model-00001-of-00001.safetensors": b"x", "model.safetensors.index.json": text}
    server.model("u/r", SMALL | files)
    fails_soon(lambda: hub.fetch("u/r"), "index")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["config.json"], "no complete weights"),
        (["model.safetensors"], "no config.json"),
        (["config.json", "tf_model.h5"], "no complete weights"),
        (["config.json", "model-00001-of-00002.safetensors"], "no complete weights"),
        (
            [
                "config.json",
                "model.safetensors.index.json",
                "model-00002-of-00002.safetensors",
            ],
            "no complete weights",
        ),
        (["a/config.json", "a/model.safetensors", "b/config.json"], "there is one in a, b"),
    ],
)
def test_what_is_no_model_is_told(server, fails_soon, names, said):
    server.model("u/r", dict.fromkeys(names, b"{}"))
    fails_soon(lambda: hub.fetch("u/r"), said)


def test_needed_files_are_those_of_one_folder():
    names = [
        "config.json",
        "model.safetensors",
        "s/config.json",
        "s/model.safetensors",
        "s/x.model",
    ]
    files = [File(name, 1) for name in names]
    assert [file.name for file in needed("u/r", files)] == names[:2]
    assert [file.name for file in needed("u/r", files, "s")] == ["s/config.json", *names[:2:-1]]


def test_a_readme_of_a_megabyte_stays_away(server):
    server.model("u/r", FILES | {"README.md": b"x" * 1_000_001})
    assert "README.md" not in contents(hub.fetch("u/r"))


def test_several_checkpoints_in_one_repository(server, fails_soon):
    files = {f"{folder}/{name}": text for folder in ("a", "b/c") for name, text in SMALL.items()}
    weights = {"a/model.safetensors": WEIGHTS, "b/c/model.safetensors": b"others"}
    model = server.model("u/r", files | weights)
    first, second = hub.fetch("u/r/a"), hub.fetch("u/r/b/c")
    assert contents(first) == SMALL | {"model.safetensors": WEIGHTS}
    assert contents(second)["model.safetensors"] == b"others"
    server.requests.clear()
    pinned = f"u/r/a@{model.refs['main']}"
    assert hub.is_cached(pinned)
    assert hub.fetch(pinned) == first
    assert server.count() == 0
    fails_soon(lambda: hub.fetch("u/r/d"), "there is one in a, b/c")
    fails_soon(lambda: hub.fetch("u/r"), "there is one in a, b/c")


def test_an_old_name_leads_to_the_new_one(server, monkeypatch):
    server.model("google-t5/t5-small", FILES, gated=True)
    server.moved["t5-small"] = "google-t5/t5-small"
    monkeypatch.setenv("HF_TOKEN", server.token)
    fetched = hub.fetch("t5-small")
    assert contents(fetched)["model.safetensors"] == WEIGHTS
    server.requests.clear()
    assert hub.fetch(f"t5-small@{fetched.revision}") == fetched
    assert server.count() == 0


BIN = SMALL | {"pytorch_model.bin": b"pickle of weights"}


def test_the_converters_pull_request_is_preferred_to_a_pickle(server):
    model = server.model("u/r", BIN)
    model.offer(SMALL | {"model.safetensors": b"forged"}, author="somebody")
    model.offer(SMALL | {"model.safetensors": b"old"}, status="closed")
    sha = model.offer(BIN | {"model.safetensors": WEIGHTS})
    fetched = hub.fetch("u/r")
    assert fetched.revision == sha
    assert contents(fetched)["model.safetensors"] == WEIGHTS
    assert "pytorch_model.bin" not in contents(fetched)
    assert "pull request 3" in fetched.notes[0]
    server.requests.clear()
    assert hub.fetch(f"u/r@{sha}").folder == fetched.folder
    assert server.count() == 0


@pytest.mark.parametrize("fault", [{"status": 403}, {"status": 503}, {"swap": b"<html>"}])
def test_without_a_conversion_the_pickle_is_labelled(server, fault):
    model = server.model("u/r", BIN)
    model.offer(BIN)
    for _ in range(2):
        fetched = hub.fetch("u/r")
        assert contents(fetched) == BIN
        assert fetched.notes == (fetching.PICKLED,)
        assert hub.inspect("u/r").pickled
        model.offer(SMALL | {"model.safetensors": WEIGHTS})
        server.fail("discussions", **fault)


def test_a_commit_that_was_asked_for_is_taken_as_it_is(server):
    model = server.model("u/r", BIN)
    model.offer(SMALL | {"model.safetensors": WEIGHTS})
    assert hub.inspect(f"u/r@{model.refs['main']}").pickled
    assert server.count("discussions") == 0


def test_code_of_a_model_is_noted_and_not_fetched(server):
    config = json.dumps({"auto_map": {"AutoModel": "modeling.Model"}}).encode()
    server.model("u/r", FILES | {"config.json": config, "modeling.py": b"raise SystemExit"})
    for _ in range(2):
        fetched = hub.fetch("u/r")
        assert fetched.notes == (fetching.OWN_CODE,)
        assert "modeling.py" not in contents(fetched)


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "a/../../evil", "..\\evil", "C:/evil", "a//b", "a/\x07"]
)
def test_a_file_that_leads_out_of_its_folder_is_refused(server, fails_soon, name, tmp_path):
    server.model("u/r", FILES | {name: b"evil"})
    fails_soon(lambda: hub.fetch("u/r"), "leads out")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("level", ["models--u--r", "models--u--r/snapshots", "file"])
def test_a_link_out_of_the_cache_is_not_followed(server, fails_soon, tmp_path, level):
    model = server.model("u/r", FILES)
    outside = tmp_path / "outside"
    outside.mkdir()
    place = cache.root() / level
    if level == "file":
        place = cache.root() / "models--u--r/snapshots" / model.refs["main"] / "config.json"
        (outside / "config.json").write_bytes(SMALL["config.json"])
    place.parent.mkdir(parents=True)
    place.symlink_to(outside / "config.json" if level == "file" else outside)
    fails_soon(lambda: hub.fetch("u/r"), "link")
    assert [path.name for path in outside.iterdir()] == ["config.json"] * (level == "file")


def test_a_cache_that_is_itself_a_link_is_fine(server, tmp_path, monkeypatch):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "link"))
    server.model("u/r", FILES)
    hub.fetch("u/r")
    assert (tmp_path / "disk" / "models--u--r").is_dir()


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
    assert connection.PATIENCE <= 10
    for call in (hub.inspect, hub.fetch, hub.publish):
        assert signature(call).parameters["patience"].default == connection.PATIENCE


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
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )
    assert "does not answer" in done.stdout
    assert done.stderr == ""


def test_a_full_disk(server, fails_soon, monkeypatch):
    server.model("u/r", FILES)
    found = hub.inspect("u/r")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", str(cache.root()))

    with monkeypatch.context() as patch:
        patch.setattr(fetching, "_receive_once", full)
        fails_soon(lambda: hub.fetch(found), "disk is full")
    server.requests.clear()
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    fails_soon(lambda: hub.fetch(found), "disk has 0 MB left")
    assert server.count() == 0


def test_a_client_that_another_thread_closes(server, fails_soon, monkeypatch):
    server.model("u/r", FILES)

    def closed(*_):
        raise RuntimeError("Cannot send a request, as the client has been closed.")

    monkeypatch.setattr(fetching, "_receive_once", closed)
    fails_soon(lambda: hub.fetch("u/r"), "broke off")


def test_a_mistake_of_our_own_is_not_hidden(server, monkeypatch):
    server.model("u/r", FILES)
    monkeypatch.setattr(fetching, "_receive_once", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hub.fetch("u/r")


def test_a_cache_that_is_a_file(server, fails_soon, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "file"))
    server.model("u/r", FILES)
    fails_soon(lambda: hub.fetch("u/r"), "HF_HOME")


def test_a_record_that_is_damaged_is_no_record(server):
    model = server.model("u/r", FILES)
    pinned = f"u/r@{model.refs['main']}"
    fetched = hub.fetch(pinned)
    (record,) = cache.root().rglob(f"*{fetched.revision}.json")
    good = record.read_text()
    for text in ("", "[]", "{}", good.replace("config.json", "../../x"), good[:50]):
        record.write_text(text)
        assert not hub.is_cached(pinned)
        assert hub.fetch(pinned) == fetched
    assert hub.is_cached(pinned)


@pytest.mark.parametrize("fault", [{"stall": 100_000}, {"trickle": 0.02}])
def test_a_fetch_can_be_stopped(server, fails_soon, fault):
    server.model("u/r", FILES)
    server.fail("[0-9a-f]{64}/model.safetensors", **fault)
    stop = threading.Event()
    threading.Timer(0.4, stop.set).start()
    fails_soon(lambda: hub.fetch("u/r", cancelled=stop.is_set, patience=3), "stopped", limit=2)
    server.released.set()
    wait_until(lambda: not list(cache.root().rglob("*.incomplete")))
    assert not hub.is_cached("u/r")


def test_an_exception_of_the_callback_ends_the_fetch(server):
    server.model("u/r", FILES)
    server.fail("[0-9a-f]{64}/model.safetensors", trickle=0.02)

    class Gone(BaseException):
        pass

    def on_progress(done, total):
        if done > 100:
            raise Gone

    with pytest.raises(Gone):
        hub.fetch("u/r", on_progress)
    wait_until(lambda: not list(cache.root().rglob("*.incomplete")))


def test_two_at_once(server):
    server.model("u/r", FILES)
    results = []
    threads = [threading.Thread(target=lambda: results.append(hub.fetch("u/r"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert len({result.folder for result in results}) == 1
    assert contents(results[0])["model.safetensors"] == WEIGHTS


def test_a_mirror_without_sizes_is_read_too(server, monkeypatch):
    server.model("u/r", FILES)
    siblings = [{"rfilename": name} for name in FILES]
    sha = server.models["u/r"].refs["main"]
    answer = {"id": "u/r", "sha": sha, "siblings": siblings}
    server.fail("/api/", swap=json.dumps(answer).encode())
    assert contents(hub.fetch("u/r"))["model.safetensors"] == WEIGHTS


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


@pytest.fixture
def publishable(checkpoint_root, tmp_path):
    """A tiny checkpoint with a model card as training writes it."""
    folder = tmp_path / "my-model"
    shutil.copytree(checkpoint_root / "transformer", folder)
    (folder / "README.md").write_text(card_of(folder), encoding="utf-8")
    (folder / "training.jsonl").write_text('{"loss": 1}\n', encoding="utf-8")
    (folder / "studies.json").write_text("[]\n", encoding="utf-8")
    (folder / "private-notes.txt").write_text("not to be uploaded", encoding="utf-8")
    return folder


def card_of(folder):
    scores = {
        "precision": "float32",
        "parameters": 1000,
        "data": {"valid.tsv": "0"},
        "options": dataclasses.asdict(Options(beam_width=5)),
        "sentences": 1,
        "references": 1,
        "bleu": 1.5,
        "chrf": 2.5,
        "loss": 3.0,
        "perplexity": 20.1,
        "sentences_per_second": 1.0,
        "bleu_signature": "b",
        "chrf_signature": "c",
        "by_source_length": [],
        "hardware": "a CPU",
        "training_hardware": "a CPU",
        "milliseconds": 6.5,
        "bleu_interval": [1.0, 2.0],
        "training_steps": 1,
        "training_seconds": 60,
        **dict.fromkeys(("distinct_1", "distinct_2", "different", "dull", "repetitive"), 4.0),
        **dict.fromkeys(("words", "words_kept", "kept_f1", "first_words_kept_f1"), 5.0),
        **{f"rouge_{size}": float(place) for place, size in enumerate("12l", start=6)},
        **{f"first_words_rouge_{size}": 9.0 for size in "12l"},
    }
    return model_card(read_recipe(folder / "recipe.toml"), scores)


def same_outputs(first, second):
    text = "The old dog sleeps in the garden."
    traces = [run(load(folder), text) for folder in (first, second)]
    assert traces[0].text == traces[1].text
    weights = [load(folder).model.state_dict() for folder in (first, second)]
    assert weights[0].keys() == weights[1].keys()
    return all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize("target", ["u/new", "u/new/small", "u/new/models/small-one"])
def test_what_is_published_loads_back_by_its_name(server, publishable, monkeypatch, target):
    seen = []
    address = hub.publish(
        publishable, target, server.token, lambda done, total: seen.append((done, total))
    )
    subfolder = target.partition("u/new/")[2]
    assert address == f"{server.hub}/u/new" + (f"/tree/main/{subfolder}" if subfolder else "")
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert (
        seen[-1][0]
        == seen[-1][1]
        == sum(path.stat().st_size for path in publishable.iterdir() if path.suffix != ".txt")
    )
    assert {name.rpartition("/")[2] for name in server.uploads} == {
        path.name for path in publishable.iterdir() if path.suffix != ".txt"
    }
    fetched = hub.fetch(target)
    assert same_outputs(publishable, fetched.folder)
    server.requests.clear()
    assert hub.fetch(f"{target}@{fetched.revision}").folder == fetched.folder
    assert server.count() == 0


def test_bytes_are_counted_as_they_are_sent(server, publishable, monkeypatch):
    meters = []

    class Meter(waiting.Meter):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            meters.append(self)

    monkeypatch.setattr(publishing, "Meter", Meter)
    hub.publish(publishable, "u/new", server.token)
    sizes = {path.name: path.stat().st_size for path in publishable.iterdir()}
    assert meters[0].done >= sizes["model.safetensors"] + sizes["tokenizer.model"]


def test_publishing_again_uploads_what_has_changed(server, publishable, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", server.token)
    hub.publish(publishable, "u/new")
    server.uploads.clear()
    hub.publish(publishable, "u/new")
    assert server.uploads == []
    text = (publishable / "card.toml").read_text(encoding="utf-8").replace("tiny", "small")
    (publishable / "card.toml").write_text(text, encoding="utf-8")
    hub.publish(publishable, "u/new")
    assert server.uploads == ["card.toml"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "README.md").unlink(),
        lambda folder: (folder / "model.safetensors").write_bytes(b"x"),
        lambda folder: (folder / "tokenizer.model").write_bytes(b"x"),
        lambda folder: (folder / "card.toml").write_text("title = 3"),
        lambda folder: (folder / "config.json").write_text('{"model_type": "marian"}'),
        lambda folder: shutil.rmtree(folder),
        lambda folder: (folder / "README.md").write_text("# No metadata"),
        lambda folder: (folder / "README.md").write_text("---\n[1, 2\n---\n"),
        lambda folder: (folder / "README.md").write_text("---\n- a\n---\n"),
        lambda folder: swap(folder, "cc0-1.0", "my own"),
        lambda folder: swap(folder, '["en", "fr"]', '["en", "en"]'),
        lambda folder: swap(folder, '["en", "fr"]', '["English"]'),
        lambda folder: swap(folder, "pipeline_tag", "no_tag"),
        lambda folder: swap(folder, 'pipeline_tag: "translation"', 'pipeline_tag: "cooking"'),
        lambda folder: swap(folder, '"value": 1.5', '"valu": 1.5'),
    ],
)
def test_what_is_no_checkpoint_is_not_published(server, publishable, fails_soon, damage):
    damage(publishable)
    fails_soon(lambda: hub.publish(publishable, "u/new", server.token), "", limit=15)
    assert server.count() == 0


def swap(folder, old, new):
    text = (folder / "README.md").read_text(encoding="utf-8")
    (folder / "README.md").write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("target", ["single", "u/r@main", "../x", "", "u/r/../x"])
def test_a_target_that_is_none(server, publishable, fails_soon, target):
    fails_soon(lambda: hub.publish(publishable, target, server.token), "USER/REPO")
    assert server.count() == 0


@pytest.mark.parametrize(
    ("where", "fault", "said"),
    [
        ("repos/create", {"status": 403}, "refuses access"),
        ("repos/create", {"status": 503}, "fault of its own"),
        ("repos/create", {"stall": 0}, "does not answer"),
        ("preupload", {"stall": 0}, "does not answer"),
        ("preupload", {"status": 403}, "refuses access"),
        ("lfs/objects/batch", {"stall": 0}, "does not answer"),
        ("/upload", {"stall": 0}, "does not answer"),
        ("/upload", {"status": 403}, "refuses access"),
        ("/commit/", {"stall": 0}, "does not answer"),
        ("/commit/", {"drop": 3}, "broke off"),
        ("/commit/", {"status": 500}, "fault of its own"),
        ("validate-yaml", {"swap": b"<html>"}, "not the Hub's"),
    ],
)
def test_publishing_that_goes_wrong(server, publishable, fails_soon, where, fault, said):
    server.fail(where, **fault)
    fails_soon(
        lambda: hub.publish(publishable, "u/new", server.token, patience=SOON), said, limit=15
    )


def test_publishing_needs_a_token_that_may(server, publishable, fails_soon, monkeypatch):
    fails_soon(lambda: hub.publish(publishable, "u/new"), "HF_TOKEN")
    assert server.count() == 0
    fails_soon(lambda: hub.publish(publishable, "u/new", "hf_wrong"), "HF_TOKEN")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    fails_soon(lambda: hub.publish(publishable, "u/new", server.token), "HF_HUB_OFFLINE")


def test_the_hubs_own_complaint_is_passed_on(server, publishable, fails_soon, monkeypatch):
    monkeypatch.setattr("seq2seq.model_card.LICENCES", {"licence-nobody-knows"})
    swap(publishable, "cc0-1.0", "licence-nobody-knows")
    said = '"license" must be one of a list'
    fails_soon(lambda: hub.publish(publishable, "u/new", server.token), said)


@pytest.mark.parametrize("task", sorted(PIPELINE_TAGS.keys() - {"speech", "spelling"}))
@pytest.mark.parametrize(
    ("licence", "name"), [("CC-BY-SA-4.0", None), ("My own one", "my-own-one")]
)
def test_model_cards_are_as_the_hub_wants_them(tmp_path, publishable, task, licence, name):
    recipe = publishable / "recipe.toml"
    text = recipe.read_text(encoding="utf-8").replace('"translation"', f'"{task}"')
    text = text.replace("CC0-1.0", licence).replace('["en", "fr"]', '["en", "en"]')
    recipe.write_text(text, encoding="utf-8")
    card = huggingface_hub.ModelCard(card_of(publishable))
    assert card.data.language == ["en"]
    assert card.data.license in LICENCES
    assert card.data.license_name == name
    assert card.data.pipeline_tag in PIPELINE_TAGS.values()
    metrics = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert metrics == {
        "chatbot": {"perplexity": 20.1},
        "summarization": {"rouge1": 6.0, "rouge2": 7.0, "rougeL": 8.0},
    }.get(task, {"bleu": 1.5, "chrf": 2.5})
    assert " " not in card.data.eval_results[0].dataset_type


def test_the_embedded_model_cards_can_be_published():
    folders = list((Path(__file__).parent.parent / "checkpoints").glob("*/README.md"))
    assert folders
    for path in folders:
        publishing.check_card(path)


def test_the_command_publishes(server, publishable, monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", server.token)
    assert main(["publish", str(publishable), "u/new"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{server.hub}/u/new\n"
    assert "Publishing" in captured.err
    assert main(["publish", str(publishable), "nowhere"]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("seq2seq: ")


def test_the_bar_of_a_fetch_is_on_standard_error(server, capsys):
    server.model("u/r", FILES)
    with waiting.progress_bar("Fetching") as on_progress:
        hub.fetch("u/r", on_progress)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Fetching" in captured.err


def test_a_record_survives_plain_values():
    repository = Repository(
        "u/r", "s", "main", "a" * 40, (File("s/config.json", 3, "sha1:0"),), "mit", "translation"
    )
    values = json.loads(json.dumps(repository.to_dict()))
    assert Repository.from_dict(values) == repository
