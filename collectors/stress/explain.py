"""Why the index is where it is: what every module contributes, and what moved it since the day before."""

from typing import NamedTuple

import numpy as np

from collectors.stress.index import Replay
from collectors.stress.inputs import MODULES
from collectors.stress.observations import Floats

NEUTRAL = 50.0


class Move(NamedTuple):
    """From one row to the next, in index points: what each module's score did at yesterday's weights
    (`by_module`, as MODULES), and what the change of weights did (`coverage`), which is no market's
    doing. Together they are the change of the index."""

    by_module: tuple[float, ...]
    coverage: float

    @property
    def total(self) -> float:
        return sum(self.by_module) + self.coverage


def contributions(found: Replay) -> Floats:
    """Points that each module (columns as MODULES) adds to the neutral 50: they sum to index − 50.
    0 for a module that is not valid, NaN on a day without an index."""
    there = np.where(np.isnan(found.score), NEUTRAL, found.score)
    points: Floats = found.weight * (there - NEUTRAL)
    points[np.isnan(found.index)] = np.nan
    return points


def move(found: Replay, row: int) -> Move | None:
    """What moved the index into that row; None where it or the row before has no index."""
    if row < 1 or np.isnan(found.index[row]) or np.isnan(found.index[row - 1]):
        return None
    by_module, coverage = [], 0.0
    for m in range(len(MODULES)):
        before, after = found.weight[row - 1, m], found.weight[row, m]
        # A module that left takes its last score with it; one that came brings its first.
        last = found.score[row - 1, m] if before > 0 else found.score[row, m]
        now = found.score[row, m] if after > 0 else last
        by_module.append(float(before * (now - last)) if before > 0 else 0.0)
        coverage += float(now * (after - before)) if before > 0 or after > 0 else 0.0
    return Move(tuple(by_module), coverage)


def input_contributions(found: Replay, row: int) -> dict[str, float]:
    """Points that each scored input adds within its module, by name: within a module they sum to the
    module's contribution."""
    points: dict[str, float] = {}
    for m, module in enumerate(MODULES):
        columns = [
            k
            for k, one in enumerate(found.inputs)
            if one.module == module.name and not one.proxy and not np.isnan(found.rank[row, k])
        ]
        whole = sum(found.inputs[k].weight for k in columns)
        if found.weight[row, m] > 0:
            for k in columns:
                share = found.weight[row, m] * found.inputs[k].weight / whole
                points[found.inputs[k].name] = float(share * (100 * found.rank[row, k] - NEUTRAL))
    return points
