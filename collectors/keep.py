"""The second half of a step: what was fetched is landed and merged, or its failure put into words."""

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import cast

from collectors import evidence
from collectors.checks import verdicts
from collectors.model import Batch, Changed, CollectError, Row, Source
from collectors.under_way import Fetched, Run, newest_day
from storage import absent, check_results, clock, db, landing, merge, points, quarantine, schema
from storage.quarantine import Origin
from storage.records import Counts, StepRecord
from storage.store_error import BUG, StoreBusy, StoreError, Stumbled, ledger_problem
from storage.tables import OBSERVATION
from storage.texts import N_

log = logging.getLogger("collector")
_DAY = timedelta(days=1)
CACHED = N_("{upstream} wants no more requests for now: stored values of {day} serve ({age} days old). Wait.")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A batch that is landed: what its merge takes, and the step that it is of. `without`: (series, day) of
    which its upstream has no value."""

    step: StepRecord
    landed: merge.Landed
    without: Sequence[tuple[str, date]]
    results: Sequence[check_results.CheckResult]


def keep(run: Run, fetched: Fetched, batch: Batch) -> StepRecord:
    """Lands a batch and merges it; `pending` where the store cannot be written now."""
    kept = land(run, fetched, batch)
    return merged(run, [kept])[0] if isinstance(kept, Waiting) else kept


def land(run: Run, fetched: Fetched, batch: Batch) -> Waiting | StepRecord:
    """Puts aside what was rejected and lands the rest; the step as it ended where no row is left to merge:
    what its upstream has not got is remembered then."""
    settings, source, step = run.settings, fetched.source, fetched.step
    at = fetched.at or clock.now()
    run.observed[source.upstream.name] = max(run.observed.get(source.upstream.name, at), at)
    if batch.rejected:
        rejected = [{"row": dict(entry.row), "reason": entry.reason} for entry in batch.rejected]
        quarantine.keep_rows(settings, Origin(run.run_id, step.step, source.name, at), rejected)
    provenance = {"source": "DEMO" if settings.demo else source.name, "run_id": run.run_id, "observed_at": at}
    rows = [
        {**row, **provenance, "provisional": provisional}
        for row, provisional in zip(batch.rows, _provisional(source, batch.rows, at), strict=True)
    ]
    rejected_count = len(batch.rejected)
    # What was set aside has a value, only none that is believed; a history says itself what it lacks.
    without = gaps_within(source, batch) if source.part or not batch.rejected else []
    if not rows:
        if without:
            _keep_absent(run, source, without, at)
        run.unkept += verdicts.of_step(run, fetched)
        return replace(step, state="ok", counts=Counts(fetched=rejected_count, rejected=rejected_count))
    results = verdicts.of_step(run, fetched)
    landed = landing.land(
        settings,
        source.table,
        rows,
        run_id=run.run_id,
        step=step.step,
        source=str(provenance["source"]),
        observed_at=at,
        rejected=rejected_count,
        frozen_before=_frozen_before(source, at, newest_day(run.known, source))
        if not settings.demo
        else None,
        thaws=source.reread is not None,
        restates=source.restates,
        results=check_results.noted(results),
    )
    return Waiting(step, landed, without, results)


def gaps_within(source: Source, batch: Batch) -> Sequence[tuple[str, date]]:
    """(series, day) of which the answer of an upstream that gives its whole past has no value, though it has
    some before and after; of a backfill, what it asked for in vain."""
    if source.days:
        return batch.without
    rows = batch.rows
    if not source.whole or source.table is not OBSERVATION:
        return []
    stored: dict[str, list[date]] = {}
    for row in rows:
        stored.setdefault(str(row["series"]), []).append(cast(date, row["date"]))
    lasting = {series.series for series in source.lasting}
    return [
        (series, day)
        for series, days in stored.items()
        if series in lasting
        for before, after in pairwise(sorted(set(days)))
        # Nothing is between most of them.
        if after - before > _DAY
        for day in source.rhythm.between(before, after)
    ]


def _keep_absent(run: Run, source: Source, without: Sequence[tuple[str, date]], at: datetime) -> None:
    """Of an answer without a row. With the store locked it is asked for once more another time."""
    with suppress(StoreError), db.writer(run.settings, run.store_wait_s, run.quiet) as connection:
        schema.migrate_within(run.settings, connection)
        absent.keep(connection, without, source.name, run.run_id, at)


def _provisional(source: Source, rows: Sequence[Row], at: datetime) -> list[bool]:
    """Of each row, whether it was seen before its day was over. One without a day says so itself, where it
    must."""
    if "date" not in source.table.key:
        return [bool(row.get("provisional")) for row in rows]
    first = source.rhythm.first_open(at)
    return [cast(date, row["date"]) >= first for row in rows]


def _frozen_before(source: Source, at: datetime, newest: date | None) -> date | None:
    """Before which day a stored row is not changed: what can only be seen live ends with its day, what
    is read again after `reread`; a source that closes days, or restates its past, changes any. One that
    asks from its newest stored day on has asked for what it got, however long ago that day was."""
    if source.closes or source.restates:
        return None
    since = at.date() - (source.reread or timedelta(0))
    if source.believable and source.reread and newest is not None:
        since = min(since, newest - source.reread)
    return since


def counts_of(count: merge.MergeCount, rejected: int) -> Counts:
    """A merge's counts as a step tells them."""
    fetched = count.merged + count.unchanged + count.duplicate + rejected
    return Counts(fetched, count.inserted, count.updated, count.unchanged, count.duplicate, rejected)


