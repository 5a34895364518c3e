import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seq2seq.checkpoint import TOKENIZER, read_model, save
from seq2seq.data.batching import Example
from seq2seq.data.parallel_corpus import read_pairs
from seq2seq.data.tokenizer import Unigram
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.evaluation.losses import corpus_loss, encode_pairs
from seq2seq.evaluation.results import LOG
from seq2seq.inference.generated import to_text
from seq2seq.inference.generation import generate
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import build
from seq2seq.training import datasets, trainer
from seq2seq.training.loop import Learner
from seq2seq.training.recipe import read_recipe
from seq2seq.training.trainer import BEST, STATE, train
from seq2seq.training.warm_start import read_beginning, take_weights

ATTENTION = {
    "cell": "lstm",
    "attention": "general",
    "feeds": "token",
    "width": 64,
    "embedding": 32,
    "dropout": 0.0,
}
TRANSFORMER = {
    "architecture": "transformer",
    "width": 48,
    "heads": 4,
    "feedforward": 96,
    "dropout": 0.0,
}
TINY = {"cell": "gru", "width": 12, "attention": "dot", "feeds": "token", "dropout": 0.2}


def write_pairs(folder, turn, count=1_500):
    """Write distinct lines of letters; 50 of them are kept out of training."""
    draw, lines = random.Random(0), {}
    while len(lines) < count:
        letters = draw.choices("abcdefgh", k=draw.randint(2, 6))
        lines[" ".join(letters)] = " ".join(turn(letters))
    text = [f"{source}\t{target}\n" for source, target in lines.items()]
    (folder / "valid.tsv").write_text("".join(text[:50]))
    (folder / "train.tsv").write_text("".join(text[50:]))


def write_recipe(folder, model, training, data=None, tokenizer=None):
    sections = {
        "card": {"title": "Letters", "task": "spelling", "licence": "CC0-1.0", "name": "letters"},
        "data": {"train": ["train.tsv"], "valid": ["valid.tsv"], **(data or {})},
        "tokenizer": {"pieces": 21, **(tokenizer or {})},
        "model": model,
        "training": training,
    }
    lines = []
    for name, values in sections.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    (folder / "recipe.toml").write_text("\n".join(lines))
    return folder / "recipe.toml"


def logged(work):
    return [json.loads(line) for line in (work / LOG).read_text().splitlines()]


@pytest.fixture
def folder(tmp_path):
    write_pairs(tmp_path, reversed, count=290)
    return tmp_path


def recipe_of(folder, model=TINY, **settings):
    defaults = {"epochs": 2, "batch_tokens": 150, "warmup_steps": 5, "evaluate_every": 1_000}
    return read_recipe(write_recipe(folder, model, defaults | settings))


# --- learning


@pytest.mark.parametrize(
    ("model", "turn"),
    [
        pytest.param(ATTENTION, reversed, id="attention reverses"),
        pytest.param(TRANSFORMER, list, id="transformer copies", marks=pytest.mark.slow),
    ],
)
def test_a_simple_task_is_learnt_in_seconds(tmp_path, model, turn):
    write_pairs(tmp_path, turn)
    settings = {"epochs": 10, "batch_tokens": 250, "learning_rate": 5e-3, "warmup_steps": 30}
    recipe = read_recipe(write_recipe(tmp_path, model, {**settings, "averaging": 0.9}))
    checkpoint = train(recipe, tmp_path, tmp_path / "work")
    pairs = read_pairs(tmp_path / "valid.tsv")
    found = generate(checkpoint, [pair.source for pair in pairs], Options(method="greedy"))
    right = [
        to_text(checkpoint, each) == pair.target for each, pair in zip(found, pairs, strict=True)
    ]
    assert len(right) == 50
    assert sum(right) >= 45
    losses = [line["train_loss"] for line in logged(tmp_path / "work") if "train_loss" in line]
    assert losses[-1] < 0.5 * losses[0]


def test_the_best_weights_are_kept(folder):
    recipe = recipe_of(folder, epochs=3, evaluate_every=4, learning_rate=0.01)
    checkpoint = train(recipe, folder, folder / "work")
    lines = [line for line in logged(folder / "work") if "valid_loss" in line]
    assert len(lines) > 3
    best = min(min(line["valid_loss"], line["valid_loss_averaged"]) for line in lines)
    examples = encode_pairs(checkpoint.tokenizer, read_pairs(folder / "valid.tsv"))
    assert corpus_loss(checkpoint.model, examples) == pytest.approx(best, abs=2e-3)
    assert not checkpoint.model.training
    assert checkpoint.card.name == "letters"


