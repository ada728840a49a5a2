"""The index itself: from a snapshot of stored observations to a number for every trading day.

`replay` computes the whole past; `update` goes on from an earlier computation. Both run through the
same lines, and a day only ever asks for days before it, so both give the same bits.
"""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from collectors.stress import anchors, inputs, regime
from collectors.stress.inputs import CALENDAR, CARRIED_ROWS, FIRST_DAY, INPUTS, MODULES, Input, Module
from collectors.stress.observations import Floats, Ints, Levels, Snapshot, in_record, joined
from collectors.stress.ranks import mid_ranks
from collectors.stress.windows import Track, agreeing, track

Bools = NDArray[np.bool_]
ALL = tuple(module.name for module in MODULES)
YAHOO_ONLY = ("volatility", "etf")


@dataclass(frozen=True, slots=True)
class Replay:
    """A computation over one snapshot. Rows are `days` (ordinals of SPY's trading days), columns of
    `raw`, `rank`, `as_of`, `age` are `inputs`, those of `score` and `weight` are `MODULES`.

    raw: what is ranked, in the input's unit; NaN where nothing may be carried. rank: 0 to 1, NaN
    until the input has enough history. as_of: the day (ordinal) the value is of, 0 for none; age: how
    many rows it was carried. score: 0 to 100, NaN where the module is not valid. weight: share of
    the module in the index of that day, 0 where it is not valid, together 1. index, market_only: 0 to
    100, NaN where there is not enough data. coverage: valid market weight, 0 to 1. sets: bit m is
    set where market module m is valid. standing: percentile and band.
    """

    inputs: tuple[Input, ...]
    modules: tuple[str, ...]
    days: Ints
    raw: Floats
    rank: Floats
    as_of: Ints
    age: Ints
    score: Floats
    weight: Floats
    index: Floats
    market_only: Floats
    coverage: Floats
    sets: Ints
    standing: regime.Standing
    tracks: tuple[Track, ...]

    def row(self, day: date) -> int:
        """The row of that day. Raises KeyError where it is no trading day of the record."""
        row = int(np.searchsorted(self.days, day.toordinal()))
        if row == len(self.days) or self.days[row] != day.toordinal():
            raise KeyError(day)
        return row

    def day(self, row: int) -> date:
        """The day of that row."""
        return date.fromordinal(int(self.days[row]))


def replay(
    snapshot: Snapshot, *, modules: tuple[str, ...] = ALL, provisional_from: date | None = None
) -> Replay:
    """The index of every trading day of the snapshot, with the modules named (and no other).

    Days from `provisional_from` on get a band as if they had closed, and do not count as closes.
    Raises KeyError where the snapshot has no SPY: there is no calendar then.
    """
    return _compute(snapshot, None, modules, provisional_from)


def update(snapshot: Snapshot, past: Replay, *, provisional_from: date | None = None) -> Replay:
    """The same as `replay` of this snapshot, bit by bit, taking from `past` every day that nothing
    new or revised could have moved. `past` may be of any other snapshot."""
    return _compute(snapshot, past, past.modules, provisional_from)


def own_past(found: Replay, snapshot: Snapshot) -> Replay:
    """`found` with percentile and band also on days whose set of modules is too new to have a past of its
    own: a key that was taken away, an upstream that is gone. The past that such a day is compared with is
    that of the index made of its modules alone. Days that have a percentile keep it."""
    lost = np.flatnonzero(~np.isnan(found.index) & np.isnan(found.standing.percentile))
    begun = int(np.argmax(~np.isnan(found.standing.percentile))) if len(lost) else 0
    # Before the first percentile of all there is no past to speak of.
    lost = lost[lost > begun] if begun else lost[:0]
    percentile, band = found.standing.percentile.copy(), found.standing.band.copy()
    for wanted in np.unique(found.sets[lost]):
        names = tuple(one.name for m, one in enumerate(MODULES) if one.text or int(wanted) & (1 << m))
        open_days = np.flatnonzero(found.standing.provisional)
        first = date.fromordinal(int(found.days[open_days[0]])) if len(open_days) else None
        alone = replay(snapshot, modules=names, provisional_from=first).standing
        rows = lost[found.sets[lost] == wanted]
        percentile[rows], band[rows] = alone.percentile[rows], alone.band[rows]
    return replace(found, standing=replace(found.standing, percentile=percentile, band=band))


