"""A Plotly figure as plain dictionaries: a `go.Figure` takes ten times as long to make."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, ParamSpec

import numpy as np
import orjson

if TYPE_CHECKING:
    import plotly.graph_objects as go

P = ParamSpec("P")
Settings = dict[str, Any]  # of a trace, a shape, an axis; None leaves one to Plotly


@dataclass
class Drawing:
    """Layout and traces in Plotly's own names. Nothing is checked: `figure` does that."""

    layout: Settings
    data: list[Settings] = field(default_factory=list)

    def add_trace(self, trace: Settings) -> None:
        """Draw a trace over those that are there."""
        self.data.append(trace)

    def add_shape(self, shape: Settings) -> None:
        """Draw a shape over those that are there."""
        self.layout.setdefault("shapes", []).append(shape)

    def add_annotation(self, annotation: Settings) -> None:
        """Write a text."""
        self.layout.setdefault("annotations", []).append(annotation)

    def to_json(self) -> str:
        """Return what Plotly in a browser draws."""
        plain = _plain({"data": self.data, "layout": self.layout})
        return orjson.dumps(plain, np.ascontiguousarray, orjson.OPT_SERIALIZE_NUMPY).decode()

    def figure(self) -> go.Figure:
        """Return it as a figure of the Plotly library; ValueError for what that refuses."""
        import plotly.graph_objects as go

        return go.Figure(self.data, {"template": "none", **self.layout})

    def to_html(self) -> str:
        """Return a page of its own with the figure."""
        return self.figure().to_html()


class Picture(Generic[P]):
    """A function that draws: its call returns a checked `go.Figure`, its `plain` a Drawing."""

    def __init__(self, plain: Callable[P, Drawing]) -> None:
        self.plain = plain
        update_wrapper(self, plain)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> go.Figure:
        """Return the figure, checked by the Plotly library."""
        return self.plain(*args, **kwargs).figure()


def bar(**settings: Any) -> Settings:
    """Return a trace of bars."""
    return {"type": "bar", **settings}


def scatter(**settings: Any) -> Settings:
    """Return a trace of points or lines."""
    return {"type": "scatter", **settings}


def scatter3d(**settings: Any) -> Settings:
    """Return a trace of points or lines in space."""
    return {"type": "scatter3d", **settings}


def heatmap(**settings: Any) -> Settings:
    """Return a trace of cells."""
    return {"type": "heatmap", **settings}


def _plain(value: Any) -> Any:
    """Leave out what is None in dictionaries, and write bytes as Plotly reads them."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_plain(each) for each in value]
    if isinstance(value, np.ndarray) and value.dtype == np.uint8:
        text = base64.b64encode(value.tobytes()).decode()
        return {"dtype": "u1", "bdata": text, "shape": ", ".join(map(str, value.shape))}
    return value