@pytest.mark.slow
def test_evaluating_changes_no_weight(folder):
    ends = []
    for every in (3, 1_000):
        recipe = recipe_of(folder, epochs=4, learning_rate=0.1, evaluate_every=every)
        train(recipe, folder, folder / f"work{every}")
        ends.append(torch.load(folder / f"work{every}" / STATE))
    lines = [line for line in logged(folder / "work3") if "valid_loss" in line]
    better = [line["valid_loss_averaged"] < line["valid_loss"] for line in lines]
    assert set(better[:-1]) == {True, False}
    for part in ("model", "average"):
        for name, weight in ends[0][part].items():
            assert torch.equal(weight, ends[1][part][name]), name


def test_training_ends_when_valid_gets_no_better(folder):
    recipe = recipe_of(folder, epochs=50, learning_rate=2.0, evaluate_every=1, patience=3)
    checkpoint = train(recipe, folder, folder / "work")
    lines = [line for line in logged(folder / "work") if "valid_loss" in line]
    losses = [min(line["valid_loss"], line["valid_loss_averaged"]) for line in lines]
    assert len(losses) < 50
    assert min(losses) < min(losses[-4:-1])
    examples = encode_pairs(checkpoint.tokenizer, read_pairs(folder / "valid.tsv"))
    assert corpus_loss(checkpoint.model, examples) == pytest.approx(min(losses), abs=0.05)


def test_without_averaging_both_losses_are_one(folder):
    train(recipe_of(folder, averaging=0.0, evaluate_every=5), folder, folder / "work")
    lines = [line for line in logged(folder / "work") if "valid_loss" in line]
    assert all(line["valid_loss"] == line["valid_loss_averaged"] for line in lines)


def test_the_rate_rises_to_its_peak_and_falls_to_nothing(folder, monkeypatch):
    rates = []
    step = Learner.step

    def watch(learner, batch, done):
        losses = step(learner, batch, done)
        rates.append(learner.optimizer.param_groups[0]["lr"])
        return losses

    monkeypatch.setattr(Learner, "step", watch)
    train(recipe_of(folder, epochs=5, learning_rate=0.01), folder, folder / "work")
    peak = rates.index(max(rates))
    assert 3 <= peak <= 5
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert 0.008 < max(rates) <= 0.01
    assert rates[0] == pytest.approx(0.01 / 5)
    assert rates[-1] == pytest.approx(0.01 / len(rates))


def test_gradients_are_clipped(folder, monkeypatch):
    norms = []
    step = Learner.step

    def watch(learner, batch, done):
        losses = step(learner, batch, done)
        gradients = [each.grad.flatten() for each in learner.model.parameters()]
        norms.append(torch.cat(gradients).norm())
        return losses

    monkeypatch.setattr(Learner, "step", watch)
    train(recipe_of(folder, epochs=1, clip=0.05), folder, folder / "work")
    assert max(norms) == pytest.approx(0.05, rel=0.01)


def test_an_epoch_reads_every_target_token_once(folder):
    checkpoint = train(recipe_of(folder, epochs=1), folder, folder / "work")
    targets = [pair.target for pair in read_pairs(folder / "train.tsv")]
    count = sum(len(checkpoint.tokenizer.encode(target)) + 1 for target in targets)
    assert torch.load(folder / "work" / STATE)["position"]["tokens"] == count


def test_long_pairs_are_left_out_and_shares_are_drawn(folder):
    recipe = recipe_of(folder)
    whole = trainer.Trainer(recipe, folder, folder, 0, 1)
    assert len(whole.corpus.epoch(0)) == 240
    short = replace(recipe, data=replace(recipe.data, max_tokens=3))
    examples = trainer.Trainer(short, folder, folder, 0, 1).corpus.epoch(0)
    assert 0 < len(examples) < 240
    assert max(max(map(len, example)) for example in examples) == 3
    half = replace(recipe, data=replace(recipe.data, share=(0.5,)))
    run = trainer.Trainer(half, folder, folder, 0, 1)
    epochs = [
        {tuple(example.source) for example in run.corpus.epoch(number)} for number in range(8)
    ]
    assert {len(epoch) for epoch in epochs} == {120}
    assert len(set.union(*epochs)) > 230


