"""The only file that knows the network: `Http.get` turns a request into bytes or a named failure.

One request lasts at most `timeout_s`, whatever the peer does: the exchange runs in a thread of its
own, which is left behind when the time is over (a timeout of requests only bounds each single read).
"""

import http.client
import random as chances
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from collectors import browser
from collectors import reply as say
from collectors.body import Body, Broken, TooLarge, Unasked
from collectors.call import HEADERS, Call, Limits, open_call
from collectors.call import Tally as Tally
from collectors.manners import Manners
from collectors.model import Answer, CollectError, Plan, Refused, Request, Unavailable
from collectors.place import moved_to
from collectors.place import redact as redact
from collectors.retry import ahead_s, answered_at
from storage.hosts import Hosts

HOPS = 2
# Of an error only its beginning is wanted, and not for long: its status says most.
ERROR_BYTES = 65_536
ERROR_S = 2.0


def utc_now() -> datetime:
    """Our clock, aware UTC."""
    return datetime.now(UTC)


class Http:
    """Asks the upstreams, politely and in bounded time; safe to share between threads.

    `secret` gives the value of a setting; `pace_s` overrides every plan's pace (0: no limit a minute
    either); `probe`: a person's run, which may try a paused host at once.
    """

    def __init__(
        self,
        hosts: Hosts,
        *,
        secret: Callable[[str], str | None],
        pace_s: float | None,
        timeout_s: float = 30.0,
        probe: bool = False,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = chances.random,
    ) -> None:
        self._secret, self._pace_s, self._timeout_s = secret, pace_s, timeout_s
        self._now, self._monotonic = now, monotonic
        self._manners = Manners(hosts, probe, now, sleep, monotonic, random)

    def get(self, request: Request, plan: Plan, *, until: float, tally: Tally | None = None) -> Answer:
        """The whole decompressed body of a 200. `until`: the monotonic instant at which the caller has
        to be done; waiting for a turn counts against it alone. Raises Unavailable (after at most 4
        attempts), Refused, Changed; `tally.sent` stays as it was where nothing was asked."""
        limits = Limits(self._pace_s, self._timeout_s, self._monotonic(), until)
        call = open_call(request, plan, self._secret, limits, tally or Tally())
        probing = self._manners.admit(call)
        try:
            answer = self._attempts(call)
        except CollectError as error:
            self._manners.learn(call, error, probing)
            raise
        self._manners.learn(call, None, probing)
        return answer

    def _attempts(self, call: Call) -> Answer:
        last: Unavailable | None = None
        attempt = 0
        while last is None or self._manners.pause(call, last, attempt - 1):
            try:
                return self._ask(call, last)
            except Unavailable as error:
                if error is last or call.silent:
                    raise
                last, attempt = error, attempt + 1
        raise last

    def _ask(self, call: Call, last: Unavailable | None) -> Answer:
        self._manners.take_turn(call, last)
        reply = self._exchange(call)
        while reply.moved and call.hops < HOPS and (target := moved_to(call.url, reply.location)):
            call.hops, call.url = call.hops + 1, target
            self._manners.take_turn(call, last)
            reply = self._exchange(call)
        retry_at = self._manners.heed(call, reply)
        say.judge(reply, call.place, keyed=call.keyed, retry_at=retry_at, html=call.request.html)
        told = (reply.headers.get("date", ""), reply.headers.get("age", ""), reply.at)
        kind = reply.headers.get("content-type", "")
        return Answer(reply.body, answered_at(*told), call.request, kind, ahead_s(*told))

    def _exchange(self, call: Call) -> say.Reply:
        left = call.limit - self._monotonic()
        if left <= 0:
            raise call.late()
        call.tally.sent += 1
        exchange = _Exchange(call, left, self._now)
        exchange.start()
        try:
            ended = exchange.done.wait(left)
        finally:
            exchange.abandon()
        # Asked before abandoning: what the thread says of a connection that we shut is no fault of theirs.
        if not ended:
            raise call.late()
        if exchange.fault is not None:
            raise _meaning(call, exchange.fault)
        assert exchange.reply is not None
        return exchange.reply


def _meaning(call: Call, fault: BaseException) -> BaseException:
    if isinstance(fault, requests.exceptions.InvalidURL | UnicodeError):
        return Refused("unexpected", say.BAD_ADDRESS, **call.place.values)
    return say.failure(fault, call.place, seconds=call.timeout_s, cap=call.request.max_bytes) or fault


