"""What an HTTP reply means: the only place where a status, an error envelope or a broken connection
becomes Unavailable, Refused or Changed. Pure; knows no network.
"""

import http.client
import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from collectors.body import Broken, TooLarge, Unasked
from collectors.model import Changed, CollectError, Refused, Unavailable
from collectors.place import Place
from storage.texts import N_

ENVELOPE_BYTES = 8192
# CoinGecko's own numbers where they came without the HTTP status that belongs to them.
STATUS_OF = {1020: 403, 10002: 401, 10005: 401, 10010: 400, 10011: 400, 10012: 401}
# Refused for what was asked, not for who asked.
NOT_THE_KEY = ("10005", "10012")
# FRED answers 400 for a key and for a series that it does not know; only the words tell which.
BAD_KEY_DETAIL, NO_SERIES_DETAIL = "key", "series"
_FRED_WORDS = (
    (re.compile(rb"variable api_key (is|has) not", re.I), BAD_KEY_DETAIL),
    (re.compile(rb"series does not exist"), NO_SERIES_DETAIL),
)
MOVED = (301, 302, 303, 307, 308)

DNS = N_("{host} has no address (DNS). Check the connection and the name; the next run tries again.")
CONNECT = N_("{host} refused or broke off the connection. Wait: the next run tries again.")
TLS = N_("{host} showed no certificate that can be trusted. Check this machine's clock and the address.")
TIMEOUT = N_("{host}{path} did not answer within {seconds} s. Wait: the next run tries again.")
DEADLINE = N_("The time of this run was over before {host}{path} answered. Wait: the next run tries again.")
TRUNCATED = N_("{host}{path} broke off in the middle of its answer. Wait: the next run tries again.")
TOO_LARGE = N_("{host}{path} sent more than {megabytes} MB, which is not read. Check the address.")
ENCODED = N_("{host}{path} sent an encoding that was not asked for. The collector has to be adapted.")
RATE_LIMITED = N_("{host} has had enough requests for now (429). Wait: the next run tries again.")
TROUBLE = N_("{host}{path} answered {status}, trouble of its own. Wait: the next run tries again.")
BAD_KEY = N_("{host} refused the key ({status}). Check {key} in .env.")
NOT_IN_PLAN = N_("{host}{path} is not part of the plan of this key ({status}). Check {key} in .env.")
NOT_ALLOWED = N_("{host}{path} may not be read without a key ({status}). Check keys and addresses in .env.")
MISSING = N_("{host}{path} does not exist (404). Check the address in the settings.")
ELSEWHERE = N_("{host}{path} redirects to where it is not followed ({status}). Check the address.")
NO_SERIES = N_("{host} has no such series any more (400). Look it up on the website of the provider.")
BAD_REQUEST = N_("{host}{path} refused the request ({status}). Check the address and the key.")
BAD_ADDRESS = N_("{host}{path} cannot be asked: the address or the key is malformed. Check the settings.")
PACED = N_("The next turn at {host} is at {until}, too late for this run. Wait: the next run tries again.")
PAUSED = N_("{host} failed several times in a row and is left alone until {until}. Wait, or run by hand.")
LOCKED_OUT = N_("{host} refused this key and is not asked again now. Check {key} in .env.")
SHUT_OUT = N_("{host} refused access and is not asked again now. Check keys and addresses in .env.")
EMPTY = N_("{host}{path} sent an empty answer. Stored data stays; look at the address if it goes on.")
HTML = N_("{host}{path} sent a web page instead of data. Stored data stays; look at it in a browser.")
STRANGE_STATUS = N_("{host}{path} answered {status} without data. The collector has to be adapted.")

_TOO_MANY = re.compile(rb"\s*(throttled|too many requests)", re.I)
_HTML = re.compile(rb"(\xef\xbb\xbf)?(\s|<\?xml[^>]*>|<!--[^>]*>)*<(!doctype\s+html|html|head)\b", re.I)
_NOT_HTML = re.compile(rb"(\xef\xbb\xbf)?\s*([\[{]|<\?xml|<rss|<feed|<rdf)", re.I)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as it came, decompressed; of an error, the first bytes of the body. `at`: our clock when
    its headers were in."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    at: datetime
    retry_after: tuple[str, ...] = ()

    @property
    def moved(self) -> bool:
        """It is a redirect."""
        return self.status in MOVED

    @property
    def location(self) -> str:
        return self.headers.get("location", "").strip()


