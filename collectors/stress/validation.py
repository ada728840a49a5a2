"""How the index is judged: weekly rank correlation, changes, and events told from other days."""

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from collectors.stress.observations import Floats, Ints, Levels

Window = tuple[date, date]

# First and last day of what everybody agrees was stress.
EVENTS: tuple[tuple[str, Window], ...] = (
    ("bnp_quant", (date(2007, 8, 9), date(2007, 8, 31))),
    ("bear_stearns", (date(2008, 3, 10), date(2008, 3, 31))),
    ("lehman", (date(2008, 9, 15), date(2008, 12, 15))),
    ("early_2009", (date(2009, 2, 17), date(2009, 3, 20))),
    ("flash_crash", (date(2010, 5, 6), date(2010, 6, 10))),
    ("downgrade", (date(2011, 8, 4), date(2011, 10, 10))),
    ("china", (date(2015, 8, 21), date(2015, 9, 15))),
    ("early_2016", (date(2016, 1, 15), date(2016, 2, 19))),
    ("volatility", (date(2018, 2, 5), date(2018, 2, 16))),
    ("december_2018", (date(2018, 12, 14), date(2019, 1, 4))),
    ("repo", (date(2019, 9, 16), date(2019, 9, 20))),
    ("covid", (date(2020, 3, 2), date(2020, 4, 10))),
)
_FRIDAY = 4


def weekly(days: Ints, values: Floats) -> Levels:
    """The last value of each week that ends on a Friday, dated by that Friday; weeks without one are
    left out."""
    there = np.isfinite(values)
    days, values = days[there], values[there]
    # Ordinal 1 was a Monday.
    fridays = days + (_FRIDAY - (days - 1)) % 7
    last = np.append(np.diff(fridays) > 0, True)[: len(days)]
    return Levels(fridays[last], values[last])


def changes(weeks: Levels, n: int = 4) -> Levels:
    """Change over `n` weeks of the calendar; weeks whose partner is missing are left out."""
    place = np.searchsorted(weeks.days, weeks.days - 7 * n)
    there = weeks.days[np.minimum(place, len(weeks.days) - 1)] == weeks.days - 7 * n
    return Levels(weeks.days[there], weeks.values[there] - weeks.values[place[there]])


def within(series: Levels, first: date, last: date) -> Levels:
    """Days from `first` to `last`, both included."""
    rows = (series.days >= first.toordinal()) & (series.days <= last.toordinal())
    return Levels(series.days[rows], series.values[rows])


def average_ranks(values: Floats) -> Floats:
    """1 for the smallest; equal values share the mean of their ranks."""
    _unique, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: Floats = (last - (count - 1) / 2)[place]
    return ranks


def spearman(a: Levels, b: Levels) -> float:
    """Rank correlation on the days that both have; NaN where there are fewer than three."""
    days, of_a, of_b = np.intersect1d(a.days, b.days, assume_unique=True, return_indices=True)
    if len(days) < 3:
        return float("nan")
    return float(np.corrcoef(average_ranks(a.values[of_a]), average_ranks(b.values[of_b]))[0, 1])


def inside(days: Ints, windows: Iterable[Window]) -> NDArray[np.bool_]:
    """Which days lie in any of the windows."""
    found = np.zeros(len(days), bool)
    for first, last in windows:
        found |= (days >= first.toordinal()) & (days <= last.toordinal())
    return found


def auroc(series: Levels, windows: Iterable[Window]) -> float:
    """Chance that a day inside the windows stands above one outside, ties counted by half."""
    event = inside(series.days, windows)
    n, others = int(event.sum()), int((~event).sum())
    ranks = average_ranks(series.values)
    return float((ranks[event].sum() - n * (n + 1) / 2) / (n * others))


def changes_a_year(bands: Sequence[int] | Ints, days_a_year: int = 252) -> float:
    """How often a band follows another, per year of days with a band (−1: none)."""
    known = np.asarray(bands)
    known = known[known >= 0]
    return float(np.count_nonzero(np.diff(known)) / (len(known) / days_a_year)) if len(known) else 0.0
