"""Small parts of the page that Streamlit does not have. Text goes in by textContent only."""

from ui.components.copy_link import copy_link
from ui.components.highlighted_text import highlighted_text
from ui.components.hint import hint
from ui.components.live_picture import Ties, live_page, live_picture
from ui.components.outputs_list import outputs_list
from ui.components.plot import clicked, dragged, plot
from ui.components.save_picture import save_picture
from ui.components.scroller import scroller
from ui.components.submit_on_enter import submit_on_enter
from ui.components.text_pair import text_pair
from ui.components.token_view import token_view
from ui.components.word_diff import word_diff

__all__ = [
    "Ties",
    "clicked",
    "copy_link",
    "dragged",
    "highlighted_text",
    "hint",
    "live_page",
    "live_picture",
    "outputs_list",
    "plot",
    "save_picture",
    "scroller",
    "submit_on_enter",
    "text_pair",
    "token_view",
    "word_diff",
]
