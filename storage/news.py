"""What the step at the end of the news pipeline reads and writes: stories, names, and the brief itself.

Stories and names are no observation: they are found again from what is stored, so that they are written here
and by no merge.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import duckdb

from storage.clauses import Clause
from storage.merge import quoted
from storage.read import rows
from storage.records import Counts
from storage.tables import BRIEF, NEWS

# How far back a title is read again: publishers correct them.
_AGAIN = "INTERVAL 3 DAY"
# What comes later than this after it was published begins a story of its own.
_LATE = "INTERVAL 30 DAY"
_TOLD = "INTERVAL 48 HOUR"
_RECENT_COINS = 30
BRIEF_STEP = "brief"


@dataclass(frozen=True, slots=True)
class Titles:
    """Titles as (id, published_at, title, story, open): those that are not `open` keep their story, and are
    what others are compared with. `coins` of the record as (id, symbol, name)."""

    titles: Sequence[tuple[str, datetime, str, str | None, bool]] = ()
    coins: Sequence[tuple[str, str, str]] = ()


def titles(connection: duckdb.DuckDBPyConnection) -> Titles:
    """What has to be read for stories and names: all that is new, and the last days again."""
    found = connection.execute(
        "WITH own AS (SELECT id, published_at, title, story FROM news_item WHERE starts_with(id, $news)),"
        " bound AS (SELECT greatest(max(published_at) - "
        + _LATE
        + ", least(max(published_at) - "
        + _AGAIN
        + ","
        "  min(published_at) FILTER (story IS NULL))) AS since FROM own)"
        " SELECT id, published_at, title, if(published_at < since, coalesce(story, id), NULL),"
        "  published_at >= since OR story IS NULL FROM own, bound"
        " WHERE published_at >= since - " + _TOLD + " OR story IS NULL ORDER BY published_at, id",
        {"news": NEWS},
    ).fetchall()
    coins = connection.execute(
        "SELECT coin, arg_max(symbol, date), arg_max(name, date) FROM crypto_price"
        " WHERE date > (SELECT max(date) FROM crypto_price) - ? GROUP BY coin ORDER BY coin",
        [_RECENT_COINS],
    ).fetchall()
    return Titles(found, [coin for coin in coins if all(coin)])


def keep_read(connection: duckdb.DuckDBPyConnection, read: Sequence[Mapping[str, str]]) -> int:
    """Writes {id, story, mentions} where they differ; the number of rows that did."""
    if not read:
        return 0
    done = connection.execute(
        "UPDATE news_item AS t SET story = g.story, mentions = g.mentions"
        " FROM (SELECT unnest(from_json_strict(?,"
        ' \'[{"id": "VARCHAR", "story": "VARCHAR", "mentions": "VARCHAR"}]\'), recursive := TRUE)) AS g'
        " WHERE t.id = g.id AND (t.story IS DISTINCT FROM g.story OR t.mentions IS DISTINCT FROM g.mentions)",
        [json.dumps(list(read), ensure_ascii=False)],
    ).fetchone()
    return int(done[0]) if done else 0


def changed_since_brief(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether anything was merged after the last brief was written."""
    row = connection.execute(
        "SELECT (SELECT max(committed_at) FROM receipt WHERE inserted + updated > 0 AND step <> ?),"
        " (SELECT max(observed_at) FROM brief)",
        [BRIEF_STEP],
    ).fetchone()
    merged, written = row or (None, None)
    return merged is not None and (written is None or merged > written)


# ---------------------------------------------------------------- what a brief is made of


@dataclass(frozen=True, slots=True)
class Material:
    """Rows as dicts, newest first, of what is stored at one instant: the newest day of the index and its
    modules, the coins of their newest day, the last two values of each metric, the stories that somebody
    told in the last day (largest first), the days of the last week without prices, and how many news have a
    time that is ours."""

    index: Mapping[str, Any] | None = None
    modules: Sequence[Mapping[str, Any]] = ()
    coins: Sequence[Mapping[str, Any]] = ()
    metrics: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    stories: Sequence[Mapping[str, Any]] = ()
    missed: Sequence[date] = ()
    undated: int = 0


