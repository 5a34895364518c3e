"""Summarization: paste a paragraph; see the summary and its attention to the text."""

import ui

ui.begin_page(__file__)
ui.text_task(
    "summarization",
    "Summarization",
    "English text",
    "Paste a text to summarize, or choose an example.",
    kind="paragraphs",
    read=ui.read_summary,
)