def test_a_share_above_one_repeats_a_file(folder):
    recipe = recipe_of(folder)
    more = replace(recipe, data=replace(recipe.data, share=(2.25,)))
    examples = trainer.Trainer(more, folder, folder, 0, 1).corpus.epoch(0)
    counts = Counter(tuple(example.source) for example in examples)
    assert len(counts) == 240
    assert sorted(Counter(counts.values()).items()) == [(2, 180), (3, 60)]


def test_later_epochs_can_have_shares_of_their_own(folder):
    recipe = recipe_of(folder)
    data = replace(recipe.data, share=(0.5,), share_later=(0.25,))
    run = trainer.Trainer(replace(recipe, data=data), folder, folder, 0, 1)
    assert [len(run.corpus.epoch(number)) for number in range(3)] == [120, 60, 60]


def test_texts_of_several_examples_keep_their_order(folder):
    examples = [Example([number, 1], [number]) for number in range(400)]
    joined = datasets.in_texts(examples, 0.5, random.Random(0))
    sizes = Counter(len(each.target) for each in joined)
    assert set(sizes) == {1, 2, 3}
    assert 0.4 < (sizes[2] + sizes[3]) / len(joined) < 0.6
    assert [token for each in joined for token in each.target] == list(range(400))
    for each in joined:
        assert each.source == [token for number in each.target for token in (number, 1)]
    assert datasets.in_texts(examples, 0.0, random.Random(0)) == examples


@pytest.fixture
def talks(folder):
    """Write conversations of two turns and of one, and return their recipe."""
    lines = ["before\tcontext\tresponse"]
    for number, line in enumerate((folder / "train.tsv").read_text().splitlines()):
        source, target = line.split("\t")
        lines.append(f"{'' if number % 2 else 'b a.'}\t{source.upper()}?\t{target}")
    (folder / "train.tsv").write_text("\n".join(lines) + "\n")
    (folder / "valid.tsv").write_text("\n".join(lines[:40]) + "\n")
    recipe = recipe_of(folder, epochs=1)
    card = replace(recipe.card, task="chatbot", turn_separator="¶", turns=2, word_filter=True)
    data = replace(recipe.data, columns=("before", "context", "response"))
    tokenizer = replace(recipe.tokenizer, symbols=("¶",), pieces=40)
    return replace(recipe, card=card, data=data, tokenizer=tokenizer)


def sources(recipe, folder, **settings):
    """Return the texts of the sources of an epoch."""
    recipe = replace(recipe, dialogue=replace(recipe.dialogue, **settings))
    run = trainer.Trainer(recipe, folder, folder, 0, 1)
    return [run.tokenizer.decode(each.source) for each in run.corpus.epoch(0)]


def test_conversations_are_varied_as_the_recipe_says(talks, folder):
    plain = sources(talks, folder)
    assert sum("¶" in text for text in plain) == 120
    assert all(text.endswith("?") and text != text.lower() for text in plain)
    assert not any("¶" in text for text in sources(talks, folder, forget=1.0))
    assert all("¶" in text for text in sources(talks, folder, interrupt=1.0))
    hasty = sources(talks, folder, casual=1.0)
    assert all(not text.endswith("?") or text == text.lower() for text in hasty)
    assert sources(talks, folder, casual=0.5) == sources(talks, folder, casual=0.5)


def test_dull_replies_are_learnt_as_often_as_the_recipe_says(talks, folder):
    text = (folder / "train.tsv").read_text()
    (folder / "train.tsv").write_text(text + "\tabc?\tI don't know.\n" * 200)
    assert len(sources(talks, folder)) == 440
    assert len(sources(talks, folder, dull=0.0)) == 240
    assert 300 < len(sources(talks, folder, dull=0.5)) < 380


def test_replies_are_learnt_tidied(talks, folder):
    run = trainer.Trainer(talks, folder, folder, 0, 1)
    for example in run.corpus.epoch(0):
        reply = run.tokenizer.decode(example.target)
        assert reply[0].isupper()
        assert reply.endswith(".")


