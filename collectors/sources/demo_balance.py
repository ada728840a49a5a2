"""The invented balance sheet of the Federal Reserve in demo mode: millions of USD, repo in billions."""

import math
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from collectors.sources.demo_stress import Values, dates, noise, quarter_ends, slow, stress


def assets(year: int) -> Sequence[float]:
    """Millions of USD; bought in a crisis, let go after it."""
    own = noise("assets", year, 9e3, 0.03)
    days = zip(dates(year), own, slow(year, 90.0), strict=True)
    return [
        6.62e6 + 8e4 * math.sin(day.toordinal() / 520) + moved + 2.2e5 * max(0.0, level)
        for day, moved, level in days
    ]


@lru_cache(maxsize=64)
def treasury(year: int) -> Values:
    """Millions of USD; full after the tax days of April, June, September and January."""
    own = noise("treasury account", year, 1.6e4, 0.05)
    found = []
    for day, moved in zip(dates(year), own, strict=True):
        since = min((day - date(day.year, month, 15)).days % 366 for month in (1, 4, 6, 9))
        found.append(7.6e5 + moved + 1.3e5 * math.exp(-since / 35))
    return tuple(found)


@lru_cache(maxsize=64)
def reverse_repo(year: int) -> Values:
    """Billions of USD; money funds park there at the end of a quarter."""
    own = noise("reverse repo", year, 0.16, 0.08)
    days = zip(own, quarter_ends(year), stress(year), strict=True)
    return tuple(9 * math.exp(moved) + 70 * end**1.5 + 6 * max(0.0, level) for moved, end, level in days)


def repo(year: int) -> Sequence[float]:
    """Billions of USD; hardly used until money is short."""
    own = noise("repo", year, 0.5, 0.2)
    days = zip(own, quarter_ends(year), stress(year), strict=True)
    return [
        0.004 * math.exp(moved) + 6 * end**2 + 14 * max(0.0, level - 1.1) ** 1.5 for moved, end, level in days
    ]


def reserves(year: int) -> Sequence[float]:
    """Millions of USD: what account, reverse repo and currency leave of the assets."""
    own = noise("reserves", year, 7e3, 0.06)
    days = zip(assets(year), treasury(year), reverse_repo(year), own, strict=True)
    return [held - account - 1e3 * parked - 2.83e6 + moved for held, account, parked, moved in days]


def window(year: int) -> Sequence[float]:
    """Millions of USD of primary credit."""
    own = noise("window", year, 0.05, 0.06)
    days = zip(own, slow(year, 12.0), strict=True)
    return [4.8e3 * math.exp(moved) + 9e3 * max(0.0, level - 0.8) ** 2 for moved, level in days]
