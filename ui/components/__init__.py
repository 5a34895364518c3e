"""Small parts of the page that Streamlit does not have. Text goes in by textContent only."""

from ui.components.copy_link import copy_link
from ui.components.differences import differences
from ui.components.hint import hint
from ui.components.marked import marked
from ui.components.outputs_list import outputs_list
from ui.components.passage import passage
from ui.components.plot import clicked, plot
from ui.components.reading import reading
from ui.components.save_picture import save_picture
from ui.components.scroller import scroller

__all__ = [
    "clicked",
    "copy_link",
    "differences",
    "hint",
    "marked",
    "outputs_list",
    "passage",
    "plot",
    "reading",
    "save_picture",
    "scroller",
]
