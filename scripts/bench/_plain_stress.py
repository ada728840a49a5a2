"""The StressIndex written plainly, with pandas and bisect: what the benchmark measures itself against.

The same formulas for the market modules, one line after the other: rolling windows, forward fill,
a sorted list a series. It is also an independent check of the numbers.
"""

from bisect import bisect_left, bisect_right, insort

import numpy as np
import pandas as pd

from collectors.stress.inputs import INPUTS, MARKET, Input
from collectors.stress.observations import Observations, Snapshot

NEEDS = 504


def frame(one: Observations) -> "pd.Series[float]":
    """A stored series as pandas has it, blanks dropped."""
    days = pd.to_datetime(one.days - 719163, unit="D")
    return pd.Series(one.values, index=days).dropna()


def joined(one: Input, stored: dict[str, "pd.Series[float]"]) -> "pd.Series[float]":
    parts = [stored[name] for name in one.series if name in stored]
    if one.join == "first":
        return parts[0].combine_first(parts[1]) if len(parts) > 1 else parts[0]
    if len(parts) == 1:
        return parts[0]
    both = pd.concat(parts, axis=1, join="inner").dropna()
    a, b = both.iloc[:, 0], both.iloc[:, 1]
    return a - b if one.join == "difference" else a / b


def shaped(one: Input, level: "pd.Series[float]") -> "pd.Series[float]":
    n = one.window
    if one.shape == "mean":
        return (level * one.scale).rolling(n).mean()
    if one.shape == "median":
        return level.rolling(n).median()
    if one.shape == "drawdown":
        return 1 - level / level.rolling(n).max()
    if one.shape == "deviation":
        return level.diff().dropna().rolling(n).std() * np.sqrt(252) * one.scale
    if one.shape == "log_deviation":
        return np.log(level / level.shift(1)).dropna().rolling(n).std() * np.sqrt(252) * one.scale
    return level


def ecdf(values: "pd.Series[float]", needs: int) -> "pd.Series[float]":
    known: list[float] = []
    found = []
    for value in values:
        if value != value:
            found.append(np.nan)
            continue
        insort(known, value)
        low, high = bisect_left(known, value), bisect_right(known, value)
        found.append((low + (high - low + 1) / 2) / len(known) if len(known) >= needs else np.nan)
    return pd.Series(found, index=values.index)


def index(ranks: dict[str, "pd.Series[float]"], days: pd.DatetimeIndex) -> pd.DataFrame:
    """market: the index; sets: the valid modules as text; contributions by module."""
    scores, weights = {}, {}
    for module in MARKET:
        own = [one for one in INPUTS if one.module == module.name and one.name in ranks and not one.proxy]
        if not own:
            continue
        table = pd.DataFrame({one.name: ranks[one.name] for one in own})
        share = pd.Series({one.name: one.weight for one in own})
        fresh = table.notna().mul(share).sum(axis=1)
        valid = fresh > 0 if module.any_input else fresh >= share.sum() / 2
        if module.required is not None:
            valid &= table[module.required].notna()
        scores[module.name] = (100 * table.mul(share).sum(axis=1) / fresh).where(valid)
        weights[module.name] = module.weight * valid
    score, weight = pd.DataFrame(scores), pd.DataFrame(weights)
    total = weight.sum(axis=1)
    core = score[[name for name in ("credit", "volatility", "etf") if name in score]].notna().any(axis=1)
    published = (total >= 36) & (score.notna().sum(axis=1) >= 2) & core
    share = weight.div(total.where(published), axis=0)
    found = share.mul(score - 50).add_prefix("by_")
    found["market"] = share.mul(score).sum(axis=1, min_count=1).where(published)
    masks = score.notna().mul(2 ** np.arange(score.shape[1])).sum(axis=1)
    found["sets"] = masks.where(published, 0)
    return found


def standing(market: "pd.Series[float]", sets: "pd.Series[int]") -> tuple[list[float], list[int]]:
    """Percentile and band of each day."""
    known: dict[int, list[float]] = {}
    rows: list[tuple[int, int, float]] = []
    held, closes, begun = [False] * 3, [0] * 3, 0
    percentiles, bands = [], []
    for day, value, own in zip(market.index, market.tolist(), sets.tolist(), strict=True):
        begun |= own
        percentile, band = np.nan, -1
        if own and day.year >= 2003:
            if own not in known:
                known[own] = sorted(past for mask, then, past in rows if mask == own & then)
            for wanted, values in known.items():
                if own == wanted & begun:
                    insort(values, value)
            mine = known[own]
            rows.append((own, begun, value))
            if len(mine) >= NEEDS:
                low, high = bisect_left(mine, value), bisect_right(mine, value)
                percentile = 100 * (low + (high - low + 1) / 2) / len(mine)
                for c, cut_off in enumerate((60, 80, 95)):
                    level = mine[-(-cut_off * len(mine) // 100) - 1]
                    up = percentile >= cut_off
                    closes[c] = closes[c] + 1 if held[c] and not up and value + 3 < level else 0
                    held[c] = up or (held[c] and closes[c] < 3)
                band = sum(held)
        if percentile != percentile:
            closes = [0] * 3
        percentiles.append(percentile)
        bands.append(band)
    return percentiles, bands


def replay(snapshot: Snapshot) -> tuple[pd.DataFrame, list[float], list[int]]:
    """Index and contributions, percentiles and bands of every trading day."""
    stored = {name: frame(one) for name, one in snapshot.items()}
    spy = stored["yahoo.SPY.adjusted"]
    days = pd.DatetimeIndex(spy.index[spy.index >= "1993-01-29"])
    ranks = {}
    for one in INPUTS:
        if not any(name in stored for name in one.series):
            continue
        if one.join != "first" and not all(name in stored for name in one.series):
            continue
        own = shaped(one, joined(one, stored)).dropna()
        carried = own.reindex(own.index.union(days)).ffill(limit=5).reindex(days)
        ranks[one.name] = ecdf(carried, one.needs)
    found = index(ranks, days)
    percentiles, bands = standing(found["market"], found["sets"])
    return found, percentiles, bands