def judge(
    reply: Reply, place: Place, *, keyed: bool, retry_at: datetime | None = None, html: bool = False
) -> None:
    """Returns where the reply is a complete 200 with a body that may be parsed; else raises.
    `keyed`: credentials were sent; `retry_at`: when the host wants to be asked again; `html`: a page is
    what was asked for."""
    status, detail = meaning(reply)
    if status == 429:
        raise Unavailable("rate_limited", RATE_LIMITED, retry_at=retry_at, **place.values)
    if status == 408 or status >= 500:
        raise Unavailable(f"http_{status}", TROUBLE, retry_at=retry_at, status=status, **place.values)
    if status in (401, 403):
        said = (NOT_IN_PLAN if detail in NOT_THE_KEY else BAD_KEY) if keyed else NOT_ALLOWED
        raise Refused(f"http_{status}", said, detail=detail, status=status, **place.values)
    if status == 400 and (word := _fred_word(reply.body)):
        said = BAD_KEY if word == BAD_KEY_DETAIL else NO_SERIES
        values = {"key": "FRED_API_KEY"} | place.values
        raise Refused("http_400", said, detail=word, status=status, **values)
    if status >= 400 or (300 <= status < 400 and status != 304):
        said = MISSING if status == 404 else ELSEWHERE if status < 400 else BAD_REQUEST
        raise Refused(f"http_{status}", said, detail=detail, status=status, **place.values)
    if status == 204 or (status == 200 and not reply.body.strip(b" \t\r\n\x00\xef\xbb\xbf")):
        raise Changed("empty", EMPTY, **place.values)
    if status != 200:
        raise Changed(f"http_{status}", STRANGE_STATUS, status=status, **place.values)
    if not html and _is_html(reply):
        raise Changed("html", HTML, **place.values)


def shut_out(error: CollectError | None) -> bool:
    """Whether it is the credentials that were refused, not what was asked for."""
    detail = getattr(error, "detail", "")
    if error is None or error.code not in ("http_400", "http_401", "http_403"):
        return False
    return detail == BAD_KEY_DETAIL if error.code == "http_400" else detail not in NOT_THE_KEY


def _fred_word(body: bytes) -> str:
    return next((word for said, word in _FRED_WORDS if said.search(body[:ENVELOPE_BYTES])), "")


def failure(fault: BaseException, place: Place, *, seconds: float, cap: int) -> CollectError | None:
    """What an exception of the connection or of the body means; None: it has nothing to do with either.
    Its text is never shown: it may hold the URL or a header."""
    chain = list(_chain(fault))
    if isinstance(fault, TooLarge):
        return Changed("too_large", TOO_LARGE, megabytes=round(cap / 1e6, 1), **place.values)
    if isinstance(fault, Unasked):
        return Changed("parse", ENCODED, **place.values)
    if isinstance(fault, Broken) or _holds(chain, http.client.IncompleteRead):
        return Unavailable("truncated", TRUNCATED, **place.values)
    if _holds(chain, socket.gaierror):
        return Unavailable("dns", DNS, **place.values)
    if _holds(chain, TimeoutError):
        return Unavailable("timeout", TIMEOUT, seconds=f"{seconds:g}", **place.values)
    if _holds(chain, ssl.SSLError) and not _holds(chain, ssl.SSLEOFError):
        return Refused("tls", TLS, **place.values)
    if _holds(chain, OSError) or _holds(chain, http.client.HTTPException):
        return Unavailable("connect", CONNECT, **place.values)
    return None


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__


def _holds(chain: list[BaseException], kind: type[BaseException]) -> bool:
    return any(isinstance(fault, kind) for fault in chain)


def meaning(reply: Reply) -> tuple[int, str]:
    """The HTTP status that the reply means, and the provider's own error number or "". A 200 that
    carries an error is that error; a 429 is a 429 whatever status it came with."""
    if reply.status != 200 and reply.status < 400:
        return reply.status, ""
    error = envelope(reply.body)
    if error is None:
        return reply.status, ""
    number = int(error) if error.isdecimal() else 0
    if number == 429 or (number == 0 and _TOO_MANY.match(reply.body)):
        return 429, error
    if reply.status != 200:
        return reply.status, error
    return (number if 400 <= number < 600 else STATUS_OF.get(number, 400 if number else 422)), error


def envelope(body: bytes) -> str | None:
    """The error number ("" where it has none) that a small body carries in one of CoinGecko's five
    shapes or as the bare text of its edge; None: the body is no error."""
    if len(body) >= ENVELOPE_BYTES:
        return None
    if _TOO_MANY.match(body):
        return ""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    status, error = said.get("status"), said.get("error")
    inner = error.get("status", error) if isinstance(error, dict) else None
    shapes = (_code(inner), said.get("error_code"), _code(status), status if _is_error(status) else None)
    numbers = [number for number in map(_digits, shapes) if number]
    if numbers:
        return numbers[0]
    failed = bool(error) or (isinstance(status, dict) and bool(status.get("error_message")))
    return "" if failed else None


def _code(said: object) -> object:
    return said.get("error_code") if isinstance(said, dict) else None


def _is_error(status: object) -> bool:
    return isinstance(status, int) and 400 <= status < 600


def _digits(number: object) -> str:
    # 0 is how some providers say that all is well.
    text = str(number) if isinstance(number, int | str) and not isinstance(number, bool) else ""
    return text if re.fullmatch("[1-9][0-9]{0,8}", text) else ""


def _is_html(reply: Reply) -> bool:
    if _HTML.match(reply.body[:2048]):
        return True
    # Some feeds and APIs call their XML or JSON text/html.
    named = reply.headers.get("content-type", "").lower().startswith(("text/html", "application/xhtml"))
    return named and not _NOT_HTML.match(reply.body[:2048])
