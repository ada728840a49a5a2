"""What is done to an input over its last observations, before it is ranked.

Mean and standard deviation run along the series as pandas' rolling windows do, operation by
operation: add the new value, take away the old, Kahan's compensation for both. Yields and rates come
in whole basis points, so that two windows often have the same deviation; which of two such days ranks
higher is then decided by the last bit, and a window computed afresh decides otherwise than the
reference on one day in four. The state after every day is kept, so that a daily update goes on
from the last.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from collectors.stress.inputs import Input, Shape
from collectors.stress.observations import Floats, Levels

TRADING_DAYS = 252

State = tuple[float, ...]


class Track(NamedTuple):
    """An input on its own days: `levels` as joined, `shaped` as ranked (its first days are used up by
    the window), and for a running shape the states after each step."""

    levels: Levels
    shaped: Levels
    states: tuple[State, ...] = ()


def track(one: Input, levels: Levels, past: Track | None = None) -> Track:
    """`levels` in the shape of the input. `past` saves the steps that are the same as before; the
    values are those of a track without it, bit by bit."""
    if one.shape in ("level", "median", "drawdown"):
        shaped = _windowed(one, levels)
        return Track(levels, shaped)
    steps = _steps(one.shape, levels.values, one.scale)
    kept: tuple[State, ...] = ()
    if past is not None:
        same = agreeing(levels, past.levels)
        kept = past.states[: max(0, same - (len(levels.values) - len(steps)))]
    run = _mean if one.shape == "mean" else _deviation
    states = (*kept, *run(steps, one.window, kept))
    values = np.array([state[0] for state in states[one.window - 1 :]], np.float64)
    if one.shape != "mean":
        values = values * math.sqrt(TRADING_DAYS) * one.scale
    return Track(levels, Levels(levels.days[len(levels.days) - len(values) :], values), states)


def agreeing(a: Levels, b: Levels) -> int:
    """How many first observations are the same in both, day and bits."""
    n = min(len(a.days), len(b.days))
    wrong = (a.days[:n] != b.days[:n]) | (a.values[:n] != b.values[:n])
    return int(np.argmax(wrong)) if wrong.any() else n


def _windowed(one: Input, levels: Levels) -> Levels:
    if len(levels.values) < one.window:
        return Levels(levels.days[:0], levels.values[:0])
    if one.shape == "level":
        values = levels.values
    elif one.shape == "median":
        sorted_windows = np.sort(sliding_window_view(levels.values, one.window), axis=1)
        values = np.ascontiguousarray(sorted_windows[:, one.window // 2])
    else:
        values = 1 - levels.values[one.window - 1 :] / _highest(levels.values, one.window)
    if one.scale != 1.0:
        values = values * one.scale
    return Levels(levels.days[one.window - 1 :], values)


def _highest(values: Floats, window: int) -> Floats:
    """Largest of the last `window` values, from the first full window on."""
    top, width = values, 1
    while width * 2 <= window:
        top = np.maximum(top[width:], top[:-width])
        width *= 2
    rest = window - width
    return np.maximum(top[rest:], top[: len(top) - rest]) if rest else top


def _steps(shape: Shape, values: Floats, scale: float) -> list[float]:
    """What runs through the window: scaled levels, differences or log returns."""
    if shape == "mean":
        return listed(values * scale if scale != 1.0 else values)
    if shape == "deviation":
        return listed(np.diff(values))
    # NumPy's logarithm may differ in the last bit with the place of a value in its array.
    return [math.log(after / before) for before, after in pairwise(listed(values))]


def listed(values: Floats) -> list[float]:
    """As Python's own floats: twice as quick in a loop."""
    found: list[float] = values.tolist()
    return found


def _mean(steps: list[float], window: int, kept: tuple[State, ...]) -> Iterator[State]:
    """States (mean, sum, compensation of adding, of taking away, last value, how often in a row,
    negative values in the window)."""
    _value, total, added, taken, last, repeats, negative = kept[-1] if kept else (0.0,) * 7
    for i in range(len(kept), len(steps)):
        if i >= window:
            old = steps[i - window]
            y = -old - taken
            t = total + y
            taken = t - total - y
            total = t
            negative -= math.copysign(1.0, old) < 0
        new = steps[i]
        y = new - added
        t = total + y
        added = t - total - y
        total = t
        negative += math.copysign(1.0, new) < 0
        repeats = repeats + 1 if new == last and i else 1
        last = new
        n = min(i + 1, window)
        yield (_clean(total / n, n, new, repeats, negative), total, added, taken, last, repeats, negative)


def _clean(mean: float, n: int, new: float, repeats: float, negative: float) -> float:
    # A window of one value has that mean, and one of no negative values none below zero.
    if repeats >= n:
        return new
    if (negative == 0 and mean < 0) or (negative == n and mean > 0):
        return 0.0
    return mean


def _deviation(steps: list[float], window: int, kept: tuple[State, ...]) -> Iterator[State]:
    """States (standard deviation with n − 1, mean, sum of squares, compensation of adding, of taking
    away, last value, how often in a row); Welford's recurrence."""
    _value, mean, squares, added, taken, last, repeats = kept[-1] if kept else (0.0,) * 7
    n: float = min(len(kept), window)
    for i in range(len(kept), len(steps)):
        if i >= window:
            old = steps[i - window]
            n -= 1
            before = mean - taken
            y = old - taken
            t = y - mean
            taken = t + mean - y
            mean -= t / n
            squares -= (old - before) * (old - mean)
        new = steps[i]
        n += 1
        repeats = repeats + 1 if new == last and i else 1
        last = new
        before = mean - added
        y = new - added
        t = y - mean
        added = t + mean - y
        mean += t / n
        squares += (new - before) * (new - mean)
        flat = n < 2 or repeats >= n or squares <= 0
        value = 0.0 if flat else math.sqrt(squares / (n - 1))
        yield (value, mean, squares, added, taken, last, repeats)
