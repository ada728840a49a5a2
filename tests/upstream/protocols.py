"""The rows of DefiLlama's /protocols and /v2/chains: a named head, and a generated tail for full size.

The head holds what a reader trips over: exchanges, chains and bridges among the largest, a slug
that comes twice, tvl null, zero and negative, percentages that are null, extra keys in chainTvls
that must not be added. The tail only makes it as long and as varied as the real one.
"""

import random
from collections.abc import Sequence
from copy import deepcopy
from datetime import date, timedelta
from functools import lru_cache

from .market import Market
from .protocol_names import (
    BORROWING,
    CATEGORIES,
    CHAINS,
    FIRST,
    HEAD,
    OPTIONAL,
    PARENTS,
    SECOND,
    WEIGHTS,
    WORDS,
)

TAIL_ROWS = 6_840
Protocol = dict[str, object]


def slug(name: str) -> str:
    """A protocol's slug: its name in lower case with dashes."""
    return name.lower().replace(" ", "-")


def _sentence(source: random.Random, words: int) -> str:
    return (" ".join(source.choices(WORDS, k=words)) + ".").capitalize()


def _optional(key: str, source: random.Random, name: str) -> object:
    year = source.randrange(1_580_000_000, 1_760_000_000)
    values: dict[str, object] = {
        "treasury": f"{slug(name)}.js",
        "audit_links": [f"https://{slug(name)}.example/audits/{year % 97}.pdf"],
        "oraclesBreakdown": [{"name": "Chainlink", "type": "Primary", "proof": []}],
        "listedAt": year,
        "openSource": True,
        "governanceID": [f"snapshot:{slug(name)}.eth"],
        "github": [slug(name)],
        "dimensions": {"fees": slug(name), "dexs": slug(name)},
        "forkedFromIds": [str(year % 700)],
        "methodology": _sentence(source, 16),
        "hallmarks": [[year, "Incentives begin"], [year + 8_640_000, "Incentives end"]],
        "referralUrl": f"https://{slug(name)}.example/?ref=llama",
    }
    return values[key]


def _describe(
    identifier: int, name: str, category: str, chains: Sequence[str], source: random.Random
) -> Protocol:
    """Everything of a row that stays the same from day to day: 20 to 28 keys."""
    token = category not in ("CEX", "Chain", "Bridge", "Canonical Bridge") and source.random() < 0.6
    row: Protocol = {
        "id": str(identifier), "name": name,
        "address": f"0x{source.getrandbits(160):040x}" if token else None,
        "symbol": "".join(word[0] for word in name.split()).upper() + "X" if token else "-",
        "url": f"https://{slug(name)}.example/",
        "description": _sentence(source, source.randrange(20, 46)),
        "chain": chains[0] if len(chains) == 1 else "Multi-Chain",
        "logo": f"https://icons.llamao.fi/icons/protocols/{slug(name)}",
        "audits": source.choice(("0", "2")),
        "gecko_id": slug(name) if token else None,
        "cmcId": str(source.randrange(1, 39_000)) if token else None,
        "category": category, "chains": list(chains), "module": f"{slug(name)}/index.js",
        "twitter": slug(name).replace("-", "_"),
    }  # fmt: skip
    # 25 keys are in every row; 1 to 9 more make the 26 to 34 of the real list.
    for key in sorted(source.sample(range(len(OPTIONAL)), source.choice((1, 2, 3, 4, 4, 5, 6, 7)))):
        row[OPTIONAL[key]] = _optional(OPTIONAL[key], source, name)
    row["misrepresentedTokens"] = source.random() < 0.2
    row["tvlCodePath"] = (
        f"https://github.com/DefiLlama/DefiLlama-Adapters/blob/main/projects/{slug(name)}/index.js"
    )
    if name in PARENTS:
        row["parentProtocol"] = f"parent#{PARENTS[name]}"
        row["parentProtocolSlug"] = PARENTS[name]
    row["slug"] = slug(name)
    return row


def _split(total: float, chains: Sequence[str], source: random.Random) -> dict[str, float]:
    shares = [source.random() ** 2 + 0.02 for _ in chains]
    return {chain: total * share / sum(shares) for chain, share in zip(chains, shares, strict=True)}


def _worth(
    row: Protocol, total: float | None, by_chain: dict[str, float], changes: Sequence[object]
) -> Protocol:
    # tvl is summed, not given: the plain keys of chainTvls add up to it exactly.
    row["tvl"] = None if total is None else sum(by_chain.values())
    row["chainTvls"] = dict(by_chain)
    row["change_1h"], row["change_1d"], row["change_7d"] = changes
    row["tokenBreakdowns"] = {}
    row["mcap"] = None if row["symbol"] == "-" or not total else abs(total) * 0.37
    return row


