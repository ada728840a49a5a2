"""The invented New York of demo mode: ETFs with raw closes, dividends and a split; VIX and MOVE.

A raw close is what was paid: it falls by the dividend on its ex-date and halves on the day of a split.
Today's row is there from 14:30 UTC on, moves with the hour and stands from 21:00.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random

from collectors.sources import demo_stress as world
from collectors.sources.demo_stress import Path, Values, dates, heat, noise, slow, stress, told_days
from collectors.sources.demo_yields import floor, ten_years, two_years

# Trading hours in UTC, as hours since midnight; New York's clock change is left out.
OPENS, CLOSES = 14.5, 21.0
# One split for two, every eighth year (2025): what eight years of growth make of a price.
SPLITS, SPLIT_EVERY, SPLIT_PHASE = "XLF", 8, 1
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Etf:
    """`base`: price at the beginning of 2026; `grows`: of the price, `pays`: in dividends, both a year;
    `quarterly`: else monthly; `two`, `ten`: duration in years on these yields; `fears`: what a point of
    stress takes off (log), `lags` days after it (0: at once); `own`: its noise in a day (log)."""

    symbol: str
    base: float
    grows: float = 0.0
    pays: float = 0.0
    quarterly: bool = False
    two: float = 0.0
    ten: float = 0.0
    fears: float = 0.0
    lags: float = 6.0
    own: float = 0.0003
    # How much of the stock market's own noise is in it.
    stocks: float = 0.0


ETFS: dict[str, Etf] = {
    etf.symbol: etf
    for etf in (
        Etf("SPY", 655, grows=0.07, pays=0.012, quarterly=True, fears=0.055, lags=3, own=0, stocks=1),
        Etf("XLF", 53, grows=0.065, pays=0.016, quarterly=True, fears=0.085, lags=5, own=0.003, stocks=1),
        Etf("HYG", 80, pays=0.058, two=1.2, ten=1.8, fears=0.032, lags=5, own=0.0011, stocks=0.12),
        Etf("IEI", 119, pays=0.034, two=2.0, ten=2.3),
        Etf("LQD", 110, pays=0.044, ten=8.0, fears=0.022, lags=7, own=0.0011),
        Etf("IEF", 96, pays=0.037, ten=7.2),
        Etf("EMB", 94, pays=0.054, ten=6.6, fears=0.034, lags=6, own=0.0018, stocks=0.1),
        Etf("BKLN", 21, pays=0.07, fears=0.02, lags=8, own=0.0006, stocks=0.03),
        Etf("BIL", 91.5, pays=0.036, own=0.00001),
        Etf("TLT", 88, pays=0.043, ten=15.5, own=0.0015),
    )
}
INDICES = ("^VIX", "^MOVE")
SOURCES: frozenset[str] = frozenset(f"yahoo.{symbol}" for symbol in (*ETFS, *INDICES))


@lru_cache(maxsize=64)
def vix(year: int) -> Values:
    """Points; two decimals."""
    own = noise("vix", year, 0.055, 0.16)
    return tuple(
        round(max(9.2, 14.5 * math.exp(moved + 0.36 * level)), 2)
        for moved, level in zip(own, stress(year), strict=True)
    )


@lru_cache(maxsize=64)
def _move(year: int) -> Values:
    own = noise("move", year, 0.035, 0.1)
    days = zip(own, slow(year, 3.0), strict=True)
    return tuple(round(74 * math.exp(moved + 0.3 * level), 2) for moved, level in days)


@lru_cache(maxsize=64)
def _stocks(year: int) -> Values:
    """The stock market's own noise (log)."""
    return noise("stocks", year, 0.0055, 0.03, heat(year))


def _clean(etf: Etf, year: int) -> Sequence[float]:
    """Log price without dividends and splits, on every day of a year."""
    own = noise(f"etf {etf.symbol}", year, etf.own, 0.03, heat(year)) if etf.own else None
    feared = slow(year, etf.lags) if etf.fears else None
    stocks = _stocks(year) if etf.stocks else None
    two, ten = two_years(year), ten_years(year)
    start = math.log(etf.base) + etf.grows * max(-12, min(12, year - 2026))
    found = []
    for n in range(len(dates(year))):
        level = start + etf.grows * n / 365 - (etf.two * (two[n] - 3.6) + etf.ten * (ten[n] - 4.2)) / 100
        if own:
            level += own[n]
        if feared:
            level -= etf.fears * feared[n]
        if stocks:
            level += etf.stocks * stocks[n]
        found.append(level)
    return found


