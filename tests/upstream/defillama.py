"""DefiLlama as the fake plays it: total TVL by day, chains, and the protocol list in two sizes."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from json import dumps

from . import protocols
from .market import Market, midnight
from .wire import Reply, compact

FIRST = date(2018, 12, 16)
PAST_DAYS = 800
_TTL = (("cache-control", "public, max-age=600"),)


def _minified(value: object) -> bytes:
    return dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


@lru_cache(maxsize=4)
def _tail(seed: int) -> bytes:
    return b"," + _minified(protocols.tail(seed))[1:-1]


class DefiLlama:
    """Answers for api.llama.fi. Bodies are composed once per day and state of the market."""

    def __init__(self, market: Market, full_size: bool) -> None:
        self.market, self.full_size = market, full_size
        self._kept: dict[str, tuple[object, bytes]] = {}
        self._routes: dict[str, Callable[[], bytes]] = {
            "/v2/historicalChainTvl": self._history,
            "/v2/chains": self._chains,
            "/protocols": self._protocols,
        }

    def warm(self) -> None:
        """Composes the large body ahead of the first request."""
        self._body("/protocols")

    def reply(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        """Unknown chains answer 400, unknown paths the plain-text 404 of an outage."""
        if path in self._routes:
            return Reply(200, self._body(path), headers=_TTL)
        if path.startswith("/protocol/"):
            return self._protocol(path.removeprefix("/protocol/"))
        if path.startswith("/v2/historicalChainTvl/"):
            return compact({"message": "No chain goes by that name"}, 400)
        return Reply(404, b"404 page not found\n", "text/plain; charset=utf-8")

    def _body(self, path: str) -> bytes:
        stamp = self.market.stamp()
        kept = self._kept.get(path)
        if kept is None or kept[0] != stamp:
            kept = self._kept[path] = (stamp, self._routes[path]())
        return kept[1]

    def _history(self) -> bytes:
        today = self.market.today()
        days = (FIRST + timedelta(days=n) for n in range((today - FIRST).days + 1))
        return _minified([{"date": midnight(day), "tvl": self.market.tvl(day)} for day in days])

    def _protocol(self, slug: str) -> Reply:
        """One point a day at its midnight, and one of now."""
        today = self.market.today()
        days = [today - timedelta(days=back) for back in range(PAST_DAYS, -1, -1)]
        values = protocols.past(self.market, slug, days)
        if values is None:
            return compact({"message": "Protocol is not in our database"}, 400)
        points = [
            {"date": midnight(day), "totalLiquidityUSD": value}
            for day, value in zip(days, values, strict=True)
        ]
        points.append({"date": int(self.market.now().timestamp()), "totalLiquidityUSD": values[-1]})
        about = {"id": "111", "name": slug, "symbol": "-", "chains": ["Ethereum"], "currentChainTvls": {}}
        return compact({**about, "tvl": points, "chainTvls": {}, "tokensInUsd": [], "tokens": []})

    def _chains(self) -> bytes:
        return _minified(protocols.chains(self.market, self.market.today()))

    def _protocols(self) -> bytes:
        rows = _minified(protocols.head(self.market, self.market.today()))
        return rows[:-1] + _tail(self.market.seed) + b"]" if self.full_size else rows
