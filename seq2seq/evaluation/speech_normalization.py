"""One spelling for what is said in English, so that hearing is scored and not style.

A shorter form of Whisper's English normalizer (Radford et al. 2022, appendix C): it has no steps
for British spellings, titles (mr), 'd, most 's, gonna and wanna, decimals, currencies, percent and
diacritics. It has one of its own: letters and digits stand apart, since a spelled word or a number
may be written as "ABC 71" or as "a b c seven one".
"""

from __future__ import annotations

import re

from seq2seq.data.number_words import ENGLISH_ORDINALS, english_short_ordinal, read_english
from seq2seq.evaluation.word_errors import plainly

NAME = "English, numbers in digits, letters and digits apart"
LONGEST = 7  # words of a number below 10,000: "nine thousand nine hundred and ninety nine"
_BRACKETED = re.compile(r"\[[^\]]*\]|\([^)]*\)|<[^>]*>")
_FILLERS = re.compile(r"\b(?:hm+|mm+|mhm|uh|um)\b")
_CAPITALS = re.compile(r"\b[A-Z]{2,}\b")
_CONTRACTIONS = {
    r"\bwon't\b": "will not",
    r"\bcan't\b": "can not",
    r"\blet's\b": "let us",
    r"n't\b": " not",
    r"'re\b": " are",
    r"'ll\b": " will",
    r"'ve\b": " have",
    r"'m\b": " am",
    r"\b(it|that|there|what|who|he|she|here)'s\b": r"\1 is",
}
_CARDINALS = {ordinal: cardinal for cardinal, ordinal in ENGLISH_ORDINALS.items()}


def normalised(text: str) -> str:
    """Return a text as all that say the same are written; "" where nothing is said."""
    text = _BRACKETED.sub(" ", text.replace("’", "'"))
    text = _CAPITALS.sub(lambda match: " ".join(match[0]), text)
    text = _FILLERS.sub(" ", text.casefold())
    for contraction, long in _CONTRACTIONS.items():
        text = re.sub(contraction, long, text)
    text = re.sub(r"(?<=\d),(?=\d)", "", text)
    return " ".join(part for word in _in_digits(plainly(text).split()) for part in _apart(word))


def _in_digits(words: list[str]) -> list[str]:
    """Write the numbers among words in digits: each as the longest run of words that is one."""
    found: list[str] = []
    place = 0
    while place < len(words):
        for end in range(min(len(words), place + LONGEST), place, -1):
            number = _number(words[place:end])
            if number:
                found.append(number)
                break
        else:
            end = place + 1
            found.append(words[place])
        place = end
    digits = [word[0].isdigit() for word in found]
    beside = [any(digits[max(0, n - 1) : n + 2]) for n in range(len(found))]
    pairs = zip(found, beside, strict=True)
    return ["0" if word == "oh" and near else word for word, near in pairs]


def _number(words: list[str]) -> str:
    """Return a number that words spell in digits, with its ending if it is an ordinal, else ""."""
    if words[0] == "and" or words[-1] == "and":
        return ""
    last = _cardinal(words[-1])
    number = read_english(" ".join([*words[:-1], last or words[-1]]))
    if number is None:
        return ""
    return english_short_ordinal(number) if last else str(number)


def _cardinal(word: str) -> str:
    """Return what an ordinal counts to, "fifth" as "five", "" for other words."""
    if word in _CARDINALS:
        return _CARDINALS[word]
    if word.endswith("ieth"):
        return word[:-4] + "y"
    return word[:-2] if word.endswith("th") and read_english(word[:-2]) is not None else ""


def _apart(word: str) -> list[str]:
    return re.findall(r"\d|[^\d]+", word)
