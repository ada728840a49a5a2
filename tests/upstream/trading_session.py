"""Where the exchange's day stands at an instant: which bar is the newest one, and whether it is live."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from .calendars import LONDON, OPEN, at_new_york, closes, in_new_york, last_nyse_day

# So long after the close the last bar is still the live one.
SETTLES_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Session:
    """The day of the newest bar, whether it is live, market time in seconds, the share of its hours that is
    over."""

    day: date
    live: bool
    at: int
    share: float


def session(now: datetime) -> Session:
    """The newest trading day that has opened by `now`; live from 09:30 until a while after the close."""
    day = last_nyse_day(in_new_york(now).date())
    if now < at_new_york(day, OPEN):
        day = last_nyse_day(day - timedelta(days=1))
    start, end = at_new_york(day, OPEN), at_new_york(day, closes(day))
    at = min(now, end)
    return Session(day, now < end + SETTLES_AFTER, int(at.timestamp()), (at - start) / (end - start))


def currency_session(now: datetime) -> Session:
    """The newest weekday of London; live until its midnight, on Friday until 22:00."""
    day = now.astimezone(LONDON).date()
    day -= timedelta(days=max(0, day.weekday() - 4))
    start = datetime.combine(day, time(), LONDON)
    end = datetime.combine(day, time(22) if day.weekday() == 4 else time(23, 59), LONDON)
    at = min(now, end)
    return Session(day, now < end, int(at.timestamp()), (at - start) / (end - start))
