"""The invented won of demo mode: what one dollar costs in Seoul, as Yahoo and the Federal Reserve tell it.

Both follow one path, which weakens under stress: Yahoo has the close of every weekday and today's quote,
H.10 the noon of New York's working days, a week at a time.
"""

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from random import Random

from collectors.sources import demo_stress as world
from collectors.sources.demo_stress import Values, dates, heat, noise, slow

QUOTE, NOON = "yahoo.KRW=X", "fred.DEXKOUS"
SOURCES: frozenset[str] = frozenset((QUOTE, NOON))
# UTC hour from which H.10 is out on its Monday; New York's clock change is left out.
_RELEASED = 22
_DAY = timedelta(days=1)


@lru_cache(maxsize=64)
def won(year: int) -> Values:
    """Won for one dollar at the end of each day; two decimals."""
    own = noise("won", year, 0.0038, 0.012, heat(year))
    return tuple(
        round(1385 * math.exp(0.028 * math.sin(day.toordinal() / 410) + moved + 0.016 * level), 2)
        for day, moved, level in zip(dates(year), own, slow(year, 8.0), strict=True)
    )


@lru_cache(maxsize=64)
def noon(year: int) -> Values:
    """The same at noon in New York: between the close of the day before and the day's own."""
    random, closes = Random(f"noon {year}"), (won(year - 1)[-1], *won(year))
    return tuple(
        round(before + (after - before) * random.uniform(0.4, 0.9), 2) for before, after in pairwise(closes)
    )


def rows(source: str, first: date, now: datetime) -> Iterator[tuple[str, date, float]]:
    """Series, day and value of `source` from `first` to the newest day that is out by `now` (UTC)."""
    if source == NOON:
        for day, value in world.told(noon, "fed", first, _released(now)):
            yield source, day, value
        return
    before = math.nan
    for day, close in world.told(won, "weekdays", first - _DAY * 7, now.date()):
        value = close
        if day == now.date():
            value = _live(before, close, now)
        before = close
        if day >= first:
            yield source, day, value


def _live(before: float, after: float, now: datetime) -> float:
    """Between yesterday's close and today's, with the detours of a day."""
    done = world.hour(now) / 24
    detour = 0.0012 * Random(f"won {now.date()} {now.hour}").uniform(-1, 1) * (1 - done)
    return round(before * math.exp(math.log(after / before) * done + detour), 2)


def _released(now: datetime) -> date:
    """The last day of the newest week that is out: Friday, or Sunday where nobody asks for its days."""
    sunday = now.date() - _DAY * (now.date().weekday() + 1)
    if (world.next_business_day(sunday), _RELEASED) > (now.date(), now.hour):
        sunday -= _DAY * 7
    return sunday
