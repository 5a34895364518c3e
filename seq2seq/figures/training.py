"""A training as it goes on: curves, attention as it forms, and how the gradient is spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seq2seq.figures.csv_table import table
from seq2seq.figures.curves import ON_DARK, ON_LIGHT
from seq2seq.figures.drawing import Drawing, Picture
from seq2seq.figures.label_margins import fit
from seq2seq.figures.theme import (
    Palette,
    axis,
    escape,
    figure,
    legend,
    margins,
    name_axis,
    palette,
    share_axis,
    token_axis,
    value_axis,
)
from seq2seq.trace import shown

if TYPE_CHECKING:
    from seq2seq.training.progress import Progress
    from seq2seq.training.snapshot import Written

HEIGHT = 340
GAP = 0.1  # between the two plots, as a share of the height


@Picture
def learning_curves(
    models: Mapping[str, Progress], at: int | None = None, dark: bool = False
) -> Drawing:
    """Draw the share of exact matches above, and below it the losses, over the steps.

    models: by name, the same for each has one colour; the training loss is dotted. at: a step that
    is looked at.
    """
    colours, hues = palette(dark), ON_DARK if dark else ON_LIGHT
    drawn = figure(
        colours,
        HEIGHT,
        margin=margins(r=12, t=30),
        showlegend=True,
        legend=legend(1.0, yanchor="bottom", x=0),
        xaxis=value_axis(colours, "steps", standoff=4, anchor="y2", rangemode="tozero"),
        yaxis=share_axis(colours, "exact match", 1.02, domain=[0.5 + GAP / 2, 1]),
        yaxis2=value_axis(colours, "loss (nats)", rangemode="tozero", domain=[0, 0.5 - GAP / 2]),
    )
    for hue, (name, progress) in zip(hues, models.items(), strict=False):
        for line in _lines(name, progress, hue):
            drawn.add_trace(line)
    if at is not None:
        line = {"color": colours.text, "width": 1, "dash": "dot"}
        place = {"x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "type": "line"}
        drawn.add_shape({**place, "line": line})
    return fit(drawn)


def _lines(name: str, progress: Progress, hue: str) -> list[dict[str, Any]]:
    scores, trained = progress.scores, progress.trained
    return [
        _line(name, hue, scores, [each.exact_match for each in scores], "exact match {y:.0%}"),
        _line(
            f"{name} validation",
            hue,
            scores,
            [each.loss for each in scores],
            "validation loss {y:.3f}",
            yaxis="y2",
            showlegend=False,
        ),
        _line(
            f"{name} training",
            hue,
            trained,
            [each.loss for each in trained],
            "training loss {y:.3f}",
            yaxis="y2",
            showlegend=False,
            dash="dot",
        ),
    ]


def _line(
    name: str,
    hue: str,
    moments: Sequence[Any],
    values: Sequence[float],
    text: str,
    dash: str = "solid",
    **more: Any,
) -> dict[str, Any]:
    """Return a line over the steps of moments."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(name),
        "x": [each.step for each in moments],
        "y": list(values),
        "line": {"color": hue, "width": 2 if dash == "solid" else 1.5, "dash": dash},
        "hovertext": [
            f"{escape(name)}, step {each.step:,}: {text.format(y=y)}"
            for each, y in zip(moments, values, strict=True)
        ],
        "hoverinfo": "text",
        **more,
    }


@Picture
def forming_attention(
    written: Written, places: Sequence[int | None] = (), dark: bool = False
) -> Drawing:
    """Draw the attention of an output that is being learnt: output down, source across.

    places: of the true source token of each output token, None where there is none; they are
    framed. Raises ValueError for an output without attention.
    """
    if written.weights is None:
        raise ValueError("this output has no attention")
    colours, weights = palette(dark), written.weights
    rows = [shown(piece) for piece in written.output] + ["</s>"]
    columns = [shown(piece) for piece in written.source] + ["</s>"]
    drawn = figure(
        colours,
        HEIGHT,
        margin=margins(t=4),
        xaxis=token_axis(columns, "source →", tickangle=0),
        yaxis=token_axis(rows, "← output", downwards=True),
    )
    drawn.add_trace(
        {
            "type": "heatmap",
            "z": weights.tolist(),
            "x": list(range(1, len(columns) + 1)),
            "y": list(range(1, len(rows) + 1)),
            "zmin": 0,
            "zmax": 1,
            "colorscale": [list(stop) for stop in colours.attention],
            "showscale": False,
            "xgap": 1,
            "ygap": 1,
            "hovertext": [
                [
                    f"{escape(row)} ← {escape(column)}: α {value:.2f}"
                    for column, value in zip(columns, values, strict=False)
                ]
                for row, values in zip(rows, weights.tolist(), strict=False)
            ],
            "hoverinfo": "text",
        }
    )
    for each in _frames(places, len(rows) - 1, colours):
        drawn.add_shape(each)
    return fit(drawn)


