"""Opens the store: a reader or the one writer, for one transaction, and closes it again.

DuckDB lets one process write or many read, so nobody holds a connection. Our own lock
(`locks/store.lock`) keeps our writers apart; another program's lock shows as StoreBusy.
The live file is never opened, hashed or copied by anything else: a plain `open()` and `close()` in
a process that has it open drops DuckDB's lock on Linux.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import ClassVar

import duckdb
from filelock import FileLock, Timeout

from storage import clock, engine, points
from storage.ledger import lock_path
from storage.settings import Settings
from storage.tables import OBSERVED, RECEIPT, REVISION, SERIES, Table
from storage.texts import N_

SCHEMA_VERSION = 1
FULL = N_("The disk is full. Free some space, then run again.")
BUSY = N_("Another run is writing to the store. The next run merges what was collected.")
NOTHING = N_("Nothing has been collected yet.")
_RETRY_S = 0.05
# One store at a time in one instance: what else would this process do with two?
_attaching = Lock()
# What DuckDB and the operating systems say. Not merely "lock": a damaged file is told of by its block.
_BUSY = ("Could not set lock", "different configuration", "used by another process")
_FULL = ("No space left", "File too large", "Disk quota exceeded", "not enough space")
_DENIED = ("Permission denied", "Read-only file system", "Operation not permitted", "Access is denied")


class StoreError(Exception):
    """The store cannot be used. `message` is a gettext id that says what to do; `values` fill it."""

    kind: ClassVar[str] = "store"

    def __init__(self, code: str, message: str, **values: object) -> None:
        super().__init__(message.format(**values) if values else message)
        self.code = code
        self.message = message
        self.values = values


class StoreBusy(StoreError):
    """Somebody else has the store open."""


class StoreMissing(StoreError):
    """There is no store yet: nothing was ever collected here."""


def _explain(error: duckdb.Error, settings: Settings) -> StoreError | duckdb.Error:
    """What a fault of disk, lock or file means for a person; a fault of ours comes back as it is."""
    text = str(error)
    if isinstance(error, duckdb.ProgrammingError | duckdb.IntegrityError | duckdb.DataError):
        return error
    if any(sign in text for sign in _BUSY):
        return StoreBusy(
            "busy",
            N_("Another program has the store {file} open. Close it there; what was collected is kept."),
            file=settings.database.name,
        )
    if any(sign in text for sign in _FULL) or "out of memory" in text.lower():
        return StoreError("full", FULL)
    if any(sign in text for sign in _DENIED):
        return StoreError(
            "unexpected",
            N_("This user may not write to the store {file}. Change its permissions, or set COLLECTOR_HOME."),
            file=settings.database.name,
        )
    return _corrupt(settings)


def _corrupt(settings: Settings) -> StoreError:
    return StoreError(
        "corrupt",
        N_("The store {file} cannot be read. Move it aside and restore a copy; nothing was deleted."),
        file=settings.database.name,
    )


def ledger_problem(settings: Settings, error: sqlite3.Error) -> StoreError:
    """What it means for a person that the ledger cannot be used: the same ways out as the store's."""
    number = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if number in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return StoreError("full", FULL)
    if number in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy("busy", N_("Another program has the ledger open. Close it there, then run again."))
    if number in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreError(
            "corrupt", N_("The ledger cannot be read. Move ledger.sqlite aside; nothing was deleted.")
        )
    return StoreError(
        "unexpected",
        N_("The ledger in {folder} cannot be written ({reason}). Set COLLECTOR_HOME to a folder that can."),
        folder=str(settings.home),
        reason=str(error),
    )


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
    give_up = time.monotonic() + wait_s
    if not _attaching.acquire(timeout=wait_s):
        raise StoreBusy("busy", BUSY)
    try:
        with engine.cursor() as connection:
            _attach(connection, settings, read_only, give_up)
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
            explained = _explain(error, settings)
            if not isinstance(explained, StoreError):
                # Nothing of ours was asked yet: it can only be the file.
                explained = _corrupt(settings)
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
            if _found(connection) is None:
                # Made, but its first transaction never came to its end.
                raise StoreMissing("empty", NOTHING)
            yield connection
    except duckdb.Error as error:
        raise _explain(error, settings) from None


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
            raise _explain(error, settings) from error


