"""The charts, tables and sentences of the liquidity page, from frames that can be worked out by hand."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from collectors.freshness import SourceStatus
from collectors.stress.alerts import WORDS
from collectors.stress.inputs import BANDS, INPUTS, MODULES
from collectors.stress.validation import EVENTS
from pages._view import (
    badges,
    formats,
    small_charts,
    stress_axis,
    stress_beside,
    stress_charts,
    stress_choice,
    stress_heat,
    stress_method,
    stress_money,
    stress_parts,
    stress_record,
    stress_stack,
    stress_tables,
    stress_text,
    stress_tiles,
    stress_words,
)
from pages._view.chart_marks import Window
from pages._view.palette import DARK, LIGHT, Palette, band
from storage.ledger import StepRecord
from storage.read_liquidity import Liquidity
from storage.settings import ROOT
from storage.texts import speaking
from tests import liquidity_frames as frames

SEOUL = ZoneInfo("Asia/Seoul")
NAN = float("nan")
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def record() -> Liquidity:
    return frames.record(years=1.5)


def days(first: str, values: list[float], **more: Any) -> pd.DataFrame:
    """Business days from `first` on with these index values; all published unless said otherwise."""
    frame = pd.DataFrame({"date": pd.bdate_range(first, periods=len(values)), "index": values})
    usual = {"percentile": frame["index"], "band": "Calm", "coverage": 1.0, "set_label": "full"}
    usual |= {"move": frame["index"].diff(), "coverage_effect": 0.0, "published": True}
    usual |= {"first_index": frame["index"], "provisional": False} | frames.PROVENANCE
    return frame.assign(**{**usual, **more})


def window(frame: pd.DataFrame) -> Window:
    return Window(frame["date"].iloc[0], frame["date"].iloc[-1])


def drawn(frame: pd.DataFrame, shown: Window | None = None, measure: str = "index", **more: Any) -> Any:
    shown = shown or window(frame)
    return stress_charts.history(frame, shown, LIGHT, measure=measure, credit="c", zone=SEOUL, **more)


def named(figure: Any, name: str) -> Any:
    return next(trace for trace in figure.data if trace.name == name)


def values(found: Any) -> list[float]:
    return [float(value) for value in np.asarray(found, dtype=float)]


def texts(figure: Any) -> list[str]:
    return [note.text for note in figure.layout.annotations]


# ---------------------------------------------------------------- colours


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# Machado 2009, full strength, on linear light.
BLIND = {
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}


def lab(color: str, eyes: str) -> Any:
    parts = np.array([int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    light = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(BLIND[eyes]) @ light, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    x, y, z = np.cbrt(xyz / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_bands_are_legible_and_told_apart_by_any_eyes(theme: Palette) -> None:
    assert [one.name for one in theme.bands] == list(BANDS)
    for one in theme.bands:
        assert contrast(one.ink, theme.ground) >= 4.5 and contrast(one.ink, theme.surface) >= 4.5
        assert contrast(one.color, theme.ground) >= 3
    for tone in (theme.adds, theme.takes):
        assert contrast(tone, theme.ground) >= 4.5
    for eyes in BLIND:
        seen = [lab(one.color, eyes) for one in theme.bands]
        apart = [np.linalg.norm(a - b) for n, a in enumerate(seen) for b in seen[:n]]
        assert min(apart) > 18, eyes


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_scale_of_the_heat_map_goes_one_way_in_lightness(theme: Palette) -> None:
    steps = [luminance(color) for color in theme.heat]
    assert steps == sorted(steps, reverse=not theme.dark)


def test_a_band_has_its_colour_and_a_day_without_one_has_none() -> None:
    assert band(LIGHT, "Crisis") is LIGHT.bands[3]
    assert band(LIGHT, None) is None and band(LIGHT, NAN) is None


# ---------------------------------------------------------------- index over time


def test_the_axis_is_always_0_to_100_and_the_newest_value_is_labelled_with_its_band() -> None:
    frame = days("2026-11-16", [20.0, 21.0, 24.06], band=["Calm", "Calm", "Watch"])
    figure = drawn(frame)
    assert list(figure.layout.yaxis.range) == [0, 100]
    label = next(note for note in figure.layout.annotations if "<b>" in note.text)
    assert (label.text, label.y, label.font.color) == ("<b>24.1</b><br>Watch", 24.06, LIGHT.bands[1].ink)
    assert figure.layout.meta["title"] == "StressIndex rose by 4.1 points to 24.1 since 16 Nov"
    assert "c" in texts(figure)


def test_the_strip_holds_the_band_of_every_day_and_nothing_where_there_is_none() -> None:
    frame = days("2026-11-16", [1, 2, 3, 4, 5], band=["Calm", "Watch", None, "Stress", "Crisis"])
    strip = next(trace for trace in drawn(frame).data if trace.type == "heatmap")
    assert values(strip.z[0])[:2] == [0, 1] and np.isnan(values(strip.z[0])[2])
    assert values(strip.z[0])[3:] == [2, 3]
    assert [color for _place, color in strip.colorscale] == [
        one.color for one in LIGHT.bands for _edge in range(2)
    ]
    assert (strip.zmin, strip.zmax, strip.yaxis) == (-0.5, 3.5, "y3")
    assert list(strip.customdata[0]) == ["Calm", "Watch", "no band yet", "Stress", "Crisis"]


def test_published_days_and_days_computed_later_are_two_different_lines_that_meet() -> None:
    frame = days("2026-11-16", [10, 20, 30, 40], published=[False, False, True, True])
    figure = drawn(frame)
    later, published = named(figure, "computed later"), named(figure, "published")
    assert [value == value for value in values(later.y)] == [True, True, True, False]
    assert [value == value for value in values(published.y)] == [False, False, True, True]
    assert later.line.color != published.line.color and later.line.width < published.line.width
    assert "published from here on →" in texts(figure)
    assert "thin grey line: computed later over history" in figure.layout.meta["subtitle"]
    assert "computed later" in later.customdata[0] and "computed later" not in published.customdata[3]


def test_a_weekend_is_no_gap_and_days_without_an_index_are_hatched() -> None:
    # Thursday to Wednesday; Friday has no index.
    frame = days("2026-11-12", [10, NAN, 30, 40, 50])
    figure = drawn(frame)
    hatched = named(figure, "no data")
    assert list(hatched.x) == [pd.Timestamp("2026-11-14")] and list(hatched.width) == [4 * DAY_MS]
    assert stress_axis.gaps(days("2026-11-12", [1, 2, 3]), "index", window(frame)) == []
    open_end = stress_axis.gaps(days("2026-11-12", [1, 2, NAN]), "index", window(frame))
    assert open_end == [(pd.Timestamp("2026-11-14"), pd.Timestamp("2026-11-16"))]


def test_a_line_does_not_cross_a_hole_in_the_calendar() -> None:
    frame = pd.concat([days("2026-10-05", [1, 2]), days("2026-10-19", [3, 4])], ignore_index=True)
    line = named(drawn(frame), "published")
    assert [value == value for value in values(line.y)] == [True, True, False, True, True]
    assert line.connectgaps is False
    assert stress_axis.gaps(frame, "index", window(frame)) == [
        (pd.Timestamp("2026-10-07"), pd.Timestamp("2026-10-18"))
    ]


def test_event_windows_in_range_are_labelled_areas() -> None:
    covid = Window(pd.Timestamp("2020-01-01"), pd.Timestamp("2020-12-31"))
    shapes, notes = stress_axis.windows(covid, LIGHT)
    assert [(shape["x0"], shape["x1"]) for shape in shapes] == [
        (pd.Timestamp("2020-03-02"), pd.Timestamp("2020-04-11"))
    ]
    assert [note["text"] for note in notes] == ["Covid"]
    assert notes[0]["hovertext"] == "Covid: 2020-03-02 – 2020-04-10"
    everything = Window(pd.Timestamp("2003-01-01"), pd.Timestamp("2026-11-20"))
    shapes, notes = stress_axis.windows(everything, LIGHT)
    assert len(shapes) == len(EVENTS) and {name for name, _days in EVENTS} == set(stress_record.EVENT_NAMES)
    # Bear Stearns, Lehman and early 2009 lie close: they take turns.
    assert [note["y"] for note in notes[1:4]] == [0.66, 0.995, 0.66]


def test_the_percentile_has_the_cut_offs_of_the_bands() -> None:
    frame = days("2026-11-16", [50.0, 83.97])
    figure = drawn(frame, measure="percentile")
    assert {"Watch from 60", "Stress from 80", "Crisis from 95"} <= set(texts(figure))
    assert figure.layout.meta["title"] == "From the 50th percentile up to the 83rd since 16 Nov"
    rules = [shape.y0 for shape in figure.layout.shapes if shape.type == "line" and shape.y0 == shape.y1]
    assert rules == [60, 80, 95]


def test_the_pointer_says_what_was_first_published_and_where_it_comes_from() -> None:
    frame = days("2026-11-16", [10, 20.5, 30], first_index=[10, 20.0, 30], provisional=[False, False, True])
    line = named(drawn(frame), "published")
    assert "first published 20.0, now 20.5, since 21 Nov" in line.customdata[1]
    assert "first" not in line.customdata[0]
    assert list(line.marker.symbol) == ["circle", "diamond-open", "circle-open"]
    for part in ("<b>20.5</b>", "20th percentile", "coverage 100", "stress", "run run-7", "06:01 KST"):
        assert part in line.customdata[1]
    assert "Calm, provisional" in line.customdata[2]
    assert list(line.marker.symbol)[-1] == "circle-open"


def test_a_day_that_is_taken_apart_is_marked_unless_it_is_the_newest() -> None:
    frame = days("2026-11-16", [10, 20, 30])
    mark = named(drawn(frame, taken=frame["date"].iloc[1]), "taken apart")
    assert values(mark.y) == [20]
    assert not [
        trace for trace in drawn(frame, taken=frame["date"].iloc[2]).data if trace.name == "taken apart"
    ]


@pytest.mark.parametrize("measure", ["index", "percentile"])
def test_days_without_a_value_never_read_nan(measure: str) -> None:
    frame = days("2026-11-16", [NAN, 20, NAN], percentile=NAN, band=None, coverage=[NAN, 1.0, NAN], move=NAN)
    figure = drawn(frame, measure=measure)
    said = str(figure.layout.meta) + str(texts(figure)) + str([trace.customdata for trace in figure.data])
    assert "nan" not in said.lower()


# ---------------------------------------------------------------- one day taken apart


def test_the_waterfall_goes_from_50_to_the_index(record: Liquidity) -> None:
    day = record.days.iloc[-1]
    modules = stress_record.modules_of(record, day["date"])
    figure = stress_parts.waterfall(day, modules, LIGHT, credit="c")
    parts, whole = figure.data
    bases, sizes = values(parts.base), values(parts.x)
    assert bases[0] == 50
    for base, before, size in zip(bases[1:], bases, sizes, strict=False):
        assert base == pytest.approx(before + size)
    assert bases[-1] + sizes[-1] == pytest.approx(day["index"])
    assert values(whole.base)[0] + values(whole.x)[0] == pytest.approx(day["index"])
    assert whole.text[0] == f"<b>{day['index']:.1f}</b>"
    tones = {LIGHT.adds if size >= 0.005 else LIGHT.takes if size <= -0.005 else LIGHT.flat for size in sizes}
    assert set(parts.marker.color) == tones


def test_the_waterfall_by_hand_says_which_modules_are_not_there() -> None:
    day = days("2026-11-20", [47.0]).iloc[0]
    names = [module.name for module in MODULES]
    modules = pd.DataFrame({"contribution": [2.0, NAN, 0.0, -5.0, 0.0, 0.0, 0.0]}, index=names)
    modules = modules.assign(score=50.0, weight=0.2, move=NAN, status="valid")
    modules.loc["funding", "status"], modules.loc["news", "status"] = "no_key", "warming"
    figure = stress_parts.waterfall(day, modules, LIGHT, credit="c")
    parts = figure.data[0]
    assert values(parts.base) == [50, 52, 52, 52, 47, 47, 47]
    assert list(parts.text) == ["+2.0", "no FRED key", "0.0", "−5.0", "0.0", "warming up", "0.0"]
    assert figure.layout.meta["title"] == "Volatility takes most: −5.0"
    assert list(figure.layout.yaxis.categoryarray) == ["Index", *reversed(list(parts.y))]
    missing = stress_parts.waterfall(days("2026-11-20", [NAN]).iloc[0], modules, LIGHT, credit="c")
    assert "Not enough data for an index on this day" in texts(missing)


def test_the_move_is_split_into_market_and_coverage() -> None:
    day = days("2026-11-20", [50.0], move=-1.8, coverage_effect=0.7).iloc[0]
    names = [module.name for module in MODULES]
    modules = pd.DataFrame({"move": [-2.0, 0.0, 0.0, -0.5, 0.0, NAN, 0.0]}, index=names).assign(
        status="valid"
    )
    modules.loc["news", "status"] = "off"
    figure = stress_parts.day_move(day, modules, LIGHT, credit="c")
    assert figure.layout.meta["title"] == "−1.8 in a day: market −2.5, coverage +0.7"
    market, coverage = figure.data
    assert sum(values(market.x)) + sum(values(coverage.x)) == pytest.approx(-1.8)
    assert market.text[5] == "off" and coverage.customdata[0] == "no market&#x27;s doing"
    assert coverage.marker.pattern.shape == "/" and set(coverage.marker.color) == {LIGHT.flat}
    first = days("2026-11-20", [50.0]).iloc[0]
    assert "No day before to compare with" in texts(stress_parts.day_move(first, modules, LIGHT, credit="c"))


# ---------------------------------------------------------------- contributions over time


def test_contributions_stack_to_the_index_less_50(record: Liquidity) -> None:
    shown = stress_choice.window(record.days["date"], "90D")
    figure = stress_stack.chart(record.modules, shown, LIGHT, credit="c")
    bars = [trace for trace in figure.data if trace.type == "bar" and trace.name != "no data"]
    index = record.days[record.days["date"] >= shown.first]["index"].to_numpy()
    assert np.sum([np.asarray(bar.y, float) for bar in bars], axis=0) == pytest.approx(index - 50)
    assert values(named(figure, "Index − 50").y) == pytest.approx(index - 50)
    assert figure.layout.barmode == "relative" and len(bars) == len(MODULES)
    # A Friday lasts until Monday, so that weekends are no holes.
    assert {width / DAY_MS for width in bars[0].width} == {1.0, 3.0}


@pytest.mark.parametrize(
    ("count", "step", "rows"), [(300, "day", 300), (301, "week", 61), (1501, "month", 70)]
)
def test_many_days_are_told_by_week_or_month(count: int, step: str, rows: int) -> None:
    dates = pd.bdate_range("2020-01-01", periods=count)
    modules = pd.DataFrame({"date": dates, "module": "credit", "contribution": 2.0})
    table, found = stress_stack.grouped(modules, Window(dates[0], dates[-1]))
    assert (found, len(table)) == (step, rows)
    assert table["credit"].dropna().eq(2.0).all()


def test_the_title_of_the_contributions_names_who_added_and_who_took() -> None:
    table = pd.DataFrame({"credit": [1.0, 3.0], "etf": [-1.0, -2.0], "fed": [0.0, 0.0]})
    assert stress_stack.title(table) == "On average Credit added most (+2.0), ETF stress took most (−1.5)"
    assert stress_stack.title(table[["credit", "fed"]]) == "On average Credit added most: +2.0"
    assert stress_stack.title(table[["etf", "fed"]]) == "On average ETF stress took most: −1.5"


def test_contributions_of_nothing_say_so() -> None:
    none = pd.DataFrame({"date": pd.to_datetime(["2026-11-20"]), "module": "credit", "contribution": NAN})
    shown = Window(pd.Timestamp("2026-11-01"), pd.Timestamp("2026-11-20"))
    assert "No values in this range" in texts(stress_stack.chart(none, shown, LIGHT, credit="c"))


# ---------------------------------------------------------------- heat map


def heat(rows: dict[str, list[float]], first: str, step: str = "7D") -> pd.DataFrame:
    return pd.concat(
        pd.DataFrame({"date": pd.date_range(first, periods=len(ranks), freq=step), "input": name})
        .assign(percentile=ranks)
        for name, ranks in rows.items()
    )  # fmt: skip


def test_the_matrix_has_a_row_an_input_and_a_column_a_week_missing_ones_too() -> None:
    weekly = heat({"vix": [10, 20, 30], "baa10y": [40, NAN, 60]}, "2026-06-05")
    weekly = weekly[weekly["date"] != "2026-06-12"]
    shown = Window(pd.Timestamp("2026-05-30"), pd.Timestamp("2026-06-18"))
    found = stress_heat.matrix(weekly.head(0), weekly, shown)
    assert found is not None and found.step == "week"
    assert list(found.table.index) == [one.name for one in INPUTS]
    # The Friday of the week under way lies behind the newest day.
    assert [str(day.date()) for day in found.table.columns] == ["2026-06-05", "2026-06-12", "2026-06-19"]
    assert values(found.table.loc["vix"])[::2] == [10, 30]
    assert found.table.loc["spy_vol"].isna().all() and found.table["2026-06-12"].isna().all()


def test_short_ranges_come_by_day_and_long_ones_by_month() -> None:
    recent = heat({"vix": list(range(60))}, "2026-09-01", "B")
    weekly = heat({"vix": [50.0] * 400}, "2019-01-04")
    near = Window(pd.Timestamp("2026-09-01"), pd.Timestamp("2026-11-20"))
    by_day = stress_heat.matrix(recent, weekly, near)
    assert by_day is not None and (by_day.step, len(by_day.table.columns)) == ("day", 59)
    far = Window(pd.Timestamp("2019-01-01"), pd.Timestamp("2026-11-20"))
    by_month = stress_heat.matrix(recent, weekly, far)
    assert by_month is not None and by_month.step == "month" and len(by_month.table.columns) <= 93
    assert (
        stress_heat.matrix(recent.head(0), weekly.head(0).assign(percentile=pd.Series(dtype=float)), far)
        is None
    )


def test_missing_cells_are_hatched_and_rows_stand_under_their_module() -> None:
    weekly = heat({"vix": [10, NAN, NAN, 90], "spy_vol": [1, 2, 3, 99]}, "2026-06-05")
    found = stress_heat.matrix(
        weekly.head(0), weekly, Window(pd.Timestamp("2026-06-01"), pd.Timestamp("2026-06-26"))
    )
    figure = stress_heat.chart(found, LIGHT, credit="c")
    cells, holes = figure.data
    labels = list(figure.layout.yaxis.ticktext)
    assert labels[labels.index("<b>Volatility</b>") + 1] == "VIX"
    assert values(cells.z[labels.index("VIX")])[::3] == [10, 90]
    vix = [n for n, y in enumerate(holes.y) if y == labels.index("VIX")]
    assert [(holes.base[n], holes.x[n] / DAY_MS) for n in vix] == [(pd.Timestamp("2026-06-08 12:00"), 14)]
    assert not [y for y in holes.y if labels[y].startswith("<b>")]
    assert holes.marker.pattern.shape == "/" and cells.hoverongaps is False
    assert [color for _place, color in cells.colorscale] == list(LIGHT.heat)
    assert figure.layout.meta["title"] == "2 of 2 inputs stand at their 80th percentile or above"
    assert "No values in this range" in texts(stress_heat.chart(None, LIGHT, credit="c"))


@pytest.mark.parametrize(
    ("row", "found"),
    [([1, 2], []), ([NAN, 1, NAN, NAN], [(0, 0), (2, 3)]), ([NAN, NAN], [(0, 1)]), ([], [])],
)
def test_runs_of_missing_cells(row: list[float], found: list[tuple[int, int]]) -> None:
    assert stress_heat.runs(np.array(row, dtype=float)) == found


# ---------------------------------------------------------------- money


def shown(rows: dict[str, list[tuple[str, float]]]) -> Any:
    parts = [
        pd.DataFrame({"series": name, "date": pd.to_datetime([day for day, _v in found])})
        .assign(value=[value for _d, value in found], provisional=False, **frames.PROVENANCE)
        for name, found in rows.items()
    ]  # fmt: skip
    whole = pd.concat(parts, ignore_index=True).assign(note=None)
    described = pd.DataFrame({"series": ["fred.NFCI"], "restates": [True]})
    return SimpleNamespace(shown=whole, series=described, days=pd.DataFrame(), modules=pd.DataFrame())


MONEY = {
    "fred.WALCL": [("2026-11-11", 6_600_000.0), ("2026-11-18", 6_500_000.0), ("2026-11-25", 6_400_000.0)],
    "fred.WTREGEN": [("2026-11-11", 850_000.0), ("2026-11-18", 800_000.0)],
    "fred.RRPONTSYD": [("2026-11-10", 12.0), ("2026-11-18", 4.5)],
}


def test_net_liquidity_is_assets_less_the_treasury_account_less_the_reverse_repo() -> None:
    found = stress_money.net(shown(MONEY))
    # Millions, millions and billions; the reverse repo of the day before serves, another week's does not.
    assert found["net"].tolist() == [6.6e12 - 0.85e12 - 12e9, 6.5e12 - 0.8e12 - 4.5e9]
    old = MONEY | {"fred.RRPONTSYD": [("2026-11-03", 12.0)]}
    assert stress_money.net(shown(old)).empty
    assert stress_money.net(shown({"fred.WALCL": MONEY["fred.WALCL"]})).empty


def test_the_chart_of_net_liquidity_is_in_trillions() -> None:
    found = stress_money.net(shown(MONEY))
    figure = stress_money.chart(found, window(found), LIGHT, credit="c", zone=SEOUL)
    assert values(figure.data[0].y) == pytest.approx([5.738, 5.6955])
    assert (
        figure.layout.meta["title"] == "Net liquidity shrank by $42.5\u00a0bn to $5.70\u00a0tn since 11 Nov"
    )
    assert (
        "assets $6.60\u00a0tn, Treasury account $850\u00a0bn, reverse repo $12.0\u00a0bn"
        in figure.data[0].customdata[0]
    )
    none = stress_money.chart(found.head(0), window(found), LIGHT, credit="c", zone=SEOUL)
    assert "No net liquidity in this range" in texts(none)


def test_parts_say_their_sign_value_change_and_day() -> None:
    weeks = pd.date_range("2026-08-19", periods=14, freq="7D").strftime("%Y-%m-%d")
    rows = {"fred.WALCL": [(day, 6.5e6 + 1000 * n) for n, day in enumerate(weeks)]}
    rows |= {"fred.T10Y3M": [("2026-11-18", -0.4)], "ofr.fsi": [("2026-11-18", 1.0)]}
    found = stress_beside.parts(shown(rows))
    assert found["series"].tolist() == ["fred.WALCL", "fred.T10Y3M"]
    table = stress_beside.parts_table(found, LIGHT).data
    assert table["role"].tolist() == ["+", ""]
    assert table["value"].tolist() == ["$6.51\u00a0tn", "−0.40\u00a0pp"]
    assert table["moved"].tolist() == ["▲ +$13.0\u00a0bn", "–"]
    assert table["quarter"].map(len).tolist() == [13, 0]


# ---------------------------------------------------------------- inputs


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (1.6349, "pp", "1.63\u00a0pp"),
        (-6.25, "bp", "−6.2\u00a0bp"),
        (95.4, "bp a year", "95\u00a0bp a year"),
        (0.0321, "fraction", "3.21\u00a0%"),
        (12.345, "% a year", "12.3\u00a0% a year"),
        (17.04, "points", "17.0"),
        (NAN, "pp", "–"),
        (None, "bp", "–"),
    ],
)
def test_an_input_is_told_in_its_unit(value: Any, unit: str, said: str) -> None:
    assert stress_tables.raw(value, unit) == said


def test_every_status_has_a_sign_and_a_word_and_old_ones_their_age() -> None:
    said = [stress_tables.status(name, 4) for name in stress_record.STATUS]
    assert len({text.split()[0] for text in said}) == len(said)
    assert stress_tables.status("tolerated", 4) == "… old, still counted (4 days)"
    assert stress_tables.status("no_key", pd.NA) == "– no FRED key: set FRED_API_KEY in .env"
    assert stress_tables.status(None, NAN) == "–"


def test_the_table_of_inputs_is_in_the_order_of_the_modules_and_its_points_sum(record: Liquidity) -> None:
    mixed = record.inputs.sample(frac=1, random_state=3)
    rows = stress_tables.rows(mixed, record.recent)
    assert rows["input"].tolist() == [one.name for one in INPUTS]
    lengths = dict(zip(rows["input"], rows["quarter"].map(len), strict=True))
    # SOFR has no value yet, and nothing is no line.
    assert {name for name, length in lengths.items() if length != 90} == {"sofr_effr"}
    assert lengths["sofr_effr"] == 0
    sums = rows.groupby("module")["contribution"].sum()
    modules = stress_record.modules_of(record, record.days["date"].iloc[-1])["contribution"]
    for module in MODULES:
        assert sums[module.name] == pytest.approx(modules[module.name])
    shown = stress_tables.table(rows, {"vix": ["x"]}, LIGHT)
    assert "VIX ↺" in shown.data["input"].tolist()
    html = shown.to_html()
    assert LIGHT.ok in html and LIGHT.adds in html and ">nan<" not in html


def test_replaced_observations_are_told_by_the_input_that_they_are_part_of() -> None:
    rows = [
        ("observation", "fred.DBAA", 6.01, 6.02), ("observation", "fred.WALCL", 1.0, 2.0),
        ("observation", "yahoo.^VIX", 16.0, NAN), ("stress_index", "stress_index", 1.0, 2.0),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["table_name", "series", "old", "new"])
    frame = frame.assign(date=pd.Timestamp("2026-11-19"), replaced_at=frames.SEEN)
    found = stress_tables.revised(frame, SEOUL)
    assert found == {
        "baa_aaa": ["Baa − Aaa, fred.DBAA of Thu 19 Nov, revised on 21 Nov: 6.01 → 6.02"],
        "vix": ["VIX, yahoo.^VIX of Thu 19 Nov, revised on 21 Nov: 16 → –"],
    }
    unknown = frame.head(1).assign(replaced_at=pd.NaT)
    assert stress_tables.revised(unknown, SEOUL)["baa_aaa"][0].endswith("revised on –: 6.01 → 6.02")
    assert stress_tables.revised(frame.head(0), SEOUL) == {}


def test_a_revised_part_marks_net_liquidity_and_says_from_what_to_what(record: Liquidity) -> None:
    found = stress_money.net(record)
    day = found["date"].iloc[-2]
    key = {"series": stress_money.TREASURY, "date": str(day.date())}
    row = {"table_name": "observation", "key": json.dumps(key, separators=(",", ":"))}
    row |= {"replaced": json.dumps({"value": 1_000.0}), "known_at": frames.SEEN}
    again = stress_money.revised(replace(record, revisions=pd.DataFrame([row])), SEOUL)
    assert list(again) == [day] and "Treasury account, revised on" in again[day]
    assert "$1.00\u00a0bn → " in again[day]
    window = Window(found["date"].iloc[0], found["date"].iloc[-1])
    drawn = stress_money.chart(found, window, LIGHT, credit="c", zone=SEOUL, again=again)
    line = drawn.data[0]
    assert list(line.marker.symbol)[-3:] == ["circle", "diamond-open", "circle"]
    assert "Treasury account" in line.customdata[-2] and "revised" not in line.customdata[-1]


def test_a_second_opinion_says_its_vintage_or_what_was_revised(record: Liquidity) -> None:
    def said(name: str, revisions: pd.DataFrame) -> str:
        told = replace(record, revisions=revisions, series=record.series.assign(restates=name == "fred.NFCI"))
        return stress_beside._dated(told, name, stress_money.one(told, name), SEOUL)

    assert "restates its past, vintage of 21 Nov" in said("fred.NFCI", record.revisions)
    last = stress_money.one(record, "ofr.fsi")["date"].iloc[-1]
    row = {"table_name": "observation", "known_at": frames.SEEN, "replaced": '{"value": 0.5}'}
    rows = [
        row | {"key": f'{{"series":"ofr.fsi","date":"{last - pd.Timedelta(days=n):%Y-%m-%d}"}}'}
        for n in (1, 120)
    ]
    assert said("ofr.fsi", pd.DataFrame(rows)).endswith("↺ 1 value of 90 days revised")
    assert "↺" not in said("ofr.fsi", record.revisions)


# ---------------------------------------------------------------- hostile words


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "http://", "https://user:pw@bank.example/",
     "ftp://x.example", "", None, NAN, "https://[bad", " JaVaScRiPt:x"],
)  # fmt: skip
def test_an_address_that_is_none_of_the_web_is_no_link(url: Any) -> None:
    assert stress_text.web(url) == ""
    assert stress_text.link("A title", url) == "A title"


def test_a_hostile_title_stays_text_and_its_link_cannot_be_left() -> None:
    title = "](javascript:x) | <img src=x onerror=y> $a$ :material/home: `c` **b** {x}"
    said = stress_text.link(title, 'https://news.example/a(b)?q=<script>|"x\n')
    address = said.rpartition("](")[2]
    assert re.fullmatch(r"https://news\.example/a%28b%29\?q=%3Cscript%3E%7C%22x\)", address)
    for sign in ("<", "|", "`", "$", "*", ":", "[", "]", "("):
        inside = said[1 : said.rindex("](")]
        assert not re.search(rf"(?<!\\){re.escape(sign)}", inside), sign
    assert stress_text.link(None, "https://news.example/") == "[untitled](https://news.example/)"
    assert len(stress_text.link("x" * 900, None)) == 140


def test_lists_escape_every_word_of_a_feed(home: Path) -> None:
    from storage.settings import load

    noon = pd.Timestamp("2026-11-20 12:00", tz="UTC")
    evil = {"title": "[x](javascript:y) | <b>", "link": "javascript:y", "published_at": noon}
    written = stress_text.headline_list(
        frames.headlines([evil | {"feed": "a|b", "topics": "rout <i>"}]), load()
    )
    spoken = stress_text.speech_list(frames.speeches([evil | {"speaker": "<b>|", "stance": NAN}]))
    for text in (written, spoken):
        assert not re.search(r"(?<!\\)[<\[]", text)
        assert (
            len(re.findall(r"(?<!\\)\|", text.splitlines()[2])) == len(text.splitlines()[0].split(" | ")) + 1
        )
    assert "market rout, \\<i\\>" in written and spoken.splitlines()[2].endswith("| – |")
    shown = Window(pd.Timestamp("2026-11-11"), pd.Timestamp("2026-11-20"))
    figure = stress_text.tones(frames.speeches([evil | {"speaker": "<a>%{x}"}]), shown, LIGHT, credit="c")
    assert "<a>" not in str(figure.data[0].customdata) and "%{x}" not in str(figure.data[0].customdata)


def test_only_headlines_on_a_topic_are_listed(home: Path) -> None:
    from storage.settings import load

    at = {"published_at": pd.Timestamp("2026-11-20 12:00", tz="UTC")}
    rows = frames.headlines([at | {"topics": ""}, at | {"topics": None}, at | {"topics": "bank funding"}])
    assert stress_text.headlines_title(rows) == "1 headline on a topic of stress"
    assert "banks, funding" in stress_text.headline_list(rows, load())
    assert stress_text.headline_list(rows.head(2), load()) == ""


@pytest.mark.parametrize(
    ("value", "word"),
    [(0.4, "hawkish\u00a0+0.40"), (-0.34, "dovish\u00a0−0.34"), (0.1, "balanced\u00a0+0.10"), (NAN, "–")],
)
def test_a_stance_has_a_word_and_a_figure(value: float, word: str) -> None:
    assert stress_text.stance(value) == word


# ---------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("value", "said"),
    [(16.99, "16th"), (1.0, "1st"), (0.2, "1st"), (22, "22nd"), (93.4, "93rd"), (11, "11th"), (112, "112th"),
     (79.99, "79th"), (100, "100th"), (NAN, "–"), (None, "–")],
)  # fmt: skip
def test_a_percentile_never_reads_as_one_that_was_not_reached(value: Any, said: str) -> None:
    assert formats.ordinal(value) == said


def told(record: Liquidity, **last: Any) -> Any:
    """The record's newest two days with the newest one changed."""
    frame = record.days.tail(2).reset_index(drop=True)
    for name, value in last.items():
        frame.at[1, name] = value
    modules = record.modules[record.modules["date"].isin(frame["date"])].copy()
    modules["move"] = modules["module"].map({"volatility": -1.2, "credit": -0.5}).fillna(0.3)
    return SimpleNamespace(days=frame, modules=modules)


