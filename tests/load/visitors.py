"""Visitors who speak the app's own protocol, as many at once as a class or a course has.

A visitor is a websocket: it opens the page of translation with the tab of the attention, types a
new sentence now and then, and reads until the server says that the run is over.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

SUBJECTS = ("The dog", "My friend", "A small bird", "The old teacher", "Our train", "The city")
VERBS = ("sees", "forgets", "finds", "likes", "waits for", "remembers")
OBJECTS = ("the garden", "a red house", "the last letter", "her sister", "two books", "the rain")
ENDS = ("today.", "in the morning.", "after school.", "without a word.", "near the river.")
FIELD, CHART = "text", b"chart_attention"
REFUSED, WAITED = b"Try again in about", b" in the queue, for about"


class Plan(NamedTuple):
    """What the visitors do. period: seconds between two sentences of one; 0 for no pause.

    leaves: the share of runs in the middle of which the visitor closes the page; while there is
    time, another comes then. twice: the share of sentences that are sent a second time at once.
    sentences: of each visitor, in place of as many as there is time for.
    """

    visitors: int
    seconds: float
    period: float = 10.0
    arrive: float = 10.0
    leaves: float = 0.0
    twice: float = 0.0
    seed: int = 0
    sentences: int | None = None


@dataclass
class Seen:
    """What all visitors saw. seconds: of each run that brought its picture."""

    seconds: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def at(self, share: float) -> float:
        """Return the time that this share of the runs did not exceed."""
        times = sorted(self.seconds)
        return times[min(len(times) - 1, int(share * len(times)))] if times else float("nan")


class Run(NamedTuple):
    """One answer of the server: what was in it."""

    complete: bool
    refused: bool
    waited: bool


def sentence(chance: random.Random) -> str:
    """Return a sentence that no visitor before has typed, in all likelihood."""
    parts = [chance.choice(each) for each in (SUBJECTS, VERBS, OBJECTS, VERBS, OBJECTS, ENDS)]
    return " ".join([*parts[:3], "and", *parts[3:]])


class Visitor:
    """One page in one browser."""

    def __init__(self, address: str, number: int, plan: Plan, seen: Seen) -> None:
        self.address, self.plan, self.seen = address, plan, seen
        self.chance = random.Random(plan.seed * 100_003 + number)
        self._open()

    def _open(self) -> None:
        """Know of the page what a browser that opens it anew knows: nothing."""
        self.page, self.widget = "", ""
        self.held: set[str] = set()  # hashes of messages that a browser would have kept

    async def visit(self, end: float) -> None:
        """Come, look, type until the end, and go; whoever leaves before is followed by another."""
        await asyncio.sleep(self.chance.uniform(0, self.plan.arrive))
        while await self._visit_once(end) and self.plan.sentences is None:
            self._open()

    async def _visit_once(self, end: float) -> bool:
        """Return whether the visitor left in the middle of a run."""
        try:
            begun = time.monotonic()
            async with connect(
                f"{self.address}/_stcore/stream",
                subprotocols=["streamlit"],
                max_size=None,
                open_timeout=60,
            ) as socket:
                run = await self._ask(socket, "")
                self._count(run, time.monotonic() - begun, self.seen.first)
                return await self._type(socket, end)
        except (OSError, WebSocketException, TimeoutError):
            self.seen.counts["lost"] += 1
            return False

    async def _type(self, socket: ClientConnection, end: float) -> bool:
        typed = 0
        while (
            time.monotonic() < end if self.plan.sentences is None else typed < self.plan.sentences
        ):
            typed += 1
            await asyncio.sleep(self.chance.uniform(0.5, 1.5) * self.plan.period)
            text, begun = sentence(self.chance), time.monotonic()
            if self.chance.random() < self.plan.leaves:
                await socket.send(self._message(text))
                await asyncio.sleep(self.chance.uniform(0, 0.1))
                self.seen.counts["left"] += 1
                return True
            if self.chance.random() < self.plan.twice:
                self.seen.counts["twice"] += 1
                await socket.send(self._message(text))
            run = await asyncio.wait_for(self._ask(socket, text), 120)
            self._count(run, time.monotonic() - begun, self.seen.seconds)
        return False

    def _count(self, run: Run, seconds: float, times: list[float]) -> None:
        self.seen.counts["waited"] += run.waited
        if run.refused:
            self.seen.counts["refused"] += 1
        elif run.complete:
            times.append(seconds)
        else:
            self.seen.counts["incomplete"] += 1

    def _message(self, text: str) -> bytes:
        back = BackMsg()
        wish = back.rerun_script
        query = {"tab": "Attention"} | ({FIELD: text} if text else {})
        wish.query_string = urlencode(query)
        wish.page_name = "" if self.page else "translation"
        wish.page_script_hash = self.page
        wish.cached_message_hashes.extend(self.held)
        if text and self.widget:
            state = wish.widget_states.widgets.add()
            state.id, state.string_value = self.widget, text
        return back.SerializeToString()

    async def _ask(self, socket: ClientConnection, text: str) -> Run:
        """Send what the visitor typed; returns when the server has answered all of it."""
        await socket.send(self._message(text))
        complete = refused = waited = False
        while True:
            data = await socket.recv()
            assert isinstance(data, bytes)
            message = ForwardMsg.FromString(data)
            complete |= CHART in data or (message.WhichOneof("type") == "ref_hash")
            refused |= REFUSED in data
            waited |= WAITED in data
            self._note(message)
            if (
                message.WhichOneof("type") == "script_finished"
                and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
            ):
                return Run(complete, refused, waited)

    def _note(self, message: ForwardMsg) -> None:
        """Remember what a browser would: its page, its text field, what it need not get again."""
        if message.WhichOneof("type") == "navigation":
            self.page = message.navigation.page_script_hash
        if message.metadata.cacheable and message.hash:
            self.held.add(message.hash)
        element = message.delta.new_element
        if element.WhichOneof("type") in ("text_area", "text_input"):
            shown = getattr(element, element.WhichOneof("type"))
            if shown.id.endswith(f"-{FIELD}"):
                self.widget = shown.id


async def crowd(addresses: Sequence[str], plan: Plan) -> Seen:
    """Let visitors come to processes, each http://host:port, in turns; returns what they saw."""
    seen, end = Seen(), time.monotonic() + plan.arrive + plan.seconds
    sockets = [address.replace("http", "ws", 1) for address in addresses]
    visitors: Sequence[Visitor] = [
        Visitor(sockets[number % len(sockets)], number, plan, seen)
        for number in range(plan.visitors)
    ]
    await asyncio.gather(*(visitor.visit(end) for visitor in visitors))
    return seen
