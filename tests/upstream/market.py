"""The invented market behind every answer: one clock, one smooth price path a coin, and the pins.

All values are functions of (seed, instant), so that two processes with the same seed and clock
tell the same story. A frozen market holds the value of noon for the whole UTC day; a moving one
follows the clock and shifts a little with each request.
"""

import math
import random
import threading
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TypeVar

from .coins import Coin, coins

K = TypeVar("K")
V = TypeVar("V")

REFERENCE = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY_S = 86_400
# (period in days, amplitude of the logarithm): the common tide, then each coin's own ripples.
_TIDE = ((701.0, 0.13), (163.0, 0.08), (47.3, 0.045), (11.7, 0.020), (2.9, 0.008), (0.43, 0.003))
_RIPPLES = ((97.0, 0.055), (19.1, 0.024), (5.3, 0.009), (0.71, 0.003))
# How much of the tide and of the ripples a kind of coin follows.
_KINDS = {"": (1.0, 1.0), "s": (0.0, 0.006), "f": (0.0, 0.03), "g": (0.15, 0.25)}
_TVL_WAVES = ((823.0, 0.16), (211.0, 0.09), (61.0, 0.04), (13.0, 0.015), (3.1, 0.006))
_MOOD_WAVES = ((401.0, 17.0), (83.0, 13.0), (23.0, 9.0), (4.7, 4.0))
TVL_REFERENCE = 118_400_000_000.0
DOMINANCE_BASE = 55.4


@lru_cache(maxsize=4096)
def _phases(name: str, count: int) -> tuple[float, ...]:
    source = random.Random(name)
    return tuple(source.random() for _ in range(count))


def _wave(name: str, parts: tuple[tuple[float, float], ...], days: float) -> float:
    shifts = _phases(name, len(parts))
    return sum(a * math.sin(math.tau * (days / p + s)) for (p, a), s in zip(parts, shifts, strict=True))


def _from_reference(name: str, parts: tuple[tuple[float, float], ...], days: float) -> float:
    return _wave(name, parts, days) - _wave(name, parts, REFERENCE.timestamp() / DAY_S)


@lru_cache(maxsize=65_536)
def _path(seed: int, coin: Coin, instant: float) -> float:
    days, (tide, ripple) = instant / DAY_S, _KINDS[coin.kind]
    beta = tide * (0.7 + 0.6 * _phases(f"{seed}:beta:{coin.id}", 1)[0])
    grown = beta * _from_reference(f"{seed}:tide", _TIDE, days)
    return coin.price * math.exp(grown + ripple * _from_reference(f"{seed}:{coin.id}", _RIPPLES, days))


def midnight(day: date) -> int:
    """00:00 UTC of `day`, in seconds."""
    return int(datetime.combine(day, time(), UTC).timestamp())


