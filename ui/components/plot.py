"""A Plotly figure that is drawn where the last one stood, and only once it comes into sight.

Streamlit's own element makes a new chart of each figure, and draws those far below with the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from seq2seq.figures.drawing import Drawing

_PLOT = st.components.v2.component(
    "plot",
    html='<div class="plot-frame"><div class="figure"></div>'
    '<button class="enlarge" type="button" aria-label="Fill the screen" '
    'title="Fill the screen"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2 6V2h4M10 2h4v4'
    'M14 10v4h-4M6 14H2v-4"/></svg></button></div>',
    css="""
.plot-frame { position: relative; background: var(--st-background-color); }
.plot-frame .enlarge { position: absolute; top: 0; right: 0; padding: 0; width: 32px; height: 32px;
  color: var(--st-text-color); cursor: pointer; opacity: 0;
  background: var(--st-background-color); border: 1px solid var(--st-border-color);
  border-radius: 8px; }
.plot-frame .enlarge svg { width: 16px; height: 16px; vertical-align: -2px; fill: none;
  stroke: currentColor; stroke-width: 1.6; }
.plot-frame:hover .enlarge, .plot-frame .enlarge:focus-visible { opacity: 1; }
.plot-frame .enlarge:focus-visible { outline: 2px solid var(--st-primary-color); }
.plot-frame:fullscreen { padding: 16px; box-sizing: border-box; }
@media (hover: none) { .plot-frame .enlarge { display: none; } }
.plot-frame .grabs .nsewdrag { cursor: ns-resize !important; }
""",
    js="""
// Streamlit loads Plotly for its own charts; the frame of the page has one.
const plotly = new Promise((found) => {
  const look = () => window.Plotly ? found(window.Plotly) : setTimeout(look, 20);
  look();
});
const CALM = 200;  // milliseconds in which nothing came, so that the page stands as it will
const far = new Set();  // figures out of sight that wait for a calm page and an idle moment
let waiting = 0;

function draw(place) {
  far.delete(place);
  if (place.shown === place.wanted) return place.drawn;
  const wanted = place.shown = place.wanted;
  // One after the other: Plotly fails where a figure goes that it still draws.
  place.drawn = (place.drawn ?? plotly).catch(() => {}).then(() => paint(place, wanted));
  return place.drawn;
}

async function paint(place, wanted) {
  const Plotly = await plotly;
  if (!place.isConnected || wanted !== place.shown) return;
  const { data, layout } = JSON.parse(wanted);
  // What a figure is made of can only be changed from the ground up.
  const kind = [...data.map((trace) => trace.type),
    ...Object.keys(layout).filter((name) => /axis|scene/.test(name))].join();
  const anew = place.kind !== kind;
  if (anew) Plotly.purge(place);
  place.kind = kind;
  layout.height = fit(place);
  const drawn = Plotly.react(place, data, layout, { displayModeBar: false });
  if (anew) {
    const data = ({ points }) => points.find(({ customdata }) => customdata)?.customdata;
    place.on("plotly_hover", (event) => light(place, data(event)));
    place.on("plotly_unhover", () => light(place, null));
    place.on("plotly_click", ({ points }) => {
      const point = points.find(({ customdata }) => customdata !== undefined);
      if (point) place.choose?.(Array.from(point.customdata));
    });
  }
  await drawn;
}

// Points of a trace whose meta is "draggable" are moved up and down.
const NEAR = 14;  // pixels from a point
function near(place, event) {
  const layout = place._fullLayout, box = place.getBoundingClientRect();
  let found = null, best = NEAR;
  (place._fullData ?? []).forEach((trace, number) => {  // its numbers are decoded
    if (!place.drag || trace.meta !== "draggable") return;
    const { xaxis, yaxis } = layout;
    trace.y.forEach((y, index) => {
      if (!Number.isFinite(y)) return;
      const across = box.left + xaxis._offset + xaxis.d2p(trace.x[index]) - event.clientX;
      const along = box.top + yaxis._offset + yaxis.d2p(y) - event.clientY;
      const distance = Math.hypot(across, along);
      if (distance < best) { best = distance; found = { trace, number, index }; }
    });
  });
  return found;
}

function watchDragging(place) {
  let held = null;
  const stop = (event) => { event.preventDefault(); event.stopPropagation(); };
  const value = (event) => {
    const { yaxis } = place._fullLayout, top = place.getBoundingClientRect().top;
    const along = event.clientY - top - yaxis._offset;
    return yaxis.p2d(Math.min(Math.max(along, 0), yaxis._length));
  };
  place.addEventListener("pointerdown", (event) => {
    held = event.isPrimary && event.button === 0 ? near(place, event) : null;
    if (!held) return;
    stop(event);
    place.setPointerCapture(event.pointerId);
  }, true);
  place.addEventListener("pointermove", (event) => {
    if (!held) { place.classList.toggle("grabs", near(place, event) !== null); return; }
    stop(event);
    const y = Array.from(held.trace.y);
    y[held.index] = held.value = value(event);
    window.Plotly.restyle(place, { y: [y] }, [held.number]);
  }, true);
  const release = (event) => {
    if (!held) return;
    stop(event);
    const { trace, index, value } = held;
    held = null;
    if (value !== undefined && event.type === "pointerup") {
      place.drag?.([...trace.customdata[index], value]);
    }
  };
  place.addEventListener("pointerup", release, true);
  place.addEventListener("pointercancel", release, true);
  // A finger on a point moves the point, not the page.
  place.addEventListener("touchstart", (event) => {
    if (event.touches.length === 1 && near(place, event.touches[0])) stop(event);
  }, { capture: true, passive: false });
  place.addEventListener("mousedown", (event) => { if (held) stop(event); }, true);
}

