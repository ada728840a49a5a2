"""The ways in which an upstream can misbehave, as data: what a test or the control route asks for.

`wire.py` carries them out. A fault that names no body bends the regular answer of the route.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from . import refusals

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=UTF-8"
_AT = "2026-11-23T00:00:00.000+00:00"

# CoinGecko's five error envelopes, and the plain-text one: name → (HTTP status, body).
ENVELOPES: dict[str, tuple[int, object]] = {
    "missing_parameter": (422, {"error": "Missing parameter vs_currency"}),
    "server_error": (500, {"status": 500, "error": "Internal Server Error"}),
    "rate_limited": (429, {"status": {"error_code": 429, "error_message":
        "You've gone over the rate limit. See the pricing page for plans with higher limits."}}),
    "user_agent": (403, {"status": {"error_code": 403, "error_message":
        "A descriptive User-Agent has to come with every request."}}),
    "key_missing": (401, {"status": {"timestamp": _AT, "error_code": 10002, "error_message":
        "API Key Missing. Check the authentication method of your plan."}}),
    "pro_only": (401, {"status": {"error_code": 10005, "error_message":
        "Only PRO API subscribers may send this request.", "timestamp": _AT}}),
    "range": (401, {"error": {"status": {"timestamp": _AT, "error_code": 10012, "error_message":
        "The time range asked for is not allowed: public API users get the past 365 days."}}}),
    "pro_key_on_demo": (400, {"timestamp": _AT, "error_code": 10010, "status": {"error_message":
        "With a Pro API key the root URL is pro-api.coingecko.com, not api.coingecko.com."}}),
    "demo_key_on_pro": (400, {"timestamp": _AT, "error_code": 10011, "status": {"error_message":
        "With a Demo API key the root URL is api.coingecko.com, not pro-api.coingecko.com."}}),
    "throttled": (429, "Throttled"),
}  # fmt: skip

_DENIED = b"""<!DOCTYPE html>
<html lang="en-US"><head><meta charset="UTF-8"><title>Access denied</title></head>
<body><h1>Error 1020</h1><p>The owner of this site does not let you in (Cloudflare).</p>
<p>Ray ID: 0000000000000000</p></body></html>
"""

Pairs = Mapping[str, str] | Iterable[tuple[str, str]]


def _pairs(headers: Pairs | None) -> tuple[tuple[str, str], ...]:
    return tuple(headers.items() if isinstance(headers, Mapping) else headers or ())


def _bytes(body: bytes | str) -> bytes:
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body


@dataclass(frozen=True, slots=True)
class Fault:
    """One misbehaviour. Made by its class methods, never by hand."""

    act: str
    code: int = 200
    content: bytes = b""
    media: str = JSON
    extra: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    size: int = 0
    layers: int = 1
    head: bool = False
    change: Callable[[Any], Any] | None = None

    # --- another answer ---
    @classmethod
    def status(cls, code: int, body: bytes | str | None = None, headers: Pairs | None = None) -> "Fault":
        """That status; the body is a plain sentence unless given (then JSON)."""
        if body is not None:
            return cls("own", code, _bytes(body), JSON, _pairs(headers))
        said = f"{code} {HTTPStatus(code).phrase}" if code in list(HTTPStatus) else str(code)
        return cls("own", code, said.encode(), "text/plain; charset=utf-8", _pairs(headers))

    @classmethod
    def retry_after(cls, value: object, code: int = 429) -> "Fault":
        """CoinGecko's rate-limit body with `retry-after: value`; a list sends the header repeatedly."""
        values = value if isinstance(value, list | tuple) else [value]
        body = json.dumps(ENVELOPES["rate_limited"][1]).encode()
        return cls("own", code, body, JSON, tuple(("retry-after", str(each)) for each in values))

    @classmethod
    def coingecko(cls, name: str) -> "Fault":
        """One of `ENVELOPES` by its name."""
        code, body = ENVELOPES[name]
        if isinstance(body, str):
            return cls("own", code, body.encode(), "text/plain; charset=utf-8")
        return cls("own", code, json.dumps(body).encode())

    @classmethod
    def fred(cls, name: str, file_type: str = "xml") -> "Fault":
        """One of FRED's refusals: `key`, `malformed_key`, `no_key`, `series`, `rate_limited` (429)."""
        code, body, media = refusals.fred(name, file_type)
        return cls("own", code, body, media)

    @classmethod
    def yahoo(cls, name: str) -> "Fault":
        """One of Yahoo's: `rate_limited` (429, text), `invalid_crumb` (401), `no_data` (404)."""
        code, body, media = refusals.yahoo(name)
        return cls("own", code, body, media)

    @classmethod
    def body(cls, content: bytes | str, content_type: str = JSON, code: int = 200) -> "Fault":
        """200 with exactly these bytes."""
        return cls("own", code, _bytes(content), content_type)

    @classmethod
    def html(cls, code: int = 200) -> "Fault":
        """A page of the delivery network where JSON was expected."""
        return cls("own", code, _DENIED, HTML)

    @classmethod
    def empty(cls) -> "Fault":
        """200 without a body."""
        return cls("own")

    @classmethod
    def json(cls, value: object) -> "Fault":
        """200 with this value; NaN and Infinity are written as such."""
        return cls("own", 200, json.dumps(value).encode("utf-8", "surrogatepass"))

    @classmethod
    def redirect(cls, url: str, code: int = 302) -> "Fault":
        """To another place."""
        return cls("own", code, b"", HTML, (("location", url),))

    # --- the regular answer, bent ---
    @classmethod
    def mutate(cls, change: Callable[[Any], Any]) -> "Fault":
        """The regular payload, parsed, through `change`, and written again."""
        return cls("mutate", change=change)

    @classmethod
    def rewrite(cls, change: Callable[[bytes], bytes]) -> "Fault":
        """The regular body as bytes through `change`: for what no JSON writer would write."""
        return cls("rewrite", change=change)

    @classmethod
    def edit(cls, path: str, value: Any) -> "Fault":
        """Sets one place of the payload: `0.current_price`; `*` means every element."""
        return cls("mutate", change=_at(path, lambda holder, key: holder.__setitem__(key, value)))

    @classmethod
    def remove(cls, path: str) -> "Fault":
        """Takes one place out of the payload."""
        return cls("mutate", change=_at(path, lambda holder, key: holder.__delitem__(key)))

    @classmethod
    def rename(cls, path: str, name: str) -> "Fault":
        """The field at `path` gets another name."""
        return cls("mutate", change=_at(path, lambda holder, key: holder.__setitem__(name, holder.pop(key))))

    @classmethod
    def delay(cls, seconds: float) -> "Fault":
        """The regular answer, late."""
        return cls("delay", seconds=seconds)

    @classmethod
    def drip(cls, interval_s: float, size: int = 1, headers: bool = False) -> "Fault":
        """The regular body, `size` bytes each `interval_s`; `headers`: those drip too."""
        return cls("drip", seconds=interval_s, size=size, head=headers)

    @classmethod
    def truncate(cls, n: int) -> "Fault":
        """`n` bytes of the regular body under its full Content-Length, then the end."""
        return cls("truncate", size=n)

    @classmethod
    def chunked_cut(cls, n: int) -> "Fault":
        """`n` bytes as one chunk of a chunked body that never ends properly."""
        return cls("chunked_cut", size=n)

    @classmethod
    def gzip_truncated(cls) -> "Fault":
        """Half a gzip stream under a Content-Length that fits: only the stream itself can tell."""
        return cls("gzip_truncated")

    # --- the connection ---
    @classmethod
    def reset(cls, after: int = 0) -> "Fault":
        """RST, at once or in the body after that many bytes."""
        return cls("reset", size=after)

    @classmethod
    def hang(cls, seconds: float) -> "Fault":
        """No answer for so long, then the connection ends."""
        return cls("hang", seconds=seconds)

    @classmethod
    def gzip_bomb(cls, mb: int, layers: int = 1) -> "Fault":
        """A small gzip body that unpacks to `mb` megabytes of blanks."""
        return cls("gzip_bomb", size=mb, layers=layers)

    @classmethod
    def flood(cls, mb: int) -> "Fault":
        """A plain body of `mb` megabytes."""
        return cls("flood", size=mb)


def _at(path: str, act: Callable[[Any, Any], object]) -> Callable[[Any], Any]:
    steps = path.split(".")

    def change(payload: Any) -> Any:
        for holder in _holders(payload, steps[:-1]):
            for key in _keys(holder, steps[-1]):
                act(holder, key)
        return payload

    return change


def _holders(value: Any, steps: list[str]) -> list[Any]:
    found = [value]
    for step in steps:
        found = [holder[key] for holder in found for key in _keys(holder, step)]
    return found


def _keys(holder: Any, step: str) -> list[Any]:
    if step == "*":
        return list(range(len(holder)) if isinstance(holder, list) else holder)
    return [int(step) if isinstance(holder, list) else step]
