"""The liquidity upstreams of the fake: FRED, Yahoo, OFR, the Fed's speeches, the news feeds, and what a test
can change of them. `FakeUpstream` is made of this and of the crypto hosts.
"""

from datetime import date
from pathlib import Path
from typing import Literal

from .fed import Fed
from .feeds import FEEDS, NEWS_FEEDS, Feeds
from .fred import Fred
from .fred_record import FredRecord
from .history import History
from .hosts import PREFIXES, Seen
from .market import Market
from .ofr import Ofr
from .speeches import FIRST_YEAR
from .wire import Reply
from .yahoo import Yahoo
from .yahoo_record import YahooRecord

FRED_KEY = "0123456789abcdef0123456789abcdef"
Kind = Literal["plain", "empty", "entities", "missing"]


class LiquidityUpstreams:
    """Their answers, and the handle on them. Days are dates; a None takes a change back."""

    def __init__(self, market: Market, fred_key: str = FRED_KEY, history: Path | None = None) -> None:
        stored = None if history is None else History(history)
        self.fred_key = fred_key
        self.fred_record, self.yahoo_record = FredRecord(market, stored), YahooRecord(market, stored)
        self._fred, self._yahoo = Fred(self.fred_record, fred_key), Yahoo(self.yahoo_record)
        self._ofr, self._fed, self._feeds = Ofr(market, stored), Fed(market), Feeds(market)

    def liquidity_env(self, url: str) -> dict[str, str]:
        """The settings that point at them."""
        feeds, news = (
            " ".join(f"{name}={url}{PREFIXES['feeds']}/{name}.xml" for name in some)
            for some in (FEEDS, NEWS_FEEDS)
        )
        return {
            "COLLECTOR_FRED_URL": url + PREFIXES["fred"],
            "COLLECTOR_YAHOO_URL": url + PREFIXES["yahoo"],
            "COLLECTOR_OFR_URL": f"{url}{PREFIXES['ofr']}/fsi.csv",
            "COLLECTOR_FED_FEEDS": f"speeches={url}{PREFIXES['fed']}/feeds/speeches.xml",
            "COLLECTOR_STRESS_FEEDS": feeds,
            "COLLECTOR_NEWS_FEEDS": news,
        }

    def liquidity_reply(self, seen: Seen, url: str) -> Reply:
        """What the host would say, were nothing wrong."""
        if seen.host == "fred":
            return self._fred.reply(seen.path, seen.query)
        if seen.host == "yahoo":
            return self._yahoo.reply(seen.path, seen.query)
        if seen.host == "ofr":
            return self._ofr.reply(seen.path)
        if seen.host == "fed":
            return self._fed.reply(seen.path, url + PREFIXES["fed"])
        return self._feeds.reply(seen.path)

    def speeches(self, kind: Kind | None = None) -> list[str]:
        """Slugs of the speeches that are out by now, newest first; `kind` selects the odd or the plain."""
        years = range(self._fed.market.now().year, FIRST_YEAR - 1, -1)
        found = [one for year in years for one in self._fed.known(year)]
        return [one.slug for one in found if kind in (None, one.kind)]

    # --- FRED ---
    def set_observation(self, series: str, day: date, value: float | Literal["."] | None) -> None:
        """Revises a row, "." blanks it. Raises ValueError where the series has no row of that day."""
        self.fred_record.set_observation(series, day, value)

    def add_observation(self, series: str, day: date, value: float | Literal["."] | None) -> None:
        """A row that is there at once, be its day in the future."""
        self.fred_record.add_observation(series, day, value)

    def set_unit(self, series: str, units: str | None) -> None:
        """Another unit in the metadata."""
        self.fred_record.set_unit(series, units)

    def stop_series(self, series: str, last_day: date | None) -> None:
        """No row after that day, and still 200."""
        self.fred_record.stop_series(series, last_day)

    def scale_series(self, series: str, factor: float) -> None:
        """All values × factor under the old unit; 1 takes it back."""
        self.fred_record.scale_series(series, factor)

    # --- Yahoo ---
    def set_dividend(self, symbol: str, day: date, amount: float | None) -> None:
        """A dividend with that ex-day, as paid; it shows once the day has opened."""
        self.yahoo_record.set_dividend(symbol, day, amount)

    def set_split(self, symbol: str, day: date, numerator: float | None, denominator: float = 1) -> None:
        """`numerator` new shares for `denominator` old ones; the whole past is divided once it shows."""
        self.yahoo_record.set_split(symbol, day, numerator, denominator)

    def set_close(self, symbol: str, day: date, value: float | None) -> None:
        """Pins a close as traded that day."""
        self.yahoo_record.set_close(symbol, day, value)

    def set_bitcoin(self, day: date, value: float | None) -> None:
        """Pins what Yahoo says of Bitcoin on a UTC day; unpinned it follows the market's own price."""
        self.yahoo_record.set_bitcoin(day, value)

    def null_bars(self, symbol: str, since: date | None) -> None:
        """Only nulls from that day on, but for a live last slot."""
        self.yahoo_record.null_bars(symbol, since)
