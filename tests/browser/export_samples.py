"""Export objects for the tests of the old page: a healthy market, and every way an export can be wrong.

Values are computed from the day's number, never random, so that a test can name what must be shown.
"""

import json
import math
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

AS_OF = date(2026, 11, 22)
NOW = datetime.fromisoformat("2026-11-23T06:42:00+09:00")
GENERATED_AT = "2026-11-22T21:01:09Z"
RUN_ID = "20261122T210100-7f3a"
NAMES = (
    ("bitcoin", "btc", "Bitcoin", 97412.0),
    ("ethereum", "eth", "Ethereum", 3120.5),
    ("tether", "usdt", "Tether", 1.0002),
    ("ripple", "xrp", "XRP", 2.2143),
    ("binancecoin", "bnb", "BNB", 905.17),
    ("solana", "sol", "Solana", 138.66),
    ("usd-coin", "usdc", "USDC", 0.9999),
    ("tron", "trx", "TRON", 0.27861),
    ("dogecoin", "doge", "Dogecoin", 0.15124),
    ("cardano", "ada", "Cardano", 0.43377),
    ("hyperliquid", "hype", "Hyperliquid", 33.41),
    ("chainlink", "link", "Chainlink", 13.09),
    ("bitcoin-cash", "bch", "Bitcoin Cash", 551.02),
    ("stellar", "xlm", "Stellar", 0.25512),
    ("leo-token", "leo", "LEO Token", 9.184),
    ("monero", "xmr", "Monero", 402.7),
    ("sui", "sui", "Sui", 1.5321),
    ("avalanche-2", "avax", "Avalanche", 13.88),
    ("litecoin", "ltc", "Litecoin", 84.31),
    ("shiba-inu", "shib", "Shiba Inu", 0.0000083142),
)
CATEGORIES = (
    "Liquid Staking",
    "Lending",
    "Restaking",
    "Dexs",
    "CDP",
    "Basis Trading",
    "Yield",
    "Bridge",
    "RWA",
    "Derivatives",
)
GAP = {AS_OF - timedelta(days=n) for n in (40, 41, 42, 43)}


@cache
def walk(seed: int) -> tuple[float, ...]:
    """400 steps back in time of a repeatable random walk, about 2 % a day; the last day is 0."""
    steps, state = [0.0], seed * 7919 + 12345
    for _ in range(399):
        state = (state * 1103515245 + 12345) % 2**31
        steps.append(steps[-1] + (state / 2**31 - 0.5) * 0.07)
    return tuple(steps)


def wave(day: int, seed: int) -> float:
    """A relative path, 1.0 on the newest day (day 0), that shares its swings with every other seed."""
    shared = 0.7 * walk(1)[day] + 0.12 * (math.sin(day / 38) + math.sin(day / 160))
    crash = 0.22 * math.exp(-(((day - 118) / 5) ** 2))
    return math.exp(shared + 0.5 * walk(seed + 2)[day] - crash)


def coin(index: int, days: int = 365) -> dict[str, Any]:
    """One coin with `days` points of history, four of them missing (GAP)."""
    key, symbol, name, price = NAMES[index]
    calm = 0.002 if key in ("tether", "usd-coin") else 1.0
    history = [
        [str(AS_OF - timedelta(days=n)), price * (1 + (wave(n, index) - 1) * calm)]
        for n in range(days - 1, -1, -1)
        if AS_OF - timedelta(days=n) not in GAP
    ]
    return {
        "coin": key,
        "symbol": symbol,
        "name": name,
        "rank": index + 1,
        "price": price,
        "date": str(AS_OF),
        "market_cap": 1.93e12 / (index + 1) ** 1.7,
        "volume": 6.4e10 / (index + 1) ** 1.4,
        "change_24h": round((1 - wave(1, index)) * 100 * calm, 3),
        "history": history,
    }


def metric(days_ago: int) -> dict[str, Any]:
    """One day of the crypto metrics; dominance is only known for the newest 60 days."""
    greed = round(48 + 30 * math.sin(days_ago / 29 + 2.9) + 6 * math.sin(days_ago / 4))
    names = ((25, "Extreme Fear"), (46, "Fear"), (54, "Neutral"), (75, "Greed"), (100, "Extreme Greed"))
    return {
        "date": str(AS_OF - timedelta(days=days_ago)),
        "total_tvl": 9.24e10 * wave(days_ago, 3),
        "fear_greed_index": greed,
        "fear_greed_label": next(name for top, name in names if greed <= top),
        "btc_dominance": 57.1 + 1.4 * math.sin(days_ago / 17) if days_ago < 60 else None,
    }


