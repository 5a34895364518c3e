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
    from seq2seq.figures.drawing import Drawing, Picture
    from ui.instruments.selection import View

_CALLS = "calls_of_the_page"


class Named(NamedTuple):
    """A value that the code has a name or an expression for, such as `trace.target.ids`."""

    name: str
    value: Any = None


class Call(NamedTuple):
    """A call that stands in the code: of a picture that is shown, or of what `result` is made by.

    args and settings are plain values, Named, or lists and dictionaries of these.
    """

    function: Callable
    args: tuple[Any, ...]
    settings: dict[str, Any]
    result: str = ""


def begin_recording() -> None:
    """Begin an empty record of calls: those that follow make what is on the page."""
    st.session_state[_CALLS] = []


def draw(picture: Picture, *args: Any, **settings: Any) -> Drawing:
    """Return a figure as `picture` draws it, and record the call."""
    _record(Call(picture, args, settings))
    return picture.plain(*_plain(list(args)), **_plain(settings))


def define(name: str, value: Any, function: Callable, *args: Any, **settings: Any) -> Named:
    """Record that a value is made by a call of a function; returns it with its name."""
    _record(Call(function, args, settings, name))
    return Named(name, value)


def _record(call: Call) -> None:
    if _CALLS in st.session_state:
        st.session_state[_CALLS].append(call)


def _plain(value: Any) -> Any:
    """Return what the names stand for."""
    if isinstance(value, Named):
        return value.value
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value


def code(view: View) -> str:
    """Return the lines that make the run and the recorded pictures; ends the recording."""
    calls: list[Call] = st.session_state.pop(_CALLS, [])
    imports, lines = ["import seq2seq"], []
    for each in calls:
        call, needed = _written(each)
        imports += [needed] if needed else []
        lines.append(f"{each.result} = {call}" if each.result else f"{call}.show()")
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
            *_runs(view, "\n".join(lines)),
            *lines,
        ]
    )


def _runs(view: View, used: str) -> list[str]:
    """Return the lines that decode what is shown, and those other runs that are used."""
    more = "" if view.run.decoder_attention is None else ", self_attention=None"
    decoded = [view.run, *view.branches.values()]
    lines = []
    for name, trace in (view.named_run, *view.named_branches.values(), view.named_shown):
        if trace is not view.shown and not re.search(rf"\b{name}\b", used):
            continue
        call = "run(checkpoint, source, "
        if not any(trace is each for each in decoded):  # another output of the search
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


def _written(call: Call) -> tuple[str, str]:
    """Write a call without what is its default or the page's colours, and the import it needs."""
    bound = inspect.signature(call.function).bind(*call.args, **call.settings)
    parts: list[str] = []
    for name, value in bound.arguments.items():
        parameter = bound.signature.parameters[name]
        text = _value(value)
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            chosen = {key: _value(each) for key, each in value.items()}
            ordinary = ("None", "False", "'cross'")  # what is left away means these
            parts += [f"{key}={text}" for key, text in chosen.items() if text not in ordinary]
        elif parameter.default is inspect.Parameter.empty:
            parts.append(text)
        elif name != "dark" and text != repr(parameter.default):
            parts.append(f"{name}={text}")
    name, needed = _address(call.function)
    return f"{name}({', '.join(parts)})", needed


def _address(function: Callable) -> tuple[str, str]:
    """Return how the code calls a function, and the import that this needs."""
    import seq2seq
    from seq2seq import figures

    name = function.__name__
    if getattr(figures, name, None) is function:
        return f"figures.{name}", "from seq2seq import figures"
    if name in seq2seq.__all__:
        return f"seq2seq.{name}", ""
    return name, f"from {function.__module__} import {name}"


def _value(value: Any) -> str:
    """Write a value: by its name where it has one, else as Python writes it."""
    if isinstance(value, Named):
        return value.name
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, tuple):
        parts = [_value(each) for each in value]
        return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_value(key)}: {_value(each)}' for key, each in value.items())}}}"
    if isinstance(value, Interventions | AttentionEdit):
        chosen = ((each.name, getattr(value, each.name), each.default) for each in fields(value))
        parts = [f"{name}={_value(each)}" for name, each, usual in chosen if each != usual]
        return f"seq2seq.{type(value).__name__}({', '.join(parts)})"
    return repr(value.item() if hasattr(value, "item") else value)  # a number of numpy's
