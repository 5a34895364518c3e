import json
from importlib.util import find_spec

import pytest

from seq2seq.cli.main import main
from seq2seq.evaluation import benchmark
from seq2seq.evaluation.benchmark import OURS, RIVAL, measure, plan, table

NAMES = [OURS, "ours int8", "ours int8 and record", "transformers float32"]
NAMES += ["CTranslate2 float32", RIVAL]


@pytest.fixture(scope="module")
def measured():
    seen = []
    values = measure(plan([1], rounds=2, quick=True), seen.append)
    return values | {"seen": [tuple(cell) for cell in seen]}


def test_every_contestant_runs_in_every_cell(measured):
    cells = [(1, 1, 1), (1, 1, 4), (1, 16, 1), (1, 16, 4)]
    assert measured["seen"] == cells
    found = [
        (row["threads"], row["batch"], row["beam_width"], row["contestant"])
        for row in measured["results"]
    ]
    assert found == [(*cell, name) for cell in cells for name in NAMES]
    for row in measured["results"]:
        assert 0 < row["fastest"] <= row["milliseconds"] <= row["slowest"]


def test_the_same_weights_give_the_same_outputs(measured):
    assert measured["largest_logit_difference"] < 1e-5
    for row in measured["results"]:
        assert row["same"] == 1 or "int8" in row["contestant"]


def test_outputs_have_exactly_the_steps_that_were_asked_for(tmp_path):
    chosen = plan(quick=True)
    model, referee = benchmark._weights(chosen.config, tmp_path)
    ids = benchmark.torch.randint(1, 1_000, (3, chosen.source_tokens))
    with benchmark.torch.inference_mode():
        for run in benchmark._contestants(chosen, model, referee, tmp_path, 1).values():
            for beam_width in (1, 4):
                assert {len(tokens) for tokens in run(ids, beam_width)} == {chosen.steps}


def test_without_the_others_we_run_alone(measured, monkeypatch):
    others = ("transformers", "ctranslate2")
    monkeypatch.setattr(
        benchmark, "find_spec", lambda name: None if name in others else find_spec(name)
    )
    alone = measure(plan([1], rounds=1, quick=True))
    assert list(dict.fromkeys(row["contestant"] for row in alone["results"])) == NAMES[:3]
    assert alone["largest_logit_difference"] is None
    assert "transformers not installed" in table(alone)
    assert "transformers 5" in table(measured)


def test_the_command(capsys):
    assert main(["benchmark", "--quick", "--threads", "1", "--rounds", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("CTranslate2 int8") for line in lines) == 1
    assert main(["benchmark", "--quick", "--threads", "1", "--rounds", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 5
    assert main(["benchmark", "--threads", "0"]) == 2
    assert "at least 1" in capsys.readouterr().err
