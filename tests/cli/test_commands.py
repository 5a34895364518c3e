import io
import json
import lzma
import subprocess
import sys
from pathlib import Path

import pytest

from seq2seq.cli.main import main
from seq2seq.trace import Trace
from tests.forecasters import write_forecaster, write_series

SENTENCE = "The old dog sleeps."


@pytest.fixture(autouse=True)
def _tiny_checkpoints(checkpoint_root, monkeypatch):
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", checkpoint_root)


@pytest.fixture
def pair_file(pairs, tmp_path):
    file = tmp_path / "pairs.tsv.xz"
    with lzma.open(file, "wt", encoding="utf-8") as lines:
        lines.write("source\ttarget\n")
        lines.writelines(f"{pair.source}\t{pair.target}\n" for pair in pairs)
        lines.write(f"{pairs[0].source}\tLe chat dort.\n")
    return file


def test_list_names_every_checkpoint(capsys, checkpoint_root):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = sorted(folder.name for folder in checkpoint_root.iterdir())
    assert [line.split("\t")[0] for line in lines] == names
    assert main(["list", "--json"]) == 0
    cards = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [card["name"] for card in cards] == names


@pytest.mark.parametrize("name", ["lstm-attention", "gru-plain", "transformer"])
def test_run_prints_the_record(capsys, name):
    assert main(["run", name, SENTENCE, "--json", "--beam-width", "3"]) == 0
    printed = capsys.readouterr().out
    values = json.loads(printed)
    assert Trace.from_json(printed).text == values["text"] == values["target"]["text"]
    assert values["source"]["pieces"][-1] == "</s>"
    assert (values["attention"] is None) == (name == "gru-plain")
    assert len(values["alternatives"]["pieces"]) == len(values["target"]["ids"])
    assert len(values["beam_tree"]["parent"]) == len(values["beam_pieces"])
    assert values["options"]["beam_width"] == 3


def test_run_without_json_prints_the_text(capsys):
    main(["run", "transformer", SENTENCE, "--json"])
    text = json.loads(capsys.readouterr().out)["target"]["text"]
    assert main(["run", "transformer", SENTENCE, "--early-stopping"]) == 0
    assert capsys.readouterr().out == text + "\n"


def test_run_takes_a_folder_and_a_prefix(capsys, checkpoint_root):
    folder = str(checkpoint_root / "transformer")
    assert main(["run", folder, SENTENCE, "--prefix", "Le chat"]) == 0
    assert capsys.readouterr().out.startswith("Le chat")


