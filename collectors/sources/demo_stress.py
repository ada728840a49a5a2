"""The invented stress that all of demo mode's liquidity follows, and the days on which it is told.

One number a calendar day: near 0 when all is well, above 2 in a crisis. As in `demo_market`, a year is
drawn on its own from seeds and tied to its neighbours, so that a day that is over never changes.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import Literal

from collectors.sources.demo_market import CRASH
from collectors.stress.business_days import is_business_day

Calendar = Literal["fed", "nyse", "both", "every", "weekdays", "wednesday", "friday"]
Values = tuple[float, ...]
# Of a calendar year: one value for each of its days.
Path = Callable[[int], Sequence[float]]

# Two years in seven have a crisis (2022, 2026, 2029, 2033).
CRISIS_EVERY, CRISES = 7, (3, 6)
_WEEKDAYS = {"wednesday": 2, "friday": 4}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Episode:
    """Stress that rises for `rises` days, stays for `holds` and fades with `fades` (days to 1/e)."""

    begins: date
    height: float
    rises: int
    holds: int
    fades: float

    def at(self, day: date) -> float:
        """What it adds to the stress of that day."""
        n = (day - self.begins).days
        if n < self.rises:
            return self.height * max(0, n + 1) / self.rises
        return self.height * math.exp(-max(0, n - self.rises - self.holds) / self.fades)


@lru_cache(maxsize=64)
def episodes(year: int) -> tuple[Episode, ...]:
    """Of one year: that of the crypto crash, and a crisis or one or two smaller ones."""
    random = Random(f"stress episodes {year}")
    # Markets are uneasy before the coins fall.
    crash = date(year, *CRASH) - _DAY * 3
    found = [Episode(crash, random.uniform(1.35, 1.6), 5, random.randint(8, 11), random.uniform(6, 8))]
    if year % CRISIS_EVERY in CRISES:
        begins = date(year, 5, 10) + _DAY * random.randint(0, 120)
        found.append(
            Episode(begins, random.uniform(2.6, 3.1), 16, random.randint(20, 26), random.uniform(8, 10))
        )
        return tuple(found)
    for month in (6, 10) if year % 2 else (8,):
        begins = date(year, month, random.randint(1, 28))
        found.append(
            Episode(begins, random.uniform(0.75, 0.95), 6, random.randint(25, 36), random.uniform(4, 6))
        )
    return tuple(found)


@lru_cache(maxsize=64)
def dates(year: int) -> tuple[date, ...]:
    """All days of a year."""
    first = date(year, 1, 1)
    return tuple(first + _DAY * n for n in range((date(year + 1, 1, 1) - first).days))


def year_end(seed: str, year: int, sd: float) -> float:
    """Where a noise stands on 31 December: both years' paths are tied to it."""
    return Random(f"{seed} end {year}").gauss(0, 0.6 * sd)


def noise(seed: str, year: int, step: float, pull: float, heat: Sequence[float] | None = None) -> Values:
    """A year of fading, fat-tailed noise that moves on weekdays, from last year's end to this year's.

    `step`: its usual move in a day, times `heat` of that day; `pull`: how fast it fades."""
    sd = step / math.sqrt(2 * pull)
    random, level, path = Random(f"{seed} {year}"), year_end(seed, year - 1, sd), []
    gauss, chance = random.gauss, random.random
    weekday = date(year, 1, 1).weekday()
    for n in range(len(dates(year))):
        # From weekday to weekday: which of them is a holiday, a library says, and it may learn more.
        if (weekday + n) % 7 < 5:
            wild = step * gauss(0, 2.4 if chance() < 0.04 else 0.9)
            level += (wild if heat is None else wild * heat[n]) - pull * level
        path.append(level)
    tied = (year_end(seed, year, sd) - level) / len(path)
    return tuple(level + tied * (n + 1) for n, level in enumerate(path))


