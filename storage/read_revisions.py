"""What sources revised, for pages: single values with what they were, restated series a line a vintage; and
one series as it was known at an instant.

Frames are kept in memory until the ledger says that something was merged, as those of `read.frames`.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

import duckdb

from storage import clock, db, kept
from storage.read import frame
from storage.settings import Settings
from storage.tables import CRYPTO_PRICE, OBSERVATION, PROTOCOL_TVL, STRESS_INDEX, Table
from storage.vintages import known_at

if TYPE_CHECKING:
    import pandas as pd

# So many series as of an instant are kept for who looks at them again.
_LOOKS = 32


@dataclass(frozen=True, slots=True)
class Revised:
    """single: a line for each value that another one replaced, newest first: table_name, upstream, series (or
    coin, protocol), date, old, new, change (new − old), known_at (since when the old one was known),
    replaced_at (since when the new one is; none where that is not known), final (the day was over), old_run,
    new_run; of a value that was replaced twice two lines · vintages: a line for each that a restated series
    replaced, newest first: upstream, series, vintage (when it was collected), replaced_at, changed (values),
    held (values of the days from first to last), largest (change), first, last (days of those that changed),
    run_id. Dates are datetime64, instants aware UTC."""

    single: "pd.DataFrame"
    vintages: "pd.DataFrame"
    read_at: datetime
    problem: db.StoreError | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One series of observations: `today`, and `then`, as it was known at an instant; oldest first, without
    missing values: date, value and provenance."""

    today: "pd.DataFrame"
    then: "pd.DataFrame"
    problem: db.StoreError | None = None


# Of each table: what a row is told by, the value that is told, its upstream.
_TOLD: tuple[tuple[Table, str, str, str], ...] = (
    (OBSERVATION, "series", "value", "split_part(name, '.', 1)"),
    (CRYPTO_PRICE, "coin", "price", "'coingecko'"),
    (PROTOCOL_TVL, "protocol", "tvl", "'defillama'"),
    (STRESS_INDEX, "", "index", "'stress_index'"),
)


def _single(table: Table, name: str, value: str, upstream: str, open_days: bool) -> str:
    """The lines of one table: its stored row ends the chain of what stood before."""
    told = f"key ->> '{name}'" if name else f"'{table.name}'"
    same = " AND ".join(
        f"t.\"{one}\" = CAST((k.key ->> '{one}') AS {_kind(table, one)})" for one in table.key
    )
    which = f"table_name = '{table.name}' AND (key ->> 'date') IS NOT NULL"
    return (
        f"WITH k AS (SELECT DISTINCT key FROM revision WHERE {which}"
        f"  {'' if open_days else 'AND NOT was_provisional'}), chain AS ("
        f" SELECT key, known_at, CAST((replaced ->> '{value}') AS DOUBLE) AS value, was_provisional, run_id,"
        f"  FALSE AS stands FROM revision JOIN k USING (key) WHERE {which}"
        f' UNION ALL SELECT k.key, t.observed_at, t."{value}", t.provisional, t.run_id, TRUE'
        f"  FROM k JOIN {table.name} t ON {same}),"
        # A change of another column of the row is none of this value.
        " marked AS (SELECT *, value IS DISTINCT FROM lag(value) OVER w OR row_number() OVER w = 1 AS changed"
        "  FROM chain WINDOW w AS (PARTITION BY key ORDER BY stands, known_at)),"
        " paired AS (SELECT *, lead(value) OVER w AS new, lead(known_at) OVER w AS until, lead(run_id) OVER w"
        "  AS new_run, max(CASE WHEN changed THEN known_at END) OVER w AS since FROM marked"
        "  WINDOW w AS (PARTITION BY key ORDER BY stands, known_at))"
        f" SELECT '{table.name}' AS table_name, {told} AS name, CAST((key ->> 'date') AS DATE) AS date,"
        " value AS old, new, since AS known_at, CASE WHEN until > known_at THEN until END AS replaced_at,"
        " NOT was_provisional AS final, run_id AS old_run, new_run,"
        f" {upstream} AS upstream FROM paired"
        " WHERE NOT stands AND value IS NOT NULL AND value IS DISTINCT FROM new"
        f" {'' if open_days else 'AND NOT was_provisional'}"
    )


