"""What a hostile visitor writes wherever a text can be written, and how it is recognized."""

import json
import re

HOSTILE = (
    "**bold** ![x](http://elsewhere.invalid/x.png) :material/home: $x$ :red[y] :smile: "
    "www.elsewhere.invalid <b>"
)
_ESCAPABLE = r"\\[!-/:-@\[-`{-~]"
_MARKUP = r"\*\*bold|!\[x|\]\(|\$x\$|:red\[|<b>"
# Looked for by the page after escapes are gone.
_REPLACED = r":material[/_]\w+:|:streamlit:|:smile:|\w://|www\."
# The fields of a widget that are shown as Markdown, and the kinds whose text is not.
_FIELDS = {"label", "help", "body", "content", "text", "delta", "tooltip"}
_LITERAL = {"bidi_component", "text", "code", "text_area", "text_input"}


def card(task):
    """Return a card.toml that tries it everywhere."""
    fields = {
        "title": HOSTILE,
        "task": task,
        "licence": HOSTILE,
        "summary": HOSTILE,
        "languages": [HOSTILE, "**bold**"],
        "examples": [HOSTILE, f"{HOSTILE} again"],
    }
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields.items())


def literal(text):
    """Tell whether Markdown shows a text as it is, as far as it holds something of HOSTILE."""
    text = re.sub(r"(`+)(.+?)(?<!`)\1(?!`)", "", text)
    return not (
        re.search(_MARKUP, re.sub(_ESCAPABLE, "·", text))
        or re.search(_REPLACED, text.replace("\\", ""))
    )


def markdown(at):
    """Give every text that a page shows as Markdown."""
    for node in at._tree.children.values():
        yield from _texts(node)


def _texts(node):
    if getattr(node, "type", "") in ("table", "arrow_table"):
        yield from (str(cell) for column in node.value for cell in node.value[column])
    elif getattr(node, "type", "") not in _LITERAL and getattr(node, "proto", None) is not None:
        yield from _fields(node.proto)
    for child in getattr(node, "children", {}).values():
        yield from _texts(child)


def _fields(message):
    for field, value in message.ListFields():
        values = value if isinstance(value, list | tuple) or hasattr(value, "append") else [value]
        if field.type == field.TYPE_MESSAGE:
            for each in values:
                if hasattr(each, "ListFields"):
                    yield from _fields(each)
        elif field.type == field.TYPE_STRING and field.name in _FIELDS:
            yield from values
