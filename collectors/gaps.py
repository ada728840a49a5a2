"""Holes in the record: days of which a source should have brought something and has not, by its own calendar.

A day is missing when it is over and the run that should have brought it is late; so what is merely due is
no gap. Of what the upstream still gives a gap can be filled until its history no longer reaches that far.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain, groupby
from threading import Lock
from typing import Any

from collectors import freshness, plans
from collectors.model import Source, Upstream
from collectors.registry import PIPELINES, SOURCES
from storage import clock, db, kept, read_gaps
from storage.ledger_movement import Movement, movements
from storage.read_gaps import Held
from storage.settings import Settings
from storage.tables import OBSERVATION
from storage.texts import _, ngettext

_DAY = timedelta(days=1)
_TOLD = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Gap:
    """Days in a row of the source's own calendar that are missing. `recoverable_until`: the last day on which
    the oldest of them can still be had; None where the upstream gives its whole past, and where it gives
    none, which `recoverable` tells apart. `calls`: what it takes to fill it."""

    pipeline: str
    source: str
    table: str
    days: tuple[date, ...]
    recoverable: bool
    recoverable_until: date | None = None
    calls: int = 0

    @property
    def since(self) -> date:
        return self.days[0]

    @property
    def until(self) -> date:
        return self.days[-1]


@dataclass(frozen=True, slots=True)
class Told:
    """The gaps that somebody should hear of, as of a day; `problem`: what was in the way of looking."""

    day: date | None = None
    gaps: Sequence[Gap] = ()
    problem: db.StoreError | None = None


_told: dict[str, tuple[str, Told]] = {}
_guard = Lock()


def to_tell(settings: Settings, wait_s: float = 0.3) -> Told:
    """What `recent` leaves of all gaps: looked up once after every merge and once a day, for all pages of the
    process; with the store locked the last ones serve."""
    today = clock.now().date()
    held = _told.get(str(settings.database))
    if held is not None and held[1].day != today:
        _told.pop(str(settings.database), None)

    def look() -> Told:
        return Told(today, recent(found(settings, wait_s=wait_s), today))

    return kept.serve(_told, _guard, settings, look, Told)


def found(settings: Settings, pipelines: Iterable[str] = PIPELINES, wait_s: float = 1.0) -> list[Gap]:
    """Every gap, oldest first within a source, in run order. Raises StoreError."""
    try:
        with db.reader(settings, wait_s) as connection:
            held = read_gaps.held(connection, least())
    except db.StoreMissing:
        return []
    now = clock.now()
    asked = last_asked(settings, now)
    return [
        gap
        for pipeline in pipelines
        for source in PIPELINES[pipeline]
        if source.dated and not freshness.lacks_key(settings, source)
        for gap in of_source(settings, pipeline, source, held, now, asked.get(source.name))
    ]


def last_asked(settings: Settings, now: datetime) -> Mapping[str, Movement]:
    """When each source last succeeded. The store alone tells nearly all of the gaps; what is wrong with the
    ledger is told where it is needed."""
    with suppress(sqlite3.Error):
        return movements(settings, now)
    return {}


def least() -> Mapping[str, int]:
    """How many rows make a day of a table, by the sources that fill it live."""
    return {
        source.table.name: source.rows[0]
        for sources in PIPELINES.values()
        for source in sources
        if source.table is not OBSERVATION and source.required
    }


def of_source(
    settings: Settings,
    pipeline: str,
    source: Source,
    held: Mapping[str, Held],
    now: datetime,
    asked: Movement | None = None,
) -> list[Gap]:
    """The gaps of one source; of several series those of each day that any of them lacks. `asked`: when it
    last succeeded; after that what an upstream of a whole past had not given is not there."""
    days = missing(settings, pipeline, source, held, now, asked)
    return list(_gaps(pipeline, source, held, days, now.date()))


def missing(
    settings: Settings,
    pipeline: str,
    source: Source,
    held: Mapping[str, Held],
    now: datetime,
    asked: Movement | None = None,
    since: date | None = None,
) -> list[date]:
    """The days that a source lacks, ascending. `since`: of a table with many rows a day also those from then
    on to where its record begins."""
    newest = newest_expected(settings, pipeline, source, now)
    if source.table is not OBSERVATION:
        record = held.get(source.kept_as)
        if record is None:
            return []
        days = _missing(source, record, newest)
        if since is not None:
            days = chain(source.rhythm.between(since - _DAY, record.first), days)
        return [day for day in days if record.items is None or record.items.lacking(day)]
    known = asked.ok_at if asked and source.whole else None
    records = [record for series in source.lasting if (record := held.get(series.series))]
    return sorted(
        {
            day
            for record in records
            for day in _missing(source, record, newest)
            if known is None or day < record.last or source.rhythm.out(day) > known
        }
    )


def newest_expected(settings: Settings, pipeline: str, source: Source, now: datetime) -> date:
    """The newest day that should be stored by now."""
    day = source.rhythm.newest(now)
    while True:
        late = freshness.next_scheduled(settings, pipeline, source.rhythm.out(day)) + freshness.GRACE
        if source.rhythm.has(day) and max(late, source.rhythm.over(day)) <= now:
            return day
        day -= _DAY


def _missing(source: Source, record: Held, newest: date) -> Iterator[date]:
    ends = ((record.last, newest + _DAY),) if record.last < newest else ()
    for before, after in (*record.jumps, *ends):
        for day in source.rhythm.between(before, after):
            if day not in source.holes and day not in record.absent:
                yield day


def _gaps(
    pipeline: str, source: Source, held: Mapping[str, Held], missing: Sequence[date], today: date
) -> Iterator[Gap]:
    """Days in a row of the calendar are one gap, as long as they can all be had, or none of them."""
    record = held.get(source.kept_as)
    items = record.items if record and source.table is not OBSERVATION else None
    for _row, days in groupby(_numbered(source, missing, today), key=lambda one: one[:2]):
        row = tuple(day for _n, _had, day in days)
        had, limit = reach(source, row[0], today)
        # Of a coin or a protocol all days are one answer, each has its own.
        calls = len(frozenset[str]().union(*map(items.lacking, row))) if items else source.calls
        yield Gap(pipeline, source.name, source.table.name, row, had, limit, calls if had else 0)


def _numbered(source: Source, missing: Iterable[date], today: date) -> Iterator[tuple[int, bool, date]]:
    """Each day with the number of its row and whether it can be had."""
    n, before = 0, None
    for day in missing:
        if before is not None and source.rhythm.following(before) != day:
            n += 1
        before = day
        yield n, reach(source, day, today)[0], day


def reach(source: Source, day: date, today: date) -> tuple[bool, date | None]:
    """Whether a day can still be had, and until when; until None: always, or never."""
    if source.history is None or source.whole:
        return source.whole, None
    limit = day + source.history
    return today <= limit, limit


def recent(gaps: Iterable[Gap], today: date) -> list[Gap]:
    """Those that somebody should hear of: of the last month, or soon beyond the upstream's history."""
    soon = today + _TOLD
    return [
        gap
        for gap in gaps
        if gap.until >= today - _TOLD
        or (gap.recoverable and gap.recoverable_until is not None and gap.recoverable_until <= soon)
    ]


