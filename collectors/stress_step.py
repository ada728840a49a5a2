"""The computed step at the end of liquidity: the StressIndex of what the store holds, published."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, cast

import numpy as np

from collectors import computed
from collectors.keep import counts_of
from collectors.model import Source
from collectors.stress import publication, speeches
from collectors.stress.index import own_past, replay
from collectors.stress.inputs import CALENDAR, INPUTS
from collectors.stress.lexicon import LEXICON_VERSION
from collectors.stress.observations import Observations
from collectors.stress.snapshot import fed, market, news, stored_names
from collectors.under_way import Run
from storage import clock, db, landing, merge, schema, stress
from storage.records import Counts, StepRecord
from storage.store_error import StoreError
from storage.tables import (
    STRESS_INDEX,
    STRESS_INPUT,
    STRESS_MODULE,
    STRESS_REPLAY,
    STRESS_REPLAY_INPUT,
    STRESS_REPLAY_MODULE,
    Table,
)
from storage.texts import N_

log = logging.getLogger("collector")
NAME = "stress_index"
TOO_LITTLE = N_(
    "Not enough data for an index yet: it needs two years of prices of SPY, VIX and the bond ETFs."
)
_SPY = CALENDAR.replace("adjusted", "close")


def run_step(
    run: Run, pipeline: str, sources: Sequence[Source], collected: Sequence[StepRecord]
) -> StepRecord:
    """The step's record, told to ledger and listeners; skipped where nothing came in."""

    def work(step: StepRecord) -> StepRecord:
        if not any(other.state == "ok" for other in collected):
            return replace(step, state="skipped", reason="upstream_failed")
        return _publish(run, step, sources)

    return computed.run_step(run, pipeline, NAME, STRESS_INDEX.name, work)


def _publish(run: Run, step: StepRecord, sources: Sequence[Source]) -> StepRecord:
    with db.reader(run.settings, run.store_wait_s) as connection:
        stored = stress.observed(connection, stored_names())
        texts = stress.speech_texts(connection, LEXICON_VERSION)
    index = compute(run, stored, texts, sources)
    if index is None:
        return replace(step, state="skipped", reason="not_due")
    if np.isnan(index.found.index).all():
        return replace(step, state="skipped", reason="not_due", message=TOO_LITTLE)
    rows = np.array(publication.rows_to_publish(index.found, stored.published), np.int64)
    open_rows = rows[index.found.standing.provisional[rows]]
    open_days = frozenset(index.found.day(int(row)) for row in open_rows)
    landed = [_land(run, *batch, open_days) for batch in _batches(index, rows)] if len(rows) else []
    try:
        with db.writer(run.settings, run.store_wait_s, run.quiet) as connection:
            schema.migrate_within(run.settings, connection)
            counts = [merge.merge(connection, one, clock.now()) for one in landed]
            _keep_history(run, connection, index)
    except StoreError as problem:
        if problem.code == "schema":
            raise
        return step.hindered("pending", problem)
    total = sum((counts_of(count, 0) for count in counts), Counts())
    return replace(step, state="ok", counts=total)


def compute(
    run: Run, stored: stress.Stored, texts: dict[str, str], sources: Sequence[Source]
) -> publication.Computed | None:
    """The index over what is stored; None where there is no SPY, whose days are its calendar."""
    settings = run.settings
    usable = [
        one
        for one in sources
        if settings.demo or not one.needs_key or settings.secret(one.upstream.key or "")
    ]
    collected = {series.series for source in usable for series in source.series}
    snapshot: dict[str, Observations] = market(stored.series, collected)
    spy = stored.series.get(_SPY)
    if spy is None or CALENDAR not in snapshot:
        return None
    snapshot["text.news"] = news(stored.titles)
    snapshot["text.fed"] = fed(_counted(stored, texts), [date.fromordinal(day) for day in spy.days.tolist()])
    open_day = date.fromordinal(int(spy.days[-1])) if spy.open else None
    found = own_past(replay(snapshot, provisional_from=open_day), snapshot)
    keyless = {series.series for one in sources if one not in usable for series in one.series}
    lacking = frozenset(
        one.name for one in INPUTS if one.join != "first" and keyless.intersection(one.series)
    )
    return publication.Computed.of(found, lacking)


def _counted(stored: stress.Stored, texts: dict[str, str]) -> list[tuple[Any, int, float, float | None]]:
    """What was counted in each speech; anew where it was with other lists of words."""
    found: list[tuple[Any, int, float, float | None]] = []
    for at, words, tone, stance, _version, name in stored.speeches:
        again = speeches.read(at.date(), texts[name]) if name in texts else None
        if again is None:
            found.append((at, words, tone, stance))
        else:
            found.append((at, again.tone.words, again.tone.concern, again.stance))
    return found


def _batches(computed: publication.Computed, rows: Any) -> list[tuple[Table, list[dict[str, object]]]]:
    """Rows of the published tables, by table."""
    index = publication.as_rows(publication.index_columns(computed, rows))
    seen = clock.stamp(clock.now())
    first = [
        {"first_index": row["index"], "first_percentile": row["percentile"], "first_seen": seen}
        for row in index
    ]
    return [
        (STRESS_INDEX, [{**row, **once} for row, once in zip(index, first, strict=True)]),
        (STRESS_MODULE, publication.as_rows(publication.module_columns(computed, rows))),
        (
            STRESS_INPUT,
            publication.as_rows(publication.input_columns(computed, rows))
            + publication.lacking_rows(computed, rows),
        ),
    ]


def _land(run: Run, table: Table, rows: list[dict[str, object]], open_days: frozenset[date]) -> merge.Landed:
    provenance = _provenance(run)
    # Bands follow closes: a day that is not over may look otherwise tonight.
    whole = [{**row, **provenance, "provisional": row["date"] in open_days} for row in rows]
    return landing.land(
        run.settings,
        table,
        whole,
        run_id=run.run_id,
        step=table.name,
        source=str(provenance["source"]),
        observed_at=cast(datetime, provenance["observed_at"]),
    )


def _provenance(run: Run) -> dict[str, object]:
    source = "DEMO" if run.settings.demo else NAME
    return {"source": source, "run_id": run.run_id, "observed_at": clock.now()}


def _keep_history(run: Run, connection: Any, computed: publication.Computed) -> None:
    """The whole past as it is computed today, beside what was published."""
    there = np.flatnonzero(~np.isnan(computed.found.index))
    rows = np.arange(int(there[0]), len(computed.found.days)) if len(there) else there
    provenance = {**_provenance(run), "provisional": False}
    # One at a time: all three together would be in memory twice.
    for table, columns, of in (
        (STRESS_REPLAY, publication.index_columns, there),
        (STRESS_REPLAY_MODULE, publication.module_columns, there),
        (STRESS_REPLAY_INPUT, publication.input_columns, rows),
    ):
        stress.keep_history(connection, table, columns(computed, of), provenance)
