"""What somebody else wrote is shown as it is, on every page."""

import json
import re
import shutil
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from tests.chatbots import KNOWS_TURNS
from tests.hostile import HOSTILE, card, literal, markdown
from ui.escape import plain, quoted, quoted_end
from ui.instruments import TABS
from ui.runtime import uploads

PAGES = {
    "start": {"text": HOSTILE},
    "translation": {"text": HOSTILE},
    "summarization": {"text": HOSTILE},
    "chatbot": {"said": HOSTILE, "turns": HOSTILE},
    "speech": {},
    "pronunciation": {"text": HOSTILE},
    "compare": {"text": HOSTILE},
    "context_vector": {"a": HOSTILE, "b": HOSTILE, "c": HOSTILE},
    "sentence_map": {"yours": HOSTILE, "sentences": HOSTILE},
    "models": {},
    "benchmarks": {"text": HOSTILE, "searched": HOSTILE},
}
TASKS = ("translation", "summarization", "chatbot", "speech", "spelling")


@pytest.fixture
def hostile_root(root):
    """Checkpoints whose cards try everything, one a task and one that a visitor brought."""
    for task in TASKS:
        folder = shutil.copytree(root / "transformer", root / f"hostile-{task}")
        more = KNOWS_TURNS if task == "chatbot" else ""
        (folder / "card.toml").write_text(card(task) + more, encoding="utf-8")
    return root


def open_page(page, **query):
    at = AppTest.from_file(f"../../pages/{page}.py", default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def check(at):
    assert not at.exception
    texts = list(markdown(at))
    assert texts
    assert not [text for text in texts if not literal(text)]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("checkpoint", ["", HOSTILE, "own"])
def test_no_page_shows_foreign_text_as_markdown(hostile_root, page, checkpoint):
    own = "hostile-spelling" if page == "pronunciation" else f"hostile-{page}"
    checkpoint = own if checkpoint == "own" else checkpoint
    check(open_page(page, **PAGES[page], **({"checkpoint": checkpoint} if checkpoint else {})))


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("name", ["lstm-attention", "hostile-translation", "gru-plain"])
def test_no_instrument_shows_foreign_text_as_markdown(hostile_root, tab, name):
    query = {"checkpoint": name, "text": HOSTILE, "tab": tab, "reference": HOSTILE}
    more = {"instead": HOSTILE, "preset": "By hand", "prefix": "**bold**", "step": "2"}
    check(open_page("translation", **query, **more))


def test_a_saved_run_is_no_markdown(hostile_root, trace):
    words = tuple(HOSTILE.split())
    pieces = (*words, *trace.source.pieces)[: len(trace.source.pieces)]
    saved = json.loads(replace(trace, precision=HOSTILE[:40], checkpoint=HOSTILE[:90]).to_json())
    saved["notes"] = [HOSTILE]
    saved["source"]["text"] = HOSTILE
    saved["source"]["pieces"] = list(pieces)
    at = open_page("translation")
    uploader = next(each for each in at.get("file_uploader") if each.key == "saved_run")
    uploader.set_value(("run.json", json.dumps(saved).encode(), "application/json")).run()
    check(at)


def test_a_model_that_was_brought_is_no_markdown(hostile_root, tmp_path):
    folder = shutil.copytree(hostile_root / "hostile-translation", tmp_path / "brought")
    name = uploads.bring_folder(str(folder))
    at = open_page("models", model=name)
    at.text_input(key="model").set_value(str(folder)).run()
    assert at.table
    check(at)
    check(open_page("translation", checkpoint=name))


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        "# heading",
        "1. list",
        "- list",
        "    code",
        "> quote",
        "a\n\n# b",
        "a@b.invalid",
        ":material_home:",
        "-> <- <-> -- >= ~=",
        "\\*a*",
        "`` ` ``",
    ],
)
def test_plain_text_is_what_is_seen(text):
    shown = plain(text)
    assert literal(shown)
    seen = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", shown).replace("\u2060", "")
    assert seen == " ".join(text.split())
    assert "\n" not in shown
    assert not shown.startswith(" ")
    assert not re.search(r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)", shown.replace("\\", ""))
    assert not re.search(r":[\w+-]+:|@[\w-]+\.", shown.replace("\\", ""))


@pytest.mark.parametrize("text", [HOSTILE, "``` x `", "`", "a ` b `` c"])
def test_a_quotation_is_one_piece_of_code(text):
    match = re.fullmatch(r"(`+) (.*) \1", quoted(text))
    assert match
    assert match[1] not in re.findall("`+", match[2])


@pytest.mark.parametrize("end", [".", "!", "?", "…", ". "])
def test_a_quoted_sentence_ends_the_sentence_around_it(end):
    assert quoted_end(f"It rains{end}") == quoted(f"It rains{end}")
    assert quoted_end("rain") == f"{quoted('rain')}."
