"""Freshness, once for command line, API, pages and badges: is the newest period stored that was
published by now? And `status`, the JSON that all of them show.

Computed from each source's own publishing time, never from the clock of the last attempt.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from collectors.model import Source
from collectors.registry import PIPELINES
from collectors.schedule import known
from storage import clock, db, ledger, read
from storage.ledger import RunRecord, StepRecord
from storage.ledger_movement import Movement, movements
from storage.records import BACKFILL
from storage.settings import Settings
from storage.store_error import ledger_problem
from storage.tables import OBSERVATION

# The memo of how many steps a backfill has.
TOTAL = "backfill_steps"
GRACE = timedelta(minutes=60)
_WORST = ("fresh", "due", "late", "never")


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """`data_as_of`: newest stored day; `freshness`: fresh, due, late or never; `late_after`: when it
    turns late unless the next day comes in. `frozen`: it succeeds, but nothing has changed for longer than
    its rhythm allows."""

    source: str
    table: str
    data_as_of: date | None
    freshness: str
    required: bool
    late_after: datetime | None
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """Three separate facts: data as of, last run, next run; and what they add up to."""

    pipeline: str
    state: str
    freshness: str
    data_as_of: date | None
    late_after: datetime | None
    last_run: RunRecord | None
    last_success: RunRecord | None
    next_due: datetime
    sources: Sequence[SourceStatus]


def next_scheduled(settings: Settings, pipeline: str, after: datetime) -> datetime:
    """The first scheduled time of a pipeline after an instant, aware UTC; a pipeline that is not
    in the schedule counts as scheduled with the first slot of the day."""
    times = [at for at, names in settings.slots if pipeline in names] or [settings.slots[0][0]]
    local = after.astimezone(settings.zone)
    for days in range(3):
        for at in times:
            moment = datetime.combine(local.date() + timedelta(days=days), at, settings.zone).astimezone(UTC)
            if moment > after:
                return moment
    raise AssertionError("a day has a time")


def newest_published(source: Source, now: datetime) -> date:
    """The newest day of the source whose value is out by `now`."""
    return source.rhythm.newest(now)


def late_after(settings: Settings, pipeline: str, source: Source, stored: date) -> datetime:
    """When the next day after `stored` stops being merely due: the first scheduled time after it is out,
    and an hour."""
    out = source.rhythm.out(source.rhythm.following(stored))
    return next_scheduled(settings, pipeline, out) + GRACE


def lacks_key(settings: Settings, source: Source) -> bool:
    """It cannot be asked at all without a key that is not set."""
    key = source.upstream.key if source.needs_key else None
    return key is not None and not settings.demo and not settings.secret(key)


def is_frozen(source: Source, seen: Movement | None) -> bool:
    """Whether it still succeeded when a second of its days had come out since anything changed, and those of
    which it may have no value. One that may bring nothing (speeches) is never frozen."""
    if seen is None or not source.rows[0]:
        return False
    rhythm = source.rhythm
    day = rhythm.newest(seen.moved_at)
    for _missed in range(2 + source.pauses):
        day = rhythm.following(day)
    return seen.ok_at >= rhythm.out(day) + GRACE


def of_source(
    settings: Settings,
    pipeline: str,
    source: Source,
    newest: Mapping[str, date],
    seen: Movement | None,
    now: datetime,
) -> SourceStatus:
    """Freshness of one source, from the newest stored days by table or series and from what its steps did."""
    if source.table is OBSERVATION:
        days = [newest.get(series.series) for series in source.lasting]
        stored = None if None in days else min((day for day in days if day), default=None)
    else:
        stored = newest.get(source.kept_as)
    counts = source.required and not lacks_key(settings, source)
    if stored is None:
        return SourceStatus(source.name, source.table.name, None, "never", counts, None)
    still = is_frozen(source, seen)
    limit = late_after(settings, pipeline, source, stored)
    behind = "due" if now < limit else "late"
    word = "fresh" if stored >= newest_published(source, now) else behind
    return SourceStatus(source.name, source.table.name, stored, word, counts, limit, still)


def of_pipeline(
    settings: Settings,
    pipeline: str,
    stored: read.Stored,
    live: RunRecord | None,
    now: datetime,
    moved: Mapping[str, Movement] | None = None,
) -> PipelineStatus:
    """Worst of the required sources; `data_as_of` is their minimum."""
    moved = moved or {}
    found = [
        of_source(settings, pipeline, source, stored.newest, moved.get(source.name), now)
        for source in PIPELINES[pipeline]
    ]
    required = [status for status in found if status.required]
    word = max((status.freshness for status in required), key=_WORST.index)
    days = [status.data_as_of for status in required]
    last = ledger.last_run(settings, pipeline)
    last = last and ledger.seen(settings, last)
    if live and pipeline in live.pipelines:
        state = live.state
    else:
        state = last.outcomes.get(pipeline, last.state) if last else "never"
    return PipelineStatus(
        pipeline,
        state,
        word,
        None if None in days else min(day for day in days if day),
        min((status.late_after for status in required if status.late_after), default=None),
        last,
        ledger.last_run(settings, pipeline, ("ok", "partial")),
        next_scheduled(settings, pipeline, now),
        found,
    )


@dataclass(frozen=True, slots=True)
class Status:
    """The whole state at one instant."""

    at: datetime
    live: RunRecord | None
    steps: Sequence[StepRecord]
    pipelines: Mapping[str, PipelineStatus]
    problem: db.StoreError | None


def status(settings: Settings, wait_s: float = 1.0) -> Status:
    """Looks at ledger and store; with the store locked the last known days serve."""
    now = clock.now()
    live = ledger.running(settings)
    stored = read.stored(settings, wait_s)
    moved = movements(settings, now)
    found = {name: of_pipeline(settings, name, stored, live, now, moved) for name in PIPELINES}
    steps = ledger.steps(settings, live.run_id) if live else []
    return Status(now, live, steps, found, stored.problem)


def is_fresh(settings: Settings, pipeline: str) -> bool:
    """Whether a scheduled start has nothing to do."""
    return of_pipeline(settings, pipeline, read.stored(settings), None, clock.now()).freshness == "fresh"


def unread(settings: Settings, error: sqlite3.Error) -> db.StoreError:
    """Why the ledger cannot be asked, in words that say what to do."""
    return ledger_problem(settings, error)


# ---------------------------------------------------------------- as JSON


def _stamp(at: datetime | None) -> str | None:
    return clock.stamp(at) if at else None


def run_json(run: RunRecord | None) -> dict[str, Any] | None:
    """A run as the contract has it."""
    if run is None:
        return None
    return {
        "run_id": run.run_id,
        "pipelines": list(run.pipelines),
        "outcomes": dict(run.outcomes),
        "trigger": run.trigger,
        "state": run.state,
        "reason": run.reason,
        "exit_code": run.exit_code,
        "demo": run.demo,
        "queued_at": _stamp(run.queued_at),
        "started_at": _stamp(run.started_at),
        "finished_at": _stamp(run.finished_at),
        "seconds": None if run.seconds is None else round(run.seconds, 3),
        "counts": counts_json(run.counts),
    }


def counts_json(counts: ledger.Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in ledger.Counts.__dataclass_fields__}


def step_json(step: StepRecord) -> dict[str, Any]:
    """A step as the contract has it; the message in the current language."""
    return {
        "step": step.step,
        "pipeline": step.pipeline,
        "source": step.source,
        "table": step.table,
        "state": step.state,
        "kind": step.kind,
        "code": step.code,
        "reason": step.reason,
        "message": step.said(),
        "requests": step.requests,
        "started_at": _stamp(step.started_at),
        "finished_at": _stamp(step.finished_at),
        "counts": counts_json(step.counts),
    }


def progress(
    settings: Settings, live: RunRecord, steps: Sequence[StepRecord]
) -> tuple[StepRecord | None, int, int]:
    """The step under way (between two steps the one that ended last), its number, and how many there are."""
    open_steps = [step for step in steps if step.state == "running"] or list(steps[-1:])
    total = sum(len(PIPELINES.get(name, ())) + 1 for name in live.pipelines)
    if live.trigger == BACKFILL:
        # Until it has said of how many, nobody knows.
        run_id, _space, told = (ledger.recall(settings, TOTAL) or "").partition(" ")
        total = int(told) if run_id == live.run_id else len(steps)
    done = sum(1 for step in steps if step.state != "running")
    return (open_steps[0] if open_steps else None), min(done + 1, total), total


def _running_json(settings: Settings, status: Status) -> dict[str, Any] | None:
    live = status.live
    if live is None:
        return None
    step, n, m = progress(settings, live, status.steps)
    return {
        "run_id": live.run_id,
        "trigger": live.trigger,
        "pipeline": step.pipeline if step else live.pipelines[0],
        "step": step.step if step and step.state == "running" else None,
        "n": n,
        "m": m,
        "pid": live.pid,
        "seconds": round(live.seconds or 0.0, 3),
    }


def _source_json(source: SourceStatus, steps: Mapping[str, StepRecord]) -> dict[str, Any]:
    step = steps.get(source.source)
    reason = None
    if step is not None and step.state != "ok":
        reason = step.reason or step.code
    return {
        "source": source.source,
        "table": source.table,
        "data_as_of": source.data_as_of.isoformat() if source.data_as_of else None,
        "freshness": source.freshness,
        "frozen": source.frozen,
        "reason": reason,
    }


def status_json(settings: Settings, status: Status, first_s: float = known.FIRST_S) -> dict[str, Any]:
    """`status --json` of the contract; `first_s`: how long the first look at the schedule may take."""
    pipelines, scheduled = {}, known.scheduled(settings, first_s)
    for name, found in status.pipelines.items():
        steps = ledger.last_steps(settings, name)
        pipelines[name] = {
            "state": found.state,
            "last_run": run_json(found.last_run),
            "last_success": run_json(found.last_success),
            "data_as_of": found.data_as_of.isoformat() if found.data_as_of else None,
            "freshness": found.freshness,
            "next_due": clock.stamp(found.next_due),
            "scheduled": name in scheduled,
            "sources": [_source_json(source, steps) for source in found.sources],
        }
    return {
        "schema": 1,
        "generated_at": clock.stamp(status.at),
        "timezone": settings.timezone,
        "demo": settings.demo,
        "running": _running_json(settings, status),
        "pipelines": pipelines,
    }