@lru_cache(maxsize=256)
def _ex_dates(quarterly: bool, year: int) -> tuple[int, ...]:
    """Places of the ex-dates in a year: first trading day of a month, or the third Friday of a quarter's
    last month (the day before, where that is closed)."""
    days, trading = dates(year), told_days("nyse", year)
    if not quarterly:
        return tuple(next(n for n in trading if days[n].month == month) for month in range(1, 13))
    thirds = (date(year, month, 1) for month in (3, 6, 9, 12))
    fridays = ((first + _DAY * (14 + (4 - first.weekday()) % 7)).timetuple().tm_yday - 1 for first in thirds)
    return tuple(max(n for n in trading if n <= friday) for friday in fridays)


def split_day(year: int) -> date | None:
    """Second Monday of June, in the years that have one."""
    first = date(year, 6, 1)
    return first + _DAY * (7 + -first.weekday() % 7) if year % SPLIT_EVERY == SPLIT_PHASE else None


def _split_before(symbol: str, day: date) -> float:
    """By what the splits of the past have divided the price; that of 2026 is the base."""
    if symbol != SPLITS:
        return 1.0
    done = sum((split := split_day(year)) is not None and split <= day for year in range(2026, day.year + 1))
    undone = sum((split := split_day(year)) is not None and split > day for year in range(day.year, 2026))
    return 2.0 ** (done - undone)


@dataclass(frozen=True, slots=True)
class Tape:
    """A year of one ETF: the close of every day, and what was paid on the ex-dates (by place)."""

    closes: Values
    paid: dict[int, float]


def _yields(etf: Etf, year: int) -> Sequence[float]:
    """What an ETF earns for its dividend on each day, as a share of its price; bills: the policy rate."""
    if etf.symbol == "BIL":
        return [rate / 36500 for rate in floor(year)]
    return [etf.pays / 365] * len(dates(year))


@lru_cache(maxsize=256)
def tape(symbol: str, year: int) -> Tape:
    """Raw closes and dividends in USD a share, as they stood then."""
    etf, last = ETFS[symbol], year - 1
    accrued = math.fsum(_yields(etf, last)[_ex_dates(etf.quarterly, last)[-1] :])
    ex_dates, splits = set(_ex_dates(etf.quarterly, year)), split_day(year) if symbol == SPLITS else None
    divided, before = _split_before(symbol, date(year, 1, 1)), 0.0
    closes, paid = [], {}
    days = zip(dates(year), _clean(etf, year), _yields(etf, year), strict=True)
    for n, (day, log, rate) in enumerate(days):
        divided *= 2.0 if day == splits else 1.0
        price = math.exp(log) / divided
        if n in ex_dates:
            # What has accrued is paid out: the price goes on without it.
            paid[n], accrued = round(before * accrued, 3), 0.0
        closes.append(round(price * (1 + accrued), 2))
        accrued += rate
        before = price
    return Tape(tuple(closes), paid)


def _path(symbol: str) -> Path:
    if symbol == "^VIX":
        return vix
    if symbol == "^MOVE":
        return _move
    return lambda year: tape(symbol, year).closes


def _usual(symbol: str) -> float:
    """An ordinary day's move (log)."""
    if symbol in INDICES:
        return 0.05
    etf = ETFS[symbol]
    return 0.0055 * etf.stocks + etf.own + 0.0004 * (etf.two + etf.ten)


def _live(symbol: str, before: float, after: float, day: date, now: datetime) -> float:
    """Between yesterday's close and today's: as far as trading is, with the detours of a day."""
    hours = min(now.hour, int(CLOSES)) + (0.5 if now.hour == 14 else 0.0)
    done = (hours - OPENS) / (CLOSES - OPENS)
    if done >= 1:
        return after
    random = Random(f"{symbol} {day} {now.hour}")
    way = math.log(after / before) * (0.1 + 0.9 * done) + 0.5 * _usual(symbol) * random.uniform(-1, 1)
    return round(before * math.exp(way), 2)


def rows(source: str, first: date, now: datetime) -> Iterator[tuple[str, date, float]]:
    """Series, day and value of `yahoo.<symbol>` from `first` to the newest trading day that has begun."""
    symbol = source.removeprefix("yahoo.")
    today = now.date()
    last = today if world.hour(now) >= OPENS else today - _DAY
    series = source if symbol in INDICES else f"{source}.close"
    before = math.nan
    for day, close in world.told(_path(symbol), "nyse", first - _DAY * 7, last):
        value = close
        if day == today:
            halved = symbol == SPLITS and day == split_day(day.year)
            value = _live(symbol, before / 2 if halved else before, close, day, now)
        before = close
        if day >= first:
            yield series, day, value
    if symbol in ETFS:
        yield from _events(symbol, first, last)


def _events(symbol: str, first: date, last: date) -> Iterator[tuple[str, date, float]]:
    for year in range(first.year, last.year + 1):
        days, split = dates(year), split_day(year) if symbol == SPLITS else None
        for n, amount in tape(symbol, year).paid.items():
            if first <= days[n] <= last:
                yield f"yahoo.{symbol}.dividend", days[n], amount
        if split and first <= split <= last:
            yield f"yahoo.{symbol}.split", split, 2.0
