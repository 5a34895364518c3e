import os
import subprocess
import sys

import numpy as np
import pytest

from seq2seq.decoding.options import Options
from ui.escape import plain, quoted
from ui.runtime.runs import RUNS_KEPT, Runs


def key(number):
    return "model", f"text {number}", Options()


def test_the_least_recently_used_run_goes_first(trace):
    runs = Runs()
    for number in range(RUNS_KEPT):
        runs.put(key(number), trace)
    assert runs.get(key(0)) is trace
    runs.put(key(RUNS_KEPT), trace)
    assert runs.get(key(0)) is trace
    assert runs.get(key(1)) is None
    assert len(runs.kept) == RUNS_KEPT


def test_what_is_kept_is_limited_in_bytes_however_deep_they_are(monkeypatch):
    monkeypatch.setattr("ui.runtime.runs.BYTES_KEPT", 250)
    runs = Runs()
    for number in range(4):
        runs.put(key(number), [{"rows": (np.zeros(100, np.uint8), None)}, "a text"])
    assert list(runs.kept) == [key(2), key(3)]
    assert sum(runs.sizes.values()) == 200


@pytest.mark.parametrize(
    "text", ["**bold**", "[a](b)", "$x$", ":material/home:", "# head", "a_b_c"]
)
def test_plain_leaves_no_markdown(text):
    escaped = plain(text)
    assert escaped.replace("\\", "").replace("\u2060", "") == text
    for mark in "*[$:#_":
        assert all(escaped[i - 1] == "\\" for i, c in enumerate(escaped) if c == mark)


@pytest.mark.parametrize("text", ["http://example.org", "a -> b", "x\n\n    y", "`` ` ``", "`"])
def test_quoted_is_one_span_of_code(text):
    quote = quoted(text)
    fence = quote.split(" ")[0]
    inside = quote.removeprefix(fence + " ").removesuffix(" " + fence)
    assert set(fence) == {"`"}
    assert inside == " ".join(text.split())
    assert fence not in inside


def test_the_app_begins_with_one_thread_for_each_computation_unless_told_otherwise():
    script = (
        "import threading\n"
        "from unittest.mock import patch\n"
        "import ui\n"
        "with patch('ui.runtime.runs.checkpoints_for', return_value=[]):\n"
        "    ui.warm_up()\n"
        # A process that ends while a thread still imports may be aborted.
        "[each.join() for each in threading.enumerate() if each.daemon]\n"
        "import torch\n"
        "print('threads', torch.get_num_threads())\n"
    )
    environment = {name: os.environ[name] for name in os.environ if name != "OMP_NUM_THREADS"}
    for given, threads in (({}, 1), ({"OMP_NUM_THREADS": "2"}, 2)):
        command, changed = [sys.executable, "-c", script], environment | given
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=changed)
        assert f"threads {threads}" in done.stdout
