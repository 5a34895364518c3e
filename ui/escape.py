"""Text that is shown as it is: Markdown in it means nothing."""

from __future__ import annotations

import re

# Icons, emoji, addresses and arrows are looked for after the escapes are gone. What parts their
# letters takes no room and is not seen.
_JOINER = "\u2060"
_REPLACED = re.compile(
    r":(?=[\w+-]+:|material|//)|www(?=\.)|(?<=[\w+-])@(?=[\w-])|[-<>~](?=[-=>])", re.IGNORECASE
)


def quoted(text: str) -> str:
    """Quote a visitor's text in Markdown, as code: escapes do not stop links, icons and arrows."""
    text = re.sub(r"\s+", " ", text).strip()
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if text else "nothing"


def quoted_end(text: str) -> str:
    """Quote a text at the end of a sentence, which it ends itself if it ends with a full stop."""
    return quoted(text) + ("" if text.rstrip().endswith((".", "!", "?", "…")) else ".")


def plain(text: str) -> str:
    """Escape a text so that Markdown shows it as it is, in a paragraph, a label or an option.

    Whatever somebody else wrote and a page shows as Markdown goes through here or `quoted`.
    """
    text = _REPLACED.sub("\\g<0>" + _JOINER, re.sub(r"\s+", " ", text).strip())
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=])", r"\\\1", text)
