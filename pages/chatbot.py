"""Chatbot: talk with a model; see the effect and the attention of each turn."""

import ui

ui.begin_page(__file__)
ui.chat_page("chatbot", "Chatbot")
