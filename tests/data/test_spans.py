import random

import pytest

from seq2seq.data.normalization import fold, unfolded_spans
from seq2seq.data.spans import byte_surfaces, containing, cover, place
from seq2seq.data.tokenizer import KINDS, Unigram
from seq2seq.data.tokenizer_pair import TokenizerPair
from seq2seq.data.value_tokenizer import ValueTokenizer
from tests.spans import ODD, assert_cover, assert_in_order


@pytest.fixture(scope="module", params=[*KINDS, "folded", "pair"])
def any_tokenizer(request, pairs):
    texts = [text for pair in pairs for text in pair]
    if request.param == "folded":
        return Unigram.train(texts, 120, folded=True)
    if request.param == "pair":
        sources, targets = ([pair[side] for pair in pairs] for side in (0, 1))
        return TokenizerPair(Unigram.train(sources, 90), Unigram.train(targets, 90))
    pieces = {"unigram": 120, "bpe": 120, "word": 300, "character": 120}[request.param]
    return Unigram.train(texts, pieces, kind=request.param)


@pytest.mark.parametrize("text", ODD)
def test_tokens_cover_their_text_in_order(any_tokenizer, text):
    split = any_tokenizer.split(text)
    assert split.ids == any_tokenizer.encode(text)
    assert len(split.ids) == len(split.pieces) == len(split.spans)
    assert_cover(split.spans, text)


def test_pieces_of_known_text_are_its_characters(tokenizer, pairs):
    for pair in pairs:
        split = tokenizer.split(pair.source)
        for piece, (start, end) in zip(split.pieces, split.spans, strict=True):
            assert pair.source[start:end] == piece.replace("▁", " ").strip()


def test_what_was_normalized_is_found_where_it_was_written(tokenizer):
    text = "a  ﬁg ½\tb"
    split = tokenizer.split(text)
    written = [text[start:end] for start, end in split.spans]
    assert next(each for each in written if each) == "a"
    assert "½" in written
    assert written[-1] == "b"


def test_folded_text_is_found_as_it_was_typed(pairs):
    folded = Unigram.train([f"{pair.source} 12" for pair in pairs], 90, folded=True)
    text = "The CAT paid 1,200 İn"
    split = folded.split(text)
    assert_cover(split.spans, text)
    written = {text[start:end] for start, end in split.spans}
    assert {"1,200", "İ"} <= written or any("1,200" in each for each in written)


@pytest.mark.parametrize("text", ["", "3", "In 1999, 2.5 İ ẞ ΑΣ", "—“a”"])
def test_folded_characters_belong_to_those_they_came_from(text):
    folded = fold(text)
    spans = unfolded_spans([(n, n + 1) for n in range(len(folded))], text)
    assert "".join(text[start:end] for start, end in spans) == text
    assert unfolded_spans([(0, len(folded))], text) == [(0, len(text))]


@pytest.mark.parametrize("bins", ["mean", "recent"])
def test_values_stand_where_they_were_written(bins):
    tokenizer, text = ValueTokenizer(method=bins), "112 ?  135.5\n-3"
    split = tokenizer.split(text)
    assert split.ids == tokenizer.encode(text)
    assert [text[a:b] for a, b in split.spans if a < b] == text.split()
    assert split.spans[0] == ((0, 0) if bins == "recent" else (0, 3))


def test_outputs_are_placed_in_what_they_are_joined_to(any_tokenizer, pairs):
    rng = random.Random(3)
    for pair in pairs:
        ids = any_tokenizer.encode_target(pair.target)
        for row in ([*ids, 3], rng.choices(range(len(any_tokenizer)), k=20)):
            text = any_tokenizer.decode(row).strip()
            surfaces = any_tokenizer.surfaces(row)
            assert "".join(surfaces).strip() == text
            spans = place(surfaces, text)
            assert len(spans) == len(row)
            assert_cover(spans, text)
            for surface, (start, end) in zip(surfaces, spans, strict=True):
                assert text[start:end] == surface.strip()


# --- what the functions do


@pytest.mark.parametrize(
    ("surfaces", "text", "written"),
    [
        (("a", "", " cat"), "a cat", ("a", "", "cat")),
        ((" the", " cat"), "THE CAT", ("THE", "CAT")),
        ((" it", "'", "s"), "it’s", ("it", "’", "s")),
        ((" straße",), "STRASSE", ("STRASSE",)),
        ((" paid", " ##", "."), "Paid 1,200.", ("Paid", "1,200", ".")),
        ((" 1", "/", "2"), "½", ("½", "", "")),
        ((" a", " b"), "a\u200d b", ("a", "b")),
        (("so", "rt"), "sort of", ("so", "rt")),
        ((" last",), "first ¶ last", ("last",)),
        ((" b", "c"), "a bc d", ("b", "c")),
        ((), "nobody's", ()),
        (("nothing",), "", ("",)),
    ],
)
def test_surfaces_are_found(surfaces, text, written):
    spans = place(surfaces, text)
    assert_in_order(spans, text)
    assert tuple(text[start:end] for start, end in spans) == written


def test_long_texts_that_differ_everywhere_are_placed_at_once():
    spans = place(["ab"] * 1_500, "xy" * 1_500)
    assert_cover(spans, "xy" * 1_500)


@pytest.mark.parametrize(
    ("spans", "text", "covering"),
    [
        ([(0, 0), (1, 2)], "\u200da b", [(0, 0), (0, 4)]),
        ([(0, 1), (1, 1), (3, 4)], "a\u200d b", [(0, 2), (2, 2), (3, 4)]),
        ([(0, 1), (0, 1), (0, 1)], "½", [(0, 1), (1, 1), (1, 1)]),
        ([(0, 2), (2, 5)], "a bc ", [(0, 1), (2, 4)]),
        ([(1, 1), (1, 2)], "▁ab", [(0, 0), (0, 3)]),
        ([(0, 0)], "ab", [(0, 0)]),
        ([], "ab", []),
    ],
)
def test_spans_are_made_to_cover_their_text(spans, text, covering):
    assert_in_order(cover(spans, text), text)
    assert list(cover(spans, text)) == covering


def test_a_character_belongs_to_the_byte_it_begins_with():
    assert byte_surfaces([b"\xc3", b"\xa9t", b"\xe9"]) == ("é", "t", "\ufffd")
    assert byte_surfaces([]) == ()
    assert byte_surfaces([b"", b"a", b""]) == ("", "a", "")


def test_the_part_that_a_span_begins_in():
    parts = [(0, 3), (4, 6)]
    assert containing([(0, 1), (2, 5), (3, 4), (5, 6), (5, 5), (6, 9)], parts) == [
        0,
        0,
        None,
        1,
        None,
        None,
    ]
    assert containing([(0, 1)], []) == [None]