def test_the_headline_says_band_index_percentile_and_what_moved_it(record: Liquidity) -> None:
    usual: dict[str, Any] = {"band": "Calm", "index": 24.06, "percentile": 17.9, "coverage_effect": 0.1}
    said = stress_words.headline(told(record, **usual, move=-1.84))
    start = "Liquidity is calm: StressIndex 24.1, 17th percentile"
    assert said == f"{start}; −1.8 in a day, led by Volatility (−1.2)"
    assert stress_words.headline(told(record, **usual, move=-1.84), brief=True) == start
    assert stress_words.headline(told(record, **usual, move=0.01)) == f"{start}; hardly changed in a day"
    assert stress_words.headline(told(record, **usual, move=NAN)) == start
    covered = told(record, **(usual | {"coverage_effect": 4.0}), move=3.0)
    assert stress_words.headline(covered).endswith("+3.0 in a day, led by a change of coverage (+4.0)")
    bare = told(record, **(usual | {"band": None, "percentile": NAN}), move=NAN)
    assert stress_words.headline(bare) == "Liquidity has no band yet: StressIndex 24.1, no percentile yet"


def test_a_newest_day_without_an_index_is_said_with_the_last_that_has_one(record: Liquidity) -> None:
    said = stress_words.headline(told(record, index=NAN))
    assert re.search(r"on Thu 19 Nov; not enough data on Fri 20 Nov$", said)
    none = told(record, index=NAN)
    none.days.at[0, "index"] = NAN
    assert stress_words.headline(none) == "Not enough data for a StressIndex yet"