def merged(run: Run, waiting: Sequence[Waiting], *, again: bool = False) -> list[StepRecord]:
    """The steps after the merge of their batches, all in one transaction: opening the store and closing it
    takes as long as several merges. `again`: it was tried before, and may have come further than was told.

    `pending` where another program has the store, or something is wrong with it and the batch is alone. Of
    several a StoreError is raised then, and none of them is merged; raised it is too where a batch belongs to
    the other store."""
    counts: list[merge.MergeCount] = []
    try:
        with db.writer(run.settings, run.store_wait_s, run.quiet) as connection:
            # A run that began while the store was locked has not created it yet.
            schema.migrate_within(run.settings, connection)
            for kept in waiting:
                landed = kept.landed
                counts.append(merge.merge(connection, landed, clock.now()))
                absent.keep(connection, kept.without, landed.source, landed.run_id, landed.observed_at)
                points.reach("after_merge")
            results = [result for kept in waiting for result in kept.results]
            check_results.keep(connection, results, late=again)
    except StoreError as problem:
        if problem.code == "schema" or (len(waiting) > 1 and not isinstance(problem, StoreBusy)):
            raise
        run.store_wait_s = min(run.store_wait_s, 1.0)
        return [kept.step.hindered("pending", problem) for kept in waiting]
    points.reach("after_receipt")
    return [
        replace(kept.step, state="ok", counts=counts_of(count, kept.landed.rejected))
        for kept, count in zip(waiting, counts, strict=True)
    ]


def _serves_stored(run: Run, source: Source, error: Exception) -> bool:
    """The upstream wants no more requests for now, and what is stored will do until it does."""
    return (
        source.serves_stored
        and isinstance(error, CollectError)
        and error.code == "rate_limited"
        and run.known.newest.get(source.lasting[0].series) is not None
    )


def _cached(run: Run, step: StepRecord, source: Source, error: CollectError) -> StepRecord:
    newest = run.known.newest[source.lasting[0].series]
    return replace(
        step,
        state="cached",
        kind=error.kind,
        code=error.code,
        message=CACHED,
        values={
            "upstream": source.upstream.title,
            "day": newest.isoformat(),
            "age": (clock.now().date() - newest).days,
        },
    )


def failed(run: Run, fetched: Fetched, error: BaseException) -> StepRecord:
    """The step with kind, code and advice; a payload that was refused is put aside."""
    step = fetched.step
    if isinstance(error, sqlite3.Error):
        error = ledger_problem(run.settings, error)
    if isinstance(error, CollectError | StoreError):
        if isinstance(error, CollectError) and _serves_stored(run, fetched.source, error):
            return _cached(run, step, fetched.source, error)
        if error.code == "rate_limited" and not step.requests:
            return replace(
                step, state="skipped", reason="rate_limited", message=error.message, values=error.values
            )
        if isinstance(error, Changed):
            evidence.keep_answers(run.settings, fetched, error)
        return step.hindered("failed", error)
    log.error("%s: unexpected", step.step, exc_info=error)
    stumbled = Stumbled("unexpected", BUG, error=type(error).__name__)
    evidence.keep_answers(run.settings, fetched, stumbled)
    return step.hindered("failed", stumbled)
