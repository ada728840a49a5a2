"""Opens the store: a reader or the one writer, for one transaction, and closes it again.

DuckDB lets one process write or many read, so nobody holds a connection. Our own lock
(`locks/store.lock`) keeps our writers apart; another program's lock shows as StoreBusy.
The live file is never opened, hashed or copied by anything else: a plain `open()` and `close()` in
a process that has it open drops DuckDB's lock on Linux.
"""

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from threading import Condition
from typing import Any

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
# A checkpoint writes every row group anew in which something changed, and a day's rows are few: with DuckDB's
# own 122,880 rows, the end of a table is written again each time. Stores with larger ones keep those.
ROW_GROUP_SIZE = 16_384
# Of a new store. DuckDB's own 256 KiB are more than most columns of most tables have.
BLOCK_SIZE = 65_536
# How long readers may join one who has the store open.
_SHARED_S = 0.2
# One store at a time in one instance: what else would this process do with two?
_turn = Condition()
_now: list["_Attached"] = []


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


class _Attached:
    """The store as the one attached database of this process: for one writer, or for readers that share
    it. `anchor` is the connection that attached it; the others are made of it."""

    def __init__(self, settings: Settings, read_only: bool) -> None:
        self.file, self.read_only, self.users = settings.database, read_only, 1
        self.share_until = time.monotonic() + _SHARED_S
        with ExitStack() as lent:
            self.anchor = lent.enter_context(engine.cursor())
            mode = "READ_ONLY" if read_only else f"ROW_GROUP_SIZE {ROW_GROUP_SIZE}"
            try:
                self.anchor.execute(f"ATTACH {engine.literal(self.file)} AS store ({mode})")
            except duckdb.Error as error:
                explained = explain(error, settings)
                # Nothing of ours was asked yet: it can only be the file.
                raise explained if isinstance(explained, StoreError) else corrupt(settings) from None
            self._lent = lent.pop_all()

    def join(self, settings: Settings, read_only: bool) -> bool:
        """Whether one more reader may use it: not for ever, others want their turn."""
        alike = read_only and self.read_only and self.file == settings.database
        if not alike:
            # Nobody joins any more: whoever waits for another mode or file is next.
            self.share_until = 0.0
        elif time.monotonic() < self.share_until:
            self.users += 1
            return True
        return False

    def detach(self) -> None:
        """Gives the file back to other programs."""
        try:
            self.anchor.execute("DETACH store")
        except duckdb.Error:
            # An instance that gave up holds the file until it is gone.
            engine.discard()
        self._lent.close()


@contextmanager
def _opened(settings: Settings, *, read_only: bool, give_up: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """The store as the default database of a connection of its own; what was not committed when the
    block ends is rolled back. Raises StoreBusy when it is not to be had by the instant `give_up`."""
    attached = _attach(settings, read_only, give_up)
    try:
        with engine.cursor(attached.anchor) as connection:
            connection.execute("USE store")
            try:
                yield connection
            finally:
                # Also where there is no transaction any more, or no instance.
                with suppress(duckdb.Error):
                    connection.execute("ROLLBACK")
    finally:
        _let_go(attached)


def _attach(settings: Settings, read_only: bool, give_up: float) -> _Attached:
    with _turn:
        while True:
            problem = StoreBusy("busy", BUSY)
            # Threads of this process take turns, each for milliseconds: that is no other program's lock.
            patience = OWN_TURN_S
            try:
                if not _now:
                    _now.append(_Attached(settings, read_only))
                    return _now[0]
                if _now[0].join(settings, read_only):
                    return _now[0]
            except StoreBusy as busy:
                problem, patience = busy, 0.0
            left = give_up + patience - time.monotonic()
            if left <= 0:
                raise problem
            _turn.wait(min(left, _RETRY_S))


def _let_go(attached: _Attached) -> None:
    with _turn:
        attached.users -= 1
        if not attached.users:
            _now.remove(attached)
            attached.detach()
            _turn.notify_all()


def in_use(settings: Settings) -> bool:
    """Whether this process has the store open at this moment: then it can be read."""
    with _turn:
        return bool(_now) and _now[0].file == settings.database


@contextmanager
def reader(settings: Settings, wait_s: float = 1.0) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection. Raises StoreMissing, StoreBusy after `wait_s`, StoreError."""
    _check_file(settings, must_exist=True)
    try:
        with _opened(settings, read_only=True, give_up=time.monotonic() + wait_s) as connection:
            made = schema.found(connection)
            if made is None:
                # Made, but its first transaction never came to its end.
                raise StoreMissing("empty", NOTHING)
            schema.refuse_newer(made[0])
            yield connection
    except duckdb.Error as error:
        raise explain(error, settings) from None


@contextmanager
def writer(
    settings: Settings, wait_s: float = 5.0, quiet: AbstractContextManager[Any] | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The one writer: our lock, a connection, one transaction that commits when the block ends.
    `quiet` is held from when the store is open until it is closed, not while waiting for it.
    Raises StoreBusy after `wait_s`, StoreError when the disk is full or the file is damaged."""
    with _alone(settings, wait_s, quiet) as connection:
        # Leaving without COMMIT rolls back.
        connection.execute("BEGIN")
        yield connection
        points.reach("before_commit")
        connection.execute("COMMIT")
        points.reach("after_commit")


def checkpoint(
    settings: Settings, wait_s: float = 5.0, quiet: AbstractContextManager[Any] | None = None
) -> None:
    """Moves the write-ahead log into the file, so that a run ends with one whole file. Waits, holds
    and raises as `writer` does."""
    with _alone(settings, wait_s, quiet) as connection:
        points.reach("during_checkpoint")
        connection.execute("CHECKPOINT")


@contextmanager
def _alone(
    settings: Settings, wait_s: float, quiet: AbstractContextManager[Any] | None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The one writing connection under our lock; what DuckDB raises comes out explained."""
    give_up = time.monotonic() + wait_s
    lock = lock_path(settings, "store")
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(lock, timeout=wait_s).acquire()
    except Timeout:
        raise StoreBusy("busy", BUSY) from None
    # Left last, when the store is closed.
    with held, ExitStack() as silence:
        _check_file(settings, must_exist=False)
        _make(settings)
        try:
            with _opened(settings, read_only=False, give_up=give_up) as connection:
                silence.enter_context(quiet or nullcontext())
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
        config = {**engine.CONFIG, "default_block_size": BLOCK_SIZE}
        duckdb.connect(str(partial), config=config).close()
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
