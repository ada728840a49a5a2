"""What Yahoo holds of a symbol at this instant: bars adjusted for splits, events, the live bar, and what a
test has changed of them.

`close` is as Yahoo's: divided through every split that has happened by now. `adjclose` takes dividends out
too: closes before an ex-day × (1 − dividend / close of the day before it).
"""

import threading
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from .calendars import is_nyse_day
from .history import History
from .market import Market
from .prices import SYMBOLS, Bar, Symbol, bars, dividends
from .trading_session import Session, currency_session, session

# The one split that was there before any test made one: 2 for 1.
_SPLITS = {"XLF": {date(2016, 9, 19): (2.0, 1.0)}}
Number = float | None
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Slot:
    """One bar as it is told."""

    day: date
    at: int
    open: Number
    high: Number
    low: Number
    close: Number
    volume: int | None
    adjclose: Number


class YahooRecord:
    """All symbols at the market's clock. Setters are safe beside readers.

    `stamps_at_open` gives the live bar the timestamp of a settled one, as some captured answers have it.
    """

    def __init__(self, market: Market, history: History | None = None) -> None:
        self.market, self.history = market, history
        self.stamps_at_open = False
        self._lock = threading.Lock()
        self._dividends: dict[str, dict[date, float]] = {}
        self._splits: dict[str, dict[date, tuple[float, float]]] = {}
        self._closes: dict[str, dict[date, float]] = {}
        self._nulls: dict[str, date] = {}

    def symbol(self, name: str) -> Symbol | None:
        """None where Yahoo has no such symbol, or the folder of histories has none."""
        if self.history is not None and self.history.yahoo(name) is None:
            return None
        return SYMBOLS.get(name)

    def session(self, symbol: Symbol | None = None) -> Session:
        """Where the day of the symbol's market stands now; without one that of the exchange."""
        currency = symbol is not None and symbol.is_currency
        return (currency_session if currency else session)(self.market.now())

    # --- events, as they look from now ---
    def splits(self, symbol: Symbol) -> dict[date, tuple[float, float]]:
        """Day → numerator and denominator of all splits up to now."""
        last = self.session().day
        known = {} if self.history else _SPLITS.get(symbol.name, {})
        with self._lock:
            found = {**known, **self._splits.get(symbol.name, {})}
        return {day: found[day] for day in sorted(found) if symbol.first <= day <= last}

    def dividends(self, symbol: Symbol) -> dict[date, float]:
        """Ex-day → amount of all dividends up to now, divided through later splits."""
        last, paid = self.session().day, dict[date, float]()
        if self.history is None:
            scale = self._since(symbol, date.min)
            paid = {day: scale * paid for day, paid in dividends(symbol, self.market.seed, last.year).items()}
        with self._lock:
            own = dict(self._dividends.get(symbol.name, {}))
        paid |= {day: amount * self._since(symbol, day) for day, amount in own.items()}
        return {day: round(paid[day], 6) for day in sorted(paid) if day <= last and paid[day] > 0}

    def _since(self, symbol: Symbol, day: date) -> float:
        """What is left of a dollar of that day's price after the splits since."""
        factor = 1.0
        for split, (numerator, denominator) in self.splits(symbol).items():
            factor *= denominator / numerator if split > day else 1.0
        return factor

    # --- bars ---
    def slots(self, symbol: Symbol, first: date, last: date) -> list[Slot]:
        """The bars from `first` to `last` that are there by now, in order, with adjusted closes."""
        known = self._known(symbol)
        days = [bar.day for bar in known]
        start, end = bisect_left(days, first), bisect_left(days, last + timedelta(days=1))
        # Everything after the window moves its adjusted closes too.
        tail = self._repriced(symbol, known[start:], live=True)
        factors = self._factors(symbol, tail)
        nulls, newest = self._nulls.get(symbol.name, date.max), days[-1] if days else None
        now = self.session(symbol)
        told = []
        for bar, factor in zip(tail[: end - start], factors, strict=False):
            # A feed that no longer settles goes on with a live snapshot in its last slot.
            live = bar.day == newest == now.day and (now.live or nulls <= bar.day)
            at = now.at if live and not self.stamps_at_open else symbol.stamp(bar.day)
            told.append(_null(bar.day, at) if nulls <= bar.day and not live else _slot(bar, at, factor))
        return told

    def close_before(self, symbol: Symbol, day: date) -> float | None:
        """The close of the last bar before `day`."""
        known = self._known(symbol)
        at = bisect_left(known, day, key=lambda bar: bar.day)
        return self._repriced(symbol, known[at - 1 : at], live=False)[0].close if at else None

    def _known(self, symbol: Symbol) -> Sequence[Bar]:
        last = self.session(symbol).day
        if self.history is None:
            found: Sequence[Bar] = bars(symbol, self.market.seed, last.year)
        else:
            found = _stored(self.history.yahoo(symbol.name) or ())
        first, end = (
            bisect_left(found, day, key=lambda bar: bar.day)
            for day in (self.market.since, last + timedelta(days=1))
        )
        return found[first:end]

    def _repriced(self, symbol: Symbol, known: Sequence[Bar], live: bool) -> list[Bar]:
        """Through the splits, with pinned closes, the last one as it stands while the market is open."""
        with self._lock:
            pins = dict(self._closes.get(symbol.name, {}))
        scale, now, found = self._since(symbol, date.min), self.session(symbol), list(known)
        if scale != 1:
            found = [_scaled(bar, scale) for bar in found]
        for n, bar in enumerate(found if pins else ()):
            if bar.day in pins:
                pinned = pins[bar.day] * self._since(symbol, bar.day)
                found[n] = bar._replace(close=pinned, high=max(bar.high, pinned), low=min(bar.low, pinned))
        if live and now.live and found and found[-1].day == now.day and now.day not in pins:
            found[-1] = _live(found[-1], now.share)
        return found

    def _factors(self, symbol: Symbol, tail: Sequence[Bar]) -> list[float]:
        paid, factor = self.dividends(symbol), 1.0
        factors = [1.0] * len(tail)
        for n in range(len(tail) - 1, 0, -1):
            factors[n] = factor
            if tail[n].day in paid:
                factor *= 1 - paid[tail[n].day] / tail[n - 1].close
        if tail:
            factors[0] = factor
        return factors

    # --- what a test changes ---
    def set_dividend(self, name: str, day: date, amount: float | None) -> None:
        """A dividend of that ex-day, as paid; 0 removes what is there, None takes the change back."""
        self._put(self._dividends, name, day, amount)

    def set_split(self, name: str, day: date, numerator: float | None, denominator: float = 1) -> None:
        """A split, `numerator` new shares for `denominator`; None takes it back."""
        self._put(self._splits, name, day, None if numerator is None else (numerator, denominator))

    def set_close(self, name: str, day: date, close: float | None) -> None:
        """Pins a close as traded that day, while the market is open the live price; None unpins."""
        self._put(self._closes, name, day, close)

    def bitcoin(self, day: date) -> float | None:
        """A pinned close of BTC-USD."""
        with self._lock:
            return self._closes.get("BTC-USD", {}).get(day)

    def set_bitcoin(self, day: date, close: float | None) -> None:
        """Pins a close of BTC-USD, today's live price too; None unpins."""
        with self._lock:
            pins = {**self._closes.get("BTC-USD", {})}
            pins.pop(day, None)
            self._closes["BTC-USD"] = pins if close is None else {**pins, day: close}

    def null_bars(self, name: str, since: date | None) -> None:
        """All fields are null from that day on, but for a live last slot; None ends it."""
        if name not in SYMBOLS:
            raise KeyError(name)
        self._nulls[name] = date.max if since is None else since

    def _put(self, where: dict[str, dict[date, V]], name: str, day: date, value: V | None) -> None:
        if name not in SYMBOLS:
            raise KeyError(name)
        if not (day.weekday() < 5 if SYMBOLS[name].is_currency else is_nyse_day(day)):
            raise ValueError(f"the exchange is closed on {day}")
        with self._lock:
            pins = {**where.get(name, {})}
            if value is None:
                pins.pop(day, None)
            else:
                pins[day] = value
            where[name] = pins


def _scaled(bar: Bar, scale: float) -> Bar:
    opened, high, low, close = (price * scale for price in bar[1:5])
    return Bar(bar.day, opened, high, low, close, round(bar.volume / scale))


def _slot(bar: Bar, at: int, factor: float) -> Slot:
    # Yahoo's numbers have passed through single precision.
    told = array("f", (*bar[1:5], bar.close * factor))
    return Slot(bar.day, at, told[0], told[1], told[2], told[3], bar.volume, told[4])


def _null(day: date, at: int) -> Slot:
    return Slot(day, at, None, None, None, None, None, None)


def _live(bar: Bar, share: float) -> Bar:
    """The day's bar after that share of its hours."""
    price = round(bar.open + (bar.close - bar.open) * share, 2)
    return Bar(
        bar.day, bar.open, max(bar.open, price), min(bar.open, price), price, round(bar.volume * share)
    )


def _stored(rows: Sequence[tuple[date, float | None]]) -> list[Bar]:
    """Bars of a history that has closes only: each opens where the one before it closed."""
    found: list[Bar] = []
    for day, close in rows:
        if close is not None:
            opened = found[-1].close if found else close
            found.append(Bar(day, opened, max(opened, close), min(opened, close), close, 1_000_000))
    return found
