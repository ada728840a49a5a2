"""What a backfill would ask for: dates × sources, their calls, minutes and rows, and what cannot be had.

Made of the store and the ledger alone; nobody is asked. A run that was killed is resumed by planning again:
what it had merged is no part of the new plan.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from threading import Lock

from collectors import freshness, gaps
from collectors.gaps import Gap
from collectors.model import Row, Source, Upstream
from collectors.registry import HISTORIES, PIPELINES, SOURCES
from storage import clock, db, ledger_past, read_gaps
from storage import kept as storage_kept
from storage.read_gaps import Held
from storage.settings import Settings
from storage.tables import OBSERVATION

YEAR, SLACK = timedelta(days=365), timedelta(days=3)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Want:
    """What somebody asks for. `mode`: every missing day, those of them on which a run tried and failed, or
    `all`: stored days are compared too. `since`: from that day on, also where a record of coins or protocols
    begins later (None: the gaps of the record; with `all` a year). `only`: sources by name, none: all."""

    mode: str = "missing"
    since: date | None = None
    until: date | None = None
    only: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked in one step: the days of a source, or of one of its items (a coin, a protocol). `calls`:
    as many requests at most, where nothing goes wrong."""

    pipeline: str
    source: Source
    days: tuple[date, ...]
    item: str | None = None
    calls: int = 1

    @property
    def rows(self) -> int:
        """As many come at most, where the upstream has every day."""
        return len(self.days) * max(1, len(self.source.lasting))


@dataclass(frozen=True, slots=True)
class Plan:
    """`parts` in the order in which they are asked; `gone`: missing days that nobody can give any more.
    `pauses`: seconds between two requests, by upstream. `begun`: there are coins and protocols, whose past
    can be asked for. `problem`: what was in the way of looking."""

    want: Want
    today: date
    parts: Sequence[Part] = ()
    gone: Sequence[Gap] = ()
    pauses: Mapping[str, float] = field(default_factory=dict)
    begun: bool = False
    problem: db.StoreError | None = None

    @property
    def pipelines(self) -> tuple[str, ...]:
        return tuple(name for name in PIPELINES if any(part.pipeline == name for part in self.parts))

    def of(self, source: str) -> list[Part]:
        """The parts of one source."""
        return [part for part in self.parts if part.source.name == source]

    def minutes(self, parts: Iterable[Part] | None = None) -> float:
        """How long it takes at the pace of the upstreams: those of a pipeline are asked side by side."""
        lanes: dict[tuple[str, str], float] = {}
        for part in self.parts if parts is None else parts:
            lane = (part.pipeline, part.source.upstream.name)
            lanes[lane] = lanes.get(lane, 0.0) + part.calls * self.pauses.get(lane[1], 0.0)
        longest: dict[str, float] = {}
        for (pipeline, _upstream), seconds in lanes.items():
            longest[pipeline] = max(longest.get(pipeline, 0.0), seconds)
        return sum(longest.values()) / 60


def make(settings: Settings, want: Want, wait_s: float = 1.0) -> Plan:
    """The plan for what is stored at this moment. Raises StoreError."""
    now = clock.now()
    today = now.date()
    if want.mode == "all" and want.since is None:
        want = replace(want, since=today - YEAR)
    try:
        with db.reader(settings, wait_s) as connection:
            held = read_gaps.held(connection, gaps.least(), want.since)
    except db.StoreMissing:
        return Plan(want, today)
    look = _Look(settings, want, held, now)
    parts = [
        part for name in PIPELINES for source in _sources(look, name) for part in look.parts(name, source)
    ]
    pauses = {part.source.upstream.name: part.source.upstream for part in parts}
    return Plan(
        want,
        today,
        parts,
        [gap for gap in look.gone() if _within(want, gap)],
        {name: _pause_s(settings, upstream) for name, upstream in pauses.items()},
        all(source.kept_as in held for source in SOURCES.values() if source.name in HISTORIES),
    )


_kept: dict[tuple[Want, date], dict[str, tuple[str, Plan]]] = {}
_guard = Lock()
_MOST = 64


def kept(settings: Settings, want: Want) -> Plan:
    """The plan for the pages: made once after every merge and once a day, for all of the process."""
    today = clock.now().date()
    with _guard:
        held = _kept.setdefault((want, today), {})
        while len(_kept) > _MOST:
            _kept.pop(next(iter(_kept)))
    return storage_kept.serve(
        held, _guard, settings, lambda: make(settings, want, 0.3), lambda: Plan(want, today)
    )


def _pause_s(settings: Settings, upstream: Upstream) -> float:
    return 0.0 if settings.demo else gaps.pause_s(settings, upstream)


def _sources(look: "_Look", pipeline: str) -> Iterator[Source]:
    for source in PIPELINES[pipeline]:
        wanted = not look.want.only or source.name in look.want.only
        if wanted and source.dated and not freshness.lacks_key(look.settings, source):
            yield source


def _within(want: Want, gap: Gap) -> bool:
    named = not want.only or gap.source in want.only
    return named and gap.until >= (want.since or gap.until) and gap.since <= (want.until or gap.since)


