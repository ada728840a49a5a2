"""`GET /collector/status`: computed once for all who ask in the same moment.

A status takes a dozen questions to the ledger. As long as the files of ledger and store are untouched the
last one serves, for half a second at most: a process that was killed leaves no trace in them.
"""

import asyncio
import json
import os
from pathlib import Path
from time import monotonic

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from collectors import freshness
from console.gate import NO_STORE, Given
from console.models import Status, errors
from console.routes import EVERY_GET
from console.shown import WAIT_S
from storage import ledger
from storage.settings import Settings
from storage.store_error import StoreError

KEPT_S = 0.5
Mark = tuple[tuple[int, int] | None, ...]

router = APIRouter(tags=["runs"])


class Latest:
    """The last status as JSON, or why there was none."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._until = 0.0
        self._mark: Mark = ()
        self._found: bytes | StoreError = b""

    async def get(self, settings: Settings) -> bytes:
        """Raises StoreError, sqlite3.Error."""
        if self._serves(settings):
            return self._told()
        async with self._turn:
            # Whoever had the turn before may have brought it.
            if not self._serves(settings):
                mark = _mark(settings)
                self._found = await run_in_threadpool(_computed, settings)
                self._mark, self._until = mark, monotonic() + KEPT_S
        return self._told()

    def _serves(self, settings: Settings) -> bool:
        return monotonic() < self._until and _mark(settings) == self._mark

    def _told(self) -> bytes:
        if isinstance(self._found, StoreError):
            raise StoreError(self._found.code, self._found.message, **self._found.values)
        return self._found


def _mark(settings: Settings) -> Mark:
    """Changes with every transaction of ledger or store."""
    files = (ledger.path(settings), settings.database)
    return tuple(_stamp(Path(f"{file}{end}")) for file in files for end in ("", "-wal", ".wal"))


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _computed(settings: Settings) -> bytes | StoreError:
    found = freshness.status(settings, WAIT_S)
    known = any(one.data_as_of or one.last_run for one in found.pipelines.values())
    if found.problem is not None and not known:
        return found.problem
    return json.dumps(freshness.status_json(settings, found), ensure_ascii=False, allow_nan=False).encode()


@router.get(
    "/collector/status",
    summary="What is fresh, what ran, what runs",
    response_class=Response,
    responses={
        200: {"model": Status, "description": "As `collect.py status --json`."},
        **errors(*EVERY_GET, 503),
    },
)
async def status(request: Request, settings: Given) -> Response:
    latest: Latest = request.app.state.latest
    return Response(await latest.get(settings), media_type="application/json", headers=NO_STORE)
