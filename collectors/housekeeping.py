"""What a run does to the store before its sources are asked and after: open, replay, seal, close."""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from collectors.keep import counts_of
from collectors.model import Series, Source
from collectors.registry import SOURCES
from collectors.under_way import Run
from storage import (
    absent,
    check_results,
    clock,
    db,
    landing,
    ledger,
    merge,
    points,
    read,
    read_gaps,
    schema,
    upkeep,
)
from storage.records import StepRecord
from storage.settings import Settings
from storage.tables import OBSERVATION, Table

log = logging.getLogger("collector")
# The version of the store from which on it keeps the days of which an upstream has no value.
SINCE_ABSENT = 4


def open_store(run: Run, sources: Sequence[Source]) -> None:
    """Creates or migrates the store, merges what an earlier run left behind, reads what is known.
    A store that is locked or damaged costs nothing yet: what is collected will be landed."""
    try:
        with db.writer(run.settings, run.store_wait_s, run.quiet) as connection:
            before = schema.found(connection)
            schema.migrate_within(run.settings, connection)
            if before and before[0] < SINCE_ABSENT:
                _presume(run, connection)
            _describe(run.settings, connection, sources, run.run_id)
            settled = replay_within(run.settings, connection)
            run.known = read.known(connection, clock.now().date())
    except db.StoreError as problem:
        run.store_wait_s = min(run.store_wait_s, 1.0)
        log.warning("store: %s %s", problem.code, problem)
        if problem.code == "schema":
            raise
        return
    _settle(run.settings, settled)


def _presume(run: Run, connection: Any) -> None:
    """Holes between the stored days of an upstream that gives its whole past were its own, in a store of a
    version that did not keep them: every run asked it from the newest stored day on."""
    held = read_gaps.held(connection, {})
    for source in SOURCES.values():
        if source.whole and source.table is OBSERVATION:
            days = [
                (series.series, day)
                for series in source.lasting
                for earlier, later in (held[series.series].jumps if series.series in held else ())
                for day in source.rhythm.between(earlier, later)
            ]
            absent.keep(connection, days, source.name, run.run_id, clock.now())


def _describe(settings: Settings, connection: Any, sources: Iterable[Source], run_id: str) -> None:
    rows = [_description(settings, source, series) for source in sources for series in source.series]
    upkeep.describe(connection, rows, run_id, clock.now())


def _description(settings: Settings, source: Source, series: Series) -> list[object]:
    return [
        series.series,
        series.title,
        series.unit,
        series.frequency,
        source.upstream.name,
        series.url,
        source.upstream.licence,
        series.restates,
        "DEMO" if settings.demo else source.name,
    ]


def replay_within(settings: Settings, connection: Any) -> list[tuple[merge.Landed, merge.MergeCount]]:
    """Merges every landed batch without a receipt, oldest first; what was merged. Those that have one
    of which the ledger was never told (killed in between) come with it: merging again changes nothing."""
    have = read.receipts(connection)
    untold = {(step.run_id, step.step) for step in ledger.unmerged_steps(settings)}
    for run_id, step in landing.damaged(settings, have):
        ledger.lose(settings, run_id, step)
        log.error("[FAIL] %s store corrupt the landed batch of run %s is damaged", step, run_id)
    waiting = landing.waiting(settings, have - untold)
    settled = []
    for batch in waiting:
        settled.append((batch, merge.merge(connection, batch, clock.now())))
        own = (batch.run_id, batch.step, batch.source, batch.observed_at)
        check_results.keep(connection, check_results.of_notes(batch.results, *own), late=True)
    landing.sweep(settings, have, clock.now())
    _compare(settings, have | {(batch.run_id, batch.step) for batch, _ in settled})
    return settled


