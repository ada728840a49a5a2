"""The control route: what a test can do in Python, as JSON over HTTP, for people and other processes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from . import control_liquidity
from .faults import Fault
from .wire import Reply, compact

if TYPE_CHECKING:
    from .server import FakeUpstream

# Faults that JSON can name; those that take a function are for Python alone.
FAULTS = (
    "status", "retry_after", "coingecko", "body", "html", "empty", "json", "redirect", "edit", "remove",
    "rename", "delay", "drip", "truncate", "chunked_cut", "gzip_truncated", "reset", "hang", "gzip_bomb",
    "flood", "fred", "yahoo",
)  # fmt: skip


def reply(fake: "FakeUpstream", method: str, path: str, body: bytes) -> Reply:
    """GET /control/requests, GET /control/state, POST /control."""
    if method == "GET" and path == "/control/requests":
        return compact([asdict(seen) for seen in fake.requests])
    if method == "GET" and path == "/control/state":
        return compact(state(fake))
    if method != "POST" or path != "/control":
        return compact({"error": "POST /control, GET /control/requests, GET /control/state"}, 404)
    try:
        obey(fake, json.loads(body or b"{}"))
    except (ValueError, TypeError, KeyError, AttributeError) as wrong:
        return compact({"error": f"{type(wrong).__name__}: {wrong}"}, 400)
    return compact(state(fake))


def state(fake: "FakeUpstream") -> dict[str, object]:
    """Clock, mode and settings as they are now."""
    clock = fake.clock
    return {
        "clock": clock.isoformat() if clock else None,
        "now": fake.market.now().isoformat(),
        "moving": fake.moving,
        "requests": len(fake.requests),
        "settings": fake.env(),
    }


def obey(fake: "FakeUpstream", order: Mapping[str, Any]) -> None:
    """Carries out the parts of an order in the order of `_PARTS`. Raises ValueError for an unknown part."""
    unknown = sorted(set(order) - set(_PARTS))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; there are {', '.join(_PARTS)}")
    for name, part in _PARTS.items():
        if name in order:
            part(fake, order[name])


def fault(order: Mapping[str, Any]) -> Fault:
    """`{"name": "status", "args": [503]}` as a Fault."""
    name = order["name"]
    if name not in FAULTS:
        raise ValueError(f"no such fault: {name}; there are {', '.join(FAULTS)}")
    made: Fault = getattr(Fault, name)(*order.get("args", ()), **order.get("kwargs", {}))
    return made


def _faults(fake: "FakeUpstream", orders: Any) -> None:
    for order in orders if isinstance(orders, list) else [orders]:
        fake.fault(order.get("host", "*"), order.get("route", "*"), fault(order), order.get("times"))


def _clear(fake: "FakeUpstream", wanted: Any) -> None:
    if wanted:
        fake.clear_faults()


def _reset(fake: "FakeUpstream", wanted: Any) -> None:
    if wanted:
        fake.reset_counts()


def _clock(fake: "FakeUpstream", instant: str | None) -> None:
    fake.clock = None if instant is None else datetime.fromisoformat(instant)


def _moving(fake: "FakeUpstream", moving: bool) -> None:
    fake.moving = bool(moving)


def _down(fake: "FakeUpstream", hosts: list[str]) -> None:
    for host in hosts:
        fake.fault(host, "*", Fault.reset())


def _prices(fake: "FakeUpstream", pins: Mapping[str, float | None]) -> None:
    for coin, usd in pins.items():
        fake.set_price(coin, usd)


def _tvl(fake: "FakeUpstream", pins: Mapping[str, float | None]) -> None:
    for day, usd in pins.items():
        fake.set_tvl(date.fromisoformat(day), usd)


def _moods(fake: "FakeUpstream", pins: Mapping[str, int | None]) -> None:
    for day, value in pins.items():
        fake.set_fear_greed(date.fromisoformat(day), value)


def _dominance(fake: "FakeUpstream", percent: float | None) -> None:
    fake.set_dominance(percent)


def _lags(fake: "FakeUpstream", pins: Mapping[str, float]) -> None:
    for coin, seconds in pins.items():
        fake.set_lag(coin, timedelta(seconds=seconds))


def _drop(fake: "FakeUpstream", dropped: list[str]) -> None:
    for coin in dropped:
        fake.drop_coin(coin)


_PARTS: dict[str, Callable[["FakeUpstream", Any], None]] = {
    "clear": _clear, "reset_counts": _reset, "clock": _clock, "moving": _moving, "fault": _faults,
    "down": _down, "price": _prices, "tvl": _tvl, "fear_greed": _moods, "dominance": _dominance,
    "lag": _lags, "drop": _drop, **control_liquidity.PARTS,
}  # fmt: skip