def test_alerts_of_one_kind_are_one_line_and_rubbish_is_none() -> None:
    found = [["extreme", "vix", 99.4], ["extreme", "hyg_iei", 99.1], ["rise", "", 9.31]]
    found += [
        ["isolated", "funding", 92.4],
        ["coverage", "", 45.0],
        ["stale", "baa10y", 4.0],
        ["new", "x", 1],
    ]
    assert stress_words.alert_lines(found) == [
        "VIX, HYG / IEI drawdown at or above their 99th percentile",
        "Up 9.3 points in five days",
        "Isolated: Funding at 92",
        "Coverage changed",
        "Old data: Baa − 10-year (4 days)",
    ]
    assert stress_words.alert_lines([["extreme", "vix", 99.4]]) == ["VIX at or above its 99th percentile"]
    assert [stress_words.alert_lines(nothing) for nothing in (None, NAN, [], "[]")] == [[]] * 4
    assert len(stress_words.alert_lines([[kind, "vix", 1.0] for kind in WORDS])) == len(WORDS)


def test_a_limited_set_says_how_far_it_may_be_off() -> None:
    row = days("2026-11-20", [50.0], coverage=0.45, set_label="limited").iloc[0]
    assert stress_words.coverage(row) == (
        "45\u00a0% of the market weight: from Yahoo alone, ± 21 points against the full index"
    )
    assert "limited set" in stress_words.badges(row, "")
    blank = days("2026-11-20", [50.0], coverage=NAN, set_label=None).iloc[0]
    assert stress_words.coverage(blank) == "not enough data for an index"


