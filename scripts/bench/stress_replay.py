"""Replaying the StressIndex beside a plain pandas/bisect implementation: at most as long, 300 MB.

Both get the same observations in memory and give index, contributions, percentiles and bands of every
trading day; a difference between them ends the benchmark. The series are those of ../shared/history
where that folder is, else generated ones of the same length. The daily update takes yesterday's
replay and one more day. Growth is measured on generated series of 20, 40 and 80 years.
"""

import math
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import numpy as np
from _measure import (
    ROOT,
    Broken,
    Spent,
    arguments,
    at_most,
    by_turns,
    child,
    ended,
    environment,
)

from collectors.stress.index import replay, update
from collectors.stress.inputs import CALENDAR, FIRST_DAY, INPUTS
from collectors.stress.observations import Observations, Snapshot, until
from storage.texts import _

BOUND, PEAK_MB, UPDATE, GROWTH = 1.0, 300.0, 0.25, 1.25
HISTORY = ROOT.parent / "shared" / "history"
YEARS = 29
PEAK = """
import sys
sys.path[:0] = [{bench!r}, {root!r}]
from stress_replay import stored
from collectors.stress.index import replay
replay(stored(None))
assert "pandas" not in sys.modules
"""


def generated(years: int) -> Snapshot:
    """Random walks in whole basis points for rates, log walks for prices, on weekdays from 1993 on."""
    random = np.random.default_rng(1993)
    first = FIRST_DAY.toordinal()
    days = np.array([first + n for n in range(round(years * 365.25)) if (first + n - 1) % 7 < 5], np.int64)
    found = {}
    # Text has no history of that length, and an anchored input none before its table ends.
    wanted = (one for one in INPUTS if not one.anchored and one.module not in ("news", "fed"))
    for name in sorted({name for one in wanted for name in one.series}):
        steps = random.standard_normal(len(days))
        if name.startswith("fred."):
            values = np.round(3 + np.abs(np.cumsum(0.04 * steps)), 2)
        else:
            values = 20 * np.exp(np.cumsum(0.01 * steps))
        found[name] = Observations(days, values)
    assert CALENDAR in found
    return found


def stored(years: int | None) -> Snapshot:
    """The real histories, or generated ones of so many years."""
    if years is None and HISTORY.is_dir():
        from _history import snapshot

        return snapshot(HISTORY)
    return generated(years or YEARS)


def timed(act: Callable[[], object]) -> Callable[[], Spent]:
    """A timer of one call in this process."""

    def once() -> Spent:
        wall, cpu = time.perf_counter(), time.process_time()
        act()
        return Spent(time.perf_counter() - wall, time.process_time() - cpu, None)

    return once


def agree(observed: Snapshot) -> None:
    """Raises Broken where the plain implementation gives other numbers."""
    import _plain_stress

    ours = replay(observed)
    table, percentiles, bands = _plain_stress.replay(observed)
    same = np.allclose(ours.market_only, table["market"], rtol=0, atol=1e-6, equal_nan=True)
    same &= np.allclose(ours.standing.percentile, percentiles, rtol=0, atol=0.1, equal_nan=True)
    if not same or np.mean(ours.standing.band != np.array(bands)) > 0.001:
        raise Broken(_("the two implementations differ"))


def growth(pairs: int) -> list[bool]:
    """Time over n log n at 40 and 80 years, beside that at 20."""
    cost = {}
    for years in (20, 40, 80):
        observed = generated(years)
        n = len(observed[CALENDAR].days)
        once = timed(lambda observed=observed: replay(observed))
        spent = [once().wall_s for _turn in range(max(2, pairs))]
        cost[years] = median(spent) / (n * math.log(n))
        print(_("  {years} years: {ms} ms").format(years=years, ms=round(1e3 * median(spent))))
    what = _("time over n log n, {years} years beside 20")
    return [at_most(what.format(years=years), cost[years] / cost[20], GROWTH) for years in (40, 80)]


def bounds(given: Namespace) -> list[bool]:
    import _plain_stress

    observed = stored(None)
    agree(observed)
    both = by_turns(
        given.pairs, timed(lambda: replay(observed)), timed(lambda: _plain_stress.replay(observed))
    )
    print(both.line(_("ours"), _("plain")))
    held = [at_most(_("full replay"), both.ratio, BOUND)]
    last = date.fromordinal(int(observed[CALENDAR].days[-1]))
    past = replay(until(observed, last - timedelta(days=1)))
    daily = by_turns(given.pairs, timed(lambda: update(observed, past)), timed(lambda: replay(observed)))
    print(daily.line(_("daily update"), _("full replay")))
    held.append(at_most(_("daily update beside the replay"), daily.ratio, UPDATE))
    bench = Path(__file__).resolve().parent
    peak = child(["-c", PEAK.format(bench=str(bench), root=str(ROOT))], environment()).peak_mb
    if peak is not None:
        held.append(at_most(_("peak memory of a replay"), peak, PEAK_MB, "MB"))
    return held + growth(given.pairs)


if __name__ == "__main__":
    sys.exit(ended(bounds, arguments(__doc__ or "", pairs=11)))
