"""Who goes before whom: which pipelines a start has to see done first, and how it gets its reservation."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from collectors.registry import ordered
from storage import clock, ledger
from storage.ledger import Busy
from storage.settings import Settings

# A start that cannot get the reservation at once tries for this long before it waits or gives up.
RETRY_S = 1.0
POLL_S = 0.1


def due_today(settings: Settings, pipeline: str, now: datetime) -> datetime:
    """Today's scheduled time of a pipeline (in COLLECTOR_TIMEZONE): the last one that has come, else the
    first; a pipeline that is not in the schedule counts with the first slot of the day."""
    times = [at for at, names in settings.slots if pipeline in names] or [settings.slots[0][0]]
    today = now.astimezone(settings.zone).date()
    moments = [datetime.combine(today, at, settings.zone).astimezone(UTC) for at in times]
    return max((moment for moment in moments if moment <= now), default=moments[0])


def missing(settings: Settings, after: Sequence[str]) -> list[str]:
    """Those of `after` that have not ended since their scheduled time of today."""
    now = clock.now()
    return [name for name in after if not ledger.ended_since(settings, name, due_today(settings, name, now))]


def reserved(
    settings: Settings,
    run_id: str,
    wanted: Sequence[str],
    after: Sequence[str],
    trigger: str,
    starter: str | None,
    wait_s: float,
) -> tuple[str, ...] | None:
    """The pipelines that the reserved run has: `wanted`, and before them what of `after` nobody ran. While
    another run is on it waits, holding nothing, at most `wait_s`; None: it was waited for in vain."""
    give_up = time.monotonic() + max(RETRY_S, wait_s)
    while True:
        # Looked at anew each time: whoever was waited for may have done it.
        pipelines = ordered({*wanted, *missing(settings, after)})
        try:
            ledger.reserve(settings, run_id, pipelines, trigger, starter)
            return pipelines
        except Busy:
            if time.monotonic() >= give_up:
                return None
            time.sleep(POLL_S)
