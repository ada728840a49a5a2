"""The invented market of demo mode: how every coin, protocol and total moves, day by day.

Names are real, every number is made up. A calendar year is simulated on its own from seeds and
tied to its neighbours at its ends, so that any day can be had at once and never changes again.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import repeat
from random import Random

CRASH = (3, 12)
# Log depth for a beta of 1, and the market's ordinary daily noise (log).
CRASH_DEPTH = 0.295
MARKET = 0.0175
PEGGED = "pegged"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Path:
    """How one thing moves: `base` is its ordinary level, `beta` its share in the market's moves,
    `own` its own daily noise (log), `pull` how fast that noise fades, `sag` what the crash takes
    off a peg (log)."""

    seed: str
    base: float
    beta: float
    sector: str
    own: float
    pull: float = 0.015
    sag: float = 0.0


@dataclass(frozen=True, slots=True)
class Coin:
    """`supply` in coins on 2026-01-01, `growth` of it a year, `bustle` its turnover in a day."""

    coin: str
    symbol: str
    name: str
    price: Path
    supply: float
    growth: float
    bustle: Path


@dataclass(frozen=True, slots=True)
class Protocol:
    """A DefiLlama protocol by its slug; `tvl` in USD."""

    protocol: str
    name: str
    category: str
    tvl: Path


def _coin(
    coin: str, symbol: str, name: str, price: float, supply: float, growth: float,
    beta: float, sector: str, own: float, turnover: float, sag: float = 0.0,
) -> Coin:  # fmt: skip
    path = Path(coin, price, beta, sector, own, 0.35 if sector == PEGGED else 0.015, sag)
    bustle = Path(f"bustle {coin}", turnover, 0, "", 0.16, 0.4)
    return Coin(coin, symbol, name, path, supply, growth, bustle)


# The order of magnitude is that of spring 2026; more than the 20 that are stored, so that some
# enter and leave.
COINS: tuple[Coin, ...] = (
    _coin("bitcoin", "btc", "Bitcoin", 93_000, 20.0e6, 0.008, 1.0, "", 0.006, 0.022),
    _coin("ethereum", "eth", "Ethereum", 3_050, 120.7e6, 0.004, 1.24, "platform", 0.0075, 0.05),
    _coin("tether", "usdt", "Tether", 1, 184e9, 0.02, 0, PEGGED, 0.0004, 0.3),
    _coin("binancecoin", "bnb", "BNB", 770, 136.4e6, -0.02, 1.02, "venue", 0.012, 0.014),
    _coin("ripple", "xrp", "XRP", 1.78, 61.4e9, 0.02, 1.3, "payment", 0.02, 0.03),
    _coin("usd-coin", "usdc", "USDC", 1, 78e9, 0.025, 0, PEGGED, 0.0003, 0.15),
    _coin("solana", "sol", "Solana", 112, 574e6, 0.03, 1.45, "platform", 0.017, 0.06),
    _coin("tron", "trx", "TRON", 0.335, 94.8e9, -0.005, 0.7, "payment", 0.011, 0.018),
    _coin("figure-heloc", "figr_heloc", "Figure Heloc", 1.02, 16.6e9, 0.03, 0.01, "", 0.0015, 0.002),
    _coin("dogecoin", "doge", "Dogecoin", 0.126, 153.8e9, 0.03, 1.5, "meme", 0.022, 0.075),
    _coin("usds", "usds", "USDS", 1, 11.5e9, 0.03, 0, PEGGED, 0.0006, 0.004),
    _coin("whitebit", "wbt", "WhiteBIT Coin", 57, 213.4e6, 0.0, 0.6, "venue", 0.012, 0.006),
    _coin("leo-token", "leo", "LEO Token", 9.8, 920.9e6, -0.005, 0.12, "", 0.007, 0.0004),
    _coin("hyperliquid", "hype", "Hyperliquid", 44, 238.4e6, 0.02, 1.5, "venue", 0.03, 0.035),
    _coin("cardano", "ada", "Cardano", 0.335, 36.9e9, 0.015, 1.45, "platform", 0.018, 0.045),
    _coin("bitcoin-cash", "bch", "Bitcoin Cash", 520, 20.0e6, 0.008, 1.2, "payment", 0.02, 0.025),
    _coin("chainlink", "link", "Chainlink", 11.8, 727e6, 0.04, 1.5, "platform", 0.019, 0.06),
    _coin("monero", "xmr", "Monero", 370, 18.45e6, 0.008, 0.95, "privacy", 0.024, 0.022),
    _coin("ethena-usde", "usde", "Ethena USDe", 1, 7.4e9, 0.03, 0, PEGGED, 0.0006, 0.04, 0.038),
    _coin("canton-network", "cc", "Canton", 0.165, 37.8e9, 0.04, 1.25, "", 0.03, 0.005),
    _coin("zcash", "zec", "Zcash", 390, 16.6e6, 0.03, 1.45, "privacy", 0.04, 0.09),
    _coin("stellar", "xlm", "Stellar", 0.2, 33.1e9, 0.02, 1.4, "payment", 0.019, 0.022),
    _coin("memecore", "m", "MemeCore", 2.9, 1.756e9, 0.03, 1.3, "meme", 0.035, 0.004),
    _coin("litecoin", "ltc", "Litecoin", 76, 77.0e6, 0.01, 1.25, "payment", 0.017, 0.07),
)  # fmt: skip


def _protocol(protocol: str, name: str, category: str, bn: float, beta: float, sector: str = "") -> Protocol:
    return Protocol(protocol, name, category, Path(f"tvl {protocol}", bn * 1e9, beta, sector, 0.012))


PROTOCOLS: tuple[Protocol, ...] = (
    _protocol("aave-v3", "Aave V3", "Lending", 34.2, 0.8, "platform"),
    _protocol("lido", "Lido", "Liquid Staking", 29.4, 1.2, "platform"),
    _protocol("eigencloud", "EigenCloud", "Restaking", 13.9, 1.15, "platform"),
    _protocol("wbtc", "WBTC", "Bridge", 11.6, 1.0),
    _protocol("binance-staked-eth", "Binance staked ETH", "Liquid Staking", 11.1, 1.2, "platform"),
    _protocol("ether.fi-stake", "ether.fi Stake", "Liquid Restaking", 8.8, 1.2, "platform"),
    _protocol("ethena-usde", "Ethena USDe", "Basis Trading", 6.6, 0.3),
    _protocol("binance-bitcoin", "Binance Bitcoin", "Bridge", 6.3, 1.0),
    _protocol("coinbase-bridge", "Coinbase Bridge", "Bridge", 6.0, 1.0),
    _protocol("morpho-v1", "Morpho V1", "Lending", 6.2, 0.6),
    _protocol("sky-lending", "Sky Lending", "CDP", 5.8, 0.5),
    _protocol("babylon-protocol", "Babylon Protocol", "Restaking", 5.6, 1.0),
    _protocol("usdt0", "USDT0", "Bridge", 4.5, 0.2),
    _protocol("arbitrum-bridge", "Arbitrum Bridge", "Canonical Bridge", 4.3, 0.7, "platform"),
    _protocol("hyperliquid-bridge", "Hyperliquid Bridge", "Bridge", 4.0, 0.4, "venue"),
    _protocol("justlend", "JustLend", "Lending", 3.9, 0.7),
    _protocol("pendle", "Pendle", "Yield", 3.8, 0.6, "platform"),
    _protocol("sparklend", "SparkLend", "Lending", 3.6, 0.8, "platform"),
    _protocol("base-bridge", "Base Bridge", "Canonical Bridge", 3.4, 0.8, "platform"),
    _protocol("maple", "Maple", "Lending", 3.1, 0.4),
    _protocol("justcryptos", "JustCryptos", "Bridge", 3.0, 0.9),
    _protocol("tether-gold", "Tether Gold", "RWA", 2.3, 0.1),
    _protocol("kamino-lend", "Kamino Lend", "Lending", 2.3, 1.0, "platform"),
    _protocol("uniswap-v3", "Uniswap V3", "Dexs", 2.25, 0.8, "platform"),
    _protocol("spark-savings", "Spark Savings", "Yield", 2.1, 0.2),
    _protocol("curve-dex", "Curve DEX", "Dexs", 2.1, 0.5),
    _protocol("falcon-finance", "Falcon Finance", "Basis Trading", 2.0, 0.3),
    _protocol("spark-liquidity-layer", "Spark Liquidity Layer", "Onchain Capital Allocator", 2.0, 0.3),
    _protocol("blackrock-buidl", "BlackRock BUIDL", "RWA", 2.0, 0.02),
    _protocol("jito-liquid-staking", "Jito Liquid Staking", "Liquid Staking", 1.95, 1.3, "platform"),
    _protocol("pancakeswap-amm", "PancakeSwap AMM", "Dexs", 1.85, 0.8, "venue"),
    _protocol("rocket-pool", "Rocket Pool", "Liquid Staking", 1.85, 1.2, "platform"),
    _protocol("compound-v3", "Compound V3", "Lending", 1.7, 0.8, "platform"),
)

TOTAL_TVL = Path("total tvl", 123e9, 0.8, "", 0.005)


@lru_cache(maxsize=16)
def _days(year: int) -> tuple[int, ...]:
    """Every day of a year, as days since the newest crash began."""
    first, last, crash = date(year, 1, 1), date(year - 1, *CRASH), date(year, *CRASH)
    days = (first + _DAY * n for n in range((date(year + 1, 1, 1) - first).days))
    return tuple((day - (crash if day >= crash else last)).days for day in days)


@lru_cache(maxsize=16)
def _fallen(year: int) -> tuple[float, ...]:
    """How much of the crash's depth is in each day's level: 1 at the bottom, a third is soon back."""
    return tuple(
        (0.2, 0.65, 0.85, 1.0)[s] if s < 4 else 0.35 * math.exp((3 - s) / 8) + 0.65 * math.exp((3 - s) / 130)
        for s in _days(year)
    )


@lru_cache(maxsize=16)
def _heat(year: int) -> tuple[float, ...]:
    """Volatility of each day, 1 = ordinary: it comes in clusters and runs high after the crash."""
    random, calm, heat = Random(f"heat {year}"), 0.0, []
    for s in _days(year):
        calm = 0.93 * calm + random.gauss(0, 0.15)
        # The crash is the move of its own days: noise on top would blur how deep it goes.
        heat.append(0.3 if s < 4 else math.exp(calm) * (1 + 1.1 * math.exp(-(s - 4) / 12)))
    return tuple(heat)


def _year_end(seed: str, year: int, own: float, pull: float) -> float:
    """Where a noise stands on 31 December: both years' paths are tied to it."""
    return Random(f"{seed} end {year}").gauss(0, 0.5 * own / math.sqrt(2 * pull))