def protocol(index: int) -> dict[str, Any]:
    """One of the largest protocols; the last one has no changes yet."""
    name = (
        "Lido",
        "Aave V3",
        "EigenCloud",
        "Binance staked ETH",
        "Ether.fi",
        "Ethena",
        "Pendle",
        "Morpho",
        "Sky",
        "Uniswap V3",
    )
    change = round(3.2 * math.sin(index * 1.7), 2)
    return {
        "protocol": f"protocol-{index}",
        "name": name[index] if index < 10 else f"Protocol {index + 1}",
        "category": CATEGORIES[index % 10],
        "tvl": 2.61e10 / (1 + index * 0.6),
        "change_1d": None if index == 29 else change,
        "change_7d": None if index == 29 else change * 2.2,
    }


def status() -> dict[str, Any]:
    """The part of `collect.py status --json` that the page reads."""
    run = {
        "run_id": RUN_ID,
        "state": "partial",
        "started_at": "2026-11-22T21:01:00Z",
        "finished_at": "2026-11-22T21:01:09Z",
    }
    sources = [
        {
            "source": name,
            "table": table,
            "data_as_of": day,
            "freshness": word,
            "frozen": False,
            "reason": None,
        }
        for name, table, day, word in (
            ("coingecko.markets", "crypto_price", "2026-11-22", "fresh"),
            ("coingecko.global", "observation", "2026-11-22", "fresh"),
            ("defillama.total_tvl", "observation", "2026-11-21", "late"),
            ("alternative_me.fear_greed", "observation", "2026-11-22", "due"),
        )
    ]
    crypto = {
        "state": "partial",
        "last_run": run,
        "last_success": None,
        "data_as_of": "2026-11-21",
        "freshness": "late",
        "next_due": "2026-11-23T21:00:00Z",
        "scheduled": True,
        "sources": sources,
    }
    return {
        "schema": 1,
        "generated_at": GENERATED_AT,
        "timezone": "Asia/Seoul",
        "demo": False,
        "pipelines": {"crypto": crypto},
    }


def healthy(**changes: Any) -> dict[str, Any]:
    """A whole export of schema 1; `changes` replace top-level members."""
    whole: dict[str, Any] = {
        "schema": 1,
        "generated_at": GENERATED_AT,
        "run_id": RUN_ID,
        "demo": False,
        "attribution": [
            {"name": "Data provided by CoinGecko", "url": "https://www.coingecko.com/en/api"},
            {"name": "DefiLlama", "url": "https://defillama.com/"},
            {"name": "alternative.me", "url": "https://alternative.me/crypto/fear-and-greed-index/"},
        ],
        "coins": [coin(n) for n in range(20)],
        "metrics": [metric(n) for n in range(364, -1, -1) if n not in (12, 13)],
        "protocols": [protocol(n) for n in range(30)],
        "status": status(),
    }
    return {**whole, **changes}


def script(text: str) -> str:
    """The text of crypto_trends.js around the text of crypto_trends.json."""
    return f"window.CRYPTO_TRENDS = {text};\n"


def write(folder: Path, export: Any) -> None:
    """Puts `export` (an object, or the text itself) into `folder` as .json and .js."""
    text = export if isinstance(export, str) else json.dumps(export, ensure_ascii=False)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "crypto_trends.json").write_text(text, encoding="utf-8")
    (folder / "crypto_trends.js").write_text(script(text), encoding="utf-8")


HOSTILE_NAMES = (
    "<img src=x onerror=window.__pwned=1>",
    "</script><script>window.__pwned=2</script>",
    "line\u2028sep\u2029arator",
    "\u202egnirts desrever\u202c",
    "x" * 10_000,
    "<a href='javascript:window.__pwned=3'>b</a>",
    "%{x} $a$ <b>bold</b> &amp;",
    "\u0000\u0007\t",
    "[b](javascript:alert(1))",
    "{{constructor}}",
)
HOSTILE_LINKS = (
    "javascript:window.__pwned=4",
    "data:text/html,<script>window.__pwned=5</script>",
    "//evil.example/x",
    "https://user:pass@evil.example/",
    "https://www.coingecko.com@evil.example/",
    "http://plain.example/",
    "https:\\\\evil.example",
    " https://space.example/",
    "JaVaScRiPt:alert(1)",
    "https://@evil.example/",
    7,
    None,
    {"href": "x"},
)


