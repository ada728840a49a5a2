"""Numbers for Prometheus, in its text format: runs, freshness, and whether store and ledger can be read."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time

from fastapi import APIRouter
from fastapi.responses import Response

from collectors import freshness
from collectors.freshness import PipelineStatus
from console.gate import NO_STORE, Given
from console.models import errors
from console.routes import EVERY_GET, STATES
from console.shown import WAIT_S, journal
from storage import read, read_rows
from storage.settings import VERSION, Settings
from storage.store_error import StoreError

# Labels, and a number, a truth or an instant; None: there is none.
Sample = tuple[dict[str, str], bool | float | datetime | None]
FRESHNESS = ("fresh", "due", "late", "never")
# A store or a ledger that nothing is wrong with.
_FINE = ("ok", "missing")

router = APIRouter(tags=["shown"])


@router.get(
    "/metrics",
    summary="Numbers for Prometheus",
    response_class=Response,
    responses={
        200: {
            "description": "Text exposition format 0.0.4.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **errors(*EVERY_GET),
    },
)
def metrics(settings: Given) -> Response:
    text = "".join(f"{line}\n" for line in _lines(settings))
    kind = "text/plain; version=0.0.4; charset=utf-8"
    return Response(text, headers=NO_STORE | {"Content-Type": kind})


def _lines(settings: Settings) -> Iterator[str]:
    live, ledger_state = journal(settings)
    info = {"version": VERSION, "demo": str(int(settings.demo))}
    yield from _family("info", "What runs here.", [(info, 1)])
    store = read.probe(settings)
    yield from _family("store_up", "Whether the store can be read now.", [({"state": store}, store in _FINE)])
    yield from _family(
        "ledger_up", "Whether runs can be read.", [({"state": ledger_state}, ledger_state in _FINE)]
    )
    yield from _family("running", "Whether a run is queued or running.", [({}, live is not None)])
    if ledger_state not in _FINE:
        return
    try:
        counts, found = read_rows.run_states(settings), freshness.status(settings, WAIT_S)
    except (sqlite3.Error, StoreError):
        # Gone between two looks: the next scrape tells.
        return
    yield from _family(
        "runs", "Runs in the ledger by state.", [({"state": one}, counts.get(one, 0)) for one in STATES]
    )
    yield from _of_pipelines(found.pipelines)


def _of_pipelines(pipelines: Mapping[str, PipelineStatus]) -> Iterator[str]:
    named = [({"pipeline": name}, found) for name, found in pipelines.items()]
    last = [(label, found.last_run.queued_at) for label, found in named if found.last_run]
    yield from _family("last_run_timestamp_seconds", "Start of the newest run.", last)
    good = [(label, run.finished_at) for label, found in named if (run := found.last_success)]
    yield from _family("last_success_timestamp_seconds", "End of the newest ok or partial run.", good)
    next_due = [(label, found.next_due) for label, found in named]
    yield from _family("next_due_timestamp_seconds", "Next scheduled time.", next_due)
    fresh = [sample for label, found in named for sample in _one_of(label, found.freshness)]
    yield from _family("freshness", "1 for the freshness that it is in.", fresh)
    sources = [({**label, "source": one.source}, one) for label, found in named for one in found.sources]
    each = [sample for label, one in sources for sample in _one_of(label, one.freshness)]
    yield from _family("source_freshness", "1 for the freshness that it is in.", each)
    days = [(label, _start_of(one.data_as_of)) for label, one in sources if one.data_as_of]
    yield from _family("source_data_as_of_timestamp_seconds", "Start of the newest stored day.", days)


def _one_of(label: dict[str, str], freshness: str) -> list[Sample]:
    """One sample a word; 1 for the one that holds."""
    return [({**label, "freshness": word}, word == freshness) for word in FRESHNESS]


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _family(name: str, about: str, samples: Sequence[Sample]) -> Iterator[str]:
    """One metric with its samples; an instant becomes seconds since 1970."""
    yield f"# HELP collector_{name} {about}"
    yield f"# TYPE collector_{name} gauge"
    for labels, value in samples:
        if value is None:
            continue
        told = ",".join(f'{label}="{_label(text)}"' for label, text in labels.items())
        number = value.timestamp() if isinstance(value, datetime) else int(value)
        yield f"collector_{name}{{{told}}} {number}" if told else f"collector_{name} {number}"


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
