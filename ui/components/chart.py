"""A picture on the page, and its files."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from ui.components import plot, save_picture
from ui.components.plot import Lights
from ui.page import is_dark

if TYPE_CHECKING:
    from seq2seq.figures.drawing import Drawing


def as_key(name: str) -> str:
    """Return the name of a model as a part of a chart's key: letters, digits and underscores."""
    return re.sub(r"[-/.]", "_", name)


def chart(
    key: str,
    drawn: Drawing,
    described: str,
    table: Callable[[], str] | None = None,
    on_select: Callable[[], None] | None = None,
    lights: Lights | None = None,
) -> None:
    """Show a figure, and offer it as PNG, SVG, HTML, and its data as CSV.

    key: of the chart, unique on a page, in letters and underscores; its files are named by it.
    described: what it shows, for those who do not see it. table: writes the data as CSV.
    on_select: called when a point was clicked, `clicked` tells which, or moved, as `plot` has it.
    lights: as `plot` has it.
    """
    plot(key, drawn, described, on_select, lights)
    menu = st.popover("Save", icon=":material/download:", key=f"save_{key}", on_change="rerun")
    if not menu.open:  # files are made when they are wanted
        return
    with menu:
        from seq2seq.figures.theme import palette

        save_picture(f"chart_{key}", key, palette(is_dark()).page)
        with st.container(horizontal=True):
            page: Callable[[], str] = drawn.to_html
            st.download_button("HTML", page, f"{key}.html", "text/html", on_click="ignore")
            if table is not None:
                st.download_button("CSV", table, f"{key}.csv", "text/csv", on_click="ignore")