def hostile_texts() -> dict[str, Any]:
    """Names, symbols, ids and links written by somebody who wants code to run in the page."""
    whole = healthy(run_id="<svg onload=window.__pwned=6>")
    for row, name in zip(whole["coins"], HOSTILE_NAMES, strict=False):
        row.update(name=name, symbol=name, coin=name)
    for row, name in zip(whole["protocols"], HOSTILE_NAMES, strict=False):
        row.update(name=name, category=name)
    whole["attribution"] = [{"name": f"CoinGecko {n}", "url": url} for n, url in enumerate(HOSTILE_LINKS)]
    whole["attribution"].append({"name": "Somebody", "url": "https://safe.example/page"})
    whole["__proto__"] = {"coins": [], "polluted": True}
    whole["metrics"][-1]["fear_greed_label"] = HOSTILE_NAMES[0]
    whole["status"]["pipelines"]["crypto"].update(freshness="<b>fresh</b>", state="constructor")
    whole["status"]["pipelines"]["crypto"]["sources"][0]["source"] = HOSTILE_NAMES[1]
    return whole


def odd_values() -> dict[str, Any]:
    """Null, zero, negative, enormous and missing numbers, each in a row of its own."""
    whole = healthy()
    for row, value in zip(whole["coins"], (None, 0, -5, 1e18, "12", True, [], {}), strict=False):
        row.update(
            price=value,
            market_cap=value,
            volume=value,
            change_24h="x" if value == 0 else None,
            rank=value,
            date=None,
        )
        row["history"] = [[str(AS_OF), value], [None, 1], ["2026-02-30", 4], ["2999-01-01", 5], "x", [], 7]
    for row, value in zip(whole["protocols"], (None, 0, -5, 1e18, "12"), strict=False):
        row.update(tvl=value, change_1d=None, change_7d=None)
    whole["metrics"][-1].update(total_tvl=1e18, fear_greed_index=-3, btc_dominance=-1, fear_greed_label=None)
    whole["metrics"].append(
        {"date": "2999-01-01", "total_tvl": 1.0, "fear_greed_index": 50, "btc_dominance": 50}
    )
    return whole


def wrong_types() -> dict[str, Any]:
    """Strings, numbers and nulls where lists and objects belong."""
    return healthy(
        coins="many",
        metrics=7,
        protocols=None,
        status=[1],
        attribution="me",
        demo="yes",
        run_id=5,
        generated_at=12,
    )


def twenty_megabytes() -> dict[str, Any]:
    """An export far larger than any real one: 700 coins with long histories."""
    long = [[f"2026-11-{n % 22 + 1:02d}", 1.5 + n / 1e4] for n in range(1100)]
    rows = [{**coin(n % 20, 30), "coin": f"c{n}", "rank": n + 1, "history": long} for n in range(700)]
    return healthy(coins=rows)


WHOLE = json.dumps(healthy())
UNREADABLE = {
    "missing": (None, "There is no export yet", "python collect.py crypto"),
    "truncated": (WHOLE[:50_000], "The export cannot be read", "python collect.py export"),
    "empty file": ("", "The export cannot be read", "python collect.py export"),
    "another schema": (json.dumps(healthy(schema=7)), "says schema 7", "python collect.py export"),
    "no schema": ('{"coins": [{"name": "old"}]}', "says schema –", "python collect.py export"),
    "a list": ("[1, 2]", "This is not an export", "python collect.py export"),
    "null": ("null", "This is not an export", "python collect.py export"),
    "no rows": (
        json.dumps(healthy(coins=[], metrics=[], protocols=[])),
        "holds no rows yet",
        "python collect.py crypto",
    ),
}
HOSTILE = {
    "texts": (hostile_texts, "Somebody"),
    "values": (odd_values, "–"),
    "types": (wrong_types, "(coins, protocols, metrics)"),
    "20 MB": (twenty_megabytes, "The export is unusually large"),
}
