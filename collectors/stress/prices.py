"""Adjusted prices from what is stored: raw closes, dividends and splits.

Scaled to the first close, not to the last: a new dividend then changes nothing of the past, not even
the last bit of it. Drawdowns and returns are the same either way.
"""

import numpy as np

from collectors.stress.observations import Levels, Observations


def adjusted(close: Levels, dividends: Levels, splits: Levels) -> Observations:
    """The value of one first share with every dividend reinvested at the close before its ex-date, as
    Yahoo and CRSP do it. Days are those of `close`; events on a day without a close count from the
    next one that has."""
    if not len(close.days):
        return Observations(close.days, close.values)
    shares, paid = np.ones(len(close.days)), np.ones(len(close.days))
    for day, ratio in zip(splits.days.tolist(), splits.values.tolist(), strict=True):
        place = int(np.searchsorted(close.days, day))
        if 0 < place < len(shares) and ratio > 0:
            shares[place] *= ratio
    for day, amount in zip(dividends.days.tolist(), dividends.values.tolist(), strict=True):
        place = int(np.searchsorted(close.days, day))
        if 0 < place < len(paid):
            # On the day of a split the dividend is of the new shares, the close before it of the old.
            before = float(close.values[place - 1] / shares[place])
            if 0 < amount < before:
                paid[place] /= 1 - amount / before
    return Observations(close.days, close.values * np.cumprod(shares * paid))