def _compute(
    snapshot: Snapshot, past: Replay | None, modules: tuple[str, ...], provisional_from: date | None
) -> Replay:
    days = snapshot[CALENDAR].known().days
    days = days[days >= FIRST_DAY.toordinal()]
    taken = tuple(one for one in INPUTS if in_record(one, snapshot))
    if past is not None and past.inputs != taken:
        past = None
    tracks = tuple(
        track(one, joined(one, snapshot), past.tracks[k] if past else None) for k, one in enumerate(taken)
    )
    provisional = _provisional(days, provisional_from)
    since = _unmoved(days, tracks, past, provisional) if past else 0
    cells = [_column(days, one, tracks[k].shaped, since, past, k) for k, one in enumerate(taken)]
    raw, rank, as_of, age = (np.column_stack(part) for part in zip(*cells, strict=True))
    score, valid = _scores(taken, rank[since:], modules)
    weight, index, market_only, coverage, sets = _weighed(score, valid)
    if past:
        score = np.concatenate([past.score[:since], score])
        weight = np.concatenate([past.weight[:since], weight])
        index = np.concatenate([past.index[:since], index])
        market_only = np.concatenate([past.market_only[:since], market_only])
        coverage = np.concatenate([past.coverage[:since], coverage])
        sets = np.concatenate([past.sets[:since], sets])
    standing = regime.standing(days, market_only, sets, since, past.standing if past else None, provisional)
    return Replay(
        taken, modules, days, raw, rank, as_of, age,
        score, weight, index, market_only, coverage, sets, standing, tracks,
    )  # fmt: skip


def _provisional(days: Ints, first: date | None) -> Bools:
    return np.zeros(len(days), bool) if first is None else days >= first.toordinal()


def _unmoved(days: Ints, tracks: tuple[Track, ...], past: Replay, provisional: Bools) -> int:
    """How many first days are the same as in `past`, whatever is computed of them."""
    ones = np.zeros(max(len(days), len(past.days)))
    rows = agreeing(Levels(days, ones[: len(days)]), Levels(past.days, ones[: len(past.days)]))
    for trial in (past.standing.provisional[:rows], provisional[:rows]):
        rows = int(np.argmax(trial)) if trial.any() else rows
    for new, old in zip(tracks, past.tracks, strict=True):
        same = agreeing(new.shaped, old.shaped)
        moved = [int(part.days[same]) for part in (new.shaped, old.shaped) if same < len(part.days)]
        if moved:
            rows = min(rows, int(np.searchsorted(days, min(moved))))
    return rows


def _column(
    days: Ints, one: Input, own: Levels, since: int, past: Replay | None, k: int
) -> tuple[Floats, Floats, Ints, Ints]:
    """raw, rank, as_of and age of one input, on every day."""
    raw, as_of, age = _carried(days, own, since)
    if past is not None:
        raw = np.concatenate([past.raw[:since, k], raw])
        as_of = np.concatenate([past.as_of[:since, k], as_of])
        age = np.concatenate([past.age[:since, k], age])
    rank = np.full(len(days), np.nan)
    if past is not None:
        rank[:since] = past.rank[:since, k]
    if one.anchored:
        rank[since:] = anchors.rank(raw[since:], days[since:])
    else:
        rows = np.flatnonzero(~np.isnan(raw))
        first = int(np.searchsorted(rows, since))
        shares = mid_ranks(raw[rows], first)
        enough = np.arange(first, len(rows)) + 1 >= one.needs
        rank[rows[first:][enough]] = shares[enough]
    return raw, rank, as_of, age


