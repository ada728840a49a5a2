"""The parts of the control route that change the liquidity upstreams, each an object by series or symbol.

    {"observation": {"DGS10": {"2026-11-20": 4.31, "2026-11-19": "."}}, "stop": {"SOFR": "2026-11-02"},
     "split": {"SPY": {"2026-11-20": [2, 1]}}, "null_bars": {"^MOVE": "2026-07-17"}}

As in Python, null takes a change back.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .server import FakeUpstream

ByDay = Mapping[str, Mapping[str, Any]]
Value = float | Literal["."] | None


def _each_day(act: Callable[[str, date, Any], None], pins: ByDay) -> None:
    for name, days in pins.items():
        for day, value in days.items():
            act(name, date.fromisoformat(day), value)


def _observations(fake: "FakeUpstream", pins: Mapping[str, Mapping[str, Value]]) -> None:
    _each_day(fake.set_observation, pins)


def _added(fake: "FakeUpstream", pins: Mapping[str, Mapping[str, Value]]) -> None:
    _each_day(fake.add_observation, pins)


def _units(fake: "FakeUpstream", units: Mapping[str, str | None]) -> None:
    for series, name in units.items():
        fake.set_unit(series, name)


def _ends(fake: "FakeUpstream", ends: Mapping[str, str | None]) -> None:
    for series, day in ends.items():
        fake.stop_series(series, None if day is None else date.fromisoformat(day))


def _factors(fake: "FakeUpstream", factors: Mapping[str, float]) -> None:
    for series, factor in factors.items():
        fake.scale_series(series, factor)


def _dividends(fake: "FakeUpstream", pins: Mapping[str, Mapping[str, float | None]]) -> None:
    _each_day(fake.set_dividend, pins)


def _splits(fake: "FakeUpstream", pins: Mapping[str, Mapping[str, list[float] | None]]) -> None:
    _each_day(lambda symbol, day, ratio: fake.set_split(symbol, day, *(ratio or (None,))), pins)


def _closes(fake: "FakeUpstream", pins: Mapping[str, Mapping[str, float | None]]) -> None:
    _each_day(fake.set_close, pins)


def _nulls(fake: "FakeUpstream", since: Mapping[str, str | None]) -> None:
    for symbol, day in since.items():
        fake.null_bars(symbol, None if day is None else date.fromisoformat(day))


PARTS: dict[str, Callable[["FakeUpstream", Any], None]] = {
    "observation": _observations, "add_observation": _added, "unit": _units, "stop": _ends,
    "scale": _factors, "dividend": _dividends, "split": _splits, "close": _closes, "null_bars": _nulls,
}  # fmt: skip
