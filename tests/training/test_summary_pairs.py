import random

import pytest

from seq2seq.data.parallel_corpus import Pair
from seq2seq.errors import UserError
from seq2seq.training.datasets import read_corpus
from seq2seq.training.recipe import parse_recipe
from seq2seq.training.summary_pairs import in_paragraphs, instructed

RECIPE = """
[card]
name = "sums"
title = "Test"
task = "summarization"
licence = "CC0-1.0"
folded = true
instructions = ["compress", "abstract"]

[data]
train = ["pairs.tsv", "pairs.tsv"]
valid = ["pairs.tsv", "other.tsv"]
instructions = ["<compress>", "<abstract>"]
valid_instructions = ["<compress>", "<abstract>"]
paragraph = [1, 6]
lead = [1, 2]
headlines = [false, true]

[qualifiers]
restored = true

[tokenizer]
pieces = 120
symbols = ["▁<compress>", "▁<abstract>"]

[model]
architecture = "recurrent"
"""
ROWS = [f"the cat number {n} will not sleep, it said.\tthe cat will sleep." for n in range(40)]


@pytest.fixture
def corpus(tmp_path):
    for name, rows in (("pairs.tsv", ROWS), ("other.tsv", ROWS[:7])):
        (tmp_path / name).write_text("\n".join(["sentence\tcompression", *rows]))
    corpus = read_corpus(parse_recipe(RECIPE), tmp_path)
    corpus.encode(corpus.fit())
    return corpus


def test_paragraphs_use_each_source_once_and_have_the_first_targets():
    pairs = [Pair(f"s{n}.", f"t{n}.") for n in range(50)]
    texts = in_paragraphs(pairs, 7, 2, random.Random(0))
    sources = [source for text in texts for source in text.source.split()]
    assert sorted(sources) == sorted(pair.source for pair in pairs)
    for text in texts:
        read, learnt = text.source.split(), text.target.split()
        assert 1 <= len(read) <= 7
        assert learnt == [source.replace("s", "t") for source in read[:2]]
    assert in_paragraphs(pairs, 1, 1, random.Random(0)) == pairs


def test_each_file_has_its_instruction_and_its_form(corpus):
    tokenizer, examples = corpus.tokenizer, corpus.epoch(0)
    firsts = [tokenizer.pieces(example.source)[0] for example in examples]
    assert firsts.count("▁<compress>") == 40
    assert 7 <= firsts.count("▁<abstract>") == len(examples) - 40
    for first, example in zip(firsts, examples, strict=True):
        target = tokenizer.decode(example.target)
        if first == "▁<compress>":
            assert target == "the cat will not sleep."
        else:
            assert target.startswith("cat will not sleep")
    assert corpus.epoch(0) == examples != corpus.epoch(1)


def test_each_instruction_counts_alike_when_weights_are_chosen(corpus):
    parts = corpus.valid_parts
    assert [len(parts[key]) for key in ("<compress>", "<abstract>")] == [40, 7]
    for instruction, part in parts.items():
        for example, pair in zip(part, corpus.valid_by_instruction[instruction], strict=True):
            [read] = instructed([pair], instruction)
            assert example.source == corpus.tokenizer.encode(read.source)


def test_texts_are_not_joined_behind_their_instructions(tmp_path):
    recipe = RECIPE.replace("lead =", "join = 0.5\nlead =")
    with pytest.raises(UserError, match="give a paragraph instead"):
        read_corpus(parse_recipe(recipe), tmp_path)


@pytest.mark.parametrize(
    "line", ["paragraph = [1]", "headlines = [true]", "valid_instructions = []", "lead = [0, 1]"]
)
def test_a_list_has_one_for_each_file(line):
    name = line.split()[0]
    lines = [line if each.startswith(f"{name} ") else each for each in RECIPE.splitlines()]
    if name == "valid_instructions":
        assert parse_recipe("\n".join(lines)).data.valid_instructions == ()
        return
    with pytest.raises(UserError, match=name):
        parse_recipe("\n".join(lines))
