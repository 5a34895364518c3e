import pytest

from seq2seq.checkpoint import load
from seq2seq.inference.pipeline import run
from tests.visit import charts, drawn_by, visit
from ui.instruments import TABS

SENTENCE = 'The old dog sleeps "here"\\ in the garden.'
LONG = "The old dog sleeps in the garden. My sister reads a good book. " * 4


pytestmark = pytest.mark.usefixtures("root")


def agrees(at, monkeypatch):
    """Require that the shown code draws what is on the page, in that order."""
    (code,) = (each.value for each in at.code)
    page = [each.figure for each in charts(at)]
    shown = drawn_by(code, monkeypatch)
    assert shown == [each for each in page if each in shown]
    return code, shown, page


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("name", ["lstm-attention", "gru-plain", "transformer"])
def test_the_shown_code_makes_the_pictures_of_the_tab(name, tab, monkeypatch, capsys):
    at = visit(
        "translation", checkpoint=name, text=SENTENCE, tab=tab, step="2", word="3", max_length="9"
    )
    code, shown, page = agrees(at, monkeypatch)
    assert len(code.splitlines()) <= 12
    assert shown or capsys.readouterr().out
    if tab in ("Attention", "Probabilities"):
        assert len(shown) == len(page)


PICTURES = [
    {"picture": "Matrix", "by_word": "true", "scale": "square root"},
    {"picture": "Matrix", "which": "Encoder self-attention", "layer": "2", "head": "1"},
    {"picture": "Matrix", "which": "Decoder self-attention", "layer": "max", "measured": "false"},
    {"picture": "Ribbons", "mass": "0.3"},
    {"picture": "All heads"},
    {"long_picture": "Blocks", "text": LONG},
    {"output": "2"},
    {"branch": "5.6"},
    {"branch": "5.6", "output": "A"},
    {"tab": "Beam tree", "branch": "5.6"},
    {"tab": "Beam tree", "branch": "5.6", "output": "A", "pruned": "false"},
    {"tab": "Teacher forcing", "reference": "The dog sleeps."},
    {"tab": "Teacher forcing", "reference": "The dog sleeps.", "output": "2"},
    {"tab": "What if", "instead": "My sister reads."},
    {"method": "Sample", "seed": "3", "temperature": "0.5", "prefix": "The"},
]


@pytest.mark.parametrize("query", PICTURES, ids=lambda query: "-".join(query.values())[:30])
def test_the_shown_code_has_the_settings_of_the_page(query, monkeypatch):
    at = visit(
        "translation",
        checkpoint="transformer",
        **{"text": SENTENCE, "max_length": "9", "tab": "Attention", **query},
    )
    _, shown, page = agrees(at, monkeypatch)
    assert len(shown) == len(page) >= 1
    assert not at.exception


@pytest.mark.parametrize("name", ["lstm-attention", "transformer"])
def test_the_shown_code_makes_the_changes(name, checkpoint_root, monkeypatch):
    source = run(load(checkpoint_root / name), SENTENCE).source
    weights = "_".join(["0"] * (len(source) - 2) + ["250", "750"])
    at = visit(
        "translation",
        checkpoint=name,
        text=SENTENCE,
        tab="What if",
        muted="3 dog",
        edit=[f"1.a.a.{weights}", f"2.0.0.{weights}"],
        max_length="9",
    )
    code, shown, page = agrees(at, monkeypatch)
    assert len(shown) == len(page) == 2
    assert shown[0]["data"] != shown[1]["data"]
    assert code.count("seq2seq.AttentionEdit(") == 2
    assert "muted=(" in code


def test_the_shown_code_of_a_saved_run_needs_only_its_model(trace, monkeypatch):
    at = visit("translation")
    at.get("file_uploader")[0].set_value(("run.json", trace.to_json(), "application/json")).run()
    _, shown, page = agrees(at, monkeypatch)
    assert len(shown) == len(page)
