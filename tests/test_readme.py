import json
import re
import shlex
from pathlib import Path

import pytest

from seq2seq.catalogue import embedded
from seq2seq.cli.main import parser
from seq2seq.evaluation.results import read_studies

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SCORES = (ROOT / "checkpoints" / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_code_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip()
    assert "plotly" in (tmp_path / "attention.html").read_text(encoding="utf-8")


def commands():
    lines = "".join(blocks("sh")).splitlines()
    return [line for line in lines if line.startswith("python -m seq2seq")]


@pytest.mark.parametrize("line", commands())
def test_the_commands_are_understood(line):
    words = shlex.split(line, comments=True)[3:]
    words = words[: words.index("<")] if "<" in words else words
    assert parser().parse_args(words).command


def test_every_folder_of_the_library_is_in_the_tree():
    tree = README.split("## The tree")[1].split("```")[1]
    for folder in (ROOT / "seq2seq").iterdir():
        if (folder / "__init__.py").is_file():
            assert f"  {folder.name}/ " in tree


def test_a_reader_has_it_read_in_five_minutes():
    assert len(README.split()) <= 1_000


def test_every_file_that_is_named_is_there():
    named = re.findall(
        r"`((?:app|pages|ui|seq2seq|tests|families)[\w./]*/?[\w.]+\.py)`", CONTRIBUTING
    )
    named = [f"seq2seq/{name}" if name.startswith("families") else name for name in named]
    assert len(named) > 10
    assert not [name for name in named if "NAME" not in name and not (ROOT / name).is_file()]
    links = re.findall(r"\]\(([\w/.]+)\)", README)
    assert not [link for link in links if not (ROOT / link).is_file()]


def test_the_pictures_are_there():
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file()


# What the table of each task gives of a checkpoint's scores.
MEASURED = {
    "translation": ("bleu", "chrf"),
    "spelling": ("phoneme_error_rate", "word_error_rate"),
    "speech": ("word_error_rate",),
    "forecasting": ("relative_mase", "relative_wql"),
    "summarization": ("kept_f1", "rouge_1", "rouge_2", "rouge_l"),
    "chatbot": ("perplexity", "distinct_2", "dull"),
}


@pytest.mark.parametrize("name", sorted(embedded()))
def test_the_scores_are_those_of_the_evaluation(name):
    folder = ROOT / "checkpoints" / name
    scores = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    (row,) = [line for line in SCORES.splitlines() if line.startswith(f"| `{name}`")]
    size = (folder / "model.safetensors").stat().st_size / 1e6
    measured = [str(scores[key]) for key in MEASURED[embedded()[name].task]]
    minutes = f"{scores['training_seconds'] / 60:.0f} min"
    waited = f"{scores['milliseconds']} ms"
    sizes = f"{scores['parameters'] / 1e6:.1f} M", f"{size:.1f} MB"
    for value in (*sizes, *measured, minutes, waited):
        assert f"| {value} " in row
    assert measured[0] in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [n for n in sorted(embedded()) if n.endswith("-en-fr")])
def test_the_scores_by_length_are_those_of_the_evaluation(name):
    text = (ROOT / "checkpoints" / name / "evaluation.json").read_text(encoding="utf-8")
    (row,) = [line for line in SCORES.splitlines() if line.startswith(f"| {name} |")]
    (counts,) = [line for line in SCORES.splitlines() if line.startswith("| sentences |")]
    scores = json.loads(text)["by_source_length"]
    assert [int(cell) for cell in counts.split("|")[2:-1]] == [each["sentences"] for each in scores]
    for cell, each in zip(row.split("|")[2:-1], scores, strict=True):
        low, high = each["bleu_interval"]
        assert cell.strip() == f"{each['bleu']} ({low:.0f} to {high:.0f})"


def test_what_less_data_does_is_as_measured():
    found = read_studies(ROOT / "checkpoints" / "bilstm-attention-en-fr")
    assert len(found) == 5
    for each in found:
        low, high = each["bleu_interval"]
        what = f"{each['pairs']:,}" + ", without dropout and label smoothing" * each["plain"]
        row = f"| {what} | {each['bleu']} ({low:.0f} to {high:.0f}) | {each['loss']:.2f} |"
        assert row in SCORES.splitlines()


def test_the_plain_run_overfits_as_told():
    (plain,) = [
        each for each in read_studies(ROOT / "checkpoints/bilstm-attention-en-fr") if each["plain"]
    ]
    held_out = [each for each in plain["log"] if "valid_loss" in each]
    best = min(held_out, key=lambda each: each["valid_loss"])
    read = [each["train_loss"] for each in plain["log"] if "train_loss" in each]
    told = " ".join(SCORES.split())
    assert (
        f"in {held_out[-1]['epoch']} passes its loss on what it reads falls to {read[-1]:.2f}"
        in told
    )
    rises = f"from {best['valid_loss']:.2f} to {held_out[-1]['valid_loss']:.2f}"
    assert f"lowest after {best['epoch']} passes and then rises {rises}." in told
