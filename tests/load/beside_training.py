"""Measures how long a visitor of Translation waits while another one trains a model.

`python -m tests.load.beside_training` takes turns with and without a training, so that whatever
else the machine does is the same for both, and prints one table.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import urllib.request
from contextlib import suppress
from urllib.parse import urlencode

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from tests.load.visitors import Plan, Seen, crowd
from tests.served import served_app

WORKER, TRAINS = "seq2seq.training.worker", b"s of training"
START = {"start": "1", "minutes": "3.0"}
PATIENCE = 300.0  # seconds until a training has begun on a busy machine


class Trainee:
    """A page of the training lab in one browser, which asks for news as often as it is told to."""

    def __init__(self) -> None:
        self.page, self.fragment, self.query = "", "", urlencode(START)
        self.interval, self.trains = 1.0, asyncio.Event()

    async def visit(self, address: str) -> None:
        """Start a training and look at it until this is cancelled."""
        where = f"{address}/_stcore/stream"
        async with connect(where, subprotocols=["streamlit"], max_size=None) as socket:
            await socket.send(self._message())
            await asyncio.gather(self._read(socket), self._look(socket))

    async def _read(self, socket: ClientConnection) -> None:
        async for data in socket:
            assert isinstance(data, bytes)
            message = ForwardMsg.FromString(data)
            kind = message.WhichOneof("type")
            if kind == "navigation":
                self.page = message.navigation.page_script_hash
            elif kind == "page_info_changed":
                self.query = message.page_info_changed.query_string
            elif kind == "auto_rerun":
                self.fragment = message.auto_rerun.fragment_id
                self.interval = message.auto_rerun.interval
            if TRAINS in data:
                self.trains.set()

    async def _look(self, socket: ClientConnection) -> None:
        while True:
            await asyncio.sleep(self.interval)
            if self.fragment:
                await socket.send(self._message())

    def _message(self) -> bytes:
        back = BackMsg()
        wish = back.rerun_script
        wish.query_string, wish.page_script_hash = self.query, self.page
        wish.page_name = "" if self.page else "training"
        wish.fragment_id, wish.is_auto_rerun = self.fragment, bool(self.fragment)
        return back.SerializeToString()


def end_trainings() -> None:
    """End the processes that train for servers of this process."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if WORKER in process.cmdline():
                process.kill()


async def beside(address: str, plan: Plan) -> Seen:
    """Let the visitors of a plan come to a server, ws://host:port, on which a model is trained."""
    trainee = Trainee()
    visit = asyncio.create_task(trainee.visit(address))
    try:
        await asyncio.wait_for(trainee.trains.wait(), PATIENCE)
        return await crowd([address], plan)
    finally:
        visit.cancel()
        end_trainings()


def measure(rounds: int, seconds: float) -> tuple[Seen, Seen]:
    """Return what visitors saw without a training beside them, and with one."""
    alone, trained = Seen(), Seen()
    with served_app() as address:
        urllib.request.urlopen(f"{address}/_stcore/script-health-check", timeout=120).read()
        where = address.replace("http", "ws")
        asyncio.run(crowd([where], Plan(1, 2, period=0, arrive=0)))
        for number in range(rounds):
            plan = Plan(1, seconds, period=1, arrive=0, seed=number)
            alone.seconds += asyncio.run(crowd([where], plan)).seconds
            plan = plan._replace(seed=rounds + number)
            trained.seconds += asyncio.run(beside(where, plan)).seconds
    return alone, trained


def main() -> None:
    """Print both rows, their ratio, and how busy the machine was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=30, help="of each round, twice")
    values = parser.parse_args()
    alone, trained = measure(values.rounds, values.seconds)
    print("| a training beside it | runs | p50 s | p95 s |\n| --- | --- | --- | --- |")
    for name, seen in (("no", alone), ("yes", trained)):
        print(f"| {name} | {len(seen.seconds)} | {seen.at(0.5):.3f} | {seen.at(0.95):.3f} |")
    print(
        f"\np95 with a training is {trained.at(0.95) / alone.at(0.95):.2f} times as long (goal: at "
        f"most 2); load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