def _noise(seed: str, year: int, own: float, pull: float) -> list[float]:
    """A year of fading, fat-tailed noise (log), from last year's end to this year's."""
    random, level, path = Random(f"{seed} {year}"), _year_end(seed, year - 1, own, pull), []
    gauss, chance = random.gauss, random.random
    for heat in _heat(year):
        level += own * heat * gauss(0, 2.4 if chance() < 0.04 else 0.9) - pull * level
        path.append(level)
    step = (_year_end(seed, year, own, pull) - level) / len(path)
    return [level + step * (i + 1) for i, level in enumerate(path)]


@lru_cache(maxsize=64)
def _common(sector: str, year: int) -> tuple[float, ...]:
    """The market's log level, or that of a sector beside it, without the crash."""
    if not sector:
        return tuple(_noise("market", year, MARKET, 0.022))
    market = _common("", year)
    return tuple(m + s for m, s in zip(market, _noise(f"sector {sector}", year, 0.007, 0.02), strict=True))


@lru_cache(maxsize=512)
def _closes(path: Path, year: int) -> tuple[float, ...]:
    """The level at the end of every day of a year."""
    noise = _noise(path.seed, year, path.own, path.pull)
    if path.sector == PEGGED:
        pegs = map(_pegged, noise, _days(year), repeat(path.sag))
        return tuple(path.base * math.exp(peg) for peg in pegs)
    common = _common(path.sector, year)
    # The more a coin moves with the market, the more than that it loses in a rush for the exit.
    depth = CRASH_DEPTH * path.beta**1.6
    days = zip(noise, common, _fallen(year), strict=True)
    return tuple(
        path.base * math.exp(own + path.beta * moved - depth * fallen) for own, moved, fallen in days
    )


