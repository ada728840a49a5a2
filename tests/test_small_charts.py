"""The Overview's charts as HTML: what stands in them, what is a hole, and that every word stays one."""

import gc
import re
import weakref
from html import unescape
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest

from pages._view import formats, small_charts
from pages._view.charts import Window
from pages._view.once import once
from pages._view.palette import DARK, LIGHT
from storage.texts import speaking

HOSTILE = '<img src=x onerror=alert(1)> " & </p>'


@pytest.fixture(autouse=True)
def english() -> Any:
    with speaking("en"):
        yield


def days(*values: float | None, first: str = "2026-11-01") -> "pd.Series[float]":
    return pd.Series(list(values), index=pd.date_range(first, periods=len(values)), dtype=float)


def paths(drawn: str) -> list[str]:
    """The pieces of the line: what each `M` begins."""
    (found,) = set(re.findall(r' d="([^"]*)"', unquote(unescape(drawn))))
    return re.findall(r"M[^M]*", found)


def spark(values: "pd.Series[float]") -> str:
    return small_charts.spark(values, formats.money, "red", "Bitcoin")


def test_a_line_goes_from_its_lowest_to_its_highest_value() -> None:
    (line,) = paths(spark(days(1, 3, 2)))
    assert line == "M0.00 94.00L50.00 6.00L100.00 50.00L100.00 50.00"


def test_a_missing_day_is_a_hole_and_a_day_alone_a_dot() -> None:
    pieces = paths(spark(days(1, 2, None, 3, None, 2, 1)))
    assert [piece.count("L") for piece in pieces] == [2, 1, 2]
    assert pieces[1].split("L")[0][1:] == pieces[1].split("L")[1]


def test_less_than_two_values_make_no_line_and_equal_ones_lie_in_the_middle() -> None:
    assert spark(days()) == spark(days(1)) == spark(days(None, 1, None)) == ""
    assert {point.split()[1] for point in re.findall(r"[\d.]+ [\d.]+", paths(spark(days(5, 5, 5)))[0])} == {
        "50.00"
    }


def test_every_day_says_its_value_under_the_pointer() -> None:
    hints = re.findall(r'title="([^"]*)"', spark(days(1000, 2000)))
    assert hints == ["Sun 1 Nov: $1,000", "Mon 2 Nov: $2,000"]


@pytest.mark.parametrize(
    "drawn",
    [
        small_charts.spark(days(1, 2), lambda _value: HOSTILE, "red", HOSTILE),
        small_charts.note(HOSTILE, HOSTILE, 'https://example.com/?a=1&b="2'),
        small_charts.title(HOSTILE),
        small_charts.table([HOSTILE], []),
    ],
    ids=["spark", "note", "title", "table"],
)
def test_words_stay_words(drawn: str) -> None:
    assert "<img" not in drawn and 'b="2' not in drawn
    assert "&lt;img" in drawn


def test_bars_stand_on_their_side_of_nothing_and_the_longest_fills_it() -> None:
    drawn = small_charts.bars(pd.Series({"vol": 4.0, "credit": -2.0}))
    places = re.findall(r"left:([\d.]+)%;width:([\d.]+)%", drawn)
    assert places == [("50.0", "50.0"), ("25.0", "25.0")]
    colors = re.findall(r"background:light-dark\((#\w+),(#\w+)\)", drawn)
    assert colors == [(LIGHT.adds, DARK.adds), (LIGHT.takes, DARK.takes)]


def test_a_record_is_reckoned_once_and_another_one_anew() -> None:
    asked: list[tuple[object, int]] = []

    @once
    def doubled(record: list[int], times: int) -> int:
        asked.append((record, times))
        return sum(record) * times

    first, second = [1, 2], [1, 2]
    assert [doubled(first, 2), doubled(first, 2), doubled(first, 3), doubled(second, 2)] == [6, 6, 9, 6]
    assert len(asked) == 3
    for n in range(200):
        assert doubled([n], 1) == n


def test_only_the_record_that_is_shown_and_the_one_before_it_are_kept_alive() -> None:
    class Record:
        """Something that can be watched."""

    @once
    def named(record: Record, word: str) -> str:
        return word

    made = [Record() for _n in range(5)]
    watched = [weakref.ref(one) for one in made]
    for one in made:
        assert [named(one, word) for word in ("a", "b")] == ["a", "b"]
    made.clear()
    gc.collect()
    assert [one() is not None for one in watched[:-1]] == [False, False, False, True]


def test_ninety_days_without_an_index_draw_nothing() -> None:
    days = pd.DataFrame({"date": pd.to_datetime(["2026-11-20"]), "index": [None], "band": [None]})
    days = days.astype({"index": float}).assign(published=True)
    shown = Window(pd.Timestamp("2026-08-22"), pd.Timestamp("2026-11-20"))
    assert small_charts.history(days, shown, "x") == ""