// Tells the tokens on the page that the cell of these tokens is hovered over.
function light(place, tokens) {
  if (!place.lights) return;
  const detail = place.lights.flatMap(([side, ends], index) => {
    const first = tokens?.[index];
    return typeof first === "number" && first >= 0 ? [[side, first, ends[first] ?? first + 1]] : [];
  });
  window.dispatchEvent(new CustomEvent("seq2seq:light", { detail }));
}

function fit(place) {
  const full = document.fullscreenElement === place.parentElement;
  const height = full ? window.innerHeight - 32 : place.normal;
  place.style.height = `${height}px`;
  return height;
}

const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 200));
function later(place) {
  if (place.shown === place.wanted) return;
  far.add(place);
  wait();
}
function wait() {
  clearTimeout(waiting);
  waiting = setTimeout(() => { waiting = 0; idle(drawFar); }, CALM);
}
async function drawFar() {
  const [place] = far;
  if (waiting || !place) return;
  await draw(place);
  if (!waiting && far.size) idle(drawFar);
}

const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.near = isIntersecting;
    if (isIntersecting) draw(target);
    else later(target);
  }
});

const size = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const width = Math.round(contentRect.width);
    if (target.kind && width && width !== target._fullLayout.width) {
      window.Plotly.Plots.resize(target).catch(() => {});  // out of sight by now
    }
  }
});

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const frame = parentElement.querySelector(".plot-frame");
  const [place, enlarge] = frame.children;
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", data.described);
  place.normal = data.height;
  fit(place);
  place.wanted = data.figure;
  place.lights = data.lights;
  place.choose = data.clickable ? (point) => setTriggerValue("clicked", point) : null;
  place.drag = data.draggable ? (point) => setTriggerValue("dragged", point) : null;
  if (!place.watched) {
    place.watched = true;
    if (data.draggable) watchDragging(place);
    sight.observe(place);
    size.observe(place);
    enlarge.hidden = !document.fullscreenEnabled;  // a page inside another may not
    enlarge.onclick = () =>
      document.fullscreenElement ? document.exitFullscreen() : frame.requestFullscreen();
    frame.onfullscreenchange = () => window.Plotly.relayout(place, { height: fit(place) });
  }
  if (waiting) wait();
  if (place.near) draw(place);
  else if (place.near === false) later(place);
  return () => {
    sight.unobserve(place);
    size.unobserve(place);
    far.delete(place);
    const purge = () => window.Plotly?.purge(place);
    if (place.drawn) place.drawn.then(purge, purge);
  };
}
""",
    isolate_styles=False,
)


# The side of the token view that a part of customdata numbers, "source" or "target", and the token
# after the last one of each that stands for several.
Lights = list[tuple[str, dict[int, int]]]
DRAGGABLE = "draggable"


def plot(
    key: str,
    drawn: Drawing,
    described: str,
    on_click: Callable[[], None] | None = None,
    lights: Lights | None = None,
) -> None:
    """Show a figure, which needs a height; described: what it shows, for those who do not see it.

    key: of the figure; that of its element on the page is chart_KEY.
    on_click: called when a point with customdata was clicked; `clicked` tells it. In a figure with
    a trace whose meta is DRAGGABLE, when a point of that was moved; `dragged` tells it.
    lights: what the first numbers of a point's customdata are of: those tokens are lit while it is
    hovered over.
    """
    moves = any(trace.get("meta") == DRAGGABLE for trace in drawn.data)
    data: dict[str, Any] = {
        "figure": drawn.to_json(),
        "height": drawn.layout["height"],
        "described": described,
        "clickable": on_click is not None and not moves,
        "draggable": on_click is not None and moves,
        "lights": lights,
    }
    use = on_click or (lambda: None)
    _PLOT(key=_element(key), data=data, on_clicked_change=use, on_dragged_change=use)


def clicked(key: str) -> list | None:
    """Return the customdata of the point of a plot that was clicked, None if there is none."""
    return st.session_state[_element(key)].clicked


def dragged(key: str) -> list | None:
    """Return the customdata of the point of a plot that was moved, and its new value behind it."""
    return st.session_state[_element(key)].dragged


def _element(key: str) -> str:
    return f"chart_{key}"
