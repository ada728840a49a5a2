"""What the Yahoo symbols cost, day by day, before splits: one walk for shares, levels for bond funds and
indices. All of them feel the common strain.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from .calendars import london, nyse_days, opening, weekdays
from .rates import path
from .strain import Path, days_until, drift, index, strain


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol. `pays` is how many dividends a year, `rate` their sum as a share of the price (None: the
    bill's rate); `level`, `felt` and `duration` make the price of a bond fund."""

    name: str
    first: date
    exchange: str = "PCX"
    exchange_name: str = "NYSEArca"
    pays: int = 12
    rate: float | None = 0.04
    level: float = 100.0
    felt: float = 0.0
    duration: float = 0.0

    @property
    def is_index(self) -> bool:
        """Without volume, dividends and splits."""
        return self.name.startswith("^") or self.is_currency

    @property
    def is_currency(self) -> bool:
        """What a dollar costs, on weekdays of London."""
        return self.name.endswith("=X")

    def days(self, year: int) -> tuple[date, ...]:
        """Its trading days to the end of a year."""
        return (weekdays if self.is_currency else nyse_days)(self.first, year)

    def stamp(self, day: date) -> int:
        """The timestamp of a settled daily bar."""
        return (london if self.is_currency else opening)(day)


SYMBOLS = {
    one.name: one
    for one in (
        Symbol("SPY", date(1993, 1, 29), pays=4, rate=0.017, level=44.0),
        Symbol("XLF", date(1998, 12, 22), pays=4, rate=0.018, level=22.0),
        Symbol("HYG", date(2007, 4, 11), rate=0.058, level=84.0, felt=0.055, duration=2.5),
        Symbol("LQD", date(2002, 7, 30), rate=0.042, level=112.0, felt=0.022, duration=7.0),
        Symbol("EMB", date(2007, 12, 19), "NGM", "NasdaqGM", rate=0.05, level=96.0, felt=0.045, duration=6.0),
        Symbol("BKLN", date(2011, 3, 3), rate=0.06, level=22.5, felt=0.035, duration=0.2),
        Symbol("IEI", date(2007, 1, 11), "NGM", "NasdaqGM", rate=0.027, level=118.0, duration=4.3),
        Symbol("IEF", date(2002, 7, 30), "NGM", "NasdaqGM", rate=0.032, level=97.0, duration=7.3),
        Symbol("TLT", date(2002, 7, 30), "NGM", "NasdaqGM", rate=0.04, level=95.0, duration=15.5),
        Symbol("BIL", date(2007, 5, 30), rate=None, level=91.6),
        Symbol("^VIX", date(1990, 1, 2), "WCB", "Cboe Indices", pays=0),
        Symbol("^MOVE", date(2002, 11, 12), "NYB", "ICE Futures", pays=0),
        Symbol("KRW=X", date(2003, 12, 1), "CCY", "CCY", pays=0),
    )
}
_INDICES = {"^VIX": "VIXCLS", "^MOVE": "MOVE", "KRW=X": "KRW"}
# The tendency of shares a day, and how much of the strain's moves they take.
_TREND, _SHARED = 0.00025, {"SPY": 0.055, "XLF": 0.08}


class Bar(NamedTuple):
    """A day's prices, unrounded; `volume` in shares."""

    day: date
    open: float
    high: float
    low: float
    close: float
    volume: int


def _shares(symbol: Symbol, seed: int, days: tuple[date, ...], year: int) -> Iterator[float]:
    tension, felt = strain(seed, year), _SHARED[symbol.name]
    common, own = random.Random(f"{seed}:shares").gauss, random.Random(f"{seed}:{symbol.name}").gauss
    # The common moves count from SPY's first day, that both funds take the same ones.
    for _ in range(len(nyse_days(SYMBOLS["SPY"].first, year)) - len(days)):
        common(0.0, 1.0)
    value, before = math.log(symbol.level), tension[index(days[0])]
    for day in days:
        now = tension[index(day)]
        width = 0.0055 + 0.0042 * max(0.0, now)
        alone = 0.0 if symbol.name == "SPY" else 0.5 * width * own(0.0, 1.0)
        value += _TREND - felt * (now - before) + width * common(0.0, 1.0) + alone
        before = now
        yield math.exp(value)