def _carried(days: Ints, own: Levels, since: int) -> tuple[Floats, Ints, Ints]:
    """The newest own value on or before each day from `since`, at most CARRIED_ROWS rows old.

    Between an own day and the day it is carried to there is no other own day: the rows of both
    calendars between them are trading days alone.
    """
    asked = days[since:]
    if not len(own.days):
        return np.full(len(asked), np.nan), np.zeros(len(asked), np.int64), np.zeros(len(asked), np.int64)
    place = np.searchsorted(own.days, asked, side="right") - 1
    dated = own.days[np.maximum(place, 0)]
    age = np.arange(since + 1, len(days) + 1) - np.searchsorted(days, dated, side="right")
    usable = (place >= 0) & (age <= CARRIED_ROWS)
    raw = np.where(usable, own.values[np.maximum(place, 0)], np.nan)
    return raw, np.where(usable, dated, 0), np.where(usable, age, 0)


def _scores(taken: tuple[Input, ...], rank: Floats, modules: tuple[str, ...]) -> tuple[Floats, Bools]:
    """Score and validity of every module on every row of `rank`."""
    score = np.full((len(rank), len(MODULES)), np.nan)
    valid = np.zeros(score.shape, bool)
    for m, module in enumerate(MODULES):
        columns = [k for k, one in enumerate(taken) if one.module == module.name and not one.proxy]
        if not columns or module.name not in modules:
            continue
        fresh, summed = np.zeros(len(rank)), np.zeros(len(rank))
        for k in columns:
            there = ~np.isnan(rank[:, k])
            fresh += np.where(there, taken[k].weight, 0.0)
            summed += np.where(there, taken[k].weight * rank[:, k], 0.0)
        valid[:, m] = _valid(module, taken, columns, rank, fresh)
        rows = valid[:, m]
        score[rows, m] = 100 * summed[rows] / fresh[rows]
    return score, valid


def _valid(
    module: Module, taken: tuple[Input, ...], columns: list[int], rank: Floats, fresh: Floats
) -> Bools:
    least = 0.0 if module.any_input else sum(taken[k].weight for k in columns) / 2
    enough: Bools = (fresh > 0) & (fresh >= least)
    if module.required is not None:
        there = [~np.isnan(rank[:, k]) for k in columns if taken[k].name == module.required]
        enough = enough & there[0] if there else np.zeros(len(rank), bool)
    return enough


def _weighed(score: Floats, valid: Bools) -> tuple[Floats, Floats, Floats, Floats, Ints]:
    """weight, index, market_only, coverage and sets of every row."""
    n = len(score)
    market, core = np.zeros(n), np.zeros(n, bool)
    text, market_sum, text_sum = np.zeros(n), np.zeros(n), np.zeros(n)
    count, sets = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for m, module in enumerate(MODULES):
        there = valid[:, m]
        points = np.where(there, module.weight, 0.0)
        scored = np.where(there, module.weight * score[:, m], 0.0)
        if module.text:
            text, text_sum = text + points, text_sum + scored
            continue
        market, market_sum = market + points, market_sum + scored
        count, sets = count + there, sets + there * (1 << m)
        if module.name in inputs.CORE:
            core = core | there
    published = (market >= inputs.LEAST_WEIGHT) & (count >= inputs.LEAST_MODULES) & core
    # Text may have a tenth of the whole: a ninth of what the market brings.
    most = market * inputs.TEXT_SHARE / (1 - inputs.TEXT_SHARE)
    shrink = np.minimum(1.0, np.divide(most, text, out=np.ones(n), where=text > 0))
    total = np.where(published, market + shrink * text, np.nan)
    weight = np.zeros(score.shape)
    for m, module in enumerate(MODULES):
        part = module.weight * shrink if module.text else np.full(n, module.weight)
        weight[:, m] = np.where(published & valid[:, m], part / total, 0.0)
    index = (market_sum + shrink * text_sum) / total
    market_only = market_sum / np.where(published, market, np.nan)
    return weight, index, market_only, market / inputs.MARKET_WEIGHT, np.where(published, sets, 0)
