"""What the researcher saw on the last visit: the figures that were on the page, kept in the ledger.

Kept as they were shown and not looked up in the past: an intraday value that was replaced since is what
was seen all the same. A visit is looks that are not further than `PAUSE` apart.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storage import clock, ledger
from storage.settings import Settings

PAUSE = timedelta(minutes=30)
# Between two looks of one visit nothing is written for so long, unless other figures are shown.
_OFTEN = timedelta(minutes=1)
_NAME = "visit"

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """The figures that were shown last, and when; plain JSON."""

    at: datetime
    figures: Figures


def look(settings: Settings, figures: Figures, now: datetime, counts: bool = True) -> Seen | None:
    """Somebody looks at `figures`; gives what was seen at the end of the visit before, None where there was
    none. Not `counts`: the page was drawn by itself, and perhaps nobody was there.

    Raises sqlite3.Error where the ledger cannot be read; one that cannot be written remembers nothing.
    """
    seen, before = _remembered(ledger.recall(settings, _NAME))
    fresh = seen is not None and now - seen.at > PAUSE
    if fresh:
        before = seen
    unchanged = seen is not None and seen.figures == figures and abs(now - seen.at) < _OFTEN
    # An empty home stays empty until something is collected.
    if counts and not unchanged and ledger.exists(settings):
        kept = {"seen": _plain(Seen(now, figures)), "before": _plain(before)}
        with suppress(sqlite3.Error, OSError):
            ledger.remember(settings, _NAME, json.dumps(kept))
    return before


def _plain(seen: Seen | None) -> dict[str, Any] | None:
    return None if seen is None else {"at": clock.stamp(seen.at), "figures": dict(seen.figures)}


def _remembered(text: str | None) -> tuple[Seen | None, Seen | None]:
    """(last look, end of the visit before); what another version wrote and cannot be read is nothing."""
    try:
        kept = json.loads(text or "{}")
        return _seen(kept.get("seen")), _seen(kept.get("before"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None, None


def _seen(kept: Mapping[str, Any] | None) -> Seen | None:
    if kept is None:
        return None
    at, figures = clock.parse(kept["at"]), dict(kept["figures"])
    values = [one["value"] for one in figures.values() if isinstance(one, Mapping) and "value" in one]
    if at.tzinfo is None or not all(isinstance(value, int | float) for value in values):
        raise ValueError("kept by something else")
    return Seen(at, figures)
