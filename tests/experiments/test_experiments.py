"""Every experiment on tiny models: what must hold whatever the numbers are."""

import inspect
import json
from importlib import import_module
from string import ascii_lowercase

import numpy as np
import pytest
import torch

from seq2seq.checkpoint import Checkpoint, load, save
from seq2seq.data.example_series import EXAMPLE_SERIES
from seq2seq.data.tokenizer import Unigram
from seq2seq.errors import UserError
from seq2seq.evaluation.rouge import tokens as rouge_tokens
from seq2seq.experiments import (
    attention_gain,
    bottleneck,
    context_kept,
    context_paths,
    data_needs,
    direction_halves,
    domains,
    following_context,
    latency,
    overfitting,
    reading_directions,
    replies,
    summaries,
    training_cost,
)
from seq2seq.experiments.live_training import Settings
from seq2seq.experiments.references import LENGTHS, references, some
from seq2seq.experiments.registry import NAMES, run_experiment
from seq2seq.experiments.result import AGAINST, FOR, UNDECIDED, by_sign, interval
from seq2seq.lessons.notebook import MOST_ALSO
from seq2seq.models.config import RecurrentConfig
from seq2seq.models.seq2seq import build
from tests.forecasters import write_forecaster

FEW = tuple(references()[place] for place in (0, 1, 26, 27, 51, 52, 76, 77))
# Small enough for a test; models by their names in the fixture's folder.
SETTINGS = {
    "variable-length": {"model": "lstm-attention", "words": (1, 3, 6)},
    "effective": {
        "models": ("gru-plain", "transformer"),
        "pairs": FEW,
        "summarizer": "lstm-attention",
        "chatbot": "transformer",
    },
    "both-directions": {"models": ("gru-plain", "rnn-additive"), "pairs": FEW},
    "context-kept": {"model": "gru-plain", "sentences": 60},
    "many-domains": {
        "inputs": (("gru-plain", "The cat."), ("forecaster", EXAMPLE_SERIES[1].title))
    },
    "attention-helps": {
        "models": ("gru-plain", "transformer", "lstm-attention"),
        "held": ("gru-plain", "lstm-attention"),
        "pairs": FEW,
        "sentences": 4,
    },
    "end-to-end": {"steps": 6, "width": 8},
    "bottleneck": {"width": 8, "widths": (8, 12), "strings": 2},
    "training-cost": {"models": ("gru-plain", "transformer"), "rows": 2},
    "data-needs": {"steps": 4, "pairs": (20, 60)},
    "long-dependencies": {"models": ("gru-plain", "lstm-attention"), "sentences": 2},
    "latency": {
        "model": "lstm-attention",
        "text": "The cat sleeps.",
        "widths": (1, 3),
        "pairs": FEW[:2],
    },
    "overfitting": {"steps": 6, "pairs": 30},
    "teacher-forcing": {"model": "lstm-attention", "pairs": FEW},
    "keras-example": {"model": "gru-plain", "pairs": FEW},
    "model-names": {"model": "transformer", "pairs": FEW},
}


@pytest.fixture
def by_name(checkpoint_root, tmp_path_factory):
    def by_name(name):
        return load(str(checkpoint_root / name if name != "forecaster" else forecaster))

    forecaster = write_forecaster(tmp_path_factory.mktemp("forecaster") / "forecaster")
    return by_name


@pytest.fixture(scope="session")
def copying(tmp_path_factory):
    """Copy models with fresh weights, one of each kind and width."""
    folder = tmp_path_factory.mktemp("copying")
    tokenizer = Unigram.train([" ".join(ascii_lowercase)], 40, kind="word")
    for kind, attention in (("vector", "none"), ("attention", "dot")):
        for width in (8, 12):
            torch.manual_seed(width)
            config = RecurrentConfig(len(tokenizer), width, attention=attention, bidirectional=True)
            save(folder / f"{kind}-{width}", Checkpoint(build(config), tokenizer))
    return folder