def test_a_separator_has_to_be_a_piece(talks, folder):
    recipe = replace(talks, tokenizer=replace(talks.tokenizer, symbols=()))
    with pytest.raises(UserError, match="turn_separator"):
        train(recipe, folder, folder / "work")


# --- stopping and going on


SAMPLED = {"data": {"share": [0.8]}, "tokenizer": {"alpha": 0.3}}


@pytest.fixture
def interrupted(monkeypatch):
    """Make a run end like a killed one in its n-th evaluation, its state saved at every step."""

    def stop_in(number):
        count = iter(range(1, 1_000))
        evaluate = datasets.evaluate

        def killed(*arguments, **named):
            if next(count) == number:
                raise KeyboardInterrupt
            return evaluate(*arguments, **named)

        monkeypatch.setattr(datasets, "evaluate", killed)
        monkeypatch.setattr(trainer, "SAVE_EVERY", 0.0)

    return stop_in


@pytest.mark.parametrize("model", [TINY, {**TRANSFORMER, "width": 12, "dropout": 0.2}])
@pytest.mark.parametrize("evaluation", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_a_killed_run_goes_on_as_if_nothing_had_been(
    folder, model, evaluation, interrupted, monkeypatch
):
    settings = {"epochs": 2, "batch_tokens": 150, "warmup_steps": 5, "evaluate_every": 5}
    recipe = read_recipe(write_recipe(folder, model, settings, **SAMPLED))
    with monkeypatch.context():
        whole = train(recipe, folder, folder / "whole")
        interrupted(evaluation)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, folder, folder / "killed")
        monkeypatch.undo()
    killed_at = torch.load(folder / "killed" / STATE)["position"]["step"]
    assert killed_at == 5 * evaluation - 1
    resumed = train(recipe, folder, folder / "killed", resume=True)
    ends = [torch.load(folder / name / STATE) for name in ("whole", "killed")]
    for end in ends:
        end["position"].pop("seconds")
    assert ends[0]["position"] == ends[1]["position"]
    assert ends[0]["position"]["step"] > 5 * evaluation
    for name, weight in ends[0]["model"].items():
        assert torch.equal(weight, ends[1]["model"][name]), name
    for name, weight in ends[0]["average"].items():
        assert torch.equal(weight, ends[1]["average"][name]), name
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(weight, resumed.model.state_dict()[name]), name
    assert logged(folder / "whole")[-1]["valid_loss"] == logged(folder / "killed")[-1]["valid_loss"]


def test_resuming_a_finished_run_changes_no_weight(folder):
    recipe = recipe_of(folder, epochs=1)
    first = train(recipe, folder, folder / "work")
    again = train(recipe, folder, folder / "work", resume=True)
    for name, weight in first.model.state_dict().items():
        assert torch.equal(weight, again.model.state_dict()[name]), name


def test_a_seed_gives_one_run_and_another_seed_another(folder):
    weights = [
        train(
            recipe_of(folder, epochs=1, seed=seed), folder, folder / f"work{number}"
        ).model.state_dict()["decoder.output.bias"]
        for number, seed in enumerate((1, 1, 2))
    ]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_run_given_minutes_ends_in_time(folder, monkeypatch):
    monkeypatch.setattr(trainer, "LOG_EVERY", 1)  # however slow the machine is
    recipe = recipe_of(folder, epochs=1, learning_rate=0.01)
    started = time.perf_counter()
    train(recipe, folder, folder / "work", minutes=0.02)
    assert time.perf_counter() - started < 60
    lines = logged(folder / "work")
    assert 0.6 < lines[-1]["seconds"] < 30
    assert lines[-1]["epoch"] > 1
    rates = [line["learning_rate"] for line in lines if "learning_rate" in line]
    falling = rates[rates.index(max(rates)) :]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] < 0.5 * falling[0]


def test_a_run_stopped_early_can_be_given_more_minutes(folder):
    recipe = recipe_of(folder)
    train(recipe, folder, folder / "work", minutes=0.005)
    before = torch.load(folder / "work" / STATE)["position"]
    train(recipe, folder, folder / "work", resume=True, minutes=0.02)
    after = torch.load(folder / "work" / STATE)["position"]
    assert after["step"] > before["step"]
    assert after["seconds"] > 0.6 > before["seconds"]


