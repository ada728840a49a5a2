"""What a backfill keeps of an answer: the days that it came for, and which of them the upstream has not got.

An answer may hold far more than was missing; of days that are stored nothing is touched by the way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import cast

from collectors.model import Batch, Row, Source
from storage.read import Known
from storage.tables import OBSERVATION

_DAY = timedelta(days=1)


def only(source: Source, batch: Batch) -> Batch:
    """The rows of the days that the source is asked for (all where it is not asked for days), and `without`.
    A series that restates its past comes whole: half of a vintage beside half of another is none."""
    if not source.days:
        return batch
    without = batch.without or tuple(_without(source, batch.rows))
    if source.restates:
        return replace(batch, without=without)
    return replace(batch, rows=[row for row in batch.rows if row["date"] in source.days], without=without)


def _without(source: Source, rows: Sequence[Row]) -> Iterator[tuple[str, date]]:
    """Days asked for before the newest of an upstream that gives its whole past, and not in its answer."""
    if source.table is not OBSERVATION or not source.whole:
        return
    for series in source.lasting:
        found = {cast(date, row["date"]) for row in rows if row["series"] == series.series}
        newest = max(found, default=date.min)
        yield from ((series.series, day) for day in sorted(source.days - found) if day < newest)


def as_before(known: Known, sources: Sequence[Source]) -> Known:
    """What is known of the store, as it was before the first day that each source is asked for: a source of
    observations asks from there on."""
    newest, last = dict(known.newest), dict(known.last)
    values = dict(last.get((OBSERVATION.name, "value"), {}))
    for source in sources:
        if source.days and source.table is OBSERVATION:
            for series in source.lasting:
                newest[series.series] = min(source.days) - _DAY
                # The value that is stored last is that of another time.
                values.pop(series.series, None)
    last[(OBSERVATION.name, "value")] = values
    return replace(known, newest=newest, last=last)
