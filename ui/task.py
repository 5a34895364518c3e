"""What every task page does with what the visitor gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seq2seq.options import Options
from ui.controls import empty_state
from ui.instruments import instruments
from ui.runs import reopen, run

if TYPE_CHECKING:
    from seq2seq.audio import Audio


def show_run(
    name: str | None, given: str | Audio | None, options: Options, saved: bytes | None, ask: str
) -> None:
    """Show the run of a model on a text or recording, or a saved one; `ask` if there is neither."""
    if saved is not None:
        trace = reopen(saved)
    elif given is None or (isinstance(given, str) and not given.strip()):
        empty_state(ask)
        return
    else:
        trace = run(name, given, options) if name else None
    if trace is not None:
        instruments(trace)