@pytest.fixture(autouse=True)
def _copying(copying, monkeypatch):
    defaults = (*bottleneck.run.__defaults__[:-1], copying)
    monkeypatch.setattr(bottleneck.run, "__defaults__", defaults)


@pytest.mark.parametrize("name", NAMES)
def test_a_result_is_complete(by_name, name):
    parts = []
    result = run_experiment(name, by_name, lambda *part: parts.append(part), 3, **SETTINGS[name])
    assert parts
    assert all(0 <= done <= total for done, total, *_ in parts)
    read = json.loads(json.dumps(result.to_dict()))
    assert read["verdict"] == result.verdict
    assert len(read["also"]) == len(result.also) <= MOST_ALSO
    for each in (result, *result.also):
        assert each.verdict in (("",) if each.recorded else (FOR, AGAINST, UNDECIDED))
        assert each.recorded or each.seed == 3
        check(each)


def check(result):
    assert np.isfinite(result.value)
    if result.ends:
        assert result.ends[0] <= result.ends[1]
    assert result.seconds > 0
    assert result.sentence.endswith(".")
    assert len({len(values) for values in result.table.values()}) == 1
    for curve in result.curves:
        assert len(curve.x) == len(curve.y) > 0
        assert np.isfinite(curve.y).all()
        if curve.low:
            for low, y, high in zip(curve.low, curve.y, curve.high, strict=True):
                assert low - 1e-9 <= y <= high + 1e-9
        if result.axes.ticks:
            assert set(curve.x) <= set(range(1, len(result.axes.ticks) + 1))
    for case in result.cases:
        assert case.at in result.curves[0].x
        assert case.source
        assert case.models


@pytest.mark.parametrize("name", NAMES)
def test_what_decides_is_written_down_before(name):
    module = import_module(f"seq2seq.experiments.{NAMES[name]}")
    assert "Rule: for the claim if" in module.__doc__.replace("\n", " ")
    assert list(inspect.signature(module.run).parameters)[:3] == ["load", "on_part", "seed"]


def test_an_unknown_name_is_one_sentence(by_name):
    with pytest.raises(UserError, match=r"no experiment 'bottle'.*bottleneck"):
        run_experiment("bottle", by_name, print)


def test_a_model_against_itself_gains_nothing(by_name):
    same = ("rnn-additive", "rnn-additive")
    for result in (
        attention_gain.run(by_name, lambda *part: None, 0, 8, same, same, FEW),
        reading_directions.run(by_name, lambda *part: None, 0, same, FEW),
    ):
        assert result.value == 0
        assert result.verdict == UNDECIDED


def test_sentences_are_drawn_of_every_length_by_the_seed():
    first, again, other = (some(references(), 20, seed) for seed in (0, 0, 1))
    assert first == again != other
    assert [pair.group for pair in first] == [group for group in range(4) for _ in range(5)]
    assert some(references(), 1_000, 0) == references()


def test_states_that_read_forward_cannot_tell_what_follows(by_name):
    result = following_context.run(by_name, lambda *part: None, 0, ("gru-plain", "gru-plain"), 80)
    assert all(curve.y == (50.0,) * len(curve.y) for curve in result.curves)
    assert (result.value, result.verdict) == (50.0, UNDECIDED)


def test_both_readings_begin_alike():
    pairs = list(zip(*[iter(following_context.sentences())] * 2, strict=True))
    for one, several in pairs:
        assert one.before == several.before
        assert one.text.startswith(one.before)
        assert several.text.startswith(one.before)
        assert (one.plural, several.plural) == (False, True)
        assert one.text != several.text


def test_half_a_state_is_zeros_and_the_other_stays(by_name):
    checkpoint = by_name("rnn-additive")
    memory = checkpoint.model.encode(torch.tensor([[5, 6, 7, 3]]))
    half = memory.states.shape[-1] // 2
    left = direction_halves.halved(checkpoint, memory, (0.0, 0.5))
    assert torch.equal(left.states[..., :half], memory.states[..., :half])
    assert not left.states[..., half:].any()
    whole = direction_halves.halved(checkpoint, memory, (0.0, 1.0))
    assert torch.equal(whole.states, memory.states)


