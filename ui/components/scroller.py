"""Lets a container that is wider than a narrow screen be scrolled, by keyboard too."""

from __future__ import annotations

import streamlit as st

_SCROLLER = st.components.v2.component(
    "scroller",
    html="<span></span>",
    js="""
export default function (component) {
  const { data } = component;
  const container = document.querySelector(`.st-key-${data.container}`);
  if (!container) return;
  container.tabIndex = 0;
  container.setAttribute("role", "region");
  container.setAttribute("aria-label", data.label);
  const show = () => {
    const place = data.share * container.scrollWidth - container.clientWidth / 2;
    container.scrollLeft = Math.max(0, place);
  };
  // Only where another place is asked for: what was scrolled by hand stays.
  if (container.dataset.share !== String(data.share)) {
    container.dataset.share = data.share;
    requestAnimationFrame(show);
  }
}
""",
)


def scroller(container: str, width: int, label: str, share: float) -> None:
    """Scroll what is in the container of this key where the screen is narrower than `width` pixels.

    label: says to a screen reader what it is. share: of the width, the place that is scrolled to.
    """
    st.html(
        f"<style>.st-key-{container} {{ overflow-x: auto; }} "
        f".st-key-{container} > div {{ min-width: {width}px; }}</style>"
    )
    data = {"container": container, "label": label, "share": round(share, 3)}
    _SCROLLER(key=f"scroller {container}", data=data)
