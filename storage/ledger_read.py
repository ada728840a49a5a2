"""Questions to the ledger; none of them writes, so that they work on a read-only home too."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from storage import clock
from storage.ledger_file import reading
from storage.ledger_memo import kept
from storage.records import BACKFILL, Counts, PipelineTook, RunRecord, StepRecord
from storage.settings import Settings

COUNTS = ("fetched", "inserted", "updated", "unchanged", "duplicate", "rejected")
# Runs, each with the sums of its steps.
WITH_COUNTS = (
    "SELECT run.*, "
    + ", ".join(
        f"(SELECT coalesce(sum({c}),0) FROM step WHERE step.run_id=run.run_id) AS {c}" for c in COUNTS
    )
    + " FROM run"
)

# Runs of the daily collection: one that fills what is past says nothing of how that does.
_COLLECTS = f"trigger <> '{BACKFILL}'"


def _when(text: str | None) -> datetime | None:
    return clock.parse(text) if text else None


def run_of(row: sqlite3.Row) -> RunRecord:
    """A row of `WITH_COUNTS` as a record."""
    return RunRecord(
        row["run_id"],
        tuple(json.loads(row["pipelines"])),
        row["trigger"],
        row["state"],
        row["reason"],
        row["exit_code"],
        bool(row["demo"]),
        row["starter"],
        row["pid"],
        clock.parse(row["queued_at"]),
        _when(row["started_at"]),
        _when(row["finished_at"]),
        _when(row["heartbeat_at"]),
        json.loads(row["outcomes"]),
        Counts(*(row[c] for c in COUNTS)),
    )


def _step(row: sqlite3.Row) -> StepRecord:
    return StepRecord(
        row["run_id"],
        row["n"],
        row["step"],
        row["pipeline"],
        row["source"],
        row["table_name"],
        row["state"],
        row["kind"],
        row["code"],
        row["reason"],
        row["message"],
        json.loads(row["message_values"] or "{}"),
        row["requests"],
        _when(row["started_at"]),
        _when(row["finished_at"]),
        Counts(*(row[c] for c in COUNTS)),
    )


@kept
def runs(
    settings: Settings,
    limit: int = 50,
    pipeline: str | None = None,
    state: str | None = None,
    trigger: str | None = None,
) -> list[RunRecord]:
    """Runs, newest first."""
    where, values = [], []
    if pipeline:
        where.append("EXISTS (SELECT 1 FROM json_each(run.pipelines) WHERE value=?)")
        values.append(pipeline)
    if state:
        where.append("state=?")
        values.append(state)
    if trigger:
        where.append("trigger=?")
        values.append(trigger)
    clause = " WHERE " + " AND ".join(where) if where else ""
    with reading(settings) as db:
        if db is None:
            return []
        query = f"{WITH_COUNTS}{clause} ORDER BY queued_at DESC, rowid DESC LIMIT ?"
        return [run_of(row) for row in db.execute(query, (*values, limit))]


@kept
def run(settings: Settings, run_id: str) -> RunRecord | None:
    """One run, None if there is none of that name."""
    with reading(settings) as db:
        row = db and db.execute(f"{WITH_COUNTS} WHERE run_id=?", (run_id,)).fetchone()
        return run_of(row) if row else None


def live(db: sqlite3.Connection) -> list[RunRecord]:
    """The runs that the ledger says are queued or running, whether or not their processes still are."""
    return [run_of(row) for row in db.execute(f"{WITH_COUNTS} WHERE state IN ('queued','running')")]


@kept
def live_run(settings: Settings) -> RunRecord | None:
    """The first of them, of which there is at most one."""
    with reading(settings) as db:
        return next(iter(live(db)), None) if db is not None else None


@kept
def steps(settings: Settings, run_id: str) -> list[StepRecord]:
    """Steps of a run in the order in which they were started."""
    with reading(settings) as db:
        if db is None:
            return []
        return [_step(row) for row in db.execute("SELECT * FROM step WHERE run_id=? ORDER BY n", (run_id,))]


@kept
def durations(settings: Settings, pipeline: str, limit: int = 60) -> list[PipelineTook]:
    """How long a pipeline took in its last runs, oldest first: from the start of its first step there to
    the end of its last. What was merged by a later run counts as over when its own run was."""
    query = (
        "SELECT last.run_id, last.queued_at, json_extract(last.outcomes, '$.' || :pipeline) AS outcome,"
        " min(step.started_at) AS began, max(min(step.finished_at, last.finished_at)) AS ended,"
        " count(step.source) AS sources"
        # The last runs first: the ledger keeps its steps for ever.
        f" FROM (SELECT rowid AS place, * FROM run WHERE finished_at IS NOT NULL AND {_COLLECTS} AND EXISTS"
        " (SELECT 1 FROM step WHERE step.run_id=run.run_id AND pipeline=:pipeline)"
        " ORDER BY queued_at DESC, rowid DESC LIMIT :limit) AS last"
        " JOIN step ON step.run_id=last.run_id AND step.pipeline=:pipeline GROUP BY last.run_id"
        " HAVING began IS NOT NULL AND ended IS NOT NULL ORDER BY last.queued_at, last.place"
    )
    with reading(settings) as db:
        if db is None:
            return []
        return [_took(row) for row in db.execute(query, {"pipeline": pipeline, "limit": limit})]


def _took(row: sqlite3.Row) -> PipelineTook:
    began, ended = clock.parse(row["began"]), clock.parse(row["ended"])
    # A clock that was set back while it ran must not give a negative time.
    seconds = max(0.0, (ended - began).total_seconds())
    state = row["outcome"] or "unknown"
    return PipelineTook(row["run_id"], state, clock.parse(row["queued_at"]), seconds, row["sources"])


@kept
def ended_since(settings: Settings, pipeline: str, since: datetime) -> bool:
    """Whether a run took up this pipeline and ended, not before `since`, as ok, partial, failed or skipped
    there; a start that found another run under way has not, and a backfill is for other days."""
    query = (
        f"SELECT 1 FROM run WHERE finished_at >= ? AND coalesce(reason, '') <> 'busy' AND {_COLLECTS}"
        " AND json_extract(outcomes, '$.' || ?) IN ('ok', 'partial', 'failed', 'skipped') LIMIT 1"
    )
    with reading(settings) as db:
        return db is not None and db.execute(query, (clock.stamp(since), pipeline)).fetchone() is not None


@kept
def last_run(settings: Settings, pipeline: str, states: Sequence[str] = ()) -> RunRecord | None:
    """The newest run that took up this pipeline, a backfill aside; optionally by its outcome there."""
    query = (
        f"{WITH_COUNTS} WHERE {_COLLECTS} AND EXISTS (SELECT 1 FROM json_each(run.pipelines) WHERE value=?)"
    )
    values: list[str] = [pipeline]
    if states:
        marks = ",".join("?" * len(states))
        query += f" AND json_extract(outcomes, '$.' || ?) IN ({marks})"
        values += [pipeline, *states]
    else:
        query += " AND coalesce(reason,'') <> 'busy'"
    with reading(settings) as db:
        row = db and db.execute(query + " ORDER BY queued_at DESC, rowid DESC LIMIT 1", values).fetchone()
        return run_of(row) if row else None


@kept
def last_steps(settings: Settings, pipeline: str) -> dict[str, StepRecord]:
    """The newest finished record of every step of a pipeline, by step name, those of backfills aside."""
    with reading(settings) as db:
        if db is None:
            return {}
        rows = db.execute(
            "SELECT step.* FROM step JOIN (SELECT step, max(run_id || printf('%06d', n)) AS newest FROM step"
            f" WHERE pipeline=? AND state<>'running' AND run_id IN (SELECT run_id FROM run WHERE {_COLLECTS})"
            " GROUP BY step) AS last"
            " ON last.step=step.step AND last.newest=step.run_id || printf('%06d', step.n)",
            (pipeline,),
        )
        return {row["step"]: _step(row) for row in rows}


def merged_steps(settings: Settings, since: datetime) -> list[StepRecord]:
    """Steps that the ledger holds for merged since then: each must have a receipt in the store."""
    with reading(settings) as db:
        if db is None:
            return []
        rows = db.execute(
            "SELECT * FROM step WHERE state='ok' AND source IS NOT NULL AND fetched>0 AND finished_at>=?",
            (clock.stamp(since),),
        )
        return [_step(row) for row in rows]


def unmerged_steps(settings: Settings) -> list[StepRecord]:
    """Steps of which the ledger does not hold that their rows were merged, where there may be some."""
    with reading(settings) as db:
        if db is None:
            return []
        rows = db.execute("SELECT * FROM step WHERE state IN ('pending','failed') AND source IS NOT NULL")
        return [_step(row) for row in rows]


@kept
def merged_mark(settings: Settings) -> str:
    """Changes whenever a step has changed the store; empty where none ever did."""
    with reading(settings) as db:
        row = (
            db
            and db.execute(
                "SELECT count(*) AS n, max(finished_at) AS newest FROM step"
                " WHERE inserted + updated > 0 OR reason='replayed'"
            ).fetchone()
        )
        return f"{row['n']}|{row['newest']}" if row and row["n"] else ""


@kept
def merge_mark(settings: Settings) -> str:
    """As `merged_mark`, and when a run has ended, which seals the days that are over: what caches are
    keyed on."""
    with reading(settings) as db:
        row = (
            db
            and db.execute(
                "SELECT max(finished_at) AS ended FROM run WHERE state NOT IN ('queued','running','skipped')"
            ).fetchone()
        )
    return f"{merged_mark(settings)}|{row['ended'] if row else ''}"


def cancel_asked(settings: Settings, run_id: str) -> bool:
    """Whether somebody asked this run to stop; reads only."""
    with reading(settings) as db:
        row = db and db.execute("SELECT cancel_at FROM run WHERE run_id=?", (run_id,)).fetchone()
        return bool(row and row["cancel_at"])


@kept
def recall(settings: Settings, name: str) -> str | None:
    """What `remember` kept."""
    with reading(settings) as db:
        row = db and db.execute("SELECT value FROM memo WHERE name=?", (name,)).fetchone()
        return str(row["value"]) if row else None
