"""How long to wait before asking again, and when an answer was given: the pure arithmetic of
`Retry-After`, backoff, `Date` and `Age`.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

ATTEMPTS = 4
BASE_S = 1.0
CAP_S = 20.0
# A longer Retry-After is remembered, not waited for.
PATIENCE_S = 60.0
LONGEST_S = 31 * 86_400.0
CLOCKS_AGREE_S = 120.0
OLDEST_S = 86_400.0

_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


def backoff(attempt: int, chance: float) -> float:
    """Seconds after failed attempt 0, 1, 2, …: exponential, full jitter; `chance` is in [0, 1)."""
    return chance * min(CAP_S, BASE_S * 2.0**attempt)


def retry_after(values: Sequence[str], now: datetime) -> float | None:
    """The longest wait that the `Retry-After` headers ask for, in seconds, at most 31 days; None where
    none of them makes sense or lies ahead. `now` is the server's own instant where it sent one."""
    waits = [wait for value in values for wait in _waits(value.strip(), now)]
    ahead = [wait for wait in waits if wait > 0]
    return min(LONGEST_S, max(ahead)) if ahead else None


def _waits(value: str, now: datetime) -> list[float]:
    date = http_date(value)
    if date is not None:
        return [(date - now).total_seconds()]
    # A proxy may have folded two headers into one.
    parts = [part.strip() for part in value.split(",")]
    return [float(part) for part in parts if _SECONDS.fullmatch(part)]


def http_date(value: str) -> datetime | None:
    """An HTTP date as aware UTC, None where it is none."""
    if not value[:1].isalpha():
        return None
    try:
        parsed = parsedate_to_datetime(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def answered_at(date: str, age: str, ours: datetime) -> datetime:
    """The instant an answer speaks of: the server's `Date` less `Age`. Where our clock agrees with the
    server's, of the same day, ours is taken, which keeps microseconds and so the order of answers."""
    old = timedelta(seconds=min(OLDEST_S, float(age))) if _SECONDS.fullmatch(age.strip()) else timedelta(0)
    server = http_date(date)
    if server is None:
        return ours - old
    agree = abs((ours - server).total_seconds()) <= CLOCKS_AGREE_S
    if agree and (ours - old).date() == (server - old).date():
        return ours - old
    return server - old


def ahead_s(date: str, age: str, ours: datetime) -> float | None:
    """By how many seconds our clock is ahead of the server's `Date`; None where it sent none. A cache sends
    the `Date` of now or that of the first answer: what is nearer to our clock is taken."""
    server = http_date(date)
    if server is None:
        return None
    ahead = (ours - server).total_seconds()
    old = min(OLDEST_S, float(age)) if _SECONDS.fullmatch(age.strip()) else 0.0
    return min(ahead, ahead - old, key=abs)
