"""The page of measurements, by AppTest: with tiny checkpoints, and with the embedded ones."""

import io
import json
import os
import zipfile

import numpy as np
import pytest

from seq2seq.catalogue import CHECKPOINTS, read_card
from seq2seq.data.audio import to_wav
from seq2seq.errors import UserError
from seq2seq.evaluation.results import Logged, Measurements, Scored, Study
from tests.evaluation.test_own_pairs import listener, noises
from tests.evaluation.test_results import LINES, ROWS, STUDY
from tests.visit import SENTENCE, charts, messages, visit
from ui.runtime.admission import admission
from ui.views.benchmarks import attention_buys, turning_point
from ui.views.compare import FIRST

NAMES = ("gru-plain", "transformer")
TITLES = [f"A tiny model ({name})" for name in NAMES]
KEPT = [
    {**STUDY, "log": LINES},
    {**STUDY, "pairs": 900, "log": [*LINES, {**LINES[1], "step": 99}]},
    {**STUDY, "plain": True, "log": [LINES[0], *LINES[1:]]},
]


@pytest.fixture
def measured(root):
    """Give two of the tiny checkpoints scores by length, logs and studies."""
    for name in NAMES:
        scores = {"by_source_length": ROWS, "training_hardware": f"machine of {name}"}
        scores |= {"training_runs": 1 + NAMES.index(name), "data": {"valid.tsv": "1"}}
        (root / name / "evaluation.json").write_text(json.dumps(scores))
        text = "".join(json.dumps(line) + "\n" for line in LINES)
        (root / name / "training.jsonl").write_text(text)
        (root / name / "studies.json").write_text(json.dumps(KEPT))
    return root


def by_key(at):
    return {chart.key: chart for chart in charts(at)}


def test_all_that_was_measured_is_drawn(measured):
    at = visit("benchmarks")
    assert not at.exception
    overfitting = {f"overfitting_{name.replace('-', '_')}_500" for name in NAMES}
    assert set(by_key(at)) == {"by_length", "training", "by_pairs", *overfitting}
    assert at.multiselect(key="compared").value == list(NAMES)
    axis = by_key(at)["by_length"].figure["layout"]["xaxis"]
    assert axis["ticktext"] == ["1 to 5", "6 to 10"]
    assert [line["name"] for line in by_key(at)["by_pairs"].figure["data"]] == TITLES
    said = [each.value for each in at.markdown]
    assert sum("was trained in 2 runs" in each for each in said) == 1
    assert not any("gru\\-plain\\) was trained in" in each for each in said)
    assert any(
        "Still getting better" in each and "on 500 and on 500 pairs" in each for each in said
    )
    assert not at.warning


def test_a_link_chooses_models_and_what_is_drawn_of_their_training(measured):
    at = visit("benchmarks", compared="gru-plain", progress="Loss", over="Minutes")
    assert not at.exception
    (line,) = by_key(at)["training"].figure["data"]
    assert (line["x"], line["y"]) == ([1.5, 2.0], [5.0, 3.5])
    assert not any("different machines" in each.value for each in at.caption)
    at.multiselect(key="compared").set_value(list(NAMES)).run()
    (said,) = [each.value for each in at.caption if "different machines" in each.value]
    assert all(f"machine of {name}".replace("-", "\\-") in said for name in NAMES)


def test_nonsense_in_a_link_is_survived(measured):
    at = visit("benchmarks", compared="none", progress="x", over="y", searched=" ", timed="true")
    assert not at.exception
    assert "by_length" in by_key(at)
    assert any("Type a sentence" in message for message in messages(at))


def test_nothing_chosen_and_nothing_measured_are_said(measured, root):
    at = visit("benchmarks")
    at.multiselect(key="compared").set_value([]).run()
    assert any("Choose a model" in message for message in messages(at))
    for name in NAMES:
        (root / name / "evaluation.json").unlink()
    at = visit("benchmarks", timed="true")
    assert not at.exception
    assert any("scores by length" in message for message in messages(at))
    assert list(by_key(at)) == ["beam_cost"]


