"""Pronunciation: type a word; see its phonemes, and which letters each was read from."""

import ui

ui.begin_page(__file__)
ui.text_task(
    "spelling",
    "Pronunciation",
    "English word",
    "Nothing to say yet: type a word and press Enter.",
    kind="word",
)
