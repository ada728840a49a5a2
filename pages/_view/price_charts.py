"""Lines of the crypto page over days: prices of chosen coins, total TVL, Bitcoin's dominance.

Pure functions of frames (columns of `storage.read.Frames`) and a palette; nothing is fetched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pandas as pd
import plotly.graph_objects as go

from pages._view import crypto_words, formats
from pages._view.charts import Line, Window, lines, nothing, safe
from pages._view.palette import Palette
from storage.texts import _

Revised = Mapping[tuple[str, pd.Timestamp], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader chose for the price chart."""

    coins: tuple[str, ...]
    range: str = "90D"
    log: bool = False
    rebased: bool = False


def origin(rows: pd.DataFrame, zone: ZoneInfo) -> "pd.Series[str]":
    """Where each row comes from: source, when it was collected, which run; for the pointer."""
    seen = pd.to_datetime(rows["observed_at"], utc=True).dt.tz_convert(zone)
    collected = seen.dt.strftime("%Y-%m-%d %H:%M %Z").fillna("")
    said = _("{source}, collected {at}<br>run {run}")
    return pd.Series(
        [
            said.format(source=safe(source), at=at, run=safe(run))
            for source, at, run in zip(rows["source"], collected, rows["run_id"], strict=True)
        ],
        index=rows.index,
        dtype=object,
    )


def prices(
    frame: pd.DataFrame,
    choice: Choice,
    shown: Window,
    palette: Palette,
    *,
    credit: str,
    zone: ZoneInfo,
    revised: Revised | None = None,
) -> go.Figure:
    """Daily prices of the chosen coins in USD; rebased: 100 on the first day that all of them have."""
    days = shown.days
    picked = frame[frame["coin"].isin(choice.coins) & (frame["date"] >= shown.first)]
    table = picked.pivot(index="date", columns="coin", values="price").reindex(days).astype(float)
    table = table.reindex(columns=[coin for coin in choice.coins if coin in table])
    table = table.loc[:, table.notna().any()]
    if table.empty or not len(table.columns):
        return nothing(palette, _("No prices in this range"))
    together = table.dropna()
    base = together.iloc[0] if not together.empty else table.bfill().iloc[0]
    base = base.where(base > 0)
    drawn = [
        _coin_line(picked[picked["coin"] == coin], table[coin], base[coin] if choice.rebased else None)
        for coin in table.columns
    ]
    finished = [
        _dressed(line, palette.series[n % len(palette.series)], rows, zone, revised or {})
        for n, (line, rows) in enumerate(drawn)
    ]
    unit = _("first shared day = 100") if choice.rebased else _("USD")
    return lines(
        finished,
        shown,
        palette,
        title=_price_title(table, picked, shown),
        subtitle=crypto_words.sourced(picked, credit, unit),
        credit=credit,
        since=pd.Timestamp(frame["date"].min()),
        log=choice.log,
        neutral=100.0 if choice.rebased else None,
        show=formats.number if choice.rebased else formats.money,
    )


def gain(found: "pd.Series[float]") -> float:
    """From the first to the last value, in percent; NaN where the first is not above zero."""
    first, last = float(found.iloc[0]), float(found.iloc[-1])
    return (last / first - 1) * 100 if first > 0 else float("nan")


def _coin_line(
    rows: pd.DataFrame, values: "pd.Series[float]", base: float | None
) -> tuple[Line, pd.DataFrame]:
    newest = rows.iloc[-1]
    symbol, found = str(newest["symbol"]).upper(), values.dropna()
    label = f"{symbol} {formats.money(found.iloc[-1]) if base is None else formats.percent(gain(found))}"
    empty = pd.Series("", index=values.index, dtype=object)
    scaled = values if base is None else values / base * 100
    return Line(str(newest["name"]), label, scaled, "", empty), rows


