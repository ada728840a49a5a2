"""Where the index stands among its own comparable days: percentile, bands, names of sets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.stress.inputs import (
    BANDS,
    CALM_CLOSES,
    CALM_POINTS,
    CUT_OFFS,
    PERCENTILE_FROM,
    PERCENTILE_NEEDS,
    SETS,
)
from collectors.stress.observations import Floats, Ints
from collectors.stress.ranks import mid_ranks, up_to

Bools = NDArray[np.bool_]
NO_BAND = -1


@dataclass(frozen=True, slots=True)
class Standing:
    """Per day: percentile (0 to 100, NaN without enough comparable days), band (place in BANDS, −1 for
    none), provisional; and what the next day needs: for each cut-off whether the band is at or above
    it (`held`), and how many closes in a row lay below it (`closes`)."""

    percentile: Floats
    band: Ints
    provisional: Bools
    held: Bools
    closes: Ints


def set_label(coverage: float) -> str | None:
    """`full`, `partial`, `limited` for a share of the market weight; None below."""
    # Weights are sums of halves: what is 0.45 on paper may be a bit less in binary.
    return next((name for share, name in SETS if coverage >= share - 1e-12), None)


def band_name(band: int) -> str | None:
    """The band's name (a gettext id); None for none."""
    return None if band == NO_BAND else BANDS[band]


def comparable(days: Ints, sets: Ints, wanted: int) -> Ints:
    """Rows whose valid modules are those of the set `wanted`, from 2003 on.

    A module that had not begun by a day is not missing on it: the ETFs of 2010 do not make a new
    index of that year's. One that had begun and was not valid makes another set.
    """
    begun = np.bitwise_or.accumulate(sets) if len(sets) else sets
    rows = (days >= PERCENTILE_FROM.toordinal()) & (sets != 0) & (sets == (wanted & begun))
    return np.flatnonzero(rows)


def standing(
    days: Ints, market_only: Floats, sets: Ints, since: int, past: Standing | None, provisional: Bools
) -> Standing:
    """Percentile and band of every day; those before `since` are taken from `past`."""
    n = len(days)
    percentile, below = np.full(n, np.nan), np.zeros((n, len(CUT_OFFS)), bool)
    if past is not None:
        percentile[:since] = past.percentile[:since]
    for wanted in np.unique(sets[since:]):
        if wanted == 0:
            continue
        rows = comparable(days, sets, int(wanted))
        first = int(np.searchsorted(rows, since))
        values = market_only[rows]
        known = np.arange(first, len(rows)) + 1
        share = 100 * mid_ranks(values, first)
        # Below the level of a cut-off less three points: three points more would still be below it.
        at_most = up_to(values, values + CALM_POINTS, first)
        asked = (sets[rows[first:]] == wanted) & (known >= PERCENTILE_NEEDS)
        mine = rows[first:][asked]
        percentile[mine] = share[asked]
        for c, cut_off in enumerate(CUT_OFFS):
            below[mine, c] = 100 * at_most[asked] < cut_off * known[asked]
    return _banded(percentile, below, since, past, provisional)


def _banded(
    percentile: Floats, below: Bools, since: int, past: Standing | None, provisional: Bools
) -> Standing:
    n = len(percentile)
    band = np.full(n, NO_BAND, np.int64)
    held, closes = np.zeros((n, len(CUT_OFFS)), bool), np.zeros((n, len(CUT_OFFS)), np.int64)
    if past is not None:
        band[:since], held[:since] = past.band[:since], past.held[:since]
        closes[:since] = past.closes[:since]
    now_held = held[since - 1].tolist() if since else [False] * len(CUT_OFFS)
    now_closes = closes[since - 1].tolist() if since else [0] * len(CUT_OFFS)
    for row, (share, under, trial) in enumerate(
        zip(percentile[since:].tolist(), below[since:].tolist(), provisional[since:].tolist(), strict=True),
        start=since,
    ):
        next_held, next_closes = step(share, under, now_held, now_closes)
        if share == share:
            band[row] = sum(next_held)
        if not trial:
            now_held, now_closes = next_held, next_closes
        held[row], closes[row] = now_held, now_closes
    return Standing(percentile, band, provisional, held, closes)


def step(
    percentile: float, below: list[bool], held: list[bool], closes: list[int]
) -> tuple[list[bool], list[int]]:
    """One close: a cut-off is reached at once, and left after CALM_CLOSES closes in a row below its level
    less CALM_POINTS. A day without a percentile (NaN) holds the band and breaks the row."""
    if percentile != percentile:
        return held, [0] * len(held)
    reached = [percentile >= cut_off for cut_off in CUT_OFFS]
    if not any(held) and not any(reached):
        return held, closes
    counts = [
        count + 1 if on and under and not up else 0
        for on, under, up, count in zip(held, below, reached, closes, strict=True)
    ]
    kept = [up or (on and count < CALM_CLOSES) for up, on, count in zip(reached, held, counts, strict=True)]
    return kept, [count if on else 0 for on, count in zip(kept, counts, strict=True)]


def levels(days: Ints, market_only: Floats, sets: Ints, row: int) -> tuple[float, ...] | None:
    """The index level (points) of each cut-off on that day; None without enough comparable days."""
    if sets[row] == 0:
        return None
    rows = comparable(days[: row + 1], sets[: row + 1], int(sets[row]))
    if len(rows) < PERCENTILE_NEEDS:
        return None
    values = np.sort(market_only[rows])
    return tuple(float(values[-(-cut_off * len(values) // 100) - 1]) for cut_off in CUT_OFFS)
