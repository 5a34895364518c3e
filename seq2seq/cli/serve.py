"""The app, in one process or several, those that end are started again; or the models alone."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seq2seq.errors import UserError
from seq2seq.machine import total_memory

APP = Path(__file__).resolve().parents[2] / "app.py"
TOO_SOON = 5.0  # seconds: a process that ends earlier would only end again
MODELS_SHARE = 0.5  # of the memory, for the models of all processes
# glibc gives each of the threads that runs of pages come and go in a heap of its own, and keeps it.
ARENAS = {"MALLOC_ARENA_MAX": "2"}
PROXY = """# Visitors stay with their process by a cookie; connections live as long as visits do.
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
frontend visitors
    bind {listen}
    default_backend app
backend app
    balance leastconn
    cookie WORKER insert indirect nocache httponly
    option httpchk GET /_stcore/health
"""


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser("serve", help="start the app for a browser")
    command.add_argument("--processes", type=int, default=1, metavar="N")
    command.add_argument("--address", default="localhost", help="0.0.0.0 to let others in")
    command.add_argument("--port", type=int, default=8501, help="of the first process")
    command.add_argument(
        "--proxy",
        metavar="ADDRESS:PORT",
        help="print HAProxy's configuration for these processes, and end",
    )
    cluster = command.add_argument_group("models on a Ray cluster, for apps elsewhere")
    cluster.add_argument("--ray", action="store_true", help="serve the models, not the app")
    cluster.add_argument("--cluster", default="", metavar="HOST:PORT", help="default: a new one")
    cluster.add_argument("--replicas", type=int, default=0, metavar="N", help="default: by load")
    cluster.add_argument("--gpus", type=float, default=0.0, help="of each replica, as in 0.5")
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    if values.ray:
        _serve_models(values.cluster, values.replicas, values.gpus)
        return
    ports = range(values.port, values.port + values.processes)
    if not ports or not 0 < ports[0] <= ports[-1] < 65_536:
        raise UserError("Give at least one process, and ports from 1 to 65535.")
    if values.proxy:
        print(proxy_configuration(values.proxy, ports), end="")
        return
    if not APP.exists():
        raise UserError("The app is not here: run this in a copy of the repository.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    keep_running(values.address, ports)


def _serve_models(cluster: str, replicas: int, gpus: float) -> None:
    """Serve the models until this process is interrupted."""
    if replicas < 0 or gpus < 0:
        raise UserError("Give 0 or more replicas, and 0 or more GPUs for each.")
    try:
        from seq2seq.serving.ray_serve import deploy
    except ModuleNotFoundError:
        raise UserError("Ray is not installed: pip install 'seq2seq-explorer[scale]'.") from None
    address = deploy(cluster, replicas, gpus)
    # Ray's own, where it protects the cluster by a token; the app's machine needs the file too.
    mode = os.environ.get("RAY_AUTH_MODE", "")
    token = f"RAY_AUTH_MODE={mode} " if mode else ""
    print(f"Start the app with {token}SEQ2SEQ_ENGINE=ray://{address}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    while True:
        time.sleep(3600)


def proxy_configuration(listen: str, ports: Sequence[int]) -> str:
    """Write a configuration of HAProxy for processes on these ports; listen: ADDRESS:PORT."""
    servers = (
        f"    server app{number} 127.0.0.1:{port} check cookie app{number}\n"
        for number, port in enumerate(ports, start=1)
    )
    return PROXY.format(listen=listen) + "".join(servers)


def keep_running(address: str, ports: Sequence[int]) -> None:
    """Run the app on each port until this process is interrupted.

    Raises UserError if one ends as soon as it has started.
    """
    share = models_share(len(ports))
    running = {port: _start(address, port, share) for port in ports}
    started = dict.fromkeys(ports, time.monotonic())
    try:
        while True:
            time.sleep(0.5)
            for port, process in running.items():
                if process.poll() is None:
                    continue
                if time.monotonic() - started[port] < TOO_SOON:
                    raise UserError(f"The app does not start on port {port}: choose another one.")
                print(f"The process on port {port} ended and is started again.", file=sys.stderr)
                running[port], started[port] = _start(address, port, share), time.monotonic()
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait()


def _start(address: str, port: int, models_gigabytes: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "streamlit", "run", str(APP)]
    command += ["--server.address", address, "--server.port", str(port)]
    environment = {"SEQ2SEQ_MODELS_GB": models_gigabytes} | ARENAS | os.environ
    process = subprocess.Popen(command, cwd=APP.parent, env=environment)
    threading.Thread(target=_warm_up, args=(process, address, port), daemon=True).start()
    return process


def models_share(processes: int) -> str:
    """Return how many gigabytes of models one process may hold; each has its own."""
    return f"{MODELS_SHARE * total_memory() / 1e9 / processes:.2f}"


def _warm_up(process: subprocess.Popen, address: str, port: int) -> None:
    """Run the app once before its first visitor, who would wait for it and might miss a page."""
    from seq2seq.hub.health import is_ready

    at = "localhost" if address in ("0.0.0.0", "::") else address
    while process.poll() is None and not is_ready(port, at):
        time.sleep(0.2)
