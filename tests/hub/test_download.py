"""Fetching: what comes, how far it is, how it is stopped."""

import threading
import time

import pytest

from seq2seq import hub
from seq2seq.hub import cache, watchdog
from tests.hub.files import FILES, SMALL, WEIGHTS, contents
from tests.hub_server import wait_until


def test_only_what_is_needed_is_fetched(server):
    model = server.model("u/r", FILES)
    fetched = hub.fetch("u/r")
    assert contents(fetched) == SMALL | {"model.safetensors": WEIGHTS}
    assert fetched.revision == model.refs["main"]
    assert fetched.notes == ()
    # a look, a request a file, and another for each of the two that lie elsewhere
    assert server.count() == 1 + len(contents(fetched)) + 2
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
    meter, seen = watchdog.Meter(3), []

    def work():
        for _ in range(3):
            time.sleep(0.15)
            meter.add(1)
        return "done"

    result = watchdog.watch(work, meter, 5, lambda done, total: seen.append((done, total)))
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


def test_the_bar_of_a_fetch_is_on_standard_error(server, capsys):
    server.model("u/r", FILES)
    with watchdog.progress_bar("Fetching") as on_progress:
        hub.fetch("u/r", on_progress)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Fetching" in captured.err
