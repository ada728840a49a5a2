"""Every question that the News page asks of the store, and the brief that the Overview shows as well.

Kept in memory until the ledger says that something was merged, as the frames of `read.frames`. Titles,
outlets and links are hostile text: whoever draws them escapes them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

import duckdb

from storage import clock, db, kept
from storage.clauses import Clause
from storage.news import NAMED
from storage.read import frame, rows
from storage.settings import Settings
from storage.tables import BY_NAME, FED_SPEECH, NEWS, NEWS_ITEM

if TYPE_CHECKING:
    import pandas as pd

ITEMS, SPEECHES = 500, 50
STORY_DAYS = 7


@dataclass(frozen=True, slots=True)
class Brief:
    """The newest brief: of which day, written when and by which run, and its sentences in order; `day` None
    where there is none yet. `rows`: for each sentence where the row that it tells of comes from (source,
    observed_at, run_id), None where it tells of none. `told`: how many stories are on record."""

    day: date | None = None
    written_at: datetime | None = None
    run_id: str | None = None
    clauses: tuple[Clause, ...] = ()
    rows: tuple[Mapping[str, Any] | None, ...] = ()
    told: int = 0
    problem: db.StoreError | None = None


@dataclass(frozen=True, slots=True)
class News:
    """The news as data frames, newest first, and what was in the way of reading them.

    items: the newest 500: id, published_at, feed, outlet, title, link, topics (words separated by spaces, see
    collectors.news.topics.TITLES), tone (above 0: of trouble), story (id of the first that told it), mentions
    (tickers and `coin:<id>`, separated by spaces), provisional (the time is ours), provenance ·
    stories: those of the last 7 days on record, folded: story, id, published_at, title, link, outlet, topics,
    provisional of the first that told it; newest (published_at of the last), items, outlets (counts),
    outlet_names (separated by " · "), mentions, tone (mean) · speeches: the newest 50, without texts.
    Instants are aware UTC.
    """

    items: "pd.DataFrame"
    stories: "pd.DataFrame"
    speeches: "pd.DataFrame"
    brief: Brief
    read_at: datetime
    problem: db.StoreError | None = None

    @property
    def empty(self) -> bool:
        """Nothing was ever collected."""
        return self.items.empty and self.speeches.empty and not self.brief.clauses


_OWN = f"starts_with(id, '{NEWS}')"
_FIRST = ", ".join(
    f"arg_min({name}, (published_at, id)) AS {name}"
    for name in ("id", "title", "link", "outlet", "topics", "provisional")
)
_QUERIES = {
    "items": f"SELECT * REPLACE (coalesce(story, id) AS story) FROM news_item WHERE {_OWN}"
    f" ORDER BY published_at DESC, id LIMIT {ITEMS}",
    "stories": f"WITH own AS (SELECT *, coalesce(story, id) AS told FROM news_item WHERE {_OWN})"
    f" SELECT told AS story, min(published_at) AS first_at, {_FIRST}, max(published_at) AS newest,"
    "  count(*) AS items, count(DISTINCT outlet) AS outlets,"
    "  string_agg(DISTINCT outlet, ' · ' ORDER BY outlet) AS outlet_names,"
    f"  {NAMED} AS mentions, avg(tone) AS tone"
    f" FROM own WHERE published_at > (SELECT max(published_at) FROM own) - INTERVAL {STORY_DAYS} DAY"
    " GROUP BY told ORDER BY newest DESC, story",
    "speeches": f"SELECT * EXCLUDE (text) FROM fed_speech ORDER BY published_at DESC, id LIMIT {SPEECHES}",
}
_kept: dict[str, tuple[str, News]] = {}
_briefs: dict[str, tuple[str, Brief]] = {}
_guard = Lock()


def news(settings: Settings, wait_s: float = 0.3) -> News:
    """The record, read once after every merge and kept for all sessions of the process. While the store
    is locked or damaged the last good frames serve, with `problem` saying why."""
    return kept.serve(_kept, _guard, settings, lambda: _read(settings, wait_s), nothing)


def brief(settings: Settings, wait_s: float = 0.3) -> Brief:
    """The newest brief, kept and served as `news` is; needs no pandas."""

    def read() -> Brief:
        with db.reader(settings, wait_s) as connection:
            return newest_brief(connection)

    return kept.serve(_briefs, _guard, settings, read, Brief)


def newest_brief(connection: duckdb.DuckDBPyConnection) -> Brief:
    """The brief of the newest day; an empty one in a store that no run of this version has opened yet."""
    try:
        found = rows(connection, "SELECT * FROM brief WHERE date = (SELECT max(date) FROM brief) ORDER BY n")
        told = rows(
            connection, f"SELECT count(DISTINCT coalesce(story, id)) AS n FROM news_item WHERE {_OWN}"
        )
    except (duckdb.CatalogException, duckdb.BinderException):
        return Brief()
    if not found:
        return Brief(told=told[0]["n"])
    said = tuple(_clause(row) for row in found)
    behind = tuple(_row(connection, clause) for clause in said)
    first = found[0]
    return Brief(first["date"], first["observed_at"], first["run_id"], said, behind, told[0]["n"])


def _row(connection: duckdb.DuckDBPyConnection, clause: Clause) -> Mapping[str, Any] | None:
    """Where the row behind a sentence comes from; a sentence may be of a table, or of a day, as a whole."""
    table = BY_NAME.get(clause.table)
    if table is None or set(clause.key) != set(table.key):
        return None
    fits = " AND ".join(f"{name} = ?" for name in table.key)
    query = f"SELECT source, observed_at, run_id FROM {table.name} WHERE {fits}"
    return next(iter(rows(connection, query, [clause.key[name] for name in table.key])), None)


def _clause(row: Mapping[str, Any]) -> Clause:
    return Clause(
        row["part"],
        row["message"],
        json.loads(row["values"]),
        row["table_name"] or "",
        json.loads(row["row_key"]),
        row["link"],
    )


def _read(settings: Settings, wait_s: float) -> News:
    try:
        with db.reader(settings, wait_s) as connection:
            found: dict[str, Any] = {name: frame(connection, query) for name, query in _QUERIES.items()}
            brief = newest_brief(connection)
    except (duckdb.CatalogException, duckdb.BinderException):
        # A store that no run of this version has opened yet has not got these tables and columns.
        return nothing()
    stories = found["stories"].rename(columns={"first_at": "published_at"})
    return News(found["items"], stories, found["speeches"], brief, clock.now())


def nothing() -> News:
    """The record of a store in which no news were collected."""
    import pandas as pd

    def columns(*names: str) -> "pd.DataFrame":
        return pd.DataFrame({name: [] for name in names})

    own = ("story", "published_at", "id", "title", "link", "outlet", "topics", "provisional", "newest")
    return News(
        columns(*(name for name, _ in NEWS_ITEM.all_columns)),
        columns(*own, "items", "outlets", "outlet_names", "mentions", "tone"),
        columns(*(name for name, _ in FED_SPEECH.all_columns if name != "text")),
        Brief(),
        clock.now(),
    )
