"""Opens the store: a reader or the one writer, for one transaction, and closes it again.

DuckDB lets one process write or many read, so nobody holds a connection. Our own lock
(`locks/store.lock`) keeps our writers apart; another program's lock shows as StoreBusy.
The live file is never opened, hashed or copied by anything else: a plain `open()` and `close()` in
a process that has it open drops DuckDB's lock on Linux.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock

import duckdb
from filelock import FileLock, Timeout

from storage import engine, points, schema
from storage.ledger import lock_path
from storage.settings import Settings
from storage.store_error import (
    BUSY,
    NOTHING,
    StoreBusy,
    StoreError,
    StoreMissing,
    corrupt,
    explain,
    file_problem,
)
from storage.texts import N_

__all__ = ["StoreBusy", "StoreError", "StoreMissing", "checkpoint", "migrate", "reader", "writer"]

_RETRY_S = 0.05
OWN_TURN_S = 5.0
# One store at a time in one instance: what else would this process do with two?
_attaching = Lock()


def _check_file(settings: Settings, *, must_exist: bool) -> None:
    """What stat can tell before DuckDB would make a new database out of a damaged one."""
    file = settings.database
    wal = file.with_name(file.name + ".wal")
    if not file.exists():
        if wal.exists():
            raise StoreError(
                "corrupt",
                N_("{wal} is there but {file} is not. Put {file} back, or move {wal} aside."),
                wal=wal.name,
                file=file.name,
            )
        if must_exist:
            raise StoreMissing("empty", NOTHING)
    elif file.stat().st_size == 0:
        raise StoreError(
            "corrupt",
            N_("The store {file} is empty (0 bytes). Move it aside and restore a copy."),
            file=file.name,
        )


@contextmanager
def _opened(settings: Settings, *, read_only: bool, wait_s: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """The store as the default database of a connection of its own; detached when the block ends,
    which rolls back what was not committed and gives the file back to other programs."""
    # Threads of this process take turns, each for milliseconds: that is no other program's lock.
    if not _attaching.acquire(timeout=wait_s + OWN_TURN_S):
        raise StoreBusy("busy", BUSY)
    try:
        with engine.cursor() as connection:
            _attach(connection, settings, read_only, time.monotonic() + wait_s)
            try:
                yield connection
            finally:
                _detach(connection)
    finally:
        _attaching.release()


def _attach(
    connection: duckdb.DuckDBPyConnection, settings: Settings, read_only: bool, give_up: float
) -> None:
    mode = " (READ_ONLY)" if read_only else ""
    while True:
        try:
            connection.execute(f"ATTACH {engine.literal(settings.database)} AS store{mode}; USE store")
            return
        except duckdb.Error as error:
            explained = explain(error, settings)
            if not isinstance(explained, StoreError):
                # Nothing of ours was asked yet: it can only be the file.
                explained = corrupt(settings)
            if not isinstance(explained, StoreBusy) or time.monotonic() >= give_up:
                raise explained from None
            time.sleep(_RETRY_S)


def _detach(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        with suppress(duckdb.TransactionException):
            connection.execute("ROLLBACK")
        connection.execute("USE memory; DETACH store")
    except duckdb.Error:
        # An instance that gave up holds the file until it is gone.
        engine.discard()


@contextmanager
def reader(settings: Settings, wait_s: float = 1.0) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection. Raises StoreMissing, StoreBusy after `wait_s`, StoreError."""
    _check_file(settings, must_exist=True)
    try:
        with _opened(settings, read_only=True, wait_s=wait_s) as connection:
            if schema.found(connection) is None:
                # Made, but its first transaction never came to its end.
                raise StoreMissing("empty", NOTHING)
            yield connection
    except duckdb.Error as error:
        raise explain(error, settings) from None


@contextmanager
def writer(settings: Settings, wait_s: float = 5.0) -> Iterator[duckdb.DuckDBPyConnection]:
    """The one writer: our lock, a connection, one transaction that commits when the block ends.
    Raises StoreBusy after `wait_s`, StoreError when the disk is full or the file is damaged."""
    with _alone(settings, wait_s) as connection:
        # Leaving without COMMIT rolls back.
        connection.execute("BEGIN")
        yield connection
        points.reach("before_commit")
        connection.execute("COMMIT")
        points.reach("after_commit")


def checkpoint(settings: Settings, wait_s: float = 5.0) -> None:
    """Moves the write-ahead log into the file, so that a run ends with one whole file. Raises as
    `writer` does."""
    with _alone(settings, wait_s) as connection:
        points.reach("during_checkpoint")
        connection.execute("CHECKPOINT")


@contextmanager
def _alone(settings: Settings, wait_s: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """The one writing connection under our lock; what DuckDB raises comes out explained."""
    lock = lock_path(settings, "store")
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(lock, timeout=wait_s).acquire()
    except Timeout:
        raise StoreBusy("busy", BUSY) from None
    with held:
        _check_file(settings, must_exist=False)
        _make(settings)
        try:
            with _opened(settings, read_only=False, wait_s=wait_s) as connection:
                yield connection
        except duckdb.Error as error:
            raise explain(error, settings) from error


def _make(settings: Settings) -> None:
    """A new store gets its name when it is whole: one of 0 bytes would be refused ever after."""
    file = settings.database
    if file.exists():
        return
    partial = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        duckdb.connect(str(partial), config=engine.CONFIG).close()
        points.reach("during_creation")
        os.replace(partial, file)
    except duckdb.Error as error:
        partial.unlink(missing_ok=True)
        raise explain(error, settings) from None
    except OSError as error:
        raise file_problem(settings, error) from None


def migrate(settings: Settings, wait_s: float = 5.0) -> None:
    """Creates the store or brings it to this version, in one transaction; running it again is free.

    Raises StoreError where the store is newer than this program, or holds rows of the other kind
    (demo, real).
    """
    with writer(settings, wait_s) as connection:
        schema.migrate_within(settings, connection)
