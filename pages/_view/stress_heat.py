"""The heat map of the inputs: each against its own history, by module, with holes that can be seen."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from collectors.stress.inputs import INPUTS, MODULES
from pages._view import chart_marks as marks
from pages._view import formats, stress_axis
from pages._view.charts import Window, figure, nothing, safe
from pages._view.palette import Palette
from storage.texts import _, ngettext

ROW_PX = 19
# Columns of a map: more would be narrower than a pixel.
MOST = 330
HIGH = 80.0
_ONE = pd.Timedelta(days=1)
_STEPS = {"day": _ONE, "week": 7 * _ONE, "month": 31 * _ONE}


@dataclass(frozen=True, slots=True)
class Matrix:
    """Percentiles by input (rows as INPUTS) and period (columns); `step` is the length of a column."""

    table: pd.DataFrame
    step: str


def matrix(recent: pd.DataFrame, heat: pd.DataFrame, shown: Window) -> Matrix | None:
    """The columns of a window: trading days where it is covered by `recent` (date, input, percentile),
    else the weeks of `heat`, else means of months; None without any value."""
    days = (shown.last - shown.first).days
    daily = len(recent) > 0 and recent["date"].min() <= shown.first + 7 * _ONE and days <= 125
    # The week under way ends after its newest day.
    until = shown.last if daily else shown.last + 6 * _ONE
    rows = stress_axis.inside(recent if daily else heat, Window(shown.first, until))
    if rows["percentile"].isna().all():
        return None
    table = rows.pivot_table(index="input", columns="date", values="percentile", aggfunc="mean")
    names = [one.name for one in INPUTS]
    table = table.reindex(names)
    if daily:
        return Matrix(table, "day")
    weeks = pd.date_range(table.columns.min(), table.columns.max(), freq="7D")
    table = table.reindex(columns=weeks)
    if len(weeks) <= MOST:
        return Matrix(table, "week")
    return Matrix(table.T.resample("MS").mean().T, "month")


def chart(found: Matrix | None, palette: Palette, *, credit: str) -> go.Figure:
    """The map: a row an input, under the name of its module; dark (or bright) is high, hatched is none."""
    height = ROW_PX * (len(INPUTS) + len(MODULES)) + 44
    if found is None:
        return nothing(palette, _("No values in this range"), height)
    labels, rows = _rows(found)
    cells = _cells(found, labels, np.array(rows, dtype=float), palette)
    first = found.table.columns[0] - _STEPS[found.step] / 2
    last = found.table.columns[-1] + _STEPS[found.step] / 2
    layout = {
        "height": height,
        "xaxis": {
            "type": "date",
            "range": [first, last],
            "tickformatstops": marks.day_formats(),
            "tickangle": 0,
        }
        # Four fit on a phone.
        | {"ticks": "outside", "ticklen": 3, "nticks": 4},
        "yaxis": {
            "range": [len(labels) - 0.5, -0.5],
            "tickvals": list(range(len(labels))),
            "ticktext": labels,
        }
        | {
            "showgrid": False,
            "ticks": "",
            "fixedrange": True,
            "tickfont": {"size": 11, "color": palette.ink},
        },
        "annotations": [marks.credit(credit, palette)],
        "barmode": "overlay",
        "bargap": 0,
        "margin": {"b": 34},
        "showlegend": False,
    }
    return figure(
        [cells, _holes(found, labels, rows, palette)],
        layout,
        palette,
        _title(found),
        _subtitle(found, credit),
    )


def _rows(found: Matrix) -> tuple[list[str], list[Any]]:
    """The name of every row with its values: a module's own row has none."""
    labels: list[str] = []
    rows: list[Any] = []
    for module in MODULES:
        labels.append(f"<b>{safe(_(module.title))}</b>")
        rows.append(np.full(len(found.table.columns), np.nan))
        for one in INPUTS:
            if one.module == module.name:
                labels.append(safe(_(one.title)))
                rows.append(found.table.loc[one.name].to_numpy())
    return labels, rows


def _cells(
    found: Matrix, labels: list[str], values: "np.ndarray[Any, Any]", palette: Palette
) -> dict[str, Any]:
    steps = len(palette.heat) - 1
    when = {"day": _("%a %-d %b %Y"), "week": _("week to %-d %b %Y"), "month": _("%b %Y")}[found.step]
    return {
        "type": "heatmap",
        "x": found.table.columns,
        "y": list(range(len(labels))),
        "z": values.round(1),
        "zmin": 0,
        "zmax": 100,
        "colorscale": [[n / steps, color] for n, color in enumerate(palette.heat)],
        # More columns than these are narrower than their gap would be on a phone.
        "xgap": 1 if len(found.table.columns) <= 60 else 0,
        "ygap": 1,
        "hoverongaps": False,
        "hovertemplate": f"<b>%{{y}}</b><br>%{{x|{when}}}<br>%{{z:.0f}}<extra></extra>",
        "colorbar": {
            "thickness": 9,
            "len": 0.5,
            "y": 1,
            "yanchor": "top",
            "outlinewidth": 0,
            "tickvals": [0, 50, 80, 100],
            "tickfont": {"size": 10, "color": palette.muted},
        },
    }


def runs(values: "np.ndarray[Any, Any]") -> list[tuple[int, int]]:
    """First and last column of every stretch without a value."""
    empty = np.concatenate(([0], np.isnan(values).astype(int), [0]))
    edges = np.flatnonzero(np.diff(empty))
    return [(int(start), int(end) - 1) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _holes(found: Matrix, labels: list[str], rows: list[Any], palette: Palette) -> dict[str, Any]:
    """Hatched bars over the cells that have no value; not over the names of modules."""
    columns, half = found.table.columns, _STEPS[found.step] / 2
    bars = [
        (n, columns[start] - half, columns[end] + half)
        for n, values in enumerate(rows)
        if not labels[n].startswith("<b>")
        for start, end in runs(values)
    ]
    return {
        "type": "bar",
        "orientation": "h",
        "y": [n for n, _start, _end in bars],
        "base": [start for _n, start, _end in bars],
        "x": [(end - start) / pd.Timedelta(milliseconds=1) for _n, start, end in bars],
        "width": 0.9,
        "marker": {
            "color": "rgba(0,0,0,0)",
            "line": {"width": 0},
            "pattern": {"shape": "/", "size": 5, "solidity": 0.25, "fgcolor": palette.hatch},
        },
        "customdata": [labels[n] for n, _start, _end in bars],
        "hovertemplate": f"<b>%{{customdata}}</b><br>{_('no data')}<extra></extra>",
    }


def _title(found: Matrix) -> str:
    newest = found.table.iloc[:, -1].dropna()
    high = int((newest >= HIGH).sum())
    text = ngettext(
        "{n} of {all} inputs stands at its 80th percentile or above",
        "{n} of {all} inputs stand at their 80th percentile or above",
        high,
    )
    return text.format(n=formats.number(high), all=formats.number(len(newest)))


def _subtitle(found: Matrix, credit: str) -> str:
    kind = {"day": _("days"), "week": _("means of weeks"), "month": _("means of months")}[found.step]
    text = _("percentile of each input in its own past, {kind}; hatched: no value")
    return " · ".join((text.format(kind=kind), credit))
