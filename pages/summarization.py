"""Summarization: paste a paragraph; see the summary, and what of the text it was drawn from."""

import ui

ui.begin_page(__file__)
ui.text_task(
    "summarization",
    "Summarization",
    "English text",
    "Paste a text to summarize, or take an example.",
    kind="paragraphs",
    read=ui.read_summary,
)