def test_a_model_that_reads_one_way_has_no_halves(by_name):
    with pytest.raises(UserError, match="one direction"):
        direction_halves.run(by_name, print, 0, "gru-plain", FEW)


def test_a_model_without_a_final_state_is_one_sentence(by_name):
    with pytest.raises(UserError, match="final state"):
        context_kept.run(by_name, print, 0, "transformer")


@pytest.mark.parametrize("text", ["", "  ", "a" * 9_000])
def test_a_text_that_cannot_be_decoded_is_one_sentence(by_name, text):
    with pytest.raises(UserError, match="type 1 to"):
        latency.run(by_name, print, 0, "lstm-attention", text)


def test_copy_models_that_are_not_here_are_one_sentence(by_name, tmp_path):
    with pytest.raises(UserError, match="copy model vector-8 is not here"):
        bottleneck.run(by_name, lambda *part: None, 0, 8, 2, (8,), tmp_path)


@pytest.mark.parametrize("name", ["overfitting", "data-needs", "end-to-end"])
def test_nothing_is_decided_where_the_time_was_over(by_name, monkeypatch, name):
    module = import_module(f"seq2seq.experiments.{NAMES[name]}")
    monkeypatch.setattr(module, "Settings", lambda *given, **named: Settings(9, 1e-9, seed=3))
    result = run_experiment(name, by_name, lambda *part: None, 3, **SETTINGS[name])
    assert result.verdict == UNDECIDED
    assert "9 steps in 1e-09 s of computing" in result.sentence


@pytest.mark.parametrize("width", bottleneck.WIDTHS)
def test_the_shipped_copy_models_of_a_width_differ_in_attention_alone(width):
    folders = [bottleneck.FOLDER / f"{kind}-{width}" for kind in ("vector", "attention")]
    plain, attending = (
        [line for line in (folder / "recipe.toml").read_text().splitlines() if "title" not in line]
        for folder in folders
    )
    differing = [pair for pair in zip(plain, attending, strict=True) if len(set(pair)) > 1]
    assert differing == [('attention = "none"', 'attention = "dot"')]
    for folder, attends in zip(folders, (False, True), strict=True):
        config = load(folder).model.config
        assert (config.width, config.has_attention) == (width, attends)
        assert config.has_final_state


def test_the_shipped_copy_models_take_at_most_four_megabytes():
    assert sum(file.stat().st_size for file in bottleneck.FOLDER.rglob("*")) <= 4_000_000


def test_a_width_without_a_model_is_one_sentence(by_name):
    with pytest.raises(UserError, match="no copy model of width 9: choose one of 8, 12"):
        bottleneck.run(by_name, lambda *part: None, 0, 9, 2, (8, 12))


def test_fresh_weights_let_hardly_a_bit_through(by_name):
    result = bottleneck.run(by_name, lambda *part: None, 0, 8, 4, (8, 12))
    [by_width] = result.also
    assert result.value == 0
    assert all(bits < 6 for curve in by_width.curves for bits in curve.y)


def test_the_last_turn_alone_is_exchanged():
    one, other = "Hello. ¶ Hi! ¶ How are you?", "What is your name?"
    assert replies.exchanged(one, other) == "Hello. ¶ Hi! ¶ What is your name?"
    assert replies.exchanged(other, one) == "How are you?"
    assert len(replies.prompts()) == len(set(replies.prompts())) == replies.COUNT


def test_a_summary_of_ours_is_made_of_the_paragraphs_own_words():
    rows = summaries.paragraphs()
    assert len(rows) == summaries.COUNT
    for text, summary in rows:
        known = set(rouge_tokens(text))
        assert sum(word in known for word in rouge_tokens(summary)) >= 0.9 * len(
            rouge_tokens(summary)
        )
        assert len(summary) < len(text)


