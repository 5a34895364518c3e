"""Words that a chatbot of ours neither learns nor says: insults and sexual content.

The list is short on purpose. Words are compared whole or by how they begin, never by what stands
inside them, so that Scunthorpe, assume, Dickens or class are no trouble.
"""

from __future__ import annotations

import re

WHOLE = frozenset(
    """
    anal anus arse ass asses boobs boner clit cock cocks dumb dumber dumbest fag fags horny idiot
    idiots idiotic imbecile kike kikes kinky milf moron morons moronic nude nudes orgy penis pussy
    rape raped rapes raping sex sexier sexiest sexual sexually sexy slut sluts slutty stfu stupid
    stupider stupidest stupidity stupidly tits titties tranny twat vagina wank wanker
    """.split()
)
BEGINNINGS = (
    *("asshole", "bastard", "bitch", "blowjob", "bollock", "bullshit", "cunt", "dickhead"),
    *("dildo", "douche", "dumbass", "ejacul", "faggot", "fuck", "jackass", "masturb"),
    *("motherfuck", "nigga", "nigger", "orgasm", "pedophil", "paedophil", "porn", "prostitut"),
    *("rapist", "retarded", "shit", "whor"),
)
_WORD = re.compile(r"[^\W\d_]+")
_PHRASE = re.compile(
    r"\bshut up\b|\bhate you\b|\bkill (?:you|yourself|myself)\b|\byou(?:'re| are) (?:so |really |an? )?"
    r"(?:ugly|fat|loser|disgusting|pathetic|worthless)\b|\bmake love\b|\bf\W?\*",
    re.IGNORECASE,
)


def forbidden(word: str) -> bool:
    """Tell whether a word, in any case, is on the list."""
    word = word.lower()
    return word in WHOLE or word.startswith(BEGINNINGS)


def unfinished(word: str) -> bool:
    """Tell whether a word on the list begins so: its end must not follow."""
    word = word.lower()
    return any(entry.startswith(word) for entry in (*WHOLE, *BEGINNINGS))


def words(text: str) -> list[str]:
    """Return the runs of letters of a text."""
    return _WORD.findall(text)


def rude(text: str) -> bool:
    """Tell whether a text has a word on the list, or insults whom it speaks to."""
    return any(map(forbidden, words(text))) or bool(_PHRASE.search(text))
