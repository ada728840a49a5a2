"""What the StressIndex is computed of, as arrays, and where its history is kept; no pandas, few copies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from storage.merge import quoted
from storage.tables import NEWS, Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Days = NDArray[np.int64]
    Values = NDArray[np.float64]


class Column(NamedTuple):
    """One stored series: days (proleptic ordinals, ascending), values, and whether the newest day of it
    is still open."""

    days: "Days"
    values: "Values"
    open: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """What was observed: series by name; headlines as (id, feed, published_at, title); speeches as
    (published_at, words, tone, stance, lexicon_version, id), oldest first; days that were published,
    with the names of their sets."""

    series: Mapping[str, Column]
    titles: Sequence[tuple[str, str, datetime, str]]
    speeches: Sequence[tuple[datetime, int, float, float | None, str, str]]
    published: Sequence[tuple[date, str | None]]


# Day 1 of `date.toordinal`.
_FIRST = "DATE '0001-01-01'"


def observed(connection: duckdb.DuckDBPyConnection, prefixes: Sequence[str]) -> Stored:
    """Everything that the index may be made of; `prefixes` of the names of its series."""
    wanted = " OR ".join("starts_with(series, ?)" for _ in prefixes)
    where = f"FROM observation WHERE value IS NOT NULL AND ({wanted})"
    # The names apart from the values: as many texts as there are rows would be a hundred megabytes.
    names = connection.execute(
        f"SELECT series, count(*), arg_max(provisional, date) {where} GROUP BY series ORDER BY series",
        list(prefixes),
    ).fetchall()
    found = connection.execute(
        f"SELECT CAST(date - {_FIRST} AS BIGINT) + 1 AS day, value {where} ORDER BY series, date",
        list(prefixes),
    ).fetchnumpy()
    return Stored(
        _columns(names, found),
        # What it counts are its own headlines: more desks would be another index.
        connection.execute(
            "SELECT id, feed, published_at, title FROM news_item WHERE NOT starts_with(id, ?) ORDER BY 3, 1",
            [NEWS],
        ).fetchall(),
        connection.execute(
            "SELECT published_at, words, tone, stance, lexicon_version, id FROM fed_speech ORDER BY 1, 6"
        ).fetchall(),
        connection.execute("SELECT date, set_label FROM stress_index ORDER BY date").fetchall(),
    )


def _columns(names: Sequence[tuple[str, int, bool]], found: Mapping[str, Any]) -> dict[str, Column]:
    import numpy as np

    days, values = np.asarray(found["day"], np.int64), np.asarray(found["value"], np.float64)
    columns, first = {}, 0
    for name, count, still_open in names:
        columns[name] = Column(days[first : first + count], values[first : first + count], bool(still_open))
        first += count
    return columns


def speech_texts(connection: duckdb.DuckDBPyConnection, version: str) -> dict[str, str]:
    """Texts of speeches that were counted with the lists of another version, by id."""
    found = connection.execute(
        "SELECT id, text FROM fed_speech WHERE lexicon_version IS DISTINCT FROM ?", [version]
    ).fetchall()
    return dict(found)


def keep_history(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    columns: Mapping[str, Any],
    provenance: Mapping[str, object],
) -> int:
    """Makes a replay table say what `columns` say (NumPy arrays by column; days as ordinals, NaN for
    none): rows that differ are replaced, rows that are gone deleted, equal ones stay as they are. Gives
    the number of rows that were written."""
    connection.register("given", dict(columns))
    try:
        shaped = ", ".join(_shaped(name, kind) for name, kind in table.columns)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE computed AS SELECT {shaped} FROM given")
    finally:
        connection.unregister("given")
    key = " AND ".join(f't."{name}" = c."{name}"' for name in table.key)
    differs = " OR ".join(f't."{name}" IS DISTINCT FROM c."{name}"' for name in table.values)
    connection.execute(f"DELETE FROM {table.name} t WHERE NOT EXISTS (SELECT 1 FROM computed c WHERE {key})")
    names = [name for name, _ in table.columns]
    extra = list(provenance)
    sets = ", ".join(
        [f'"{name}" = c."{name}"' for name in table.values] + [f'"{name}" = ?' for name in extra]
    )
    values = list(provenance.values())
    written = connection.execute(
        f"MERGE INTO {table.name} AS t USING computed AS c ON {key}"
        f" WHEN MATCHED AND ({differs}) THEN UPDATE SET {sets}"
        f" WHEN NOT MATCHED THEN INSERT ({quoted([*names, *extra])})"
        f" VALUES ({quoted(names, 'c.')}, {', '.join('?' * len(extra))})",
        [*values, *values],
    ).fetchone()
    connection.execute("DROP TABLE computed")
    return int(written[0]) if written else 0


def _shaped(name: str, kind: str) -> str:
    if kind == "DATE":
        return f'CASE WHEN "{name}" > 0 THEN {_FIRST} + CAST("{name}" - 1 AS INTEGER) END AS "{name}"'
    if kind == "DOUBLE":
        return f'CASE WHEN isnan("{name}") THEN NULL ELSE "{name}" END AS "{name}"'
    return f'nullif(CAST("{name}" AS {kind}), \'\') AS "{name}"' if kind == "VARCHAR" else f'"{name}"'