def _dressed(line: Line, color: str, rows: pd.DataFrame, zone: ZoneInfo, revised: Revised) -> Line:
    """The line with its colour, what is said under the pointer, and its marked days."""
    by_day = rows.set_index("date")
    said, marks = {}, {}
    for day, price, late, coin, where in zip(
        by_day.index,
        by_day["price"],
        by_day["provisional"],
        by_day["coin"],
        origin(by_day, zone),
        strict=True,
    ):
        note = _note(bool(late), revised.get((coin, day), ()))
        said[day] = f"{safe(line.name)}  <b>{formats.money(price)}</b> USD{note}<br>{where}"
        if note:
            marks[day] = "revised" if (coin, day) in revised else "provisional"
    hover = pd.Series(said, dtype=object).reindex(line.values.index)
    return Line(line.name, line.label, line.values, color, hover, marks)


def _note(late: bool, older: Sequence[float]) -> str:
    said = f"<br>{_('provisional: the day is not over')}" if late else ""
    if older:
        was = ", ".join(formats.money(price) for price in older)
        said += "<br>" + _("revised, before: {values}").format(values=was)
    return said


def _price_title(table: pd.DataFrame, picked: pd.DataFrame, shown: Window) -> str:
    names = picked.drop_duplicates("coin", keep="last").set_index("coin")["name"]
    span = {"days": (shown.last - shown.first).days}
    moves = {}
    for coin in table.columns:
        found = table[coin].dropna()
        moves[coin] = gain(found)
    best, worst = max(moves, key=moves.__getitem__), min(moves, key=moves.__getitem__)
    if len(moves) == 1:
        return change_title(str(names[best]), moves[best], span["days"])
    said = _("{best} leads over {days} days with {high}, {worst} trails with {low}")
    ends = {"best": names[best], "high": formats.percent(moves[best])}
    return said.format(**ends, worst=names[worst], low=formats.percent(moves[worst]), **span)


def change_title(name: str, moved: float, days: int) -> str:
    """ "Bitcoin rose 12.3 % in 90 days"."""
    said = {
        1: _("{name} rose {size} in {days} days"),
        -1: _("{name} fell {size} in {days} days"),
        0: _("{name} hardly moved in {days} days"),
    }[formats.direction(moved)]
    return said.format(name=name, size=formats.percent(abs(moved), signed=False), days=days)


def metric(
    rows: pd.DataFrame,
    shown: Window,
    palette: Palette,
    *,
    name: str,
    percent: bool,
    credit: str,
    zone: ZoneInfo,
    height: int = 260,
) -> go.Figure:
    """One series of observations (date, value and provenance): USD, or a share in percent."""
    rows = rows[rows["date"] >= shown.first].dropna(subset=["value"])
    values = rows.set_index("date")["value"].astype(float).reindex(shown.days)
    found = values.dropna()
    if found.empty:
        return nothing(palette, _("No values in this range"), height)
    show = (lambda value: formats.percent(value, 2, signed=False)) if percent else formats.money
    hover, marks = {}, {}
    for day, value, late, where in zip(
        rows["date"], rows["value"], rows["provisional"], origin(rows, zone), strict=True
    ):
        hover[day] = f"<b>{show(value)}</b>{_note(bool(late), ())}<br>{where}"
        if late:
            marks[day] = "provisional"
    days = (shown.last - shown.first).days
    moved = found.iloc[-1] - found.iloc[0] if percent else gain(found)
    line = Line(
        name,
        show(found.iloc[-1]),
        values,
        palette.accent,
        pd.Series(hover, dtype=object).reindex(shown.days),
        marks,
    )
    return lines(
        [line],
        shown,
        palette,
        title=_points_title(name, moved, days) if percent else change_title(name, moved, days),
        subtitle=crypto_words.sourced(rows, credit, _("percent of the market") if percent else _("USD")),
        credit=credit,
        since=pd.Timestamp(rows["date"].min()),
        show=(lambda value: formats.percent(value, 1, signed=False)) if percent else formats.money,
        height=height,
    )


def _points_title(name: str, moved: float, days: int) -> str:
    said = _("{name} moved {size} in {days} days")
    return said.format(name=name, size=formats.points(moved), days=days)
