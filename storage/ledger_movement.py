"""When each source last changed what is stored, and when it last succeeded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage import clock
from storage.ledger_file import reading
from storage.ledger_memo import kept
from storage.records import BACKFILL, QUARANTINE
from storage.settings import Settings

# Longer than two days of any rhythm are apart, and a range that the key of the steps answers at once.
LOOK_BACK = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Movement:
    """`moved_at`: the newest success that inserted or updated a row; where none did, the oldest one that is
    looked at. `ok_at`: the newest success."""

    moved_at: datetime
    ok_at: datetime


def movements(settings: Settings, now: datetime) -> Mapping[str, Movement]:
    """By source; those that never succeeded are left out."""
    return _since(settings, f"{now - LOOK_BACK:%Y%m%d}")


@kept
def _since(settings: Settings, first: str) -> Mapping[str, Movement]:
    query = (
        "SELECT source, max(finished_at) AS ok_at, min(finished_at) AS first_at,"
        " max(CASE WHEN inserted + updated > 0 THEN finished_at END) AS moved_at"
        " FROM step WHERE run_id >= ? AND state='ok' AND source IS NOT NULL AND finished_at IS NOT NULL"
        # What fills the past moves nothing on.
        f" AND run_id NOT IN (SELECT run_id FROM run WHERE trigger = '{BACKFILL}')"
        # What a person accepted says nothing of the upstream.
        f" AND pipeline <> '{QUARANTINE}' GROUP BY source"
    )
    with reading(settings) as db:
        if db is None:
            return {}
        # Ids of runs begin with the instant.
        found = db.execute(query, (first,)).fetchall()
    return {
        row["source"]: Movement(clock.parse(row["moved_at"] or row["first_at"]), clock.parse(row["ok_at"]))
        for row in found
    }
