"""How old a series is, counted in the business days of those who publish it.

NYSE for Yahoo; the Federal Reserve for FRED, which keeps Columbus and Veterans Day and works on Good
Friday. The rules of both come from the `holidays` library, not from a list by hand.
"""

from datetime import date, timedelta
from functools import cache
from typing import Literal

Calendar = Literal["nyse", "fed"]
Freshness = Literal["fresh", "tolerated", "dropped"]
Frequency = Literal["daily", "weekly"]

FRESH_DAYS, TOLERATED_DAYS, WEEKLY_DAYS = 3, 5, 10
_DAY = timedelta(days=1)


def calendar_of(series: str) -> Calendar:
    """By the name of the series: `yahoo.…` keeps the exchange's days, all others the Fed's."""
    return "nyse" if series.startswith("yahoo.") else "fed"


@cache
def _closed(calendar: Calendar, year: int) -> frozenset[date]:
    # Imported when asked: it costs 50 ms, and only freshness needs it.
    import holidays

    if calendar == "nyse":
        return frozenset(holidays.financial_holidays("NYSE", years=year))
    found = set(holidays.country_holidays("US", years=year, observed=False))
    # A holiday on a Sunday is kept on Monday; one on a Saturday is not kept on Friday by the Fed.
    found |= {day + _DAY for day in found if day.weekday() == 6}
    return frozenset(found)


def is_business_day(calendar: Calendar, day: date) -> bool:
    """Whether the publisher works on that day."""
    return day.weekday() < 5 and day not in _closed(calendar, day.year)


def business_days(calendar: Calendar, as_of: date, now: date) -> int:
    """Business days after `as_of` up to and including `now`; 0 where `now` is not later."""
    n, day = 0, as_of + _DAY
    while day <= now:
        n += is_business_day(calendar, day)
        day += _DAY
    return n


def freshness(series: str, as_of: date, now: date, frequency: Frequency = "daily") -> Freshness:
    """`fresh` up to 3 business days, `tolerated` (and marked) up to 5, then `dropped`; a weekly series
    is fresh for 10 days and then dropped."""
    if frequency == "weekly":
        return "fresh" if (now - as_of).days <= WEEKLY_DAYS else "dropped"
    # Far past the limit there is nothing to count.
    if (now - as_of).days > 4 * TOLERATED_DAYS:
        return "dropped"
    age = business_days(calendar_of(series), as_of, now)
    if age <= FRESH_DAYS:
        return "fresh"
    return "tolerated" if age <= TOLERATED_DAYS else "dropped"
