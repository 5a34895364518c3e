import json
import re
import shlex
from pathlib import Path

import pytest

from seq2seq.catalogue import embedded
from seq2seq.cli.main import parser
from seq2seq.evaluation.results import MAIN_SCORES
from seq2seq.evaluation.tables import with_tables

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


def test_the_example_of_two_vocabularies_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", CONTRIBUTING, flags=re.DOTALL)
    exec(compile(code, "CONTRIBUTING.md", "exec"), {})
    assert capsys.readouterr().out == "KUH\n"
    assert (tmp_path / "animals" / "source_tokenizer.model").is_file()


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


def test_the_tables_are_those_of_the_evaluation_files():
    assert with_tables(SCORES, ROOT / "checkpoints") == SCORES, "run seq2seq tables"


@pytest.mark.parametrize("name", sorted(embedded()))
def test_the_model_card_has_the_main_score(name):
    folder = ROOT / "checkpoints" / name
    scores = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    score, _ = MAIN_SCORES[embedded()[name].task]
    assert str(scores[score]) in (folder / "README.md").read_text(encoding="utf-8")
