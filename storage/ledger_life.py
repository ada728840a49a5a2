"""Whether a run lives: its process holds `locks/<run_id>.lock` from before it waits for its turn until
its end. Everybody may probe that lock, and nobody else's.
"""

import json
import sqlite3
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from storage import clock
from storage.ledger_file import deciding
from storage.ledger_read import live, live_run
from storage.records import RunRecord
from storage.settings import Settings
from storage.texts import N_

LIVE = ("queued", "running")
# A child that has not taken its lock by then never will.
CLAIM = timedelta(seconds=20)
# A run says every two seconds that it lives: what counts where its lock cannot be probed.
SILENT = timedelta(seconds=30)


def lock_path(settings: Settings, name: str) -> Path:
    """Path of a lock file: `run`, `store`, `export` or a run_id."""
    return settings.home / "locks" / f"{name}.lock"


def alive(settings: Settings, run_id: str) -> bool | None:
    """Whether the process of a run holds its lock; None where that cannot be told, because this user
    may only read the home."""
    lock = lock_path(settings, run_id)
    try:
        if not lock.exists():
            return False
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return None


def _dead(settings: Settings, run: RunRecord, now: datetime) -> bool:
    # The absolute difference: a clock set back must not make a row immortal.
    if run.state == "queued" and abs(now - run.queued_at) <= CLAIM:
        return False
    held = alive(settings, run.run_id)
    if held is None and run.state == "running":
        return abs(now - (run.heartbeat_at or run.queued_at)) > SILENT
    return not held


def bury_within(settings: Settings, db: sqlite3.Connection, now: datetime) -> None:
    """Marks as `interrupted` what is said to live and does not. Inside the caller's transaction."""
    for run in live(db):
        if _dead(settings, run, now):
            end_steps(db, run.run_id, clock.stamp(now))
            gone = _interrupted(run)
            db.execute(
                "UPDATE run SET state=?, finished_at=?, outcomes=? WHERE run_id=?",
                (gone.state, clock.stamp(now), json.dumps(dict(gone.outcomes)), run.run_id),
            )
            with suppress(OSError):
                lock_path(settings, run.run_id).unlink()


def _interrupted(run: RunRecord) -> RunRecord:
    return replace(run, state="interrupted", outcomes=dict.fromkeys(run.pipelines, "interrupted"))


def end_steps(db: sqlite3.Connection, run_id: str, now: str) -> None:
    """Ends every step of a run that is still open."""
    db.execute(
        "UPDATE step SET state='failed', kind='unavailable', code='unexpected', message=?, finished_at=?"
        " WHERE run_id=? AND state='running'",
        (N_("The run ended before this step did its work. Run it again."), now, run_id),
    )


def running(settings: Settings) -> RunRecord | None:
    """The live run. One whose process is gone is marked as `interrupted`; on a home that may only be
    read it is merely not told."""
    found = live_run(settings)
    if found is None or not _dead(settings, found, clock.now()):
        return found
    try:
        with deciding(settings) as db:
            bury_within(settings, db, clock.now())
    except (sqlite3.OperationalError, OSError):
        return None
    return live_run(settings)


def seen(settings: Settings, run: RunRecord) -> RunRecord:
    """A run as it is, also where nobody could write that its process is gone."""
    return _interrupted(run) if run.state in LIVE and _dead(settings, run, clock.now()) else run
