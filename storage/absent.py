"""Days of which an upstream that gives its whole past has no value: no gaps of ours."""

from collections.abc import Iterable
from datetime import date, datetime

import duckdb

from storage.tables import ABSENT


def keep(
    connection: duckdb.DuckDBPyConnection,
    days: Iterable[tuple[str, date]],
    source: str,
    run_id: str,
    at: datetime,
) -> None:
    """Remembers (series, day) pairs, those that are known already as they are."""
    rows = list(days)
    if rows:
        # One statement: row by row a year of days would take longer than its prices.
        connection.execute(
            f"INSERT INTO {ABSENT.name} SELECT unnest(?), unnest(?::DATE[]), ?, ?, ?, FALSE"
            " ON CONFLICT DO NOTHING",
            [[series for series, _day in rows], [day for _series, day in rows], source, run_id, at],
        )


def known(connection: duckdb.DuckDBPyConnection) -> dict[str, set[date]]:
    """By series; nothing in a store that no run of this version has opened yet."""
    try:
        found = connection.execute(f"SELECT series, date FROM {ABSENT.name}").fetchall()
    except duckdb.CatalogException:
        return {}
    days: dict[str, set[date]] = {}
    for series, day in found:
        days.setdefault(str(series), set()).add(day)
    return days
