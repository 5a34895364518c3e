"""Tiny checkpoints, opened once."""

import pytest

from seq2seq.checkpoint import load


@pytest.fixture
def open_tiny(checkpoint_root):
    found = {}

    def open_one(name):
        if name not in found:
            found[name] = load(str(checkpoint_root / name))
        return found[name]

    return open_one
