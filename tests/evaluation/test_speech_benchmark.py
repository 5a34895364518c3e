import json

import pytest
import torch

from seq2seq.cli.main import main
from seq2seq.evaluation import speech_benchmark
from seq2seq.evaluation.benchmark import OURS, REFEREE, RIVAL
from seq2seq.evaluation.speech_benchmark import BANDS, measure_speech, speech_plan

NAMES = [OURS, "ours int8", REFEREE, "CTranslate2 float32", RIVAL]


@pytest.fixture(scope="module")
def measured():
    return measure_speech(speech_plan([1], rounds=1, quick=True))


def test_every_contestant_hears_in_every_cell(measured):
    found = [(row["beam_width"], row["contestant"]) for row in measured["results"]]
    assert found == [(beam, name) for beam in (1, 4) for name in NAMES]
    assert measured["largest_logit_difference"] < 1e-5
    for row in measured["results"]:
        assert row["same"] == 1 or "int8" in row["contestant"]


def test_all_write_exactly_the_steps_and_int8_is_in_the_encoder_too(tmp_path):
    chosen = speech_plan(quick=True)
    model, referee = speech_benchmark._weights(chosen.config, tmp_path)
    frames = torch.randn(2, 2 * chosen.source_tokens, BANDS)
    found = speech_benchmark.contestants(chosen, model, referee, tmp_path, 1)
    with torch.inference_mode():
        for run in found.values():
            for beam_width in (1, 4):
                written = run(frames, beam_width)
                assert {len(tokens) for tokens in written} == {chosen.steps}
                assert not {model.config.eos} & set(written[0])
        searcher = found["ours int8"].args[0]
        assert not torch.equal(searcher.encode(frames).states, model.encode(frames).states)


def test_a_plan_is_of_the_size_of_whisper_tiny():
    config = speech_plan().config
    assert (config["vocab_size"], config["d_model"], config["encoder_layers"]) == (51_865, 384, 4)
    assert config["decoder_start_token_id"] == 50_258


def test_the_command(capsys):
    assert main(["benchmark", "--speech", "--quick", "--threads", "1", "--rounds", "1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("5 steps from 1 seconds of sound: ")
    arguments = ["benchmark", "--speech", "--quick", "--threads", "1", "--rounds", "1", "--json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["source"] == "1 seconds of sound"
