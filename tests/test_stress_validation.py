"""The validation command: its statistics by hand, its table on the real histories."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from collectors.stress import validation
from collectors.stress.observations import Levels
from tests.stress_data import HISTORY, history

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, str(ROOT / "scripts" / "validate_index.py")]


def days(*texts: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([date.fromisoformat(text).toordinal() for text in texts])


def test_a_week_ends_on_its_friday_with_its_last_value() -> None:
    found = validation.weekly(
        days("2020-01-06", "2020-01-09", "2020-01-10", "2020-01-11", "2020-01-15", "2020-01-16"),
        np.array([1.0, 2.0, 3.0, 4.0, 5.0, np.nan]),
    )
    assert found.days.tolist() == days("2020-01-10", "2020-01-17").tolist()
    assert found.values.tolist() == [3.0, 5.0]


def test_changes_are_over_weeks_of_the_calendar() -> None:
    weeks = Levels(np.array([7, 14, 28, 35, 42]), np.array([1.0, 2.0, 4.0, 8.0, 16.0]))
    found = validation.changes(weeks)
    assert (found.days.tolist(), found.values.tolist()) == ([35, 42], [7.0, 14.0])


def test_rank_correlation_and_auroc_count_ties_by_half() -> None:
    a = Levels(np.arange(4), np.array([1.0, 2.0, 2.0, 3.0]))
    assert validation.average_ranks(a.values).tolist() == [1.0, 2.5, 2.5, 4.0]
    assert validation.spearman(a, a) == pytest.approx(1)
    assert np.isnan(validation.spearman(a, Levels(np.arange(2), np.zeros(2))))
    # Days 3 and 4 are the event: of 2 × 2 pairs two are above, one equal, one below.
    four = Levels(np.array([1, 2, 3, 4]), np.array([1.0, 3.0, 3.0, 2.0]))
    window = (date.fromordinal(3), date.fromordinal(4))
    assert validation.auroc(four, [window]) == pytest.approx((2 + 0.5) / 4)


def test_band_changes_are_counted_among_days_with_a_band() -> None:
    assert validation.changes_a_year([-1, 0, 0, 1, -1, 1, 0], days_a_year=5) == 2.0
    assert validation.changes_a_year([-1]) == 0.0


def test_every_row_of_the_table_passes_on_the_real_histories() -> None:
    history()
    done = subprocess.run([*COMMAND, str(HISTORY)], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2 + 18 and all(line.endswith("| PASS |") for line in lines[2:])
    # What the documentation shows is what the command prints.
    said = (ROOT / "docs" / "stress_index.md").read_text(encoding="utf-8")
    assert done.stdout.strip() in said


def test_a_folder_without_histories_is_told(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and done.stderr.strip()
