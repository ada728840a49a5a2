"""One stored series over days: as it stands, with what was revised, and beside it as it was known on a day.

Pure functions: frames and a palette in, `go.Figure` out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages._view import chart_marks as marks
from pages._view import formats, revised_marks, stress_axis, stress_charts
from pages._view.charts import Window, figure, nothing, safe
from pages._view.palette import Palette
from pages._view.price_charts import origin
from storage.texts import _, ngettext

HEIGHT = 300
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """Title and unit of the series, whether it restates its past, and the day as of which it is told."""

    title: str
    unit: str = ""
    restates: bool = False
    day: date | None = None


def compared(today: pd.DataFrame, then: pd.DataFrame, shown: Window) -> pd.DataFrame:
    """The days of a window with both values: date, value (as it stands), then (NaN where it was not known),
    other (it was another one) and provenance of what stands."""
    rows = stress_axis.inside(today, shown)
    was = then.set_index("date")["value"].astype(float) if len(then) else pd.Series(dtype=float)
    found = rows.assign(then=rows["date"].map(was).astype(float))
    return found.assign(other=found["then"].notna() & (found["then"] != found["value"]))


def chart(
    rows: pd.DataFrame,
    asked: Asked,
    older: Mapping[pd.Timestamp, Sequence[float]],
    shown: Window,
    palette: Palette,
    *,
    credit: str,
    zone: ZoneInfo,
) -> go.Figure:
    """`compared` as lines: what stands thin and strong, what was known then as a broad band behind it, which
    is only seen apart where the two differ. `older`: what revised days were before."""
    if rows.empty:
        return nothing(palette, _("No values in this range"), HEIGHT)
    both = pd.concat([rows["value"], rows["then"]]) if asked.day else rows["value"]
    low, high = float(both.min()), float(both.max())
    air = (high - low) * 0.1 or abs(high) * 0.05 or 1.0
    spots = marks.ticks(low - air, high + air, False)
    last = formats.number(rows["value"].iloc[-1])
    end = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 4, "y": float(rows["value"].iloc[-1])}
    end |= {"text": last, "showarrow": False, "font": {"color": palette.accent, "size": 12}}
    shapes, notes = _known_up_to(rows, asked, shown, palette)
    layout = {
        "height": HEIGHT,
        "hoverdistance": 80,
        "xaxis": stress_axis.day_axis(shown),
        "yaxis": {"range": [low - air, high + air], "fixedrange": True, "tickvals": spots}
        | {"ticktext": formats.axis(spots, "number")},
        "shapes": shapes,
        "annotations": [end, *notes, marks.credit(credit, palette)],
        "showlegend": False,
        "margin": {"r": 10 + formats.width(last), "b": 34},
    }
    hover = _hovers(rows, asked, older, zone)
    drawn = [_now(rows, older, hover, palette)]
    if asked.day and rows["then"].notna().any():
        drawn.insert(0, _then(rows, palette))
    return figure(drawn, layout, palette, _title(rows, asked), _subtitle(rows, asked, credit))


def _now(
    rows: pd.DataFrame,
    older: Mapping[pd.Timestamp, Sequence[float]],
    hover: list[str],
    palette: Palette,
) -> dict[str, Any]:
    """What stands, a diamond at each day that was revised, a ring where the day is not over."""
    again = np.array(
        [bool(revised_marks.steps(older.get(day, ()), value)) if day in older else False
         for day, value in zip(rows["date"], rows["value"], strict=True)]
    )  # fmt: skip
    rings = stress_axis.yes(rows["provisional"]).to_numpy()
    alone = len(rows) == 1
    marker = {
        "size": np.select([again, rings], [9, 8], 6 if alone else 0).tolist(),
        "symbol": np.select([again, rings], ["diamond-open", "circle-open"], "circle").tolist(),
        "color": palette.accent,
        "line": {"width": 1.75},
    }
    line = {"type": "scatter", "mode": "lines+markers", "name": _("now"), "x": rows["date"]}
    line |= {"y": rows["value"], "line": {"color": palette.accent, "width": 1.75}, "marker": marker}
    return line | {"cliponaxis": False, "customdata": hover, "hovertemplate": stress_charts.pointer()}


def _then(rows: pd.DataFrame, palette: Palette) -> dict[str, Any]:
    band = {"type": "scatter", "mode": "lines", "name": _("known then"), "x": rows["date"], "y": rows["then"]}
    band |= {"connectgaps": False, "line": {"color": palette.warn, "width": 6}, "opacity": 0.45}
    return band | {"cliponaxis": False, "hoverinfo": "skip"}


def _known_up_to(
    rows: pd.DataFrame, asked: Asked, shown: Window, palette: Palette
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Where what was known then ends, as a labelled vertical, if days came after it."""
    known = rows.loc[rows["then"].notna(), "date"]
    if not asked.day or asked.restates or known.empty or known.iloc[-1] == rows["date"].iloc[-1]:
        return [], []
    at = known.iloc[-1]
    line = {"color": palette.warn, "width": 1, "dash": "dash"}
    shape = {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line}
    late = (at - shown.first) / (shown.last - shown.first) > 0.5
    note = {"x": at, "y": 0.05, "yref": "paper", "yanchor": "bottom", "showarrow": False}
    note |= {"xanchor": "right" if late else "left", "xshift": -3 if late else 3}
    text = _("known then up to here") + (" →" if late else "")
    return [shape], [note | {"text": text, "font": {"size": 10, "color": palette.warn}}]