def test_memory_is_given_back_when_the_state_is_saved(folder, monkeypatch):
    given = []
    monkeypatch.setattr(trainer, "SAVE_EVERY", -1.0)
    monkeypatch.setattr(trainer, "give_back", lambda: given.append(True))
    train(recipe_of(folder, epochs=1), folder, folder / "work")
    assert given


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system for a process's memory")
def test_what_is_given_back_is_taken_no_longer():
    code = (
        "import psutil, seq2seq.training.memory as memory\n"
        "parts = [bytearray(100_000) for _ in range(2_000)]\n"
        "del parts[:-1]\n"
        "held = lambda: psutil.Process().memory_info().rss\n"
        "before = held()\n"
        "memory.give_back()\n"
        "print(before - held())"
    )
    never = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "8589934592"}
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        env=os.environ | never,
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(told.stdout) > 150e6


# --- beginning with the weights of a checkpoint


@pytest.fixture
def finished(folder):
    """A trained checkpoint: its weights, tokenizer and log in one folder."""
    recipe = recipe_of(folder)
    train(recipe, folder, folder / "first")
    start = folder / "checkpoint"
    shutil.copytree(folder / "first" / BEST, start)
    shutil.copyfile(folder / "first" / LOG, start / LOG)
    return start


def test_a_run_can_begin_with_the_weights_of_a_checkpoint(folder, finished):
    recipe = recipe_of(folder, learning_rate=1e-8, averaging=0.0)
    checkpoint = train(recipe, folder, folder / "second", start=finished)
    for before, after in zip(
        read_model(finished).parameters(), checkpoint.model.parameters(), strict=True
    ):
        assert torch.allclose(before, after, atol=1e-3)  # float16 on disk
    assert checkpoint.tokenizer.model == Unigram.load(finished / TOKENIZER).model


def test_a_run_keeps_a_share_of_the_weights_that_it_began_with(folder, finished):
    half = train(recipe_of(folder, start_share=0.5), folder, folder / "half", start=finished)
    parts = [read_model(path) for path in (finished, folder / "half" / BEST)]
    assert any(
        not torch.equal(*both) for both in zip(*(p.parameters() for p in parts), strict=True)
    )
    for mixed, *both in zip(half.model.parameters(), *(p.parameters() for p in parts), strict=True):
        assert torch.allclose(mixed, torch.stack(both).mean(dim=0), atol=1e-3)  # float16 on disk


def test_with_such_a_share_weights_worse_than_those_before_are_kept(folder, finished):
    recipe = recipe_of(folder, start_share=0.5, learning_rate=100.0, epochs=1)
    train(recipe, folder, folder / "worse", start=finished)
    losses = [line["valid_loss"] for line in logged(folder / "worse") if "valid_loss" in line]
    assert losses[-1] > losses[-2]
    before, after = (
        torch.cat([weight.flatten() for weight in read_model(path).parameters()])
        for path in (finished, folder / "worse" / BEST)
    )
    assert not torch.allclose(before, after, atol=1e-3)


def test_the_log_goes_on_where_that_of_the_checkpoint_ends(folder, finished, monkeypatch):
    monkeypatch.setattr(trainer.Trainer, "clock", itertools.count().__next__)
    train(recipe_of(folder), folder, folder / "second", start=finished)
    first, lines = logged(finished.parent / "first"), logged(folder / "second")
    assert lines[: len(first)] == first
    later = lines[len(first) :]
    assert later[-1]["step"] == 2 * first[-1]["step"]
    assert (later[0]["done"], later[0]["step"]) == (0, first[-1]["step"])
    assert later[-1]["seconds"] > first[-1]["seconds"]
    assert later[-1]["epoch"] == 2 * first[-1]["epoch"]


@pytest.mark.slow
def test_a_run_that_began_with_weights_is_resumed_as_any_other(
    folder, finished, interrupted, monkeypatch
):
    recipe = recipe_of(folder, evaluate_every=5)
    train(recipe, folder, folder / "whole", start=finished)
    interrupted(2)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, folder, folder / "parts", start=finished)
    monkeypatch.undo()
    train(recipe, folder, folder / "parts", resume=True)
    whole, parts = (logged(folder / name)[-1] for name in ("whole", "parts"))
    assert parts["step"] == whole["step"]
    assert parts["valid_loss"] == whole["valid_loss"]