def _deepening(day: date) -> float:
    """Calm deepens from year to year (2020 to 2032), so that most of the newest four are calm."""
    return -0.08 * max(-6.0, min(6.0, (day - date(2026, 1, 1)).days / 365))


@lru_cache(maxsize=64)
def stress(year: int) -> Values:
    """The common factor: restless noise that is rougher in some weeks, and the episodes on top."""
    rough = [math.exp(value) for value in noise("stress clusters", year, 0.12, 0.06)]
    restless = noise("stress", year, 0.06, 0.08, rough)
    told = (*episodes(year - 1), *episodes(year))
    return tuple(
        level + _deepening(day) + sum(episode.at(day) for episode in told)
        for level, day in zip(restless, dates(year), strict=True)
    )


@lru_cache(maxsize=512)
def slow(year: int, days: float = 9.0) -> Values:
    """The factor as spreads feel it: faded over so many days, begun a year earlier."""
    both = (*stress(year - 1), *stress(year))
    kept = math.exp(-1 / days)
    faded = accumulate(both, lambda level, new: kept * level + (1 - kept) * new)
    return tuple(faded)[-len(dates(year)) :]


@lru_cache(maxsize=64)
def heat(year: int) -> Values:
    """How much larger than usual every move of a day is."""
    return tuple(math.exp(0.33 * max(-0.6, min(3.6, value))) for value in stress(year))


@lru_cache(maxsize=256)
def told_days(calendar: Calendar, year: int) -> tuple[int, ...]:
    """The days of a year (places in it, from 0) on which a calendar has a value; `both`: when the
    exchange and the Federal Reserve work."""
    days = dates(year)
    if calendar == "every":
        return tuple(range(len(days)))
    if calendar == "weekdays":
        return tuple(n for n, day in enumerate(days) if day.weekday() < 5)
    if calendar in _WEEKDAYS:
        return tuple(n for n, day in enumerate(days) if day.weekday() == _WEEKDAYS[calendar])
    if calendar == "both":
        fed = set(told_days("fed", year))
        return tuple(n for n in told_days("nyse", year) if n in fed)
    return tuple(
        n for n, day in enumerate(days) if is_business_day("nyse" if calendar == "nyse" else "fed", day)
    )


@lru_cache(maxsize=64)
def quarter_ends(year: int) -> Values:
    """1 on the last weekday of a quarter, less on its neighbours and at other months' ends, else 0."""
    days = dates(year)
    weekdays = [n for n, day in enumerate(days) if day.weekday() < 5]
    found = [0.0] * len(days)
    found[weekdays[0]] = 0.6
    for place, n in enumerate(weekdays):
        after = weekdays[place + 1] if place + 1 < len(weekdays) else None
        if after is None or days[after].month != days[n].month:
            whole = days[n].month % 3 == 0
            found[n] = 1.0 if whole else 0.25
            if after is not None and whole:
                found[after] = 0.6
    return tuple(found)


def told(path: Path, calendar: Calendar, first: date, last: date) -> Iterator[tuple[date, float]]:
    """Day and value of a path on the days of a calendar, from `first` to `last`, both included."""
    for year in range(first.year, last.year + 1):
        days, values = dates(year), path(year)
        for n in told_days(calendar, year):
            if first <= days[n] <= last:
                yield days[n], values[n]


def next_business_day(day: date) -> date:
    """The first day after `day` on which the Federal Reserve works."""
    day += _DAY
    while not is_business_day("fed", day):
        day += _DAY
    return day


def business_days_back(calendar: Literal["fed", "nyse"], today: date, n: int) -> date:
    """The newest business day that has `n` others after it, up to and including `today`."""
    day, after = today, 0
    while True:
        if is_business_day(calendar, day):
            if after == n:
                return day
            after += 1
        day -= _DAY


def hour(now: datetime) -> float:
    """Hours since 00:00 UTC."""
    return now.hour + now.minute / 60
