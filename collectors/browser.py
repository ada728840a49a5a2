"""Asks as a browser asks, for hosts that tell programs by their TLS handshake; the session for yfinance.

Only the transport is another one: pace, retries, deadline and what an answer means stay in `Http`.
curl_cffi is imported when asked: it costs 60 ms, and most runs do not need it.
"""

import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from collectors import reply as say
from collectors.body import Body, Broken, TooLarge, Unasked
from collectors.model import Answer

# Yahoo's chart needs neither; a wrong crumb is refused, no crumb is not.
_NOT_ASKED = ("fc.yahoo.com", "guce.yahoo.com", "consent.yahoo.com")
_NO_CRUMB = "<html></html>"


def talk(
    url: str,
    cap: int,
    timeouts: tuple[float, float],
    stopped: Callable[[], bool],
    now: Callable[[], datetime],
) -> say.Reply:
    """One GET without redirects, proxies or cookies; at most `cap` bytes. Raises what reply.failure can
    put into words."""
    from curl_cffi import CurlOpt
    from curl_cffi.requests import Session, exceptions

    pieces, wrong = bytearray(), list[Exception]()

    def take(piece: bytes) -> int:
        # What is raised in here curl takes for a fault of its own: it is kept for later.
        if stopped():
            wrong.append(TimeoutError())
        elif len(pieces) + len(piece) > cap:
            wrong.append(TooLarge())
        if wrong:
            raise wrong[0]
        pieces.extend(piece)
        return len(piece)

    options = {CurlOpt.NOPROXY: b"*"}
    try:
        with Session(impersonate="chrome", trust_env=False, curl_options=options) as session:
            # Decompressed here, where it is counted.
            got = session.request(
                "GET",
                url,
                headers={"Accept-Encoding": "gzip, deflate"},
                accept_encoding=None,
                allow_redirects=False,
                timeout=timeouts,
                content_callback=take,
            )
    except exceptions.RequestException as error:
        raise wrong[0] if wrong else _in_python(error) from None
    headers = {str(name).lower(): str(value) for name, value in got.headers.items() if value is not None}
    after = tuple(str(value) for value in got.headers.get_list("retry-after"))
    return say.Reply(
        got.status_code, _plain(got.status_code, bytes(pieces), headers, cap), headers, now(), after
    )


def _plain(status: int, wire: bytes, headers: Mapping[str, str], cap: int) -> bytes:
    if status == 200:
        body = Body(headers, cap)
        body.feed(wire)
        return body.whole()
    try:
        body = Body(headers, cap, sized=False)
        body.feed(wire)
    except (TooLarge, Broken, Unasked):
        return b""
    return body.sofar()


def _in_python(error: Exception) -> Exception:
    """curl's error as the one that Python's own sockets would raise."""
    from curl_cffi.requests import exceptions

    for theirs, ours in (
        (exceptions.DNSError, socket.gaierror),
        (exceptions.SSLError, ssl.SSLError),
        (exceptions.Timeout, TimeoutError),
        (exceptions.IncompleteRead, Broken),
    ):
        if isinstance(error, theirs):
            return ours()
    return ConnectionError()


def session(base: str, get: Callable[[str, Mapping[str, str]], Answer]) -> Any:
    """A session that yfinance takes for its own: scheme and host of every request become those of `base`,
    `get` asks, and what it raises comes out. Cookie, consent and crumb are not asked for at all."""
    from curl_cffi.requests import Response, Session

    def answered(url: str, body: bytes) -> Any:
        found = Response()
        found.url, found.content, found.status_code = url, body, 200
        return found

    class Through(Session[Any]):
        def request(  # type: ignore[override]
            self, method: str, url: str, params: Any = None, **_named: Any
        ) -> Any:
            parts = urlsplit(url)
            if parts.hostname in _NOT_ASKED or parts.path.endswith("/getcrumb"):
                return answered(url, _NO_CRUMB.encode())
            asked = {str(name): _word(value) for name, value in (params or {}).items()}
            return answered(url, get(base + parts.path, asked).body)

    return Through()


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
