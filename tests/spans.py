"""Texts that tokenizers find odd, and what holds of the spans of every text."""

from itertools import pairwise

ODD = [
    "The cat sleeps on the chair.",
    "It’s “quoted” — and … dotted",
    "a\tb\n c\u00a0d  e",
    "🙂 the 👩‍👩‍👧 cat 🇫🇷",
    "e\u0301te\u0301 nai\u0308ve",
    "ﬁne ½ № ＡＢＣ ①",
    "القط ينام على الكرسي",
    "שָׁלוֹם cat",
    "猫が眠る。",
    "İstanbul ẞ straße ΑΣ",
    "\u200dab\u200c",
    "▁a ▁ b▁",
    "1,200.50 and 3",
    "x" * 40,
    "",
    "   ",
]


def assert_in_order(spans, text):
    """Spans are in order, apart, within the text, and have no white space at their ends."""
    ends = [0, *(end for span in spans for end in span), len(text)]
    assert all(before <= after for before, after in pairwise(ends)), spans
    for start, end in spans:
        assert text[start:end] == text[start:end].strip()


def assert_cover(spans, text):
    """Besides, they are all of the text but for white space, where there are any tokens."""
    assert_in_order(spans, text)
    joined = "".join(text[start:end] for start, end in spans)
    if any(start < end for start, end in spans):
        assert "".join(joined.split()) == "".join(text.split())
