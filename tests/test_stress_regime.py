"""Percentile and bands: the same set of modules, up at once, down after three closes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.stress import regime
from collectors.stress.inputs import CUT_OFFS
from collectors.stress.regime import NO_BAND, comparable, levels, set_label, standing

FROM = 731216  # 2003-01-01


def banded(values: list[float], sets: list[int] | None = None) -> regime.Standing:
    days = FROM + np.arange(len(values))
    own = np.array(sets if sets is not None else [31] * len(values))
    return standing(days, np.array(values, float), own, 0, None, np.zeros(len(values), bool))


def long(values: list[float]) -> regime.Standing:
    """After 503 days evenly over 0 to 100, which have no percentile yet, and 20 calm ones."""
    return banded([*(np.arange(503) / 5.03).tolist(), *[5.0] * 20, *values])


def test_a_percentile_needs_504_comparable_days() -> None:
    found = banded([float(n) for n in range(600)])
    assert np.isnan(found.percentile[:503]).all() and (found.band[:503] == NO_BAND).all()
    assert found.percentile[503] == pytest.approx(100 * (503 + 1) / 504)


def test_days_before_2003_are_compared_with_nothing() -> None:
    days = FROM - 300 + np.arange(900)
    assert comparable(days, np.full(900, 31), 31)[0] == 300


def test_up_at_once_and_down_after_three_closes_three_points_below() -> None:
    before = len(long([]).band)
    found = long([10, 85, 79, 78, 79, 75, 75, 75, 10])
    # The level of 80 is near 79. 85 is Stress at once; 78 is not three points below; the third 75 is.
    assert found.band[before:].tolist() == [0, 2, 2, 2, 2, 2, 2, 1, 1]


def test_a_close_in_between_begins_the_count_again() -> None:
    before = len(long([]).band)
    assert long([85, 70, 70, 79, 70, 70, 70]).band[before:].tolist() == [2, 2, 2, 2, 2, 2, 1]


def test_from_the_top_to_calm_takes_three_closes_not_nine() -> None:
    before = len(long([]).band)
    assert long([99, 10, 10, 10, 10]).band[before:].tolist() == [3, 3, 3, 0, 0]


def test_the_level_of_a_cut_off_is_the_value_at_its_place() -> None:
    days = FROM + np.arange(1000)
    values = np.arange(1000) / 10
    found = levels(days, values, np.full(1000, 31), 999)
    assert found == (59.9, 79.9, 94.9)
    assert levels(days, values, np.full(1000, 31), 400) is None
    assert levels(days, values, np.zeros(1000, int), 999) is None


def test_a_day_with_a_module_missing_is_compared_with_such_days_only() -> None:
    sets = [31] * 600 + [29] + [31] * 5
    found = banded([50.0 + n % 7 for n in range(606)], sets)
    assert np.isnan(found.percentile[600]) and found.band[600] == NO_BAND
    assert np.isfinite(found.percentile[601])
    days = FROM + np.arange(606)
    assert 600 not in comparable(days, np.array(sets), 31)


def test_a_module_that_had_not_begun_was_not_missing() -> None:
    sets = np.array([15] * 600 + [31] * 20 + [15] * 3)
    days = FROM + np.arange(len(sets))
    assert len(comparable(days, sets, 31)) == 620
    # Begun and gone is another set: compared with the days before it began, and with its own kind.
    assert comparable(days, sets, 15).tolist() == [*range(600), 620, 621, 622]


@given(
    st.lists(st.tuples(st.one_of(st.none(), st.floats(0, 100)), st.integers(0, 3)), max_size=60),
)
@settings(max_examples=200, deadline=None)
def test_hysteresis_only_ever_delays_the_way_down(closes: list[tuple[float | None, int]]) -> None:
    held, counts = [False] * 3, [0] * 3
    for percentile, deep in closes:
        share = float("nan") if percentile is None else percentile
        reached = [share >= cut for cut in CUT_OFFS]
        # A close that is below one cut-off's level is below those of the higher ones, and not above it.
        below = [not up and c >= 3 - deep for c, up in enumerate(reached)]
        was = held
        held, counts = regime.step(share, below, held, counts)
        if percentile is None:
            assert held == was and counts == [0] * 3
            continue
        assert all(on or not up for on, up in zip(held, reached, strict=True))
        assert all(on for on, old, low in zip(held, was, below, strict=True) if old and not low)
        assert held == sorted(held, reverse=True)
        assert all(0 <= count < 3 for count in counts)


@pytest.mark.parametrize(
    ("coverage", "label"),
    [(1.0, "full"), (0.90, "full"), (0.89, "partial"), (0.60, "partial"), (0.45, "limited"), (0.39, None)],
)
def test_a_set_is_named_by_its_share_of_the_market(coverage: float, label: str | None) -> None:
    assert set_label(coverage) == label
    assert regime.band_name(3) == "Crisis" and regime.band_name(NO_BAND) is None
