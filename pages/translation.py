"""Translation: type a sentence; see the output, its attention and the candidates."""

import ui

ui.begin_page(__file__)
ui.text_task(
    "translation",
    "Translation",
    "English sentence",
    "Type a sentence to translate and press Enter, or choose an example.",
)
