"""What the tests of the StressIndex share: generated series, and the histories where they are."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from _history import snapshot
from collectors.stress.inputs import FIRST_DAY, INPUTS
from collectors.stress.observations import Observations

HISTORY = Path(__file__).resolve().parent.parent.parent / "shared" / "history"


def generated(years: float = 16, seed: int = 7, without: tuple[str, ...] = ()) -> dict[str, Observations]:
    """Random walks on weekdays from 1993 on for every market series whose name does not begin with one
    of `without`; each with a few blanks."""
    first = FIRST_DAY.toordinal()
    days = np.array([first + n for n in range(round(years * 365.25)) if (first + n - 1) % 7 < 5], np.int64)
    found = {}
    for number, name in enumerate(sorted({name for one in INPUTS for name in one.series})):
        random = np.random.default_rng([seed, number])
        steps = random.standard_normal(len(days))
        walk = np.cumsum(steps)
        values = (
            np.round(3 + np.abs(0.04 * walk), 2) if name.startswith("fred.") else 20 * np.exp(0.01 * walk)
        )
        if name != "yahoo.SPY.adjusted":
            values[random.random(len(days)) < 0.02] = np.nan
        if not name.startswith(("text.", *without)):
            found[name] = Observations(days, values)
    return found


def history() -> dict[str, Observations]:
    """The real series through 2021; skips the test, loudly, where the folder is not."""
    if not HISTORY.is_dir():
        pytest.skip(f"NOT TESTED AGAINST REAL HISTORIES: {HISTORY} is missing")
    return snapshot(HISTORY)


def day(text: str) -> date:
    return date.fromisoformat(text)