def status(word: str, state: str = "ok") -> Any:
    at = datetime(2026, 11, 24, 21, 0, tzinfo=UTC)
    run = SimpleNamespace(outcomes={"liquidity": state}, state=state, started_at=at, queued_at=at)
    return SimpleNamespace(freshness=word, last_run=run)


def test_an_old_day_says_why_and_how_old(home: Path) -> None:
    from storage.settings import load

    settings, now = load(), datetime(2026, 11, 24, 21, 30, tzinfo=UTC)
    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    # It is the 25th in Seoul.
    assert stress_words.stale(status("fresh"), settings, monday, now) == ""
    assert stress_words.stale(status("due"), settings, monday, now) == ""
    failed = stress_words.stale(status("due", "failed"), settings, monday, now)
    assert failed.startswith("2 days old: the run of ") and "see Runs" in failed
    assert stress_words.stale(status("fresh", "failed"), settings, monday, now) == ""
    assert (
        stress_words.stale(status("late"), settings, monday, now)
        == "2 days old: press Collect now on the Overview"
    )
    assert stress_words.stale(None, settings, friday, now).startswith("5 days old")
    assert stress_words.stale(None, settings, monday, now) == ""


def test_the_three_largest_contributions_whatever_their_sign(record: Liquidity) -> None:
    day = record.days["date"].iloc[-1]
    points = stress_record.modules_of(record, day)["contribution"]
    most = stress_tiles.most(record, day)
    assert len(most) == 3 and most.abs().tolist() == sorted(points.abs(), reverse=True)[:3]
    drawn = small_charts.bars(most)
    places = [drawn.index(f">{formats.change(value, 1)}<") for value in most]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("asked", "day"),
    [("2026-11-19", "2026-11-19"), ("2026-11-15", "2026-11-13"), ("2031-01-01", "2026-11-20"),
     ("1901-01-01", "2026-11-20"), ("rubbish", "2026-11-20"), ("", "2026-11-20"), (None, "2026-11-20"),
     ("2026-11-19T05:00+09:00", "2026-11-19"), ("9" * 400, "2026-11-20"), ("NaT", "2026-11-20")],
)  # fmt: skip
def test_any_address_names_a_trading_day(asked: Any, day: str) -> None:
    dates = pd.Series(pd.bdate_range("2026-11-02", "2026-11-20"))
    assert stress_choice.trading_day(dates, asked) == pd.Timestamp(day)


