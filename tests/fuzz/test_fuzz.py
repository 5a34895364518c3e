"""Whatever is generated, a reader returns something or says in one short sentence what is wrong.

SEQ2SEQ_FUZZ says how many cases in all, SEQ2SEQ_FUZZ_SEED which; `make fuzz` takes 10,000.
"""

import json
import os
import random
import tracemalloc
from pathlib import Path

import pytest

from seq2seq.catalogue import read_card
from seq2seq.checkpoint import load
from seq2seq.data import own_pairs as training_pairs
from seq2seq.data.audio import read_audio
from seq2seq.data.own_recordings import list_recordings, read_recordings
from seq2seq.data.series import read_series
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.evaluation import own_pairs
from seq2seq.inference.pipeline import run
from seq2seq.trace import Trace
from tests.fuzz import cases
from tests.ui.test_links import NAMES
from tests.visit import messages, visit

CASES = int(os.environ.get("SEQ2SEQ_FUZZ", "150"))
SEED = os.environ.get("SEQ2SEQ_FUZZ_SEED", "0")
PARTS = {
    "runs": 0.35,
    "sounds": 0.17,
    "cards": 0.12,
    "tables": 0.1,
    "archives": 0.08,
    "folders": 0.07,
    "texts": 0.05,
    "pairs": 0.05,
    "links": 0.01,
}
PAGES = ("start", "translation", "compare", "context_vector", "sentence_map", "glossary", "models")
LONGEST_MESSAGE = 500
MOST_BYTES = 400_000_000  # while one case is read


def check(part, read):
    """Read so many generated cases of a part; each may only be refused in a short sentence."""
    tracemalloc.start()
    try:
        for number in range(max(1, round(CASES * PARTS[part]))):
            name, refused = f"{part} {SEED} {number}", "."
            try:
                read(random.Random(name))
            except UserError as error:
                refused = str(error)
            except Exception as error:
                raise AssertionError(f"{name}: {type(error).__name__}") from error
            assert 0 < len(refused) <= LONGEST_MESSAGE, name
            assert tracemalloc.get_traced_memory()[1] < MOST_BYTES, name
            tracemalloc.reset_peak()
    finally:
        tracemalloc.stop()


@pytest.fixture
def saved(trace):
    """A run as the app saves it."""
    return json.loads(trace.to_json())


@pytest.mark.fuzz
def test_saved_runs(saved):
    check("runs", lambda chance: Trace.from_json(cases.run_file(chance, saved)))


@pytest.mark.fuzz
def test_recordings():
    check("sounds", lambda chance: read_audio(cases.sound(chance), "a.wav"))


@pytest.mark.fuzz
@pytest.mark.parametrize(
    ("part", "make", "read"),
    [
        ("cards", cases.toml, lambda file: read_card(file.parent)),
        ("tables", cases.table, read_series),
    ],
    ids=["cards", "tables"],
)
def test_files(tmp_path, part, make, read):
    file = tmp_path / {"cards": "card.toml", "tables": "series.csv"}[part]
    before = sorted(Path(tmp_path.parent).iterdir())

    def one(chance):
        file.write_text(make(chance), encoding="utf-8", errors="replace")
        read(file)

    check(part, one)
    assert sorted(Path(tmp_path.parent).iterdir()) == before
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


@pytest.mark.fuzz
def test_texts_and_options(checkpoint):
    def one(chance):
        values = {
            "beam_width": chance.choice((1, 2, 3, 0, -1, 10**9)),
            "method": chance.choice(("beam", "greedy", "sample", "other")),
            "temperature": chance.choice((1.0, 0.0, -1.0, float("nan"))),
            "top_p": chance.choice((1.0, 0.5, 2.0)),
            "max_length": chance.choice((3, 6, -1)),
            "no_repeat_ngram": chance.choice((0, 2, -3)),
            "prefix": cases.text(chance, 10) if chance.random() < 0.3 else "",
        }
        run(checkpoint, cases.text(chance, 60), Options(**values))

    check("texts", one)


@pytest.mark.fuzz
def test_pairs_of_a_visitor():
    def one(chance):
        content = cases.pairs(chance)
        read = (own_pairs.read_own_pairs, training_pairs.read_own_pairs)
        chance.choice(read)(content)

    check("pairs", one)


@pytest.mark.fuzz
def test_archives_of_recordings():
    def one(chance):
        content = cases.archive(chance)
        rows, _ = list_recordings(content, "mine")
        read_recordings(content, "mine", rows)

    check("archives", one)


@pytest.mark.fuzz
def test_folders(checkpoint_root, tmp_path):
    kinds = sorted(folder for folder in checkpoint_root.iterdir() if folder.is_dir())

    def one(chance):
        folder = cases.copied(chance.choice(kinds), tmp_path / "damaged")
        cases.damage_folder(chance, folder)
        run(load(folder), "The cat sleeps.", Options(max_length=3))

    check("folders", one)


@pytest.mark.fuzz
@pytest.mark.usefixtures("root")
def test_links():
    names = [*NAMES.split(), "tab", "text", "checkpoint", "step", "word", "branch", "preset"]

    def one(chance):
        page = chance.choice(PAGES)
        at = visit(page, **cases.link(chance, names))
        assert not at.exception
        assert all(len(each) <= LONGEST_MESSAGE for each in messages(at))

    check("links", one)


# What an attack on the running app once found.
FOUND = {
    "a text where a number belongs": lambda v: v["encoder_states"].__setitem__(0, "a" * 500_000),
    "many notes": lambda v: v.__setitem__("notes", ["note"] * 20_000),
    "many outputs": lambda v: v.__setitem__("outputs", v["outputs"] * 10_000),
    "no number": lambda v: v.__setitem__("log_probabilities", [float("nan")]),
    "a long precision": lambda v: v.__setitem__("precision", "**bold**" * 10_000),
}


@pytest.mark.fuzz
@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_stays_refused(saved, name):
    if isinstance(saved["encoder_states"], dict) and name.startswith("a text"):
        saved["encoder_states"] = [[["a" * 500_000]]]
    else:
        FOUND[name](saved)
    written = json.dumps(saved).encode()
    tracemalloc.start()
    try:
        with pytest.raises(UserError) as refused:
            Trace.from_json(written)
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
    assert len(str(refused.value)) <= LONGEST_MESSAGE
