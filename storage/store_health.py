"""How the store is: its size, its version, how many rows each table holds, what it has receipts of. Looks
with a reader's connection and never writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from storage import db, read, schema
from storage.settings import Settings


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """`version`: of its tables; `log_bytes`: what is committed and not yet in the file; `written_at`: when
    the file was written last, which is the last checkpoint; `rows` by table."""

    size: int
    log_bytes: int
    version: int
    demo: bool
    created_at: datetime | None
    written_at: datetime
    merged_at: datetime | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    receipts: frozenset[tuple[str, str]] = frozenset()


def look(settings: Settings, wait_s: float = 0.3) -> StoreHealth:
    """Raises StoreMissing, StoreBusy after `wait_s`, StoreError; OSError where the file cannot be seen."""
    with db.reader(settings, wait_s) as connection:
        version, demo = schema.found(connection) or (0, False)
        created = connection.execute("SELECT created_at FROM meta").fetchone()
        merged = connection.execute("SELECT max(committed_at) FROM receipt").fetchone()
        rows, have = _rows(connection), frozenset(read.receipts(connection))
    file = settings.database
    log = file.with_name(file.name + ".wal")
    told = file.stat()
    return StoreHealth(
        told.st_size,
        log.stat().st_size if log.exists() else 0,
        version,
        demo,
        created[0] if created else None,
        datetime.fromtimestamp(told.st_mtime, UTC),
        merged[0] if merged else None,
        rows,
        have,
    )


def _rows(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of every table that is there; those of an older version are fewer."""
    names = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() ORDER BY table_name"
    ).fetchall()
    counted = {}
    for (name,) in names:
        row = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()
        counted[str(name)] = int(row[0]) if row else 0
    return counted
