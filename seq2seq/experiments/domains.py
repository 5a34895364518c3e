"""One machine for many domains: the same search runs on text, speech and spelling.

Rule: for the claim if one function decoded an input of each task and every output ended by itself;
against it otherwise.
"""

from __future__ import annotations

import time
from pathlib import Path

from seq2seq.data.audio import Audio, read_audio
from seq2seq.errors import UserError
from seq2seq.evaluation.results import Curve
from seq2seq.experiments.result import AGAINST, FOR, Axes, Load, OnPart, Result
from seq2seq.inference.pipeline import run as decode

RECORDING = Path(__file__).parents[2] / "assets" / "recordings" / "seven-three-one-zero.flac"
INPUTS = (
    ("bilstm-attention-en-fr", "The children are playing in the garden."),
    (
        "summarizer-en",
        "The museum, which had been closed for two years because of repairs to its old roof, "
        "opened its doors again on Monday morning to a long line of visitors.",
    ),
    ("chatbot-en", "Where do you live?"),
    ("g2p-en", "chair"),
    ("speech-en", ""),
)


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    inputs: tuple[tuple[str, str], ...] = INPUTS,
    recording: Path = RECORDING,
) -> Result:
    """Decode one input a task; value: how many outputs ended. An empty input is the recording."""
    started, rows = time.perf_counter(), []
    for number, (name, text) in enumerate(inputs):
        on_part(number, len(inputs))
        checkpoint = load(name)
        begun = time.perf_counter()
        trace = decode(checkpoint, text or _heard(recording))
        taken = 1000 * (time.perf_counter() - begun)
        best = trace.outputs[0]
        rows.append((checkpoint.card.task, name, text or recording.name, best, taken))
    ended = sum(row[3].finished for row in rows)
    tasks = tuple(row[0] for row in rows)
    each = tuple(row[4] / max(1, len(row[3].pieces)) for row in rows)
    return Result(
        FOR if ended == len(rows) else AGAINST,
        float(ended),
        f"of {len(rows)} tasks",
        f"The same function decoded {len(rows)} kinds of input ({', '.join(tasks)}); {ended} of "
        f"{len(rows)} outputs ended by themselves, at {min(each):.0f} to {max(each):.0f} ms a "
        "token.",
        (Curve("time", tuple(map(float, range(1, len(rows) + 1))), each),),
        Axes("task", "milliseconds a token", tasks),
        f"{len(rows)} inputs, {len(rows)} models",
        seed,
        time.perf_counter() - started,
        {
            "task": tasks,
            "model": [row[1] for row in rows],
            "input": [row[2] for row in rows],
            "output": [row[3].text for row in rows],
        },
    )


def _heard(recording: Path) -> Audio:
    if not recording.is_file():
        raise UserError("The example recording is not here: give the path of one.")
    return read_audio(recording)
