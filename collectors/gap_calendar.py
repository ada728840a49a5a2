"""Source × day: what is stored of each day, what is missing of it, and what nobody can give any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from threading import Lock

from collectors import freshness, gaps
from collectors.model import Source
from collectors.registry import PIPELINES
from storage import clock, db, kept, read_gaps
from storage.settings import Settings
from storage.tables import OBSERVATION

# What a day of a source can be; one that has no value by the calendar, or is not out yet, is none of them.
STATES = ("collected", "filled", "provisional", "missing", "unrecoverable")
_DAY = timedelta(days=1)
REACH = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Row:
    """The days of one source; `until`: of missing days, the last day on which each can still be had (None:
    its upstream gives its whole past)."""

    pipeline: str
    source: str
    title: str
    days: Mapping[date, str]
    until: Mapping[date, date | None] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Nothing of it is missing."""
        return not {"missing", "unrecoverable"} & set(self.days.values())


@dataclass(frozen=True, slots=True)
class Calendar:
    """Rows in run order over the days from `first` to `last`; `problem`: what was in the way of looking."""

    first: date | None = None
    last: date | None = None
    rows: Sequence[Row] = ()
    problem: db.StoreError | None = None


_kept: dict[str, tuple[str, Calendar]] = {}
_guard = Lock()


def of_a_year(settings: Settings, wait_s: float = 0.3) -> Calendar:
    """The last 365 days: looked up once after every merge and once a day, for all pages of the process; with
    the store locked the last one serves."""
    today = clock.now().date()
    held = _kept.get(str(settings.database))
    if held is not None and held[1].last != today:
        _kept.pop(str(settings.database), None)
    return kept.serve(_kept, _guard, settings, lambda: look(settings, today - REACH, wait_s), Calendar)


def look(settings: Settings, first: date, wait_s: float = 1.0) -> Calendar:
    """The days from `first` to today. Raises StoreError."""
    now = clock.now()
    with db.reader(settings, wait_s) as connection:
        held = read_gaps.held(connection, gaps.least())
        seen = read_gaps.states(connection, first)
    asked = gaps.last_asked(settings, now)
    rows = []
    for pipeline, sources in PIPELINES.items():
        for source in sources:
            if source.closes is not None or freshness.lacks_key(settings, source):
                continue
            days = _stored(source, seen)
            until: dict[date, date | None] = {}
            found = (
                gaps.of_source(settings, pipeline, source, held, now, asked.get(source.name))
                if source.dated
                else []
            )
            for gap in found:
                for day in gap.days:
                    if day >= first:
                        days[day] = "missing" if gap.recoverable else "unrecoverable"
                        until[day] = gaps.reach(source, day, now.date())[1]
            if days:
                title = source.series[0].title if source.series else source.upstream.title
                rows.append(Row(pipeline, source.name, title, days, until))
    return Calendar(first, now.date(), rows)


def _stored(source: Source, seen: Mapping[str, Mapping[date, str]]) -> dict[date, str]:
    """The days of which all lasting series of a source have a value; the worst of them counts."""
    if source.table is not OBSERVATION:
        return dict(seen.get(source.kept_as, {}))
    records = [seen.get(series.series, {}) for series in source.lasting]
    common = set(records[0]).intersection(*records[1:]) if records else set()
    return {day: max((record[day] for record in records), key=STATES.index) for day in common}
