"""What a run does, step by step, as it goes into the ledger."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from storage import clock
from storage.ledger_file import deciding, opening
from storage.ledger_read import COUNTS
from storage.records import Counts, StepRecord
from storage.settings import Settings
from storage.texts import N_

DAMAGED = N_("What was collected was damaged on the disk before it could be merged. It is in quarantine.")


def step_started(settings: Settings, step: StepRecord) -> bool:
    """A step that runs from now on. False, and nothing is written, where its run has ended meanwhile: a
    thread that goes on for a moment must not leave a step that runs for ever."""
    with opening(settings) as db:
        written = db.execute(
            "INSERT OR REPLACE INTO step (run_id, n, step, pipeline, source, table_name, state, started_at)"
            " SELECT ?,?,?,?,?,?,'running',? WHERE NOT EXISTS"
            " (SELECT 1 FROM run WHERE run_id=? AND state NOT IN ('queued','running'))",
            (*_named(step), clock.stamp(step.started_at or clock.now()), step.run_id),
        )
        return written.rowcount > 0


def step_finished(settings: Settings, step: StepRecord) -> None:
    """The outcome of a step, its counts and what to do."""
    steps_finished(settings, [step])


def steps_finished(settings: Settings, steps: Sequence[StepRecord]) -> None:
    """The same of several, in one transaction."""
    with deciding(settings) as db:
        db.executemany(
            "INSERT OR REPLACE INTO step VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [_row(settings, step) for step in steps],
        )


def _named(step: StepRecord) -> tuple[object, ...]:
    """The first columns of a step: what it is, not how it goes."""
    return step.run_id, step.n, step.step, step.pipeline, step.source, step.table


def _row(settings: Settings, step: StepRecord) -> tuple[object, ...]:
    return (
        *_named(step),
        step.state,
        step.kind,
        step.code,
        step.reason,
        step.message and settings.redact(step.message),
        settings.redact(json.dumps(dict(step.values), default=str)),
        step.requests,
        step.started_at and clock.stamp(step.started_at),
        clock.stamp(step.finished_at or clock.now()),
        *asdict(step.counts).values(),
    )


def lose(settings: Settings, run_id: str, step: str) -> None:
    """A pending step whose landed batch was damaged before it could be merged."""
    with opening(settings) as db:
        db.execute(
            "UPDATE step SET state='failed', kind='store', code='corrupt', message=?, message_values='{}'"
            " WHERE run_id=? AND step=? AND state='pending'",
            (DAMAGED, run_id, step),
        )


def settle(settings: Settings, run_id: str, step: str, counts: Counts) -> None:
    """A pending step whose batch was merged after all."""
    with opening(settings) as db:
        db.execute(
            "UPDATE step SET state='ok', reason='replayed', kind=NULL, code=NULL, message=NULL,"
            " message_values='{}', finished_at=?, "
            + ", ".join(f"{name}=?" for name in COUNTS)
            + " WHERE run_id=? AND step=? AND state IN ('pending','failed')",
            (clock.stamp(clock.now()), *asdict(counts).values(), run_id, step),
        )