@lru_cache(maxsize=16)
def _bond_walk(name: str, seed: int, year: int) -> Path:
    return tuple(drift(f"{seed}:{name}", days_until(year), 90, 0.0011))


def _bonds(symbol: Symbol, seed: int, days: tuple[date, ...], year: int) -> Iterator[float]:
    own, tension = _bond_walk(symbol.name, seed, year), strain(seed, year)
    long, short = path("DGS10", seed, year), path("DGS2", seed, year)
    share = min(1.0, symbol.duration / 8)
    for day in days:
        n = index(day)
        rate = share * long[n] + (1 - share) * short[n]
        felt = symbol.felt * max(-0.3, tension[n])
        yield symbol.level * math.exp(own[n] - felt - symbol.duration * (rate - 3.2) / 100)


def _bills(symbol: Symbol, seed: int, days: tuple[date, ...], year: int) -> Iterator[float]:
    """Interest gathers until the first trading day of the month, when it is paid out."""
    rate, gathered, month, before = path("DTB3", seed, year), 0.0, days[0].month, days[0]
    for day in days:
        gathered += rate[index(before)] / 36500 * (day - before).days
        if day.month != month:
            gathered, month = 0.0, day.month
        before = day
        yield symbol.level * (1 + gathered)


def _closes(symbol: Symbol, seed: int, days: tuple[date, ...], year: int) -> Iterator[float]:
    if symbol.is_index:
        values = path(_INDICES[symbol.name], seed, year)
        return (values[index(day)] for day in days)
    if symbol.name in _SHARED:
        return _shares(symbol, seed, days, year)
    return (_bills if symbol.rate is None else _bonds)(symbol, seed, days, year)


@lru_cache(maxsize=32)
def bars(symbol: Symbol, seed: int, year: int) -> tuple[Bar, ...]:
    """Every trading day from the first to the end of `year`, before any split."""
    days = symbol.days(year)
    draw = random.Random(f"{seed}:bars:{symbol.name}").random
    width = (
        0.002 if symbol.is_currency else 0.03 if symbol.is_index else 0.0002 if symbol.rate is None else 0.004
    )
    found, before = [], None
    for day, close in zip(days, _closes(symbol, seed, days, year), strict=True):
        opened = close if before is None else before + (close - before) * 0.4 * draw()
        high, low = max(opened, close) * (1 + width * draw()), min(opened, close) * (1 - width * draw())
        volume = 0 if symbol.is_index else round(4e6 * (0.6 + draw()) * 50 / symbol.level) * 100
        found.append(Bar(day, round(opened, 2), round(high, 2), round(low, 2), round(close, 2), volume))
        before = close
    return tuple(found)


@lru_cache(maxsize=32)
def dividends(symbol: Symbol, seed: int, year: int) -> dict[date, float]:
    """Ex-day → amount as paid a share before any split, to the end of `year`: monthly on the first trading
    day, quarterly in the third week of March, June, September and December."""
    if not symbol.pays:
        return {}
    return {
        day: amount
        for before, day, close in _ex_days(symbol, seed, year)
        if (amount := _amount(symbol, seed, year, before, close)) >= 0.004
    }


def _ex_days(symbol: Symbol, seed: int, year: int) -> Iterator[tuple[date, date, float]]:
    """The last bar's day before, the ex-day, the close before it."""
    known = bars(symbol, seed, year)
    for before, bar in pairwise(known):
        if symbol.pays == 12:
            due = before.day.month != bar.day.month
        else:
            due = bar.day.month % 3 == 0 and before.day.day < 15 <= bar.day.day
        if due:
            yield before.day, bar.day, before.close


def _amount(symbol: Symbol, seed: int, year: int, before: date, close: float) -> float:
    rate = path("DTB3", seed, year)[index(before)] / 100 if symbol.rate is None else symbol.rate
    return round(close * rate / symbol.pays, 3)