def test_tokens_that_a_checkpoint_lacks_begin_as_those_they_consist_of(folder, finished):
    path = write_recipe(
        folder, TINY, {"epochs": 1}, tokenizer={"pieces": 30, "symbols": ["▁<new>", "ab"]}
    )
    recipe = read_recipe(path)
    beginning = read_beginning(finished, recipe)
    assert beginning.tokenizer is None
    run = trainer.Trainer(recipe, folder, folder)
    fresh = run.model.decoder.embedding.weight.detach().clone()
    take_weights(run.model, beginning, run.tokenizer)
    before, after = beginning.model, run.model
    pieces = run.tokenizer.pieces(range(len(run.tokenizer)))
    known = beginning.known.pieces(range(len(beginning.known)))
    old, new = before.decoder.embedding.weight, after.decoder.embedding.weight
    for piece in set(pieces) & set(known):
        assert torch.equal(new[pieces.index(piece)], old[known.index(piece)])
    parts = [known.index(letter) for letter in ("a", "b") if letter in known]
    if len(parts) == 2:
        assert torch.allclose(new[pieces.index("ab")], old[parts].mean(dim=0))
    assert torch.equal(new[pieces.index("▁<new>")], fresh[pieces.index("▁<new>")])
    for name, weight in before.decoder.stack.state_dict().items():
        assert torch.equal(after.decoder.stack.state_dict()[name], weight), name


def test_a_model_that_copies_can_begin_with_one_that_does_not(folder):
    plain, copying = ({**ATTENTION, "copies": copies} for copies in (False, True))
    train(recipe_of(folder, plain, epochs=1), folder, folder / "first")
    beginning = read_beginning(folder / "first" / BEST, recipe_of(folder, copying))
    run = trainer.Trainer(recipe_of(folder, copying), folder, folder)
    made = run.model.decoder.switch.weight.detach().clone()
    take_weights(run.model, beginning, run.tokenizer)
    after = run.model.state_dict()
    for name, weight in beginning.model.state_dict().items():
        assert torch.equal(after[name], weight), name
    assert torch.equal(run.model.decoder.switch.weight, made)
    save(folder / "copying", run.checkpoint)
    with pytest.raises(UserError, match="has copies True, the recipe False"):
        read_beginning(folder / "copying", recipe_of(folder, plain))


def test_a_listener_can_begin_with_one_that_hears_another_level(folder):
    audio = {"architecture": "recurrent", "input": "audio", "bins": 8, "width": 8}
    recipe = recipe_of(folder, audio | {"level": "peak", "margin": 2})
    before = build(Config.from_dict({**audio, "vocabulary": 9}))
    save(folder / "before", before, Unigram.train(["abcd abcd"], 9, kind="character"))
    assert read_beginning(folder / "before", recipe).model.config.level == "mean"
    with pytest.raises(UserError, match="has bins 8, the recipe 12"):
        read_beginning(folder / "before", recipe_of(folder, audio | {"bins": 12}))


class Turned(list):
    """A tokenizer of the same pieces, those after the special ones in reverse order."""

    def pieces(self, ids):
        return [*self[:4], *reversed(self[4:])]


def test_tokens_of_another_order_keep_their_weights_where_there_are_as_many(folder, finished):
    before = read_beginning(finished, recipe_of(folder))
    pieces = list(before.known.pieces(range(len(before.known))))
    run = trainer.Trainer(recipe_of(folder), folder, folder)
    take_weights(run.model, replace(before, tokenizer=None), Turned(pieces))
    for weights in ("encoder.embedding.weight", "decoder.embedding.weight", "decoder.output.bias"):
        old, new = (each.state_dict()[weights] for each in (before.model, run.model))
        assert torch.equal(new[:4], old[:4])
        assert torch.equal(new[4:], old[4:].flip(0)), weights


