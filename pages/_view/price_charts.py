"""Lines of the crypto page over days: prices of chosen coins, total TVL, Bitcoin's dominance.

Pure functions of frames (columns of `storage.read.Frames`) and a palette; nothing is fetched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import plotly.graph_objects as go

from pages._view import crypto_words, currency, formats, revised_marks
from pages._view.charts import Line, Window, lines, nothing, safe
from pages._view.currency import USD, Currency
from pages._view.palette import Palette
from pages._view.revised_marks import Older
from storage.texts import _, ngettext

Revised = Mapping[tuple[str, pd.Timestamp], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader chose for the price chart."""

    coins: tuple[str, ...]
    range: str = "90D"
    log: bool = False
    rebased: bool = False


def origin(rows: pd.DataFrame, zone: ZoneInfo) -> "pd.Series[str]":
    """Where each row comes from: source, when it was collected, which run, at which rate; for the pointer."""
    seen = pd.to_datetime(rows["observed_at"], utc=True).dt.tz_convert(zone)
    collected = seen.dt.strftime("%Y-%m-%d %H:%M %Z").fillna("")
    said = _("{source}, collected {at}<br>run {run}")
    texts = [
        said.format(source=safe(source), at=at, run=safe(run))
        for source, at, run in zip(rows["source"], collected, rows["run_id"], strict=True)
    ]
    if currency.RATE in rows:
        rates = rows[[currency.RATE, currency.RATE_DATE, currency.RATE_SERIES]].to_dict("records")
        texts = [f"{text}<br>{safe(currency.told(rate))}" for text, rate in zip(texts, rates, strict=True)]
    return pd.Series(texts, index=rows.index, dtype=object)


def prices(
    frame: pd.DataFrame,
    choice: Choice,
    shown: Window,
    palette: Palette,
    *,
    credit: str,
    zone: ZoneInfo,
    revised: Revised | None = None,
    money: Currency = USD,
) -> go.Figure:
    """Daily prices of the chosen coins in `money`; rebased: 100 on the first day that all of them have."""
    days = shown.days
    picked = frame[frame["coin"].isin(choice.coins) & (frame["date"] >= shown.first)]
    table = picked.pivot(index="date", columns="coin", values="price").reindex(days).astype(float)
    table = table.reindex(columns=[coin for coin in choice.coins if coin in table])
    if not choice.coins:
        return nothing(palette, _("Choose a coin"))
    table = table.loc[:, table.notna().any()]
    if table.empty or not len(table.columns):
        return nothing(palette, _("No prices in this range"))
    together = table.dropna()
    base = together.iloc[0] if not together.empty else table.bfill().iloc[0]
    base = base.where(base > 0)
    drawn = [
        _coin_line(picked[picked["coin"] == coin], table[coin], base[coin] if choice.rebased else None, money)
        for coin in table.columns
    ]
    finished = [
        _dressed(line, palette.series[n % len(palette.series)], rows, zone, revised or {}, money)
        for n, (line, rows) in enumerate(drawn)
    ]
    unit = money.unit(picked)
    if choice.rebased:
        unit = _("first shared day = 100") if money is USD else f"{_('first shared day = 100')}, {unit}"
    return lines(
        finished,
        shown,
        palette,
        title=_price_title(table, picked),
        subtitle=crypto_words.sourced(picked, credit, unit),
        credit=credit,
        since=_began(frame[frame["coin"].isin(table.columns)], "price"),
        log=choice.log,
        neutral=100.0 if choice.rebased else None,
        unit="number" if choice.rebased else "money",
        sign=money.sign,
        ranked=len(table.columns) > 1,
    )


def _began(rows: pd.DataFrame, value: str) -> pd.Timestamp:
    """The first day of the record that holds a value."""
    return pd.Timestamp(rows.loc[rows[value].notna(), "date"].min())


def gain(found: "pd.Series[float]") -> float:
    """From the first to the last value, in percent; NaN where the first is not above zero."""
    first, last = float(found.iloc[0]), float(found.iloc[-1])
    return (last / first - 1) * 100 if first > 0 else float("nan")


def _coin_line(
    rows: pd.DataFrame, values: "pd.Series[float]", base: float | None, money: Currency
) -> tuple[Line, pd.DataFrame]:
    newest = rows.iloc[-1]
    symbol, found = str(newest["symbol"]).upper(), values.dropna()
    scaled = values if base is None else values / base * 100
    since = float("nan") if base is None else (float(found.iloc[-1]) / base - 1) * 100
    label = f"{symbol} {money.label(found.iloc[-1]) if base is None else formats.gain(since)}"
    empty = pd.Series("", index=values.index, dtype=object)
    return Line(str(newest["name"]), label, scaled, "", empty), rows


def _dressed(
    line: Line, color: str, rows: pd.DataFrame, zone: ZoneInfo, revised: Revised, money: Currency
) -> Line:
    """The line with its colour, what is said under the pointer, and its marked days."""
    by_day = rows.set_index("date")
    said, marks = {}, {}
    for day, price, late, coin, at, where in zip(
        by_day.index,
        by_day["price"],
        by_day["provisional"],
        by_day["coin"],
        by_day["observed_at"],
        origin(by_day, zone),
        strict=True,
    ):
        was = revised_marks.noted(revised.get((coin, day), ()), price, at, zone, money.show)
        said[day] = f"{safe(line.name)}  <b>{money.show(price)}</b> {money.code}{_late(late)}{was}<br>{where}"
        if late or was:
            marks[day] = "revised" if was else "provisional"
    hover = pd.Series(said, dtype=object).reindex(line.values.index)
    return Line(line.name, line.label, line.values, color, hover, marks)


