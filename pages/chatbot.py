"""Chatbot: talk with a model; see which of the turns each token of a reply looked at."""

import ui

ui.begin_page(__file__)
ui.chat_page("chatbot", "Chatbot")
