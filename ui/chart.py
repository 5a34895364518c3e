"""A picture on the page, and its files."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from ui.components import save_picture
from ui.frame import is_dark

if TYPE_CHECKING:
    import plotly.graph_objects as go


def chart(
    key: str,
    drawn: go.Figure,
    described: str,
    table: Callable[[], str] | None = None,
    on_select: Callable[[], None] | None = None,
) -> None:
    """Show a figure, and offer it as PNG, SVG, HTML, and its data as CSV.

    key: of the chart, unique on a page, in letters and underscores; its files are named by it.
    described: what it shows, for those who do not see it. table: writes the data as CSV.
    on_select: called when a point was clicked; `clicked` tells which.
    """
    with st.container(key=f"chart_{key}"):
        st.plotly_chart(
            drawn_once(drawn, on_select is not None),
            key=key,
            theme=None,
            on_select=on_select or "ignore",
            selection_mode="points",
            config={"displayModeBar": False, "responsive": True},
            alt=described,
        )
    menu = st.popover("Save", icon=":material/download:", key=f"save_{key}", on_change="rerun")
    if not menu.open:  # files are made when they are wanted
        return
    with menu:
        from seq2seq.figures.palette import palette

        save_picture(f"chart_{key}", key, palette(is_dark()).page)
        with st.container(horizontal=True):
            page: Callable[[], str] = drawn.to_html
            st.download_button("HTML", page, f"{key}.html", "text/html", on_click="ignore")
            if table is not None:
                st.download_button("CSV", table, f"{key}.csv", "text/csv", on_click="ignore")


def drawn_once(drawn: go.Figure, selectable: bool) -> go.Figure:
    """Change a figure so that plotly need not draw it a second time; returns it.

    Streamlit gives plotly each figure twice. Plotly then draws anew if there is a template, an
    array of numbers in one dimension that is not a list, no revision of the data, or a way to
    click that Streamlit has added.
    """
    drawn.layout.template = None
    for trace in drawn.data:
        for name, values in trace.to_plotly_json().items():
            if isinstance(values, np.ndarray) and values.ndim == 1:
                trace[name] = None  # or the list would be equal to what is there, and dropped
                trace[name] = values.tolist()
    if selectable:
        drawn.update_layout(clickmode="event+select", dragmode="pan")
    drawn.layout.datarevision = zlib.crc32(drawn.to_json(validate=False).encode())
    return drawn


def clicked(key: str) -> list | None:
    """Return the customdata of the point of a chart that was clicked, None if there is none."""
    points = st.session_state[key].selection.points
    found = points[0].get("customdata") if points else None
    # What the figure has as a row of an array, the browser tells by the numbers of its places.
    return list(found.values()) if isinstance(found, dict) else found