def test_a_tokenizer_that_joins_digits_is_fitted_anew_where_each_is_to_be_a_piece(folder):
    lines = [f"{year} {'abcdefgh'[year % 8]}\t{year}\n" for year in (1987, 1988) * 40]
    for name in ("train.tsv", "valid.tsv"):
        (folder / name).write_text("".join(lines))
    joined, apart = (
        read_recipe(write_recipe(folder, TINY, {"epochs": 1}, tokenizer={"pieces": 22} | digits))
        for digits in ({}, {"digits": True})
    )
    first = train(joined, folder, folder / "joined")
    assert len(first.tokenizer.split("1987").pieces) < 4
    save(folder / "start", first)
    assert read_beginning(folder / "start", apart).tokenizer is None
    second = train(apart, folder, folder / "apart", start=folder / "start")
    assert second.tokenizer.split("1987").pieces[-4:] == ("1", "9", "8", "7")
    save(folder / "next", second)
    assert read_beginning(folder / "next", apart).tokenizer is not None


def test_weights_that_training_makes_no_better_are_kept(folder, finished):
    recipe = recipe_of(folder, learning_rate=10, warmup_steps=0, averaging=0.0, clip=1e6)
    checkpoint = train(recipe, folder, folder / "second", start=finished)
    before = read_model(finished).state_dict()
    for name, weight in checkpoint.model.state_dict().items():
        assert torch.equal(weight, before[name]), name


@pytest.mark.parametrize("changed", [{"width": 16}, {"attention": "general"}, {"cell": "lstm"}])
def test_weights_of_another_model_are_refused(folder, finished, changed):
    name, value = next(iter(changed.items()))
    recipe = recipe_of(folder, {**TINY, **changed})
    with pytest.raises(UserError, match=f"has {name} {TINY[name]}, the recipe {value}"):
        train(recipe, folder, folder / "second", start=finished)
    assert not (folder / "second").exists()


@pytest.mark.parametrize(
    "text", ["", "no JSON\n", '{"epoch": 1}\n', "[1]\n", '{"step": [], "epoch": 1, "seconds": 2}']
)
def test_a_log_that_cannot_be_read_is_named(folder, finished, text):
    (finished / LOG).write_text(text)
    with pytest.raises(UserError, match=f"{LOG} of checkpoint is damaged"):
        train(recipe_of(folder), folder, folder / "second", start=finished)


def test_what_is_no_checkpoint_begins_nothing(folder, finished):
    (finished / TOKENIZER).unlink()
    for start in (finished, folder):
        with pytest.raises(UserError, match="no checkpoint of this library"):
            train(recipe_of(folder), folder, folder / "second", start=start)


def test_a_run_does_not_begin_in_its_own_folder(folder):
    recipe = recipe_of(folder, epochs=1)
    train(recipe, folder, folder / "work")
    (folder / "work" / STATE).unlink()
    with pytest.raises(UserError, match="best lies in the run's own folder"):
        train(recipe, folder, folder / "work", start=folder / "work" / BEST)
    assert (folder / "work" / BEST / "model.safetensors").is_file()


# --- several processes


# Each process tells a fingerprint of the weights that it has trained.
SCRIPT = """
import hashlib, sys
from pathlib import Path
import torch
from seq2seq.training import datasets, trainer
from seq2seq.training.loop import Learner
from seq2seq.training.recipe import read_recipe

class Telling(trainer.Trainer):
    def best(self):
        weights = b"".join(each.detach().numpy().tobytes() for each in self.model.parameters())
        print(hashlib.sha256(weights).hexdigest())
        return super().best()

trainer.Trainer = Telling
torch.set_num_threads(1)
folder = Path(sys.argv[1])
trainer.train(read_recipe(folder / "recipe.toml"), folder, folder / "work")
"""