def said(gap: Gap, show: Callable[[date], str]) -> str:
    """ "coingecko.markets: 3 days missing, 13 Nov to 15 Nov; can still be had until 13 Nov 2027"; `show` says
    how a day reads."""
    n = len(gap.days)
    text = ngettext("{source}: {n} day missing, {day}", "{source}: {n} days missing, {day} to {until}", n)
    head = text.format(source=gap.source, n=n, day=show(gap.since), until=show(gap.until))
    if not gap.recoverable:
        return _("{gap}; it cannot be had any more").format(gap=head)
    if gap.recoverable_until is None:
        return _("{gap}; it can still be had").format(gap=head)
    limit = gap.recoverable_until.isoformat()
    return _("{gap}; it can still be had until {day}").format(gap=head, day=limit)


def pause_s(settings: Settings, upstream: Upstream) -> float:
    """Seconds between two requests to an upstream, at the pace that it allows."""
    if settings.pace_s == 0:
        return 0.0
    plan = plans.choose(settings, upstream)
    pace = plan.pace_s if settings.pace_s is None else settings.pace_s
    return max(pace, 60 / plan.per_minute if plan.per_minute else 0.0)


def minutes(settings: Settings, gap: Gap) -> float:
    """How long filling a gap takes at that pace, to a tenth."""
    return round(gap.calls * pause_s(settings, SOURCES[gap.source].upstream) / 60, 1)


def as_json(settings: Settings, gap: Gap) -> dict[str, Any]:
    """A gap as the contract has it."""
    return {
        "pipeline": gap.pipeline,
        "source": gap.source,
        "table": gap.table,
        "from": gap.since.isoformat(),
        "to": gap.until.isoformat(),
        "days": len(gap.days),
        "state": "missing" if gap.recoverable else "unrecoverable",
        "recoverable_until": gap.recoverable_until.isoformat() if gap.recoverable_until else None,
        "calls": gap.calls,
        "minutes": minutes(settings, gap),
    }


def all_json(settings: Settings, gaps: Sequence[Gap]) -> dict[str, Any]:
    """`gaps --json` of the contract; `since`: the oldest missing day, today where none is."""
    today = clock.now().date()
    return {
        "schema": 1,
        "since": min((gap.since for gap in gaps), default=today).isoformat(),
        "until": today.isoformat(),
        "gaps": [as_json(settings, gap) for gap in gaps],
    }
