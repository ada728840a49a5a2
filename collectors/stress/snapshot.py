"""From what is stored to the snapshot that the index is computed of: adjusted prices, news and speeches."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np

from collectors.stress import headlines, speeches
from collectors.stress.inputs import INPUTS
from collectors.stress.observations import Floats, Ints, Levels, Observations
from collectors.stress.prices import adjusted

# The day of a headline is that of the market that it moves.
MARKET_ZONE = ZoneInfo("America/New_York")
_NOTHING = Levels(np.zeros(0, np.int64), np.zeros(0, np.float64))


class Column(Protocol):
    """Days (ordinals, ascending) and values of one stored series."""

    @property
    def days(self) -> Ints: ...

    @property
    def values(self) -> Floats: ...


def stored_names() -> tuple[str, ...]:
    """Prefixes of the stored series that any input is made of."""
    return tuple(
        sorted({_stem(name) for one in INPUTS for name in one.series if not name.startswith("text.")})
    )


def _stem(name: str) -> str:
    return name.removesuffix("adjusted")


def market(columns: Mapping[str, Column], collected: Iterable[str]) -> dict[str, Observations]:
    """The series of the market inputs: those that are stored, and those of `collected` (names as stored)
    that have no row yet, since which inputs a module waits for must not depend on how far data reach."""
    known = set(columns) | set(collected)
    found: dict[str, Observations] = {}
    for name in sorted({name for one in INPUTS for name in one.series}):
        stem = _stem(name)
        if name.endswith(".adjusted"):
            if f"{stem}close" in known:
                parts = (_levels(columns, stem + part) for part in ("close", "dividend", "split"))
                found[name] = adjusted(*parts)
        elif name in known:
            found[name] = Observations(*_levels(columns, name))
    return found


def _levels(columns: Mapping[str, Column], name: str) -> Levels:
    column = columns.get(name)
    return _NOTHING if column is None else Levels(column.days, column.values)


def news(titles: Iterable[tuple[str, str, datetime, str]]) -> Observations:
    """`text.news` from (id, feed, published_at, title)."""
    read = [
        headlines.Title(name, feed, at, at.astimezone(MARKET_ZONE).date(), text)
        for name, feed, at, text in titles
    ]
    return Observations.of(headlines.stress(read))


def fed(spoken: Sequence[tuple[datetime, int, float, float | None]], days: Sequence[date]) -> Observations:
    """`text.fed` on `days` from (published_at, words, tone, stance), oldest first."""
    told = sorted(
        (
            speeches.Speech(at.astimezone(MARKET_ZONE).date(), speeches.Tone(words, tone), stance)
            for at, words, tone, stance in spoken
        ),
        key=lambda one: one.day,
    )
    # Before the first sixty there is nothing to say of any day.
    since = told[0].day if told else date.max
    return Observations.of(speeches.concern(told, [day for day in days if day >= since]))
