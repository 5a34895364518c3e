"""Trainings of this server's visitors, and what is known of a model before it is trained."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from seq2seq.data.own_pairs import MOST_PAIRS, as_lines, split_pairs, token_kind
from seq2seq.data.parallel_corpus import Pair
from seq2seq.errors import UserError
from seq2seq.training.task_recipe import PAIRS_FILES, PIECES
from ui.runtime.hosting import is_hosted
from ui.runtime.model_store import Brought, models
from ui.runtime.visits import presence

if TYPE_CHECKING:
    from seq2seq.training.jobs import Jobs, Training
    from seq2seq.training.recipe import Recipe

HOSTED_PAIRS = 5_000
MEGABYTES = 1_500  # that a training may take
PROCESS_MEGABYTES = 4_000  # of address space with data, which is more than what is used of it
KEPT = 600.0  # seconds for which a hosted server keeps a model whose visitor has left
SHOWN = 8  # characters of the source in the picture of own pairs, or about as many
SAMPLE = 500  # pairs, to find the vocabulary of a task
LONGEST = 40  # tokens of a source or target, where it is not known yet


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """Return the trainings of this server; they end with it."""
    import atexit

    from seq2seq.training.jobs import Jobs

    made = Jobs(keep=KEPT if is_hosted() else None, on_remove=_forget_trained)
    atexit.register(made.close)
    return made


def most_pairs() -> int:
    """Return how many pairs of their own visitors may bring."""
    return HOSTED_PAIRS if is_hosted() else MOST_PAIRS


class Plan(NamedTuple):
    """Recipes that were found fit to be trained, and files that they read, by their names."""

    recipes: tuple[str, ...]
    files: dict[str, str]


def plan(recipes: tuple[str, ...], pairs: tuple[Pair, ...], seed: int) -> Plan:
    """Check recipes before anything is taken for them. Raises UserError for what does not fit."""
    from seq2seq.training.memory import needed_megabytes
    from seq2seq.training.recipe import parse_recipe

    files: dict[str, str] = {}
    if pairs:
        drawn = split_pairs(pairs, seed)
        files = {PAIRS_FILES["train"]: as_lines(drawn.train)}
        files[PAIRS_FILES["valid"]] = as_lines(drawn.valid)
    needed = 0.0
    for text in recipes:
        recipe = parse_recipe(text)
        sizes = vocabulary_sizes(text, pairs)
        config = _config(recipe, sizes)
        needed += needed_megabytes(config, recipe.training.batch_tokens, LONGEST)
    if needed > MEGABYTES:
        raise UserError(
            f"This would take about {needed:,.0f} MB of memory, and {MEGABYTES:,} are allowed: "
            "choose a smaller width, fewer layers or smaller batches."
        )
    return Plan(recipes, files)


def begin(planned: Plan, minutes: float, about: Any) -> Training:
    """Ask for a training of so many minutes in all. Raises UserError where too many wait.

    about: the settings that it was made from.
    """
    from seq2seq.training.jobs import job_of

    job = job_of(planned.recipes, 60 * minutes, PROCESS_MEGABYTES)
    return jobs().submit(job, planned.files, about)


def watch(training: Training) -> None:
    """Note that this visitor looks at a training, for as long as the page is open in a browser."""
    training.touch()
    training.is_watched = presence()


def parameters(recipe: str, pairs: tuple[Pair, ...] = ()) -> int:
    """Count the weights that a recipe's model will have. Raises UserError for what is no model."""
    from seq2seq.training.memory import parameter_count
    from seq2seq.training.recipe import parse_recipe

    return parameter_count(_config(parse_recipe(recipe), vocabulary_sizes(recipe, pairs)))


def _config(recipe: Recipe, sizes: tuple[int, int]) -> Any:
    from seq2seq.models.config import Config

    source, target = sizes
    values: dict[str, Any] = {**recipe.model, "vocabulary": target}
    if recipe.tokenizer.source_kind:
        values |= {"source_vocabulary": source, "shared": False}
    return Config.from_dict(values)


def vocabulary_sizes(recipe: str, pairs: tuple[Pair, ...] = ()) -> tuple[int, int]:
    """Return how many tokens a recipe's source and target have; pairs: a visitor's own."""
    from seq2seq.training.recipe import parse_recipe

    parsed = parse_recipe(recipe)
    if parsed.data.task:
        return _task_sizes(parsed.data.task)
    size = _own_size(hash(pairs), parsed.training.seed, pairs)
    return size, size


