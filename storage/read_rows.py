"""The record as rows for programs: what `/api/v1` and nobody else asks of store and ledger.

Store: open, one query, close. Values are plain: numbers or None (never NaN), days and instants as text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from math import isfinite
from typing import Any

import duckdb

from storage import clock, db, ledger_file, ledger_read, tables, vintages
from storage.records import RunRecord
from storage.settings import Settings
from storage.tables import (
    CHECK_RESULT,
    CRYPTO_PRICE,
    NEWS_ITEM,
    OBSERVATION,
    PROTOCOL_TVL,
    PROVENANCE,
    STRESS_INDEX,
    STRESS_REPLAY,
    Table,
)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """What may be asked for. `columns` are (name, DuckDB type) as this version makes them; `day` is the
    date or instant that `from` and `to` bound; `order` follows it; `only` is the column that is filtered;
    `where` holds of every row."""

    name: str
    table: str
    columns: tuple[tuple[str, str], ...]
    day: str
    order: tuple[str, ...] = ()
    only: str | None = None
    where: str = "TRUE"
    # Of which it can be told how it stood at an instant.
    revised: Table | None = None

    @property
    def instants(self) -> bool:
        """Whether `day` is an instant, whose UTC day counts."""
        return dict(self.columns)[self.day] == "TIMESTAMPTZ"


@dataclass(frozen=True, slots=True)
class Asked:
    """Days inclusive; `limit` keeps the newest; `only`: values of the filtered column, empty for all;
    `known_at` (aware): as the record stood then, of kinds that are `revised`; `among`: other columns, as
    the program names them, with the values that they may have (empty for all)."""

    since: date | None = None
    until: date | None = None
    limit: int = 1000
    only: Sequence[str] = ()
    known_at: datetime | None = None
    among: Sequence[tuple[str, Sequence[str]]] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Rows, ascending. `texts`: the columns that hold text; `truncated`: there are older ones."""

    columns: tuple[str, ...]
    rows: Sequence[Row] = ()
    texts: frozenset[str] = field(default_factory=frozenset)
    truncated: bool = False


def _kind(name: str, table: Table, day: str = "date", only: str | None = None) -> Kind:
    return Kind(name, table.name, table.all_columns, day, tuple(k for k in table.key if k != day), only)


_METRIC = (
    ("date", "DATE"),
    ("total_tvl", "DOUBLE"),
    ("fear_greed_index", "DOUBLE"),
    ("fear_greed_label", "VARCHAR"),
    ("btc_dominance", "DOUBLE"),
    *PROVENANCE,
)
PRICES = replace(_kind("crypto_prices", CRYPTO_PRICE, only="coin"), revised=CRYPTO_PRICE)
METRICS = Kind("crypto_metrics", "crypto_metric", _METRIC, "date")
PROTOCOLS = replace(_kind("crypto_protocols", PROTOCOL_TVL, only="protocol"), revised=PROTOCOL_TVL)
INDEX = _kind("liquidity_index", STRESS_INDEX)
REPLAY = _kind("liquidity_index", STRESS_REPLAY)
OBSERVATIONS = replace(_kind("liquidity_observations", OBSERVATION, only="series"), revised=OBSERVATION)
CHECKS = _kind("collector_checks", CHECK_RESULT, day="observed_at", only="run_id")
# The others are the headlines that the StressIndex counts.
_OWN = f"starts_with(id, '{tables.NEWS}')"
NEWS = replace(_kind("news", NEWS_ITEM, day="published_at"), where=_OWN)


def rows(settings: Settings, kind: Kind, asked: Asked, wait_s: float = 0.5) -> Found:
    """The newest rows that fit, oldest first; none where nothing was collected yet, or by no version of
    this program that knew the table. Raises StoreBusy after `wait_s`, StoreError."""
    nothing = Found(tuple(name for name, _type in kind.columns))
    query, values = _query(kind, asked)
    try:
        with db.reader(settings, wait_s) as connection:
            answer = connection.execute(query, values)
            return _found(answer, asked.limit)
    except (db.StoreMissing, duckdb.CatalogException):
        return nothing


