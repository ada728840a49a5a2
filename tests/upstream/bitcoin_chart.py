"""BTC-USD as Yahoo charts it: a bar every UTC day, the last one live, at the price of the invented market."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from .market import DAY_S, midnight
from .wire import Reply, compact

if TYPE_CHECKING:
    from .yahoo_record import YahooRecord

SYMBOL = "BTC-USD"
FIRST = date(2014, 9, 17)


def reply(record: "YahooRecord", query: Mapping[str, str]) -> Reply:
    """The chart of the window that `period1` and `period2`, or `range`, name."""
    today = record.market.today()
    first, end = FIRST, int(record.market.now().timestamp()) + 1
    if "period1" in query:
        asked = max(int(query["period1"]), midnight(FIRST))
        first, end = datetime.fromtimestamp(asked, UTC).date(), int(query.get("period2", end))
    elif query.get("range", "1d") != "max":
        first = today - timedelta(days=4)
    days = [first + timedelta(days=n) for n in range(max(0, (today - first).days + 1))]
    bars = [(_stamp(record, day), _close(record, day)) for day in days]
    bars = [bar for bar in bars if bar[0] < end]
    closes = [close for _at, close in bars]
    quote = dict.fromkeys(("open", "high", "low", "close"), closes) | {"volume": [10**10] * len(bars)}
    result: dict[str, object] = {
        "meta": _meta(record, closes[-1] if closes else None),
        "timestamp": [at for at, _close in bars],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": closes}]},
    }
    return compact({"chart": {"result": [result], "error": None}})


def _stamp(record: "YahooRecord", day: date) -> int:
    """Midnight; the live bar has the instant of its quote."""
    now = int(record.market.now().timestamp())
    return now - now % 60 if day == record.market.today() else midnight(day)


def _close(record: "YahooRecord", day: date) -> float:
    pinned = record.bitcoin(day)
    if pinned is not None:
        return pinned
    market = record.market
    coin = market.coin("bitcoin")
    assert coin is not None
    if day == market.today():
        return round(market.spot(coin), 2)
    # A market that stands still has the price of noon all day.
    at = midnight(day) + (DAY_S - 1 if market.moving else DAY_S / 2)
    return round(market.price_at(coin, at), 2)


def _meta(record: "YahooRecord", last: float | None) -> dict[str, object]:
    start = midnight(record.market.today())
    period = {"timezone": "UTC", "start": start, "end": start + DAY_S - 60, "gmtoffset": 0}
    return {
        "currency": "USD", "symbol": SYMBOL, "exchangeName": "CCC", "fullExchangeName": "CCC",
        "instrumentType": "CRYPTOCURRENCY", "firstTradeDate": midnight(FIRST),
        "regularMarketTime": int(record.market.now().timestamp()), "hasPrePostMarketData": False,
        "gmtoffset": 0, "timezone": "UTC", "exchangeTimezoneName": "UTC", "regularMarketPrice": last,
        "longName": "Bitcoin USD", "shortName": "Bitcoin USD", "priceHint": 2,
        "currentTradingPeriod": {"pre": period, "regular": period, "post": period},
        "dataGranularity": "1d", "range": "", "validRanges": ["1d", "5d", "max"],
    }  # fmt: skip
