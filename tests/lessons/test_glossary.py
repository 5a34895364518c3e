"""The glossary: complete, each term once, and found by a search."""

import re
from pathlib import Path

import pytest

from seq2seq.lessons.glossary import GROUPS, TERMS, found

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("term", TERMS.values(), ids=list(TERMS))
def test_a_term_is_one_sentence_with_a_source_and_a_page(term):
    assert term.definition[0].isupper()
    assert term.definition.endswith(".")
    assert ". " not in term.definition
    assert re.search(r"\d{4}|Jurafsky and Martin", term.source)
    assert (ROOT / term.link.page).is_file()
    assert not set(term.symbol) & set("|$")  # which end a cell of the table, or the formula


def test_no_term_is_explained_twice():
    names = [term.name.casefold() for terms in GROUPS.values() for term in terms]
    assert len(names) == len(set(names)) == len(TERMS)
    symbols = [term.symbol for term in TERMS.values() if term.symbol]
    assert len(symbols) == len(set(symbols))


def test_the_symbols_of_the_formulas_are_there():
    text = " ".join(term.symbol for term in TERMS.values())
    for symbol in ("x_t", "h_t", "s_t", "y_t", "e_{tj}", r"\alpha_{tj}", "W_o", "b_o", "C_t", "c"):
        assert symbol in text


def test_a_search_finds_words_in_any_order_and_a_name_alone():
    assert [term.name for terms in found("sink attention").values() for term in terms] == [
        "attention sink"
    ]
    assert found("LSTM") == {"Architecture": [TERMS["LSTM"]]}
    assert "length penalty" in [term.name for term in found("wu 2016")["Decoding"]]
    assert found("no such thing") == {}
    assert sum(map(len, found("").values())) == len(TERMS)
