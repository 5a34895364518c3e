"""Terms of the glossary on other pages: what is shown when they are hovered over."""

from __future__ import annotations

from urllib.parse import quote

from seq2seq.lessons.glossary import TERMS
from ui.escape import plain


def term_help(*names: str) -> str:
    """Return the tooltip of a control: what these terms mean, and where they come from."""
    return "\n\n".join(_explained(name) for name in names)


def term_link(name: str, text: str = "") -> str:
    """Return a term as Markdown: underlined, explained on hover, leading to the glossary."""
    title = TERMS[name].definition.replace('"', "'")
    return f'[{plain(text or name)}](glossary?term={quote(name)} "{title}")'


def _explained(name: str) -> str:
    term = TERMS[name]
    symbol = f" ${term.symbol}$" if term.symbol else ""
    title = plain(name[0].upper() + name[1:])
    return f"**{title}**{symbol}: {plain(term.definition)} ({plain(term.source)})"
