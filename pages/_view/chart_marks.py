"""What stands on a chart besides its lines: end labels, hatched holes, events, the credit."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import Any

import pandas as pd

from pages._view import formats
from pages._view.palette import Palette
from storage.texts import N_, _

DAY_MS = 86_400_000
_LABEL_GAP_PX = 15

# Bitcoin halvings by the UTC day of blocks 210,000, 420,000, 630,000 and 840,000.
EVENTS: tuple[tuple[str, str], ...] = tuple(
    (day, N_("Halving")) for day in ("2012-11-28", "2016-07-09", "2020-05-11", "2024-04-20")
)
# Where the list of the largest coins means something else than the day before.
RANKING: tuple[tuple[str, str], ...] = (("2026-02-04", N_("CoinGecko's ranking changes")),)
# What the pointer says of an event.
_WHY = {
    "2026-02-04": N_(
        "From 4 February 2026 on CoinGecko leaves wrapped, staked and bridged tokens out of its list: "
        "the largest coins before and after are not the same list"
    )
}


@dataclass(frozen=True, slots=True)
class Window:
    """The days that a chart shows, whether or not there is data."""

    first: pd.Timestamp
    last: pd.Timestamp

    @property
    def days(self) -> pd.DatetimeIndex:
        return pd.date_range(self.first, self.last, freq="D")


@dataclass(frozen=True, slots=True)
class Line:
    """One series by day (DatetimeIndex, NaN where there is nothing). `hover` and `marks` are by the
    same index: text under the pointer, and days that get a mark (`provisional` or `revised`)."""

    name: str
    label: str
    values: "pd.Series[float]"
    color: str
    hover: "pd.Series[str]"
    marks: Mapping[pd.Timestamp, str] = field(default_factory=dict)


def safe(text: object) -> str:
    """A name from an upstream as Plotly text: no tag and no template of it comes alive."""
    return escape(str(text)).replace("%{", "% {")


def labels(drawn: Sequence[Line], low: float, high: float, height: int, log: bool) -> list[dict[str, Any]]:
    """What stands at the end of each line, moved apart where lines end close to each other."""
    ends = [(line, line.values.dropna()) for line in drawn]
    spots = [
        [((math.log10(found.iloc[-1]) if log else float(found.iloc[-1])) - low) / (high - low), line]
        for line, found in ends
        if not found.empty
    ]
    spots.sort(key=lambda spot: spot[0])
    gap = _LABEL_GAP_PX / (height - 50)
    for below, spot in pairwise(spots):
        spot[0] = max(spot[0], below[0] + gap)
    over = max(0.0, spots[-1][0] - 1.0) if spots else 0.0
    return [
        {
            "text": safe(line.label),
            "x": 1,
            "y": place - over,
            "xref": "paper",
            "yref": "paper",
            "xanchor": "left",
            "yanchor": "middle",
            "xshift": 4,
            "showarrow": False,
            "font": {"color": line.color, "size": 12},
        }
        for place, line in spots
    ]


def hatched(
    runs: Sequence[tuple[pd.Timestamp, pd.Timestamp]], shown: Window, palette: Palette
) -> dict[str, Any]:
    """The hole between the last value before and the first after: nothing is known there."""
    one = pd.Timedelta(days=1)
    spans = [(max(first - one, shown.first), min(last + one, shown.last)) for first, last in runs]
    return {
        "type": "bar",
        "name": _("no data"),
        "x": [start + (end - start) / 2 for start, end in spans],
        "y": [1] * len(runs),
        "width": [max(1, (end - start).days) * DAY_MS for start, end in spans],
        "yaxis": "y2",
        "showlegend": False,
        "marker": {
            "color": "rgba(0,0,0,0)",
            "line": {"width": 0},
            "pattern": {"shape": "/", "size": 5, "solidity": 0.25, "fgcolor": palette.hatch},
        },
        "customdata": [_("no data") + ": " + _span(first, last) for first, last in runs],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _span(first: pd.Timestamp, last: pd.Timestamp) -> str:
    return formats.day(first) if first == last else f"{formats.day(first)} – {formats.day(last)}"


def ranking(shown: Window) -> str:
    """What to know of a change of CoinGecko's ranking that falls into the window; empty if none does."""
    return " ".join(_(_WHY[day]) for day, _name in RANKING if shown.first <= pd.Timestamp(day) <= shown.last)


def events(
    shown: Window, palette: Palette, ranked: bool = False
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Thin labelled verticals for the events that fall into the window; `ranked`: also for those of the
    ranking of coins."""
    known = EVENTS + RANKING if ranked else EVENTS
    inside = [(day, name) for day, name in known if shown.first <= pd.Timestamp(day) <= shown.last]
    middle = shown.first + (shown.last - shown.first) / 2
    line = {"color": palette.muted, "width": 1, "dash": "dot"}
    shapes = [
        {"type": "line", "x0": day, "x1": day, "y0": 0, "y1": 1, "yref": "paper", "line": line}
        for day, _name in inside
    ]
    notes = [
        {"x": day, "y": 1, "yref": "paper", "text": _(name), "showarrow": False}
        # Its words stand on the side where there is room.
        | {"xanchor": "left" if pd.Timestamp(day) < middle else "right", "hovertext": _(_WHY.get(day, ""))}
        | {"yanchor": "top", "font": {"size": 11, "color": palette.muted}}
        for day, name in inside
    ]
    return shapes, notes


def rule(value: float, palette: Palette) -> dict[str, Any]:
    line = {"color": palette.muted, "width": 1}
    rule = {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": value, "y1": value}
    return rule | {"line": line, "layer": "below"}


def credit(credit: str, palette: Palette) -> dict[str, Any]:
    spot = {"x": 1, "y": 0, "xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "top"}
    return spot | {
        "yshift": -20,
        "text": safe(credit),
        "showarrow": False,
        "font": {"size": 10, "color": palette.muted},
    }


def day_ticks(shown: Window) -> dict[str, Any]:
    """Where days stand on the axis: about five, at least a day apart; over weeks Plotly finds them."""
    days = (shown.last - shown.first).days
    if days > 21:
        return {"nticks": 5}
    return {"tick0": shown.last, "dtick": max(1, math.ceil(days / 5)) * DAY_MS}


def day_formats() -> list[dict[str, Any]]:
    """How days and months stand on the axis, in the reader's order of them (d3 time formats)."""
    return [
        # Closer than a day (zoomed in): a second line is only written where it changes, once a day.
        {"dtickrange": [None, DAY_MS - 1], "value": " \n" + _("%-d %b")},
        {"dtickrange": [DAY_MS, 20 * DAY_MS], "value": _("%-d %b")},
        {"dtickrange": [20 * DAY_MS, "M11"], "value": _("%b %Y")},
        {"dtickrange": ["M11", None], "value": "%Y"},
    ]


def ticks(low: float, high: float, log: bool, count: int = 5) -> list[float]:
    """Round values between `low` and `high` (powers of ten where `log`), about `count` of them."""
    if log and high - low < 0.7:
        return ticks(10**low, 10**high, False, count)
    if log:
        tens = range(math.floor(low), math.ceil(high) + 1)
        fine = [step * 10.0**ten for ten in tens for step in (1, 1.5, 2, 3, 5, 7)]
        inside = [value for value in fine if low <= math.log10(value) <= high]
        return inside[:: max(1, math.ceil(len(inside) / (count + 2)))]
    raw = (high - low) / count
    ten = 10.0 ** math.floor(math.log10(raw))
    step = next(size * ten for size in (1, 2, 2.5, 5, 10) if raw <= size * ten)
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
