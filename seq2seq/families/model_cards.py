"""Other people's model cards: what the front matter of a README.md says, as our Card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from seq2seq.catalogue import Card
from seq2seq.families.configs import Values, is_forecaster

TASKS = {
    "marian": "translation",
    "m2m_100": "translation",
    "mbart": "translation",
    "bart": "summarization",
    "pegasus": "summarization",
    "blenderbot": "chatbot",
    "blenderbot-small": "chatbot",
    "whisper": "speech",
    "t5": "translation",
    "mt5": "translation",
    "umt5": "translation",
    "mvp": "summarization",
    "plbart": "translation",
}
# Trained for anything, so that a model's own card decides.
FOR_ANYTHING = ("t5", "mt5", "umt5", "bart", "mbart", "mvp", "plbart")
TAGS = {
    "translation": "translation",
    "summarization": "summarization",
    "automatic-speech-recognition": "speech",
    "conversational": "chatbot",
}
EXAMPLES = {
    "translation": (
        "The black cat sleeps on the old chair.",
        "How old are you?",
        "If it rains tomorrow, we will stay at home.",
    ),
    "chatbot": ("Hello, how are you?", "What do you like to eat?", "Tell me about your day."),
    "summarization": (
        "The town council decided on Monday to close the old bridge for six weeks while its "
        "pillars are repaired, and asked drivers to take the road along the river.",
    ),
}
LONGEST = 200_000  # bytes of a README that are looked at


def read_card(folder: Path, values: Values, name: str) -> Card:
    """Describe a model by its files; what they do not say is said to be unknown."""
    family, says = values["model_type"], _front_matter(folder / "README.md")
    task = TASKS[family]
    if family in FOR_ANYTHING:
        task = TAGS.get(next(iter(_texts(says.get("pipeline_tag"))), ""), task)
    if is_forecaster(values):
        task = "forecasting"
    return Card(
        name=name,
        title=name,
        task=task,
        licence=next(iter(_texts(says.get("license"))), "unknown")[:80],
        summary=f"A model of the family {family}, made by others.",
        languages=tuple(code[:20] for code in _texts(says.get("language")))[:20],
        examples=EXAMPLES.get(task, ()),
        data=tuple(name[:100] for name in _texts(says.get("datasets")))[:20],
    )


def _texts(value: Any) -> list[str]:
    """Return the texts of a list, or one by itself; lists within lists may unfold without end."""
    values = value if isinstance(value, list) else [value]
    # YAML takes Norwegian for a refusal.
    return ["no" if each is False else each for each in values if each is False or _is_text(each)]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _front_matter(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(LONGEST)
        values = yaml.safe_load(text.split("---", 2)[1]) if text.startswith("---") else {}
    except (OSError, IndexError, ValueError, yaml.YAMLError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
