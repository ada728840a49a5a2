"""The measures that sources share beyond their own fields: bounds of a column, one source against another."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, cast

from collectors.checks.kinds import NO_LIMITS, Check, Facts, Limits, Measured
from storage.texts import N_

if TYPE_CHECKING:
    from collectors.model import Answer, Batch, Row

# Two live values that were told further apart than this say nothing of each other.
TOGETHER = timedelta(hours=1)


def within(subject: str, column: str, fail: Limits, *, warn: Limits = NO_LIMITS) -> Check:
    """Every value of a column lies in its bounds; the parser sets aside what lies beyond `fail`."""

    def measure(batch: "Batch", facts: Facts) -> Iterable[Measured]:
        for entry in batch.rejected:
            if entry.reason == "implausible":
                yield Measured(None, refused=True)
        # Of a window of days the newest: the past was judged when it was new.
        for row in newest(batch.rows):
            if isinstance(value := row.get(column), float):
                yield Measured(value, row)

    message = N_("{subject}: {value} where {low} to {high} is plausible.")
    return Check("range", subject, message, measure, warn, fail)


def peer(
    subject: str,
    other: str,
    value_of: Callable[["Row"], float | None],
    *,
    warn: float,
    fail: float,
) -> Check:
    """A value lies within so many percent of what another source said of the same day within the same hour:
    `other` is the name under which that is known (see `judge.told`)."""

    def measure(batch: "Batch", facts: Facts) -> Iterable[Measured]:
        seen = facts.told.get(other)
        if seen is None or facts.at is None or abs(facts.at - seen.at) > TOGETHER or not seen.value:
            return
        for row in batch.rows:
            value = value_of(row)
            if value is not None and row["date"] == seen.day:
                yield Measured(100 * (value / seen.value - 1), row, {"other": other})

    message = N_("{subject}: {value} % away from {other}, where up to {high} % is usual.")
    return Check("peer", subject, message, measure, (-warn, warn), (-fail, fail))


def beside(
    name: str,
    subject: str,
    message: str,
    total: Callable[[Sequence["Answer"]], float | None],
    *,
    warn: float,
    fail: float,
) -> Check:
    """The newest row lies within so many percent of what the answers asked for beside it come to."""

    def measure(batch: "Batch", facts: Facts) -> Iterable[Measured]:
        expected = total(facts.beside) if facts.beside else None
        if expected:
            # A last day that comes twice (its midnight and now) is as it was told last.
            for row in newest(batch.rows)[-1:]:
                yield Measured(100 * (cast(float, row["value"]) / expected - 1), row)

    return Check(name, subject, message, measure, (-warn, warn), (-fail, fail))


def newest(rows: Sequence["Row"]) -> list["Row"]:
    """The rows of the newest day, as they came."""
    last = max((cast(date, row["date"]) for row in rows), default=None)
    return [row for row in rows if row["date"] == last]
