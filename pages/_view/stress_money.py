"""Net liquidity from the Federal Reserve's balance sheet: shown, never scored. Pure functions."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages._view import chart_marks as marks
from pages._view import formats, revised_marks, stress_axis, stress_charts
from pages._view.charts import Window, figure, nothing
from pages._view.palette import Palette
from pages._view.price_charts import origin
from pages._view.stress_record import Record
from storage.texts import _

ASSETS, TREASURY, REPO = "fred.WALCL", "fred.WTREGEN", "fred.RRPONTSYD"
FORMULA = "net liquidity = WALCL − WTREGEN − 1000 × RRPONTSYD"
HEIGHT = 300
# How old the reverse repo of a Wednesday may be: a holiday and a weekend.
_CARRIED = pd.Timedelta(days=6)


def one(record: Record, name: str) -> pd.DataFrame:
    """The rows of one shown series, oldest first, without missing values."""
    rows = record.shown
    return rows if rows.empty else rows[(rows["series"] == name) & rows["value"].notna()].sort_values("date")


def net(record: Record) -> pd.DataFrame:
    """Net liquidity in USD on the days that assets and Treasury account share (Wednesdays): date, assets,
    treasury, repo, net, all in USD; the first two come in millions, the third in billions. Provenance
    is that of the assets."""
    assets, treasury, repo = (one(record, name) for name in (ASSETS, TREASURY, REPO))
    if assets.empty or treasury.empty or repo.empty:
        days = pd.Series([], dtype="datetime64[us]")
        return pd.DataFrame({"date": days} | {name: [] for name in ("assets", "treasury", "repo", "net")})
    both = assets.merge(treasury[["date", "value"]], on="date", suffixes=("", "_treasury"))
    whole = pd.merge_asof(
        both,
        repo[["date", "value"]],
        on="date",
        suffixes=("", "_repo"),
        direction="backward",
        tolerance=_CARRIED,
    ).dropna(subset=["value_repo"])
    parts = {
        "assets": whole["value"] * 1e6,
        "treasury": whole["value_treasury"] * 1e6,
        "repo": whole["value_repo"] * 1e9,
    }
    found = whole.assign(**parts)
    found["net"] = found["assets"] - found["treasury"] - found["repo"]
    columns = ["date", "assets", "treasury", "repo", "net", "source", "run_id", "observed_at", "provisional"]
    return found[columns].reset_index(drop=True)


def revised(record: Record, zone: ZoneInfo) -> dict[pd.Timestamp, str]:
    """Of each day of which FRED revised a part: which, when, and the values."""
    found: dict[pd.Timestamp, str] = {}
    parts = (
        (ASSETS, _("assets"), 1e6),
        (TREASURY, _("Treasury account"), 1e6),
        (REPO, _("reverse repo"), 1e9),
    )
    for name, part, unit in parts:
        rows = one(record, name)
        for day, before in revised_marks.older(record.revisions, name).items():
            for row in rows[rows["date"] == day].itertuples():
                values = [unit * value for value in before]
                said = revised_marks.noted(values, unit * row.value, row.observed_at, zone, formats.money)
                if said:
                    found[day] = found.get(day, "") + said.replace("<br>", f"<br>{part}, ")
    return found


def chart(
    found: pd.DataFrame,
    shown: Window,
    palette: Palette,
    *,
    credit: str,
    zone: ZoneInfo,
    again: Mapping[pd.Timestamp, str] | None = None,
) -> go.Figure:
    """Net liquidity in trillions of USD, a dot a week, the axis as wide as the page's range; `again`: what
    `revised` says of a day, which is marked."""
    rows = stress_axis.inside(found, shown)
    if rows.empty:
        return nothing(palette, _("No net liquidity in this range"), HEIGHT)
    values = rows["net"] / 1e12
    low, high = float(values.min()), float(values.max())
    air = (high - low) * 0.12 or 0.1
    spots = marks.ticks(low - air, high + air, False)
    marked = rows["date"].isin(list(again or {}))
    dots = np.where(marked, 8, 4 if len(rows) < 80 else 0)
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": rows["date"],
        "y": values,
        "line": {"color": palette.accent, "width": 1.75},
        "marker": {"size": dots.tolist(), "symbol": np.where(marked, "diamond-open", "circle").tolist()},
        "cliponaxis": False,
        "customdata": _hovers(rows, zone, again or {}),
        "hovertemplate": stress_charts.pointer(),
    }
    end = {
        "x": 1,
        "xref": "paper",
        "xanchor": "left",
        "xshift": 4,
        "y": float(values.iloc[-1]),
        "showarrow": False,
    }
    end |= {"text": formats.money(rows["net"].iloc[-1]), "font": {"color": palette.accent, "size": 12}}
    layout = {
        "height": HEIGHT,
        "hoverdistance": 80,
        "xaxis": stress_axis.day_axis(shown),
        "yaxis": {"range": [low - air, high + air], "fixedrange": True, "tickvals": spots}
        | {"ticktext": formats.axis([spot * 1e12 for spot in spots], "money")},
        "annotations": [end, marks.credit(credit, palette)],
        "showlegend": False,
        "margin": {"r": 10 + 7 * len(end["text"]), "b": 34},
    }
    return figure([line], layout, palette, _title(rows), _subtitle(rows, credit))


def _hovers(rows: pd.DataFrame, zone: ZoneInfo, again: Mapping[pd.Timestamp, str]) -> list[str]:
    text = _("assets {assets}, Treasury account {treasury}, reverse repo {repo}")
    return [
        f"<b>{formats.money(net)}</b><br>"
        + text.format(assets=formats.money(a), treasury=formats.money(t), repo=formats.money(r))
        + f"{again.get(day, '')}<br>{where}"
        for day, net, a, t, r, where in zip(
            *(rows[name] for name in ("date", "net", "assets", "treasury", "repo")),
            origin(rows, zone),
            strict=True,
        )
    ]


def _title(rows: pd.DataFrame) -> str:
    first, last = rows.iloc[0], rows.iloc[-1]
    moved = last["net"] - first["net"]
    text = {
        1: _("Net liquidity grew by {size} to {value} since {day}"),
        -1: _("Net liquidity shrank by {size} to {value} since {day}"),
        0: _("Net liquidity is where it was on {day}: {value}"),
    }[formats.direction(moved / 1e9)]
    day = formats.short_day(first["date"])
    return text.format(size=formats.money(abs(moved)), value=formats.money(last["net"]), day=day)


def _subtitle(rows: pd.DataFrame, credit: str) -> str:
    return " · ".join(
        (
            _("weekly, trillions of USD"),
            credit,
            _("as of {day}").format(day=formats.day(rows["date"].iloc[-1])),
        )
    )


def formula_words() -> str:
    """The formula with its units, which are not the same."""
    return _(
        "{formula}: assets and Treasury account come in millions of USD, the reverse repo in billions."
    ).format(formula=FORMULA)