def _compare(settings: Settings, have: set[tuple[str, str]]) -> None:
    """The ledger and the receipts check each other: a log that lost rows shows nowhere else."""
    since = clock.now() - timedelta(days=7)
    lost = [s for s in ledger.merged_steps(settings, since) if (s.run_id, s.step) not in have]
    for step in lost:
        log.error(
            "[FAIL] %s store corrupt the store has no receipt of run %s, whose rows were merged",
            step.step,
            step.run_id,
        )


def _settle(settings: Settings, settled: Sequence[tuple[merge.Landed, merge.MergeCount]]) -> None:
    for batch, count in settled:
        ledger.settle(settings, batch.run_id, batch.step, counts_of(count, batch.rejected))
        log.info("[OK] replay %s of run %s: %s rows", batch.step, batch.run_id, count.merged)


def replay(settings: Settings, wait_s: float = 5.0) -> list[tuple[merge.Landed, merge.MergeCount]]:
    """`collect.py replay`: merges what waits. Raises StoreError when the store cannot be used."""
    landing.prepare(settings)
    with db.writer(settings, wait_s) as connection:
        schema.migrate_within(settings, connection)
        settled = replay_within(settings, connection)
        if settled:
            named = [SOURCES[batch.step] for batch, _count in settled if batch.step in SOURCES]
            _describe(settings, connection, named, settled[-1][0].run_id)
    if settled:
        db.checkpoint(settings, wait_s)
    _settle(settings, settled)
    return settled


def close_store(run: Run, sources: Sequence[Source], collected: Sequence[StepRecord]) -> None:
    """Seals the days that are over, forgets what is kept for a time only, and checkpoints.
    What an upstream did not answer for, or with the store locked, is left to the next run."""
    if not run.observed:
        _keep_results(run)
        return
    # The one whose clock runs ahead of all others' must not end its day before it is over.
    trusted = sorted(run.observed.values())[-2:][0].date()
    open_closes = _open_closes(sources, collected)
    points.reach("before_seal")
    try:
        with db.writer(run.settings, run.store_wait_s, run.quiet) as connection:
            # A run that began while the store was locked has not created it yet.
            schema.migrate_within(run.settings, connection)
            for source in sources:
                if source.upstream.name not in run.observed or "date" not in source.table.key:
                    continue
                today = min(trusted, run.observed[source.upstream.name].date())
                wait = timedelta(days=1) if source.table in open_closes else timedelta(0)
                before = today - max(source.reread or timedelta(0), wait)
                names = [s.series for s in source.series] if source.table is OBSERVATION else None
                upkeep.seal(connection, source.table, before, names)
            check_results.keep(connection, run.unkept, late=True)
            upkeep.prune(connection, clock.now())
        run.unkept.clear()
        db.checkpoint(run.settings, run.store_wait_s, run.quiet)
    except db.StoreError as problem:
        log.warning("store: %s %s", problem.code, problem)


def rest(run: Run) -> None:
    """After a backfill: no day is sealed, which is for those who see it, and the file is whole."""
    _keep_results(run)
    try:
        db.checkpoint(run.settings, run.store_wait_s, run.quiet)
    except db.StoreError as problem:
        log.warning("store: %s %s", problem.code, problem)


def _keep_results(run: Run) -> None:
    """What the checks found of batches of which none was kept."""
    if not run.unkept:
        return
    try:
        with db.writer(run.settings, run.store_wait_s, run.quiet) as connection:
            schema.migrate_within(run.settings, connection)
            check_results.keep(connection, run.unkept, late=True)
        run.unkept.clear()
    except db.StoreError as problem:
        log.warning("store: %s %s", problem.code, problem)


def _open_closes(sources: Sequence[Source], collected: Sequence[StepRecord]) -> list[Table]:
    """Tables whose days of yesterday a source was to close and did not, not wholly: they stay open for
    another day, in which it is tried again."""
    steps = {step.step: step for step in collected}
    return [
        source.closes
        for source in sources
        if source.closes
        and (step := steps.get(source.name))
        and (step.state not in ("ok", "skipped") or step.counts.rejected)
    ]