def test_a_damaged_file_is_named_and_the_others_are_drawn(measured, root):
    (root / "gru-plain" / "training.jsonl").write_text("{")
    at = visit("benchmarks")
    assert not at.exception
    assert "gru\\-plain is damaged" in at.warning[0].value
    assert at.multiselect(key="compared").value == ["transformer"]


def test_beams_are_timed_on_the_sentence_of_the_visitor(measured):
    assert "beam_cost" not in by_key(visit("benchmarks"))
    at = visit("benchmarks", timed="true", searched=SENTENCE, searched_by="transformer")
    table = at.dataframe[0].value
    (line,) = by_key(at)["beam_cost"].figure["data"]
    assert line["x"] == list(table["width"])
    assert line["name"] == "A tiny model"
    assert (table["ms"] > 0).all()
    at.text_input(key="searched").set_value("My sister reads.").run()
    assert not at.exception


def test_scores_on_other_sentences_are_not_compared(measured):
    scores = {"by_source_length": ROWS, "data": {"valid.tsv": "2"}}
    (measured / "transformer" / "evaluation.json").write_text(json.dumps(scores))
    at = visit("benchmarks")
    assert "not all scored on the same sentences" in at.warning[0].value


def test_files_that_were_written_anew_are_read_anew(measured):
    at = visit("benchmarks", compared="transformer")
    file = measured / "transformer" / "evaluation.json"
    file.write_text(json.dumps({"by_source_length": [{**ROWS[0], "bleu": 77.0}]}))
    os.utime(file, (1, 1))
    at.run()
    (line,) = by_key(at)["by_length"].figure["data"]
    assert line["y"] == [77.0]


def scored(name, attends, kind, *bleu):
    rows = (
        Scored(words, 50, value, (value, value))
        for words, value in zip([(1, 5), (6, 10_000)], bleu, strict=False)
    )
    return Measurements(name, attends, kind, tuple(rows), (), (), frozenset(), "", 1)


def test_attention_is_compared_where_nothing_else_differs():
    one_way, both_ways = ("lstm", False), ("lstm", True)
    plain = scored("plain", False, one_way, 40.0, 10.0)
    others = [scored("both", True, both_ways, 60.0, 60.0), scored("gru", True, ("gru", False), 1.0)]
    places = [(1, 5), (6, 10_000)]
    assert attention_buys([plain, *others], places) == ""
    worse_and_better = scored("attends", True, one_way, 30.0, 25.0)
    said = attention_buys([*others, worse_and_better, plain], places)
    assert said.startswith("attends and plain read in the same way")
    assert said.endswith(
        "0.8 times as high at 1 to 5 words, 2.5 times as high at 6 and more words."
    )
    assert attention_buys([plain, scored("attends", True, one_way)], places) == ""


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([5.0, 3.0, 4.0], "4.00. The best was 3.00, after 1 epochs"),
        ([5.0, 4.0, 3.0], "its validation loss 3.00, its best: it does not overfit yet."),
    ],
)
def test_where_it_began_to_overfit_is_told_if_it_did(losses, said):
    log = [Logged(n, n, 1.0, 0.5 / (1 + n), loss, None) for n, loss in enumerate(losses)]
    told = turning_point(Study(500, True, 1.0, (0.0, 2.0), 3.0, tuple(log)))
    assert said in told
    assert "After 2 epochs its training loss is 0.167" in told


