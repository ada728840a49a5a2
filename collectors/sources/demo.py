"""The upstreams of demo mode: the rows that the real sources would bring, from an invented market.

No network, no clock but `Ask.now`, and no memory: a day that is over reads the same whenever it
is asked for; today's row moves with the hour (UTC).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from itertools import pairwise
from statistics import fmean, pstdev

from collectors.model import Ask, Batch, Row
from collectors.sources import (
    demo_exchange,
    demo_fred,
    demo_headlines,
    demo_news,
    demo_prices,
    demo_speeches,
)
from collectors.sources.demo_market import COINS, PROTOCOLS, TOTAL_TVL, Coin, Path, levels, supplies

TOP_COINS = 20
TOP_PROTOCOLS = 30
HISTORY = timedelta(days=365)
# Inputs of the index need two years to be ranked, and their index two more to have bands: then four.
INDEX_HISTORY = timedelta(days=8 * 365 + 2)
SPEECH_HISTORY = timedelta(days=3 * 365)
NEWS_HISTORY = timedelta(days=150)
DESK_HISTORY = timedelta(days=7)
# What is not simulated, as a share of what is, bitcoin aside.
TAIL = 0.25
# Days before the first one asked for, from which changes, momentum and volatility are reckoned.
LEAD = 45
# Days (month, day) on which nobody collected. TVL can be read again later: its holes are its own.
LIVE_GAPS = frozenset({(2, 17), (5, 23), (9, 4), (11, 13), (11, 14), (11, 15)})
TVL_GAPS = frozenset({(1, 9), (6, 30), (7, 19), (7, 20), (7, 21), (11, 3)})
MOOD_GAPS = frozenset({(10, 26)})
# alternative.me's classes by their upper bounds, and its own words for them.
MOODS = ((25, "Extreme Fear"), (46, "Fear"), (54, "Neutral"), (75, "Greed"), (100, "Extreme Greed"))
_DAY = timedelta(days=1)

Gaps = frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Span:
    """The days an ask wants, and those before them that its changes look back on."""

    first: date
    today: date
    hour: int
    since: date | None
    # Somebody asks for the days that nobody collected.
    missed: bool = False

    @property
    def start(self) -> date:
        return self.first - _DAY * LEAD

    def days(self, gaps: Gaps) -> Iterator[tuple[int, date]]:
        """Place in a series of levels and day. A day that is stored already (it was seen live) and
        the newest two are never a gap."""
        for n in range((self.today - self.first).days + 1):
            day = self.first + _DAY * n
            seen = day == self.since or day >= self.today - _DAY
            if self.missed or seen or (day.month, day.day) not in gaps:
                yield LEAD + n, day

    def levels(self, path: Path) -> list[float]:
        return [_figures(level) for level in levels(path, self.start, self.today, self.hour)]


def _span(ask: Ask, days: frozenset[date]) -> _Span:
    now = ask.now.astimezone(UTC)
    first = ask.since if ask.since is not None else now.date() - HISTORY
    return _Span(min(first, now.date(), *days), now.date(), now.hour, ask.since, bool(days))


def _figures(value: float) -> float:
    """Six significant digits: more would only look exact."""
    return float(f"{value:.6g}")


def _percent(series: Sequence[float], at: int, back: int) -> float:
    return round(100 * (series[at] / series[at - back] - 1), 5)


@dataclass(frozen=True, slots=True)
class _Tape:
    """A coin over a span: price, market cap and usual turnover of every day."""

    coin: Coin
    prices: list[float]
    caps: list[float]
    turnover: list[float]


def _tape(coin: Coin, span: _Span) -> _Tape:
    prices = span.levels(coin.price)
    turnover = levels(coin.bustle, span.start, span.today, span.hour)
    return _Tape(coin, prices, _caps(coin, span, prices), turnover)


def _caps(coin: Coin, span: _Span, prices: Sequence[float]) -> list[float]:
    circulating = supplies(coin, span.start, len(prices))
    return [float(round(price * coins)) for price, coins in zip(prices, circulating, strict=True)]


def _stir(prices: Sequence[float], at: int) -> float:
    return min(0.2, abs(prices[at] / prices[at - 1] - 1))


def _market_row(tape: _Tape, at: int, day: date, rank: int, volume: float) -> Row:
    return {
        "coin": tape.coin.coin,
        "date": day,
        "symbol": tape.coin.symbol,
        "name": tape.coin.name,
        "rank": rank,
        "price": tape.prices[at],
        "market_cap": tape.caps[at],
        "volume": volume,
        "change_24h": _percent(tape.prices, at, 1),
        "change_7d": _percent(tape.prices, at, 7),
        "change_30d": _percent(tape.prices, at, 30),
    }


def _markets(span: _Span) -> Iterator[Row]:
    tapes = [_tape(coin, span) for coin in COINS]
    bitcoin = tapes[0].prices
    for at, day in span.days(LIVE_GAPS):
        ranked = sorted(tapes, key=lambda tape: -tape.caps[at])
        for rank, tape in enumerate(ranked[:TOP_COINS], 1):
            # Trading follows excitement: the coin's own move and, less, bitcoin's.
            stirred = math.exp(7 * _stir(tape.prices, at) + 4 * _stir(bitcoin, at))
            volume = float(round(tape.caps[at] * tape.turnover[at] * stirred))
            yield _market_row(tape, at, day, rank, volume)


def _observed(series: str, day: date, value: float, note: str | None = None) -> Row:
    return {"series": series, "date": day, "value": value, "note": note}


def _dominance(span: _Span) -> Iterator[Row]:
    bitcoin, *others = (_caps(coin, span, span.levels(coin.price)) for coin in COINS)
    for at, day in span.days(LIVE_GAPS):
        rest = (1 + TAIL) * sum(caps[at] for caps in others)
        share = 100 * bitcoin[at] / (bitcoin[at] + rest)
        yield _observed("coingecko.btc_dominance", day, round(share, 4))


def _bitcoin(span: _Span) -> Iterator[Row]:
    """What another exchange quotes: the same market, a little apart."""
    prices = span.levels(COINS[0].price)
    for at, day in span.days(frozenset()):
        yield _observed("yahoo.BTC-USD", day, round(prices[at] * (1 + 0.002 * math.sin(day.toordinal())), 2))


def _total_tvl(span: _Span) -> Iterator[Row]:
    total = span.levels(TOTAL_TVL)
    for at, day in span.days(TVL_GAPS):
        yield _observed("defillama.total_tvl", day, total[at])


def _protocols(span: _Span) -> Iterator[Row]:
    locked = [(protocol, span.levels(protocol.tvl)) for protocol in PROTOCOLS]
    for at, day in span.days(LIVE_GAPS):
        largest = sorted(locked, key=lambda pair: -pair[1][at])
        for protocol, tvl in largest[:TOP_PROTOCOLS]:
            yield {
                "protocol": protocol.protocol,
                "date": day,
                "name": protocol.name,
                "category": protocol.category,
                "tvl": tvl[at],
                "change_1d": _percent(tvl, at, 1),
                "change_7d": _percent(tvl, at, 7),
            }


def _mood(prices: Sequence[float], at: int) -> int:
    """0 to 100 from bitcoin's momentum and volatility up to yesterday: out at 00:00, then final."""
    logs = [math.log(price) for price in prices[at - 31 : at]]
    moves = [after - before for before, after in pairwise(logs[-15:])]
    trend, week = logs[-1] - fmean(logs), logs[-1] - logs[-8]
    heat = pstdev(moves) / 0.02 - 1
    return max(4, min(96, round(51 + 44 * math.tanh(4.5 * trend + 1.5 * week - 0.22 * heat))))


