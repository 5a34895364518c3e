"""Text that is shown as it is: Markdown in it means nothing."""

from __future__ import annotations

import re


def quoted(text: str) -> str:
    """Quote a visitor's text in Markdown, as code: escapes do not stop links, icons and arrows."""
    text = re.sub(r"\s+", " ", text).strip()
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if text else "nothing"


def plain(text: str) -> str:
    """Escape a sentence of ours so that Markdown shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=])", r"\\\1", text)