class _Watched:
    """A connection that shows its sockets, so that whoever gave up on it can shut them."""

    def __init__(self, *args: Any, watch: Callable[[socket.socket], None], **named: Any) -> None:
        super().__init__(*args, **named)
        self._watch = watch

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]
        self._watch(made)
        return made

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        # TLS put another socket around the first.
        self._watch(self.sock)  # type: ignore[attr-defined]


class _Plain(_Watched, HTTPConnection): ...


class _Secure(_Watched, HTTPSConnection): ...


class _Adapter(HTTPAdapter):
    """Sends without a Session: a Session reads environment and netrc, and reads the whole body of a
    redirect, without a cap, even where it is told not to follow it."""

    def __init__(self, watch: Callable[[socket.socket], None]) -> None:
        super().__init__()
        self._watch = watch

    def get_connection_with_tls_context(self, *args: Any, **named: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **named)
        kind = _Secure if pool.scheme == "https" else _Plain
        pool.ConnectionCls = partial(kind, watch=self._watch)
        return pool


class _Exchange(threading.Thread):
    """One request and its reply. When `done` is set, either `reply` or `fault` is there."""

    def __init__(self, call: Call, left: float, now: Callable[[], datetime]) -> None:
        # Daemon: nobody waits for it, least of all the end of the process.
        super().__init__(name="http", daemon=True)
        self._url, self._headers, self._cap = call.url, {**HEADERS, **call.keys}, call.request.max_bytes
        self._as_browser = call.request.as_browser
        # Silence is given up earlier than the whole, so that there is time for another attempt.
        self._timeouts = (call.timeout_s / 5, call.timeout_s / 3)
        self._ends = time.monotonic() + left
        self._now = now
        self._sockets: list[socket.socket] = []
        self._over = False
        self.done = threading.Event()
        self.reply: say.Reply | None = None
        self.fault: BaseException | None = None

    def run(self) -> None:
        with self:
            self.reply = self._talk()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> Literal[True]:
        # Carried over to the thread that asked, which raises it.
        self.fault = fault
        self.done.set()
        return True

    def abandon(self) -> None:
        """Shuts the connection under the thread, which ends as soon as it notices. Does not block, as
        closing the response would while the thread reads from it."""
        self._over = True
        for made in tuple(self._sockets):
            # The plain socket's shutdown: that of a TLS socket takes the TLS away under the reader.
            with suppress(OSError):
                socket.socket.shutdown(made, socket.SHUT_RDWR)

    def _watch(self, made: socket.socket) -> None:
        self._sockets.append(made)
        if self._over:
            self.abandon()

    def _talk(self) -> say.Reply:
        if self._as_browser:
            return browser.talk(self._url, self._cap, self._timeouts, lambda: self._over, self._now)
        asked = requests.Request("GET", self._url, headers=self._headers).prepare()
        with (
            closing(_Adapter(self._watch)) as adapter,
            closing(adapter.send(asked, stream=True, timeout=self._timeouts, proxies={})) as got,
        ):
            headers = {name.lower(): value for name, value in got.headers.items()}
            after = tuple(got.raw.headers.getlist("retry-after"))
            at = self._now()
            read = self._body if got.status_code == 200 else self._error
            return say.Reply(got.status_code, read(got.raw, headers), headers, at, after)

    def _body(self, raw: Any, headers: Mapping[str, str]) -> bytes:
        body = Body(headers, self._cap)
        self._read(raw, body)
        return body.whole()

    def _error(self, raw: Any, headers: Mapping[str, str]) -> bytes:
        left = max(0.05, min(ERROR_S, self._ends - time.monotonic() - 0.05))
        for made in self._sockets:
            with suppress(OSError):
                made.settimeout(left)
        body = Body({}, 0)
        try:
            body = Body(headers, ERROR_BYTES, sized=False)
            self._read(raw, body, time.monotonic() + left)
        except (TooLarge, Broken, Unasked, OSError, http.client.HTTPException, urllib3.exceptions.HTTPError):
            pass
        return body.sofar()

    def _read(self, raw: Any, body: Body, ends: float = float("inf")) -> None:
        while data := raw.read1(1 << 16, decode_content=False):
            body.feed(data)
            if self._over or time.monotonic() > ends:
                raise TimeoutError
