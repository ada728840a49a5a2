"""How strained the invented money and credit markets are: one number a day behind every liquidity series.

0 is an ordinary day; the quiet years lie a little below, a crisis comes every year or two and reaches 1 to
4.5. All of it is a function of (seed, day): it is drawn from one fixed first day on, so that asking later
never changes what was said of the past.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache

FIRST = date(1985, 1, 1)
_ORIGIN = FIRST.toordinal()
Path = tuple[float, ...]


def index(day: date) -> int:
    """Place of a day in every path."""
    return day.toordinal() - _ORIGIN


def days_until(year: int) -> int:
    """How many days a path has that ends with that year."""
    return index(date(year, 12, 31)) + 1


def drift(name: str, days: int, memory: float, step: float | Sequence[float]) -> list[float]:
    """A walk that forgets within `memory` days; `step` is the deviation of a day's move, one or one a day."""
    draw, keep, x = random.Random(name).gauss, 1 - 1 / memory, 0.0
    steps = [step] * days if isinstance(step, int | float) else step
    found = []
    for width in steps:
        x = x * keep + width * draw(0.0, 1.0)
        found.append(x)
    return found


def _crises(seed: int, days: int) -> Iterator[tuple[int, int, float, float]]:
    """Start, days of rise, height, days in which it fades to a third."""
    source, at = random.Random(f"{seed}:crises"), 300
    while at < days:
        height = min(4.5, 0.8 + source.expovariate(0.9))
        yield at, source.randint(4, 40), height, source.uniform(25, 110)
        at += 200 + int(source.expovariate(1 / 420))


def _add(path: list[float], crisis: tuple[int, int, float, float]) -> None:
    start, rise, height, fade = crisis
    for n in range(start, min(start + rise, len(path))):
        path[n] += height * (n - start) / rise
    left, keep = height, 1 - 1 / fade
    for n in range(start + rise, min(start + rise + 900, len(path))):
        path[n] += left
        left *= keep


@lru_cache(maxsize=8)
def strain(seed: int, year: int) -> Path:
    """One value for every day from `FIRST` to the end of `year`."""
    days = days_until(year)
    slow = drift(f"{seed}:strain:slow", days, 400, 0.03)
    fast = drift(f"{seed}:strain:fast", days, 5, 0.09)
    path = [a + b - 0.3 for a, b in zip(slow, fast, strict=True)]
    for crisis in _crises(seed, days):
        _add(path, crisis)
    return tuple(max(-1.2, value) for value in path)


def strain_of(seed: int, day: date) -> float:
    """The strain of one day."""
    return strain(seed, day.year + 1)[index(day)]
