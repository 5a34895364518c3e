"""A button that copies the address of the page as it stands."""

from __future__ import annotations

import streamlit as st

_COPY_LINK = st.components.v2.component(
    "copy_link",
    html='<button class="copy" type="button">Copy link</button>',
    css="""
.copy { font: 400 0.875rem var(--st-font); color: var(--st-text-color); cursor: pointer;
  background: var(--st-background-color); border: 1px solid var(--st-border-color);
  border-radius: 8px; padding: 0 12px; min-height: 40px; white-space: nowrap; }
.copy:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
""",
    js="""
export default function (component) {
  const button = component.parentElement.querySelector(".copy");
  button.onclick = async () => {
    const link = new URL(window.location.href);
    component.data.without.forEach((name) => link.searchParams.delete(name));
    for (const [name, value] of Object.entries(component.data.also)) {
      link.searchParams.set(name, value);
    }
    try {
      await navigator.clipboard.writeText(link.href);
      button.textContent = "Link copied";
    } catch {
      window.prompt("Copy this link", link.href);
    }
    setTimeout(() => { button.textContent = "Copy link"; }, 2000);
  };
}
""",
)


def copy_link(*without: str, **also: str) -> None:
    """Offer the address of the page as it stands, all controls included but those named.

    also: parameters that the link has beside them.
    """
    _COPY_LINK(key="copy_link", data={"without": list(without), "also": also}, width="content")
