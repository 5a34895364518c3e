"""What was fetched before is used again, also without the Hub."""

import errno
import os
import shutil
import time
from pathlib import Path

import huggingface_hub
import huggingface_hub.errors
import pytest

from seq2seq import hub
from seq2seq.errors import UserError
from seq2seq.hub import cache, download
from tests.hub.files import FILES, SMALL, SOON, WEIGHTS, contents


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
        assert again.notes == (download.NOT_REACHED,)
    server.faults.clear()
    assert hub.fetch("u/r").notes == ()


def test_offline_the_revision_of_last_time_does(server, monkeypatch, fails_soon):
    server.model("u/r", FILES)
    first = hub.fetch("u/r")
    found = hub.inspect("u/r")
    server.requests.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    again = hub.fetch("u/r")
    assert (again.folder, again.notes) == (first.folder, (download.NOT_REACHED,))
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
        assert fetched.notes == (download.NOT_REACHED,)
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


def test_a_full_disk(server, fails_soon, monkeypatch):
    server.model("u/r", FILES)
    found = hub.inspect("u/r")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", str(cache.root()))

    with monkeypatch.context() as patch:
        patch.setattr(download, "_receive_once", full)
        fails_soon(lambda: hub.fetch(found), "disk is full")
    server.requests.clear()
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    fails_soon(lambda: hub.fetch(found), "disk has 0 MB left")
    assert server.count() == 0


def test_the_least_recently_used_goes_first(server):
    for name in ("u/a", "u/b", "u/c"):
        server.model(name, FILES)
        hub.fetch(name)
    size = hub.inspect("u/a").bytes
    for age, name in ((300, "u/a"), (200, "u/b"), (100, "u/c")):
        for path in cache.root().glob(f"models--{name.replace('/', '--')}/seq2seq-explorer*"):
            for each in (path, *path.iterdir()):
                os.utime(each, (time.time() - age,) * 2)
    hub.fetch("u/a")  # used again
    server.model("u/d", FILES)
    coming = hub.inspect("u/d")
    hub.make_room(coming, 5 * size, ())
    assert all(map(hub.is_cached, ("u/a", "u/b", "u/c")))
    hub.make_room(coming, 3.5 * size, {"u/b"})
    assert [name for name in ("u/a", "u/b", "u/c") if hub.is_cached(name)] == ["u/a", "u/b"]
    assert not (cache.root() / "models--u--c").exists()


def test_what_is_in_use_stays(server, fails_soon):
    server.model("u/a", FILES)
    hub.fetch("u/a")
    server.model("u/b", FILES)
    coming = hub.inspect("u/b")
    fails_soon(lambda: hub.make_room(coming, 1.5 * coming.bytes, {"u/a"}), "more than is free")
    assert hub.is_cached("u/a")
    fails_soon(lambda: hub.make_room(coming, 0.5 * coming.bytes, ()), "more than is free")


def test_what_other_programs_fetched_is_not_deleted(server):
    other = cache.root() / "models--u--other" / "snapshots" / "x"
    other.mkdir(parents=True)
    (other / "config.json").write_bytes(bytes(1_000))
    server.model("u/b", FILES)
    coming = hub.inspect("u/b")
    hub.make_room(coming, coming.bytes, ())
    assert (other / "config.json").exists()
