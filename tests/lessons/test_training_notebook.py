"""A training of the lab as a notebook: its code is run as a notebook runs it."""

import json
from dataclasses import replace

import pytest

from seq2seq.lessons.notebook_format import written
from seq2seq.lessons.training_notebook import training_notebook
from seq2seq.training.task_recipe import OWN, task_recipe
from ui.training_lab.settings import LabSettings, ModelSettings

SMALL = ModelSettings(width=16)


def made(settings, task="reverse"):
    recipes = dict(zip(settings.models, settings.recipes(), strict=True))
    names = {letter: model.name for letter, model in settings.models.items()}
    return training_notebook(recipes, names, 2.0, task, "a b c")


def code_of(notebook):
    return [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]


@pytest.mark.filterwarnings("ignore")
def test_two_models_are_trained_and_read(tmp_path, monkeypatch, capsys):
    settings = LabSettings(a=SMALL, b=replace(SMALL, attention="none"), pairs=200)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("plotly.graph_objects.Figure.show", lambda figure: print("drawn"))
    namespace = {}
    for code in code_of(made(settings)):
        exec(compile(code, "notebook", "exec"), namespace)
    for letter in "AB":
        events = namespace["evaluations"][letter]
        assert len(events) >= 2
        assert namespace["trainers"][letter].position.step > 0
    figure = namespace["figure"]
    assert [line.name for line in figure.data][:2] == ["A: valid_loss", "A: valid_exact_match"]
    said = capsys.readouterr().out
    assert said.count("drawn") == 1
    assert "B has no attention" in said


def test_it_is_a_notebook_with_the_same_recipes():
    settings = LabSettings(a=SMALL, pairs=200)
    notebook = json.loads(written(made(settings)))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    namespace = {}
    exec(code_of(notebook)[0], namespace)
    assert namespace["A"].strip() == settings.recipes()[0].strip()


def test_own_pairs_are_asked_for_and_quotes_stay_text():
    recipe = task_recipe(OWN).replace("Own pairs", 'Own \\"\\"\\" pairs \\\\')
    notebook = training_notebook({"A": recipe}, {"A": "GRU"}, 2.0, OWN, "x")
    assert any("train.tsv" in cell["source"] for cell in notebook["cells"])
    namespace = {}
    exec(code_of(notebook)[0], namespace)
    assert namespace["A"].strip() == recipe.strip()
