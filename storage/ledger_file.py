"""The ledger's file: its schema, and connections to it. SQLite in WAL mode, one connection per use."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from storage import hosts
from storage.settings import Settings

SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
  run_id TEXT PRIMARY KEY, pipelines TEXT NOT NULL, trigger TEXT NOT NULL, state TEXT NOT NULL,
  reason TEXT, exit_code INTEGER, demo INTEGER NOT NULL, starter TEXT, pid INTEGER,
  queued_at TEXT NOT NULL, started_at TEXT, finished_at TEXT, heartbeat_at TEXT, cancel_at TEXT,
  outcomes TEXT NOT NULL DEFAULT '{}');
CREATE INDEX IF NOT EXISTS run_state ON run (state);
CREATE INDEX IF NOT EXISTS run_queued ON run (queued_at);
CREATE TABLE IF NOT EXISTS step (
  run_id TEXT NOT NULL REFERENCES run, n INTEGER NOT NULL, step TEXT NOT NULL, pipeline TEXT NOT NULL,
  source TEXT, table_name TEXT, state TEXT NOT NULL, kind TEXT, code TEXT, reason TEXT,
  message TEXT, message_values TEXT, requests INTEGER NOT NULL DEFAULT 0,
  started_at TEXT, finished_at TEXT, fetched INTEGER NOT NULL DEFAULT 0,
  inserted INTEGER NOT NULL DEFAULT 0, updated INTEGER NOT NULL DEFAULT 0,
  unchanged INTEGER NOT NULL DEFAULT 0, duplicate INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (run_id, n));
CREATE TABLE IF NOT EXISTS memo (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def path(settings: Settings) -> Path:
    return settings.home / "ledger.sqlite"


def exists(settings: Settings) -> bool:
    """Whether anything was ever recorded in this home."""
    return path(settings).is_file()


def connect(settings: Settings) -> sqlite3.Connection:
    """An autocommit connection to the ledger, created on first use."""
    file = path(settings)
    if not file.is_file():
        locks = settings.home / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with FileLock(locks / "ledger.lock", timeout=10):
            _make(file)
    connection = sqlite3.connect(file, timeout=10, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _make(file: Path) -> None:
    """A new ledger gets its name when it is whole: others may look for it at any moment."""
    if file.is_file():
        return
    partial = file.with_name(file.name + ".part")
    for left in file.parent.glob(partial.name + "*"):
        left.unlink()
    with opened(sqlite3.connect(partial, timeout=10, isolation_level=None)) as fresh:
        fresh.execute("PRAGMA journal_mode=WAL")
        fresh.executescript(SCHEMA + hosts.SCHEMA)
    os.replace(partial, file)


@contextmanager
def opened(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def opening(settings: Settings) -> Iterator[sqlite3.Connection]:
    with opened(connect(settings)) as connection:
        yield connection


@contextmanager
def reading(settings: Settings) -> Iterator[sqlite3.Connection | None]:
    """A connection that writes nothing, None where no ledger is. A folder that cannot be written
    opens only as immutable, because WAL wants to create a file beside the database."""
    if not exists(settings):
        yield None
        return
    uri = path(settings).as_uri()
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=10, isolation_level=None)
    try:
        connection.execute("SELECT 1 FROM run LIMIT 1")
    except sqlite3.OperationalError:
        connection.close()
        connection = sqlite3.connect(f"{uri}?immutable=1", uri=True, isolation_level=None)
    except sqlite3.Error:
        connection.close()
        raise
    connection.row_factory = sqlite3.Row
    with opened(connection):
        yield connection


@contextmanager
def deciding(settings: Settings) -> Iterator[sqlite3.Connection]:
    """A transaction that nobody else writes beside; closing without COMMIT rolls back."""
    with opening(settings) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")


def require_writable(settings: Settings) -> None:
    """Raises sqlite3.Error or OSError where the ledger cannot be written."""
    with deciding(settings) as connection:
        # On a file without permission BEGIN IMMEDIATE quietly begins to read; this changes no row.
        connection.execute("DELETE FROM memo WHERE 0")