def _late(late: Any) -> str:
    return f"<br>{_('provisional: the day is not over')}" if late else ""


def _price_title(table: pd.DataFrame, picked: pd.DataFrame) -> str:
    """What the coins did, over the days that are recorded; several over the days that all of them have."""
    names = picked.drop_duplicates("coin", keep="last").set_index("coin")["name"]
    told = [coin for coin in table.columns if table[coin].count() > 1]
    shared = table[told].dropna()
    if len(told) < 2 or len(shared) < 2:
        coin = told[0] if told else table.columns[0]
        return change_title(str(names[coin]), table[coin].dropna())
    moves = {coin: gain(shared[coin]) for coin in told}
    said = {coin: formats.gain(move) for coin, move in moves.items()}
    days = (shared.index[-1] - shared.index[0]).days
    high, low = (said[end(moves, key=lambda coin: _known(moves[coin]))] for end in (max, min))
    ends = [[str(names[coin]) for coin in told if said[coin] == end] for end in (high, low)]
    (best, *more), (worst, *others) = ends
    if high == low:
        return _all_alike(len(told), days, high)
    if more or others:
        text = ngettext(
            "Most in {days} day: {best} with {high}; least: {worst} with {low}",
            "Most in {days} days: {best} with {high}; least: {worst} with {low}",
            days,
        )
        best, worst = (", ".join(end) for end in ends)
    else:
        text = ngettext(
            "{best} leads over {days} day with {high}, {worst} trails with {low}",
            "{best} leads over {days} days with {high}, {worst} trails with {low}",
            days,
        )
    return text.format(best=best, high=high, worst=worst, low=low, days=formats.number(days))


def _known(move: float) -> float:
    return move if move == move else 0.0


def _all_alike(n: int, days: int, size: str) -> str:
    text = ngettext(
        "All {n} coins moved alike in {days} day: {size}",
        "All {n} coins moved alike in {days} days: {size}",
        days,
    )
    return text.format(n=n, size=size, days=formats.number(days))


def change_title(name: str, found: "pd.Series[float]") -> str:
    """ "Bitcoin rose 12.3 % in 90 days", from the first to the last day that is there."""
    first, last = found.index[0], found.index[-1]
    if len(found) < 2:
        return one_day(name, last)
    moved, days = gain(found), (last - first).days
    size = formats.gain(abs(moved), signed=False)
    if moved > 0 and size != formats.percent(abs(moved), signed=False):
        since = formats.short_day(first)
        return _("{name} rose {size} since {day}").format(name=name, size=size, day=since)
    said = {
        1: ngettext("{name} rose {size} in {days} day", "{name} rose {size} in {days} days", days),
        -1: ngettext("{name} fell {size} in {days} day", "{name} fell {size} in {days} days", days),
        0: ngettext("{name} hardly moved in {days} day", "{name} hardly moved in {days} days", days),
    }[formats.direction(moved)]
    return said.format(name=name, size=size, days=formats.number(days))


def one_day(name: str, day: pd.Timestamp) -> str:
    """ "Bitcoin: one day recorded, 24 Nov"."""
    return _("{name}: one day recorded, {day}").format(name=name, day=formats.short_day(day))


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
    revised: Older | None = None,
    money: Currency = USD,
) -> go.Figure:
    """One series of observations (date, value and provenance), all of it, of which the window is shown:
    in `money`, or a share in percent. Days that were `revised` are marked, with what stood there before."""
    since = _began(rows, "value")
    unit = _("percent of the market") if percent else money.unit(rows[rows["date"] >= shown.first])
    rows = rows[rows["date"] >= shown.first].dropna(subset=["value"])
    values = rows.set_index("date")["value"].astype(float).reindex(shown.days)
    found = values.dropna()
    if found.empty:
        return nothing(palette, _("No values in this range"), height)
    show = (lambda value: formats.percent(value, 2, signed=False)) if percent else money.show
    hover, marks = {}, {}
    for day, value, late, at, where in zip(
        rows["date"],
        rows["value"],
        rows["provisional"],
        rows["observed_at"],
        origin(rows, zone),
        strict=True,
    ):
        was = revised_marks.noted((revised or {}).get(day, ()), value, at, zone, show)
        hover[day] = f"<b>{show(value)}</b>{_late(late)}{was}<br>{where}"
        if late or was:
            marks[day] = "revised" if was else "provisional"
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
        title=_points_title(name, found) if percent else change_title(name, found),
        subtitle=crypto_words.sourced(rows, credit, unit),
        credit=credit,
        since=since,
        unit="percent" if percent else "money",
        sign=money.sign,
        height=height,
    )


def _points_title(name: str, found: "pd.Series[float]") -> str:
    if len(found) < 2:
        return one_day(name, found.index[-1])
    days = (found.index[-1] - found.index[0]).days
    said = ngettext("{name} moved {size} in {days} day", "{name} moved {size} in {days} days", days)
    size = formats.points(found.iloc[-1] - found.iloc[0])
    return said.format(name=name, size=size, days=formats.number(days))
