import json

import numpy as np
import pytest

from seq2seq.checkpoint import load
from seq2seq.data.series import read_series
from seq2seq.data.tokenizer import BOS, PAD, UNKNOWN
from seq2seq.errors import UserError
from seq2seq.inference.forecasting import forecast
from seq2seq.training.export import finish
from seq2seq.training.recipe import SeriesSettings, read_recipe
from seq2seq.training.series_corpus import SeriesCorpus, collate_series, is_held_out
from seq2seq.training.trainer import train
from tests.forecasters import write_series

RECIPE = """
[card]
title = "Forecaster"
task = "forecasting"
licence = "CC0-1.0"
[data]
train = ["series.tsv"]
valid = ["series.tsv"]
[series]
bins = 64
reach = 6.0
context = 36
horizon = 8
held_out = 0.3
windows = 60
[model]
architecture = "transformer"
input = "series"
positions_from = "end"
width = 16
heads = 2
feedforward = 16
dropout = 0.0
[training]
epochs = 2
batch_tokens = 200
label_smoothing = 0.0
learning_rate = 0.003
warmup_steps = 2
evaluate_every = 10
"""


@pytest.fixture
def recipe(tmp_path):
    write_series(tmp_path / "series.tsv", count=12)
    (tmp_path / "forecaster").mkdir()
    file = tmp_path / "forecaster" / "recipe.toml"
    file.write_text(RECIPE, encoding="utf-8")
    return read_recipe(file)


@pytest.fixture
def corpus(recipe, tmp_path):
    corpus = SeriesCorpus(recipe, tmp_path)
    corpus.encode(corpus.fit())
    return corpus


def test_whole_series_are_held_out(corpus, tmp_path):
    names = {series.name for series in read_series(tmp_path / "series.tsv")}
    train, valid = ({each.name for each in part} for part in (corpus.train, corpus.valid))
    assert train | valid == names
    assert not train & valid
    assert all(is_held_out(each, 0.3) for each in corpus.valid)


def test_an_epoch_is_the_same_for_the_same_number_and_of_lengths_that_batch_well(corpus):
    first, again, other = corpus.epoch(0), corpus.epoch(0), corpus.epoch(1)
    assert first == again != other
    assert len(first) >= 60
    lengths = {len(example.source) for example in first}
    assert len(lengths) <= 8
    assert max(lengths) <= 36 + 2
    known = range(len(corpus.tokenizer))
    assert all(token in known for each in first for token in (*each.source, *each.target))


def test_a_batch_has_no_end_and_missing_values_cost_nothing(corpus):
    examples = corpus.epoch(0)[:1]
    example = examples[0]._replace(target=[*examples[0].target[:2], UNKNOWN])
    batch = collate_series([example])
    assert batch.target[0].tolist() == [BOS, *example.target[:2]]
    assert batch.labels[0].tolist() == [*example.target[:2], PAD]
    assert batch.source[0].tolist() == example.source


def test_held_out_windows_end_where_their_series_are_scored(corpus):
    series = corpus.valid[0]
    last = corpus.valid_examples[1]
    tokenizer = corpus.tokenizer.fitted(series.values[-18 - 36 : -18], "M")
    np.testing.assert_array_equal(last.target, tokenizer.bin(series.values[-18:]))


def test_a_recipe_trains_resumes_and_becomes_a_checkpoint(recipe, tmp_path):
    work, folder = tmp_path / "run", tmp_path / "out"
    checkpoint = train(recipe, tmp_path, work)
    scores = finish(checkpoint, recipe, tmp_path, work, folder)
    assert train(recipe, tmp_path, work, resume=True).tokenizer == checkpoint.tokenizer
    assert scores["series"] == 12 - len(SeriesCorpus(recipe, tmp_path).train)
    written = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert written["relative_mase"] == scores["relative_mase"]
    assert str(scores["relative_wql"]) in (folder / "README.md").read_text(encoding="utf-8")
    series = read_series(tmp_path / "series.tsv")[0]
    assert np.isfinite(forecast(load(folder), series, 4).quantiles).all()


def test_settings_out_of_range_are_refused(recipe, tmp_path):
    with pytest.raises(UserError, match="scaling"):
        SeriesSettings(scaling="none")
    with pytest.raises(UserError, match="context"):
        SeriesSettings(context=4)
    assert "SeriesSettings" in recipe.settings
