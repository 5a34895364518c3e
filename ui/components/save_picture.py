"""Buttons that save a chart of the page as the browser draws it."""

from __future__ import annotations

import streamlit as st

_SAVE_PICTURE = st.components.v2.component(
    "save_picture",
    html='<div class="row"></div>',
    css="""
.row { display: flex; flex-wrap: wrap; gap: 8px; }
button { font: 400 1rem var(--st-font); color: var(--st-text-color); cursor: pointer;
  background: var(--st-background-color); border: 1px solid var(--st-border-color);
  border-radius: 8px; padding: 0 12px; min-height: 40px; white-space: nowrap; }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
""",
    js="""
export default function (component) {
  const { data, parentElement } = component;
  const row = parentElement.querySelector(".row");
  row.replaceChildren(...["png", "svg"].map((format) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = format.toUpperCase();
    button.onclick = async () => {
      const chart = document.querySelector(`.st-key-${data.chart} .js-plotly-plot`);
      if (!chart || !window.Plotly) { button.textContent = "The chart is gone"; return; }
      const size = chart.getBoundingClientRect();
      // A file has no page behind it, so the chart gets the page's colour.
      const layout = { ...chart.layout, paper_bgcolor: data.background };
      await window.Plotly.downloadImage(
        { data: chart.data, layout, config: { staticPlot: true } },
        { format, filename: data.file, width: size.width, height: size.height,
          scale: format === "png" ? 2 : 1 },
      );
    };
    return button;
  }));
}
""",
)


def save_picture(chart: str, file: str, background: str) -> None:
    """Offer the chart of this key as PNG and SVG, named `file`."""
    data = {"chart": chart, "file": file, "background": background}
    _SAVE_PICTURE(key=f"save_picture {chart}", data=data)
