"""Two replicas on a Ray cluster of this machine. Skipped where Ray is not installed."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.serving.engine import engine_of
from seq2seq.serving.local import Local
from seq2seq.serving.request import Request
from tests.serving.test_engine import TEXTS, alike

pytest.importorskip("ray")
SHORT = Options(beam_width=2, max_length=8)


@pytest.fixture(scope="module")
def engine(checkpoint_root):
    import ray
    from ray import serve

    from seq2seq.serving.ray_serve import deploy

    os.environ["SEQ2SEQ_CHECKPOINTS"] = str(checkpoint_root)  # replicas inherit it
    address = deploy(replicas=2)
    yield engine_of(f"ray://{address}", lambda name: None)
    serve.shutdown()
    ray.shutdown()
    del os.environ["SEQ2SEQ_CHECKPOINTS"]


def replicas():
    """Return the processes of the replicas, by what Ray calls them."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any("ServeReplica:" in part for part in process.info["cmdline"] or ())
    ]


def test_a_trace_is_the_same_as_here(engine, open_tiny):
    for name in ("lstm-attention", "transformer"):
        request = Request(name, TEXTS[0], SHORT)
        alike(engine.compute(request), Local(open_tiny).compute(request))


def test_another_process_asks_with_the_settings_that_the_command_prints(engine):
    import ray

    script = (
        "import sys\n"
        "from seq2seq.serving.engine import engine_of\n"
        "from seq2seq.serving.request import Request\n"
        "found = engine_of(sys.argv[1], None).compute(Request('gru-plain', 'the cat'))\n"
        "print('answer', found.checkpoint)\n"
    )
    address = ray.get_runtime_context().gcs_address
    assert os.environ["RAY_AUTH_MODE"] == "token"  # which Ray has set for a new cluster
    command = [sys.executable, "-c", script, f"ray://{address}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "answer gru-plain" in done.stdout


def test_requests_that_come_at_once_are_all_answered(engine, open_tiny):
    requests = [Request("lstm-attention", text, SHORT) for text in TEXTS * 4]
    found = {}

    def ask(place):
        found[place] = engine.compute(requests[place])

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    local = Local(open_tiny)
    for place, request in enumerate(requests):
        alike(found[place], local.compute(request))


@pytest.mark.parametrize(
    "request_", [Request("lstm-attention", "", SHORT), Request("no-such-model", "a", SHORT)]
)
def test_a_mistake_is_one_sentence_and_no_traceback(engine, request_):
    with pytest.raises(UserError) as caught:
        engine.compute(request_)
    said = str(caught.value)
    assert "Traceback" not in said
    assert "\n" not in said
    assert "ray" not in said.lower()


def test_requests_go_to_the_one_replica_that_has_the_model(engine, checkpoint_root):
    folder = shutil.copytree(checkpoint_root / "gru-plain", checkpoint_root / "of-one-replica")
    request = Request(folder.name, TEXTS[0], SHORT)
    try:
        first = engine.compute(request)
    finally:
        shutil.rmtree(folder)  # no other replica can load it now
    time.sleep(2)  # who has what is told to those who ask, in the background
    for _ in range(12):
        assert engine.compute(request).text == first.text


def test_a_replica_that_is_killed_loses_no_request(engine):
    victims = replicas()
    assert len(victims) == 2
    found, errors = [], []

    def ask():
        try:
            found.append(engine.compute(Request("gru-plain", TEXTS[0], SHORT)))
        except Exception as error:
            errors.append(error)

    threads = []
    for number in range(40):
        threads.append(threading.Thread(target=ask))
        threads[-1].start()
        if number == 10:
            victims[0].send_signal(signal.SIGKILL)
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert not errors
    assert len(found) == 40
    assert len({trace.text for trace in found}) == 1


def test_a_replica_that_hangs_is_given_up(engine, monkeypatch):
    from seq2seq.serving import ray_serve

    monkeypatch.setattr(ray_serve, "GIVE_UP", 1.0)
    stopped = replicas()
    for process in stopped:
        process.suspend()
    try:
        started = time.monotonic()
        with pytest.raises(UserError, match="did not answer"):
            engine.compute(Request("gru-plain", TEXTS[1], SHORT))
        assert time.monotonic() - started < 15
    finally:
        for process in stopped:
            if process.is_running():
                process.resume()


def test_whoever_waits_is_called_and_may_leave(engine):
    def leave():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.compute(
            Request("transformer", " ".join(TEXTS * 8), Options(beam_width=10, max_length=400)),
            leave,
        )


def test_a_cluster_without_models_is_named():
    with pytest.raises(UserError, match="write ray://"):
        engine_of("ray://", lambda name: None)
