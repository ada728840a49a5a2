"""The daily points of an upstream's history: which day each is of, changes between them, and whether they are
of the same thing as what is stored."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any
from urllib.parse import quote

from collectors.model import Changed, Rejected
from collectors.payload import Unfit, instant
from storage.texts import N_

DAY = timedelta(days=1)
LONGEST = 80
# A point within so long of a midnight is the close of the day before it.
LATE, EARLY = timedelta(minutes=10), timedelta(hours=2)
# How far the middle of the common days may be off: of a few days more, as one can move by itself.
NEAR, FAR, FEW = 1.1, 1.5, 5
# By how much a value may differ within two days; a currency or a slip differs by more.
DAYS, MOVES = 2, 3.0


class Points:
    """Points of one quantity by instant, and those that cannot be read."""

    def __init__(self, items: Iterable[Any], at: datetime, read: Callable[[Any], tuple[Any, float | None]]):
        self.found: list[tuple[datetime, float]] = []
        self.rejected: list[Rejected] = []
        for item in items:
            try:
                when, value = read(item)
                moment = instant(when, at)
            except Unfit as unfit:
                self.rejected.append(Rejected({"point": str(item)[:120]}, str(unfit)))
            else:
                if value is not None:
                    self.found.append((moment, value))
        self._over = at.date()

    def closes(self) -> dict[date, float]:
        """The last value of each UTC day that is over: the point nearest to its end."""
        nearest: dict[date, tuple[timedelta, float]] = {}
        for moment, value in self.found:
            day = (moment - LATE).date()
            off = abs(moment - datetime.combine(day + DAY, time(), UTC))
            if off <= EARLY and day < self._over and (day not in nearest or off < nearest[day][0]):
                nearest[day] = (off, value)
        return {day: value for day, (_off, value) in sorted(nearest.items())}

    def days(self) -> dict[date, float]:
        """The value that the upstream dates by each UTC day that is over; of several the latest."""
        return {moment.date(): value for moment, value in sorted(self.found) if moment.date() < self._over}


def part(item: str) -> str:
    """A name for the step of one item: as it is, or short and its own where it is long (a file has it)."""
    name = quote(item, safe="")
    if len(name) <= LONGEST:
        return name
    return f"{name[: LONGEST - 9]}-{hashlib.sha256(item.encode()).hexdigest()[:8]}"


def change(values: Mapping[date, float], day: date, back: int) -> float | None:
    """Percent since so many days before; None where that day has no value."""
    before = values.get(day - DAY * back)
    return round(100 * (values[day] / before - 1), 5) if before else None


def leaps(values: Mapping[date, float], factor: float) -> Iterator[date]:
    """Days whose value is further than `factor` from both of its neighbours, which agree."""
    days = sorted(values)
    for before, day, after in zip(days, days[1:], days[2:], strict=False):
        around = (values[before], values[after])
        if min(around) > 0 and max(around) / min(around) <= factor:
            ratios = [values[day] / one for one in around]
            if min(ratios) > factor or max(ratios) < 1 / factor:
                yield day


def same_thing(values: Mapping[date, float], stored: Mapping[date, float], what: str) -> None:
    """Raises Changed `suspect` where the history says something else of the days that are stored than the
    store does, or ends far from the day that was seen next: then it is in another currency, or of another
    coin, or its end has slipped."""
    ratios = [values[day] / one for day, one in stored.items() if one > 0 and values.get(day, 0) > 0]
    most = NEAR if len(ratios) >= FEW else FAR
    last = max(values, default=None)
    if last is not None and values[last] > 0 and (seen := _next_seen(last, stored)):
        # One that moves by that much in two days is looked at by a person.
        ends = values[last] / seen
        if not 1 / MOVES <= ends <= MOVES:
            ratios, most = [ends], MOVES
    if ratios and not 1 / most <= median(ratios) <= most:
        raise Changed(
            "suspect",
            N_("The history of {what} is {times} times what is stored of the same days. Nothing was filled."),
            what=what,
            times=f"{median(ratios):.3g}",
        )


def _next_seen(last: date, stored: Mapping[date, float]) -> float | None:
    days = [day for day in stored if last < day <= last + DAY * DAYS and stored[day] > 0]
    return stored[min(days)] if days else None
