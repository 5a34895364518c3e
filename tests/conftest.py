"""Shared fixtures: a tiny tokenizer, and a tiny checkpoint of each kind with fresh weights."""

import functools
import json
import os
import shutil

# Read by Keras when it is first imported.
os.environ.setdefault("KERAS_BACKEND", "torch")
# One device for all: references and inputs are made on the CPU.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import pytest
import streamlit as st
import streamlit.config
import torch
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner import script_runner

from seq2seq.checkpoint import load, save
from seq2seq.data.parallel_corpus import Pair
from seq2seq.data.tokenizer import Unigram
from seq2seq.decoding.options import Options
from seq2seq.families.tokenizers import read_tokenizer
from seq2seq.inference.pipeline import run
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import build
from tests import vocabularies

torch.set_num_threads(1)
# Pages are tested as on a personal computer, unless a test makes its server a hosted one.
streamlit.config.set_option("server.address", "localhost")
# Each AppTest looks through all installed packages for components; they stay the same.
manifest_scanner.scan_component_manifests = functools.cache(
    manifest_scanner.scan_component_manifests
)
# Each run has Keras, where a notebook has loaded it, collect all garbage; pages never load it.
script_runner._clean_problem_modules = lambda: None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """On pages the other architectures stand for this one; `make test-all` has it too."""
    for item in items:
        values = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if item.path.parent.name in ("pages", "ui") and "rnn-additive" in values:
            item.add_marker(pytest.mark.slow)


PAIRS = [
    Pair("The cat sleeps on the chair.", "Le chat dort sur la chaise."),
    Pair("The dog runs in the garden.", "Le chien court dans le jardin."),
    Pair("My sister reads a good book.", "Ma sœur lit un bon livre."),
    Pair("My brother drinks a cup of tea.", "Mon frère boit une tasse de thé."),
    Pair("We are going to the market.", "Nous allons au marché."),
    Pair("You are very kind today.", "Vous êtes très gentil aujourd'hui."),
    Pair("It is raining in the city.", "Il pleut dans la ville."),
    Pair("The old house has a red door.", "La vieille maison a une porte rouge."),
    Pair("Where is the small train station?", "Où est la petite gare ?"),
    Pair("I would like some bread, please.", "Je voudrais du pain, s'il vous plaît."),
    Pair("The children play near the river.", "Les enfants jouent près de la rivière."),
    Pair("She wrote a long letter to him.", "Elle lui a écrit une longue lettre."),
    Pair("He opened the window this morning.", "Il a ouvert la fenêtre ce matin."),
    Pair("They live in a blue house.", "Ils habitent dans une maison bleue."),
    Pair("The teacher explains the question.", "Le professeur explique la question."),
    Pair("Winter is cold and summer is hot.", "L'hiver est froid et l'été est chaud."),
    Pair("I do not know the answer.", "Je ne connais pas la réponse."),
    Pair("The blue car is behind the house.", "La voiture bleue est derrière la maison."),
    Pair("Our friends arrive tomorrow.", "Nos amis arrivent demain."),
    Pair("Give me the book on the table.", "Donne-moi le livre sur la table."),
    Pair("The night is quiet and dark.", "La nuit est calme et sombre."),
    Pair("A bird sings in the old tree.", "Un oiseau chante dans le vieil arbre."),
    Pair("We ate fish and fresh bread.", "Nous avons mangé du poisson et du pain frais."),
    Pair("The train leaves at ten o'clock.", "Le train part à dix heures."),
]

# One of each sort that behaves differently: with and without attention, both places where
# attention can sit, one direction and two, unequal depths, tied and not, and the Transformer.
KINDS = {
    "lstm-attention": {
        "cell": "lstm",
        "attention": "general",
        "feeds": "token",
        "encoder_layers": 2,
        "decoder_layers": 2,
    },
    "gru-plain": {"cell": "gru", "attention": "none", "feeds": "context", "embedding": 12},
    "rnn-additive": {
        "cell": "rnn",
        "attention": "additive",
        "feeds": "context",
        "bidirectional": True,
        "decoder_layers": 2,
        "tied": False,
        "shared": False,
        "copies": True,
    },
    "transformer": {
        "architecture": "transformer",
        "encoder_layers": 2,
        "decoder_layers": 2,
        "heads": 2,
        "feedforward": 32,
    },
}

