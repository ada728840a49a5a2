"""What the modules of the StressIndex contributed over time, stacked to both sides of the neutral 50."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from collectors.stress.inputs import MODULES
from pages._view import chart_marks as marks
from pages._view import formats, stress_axis
from pages._view.charts import HEIGHT, Window, figure, nothing, safe
from pages._view.palette import Palette
from pages._view.stress_record import module_title
from storage.texts import _

# Bars of days up to here, of weeks up to there, of months beyond.
DAILY, WEEKLY = 300, 1500
# As high as the card beside it, which has two lines more to say.
TALL = HEIGHT + 44
_DAY_MS = 86_400_000


def grouped(modules: pd.DataFrame, shown: Window) -> tuple[pd.DataFrame, str]:
    """Contributions of a window by day (rows) and module (columns), and the length of a row: days where
    they are few, else means of weeks (by Friday) or of months."""
    rows = stress_axis.inside(modules, shown)
    table = rows.pivot_table(
        index="date", columns="module", values="contribution", aggfunc="last", dropna=False
    )
    table = table.reindex(columns=[module.name for module in MODULES])
    if len(table) <= DAILY:
        return table, "day"
    if len(table) <= WEEKLY:
        return table.resample("W-FRI").mean(), "week"
    months = table.resample("MS").mean()
    # Dated by its middle, so that bars and their sum lie where the month is.
    months.index = months.index + pd.to_timedelta(months.index.days_in_month / 2, unit="D")
    return months, "month"


def _widths(days: pd.DatetimeIndex, step: str) -> dict[str, Any]:
    """How wide each bar is and where it begins: a Friday lasts until Monday, a week ends with its Friday, a
    month lies about its middle."""
    if step == "month":
        return {"width": [month.days_in_month * float(_DAY_MS) for month in days]}
    if step == "week":
        return {"width": [7.0 * _DAY_MS] * len(days), "offset": -6.5 * _DAY_MS}
    gaps = np.diff(days.to_numpy()).astype("timedelta64[ms]").astype(float)
    most = stress_axis.LONGEST_PAUSE / pd.Timedelta(milliseconds=1)
    return {"width": [*(gap if gap <= most else _DAY_MS for gap in gaps), _DAY_MS], "offset": -0.5 * _DAY_MS}


def chart(modules: pd.DataFrame, shown: Window, palette: Palette, *, credit: str) -> go.Figure:
    """What each module added to the neutral 50 or took from it, stacked, with their sum as a line."""
    table, step = grouped(modules, shown)
    if table.isna().all(axis=None):
        return nothing(palette, _("No values in this range"), TALL)
    total = table.sum(axis=1, min_count=1)
    rows = pd.DataFrame({"date": table.index, "total": total.to_numpy()})
    holes = stress_axis.gaps(rows, "total", shown) if step == "day" else []
    when = {"day": _("%a %-d %b %Y"), "week": _("week to %-d %b %Y"), "month": _("%b %Y")}[step]
    layout = {
        "height": TALL,
        "barmode": "relative",
        "bargap": 0,
        "hovermode": "x unified",
        "xaxis": stress_axis.day_axis(shown, hoverformat=when),
        "yaxis": {"fixedrange": True, "zeroline": True, "nticks": 6},
        "yaxis2": stress_axis.HATCH_AXIS,
        "annotations": [marks.credit(credit, palette)],
        "showlegend": True,
        "legend": {"traceorder": "normal", "itemwidth": 30},
        "margin": {"b": 34, "t": 30},
    }
    kind = {"day": _("days"), "week": _("means of weeks"), "month": _("means of months")}[step]
    subtitle = " · ".join((_("points from the neutral 50, {kind}").format(kind=kind), credit))
    hatched = marks.hatched(holes, shown, palette)
    drawn = [hatched, *_bars(table, step, palette), _sum(total, palette)]
    return figure(drawn, layout, palette, title(table), subtitle)


def _bars(table: pd.DataFrame, step: str, palette: Palette) -> list[dict[str, Any]]:
    """A trace a module that ever contributed, in its own colour."""
    widths = _widths(pd.DatetimeIndex(table.index), step)
    bars = []
    for n, module in enumerate(MODULES):
        points, name = table[module.name], safe(_(module.title))
        if not points.fillna(0).any():
            continue
        said = [formats.change(value, 1) for value in points]
        bars.append(
            {"type": "bar", "name": name, "x": table.index, "y": points}
            | widths
            | {"marker": {"color": palette.series[n], "line": {"width": 0}}, "customdata": said}
            | {"hovertemplate": f"{name} %{{customdata}}<extra></extra>"}
        )
    return bars


def _sum(total: "pd.Series[float]", palette: Palette) -> dict[str, Any]:
    name = _("Index − 50")
    line = {"type": "scatter", "mode": "lines", "name": name, "x": total.index, "y": total}
    line |= {"line": {"color": palette.ink, "width": 1.4}, "connectgaps": False}
    said = [formats.change(value, 1) for value in total]
    return line | {"customdata": said, "hovertemplate": f"<b>{name} %{{customdata}}</b><extra></extra>"}


def title(table: pd.DataFrame) -> str:
    """Which module added most on average, and which took most."""
    means = table.mean().dropna()
    high, low = str(means.idxmax()), str(means.idxmin())
    text = _("On average {high} added most ({more}), {low} took most ({less})")
    if formats.direction(means[low]) >= 0:
        text = _("On average {high} added most: {more}")
    elif formats.direction(means[high]) <= 0:
        text = _("On average {low} took most: {less}")
    names = {"high": module_title(high), "low": module_title(low)}
    return text.format(**names, more=formats.change(means[high], 1), less=formats.change(means[low], 1))
