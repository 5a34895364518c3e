"""A recording, its spectrogram and the attention to it, one above the other in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, Unpack

import numpy as np

from seq2seq.analysis.word_timestamps import Alignment, heads_mean, shown_tokens, span
from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, bar, heatmap, scatter
from seq2seq.figures.heatmap import add_cells_key, in_bytes
from seq2seq.figures.label_margins import fit
from seq2seq.figures.marks import around, colour_cells, rectangle
from seq2seq.figures.theme import (
    LABELS_UP_TO,
    SMALL,
    Palette,
    add_title,
    axis,
    escape,
    figure,
    margins,
    mix,
    palette,
    value_axis,
)
from seq2seq.trace import Trace, label, words

if TYPE_CHECKING:
    from seq2seq.data.audio import Recording

# No screen shows more of them, and all are sent again at every click.
WAVE_COLUMNS, MEL_COLUMNS, POSITIONS = 600, 800, 500
WAVE, MEL, GAP, FOOT = 70, 120, 28, 92  # pixels
HERTZ = {500: "0.5k", 1000: "1k", 2000: "2k", 4000: "4k"}
AXES = {"waveform": "yaxis3", "log-mel": "yaxis2", "attention": "yaxis"}
TITLES = {
    "waveform": "waveform",
    "log-mel": "log-mel spectrogram (model input), Hz",
    "attention": "attention, ↓ output",
}


class RowChoice(TypedDict, total=False):
    """Which rows of attention.

    layer, head: whose, None for the mean. by_word: one row for each word. special: rows for tokens
    that stand for no text too.
    """

    layer: int | None
    head: int | None
    by_word: bool
    special: bool


class SpeechChoice(RowChoice, total=False):
    """What is drawn of the attention.

    path: the alignment, as a line. scale: one of heatmap.SCALES, "row maximum" if none is given.
    """

    path: bool
    scale: str


class Row(NamedTuple):
    """A row of the matrix: a token or a word. tokens: first and last; start, end: in seconds."""

    name: str
    tokens: tuple[int, int]
    start: float
    end: float


@Picture
def speech(
    trace: Trace,
    alignment: Alignment | None,
    recording: Recording | None = None,
    selected: int | None = None,
    dark: bool = False,
    **choice: Unpack[SpeechChoice],
) -> Drawing:
    """Draw waveform, log-mel frames and attention over one axis of seconds.

    alignment: None for a model without attention, of which that part is left out. recording: None
    where there is none any more, then the other two are. selected: token whose time is marked.
    Clicking works through invisible bars over each token's time and row, whose customdata is its
    number from 0.
    """
    colours = palette(dark)
    rows = [] if alignment is None else _rows(trace, alignment, choice)
    parts = {"waveform": WAVE, "log-mel": MEL} if recording is not None else {}
    if rows:
        parts["attention"] = max(120, min(22 * len(rows), 620))
    drawn = _stacked(trace, parts, colours)
    if recording is not None:
        _add_waveform(drawn, recording, colours)
        _add_mel(drawn, recording, colours)
    if alignment is not None:
        weights = rows_of(trace, rows, choice.get("layer"), choice.get("head"))
        scale = choice.get("scale", "row maximum")
        _add_attention(drawn, trace, weights, rows, scale, colours)
        _add_bars(drawn, trace, weights, rows, parts)
        if choice.get("path"):
            _add_path(drawn, rows, colours)
        if selected is not None:
            _mark(drawn, trace, alignment, rows, selected, colours)
    return fit(drawn)


def speech_csv(trace: Trace, alignment: Alignment, **choice: Unpack[RowChoice]) -> str:
    """Return a line for each row that is drawn as CSV: its time, and its weight at each position.

    Times are seconds, steps count from 1; a position is named by the second that it begins at.
    """
    rows = _rows(trace, alignment, choice)
    weights = rows_of(trace, rows, choice.get("layer"), choice.get("head"))
    places = [f"{number * trace.position_seconds:.2f}" for number in range(weights.shape[1])]
    return table(
        ("step", "token", "start", "end", *places),
        (
            (row.tokens[0] + 1, row.name, f"{row.start:.2f}", f"{row.end:.2f}", *numbers)
            for row, numbers in zip(rows, np.char.mod("%.6f", weights).tolist(), strict=True)
        ),
    )


def _rows(trace: Trace, alignment: Alignment, choice: RowChoice) -> list[Row]:
    by_word, special = choice.get("by_word", False), choice.get("special", False)
    return timed_rows(trace, alignment, by_word, special)


def timed_rows(trace: Trace, alignment: Alignment, by_word: bool, special: bool) -> list[Row]:
    """Return the rows of the matrix: tokens, or the words they belong to."""
    names, numbers = words(trace.target), trace.target.words
    groups: dict[int, list[int]] = {}
    for token in shown_tokens(trace.target, special):
        groups.setdefault(numbers[token] if by_word else token, []).append(token)
    rows = []
    for key, tokens in groups.items():
        name = names[key] if by_word else label(trace.target.pieces[key])
        rows.append(Row(name, (tokens[0], tokens[-1]), *span(trace.target, alignment, tokens)))
    return rows


def rows_of(trace: Trace, rows: list[Row], layer: int | None, head: int | None) -> np.ndarray:
    """Return the attention of each row, the mean of its tokens': (rows, source)."""
    assert trace.attention is not None
    weights = heads_mean(trace.attention, layer, head)
    return np.stack([weights[row.tokens[0] : row.tokens[1] + 1].mean(axis=0) for row in rows])


