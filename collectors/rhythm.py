"""When a source has something new: of which days it has values, when they are out, when a day is over.

Computed from the publisher's own calendar and clock, never from the instant of our last attempt.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from collectors.stress.business_days import Calendar, is_business_day

Days = Literal["every", "weekdays", "nyse", "fed", "monday", "wednesday", "friday"]

_WEEKDAYS: dict[str, int] = {"monday": 0, "wednesday": 2, "friday": 4}
_DAY = timedelta(days=1)
# No series of ours has a longer gap between two of its days and their publication.
_LONGEST = 40


@dataclass(frozen=True)
class Rhythm:
    """`days` that have a value: every day, Monday to Friday, the exchange's, the Federal Reserve's, or one
    day a week. Such a value is out `lag` business days (of `counted`) after its day, at `at` in `zone`; the
    day itself is over at `ends` of that zone (None: with its midnight). `by_week`: those of a week come out
    together, on the next Monday on which they work."""

    days: Days
    at: time
    lag: int = 0
    counted: Calendar = "fed"
    zone: str = "America/New_York"
    ends: time | None = None
    by_week: bool = False

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def has(self, day: date) -> bool:
        """Whether the source has a value of that day."""
        if self.days in ("nyse", "fed"):
            return is_business_day(self.days, day)
        if self.days == "weekdays":
            return day.weekday() < 5
        return self.days == "every" or day.weekday() == _WEEKDAYS[self.days]

    def out(self, day: date) -> datetime:
        """When the value of `day` is published, aware UTC."""
        left = self.lag
        if self.by_week:
            # From its Sunday on: a holiday on Monday makes it Tuesday.
            day += _DAY * (6 - day.weekday())
            left = 1
        while left:
            day += _DAY
            left -= is_business_day(self.counted, day)
        return datetime.combine(day, self.at, self._zone).astimezone(UTC)

    def over(self, day: date) -> datetime:
        """When `day` is over, aware UTC: a value seen earlier is provisional."""
        end = (day, self.ends) if self.ends is not None else (day + _DAY, time())
        return datetime.combine(*end, self._zone).astimezone(UTC)

    def first_open(self, at: datetime) -> date:
        """The first day that is not over at an instant; from then on none is."""
        # No zone is ahead by two days.
        day = at.astimezone(UTC).date() + 2 * _DAY
        while at < self.over(day - _DAY):
            day -= _DAY
        return day

    def following(self, day: date) -> date:
        """The next day after `day` that has a value."""
        day += _DAY
        while not self.has(day):
            day += _DAY
        return day

    def between(self, before: date, after: date) -> Iterator[date]:
        """The days that have a value and lie between two others, which may be the same."""
        day = before + _DAY
        while day < after:
            if self.has(day):
                yield day
            day += _DAY

    def newest(self, now: datetime) -> date:
        """The newest day whose value is out by `now`."""
        first = now.astimezone(self._zone).date() + _DAY
        for back in range(_LONGEST):
            day = first - _DAY * back
            if self.has(day) and self.out(day) <= now:
                return day
        raise AssertionError("forty days have one")


def utc_days(after: timedelta = timedelta(0)) -> Rhythm:
    """Every UTC day, its value out so long after its midnight (less than a day)."""
    minutes = int(after.total_seconds()) // 60
    return Rhythm("every", time(minutes // 60, minutes % 60), zone="UTC")


UTC_DAYS = utc_days()
