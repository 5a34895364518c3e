import os
import shutil
import time

import pytest

from seq2seq import catalogue
from seq2seq.catalogue import (
    TASKS,
    Card,
    attention_of,
    embedded,
    is_ours,
    offered,
    read_card,
    resolve,
)
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError

DEEP = "a = " + "[" * 5_000 + "]" * 5_000
DEEP_TABLES = "a = " + "{b = " * 5_000 + "1" + "}" * 5_000
LONG = "# " + "x" * 2_000_000
PLAIN = {"title": "A title", "task": "translation", "licence": "CC0-1.0"}


@pytest.fixture
def shelf(tmp_path, monkeypatch, checkpoint_root):
    """Let the tiny checkpoints be the embedded ones, and stand in an empty folder."""
    monkeypatch.setattr(catalogue, "CHECKPOINTS", checkpoint_root)
    monkeypatch.chdir(tmp_path)
    return checkpoint_root


def write(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "card.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_a_card_is_read_with_its_folders_name(tmp_path):
    folder = write(
        tmp_path / "tiny",
        'title = "Été"\ntask = "speech"\nlicence = "MIT"\nlanguages = ["en", "fr"]\n',
    )
    assert read_card(folder) == Card(
        name="tiny", title="Été", task="speech", licence="MIT", languages=("en", "fr")
    )


@pytest.mark.parametrize("task", TASKS)
def test_every_task_can_be_named(task):
    assert Card.from_dict({**PLAIN, "task": task}, "tiny").task == task


def test_a_card_says_how_to_search(tmp_path):
    head = "".join(f'{name} = "{value}"\n' for name, value in PLAIN.items())
    folder = write(tmp_path / "tiny", head + '\n[decoding]\nmethod = "sample"\ntop_p = 0.5\n')
    card = read_card(folder)
    assert card.decoding == Options(method="sample", top_p=0.5)
    assert hash(card) != hash(Card.from_dict(PLAIN, "tiny"))
    assert Card.from_dict(PLAIN, "tiny").decoding == Options()


def test_a_card_is_a_key(checkpoint_folder):
    assert hash(read_card(checkpoint_folder)) == hash(read_card(checkpoint_folder))


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_field_is_named(name, value):
    values = {key: text for key, text in PLAIN.items() if key != name}
    with pytest.raises(UserError, match=f"tiny lacks '{name}'"):
        Card.from_dict(values if value is None else values | {name: value}, "tiny")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"colour": "red"}, "does not know 'colour'"),
        ({"task": "cooking"}, "translation, summarization"),
        ({"title": 3}, "title"),
        ({"licence": ["MIT"]}, "licence"),
        ({"task": ["translation"]}, "task"),
        ({"examples": "one"}, "examples"),
        ({"examples": [1, 2]}, "examples"),
        ({"languages": {"en": "fr"}}, "languages"),
        ({"summary": True}, "summary"),
        ({"word_filter": "yes"}, "true or false"),
        ({"decoding": 3}, "decoding"),
        ({"decoding": {"speed": 3}}, "'speed'"),
        ({"decoding": {"beam_width": 99}}, "beam_width"),
        ({"turns": -5}, "turns"),
        ({"megabytes": -1}, "megabytes"),
    ],
    ids=str,
)
def test_a_strange_field_is_named(values, named):
    with pytest.raises(UserError, match=named):
        Card.from_dict({**PLAIN, **values}, "tiny")


@pytest.mark.parametrize(
    "text",
    ["title", "title = ", "\x00", b"\xff\xfe", "a = 1\na = 2", "[" * 9, DEEP, DEEP_TABLES, LONG],
    ids=lambda text: repr(text[:9]),
)
def test_a_damaged_card_is_named(tmp_path, text):
    with pytest.raises(UserError, match=r"card\.toml of tiny cannot be read"):
        read_card(write(tmp_path / "tiny", text))


@pytest.mark.parametrize("deep", [DEEP, DEEP_TABLES])
def test_a_deep_card_hides_no_other_one(checkpoint_root, tmp_path, monkeypatch, deep):
    shelf = shutil.copytree(checkpoint_root, tmp_path / "shelf")
    monkeypatch.setattr(catalogue, "CHECKPOINTS", shelf)
    write(shelf / "deep", deep)
    (shelf / "deep" / "model.safetensors").touch()
    assert embedded()
    assert "deep" not in embedded()
    assert "deep" not in offered()


def test_a_card_that_never_ends_is_named(tmp_path):
    os.mkfifo(tmp_path / "card.toml")
    start = time.monotonic()
    with pytest.raises(UserError, match="cannot be read"):
        read_card(tmp_path)
    (tmp_path / "card.toml").unlink()
    (tmp_path / "card.toml").symlink_to("/dev/zero")
    with pytest.raises(UserError, match="cannot be read"):
        read_card(tmp_path)
    assert time.monotonic() - start < 1
    os.mkfifo(tmp_path / "config.json")
    assert not is_ours(tmp_path)