def test_the_embedded_family_is_drawn_from_its_files():
    at = visit("benchmarks")
    assert not at.exception
    shown = by_key(at)["by_length"].figure["data"]
    assert len(shown) == 4
    for line, name in zip(shown, FIRST, strict=True):
        assert read_card(CHECKPOINTS / name).title == f"{line['name']}, English to French"
        scores = json.loads((CHECKPOINTS / name / "evaluation.json").read_text())
        expected = [row["bleu"] for row in scores["by_source_length"]]
        assert line["y"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
def test_sentences_are_joined_after_a_click(measured, monkeypatch):
    monkeypatch.setattr("ui.views.concatenation.GROUPS", 2)
    monkeypatch.setattr("ui.views.concatenation.OURS", 6)
    at = visit("benchmarks", compared=list(NAMES))
    assert "joined" not in by_key(at)
    at.toggle(key="joined").set_value(True).run()
    assert not at.exception
    picture = by_key(at)["joined"].figure
    assert [line["name"] for line in picture["data"]] == [*TITLES, "by chance"]
    assert picture["layout"]["xaxis"]["ticktext"] == ["2", "3", "4", "5", "6"]
    table = at.dataframe[0].value
    assert list(table["sentences"].unique()) == [2, 3, 4, 5, 6]
    at.selectbox(key="joined_by").set_value(NAMES[1]).run()
    assert list(at.dataframe[0].value["output"]) != list(table["output"])


def test_sentences_of_the_visitor_are_joined(measured, monkeypatch):
    monkeypatch.setattr("ui.views.concatenation.GROUPS", 2)
    lines = [f"The {who} sleeps." for who in ("dog", "cat", "bird", "teacher", "child", "sister")]
    at = visit("benchmarks", compared="transformer", joined="true", sentences="\n".join(lines))
    assert not at.exception
    table = at.dataframe[0].value
    assert all(any(line in source for line in lines) for source in table["source"])
    at.text_area(key="to_join").set_value("\n".join(lines[:3])).run()
    (error,) = at.error
    assert "3 different sentences" in error.value
    assert "by_length" in by_key(at)
    monkeypatch.setattr("ui.views.concatenation.LONGEST", 20)
    at.text_area(key="to_join").set_value("\n".join([*lines, "It is raining in the city."])).run()
    assert any("20 letters of each" in message for message in messages(at))


# --- the visitor's own pairs


OWN = "The cat sleeps.\tLe chat dort.\nno tab\nWhere is the dog?\tOù est le chien ?\n"


def bring(at, names, content=OWN):
    """Upload pairs and choose models."""
    at.file_uploader(key="own_pairs").upload("own.tsv", content.encode(), "text/plain").run()
    at.multiselect(key="scored_models").set_value(names).run()
    assert not at.exception
    return at


def scoring(at):
    return next(button for button in at.button if button.label.startswith("Score "))


def test_own_pairs_are_scored_in_the_queue_of_long_jobs(root, monkeypatch):
    held = []

    def look(checkpoint, *others, **more):
        held.append((admission().short.held, admission().long.held))
        raise UserError("Enough.")

    monkeypatch.setattr("seq2seq.evaluation.own_pairs.score_pairs", look)
    at = bring(visit("benchmarks"), list(NAMES)[:1])
    scoring(at).click().run()
    assert held == [(0, 1)]
    assert [each.value for each in at.error] == [r"Enough\."]
    assert (admission().short.held, admission().long.held) == (0, 0)


def test_own_pairs_are_scored_and_the_worst_comes_first(root):
    at = bring(visit("benchmarks"), list(NAMES))
    assert any("Line 2 has no tab" in each.value.replace("\\", "") for each in at.warning)
    assert scoring(at).label == "Score 2 pairs"
    scoring(at).click().run()
    assert not at.exception
    tables = [each.value for each in at.dataframe]
    scores = next(table for table in tables if "95 % interval" in table)
    assert list(scores["model"]) == TITLES
    assert list(scores["checkpoint"]) == list(NAMES)
    assert {"bleu", "chrf", "loss"} <= set(scores.columns)
    worst = next(table for table in tables if "line" in table)
    assert set(worst["line"]) == {1, 3}
    assert list(worst["chrF"]) == sorted(worst["chrF"])
    lengths = next(table for table in tables if "words in the source" in table)
    assert list(lengths["words in the source"]) == ["1 to 5"]
    assert list(lengths["sentences"]) == [2]
    means = scores["mean chrF of a sentence"]
    assert [lengths[f"mean chrF of a sentence: {title}"][0] for title in TITLES] == list(means)
    problems = next(table for table in tables if "outputs with a problem" in table)
    assert (problems[TITLES].to_numpy() <= 2).all()
    assert problems[TITLES[0]].sum() == sum(
        len(each.split("; ")) for each in worst["problems"] if each
    )
    said = " ".join(each.value.replace("\\", "") for each in at.markdown)
    assert f"{TITLES[0]} against {TITLES[1]}" in said
    labels = {each.proto.label for each in at.get("download_button")}
    assert {"CSV", "JSON"} <= labels


def test_a_scoring_can_be_stopped(root, monkeypatch):
    from streamlit.runtime.scriptrunner import StopException

    def stopped(*given, on_group, **named):
        on_group(1)
        raise StopException

    at = bring(visit("benchmarks"), [NAMES[0]])
    monkeypatch.setattr("seq2seq.evaluation.own_pairs.score_pairs", stopped)
    scoring(at).click().run()
    at.button(key="stop_scoring").click().run()
    assert not at.exception
    assert scoring(at).label == "Score 2 pairs"


def test_what_is_no_table_of_pairs_is_said(root):
    at = bring(visit("benchmarks"), [NAMES[0]], "nothing here\n")
    assert any("There are no pairs" in each.value for each in at.error)


def archive_of(table):
    """A zip with three recordings of noise and a table of what is said in them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.tsv", table)
        for number, samples in enumerate(noises(3)):
            archive.writestr(f"r{number}.wav", to_wav(samples))
    return file.getvalue()


def test_own_recordings_are_scored_by_models_of_speech(root, tokenizer):
    for name in ("ears", "more-ears"):
        listener(root / name, tokenizer)
    at = visit("benchmarks")
    table = "id\ttext\nr0.wav\tthe cat\nr1.wav\nr2\tdog cat dog\nr9\tno such\n"
    at.file_uploader(key="own_pairs").upload("own.zip", archive_of(table), "application/zip").run()
    assert not at.exception
    [warning] = [each.value.replace("\\", "") for each in at.warning if "Left out" in each.value]
    assert "Line 3 has no text." in warning
    assert "Line 5 names r9, which is not in the archive." in warning
    at.multiselect(key="scored_speech_models").set_value(["ears", "more-ears"]).run()
    assert scoring(at).label == "Score 2 recordings"
    scoring(at).click().run()
    assert not at.exception
    tables = [each.value for each in at.dataframe]
    scores = next(table for table in tables if "95 % interval" in table)
    assert list(scores["checkpoint"]) == ["ears", "more-ears"]
    assert list(scores["word_error_rate"]) == list(scores["word errors, %"])
    worst = next(table for table in tables if "line" in table)
    assert set(worst["line"]) == {2, 4}
    assert set(worst["recording"]) == {"r0", "r2"}
    rates = list(worst["word errors, %"])
    assert rates == sorted(rates, reverse=True)
    said = " ".join(each.value.replace("\\", "") for each in at.markdown)
    assert "Tiny ears (ears) against Tiny ears (more-ears)" in said
    assert "points of word error rate" in said


def test_the_worst_recording_is_opened_on_the_page_of_speech(root, tokenizer, monkeypatch):
    listener(root / "ears", tokenizer)
    opened = []
    monkeypatch.setattr("streamlit.switch_page", lambda *given, **named: opened.append(named))
    at = visit("benchmarks")
    content = archive_of("id\ttext\nr1\tthe cat\n")
    at.file_uploader(key="own_pairs").upload("own.zip", content, "application/zip").run()
    scoring(at).click().run()
    next(each for each in at.button if each.label == "Open line 2 in Speech to text").click().run()
    assert not at.exception
    assert opened[-1] == {"query_params": {"checkpoint": "ears"}}
    heard = at.session_state["given_recordings"]["from benchmarks"]
    np.testing.assert_allclose(heard.samples, noises(3)[1], atol=1e-4)
    assert at.session_state["heard"] == "from benchmarks"


def test_recordings_that_cannot_be_read_are_said(root, tokenizer):
    listener(root / "ears", tokenizer)
    at = visit("benchmarks")
    at.file_uploader(key="own_pairs").upload("own.zip", b"PK no zip", "application/zip").run()
    assert any("give a tar or zip archive" in each.value for each in at.error)
