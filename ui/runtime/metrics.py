"""What an operator may watch, beside Streamlit's own numbers at /_stcore/metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streamlit import runtime
from streamlit.runtime.stats import CounterStat, GaugeStat, Stat

from ui.runtime.admission import Admission, Gate, admission

HELP = {
    "seq2seq_places_held": "Runs that are computed now.",
    "seq2seq_waiting": "Visitors who wait for a place.",
    "seq2seq_runs": "Runs so far.",
    "seq2seq_refused": "Visitors who were told to come back.",
    "seq2seq_run_milliseconds": "Mean time that a place is held.",
}


class QueueStats:
    """The numbers of both queues, as OpenMetrics families."""

    def __init__(self, admission: Admission) -> None:
        self.queues = {"short": admission.short, "long": admission.long}

    @property
    def stats_families(self) -> Sequence[str]:
        """The names of the families."""
        return list(HELP)

    def get_stats(self, family_names: Sequence[str] | None = None) -> Mapping[str, Sequence[Stat]]:
        """Return the numbers of the families that are asked for, of all if none is."""
        wanted = [name for name in HELP if family_names is None or name in family_names]
        return {
            name: [_stat(name, queue, gate) for queue, gate in self.queues.items()]
            for name in wanted
        }


def publish_queues() -> None:
    """Have this server publish the numbers of its queues."""
    if runtime.exists():
        runtime.get_instance().stats_mgr.register_provider(QueueStats(admission()))


def _stat(name: str, queue: str, gate: Gate) -> Stat:
    labels, text = {"queue": queue}, HELP[name]
    if name == "seq2seq_runs":
        return CounterStat(name, gate.served, labels, help=text)
    if name == "seq2seq_refused":
        return CounterStat(name, gate.refused, labels, help=text)
    value = {
        "seq2seq_places_held": gate.held,
        "seq2seq_waiting": gate.waiting,
        "seq2seq_run_milliseconds": round(1000 * gate.seconds),
    }[name]
    return GaugeStat(name, value, labels, help=text)