def _hovers(
    rows: pd.DataFrame, asked: Asked, older: Mapping[pd.Timestamp, Sequence[float]], zone: ZoneInfo
) -> list[str]:
    where = origin(rows, zone) if len(rows) <= stress_charts.DETAILED else [""] * len(rows)
    known, unknown = _("known then: {value}"), _("not kept") if asked.restates else _("not known then")
    said = []
    for day, value, then, late, at, place in zip(
        *(rows[name] for name in ("date", "value", "then", "provisional", "observed_at")), where, strict=True
    ):
        parts = [f"<b>{formats.number(value)}</b> {safe(asked.unit)}".strip()]
        if late is True:
            parts.append(_("provisional: the day is not over"))
        if asked.day:
            parts.append(known.format(value=formats.number(then)) if then == then else unknown)
        if day in older:
            parts.append(revised_marks.said(older[day], value, at, zone, formats.number))
        said.append("<br>".join(filter(None, [*parts, place])))
    return said


def _title(rows: pd.DataFrame, asked: Asked) -> str:
    last = rows.iloc[-1]
    if not asked.day:
        text = _("{title} is at {value} on {day}")
        value, day = formats.number(last["value"]), formats.short_day(last["date"])
        return text.format(title=asked.title, value=value, day=day)
    n, day = int(rows["other"].sum()), formats.short_day(asked.day)
    if asked.restates and rows["then"].isna().any():
        return _("{title}: what it said on {day} is not kept").format(title=asked.title, day=day)
    if rows["then"].isna().all():
        return _("{title}: nothing known of it on {day}").format(title=asked.title, day=day)
    text = ngettext(
        "{title}: {n} value was another one on {day}", "{title}: {n} values were others on {day}", n
    )
    same = _("{title}: what was known on {day} still stands")
    return (text if n else same).format(title=asked.title, n=formats.number(n), day=day)


def _subtitle(rows: pd.DataFrame, asked: Asked, credit: str) -> str:
    parts = [_(asked.unit) if asked.unit else "", credit]
    parts.append(_("as of {day}").format(day=formats.day(rows["date"].iloc[-1])))
    if asked.day and rows["then"].notna().any():
        parts.append(_("broad line: as known on {day}").format(day=formats.short_day(asked.day)))
    return " · ".join(filter(None, parts))


def below(rows: pd.DataFrame, asked: Asked, zone: ZoneInfo) -> str:
    """Which days of the window were not known then, and what else is to be known of it."""
    notes = []
    if asked.restates and len(rows):
        vintage = rows["observed_at"].max().tz_convert(zone).date()
        text = _(
            "It restates its past with every release: what stands is the vintage of {day}, and of those "
            "before it no single values are kept."
        )
        notes.append(text.format(day=formats.short_day(vintage)))
    if not asked.day or asked.restates:
        return " ".join(notes)
    unknown = rows.loc[rows["then"].isna(), "date"]
    if unknown.empty:
        return " ".join([*notes, _("All days of this range were known then.")])
    if len(unknown) <= _NAMED:
        text = _("Not known then: {days}.")
        notes.append(text.format(days=", ".join(formats.short_day(day) for day in unknown)))
        return " ".join(notes)
    text = _("Not known then: {n} days from {first} to {last}.")
    ends = {"first": formats.short_day(unknown.iloc[0]), "last": formats.short_day(unknown.iloc[-1])}
    notes.append(text.format(n=formats.number(len(unknown)), **ends))
    return " ".join(notes)