class _Look:
    """One look at the record, from which all parts are made."""

    def __init__(self, settings: Settings, want: Want, held: Mapping[str, Held], now: datetime) -> None:
        self.settings, self.want, self.held, self.now = settings, want, held, now
        self.asked = gaps.last_asked(settings, now)
        self.failed: Mapping[str, frozenset[date]] = {}
        self.failed_steps: frozenset[str] = frozenset()
        if want.mode == "failed":
            self.failed = ledger_past.failures(settings)
            self.failed_steps = ledger_past.failed_steps(settings)

    def gone(self) -> list[Gap]:
        """What is missing and cannot be had."""
        return [
            gap
            for name in PIPELINES
            for source in _sources(self, name)
            for gap in gaps.of_source(
                self.settings, name, source, self.held, self.now, self.asked.get(source.name)
            )
            if not gap.recoverable
        ]

    def parts(self, pipeline: str, source: Source) -> list[Part]:
        """What is to be asked of one source."""
        days = [day for day in self._days(pipeline, source) if gaps.reach(source, day, self.now.date())[0]]
        if not days:
            return []
        if self.settings.demo or source.name not in HISTORIES:
            # An invented market asks nobody.
            return [Part(pipeline, source, tuple(days), calls=0 if self.settings.demo else source.calls)]
        return [
            Part(pipeline, source, tuple(row), item)
            for item, row in sorted(self._items(source, days).items())
        ]

    def _days(self, pipeline: str, source: Source) -> list[date]:
        want = self.want
        if want.mode == "all":
            assert want.since is not None
            newest = gaps.newest_expected(self.settings, pipeline, source, self.now)
            days = (
                list(source.rhythm.between(want.since - _DAY, newest + _DAY)) if self._known(source) else []
            )
        else:
            since = want.since if source.table is not OBSERVATION else None
            seen = self.asked.get(source.name)
            days = gaps.missing(self.settings, pipeline, source, self.held, self.now, seen, since)
        if want.mode == "failed" and (self.settings.demo or source.name not in HISTORIES):
            days = [day for day in days if self._tried(source, day)]
        return [day for day in days if (want.since or day) <= day <= (want.until or day)]

    def _tried(self, source: Source, day: date) -> bool:
        """Whether somebody asked for a day in vain: it is collected when it is out, or on the day after."""
        tried, out = self.failed.get(source.name, frozenset()), source.rhythm.out(day).date()
        return out in tried or out + _DAY in tried

    def _known(self, source: Source) -> bool:
        if source.table is OBSERVATION:
            return any(series.series in self.held for series in source.lasting)
        return source.kept_as in self.held

    def _items(self, source: Source, days: Sequence[date]) -> dict[str, list[date]]:
        """The days of every item that should have them."""
        record = self.held[source.kept_as]
        assert record.items is not None
        found: dict[str, list[date]] = {}
        seen = frozenset(record.items.seen)
        for day in days:
            if self.want.mode == "all":
                # What was seen live stays as it was seen: a close is no revision of it.
                named = frozenset() if day in seen else frozenset(record.items.expected(day))
            else:
                named = record.items.lacking(day)
            for item in named:
                if self.want.mode != "failed" or self._tried(source, day) or self._failed(source, item):
                    found.setdefault(item, []).append(day)
        return found

    def _failed(self, source: Source, item: str) -> bool:
        return HISTORIES[source.name]({source.table.key[0]: item}, frozenset(), {}).step in self.failed_steps


def sources(settings: Settings, plan: Plan, wait_s: float = 5.0) -> dict[str, list[Source]]:
    """What the parts of a plan ask, by pipeline, in the order of the market: the largest first. Raises
    StoreError."""
    found: dict[str, list[tuple[int, Source]]] = {}
    with db.reader(settings, wait_s) as connection:
        rows = {
            source.name: read_gaps.rows_of(
                connection, source.table, [str(part.item) for part in plan.of(source.name)]
            )
            for source in {part.source.name: part.source for part in plan.parts if part.item}.values()
        }
    for part in plan.parts:
        place, asked = _asked(part, rows.get(part.source.name, {}))
        if plan.want.mode == "all":
            # What is stored may change as far back as somebody asks.
            asked = replace(asked, reread=plan.today - min(part.days) + _DAY)
        found.setdefault(part.pipeline, []).append((place, asked))
    order = list(PIPELINES)
    return {
        name: [source for _place, source in sorted(found[name], key=lambda one: one[0])]
        for name in sorted(found, key=order.index)
    }


def _asked(part: Part, rows: Mapping[str, Mapping[date, Row]]) -> tuple[int, Source]:
    """The source as it is asked, and where it stands in its pipeline."""
    source, days = part.source, frozenset(part.days)
    place = 1000 * PIPELINES[part.pipeline].index(source)
    if part.item is None:
        return place, replace(source, days=days)
    stored: Mapping[date, Row] = rows.get(part.item, {})
    newest: Row = stored[max(stored)] if stored else {source.table.key[0]: part.item}
    within = list(rows).index(part.item) if part.item in rows else len(rows)
    return place + within, HISTORIES[source.name](newest, days, stored)
