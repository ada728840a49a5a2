"""The gap calendar: a row a source, a mark a day, whose shape and colour say what is stored of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from collectors.gap_calendar import STATES, Calendar, Row
from pages._view import chart_marks as marks
from pages._view import formats
from pages._view.charts import Window, figure, safe
from pages._view.palette import Palette
from storage.texts import N_, _, ngettext

RANGES = {N_("30D"): 30, N_("90D"): 90, N_("1Y"): 365}
ROW_PX = 17
WORDS = {
    "collected": N_("collected"),
    "filled": N_("filled in later"),
    "provisional": N_("provisional"),
    "missing": N_("missing"),
    "unrecoverable": N_("cannot be had"),
}
# A sign for each, so that it is never the colour alone: what is stored is a bar as wide as its day, which is
# so on a phone too; what is not is a mark, which can be chosen.
_DASHES = {"collected": "solid", "filled": "2px,2px"}
_SHAPES = {"provisional": "square-open", "missing": "x-thin-open", "unrecoverable": "line-ew-open"}
_HALF = timedelta(hours=10)


def window(calendar: Calendar, days: int) -> Window:
    """The last `days` days of a calendar."""
    assert calendar.first is not None and calendar.last is not None
    first = max(calendar.first, calendar.last - timedelta(days=days))
    return Window(pd.Timestamp(first), pd.Timestamp(calendar.last))


def within(rows: Sequence[Row], shown: Window) -> list[Row]:
    """The rows without the days that are not shown; those that have none left out."""
    first = shown.first.date()
    cut = [replace(row, days={day: state for day, state in row.days.items() if day >= first}) for row in rows]
    return [row for row in cut if row.days]


def chart(rows: Sequence[Row], shown: Window, today: date, palette: Palette) -> go.Figure:
    """One mark a day and source; a mark's customdata is source, day and what the pointer says."""
    days = (shown.last - shown.first).days + 1
    size = 10 if days <= 31 else 8 if days <= 91 else 6
    layout: dict[str, Any] = {
        "height": len(rows) * ROW_PX + 74,
        "xaxis": {
            "range": [shown.first - 12 * _HOUR, shown.last + 12 * _HOUR],
            "type": "date",
            "showgrid": False,
            "tickformatstops": marks.day_formats(),
            "tickangle": 0,
            **marks.day_ticks(shown),
        },
        "yaxis": {
            "range": [len(rows) - 0.5, -0.5],
            "tickvals": list(range(len(rows))),
            "ticktext": [safe(row.source) for row in rows],
            "showgrid": False,
            "ticks": "",
            "fixedrange": True,
            "tickfont": {"size": 11, "color": palette.ink},
        },
        "dragmode": "select",
        "hovermode": "closest",
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 0,
            "yanchor": "bottom",
            "yref": "container",
            "font": {"size": 10},
            # Two side by side on a phone: one below the other, the last would be hidden.
            "xref": "container",
        },
        "margin": {"t": 6, "b": 62},
    }
    counted = {state: sum(value == state for row in rows for value in row.days.values()) for state in STATES}
    data = [_trace(rows, state, size, counted[state], today, palette) for state in STATES if counted[state]]
    return figure(data, layout, palette, title(rows), subtitle(shown))


_HOUR = timedelta(hours=1)


def _trace(
    rows: Sequence[Row], state: str, size: int, n: int, today: date, palette: Palette
) -> Mapping[str, Any]:
    found = [
        (day, at, row) for at, row in enumerate(rows) for day, value in row.days.items() if value == state
    ]
    color = {
        "collected": palette.ok, "filled": palette.accent, "provisional": palette.muted,
        "missing": palette.warn, "unrecoverable": palette.bad,
    }[state]  # fmt: skip
    told = [[row.source, day.isoformat(), _hover(row, day, state, today)] for day, _at, row in found]
    common = {
        "type": "scatter",
        "name": f"{safe(_(WORDS[state]))} {formats.number(n)}",
        "cliponaxis": False,
        "hovertemplate": "%{customdata[2]}<extra></extra>",
    }
    if state in _DASHES:
        return common | _bars(found, told) | {"line": {"color": color, "width": 8, "dash": _DASHES[state]}}
    return common | {
        "mode": "markers",
        "x": [day.isoformat() for day, _at, _row in found],
        "y": [at for _day, at, _row in found],
        "marker": {
            "symbol": _SHAPES[state],
            "size": size,
            "color": color,
            "line": {"width": 1.25 if state == "provisional" else 2, "color": color},
        },
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 0.35}},
        "customdata": told,
    }


def _bars(found: Sequence[tuple[date, int, Row]], told: Sequence[Sequence[str]]) -> dict[str, Any]:
    """A stroke a day, from its morning to its evening; the line is broken between two."""
    x: list[str | None] = []
    for day, _at, _row in found:
        noon = datetime.combine(day, time())
        x += [(noon - _HALF).isoformat(), (noon + _HALF).isoformat(), None]
    return {
        "mode": "lines",
        "x": x,
        "y": [place for _day, at, _row in found for place in (at, at, None)],
        "customdata": [row for row in told for _thrice in range(3)],
        "connectgaps": False,
    }


def _hover(row: Row, day: date, state: str, today: date) -> str:
    lines = [f"<b>{safe(row.source)}</b>", safe(f"{formats.day(day)} · {_(WORDS[state])}")]
    if state == "missing":
        lines.append(safe(left(row.until.get(day), today)))
    return "<br>".join(lines)


def left(until: date | None, today: date) -> str:
    """Until when a missing day can still be had, and how many days that is."""
    if until is None:
        return _("can still be had at any time")
    n = (until - today).days
    text = ngettext(
        "can be had for {n} more day, until {day}", "can be had for {n} more days, until {day}", n
    )
    return text.format(n=formats.number(n), day=formats.day(until))


def title(rows: Sequence[Row]) -> str:
    """What the calendar says, in a sentence."""
    lacking = [row for row in rows if not row.whole]
    if not lacking:
        return _("No day is missing")
    days = {day for row in lacking for day, state in row.days.items() if state == "missing"}
    gone = {day for row in lacking for day, state in row.days.items() if state == "unrecoverable"} - days
    if not days:
        text = ngettext("{n} day is lost for good", "{n} days are lost for good", len(gone))
        return text.format(n=formats.number(len(gone)))
    text = ngettext("{n} day can be filled in", "{n} days can be filled in", len(days))
    return text.format(n=formats.number(len(days)))


def subtitle(shown: Window) -> str:
    """Which days, and how to choose some of them."""
    text = _("{first} to {last}; drag over days to choose them")
    return text.format(first=formats.day(shown.first.date()), last=formats.day(shown.last.date()))


def chosen(points: Sequence[Mapping[str, Any]]) -> tuple[frozenset[str], list[date]]:
    """Sources and days of the selected marks."""
    pairs = [point["customdata"] for point in points if point.get("customdata")]
    return (
        frozenset(str(pair[0]) for pair in pairs),
        sorted({date.fromisoformat(str(pair[1])) for pair in pairs}),
    )
