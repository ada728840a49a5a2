"""Small payloads in the documented shapes, and the shortest way to push one through a parser.

Prices of `MARKET` are invented; twenty coins, so that a batch of it is as large as a real one.
"""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from collectors.checks.judge import judge
from collectors.checks.kinds import Facts
from collectors.model import Answer, Ask, Batch, Plan, Request, Row, Source
from collectors.sources import coingecko, defillama, fear_greed
from storage.read import Known

AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
DAY = date(2026, 11, 23)
OPEN = Plan("open")
IDS = ("bitcoin", "ethereum", "tether", *(f"coin-{n}" for n in range(4, 21)))


def seconds(day: date) -> int:
    """00:00 UTC of `day`."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def coin(name: str, rank: int, price: Any, **fields: Any) -> dict[str, Any]:
    """One item of /coins/markets, as asked for with two changes."""
    return {
        "id": name,
        "symbol": name[:4],
        "name": name.title(),
        "current_price": price,
        "market_cap": 10**12 // rank,
        "market_cap_rank": rank,
        "total_volume": 10**9 // rank,
        "price_change_percentage_24h": -1.25,
        "price_change_percentage_7d_in_currency": 2.5,
        "price_change_percentage_30d_in_currency": None,
        "last_updated": "2026-11-23T05:59:30.000Z",
    } | fields


def market() -> list[dict[str, Any]]:
    """Twenty coins: bitcoin at 97000, ethereum at 3300.5, tether at 1, then 4, 5, … 20 dollars."""
    prices = (97000, 3300.5, 1.0, *range(4, 21))
    return [coin(name, n, price) for n, (name, price) in enumerate(zip(IDS, prices, strict=True), 1)]


def snapshot(share: Any = 56.78, updated: Any = None) -> dict[str, Any]:
    """/global with Bitcoin's share."""
    updated = int(AT.timestamp()) - 41 if updated is None else updated
    return {"data": {"market_cap_percentage": {"btc": share, "eth": 11.5}, "updated_at": updated}}


def totals(days: int = 10) -> list[dict[str, Any]]:
    """/v2/historicalChainTvl of the last `days` days: 101e9 today, one billion less each day before."""
    return [
        {"date": seconds(DAY - timedelta(days=back)), "tvl": (101 - back) * 1e9}
        for back in range(days - 1, -1, -1)
    ]


def protocol(slug: str, tvl: Any, category: str | None = "Lending", **fields: Any) -> dict[str, Any]:
    """One item of /protocols."""
    return {
        "id": "1",
        "slug": slug,
        "name": slug.title(),
        "category": category,
        "tvl": tvl,
        "change_1d": 0.5,
        "change_7d": None,
    } | fields


def protocols(n: int = 40) -> list[dict[str, Any]]:
    """`n` lenders: p1 with 1e9 × n down to pn with 1e9."""
    return [protocol(f"p{k}", (n + 1 - k) * 1e9) for k in range(1, n + 1)]


def mood(value: int) -> str:
    """The provider's word for a value."""
    return next(word for word, (low, high) in fear_greed.CLASSES.items() if low <= value <= high)


def moods(days: int = 8) -> dict[str, Any]:
    """/fng/ of the last `days` days, newest first: 40 today, 41 yesterday, …"""
    data = [
        {
            "value": str(40 + back),
            "value_classification": mood(40 + back),
            "timestamp": str(seconds(DAY - timedelta(days=back))),
        }
        for back in range(days)
    ]
    return {"name": "Fear and Greed Index", "data": data, "metadata": {"error": None}}


def body(payload: Any) -> bytes:
    """The payload as JSON; bytes stay as they are."""
    return payload if isinstance(payload, bytes) else json.dumps(payload).encode("utf-8", "surrogatepass")


def asking(plan: Plan = OPEN, at: datetime = AT, unsealed: Sequence[Row] = (), **named: Any) -> Ask:
    return Ask("https://up.example", plan, at, unsealed=unsealed, **named)


def answer(payload: Any, at: datetime = AT, request: Request | None = None) -> Answer:
    return Answer(body(payload), at, request or Request("https://up.example"))


def parsed(source: Source, payload: Any, at: datetime = AT) -> Batch:
    """What the source's parser makes of one answer. Raises Changed."""
    ask = asking(at=at)
    request = source.requests(ask)[0] if source is not coingecko.CLOSES else None
    return source.parse([answer(payload, at, request)], ask)


def believed(source: Source, payload: Any, at: datetime = AT, known: Known | None = None) -> Batch:
    """`parsed`, then checked as a run checks it. Raises Changed."""
    return judge(source, parsed(source, payload, at), Facts(known or Known())).believed()


def reasons(batch: Batch) -> list[str]:
    """Why rows were set aside, in order."""
    return [entry.reason for entry in batch.rejected]


# Every source that reads one answer, with a payload that it accepts.
WHOLE = {
    "coingecko.markets": (coingecko.MARKETS, market),
    "coingecko.global": (coingecko.GLOBAL, snapshot),
    "defillama.total_tvl": (defillama.TOTAL_TVL, totals),
    "defillama.protocols": (defillama.PROTOCOLS, protocols),
    "alternative_me.fear_greed": (fear_greed.FEAR_GREED, moods),
}
