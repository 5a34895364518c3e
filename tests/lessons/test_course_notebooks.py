"""Every notebook of the course, from top to bottom, on the checkpoints of this repository."""

import importlib.util
import os
import subprocess
import sys

import pytest

from seq2seq.checkpoint import load
from seq2seq.lessons.course import LESSONS
from seq2seq.lessons.notebook import notebook
from seq2seq.lessons.notebook_format import written

pytestmark = pytest.mark.slow
MINUTES = 10
ALONE = {"KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize("name", LESSONS)
def test_a_notebook_runs_on_the_shipped_checkpoints(tmp_path, monkeypatch, name):
    if name == "keras-example":
        pytest.importorskip("keras")
    for variable, value in ALONE.items():
        monkeypatch.setenv(variable, value)
    made = notebook(LESSONS[name], load)
    has_client = importlib.util.find_spec("nbclient") is not None
    said = _by_nbclient(made) if has_client else _by_python(made, tmp_path)
    if LESSONS[name].question:
        assert "Verdict: " in said
    assert said.strip()


def _by_nbclient(made):
    """Run a notebook as Jupyter does; returns what its cells print."""
    import nbclient
    import nbformat

    ready = nbformat.reads(written(made), as_version=4)
    nbclient.NotebookClient(ready, timeout=60 * MINUTES, kernel_name="python3").execute()
    outputs = (output for cell in ready.cells for output in cell.get("outputs", ()))
    return "".join(output.get("text", "") for output in outputs)


def _by_python(made, folder):
    """Run a notebook's cells one after the other in one process; returns what they print."""
    cells = [cell["source"] for cell in made["cells"] if cell["cell_type"] == "code"]
    file = folder / "notebook.py"
    file.write_text("\n\n".join(cells), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    found = subprocess.run(
        [sys.executable, file],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60 * MINUTES,
        check=False,
    )
    assert found.returncode == 0, found.stderr[-2_000:]
    return found.stdout
