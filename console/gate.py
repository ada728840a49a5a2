"""What a request must bring before a route of `/api/v1` looks at it (token, body), and how errors are told.

The guard in front has already looked at Host, Origin and path.
"""

import asyncio
import hmac
import json
import sqlite3
from collections.abc import AsyncIterator
from http import HTTPStatus
from time import monotonic
from typing import Annotated, Any, NoReturn

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from console_guard import error_body
from storage.settings import Settings, unusable
from storage.store_error import StoreError, explained
from storage.texts import N_, _, say

BODY_LIMIT = 16_384
# How long a body that is too large is read on and thrown away: a client that is still sending would else
# find its connection gone in place of the answer.
_DRAIN_S = 0.3
_RETRY_AFTER = {"busy": "2"}
NO_STORE = {"Cache-Control": "no-store"}
# What is allowed for each parameter, in words.
ALLOWED = {
    "wait": N_("a number of seconds from 0 to 300"),
    "limit": N_("a whole number from 1 to the maximum of the route (runs 1000, rows 10000)"),
    "from": N_("a day such as 2026-11-24"),
    "to": N_("a day such as 2026-11-24"),
    "known_at": N_("an instant with its zone, such as 2026-11-24T21:00:00Z"),
    "format": N_("json or csv"),
    "lang": N_("en or ko"),
    "replay": N_("0 or 1"),
    "pipeline": N_("a pipeline that is collected, such as crypto"),
    "state": N_("a state of a run: queued, running, ok, partial, failed, skipped, cancelled or interrupted"),
    "cursor": N_("the `next` of the answer before"),
    "coin": N_("at most 100 names, repeated or separated by commas"),
    "protocol": N_("at most 100 names, repeated or separated by commas"),
    "series": N_("at most 100 names, repeated or separated by commas"),
}


class ApiError(Exception):
    """An error of the API: HTTP status, a stable word for programs, a sentence for people."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        run_id: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.run_id = status, code, message, run_id
        self.headers = headers or {}

    def response(self) -> Response:
        body = error_body(self.status, self.message, self.code)
        if self.run_id:
            body["error"]["run_id"] = self.run_id
        return reply(body, self.status, self.headers)


def reply(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON that no cache keeps."""
    return JSONResponse(content, status, NO_STORE | (headers or {}))


def bad_parameter(name: str) -> ApiError:
    """422 that names the parameter and says what is allowed."""
    return ApiError(422, "bad_parameter", unusable(name, ALLOWED.get(name)))


# Dependencies are coroutines although they wait for nothing: others would each take a turn in a thread.
async def given(request: Request) -> Settings:
    """The settings of this application."""
    found: Settings = request.app.state.settings
    return found


Given = Annotated[Settings, Depends(given)]


# ---------------------------------------------------------------- token


async def token(request: Request, settings: Given) -> None:
    """Raises 401 where a token is set and the request does not bear exactly that one."""
    if settings.api_token is None:
        return
    # As bytes: a header may hold what is no ASCII, and the time must not tell where two differ.
    values = [value for name, value in request.scope["headers"] if name == b"authorization"]
    scheme, _space, value = (values[0] if len(values) == 1 else b"").partition(b" ")
    same = hmac.compare_digest(value.strip(b" "), settings.api_token.encode())
    if scheme.lower() != b"bearer" or not same:
        message = _("This needs the token of COLLECTOR_API_TOKEN: Authorization: Bearer …")
        raise ApiError(401, "unauthorized", message, headers={"WWW-Authenticate": 'Bearer realm="api"'})


# ---------------------------------------------------------------- body


async def body(request: Request) -> None:
    """Looks at the body, of which nothing is used: none, or JSON of at most 16 KB. Raises 400, 413, 415."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/plain":
        raise _not_json()
    content = await _read(request)
    if not content:
        return
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise _not_json()
    try:
        json.loads(content.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ApiError(400, "bad_json", _("The body is not JSON.")) from None


def _not_json() -> ApiError:
    message = _("A body must be JSON, with Content-Type: application/json.")
    return ApiError(415, "unsupported_media_type", message)


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


async def _read(request: Request) -> bytes:
    announced = request.headers.get("content-length", "")
    parts = request.stream()
    content = b""
    if not (announced.isdecimal() and float(announced) > BODY_LIMIT):
        async for part in parts:
            content += part
            if len(content) > BODY_LIMIT:
                break
        else:
            return content
    if "expect" not in request.headers:
        await _drain(parts)
    message = _("The body is larger than {limit} bytes.").format(limit=BODY_LIMIT)
    raise ApiError(413, "too_large", message, headers={"Connection": "close"})


async def _drain(parts: AsyncIterator[bytes]) -> None:
    give_up = monotonic() + _DRAIN_S
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for _part in parts:
                # Where the next part is always there already, no timeout ever gets its turn.
                if monotonic() > give_up:
                    return
    except TimeoutError:
        return


# ---------------------------------------------------------------- errors


def _http(_request: Request, error: Exception) -> Response:
    """Any error as JSON; of an unexpected one nothing is told."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(getattr(error, "headers", None) or {})
    return reply(error_body(status, HTTPStatus(status).phrase), status, headers)


def _ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response()


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    where = error.errors()[0]["loc"]
    return bad_parameter(str(where[1] if len(where) > 1 else where[0])).response()


def _gone(_request: Request, _error: Exception) -> Response:
    return ApiError(400, "disconnected", HTTPStatus.BAD_REQUEST.phrase).response()


def _down(request: Request, error: Exception) -> Response:
    """Store or ledger cannot be used: 503 with what to do about it."""
    settings: Settings = request.app.state.settings
    problem = error if isinstance(error, StoreError) else explained(settings, error)
    message = settings.redact(say(problem.message, problem.values))
    headers = {"Retry-After": _RETRY_AFTER.get(problem.code, "30")}
    return ApiError(503, problem.code, message, headers=headers).response()


def tell_errors(app: FastAPI) -> None:
    """Makes every error of an application JSON."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ApiError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ClientDisconnect, _gone)
    for kind in (StoreError, sqlite3.Error, OSError):
        app.add_exception_handler(kind, _down)
    app.add_exception_handler(Exception, _http)
