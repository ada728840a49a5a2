"""CoinGecko: a year of closes of one coin, for days that nobody collected.

`market_chart` of more than 90 days has one point a day, at 00:00 UTC: the price at which the day before it
ended. So the row of a day takes the point at its end, as the closes of every morning do; changes are those
between closes, the rank of a day that is over cannot be had. Without a paid plan 365 days, no more.
https://docs.coingecko.com (as of 2026-11).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from collectors.model import Answer, Ask, Batch, Changed, Rejected, Request, Row, Source
from collectors.payload import Unfit, json_of, list_of, member, number
from collectors.sources.coingecko import DOLLAR_COINS, DOLLAR_TOLERANCE, UPSTREAM
from collectors.sources.daily import Points, change, leaps, part, same_thing
from storage.tables import CRYPTO_PRICE, PAST
from storage.texts import N_

REACH = timedelta(days=365)
LEAP = 20.0

HISTORY = Source(
    name=f"coingecko{PAST}",
    upstream=UPSTREAM,
    table=CRYPTO_PRICE,
    rows=(0, 1_000),
    required=False,
    history=REACH,
)


def of(coin: Row, days: frozenset[date], stored: Mapping[date, Row]) -> Source:
    """The source of one coin's history. `coin`: coin, symbol, name; `days`: those that are wanted; `stored`:
    its rows, by day."""
    return replace(
        HISTORY,
        part=part(str(coin["coin"])),
        days=days,
        requests=partial(_requests, str(coin["coin"])),
        parse=partial(_parse, coin, days, stored),
    )


def _requests(coin: str, ask: Ask) -> Sequence[Request]:
    params = {"vs_currency": "usd", "days": str(REACH.days)}
    return [Request(f"{ask.base}/coins/{quote(coin, safe='')}/market_chart", params, ask.plan.secrets)]


def _parse(
    coin: Row, days: frozenset[date], stored: Mapping[date, Row], answers: Sequence[Answer], ask: Ask
) -> Batch:
    """Rows of `crypto_price`, one a UTC day that is over. Raises Changed where the shape differs, or the
    prices are not the coin's in USD."""
    answer = answers[0]
    payload = json_of(answer.body)
    prices, caps, volumes = (
        Points(list_of(member(payload, name, "market_chart"), name), answer.at, _point)
        for name in ("prices", "market_caps", "total_volumes")
    )
    closes = prices.closes()
    _must_be(coin, closes, stored)
    wrong = {day for day, price in closes.items() if price <= 0} | set(leaps(closes, LEAP))
    # What is set aside says nothing of the days around it either.
    sound = {day: price for day, price in closes.items() if day not in wrong}
    columns = (caps.closes(), volumes.closes())
    rows = [_row(coin, day, sound, columns, stored) for day in sound]
    refused = [
        Rejected(_row(coin, day, {**sound, day: closes[day]}, columns, stored), "implausible")
        for day in sorted(wrong & days)
    ]
    newest = max(closes, default=date.min)
    # A point that cannot be read is no day without a value.
    lacking = [] if prices.rejected else [day for day in sorted(days - sound.keys()) if day < newest]
    without = [(f"{CRYPTO_PRICE.name}.{coin['coin']}", day) for day in lacking]
    return Batch(rows, (*prices.rejected, *refused), without)


def _row(
    coin: Row,
    day: date,
    closes: Mapping[date, float],
    columns: tuple[Mapping[date, float], Mapping[date, float]],
    stored: Mapping[date, Row],
) -> Row:
    """The row of a day; what was seen of it and is unknown to the history stays."""
    caps, volumes = columns
    seen = stored.get(day, {})
    # A cap of 0 is how CoinGecko says that it does not know.
    cap, volume = caps.get(day) or None, volumes.get(day)
    return {
        "coin": coin["coin"], "date": day, "symbol": coin["symbol"], "name": coin["name"],
        "rank": seen.get("rank"), "price": closes[day],
        "market_cap": seen.get("market_cap") if cap is None else cap,
        "volume": seen.get("volume") if volume is None else volume,
        "change_24h": change(closes, day, 1), "change_7d": change(closes, day, 7),
        "change_30d": change(closes, day, 30),
    }  # fmt: skip


def _point(item: Any) -> tuple[float, float | None]:
    if not isinstance(item, list) or len(item) != 2:
        raise Unfit("not_a_point")
    # A null in place of an instant is 1970, which is refused.
    return (number(item[0]) or 0.0) / 1000, number(item[1], least=0)


def _must_be(coin: Row, closes: Mapping[date, float], stored: Mapping[date, Row]) -> None:
    if not closes:
        raise Changed(
            "empty", N_("CoinGecko has no past of {coin} yet. Nothing was filled."), coin=coin["coin"]
        )
    if coin["coin"] in DOLLAR_COINS:
        middle = sorted(closes.values())[len(closes) // 2]
        if abs(middle - 1) > DOLLAR_TOLERANCE:
            raise Changed(
                "suspect",
                N_("A dollar coin is quoted at {price}: these prices are not in USD. Old values stay."),
                price=f"{middle:.3f}",
            )
    live = {day: float(str(row["price"])) for day, row in stored.items() if row.get("price") is not None}
    same_thing(closes, live, str(coin["coin"]))