def _pegged(noise: float, since_crash: int, sag: float) -> float:
    sagging = {1: 1.0, 2: 0.95, 3: 0.4, 4: 0.15}.get(since_crash, 0.0)
    return max(-0.0028, min(0.0028, noise)) - sag * sagging


def _within_day(seed: str, day: date, hour: int) -> float:
    """A walk of 25 steps that begins and ends at 0, about half an ordinary day's move at its widest."""
    random = Random(f"{seed} {day} hours")
    steps = [random.gauss(0, 0.2) for _ in range(25)]
    return sum(steps[: hour + 1]) - sum(steps) * (hour + 1) / 25


def levels(path: Path, first: date, today: date, hour: int) -> list[float]:
    """One level a day from `first` (before `today`) on: closes, and today's as it stands in `hour`."""
    found: list[float] = []
    for year in range(first.year, today.year + 1):
        found += _closes(path, year)
    skipped = (first - date(first.year, 1, 1)).days
    found = found[skipped : skipped + (today - first).days + 1]
    found[-1] = _live(path, found[-2], found[-1], today, hour)
    return found


def _live(path: Path, before: float, after: float, today: date, hour: int) -> float:
    """Between yesterday's close and today's: as far as the hour is, with the moves of a day."""
    way = math.log(after / before) * (hour + 1) / 25
    if path.sector != PEGGED:
        way += path.own * _within_day(path.seed, today, hour)
        way += MARKET * path.beta * _within_day("market", today, hour)
    return before * math.exp(way)


def supplies(coin: Coin, first: date, days: int) -> list[float]:
    """Coins in circulation on each of `days` days: a straight line, level where it would run away."""
    past = (first - date(2026, 1, 1)).days
    years = (max(-8.0, min(8.0, (past + n) / 365)) for n in range(days))
    return [coin.supply * (1 + coin.growth * year) for year in years]
