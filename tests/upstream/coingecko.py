"""CoinGecko as the fake plays it: both hosts, keys and plans, and the four routes that are asked for.

Shapes and number types are those of the public API in 2026: integers and floats alternate, some
fields are null, rank and order may disagree by a place.
"""

import math
import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from .coins import Coin
from .faults import ENVELOPES
from .market import DAY_S, Market, midnight
from .wire import Reply, compact

_PRO_ONLY = ("/key", "/news", "/insights", "/coins/list/new", "/global/market_cap_chart")
_RATES = {"usd": 1.0, "eur": 0.862, "gbp": 0.763, "jpy": 156.4, "krw": 1468.0, "cny": 7.11, "chf": 0.807}
# The other keys of /global's totals, with what a dollar buys of them (round figures).
_UNITS = {
    **_RATES, "btc": 1 / 97000, "eth": 1 / 3310, "ltc": 1 / 61.3, "bch": 1 / 538.4, "bnb": 1 / 884,
    "eos": 4.6, "xrp": 0.463, "xlm": 3.98, "link": 0.0754, "dot": 0.488, "yfi": 0.00021, "sol": 0.00707,
    "aed": 3.6725, "ars": 1436.0, "aud": 1.547, "bdt": 122.1, "bhd": 0.377, "bmd": 1.0, "brl": 5.39,
    "cad": 1.41, "clp": 934.0, "czk": 20.9, "dkk": 6.44, "gel": 2.7, "hkd": 7.78, "huf": 329.0,
    "idr": 16710.0, "ils": 3.27, "inr": 89.2, "kwd": 0.307, "lkr": 308.0, "mmk": 2098.0, "mxn": 18.4,
    "myr": 4.14, "ngn": 1452.0, "nok": 10.2, "nzd": 1.78, "php": 58.8, "pkr": 281.0, "pln": 3.65,
    "rub": 79.1, "sar": 3.75, "sek": 9.5, "sgd": 1.3, "thb": 32.4, "try": 42.4, "twd": 31.3, "uah": 42.2,
    "vef": 0.1001, "vnd": 26360.0, "zar": 17.3, "xdr": 0.73, "xag": 0.0198, "xau": 0.000245, "bits": 10.31,
    "sats": 1030.9,
}  # fmt: skip
_SPANS = {"1h": 1 / 24, "24h": 1, "7d": 7, "14d": 14, "30d": 30, "200d": 200, "1y": 365}
_SWAPPED = ((15, 16), (28, 29))


def number(value: float, digits: int) -> float | int:
    """Rounded; whole numbers lose their point, as in the real bodies."""
    rounded = round(value, digits)
    return int(rounded) if rounded == int(rounded) else rounded


def quote(usd: float) -> float | int:
    """A price with the digits that such a price comes with."""
    if usd == 0 or not math.isfinite(usd):
        return usd
    if abs(usd) >= 10_000:
        return round(usd)
    if abs(usd) >= 1.2:
        return number(usd, 2)
    return number(usd, 6 if abs(usd) >= 0.01 else 5 - math.floor(math.log10(abs(usd))))


