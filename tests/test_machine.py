import os

import psutil
import pytest

from seq2seq import machine
from seq2seq.cli.serve import models_share
from seq2seq.machine import MEMORY, cores, free_memory, total_memory
from ui.runtime.model_store import limit


@pytest.fixture
def container(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    (tmp_path / "memory").mkdir()
    return tmp_path


@pytest.mark.parametrize("names", MEMORY)
def test_a_containers_limit_counts(container, monkeypatch, names):
    monkeypatch.delenv("SEQ2SEQ_MODELS_GB", raising=False)
    for name, value in zip(names, (4_000_000_000, 1_000_000_000), strict=True):
        (container / name).write_text(f"{value}\n")
    assert total_memory() == 4_000_000_000
    assert free_memory() == min(3_000_000_000, psutil.virtual_memory().available)
    assert models_share(2) == "1.00"
    assert limit() == 2_000_000_000


@pytest.mark.parametrize(("names", "prefix"), zip(MEMORY, ("", "total_"), strict=True))
def test_files_that_a_container_has_read_take_no_memory(container, names, prefix):
    """They count as used, and go as soon as a process asks for more."""
    for name, value in zip(names, (4_000_000, 3_900_000), strict=True):
        (container / name).write_text(f"{value}\n")
    statistics = f"{prefix}active_file 1000000\n{prefix}inactive_file 2000000\nanon 7\n"
    (container / names[0]).with_name("memory.stat").write_text(statistics)
    assert free_memory() == 3_100_000


@pytest.mark.parametrize("most", ["max", "9223372036854771712"])
def test_a_container_without_a_limit_has_the_machines_memory(container, most):
    (container / MEMORY[most != "max"][0]).write_text(most)
    (container / MEMORY[most != "max"][1]).write_text("4096")
    machine = psutil.virtual_memory()
    assert total_memory() == machine.total
    assert free_memory() == pytest.approx(machine.available, rel=0.2)


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "max 100000"}, 64),
        ({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 64),
        ({}, 64),
    ],
)
def test_a_container_has_fewer_cores_than_its_machine(container, monkeypatch, files, count):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)
    (container / "cpu").mkdir()
    for name, text in files.items():
        (container / name).write_text(f"{text}\n")
    assert cores() == count


def test_a_process_that_is_kept_to_some_cores_has_those(container, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5}, raising=False)
    assert cores() == 2
