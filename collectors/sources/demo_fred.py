"""The invented FRED and OFR of demo mode: which series there are, their spreads, and when each is out.

Rates and spreads in percent with two decimals; all follow the stress of `demo_stress` with noise of
their own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from collectors.sources import demo_balance, demo_yields
from collectors.sources import demo_stress as world
from collectors.sources.demo_prices import vix
from collectors.sources.demo_stress import Calendar, Path, Values, heat, noise, slow

Lag = Literal["next day", "same evening", "h41", "nfci", "stlfsi", "stale", "two days"]

# Days (month, day) on which one input has no value at its source, ever; and the input.
GAPS = frozenset({(month, day) for month in (2, 4, 6, 8, 10, 12) for day in (8, 9, 10, 11)})
GAPPED = "DAAA"
# The input that is behind: tolerated, and marked.
STALE, STALE_DAYS = "DCPF3M", 4
_DAY = timedelta(days=1)


@lru_cache(maxsize=64)
def _baa_spread(year: int) -> Values:
    own = noise("baa", year, 0.022, 0.03)
    days = zip(own, slow(year, 12.0), strict=True)
    return tuple(round(1.85 + moved + 0.42 * level + 0.14 * max(0.0, level) ** 2, 2) for moved, level in days)


@lru_cache(maxsize=64)
def _baa(year: int) -> Values:
    return tuple(
        round(ten + spread, 2)
        for ten, spread in zip(demo_yields.ten_years(year), _baa_spread(year), strict=True)
    )


def _aaa(year: int) -> Sequence[float]:
    own = noise("aaa", year, 0.012, 0.025)
    days = zip(_baa(year), own, slow(year, 15.0), strict=True)
    return [
        baa - max(0.4, 0.82 + moved + 0.16 * level + 0.09 * max(0.0, level) ** 2)
        for baa, moved, level in days
    ]


def _high_yield(year: int) -> Sequence[float]:
    own = noise("high yield", year, 0.05, 0.03, heat(year))
    days = zip(own, slow(year, 6.0), strict=True)
    return [max(2.5, 3.9 + moved + 1.15 * level + 0.3 * max(0.0, level) ** 2) for moved, level in days]


def _opinion(seed: str, calm: float, slope: float, days: float, sd: float) -> Path:
    """An index of somebody else, in standard deviations."""

    def path(year: int) -> Sequence[float]:
        own = noise(seed, year, sd * 0.35, 0.06)
        return [calm + moved + slope * level for moved, level in zip(own, slow(year, days), strict=True)]

    return path


@dataclass(frozen=True, slots=True)
class _Series:
    path: Path
    calendar: Calendar
    lag: Lag
    decimals: int


_RATES: dict[str, Path] = {
    "BAA10Y": _baa_spread,
    "DBAA": _baa,
    "DAAA": _aaa,
    "BAMLH0A0HYM2": _high_yield,
    "SOFR": demo_yields.sofr,
    "EFFR": demo_yields.effr,
    "DTB3": demo_yields.discount,
    "DGS3MO": demo_yields.bill,
    "DGS2": demo_yields.two_years,
    "DGS10": demo_yields.ten_years,
}
_BALANCE: dict[str, Path] = {
    "WALCL": demo_balance.assets,
    "WTREGEN": demo_balance.treasury,
    "WRESBAL": demo_balance.reserves,
    "WLCFLPCL": demo_balance.window,
}
_SERIES: dict[str, _Series] = {
    **{f"fred.{name}": _Series(path, "fed", "next day", 2) for name, path in _RATES.items()},
    **{f"fred.{name}": _Series(path, "wednesday", "h41", 0) for name, path in _BALANCE.items()},
    f"fred.{STALE}": _Series(demo_yields.paper, "fed", "stale", 2),
    "fred.DFF": _Series(demo_yields.every_day, "every", "next day", 2),
    "fred.VIXCLS": _Series(vix, "both", "next day", 2),
    "fred.T10Y3M": _Series(demo_yields.curve, "fed", "same evening", 2),
    "fred.RRPONTSYD": _Series(demo_balance.reverse_repo, "fed", "same evening", 3),
    "fred.RPONTSYD": _Series(demo_balance.repo, "fed", "same evening", 3),
    "fred.NFCI": _Series(_opinion("nfci", -0.53, 0.3, 15.0, 0.05), "friday", "nfci", 3),
    "fred.STLFSI4": _Series(_opinion("stlfsi", -0.6, 1.0, 6.0, 0.16), "friday", "stlfsi", 4),
    "ofr.fsi": _Series(_opinion("ofr", -0.7, 1.25, 4.0, 0.18), "nyse", "two days", 3),
}
SOURCES: frozenset[str] = frozenset(_SERIES)


def _published(day: date, lag: Lag) -> tuple[date, int]:
    """UTC day and hour from which the value of `day` is out."""
    if lag == "next day":
        return world.next_business_day(day), 12
    if lag == "same evening":
        return day, 22
    if lag == "h41":
        return world.next_business_day(day), 21
    # The week's Friday is told on Wednesday or Thursday, a holiday later.
    after = day + _DAY * (4 if lag == "nfci" else 5)
    return world.next_business_day(after), 12 if lag == "nfci" else 14


def _newest(series: _Series, now: datetime) -> date:
    """No value after this day is out yet."""
    today = now.date()
    if series.lag == "stale":
        return world.business_days_back("fed", today, STALE_DAYS)
    if series.lag == "two days":
        return world.business_days_back("nyse", today, 2)
    day = today
    while _published(day, series.lag) > (today, now.hour):
        day -= _DAY
    return day


def rows(source: str, first: date, now: datetime) -> Iterator[tuple[str, date, float]]:
    """Series, day and value of `source` from `first` to the newest day that is out by `now` (UTC)."""
    series = _SERIES[source]
    for day, value in world.told(series.path, series.calendar, first, _newest(series, now)):
        if source != f"fred.{GAPPED}" or (day.month, day.day) not in GAPS:
            # A zero has no sign.
            yield source, day, round(value, series.decimals) + 0.0
