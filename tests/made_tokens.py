"""Texts in tokens, made of pieces: ids and words as they come, the text as it is joined."""

from seq2seq.data.tokenizer import word_numbers
from seq2seq.trace import Tokens, spans_by_spelling, special_by_spelling


def made_tokens(pieces, words=None, text=None, special=None):
    """Return the tokens of a text; words: the number of each token's, by default one each."""
    pieces = tuple(pieces)
    special = special_by_spelling(pieces) if special is None else special
    if text is None:
        written = zip(pieces, special, strict=True)
        text = "".join(piece for piece, apart in written if not apart).replace("▁", " ").strip()
    numbers = tuple(range(len(pieces)))
    spans = spans_by_spelling(text, pieces, special)
    return Tokens(text, numbers, pieces, numbers if words is None else words, special, spans)


def made_words(*pieces):
    """Return the tokens of a text, those of a word with its number."""
    return made_tokens(pieces, word_numbers(pieces, special_by_spelling(pieces)))