def _query(kind: Kind, asked: Asked) -> tuple[str, list[object]]:
    """One more than the limit is read: that is how it is known that there are more."""
    where = [kind.where]
    values: list[object] = []
    table = kind.table
    if asked.known_at and kind.revised:
        table = vintages.known_at(kind.revised)
        values.append(asked.known_at)
    if asked.since:
        where.append(f"{kind.day} >= ?")
        values.append(_start(kind, asked.since))
    # After the last day that a date can name there is nothing to leave out.
    if asked.until and asked.until < date.max:
        where.append(f"{kind.day} < ?")
        values.append(_start(kind, asked.until + timedelta(days=1)))
    if asked.only and kind.only:
        where.append(f"list_contains(?, {kind.only})")
        values.append(list(asked.only))
    for column, wanted in asked.among:
        if wanted:
            where.append(f"list_contains(?, {column})")
            values.append(list(wanted))
    order = (kind.day, *kind.order)
    newest = ", ".join(f"{name} DESC" for name in order)
    kept = f"FROM {table} WHERE {' AND '.join(where)} ORDER BY {newest} LIMIT ?"
    query = f"FROM ({kept}) ORDER BY {', '.join(order)}"
    return query, [*values, asked.limit + 1]


def _start(kind: Kind, day: date) -> date | datetime:
    return datetime.combine(day, time(), UTC) if kind.instants else day


def _found(answer: duckdb.DuckDBPyConnection, limit: int) -> Found:
    described = [(str(column[0]), str(column[1])) for column in answer.description or ()]
    plain = [_PLAIN.get(kind, _same) for _name, kind in described]
    read = answer.fetchall()
    kept = read[-limit:]
    names = tuple(name for name, _kind in described)
    found = [{name: turn(value) for name, turn, value in zip(names, plain, row, strict=True)} for row in kept]
    texts = frozenset(name for name, kind in described if kind == "VARCHAR")
    return Found(names, found, texts, len(read) > limit)


def _same(value: Any) -> Any:
    return value


def _number(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _instant(value: datetime | None) -> str | None:
    return clock.stamp(value) if value else None


_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "DOUBLE": _number,
    "FLOAT": _number,
    "DATE": _day,
    "TIMESTAMP WITH TIME ZONE": _instant,
}


# ---------------------------------------------------------------- of the ledger


class UnknownCursor(Exception):
    """The cursor names no run."""


def runs(
    settings: Settings, limit: int, pipeline: str | None, state: str | None, after: str | None
) -> tuple[list[RunRecord], str | None]:
    """A page of runs, newest first, and the cursor of the next one: the last run_id of this one, None
    where there is no more. Raises UnknownCursor, sqlite3.Error."""
    where, values = ["TRUE"], []
    if pipeline:
        where.append("EXISTS (SELECT 1 FROM json_each(run.pipelines) WHERE value=?)")
        values.append(pipeline)
    if state:
        where.append("state=?")
        values.append(state)
    with ledger_file.reading(settings) as ledger:
        if ledger is None:
            return [], None
        if after is not None:
            if not ledger.execute("SELECT 1 FROM run WHERE run_id=?", (after,)).fetchone():
                raise UnknownCursor
            where.append("(queued_at, rowid) < (SELECT queued_at, rowid FROM run WHERE run_id=?)")
            values.append(after)
        query = (
            f"{ledger_read.WITH_COUNTS} WHERE {' AND '.join(where)}"
            " ORDER BY queued_at DESC, rowid DESC LIMIT ?"
        )
        found = [ledger_read.run_of(row) for row in ledger.execute(query, (*values, limit + 1))]
    page = found[:limit]
    return page, (page[-1].run_id if len(found) > limit else None)


def run_states(settings: Settings) -> dict[str, int]:
    """How many runs the ledger holds, by state."""
    with ledger_file.reading(settings) as ledger:
        if ledger is None:
            return {}
        counted = ledger.execute("SELECT state, count(*) AS n FROM run GROUP BY state ORDER BY state")
        return {str(row["state"]): int(row["n"]) for row in counted}
