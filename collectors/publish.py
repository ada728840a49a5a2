"""Writes the export of what the store holds, and knows whether the last one holds all of it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from collectors import freshness
from collectors.registry import UPSTREAMS
from collectors.schedule import known
from storage import export, ledger
from storage.settings import Settings

_EXPORTED = "exported"


def stale(settings: Settings) -> bool:
    """Whether something was merged since the last export: by a run that was killed before its own, or
    by a replay."""
    mark = ledger.merged_mark(settings)
    return bool(mark) and mark != ledger.recall(settings, _EXPORTED)


def publish(
    settings: Settings,
    run_id: str,
    told: Mapping[str, Any],
    quiet: AbstractContextManager[Any] | None = None,
) -> None:
    """The export with `told` as its status; `quiet` is held while its files are replaced. Raises
    StoreError."""
    mark = ledger.merged_mark(settings)
    attribution = [{"name": up.credit, "url": up.home} for up in UPSTREAMS.values()]
    export.write(settings, export.build(settings, run_id, attribution, told), quiet)
    ledger.remember(settings, _EXPORTED, mark)


def anew(settings: Settings) -> None:
    """The export outside of a run. Raises StoreError."""
    last = ledger.last_run(settings, "crypto", ("ok", "partial"))
    told = freshness.status_json(settings, freshness.status(settings), known.PATIENT_S)
    publish(settings, last.run_id if last else "", told)
