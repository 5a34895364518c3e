"""Names of models, and what of a repository is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seq2seq import hub
from seq2seq.hub import download
from seq2seq.hub.repository import File, Identifier, Repository, needed, parse
from tests.hub.files import BIN, FILES, SMALL, WEIGHTS, contents


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("t5-small", Identifier("t5-small")),
        ("google/flan-t5-small", Identifier("google/flan-t5-small")),
        ("u/r@refs/pr/2", Identifier("u/r", "", "refs/pr/2")),
        ("u/r@v1.0", Identifier("u/r", "", "v1.0")),
        ("u/r/sub", Identifier("u/r", "sub")),
        ("u/r/a/b-c@main", Identifier("u/r", "a/b-c", "main")),
        (f"u/r@{'a' * 40}", Identifier("u/r", "", "a" * 40)),
    ],
)
def test_a_name_is_taken_apart(text, wanted):
    assert hub.is_identifier(text)
    assert parse(text) == wanted
    assert wanted.pinned == ("a" * 40 in text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "/",
        "../x",
        "u/..",
        "u/r/../x",
        "u/r/.",
        "u//r",
        "/u/r",
        "u/r/",
        "u\\r",
        "C:\\models",
        "u/r\n",
        "u/r\x00",
        "u/\u202er",
        "é/è",
        "u/r@",
        "u/r@../x",
        "u/r@a..b",
        "u/r@/x",
        "u/r@a//b",
        "u/r@x\n",
        "@main",
        "u/r@a@b",
        "u r/x",
        "u/r?x=1",
        "u/r#x",
        "u/r%2e%2e",
        "http://u/r",
        "-u/r",
        "u/r-",
        ".u/r",
        "u/r.git",
        "u--v/r",
        "u/" + "r" * 96,
        "r" * 10_000,
        "u/r@" + "r" * 10_000,
    ],
)
def test_what_is_no_name_makes_no_request(server, fails_soon, text):
    assert not hub.is_identifier(text)
    assert not hub.is_cached(text)
    assert len(fails_soon(lambda: hub.inspect(text), "USER/REPO")) < 400
    fails_soon(lambda: hub.fetch(text), "USER/REPO")
    assert server.count() == 0


def test_names_are_told_without_the_library():
    code = (
        "import sys; from seq2seq import hub; hub.is_identifier('u/r'); "
        "sys.exit(bool({'huggingface_hub', 'httpx2', 'torch', 'tqdm'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_a_look_tells_what_would_be_fetched(server):
    page = {
        "pipeline_tag": "translation",
        "cardData": {"license": "apache-2.0", "language": ["en", "fr"]},
    }
    model = server.model("u/r", FILES, page=page)
    found = hub.inspect("u/r")
    wanted = {*SMALL, "model.safetensors"}
    assert {file.name for file in found.files} == wanted
    assert found.files[-1].name == "model.safetensors"
    assert found.bytes == sum(len(FILES[name]) for name in wanted)
    assert found.revision == model.refs["main"]
    assert (found.licence, found.task, found.languages) == (
        "apache-2.0",
        "translation",
        ("en", "fr"),
    )
    assert not found.gated
    assert not found.pickled
    assert found.notes == ()
    assert parse(found.identifier).revision == found.revision
    assert server.requests == [("GET", "/api/models/u/r/revision/main", None)]
    assert not (Path(os.environ["HF_HOME"])).exists()


@pytest.mark.parametrize(
    "page",
    [
        {"cardData": {"license": ["mit", 3], "language": "en"}},
        {"cardData": {"license": {"a": 1}, "language": [None, "en"]}},
        {"cardData": None, "pipeline_tag": None},
        {"cardData": {"model-index": "nonsense"}},
    ],
)
def test_a_card_may_hold_anything(server, page):
    server.model("u/r", FILES, page=page)
    found = hub.inspect("u/r")
    assert found.licence in ("", "mit")
    assert found.languages in ((), ("en",))


def test_shards_come_with_their_index(server):
    shards = {f"model-0000{n}-of-00002.safetensors": os.urandom(1000) for n in (1, 2)}
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": list(shards)[1]}}
    files = SMALL | shards | {"model.safetensors.index.json": json.dumps(index).encode()}
    server.model("u/r", files)
    assert contents(hub.fetch("u/r")) == files


@pytest.mark.parametrize("text", [b"no JSON", b"[]", b'{"weight_map": {"a": "../../x"}}', b"{}"])
def test_a_strange_index_is_refused(server, fails_soon, text):
    files = {"model-00001-of-00001.safetensors": b"x", "model.safetensors.index.json": text}
    server.model("u/r", SMALL | files)
    fails_soon(lambda: hub.fetch("u/r"), "index")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["config.json"], "no complete weights"),
        (["model.safetensors"], "no config.json"),
        (["config.json", "tf_model.h5"], "no complete weights"),
        (["config.json", "model-00001-of-00002.safetensors"], "no complete weights"),
        (
            [
                "config.json",
                "model.safetensors.index.json",
                "model-00002-of-00002.safetensors",
            ],
            "no complete weights",
        ),
        (["a/config.json", "a/model.safetensors", "b/config.json"], "there is one in a, b"),
    ],
)
def test_what_is_no_model_is_told(server, fails_soon, names, said):
    server.model("u/r", dict.fromkeys(names, b"{}"))
    fails_soon(lambda: hub.fetch("u/r"), said)


def test_needed_files_are_those_of_one_folder():
    names = [
        "config.json",
        "model.safetensors",
        "s/config.json",
        "s/model.safetensors",
        "s/x.model",
    ]
    files = [File(name, 1) for name in names]
    assert [file.name for file in needed("u/r", files)] == names[:2]
    assert [file.name for file in needed("u/r", files, "s")] == ["s/config.json", *names[:2:-1]]


def test_a_readme_of_a_megabyte_stays_away(server):
    server.model("u/r", FILES | {"README.md": b"x" * 1_000_001})
    assert "README.md" not in contents(hub.fetch("u/r"))


def test_several_checkpoints_in_one_repository(server, fails_soon):
    files = {f"{folder}/{name}": text for folder in ("a", "b/c") for name, text in SMALL.items()}
    weights = {"a/model.safetensors": WEIGHTS, "b/c/model.safetensors": b"others"}
    model = server.model("u/r", files | weights)
    first, second = hub.fetch("u/r/a"), hub.fetch("u/r/b/c")
    assert contents(first) == SMALL | {"model.safetensors": WEIGHTS}
    assert contents(second)["model.safetensors"] == b"others"
    server.requests.clear()
    pinned = f"u/r/a@{model.refs['main']}"
    assert hub.is_cached(pinned)
    assert hub.fetch(pinned) == first
    assert server.count() == 0
    fails_soon(lambda: hub.fetch("u/r/d"), "there is one in a, b/c")
    fails_soon(lambda: hub.fetch("u/r"), "there is one in a, b/c")


def test_an_old_name_leads_to_the_new_one(server, monkeypatch):
    server.model("google-t5/t5-small", FILES, gated=True)
    server.moved["t5-small"] = "google-t5/t5-small"
    monkeypatch.setenv("HF_TOKEN", server.token)
    fetched = hub.fetch("t5-small")
    assert contents(fetched)["model.safetensors"] == WEIGHTS
    server.requests.clear()
    assert hub.fetch(f"t5-small@{fetched.revision}") == fetched
    assert server.count() == 0


def test_the_converters_pull_request_is_preferred_to_a_pickle(server):
    model = server.model("u/r", BIN)
    model.offer(SMALL | {"model.safetensors": b"forged"}, author="somebody")
    model.offer(SMALL | {"model.safetensors": b"old"}, status="closed")
    sha = model.offer(BIN | {"model.safetensors": WEIGHTS})
    fetched = hub.fetch("u/r")
    assert fetched.revision == sha
    assert contents(fetched)["model.safetensors"] == WEIGHTS
    assert "pytorch_model.bin" not in contents(fetched)
    assert "pull request 3" in fetched.notes[0]
    server.requests.clear()
    assert hub.fetch(f"u/r@{sha}").folder == fetched.folder
    assert server.count() == 0


@pytest.mark.parametrize("fault", [{"status": 403}, {"status": 503}, {"swap": b"<html>"}])
def test_without_a_conversion_the_pickle_is_labelled(server, fault):
    model = server.model("u/r", BIN)
    model.offer(BIN)
    for _ in range(2):
        fetched = hub.fetch("u/r")
        assert contents(fetched) == BIN
        assert fetched.notes == (download.PICKLED,)
        assert hub.inspect("u/r").pickled
        model.offer(SMALL | {"model.safetensors": WEIGHTS})
        server.fail("discussions", **fault)


def test_a_commit_that_was_asked_for_is_taken_as_it_is(server):
    model = server.model("u/r", BIN)
    model.offer(SMALL | {"model.safetensors": WEIGHTS})
    assert hub.inspect(f"u/r@{model.refs['main']}").pickled
    assert server.count("discussions") == 0


def test_code_of_a_model_is_noted_and_not_fetched(server):
    config = json.dumps({"auto_map": {"AutoModel": "modeling.Model"}}).encode()
    server.model("u/r", FILES | {"config.json": config, "modeling.py": b"raise SystemExit"})
    for _ in range(2):
        fetched = hub.fetch("u/r")
        assert fetched.notes == (download.OWN_CODE,)
        assert "modeling.py" not in contents(fetched)


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "a/../../evil", "..\\evil", "C:/evil", "a//b", "a/\x07"]
)
def test_a_file_that_leads_out_of_its_folder_is_refused(server, fails_soon, name, tmp_path):
    server.model("u/r", FILES | {name: b"evil"})
    fails_soon(lambda: hub.fetch("u/r"), "leads out")
    assert not (tmp_path / "home").exists()


def test_a_mirror_without_sizes_is_read_too(server, monkeypatch):
    server.model("u/r", FILES)
    siblings = [{"rfilename": name} for name in FILES]
    sha = server.models["u/r"].refs["main"]
    answer = {"id": "u/r", "sha": sha, "siblings": siblings}
    server.fail("/api/", swap=json.dumps(answer).encode())
    assert contents(hub.fetch("u/r"))["model.safetensors"] == WEIGHTS


def test_a_record_survives_plain_values():
    repository = Repository(
        "u/r", "s", "main", "a" * 40, (File("s/config.json", 3, "sha1:0"),), "mit", "translation"
    )
    values = json.loads(json.dumps(repository.to_dict()))
    assert Repository.from_dict(values) == repository
