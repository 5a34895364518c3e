"""English and French patterns whose slots are filled with names, numbers, dates, times, prices."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

from seq2seq.data.number_words import (
    english,
    english_digits,
    english_ordinal,
    english_short_ordinal,
    french,
    french_digits,
    french_ordinal,
    french_short_ordinal,
)
from seq2seq.data.parallel_corpus import Pair
from seq2seq.training.elision import joined
from seq2seq.training.name_tables import Words, draw_name, names, number, patterns

MONTHS = (
    ("January", "janvier"),
    ("February", "février"),
    ("March", "mars"),
    ("April", "avril"),
    ("May", "mai"),
    ("June", "juin"),
    ("July", "juillet"),
    ("August", "août"),
    ("September", "septembre"),
    ("October", "octobre"),
    ("November", "novembre"),
    ("December", "décembre"),
)
DAYS = (
    ("Monday", "lundi"),
    ("Tuesday", "mardi"),
    ("Wednesday", "mercredi"),
    ("Thursday", "jeudi"),
    ("Friday", "vendredi"),
    ("Saturday", "samedi"),
    ("Sunday", "dimanche"),
)
SLOT = re.compile(r"\{([a-z_]+)\d?\}")


def _count(low: int, high: int, words: float = 0.5) -> Callable[[random.Random, bool], Words]:
    """Return what draws a number, written in words in a share of cases; none ends in one then."""

    def make(draw: random.Random, held: bool) -> Words:
        drawn = number(low, high, draw, held)
        if draw.random() < words and drawn % 10 != 1:
            return Words(english(drawn, draw.random() < 0.7), french(drawn))
        return Words(english_digits(drawn), french_digits(drawn))

    return make


def _full(draw: random.Random, held: bool) -> Words:
    parts = _first(draw, held), draw_name("surname", draw, held)
    return Words(*(" ".join(side) for side in zip(*parts, strict=True)))


def _first(draw: random.Random, held: bool) -> Words:
    return draw_name(draw.choice(("he", "she")), draw, held)


def _year(draw: random.Random, held: bool) -> Words:
    drawn = str(number(*draw.choice(((1100, 1899), (1900, 2030), (1900, 2030))), draw, held))
    return Words(drawn, drawn)


def _date(draw: random.Random, held: bool) -> Words:
    day = draw.randint(1, 31)
    en, fr = draw.choice(MONTHS)
    forms = (
        f"{en} {day}",
        f"{day} {en}",
        f"the {english_short_ordinal(day)} of {en}",
        f"{en} {english_short_ordinal(day)}",
        f"the {english_ordinal(day)} of {en}",
    )
    place, year = draw.randrange(len(forms)), ""
    if held or draw.random() < 0.4:
        year = _year(draw, held).en
    comma = "," if place in (0, 3) else ""
    french_day = "1er" if day == 1 else str(day)
    return Words(
        *(
            (f"{forms[place]}{comma} {year}", f"{french_day} {fr} {year}")
            if year
            else (forms[place], f"{french_day} {fr}")
        )
    )


def _time(draw: random.Random, held: bool) -> Words:
    """Draw a time of day. Held out are the minutes of a digital clock whose number is."""
    if not held and draw.random() < 0.6:
        return draw.choice((_spoken_time, _whole_hour))(draw)
    hour, afternoon = draw.randint(1, 12), draw.random() < 0.5
    minutes = number(20, 59, draw, True) if held else number(1, 59, draw)
    marked = draw.random() < 0.5
    mark = (" p.m." if afternoon else " a.m.") if marked else ""
    shown = hour % 12 + 12 * afternoon if marked else hour
    return Words(f"{hour}:{minutes:02}{mark}", f"{shown} h {minutes:02}")


def _whole_hour(draw: random.Random) -> Words:
    hour = draw.randint(1, 12)
    if hour == 12:
        return draw.choice((Words("noon", "midi"), Words("midnight", "minuit")))
    if draw.random() < 0.3:
        return Words(f"{hour} p.m.", f"{hour + 12} h")
    words = f"{french(hour, feminine=True)} heure{'s' if hour > 1 else ''}"
    if draw.random() < 0.5:
        return Words(f"{english(hour)} o'clock", words)
    return Words(f"{hour} o'clock", re.sub(r"^\S+", str(hour), words))


def _spoken_time(draw: random.Random) -> Words:
    hour = draw.randint(1, 11)
    spoken = f"{french(hour, feminine=True)} heure{'s' if hour > 1 else ''}"
    minutes = draw.choice((5, 10, 20))
    return draw.choice(
        (
            Words(f"half past {english(hour)}", f"{spoken} et demie"),
            Words(f"a quarter past {english(hour)}", f"{spoken} et quart"),
            Words(f"a quarter to {english(hour)}", f"{spoken} moins le quart"),
            Words(f"{english(minutes)} past {english(hour)}", f"{spoken} {french(minutes)}"),
            Words(f"{english(minutes)} to {english(hour)}", f"{spoken} moins {french(minutes)}"),
        )
    )


def _price(draw: random.Random, held: bool) -> Words:
    """Draw a price. The part that is held out is the whole number before the cents."""
    whole = number(20 if held else 2, 999, draw, held)
    signs, names_of_money = "$€£", ("dollars", "euros", ("pounds", "livres"))
    currency = draw.randrange(3)
    if draw.random() < 0.5:
        name = names_of_money[currency]
        en, fr = (name, name) if isinstance(name, str) else name
        counted = _count(whole, whole)(draw, held)
        return Words(f"{counted.en} {en}", f"{counted.fr} {fr}")
    cents = f"{draw.randrange(5, 100, 5):02}" if draw.random() < 0.5 else ""
    sign = signs[currency]
    amount = (f"{whole}.{cents}", f"{whole},{cents}") if cents else (str(whole), str(whole))
    return Words(f"{sign}{amount[0]}", f"{amount[1]} {sign}")


def _percent(draw: random.Random, held: bool) -> Words:
    whole = number(20 if held else 2, 100, draw, held)
    tenths = f"{draw.randint(1, 9)}" if draw.random() < 0.3 else ""
    en, fr = (f"{whole}.{tenths}", f"{whole},{tenths}") if tenths else (f"{whole}", f"{whole}")
    sign = draw.random() < 0.6
    return Words(en + ("%" if sign else " percent"), fr + (" %" if sign else " pour cent"))


def _decimal(draw: random.Random, held: bool) -> Words:
    whole, tenths = number(20 if held else 2, 200, draw, held), draw.randint(1, 99)
    return Words(f"{whole}.{tenths}", f"{whole},{tenths}")


def _digits(draw: random.Random, held: bool) -> Words:
    groups = draw.choice(((3, 4), (3, 3, 4), (2, 2, 2, 2, 2), (4,), (6,)))
    mark = draw.choice((" ", "-", "-"))
    digits = mark.join("".join(draw.choices("0123456789", k=size)) for size in groups)
    return Words(digits, digits)


def _code(draw: random.Random, held: bool) -> Words:
    letters = "".join(draw.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=draw.randint(1, 3)))
    code = letters + draw.choice(("", " ", "-")) + str(draw.randint(1, 9_999))
    return Words(code, code)


def _ordinal(feminine: bool) -> Callable[[random.Random, bool], Words]:
    def make(draw: random.Random, held: bool) -> Words:
        drawn = number(20 if held else 1, 100 if draw.random() < 0.3 else 31, draw, held)
        if draw.random() < 0.5:
            return Words(english_ordinal(drawn), french_ordinal(drawn, feminine))
        return Words(english_short_ordinal(drawn), french_short_ordinal(drawn, feminine))

    return make


def _listed(kind: str) -> Callable[[random.Random, bool], Words]:
    return lambda draw, held: draw_name(kind, draw, held and bool(names(kind, True)))


def _small(draw: random.Random, held: bool) -> Words:
    return _count(2, 12, 0.7)(draw, False)


# What fills the slots of patterns. For measuring, what is drawn is what training never sees, as
# far as there is such a thing: phone numbers and codes hardly ever come twice.
SLOTS: Mapping[str, Callable[[random.Random, bool], Words]] = {
    "name": _first,
    "full": _full,
    **{kind: _listed(kind) for kind in ("he", "she", "surname", "city")},
    **{kind: _listed(kind) for kind in ("country", "in_country", "from_country")},
    "small": _small,
    "number": _count(2, 100),
    "age": _count(2, 99),
    "count": _count(100, 999, 0.3),
    "big": _count(1_000, 999_999, 0.1),
    "year": _year,
    "date": _date,
    "day": lambda draw, held: Words(*draw.choice(DAYS)),
    "time": _time,
    "price": _price,
    "percent": _percent,
    "decimal": _decimal,
    "phone": _digits,
    "code": _code,
    "ordinal": _ordinal(False),
    "ordinal_f": _ordinal(True),
}


def filled(pattern: Words, draw: random.Random, held: bool = False) -> tuple[Pair, list[Words]]:
    """Fill the slots of a pattern; returns the pair, and what stands in its slots, in order.

    held: with what is never drawn for training.
    """
    slots = dict.fromkeys(found[0] for found in SLOT.finditer(pattern.en))
    values = {slot: SLOTS[SLOT.fullmatch(slot)[1]](draw, held) for slot in slots}  # type: ignore[index]
    return Pair(*(fill(side, values, at) for at, side in enumerate(pattern))), [*values.values()]


def fill(pattern: str, values: Mapping[str, Words], side: int) -> str:
    """Write values into the slots of one side, 0 for English and 1 for French."""
    text, at = "", 0
    for found in SLOT.finditer(pattern):
        text = joined(
            text + pattern[at : found.start()], values[found[0]][side], ("en", "fr")[side]
        )
        at = found.end()
    text += pattern[at:]
    return text[0].upper() + text[1:] if pattern[:1] == "{" and len(pattern) > at else text


def made(count: int, draw: random.Random) -> list[Pair]:
    """Make so many pairs from patterns drawn at random."""
    return [filled(draw.choice(patterns()), draw)[0] for _ in range(count)]
