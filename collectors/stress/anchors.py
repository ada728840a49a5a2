"""Ranks for an upstream that no longer serves its own past: a frozen table of quantiles.

ICE lets FRED show three years of the high-yield spread. Ranked within those three years a value is
18 points off on average; ranked within this table it is where twenty-seven years put it.
"""

from datetime import date

import numpy as np
from numpy.typing import NDArray

# BAMLH0A0HYM2, percentage points, 1999-01-05 to LAST, 6,886 days.
LAST = date(2026, 5, 20)
_SHARE = (0.5, 1, 5, 10, 25, 40, 50, 60, 75, 80, 90, 95, 97.5, 99, 99.5)
_VALUE = (2.59, 2.65, 2.9, 3.15, 3.62, 4.15, 4.63, 5.07, 6.28, 6.85, 8.13, 9.42, 11.09, 16.7815, 18.212)


def rank(values: NDArray[np.float64], days: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of the table below each value (0.005 to 0.995, linear between quantiles); NaN for a value
    that is missing, and for days (ordinals) up to LAST: they are in the table, and ranking them
    within it would look ahead."""
    shares = np.interp(values, _VALUE, np.asarray(_SHARE) / 100)
    shares[np.isnan(values) | (days <= LAST.toordinal())] = np.nan
    return shares
