"""Translation: type a sentence; see the output, where the model looked, what else it considered."""

import ui

ui.begin_page(__file__)
ui.text_task(
    "translation",
    "Translation",
    "English sentence",
    "Nothing to translate yet: type a sentence and press Enter, or take an example.",
)
