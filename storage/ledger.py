"""Runs and their steps, in SQLite (WAL): readable at any time, also while the store is locked.

A run is `queued` (its process was started), `running`, or over: ok, partial, failed, skipped,
cancelled, interrupted. Whether a `running` row is true is told by `locks/<run_id>.lock`, which its
process holds for life; everybody may probe that lock, and nobody else's.
"""

import json
import os
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from storage import clock
from storage.ledger_file import connect, deciding, exists, opening, path, reading, require_writable
from storage.ledger_read import (
    cancel_asked,
    last_run,
    last_steps,
    live_run,
    merge_mark,
    merged_steps,
    recall,
    run,
    runs,
    steps,
    unmerged_steps,
)
from storage.ledger_steps import lose, settle, step_finished, step_started
from storage.records import Counts, RunRecord, StepRecord
from storage.settings import Settings
from storage.texts import N_

__all__ = [
    "LIVE",
    "Busy",
    "Counts",
    "RunRecord",
    "StepRecord",
    "cancel_asked",
    "connect",
    "deciding",
    "exists",
    "last_run",
    "last_steps",
    "lose",
    "merge_mark",
    "merged_steps",
    "path",
    "recall",
    "require_writable",
    "run",
    "runs",
    "settle",
    "step_finished",
    "step_started",
    "steps",
    "unmerged_steps",
]

LIVE = ("queued", "running")
# A child that has not claimed its row by then never will.
CLAIM = timedelta(seconds=20)


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


def lock_path(settings: Settings, name: str) -> Path:
    """Path of a lock file: `run`, `store` or a run_id."""
    return settings.home / "locks" / f"{name}.lock"


# ---------------------------------------------------------------- a run's life


def reserve(
    settings: Settings, run_id: str, pipelines: Sequence[str], trigger: str, starter: str | None = None
) -> None:
    """Inserts the run as `queued`; raises Busy if a live one exists. One transaction: of any number
    of starters in the same instant, in any processes, exactly one gets through."""
    now = clock.now()
    with deciding(settings) as db:
        _bury(settings, db, now)
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
        _end_steps(db, run_id, now)
        db.execute(
            "UPDATE run SET state=?, exit_code=?, outcomes=?, reason=?, finished_at=?"
            " WHERE run_id=? AND state IN ('queued','running')",
            (state, exit_code, json.dumps(dict(outcomes)), reason, now, run_id),
        )


def _end_steps(db: sqlite3.Connection, run_id: str, now: str) -> None:
    db.execute(
        "UPDATE step SET state='failed', kind='unavailable', code='unexpected', message=?, finished_at=?"
        " WHERE run_id=? AND state='running'",
        (N_("The run ended before this step did its work. Run it again."), now, run_id),
    )


def alive(settings: Settings, run_id: str) -> bool:
    """Whether the process of a claimed run still holds its lock."""
    lock = lock_path(settings, run_id)
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True


def sweep_locks(settings: Settings, run_id: str) -> None:
    """Removes the locks of runs that were killed after their last word. The caller holds run.lock, so
    that no lock of a run but its own, `run_id`, can be held."""
    for lock in (settings.home / "locks").glob("[0-9]*-*.lock"):
        if lock.stem != run_id:
            with suppress(OSError):
                lock.unlink()


def _bury(settings: Settings, db: sqlite3.Connection, now: datetime) -> None:
    """Marks as `interrupted` what is said to live and does not. Inside the caller's transaction."""
    for row in db.execute("SELECT * FROM run WHERE state IN ('queued','running')").fetchall():
        if row["state"] == "running":
            dead = not alive(settings, row["run_id"])
        else:
            # The absolute difference: a clock set back must not make a row immortal.
            dead = abs(now - clock.parse(row["queued_at"])) > CLAIM
        if dead:
            _end_steps(db, row["run_id"], clock.stamp(now))
            db.execute(
                "UPDATE run SET state='interrupted', finished_at=?, outcomes=? WHERE run_id=?",
                (
                    clock.stamp(now),
                    json.dumps(dict.fromkeys(json.loads(row["pipelines"]), "interrupted")),
                    row["run_id"],
                ),
            )
            lock_path(settings, row["run_id"]).unlink(missing_ok=True)


def bury(settings: Settings) -> None:
    """Marks runs whose process is gone as `interrupted`; quietly does nothing on a read-only home."""
    with reading(settings) as db:
        if db is None or not db.execute("SELECT 1 FROM run WHERE state IN ('queued','running')").fetchone():
            return
    try:
        with deciding(settings) as db:
            _bury(settings, db, clock.now())
    except sqlite3.OperationalError:
        return


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


# ---------------------------------------------------------------- steps


def running(settings: Settings) -> RunRecord | None:
    """The live run, after burying the dead ones."""
    bury(settings)
    return live_run(settings)


def remember(settings: Settings, name: str, value: str) -> None:
    """Keeps a small fact between runs (which CoinGecko plan a key belongs to)."""
    with opening(settings) as db:
        db.execute("INSERT OR REPLACE INTO memo VALUES (?,?)", (name, value))