def _kind(table: Table, column: str) -> str:
    return dict(table.columns)[column]


def single(open_days: bool = False) -> str:
    """All lines of `Revised.single` as SQL; `open_days`: also what changed before its day was over, which
    is kept for 90 days."""
    parts = " UNION ALL ".join(f"({_single(*told, open_days)})" for told in _TOLD)
    return (
        "SELECT table_name, upstream, name AS series, date, old, new, new - old AS change, known_at,"
        f" replaced_at, final, old_run, new_run FROM ({parts})"
        " ORDER BY coalesce(replaced_at, known_at) DESC, table_name, series, date DESC, known_at DESC"
    )


# What changed is kept with the vintage; how many values those days hold is as many as they did: a series
# that restates its past has no days that come later.
VINTAGES = (
    "SELECT split_part(key ->> 'series', '.', 1) AS upstream, key ->> 'series' AS series,"
    " observed_at AS vintage, known_at AS replaced_at, CAST((replaced ->> 'changed') AS BIGINT) AS changed,"
    " (SELECT count(*) FROM observation o WHERE o.series = (r.key ->> 'series') AND o.date BETWEEN"
    "  CAST((r.replaced ->> 'first') AS DATE) AND CAST((r.replaced ->> 'last') AS DATE)) AS held,"
    " CAST((replaced ->> 'largest') AS DOUBLE) AS largest, CAST((replaced ->> 'first') AS DATE) AS \"first\","
    " CAST((replaced ->> 'last') AS DATE) AS \"last\", run_id FROM revision r"
    " WHERE table_name = 'observation' AND (key ->> 'vintage') IS NOT NULL"
    " ORDER BY replaced_at DESC, series"
)
_kept: dict[bool, dict[str, tuple[str, Revised]]] = {False: {}, True: {}}
_looks: "OrderedDict[tuple[str, datetime | None], dict[str, tuple[str, Series]]]" = OrderedDict()
_guard = Lock()


def revised(settings: Settings, open_days: bool = False, wait_s: float = 0.3) -> Revised:
    """What was revised, read once after every merge and kept for all sessions of the process; `problem` says
    why the store cannot be read now."""
    return kept.serve(
        _kept[open_days], _guard, settings, lambda: _read(settings, open_days, wait_s), _no_revisions
    )


def series(settings: Settings, name: str, instant: datetime | None, wait_s: float = 0.3) -> Series:
    """A series as it stands and as it was known at an instant (aware; None: now), kept as `revised` is."""
    with _guard:
        held = _looks.setdefault((name, instant), {})
        _looks.move_to_end((name, instant))
        while len(_looks) > _LOOKS:
            _looks.popitem(last=False)
    return kept.serve(
        held, _guard, settings, lambda: _read_series(settings, name, instant, wait_s), _no_series
    )


def _read(settings: Settings, open_days: bool, wait_s: float) -> Revised:
    try:
        with db.reader(settings, wait_s) as connection:
            return Revised(frame(connection, single(open_days)), frame(connection, VINTAGES), clock.now())
    except duckdb.CatalogException:
        # A store that no run of this version has opened yet has none of these tables.
        return _no_revisions()


def _read_series(settings: Settings, name: str, instant: datetime | None, wait_s: float) -> Series:
    columns = "date, value, source, run_id, observed_at, provisional"
    where = "WHERE series = ? AND value IS NOT NULL ORDER BY date"
    with db.reader(settings, wait_s) as connection:
        today = frame(connection, f"SELECT {columns} FROM observation {where}", [name])
        if instant is None:
            return Series(today, today)
        query = f"SELECT {columns} FROM {known_at(OBSERVATION)} {where}"
        return Series(today, frame(connection, query, [instant, name]))


def _no_revisions() -> Revised:
    import pandas as pd

    single, vintages = (
        pd.DataFrame({name: [] for name in names.split()})
        for names in (
            "table_name upstream series date old new change known_at replaced_at final old_run new_run",
            "upstream series vintage replaced_at changed held largest first last run_id",
        )
    )
    return Revised(single, vintages, clock.now())


def _no_series() -> Series:
    import pandas as pd

    names = ("date", "value", "source", "run_id", "observed_at", "provisional")
    none = pd.DataFrame({name: [] for name in names})
    return Series(none, none)
