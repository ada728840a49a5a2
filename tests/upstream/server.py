"""One local HTTP server that plays every host, and the handle that tests hold on it.

Each host has a path prefix, so that the base-URL settings can point here. Requests are counted
and kept with their headers; faults are taken from a list, first match first.
"""

import threading
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Self

from .coingecko import CoinGecko
from .coins import Coin
from .defillama import DefiLlama
from .faults import Fault
from .fear_greed import FearGreed
from .hosts import PREFIXES, Seen
from .liquidity import FRED_KEY, LiquidityUpstreams
from .listener import Listener
from .market import Market
from .wire import Reply

# A past that is as long as the index needs.
YOUNG = date(2014, 1, 2)
DEMO_KEY, PRO_KEY = "CG-demo-key-of-the-fake", "CG-pro-key-of-the-fake"
_SETTINGS = {
    "COLLECTOR_COINGECKO_URL": "coingecko",
    "COLLECTOR_DEFILLAMA_URL": "defillama",
    "COLLECTOR_FEAR_GREED_URL": "alternative_me",
}


@dataclass(slots=True)
class _Standing:
    """A fault in force; `left` None: for ever."""

    host: str
    route: str
    fault: Fault
    left: int | None = None

    def meets(self, host: str, path: str) -> bool:
        return fnmatchcase(host, self.host) and fnmatchcase(path.rstrip("/"), self.route.rstrip("/"))


class FakeUpstream(LiquidityUpstreams):
    """The server on 127.0.0.1, and everything that can be asked of it. Use it as a context manager.

    `since`: no series of FRED, Yahoo or OFR begins before it, but for those of a `history`. With date.min
    each begins as early as the real one, which is twice as much to collect."""

    def __init__(
        self, full_size: bool = False, clock: datetime | None = None, moving: bool = False, seed: int = 1,
        *, port: int = 0, gzip: bool = False, demo_key: str = DEMO_KEY, pro_key: str = PRO_KEY,
        fred_key: str = FRED_KEY, history: Path | None = None, since: date = YOUNG,
    ) -> None:  # fmt: skip
        self.market = Market(seed, moving, clock, since if history is None else date.min)
        self.demo_key, self.pro_key, self.gzip = demo_key, pro_key, gzip
        self.port = port
        # Seconds that an `Age` header claims; None sends none.
        self.age: int | None = None
        self.errors: list[str] = []
        self.stopping = threading.Event()
        self._gecko = CoinGecko(self.market, demo_key, pro_key)
        self._llama = DefiLlama(self.market, full_size)
        self._mood = FearGreed(self.market)
        super().__init__(self.market, fred_key, history)
        self._lock = threading.Lock()
        self._seen: list[Seen] = []
        self._faults: list[_Standing] = []
        self._server: Listener | None = None

    def __enter__(self) -> Self:
        self.stopping.clear()
        self._llama.warm()
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.down()

    # --- the whole server ---
    def up(self) -> None:
        """Listens (again, on the same port)."""
        if self._server is None:
            self._server = Listener(("127.0.0.1", self.port), self)
            self.port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        """Closes the listening socket and every connection: from now on, connection refused."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.drop_connections()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self.port}"

    def env(self, pro: bool = False) -> dict[str, str]:
        """The base-URL settings; `pro` points CoinGecko's at the paid host."""
        found = {name: self.url + PREFIXES[host] for name, host in _SETTINGS.items()}
        if pro:
            found["COLLECTOR_COINGECKO_URL"] = self.url + PREFIXES["coingecko-pro"]
        return found | self.liquidity_env(self.url)

    # --- what came in ---
    @property
    def requests(self) -> list[Seen]:
        """A snapshot of all requests since the last reset, in order of arrival."""
        with self._lock:
            return list(self._seen)

    def count(self, host: str = "*", path: str = "*") -> int:
        """How many requests came for this host and path; both may hold `*`."""
        wanted = _Standing(host, path, Fault("own"))
        return sum(wanted.meets(seen.host, seen.path) for seen in self.requests)

    def reset_counts(self) -> None:
        """Forgets the requests."""
        with self._lock:
            self._seen.clear()

    # --- faults ---
    def fault(self, host: str, route: str, fault: Fault, times: int | None = None) -> None:
        """From now on `route` of `host` misbehaves, `times` times or for ever; both may hold `*`."""
        if not any(fnmatchcase(known, host) for known in PREFIXES):
            raise ValueError(f"no such host: {host}; there are {', '.join(PREFIXES)}")
        with self._lock:
            self._faults.append(_Standing(host, route, fault, times))

    def clear_faults(self) -> None:
        """All behave again."""
        with self._lock:
            self._faults.clear()

    def take(self, seen: Seen) -> Fault | None:
        """Notes the request and spends the first fault that meets it."""
        with self._lock:
            self._seen.append(seen)
            for standing in self._faults:
                if standing.left != 0 and standing.meets(seen.host, seen.path):
                    standing.left = None if standing.left is None else standing.left - 1
                    return standing.fault
        return None

    # --- the market ---
    @property
    def clock(self) -> datetime | None:
        """Aware datetime, or None for real time; it drives dates, `last_updated` and "today"."""
        return self.market.clock

    @clock.setter
    def clock(self, instant: datetime | None) -> None:
        self.market.clock = instant

    @property
    def moving(self) -> bool:
        """False: the same values all day; True: prices change with each request."""
        return self.market.moving

    @moving.setter
    def moving(self, moving: bool) -> None:
        self.market.moving = moving

    def set_price(self, coin: str, usd: float | None) -> None:
        """Pins a coin's spot price; None unpins."""
        self.market.set_price(coin, usd)

    def set_tvl(self, day: date, usd: float | None) -> None:
        """Pins the total TVL of a day; None unpins."""
        self.market.set_tvl(day, usd)

    def set_fear_greed(self, day: date, value: int | None) -> None:
        """Pins the index of a day; None unpins."""
        self.market.set_fear_greed(day, value)

    def set_dominance(self, percent: float | None) -> None:
        """Pins Bitcoin's share; None unpins."""
        self.market.set_dominance(percent)

    def set_lag(self, coin: str, lag: timedelta) -> None:
        """How old the coin's `last_updated` is."""
        self.market.set_lag(coin, lag)

    def drop_coin(self, coin: str) -> None:
        """The coin leaves the lists."""
        self.market.drop_coin(coin)

    def add_coin(self, coin: Coin) -> None:
        """A coin joins the lists."""
        self.market.add_coin(coin)

    def reply(self, seen: Seen) -> Reply:
        """What the host would say, were nothing wrong."""
        if seen.host == "defillama":
            return self._llama.reply(seen.path, seen.query, seen.headers)
        if seen.host == "alternative_me":
            return self._mood.reply(seen.path, seen.query, seen.headers)
        if not seen.host.startswith("coingecko"):
            return self.liquidity_reply(seen, self.url)
        return self._gecko.reply(seen.path, seen.query, seen.headers, seen.host == "coingecko-pro")
