"""Pronunciation: type a word; see its phonemes and the letters each attends to."""

import ui

ui.begin_page(__file__)
ui.text_task(
    "spelling",
    "Pronunciation",
    "English word",
    "Type a word to pronounce and press Enter. Capitals and accents do not matter.",
    kind="word",
)
