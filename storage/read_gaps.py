"""Which days are stored, record by record: what gaps are told from. One pass over each table."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import duckdb

from storage import absent
from storage.tables import CRYPTO_PRICE, PROTOCOL_TVL


@dataclass(frozen=True, slots=True)
class Held:
    """The stored days of one record: from `first` to `last`. `jumps`: neighbours among them that lie more
    than a day apart, ascending; whether there should have been days between them says the calendar.
    `absent`: days of which the upstream has no value."""

    first: date
    last: date
    jumps: tuple[tuple[date, date], ...] = ()
    absent: Collection[date] = ()


def _held(days: str) -> str:
    """`days`: a query of (name, date), each pair once."""
    return (
        f"WITH held AS ({days}), paired AS"
        " (SELECT name, date, lead(date) OVER (PARTITION BY name ORDER BY date) AS later FROM held)"
        " SELECT name, min(date), max(date), list([date, later] ORDER BY date) FILTER (later > date + 1)"
        " FROM paired GROUP BY name"
    )


def held(connection: duckdb.DuckDBPyConnection, least: Mapping[str, int]) -> dict[str, Held]:
    """By series of `observation`, and by name of the tables that hold many rows a day; of those a day counts
    from `least` rows on, by name of the table."""
    found = connection.execute(_held("SELECT series AS name, date FROM observation")).fetchall()
    for table in (CRYPTO_PRICE, PROTOCOL_TVL):
        days = f"SELECT '{table.name}' AS name, date FROM {table.name} GROUP BY date HAVING count(*) >= ?"
        found += connection.execute(_held(days), [least.get(table.name, 1)]).fetchall()
    without = absent.known(connection)
    return {
        str(name): Held(
            first, last, tuple((before, after) for before, after in jumps or ()), without.get(str(name), ())
        )
        for name, first, last, jumps in found
        if first is not None
    }