@pytest.mark.slow
def test_two_processes_train_one_checkpoint(folder):
    recipe = recipe_of(folder, evaluate_every=4)
    (folder / "script.py").write_text(SCRIPT)
    command = ["torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    root = Path(trainer.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", *command, str(folder / "script.py"), str(folder)],
        env=os.environ | {"PYTHONPATH": str(root), "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    fingerprints = done.stdout.split()
    assert len(fingerprints) == 2
    assert len(set(fingerprints)) == 1
    work = folder / "work"
    steps = [line["step"] for line in logged(work) if "valid_loss" in line]
    batches = trainer.Trainer(recipe, folder, work, 0, 1)._steps_in_all() // 2  # of two epochs
    together = batches // 2 * 2
    assert steps == [*range(4, together + 1, 4), together]
    assert logged(work)[-1]["epoch"] == 2  # half the steps, all the data
    losses = [line["valid_loss"] for line in logged(work) if "valid_loss" in line]
    assert losses[-1] < losses[0]
    assert read_model(work / BEST).config.width == 12


# --- mistakes


def test_there_has_to_be_a_run_to_resume(folder):
    with pytest.raises(UserError, match="no run of letters to resume"):
        train(recipe_of(folder), folder, folder / "work", resume=True)
    assert not (folder / "work").exists()


def test_a_run_is_not_overwritten(folder):
    recipe = recipe_of(folder, epochs=1)
    train(recipe, folder, folder / "work")
    state = (folder / "work" / STATE).read_bytes()
    with pytest.raises(UserError, match="A run of letters stands"):
        train(recipe, folder, folder / "work")
    assert (folder / "work" / STATE).read_bytes() == state


@pytest.mark.parametrize(
    "changed", [{"model": {**TINY, "width": 16}}, {"learning_rate": 0.5}, {"seed": 2}], ids=str
)
def test_a_run_of_another_recipe_is_not_resumed(folder, changed):
    train(recipe_of(folder, epochs=1), folder, folder / "work")
    with pytest.raises(UserError, match="recipe"):
        train(recipe_of(folder, **{"epochs": 1, **changed}), folder, folder / "work", resume=True)


def test_what_a_run_without_state_left_is_cleared(folder):
    (folder / "work" / BEST).mkdir(parents=True)
    for name in (LOG, "tokenizer.model", f"{BEST}/config.json"):
        (folder / "work" / name).write_text("left over\n")
    checkpoint = train(recipe_of(folder, epochs=1), folder, folder / "work")
    assert len(checkpoint.tokenizer) == 21
    assert logged(folder / "work")


def test_a_loss_that_is_no_number_ends_with_a_remedy(folder, monkeypatch):
    step = Learner.step

    def explode(learner, batch, done):
        losses = step(learner, batch, done)
        with torch.no_grad():
            next(learner.model.parameters()).fill_(float("nan"))
        return losses

    monkeypatch.setattr(Learner, "step", explode)
    with pytest.raises(UserError, match="learning_rate"):
        train(recipe_of(folder, epochs=1), folder, folder / "work")


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: b"text", lambda data: data[:999]]
)
def test_a_damaged_state_is_not_resumed(folder, damage):
    recipe = recipe_of(folder, epochs=1)
    train(recipe, folder, folder / "work")
    path = folder / "work" / STATE
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match="damaged"):
        train(recipe, folder, folder / "work", resume=True)


@pytest.mark.parametrize(
    ("model", "more", "named"),
    [
        (TINY, {"data": {"train": ["nowhere.tsv"]}}, r"nowhere\.tsv"),
        (TINY, {"data": {"valid": ["nowhere.tsv"]}}, r"nowhere\.tsv"),
        (TINY, {"data": {"columns": ["en", "fr"]}}, "'en'"),
        (TINY, {"data": {"max_tokens": 1}}, "Too few examples of at most 1 tokens"),
        (TINY, {"tokenizer": {"pieces": 9}}, "9 pieces"),
        ({**TINY, "colour": "red"}, {}, "'colour'"),
        ({**TINY, "cell": "mlp"}, {}, "cell"),
        ({**TRANSFORMER, "positions": "learned", "max_positions": 3}, {}, "3 positions"),
    ],
    ids=str,
)
def test_a_mistake_in_the_recipe_is_a_users(folder, model, more, named):
    recipe = read_recipe(write_recipe(folder, model, {"epochs": 1}, **more))
    with pytest.raises(UserError, match=named):
        train(recipe, folder, folder / "work")
    assert not (folder / "work" / STATE).exists()


def test_a_mistake_in_the_model_shows_before_the_tokenizer_is_fitted(folder):
    recipe = read_recipe(write_recipe(folder, {**TINY, "cell": "mlp"}, {}))
    with pytest.raises(UserError, match="cell"):
        train(recipe, folder, folder / "work")
    assert not (folder / "work").exists()


def test_after_a_mistake_the_run_can_be_started_again(folder):
    wrong = read_recipe(write_recipe(folder, TINY, {"epochs": 1}, data={"max_tokens": 1}))
    with pytest.raises(UserError):
        train(wrong, folder, folder / "work")
    assert train(recipe_of(folder, epochs=1), folder, folder / "work").tokenizer.decode([5])