def test_ranges_end_at_the_newest_day() -> None:
    dates = pd.Series(pd.bdate_range("2016-11-21", "2026-11-20"))
    assert stress_choice.window(dates, "5Y") == Window(pd.Timestamp("2021-11-20"), pd.Timestamp("2026-11-20"))
    assert stress_choice.window(dates, "All").first == dates.iloc[0]
    assert stress_choice.window(dates, "rubbish") == stress_choice.window(dates, "1Y")


# ---------------------------------------------------------------- sources and steps


def test_many_sources_are_told_by_upstream_with_those_that_are_behind() -> None:
    def source(name: str, day: date | None, word: str, required: bool = True) -> SourceStatus:
        return SourceStatus(name, "observation", day, word, required, None)

    friday, thursday = date(2026, 11, 20), date(2026, 11, 19)
    found = badges.by_upstream(
        [source("fred.BAA10Y", friday, "fresh"), source("fred.SOFR", thursday, "late"),
         source("fred.EFFR", thursday, "due"), source("yahoo.SPY", friday, "fresh"),
         source("yahoo.TLT", friday, "fresh"),
         source("ofr.fsi", None, "never", False)],
        {"ofr.fsi": "OFR", "fred.BAA10Y": "FRED", "fred.SOFR": "FRED", "fred.EFFR": "FRED"},
    )  # fmt: skip
    assert found == [
        (("FRED × 3", "Thu 19 Nov", "! 2 behind"), "fred.SOFR, fred.EFFR"),
        (("yahoo × 2", "Fri 20 Nov", "✓ fresh"), ""),
        (("OFR", "–", "○ never collected"), ""),
    ]


