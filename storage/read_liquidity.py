"""Every question that the Liquidity page asks of the store, in one read: index, parts, opinions, words.

Frames are kept in memory until the ledger says that something was merged, as those of `read.frames`.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

import duckdb

from storage import clock, db, kept
from storage.read import frame
from storage.settings import Settings
from storage.tables import NEWS

if TYPE_CHECKING:
    import pandas as pd

RECENT_DAYS = 90
TEXTS = 200


@dataclass(frozen=True, slots=True)
class Liquidity:
    """The liquidity record as data frames, and what was in the way of reading it.

    days: one row a trading day, ascending: date, index, index_market_only, percentile (0 to 100), band,
    coverage (0 to 1), set_label, move, coverage_effect (points against the day before), alerts (lists of
    [kind, about, points]), published (False: computed later over history), first_index,
    first_percentile, first_seen, versions and provenance · modules: date, module, score (0 to 100), weight
    (0 to 1), contribution, move (points), status · inputs: those of the newest day: date, input, module,
    raw, percentile, as_of, age (trading days), status, weight, contribution and provenance · recent: date,
    input, raw, percentile of the last 90 days · heat: weekly means: date (Friday), input, percentile ·
    shown: observations that are shown and not scored · series: their titles and units · speeches,
    headlines: newest first, without texts · revisions: final values of FRED, Yahoo, OFR and of the index
    that were replaced. Dates are datetime64, instants aware UTC.
    """

    days: "pd.DataFrame"
    modules: "pd.DataFrame"
    inputs: "pd.DataFrame"
    recent: "pd.DataFrame"
    heat: "pd.DataFrame"
    shown: "pd.DataFrame"
    series: "pd.DataFrame"
    speeches: "pd.DataFrame"
    headlines: "pd.DataFrame"
    revisions: "pd.DataFrame"
    read_at: datetime
    problem: db.StoreError | None = None

    @property
    def empty(self) -> bool:
        """There is no index of any day, and nothing else to show."""
        return self.days.empty and self.shown.empty and self.speeches.empty


_INDEX = (
    'date, "index", index_market_only, percentile, band, coverage, set_label, move, coverage_effect, alerts,'
    " weights_version, lexicon_version, source, run_id, observed_at, provisional"
)
_SHOWN = (
    "'fred.WALCL', 'fred.WTREGEN', 'fred.RRPONTSYD', 'fred.WRESBAL', 'fred.RPONTSYD', 'fred.WLCFLPCL',"
    " 'fred.T10Y3M', 'fred.NFCI', 'fred.STLFSI4', 'ofr.fsi'"
)


def _both(table: str) -> str:
    """Rows of what was published, and of the days that were not those of the replay."""
    return (
        f"(SELECT * FROM stress_{table} UNION ALL BY NAME SELECT * FROM stress_replay_{table}"
        " WHERE date NOT IN (SELECT date FROM stress_index))"
    )


_QUERIES = {
    "days": f"SELECT {_INDEX}, TRUE AS published, first_index, first_percentile, first_seen FROM stress_index"
    f" UNION ALL SELECT {_INDEX}, FALSE, NULL, NULL, NULL FROM stress_replay"
    " WHERE date NOT IN (SELECT date FROM stress_index) ORDER BY date",
    "modules": "SELECT date, module, score, weight, contribution, move, status, source, run_id, observed_at"
    f" FROM {_both('module')} ORDER BY date",
    "inputs": f"SELECT * FROM {_both('input')} WHERE date = (SELECT max(date) FROM {_both('module')})",
    "recent": f"SELECT date, input, raw, percentile FROM {_both('input')}"
    f" WHERE date >= (SELECT min(date) FROM (SELECT DISTINCT date FROM stress_replay ORDER BY date DESC"
    f" LIMIT {RECENT_DAYS})) ORDER BY date",
    "heat": "SELECT CAST(date_trunc('week', date) AS DATE) + 4 AS date, input, avg(percentile) AS percentile"
    f" FROM {_both('input')} GROUP BY 1, 2 ORDER BY 1, 2",
    "shown": f"SELECT * FROM observation WHERE series IN ({_SHOWN}) ORDER BY series, date",
    "series": "SELECT * FROM series ORDER BY series",
    "speeches": f"SELECT * EXCLUDE (text) FROM fed_speech ORDER BY published_at DESC, id LIMIT {TEXTS}",
    "headlines": f"SELECT * FROM news_item WHERE NOT starts_with(id, '{NEWS}')"
    f" ORDER BY published_at DESC, id LIMIT {TEXTS}",
    "revisions": "SELECT * FROM revision WHERE NOT was_provisional AND (table_name = 'stress_index' OR"
    " (table_name = 'observation' AND regexp_matches(key, '\"(fred|yahoo|ofr)\\.')))"
    " ORDER BY known_at",
}
_kept: dict[str, tuple[str, Liquidity]] = {}
_guard = Lock()


def liquidity(settings: Settings, wait_s: float = 0.3) -> Liquidity:
    """The record, read once after every merge and kept for all sessions of the process. While the store
    is locked or damaged the last good frames serve, with `problem` saying why."""
    return kept.serve(_kept, _guard, settings, lambda: _read(settings, wait_s), nothing)


def _read(settings: Settings, wait_s: float) -> Liquidity:
    try:
        with db.reader(settings, wait_s) as connection:
            found: dict[str, Any] = {name: frame(connection, query) for name, query in _QUERIES.items()}
    except duckdb.CatalogException:
        # A store that no run of this version has opened yet has none of these tables.
        return nothing()
    found["days"] = found["days"].assign(
        alerts=[json.loads(text or "[]") for text in found["days"]["alerts"]]
    )
    return Liquidity(**found, read_at=clock.now())


def nothing() -> Liquidity:
    """The record of a store in which no liquidity was collected."""
    import pandas as pd

    def columns(*names: str) -> "pd.DataFrame":
        return pd.DataFrame({name: [] for name in names})

    provenance = ("source", "run_id", "observed_at")
    index = [name.strip(' "') for name in _INDEX.split(",")]
    return Liquidity(
        days=columns(*index, "published", "first_index", "first_percentile", "first_seen"),
        modules=columns("date", "module", "score", "weight", "contribution", "move", "status", *provenance),
        inputs=columns(
            *(
                "date",
                "input",
                "module",
                "raw",
                "percentile",
                "as_of",
                "age",
                "status",
                "weight",
                "contribution",
            ),
            *provenance,
        ),
        recent=columns("date", "input", "raw", "percentile"),
        heat=columns("date", "input", "percentile"),
        shown=columns("series", "date", "value", "note", *provenance, "provisional"),
        series=columns(
            "series", "title", "unit", "frequency", "upstream", "url", "licence", "restates", "source"
        ),
        speeches=columns(
            "id", "published_at", "feed", "speaker", "title", "link", "tone", "stance", "words", *provenance
        ),
        headlines=columns("id", "published_at", "feed", "title", "link", "topics", "tone", *provenance),
        revisions=columns("table_name", "key", "known_at", "replaced", "source", "run_id"),
        read_at=clock.now(),
    )
