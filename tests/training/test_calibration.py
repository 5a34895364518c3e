import json

import pytest

from seq2seq.analysis.problems import CALIBRATION, UNSURE, is_reliable, read_checks
from seq2seq.catalogue import CHECKPOINTS
from seq2seq.cli.main import main
from seq2seq.training.calibration import fingerprint
from ui.runtime.names import checkpoints_for

MEASURED = sorted(file.parent for file in CHECKPOINTS.glob(f"*/{CALIBRATION}"))


@pytest.mark.parametrize("name", ["lstm-attention", "gru-plain"])
def test_a_checkpoint_is_calibrated_by_a_command(name, root, pairs, tmp_path, capsys):
    for file in ("train.tsv", "valid.tsv"):
        (tmp_path / file).write_text("\n".join(map("\t".join, pairs)), encoding="utf-8")
    folder = root / name
    assert main(["calibrate", str(folder), "--data", str(tmp_path)]) == 0
    found = json.loads((folder / CALIBRATION).read_text(encoding="utf-8"))
    assert found["weights"] == fingerprint(folder)
    assert found["sentences"] == len(pairs)
    # A model that has learnt nothing finds nothing that was left out; all it says is wrong.
    assert [check["kind"] for check in found["checks"]] == [UNSURE]
    [check] = read_checks(folder)
    assert check.precision == check.base > 0.9
    assert main(["calibrate", str(folder), "--data", str(tmp_path), "--limit", "0"]) == 2
    assert "at least 1" in capsys.readouterr().err


@pytest.mark.parametrize("folder", MEASURED, ids=lambda folder: folder.name)
def test_the_checks_that_are_shown_are_of_these_weights(folder):
    """Where weights have changed, `seq2seq calibrate` measures them, or the file is removed."""
    found = json.loads((folder / CALIBRATION).read_text(encoding="utf-8"))
    assert found["weights"] == fingerprint(folder)
    checks = read_checks(folder)
    assert len(checks) == len(found["checks"])
    assert all(map(is_reliable, checks))


def test_the_default_translation_model_has_a_check():
    assert read_checks(CHECKPOINTS / checkpoints_for("translation")[0])
