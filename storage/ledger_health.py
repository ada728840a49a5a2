"""How the ledger is: whether SQLite finds its file whole, which runs it holds for living, how the last days
went. Only reads: also a row whose process is gone stays as it is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from storage import clock
from storage.ledger_file import exists, path, reading
from storage.ledger_read import live
from storage.records import RunRecord
from storage.settings import Settings

# More is not told of a damaged file: one is enough to know.
_FAULTS = 5


@dataclass(frozen=True, slots=True)
class LedgerHealth:
    """`faults`: what SQLite found wrong with the file; `open`: runs that are said to live."""

    size: int
    runs: int
    steps: int
    faults: tuple[str, ...] = ()
    open: tuple[RunRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """How one start ended for a pipeline."""

    at: datetime
    outcome: str
    reason: str | None = None

    @property
    def good(self) -> bool:
        """What was to be had was collected, or was there already."""
        return self.outcome in ("ok", "partial") or self.reason == "fresh"


def look(settings: Settings) -> LedgerHealth | None:
    """None where no ledger is yet. Raises sqlite3.Error."""
    if not exists(settings):
        return None
    with reading(settings) as db:
        assert db is not None
        told = [str(row[0]) for row in db.execute(f"PRAGMA quick_check({_FAULTS})")]
        runs = db.execute("SELECT count(*) FROM run").fetchone()[0]
        steps = db.execute("SELECT count(*) FROM step").fetchone()[0]
        held = tuple(live(db))
    faults = tuple(" ".join(one.split()) for one in told if one != "ok")
    return LedgerHealth(path(settings).stat().st_size, runs, steps, faults, held)


def starts(settings: Settings, since: datetime) -> Mapping[str, list[Day]]:
    """What came of every start since then, by pipeline, oldest first; without those that found another run
    under way. Raises sqlite3.Error."""
    found: dict[str, list[Day]] = {}
    with reading(settings) as db:
        rows = (
            db.execute(
                "SELECT pipelines, outcomes, state, reason, queued_at FROM run WHERE queued_at >= ?"
                " AND coalesce(reason, '') <> 'busy' ORDER BY queued_at, rowid",
                (clock.stamp(since),),
            ).fetchall()
            if db is not None
            else []
        )
    for row in rows:
        outcomes, at = json.loads(row["outcomes"]), clock.parse(row["queued_at"])
        for name in json.loads(row["pipelines"]):
            found.setdefault(name, []).append(Day(at, outcomes.get(name, row["state"]), row["reason"]))
    return found


def since_when(settings: Settings, pipeline: str) -> tuple[datetime | None, datetime | None]:
    """When a pipeline first ran, and when last with success; None: never. Raises sqlite3.Error."""
    query = (
        "SELECT min(queued_at) AS began, max(queued_at) FILTER (WHERE reason = 'fresh' OR"
        " json_extract(outcomes, '$.' || :name) IN ('ok', 'partial')) AS good FROM run"
        " WHERE coalesce(reason, '') <> 'busy'"
        " AND EXISTS (SELECT 1 FROM json_each(run.pipelines) WHERE value = :name)"
    )
    with reading(settings) as db:
        row = db.execute(query, {"name": pipeline}).fetchone() if db is not None else None
    if row is None:
        return None, None
    first, good = row["began"], row["good"]
    return (clock.parse(first) if first else None), (clock.parse(good) if good else None)
