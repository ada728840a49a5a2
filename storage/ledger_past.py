"""What earlier runs tried in vain: which days of a source a backfill of what failed is for."""

from collections.abc import Mapping
from datetime import date

from storage import ledger
from storage.ledger_file import reading
from storage.ledger_memo import kept
from storage.records import BACKFILL
from storage.settings import Settings

_FILLED = "filled_since"


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
    day = ledger.recall(settings, _FILLED)
    return date.fromisoformat(day) if day else None


def remember_filled(settings: Settings, since: date) -> None:
    """What `filled_since` tells from now on."""
    ledger.remember(settings, _FILLED, since.isoformat())
