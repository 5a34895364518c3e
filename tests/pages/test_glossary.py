"""The Glossary page, and the terms of other pages that lead to it."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from seq2seq.lessons.glossary import TERMS
from tests.visit import SENTENCE, visit
from ui.terms import term_help, term_link


def texts(at):
    return "\n".join(each.value for each in at.markdown)


def test_all_terms_and_the_symbols_stand_on_the_page():
    at = visit("glossary")
    assert not at.exception
    assert all(f"**{name}**" in texts(at) for name in ("encoder", "LSTM", "hypothesis"))
    tables = [each.value for each in at.markdown if each.value.startswith("| Symbol")]
    assert sum(table.count("\n") - 1 for table in tables) == sum(
        bool(term.symbol) for term in TERMS.values()
    )


def test_a_link_names_a_term_and_a_search_finds_others():
    at = visit("glossary", term="attention sink")
    assert re.findall(r"\*\*(.+?)\*\*", texts(at)) == ["attention sink"]
    at.text_input(key="term").set_value("attention").run()
    assert len(re.findall(r"\*\*(.+?)\*\*", texts(at))) > 2
    at.text_input(key="term").set_value("<b>nothing</b>").run()
    assert not at.exception
    assert "No term matches" in at.info[0].value


def test_every_term_can_be_hovered_over():
    for name, term in TERMS.items():
        link = term_link(name)
        assert unquote(re.search(r"\(glossary\?term=(\S+) ", link)[1]) == name
        assert link.count('"') == 2
        assert term.symbol in term_help(name)


@pytest.mark.usefixtures("root")
def test_controls_and_headings_of_a_task_page_explain_their_terms():
    at = visit("translation", text=SENTENCE, tab="Attention", checkpoint="lstm-attention")
    assert "Tu et al" in at.toggle(key="measured").help
    assert "Sutskever et al" in at.slider(key="beam_width").help
    candidates = next(each for each in at.subheader if each.value.startswith("Candidates"))
    assert "softmax" in candidates.help.lower()


def test_terms_used_in_the_code_are_in_the_glossary():
    sources = (path.read_text("utf-8") for path in Path(__file__).parents[2].glob("ui/**/*.py"))
    used = {
        name
        for source in sources
        for call in re.findall(r"term_(?:help|link)\(([^)]*)\)", source)
        for name in re.findall(r'"([^"]+)"', call)
    }
    assert len(used & set(TERMS)) > 20