@pytest.mark.parametrize(
    "values",
    [
        {"x" * 10_000: 1},
        {"task": ["x" * 10_000]},
        {"turns": "x" * 10_000},
        {"decoding": {"method": "x" * 10_000}},
        {"decoding": {"beam_width": "x" * 10_000}},
        {"decoding": {"beam_width": 10**4_000}},
        {"decoding": {"prefix_tokens": ["x" * 10_000]}},
    ],
)
def test_a_message_quotes_little(values):
    with pytest.raises(UserError) as raised:
        Card.from_dict({**PLAIN, **values}, "tiny")
    assert len(str(raised.value)) < 500


def test_a_missing_card_is_named(tmp_path):
    with pytest.raises(UserError, match=r"has no card\.toml"):
        read_card(tmp_path)


def test_embedded_are_those_with_weights(shelf, checkpoint_folder):
    assert sorted(embedded()) == sorted(folder.name for folder in shelf.iterdir())
    assert embedded()[checkpoint_folder.name] == read_card(checkpoint_folder)


def test_a_folder_without_weights_or_with_a_damaged_card_is_not_embedded(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "CHECKPOINTS", tmp_path)
    card = "".join(f'{name} = "{value}"\n' for name, value in PLAIN.items())
    write(tmp_path / "whole", card)
    write(tmp_path / "recipe-only", card)
    write(tmp_path / "damaged", "title =")
    for name in ("whole", "damaged"):
        (tmp_path / name / "model.safetensors").touch()
    assert list(embedded()) == ["whole"]


def test_a_checkpoint_is_found_by_name_or_folder(shelf, checkpoint_folder, monkeypatch):
    for given in (checkpoint_folder.name, str(checkpoint_folder), checkpoint_folder):
        assert resolve(given) == (checkpoint_folder, "")
    monkeypatch.chdir(checkpoint_folder.parent.parent)
    relative = f"{checkpoint_folder.parent.name}/{checkpoint_folder.name}"
    assert resolve(relative).folder == checkpoint_folder.resolve()


def test_an_id_of_the_hub_is_no_folder(shelf, tmp_path):
    assert resolve("user/repo@main") == (None, "user/repo@main")
    assert resolve("user/repo/sub", paths=False) == (None, "user/repo/sub")
    (tmp_path / "user" / "repo").mkdir(parents=True)
    assert resolve("user/repo") == ((tmp_path / "user" / "repo").resolve(), "")


def test_a_card_may_lead_to_the_hub(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "CHECKPOINTS", tmp_path)
    card = "".join(f'{name} = "{value}"\n' for name, value in PLAIN.items())
    folder = write(tmp_path / "small", card + 'hub = "user/small"\n')
    assert resolve("small") == (folder, "user/small")
    assert resolve(folder) == resolve(str(folder)) == (folder.resolve(), "user/small")
    other = write(tmp_path / "small" / "brought", card + 'hub = "user/small"\n')
    assert resolve(other) == (other.resolve(), "")
    write(tmp_path / "damaged", "title =")
    assert resolve("damaged") == (tmp_path / "damaged", "")


def test_only_names_and_ids_where_folders_must_not_be_looked_at(shelf, checkpoint_folder, tmp_path):
    (tmp_path / "here" / "below").mkdir(parents=True)
    assert resolve("here").folder == tmp_path / "here"
    for name in ("here", "./here", str(tmp_path / "here"), str(checkpoint_folder), ".."):
        with pytest.raises(UserError, match="There is no checkpoint"):
            resolve(name, paths=False)
    assert resolve("here/below", paths=False) == (None, "here/below")
    assert resolve(checkpoint_folder.name, paths=False).folder == checkpoint_folder


@pytest.mark.parametrize("given", [None, 5, b"gru-plain", ["gru-plain"]])
def test_what_names_no_model_is_one_sentence(given):
    with pytest.raises(UserError, match="give one as text or Path"):
        resolve(given)


@pytest.mark.parametrize(
    "name", ["", " ", "nowhere", "\x00", "a" * 5_000, "../../nowhere", "https://example.org/x"]
)
def test_an_unknown_checkpoint_is_named_with_those_there_are(shelf, name):
    with pytest.raises(UserError, match=r"There is no checkpoint .*gru-plain") as caught:
        resolve(name)
    assert len(str(caught.value)) < 300


def test_a_file_is_no_checkpoint(shelf, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="no checkpoint 'file'"):
        resolve("file")


def test_a_card_may_call_the_word_filter_by_its_old_name():
    values = {"title": "A", "task": "chatbot", "licence": "MIT"}
    assert Card.from_dict({**values, "mannered": True}, "a").word_filter
    assert not Card.from_dict(values, "a").word_filter
    with pytest.raises(UserError):
        Card.from_dict({**values, "mannered": True, "word_filter": True, "manner": 1}, "a")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("lstm-attention", "general"), ("gru-plain", "none"), ("transformer", "heads")],
)
def test_a_config_says_how_its_model_attends(checkpoint_root, name, kind):
    assert attention_of(checkpoint_root / name) == kind


@pytest.mark.parametrize("config", [None, "[]", "{}", "no JSON"])
def test_what_is_no_config_of_ours_attends_in_no_known_way(tmp_path, config):
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    assert attention_of(tmp_path) is None