def test_run_reads_one_input_a_line(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SENTENCE}\nIt is raining.\n"))
    assert main(["run", "transformer", "-", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["source"]["text"] for line in lines] == [SENTENCE, "It is raining."]


def test_evaluate_prints_scores(capsys, pair_file, pairs):
    assert main(["evaluate", "transformer", str(pair_file), "--json"]) == 0
    captured = capsys.readouterr()
    scores = json.loads(captured.out)
    assert scores["sentences"] == len(pairs)
    assert scores["references"] == len(pairs) + 1
    assert scores["sentences_per_second"] > 0
    assert 0 <= scores["bleu"] <= 100
    assert sum(row["sentences"] for row in scores["by_source_length"]) == len(pairs)
    assert main(["evaluate", "transformer", str(pair_file), "--limit", "3"]) == 0
    assert "bleu" in capsys.readouterr().out


def test_train_writes_a_checkpoint_that_runs(capsys, pairs, tmp_path, monkeypatch):
    lines = "".join(f"{pair.source}\t{pair.target}\n" for pair in pairs)
    (tmp_path / "pairs.tsv").write_text(lines, encoding="utf-8")
    recipe = tmp_path / "tiny" / "recipe.toml"
    recipe.parent.mkdir()
    recipe.write_text(
        """
        [card]
        title = "A \\"tiny\\" one"
        task = "translation"
        languages = ["en", "fr"]
        licence = "CC0-1.0"
        examples = ["The cat sleeps."]
        data = ["Two dozen sentences"]
        [data]
        train = ["pairs.tsv"]
        valid = ["pairs.tsv"]
        [tokenizer]
        pieces = 120
        [model]
        attention = "dot"
        feeds = "token"
        width = 16
        [training]
        epochs = 2
        batch_tokens = 60
        """,
        encoding="utf-8",
    )
    out, work = tmp_path / "out", tmp_path / "run"
    arguments = ["train", str(recipe), "--data", str(tmp_path), "--out", str(out)]
    assert main([*arguments, "--work", str(work)]) == 0
    files = {
        "README.md",
        "card.toml",
        "config.json",
        "evaluation.json",
        "judged.json",
        "model.safetensors",
        "recipe.toml",
        "tokenizer.model",
        "training.jsonl",
    }
    assert {file.name for file in out.iterdir()} == files
    scores = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    card = (out / "README.md").read_text(encoding="utf-8")
    assert str(scores["bleu"]) in card
    assert card.startswith("---\nlanguage:")
    capsys.readouterr()
    assert main(["run", str(out), "The cat sleeps."]) == 0
    assert main(["evaluate", str(out), str(tmp_path / "pairs.tsv"), "--json"]) == 0
    again = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {key: again[key] for key in ("bleu", "chrf", "loss")} == {
        key: scores[key] for key in ("bleu", "chrf", "loss")
    }
    # Measured anew with longer sentences, elsewhere: what it was trained on stays what it was.
    long = f"{' '.join(pair.source for pair in pairs[:4])}\tLe chat dort.\n"
    (tmp_path / "longer.tsv").write_text(long, encoding="utf-8")
    changed = (out / "recipe.toml").read_text(encoding="utf-8")
    changed = changed.replace(
        'valid = ["pairs.tsv"]', 'valid = ["pairs.tsv"]\nlonger = ["longer.tsv"]'
    )
    (out / "recipe.toml").write_text(changed, encoding="utf-8")
    (out / "evaluation.json").write_text(
        json.dumps(scores | {"training_hardware": "an abacus", "bleu": -1}), encoding="utf-8"
    )
    assert main(["assess", str(out), "--data", str(tmp_path)]) == 0
    anew = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    assert anew["training_hardware"] == "an abacus" != anew["hardware"]
    for key in ("bleu", "bleu_interval", "chrf", "loss", "training_steps", "sentences"):
        assert anew[key] == scores[key]
    assert set(anew["data"]) == {"pairs.tsv", "longer.tsv"}
    assert anew["milliseconds"] > 0
    counts = [sum(row["sentences"] for row in each["by_source_length"]) for each in (scores, anew)]
    assert counts[1] == counts[0] + 1
    files = [str(tmp_path / name) for name in ("pairs.tsv", "longer.tsv")]
    capsys.readouterr()
    assert main(["evaluate", str(out), files[0], "--longer", files[1], "--json"]) == 0
    again = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert again["by_source_length"] == anew["by_source_length"]
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "`longer.tsv`" in card
    assert "an abacus" in card
    # Trained further: what was done before counts.
    again = ["--work", str(tmp_path / "again"), "--start"]
    for other in ("nowhere", "google-t5/t5-small", "t5-small"):
        assert main([*arguments, *again, other]) == 2
    assert main([*arguments, *again, str(out)]) == 0
    further = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    assert further["training_steps"] == 2 * scores["training_steps"]
    assert further["training_seconds"] > scores["training_seconds"]
    assert "in 2 runs" in (out / "README.md").read_text(encoding="utf-8")
    assert "in 2 runs" not in card


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "COMMAND"),
        (["paint"], "paint"),
        (["run", "no-such-model", "Hi"], "no-such-model"),
        (["run", str(Path(__file__).parent), "Hi"], "not a checkpoint"),
        (["run", "../no-such-folder", "Hi"], "no checkpoint"),
        (["publish", "user/model", "user/copy"], "no folder user/model"),
        (["run", "\x00", "Hi"], "no checkpoint"),
        (["run", "n" * 10_000, "Hi"], "no checkpoint"),
        (["run", "transformer", ""], "nothing to read"),
        (["run", "transformer", "  \t "], "nothing to read"),
        (["run", "transformer", "Hi", "--beam-width", "11"], "beam_width is 11"),
        (["run", "transformer", "Hi", "--beam-width", "many"], "beam-width"),
        (["run", "transformer", "Hi", "--prefix", "🙂"], "cannot begin with"),
        (["evaluate", "transformer", "missing.tsv"], "missing.tsv"),
        (["evaluate", "transformer", "missing.tsv", "--limit", "0"], "--limit"),
        (["train", "missing.toml", "--data", "."], "missing.toml"),
        (["train", "missing.toml", "--data", ".", "--minutes", "-1"], "--minutes"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(capsys, monkeypatch, arguments, said):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("seq2seq: ")
    assert captured.err.count("\n") == 1
    assert said in captured.err


def test_a_mistake_in_a_line_names_it_and_the_others_are_read(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SENTENCE}\n\n{SENTENCE}\n"))
    assert main(["run", "transformer", "-"]) == 2
    captured = capsys.readouterr()
    assert "line 2" in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out.count("\n") == 2


def test_a_reader_that_leaves_early_causes_no_complaint(checkpoint_root):
    command = [sys.executable, "-m", "seq2seq", "run", str(checkpoint_root / "transformer"), "-"]
    with subprocess.Popen(
        [*command, "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdin.write(f"{SENTENCE}\n" * 40)
        process.stdin.close()
        process.stdout.readline()
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
        assert process.wait(timeout=60) == 1


@pytest.fixture
def forecaster(tmp_path, monkeypatch):
    folder = write_forecaster(tmp_path / "checkpoints" / "tiny-forecaster")
    monkeypatch.setattr("seq2seq.catalogue.CHECKPOINTS", folder.parent)
    return folder.name


def test_evaluate_scores_series(forecaster, tmp_path, capsys):
    file = write_series(tmp_path / "series.tsv", count=3)
    assert main(["evaluate", forecaster, str(file), "--limit", "2", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["series"] == 2
    for name in ("relative_mase", "relative_wql", "smape", "coverage_80"):
        low, high = scores[f"{name}_interval"]
        assert low <= scores[name] <= high
    assert main(["evaluate", forecaster, str(tmp_path / "none.tsv")]) == 2
    assert "no file" in capsys.readouterr().err


def test_run_forecasts_a_table(forecaster, tmp_path, capsys):
    file = tmp_path / "table.csv"
    rows = "".join(f"2020-{month:02},{month % 4},{-month}\n" for month in range(1, 13))
    file.write_text("month,up,down\n" + rows, encoding="utf-8")
    given = ["run", forecaster, "--series", str(file), "--horizon", "3"]
    assert main([*given, "--samples", "5", "--column", "down", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["frequency"] == "M"
    assert len(found["paths"]) == 5
    assert len(found["quantiles"]["0.5"]) == 3
    assert Trace.from_json(json.dumps(found["trace"])).source.text.split()[-1] == "-12"
    assert main(given) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert main([*given, "--column", "sideways"]) == 2
    assert "month, up, down" in capsys.readouterr().err