def stamp(instant: datetime) -> str:
    """`2026-11-23T06:00:00.000Z`."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


class CoinGecko:
    """Answers for both hosts; `demo_key` and `pro_key` are the only keys it knows."""

    def __init__(self, market: Market, demo_key: str, pro_key: str) -> None:
        self.market, self.demo_key, self.pro_key = market, demo_key, pro_key

    def reply(self, path: str, query: Mapping[str, str], headers: Mapping[str, str], pro: bool) -> Reply:
        """The answer to `path` (without the prefix) on the public or the pro host."""
        denied = self._denied(path, query, headers, pro)
        if denied:
            return _envelope(denied)
        if path == "/ping":
            return compact({"gecko_says": "(V3) To the Moon!"})
        if path == "/global":
            return compact(self._global(), cache_control="max-age=30, public, must-revalidate, s-maxage=600")
        if path == "/coins/markets":
            return self._markets(query)
        if path.startswith("/coins/") and path.endswith("/market_chart"):
            return self._chart(path.split("/")[2], query, pro)
        return compact({"error": "Incorrect path"}, 404)

    def _denied(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str], pro: bool
    ) -> str | None:
        if not headers.get("user-agent", "").strip():
            return "user_agent"
        demo = headers.get("x-cg-demo-api-key") or query.get("x_cg_demo_api_key")
        paid = headers.get("x-cg-pro-api-key") or query.get("x_cg_pro_api_key")
        if pro:
            if self.demo_key in (demo, paid):
                return "demo_key_on_pro"
            return None if paid == self.pro_key else "key_missing"
        if paid or demo == self.pro_key:
            return "pro_key_on_demo"
        if demo and demo != self.demo_key:
            return "key_missing"
        return "pro_only" if path in _PRO_ONLY else None

    # --- /coins/markets ---
    def _markets(self, query: Mapping[str, str]) -> Reply:
        currency = query.get("vs_currency")
        if not currency:
            return _envelope("missing_parameter")
        if currency not in _RATES:
            return compact({"error": "invalid vs_currency"}, 422)
        rate, rows = _RATES[currency], self._rows(query)
        size = min(250, max(1, _whole(query.get("per_page"), 100)))
        start = (max(1, _whole(query.get("page"), 1)) - 1) * size
        page = [self._row(coin, rank, query, rate) for coin, rank in rows[start : start + size]]
        cached = "max-age=30, public, must-revalidate, s-maxage=60"
        return compact(page, total=str(len(rows)), per_page=str(size), cache_control=cached)

    def _rows(self, query: Mapping[str, str]) -> list[tuple[Coin, int]]:
        listed = self.market.listed()
        ranks = list(range(1, len(listed) + 1))
        for one, other in _SWAPPED:
            if other < len(ranks):
                ranks[one], ranks[other] = ranks[other], ranks[one]
        rows = list(zip(listed, ranks, strict=True))
        wanted = query.get("ids")
        if wanted is not None:
            # No stripping: the real one also loses the ids after a blank.
            rows = [row for row in rows if row[0].id in wanted.split(",")]
        order = query.get("order", "market_cap_desc")
        if order.startswith("id_"):
            rows.sort(key=lambda row: row[0].id)
        elif order.startswith("volume_"):
            rows.sort(key=lambda row: self._volume(row[0]))
        return rows[::-1] if order in ("market_cap_asc", "volume_desc", "id_desc") else rows

    def _volume(self, coin: Coin) -> float:
        share = {"s": 0.2, "f": 0.001}.get(coin.kind, 0.04)
        moved = random.Random(f"{self.market.seed}:volume:{coin.id}:{self.market.today()}").uniform(0.6, 1.4)
        return self.market.spot(coin) * coin.supply * share * moved

    def _ago(self, coin: Coin, days: float) -> float:
        return self.market.price_at(coin, self.market.moment() - days * DAY_S)

    def _row(self, coin: Coin, rank: int, query: Mapping[str, str], rate: float) -> dict[str, object]:
        market, price, before = self.market, self.market.spot(coin) * rate, self._ago(coin, 1) * rate
        cap, peak, floor = price * coin.supply, coin.price * rate * 1.46, coin.price * rate * 0.0007
        steady = coin.kind in ("s", "f")
        lag = market.lags.get(coin.id, timedelta(seconds=3 + len(coin.id) % 11, milliseconds=17 * rank))
        most = max(coin.supply, coin.max_supply or 0)
        row: dict[str, object] = {
            "id": coin.id, "symbol": coin.symbol, "name": coin.name,
            "image": f"https://coin-images.coingecko.com/coins/images/{rank}/large/{coin.id}.png",
            "current_price": quote(price), "market_cap": round(cap), "market_cap_rank": rank,
            "fully_diluted_valuation": round(price * most),
            "total_volume": number(self._volume(coin) * rate, 2 if coin.kind == "f" else 0),
            "high_24h": quote(max(price, before) * (1.0004 if steady else 1.012)),
            "low_24h": quote(min(price, before) * (0.9996 if steady else 0.991)),
            "price_change_24h": number(price - before, 12),
            "price_change_percentage_24h": number((price / before - 1) * 100, 5),
            "market_cap_change_24h": number((price - before) * coin.supply, 4),
            "market_cap_change_percentage_24h": number((price / before - 1) * 100, 5),
            "circulating_supply": number(coin.supply, 0),
            "total_supply": number(most if rank % 3 else coin.supply * 1.0731, 3),
            "max_supply": coin.max_supply,
            "ath": quote(peak), "ath_change_percentage": number((price / peak - 1) * 100, 5),
            "ath_date": "2026-01-14T18:07:31.402Z",
            "atl": quote(floor), "atl_change_percentage": number((price / floor - 1) * 100, 5),
            "atl_date": "2020-03-13T02:22:55.044Z",
            "roi": _ROI.get(coin.id), "last_updated": stamp(market.now() - lag),
        }  # fmt: skip
        if query.get("sparkline") == "true":
            row["sparkline_in_7d"] = {"price": self._spark(coin, rate)}
        for span in query.get("price_change_percentage", "").split(","):
            if span in _SPANS:
                earlier = self._ago(coin, _SPANS[span]) * rate
                row[f"price_change_percentage_{span}_in_currency"] = (price / earlier - 1) * 100
        return row

    def _spark(self, coin: Coin, rate: float) -> list[float]:
        # Whole hours, so that a moving market too finds most of its path computed already.
        end = self.market.moment() // 3600 * 3600
        return [self.market.price_at(coin, end - 3600 * back) * rate for back in range(167, -1, -1)]

    # --- /global ---
    def _global(self) -> dict[str, object]:
        market, listed = self.market, self.market.listed()
        caps = {coin.symbol: market.spot(coin) * coin.supply for coin in reversed(listed)}
        share = market.dominance()
        bitcoin = caps.get("btc") or max(caps.values())
        total = bitcoin / share * 100
        top = sorted(((cap, symbol) for symbol, cap in caps.items()), reverse=True)[:10]
        before = sum(self._ago(coin, 1) * coin.supply for coin in listed)
        volume = sum(self._volume(coin) for coin in listed)
        return {"data": {
            "active_cryptocurrencies": 18462, "upcoming_icos": 0, "ongoing_icos": 49, "ended_icos": 3376,
            "markets": 1467,
            "total_market_cap": {unit: total * rate for unit, rate in _UNITS.items()},
            "total_volume": {unit: volume * rate for unit, rate in _UNITS.items()},
            "market_cap_percentage": {symbol: share if symbol == "btc" else cap / total * 100
                                      for cap, symbol in top},
            "market_cap_change_percentage_24h_usd": (sum(caps.values()) / before - 1) * 100,
            "updated_at": int(market.now().timestamp()) - 41,
        }}  # fmt: skip

    # --- /coins/{id}/market_chart ---
    def _chart(self, identifier: str, query: Mapping[str, str], pro: bool) -> Reply:
        coin = self.market.coin(identifier)
        if coin is None:
            return compact({"error": "coin not found"}, 404)
        for parameter in ("vs_currency", "days"):
            if not query.get(parameter):
                return compact({"error": f"Missing parameter {parameter}"}, 422)
        days = 3650 if query["days"] == "max" else _whole(query["days"], 0)
        if days < 1 or query["vs_currency"] not in _RATES:
            return compact({"error": "invalid days" if days < 1 else "invalid vs_currency"}, 422)
        if days > 365 and not pro:
            return _envelope("range")
        rate = _RATES[query["vs_currency"]]
        points = [(at, self.market.price_at(coin, at / 1000) * rate) for at in self._instants(days, query)]
        points[-1] = (points[-1][0], self.market.spot(coin) * rate)
        return compact({
            "prices": [[at, price] for at, price in points],
            "market_caps": [[at, price * coin.supply] for at, price in points],
            "total_volumes": [[at, price * coin.supply * (0.03 + 0.02 * math.sin(at / 4e7))]
                              for at, price in points],
        }, cache_control="max-age=30, public, must-revalidate, s-maxage=30")  # fmt: skip

    def _instants(self, days: int, query: Mapping[str, str]) -> list[int]:
        """Milliseconds, ascending but for the last: it is cut to the second, as the real one is."""
        made = (int(self.market.now().timestamp()) - 1) * 1000 + 955
        last = made // 1000 * 1000
        if days > 90 or query.get("interval") == "daily":
            today = midnight(self.market.today())
            return [(today - DAY_S * back) * 1000 for back in range(days - 1, -1, -1)] + [last]
        step = 300_000 if days == 1 else 3_600_000
        count = days * DAY_S * 1000 // step
        jitter = random.Random(f"{made // step}:{days}")
        steps = [made - step * back + jitter.randrange(step // 3) for back in range(count, 0, -1)]
        return [*steps, made, last] if days > 1 else [*steps, last]


_ROI: dict[str, dict[str, object]] = {
    "ethereum": {"times": 46.31279044510177, "currency": "btc", "percentage": 4631.279044510177},
    "tron": {"times": 153.26, "currency": "usd", "percentage": 15326},
}


def _envelope(name: str) -> Reply:
    status, body = ENVELOPES[name]
    return compact(body, status)


def _whole(text: str | None, default: int) -> int:
    try:
        return int(text) if text else default
    except ValueError:
        return default
