"""The guard in front of everything: which requests this console answers at all, and with which
security headers. Pure ASGI, because Starlette's own base class lets websockets pass.
"""

import json
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
)
CODES = {
    400: "bad_path",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_media_type",
    421: "wrong_host",
}

BADGES = "/api/v1/badge/"

_HOST = re.compile(r"(?P<name>\[[0-9a-f:]+\]|[a-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_refused: ContextVar[bool] = ContextVar("refused", default=False)
_SAFE = ("GET", "HEAD", "OPTIONS")


class Refusal(Exception):
    """A request that goes no further: HTTP status and what to say."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class _Completed(logging.Filter):
    """Silences uvicorn where it complains of a handshake that was answered with a status of its own: it
    sends that answer, and then counts the handshake as left open. Nothing else is kept back."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (_refused.get() and "without completing handshake" in str(record.msg))


_COMPLETED = _Completed()


class Guard:
    """Lets through what this machine's own pages and tools send, over HTTP and websocket.

    Host must be loopback or one of `hosts`, so that no foreign name can be pointed here; Origin, if
    sent, must be that Host; what another site's page sends is refused, unless it is a plain link.
    """

    def __init__(self, app: Asgi, hosts: str = "") -> None:
        self.app = app
        logging.getLogger("uvicorn.error").addFilter(_COMPLETED)
        self.hosts = _LOOPBACK | {name.lower() for name in re.split(r"[\s,]+", hosts) if name}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        guarded = _with_headers(send, _is_badge(scope))
        try:
            self.check(scope)
        except Refusal as refusal:
            await _refuse(scope, receive, guarded, refusal)
            return
        await self.app(scope, receive, guarded)

    def check(self, scope: Scope) -> None:
        """Raises Refusal: 421 for Host, 400 for a path that climbs, 403 for what another site sent, 415 for
        a text body."""
        host = _only(scope, b"host")
        named = _HOST.fullmatch(host.lower()) if host else None
        if named is None or not {named["name"], named[0]} & self.hosts:
            raise Refusal(421, "This console answers only to its own name.")
        if _climbs(scope):
            raise Refusal(400, "The path is not one of this console's.")
        origin = _only(scope, b"origin")
        if origin is not None and origin.lower() not in (f"http://{named[0]}", f"https://{named[0]}"):
            raise Refusal(403, "The request comes from another origin.")
        site = _only(scope, b"sec-fetch-site")
        if site not in (None, "same-origin", "none") and not (_is_link(scope) or _is_badge(scope)):
            raise Refusal(403, "The request comes from another site.")
        kind = _only(scope, b"content-type") or ""
        # A page of any origin may post text/plain without asking first.
        if scope.get("method", "GET") not in _SAFE and kind.lower().startswith("text/plain"):
            raise Refusal(415, "A body must be JSON.")


def _only(scope: Scope, name: bytes) -> str | None:
    """The value of a header; two of them are joined and so fit no rule."""
    found = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]
    return ",".join(found) if found else None


def _is_link(scope: Scope) -> bool:
    how = (_only(scope, b"sec-fetch-mode"), _only(scope, b"sec-fetch-dest"))
    return scope.get("method") == "GET" and how == ("navigate", "document")


def _is_badge(scope: Scope) -> bool:
    """A picture that other sites may show: that is what a badge is for."""
    return scope.get("method") == "GET" and str(scope["path"]).startswith(BADGES)


def _climbs(scope: Scope) -> bool:
    """Whether the path, however often it is encoded, leaves its folder or names another place."""
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    for _again in range(4):
        parts = path.split("/")
        # `C:` as a segment, and a double slash in front, are places elsewhere on Windows.
        if path.startswith("//") or "\\" in path or any(ord(sign) < 32 for sign in path):
            return True
        if any(part in (".", "..") or re.match(r"[A-Za-z]:", part) for part in parts):
            return True
        path = unquote(path)
    return "%" in path and path != unquote(path)


def _with_headers(send: Send, shown_elsewhere: bool) -> Send:
    """Adds the security headers to every response and takes away leave for other origins."""
    headers = (
        *HEADERS,
        (b"cross-origin-resource-policy", b"cross-origin" if shown_elsewhere else b"same-origin"),
    )
    names = {name for name, _value in headers}

    async def guarded(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            kept = [
                (name, value)
                for name, value in message.get("headers", ())
                if name.lower() not in names and not name.lower().startswith(b"access-control-")
            ]
            if not any(name.lower() == b"content-security-policy" for name, _value in kept):
                kept.append((b"content-security-policy", b"frame-ancestors 'none'"))
            message = {**message, "headers": [*kept, *headers]}
        await send(message)

    return guarded


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    prefix = "http.response"
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        _refused.set(True)
        prefix = "websocket.http.response"
    body = json.dumps(error_body(refusal.status, refusal.message)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers.append((b"cache-control", b"no-store"))
    await send({"type": f"{prefix}.start", "status": refusal.status, "headers": headers})
    await send({"type": f"{prefix}.body", "body": b"" if scope.get("method") == "HEAD" else body})


def error_body(status: int, message: str, code: str | None = None) -> dict[str, dict[str, str]]:
    """The one shape of an error over HTTP; `code` is a word that stays."""
    return {"error": {"code": code or CODES.get(status, "internal"), "message": message}}