def test_what_was_recorded_is_marked_and_has_no_verdict():
    results = [
        *overfitting.recorded_run("bilstm-attention-base-en-fr"),
        *data_needs.recorded_curve("bilstm-attention-base-en-fr"),
        *training_cost.recorded_cost(),
    ]
    assert len(results) == 3
    for each in results:
        assert each.recorded
        assert each.verdict == ""
        assert each.sentence.startswith("Recorded: ")
        check(each)


def test_c_is_switched_off_where_it_says_and_nowhere_else(by_name):
    checkpoint = by_name("gru-plain")
    source = torch.tensor([[5, 6, 7, 3]])
    memory, decoder = checkpoint.model.encode(source), checkpoint.model.decoder
    logits = {}
    for name, paths in context_paths.PATHS.items():
        switched = context_paths.SwitchedDecoder(decoder, paths)
        steps = switched.forward(torch.tensor([[2, 9, 8]]), memory)
        assert steps.context.any() == paths.every
        assert switched.start(memory)[0][0].any() == paths.first
        logits[name] = steps.logits
    whole = decoder.forward(torch.tensor([[2, 9, 8]]), memory).logits
    torch.testing.assert_close(logits["both"], whole, atol=1e-5, rtol=0)
    assert not torch.equal(logits["first state only"], logits["every step only"])


def test_a_model_that_gets_no_c_both_ways_is_one_sentence(by_name):
    with pytest.raises(UserError, match="without attention"):
        context_paths.run(by_name, print, 0, "lstm-attention", FEW)


def test_shuffled_answers_are_only_guessed(by_name, monkeypatch):
    draw = np.random.default_rng(0)

    def shuffled(count, seed=0):
        given = real(count, seed)
        order = draw.permutation(count)
        return [
            each._replace(text=given[place].text) for each, place in zip(given, order, strict=True)
        ]

    real = context_kept.probes
    monkeypatch.setattr(context_kept, "probes", shuffled)
    result = context_kept.run(by_name, lambda *part: None, 0, "gru-plain", 200)
    known, _, guessed = (np.mean(curve.y) for curve in result.curves)
    assert abs(known - guessed) < 8
    assert result.verdict != FOR


def test_a_missing_recording_is_named(by_name, tmp_path):
    inputs = (("gru-plain", ""),)
    with pytest.raises(UserError, match="recording"):
        domains.run(by_name, lambda *part: None, 0, inputs, tmp_path / "none.flac")


def test_intervals_hold_the_mean_about_as_often_as_they_say():
    draw = np.random.default_rng(0)
    ends = [interval(draw.normal(1, 1, 40).tolist(), seed) for seed in range(200)]
    assert 0.88 <= np.mean([low <= 1 <= high for low, high in ends]) <= 0.99


@pytest.mark.parametrize(
    ("ends", "verdict"), [((0.1, 2), FOR), ((-2, -0.1), AGAINST), ((-1, 1), UNDECIDED)]
)
def test_a_difference_is_judged_by_its_interval(ends, verdict):
    assert by_sign(*ends) == verdict


def test_references_are_of_every_length_and_different():
    groups = [reference.group for reference in references()]
    assert groups == sorted(groups)
    assert {groups.count(place) for place in range(len(LENGTHS))} == {len(groups) // len(LENGTHS)}
    assert len({reference.source for reference in references()}) == len(groups)
    assert all(reference.target.strip() for reference in references())


def test_a_forecast_comes_to_its_end_after_as_many_values_as_were_asked_for(by_name):
    inputs = (("forecaster", EXAMPLE_SERIES[1].title),)
    result = domains.run(by_name, lambda *part: None, 0, inputs)
    assert (result.verdict, result.value) == (FOR, 1.0)
    assert len(result.table["output"][0].split()) == domains.FORECAST
