"""The levels behind the FRED series, day by day: policy, yields, spreads, volatility, the Fed's assets.

A path holds a value for every calendar day; which of them are published is the business of `fred_series`.
Derived rates are made of the rounded ones, as at the source: BAA10Y is DBAA less DGS10 to the last digit.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import lru_cache

from .strain import FIRST, Path, days_until, drift, strain


@lru_cache(maxsize=128)
def path(name: str, seed: int, year: int) -> Path:
    """The path of that name from `strain.FIRST` to the end of `year`. Raises KeyError for a strange name."""
    return tuple(_MAKERS[name](seed, year))


def _noise(name: str, seed: int, year: int, memory: float, step: float) -> list[float]:
    return drift(f"{seed}:{name}", days_until(year), memory, step)


def _policy(seed: int, year: int) -> Iterator[float]:
    """In quarter points, moved every 45 days towards a goal that strain pulls down."""
    goal, tension = _noise("goal", seed, year, 1100, 0.055), strain(seed, year)
    level = 4.5
    for n, wish in enumerate(goal):
        if n % 45 == 0:
            missing = 3.3 + wish - 0.9 * max(0.0, tension[n]) - level
            level = min(5.75, max(0.0, level + 0.25 * max(-2, min(2, round(missing)))))
        yield level


def _funds(seed: int, year: int) -> Iterator[float]:
    for level, extra in zip(path("policy", seed, year), _noise("DFF", seed, year, 9, 0.006), strict=True):
        yield round(max(0.04, level + 0.08 + extra), 2)


def _effective(seed: int, year: int) -> Path:
    return path("DFF", seed, year)


def _secured(seed: int, year: int) -> Iterator[float]:
    """SOFR: close to EFFR, higher where months meet and where strain is."""
    extra, tension = _noise("SOFR", seed, year, 6, 0.012), strain(seed, year)
    for n, level in enumerate(path("DFF", seed, year)):
        turn = 0.05 if (FIRST + timedelta(days=n + 1)).day <= 2 else 0.0
        yield round(max(0.01, level - 0.02 + extra[n] + turn + 0.06 * max(0.0, tension[n] - 0.5)), 2)


def _bill(seed: int, year: int) -> Iterator[float]:
    level, extra = path("policy", seed, year), _noise("DTB3", seed, year, 40, 0.012)
    for n, tension in enumerate(strain(seed, year)):
        yield round(max(0.01, level[n] - 0.05 + extra[n] - 0.14 * max(0.0, tension)), 2)


def _paper(seed: int, year: int) -> Iterator[float]:
    bill, extra = path("DTB3", seed, year), _noise("DCPF3M", seed, year, 15, 0.012)
    for n, tension in enumerate(strain(seed, year)):
        yield round(bill[n] + max(0.03, 0.22 + extra[n] + 0.3 * max(0.0, tension)), 2)


@lru_cache(maxsize=4)
def _term(seed: int, year: int) -> Path:
    """What moves all longer yields; it moves more when markets are strained."""
    steps = [0.035 + 0.022 * max(0.0, tension) for tension in strain(seed, year)]
    return tuple(drift(f"{seed}:term", days_until(year), 420, steps))


def _yield(name: str, base: float, policy: float, term: float, flight: float) -> "_Maker":
    def make(seed: int, year: int) -> Iterator[float]:
        level, shift, extra = (
            path("policy", seed, year), _term(seed, year), _noise(name, seed, year, 60, 0.018)
        )  # fmt: skip
        for n, tension in enumerate(strain(seed, year)):
            own = extra[n] - flight * max(0.0, tension)
            yield round(max(0.02, base + policy * level[n] + term * shift[n] + own), 2)

    return make


def _over(base: str, least: float, usual: float, strained: float, name: str) -> "_Maker":
    """A yield that lies above another by a spread."""

    def make(seed: int, year: int) -> Iterator[float]:
        below, extra = path(base, seed, year), _noise(name, seed, year, 120, 0.012)
        for n, tension in enumerate(strain(seed, year)):
            yield round(below[n] + max(least, usual + extra[n] + strained * tension), 2)

    return make


def _less(one: str, other: str) -> "_Maker":
    def make(seed: int, year: int) -> Iterator[float]:
        for a, b in zip(path(one, seed, year), path(other, seed, year), strict=True):
            yield round(a - b, 2)

    return make


def _level(
    name: str, usual: float, strained: float, memory: float, step: float,
    bounds: tuple[float, float], digits: int,
) -> "_Maker":  # fmt: skip
    """usual × exp(strained × strain + a walk), between bounds."""

    def make(seed: int, year: int) -> Iterator[float]:
        extra = _noise(name, seed, year, memory, step)
        for n, tension in enumerate(strain(seed, year)):
            value = usual * math.exp(strained * tension + extra[n])
            yield round(min(bounds[1], max(bounds[0], value)), digits)

    return make


def _index(name: str, usual: float, strained: float, digits: int) -> "_Maker":
    def make(seed: int, year: int) -> Iterator[float]:
        extra = _noise(name, seed, year, 30, 0.01)
        for n, tension in enumerate(strain(seed, year)):
            yield round(usual + strained * tension + extra[n], digits)

    return make


def _repo(seed: int, year: int) -> Iterator[float]:
    """Repo operations: next to nothing, billions when money is short."""
    extra = _noise("RPONTSYD", seed, year, 20, 0.4)
    for n, tension in enumerate(strain(seed, year)):
        yield (
            round(max(0.0, 18 * (tension - 1) * math.exp(extra[n])), 3) if tension > 1 else n % 7 // 5 * 0.001
        )


def _noon(seed: int, year: int) -> Iterator[float]:
    """The won at noon in New York: between two closes."""
    closes = path("KRW", seed, year)
    for before, after in zip((closes[0], *closes), closes, strict=False):
        yield round(0.4 * before + 0.6 * after, 2)


_Maker = Callable[[int, int], Iterable[float]]
_MAKERS: dict[str, _Maker] = {
    "policy": _policy,
    "DFF": _funds,
    "EFFR": _effective,
    "SOFR": _secured,
    "DTB3": _bill,
    "DGS3MO": _yield("DGS3MO", 0.0, 1.0, 0.02, 0.12),
    "DCPF3M": _paper,
    "DGS2": _yield("DGS2", 0.7, 0.78, 0.75, 0.2),
    "DGS10": _yield("DGS10", 2.2, 0.45, 1.0, 0.12),
    "T10Y3M": _less("DGS10", "DGS3MO"),
    "DAAA": _over("DGS10", 0.4, 1.05, 0.16, "DAAA"),
    "DBAA": _over("DAAA", 0.5, 0.9, 0.34, "DBAA"),
    "BAA10Y": _less("DBAA", "DGS10"),
    "BAMLH0A0HYM2": _level("BAML", 3.5, 0.27, 60, 0.012, (2.4, 12.0), 2),
    "VIXCLS": _level("VIX", 16.5, 0.36, 8, 0.05, (10.0, 80.0), 2),
    "MOVE": _level("MOVE", 88.0, 0.24, 12, 0.035, (40.0, 260.0), 2),
    "KRW": _level("KRW", 1385.0, 0.02, 300, 0.004, (900.0, 1900.0), 2),
    "DEXKOUS": _noon,
    "WALCL": _level("WALCL", 6.5e6, 0.03, 1500, 0.004, (3e6, 1.2e7), 0),
    "WTREGEN": _level("WTREGEN", 8e5, 0.02, 60, 0.05, (4e4, 1.9e6), 0),
    "WRESBAL": _level("WRESBAL", 3e6, 0.02, 500, 0.008, (1.2e6, 5e6), 0),
    "WLCFLPCL": _level("WLCFLPCL", 4200.0, 0.8, 40, 0.05, (12.0, 160000.0), 0),
    "RRPONTSYD": _level("RRPONTSYD", 60.0, -0.1, 400, 0.11, (5.0, 2000.0), 3),
    "RPONTSYD": _repo,
    "NFCI": _index("NFCI", -0.38, 0.33, 3),
    "STLFSI4": _index("STLFSI4", -0.35, 0.85, 4),
}
