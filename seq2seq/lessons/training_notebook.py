"""A training of the lab as a Jupyter notebook that does the same on another machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seq2seq.lessons.notebook_format import code_cell, notebook_of, text_cell
from seq2seq.training.task_recipe import OWN, PAIRS_FILES


def training_notebook(
    recipes: Mapping[str, str], names: Mapping[str, str], seconds: float, task: str, text: str
) -> dict[str, Any]:
    """Return the values of a notebook's JSON.

    recipes, names: a recipe.toml and what the model is, by the models' letters. seconds: of
    training, by all models together. text: a source of the task, which the models read at the end.
    """
    listed = "\n".join(f"- **{letter}**: {name}" for letter, name in names.items())
    cells = [
        text_cell(
            f"# Train and compare\n\n{listed}\n\nBoth see the same batches in the same order; how "
            "many depends on the machine."
            if len(recipes) > 1
            else f"# Train\n\n{listed}"
        ),
        *([text_cell(_OWN_PAIRS)] if task == OWN else []),
        *(code_cell(f"{letter} = {_quoted(recipe)}") for letter, recipe in recipes.items()),
        code_cell(_TRAIN.format(letters=", ".join(recipes), seconds=seconds)),
        text_cell("## What they learned\n\nExact match and loss, on pairs that were held out."),
        code_cell(_CURVES),
        code_cell(_READ.format(text=text)),
    ]
    cells += [code_cell(_ATTENTION.format(letter=letter)) for letter in recipes]
    return notebook_of(cells, "".join(recipes.values()))


def _quoted(recipe: str) -> str:
    escaped = recipe.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""\n{escaped}"""'


_OWN_PAIRS = (
    "These models learned from pairs of your own, which are not in this file. Write them beside it "
    f"as `{PAIRS_FILES['train']}` and `{PAIRS_FILES['valid']}`: a source, a tab and a target on "
    "each line."
)

_TRAIN = """\
from pathlib import Path

import seq2seq
from seq2seq.errors import UserError
from seq2seq.training.loop import Evaluated
from seq2seq.training.recipe import parse_recipe
from seq2seq.training.trainer import Trainer

RECIPES = {{letter: recipe for letter, recipe in zip("AB", ({letters},))}}
SECONDS = {seconds:g} / len(RECIPES)

trainers, evaluations = {{}}, {{}}
for letter, recipe in RECIPES.items():
    folder = Path(f"run-{{letter}}")
    folder.mkdir()
    trainers[letter] = Trainer(parse_recipe(recipe), Path(), folder)
    evaluations[letter] = []
    try:
        for event in trainers[letter].events(SECONDS, evaluate_every=SECONDS / 20):
            if isinstance(event, Evaluated):
                evaluations[letter].append(event)
    except UserError as error:  # a loss that is no number any more: the best weights are kept
        print(letter, error)
models = {{letter: trainer.best() for letter, trainer in trainers.items()}}"""

_CURVES = """\
import plotly.graph_objects as go

figure = go.Figure()
for letter, events in evaluations.items():
    for score in ("valid_loss", "valid_exact_match"):
        figure.add_scatter(
            x=[event.step for event in events],
            y=[event.scores[score] for event in events],
            name=f"{letter}: {score}",
        )
figure.update_layout(xaxis_title="step")"""

_READ = """\
TEXT = {text!r}
traces = {{letter: seq2seq.run(model, TEXT) for letter, model in models.items()}}
for letter, trace in traces.items():
    print(letter, trace.text)"""

_ATTENTION = """\
if models["{letter}"].model.config.has_attention:
    seq2seq.figures.attention(traces["{letter}"]).show()
else:
    print("{letter} has no attention: all that its decoder gets is the encoder's final state.")"""