def _frames(places: Sequence[int | None], rows: int, colours: Palette) -> list[dict[str, Any]]:
    return [
        {
            "type": "rect",
            "x0": place + 0.5,
            "x1": place + 1.5,
            "y0": row + 0.5,
            "y1": row + 1.5,
            "line": {"color": colours.mark, "width": 1.5},
        }
        for row, place in enumerate(places[:rows])
        if place is not None
    ]


@Picture
def gradient_parts(models: Mapping[str, Progress], dark: bool = False) -> Drawing:
    """Draw the norm of the last gradient in each part of the models, as bars."""
    names = list(dict.fromkeys(part for each in models.values() for part in _last_norms(each)))
    colours, hues = palette(dark), ON_DARK if dark else ON_LIGHT
    drawn = figure(
        colours,
        height=60 + 24 * len(names) * max(1, len(models)),
        margin=margins(r=12, t=24),
        showlegend=len(models) > 1,
        legend=legend(1.0, yanchor="bottom", x=0),
        barmode="group",
        xaxis=value_axis(colours, "norm of the gradient", rangemode="tozero"),
        yaxis=name_axis([name.replace(".", " ") for name in names]),
    )
    for hue, (model, progress) in zip(hues, models.items(), strict=False):
        norms = _last_norms(progress)
        values = [norms.get(name, 0.0) for name in names]
        drawn.add_trace(
            {
                "type": "bar",
                "orientation": "h",
                "name": escape(model),
                "x": values,
                "y": list(range(len(names))),
                "marker": {"color": hue},
                "hovertext": [
                    f"{escape(model)}, {name}: {value:.3g}"
                    for name, value in zip(names, values, strict=True)
                ],
                "hoverinfo": "text",
            }
        )
    return fit(drawn)


def _last_norms(progress: Progress) -> dict[str, float]:
    return progress.trained[-1].norms if progress.trained else {}


@Picture
def gradient_distances(models: Mapping[str, Progress], dark: bool = False) -> Drawing:
    """Draw how much of the first output token's gradient reaches each source token."""
    colours, hues = palette(dark), ON_DARK if dark else ON_LIGHT
    drawn = figure(
        colours,
        height=260,
        margin=margins(r=12, t=24),
        showlegend=len(models) > 1,
        legend=legend(1.0, yanchor="bottom", x=0),
        xaxis=axis("tokens before the end of the source", dtick=1),
        yaxis=value_axis(colours, "norm of the gradient", type="log", exponentformat="power"),
    )
    for hue, (name, progress) in zip(hues, models.items(), strict=False):
        values = list(progress.scores[-1].distances) if progress.scores else []
        drawn.add_trace(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": escape(name),
                "x": list(range(len(values))),
                "y": values,
                "line": {"color": hue, "width": 2},
                "hovertext": [
                    f"{escape(name)}, {place} tokens before the end: {value:.3g}"
                    for place, value in enumerate(values)
                ],
                "hoverinfo": "text",
            }
        )
    return fit(drawn)


def training_csv(models: Mapping[str, Progress]) -> str:
    """Return what was measured on held-out examples: a row for each model and moment."""
    rows = [
        (name, each.step, each.seconds, each.loss, each.exact_match, each.token_accuracy)
        for name, progress in models.items()
        for each in progress.scores
    ]
    columns = ("model", "step", "seconds", "validation loss", "exact match", "token accuracy")
    return table(columns, rows)
