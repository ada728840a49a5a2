"""What earlier runs tried in vain: which days of a source a backfill of what failed is for."""

from collections.abc import Mapping
from datetime import date

from storage.ledger_file import reading
from storage.ledger_memo import kept
from storage.settings import Settings

# Who started a run that fills days in later: it says nothing of how the daily collection does.
BACKFILL = "backfill"


@kept
def failures(settings: Settings) -> Mapping[str, frozenset[date]]:
    """UTC days on which a source was asked and no step of it came to a good end, by source."""
    query = (
        "SELECT source, substr(started_at, 1, 10) AS day FROM step"
        " WHERE source IS NOT NULL AND started_at IS NOT NULL AND state NOT IN ('running', 'skipped')"
        " GROUP BY source, day HAVING sum(state = 'ok') = 0"
    )
    found: dict[str, set[date]] = {}
    with reading(settings) as db:
        for row in db.execute(query) if db is not None else ():
            found.setdefault(row["source"], set()).add(date.fromisoformat(row["day"]))
    return {source: frozenset(days) for source, days in found.items()}


@kept
def failed_steps(settings: Settings) -> frozenset[str]:
    """Steps of backfills whose newest attempt failed."""
    query = (
        "SELECT step FROM (SELECT step.step, step.state, max(step.run_id) FROM step"
        " JOIN run ON run.run_id = step.run_id WHERE run.trigger = ? AND step.state <> 'running'"
        " GROUP BY step.step) WHERE state NOT IN ('ok', 'skipped')"
    )
    with reading(settings) as db:
        return (
            frozenset(row["step"] for row in db.execute(query, (BACKFILL,)))
            if db is not None
            else frozenset()
        )


def filled_since(settings: Settings) -> date | None:
    """From which day on a backfill has filled everything that it could; None: none has come to its end."""
    with reading(settings) as db:
        row = db and db.execute("SELECT value FROM memo WHERE name = 'filled_since'").fetchone()
    return date.fromisoformat(row["value"]) if row else None
