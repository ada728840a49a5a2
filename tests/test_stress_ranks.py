"""Expanding ranks: ties, few days and many, and the same from any day on."""

from bisect import bisect_left, bisect_right, insort

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.stress import anchors
from collectors.stress.inputs import Input
from collectors.stress.observations import Levels
from collectors.stress.ranks import mid_ranks, up_to
from collectors.stress.windows import track

# Few different values, so that there are ties; more days than are counted one by one.
few_values = st.lists(st.integers(-4, 4).map(float), max_size=90)


def one_by_one(values: list[float]) -> list[float]:
    known: list[float] = []
    found = []
    for value in values:
        insort(known, value)
        low, high = bisect_left(known, value), bisect_right(known, value)
        found.append((low + (high - low + 1) / 2) / len(known))
    return found


def test_ties_count_by_half_and_the_day_itself_is_in() -> None:
    # 5: alone. 3: one of two, below. 5: one below, two fives. 5: one below, three fives.
    expected = [1.0, 0.5, (1 + 1.5) / 3, (1 + 2) / 4]
    assert mid_ranks(np.array([5.0, 3.0, 5.0, 5.0])).tolist() == expected


@given(few_values, st.integers(0, 90))
@settings(max_examples=150, deadline=None)
def test_ranks_are_those_of_a_sorted_list_from_any_day_on(values: list[float], since: int) -> None:
    since = min(since, len(values))
    assert mid_ranks(np.array(values), since).tolist() == one_by_one(values)[since:]


@given(few_values.filter(len), st.integers(-5, 5))
@settings(max_examples=100, deadline=None)
def test_counts_up_to_another_value_are_those_of_a_loop(values: list[float], more: int) -> None:
    array = np.array(values)
    expected = [int(np.sum(array[: t + 1] <= array[t] + more)) for t in range(len(array))]
    assert up_to(array, array + more).tolist() == expected
    assert up_to(array, array + more, len(array) - 1).tolist() == expected[-1:]


@given(few_values.filter(lambda values: len(values) > 1), st.floats(0.1, 100), st.floats(-50, 50))
@settings(max_examples=50, deadline=None)
def test_ranks_ask_only_for_the_order_of_values(values: list[float], scale: float, shift: float) -> None:
    array = np.array(values)
    assert mid_ranks(np.round(array) * scale + shift).tolist() == mid_ranks(array).tolist()


def test_a_spread_without_a_past_is_ranked_in_the_frozen_table_after_its_last_day() -> None:
    last = anchors.LAST.toordinal()
    values = np.array([4.63, 4.63, 5.07, 4.85, 100.0, 0.1, np.nan])
    days = np.array([last] + [last + 1] * 6)
    shares = anchors.rank(values, days)
    assert np.isnan(shares[[0, 6]]).all()
    assert shares[1:6].tolist() == pytest.approx([0.5, 0.6, 0.55, 0.995, 0.005])


def window(shape: str, size: int, values: list[float], scale: float = 1.0) -> list[float]:
    one = Input("x", "x", "credit", ("x",), "pp", shape=shape, window=size, scale=scale)  # type: ignore[arg-type]
    levels = Levels(np.arange(len(values)) + 1, np.array(values))
    found = track(one, levels).shaped
    assert len(found.days) == len(found.values)
    assert not len(found.days) or found.days[-1] == len(values)
    return found.values.tolist()


def test_windows_hold_only_full_ones() -> None:
    assert window("mean", 5, [1, 2, 3, 4, 5, 11]) == pytest.approx([3.0, 5.0])
    assert window("mean", 5, [1, 2, 3, 4]) == []
    assert window("median", 5, [1, 9, 2, 8, 3, 7]) == [3.0, 7.0]
    assert window("drawdown", 3, [4, 2, 1, 3, 3]) == [0.75, 0.0, 0.0]
    # Differences 1, 3: standard deviation with n − 1 is √2.
    assert window("deviation", 2, [0, 1, 4], 100.0) == pytest.approx([100 * 2**0.5 * 252**0.5])
    assert window("deviation", 3, [1, 2, 3, 4]) == [0.0]


@given(st.lists(st.integers(-300, 900), min_size=1, max_size=60), st.integers(0, 60))
@settings(max_examples=80, deadline=None)
def test_a_running_window_goes_on_where_it_was_to_the_bit(cents: list[int], cut: int) -> None:
    for shape, size in (("mean", 5), ("deviation", 7)):
        one = Input("x", "x", "credit", ("x",), "pp", shape=shape, window=size)  # type: ignore[arg-type]
        levels = Levels(np.arange(len(cents)), np.array(cents) / 100)
        before = track(one, Levels(levels.days[:cut], levels.values[:cut]))
        again, whole = track(one, levels, before), track(one, levels)
        assert again.shaped.values.tobytes() == whole.shaped.values.tobytes()
        assert again.states == whole.states
