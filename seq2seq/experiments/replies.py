"""Whether a chatbot's replies are about what was said, and differ, on messages of our own.

There is no one right reply, so each is held against the same reply after another's last turn.
Distinct n-grams are those of Li et al. 2016, section 4.5. Rule: for the claim if replies are more
probable after their own last turn, by the paired 95 % interval, and at least half of the pairs of
words in them are different ones; against it if they are less probable; undecided otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from seq2seq.checkpoint import Checkpoint
from seq2seq.evaluation.reply_metrics import distinct, dull
from seq2seq.experiments.result import (
    FOR,
    UNDECIDED,
    Axes,
    Load,
    Result,
    by_sign,
    interval,
    mean_curve,
    title_of,
)
from seq2seq.inference.generated import to_text
from seq2seq.inference.generation import find
from seq2seq.inference.teacher_forcing import force

FILE = Path(__file__).with_name("reply_prompts.tsv")
COUNT = 20
BETWEEN = " ¶ "  # turns
VARIED = 0.5  # share of pairs of words that are different ones
TICKS = ("after its own last turn", "after another's last turn")


def prompts() -> list[str]:
    """Read our messages, with the turns before them."""
    return FILE.read_text(encoding="utf-8").splitlines()


def run(load: Load, on_done: Callable[[int], None], seed: int, model: str) -> Result:
    """Reply to each message; value: bits a token that the own last turn is worth."""
    started, checkpoint, said = time.perf_counter(), load(model), prompts()
    answers, costs = [], []
    for place, prompt in enumerate(said):
        found = find(checkpoint, prompt)
        answers.append(to_text(checkpoint, found, prompt))
        other = exchanged(prompt, said[(place + 1) % len(said)])
        tokens = found.hypotheses[0].tokens
        costs.append((_bits(checkpoint, prompt, tokens), _bits(checkpoint, other, tokens)))
        on_done(1)
    own, others = np.array(costs).T
    low, high = interval((others - own).tolist(), seed)
    varied = [distinct(answers, size) for size in (1, 2)]
    verdict = by_sign(low, high)
    return Result(
        UNDECIDED if verdict == FOR and varied[1] < VARIED else verdict,
        float((others - own).mean()),
        "bits a token",
        f"Conversation: a reply of {title_of(checkpoint)} costs {own.mean():.1f} bits a token "
        f"after the message that it answers and {others.mean():.1f} after another one (difference, "
        f"95 %: {low:+.1f} to {high:+.1f}). Of all words {100 * varied[0]:.0f} % are different "
        f"ones, of all pairs of words {100 * varied[1]:.0f} %; {sum(map(dull, answers))} of "
        f"{len(answers)} replies are dull.",
        (mean_curve("reply", {1.0: own.tolist(), 2.0: others.tolist()}, seed),),
        Axes("the same reply", "bits a token", TICKS, ordered=False),
        f"{len(said)} messages",
        seed,
        time.perf_counter() - started,
        {
            "message": said,
            "reply": answers,
            "bits a token": [round(float(each), 2) for each in own],
            "after another message": [round(float(each), 2) for each in others],
        },
        ends=(low, high),
    )


def exchanged(prompt: str, other: str) -> str:
    """Return a conversation with the last turn of another one."""
    return BETWEEN.join([*prompt.split(BETWEEN)[:-1], other.split(BETWEEN)[-1]])


def _bits(checkpoint: Checkpoint, prompt: str, tokens: tuple[int, ...]) -> float:
    """Return what a reply costs after a conversation, in bits a token."""
    told = force(checkpoint, prompt, tokens).log_probabilities
    return -float(told.mean()) / float(np.log(2))
