"""The days on which the publishers work, and New York's clock: computed, so that the fake needs no library.

The Federal Reserve keeps Columbus and Veterans Day and works on Good Friday; the exchange does neither.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

NEW_YORK, CHICAGO = ZoneInfo("America/New_York"), ZoneInfo("America/Chicago")
LONDON = ZoneInfo("Europe/London")
DAY = timedelta(days=1)
OPEN, CLOSE, EARLY_CLOSE = time(9, 30), time(16), time(13)
# Days on which the exchange stayed shut though no rule says so: mourning, the towers, the storm.
_MOURNED = frozenset(
    date.fromisoformat(day)
    for day in (
        "1994-04-27", "2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14", "2004-06-11", "2007-01-02",
        "2012-10-29", "2012-10-30", "2018-12-05", "2025-01-09",
    )
)  # fmt: skip


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    """The n-th such weekday of a month; n = -1: the last."""
    if n < 0:
        last = (date(year, month, 28) + 4 * DAY).replace(day=1) - DAY
        return last - ((last.weekday() - weekday) % 7) * DAY
    first = date(year, month, 1)
    return first + ((weekday - first.weekday()) % 7 + 7 * (n - 1)) * DAY


def good_friday(year: int) -> date:
    """Two days before Easter, by the anonymous Gregorian computation."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    months, days = divmod(h + k - 7 * ((a + 11 * h + 22 * k) // 451) + 114, 31)
    return date(year, months, days + 1) - 2 * DAY


def _observed(day: date, on_friday: bool) -> date:
    """A holiday on a Sunday moves to Monday; one on a Saturday to Friday where the exchange says so."""
    if day.weekday() == 5 and on_friday:
        return day - DAY
    return day + DAY if day.weekday() == 6 else day


def _shared(year: int, on_friday: bool) -> set[date]:
    days = {_nth(year, 2, 0, 3), _nth(year, 5, 0, -1), _nth(year, 9, 0, 1), _nth(year, 11, 3, 4)}
    days |= {_observed(date(year, 7, 4), on_friday), _observed(date(year, 12, 25), on_friday)}
    # A New Year's Day on a Saturday is lost to both: the Friday before belongs to the old year.
    days.add(_observed(date(year, 1, 1), on_friday=False))
    if year >= 2022:
        days.add(_observed(date(year, 6, 19), on_friday))
    return days


@cache
def fed_closed(year: int) -> frozenset[date]:
    """The holidays of the Federal Reserve."""
    own = {_nth(year, 1, 0, 3), _nth(year, 10, 0, 2), _observed(date(year, 11, 11), on_friday=False)}
    return frozenset(_shared(year, on_friday=False) | own)


@cache
def nyse_closed(year: int) -> frozenset[date]:
    """The holidays of the exchange, and the days it stayed shut."""
    own = {good_friday(year)} | ({_nth(year, 1, 0, 3)} if year >= 1998 else set())
    return frozenset(_shared(year, on_friday=True) | own | {day for day in _MOURNED if day.year == year})


def is_fed_day(day: date) -> bool:
    """Whether the Federal Reserve works."""
    return day.weekday() < 5 and day not in fed_closed(day.year)


def is_nyse_day(day: date) -> bool:
    """Whether the exchange trades."""
    return day.weekday() < 5 and day not in nyse_closed(day.year)


def next_fed_day(day: date) -> date:
    """The first business day after `day`."""
    day += DAY
    while not is_fed_day(day):
        day += DAY
    return day


@lru_cache(maxsize=8)
def _nyse_year(year: int) -> tuple[date, ...]:
    days = (date(year, 1, 1) + n * DAY for n in range(366))
    return tuple(day for day in days if day.year == year and is_nyse_day(day))


@lru_cache(maxsize=64)
def nyse_days(first: date, last_year: int) -> tuple[date, ...]:
    """The exchange's days from `first` to the end of a year."""
    days = [day for year in range(first.year, last_year + 1) for day in _nyse_year(year)]
    return tuple(day for day in days if day >= first)


@lru_cache(maxsize=8)
def weekdays(first: date, last_year: int) -> tuple[date, ...]:
    """Monday to Friday from `first` to the end of a year: the days of a currency."""
    days = (first + n * DAY for n in range((date(last_year, 12, 31) - first).days + 1))
    return tuple(day for day in days if day.weekday() < 5)


def last_nyse_day(day: date) -> date:
    """The newest day of the exchange up to and including `day`."""
    days = nyse_days(date(day.year - 1, 12, 1), day.year)
    return days[bisect_right(days, day) - 1]


def closes(day: date) -> time:
    """When the exchange closes: 13:00 on the eves of its feasts, else 16:00."""
    eve_of_july = (day.month, day.day) == (7, 3) and day.weekday() < 4
    if eve_of_july or (day.month, day.day) == (12, 24) or day == _nth(day.year, 11, 3, 4) + DAY:
        return EARLY_CLOSE
    return CLOSE


def in_new_york(instant: datetime) -> datetime:
    """The wall clock there."""
    return instant.astimezone(NEW_YORK)


def at_new_york(day: date, clock: time) -> datetime:
    """Aware UTC of that wall clock."""
    return datetime.combine(day, clock, NEW_YORK).astimezone(UTC)


@lru_cache(maxsize=32_768)
def opening(day: date) -> int:
    """09:30 in New York, in seconds: the timestamp of a daily bar."""
    return int(datetime.combine(day, OPEN, NEW_YORK).timestamp())


@lru_cache(maxsize=32_768)
def london(day: date) -> int:
    """Midnight in London, in seconds: the timestamp of a currency's daily bar."""
    return int(datetime.combine(day, time(), LONDON).timestamp())
