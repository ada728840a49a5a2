"""What our merge is measured beside: dlt's merge into DuckDB and SQLite's upsert, of `crypto_price`."""

import os
import sqlite3
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from _measure import ended

from storage.tables import CRYPTO_PRICE, RECEIPT, Table
from storage.texts import _

Tuples = Sequence[tuple[object, ...]]
# Of each batch its step and its rows.
Batches = Sequence[tuple[str, Tuples]]
# SQLite has no type for them.
AS_TEXT = ("DATE", "TIMESTAMPTZ")
# Enough for a table of a million rows.
_CACHE_KB = 400_000


def main(bounds: Callable[[Namespace], Sequence[bool]], given: Namespace) -> int:
    """`ended`, where dlt is installed; else 2."""
    if find_spec("dlt") is None:
        print(_("dlt is not installed. Install it: {command}").format(
            command=f'{sys.executable} -m pip install "dlt[duckdb]==1.31.0"'
        ), file=sys.stderr)  # fmt: skip
        return 2
    return ended(bounds, given)


# ---------------------------------------------------------------- dlt


def prepare_dlt(folder: Path) -> None:
    """Read when dlt is imported: no word to its makers, no progress lines, no settings of this machine."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["DLT_DATA_DIR"] = str(folder / "data")
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"


def pipeline(folder: Path) -> Any:
    """A pipeline into a DuckDB file, both in this folder."""
    import dlt

    return dlt.pipeline(
        "bench",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(folder / "dlt.duckdb")),
        dataset_name="bench",
    )


def resource(rows: Sequence[Any]) -> Any:
    """Rows (dicts, or one Arrow table) that are merged by key: one MERGE, which is quicker with it than
    its deleting and inserting."""
    import dlt

    return dlt.resource(
        rows,
        name=CRYPTO_PRICE.name,
        write_disposition={"disposition": "merge", "strategy": "upsert"},
        primary_key=CRYPTO_PRICE.key,
        columns=hints(CRYPTO_PRICE),
    )


def hints(table: Table) -> Sequence[Mapping[str, Any]]:
    """The columns of a table in dlt's words: one of nothing but NULL has no type that could be guessed."""
    words = {"DOUBLE": "double", "VARCHAR": "text", "DATE": "date", "INTEGER": "bigint", "BOOLEAN": "bool"}
    return [
        {"name": name, "data_type": words.get(kind, "timestamp"), "nullable": name not in table.key}
        for name, kind in table.all_columns
    ]


# ---------------------------------------------------------------- SQLite


def _create(table: Table) -> str:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in table.all_columns)
    return f"CREATE TABLE IF NOT EXISTS {table.name} ({columns}, PRIMARY KEY ({', '.join(table.key)}))"


def sqlite(folder: Path) -> sqlite3.Connection:
    """The SQLite file of this folder, with its tables, in its quickest mode that keeps the file whole."""
    connection = sqlite3.connect(folder / "prices.sqlite", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"cache_size=-{_CACHE_KB}"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    for table in (CRYPTO_PRICE, RECEIPT):
        connection.execute(_create(table))
    return connection


_UPSERT = (
    f"INSERT INTO {CRYPTO_PRICE.name} VALUES ({', '.join('?' * len(CRYPTO_PRICE.all_columns))})"
    f" ON CONFLICT ({', '.join(CRYPTO_PRICE.key)}) DO UPDATE SET "
    + ", ".join(
        f'"{name}" = excluded."{name}"'
        for name, _kind in CRYPTO_PRICE.all_columns
        if name not in CRYPTO_PRICE.key
    )
)


def upsert(connection: sqlite3.Connection, batches: Batches) -> None:
    """One transaction: the rows of each batch and its receipt, unless there is one."""
    connection.execute("BEGIN IMMEDIATE")
    for step, rows in batches:
        if not connection.execute(f"SELECT 1 FROM {RECEIPT.name} WHERE step = ?", (step,)).fetchall():
            connection.executemany(_UPSERT, rows)
            connection.execute(
                f"INSERT INTO {RECEIPT.name} (run_id, step, table_name, fetched) VALUES (?, ?, ?, ?)",
                ("bench", step, CRYPTO_PRICE.name, len(rows)),
            )
    connection.execute("COMMIT")


def one_transaction(folder: Path, batches: Batches) -> None:
    """What ours does too: open, merge each with a receipt, commit, close."""
    with closing(sqlite(folder)) as connection:
        upsert(connection, batches)


def tuples(rows: Sequence[Mapping[str, object]]) -> Tuples:
    """Rows as SQLite takes them: days and instants as text."""
    return [
        tuple(str(row[name]) if kind in AS_TEXT else row[name] for name, kind in CRYPTO_PRICE.all_columns)
        for row in rows
    ]