def mood_label(value: int) -> str:
    """alternative.me's word for a Fear & Greed index of 0 to 100."""
    return next(label for bound, label in MOODS if value <= bound)


def _fear_greed(span: _Span) -> Iterator[Row]:
    prices = span.levels(COINS[0].price)
    for at, day in span.days(MOOD_GAPS):
        value = _mood(prices, at)
        yield _observed("alternative_me.fear_greed_index", day, float(value), mood_label(value))


_GENERATORS: dict[str, Callable[[_Span], Iterator[Row]]] = {
    "coingecko.markets": _markets,
    "coingecko.global": _dominance,
    "defillama.total_tvl": _total_tvl,
    "defillama.protocols": _protocols,
    "alternative_me.fear_greed": _fear_greed,
    "yahoo.BTC-USD": _bitcoin,
}
_OBSERVED = {
    **dict.fromkeys(demo_fred.SOURCES, demo_fred.rows),
    **dict.fromkeys(demo_prices.SOURCES, demo_prices.rows),
    **dict.fromkeys(demo_exchange.SOURCES, demo_exchange.rows),
}
_SAID = {
    demo_speeches.SOURCE: (demo_speeches.rows, SPEECH_HISTORY),
    demo_headlines.SOURCE: (demo_headlines.rows, NEWS_HISTORY),
    demo_news.SOURCE: (demo_news.rows, DESK_HISTORY),
}
SOURCES: frozenset[str] = frozenset(_GENERATORS) | frozenset(_OBSERVED) | frozenset(_SAID)


def batch(source: str, ask: Ask, days: frozenset[date] = frozenset()) -> Batch:
    """The rows of `source` from `ask.since` (its whole history where nothing is stored) to what is out by
    `ask.now`; with `days`, those are among them also where nobody collected. Raises KeyError for a source
    that has no generator."""
    if source in _GENERATORS:
        return Batch(tuple(_GENERATORS[source](_span(ask, days))))
    now = ask.now.astimezone(UTC)
    if source in _SAID:
        said, history = _SAID[source]
        return Batch(tuple(said(_first(ask, history), now)))
    told = _OBSERVED[source](source, _first(ask, INDEX_HISTORY), now)
    return Batch(tuple(_observed(*one) for one in told))


def _first(ask: Ask, history: timedelta) -> date:
    today = ask.now.astimezone(UTC).date()
    return today - history if ask.since is None else min(ask.since, today)