_METRICS = ("coingecko.btc_dominance", "defillama.total_tvl", "alternative_me.fear_greed_index")
_INDEX = (
    'SELECT date, "index", percentile, band, coverage, set_label, move, coverage_effect, provisional'
    " FROM stress_index ORDER BY date DESC LIMIT 1"
)
_MODULES = (
    "SELECT date, module, score, contribution, move, status FROM stress_module"
    " WHERE date = (SELECT max(date) FROM stress_index) ORDER BY module"
)
_COINS = (
    "SELECT coin, date, symbol, name, rank, price, change_24h, change_7d, provisional FROM crypto_price"
    " WHERE date = (SELECT max(date) FROM crypto_price) AND rank <= 20 ORDER BY rank, coin"
)
_METRIC = (
    "SELECT series, date, value, note, provisional FROM observation"
    " WHERE series IN (?, ?, ?) AND value IS NOT NULL"
    " QUALIFY row_number() OVER (PARTITION BY series ORDER BY date DESC) <= 2 ORDER BY series, date DESC"
)
# Each name once, whoever of a story named it.
NAMED = (
    "trim(array_to_string(list_sort(list_distinct(flatten(list("
    "string_split(coalesce(mentions, ''), ' '))))), ' '))"
)
# The first that told it stands for a story, also where that was before the last day.
_STORIES = (
    "WITH told AS (SELECT *, coalesce(story, id) AS s FROM news_item WHERE starts_with(id, $news)"
    "  AND published_at > $at - INTERVAL 72 HOUR AND published_at <= $at + INTERVAL 10 MINUTE)"
    " SELECT s AS story, arg_min(id, (published_at, id)) AS id, arg_min(title, (published_at, id)) AS title,"
    "  arg_min(link, (published_at, id)) AS link, arg_min(outlet, (published_at, id)) AS outlet,"
    "  arg_min(topics, (published_at, id)) AS topics,"
    f"  {NAMED} AS mentions,"
    "  count(*) AS items, count(DISTINCT outlet) AS outlets, max(published_at) AS newest"
    " FROM told GROUP BY s HAVING max(published_at) > $at - INTERVAL 24 HOUR"
    " ORDER BY outlets DESC, items DESC, newest DESC, story"
)
_MISSED = (
    "SELECT CAST(day AS DATE) FROM (SELECT max(date) AS newest, min(date) AS oldest FROM crypto_price),"
    " generate_series(greatest(newest - 7, oldest), newest, INTERVAL 1 DAY) AS days(day)"
    " WHERE CAST(day AS DATE) NOT IN (SELECT date FROM crypto_price) ORDER BY 1"
)
_UNDATED = (
    "SELECT count(*) FROM news_item WHERE starts_with(id, $news) AND provisional"
    " AND published_at > $at - INTERVAL 24 HOUR"
)


def material(connection: duckdb.DuckDBPyConnection, at: datetime) -> Material:
    """What the brief of the instant `at` is made of."""
    own = {"news": NEWS, "at": at}
    metrics: dict[str, list[dict[str, Any]]] = {}
    for row in rows(connection, _METRIC, _METRICS):
        metrics.setdefault(row["series"], []).append(row)
    undated = connection.execute(_UNDATED, own).fetchone()
    stories = connection.execute(_STORIES, own)
    names = [column[0] for column in stories.description or ()]
    told = [dict(zip(names, row, strict=True)) for row in stories.fetchall()]
    return Material(
        next(iter(rows(connection, _INDEX)), None),
        rows(connection, _MODULES),
        rows(connection, _COINS),
        metrics,
        told,
        [row[0] for row in connection.execute(_MISSED).fetchall()],
        int(undated[0]) if undated else 0,
    )


# ---------------------------------------------------------------- the brief as it is kept


def _as_row(n: int, clause: Clause) -> tuple[object, ...]:
    values, key = (json.dumps(one, ensure_ascii=False, sort_keys=True) for one in (clause.values, clause.key))
    return (n, clause.part, clause.message, values, clause.table, key, clause.link)


def keep_brief(
    connection: duckdb.DuckDBPyConnection,
    day: date,
    clauses: Sequence[Clause],
    provenance: Mapping[str, object],
) -> Counts:
    """Makes the brief of a day say what `clauses` say, with its receipt; one that says so already is left
    as it is."""
    columns = [name for name, _ in BRIEF.columns if name != "date"]
    query = f"SELECT {quoted(columns)} FROM brief WHERE date = ? ORDER BY n"
    before = {row[0]: row for row in connection.execute(query, [day]).fetchall()}
    now = {n: _as_row(n, clause) for n, clause in enumerate(clauses, 1)}
    inserted = len(now.keys() - before.keys())
    same = sum(before.get(n) == row for n, row in now.items())
    counts = Counts(len(now), inserted, len(now) - inserted - same, same)
    if before != now:
        connection.execute("DELETE FROM brief WHERE date = ?", [day])
        extra = list(provenance)
        marks = ", ".join("?" * (1 + len(columns) + len(extra)))
        for row in now.values():
            connection.execute(
                f"INSERT INTO brief ({quoted(['date', *columns, *extra])}) VALUES ({marks})",
                [day, *row, *provenance.values()],
            )
    _write_receipt(connection, counts, provenance)
    return counts


def _write_receipt(
    connection: duckdb.DuckDBPyConnection, counts: Counts, provenance: Mapping[str, object]
) -> None:
    given = {
        "run_id": provenance["run_id"], "step": BRIEF_STEP, "table_name": BRIEF.name,
        "fetched": counts.fetched, "inserted": counts.inserted, "updated": counts.updated,
        "unchanged": counts.unchanged, "duplicate": 0, "rejected": 0,
        "committed_at": provenance["observed_at"], "source": provenance["source"],
        "observed_at": provenance["observed_at"], "provisional": False,
    }  # fmt: skip
    connection.execute(
        f"INSERT INTO receipt ({quoted(list(given))}) VALUES ({', '.join('?' * len(given))})"
        " ON CONFLICT DO NOTHING",
        list(given.values()),
    )
