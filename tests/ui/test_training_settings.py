import pytest

from seq2seq.data.tasks import TASKS
from seq2seq.training.recipe import parse_recipe
from seq2seq.training.task_recipe import OWN
from ui.components.marked_outputs import marked
from ui.training_lab.lab import EXAMPLES
from ui.training_lab.presets import PRESETS
from ui.training_lab.settings import LabSettings, ModelSettings, from_query, to_query

USUAL = LabSettings()


@pytest.mark.parametrize("name", PRESETS)
def test_settings_come_back_from_an_address(name):
    settings = PRESETS[name].settings
    for usual in (USUAL, PRESETS["attention"].settings):
        assert from_query(to_query(settings, usual), usual) == settings
    assert to_query(settings, settings) == {}


@pytest.mark.parametrize("name", PRESETS)
def test_settings_are_recipes(name):
    settings = PRESETS[name].settings
    recipes = [parse_recipe(text) for text in settings.recipes()]
    assert [recipe.training.learning_rate for recipe in recipes] == [
        model.learning_rate for model in settings.models.values()
    ]
    assert {recipe.training.seed for recipe in recipes} == {settings.seed}
    assert {recipe.data.pairs for recipe in recipes} == {settings.pairs}
    assert "\n" not in PRESETS[name].story


def test_every_task_has_an_example():
    assert set(EXAMPLES) == set(TASKS)
    assert OWN not in TASKS


@pytest.mark.parametrize(
    ("name", "text"),
    [("a_width", "0"), ("a_dropout", "inf"), ("b_cell", "mlp"), ("seed", "1e99"), ("task", "x")],
)
def test_what_is_not_possible_is_as_usual(name, text):
    both = LabSettings(b=ModelSettings(attention="none"))
    assert from_query({name: text}, both) == both


def test_what_is_wrong_is_marked():
    found = marked("A", ("▁a", "▁x"), ("▁a", "▁b", "▁c"))
    assert [part.wrong for part in found.parts] == [False, True, True]
    assert not found.right
    assert marked("A", ("▁a",), ("▁a",)).right
    assert marked("A", ("▁a", "▁b"), ("▁a",)).parts[1].wrong
