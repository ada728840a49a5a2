"""Runs over HTTP: start, wait for, list, look at and cancel them.

The trigger routes are made of the registry; a run is always a process of its own.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from threading import Lock
from time import monotonic
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BeforeValidator

from collectors import freshness
from collectors.launch import launch
from collectors.registry import PIPELINES
from console.gate import ApiError, Given, bad_parameter, body, reply, token
from console.models import Runs, RunWithSteps, Started, errors
from console.parameters import RunId, RunLimit, Seconds
from storage import ledger, read_rows
from storage.records import RunRecord
from storage.settings import Settings
from storage.texts import _

STATES = ("queued", "running", "ok", "partial", "failed", "skipped", "cancelled", "interrupted")
LOOK_S = 0.2
EVERY_POST = (401, 403, 413, 415, 421, 503)
EVERY_GET = (403, 421)
_BODY = {
    "description": "None is needed, nothing of it is used.",
    "required": False,
    "content": {"application/json": {"schema": {}, "example": {}}},
}
# One start at a time: the ledger decides, and SQLite makes those that wait for it sleep by turns.
_one_start = Lock()

router = APIRouter(tags=["runs"])
Wait = Annotated[
    Seconds | None,
    Query(description="Answer when the run is over, or after so many seconds.", examples=[300]),
]


# ---------------------------------------------------------------- start


def starts() -> dict[str, tuple[str, ...]]:
    """Every trigger route and the pipelines that it starts, in run order."""
    found = {f"/collector/{name}": (name,) for name in PIPELINES}
    if "news" in PIPELINES:
        found["/news-intel/fetch"] = ("news",)
    return {**found, "/collector/run-all": tuple(PIPELINES)}


def triggers() -> APIRouter:
    """The routes that start a run."""
    made = APIRouter(tags=["start"], dependencies=[Depends(token), Depends(body)])
    for path, pipelines in starts().items():
        made.add_api_route(
            path,
            _starting(pipelines),
            methods=["POST"],
            status_code=202,
            response_model=None,
            operation_id=f"start{path.replace('/', '_').replace('-', '_')}",
            summary=f"Collect {', '.join(pipelines)}",
            description="Starts a process of its own and answers at once. There is no queue: while any run"
            " is on the answer is 409 with its `run_id`.",
            openapi_extra={"requestBody": _BODY},
            responses={
                200: {"model": RunWithSteps, "description": "With `wait`: the finished run."},
                202: {"model": Started, "description": "Started; with `wait`: not over yet."},
                **errors(400, 409, 422, *EVERY_POST),
            },
        )
    return made


def _starting(pipelines: Sequence[str]) -> Callable[..., Coroutine[Any, Any, Response]]:
    async def start(request: Request, settings: Given, wait: Wait = None) -> Response:
        run_id = await run_in_threadpool(_launched, settings, pipelines)
        over = await _over(request, settings, run_id, wait) if wait else None
        if over is not None:
            return over
        return await run_in_threadpool(_started, settings, run_id, pipelines)

    return start


def _launched(settings: Settings, pipelines: Sequence[str]) -> str:
    with _one_start:
        try:
            return launch(settings, pipelines, "api")
        except ledger.Busy as busy:
            raise ApiError(409, "busy", _("Another run is under way."), busy.run_id) from None


def _started(settings: Settings, run_id: str, pipelines: Sequence[str]) -> Response:
    run = ledger.run(settings, run_id)
    found = {
        "run_id": run_id,
        "pipelines": list(pipelines),
        "state": "running" if run and run.state == "running" else "queued",
        "status_url": f"/api/v1/collector/runs/{run_id}",
    }
    return reply(found, 202)


async def _over(request: Request, settings: Settings, run_id: str, wait_s: float) -> Response | None:
    """The finished run; None where it still runs after so many seconds, nobody listens any more, or
    the console is being stopped."""
    give_up = monotonic() + wait_s
    while True:
        run = await run_in_threadpool(_seen, settings, run_id)
        if run and run.state not in ledger.LIVE:
            return reply(await run_in_threadpool(_whole, settings, run))
        if monotonic() >= give_up or await request.is_disconnected() or stopping():
            return None
        await asyncio.sleep(min(LOOK_S, max(0.0, give_up - monotonic())))


def stopping() -> bool:
    """Whether the server is on its way out. It waits for every answer first, and tells nobody why: its
    signal handler is the one place that knows."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return bool(getattr(server, "should_exit", False))


# ---------------------------------------------------------------- look


def _seen(settings: Settings, run_id: str) -> RunRecord | None:
    """A run as it is: one whose process is gone has been interrupted."""
    ledger.running(settings)
    run = ledger.run(settings, run_id)
    return ledger.seen(settings, run) if run else None


def _known(settings: Settings, run_id: str) -> RunRecord:
    run = _seen(settings, run_id)
    if run is None:
        raise ApiError(404, "not_found", _("There is no run of that name."))
    return run


def _whole(settings: Settings, run: RunRecord) -> dict[str, Any]:
    steps = [freshness.step_json(step) for step in ledger.steps(settings, run.run_id)]
    return {**(freshness.run_json(run) or {}), "steps": steps}


def _pipeline(value: str) -> str:
    if value not in PIPELINES:
        raise ValueError
    return value


def _state(value: str) -> str:
    if value not in STATES:
        raise ValueError
    return value


def _listed(names: Sequence[str]) -> dict[str, Any]:
    return {"enum": list(names)}


@router.get(
    "/collector/runs",
    summary="Runs, newest first",
    response_class=Response,
    responses={200: {"model": Runs, "description": "A page of runs."}, **errors(422, *EVERY_GET, 503)},
)
def runs(
    settings: Given,
    pipeline: Annotated[
        str | None,
        BeforeValidator(_pipeline),
        Query(description="Only runs that took it up.", json_schema_extra=_listed(tuple(PIPELINES))),
    ] = None,
    state: Annotated[
        str | None,
        BeforeValidator(_state),
        Query(description="Only runs in this state.", json_schema_extra=_listed(STATES)),
    ] = None,
    limit: Annotated[RunLimit, Query(description="At most so many.")] = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="The `next` of the page before.")] = None,
) -> Response:
    ledger.running(settings)
    try:
        page, following = read_rows.runs(settings, limit, pipeline, state, cursor)
    except read_rows.UnknownCursor:
        raise bad_parameter("cursor") from None
    shown = [freshness.run_json(ledger.seen(settings, run)) for run in page]
    return reply({"runs": shown, "next": following})


@router.get(
    "/collector/runs/{run_id}",
    summary="One run with its steps",
    response_class=Response,
    responses={
        200: {"model": RunWithSteps, "description": "The run."},
        **errors(400, 404, *EVERY_GET, 503),
    },
)
def run(settings: Given, run_id: RunId) -> Response:
    return reply(_whole(settings, _known(settings, run_id)))


@router.post(
    "/collector/runs/{run_id}/cancel",
    summary="Ask a run to stop",
    description="It stops between two transactions, within 5 seconds, and then reads `cancelled`.",
    status_code=202,
    response_class=Response,
    dependencies=[Depends(token), Depends(body)],
    openapi_extra={"requestBody": _BODY},
    responses={
        202: {"model": Started, "description": "It was asked."},
        **errors(400, 404, 409, *EVERY_POST),
    },
)
def cancel(settings: Given, run_id: RunId) -> Response:
    found = _known(settings, run_id)
    if not ledger.cancel(settings, run_id):
        raise ApiError(409, "over", _("This run is over."), run_id)
    return _started(settings, run_id, found.pipelines)
