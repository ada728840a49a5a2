"""What is said beside the headline: single inputs at their extremes, fast rises, isolated stress.

Text never raises one: words follow markets, and an alert that reads its own headlines feeds itself.
"""

from typing import Literal, NamedTuple

import numpy as np

from collectors.stress.index import Replay
from collectors.stress.inputs import FRESH_ROWS, MODULES
from storage.texts import N_

Kind = Literal["extreme", "rise", "isolated", "coverage", "stale"]

EXTREME_RANK = 0.99
RISE_POINTS, RISE_ROWS = 8.0, 5
ISOLATED_SCORE, ISOLATED_BELOW = 90.0, 80.0

WORDS: dict[Kind, str] = {
    "extreme": N_("{title} at or above its 99th percentile"),
    "rise": N_("Up {points} points in five days"),
    "isolated": N_("Isolated: {title}"),
    "coverage": N_("Coverage changed"),
    "stale": N_("Old data: {title}"),
}


class Alert(NamedTuple):
    """`about`: the input or module by name, empty for the whole index. `points`: the rise, else rank
    or score in percent, or the age in rows."""

    kind: Kind
    about: str
    points: float


def alerts(found: Replay, row: int) -> list[Alert]:
    """Every alert of that row, in a fixed order. A day without an index has only its stale inputs."""
    said: list[Alert] = []
    text = {module.name for module in MODULES if module.text}
    market = [(k, one) for k, one in enumerate(found.inputs) if one.module not in text and not one.proxy]
    if not np.isnan(found.market_only[row]):
        for k, one in market:
            if found.rank[row, k] >= EXTREME_RANK:
                said.append(Alert("extreme", one.name, float(100 * found.rank[row, k])))
        said += _rise(found, row) + _isolated(found, row)
        if row and found.sets[row - 1] and found.sets[row] != found.sets[row - 1]:
            said.append(Alert("coverage", "", float(100 * found.coverage[row])))
    said += [Alert("stale", one.name, float(found.age[row, k])) for k, one in market if _old(found, row, k)]
    return said


def _rise(found: Replay, row: int) -> list[Alert]:
    if row < RISE_ROWS:
        return []
    rise = float(found.market_only[row] - found.market_only[row - RISE_ROWS])
    # Another set of modules is another scale: that is told as a change of coverage.
    same = found.sets[row] == found.sets[row - RISE_ROWS]
    return [Alert("rise", "", rise)] if rise >= RISE_POINTS and same else []


def _isolated(found: Replay, row: int) -> list[Alert]:
    # Where the percentile has no history yet, the index stands for it.
    headline = found.standing.percentile[row]
    headline = found.market_only[row] if np.isnan(headline) else headline
    if not headline < ISOLATED_BELOW:
        return []
    return [
        Alert("isolated", module.name, float(found.score[row, m]))
        for m, module in enumerate(MODULES)
        if not module.text and found.score[row, m] >= ISOLATED_SCORE
    ]


def _old(found: Replay, row: int, k: int) -> bool:
    if found.as_of[row, k]:
        return bool(found.age[row, k] > FRESH_ROWS)
    # It was there once and is no longer: dropped, not frozen.
    return bool(found.as_of[:row, k].any())
