"""Fear & Greed: today's value between its zones, and the last year as a calendar."""

from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import plotly.graph_objects as go

from pages._view import crypto_words, formats
from pages._view.charts import figure, nothing, safe
from pages._view.palette import Palette, Zone
from pages._view.price_charts import one_day, origin
from pages._view.revised_marks import Older, noted
from storage.texts import _

HEIGHT = 210


def zone_of(value: float, palette: Palette) -> Zone:
    """The zone of a Fear & Greed value."""
    return next((zone for zone in palette.zones if value <= zone.upto), palette.zones[-1])


def gauge(rows: pd.DataFrame, palette: Palette, *, credit: str) -> go.Figure:
    """Fear & Greed of the newest of `rows` between its five zones, with the provider's own label."""
    if rows.empty:
        return nothing(palette, _("Nothing collected yet"), HEIGHT)
    newest = rows.iloc[-1]
    value, label = float(newest["value"]), newest["note"]
    week = rows.loc[rows["date"] == newest["date"] - pd.Timedelta(days=7), "value"]
    change = formats.change(value - float(week.iloc[0])) if len(week) else ""
    label = _(label) if isinstance(label, str) and label else _(zone_of(value, palette).name)
    lower = 0
    steps: list[dict[str, Any]] = []
    for zone in palette.zones:
        steps.append({"range": [lower, zone.upto], "color": zone.color, "line": {"width": 0}})
        lower = zone.upto
    dial = {
        "type": "indicator",
        "mode": "gauge+number",
        "value": value,
        "number": {"font": {"size": 34, "color": palette.ink}, "valueformat": ".0f"},
        "domain": {"x": [0, 1], "y": [0.3, 1]},
        "gauge": {
            "axis": {"range": [0, 100], "tickvals": [0, 25, 46, 54, 75, 100], "tickfont": {"size": 10}},
            "bar": {"thickness": 0},
            "borderwidth": 0,
            "steps": steps,
            "threshold": {"line": {"color": palette.ink, "width": 5}, "thickness": 1, "value": value},
        },
    }
    words = f"<b>{safe(label)}</b>" + (
        "<br>" + _("{change} in 7 days").format(change=change) if change else ""
    )
    note = {"text": words, "x": 0.5, "y": 0, "xref": "paper", "yref": "paper", "showarrow": False}
    layout = {
        "height": HEIGHT,
        "margin": {"l": 24, "r": 24, "t": 22, "b": 10},
        "annotations": [note | {"yanchor": "bottom", "font": {"size": 14, "color": palette.ink}}],
    }
    return figure(
        [dial],
        layout,
        palette,
        _("Fear & Greed is at {n}").format(n=formats.number(value)),
        crypto_words.sourced(rows, credit),
    )


def calendar(
    rows: pd.DataFrame, palette: Palette, *, credit: str, zone: ZoneInfo, older: Older | None = None
) -> go.Figure:
    """Fear & Greed of the last year, a column a week and a row a weekday; empty days are crossed, and days
    of which there is an `older` value carry a diamond."""
    rows = rows.dropna(subset=["value"])
    if rows.empty:
        return nothing(palette, _("No Fear & Greed in this range"), HEIGHT)
    last = pd.Timestamp(rows["date"].max())
    days = pd.date_range(last - pd.Timedelta(days=364), last)
    by_day = rows.set_index("date").reindex(days)
    weeks = days - pd.to_timedelta(days.day_of_week, unit="D")
    known = rows.set_index("date")
    said = origin(known, zone).to_dict()
    was = _was(known, older or {}, zone)
    texts = [
        [day.strftime("%Y-%m-%d"), _words(value, label, was.get(day, "") + "<br>" + said.get(day, ""))]
        for day, value, label in zip(days, by_day["value"], by_day["note"], strict=True)
    ]
    scale: list[list[Any]] = []
    lower = 0.0
    for one in palette.zones:
        scale += [[lower / 100, one.color], [one.upto / 100, one.color]]
        lower = one.upto
    hover = f"<b>%{{customdata[0]|{_('%a %-d %b %Y')}}}</b><br>%{{customdata[1]}}<extra></extra>"
    cells = {
        "type": "heatmap",
        "x": weeks,
        "y": days.day_of_week.tolist(),
        "z": by_day["value"].astype(float),
        "zmin": 0,
        "zmax": 100,
        "colorscale": scale,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "customdata": texts,
        "hovertemplate": hover,
        "hoverongaps": False,
    }
    holes = by_day["value"].isna().to_numpy() & (days >= pd.Timestamp(rows["date"].min()))
    crossed = {
        "type": "scatter",
        "mode": "markers",
        "x": weeks[holes],
        "y": days.day_of_week[holes].tolist(),
        "marker": {"symbol": "x-thin", "size": 6, "line": {"width": 1.2, "color": palette.hatch}},
        "showlegend": False,
        "customdata": [text for text, hole in zip(texts, holes, strict=True) if hole],
        "hovertemplate": hover,
    }
    again = days.isin(list(was))
    diamond = {"symbol": "diamond-open", "size": 7, "color": palette.ink, "line": {"width": 1.5}}
    marked = crossed | {"x": weeks[again], "y": days.day_of_week[again].tolist(), "marker": diamond}
    marked["customdata"] = [text for text, one in zip(texts, again, strict=True) if one]
    names = [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")]
    layout = {
        "height": HEIGHT,
        # A label a quarter: more would stand on each other on a phone.
        "xaxis": {
            "type": "date",
            "tickformat": _("%b %Y"),
            "dtick": "M3",
            "tickangle": 0,
            "fixedrange": True,
        },
        "yaxis": {
            "autorange": "reversed",
            "tickvals": list(range(7)),
            "ticktext": names,
            "showgrid": False,
            "fixedrange": True,
        },
    }
    fearful = int((by_day["value"] <= palette.zones[1].upto).sum())
    recorded = int(by_day["value"].notna().sum())
    title = _("{n} of {all} recorded days of the last year were days of fear").format(n=fearful, all=recorded)
    if recorded == 1:
        title = one_day(_("Fear & Greed"), last)
    drawn = [cells, crossed, marked] if was else [cells, crossed]
    return figure(drawn, layout, palette, title, crypto_words.sourced(rows, credit))


def _was(known: pd.DataFrame, older: Older, zone: ZoneInfo) -> dict[pd.Timestamp, str]:
    """What revised days were before, as a line under the pointer; `known`: rows by day."""
    there = [day for day in older if day in known.index]
    values, since = known["value"], known["observed_at"]
    said = {day: noted(older[day], values[day], since[day], zone, formats.number) for day in there}
    return {day: text for day, text in said.items() if text}


def _words(value: float, label: object, where: str) -> str:
    if value != value:
        return _("no data")
    said = _(label) if isinstance(label, str) and label else ""
    return f"{formats.number(value)} {safe(said)}{where}"