def test_the_same_advice_for_many_steps_is_one_line(home: Path) -> None:
    from storage.settings import load

    def step(n: int, message: str) -> StepRecord:
        return StepRecord(
            "r",
            n,
            f"fred.{n}",
            "liquidity",
            source=f"fred.{n}",
            state="failed",
            kind="refused",
            message=message,
        )

    alike = [step(n, "Check FRED_API_KEY in .env.") for n in range(22)]
    lines = badges.advices(load(), [*alike, step(30, "Wait.")])
    assert len(lines) == 2 and "fred\\.0 and 21 more" in lines[0] and "fred\\.30" in lines[1]
    assert len(badges.advices(load(), alike[:2])) == 2


# ---------------------------------------------------------------- methodology


def test_the_figures_of_the_method_are_those_of_the_documentation() -> None:
    printed = (ROOT / "docs" / "stress_index.md").read_text(encoding="utf-8")
    table = printed[printed.index("| Test | Reached") : printed.index("The dropped modules are")]
    reached = set(re.findall(r"\d+\.\d+|\d+", table))
    for check in stress_method.VALIDATION:
        for figure in re.findall(r"\d+\.\d+|\d+", check.reached):
            assert figure in reached, check
    assert stress_method.COMMAND in printed
    assert set(stress_method.weights().split("**")[1::2]) == {module.title for module in MODULES}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_chart_draws_in_both_languages(record: Liquidity, language: str) -> None:
    with speaking(language):
        shown = stress_choice.window(record.days["date"], "1Y")
        day = record.days.iloc[-1]
        modules = stress_record.modules_of(record, day["date"])
        figures = [
            stress_charts.history(record.days, shown, DARK, measure="index", credit="c", zone=SEOUL),
            stress_stack.chart(record.modules, shown, DARK, credit="c"),
            stress_parts.waterfall(day, modules, DARK, credit="c"),
            stress_parts.day_move(day, modules, DARK, credit="c"),
            stress_heat.chart(stress_heat.matrix(record.recent, record.heat, shown), DARK, credit="c"),
            stress_text.tones(record.speeches, shown, DARK, credit="c"),
        ]
        for figure in figures:
            assert figure.layout.meta["title"] and figure.layout.meta["subtitle"]
            assert "nan" not in str(figure.layout.meta).lower()
            assert "c" in texts(figure)
