import json

import pytest

import seq2seq
from seq2seq.cli.main import main
from seq2seq.data.tasks import TASKS, draw_pairs
from seq2seq.errors import UserError
from seq2seq.training.recipe import parse_recipe
from seq2seq.training.task_recipe import OWN, task_recipe
from seq2seq.training.trainer import Trainer

SMALL = {"pairs": 300, "held_out": 20}


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_a_recipe_that_can_be_trained(name, tmp_path):
    recipe = parse_recipe(task_recipe(name, {"width": 8}, {"evaluate_every": 3}, SMALL))
    run = Trainer(recipe, tmp_path, tmp_path)
    events = run.events(budget=60.0)
    found = [next(events) for _ in range(4)]
    assert set(found[3].scores) >= {"valid_loss", "valid_exact_match", "valid_token_accuracy"}
    valid = draw_pairs(name, 300, 20, seed=1).valid
    for pair, example in zip(valid, run.corpus.valid_examples, strict=True):
        assert run.tokenizer.decode(example.target).strip() == pair.target
        assert 1 not in example.target  # nothing is unknown


def test_own_pairs_are_files():
    recipe = parse_recipe(task_recipe(OWN, kind="word"))
    assert recipe.data.train == ("train.tsv",)
    assert recipe.tokenizer.kind == "word"


def test_a_task_and_files_exclude_each_other():
    with pytest.raises(UserError, match="a task and files"):
        parse_recipe(task_recipe("copy", data={"train": ["train.tsv"]}))


def test_the_command_line_trains_a_task_and_tells_each_event(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["train", "--task", "copy", "--minutes", "0.02", "--out", str(out), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["event"] for line in lines} == {"step", "evaluated", "finished"}
    last = lines[-1]
    assert last["event"] == "finished"
    assert 0 <= last["exact_match"] <= last["token_accuracy"] <= 1
    assert last["held_out"] == 200
    assert seq2seq.run(str(out), "a b c d").text is not None
    assert parse_recipe((out / "recipe.toml").read_text()).data.task == "copy"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--task", "hanoi"], "no task 'hanoi'"),
        ([], "a recipe.toml or a --task"),
        (["recipe.toml", "--task", "copy"], "a recipe.toml or a --task"),
    ],
)
def test_mistakes_of_the_command_line(arguments, named, capsys):
    assert main(["train", *arguments]) == 2
    assert named in capsys.readouterr().err
