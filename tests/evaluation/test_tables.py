import json

import pytest

from seq2seq.catalogue import TASKS
from seq2seq.cli.main import main
from seq2seq.errors import UserError
from seq2seq.evaluation.tables import SCORES, UNKNOWN, read_scored, with_tables


def marked(*names):
    blocks = (
        f"Before.\n\n<!-- table: {name} -->\nold\n<!-- /table -->\n\nAfter." for name in names
    )
    return "\n\n".join(blocks)


def rows(text):
    """Return the cells of the lines of a text that are of a table."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def measured(folder, **scores):
    path = folder / "evaluation.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | scores))


def test_columns_are_of_tasks_that_there_are():
    assert set(SCORES) <= set(TASKS)


def test_a_table_has_a_row_for_each_checkpoint_the_best_first(root):
    measured(root / "gru-plain", bleu=12.5, parameters=7_150_400, milliseconds=22.04)
    measured(root / "transformer", bleu=3.25, training_seconds=12_807.0, precision="int8")
    text = with_tables(marked("translation"), root)
    head, _, first, second, *_ = rows(text)
    assert head[:2] == ["checkpoint", "model"]
    size = f"{(root / 'gru-plain' / 'model.safetensors').stat().st_size / 1e6:.1f} MB"
    assert first == [
        *("`gru-plain`", "A tiny model", "7.2 M", size, "12.5", "0.0"),
        *(UNKNOWN, UNKNOWN, "22.0 ms"),
    ]
    assert second[0] == "`transformer`"
    assert second[-3:] == ["int8", "213 min", UNKNOWN]
    assert len(rows(text)) == 2 + len(read_scored(root))


def test_summaries_in_words_of_their_own_have_a_column(root):
    card = root / "gru-plain" / "card.toml"
    card.write_text(card.read_text().replace("translation", "summarization"))
    files = {
        "news.valid.tsv": {"instruction": "compress", "rouge_l": 80.5},
        "notes.valid.tsv": {"instruction": "abstract", "rouge_l": 31.25},
    }
    measured(root / "gru-plain", kept_f1=82.5, by_corpus=files)
    head, _, row = rows(with_tables(marked("translation", "summarization"), root))[-3:]
    assert row[head.index("words kept, F1")] == "82.5"
    assert row[head.index("abstracts, ROUGE-L")] == "notes 31.25"


def test_only_what_is_marked_changes(root):
    text = with_tables(marked("translation"), root)
    assert text.startswith("Before.\n\n<!-- table: translation -->\n")
    assert text.endswith("<!-- /table -->\n\nAfter.")
    assert "old" not in text
    assert with_tables(text, root) == text


def test_scores_by_length_stand_by_the_sentences_they_are_of(root):
    part = {"words": [1, 5], "sentences": 1_200, "bleu": 4.5, "bleu_interval": [3.2, 5.8]}
    for name in ("gru-plain", "transformer"):
        measured(root / name, by_source_length=[part])
    measured(root / "lstm-attention", by_source_length=[part | {"sentences": 7}])
    found = rows(with_tables(marked("translation", "length"), root).split("table: length")[1])
    assert ["sentences", "1,200"] in found
    assert ["sentences", "7"] in found
    assert ["`gru-plain`", "4.5 (3 to 6)"] in found
    assert "`rnn-additive`" not in [row[0] for row in found]


def test_kinds_of_text_stand_in_rows_with_those_that_were_scored_on_them(root):
    talk = {"sentences": 1_052, "bleu": 40.5, "bleu_interval": [38.2, 42.9], "chrf": 60.0}
    measured(root / "gru-plain", registers={"talk.tsv": talk, "tales.tsv": talk | {"bleu": 7.0}})
    measured(root / "transformer", registers={"talk.tsv": talk | {"bleu": 9.25}})
    text = with_tables(marked("translation", "registers"), root).split("table: registers")[1]
    head, _, *found = rows(text)
    assert set(head[2:]) == {"`gru-plain`", "`transformer`"}
    values = [dict(zip(head, row, strict=True)) for row in found]
    assert values[0][head[0]] == "`talk.tsv`"
    assert values[0]["`transformer`"] == "9.25 (38 to 43)"
    assert values[1]["`gru-plain`"] == "7.0 (38 to 43)"
    assert values[1]["`transformer`"] == ""
    assert {row["sentences"] for row in values} == {"1,052"}


def test_a_run_that_overfits_is_told(root):
    log = [
        {"step": 1, "epoch": 3, "seconds": 1, "train_loss": 2.0, "valid_loss": 2.5},
        {"step": 2, "epoch": 9, "seconds": 2, "train_loss": 0.1, "valid_loss": 4.0},
    ]
    study = {"pairs": 5_000, "plain": True, "bleu": 2.0, "bleu_interval": [1, 3], "loss": 2.5}
    kept = study | {"plain": False, "log": log[:1]}
    (root / "gru-plain" / "studies.json").write_text(json.dumps([kept, study | {"log": log}]))
    text = with_tables(marked("translation", "data"), root).split("table: data")[1]
    assert ["5,000", "2.0 (1 to 3)", "2.50"] in rows(text)
    assert "in 9 passes its loss on what it reads falls to 0.10" in text
    assert "lowest after 3 passes and then rises from 2.50 to 4.00" in text


def test_judged_outputs_are_counted(root):
    assert "outputs judged" not in with_tables(marked("translation", "judged"), root)
    verdicts = {"right": True, "understandable": True}, {"right": False, "understandable": True}
    outputs = [{"source": "a", **each} for each in (*verdicts, dict.fromkeys(verdicts[0]))]
    (root / "gru-plain" / "judged.json").write_text(json.dumps(outputs))
    text = with_tables(marked("translation", "judged"), root)
    assert ["`gru-plain`", "2", "1 right, 2 understandable"] in rows(text)


def test_a_bar_in_a_title_makes_no_column(root):
    card = root / "gru-plain" / "card.toml"
    card.write_text(card.read_text().replace("A tiny model", "A | tiny\\nmodel"))
    assert r"| A \| tiny model |" in with_tables(marked("translation"), root)


def test_what_cannot_be_written_is_one_sentence(root):
    with pytest.raises(UserError, match=r"no table 'colours': use translation"):
        with_tables(marked("translation", "colours"), root)
    with pytest.raises(UserError, match="no table for the task translation: add the lines"):
        with_tables(marked("speech"), root)
    (root / "gru-plain" / "evaluation.json").write_text("text")
    with pytest.raises(UserError, match="gru-plain is missing or damaged"):
        with_tables(marked("translation"), root)


def test_the_command_writes_or_checks(root, capsys):
    readme = root / "README.md"
    assert main(["tables"]) == 2
    assert "no README.md" in capsys.readouterr().err
    readme.write_text(marked("translation"), encoding="utf-8")
    assert main(["tables", "--check"]) == 1
    assert "run seq2seq tables" in capsys.readouterr().err
    assert readme.read_text(encoding="utf-8") == marked("translation")
    assert main(["tables"]) == 0
    assert readme.read_text(encoding="utf-8") == with_tables(marked("translation"), root)
    assert main(["tables", "--check"]) == 0
