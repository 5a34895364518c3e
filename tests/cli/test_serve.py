import os
import re
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from seq2seq.cli.main import main
from seq2seq.cli.serve import models_share, proxy_configuration
from seq2seq.hub.health import is_ready

STARTS = 60  # seconds that a process may take on a busy machine


def free_ports():
    """Return the first of two ports next to each other that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return min(one.getsockname()[1], 65_000)


def wait_until(true):
    """Wait until something holds; returns what it is."""
    for _ in range(10 * STARTS):
        if found := true():
            return found
        time.sleep(0.1)
    raise TimeoutError


def test_the_proxy_knows_every_process_and_keeps_visitors_with_theirs(capsys):
    assert main(["serve", "--processes", "3", "--port", "9000", "--proxy", "*:80"]) == 0
    printed = capsys.readouterr().out
    assert printed == proxy_configuration("*:80", range(9000, 9003))
    servers = re.findall(r"server (\w+) 127.0.0.1:(\d+) check cookie (\w+)", printed)
    assert servers == [(f"app{n}", f"{8999 + n}", f"app{n}") for n in (1, 2, 3)]
    assert "bind *:80" in printed


@pytest.mark.parametrize("more", [["--processes", "0"], ["--port", "0"], ["--port", "65536"]])
def test_a_mistake_is_one_line(capsys, more):
    assert main(["serve", *more]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_all_processes_together_hold_half_of_the_memory():
    assert float(models_share(4)) == pytest.approx(psutil.virtual_memory().total / 8e9, abs=0.01)


@pytest.mark.slow
def test_a_process_that_is_killed_comes_back_and_none_is_left_at_the_end():
    first = free_ports()
    command = [sys.executable, "-m", "seq2seq", "serve", "--processes", "2", "--port", str(first)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as serving:
        try:
            whole = psutil.Process(serving.pid)
            wait_until(lambda: is_ready(first) and is_ready(first + 1))
            before = {child.pid for child in whole.children()}
            assert len(before) == 2
            time.sleep(5)  # one that ends sooner would count as one that cannot start
            os.kill(min(before), signal.SIGKILL)
            wait_until(lambda: len({child.pid for child in whole.children()} - before) == 1)
            wait_until(lambda: is_ready(first) and is_ready(first + 1))
            children = whole.children()
        finally:
            serving.send_signal(signal.SIGTERM)
            status = serving.wait(STARTS)
    assert status == 130
    assert not any(child.is_running() for child in children)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--replicas", "-1"], "0 or more replicas"), (["--gpus", "-0.5"], "0 or more GPUs")],
)
def test_a_cluster_with_less_than_nothing_is_refused(capsys, arguments, said):
    assert main(["serve", "--ray", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_ray_that_is_not_installed_is_named_with_the_remedy(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "seq2seq.serving.ray_serve", raising=False)
    assert main(["serve", "--ray"]) == 2
    assert "seq2seq-explorer[scale]" in capsys.readouterr().err
