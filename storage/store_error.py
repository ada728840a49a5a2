"""Why a store or a ledger cannot be used, in words that say what to do."""

import errno
import sqlite3
from typing import ClassVar

import duckdb

from storage.settings import Settings
from storage.texts import N_

FULL = N_("The disk is full. Free some space, then run again.")
BUSY = N_("Another run is writing to the store. The next run merges what was collected.")
NOTHING = N_("Nothing has been collected yet.")
BUG = N_("The program stumbled over {error}. The log has the place; old values stay.")
# The operating systems' numbers for a disk, a quota or a limit that is full.
NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
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


class Stumbled(StoreError):
    """Neither disk nor lock nor file: a fault of this program."""

    kind: ClassVar[str] = "bug"


def explain(error: duckdb.Error, settings: Settings) -> StoreError | duckdb.Error:
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
    return corrupt(settings)


def corrupt(settings: Settings) -> StoreError:
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
    # A file of 0 bytes is a database without a table.
    if number in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "no such" in str(error):
        return StoreError(
            "corrupt", N_("The ledger cannot be read. Move ledger.sqlite aside; nothing was deleted.")
        )
    return StoreError(
        "unexpected",
        N_("The ledger in {folder} cannot be written ({reason}). Set COLLECTOR_HOME to a folder that can."),
        folder=str(settings.home),
        reason=str(error),
    )


def file_problem(settings: Settings, error: OSError) -> StoreError:
    """What it means for a person that a file or folder cannot be used."""
    if error.errno in NO_ROOM:
        return StoreError("full", FULL)
    return StoreError(
        "unexpected",
        N_("{file} cannot be used ({reason}). Change its permissions, or set COLLECTOR_HOME."),
        file=str(error.filename or settings.home),
        reason=error.strerror or type(error).__name__,
    )


def explained(settings: Settings, error: Exception) -> StoreError:
    """Any error that ended something, in words for a person."""
    if isinstance(error, duckdb.Error):
        error = explain(error, settings)
    if isinstance(error, sqlite3.Error):
        error = ledger_problem(settings, error)
    if isinstance(error, OSError):
        error = file_problem(settings, error)
    return error if isinstance(error, StoreError) else Stumbled("unexpected", BUG, error=type(error).__name__)
