"""What a run does to the store besides merging: days that are over are sealed, old traces forgotten."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import duckdb

from storage.merge import REPLAYABLE, quoted
from storage.tables import SERIES, Table

KEEP_PROVISIONAL_REVISIONS = timedelta(days=90)
KEEP_CHECK_RESULTS = timedelta(days=400)


def seal(
    connection: duckdb.DuckDBPyConnection, table: Table, before: date, series: Sequence[str] | None = None
) -> int:
    """Rows of days before `before` become final as they are: value and `observed_at` stay.
    `series` limits it within `observation`. Gives the number of rows sealed."""
    where, values = "provisional AND date < ?", [before]
    if series is not None:
        where += f" AND series IN ({', '.join('?' * len(series))})"
    sealed = connection.execute(
        f"UPDATE {table.name} SET provisional = FALSE WHERE {where}", [*values, *(series or ())]
    ).fetchone()
    return int(sealed[0]) if sealed else 0


def prune(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Forgets what is kept for a time only: intraday revisions, old sightings, what checks found."""
    connection.execute(
        "DELETE FROM revision WHERE was_provisional AND known_at < ?", [now - KEEP_PROVISIONAL_REVISIONS]
    )
    connection.execute("DELETE FROM sighting WHERE seen_at < ?", [now - REPLAYABLE - timedelta(days=1)])
    connection.execute("DELETE FROM check_result WHERE observed_at < ?", [now - KEEP_CHECK_RESULTS])


def describe(
    connection: duckdb.DuckDBPyConnection, rows: Sequence[Sequence[object]], run_id: str, now: datetime
) -> None:
    """Keeps the `series` table in step with the program: `rows` as SERIES.columns plus the source."""
    names = [name for name, _ in SERIES.columns]
    have = {
        tuple(row)
        for row in connection.execute(f"SELECT {quoted([*names, 'source'])} FROM series").fetchall()
    }
    changed = (*names[1:], "source", "run_id", "observed_at")
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in changed)
    for row in rows:
        if tuple(row) not in have:
            connection.execute(
                f"INSERT INTO series VALUES ({', '.join('?' * len(SERIES.all_columns))})"
                f" ON CONFLICT DO UPDATE SET {sets}",
                [*row, run_id, now, False],
            )
