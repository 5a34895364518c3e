"""One machine for many domains: the same search runs on text, speech, spelling and series.

Rule: for the claim if one function decoded an input of each task and every output came to its end:
by itself, or, of a series, after as many values as were asked for; against it otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.audio import Audio, read_audio
from seq2seq.data.example_series import EXAMPLE_SERIES
from seq2seq.data.series import Series
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import OnStep, Progress
from seq2seq.errors import UserError
from seq2seq.evaluation.results import Curve
from seq2seq.experiments.clock import seconds_of
from seq2seq.experiments.result import (
    AGAINST,
    FOR,
    Axes,
    Load,
    OnPart,
    Partial,
    Result,
    title_of,
)
from seq2seq.inference.pipeline import run as decode
from seq2seq.trace import Output

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
    ("forecaster", EXAMPLE_SERIES[1].title),
)
FORECAST = 14  # values


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    inputs: tuple[tuple[str, str], ...] = INPUTS,
    recording: Path = RECORDING,
) -> Result:
    """Decode one input a task; value: how many outputs came to their end.

    An empty input is the recording; a forecaster's is the title of an example series.
    """
    started, rows, texts = time.perf_counter(), [], dict[str, str]()
    for number, (name, text) in enumerate(inputs):
        checkpoint = load(name)
        tell = partial(_tell, on_part, number, inputs, texts)
        on_step = _streaming(checkpoint, texts, tell)
        begun = seconds_of(checkpoint)
        given, options = _input(checkpoint, text, recording)
        trace = decode(checkpoint, given, options, on_step)
        taken = 1000 * (seconds_of(checkpoint) - begun)
        best, task = trace.outputs[0], checkpoint.card.task
        texts[task] = best.text
        rows.append((task, title_of(checkpoint), text or recording.name, best, taken))
    ended = sum(_is_complete(*row[::3]) for row in rows)
    tasks = tuple(row[0] for row in rows)
    each = tuple(row[4] / max(1, len(row[3].pieces)) for row in rows)
    return Result(
        FOR if ended == len(rows) else AGAINST,
        float(ended),
        f"of {len(rows)} tasks",
        f"The same function decoded {len(rows)} kinds of input ({', '.join(tasks)}); {ended} of "
        f"{len(rows)} outputs came to their end, at {min(each):.0f} to {max(each):.0f} ms a "
        "token.",
        (Curve("time", tuple(map(float, range(1, len(rows) + 1))), each),),
        Axes("task", "milliseconds a token", tasks, ordered=False),
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


def _tell(
    on_part: OnPart, done: int, inputs: tuple[tuple[str, str], ...], texts: dict[str, str]
) -> None:
    on_part(done, len(inputs), Partial(texts=dict(texts)))


def _streaming(checkpoint: Checkpoint, texts: dict[str, str], tell: Callable[[], None]) -> OnStep:
    """Return what keeps the best output so far of one task among the texts, after every step."""

    def on_step(progress: Progress) -> None:
        texts[checkpoint.card.task] = checkpoint.text(progress.tokens, "")
        tell()

    return on_step


def _input(
    checkpoint: Checkpoint, text: str, recording: Path
) -> tuple[str | Audio | Series, Options | None]:
    """Return what a model reads, and the options that only a series needs."""
    if checkpoint.model.config.input != "series":
        return text or _heard(recording), None
    series = next(each for each in EXAMPLE_SERIES if each.title == text).series()
    options = Options("greedy", beam_width=1, max_length=FORECAST)
    return series, replace(options, source_language=series.frequency)


def _is_complete(task: str, output: Output) -> bool:
    return output.finished or (task == "forecasting" and len(output.pieces) == FORECAST)


def _heard(recording: Path) -> Audio:
    if not recording.is_file():
        raise UserError("The example recording is not here: give the path of one.")
    return read_audio(recording)
