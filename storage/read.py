"""Every question that collection, pages or the API may ask of the store.

`rows()` gives dicts and needs no pandas; `frames()` gives data frames for pages, kept in memory
until the ledger says that something was merged, so that a page is drawn without opening the store.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

import duckdb

from storage import clock, db, exchange, kept, ledger, vintages
from storage.settings import Settings
from storage.tables import CRYPTO_PRICE, NEWS, OBSERVATION, PROTOCOL_TVL, Table

if TYPE_CHECKING:
    import pandas as pd

HISTORY_DAYS = 365
_RECENT_DAYS = 7
# What an answer is compared with, day by day: as much as any source reads again, and more.
_WINDOW_DAYS = 60
# Of how many steps the usual count of rows is the middle, and over how long the share of NULLs is taken.
_COUNTED, _MONTH_DAYS = 20, 30
_NEWEST = "newest"


def rows(
    connection: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()
) -> list[dict[str, Any]]:
    """The rows of a query as dicts."""
    answer = connection.execute(query, list(values))
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


# ---------------------------------------------------------------- for collection


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest value of something: of which day, and the upstream's instant at which it was so."""

    day: date
    value: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What a run needs to know of the store before it asks the upstreams.

    `newest`: newest day by table name, or by series within `observation`. `last`: newest value by
    (table, column) and key; of observations by series. `recent`: values of the last two months of
    each series of observations, by day. `unsealed`: provisional rows by table. `ids`:
    identities by table, for those that have one. `seen`: the newest value of each series of observations.
    `counts`: how many rows a step usually brings (median of its last twenty, of five at least);
    `nulls`: the share of NULL in the last month by (table, column).
    """

    newest: Mapping[str, date] = field(default_factory=dict)
    last: Mapping[tuple[str, str], Mapping[str, float]] = field(default_factory=dict)
    unsealed: Mapping[str, Sequence[dict[str, Any]]] = field(default_factory=dict)
    recent: Mapping[str, Mapping[date, float]] = field(default_factory=dict)
    ids: Mapping[str, frozenset[str]] = field(default_factory=dict)
    seen: Mapping[str, Seen] = field(default_factory=dict)
    counts: Mapping[str, float] = field(default_factory=dict)
    nulls: Mapping[tuple[str, str], float] = field(default_factory=dict)


def newest_days(connection: duckdb.DuckDBPyConnection) -> dict[str, date]:
    """Newest stored day by table (of those with an `id`: of publication, UTC), by series of
    `observation`, and of headlines and news, which share a table, by source."""
    found = connection.execute(
        "SELECT 'crypto_price', max(date) FROM crypto_price UNION ALL"
        " SELECT 'protocol_tvl', max(date) FROM protocol_tvl UNION ALL"
        " SELECT series, max(date) FROM observation GROUP BY series"
    ).fetchall()
    # A store that no run of this version has opened yet has not got these.
    with suppress(duckdb.CatalogException):
        found += connection.execute(
            f"SELECT if(starts_with(id, '{NEWS}'), 'news.feeds', 'feeds.headlines'),"
            " max(CAST(published_at AS DATE)) FROM news_item GROUP BY 1 UNION ALL"
            " SELECT 'fed_speech', max(CAST(published_at AS DATE)) FROM fed_speech"
        ).fetchall()
    return {str(name): day for name, day in found if day is not None}


def known(connection: duckdb.DuckDBPyConnection, today: date) -> Known:
    """See Known; `today` bounds how old a value may be that new ones are compared with."""
    last: dict[tuple[str, str], dict[str, float]] = {}
    since = today - timedelta(days=_RECENT_DAYS)
    for table, column, key in (("crypto_price", "price", "coin"), ("protocol_tvl", "tvl", "protocol")):
        found = connection.execute(
            f"SELECT {key}, arg_max({column}, date) FROM {table} WHERE date >= ? GROUP BY {key}", [since]
        ).fetchall()
        last[(table, column)] = {str(name): float(value) for name, value in found if value is not None}
    newest = connection.execute(
        "SELECT series, max(date), arg_max(value, date), arg_max(observed_at, date) FROM observation"
        " WHERE value IS NOT NULL GROUP BY series"
    ).fetchall()
    seen = {str(name): Seen(day, float(value), at) for name, day, value, at in newest}
    last[("observation", "value")] = {name: one.value for name, one in seen.items()}
    recent: dict[str, dict[date, float]] = {}
    for name, day, value in connection.execute(
        "SELECT o.series, o.date, o.value FROM observation o"
        " JOIN (SELECT series, max(date) AS newest FROM observation GROUP BY series) m ON m.series = o.series"
        " WHERE o.value IS NOT NULL AND o.date >= m.newest - ?",
        [_WINDOW_DAYS],
    ).fetchall():
        recent.setdefault(str(name), {})[day] = float(value)
    unsealed = {
        "crypto_price": rows(
            connection,
            "SELECT * EXCLUDE (source, run_id, observed_at, provisional) FROM crypto_price"
            " WHERE provisional AND date < ?",
            [today],
        )
    }
    ids = {
        table: frozenset(str(row[0]) for row in connection.execute(f"SELECT id FROM {table}").fetchall())
        for table in ("fed_speech",)
    }
    counts, nulls = _usual_counts(connection), _null_shares(connection, today)
    return Known(newest_days(connection), last, unsealed, recent, ids, seen, counts, nulls)


def _usual_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
    found = connection.execute(
        "SELECT step, median(n) FROM (SELECT step, inserted + updated + unchanged AS n FROM receipt"
        " QUALIFY row_number() OVER (PARTITION BY step ORDER BY committed_at DESC) <= ?)"
        " GROUP BY step HAVING count(*) >= ?",
        [_COUNTED, _COUNTED // 4],
    ).fetchall()
    return {str(step): float(n) for step, n in found}


def _null_shares(connection: duckdb.DuckDBPyConnection, today: date) -> dict[tuple[str, str], float]:
    shares: dict[tuple[str, str], float] = {}
    for table in (CRYPTO_PRICE, PROTOCOL_TVL):
        counted = ", ".join(f'count("{name}")' for name in table.values)
        total, *there = connection.execute(
            f"SELECT count(*), {counted} FROM {table.name} WHERE date >= ?",
            [today - timedelta(days=_MONTH_DAYS)],
        ).fetchall()[0]
        if total:
            shares |= {(table.name, name): 1 - n / total for name, n in zip(table.values, there, strict=True)}
    return shares


def receipts(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """(run_id, step) of everything that was merged."""
    return {
        (str(run), str(step))
        for run, step in connection.execute("SELECT run_id, step FROM receipt").fetchall()
    }


# ---------------------------------------------------------------- as it was known


def as_known_at(
    connection: duckdb.DuckDBPyConnection, series: str, instant: datetime
) -> Sequence[dict[str, object]]:
    """A series of observations as it was known at an instant (aware), oldest first: series, date, value, note
    and provenance, `observed_at` being since when that value was known."""
    query = f"SELECT * FROM {vintages.known_at(OBSERVATION)} WHERE series = ? ORDER BY date"
    return rows(connection, query, [instant, series])


# ---------------------------------------------------------------- for status


@dataclass(frozen=True, slots=True)
class Stored:
    """What freshness needs: the newest day by table or series, and whether the store could be read."""

    newest: Mapping[str, date]
    problem: db.StoreError | None = None


def stored(settings: Settings, wait_s: float = 1.0) -> Stored:
    """Newest days; where the store cannot be read, those of the last good look of this process or of
    the last run, and the problem with them."""
    key = (str(settings.database), ledger.merge_mark(settings))
    remembered = _stored.get(key[0])
    if remembered and remembered[0] == key[1]:
        return Stored(remembered[1])
    try:
        with db.reader(settings, wait_s) as connection:
            newest = newest_days(connection)
    except db.StoreMissing:
        return Stored({})
    except db.StoreError as problem:
        known = _recalled(settings)
        for name, day in (remembered[1] if remembered else {}).items():
            known[name] = max(day, known.get(name, day))
        return Stored(known, problem)
    _stored[key[0]] = (key[1], newest)
    return Stored(newest)


def remember(settings: Settings) -> None:
    """Keeps the newest days in the ledger, for whoever finds the store locked: at the end of a run."""
    found = stored(settings, wait_s=0.0)
    if found.problem is None and found.newest:
        days = {name: day.isoformat() for name, day in found.newest.items()}
        ledger.remember(settings, _NEWEST, json.dumps({"file": str(settings.database), "days": days}))


def _recalled(settings: Settings) -> dict[str, date]:
    kept = json.loads(ledger.recall(settings, _NEWEST) or "{}")
    if kept.get("file") != str(settings.database):
        return {}
    return {name: date.fromisoformat(day) for name, day in kept["days"].items()}


def probe(settings: Settings) -> str:
    """Whether the store can be read at this moment: `ok`, `missing`, or the code of what is in the
    way (`busy`, `corrupt`, …). Asks the file itself: what is remembered would hide a lock."""
    if db.in_use(settings):
        # A page that reads it at this moment is in nobody's way.
        return "ok"
    try:
        with db.reader(settings, wait_s=0.0):
            return "ok"
    except db.StoreMissing:
        return "missing"
    except db.StoreError as problem:
        return problem.code


_stored: dict[str, tuple[str, dict[str, date]]] = {}


# ---------------------------------------------------------------- for pages


@dataclass(frozen=True, slots=True)
class Frames:
    """The crypto record as data frames, and what was in the way of reading it.

    prices: coin, date, symbol, name, rank, price, market_cap, volume, change_24h, change_7d,
    change_30d and provenance · metrics: date, total_tvl, fear_greed_index, fear_greed_label,
    btc_dominance and provenance · protocols: protocol, date, name, category, tvl, change_1d,
    change_7d and provenance · observations: the rows behind the metrics, one a series and date ·
    revisions: final values that were replaced (table_name, key, known_at, replaced) · rates: won for one
    dollar, the rows of both series that `storage.exchange` chooses from.
    Dates are datetime64; `read_at` is when these frames were read, aware UTC.
    """

    prices: "pd.DataFrame"
    metrics: "pd.DataFrame"
    protocols: "pd.DataFrame"
    observations: "pd.DataFrame"
    revisions: "pd.DataFrame"
    rates: "pd.DataFrame"
    read_at: datetime
    problem: db.StoreError | None = None

    @property
    def empty(self) -> bool:
        """Nothing was ever collected."""
        return self.prices.empty and self.metrics.empty and self.protocols.empty


_QUERIES = {
    "prices": "SELECT * FROM crypto_price ORDER BY date, rank",
    "metrics": "SELECT * FROM crypto_metric ORDER BY date",
    "protocols": "SELECT * FROM protocol_tvl ORDER BY date, tvl DESC",
    "observations": "SELECT * FROM observation WHERE series IN ('defillama.total_tvl',"
    " 'alternative_me.fear_greed_index', 'coingecko.btc_dominance') ORDER BY series, date",
    "revisions": "SELECT * FROM revision WHERE NOT was_provisional"
    " AND table_name IN ('crypto_price', 'protocol_tvl', 'observation') ORDER BY known_at",
    "rates": exchange.QUERY,
}

# Those that NumPy would give a type without a sign for "missing".
_HELD = {"VARCHAR": "str", "INTEGER": "Int32", "BIGINT": "Int64", "BOOLEAN": "boolean"}
_kept: dict[str, tuple[str, Frames]] = {}
_guard = Lock()


def frames(settings: Settings, wait_s: float = 0.3) -> Frames:
    """The record, read once after every merge and kept for all sessions of the process. While the
    store is locked or damaged the last good frames serve, with `problem` saying why."""
    return kept.serve(_kept, _guard, settings, lambda: _read_frames(settings, wait_s), _no_frames)


def frame(connection: duckdb.DuckDBPyConnection, query: str, given: Sequence[object] = ()) -> "pd.DataFrame":
    """A query's rows as a frame. DuckDB's own `df()` warns with pandas 3, and gives a column
    another type when it has no row."""
    import numpy as np
    import pandas as pd

    answer = connection.execute(query, list(given))
    kinds = {name: str(kind) for name, kind, *_rest in answer.description or ()}
    columns: dict[str, pd.Series[Any]] = {}
    for name, values in answer.fetchnumpy().items():
        array = np.ma.asarray(values)
        missing = np.ma.getmaskarray(array)
        column = pd.Series(array.data, dtype=_HELD.get(kinds[name]))
        if missing.any():
            column = column.mask(missing)
        columns[name] = column.dt.tz_localize("UTC") if "TIME ZONE" in kinds[name] else column
    return pd.DataFrame(columns)


def _read_frames(settings: Settings, wait_s: float) -> Frames:
    with db.reader(settings, wait_s) as connection:
        found = {name: frame(connection, query) for name, query in _QUERIES.items()}
    return Frames(
        found["prices"],
        found["metrics"],
        found["protocols"],
        found["observations"],
        found["revisions"],
        found["rates"],
        clock.now(),
    )


def _no_frames() -> Frames:
    import pandas as pd

    def columns(table: Table) -> "pd.DataFrame":
        return pd.DataFrame({name: [] for name, _ in table.all_columns})

    metrics = pd.DataFrame(
        {name: [] for name in ("date", "total_tvl", "fear_greed_index", "fear_greed_label", "btc_dominance")}
    )
    prices, protocols, observations = (columns(table) for table in (CRYPTO_PRICE, PROTOCOL_TVL, OBSERVATION))
    rates = columns(OBSERVATION)
    return Frames(prices, metrics, protocols, observations, pd.DataFrame(), rates, clock.now())
