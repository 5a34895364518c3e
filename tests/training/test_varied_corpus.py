import pytest

from seq2seq.training.datasets import read_corpus
from seq2seq.training.recipe import read_recipe

RECIPE = """
[card]
title = "Test"
task = "translation"
languages = ["en", "fr"]
licence = "CC0-1.0"
summary = "A test."
examples = ["Tom."]
data = ["Our own"]

[data]
train = ["pairs.tsv"]
valid = ["pairs.tsv"]
columns = ["en", "fr"]

[substitution]
replaced = 1.0
made = 2.0

[typing]
lower = 0.5

[tokenizer]
pieces = 200
digits = true

[model]
architecture = "recurrent"
"""


@pytest.fixture
def corpus(tmp_path):
    rows = [f"Tom has {n} apples.\tTom a {n} pommes." for n in range(20, 60)]
    (tmp_path / "pairs.tsv").write_text("\n".join(["en\tfr", *rows]), encoding="utf-8")
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return read_corpus(read_recipe(tmp_path / "recipe.toml"), tmp_path)


def test_an_epoch_is_drawn_anew_and_the_same_for_its_number(corpus):
    tokenizer = corpus.fit()
    corpus.encode(tokenizer)
    first, again, second = corpus.epoch(0), corpus.epoch(0), corpus.epoch(1)
    assert first == again != second
    assert len(first) == 3 * 40
    sources = [tokenizer.decode(example.source) for example in first]
    assert sum(source.islower() for source in sources) > 20
    assert not any("Tom has" in source for source in sources[:40])


def test_digits_are_pieces_of_their_own(corpus):
    pieces = corpus.fit().split("5947").pieces
    assert [each.strip("▁") for each in pieces if each != "▁"] == [*"5947"]
