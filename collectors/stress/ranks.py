"""Expanding ranks: where a value stands among everything known up to its own day, in n log n.

A sorted list with bisect gives the same counts, one Python call a day; here a whole history is
counted by halving it in time, a few NumPy operations a level.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Up to so many days are counted one by one: a daily update asks for two or three.
_FEW = 32


def earlier(order: Ints, counted: NDArray[np.bool_] | None = None) -> Ints:
    """For each time, how many earlier times stand before it in `order` (a permutation of the times);
    only those where `counted` holds, if given."""
    n = len(order)
    size = 1 << max(n - 1, 0).bit_length()
    found = np.zeros(size, np.int64)
    # Times that do not exist come last in order and in time, where they are before nobody.
    row = np.concatenate([order, np.arange(n, size)])
    weight = None if counted is None else np.concatenate([counted, np.zeros(size - n, bool)])
    place = np.arange(size)
    while size > 1:
        half = size // 2
        left = (row & half) == 0
        block = place & -size
        # Every block holds as many times of its earlier half as of its later one.
        before = np.cumsum(left) - left - block // 2
        if weight is None:
            gained = before
        else:
            sums = np.cumsum(left & weight[row])
            gained = sums - np.concatenate([[0], sums])[block]
        later = ~left
        found[row[later]] += gained[later]
        target = np.where(left, block + before, place + half - before)
        moved = np.empty_like(row)
        moved[target] = row
        row, size = moved, half
    return found[:n]


def mid_ranks(values: Floats, since: int = 0) -> Floats:
    """Share of `values[: t + 1]` below `values[t]`, ties and itself counted by half, for t ≥ `since`.

    (below + (ties + 1) / 2) / n with ties counting the value itself; no NaN among `values`.
    """
    n = len(values)
    times = np.arange(since, n)
    if len(times) <= _FEW:
        below = np.array([np.count_nonzero(values[: t + 1] < values[t]) for t in times], np.int64)
        ties = np.array([np.count_nonzero(values[: t + 1] == values[t]) for t in times], np.int64)
    else:
        order = np.argsort(values, kind="stable")
        starts = np.empty(n, bool)
        starts[0], starts[1:] = True, np.diff(values[order]) != 0
        place = np.arange(n)
        twins = np.empty(n, np.int64)
        twins[order] = place - np.maximum.accumulate(np.where(starts, place, 0))
        below = (earlier(order) - twins)[since:]
        ties = twins[since:] + 1
    shares: Floats = (below + (ties + 1) / 2) / (times + 1)
    return shares


def up_to(values: Floats, asked: Floats, since: int = 0) -> Ints:
    """How many of `values[: t + 1]` are at most `asked[t]`, for t ≥ `since`; no NaN in either."""
    n = len(values)
    if n - since <= _FEW:
        return np.array([np.count_nonzero(values[: t + 1] <= asked[t]) for t in range(since, n)], np.int64)
    # Day t is two times: its value at 2t, its question at 2t + 1; of equals the value comes first.
    both = np.empty(2 * n)
    both[0::2], both[1::2] = values, asked
    is_value = np.arange(2 * n) % 2 == 0
    order = np.lexsort((~is_value, both))
    return earlier(order, is_value)[1::2][since:]