@lru_cache(maxsize=4)
def _named(seed: int) -> tuple[tuple[Protocol, float | None, tuple[str, ...]], ...]:
    source = random.Random(f"{seed}:head")
    found = []
    for position, line in enumerate(line for line in HEAD.splitlines() if line):
        name, category, billions, chains = line.split("|")
        total = None if billions == "None" else float(billions) * 1e9
        names = tuple(chains.split(","))
        found.append((_describe(180 + 7 * position, name, category, names, source), total, names))
    return tuple(found)


def head(market: Market, day: date) -> list[Protocol]:
    """The 61 named rows with their values of that day, in USD and percent."""
    return [_today(market, day, n, *each) for n, each in enumerate(_named(market.seed))]


def _today(
    market: Market, day: date, n: int, described: Protocol, total: float | None, chains: tuple[str, ...]
) -> Protocol:
    row, name = deepcopy(described), str(described["name"])
    if total is None or total == 0:
        return _worth(row, total, {} if total is None else {chains[0]: 0}, (None, None, None))
    now, one, week = (market.growth(f"{name}{n}", day - timedelta(days=back)) for back in (0, 1, 7))
    by_chain = _split(total * now, chains, random.Random(f"{market.seed}:{name}"))
    changes = (0.0731 * (now - one), (now / one - 1) * 100, None if total < 0 else (now / week - 1) * 100)
    row = _worth(row, total, by_chain, changes)
    if name in BORROWING:
        lent = {f"{chain}-borrowed": value * BORROWING[name] for chain, value in by_chain.items()}
        row["chainTvls"] = {**lent, **by_chain, "borrowed": sum(lent.values())}
    return row


def past(market: Market, wanted: str, days: Sequence[date]) -> list[float] | None:
    """The value of one of the named protocols on each day, in USD; None where no name has that slug. Of two
    with one slug it is the larger."""
    found = [
        (total, f"{described['name']}{n}")
        for n, (described, total, _chains) in enumerate(_named(market.seed))
        if described["slug"] == wanted and total
    ]
    if not found:
        return None
    total, name = max(found)
    return [total * market.growth(name, day) for day in days]


def tail(seed: int) -> list[Protocol]:
    """6,840 generated rows, all below 30 million USD, the same for a seed on every day."""
    source = random.Random(f"{seed}:tail")
    return [_small(number, source) for number in range(TAIL_ROWS)]


def _small(number: int, source: random.Random) -> Protocol:
    name = f"{FIRST[number % 25]} {SECOND[number // 25 % 12]} {number}"
    chains = tuple(dict.fromkeys(source.choices(CHAINS, k=source.choice((1, 1, 1, 1, 2, 2, 3, 5)))))
    category = source.choices(CATEGORIES, WEIGHTS)[0]
    row = _describe(1_000 + number, name, category, chains, source)
    chance = source.random()
    if chance < 0.077:
        return _worth(row, None, {}, (None, None, None))
    if chance < 0.2:
        return _worth(row, 0, dict.fromkeys(chains, 0), (None, None, None))
    total = 3e7 * source.random() ** 6 + 1
    changes = (source.gauss(0, 0.3), source.gauss(0, 3), None if chance < 0.205 else source.gauss(0, 8))
    by_chain = _split(total, chains, source)
    row = _worth(row, total, by_chain, changes)
    if source.random() < 0.15:
        staked = source.random() * total
        row["chainTvls"] = {**by_chain, f"{chains[0]}-staking": staked, "staking": staked}
    return row


def chains(market: Market, day: date) -> list[dict[str, object]]:
    """450 chains whose tvl adds up to the day's total; USD."""
    source = random.Random(f"{market.seed}:chains")
    weights = [0.53 * 0.42**n + 0.002 * source.random() for n in range(450)]
    rows: list[dict[str, object]] = []
    for number, weight in enumerate(weights):
        name = CHAINS[number] if number < len(CHAINS) else f"Testbed {number}"
        listed = source.random() < 0.7
        rows.append({
            "gecko_id": slug(name) if listed else None,
            "tvl": 0 if number > 430 else market.tvl(day) * weight / sum(weights[:431]),
            "tokenSymbol": name[:4].upper() if listed else None,
            "cmcId": str(1_000 + number) if listed else None,
            "name": name,
            "chainId": None if number % 3 == 0 else str(number) if number % 50 == 1 else 1_000 + number,
        })  # fmt: skip
    return rows
