"""Outputs for texts of our own that a reader judges, and what a model card says of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seq2seq.checkpoint import Checkpoint
from seq2seq.evaluation.results import JUDGED, VERDICTS
from seq2seq.inference.pipeline import run
from seq2seq.training.recipe import Recipe

EVERYDAY = Path(__file__).with_name("everyday_sentences.tsv")
MEANING = {
    "chatbot": """sensible, if a person could have said it there; specific, if it is sensible and
would not do as well elsewhere (Adiwardana et al. 2020, section 2.1)""",
    "translation": """right, if it says what the sentence says, in French without a mistake;
understandable, if a reader of the French would understand what the sentence says""",
}
# Of a chatbot that has also learnt from seq2seq.training.small_talk.
LIKE_OURS = """ No exchange
of our own that it learnt from answers one of these prompts alone, but some answer one that differs
by a word or two, and the subjects of some were known to those who wrote them: what was written
after the training says more about other messages."""


def texts_to_judge(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """Return texts by their kind: the recipe's prompts, or sentences to translate into French.

    None of a task whose outputs nobody judges.
    """
    card = recipe.card
    if card.task not in VERDICTS:
        return {}
    if recipe.prompts or (card.task, card.languages) != ("translation", ("en", "fr")):
        return recipe.prompts
    texts: dict[str, tuple[str, ...]] = {}
    for line in EVERYDAY.read_text(encoding="utf-8").splitlines():
        kind, text = line.split("\t")
        texts[kind] = (*texts.get(kind, ()), text)
    return texts


def write_outputs(folder: Path, checkpoint: Checkpoint, recipe: Recipe) -> None:
    """Write the output for each text beside a checkpoint, with what a reader said of it before.

    Its verdicts are None until someone has read that output. Without texts nothing is written.
    """
    before = {(each["source"], each["output"]): each for each in read_judged(folder)}
    outputs = []
    for kind, texts in texts_to_judge(recipe).items():
        for text in texts:
            output = run(checkpoint, text).text
            known = before.get((text, output), {})
            verdicts = {name: known.get(name) for name in VERDICTS[recipe.card.task]}
            outputs.append({"kind": kind, "source": text, "output": output, **verdicts})
    if outputs:
        written = json.dumps(outputs, indent=2, ensure_ascii=False)
        (folder / JUDGED).write_text(f"{written}\n", encoding="utf-8")


def read_judged(folder: Path) -> list[dict[str, Any]]:
    """Return the outputs beside a checkpoint, judged or not; none where there is no such file."""
    path = folder / JUDGED
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def describe(outputs: Sequence[dict[str, Any]], recipe: Recipe) -> str:
    """Write the section of a model card: counts of what was judged, all outputs, failures."""
    task = recipe.card.task
    if not outputs or task not in VERDICTS:
        return ""
    names = VERDICTS[task]
    judged = [each for each in outputs if each[names[0]] is not None]
    what, turns = (
        ("prompts", " Turns are separated by ¶.") if task == "chatbot" else ("sentences", "")
    )
    told = f"{len(outputs)} {what} of our own, written before any output was seen, one output each"
    told += f"{_in_a_sentence(judged, task)}.{turns}{LIKE_OURS if recipe.dialogue.made else ''}"
    return f"""## What it says

{told}

{_totals(judged, what, names)}| kind | {what[:-1]} | output | {" | ".join(names)} |
| --- | --- | --- | --- | --- |
{chr(10).join(_row(each, names) for each in outputs)}

{_failures(judged, names[0])}"""


def _in_a_sentence(judged: Sequence[dict[str, Any]], task: str) -> str:
    """Say in a sentence how many outputs serve, and what that means."""
    if not judged:
        return "; no reader has judged them yet"
    counts = " and ".join(f"{_count(judged, name)} {name}" for name in VERDICTS[task])
    return f""", each judged by
one reader: {MEANING[task]}.
Of {len(judged)} judged, {counts}"""


def _totals(judged: Sequence[dict[str, Any]], what: str, names: Sequence[str]) -> str:
    """Count by kind what serves."""
    rows = [
        f"| {kind} | {len(part)} | {' | '.join(str(_count(part, name)) for name in names)} |\n"
        for kind, part in _by_kind(judged).items()
    ]
    head = f"| kind | {what} | {' | '.join(names)} |\n| --- | --- | --- | --- |\n"
    return f"{head}{''.join(rows)}\n" if rows else ""


def _by_kind(outputs: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    kinds: dict[str, list[dict[str, Any]]] = {}
    for each in outputs:
        kinds.setdefault(each["kind"], []).append(each)
    return kinds


def _count(outputs: Sequence[dict[str, Any]], name: str) -> int:
    return sum(bool(each[name]) for each in outputs)


def _row(output: dict[str, Any], names: Sequence[str]) -> str:
    verdicts = ({True: "yes", False: "no", None: "not judged"}[output[name]] for name in names)
    texts = (output[key].replace("|", "/") for key in ("source", "output"))
    return "| " + " | ".join((output["kind"], *texts, *verdicts)) + " |"


def _failures(judged: Sequence[dict[str, Any]], serves: str) -> str:
    """List what does not serve, the first of each kind; nothing where all do or none was judged."""
    failed = [part for each in _by_kind(judged).values() if (part := _first_without(each, serves))]
    if not failed:
        return ""
    rows = "\n".join(f"- {each['source']} *{each['output']}*" for each in failed)
    return f"What it fails at, for example:\n\n{rows}\n\n"


def _first_without(outputs: Sequence[dict[str, Any]], name: str) -> dict[str, Any] | None:
    return next((each for each in outputs if not each[name]), None)