def row_of(rows: list[Row], token: int) -> int | None:
    """Return the row that a token belongs to, None for a token that has none."""
    places = (n for n, row in enumerate(rows) if row.tokens[0] <= token <= row.tokens[1])
    return next(places, None)


def envelope(samples: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest sample in each of at most so many columns."""
    count = min(columns, len(samples))
    edges = np.linspace(0, len(samples), count, endpoint=False).astype(int)
    return np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)


def gathered(values: np.ndarray, columns: int, mean: bool) -> tuple[np.ndarray, int]:
    """Join neighbours of (rows, columns) until at most so many are left; by sum, or mean.

    Returns them, and how many make one; the last one may be made of fewer.
    """
    each = -(-values.shape[1] // columns)
    starts = np.arange(0, values.shape[1], each)
    sums = np.add.reduceat(values, starts, axis=1)
    return sums / np.diff(starts, append=values.shape[1]) if mean else sums, each


def _stacked(trace: Trace, parts: dict[str, int], colours: Palette) -> Drawing:
    """Return a figure of parts, each so many pixels high, above one time axis."""
    inner = sum(parts.values()) + GAP * len(parts)
    drawn = figure(
        colours,
        height=inner + FOOT,
        margin=margins(t=0, b=FOOT),
        barmode="overlay",
        xaxis=value_axis(
            colours,
            "seconds",
            standoff=4,
            room=False,
            range=[0, len(trace.source) * trace.position_seconds],
            anchor="free",
            position=0,
        ),
    )
    top = inner
    for name, height in parts.items():
        top -= GAP
        drawn.layout[AXES[name]] = axis(domain=[(top - height) / inner, top / inner])
        add_title(drawn, TITLES[name], (0, top / inner), xanchor="left", font=SMALL)
        top -= height
    return fit(drawn)


def _add_waveform(drawn: Drawing, recording: Recording, colours: Palette) -> None:
    low, high = envelope(recording.samples, WAVE_COLUMNS)
    seconds = (np.arange(len(low)) + 0.5) * len(recording.samples) / len(low) / recording.rate
    most = max(float(np.abs(recording.samples).max()), 1e-3)
    drawn.add_trace(
        scatter(
            x=np.round(np.concatenate([seconds, seconds[::-1]]), 3),
            y=np.round(np.concatenate([high, low[::-1]]), 4),
            yaxis="y3",
            mode="lines",
            line={"width": 1, "color": mix(colours.attention, 0.6)},
            fill="toself",
            fillcolor=mix(colours.attention, 0.6),
            hoverinfo="skip",
        )
    )
    drawn.layout["yaxis3"] |= {"range": [-1.05 * most, 1.05 * most], "showticklabels": False}


def _add_mel(drawn: Drawing, recording: Recording, colours: Palette) -> None:
    mel, each = gathered(recording.frames.T, MEL_COLUMNS, mean=True)
    low, high = float(mel.min()), float(mel.max())
    step = each * recording.hop
    # In 256 steps, which no eye tells from all of them: a quarter of the bytes.
    levels = np.round(255 * (mel - low) / max(high - low, 1e-9)).astype(np.uint8)
    drawn.add_trace(
        heatmap(
            z=levels,
            x0=step / 2,
            dx=step,
            y0=0,
            dy=1,
            yaxis="y2",
            zsmooth="fast",
            colorscale=[[0, colours.page], [1, colours.text]],
            showscale=False,
            hoverinfo="skip",
        )
    )
    wanted = [value for value in HERTZ if recording.hertz[0] <= value <= recording.hertz[-1]]
    places = np.interp(wanted, recording.hertz, np.arange(len(recording.hertz)))
    drawn.layout["yaxis2"] |= {
        "range": [-0.5, len(mel) - 0.5],
        "tickvals": np.round(places, 2).tolist(),
        "ticktext": [HERTZ[value] for value in wanted],
        "tickfont": {"size": 10},
    }


def _add_attention(
    drawn: Drawing,
    trace: Trace,
    weights: np.ndarray,
    rows: list[Row],
    scale: str,
    colours: Palette,
) -> None:
    gathered_weights, each = gathered(weights, POSITIONS, mean=False)
    shown, most = in_bytes(gathered_weights, scale)
    step = each * trace.position_seconds
    labelled = len(rows) <= LABELS_UP_TO
    add_cells_key(drawn, scale, colours, below=52)  # and the seconds above it
    drawn.add_trace(
        colour_cells(
            shown,
            colours.attention,
            (0, most),
            x0=step / 2,
            dx=step,
            y0=1,
            dy=1,
            ygap=int(labelled),
            hoverinfo="skip",
        )
    )
    drawn.layout["yaxis"] |= {
        "range": [len(rows) + 0.5, 0.5],
        "tickvals": list(range(1, len(rows) + 1)) if labelled else [],
        "ticktext": [escape(row.name) for row in rows] if labelled else [],
        "tickfont": {"size": 12 if len(rows) <= 30 else 9},
    }


def _add_bars(
    drawn: Drawing, trace: Trace, weights: np.ndarray, rows: list[Row], parts: dict[str, int]
) -> None:
    """Lay invisible bars over the times and rows: plotly reports clicks on these, not on cells."""
    peaks = weights.argmax(axis=1) * trace.position_seconds
    count = np.arange(len(rows)) + 1
    common: dict[str, Any] = {
        "marker": {"opacity": 0},
        "customdata": [[row.tokens[0]] for row in rows],
        "hovertext": [
            f"<b>{escape(row.name)}</b><br>{row.start:.2f} to {row.end:.2f} s"
            f"<br>attention peak: {peak:.2f} s"
            for row, peak in zip(rows, peaks, strict=True)
        ],
        "hoverinfo": "text",
    }
    length = len(trace.source) * trace.position_seconds
    drawn.add_trace(bar(x=[length] * len(rows), y=count, width=1, orientation="h", **common))
    starts, ends = (np.array([getattr(row, side) for row in rows]) for side in ("start", "end"))
    for place in [AXES[name] for name in parts if name != "attention"]:
        low, high = drawn.layout[place]["range"]
        drawn.add_trace(
            bar(
                x=np.round((starts + ends) / 2, 4),
                width=np.round(ends - starts, 4),
                y=[high - low] * len(rows),
                base=[low] * len(rows),
                yaxis=place.replace("axis", ""),
                **common,
            )
        )


def _add_path(drawn: Drawing, rows: list[Row], colours: Palette) -> None:
    drawn.add_trace(
        scatter(
            x=[second for row in rows for second in (row.start, row.end)],
            y=[place + 1 for place in range(len(rows)) for _ in range(2)],
            mode="lines",
            line={"color": colours.probability[-1][1], "width": 2},
            hoverinfo="skip",
        )
    )


def _mark(
    drawn: Drawing,
    trace: Trace,
    alignment: Alignment,
    rows: list[Row],
    selected: int,
    colours: Palette,
) -> None:
    """Mark the time of a token in all parts, and its row where it has one."""
    place, line = row_of(rows, selected), {"color": colours.mark, "width": 2}
    start, end = span(trace.target, alignment, [selected])
    if place is not None:
        start, end = rows[place].start, rows[place].end
        length = len(trace.source) * trace.position_seconds
        drawn.add_shape(rectangle((0, length), around(place), line))
    band = rectangle((start, end), (0, 1), line, yref="paper")
    drawn.add_shape(band | {"fillcolor": colours.mark, "opacity": 0.25})