class Market:
    """The state that the answers are drawn from. Thread-safe for readers; setters raise `version`."""

    def __init__(
        self, seed: int = 1, moving: bool = False, clock: datetime | None = None, since: date = date.min
    ) -> None:
        self.seed, self.moving, self.since = seed, moving, since
        self.version = 0
        self._tick = 0
        self._lock = threading.Lock()
        self._clock: datetime | None = None
        self.clock = clock
        self._coins = {coin.id: coin for coin in coins()}
        self._prices: dict[str, float] = {}
        self._tvl: dict[date, float] = {}
        self._moods: dict[date, int] = {}
        self._dominance: float | None = None
        self.lags = {"figure-heloc": timedelta(hours=6, minutes=8), "hashnote-usyc": timedelta(hours=15)}

    @property
    def clock(self) -> datetime | None:
        """The instant the fake believes in; None for the real one."""
        return self._clock

    @clock.setter
    def clock(self, instant: datetime | None) -> None:
        if instant is not None and instant.utcoffset() is None:
            raise ValueError("the clock needs a datetime with a time zone")
        self._clock = None if instant is None else instant.astimezone(UTC)

    def now(self) -> datetime:
        """Aware UTC."""
        return self._clock or datetime.now(UTC)

    def today(self) -> date:
        """The UTC day of `now`."""
        return self.now().date()

    def step(self) -> None:
        """Another request came in: a moving market shifts."""
        with self._lock:
            self._tick += 1

    def stamp(self) -> tuple[date, int, int]:
        """What the values depend on besides pins and day: equal stamps, equal bodies."""
        return self.today(), self.version, self._tick if self.moving else -1

    def moment(self) -> float:
        """The instant whose values are told now, in seconds."""
        return self.now().timestamp() if self.moving else midnight(self.today()) + DAY_S / 2

    def _nudge(self, strength: float) -> float:
        # Steps of the golden section: two requests in a row never get the same value.
        return 1 + strength * ((self._tick * 0.618034) % 1 - 0.5) if self.moving else 1.0

    # --- what is told ---
    def listed(self) -> list[Coin]:
        """All coins, the leading twenty first, each group by market cap."""
        return sorted(self._coins.values(), key=lambda c: (not c.leading, -self.spot(c) * c.supply))

    def coin(self, identifier: str) -> Coin | None:
        """The coin of that id, None where it is unknown or dropped."""
        return self._coins.get(identifier)

    def price_at(self, coin: Coin, instant: float) -> float:
        """USD at `instant` (seconds), pins aside."""
        return _path(self.seed, coin, instant)

    def spot(self, coin: Coin) -> float:
        """USD now; a pinned price wins."""
        pinned = self._prices.get(coin.id)
        if pinned is not None:
            return pinned
        return self.price_at(coin, self.moment()) * self._nudge(0.00002 if coin.kind == "s" else 0.001)

    def tvl(self, day: date) -> float:
        """Total value locked that day, USD; only today's still moves."""
        if day in self._tvl:
            return self._tvl[day]
        days = midnight(day) / DAY_S
        years = (days - REFERENCE.timestamp() / DAY_S) / 365.25
        # From next to nothing in 2019 to its present size in 2021, then slow growth.
        level = TVL_REFERENCE * math.exp(0.05 * years) / (1 + math.exp(-3.2 * (years + 5.9)))
        level *= math.exp(_from_reference(f"{self.seed}:tvl", _TVL_WAVES, days))
        return level * (self._nudge(0.002) if day == self.today() else 1.0)

    def growth(self, name: str, day: date) -> float:
        """How large something is that day, as a multiple of the reference day."""
        wobble = _from_reference(f"{self.seed}:{name}", ((71.0, 0.03), (9.0, 0.012)), midnight(day) / DAY_S)
        return math.exp(wobble) * (self._nudge(0.002) if day == self.today() else 1.0)

    def mood(self, day: date) -> int:
        """Fear & Greed of that day, 5 to 95; never revised."""
        if day in self._moods:
            return self._moods[day]
        return round(min(95.0, max(5.0, 48 + _wave(f"{self.seed}:mood", _MOOD_WAVES, midnight(day) / DAY_S))))

    def dominance(self) -> float:
        """Bitcoin's share of the total market cap, percent."""
        if self._dominance is not None:
            return self._dominance
        drift = _from_reference(f"{self.seed}:dominance", ((130.0, 2.0), (17.0, 0.6)), self.moment() / DAY_S)
        return (DOMINANCE_BASE + drift) * self._nudge(0.001)

    # --- pins and composition ---
    def set_price(self, coin: str, usd: float | None) -> None:
        """Pins the spot price of a coin, for every instant from now on; None unpins."""
        if coin not in self._coins:
            raise KeyError(coin)
        _pin(self._prices, coin, usd)
        self.version += 1

    def set_tvl(self, day: date, usd: float | None) -> None:
        """Pins the total TVL of one day: a restated past when the day is over; None unpins."""
        _pin(self._tvl, day, usd)
        self.version += 1

    def set_fear_greed(self, day: date, value: int | None) -> None:
        """Pins the index of one day; None unpins."""
        _pin(self._moods, day, value)
        self.version += 1

    def set_dominance(self, percent: float | None) -> None:
        """Pins Bitcoin's share; None unpins."""
        self._dominance = percent
        self.version += 1

    def set_lag(self, coin: str, lag: timedelta) -> None:
        """How far the coin's `last_updated` lies behind the clock."""
        self.lags[coin] = lag

    def drop_coin(self, coin: str) -> None:
        """The coin leaves every list; the next one moves up."""
        if coin not in self._coins:
            raise KeyError(coin)
        self._coins = {name: kept for name, kept in self._coins.items() if name != coin}
        self.version += 1

    def add_coin(self, coin: Coin) -> None:
        """A newcomer (or one that was dropped) joins the lists at its market cap."""
        self._coins = {**self._coins, coin.id: coin}
        self.version += 1


def _pin(pins: dict[K, V], key: K, value: V | None) -> None:
    if value is None:
        pins.pop(key, None)
    else:
        pins[key] = value
