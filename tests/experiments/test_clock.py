"""Times that a busy machine does not make longer."""

import time

import torch

from seq2seq.experiments.clock import seconds, seconds_of


def test_waiting_is_not_counted_and_computing_is():
    assert torch.get_num_threads() == 1
    begun = seconds()
    time.sleep(0.2)
    assert seconds() - begun < 0.1
    begun = seconds()
    while seconds() - begun < 0.02:
        torch.rand(100, 100) @ torch.rand(100, 100)


def test_where_torch_has_help_the_time_is_counted(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    begun = seconds()
    time.sleep(0.05)
    assert seconds() - begun >= 0.05


def test_a_model_on_the_processor_is_timed_by_it(checkpoint):
    begun = seconds_of(checkpoint)
    time.sleep(0.2)
    assert seconds_of(checkpoint) - begun < 0.1
