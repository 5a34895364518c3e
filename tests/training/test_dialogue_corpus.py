import math

import pytest

from seq2seq.data.parallel_corpus import Pair
from seq2seq.evaluation.losses import corpus_loss
from seq2seq.models.config import RecurrentConfig
from seq2seq.models.seq2seq import build
from seq2seq.training.datasets import read_corpus
from seq2seq.training.recipe import read_recipe

RECIPE = """
[card]
title = "Test"
task = "chatbot"
languages = ["en"]
licence = "CC0-1.0"
summary = "A test."
examples = ["My cat died."]
data = ["Our own"]
turn_separator = "¶"
turns = 4

[data]
train = ["talks.tsv"]
valid = {valid}
columns = ["before", "context", "response"]
{data}

[dialogue]
{dialogue}

[tokenizer]
pieces = 120
symbols = ["¶"]

[model]
architecture = "recurrent"

[prompts]
care = ["My cat died."]
"""
TALK = [
    "What did you do on Sunday?",
    "I painted a picture of the old harbour.",
    "Is the harbour far from here?",
    "It takes an hour to the harbour by train.",
    "So the whole family went along to town.",
    "My computer is a machine from last century.",
]


@pytest.fixture
def corpus_of(tmp_path):
    def make(dialogue, data="", valid='["talks.tsv"]'):
        rows = ["\t".join(TALK[at : at + 3]) for at in range(len(TALK) - 2)]
        rows = ["before\tcontext\tresponse", *rows]
        (tmp_path / "talks.tsv").write_text("\n".join(rows), encoding="utf-8")
        (tmp_path / "recipe.toml").write_text(
            RECIPE.format(dialogue=dialogue, data=data, valid=valid), encoding="utf-8"
        )
        corpus = read_corpus(read_recipe(tmp_path / "recipe.toml"), tmp_path)
        corpus.encode(corpus.fit())
        return corpus

    return make


def texts(corpus):
    decode = corpus.tokenizer.decode
    return [(decode(one.source), decode(one.target)) for one in corpus.epoch(0)]


def test_earlier_turns_are_read_where_the_file_has_them(corpus_of):
    turns = [source.count("¶") + 1 for source, _ in texts(corpus_of("earlier = 2"))]
    assert turns == [2, 3, 4, 4]
    assert [source.count("¶") + 1 for source, _ in texts(corpus_of("earlier = 0"))] == [2] * 4


def test_replies_that_take_up_nothing_are_left_out(corpus_of):
    replies = [reply for _, reply in texts(corpus_of("unrelated = 0"))]
    assert replies == TALK[2:4]


def test_sources_are_left_blank_and_exchanges_are_added(corpus_of):
    assert {source for source, _ in texts(corpus_of("blank = 1"))} == {""}
    corpus = corpus_of("made = 2")
    assert len(corpus.epoch(0)) == 3 * 4
    # Weights that are chosen by what they have learnt by heart would be those that know only that.
    assert len(corpus.valid) == 4
    assert not any(source == "My cat died." for source, _ in texts(corpus))


def test_questions_at_the_end_of_a_reply_are_left_out_where_something_stands_before_them(
    corpus_of, tmp_path
):
    corpus = corpus_of("unasked = 1")
    statement, question = TALK[1:3]
    replies = [f"{statement} {question}", question, statement]
    corpus.files = [[Pair(TALK[0], reply) for reply in replies]]
    assert sorted(reply for _, reply in texts(corpus)) == [statement, statement, question]


def test_a_training_is_measured_by_as_many_pairs_as_the_recipe_says(corpus_of):
    some = corpus_of("made = 2", "measured = 3").valid
    assert len(some) == 3
    assert set(some) <= set(corpus_of("made = 2").valid)
    assert len(corpus_of("made = 2", "measured = 99").valid) == 4


def test_files_count_the_same_in_what_weights_are_chosen_by(corpus_of, tmp_path):
    """However long one is: what there is most of is not what matters most."""
    rows = ["before\tcontext\tresponse", "\t".join(TALK[2:5])]
    (tmp_path / "few.tsv").write_text("\n".join(rows), encoding="utf-8")
    corpus = corpus_of("made = 0", "measured = 4", '["talks.tsv", "few.tsv"]')
    talks, few = corpus.valid_parts.values()
    assert (len(talks), len(few)) == (2, 1)
    model = build(RecurrentConfig(vocabulary=len(corpus.tokenizer), width=8)).eval()
    alone = [corpus_loss(model, part) for part in (talks, few)]
    assert corpus.loss(model) == pytest.approx(math.sqrt(alone[0] * alone[1]))
