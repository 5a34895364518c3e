"""Running models, cached for all visitors; computes a few runs at a time."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from seq2seq.catalogue import is_hub_name
from seq2seq.decoding.interventions import NOTHING, Interventions
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.trace import Trace, shown
from ui.escape import plain, quoted, quoted_end
from ui.runtime.admission import admission, admitted, waiting_note
from ui.runtime.engine import is_served, served
from ui.runtime.metrics import publish_queues
from ui.runtime.model_loading import open_model
from ui.runtime.model_store import models
from ui.runtime.names import card_of, checkpoints_for
from ui.runtime.upload_limits import limit_uploads

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from seq2seq.checkpoint import Checkpoint
    from seq2seq.data.audio import Audio
    from seq2seq.decoding.search import OnStep, Progress
    from seq2seq.serving.request import Request

RUNS_KEPT, BYTES_KEPT = 64, 400_000_000
PATIENCE = 0.4  # seconds a run may take before it shows its progress
BETWEEN_LOOKS = 0.1  # seconds between two looks at whether the visitor is still there

Found = TypeVar("Found")
OnPart = Callable[[int, int], object]  # parts done, and all of them


@dataclass(frozen=True, eq=False)
class Subject:
    """What is run: a checkpoint by name, and a text or a recording.

    given: None where a saved run does not hold it. options: None for the checkpoint's own.
    interventions: what is changed inside.
    """

    name: str
    given: str | Audio | None
    options: Options | None = None
    interventions: Interventions = NOTHING

    @property
    def key(self) -> Hashable:
        """What tells this subject from others, in a cache."""
        given = self.given
        if given is not None and not isinstance(given, str):
            given = hashlib.sha256(given.samples.tobytes()).hexdigest()
        return self.name, given, self.options, self.interventions

    @property
    def missing(self) -> str:
        """Why this cannot be run again; "" where it can."""
        if self.given is None:
            return "The saved run does not hold its recording, so nothing can be run again."
        # A file names any model it likes: only what visitors can choose is looked up.
        if card_of(self.name) is None and not is_hub_name(self.name):
            return "The model of this saved run is not here, so nothing can be run again."
        return ""


class Runs:
    """What was last computed for all visitors."""

    def __init__(self) -> None:
        self.kept: OrderedDict[Hashable, Any] = OrderedDict()
        self.sizes: dict[Hashable, int] = {}
        self.lock = threading.Lock()

    def get(self, key: Hashable) -> Any:
        """Return what was kept under a key, None if nothing is."""
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
            return self.kept.get(key)

    def put(self, key: Hashable, value: Any) -> None:
        """Keep a value; what was used least recently goes if that is too much."""
        with self.lock:
            self.kept[key], self.sizes[key] = value, _bytes(value)
            while len(self.kept) > 1 and (
                len(self.kept) > RUNS_KEPT or sum(self.sizes.values()) > BYTES_KEPT
            ):
                del self.sizes[self.kept.popitem(last=False)[0]]


def _bytes(value: Any) -> int:
    """Return what the arrays and tensors of a value take, however deep in it they are."""
    if isinstance(value, Mapping):
        return sum(map(_bytes, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_bytes, value))
    if is_dataclass(value):
        return _bytes(vars(value))
    return getattr(value, "nbytes", 0)


@st.cache_resource(show_spinner=False)
def _runs() -> Runs:
    return Runs()


@st.cache_resource(show_spinner=False)
def warm_up() -> None:
    """Load what the first run needs in the background, once for the whole server.

    The thread knows nothing of the visitor who started it, so it does not end with that visit.
    Torch, which is not imported yet, will use as many threads as the environment says, or one.
    """
    # Small tensors: a second thread costs more than it gives.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    limit_uploads()
    publish_queues()
    store, names = models(), checkpoints_for("translation")[:1]

    def work() -> None:
        from seq2seq import figures
        from seq2seq.inference.pipeline import run as decode

        for name in names:
            with suppress(UserError):  # whoever opens a page is told what is wrong
                trace = decode(store.get(name), "Hello.")
                figures.probabilities.plain(trace).to_json()

    threading.Thread(target=work, daemon=True).start()


def run(
    subject: Subject, show: Callable[[Progress], Any] | None = None, notes: bool = True
) -> Trace | None:
    """Decode a text or a recording, or take the run from the cache.

    show: called after each step, in place of a progress bar. notes: what is worth knowing of the
    input is shown. Where it cannot, says why and returns None.
    """

    trace = _requested(subject, "run", show)
    if trace is not None and notes:
        show_notes(trace.notes)
    return trace


def follow(subject: Subject, target: str | tuple[int, ...]) -> Trace | None:
    """Record how the model goes through an output, a text or its tokens; as `run` does."""
    return _requested(subject, ("follow", target), target=target)


def _requested(
    subject: Subject,
    what: Hashable,
    show: Callable[[Progress], Any] | None = None,
    target: str | tuple[int, ...] | None = None,
) -> Trace | None:
    """Compute a trace where the models are served, or here; as `derive` does."""

    def compute(checkpoint: Checkpoint, on_step: OnStep) -> Trace:
        return request().compute(checkpoint, on_step)

    def request() -> Request:
        from seq2seq.serving.request import Request

        assert subject.given is not None
        options, changed = subject.options, subject.interventions
        return Request(subject.name, subject.given, options, changed, target)

    if not is_served(subject.name):
        return derive(subject, what, compute, show)
    return _derive(subject, what, lambda place: served(request(), place))


def branch(subject: Subject, tokens: tuple[int, ...]) -> Trace | str | None:
    """Decode on from where an output has begun with these tokens; as `run` does.

    Tokens that no output of this model can begin with give the reason, which is not shown.
    """
    options = replace(_options(subject), prefix="", prefix_tokens=tokens)

    def decode(checkpoint: Checkpoint, on_step: OnStep) -> Trace | str:
        from seq2seq.inference.pipeline import run

        assert subject.given is not None
        try:
            return run(
                checkpoint,
                subject.given,
                options,
                on_step,
                self_attention=None,
                interventions=subject.interventions,
            )
        except UserError as error:
            return str(error)

    return derive(subject, ("branch", tokens), decode)


def _options(subject: Subject) -> Options:
    loaded = models().loaded.get(subject.name)
    return subject.options or (loaded.generation_config.options if loaded else Options())


def derive(
    subject: Subject,
    what: Hashable,
    work: Callable[[Checkpoint, OnStep], Found],
    show: Callable[[Progress], Any] | None = None,
) -> Found | None:
    """Compute something with the model of a subject, or take it from the cache.

    what: tells it from whatever else is computed of the subject. work: gets the checkpoint and a
    function for it to call now and then. Where it cannot, says why and returns None.
    """

    def here(place: DeltaGenerator) -> Found | None:
        checkpoint = open_model(subject.name)
        if checkpoint is None:
            return None
        with admitted(place):
            return work(checkpoint, _watched(place, show))

    return _derive(subject, what, here)


def _derive(
    subject: Subject, what: Hashable, compute: Callable[[DeltaGenerator], Found | None]
) -> Found | None:
    """Compute something, or take it from the cache. compute: gets a place for what it shows."""
    # Here whether or not it is needed: what follows keeps its place, and with it the focus.
    place = st.empty()
    runs, key = _runs(), (subject.key, what)
    found = runs.get(key)
    if found is not None:
        return found
    if subject.missing:
        place.info(plain(subject.missing), icon=":material/info:")
        return None
    try:
        found = compute(place)
    except UserError as error:
        place.error(plain(str(error)), icon=":material/error:")
        return None
    if found is not None:
        place.empty()  # whoever has left by now gets no pictures
        runs.put(key, found)
    return found


def _watched(place: DeltaGenerator, show: Callable[[Progress], Any] | None) -> OnStep:
    """Return what is called after each step: it shows the progress, and ends the run of a visitor
    who has left, since Streamlit does so whenever the page is touched.
    """
    started = looked = time.monotonic()
    on_wait = waiting_note(place)

    def on_step(progress: Progress) -> None:
        nonlocal looked
        admission().lengthen(on_wait)
        now = time.monotonic()
        if show is not None:
            show(progress)
        elif now - started > PATIENCE:
            share = min(1.0, progress.step / progress.limit)
            place.progress(share, f"Token {progress.step} of at most {progress.limit}")
        elif now - looked > BETWEEN_LOOKS:
            looked = now
            place.empty()

    return on_step


def derive_in_parts(
    subject: Subject, what: Hashable, work: Callable[[Checkpoint, OnPart], Found], named: str
) -> Found | None:
    """Compute something of many parts, as `derive` does, with a bar that counts them.

    work: gets a function to call with the number of parts that are done, and of all. named: what
    the parts are called.
    """
    place = st.empty()

    def show(progress: Progress) -> None:
        done, all_ = progress.step, progress.limit
        place.progress(done / all_, plain(f"{done} of {all_} {named}"))

    def in_parts(checkpoint: Checkpoint, on_step: OnStep) -> Found:
        from seq2seq.decoding.search import Progress

        return work(checkpoint, lambda done, all_: on_step(Progress(done, all_, ())))

    found = derive(subject, what, in_parts, show)
    place.empty()
    return found


def keep(subject: Subject, what: Hashable, make: Callable[[], Found]) -> Found:
    """Make a part of what is computed, to be used within `derive`, or take it from the cache."""
    runs, key = _runs(), (subject.key, what)
    found = runs.get(key)
    if found is None:
        found = make()
        runs.put(key, found)
    return found


def known(subject: Subject, what: Hashable) -> Any:
    """Return what `derive` has computed of a subject, None where it still has to."""
    return _runs().get((subject.key, what))


def subject_of(trace: Trace) -> Subject:
    """Return what a saved run was made of, as far as it is known."""
    options = trace.options
    if trace.given is None:  # the text that was read has the instruction in it
        options = replace(options, instruction="")
    return Subject(trace.checkpoint, trace.read.text or None, options, trace.interventions)


def reopen(saved: bytes, task: str) -> Trace | None:
    """Read a saved run, which needs no model; says why where it cannot, and returns None.

    task: of the page, which shows runs of other tasks too, and says so.
    """
    runs, key = _runs(), ("saved", hashlib.sha256(saved).hexdigest())
    trace = runs.get(key)
    if trace is None:
        try:
            trace = Trace.from_json(saved)
        except UserError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return None
        runs.put(key, trace)
    what = _what_was_read(trace)
    other = f" It belongs to the page of {quoted(trace.task[:40])}." if trace.task != task else ""
    st.info(
        f"A saved run of {quoted(trace.checkpoint[:100])} on {what}{_changes(trace)}{other} "
        "Remove the file to see your own input again.",
        icon=":material/history:",
    )
    show_notes(trace.notes)
    return trace


def _what_was_read(trace: Trace) -> str:
    """Name the source of a run, with a full stop."""
    if not trace.source.text:
        return "a recording."
    if trace.task == "forecasting":
        return f"a series of {len(trace.read.text.split()):,} values."
    return quoted_end(trace.source.text[:300])


def _changes(trace: Trace) -> str:
    """Say what was changed inside a run; "" if nothing was."""
    muted = " ".join(shown(trace.source.pieces[place]) for place in trace.interventions.muted)
    steps = sorted({edit.step + 1 for edit in trace.interventions.attention})
    said = f" {quoted(muted)} was masked." if muted else ""
    if steps:
        said += f" Its attention was changed at step {', '.join(map(str, steps))}."
    return said


def show_notes(notes: Iterable[str]) -> None:
    """Show what is worth knowing of an input, in one box: the answer below it stays in sight."""
    if said := "  \n".join(map(plain, notes)):
        st.info(said, icon=":material/info:")
