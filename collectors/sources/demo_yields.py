"""The invented interest rates of demo mode: the policy rate, what follows from it, and Treasury yields.

Percent, two decimals. Yields move in whole basis points, more of them under stress.
"""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from random import Random

from collectors.sources.demo_stress import Values, dates, heat, noise, quarter_ends, slow, stress

# Days (month, day) on which the policy rate may change.
MEETINGS = ((1, 29), (3, 19), (5, 7), (6, 18), (7, 30), (9, 17), (10, 29), (12, 10))


def _wanted(day: date) -> float:
    """The policy rate that the economy asks for, percent: a slow wave."""
    return 3.55 + 1.0 * math.cos(2 * math.pi * (day.toordinal() - date(2023, 8, 1).toordinal()) / 3285)


@lru_cache(maxsize=64)
def floor(year: int) -> Values:
    """Lower end of the target range: whole quarters, changed the day after a meeting."""
    met = [date(year - 1, *MEETINGS[-1]), *(date(year, *meeting) for meeting in MEETINGS)]
    set_to = [round(4 * _wanted(day)) / 4 for day in met]
    return tuple(set_to[sum(day > meeting for meeting in met) - 1] for day in dates(year))


@lru_cache(maxsize=64)
def effr(year: int) -> Values:
    """Effective federal funds rate: a little above the floor of the range."""
    own = noise("effr", year, 0.004, 0.2)
    return tuple(round(low + 0.08 + moved, 2) for low, moved in zip(floor(year), own, strict=True))


def every_day(year: int) -> Sequence[float]:
    """Seven days a week: what the last weekday had."""
    # The first of January may be a Sunday: then the rate is that of two days before.
    values = (*effr(year - 1)[-2:], *effr(year))
    return [values[2 + n - max(0, day.weekday() - 4)] for n, day in enumerate(dates(year))]


def sofr(year: int) -> Sequence[float]:
    """Dearer than EFFR under stress, and at the end of a quarter."""
    random = Random(f"sofr {year}")
    spikes = [random.uniform(0.09, 0.2) for _ in range(13)]
    own = noise("sofr", year, 0.011, 0.35)
    days = zip(dates(year), effr(year), own, stress(year), quarter_ends(year), strict=True)
    return [
        policy
        - 0.015
        + moved
        + 0.028 * max(0.0, level) ** 1.3
        + end * spikes[day.month] * (1 + 0.4 * max(0.0, level))
        for day, policy, moved, level, end in days
    ]


@lru_cache(maxsize=64)
def bill(year: int) -> Values:
    """Three months, bond equivalent: what policy will be, less what safety is worth."""
    ahead = (*floor(year), *floor(year + 1))
    own = noise("bill", year, 0.012, 0.08)
    return tuple(
        round(0.12 + 0.5 * (ahead[n] + ahead[n + 45]) + moved - 0.09 * max(0.0, level) ** 1.25, 2)
        for n, (moved, level) in enumerate(zip(own, slow(year, 4.0), strict=True))
    )


def discount(year: int) -> Sequence[float]:
    """The same bill as it is quoted at auction: a discount from par."""
    return [round(value * (1 - 0.006 * value), 2) for value in bill(year)]


def paper(year: int) -> Sequence[float]:
    """Three-month commercial paper of financial firms: the bill, and what trust costs."""
    own = noise("paper", year, 0.018, 0.12)
    days = zip(discount(year), own, slow(year, 5.0), strict=True)
    return [
        safe + 0.17 + moved + 0.11 * max(-0.6, level) + 0.04 * max(0.0, level) ** 2
        for safe, moved, level in days
    ]


@lru_cache(maxsize=64)
def two_years(year: int) -> Values:
    """Two-year yield, percent; its steps grow with stress."""
    own = noise("two years", year, 0.043, 0.012, heat(year))
    ahead = timedelta(days=300)
    days = zip(dates(year), own, slow(year), strict=True)
    return tuple(
        round(0.2 + _wanted(day + ahead) + moved - 0.12 * max(0.0, level), 2) for day, moved, level in days
    )


@lru_cache(maxsize=64)
def ten_years(year: int) -> Values:
    """Ten-year yield, percent; its steps grow with stress."""
    own = noise("ten years", year, 0.038, 0.008, heat(year))
    return tuple(round(2.65 + 0.45 * two + moved, 2) for two, moved in zip(two_years(year), own, strict=True))


def curve(year: int) -> Sequence[float]:
    """Ten years less three months."""
    return [ten - short for ten, short in zip(ten_years(year), bill(year), strict=True)]