def _make(settings: Settings) -> None:
    """A new store gets its name when it is whole: one of 0 bytes would be refused ever after."""
    file = settings.database
    if file.exists():
        return
    partial = file.with_name(file.name + ".part")
    file.parent.mkdir(parents=True, exist_ok=True)
    partial.unlink(missing_ok=True)
    try:
        duckdb.connect(str(partial), config=engine.CONFIG).close()
        points.reach("during_creation")
        os.replace(partial, file)
    except duckdb.Error as error:
        partial.unlink(missing_ok=True)
        raise _explain(error, settings) from None


def _create(table: Table) -> str:
    columns = ", ".join(
        f'"{name}" {kind}{" NOT NULL" if name in table.key else ""}' for name, kind in table.all_columns
    )
    key = ", ".join(f'"{name}"' for name in table.key)
    return f"CREATE TABLE IF NOT EXISTS {table.name} ({columns}, PRIMARY KEY ({key}))"


_CRYPTO_METRIC = """
CREATE OR REPLACE VIEW crypto_metric AS
SELECT date,
  max(value) FILTER (series = 'defillama.total_tvl') AS total_tvl,
  max(value) FILTER (series = 'alternative_me.fear_greed_index') AS fear_greed_index,
  max(note) FILTER (series = 'alternative_me.fear_greed_index') AS fear_greed_label,
  max(value) FILTER (series = 'coingecko.btc_dominance') AS btc_dominance,
  string_agg(DISTINCT source, ' ' ORDER BY source) AS source,
  arg_max(run_id, observed_at) AS run_id,
  max(observed_at) AS observed_at,
  bool_or(provisional) AS provisional
FROM observation
WHERE series IN ('defillama.total_tvl', 'alternative_me.fear_greed_index', 'coingecko.btc_dominance')
GROUP BY date
"""


def _found(connection: duckdb.DuckDBPyConnection) -> tuple[int, bool] | None:
    """(schema version, demo) of the store, None for a new one."""
    try:
        row = connection.execute("SELECT schema_version, demo FROM meta").fetchone()
    except duckdb.CatalogException:
        return None
    return (int(row[0]), bool(row[1])) if row else None


def migrate(settings: Settings, wait_s: float = 5.0) -> None:
    """Creates the store or brings it to this version, in one transaction; running it again is free.

    Raises StoreError where the store is newer than this program, or holds rows of the other kind
    (demo, real).
    """
    with writer(settings, wait_s) as connection:
        migrate_within(settings, connection)


def migrate_within(settings: Settings, connection: duckdb.DuckDBPyConnection) -> None:
    """`migrate` inside a transaction that is already open."""
    found = _found(connection)
    if found is None:
        for table in (*OBSERVED, SERIES, REVISION, RECEIPT):
            connection.execute(_create(table))
        connection.execute(_CRYPTO_METRIC)
        # Internal: when an unchanged row was last seen, so that a late batch cannot pass for news.
        connection.execute(
            "CREATE TABLE IF NOT EXISTS sighting (table_name VARCHAR NOT NULL, key VARCHAR NOT NULL,"
            " seen_at TIMESTAMPTZ, PRIMARY KEY (table_name, key))"
        )
        points.reach("during_migration")
        connection.execute("CREATE TABLE meta (schema_version INTEGER, demo BOOLEAN, created_at TIMESTAMPTZ)")
        connection.execute("INSERT INTO meta VALUES (?,?,?)", (SCHEMA_VERSION, settings.demo, clock.now()))
        return
    version, demo = found
    if version > SCHEMA_VERSION:
        raise StoreError(
            "schema",
            N_("The store was written by a newer version of this program ({version}). Update the program."),
            version=version,
        )
    if demo != settings.demo:
        raise StoreError(
            "schema",
            N_("The store {file} holds DEMO rows; a real run never writes to it. Move it aside.")
            if demo
            else N_("The store {file} holds real rows; a demo never writes to it. Set COLLECTOR_HOME."),
            file=settings.database.name,
        )
