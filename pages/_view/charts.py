"""The one way in which a time series is drawn: a fixed axis of days on which gaps can be seen.

Pure functions: frames and a palette in, `go.Figure` out. A figure's title and subtitle are in
`layout.meta`, because a page can wrap them and Plotly cannot.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pages._view import chart_marks as marks
from pages._view import formats
from pages._view.chart_marks import Line, Window, safe
from pages._view.palette import Palette, template
from storage.texts import N_, _

RANGES: dict[str, int | None] = {N_("7D"): 7, N_("30D"): 30, N_("90D"): 90, N_("1Y"): 365, N_("All"): None}
HEIGHT = 340
MAX_LABELS = 4


def window(dates: "pd.Series[Any]", key: str) -> Window:
    """The days of a range of RANGES, up to the newest of `dates`; at least two."""
    last = pd.Timestamp(dates.max()).normalize()
    days = RANGES.get(key, RANGES["90D"])
    first = pd.Timestamp(dates.min()).normalize() if days is None else last - pd.Timedelta(days=days)
    return Window(min(first, last - pd.Timedelta(days=1)), last)


def missing(values: "pd.Series[float]", since: pd.Timestamp) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """The runs of days without a value, first and last day of each, from `since` on."""
    empty = values.index[values.isna().to_numpy() & (values.index >= since)]
    runs: list[tuple[pd.Timestamp, pd.Timestamp]] = []
    for day in empty:
        if runs and day - runs[-1][1] == pd.Timedelta(days=1):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def figure(
    data: Sequence[Mapping[str, Any]], layout: Mapping[str, Any], palette: Palette, title: str, subtitle: str
) -> go.Figure:
    """A figure in the palette's template; `layout.meta` holds title and subtitle as plain text."""
    base = {"template": template(palette), "meta": {"title": title, "subtitle": subtitle}, "height": HEIGHT}
    return go.Figure({"data": list(data), "layout": base | dict(layout)})


def nothing(palette: Palette, text: str, height: int = HEIGHT) -> go.Figure:
    """An empty chart of the same height that says why it is empty."""
    note = {"text": text, "showarrow": False, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper"}
    hidden = {"visible": False, "fixedrange": True}
    layout = {"height": height, "xaxis": hidden, "yaxis": hidden}
    layout["annotations"] = [note | {"font": {"color": palette.muted, "size": 13}}]
    return figure([], layout, palette, "", "")


def lines(
    drawn: Sequence[Line],
    shown: Window,
    palette: Palette,
    *,
    title: str,
    subtitle: str,
    credit: str,
    since: pd.Timestamp,
    log: bool = False,
    neutral: float | None = None,
    unit: str = "number",
    sign: str = "$",
    ranked: bool = False,
    height: int = HEIGHT,
) -> go.Figure:
    """Lines over a fixed axis: gaps are hatched (days since `since` on which no line has a value),
    events marked (those of CoinGecko's ranking where coins are compared: `ranked`), up to four lines
    labelled where they end. `unit` of the axis: money (of that `sign`), percent or number; `credit` goes
    into the picture itself."""
    known = pd.concat([line.values for line in drawn], axis=1) if drawn else pd.DataFrame()
    if known.isna().all(axis=None):
        return nothing(palette, _("No values in this range"), height)
    log = log and bool((known.min(axis=None) > 0) | known.isna().all(axis=None))
    low, high = _extent(known, neutral, log)
    labels = marks.labels(drawn, low, high, height, log) if len(drawn) <= MAX_LABELS else []
    day_axis = {
        "range": [shown.first - pd.Timedelta(hours=12), shown.last + pd.Timedelta(hours=12)],
        "type": "date",
        "tickformatstops": marks.day_formats(),
        "tickangle": 0,
        **marks.day_ticks(shown),
    }
    spots = marks.ticks(low, high, log)
    value_axis = {"type": "log" if log else "linear", "range": [low, high], "fixedrange": True}
    value_axis |= {"tickvals": spots, "ticktext": formats.axis(spots, unit, sign)}
    shapes, notes = marks.events(shown, palette, ranked)
    if neutral is not None:
        shapes.append(marks.rule(neutral, palette))
    layout = {
        "height": height,
        "xaxis": day_axis,
        "yaxis": value_axis,
        "yaxis2": {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
        "shapes": shapes,
        "annotations": [*notes, *labels, marks.credit(credit, palette)],
        "showlegend": len(drawn) > MAX_LABELS,
        "margin": {"r": 10 + max((formats.width(label["text"]) for label in labels), default=0), "b": 34},
    }
    hatched = marks.hatched(missing(known.mean(axis=1), max(since, shown.first)), shown, palette)
    return figure([hatched, *(_trace(line, palette) for line in drawn)], layout, palette, title, subtitle)


def _extent(known: pd.DataFrame, neutral: float | None, log: bool) -> tuple[float, float]:
    """The range of the value axis: the values, the neutral line, and a little air."""

    low, high = float(known.min(axis=None)), float(known.max(axis=None))
    if neutral is not None:
        low, high = min(low, neutral), max(high, neutral)
    if log:
        low, high = math.log10(low), math.log10(high)
    air = (high - low) * 0.07 or abs(high) * 0.05 or 1.0
    return low - air, high + air


def _trace(line: Line, palette: Palette) -> dict[str, Any]:
    """A line with gaps. A day between two gaps would be no line at all, so it gets a dot."""
    absent = line.values.isna()
    lone = ~absent & absent.shift(1, fill_value=True) & absent.shift(-1, fill_value=True)
    marks = [line.marks.get(day, "") for day in line.values.index]
    sizes = [8 if mark else 5 if alone else 0 for mark, alone in zip(marks, lone, strict=True)]
    symbols = ["diamond-open" if mark == "revised" else "circle-open" if mark else "circle" for mark in marks]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": safe(line.name),
        "x": line.values.index,
        "y": line.values,
        "connectgaps": False,
        "cliponaxis": False,
        "line": {"color": line.color, "width": 1.75},
        "marker": {"size": sizes, "symbol": symbols, "color": line.color, "line": {"width": 1.5}},
        "customdata": line.hover.fillna("").tolist(),
        "hovertemplate": f"<b>%{{x|{_('%a %-d %b %Y')}}}</b><br>%{{customdata}}<extra></extra>",
    }


__all__ = ["HEIGHT", "RANGES", "Line", "Window", "figure", "lines", "missing", "nothing", "safe", "window"]
