"""Runs and their steps, in SQLite (WAL): readable at any time, also while the store is locked.

A run is `queued` (its process was started), `running`, or over: ok, partial, failed, skipped,
cancelled, interrupted. Whether such a row is true is told by `storage/ledger_life.py`.
"""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from storage import clock
from storage.ledger_file import connect, deciding, exists, opening, path, require_writable
from storage.ledger_life import LIVE, alive, bury_within, end_steps, lock_path, running, seen
from storage.ledger_read import (
    cancel_asked,
    durations,
    ended_since,
    last_run,
    last_steps,
    merge_mark,
    merged_mark,
    merged_steps,
    recall,
    run,
    runs,
    steps,
    unmerged_steps,
)
from storage.ledger_steps import lose, settle, step_finished, step_started, steps_finished
from storage.records import Counts, PipelineTook, RunRecord, StepRecord
from storage.settings import Settings

__all__ = [
    "LIVE",
    "Busy",
    "Counts",
    "PipelineTook",
    "RunRecord",
    "StepRecord",
    "alive",
    "cancel_asked",
    "connect",
    "deciding",
    "durations",
    "ended_since",
    "exists",
    "last_run",
    "last_steps",
    "lock_path",
    "lose",
    "merge_mark",
    "merged_mark",
    "merged_steps",
    "path",
    "recall",
    "require_writable",
    "run",
    "running",
    "runs",
    "seen",
    "settle",
    "step_finished",
    "step_started",
    "steps",
    "steps_finished",
    "unmerged_steps",
]


class Busy(Exception):
    """Another run is queued or running: `run_id` says which."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id


def new_run_id(at: datetime) -> str:
    """Sorts by time, is a file name on every system, and is never guessed twice."""
    return f"{run_id_prefix(at)}-{secrets.token_hex(3)}"


def run_id_prefix(at: datetime) -> str:
    """What the ids of runs that began at an instant start with."""
    return f"{at:%Y%m%d-%H%M%S}"


# ---------------------------------------------------------------- a run's life


def reserve(
    settings: Settings, run_id: str, pipelines: Sequence[str], trigger: str, starter: str | None = None
) -> None:
    """Inserts the run as `queued`; raises Busy if a live one exists. One transaction: of any number
    of starters in the same instant, in any processes, exactly one gets through."""
    now = clock.now()
    with deciding(settings) as db:
        bury_within(settings, db, now)
        live = db.execute("SELECT run_id FROM run WHERE state IN ('queued','running')").fetchone()
        if live:
            raise Busy(str(live["run_id"]))
        db.execute(
            "INSERT INTO run (run_id, pipelines, trigger, state, demo, starter, queued_at)"
            " VALUES (?,?,?,'queued',?,?,?)",
            (run_id, json.dumps(list(pipelines)), trigger, settings.demo, starter, clock.stamp(now)),
        )


def claim(settings: Settings, run_id: str, pid: int) -> bool:
    """The child takes its row. False: the row is no longer waiting for it. The caller already holds
    `locks/<run_id>.lock`, so that a `running` row without a holder is always a dead one."""
    now = clock.stamp(clock.now())
    with deciding(settings) as db:
        cursor = db.execute(
            "UPDATE run SET state='running', pid=?, started_at=?, heartbeat_at=?"
            " WHERE run_id=? AND state='queued'",
            (pid, now, now, run_id),
        )
        return cursor.rowcount == 1


def record_skip(
    settings: Settings, run_id: str, pipelines: Sequence[str], trigger: str, reason: str, exit_code: int
) -> None:
    """One row for a start that did nothing: `busy` or `fresh`."""
    now = clock.stamp(clock.now())
    with deciding(settings) as db:
        db.execute(
            "INSERT INTO run (run_id, pipelines, trigger, state, reason, exit_code, demo, pid, queued_at,"
            " finished_at, outcomes) VALUES (?,?,?,'skipped',?,?,?,?,?,?,?)",
            (
                run_id,
                json.dumps(list(pipelines)),
                trigger,
                reason,
                exit_code,
                settings.demo,
                os.getpid(),
                now,
                now,
                json.dumps(dict.fromkeys(pipelines, "skipped")),
            ),
        )


def finish(
    settings: Settings,
    run_id: str,
    state: str,
    exit_code: int | None,
    outcomes: Mapping[str, str],
    reason: str | None = None,
) -> None:
    """Ends the run, and with it every step that was still open."""
    now = clock.stamp(clock.now())
    with deciding(settings) as db:
        end_steps(db, run_id, now)
        db.execute(
            "UPDATE run SET state=?, exit_code=?, outcomes=?, reason=?, finished_at=?"
            " WHERE run_id=? AND state IN ('queued','running')",
            (state, exit_code, json.dumps(dict(outcomes)), reason, now, run_id),
        )


def sweep_locks(settings: Settings, run_id: str) -> None:
    """Removes the locks of runs that were killed after their last word. The caller has claimed
    `run_id`: while its row lives nobody else reserves one, so that no other lock can be held."""
    for lock in (settings.home / "locks").glob("[0-9]*-*.lock"):
        if lock.stem != run_id:
            with suppress(OSError):
                lock.unlink()


def heartbeat(settings: Settings, run_id: str) -> bool:
    """Says that the run lives; True when somebody asked it to stop."""
    with opening(settings) as db:
        db.execute("UPDATE run SET heartbeat_at=? WHERE run_id=?", (clock.stamp(clock.now()), run_id))
        row = db.execute("SELECT cancel_at FROM run WHERE run_id=?", (run_id,)).fetchone()
        return bool(row and row["cancel_at"])


def cancel(settings: Settings, run_id: str) -> bool:
    """Asks a live run to stop between two transactions; False if there is none of that name."""
    with deciding(settings) as db:
        cursor = db.execute(
            "UPDATE run SET cancel_at=? WHERE run_id=? AND state IN ('queued','running')",
            (clock.stamp(clock.now()), run_id),
        )
        return cursor.rowcount == 1


def cancel_started_by(settings: Settings, starter: str) -> list[str]:
    """Asks every live run of one starter to stop; their ids."""
    live = [run.run_id for run in runs(settings, limit=5) if run.state in LIVE and run.starter == starter]
    return [run_id for run_id in live if cancel(settings, run_id)]


def remember(settings: Settings, name: str, value: str) -> None:
    """Keeps a small fact between runs (which CoinGecko plan a key belongs to)."""
    with opening(settings) as db:
        db.execute("INSERT OR REPLACE INTO memo VALUES (?,?)", (name, value))
