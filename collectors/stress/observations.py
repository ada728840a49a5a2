"""Stored observations as arrays, and what is done to two of them on their common days."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.stress.inputs import Input

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Levels(NamedTuple):
    """Days as proleptic ordinals, ascending and unique, and a finite value for each."""

    days: Ints
    values: Floats


@dataclass(frozen=True, slots=True)
class Observations:
    """One series: days (ordinals), values (NaN: blank at the source), and when each was first seen
    (seconds since 1970, UTC; None: not asked for). Days ascend and are unique."""

    days: Ints
    values: Floats
    first_seen: Floats | None = None

    @classmethod
    def of(
        cls, rows: Iterable[tuple[date, float | None] | tuple[date, float | None, datetime]]
    ) -> "Observations":
        """From (day, value) or (day, value, first seen). Raises ValueError where days do not ascend."""
        taken = list(rows)
        days = np.array([row[0].toordinal() for row in taken], np.int64)
        if len(days) > 1 and not (np.diff(days) > 0).all():
            raise ValueError("days must ascend")
        values = np.array([np.nan if row[1] is None else row[1] for row in taken], np.float64)
        seen = None
        if taken and len(taken[0]) > 2:
            seen = np.array([row[2].timestamp() for row in taken if len(row) > 2], np.float64)
        return cls(days, values, seen)

    def known(self) -> Levels:
        """Without blanks: a blank is missing, never zero and never carried as a value."""
        there = np.isfinite(self.values)
        return Levels(self.days[there], self.values[there])

    def until(self, last: date) -> "Observations":
        """Only days up to `last`."""
        n = int(np.searchsorted(self.days, last.toordinal(), side="right"))
        return self._taking(np.arange(n))

    def seen_by(self, at: datetime) -> "Observations":
        """Only what was stored by then; everything where nobody noted when it was first seen."""
        if self.first_seen is None:
            return self
        return self._taking(np.flatnonzero(self.first_seen <= at.timestamp()))

    def _taking(self, rows: Ints) -> "Observations":
        seen = None if self.first_seen is None else self.first_seen[rows]
        return Observations(self.days[rows], self.values[rows], seen)


# Series by name. A series that is collected and has no row yet belongs here with none: which inputs
# a module waits for must not depend on how far the data reach.
Snapshot = Mapping[str, Observations]


def until(snapshot: Snapshot, last: date) -> dict[str, Observations]:
    """The snapshot as if nothing after `last` had been observed."""
    return {name: series.until(last) for name, series in snapshot.items()}


def in_record(one: Input, snapshot: Snapshot) -> bool:
    """Whether the record has what the input is made of (`first`: any of it)."""
    there = [name in snapshot for name in one.series]
    return any(there) if one.join == "first" else all(there)


def joined(one: Input, snapshot: Snapshot) -> Levels:
    """The input's series made one, on its own days. Raises KeyError where the record has it not."""
    if one.join == "first":
        return _first([snapshot[name].known() for name in one.series if name in snapshot])
    parts = [snapshot[name].known() for name in one.series]
    if len(parts) == 1:
        return parts[0]
    a, b = parts
    place = np.searchsorted(b.days, a.days)
    common = place < len(b.days)
    common[common] = b.days[place[common]] == a.days[common]
    of_a, of_b = a.values[common], b.values[place[common]]
    return Levels(a.days[common], of_a - of_b if one.join == "difference" else of_a / of_b)


def _first(parts: list[Levels]) -> Levels:
    found = parts[0]
    for other in parts[1:]:
        new = ~np.isin(other.days, found.days, assume_unique=True)
        days = np.concatenate([found.days, other.days[new]])
        order = np.argsort(days, kind="stable")
        found = Levels(days[order], np.concatenate([found.values, other.values[new]])[order])
    return found
