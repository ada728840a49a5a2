"""The checks that follow from what a source says of itself: range, jump, unit, row count, nulls, age.

What is set aside or refused by them is decided in `collectors/check.py`; here it is told, with the value that
was judged and the bounds, and warned of where a value comes near to them.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import partial
from heapq import nlargest
from itertools import pairwise
from operator import itemgetter
from typing import cast

from collectors.check import distinct
from collectors.checks.kinds import Check, Facts, Measured
from collectors.model import Batch, Believable, Row, Source
from storage.tables import CRYPTO_PRICE, OBSERVATION, PROTOCOL_TVL, Table
from storage.texts import N_

# Of a step that would be refused this share is told.
NEAR = 0.75
# What was never NULL and now is in all rows has another name; some more NULLs are told from here on.
MORE_NULLS, ALL_NULLS = 20.0, 90.0
# A row count is compared as percent of the usual one.
COUNTED = (80.0, 125.0)
REFUSED = 10.0
# Text may be missing, and a rank is counted where there is none.
_NUMBERS = frozenset({"DOUBLE"})


def derived(source: Source) -> tuple[Check, ...]:
    """The checks of a source, in the order in which they are told."""
    found: list[Check] = []
    if source.believable and source.table is OBSERVATION:
        found += [
            _range(source, source.believable),
            _jump(source, source.believable),
            _unit(source),
            _ahead(source),
        ]
    if source.jump:
        found.append(_factor(source, *source.jump))
    if source.dead_after:
        found.append(_age(source))
    found.append(_rows(source))
    if "date" in source.table.key:
        found.append(_refused(source))
    if (source.usual > 1 or source.restates) and source.closes is None:
        found.append(_row_count(source))
    # The past of a single coin may lack what lists have: its cap, and changes at its beginning.
    if source.table in (CRYPTO_PRICE, PROTOCOL_TVL) and source.closes is None and not source.part:
        found += [_nulls(source.table, name) for name, kind in source.table.columns if kind in _NUMBERS]
    return tuple(found)


def _subject(source: Source) -> str:
    return source.lasting[0].series if source.lasting else source.table.name


def _newest(source: Source, batch: Batch, n: int = 1) -> list[Row]:
    """The newest rows of the series that have a value for every day, oldest first."""
    lasting = {series.series for series in source.lasting}
    mine = (row for row in batch.rows if row["series"] in lasting)
    return nlargest(n, mine, key=itemgetter("date"))[::-1]


def _aside(batch: Batch, *reasons: str) -> Iterator[tuple[Row, float | None]]:
    """What was set aside for one of these reasons, and its value."""
    for entry in batch.rejected:
        if entry.reason in reasons:
            value = entry.row.get("value")
            yield dict(entry.row), float(value) if isinstance(value, int | float) else None


def _range(source: Source, able: Believable) -> Check:
    def measure(batch: Batch, facts: Facts) -> Iterable[Measured]:
        yield from (Measured(value, refused=True) for _row, value in _aside(batch, "implausible"))
        # The newest: the past was judged when it was new.
        for row in _newest(source, batch):
            yield Measured(cast(float, row["value"]))

    message = N_("{subject}: {value} where {low} to {high} is plausible.")
    return Check("range", _subject(source), message, measure, fail=(able.least, able.most))


def _jump(source: Source, able: Believable) -> Check:
    def step(before: float, value: float) -> float | None:
        if able.absolute:
            return abs(value - before)
        return max(value / before, before / value) - 1 if before > 0 and value > 0 else None

    def measure(batch: Batch, facts: Facts) -> Iterable[Measured]:
        for row, value in _aside(batch, "jump:value"):
            before = row.get("before")
            moved = step(before, value) if isinstance(before, float) and value is not None else None
            yield Measured(moved, refused=True)
        rows = _newest(source, batch, 2)
        values = [cast(float, row["value"]) for row in rows]
        if len(values) == 1 and str(rows[0]["series"]) in facts.known.seen:
            values.insert(0, facts.known.seen[str(rows[0]["series"])].value)
        for before, value in pairwise(values):
            if (moved := step(before, value)) is not None:
                yield Measured(moved, believed=True)

    message = (
        N_("{subject}: it moved by {value} at once, where up to {high} is usual.")
        if able.absolute
        else N_("{subject}: it moved by {value} of its value at once, where up to {high} is usual.")
    )
    return Check(
        "jump",
        _subject(source),
        message,
        measure,
        warn=(None, NEAR * able.step),
        fail=(None, able.step),
    )


def _factor(source: Source, column: str, factor: float) -> Check:
    key = source.table.key[0]

    def measure(batch: Batch, facts: Facts) -> Iterable[Measured]:
        last = facts.known.last.get((source.table.name, column), {})
        refused = [entry.row for entry in batch.rejected if entry.reason == f"jump:{column}"]
        for place, row in enumerate([*refused, *batch.rows]):
            before, value = last.get(str(row[key])), row[column]
            if before and isinstance(value, float) and value > 0:
                times = max(value / before, before / value)
                yield Measured(times, values={"what": row[key]}, refused=place < len(refused))

    message = N_("{what}: {value} times what was stored, where up to {high} times is usual.")
    warn = (None, factor**0.5)
    return Check("jump", column, message, measure, warn, (None, factor))


def _unit(source: Source) -> Check:
    def measure(batch: Batch, facts: Facts) -> Iterable[Measured]:
        found = sum(entry.reason == "unit" for entry in batch.rejected)
        yield Measured(float(found), refused=found > 0)

    message = N_("{subject}: {value} days tell another story than the store does: another unit.")
    return Check("unit", _subject(source), message, measure, fail=(None, 0))


def _ahead(source: Source) -> Check:
    def measure(batch: Batch, facts: Facts) -> Iterable[Measured]:
        # Only told where it happens, as what is refused: a run has rows enough.
        for row, _value in _aside(batch, "future"):
            if facts.at is not None:
                yield Measured(float((cast(date, row["date"]) - facts.at.date()).days), refused=True)

    message = N_("{subject}: its newest day lies {value} days ahead.")
    return Check("ahead", _subject(source), message, measure, fail=(None, 1))


def _age(source: Source) -> Check:
    def measure(batch: Batch, facts: Facts) -> Iterable[Measured]:
        for row in _newest(source, batch):
            if facts.at is not None:
                yield Measured(float((facts.at.date() - cast(date, row["date"])).days))

    assert source.dead_after is not None
    message = N_("{subject}: its newest value is {value} days old.")
    most = source.dead_after.days
    return Check("age", _subject(source), message, measure, fail=(None, most), fails="batch")


def _rows(source: Source) -> Check:
    def measure(batch: Batch, facts: Facts) -> Iterable[Measured]:
        yield Measured(float(distinct(source, batch)))

    message = N_("{value} rows came, where {low} to {high} are plausible.")
    return Check("rows", source.table.name, message, measure, fail=source.rows, fails="batch")


def _refused(source: Source) -> Check:
    def measure(batch: Batch, facts: Facts) -> Iterable[Measured]:
        total = len(batch.rows) + len(batch.rejected)
        if batch.rejected:
            yield Measured(100 * len(batch.rejected) / total)

    message = N_("{value} % of the rows could not be read or believed.")
    return Check(
        "refused",
        source.table.name,
        message,
        measure,
        fail=(None, REFUSED),
        fails="batch",
    )


def _row_count(source: Source) -> Check:
    def measure(batch: Batch, facts: Facts) -> Iterable[Measured]:
        if usual := facts.known.counts.get(source.name):
            rows = distinct(source, batch)
            yield Measured(100 * rows / usual, values={"rows": rows, "usual": f"{usual:.0f}"})

    message = N_("{rows} rows came, where {usual} are usual.")
    return Check(
        "row_count",
        source.table.name,
        message,
        measure,
        warn=COUNTED,
        fails="nothing",
    )


def _nulls(table: Table, column: str) -> Check:
    return Check(
        "null_share",
        column,
        N_("{subject}: NULL in {value} percentage points more of the rows than in the last month."),
        partial(_more_nulls, table.name, column),
        warn=(None, MORE_NULLS),
        fail=(None, ALL_NULLS),
        fails="batch",
        refusal=N_("{subject} has no value in any row, where it always had one. Old values stay."),
    )


def _more_nulls(table: str, column: str, batch: Batch, facts: Facts) -> Iterable[Measured]:
    usual = facts.known.nulls.get((table, column))
    if usual is not None and batch.rows:
        share = sum(row.get(column) is None for row in batch.rows) / len(batch.rows)
        yield Measured(round(100 * (share - usual), 3))
