"""The lines of code that make the pictures on a page without the app."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from seq2seq.decoding.interventions import AttentionEdit, Interventions
from seq2seq.decoding.options import Options
from seq2seq.trace import Trace

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ui.instruments.selection import View

_NOTED = "noted_code"


class Written(str):
    """An argument that stands in the code as it is: `checkpoint`, `source`, or made of `trace`."""

    __slots__ = ()


class _Noted(NamedTuple):
    """A call that made a picture, or a value of this name."""

    function: Callable
    args: tuple[Any, ...]
    settings: dict[str, Any]
    name: str = ""
    value: Any = None


def draw(picture: Callable[..., go.Figure], *args: Any, **settings: Any) -> go.Figure:
    """Return a figure as `picture` draws it, and note the call for those who want its code."""
    if _NOTED in st.session_state:
        st.session_state[_NOTED].append(_Noted(picture, args, settings))
    return picture(*args, **settings)


def define(name: str, value: Any, function: Callable, *args: Any, **settings: Any) -> None:
    """Note how a value that pictures are drawn of is made, by a call of a function."""
    if _NOTED in st.session_state:
        st.session_state[_NOTED].append(_Noted(function, args, settings, name, value))


def begin_noting() -> None:
    """Forget what was noted: the pictures that follow are those on the page."""
    st.session_state[_NOTED] = []


def code(view: View) -> str:
    """Return the lines that make the run and the noted pictures; ends the noting."""
    noted: list[_Noted] = st.session_state.pop(_NOTED, [])
    names = {id(each): f"branch_{name.lower()}" for name, each in view.named.items()}
    names |= {id(view.run): "run"} | {id(view.shown): "trace"}
    imports, lines = ["import seq2seq"], []
    for each in noted:
        try:
            call, needed = _call(each, names)
        except ValueError:  # of something that has no name here
            continue
        imports += [needed] if needed else []
        lines.append(f"{each.name} = {call}" if each.name else f"{call}.show()")
        if each.name:
            names[id(each.value)] = each.name
    lines = lines or ["print(trace.source.pieces, trace.target.pieces)"]
    source = repr(view.run.source.text if view.subject.given is None else view.subject.given)
    if view.run.position_seconds:
        source = 'read_audio(Path("recording.flac"))'
        imports = [
            "from pathlib import Path",
            *imports,
            "from seq2seq.data.audio import read_audio",
        ]
    return "\n".join(
        [
            *dict.fromkeys(imports),
            "",
            f"checkpoint = seq2seq.load({view.run.checkpoint!r})",
            f"source = {source}",
            *_runs(view, names, "\n".join(lines)),
            *lines,
        ]
    )


def _runs(view: View, names: dict[int, str], used: str) -> list[str]:
    """Return the lines that decode what is shown, and those other runs that are used."""
    more = "" if view.run.decoder_attention is None else ", self_attention=None"
    lines = []
    for trace in (view.run, *view.named.values(), view.shown):
        name, known = names[id(trace)], (view.run, *view.named.values())
        if trace is not view.shown and not re.search(rf"\b{name}\b", used):
            continue
        call = "run(checkpoint, source, "
        if not any(trace is each for each in known):  # another output of the search
            call = f"force(checkpoint, source, {list(trace.target.ids)}, "
        lines.append(f"{name} = seq2seq.{call}{_options(view, trace)}{more})")
    return list(dict.fromkeys(lines))


def _options(view: View, trace: Trace) -> str:
    options = trace.options
    if view.subject.options is not None:  # the text of a saved run has the instruction in it
        options = replace(options, instruction=view.subject.options.instruction)
    changed = (
        f"{field.name}={getattr(options, field.name)!r}"
        for field in fields(Options)
        if getattr(options, field.name) != field.default
    )
    return f"seq2seq.Options({', '.join(changed)})"


def _call(noted: _Noted, names: dict[int, str]) -> tuple[str, str]:
    """Write a call without what is its default or the page's colours, and the import it needs.

    Raises ValueError where an argument cannot be written.
    """
    import seq2seq
    from seq2seq import figures

    function = noted.function
    bound = inspect.signature(function).bind(*noted.args, **noted.settings)
    written = []
    for name, value in bound.arguments.items():
        parameter = bound.signature.parameters[name]
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            chosen = {key: _value(each, names) for key, each in value.items()}
            ordinary = ("None", "False", "'cross'")  # what is left away means these
            written += [f"{key}={text}" for key, text in chosen.items() if text not in ordinary]
        elif name != "dark":
            text = _value(value, names)
            if parameter.default is inspect.Parameter.empty:
                written.append(text)
            elif text != repr(parameter.default):
                written.append(f"{name}={text}")
    name, where = function.__name__, f"from {function.__module__} import {function.__name__}"
    if getattr(figures, name, None) is function:
        name, where = f"figures.{name}", "from seq2seq import figures"
    elif name in seq2seq.__all__:
        name, where = f"seq2seq.{name}", ""
    return f"{name}({', '.join(written)})", where


def _value(value: Any, names: dict[int, str]) -> str:
    if isinstance(value, Written):
        return str(value)
    if id(value) in names:
        return names[id(value)]
    if isinstance(value, list):
        return f"[{', '.join(_value(each, names) for each in value)}]"
    if isinstance(value, tuple):
        parts = [_value(each, names) for each in value]
        return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
    if isinstance(value, dict):
        pairs = (f"{_value(key, names)}: {_value(each, names)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, Interventions | AttentionEdit):
        chosen = (
            (field.name, getattr(value, field.name), field.default) for field in fields(value)
        )
        parts = [f"{name}={_value(each, names)}" for name, each, usual in chosen if each != usual]
        return f"seq2seq.{type(value).__name__}({', '.join(parts)})"
    if hasattr(value, "item"):  # a number of numpy's
        value = value.item()
    if not isinstance(value, str | int | float | bool | range | None):
        raise ValueError
    return repr(value)