@st.cache_data(max_entries=32, show_spinner=False)
def _task_sizes(task: str) -> tuple[int, int]:
    tokenizer = _task_tokenizer(task)
    return len(getattr(tokenizer, "source", tokenizer)), len(tokenizer)


def _task_tokenizer(task: str) -> Any:
    from seq2seq.training.datasets import TextCorpus
    from seq2seq.training.recipe import parse_recipe
    from seq2seq.training.task_recipe import task_recipe

    sample = parse_recipe(task_recipe(task, data={"pairs": SAMPLE, "held_out": 1}))
    return TextCorpus(sample, Path()).fit()


@st.cache_data(max_entries=4, show_spinner=False, scope="session")
def _own_size(digest: int, seed: int, _pairs: tuple[Pair, ...]) -> int:
    """Count the tokens of a visitor's pairs, whose hash is the digest, but for those held out."""
    return len(_own_tokenizer(split_pairs(_pairs, seed).train, own_kind(_pairs)))


@st.cache_data(max_entries=16, show_spinner=False)
def untrained_picture(recipe: str, text: str) -> dict[str, Any]:
    """Describe the live picture of a recipe's model, with fresh weights, on a text of its task."""
    from seq2seq.training.recipe import parse_recipe

    return _picture(recipe, text, _task_tokenizer(parse_recipe(recipe).data.task))


@st.cache_data(max_entries=4, show_spinner=False, scope="session")
def own_picture(recipe: str, digest: int, _pairs: tuple[Pair, ...]) -> dict[str, Any]:
    """Describe it on a short source among a visitor's own pairs, whose hash is the digest."""
    text = min((pair.source for pair in _pairs), key=lambda source: abs(len(source) - SHOWN))
    return _picture(recipe, text, _own_tokenizer(_pairs, own_kind(_pairs)))


def _own_tokenizer(pairs: tuple[Pair, ...], kind: str) -> Any:
    from seq2seq.data.tokenizer import SplitRules, Unigram

    texts = [text for pair in pairs for text in pair]
    return Unigram.train(texts, PIECES, kind, rules=SplitRules(space=kind == "word"))


def _picture(recipe: str, text: str, tokenizer: Any) -> dict[str, Any]:
    import torch

    from seq2seq.analysis.model_outline import outline
    from seq2seq.analysis.run_internals import run_internals
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.options import Options
    from seq2seq.figures.architecture import architecture
    from seq2seq.inference.pipeline import run
    from seq2seq.models.seq2seq import build
    from seq2seq.training.recipe import parse_recipe

    parsed = parse_recipe(recipe)
    sizes = len(getattr(tokenizer, "source", tokenizer)), len(tokenizer)
    with torch.random.fork_rng():
        torch.manual_seed(parsed.training.seed)
        model = build(_config(parsed, sizes))
    checkpoint = Checkpoint(model, tokenizer, parsed.card)
    options = Options(method="greedy", max_length=len(tokenizer.encode(text)) + 1)
    trace = run(checkpoint, text, options)
    return architecture(trace, outline(checkpoint), run_internals(checkpoint, text, trace, options))


def bring_trained(training: Training, letter: str) -> str:
    """Make a trained model one that all pages can open; returns its name there.

    Raises UserError where there is none, or where it is damaged.
    """
    folder = training.progress[letter].folder
    if not folder or not Path(folder).is_dir():
        raise UserError("This model is no longer here: train it again.")
    store, name = models(), _name_of(training, letter)
    if name not in store.brought:
        copy = Path(store.uploads.name) / f"{name}-{secrets.token_hex(4)}"
        shutil.copytree(folder, copy)
        from seq2seq.catalogue import read_card

        title = read_card(copy).title
        store.bring(name, Brought(copy, read_card(copy), uploaded=True, private=True))
        store.brought[name] = store.brought[name]._replace(
            card=_titled(store.brought[name].card, title)
        )
    return name


def _name_of(training: Training, letter: str) -> str:
    return f"trained-{training.name[:8]}-{letter.lower()}"


def _forget_trained(training: Training) -> None:
    """Delete what was made of a training's models when they were opened on other pages."""
    for letter in training.progress:
        models().forget(_name_of(training, letter))


def _titled(card: Any, title: str) -> Any:
    from dataclasses import replace

    return replace(card, title=title)


def own_kind(pairs: tuple[Pair, ...]) -> str:
    """Return the kind of tokens for a visitor's pairs."""
    return token_kind(pairs) if pairs else "character"
