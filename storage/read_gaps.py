"""Which days are stored, record by record: what gaps are told from. One pass over each table.

A table of many rows a day (coins, protocols) has a day when a collection saw it whole. Of the days between,
what a backfill filled in counts row by row: one that was killed half-way has not filled its days.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

import duckdb

from storage import absent
from storage.tables import CRYPTO_PRICE, NEWS, PAST, PROTOCOL_TVL, Table

TABLES: tuple[Table, ...] = (CRYPTO_PRICE, PROTOCOL_TVL)
_NONE: frozenset[str] = frozenset()
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Items:
    """The items (coins, protocols) of a table. `seen`: days that a collection saw whole, ascending;
    `stored`: items by day, of every day that is asked for; `absent`: days of which the upstream has no value,
    by item."""

    seen: Sequence[date]
    stored: Mapping[date, Collection[str]]
    absent: Mapping[str, Collection[date]] = field(default_factory=dict)

    def expected(self, day: date) -> Collection[str]:
        """Of a day that was not seen whole: the items of the last day before it that was, and of the first
        one after it."""
        at = bisect_left(self.seen, day)
        beside = self.seen[max(0, at - 1) : at + 1] if at else self.seen[:1]
        return frozenset[str]().union(*map(self._listed, beside))

    def _listed(self, day: date) -> Collection[str]:
        """The items of a day that was seen, and those that its upstream still dated by the day before."""
        own, before = self.stored.get(day, _NONE), day - _DAY
        at = bisect_left(self.seen, before)
        late = at == len(self.seen) or self.seen[at] != before
        return frozenset(own).union(self.stored.get(before, _NONE)) if late else own

    def lacking(self, day: date) -> frozenset[str]:
        """The items that should have a row of that day, and have none."""
        missing = frozenset(self.expected(day)).difference(self.stored.get(day, _NONE))
        return frozenset(item for item in missing if day not in self.absent.get(item, ()))


@dataclass(frozen=True, slots=True)
class Held:
    """The stored days of one record: from `first` to `last`. `jumps`: neighbours among them that lie more
    than a day apart, ascending; whether there should have been days between them says the calendar.
    `absent`: days of which the upstream has no value. `items`: of a table with many rows a day."""

    first: date
    last: date
    jumps: tuple[tuple[date, date], ...] = ()
    absent: Collection[date] = ()
    items: Items | None = None


def _held(days: str) -> str:
    """`days`: a query of (name, date), each pair once."""
    return (
        f"WITH held AS ({days}), paired AS"
        " (SELECT name, date, lead(date) OVER (PARTITION BY name ORDER BY date) AS later FROM held)"
        " SELECT name, min(date), max(date), list([date, later] ORDER BY date) FILTER (later > date + 1)"
        " FROM paired GROUP BY name"
    )


def held(
    connection: duckdb.DuckDBPyConnection, least: Mapping[str, int], since: date | None = None
) -> dict[str, Held]:
    """By series of `observation`, and by name of the tables that hold many rows a day; of those a day counts
    from `least` rows on, by name of the table. `since`: what the items had from then on is told too, where
    the record begins later."""
    without = absent.known(connection)
    found = connection.execute(_held("SELECT series AS name, date FROM observation")).fetchall()
    records = {
        str(name): Held(
            first, last, tuple((before, after) for before, after in jumps or ()), without.get(str(name), ())
        )
        for name, first, last, jumps in found
        if first is not None
    }
    for table in TABLES:
        record = _of_table(connection, table, least.get(table.name, 1), without, since)
        if record is not None:
            records[table.name] = record
    return records


def _of_table(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    least: int,
    without: Mapping[str, Collection[date]],
    since: date | None,
) -> Held | None:
    seen = [
        row[0]
        for row in connection.execute(
            f"SELECT date FROM {table.name} GROUP BY date"
            f" HAVING count(*) FILTER (NOT ends_with(source, '{PAST}')) >= ? ORDER BY date",
            [least],
        ).fetchall()
    ]
    if not seen:
        return None
    jumps = tuple((before, after) for before, after in pairwise(seen) if (after - before).days > 1)
    first = min(since, seen[0]) if since else seen[0]
    beside = _beside(seen, jumps)
    prefix = f"{table.name}."
    items = Items(
        seen,
        _stored(connection, table, seen, beside, first),
        {name.removeprefix(prefix): days for name, days in without.items() if name.startswith(prefix)},
    )
    return Held(seen[0], seen[-1], jumps, items=items)


def _beside(seen: Sequence[date], jumps: Iterable[tuple[date, date]]) -> list[date]:
    """Days that were seen whole and lie beside others: what these should have is told from them."""
    return sorted({day for jump in jumps for day in jump} | {seen[0], seen[-1]})


def _stored(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    seen: Sequence[date],
    beside: Sequence[date],
    first: date,
) -> dict[date, set[str]]:
    """Items by day: of the days `beside`, and of every one since `first` that was not seen whole."""
    key = table.key[0]
    rows = connection.execute(
        f"SELECT date, {key} FROM {table.name} WHERE date >= ? AND (date IN (SELECT unnest(?::DATE[]))"
        " OR date NOT IN (SELECT unnest(?::DATE[])))",
        [first, list(beside), list(seen)],
    ).fetchall()
    found: dict[date, set[str]] = {}
    for day, item in rows:
        found.setdefault(day, set()).add(str(item))
    return found


def rows_of(
    connection: duckdb.DuckDBPyConnection, table: Table, items: Collection[str]
) -> dict[str, dict[date, dict[str, object]]]:
    """The stored rows of items by day, without provenance, oldest first; the items as they stand in the
    newest list: the largest first."""
    key, names = table.key[0], [name for name, _kind in table.columns]
    size = "market_cap" if "market_cap" in names else "tvl"
    answer = connection.execute(
        f"SELECT {', '.join(names)} FROM {table.name} WHERE {key} IN (SELECT unnest(?)) ORDER BY date",
        [sorted(items)],
    ).fetchall()
    found: dict[str, dict[date, dict[str, object]]] = {}
    for values in answer:
        row = dict(zip(names, values, strict=True))
        found.setdefault(str(row[key]), {})[row["date"]] = row

    def size_of(item: str) -> float:
        return float(str(found[item][max(found[item])][size] or 0))

    return {item: found[item] for item in sorted(found, key=size_of, reverse=True)}


def states(connection: duckdb.DuckDBPyConnection, first: date) -> dict[str, dict[date, str]]:
    """What is stored of every day from `first` on: `collected`, `filled` by a backfill, or `provisional`; by
    series, by table of many rows a day, and of texts by table or source (the days of publication, UTC)."""
    word = (
        "CASE WHEN bool_or(provisional) THEN 'provisional'"
        f" WHEN bool_and(ends_with(source, '{PAST}')) THEN 'filled' ELSE 'collected' END"
    )
    found = connection.execute(
        f"SELECT series, date, {word} FROM observation WHERE date >= ? GROUP BY series, date", [first]
    ).fetchall()
    for table in TABLES:
        found += connection.execute(
            f"SELECT '{table.name}', date, {word} FROM {table.name} WHERE date >= ? GROUP BY date", [first]
        ).fetchall()
    # A store that no run of this version has opened yet has not got these.
    with suppress(duckdb.CatalogException):
        found += connection.execute(
            f"SELECT if(starts_with(id, '{NEWS}'), 'news.feeds', 'feeds.headlines') AS name,"
            " CAST(published_at AS DATE) AS day, 'collected' FROM news_item WHERE published_at >= ?"
            " GROUP BY name, day UNION ALL"
            " SELECT 'fed_speech', CAST(published_at AS DATE) AS day, 'collected' FROM fed_speech"
            " WHERE published_at >= ? GROUP BY day",
            [first, first],
        ).fetchall()
    told: dict[str, dict[date, str]] = {}
    for name, day, state in found:
        told.setdefault(str(name), {})[day] = str(state)
    return told