CARD = """\
title = "A tiny model"
task = "translation"
licence = "CC0-1.0"
summary = "Fresh weights: it has learnt nothing."
languages = ["en", "fr"]
examples = ["The cat sleeps.", "Where is the dog?"]
"""


# As TOML has it: two paragraphs.
PARAGRAPHS = (
    "The old dog sleeps in the garden. My sister reads a good book.\\n\\n"
    "The children play near the river. It is raining in the city."
)


@pytest.fixture(autouse=True)
def _same_weights_every_time():
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def pairs():
    return PAIRS


@pytest.fixture(scope="session")
def tokenizer():
    return Unigram.train([text for pair in PAIRS for text in pair], pieces=120)


@pytest.fixture(scope="session")
def checkpoint_root(tmp_path_factory, tokenizer):
    """A folder that holds one complete checkpoint folder of each kind."""
    root = tmp_path_factory.mktemp("checkpoints")
    for seed, (name, values) in enumerate(KINDS.items()):
        torch.manual_seed(seed)
        folder, config = (
            root / name,
            Config.from_dict({"vocabulary": len(tokenizer), "width": 16, **values}),
        )
        save(folder, build(config), tokenizer)
        (folder / "card.toml").write_text(CARD, encoding="utf-8")
        recipe = (
            f'[card]\n{CARD}\n[data]\ntrain = ["train.tsv"]\nvalid = ["valid.tsv"]\n\n[model]\n'
        )
        recipe += "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
        (folder / "recipe.toml").write_text(recipe, encoding="utf-8")
        (folder / "evaluation.json").write_text(
            json.dumps({"bleu": float(name == "lstm-attention"), "chrf": 0.0}), encoding="utf-8"
        )
        (folder / "README.md").write_text("# A tiny model\n", encoding="utf-8")
    return root


@pytest.fixture
def root(checkpoint_root, tmp_path, monkeypatch):
    """A server that sees the tiny checkpoints, in a folder that a test may damage."""
    copy = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", copy)
    st.cache_resource.clear()
    yield copy
    st.cache_resource.clear()


@pytest.fixture(scope="session", params=list(KINDS))
def checkpoint_folder(request, checkpoint_root):
    return checkpoint_root / request.param


@pytest.fixture(scope="session")
def checkpoint(checkpoint_folder):
    return load(checkpoint_folder)


@pytest.fixture(scope="session")
def trace(checkpoint):
    options = Options(beam_width=3, n_best=3, max_length=8)
    return run(checkpoint, "The old dog sleeps in the garden.", options, self_attention=True)


@pytest.fixture(scope="session")
def cases(tmp_path_factory):
    """Return our and the reference's tokenizer of a family in a layout, each made once."""
    root = tmp_path_factory.mktemp("families")
    found = {}

    def get(name, layout="published"):
        if (name, layout) not in found:
            folder = root / name / layout
            if layout == "published":
                vocabularies.FAMILIES[name][1](folder)
            else:
                get(name).reference.save_pretrained(folder)
            found[name, layout] = vocabularies.Case(name, folder)
        return found[name, layout]

    return get


@pytest.fixture
def altered(cases, tmp_path):
    """Return a function that reads a family after some of its published files were changed."""

    def read(name, values=None, **files):
        folder = tmp_path / "altered"
        shutil.copytree(cases(name).folder, folder, dirs_exist_ok=True)
        for file, content in files.items():
            if content is None:
                (folder / vocabularies.NAMES[file]).unlink()
            else:
                vocabularies.write(folder, **{file: content})
        return read_tokenizer(folder, vocabularies.FAMILIES[name][0], values or {})

    return read


@pytest.fixture(scope="session")
def summarizers(checkpoint_root, tmp_path_factory):
    """A folder of the tiny checkpoints, which say that they sum up."""
    copy = shutil.copytree(checkpoint_root, tmp_path_factory.mktemp("sums") / "checkpoints")
    for card in copy.glob("*/card.toml"):
        text = card.read_text(encoding="utf-8").replace("translation", "summarization")
        card.write_text(text.replace("The cat sleeps.", PARAGRAPHS), encoding="utf-8")
    return copy
