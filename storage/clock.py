"""The one clock of the project, so that a test can turn it and nothing else reads the time of day."""

from datetime import UTC, date, datetime, time, timedelta


def now() -> datetime:
    """This instant, aware, UTC."""
    return datetime.now(UTC)


def stamp(at: datetime) -> str:
    """RFC 3339 with Z and milliseconds: sorts as text, is read by everything."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """The instant that `stamp` wrote."""
    return datetime.fromisoformat(text)


def day_end(day: date) -> datetime:
    """The instant at which the UTC day `day` is over."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)
