import psutil
import pytest

from seq2seq import machine_memory
from seq2seq.cli.serve import models_share
from seq2seq.machine_memory import FILES, free_memory, total_memory
from ui.runtime.model_store import limit


@pytest.fixture
def container(tmp_path, monkeypatch):
    monkeypatch.setattr(machine_memory, "CGROUP", tmp_path)
    (tmp_path / "memory").mkdir()
    return tmp_path


@pytest.mark.parametrize("names", FILES)
def test_a_containers_limit_counts(container, monkeypatch, names):
    monkeypatch.delenv("SEQ2SEQ_MODELS_GB", raising=False)
    for name, value in zip(names, (4_000_000_000, 1_000_000_000), strict=True):
        (container / name).write_text(f"{value}\n")
    assert total_memory() == 4_000_000_000
    assert free_memory() == min(3_000_000_000, psutil.virtual_memory().available)
    assert models_share(2) == "1.00"
    assert limit() == 2_000_000_000


@pytest.mark.parametrize("most", ["max", "9223372036854771712"])
def test_a_container_without_a_limit_has_the_machines_memory(container, most):
    (container / FILES[most != "max"][0]).write_text(most)
    (container / FILES[most != "max"][1]).write_text("4096")
    machine = psutil.virtual_memory()
    assert total_memory() == machine.total
    assert free_memory() == pytest.approx(machine.available, rel=0.2)
