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


def moves(found: Replay) -> tuple[Floats, Floats]:
    """`move` of every row at once: points by module (columns as MODULES) and the coverage effect; NaN
    where a row or the one before it has no index."""
    weight, score = found.weight, found.score
    by_module, coverage = np.full(weight.shape, np.nan), np.full(len(weight), np.nan)
    if len(weight) < 2:
        return by_module, coverage
    before, after = weight[:-1], weight[1:]
    last = np.where(before > 0, score[:-1], score[1:])
    now = np.where(after > 0, score[1:], last)
    moved = np.where(before > 0, before * (now - last), 0.0)
    shifted = np.where((before > 0) | (after > 0), now * (after - before), 0.0)
    known = np.isfinite(found.index[1:]) & np.isfinite(found.index[:-1])
    by_module[1:][known], coverage[1:][known] = moved[known], shifted[known].sum(axis=1)
    return by_module, coverage


def input_weights(found: Replay) -> Floats:
    """Share of every input in the index of every row (columns as `found.inputs`), 0 where it has no rank
    or its module no weight: within a module they sum to the module's weight."""
    weights = np.zeros(found.rank.shape)
    for m, module in enumerate(MODULES):
        columns = [k for k, one in enumerate(found.inputs) if one.module == module.name and not one.proxy]
        if columns:
            own = np.array([found.inputs[k].weight for k in columns]) * ~np.isnan(found.rank[:, columns])
            whole = own.sum(axis=1)
            weights[:, columns] = (found.weight[:, m] / np.where(whole > 0, whole, 1.0))[:, None] * own
    return weights


def input_contributions(found: Replay, row: int) -> dict[str, float]:
    """Points that each scored input adds within its module, by name: within a module they sum to the
    module's contribution."""
    weights = input_weights(found)[row]
    return {
        one.name: float(weights[k] * (100 * found.rank[row, k] - NEUTRAL))
        for k, one in enumerate(found.inputs)
        if weights[k] > 0
    }
