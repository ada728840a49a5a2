"""The charts and tables of the pages, from small frames whose pictures can be worked out by hand."""

import base64
import json
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from pages._view import (
    charts,
    crypto_words,
    formats,
    greed_charts,
    market,
    market_charts,
    price_charts,
    revised_marks,
    tables,
)
from pages._view.chart_marks import ticks
from pages._view.palette import DARK, LIGHT, Palette, mix, palette, template
from pages._view.price_charts import Choice
from storage.texts import speaking

SEOUL = ZoneInfo("Asia/Seoul")
NAN = float("nan")


def provenance(n: int, provisional: bool = False) -> dict[str, Any]:
    seen = pd.Timestamp("2026-03-10 21:00", tz="UTC")
    last = ([False] * n + [provisional])[1:] if n else []
    return {"source": "coingecko", "run_id": "run-7", "observed_at": [seen] * n, "provisional": last}


def coin_days(coin: str, days: list[str], prices: list[float], provisional: bool = False) -> pd.DataFrame:
    n = len(days)
    named = {"coin": coin, "symbol": coin[:3], "name": coin.title(), "rank": 1}
    return pd.DataFrame(
        named
        | {"date": pd.to_datetime(days), "price": prices, "market_cap": 100.0, "volume": 1.0}
        | {"change_24h": 1.0, "change_7d": 2.0, "change_30d": NAN}
        | provenance(n, provisional)
    )


def observed(days: list[str], values: list[float], notes: list[object] | None = None) -> pd.DataFrame:
    frame = {"date": pd.to_datetime(days), "value": values, "note": notes or [None] * len(days)}
    return pd.DataFrame(frame | provenance(len(days)))


def drawn(frame: pd.DataFrame, choice: Choice, **more: Any) -> Any:
    shown = charts.window(frame["date"], choice.range)
    return price_charts.prices(frame, choice, shown, LIGHT, credit="the credit", zone=SEOUL, **more)


def numbers(values: Any) -> list[float]:
    if isinstance(values, dict):
        values = np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return [float(value) for value in values]


# ---------------------------------------------------------------- the axis of days


def test_the_axis_ends_at_the_newest_day_and_keeps_its_length_without_data() -> None:
    dates = pd.Series(pd.to_datetime(["2026-03-01", "2026-03-10"]))
    shown = charts.window(dates, "30D")
    assert (shown.first, shown.last) == (pd.Timestamp("2026-02-08"), pd.Timestamp("2026-03-10"))
    assert len(charts.window(dates, "All").days) == 10
    assert charts.window(dates, "rubbish") == charts.window(dates, "90D")


def test_missing_days_come_in_runs_and_only_since_the_record_began() -> None:
    days = pd.date_range("2026-03-01", "2026-03-08")
    values = pd.Series([NAN, 1.0, NAN, NAN, 2.0, NAN, 3.0, 4.0], index=days)
    assert charts.missing(values, pd.Timestamp("2026-03-02")) == [
        (pd.Timestamp("2026-03-03"), pd.Timestamp("2026-03-04")),
        (pd.Timestamp("2026-03-06"), pd.Timestamp("2026-03-06")),
    ]


def test_a_gap_breaks_the_line_and_is_hatched_between_its_ends() -> None:
    frame = coin_days("bitcoin", ["2026-03-01", "2026-03-02", "2026-03-05", "2026-03-06"], [1, 2, 3, 4])
    figure = drawn(frame, Choice(("bitcoin",), "All"))
    hatched, line = figure.data
    assert line.connectgaps is False
    assert [value != value for value in numbers(line.y)] == [False, False, True, True, False, False]
    assert hatched.marker.pattern.shape == "/"
    assert list(hatched.x) == [pd.Timestamp("2026-03-03 12:00")]
    assert list(hatched.width) == [3 * 86_400_000]


def test_a_day_between_two_gaps_is_a_dot() -> None:
    frame = coin_days("bitcoin", ["2026-03-01", "2026-03-03", "2026-03-05", "2026-03-06"], [1, 2, 3, 4])
    line = drawn(frame, Choice(("bitcoin",), "All")).data[1]
    assert list(line.marker.size) == [5, 0, 5, 0, 0, 0]


# ---------------------------------------------------------------- prices


def test_rebased_lines_start_at_100_on_the_first_shared_day() -> None:
    frame = pd.concat(
        [
            coin_days("bitcoin", ["2026-03-01", "2026-03-02", "2026-03-03"], [50, 100, 150]),
            coin_days("ethereum", ["2026-03-02", "2026-03-03"], [10, 5]),
        ]
    )
    figure = drawn(frame, Choice(("bitcoin", "ethereum"), "All", rebased=True))
    assert numbers(figure.data[1].y) == [50.0, 100.0, 150.0]
    assert numbers(figure.data[2].y)[1:] == [100.0, 50.0]
    assert (
        figure.layout.meta["title"]
        == "Bitcoin leads over 1 day with +50.0\u00a0%, Ethereum trails with −50.0\u00a0%"
    )
    assert [shape.y0 for shape in figure.layout.shapes] == [100.0]
    # The line ends at 150, and says so.
    assert "BIT +50.0\u00a0%" in [note.text for note in figure.layout.annotations]


def test_the_title_says_what_happened_and_the_end_of_the_line_its_value() -> None:
    frame = coin_days("bitcoin", ["2026-03-01", "2026-03-02"], [80_000, 60_000])
    figure = drawn(frame, Choice(("bitcoin",), "All"))
    assert figure.layout.meta["title"] == "Bitcoin fell 25.0\u00a0% in 1 day"
    assert figure.layout.meta["subtitle"] == "USD · the credit · as of Mon 2 Mar UTC"
    texts = [note.text for note in figure.layout.annotations]
    assert texts == ["BIT $60,000", "the credit"]


def title(*coins: pd.DataFrame, span: str = "All", now: str = "") -> str:
    frame = pd.concat(coins)
    if now:
        frame = pd.concat([frame, coin_days("tether", [now], [1])])
    choice = Choice(tuple(dict.fromkeys(pd.concat(coins)["coin"])), span)
    return str(drawn(frame, choice).layout.meta["title"])


def test_a_title_claims_no_more_days_than_are_recorded() -> None:
    two, far = ["2026-03-08", "2026-03-10"], "2026-03-12"
    assert title(coin_days("bitcoin", ["2026-03-10"], [5])) == "Bitcoin: one day recorded, 10 Mar"
    assert title(coin_days("bitcoin", two, [4, 5]), span="1Y") == "Bitcoin rose 25.0\u00a0% in 2 days"
    assert title(coin_days("bitcoin", two, [4, 5]), now=far) == "Bitcoin rose 25.0\u00a0% in 2 days"
    # A coin with one day is not compared.
    assert (
        title(coin_days("bitcoin", ["2026-03-10"], [5]), coin_days("ethereum", two, [5, 4]))
        == "Ethereum fell 20.0\u00a0% in 2 days"
    )
    rows = observed(["2026-03-10"], [60.0])
    wide = charts.window(rows["date"], "90D")
    for percent in (True, False):
        figure = price_charts.metric(rows, wide, LIGHT, name="X", percent=percent, credit="c", zone=SEOUL)
        assert figure.layout.meta["title"] == "X: one day recorded, 10 Mar"


def test_coins_that_moved_alike_neither_lead_nor_trail() -> None:
    days = ["2026-03-09", "2026-03-10"]
    a, b, c = (coin_days(coin, days, [1, end]) for coin, end in (("a", 1.1), ("b", 1.1), ("c", 0.5)))
    assert title(a, b) == "All 2 coins moved alike in 1 day: +10.0\u00a0%"
    assert title(a, b, c) == "Most in 1 day: A, B with +10.0\u00a0%; least: C with −50.0\u00a0%"
    assert title(a, c) == "A leads over 1 day with +10.0\u00a0%, C trails with −50.0\u00a0%"


def test_a_huge_rise_is_told_as_a_multiple_since_its_day() -> None:
    days = ["2018-12-16", "2026-03-10"]
    assert title(coin_days("bitcoin", days, [100, 84_103])) == "Bitcoin rose 841-fold since 16 Dec 2018"
    assert "2,641 days" in title(coin_days("bitcoin", days, [100, 150]))
    both = title(coin_days("a", days, [1, 1000]), coin_days("b", days, [1, 2]))
    assert "A leads over 2,641 days with 1,000-fold" in both


def test_no_two_labels_of_an_axis_read_the_same() -> None:
    days = [f"2026-03-0{n}" for n in range(1, 9)]
    rows = observed(days, [117.9e9, 116.4e9, 116.5e9, 117.8e9, 117.2e9, 117.3e9, 118.5e9, 117.4e9])
    wide = charts.window(rows["date"], "7D")
    figure = price_charts.metric(rows, wide, LIGHT, name="X", percent=False, credit="c", zone=SEOUL)
    said = list(figure.layout.yaxis.ticktext)
    assert said == ["$116.5\u00a0bn", "$117.0\u00a0bn", "$117.5\u00a0bn", "$118.0\u00a0bn", "$118.5\u00a0bn"]
    one = price_charts.metric(
        rows.head(1), charts.window(rows["date"].head(1), "7D"), LIGHT, name="X", percent=True,
        credit="c", zone=SEOUL,
    )  # fmt: skip
    assert len(set(one.layout.yaxis.ticktext)) == len(one.layout.yaxis.ticktext) > 1


@pytest.mark.parametrize(
    ("low", "high", "log"), [(116e9, 116.01e9, False), (9.9e11, 1.02e12, False), (1e-7, 1.4e-7, False),
                             (-1, 5, True), (0.5, 0.55, False), (999_000, 1_001_000, False)],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "ko"])
def test_axis_labels_differ_on_every_scale(low: float, high: float, log: bool, language: str) -> None:
    with speaking(language):
        for kind in ("money", "number", "percent"):
            said = formats.axis(ticks(low, high, log), kind)
            assert len(set(said)) == len(said) > 1, said


@pytest.mark.parametrize("days", [1, 2, 5, 7, 8, 14])
def test_days_on_the_axis_are_at_least_a_day_apart(days: int) -> None:
    dates = pd.Series(pd.date_range("2026-03-01", periods=days))
    frame = coin_days("bitcoin", [str(day.date()) for day in dates], [5.0] * days)
    axis = drawn(frame, Choice(("bitcoin",), "7D")).layout.xaxis
    assert axis.dtick >= 86_400_000 and axis.dtick % 86_400_000 == 0
    assert axis.tickformatstops[0].value.startswith(" \n")


def test_the_change_of_the_ranking_is_marked_where_coins_are_compared() -> None:
    def notes(*coins: str, until: str = "2026-02-10") -> list[str]:
        days = pd.date_range("2026-01-20", until).strftime("%Y-%m-%d").tolist()
        frame = pd.concat([coin_days(coin, days, [5.0] * len(days)) for coin in coins])
        return [note.text for note in drawn(frame, Choice(coins, "All")).layout.annotations]

    assert "CoinGecko's ranking changes" in notes("bitcoin", "ethereum")
    assert "CoinGecko's ranking changes" not in notes("bitcoin")
    assert "CoinGecko's ranking changes" not in notes("bitcoin", "ethereum", until="2026-02-03")
    figure = charts.marks.events(
        charts.Window(pd.Timestamp("2026-02-01"), pd.Timestamp("2026-02-05")), LIGHT, True
    )[1]
    # Late in the window its words stand to the left of it.
    assert figure[0]["xanchor"] == "right" and "wrapped, staked and bridged" in figure[0]["hovertext"]


def test_nothing_is_hatched_before_the_record_of_the_chosen_coins_began() -> None:
    old = coin_days("bitcoin", [f"2026-03-0{n}" for n in range(1, 9)], [5.0] * 8)
    new = coin_days("newcoin", ["2026-03-06", "2026-03-08"], [1.0, 2.0])
    hatched = drawn(pd.concat([old, new]), Choice(("newcoin",), "7D")).data[0]
    assert list(hatched.x) == [pd.Timestamp("2026-03-07")]
    # A hole at the left edge of the window is one, since the record began before it.
    rows = observed(["2026-02-20", "2026-03-05", "2026-03-08"], [1.0, 2.0, 3.0])
    wide = charts.window(rows["date"], "7D")
    drawing = price_charts.metric(rows, wide, LIGHT, name="X", percent=False, credit="c", zone=SEOUL)
    assert len(drawing.data[0].x) == 2


def test_up_to_four_lines_are_labelled_and_more_have_a_legend() -> None:
    def many(n: int) -> Any:
        coins = [f"coin{i}" for i in range(n)]
        frame = pd.concat([coin_days(coin, ["2026-03-01", "2026-03-02"], [1, 2]) for coin in coins])
        return drawn(frame, Choice(tuple(coins), "All"))

    assert (len(many(4).layout.annotations), many(4).layout.showlegend) == (5, False)
    assert (len(many(5).layout.annotations), many(5).layout.showlegend) == (1, True)


def test_labels_of_lines_that_end_together_do_not_lie_on_each_other() -> None:
    coins = ("aaa", "bbb", "ccc")
    frame = pd.concat([coin_days(coin, ["2026-03-01", "2026-03-02"], [1, 2]) for coin in coins])
    figure = drawn(frame, Choice(coins, "All"))
    places = sorted(note.y for note in figure.layout.annotations if note.text != "the credit")
    assert min(b - a for a, b in pairwise(places)) * charts.HEIGHT >= 15


def test_the_pointer_says_day_value_unit_source_time_and_run() -> None:
    line = drawn(
        coin_days("bitcoin", ["2026-03-09", "2026-03-10"], [1, 2], True), Choice(("bitcoin",), "7D")
    ).data[1]
    said = line.customdata[-1]
    for part in ("Bitcoin", "<b>$2.00</b> USD", "provisional", "coingecko", "2026-03-11 06:00 KST", "run-7"):
        assert part in said
    assert "%{x|" in line.hovertemplate
    assert line.marker.symbol[-1] == "circle-open"


def test_a_revised_day_is_marked_and_its_older_value_shown() -> None:
    frame = coin_days("bitcoin", ["2026-03-01", "2026-03-02"], [1, 2])
    was = {("bitcoin", pd.Timestamp("2026-03-01")): [1.5]}
    line = drawn(frame, Choice(("bitcoin",), "All"), revised=was).data[1]
    assert line.marker.symbol[0] == "diamond-open"
    assert "revised on 11 Mar: $1.50 → $1.00" in line.customdata[0]
    assert "revised" not in line.customdata[1]


def test_a_revision_of_another_column_marks_no_price() -> None:
    frame = coin_days("bitcoin", ["2026-03-01", "2026-03-02"], [1, 2])
    was = {("bitcoin", pd.Timestamp("2026-03-01")): [1.0]}
    line = drawn(frame, Choice(("bitcoin",), "All"), revised=was).data[1]
    assert line.marker.symbol[0] == "circle" and "revised" not in line.customdata[0]


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ([4.05], 4.1, "4.05 → 4.1"),
        ([4.05, 4.2], 4.1, "4.05 → 4.2 → 4.1"),
        ([4.05, 4.05, 4.2, 4.2], 4.2, "4.05 → 4.2"),
        # They would read the same: all their digits are told.
        ([97_412.1], 97_412.2, "97,412.1 → 97,412.2"),
        ([4.1], 4.1, ""),
        ([], 4.1, ""),
    ],
)
def test_a_revision_is_told_as_its_values_in_turn(before: list[float], now: float, said: str) -> None:
    at = pd.Timestamp("2026-03-02T20:00Z")
    found = revised_marks.said(before, now, at.to_pydatetime(), SEOUL, formats.number)
    # The evening in UTC is the next day in Seoul.
    assert found == (f"revised on 3 Mar: {said}" if said else "")


def revision(key: dict[str, Any], replaced: dict[str, Any], known: str, table: str = "observation") -> Any:
    at = pd.Timestamp(known, tz="UTC")
    return {"table_name": table, "key": json.dumps(key, separators=(",", ":")), "known_at": at} | {
        "replaced": json.dumps(replaced), "source": "x", "run_id": "r",
    }  # fmt: skip


def test_older_values_are_found_by_series_and_day_and_a_summary_is_none() -> None:
    key = {"series": "defillama.total_tvl", "date": "2026-03-01"}
    rows = [
        revision(key, {"value": 2.0}, "2026-03-04"),
        revision(key, {"value": 1.0}, "2026-03-02"),
        revision({**key, "series": "defillama.total_tvl.more"}, {"value": 9.0}, "2026-03-02"),
        revision(key, {"value": None}, "2026-03-03"),
        revision({"series": "defillama.total_tvl", "vintage": "2026-03-01"}, {"changed": 9}, "2026-03-02"),
        revision({"coin": "defillama.total_tvl", "date": "2026-03-01"}, {"value": 7}, "2026-03-02", "other"),
    ]
    found = revised_marks.older(pd.DataFrame(rows), "defillama.total_tvl")
    assert found == {pd.Timestamp("2026-03-01"): [1.0, 2.0]}
    assert revised_marks.older(pd.DataFrame(), "defillama.total_tvl") == {}


def test_a_metric_marks_what_was_revised_and_says_from_what_to_what() -> None:
    rows = observed(["2026-03-01", "2026-03-02"], [60.0, 58.5])
    older = {pd.Timestamp("2026-03-01"): [61.0]}
    wide = charts.window(rows["date"], "All")
    line = price_charts.metric(
        rows, wide, LIGHT, name="BTC dominance", percent=True, credit="c", zone=SEOUL, revised=older
    ).data[1]
    assert list(line.marker.symbol) == ["diamond-open", "circle"]
    assert "61.00\u00a0% → 60.00\u00a0%" in line.customdata[0] and "revised" not in line.customdata[1]


def test_a_revised_day_of_the_calendar_carries_a_diamond_and_its_older_value() -> None:
    rows = observed(["2026-03-02", "2026-03-03"], [20, 80], ["Extreme Fear", "Extreme Greed"])
    older = {pd.Timestamp("2026-03-02"): [24.0], pd.Timestamp("2020-01-01"): [1.0]}
    drawn = greed_charts.calendar(rows, LIGHT, credit="c", zone=SEOUL, older=older).data
    cells, _crossed, marked = drawn
    assert (list(marked.y), marked.marker.symbol) == ([0], "diamond-open")
    assert "24 → 20" in marked.customdata[0][1] and "24 → 20" in cells.customdata[-2][1]
    assert len(greed_charts.calendar(rows, LIGHT, credit="c", zone=SEOUL).data) == 2


def test_a_revised_protocol_is_told_with_both_values() -> None:
    row = {"protocol": "aave-v3", "name": "Aave V3", "category": "Lending", "tvl": 3e9, "change_1d": NAN}
    rows = pd.DataFrame([row | {"change_7d": NAN, "date": pd.Timestamp("2026-03-02")}])
    rows["observed_at"] = pd.Timestamp("2026-03-03", tz="UTC")
    key = {"protocol": "aave-v3", "date": "2026-03-02"}
    revisions = pd.DataFrame([revision(key, {"tvl": 2e9}, "2026-03-02", "protocol_tvl")])
    found = revised_marks.protocols(revisions, rows, SEOUL)
    assert found == {"aave-v3": "Aave V3 revised on 3 Mar: $2.00\u00a0bn → $3.00\u00a0bn"}
    assert tables.protocol_table(rows, LIGHT, found).data["name"].tolist() == ["Aave V3 ↺"]


def test_a_halving_inside_the_window_is_a_labelled_vertical() -> None:
    frame = coin_days("bitcoin", ["2024-04-19", "2024-04-21"], [1, 2])
    layout = drawn(frame, Choice(("bitcoin",), "All")).layout
    assert [(shape.x0, shape.line.dash) for shape in layout.shapes] == [("2024-04-20", "dot")]
    assert "Halving" in [note.text for note in layout.annotations]


def test_log_is_left_out_where_a_value_is_not_above_zero() -> None:
    days = ["2026-03-01", "2026-03-02"]
    fine = drawn(coin_days("bitcoin", days, [10, 1000]), Choice(("bitcoin",), "All", log=True))
    zero = drawn(coin_days("bitcoin", days, [0, 1000]), Choice(("bitcoin",), "All", log=True))
    assert (fine.layout.yaxis.type, zero.layout.yaxis.type) == ("log", "linear")
    low, high = fine.layout.yaxis.range
    assert low < 1 < 3 < high


@pytest.mark.parametrize("rebased", [False, True])
@pytest.mark.parametrize("prices", [[NAN, NAN], [NAN, 5.0], [5.0, NAN], [5.0, 5.0]])
def test_missing_and_constant_prices_never_read_nan(prices: list[float], rebased: bool) -> None:
    frame = coin_days("bitcoin", ["2026-03-01", "2026-03-02"], prices)
    figure = drawn(frame, Choice(("bitcoin", "nobody"), "All", rebased=rebased))
    said = str(figure.layout.meta) + str([note.text for note in figure.layout.annotations])
    assert "nan" not in said.lower()


def test_a_single_day_and_no_chosen_coin_draw() -> None:
    frame = coin_days("bitcoin", ["2026-03-01"], [5.0])
    assert len(drawn(frame, Choice(("bitcoin",), "1Y")).data) == 2
    assert drawn(frame, Choice((), "1Y")).layout.annotations[0].text == "Choose a coin"
    assert drawn(frame, Choice(("nobody",), "1Y")).layout.annotations[0].text == "No prices in this range"


def test_a_hostile_name_stays_text() -> None:
    frame = coin_days("evil", ["2026-03-01", "2026-03-02"], [1, 2])
    frame["name"] = '<a href="javascript:x()">%{x}</a>'
    line = drawn(frame, Choice(("evil",), "All")).data[1]
    for text in (line.name, *line.customdata):
        assert "<a" not in text
        assert "%{" not in text


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0, 10, False) == [0, 2, 4, 6, 8, 10]
    assert ticks(78_000, 112_000, False) == [80_000, 90_000, 100_000, 110_000]
    assert ticks(0, 3, True)[0] == 1
    assert all(1 <= value <= 1000 for value in ticks(0, 3, True))
    # Less than a factor of five: powers of ten would leave the axis bare.
    assert ticks(4.9, 5.1, True) == [80_000, 90_000, 100_000, 110_000, 120_000]


# ---------------------------------------------------------------- one day


def test_treemap_leaves_out_a_coin_without_a_cap_and_sinks_the_colour_with_the_change() -> None:
    frame = pd.concat([coin_days(coin, ["2026-03-01"], [1]) for coin in ("up", "down", "flat", "capless")])
    frame["change_24h"] = [6.0, -6.0, 0.0, 1.0]
    frame["market_cap"] = [60.0, 30.0, 10.0, NAN]
    figure = market_charts.treemap(frame, LIGHT, credit="c", zone=SEOUL)
    tiles = figure.data[0]
    assert list(tiles.ids) == ["up", "down", "flat"]
    assert tiles.marker.colors[0] == mix(LIGHT.up, LIGHT.ground, 0.12)
    assert tiles.marker.colors[1] == mix(LIGHT.down, LIGHT.ground, 0.12)
    assert figure.layout.meta["title"] == "Up is 60\u00a0% of these coins' market cap"
    assert market_charts.heat(NAN, LIGHT) == market_charts.heat(0.0, LIGHT)


def test_categories_are_summed_and_a_protocol_without_tvl_is_no_bar() -> None:
    frame = pd.DataFrame({"category": ["Dexs", "Lending", "Dexs", "RWA"], "tvl": [1e9, 2.5e9, 1e9, NAN]})
    frame = frame.assign(date=pd.Timestamp("2026-03-01"), provisional=True)
    bar = market_charts.bars(frame, LIGHT, credit="c").data[0]
    assert list(zip(bar.y, bar.x, strict=True)) == [("Dexs", 2e9), ("Lending", 2.5e9)]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (0, "Extreme Fear"),
        (25, "Extreme Fear"),
        (26, "Fear"),
        (46, "Fear"),
        (47, "Neutral"),
        (54, "Neutral"),
        (55, "Greed"),
        (75, "Greed"),
        (76, "Extreme Greed"),
        (100, "Extreme Greed"),
    ],
)
def test_the_zones_of_fear_and_greed_end_where_the_provider_ends_them(value: float, name: str) -> None:
    assert greed_charts.zone_of(value, LIGHT).name == name


def test_the_gauge_shows_the_providers_own_label_and_the_week() -> None:
    rows = observed(["2026-03-03", "2026-03-10"], [40, 57], ["Fear", "Their own word"])
    figure = greed_charts.gauge(rows, LIGHT, credit="alternative.me")
    assert figure.data[0].value == 57
    assert figure.layout.annotations[0].text == "<b>Their own word</b><br>+17 in 7 days"
    assert [step.range for step in figure.data[0].gauge.steps][-1] == (75, 100)


def test_the_calendar_puts_a_day_into_its_week_and_crosses_a_hole() -> None:
    rows = observed(["2026-03-02", "2026-03-04"], [20, 80], ["Extreme Fear", "Extreme Greed"])
    cells, crossed = greed_charts.calendar(rows, LIGHT, credit="c", zone=SEOUL).data
    assert (pd.Timestamp(cells.x[-1]), cells.y[-1]) == (pd.Timestamp("2026-03-02"), 2)
    assert numbers(cells.z)[-1] == 80
    assert (list(crossed.y), [text for _day, text in crossed.customdata]) == ([1], ["no data"])
    assert "80 Extreme Greed" in cells.customdata[-1][1]
    titles = [
        greed_charts.calendar(some, LIGHT, credit="c", zone=SEOUL).layout.meta["title"]
        for some in (rows, rows.tail(1))
    ]
    assert titles == [
        "1 of 2 recorded days of the last year were days of fear",
        "Fear & Greed: one day recorded, 4 Mar",
    ]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_nothing_collected_draws_an_empty_chart_of_the_same_height(theme: Palette) -> None:
    none = observed([], [])
    assert greed_charts.gauge(none, theme, credit="c").layout.height == greed_charts.HEIGHT
    calendar = greed_charts.calendar(none, theme, credit="c", zone=SEOUL)
    assert calendar.layout.height == greed_charts.HEIGHT
    assert (
        market_charts.bars(pd.DataFrame({"category": [], "tvl": [], "date": []}), theme, credit="c").data
        == ()
    )


def test_a_metric_is_titled_in_its_own_unit() -> None:
    rows = observed(["2026-03-01", "2026-03-10"], [60.0, 58.5])
    shown = charts.window(rows["date"], "7D")
    common: dict[str, Any] = {"credit": "c", "zone": SEOUL}
    wide = charts.window(rows["date"], "All")
    share = price_charts.metric(rows, wide, LIGHT, name="BTC dominance", percent=True, **common)
    dollars = price_charts.metric(rows, wide, LIGHT, name="DeFi TVL", percent=False, **common)
    assert share.layout.meta["title"] == "BTC dominance moved −1.5\u00a0pp in 9 days"
    assert dollars.layout.meta["title"] == "DeFi TVL fell 2.5\u00a0% in 9 days"
    assert len(price_charts.metric(rows, shown, LIGHT, name="x", percent=True, **common).data) == 2


# ---------------------------------------------------------------- tables


def test_the_rank_is_compared_with_the_day_a_week_before() -> None:
    then = pd.concat([coin_days("a", ["2026-03-01"], [1]), coin_days("b", ["2026-03-01"], [1])])
    now = pd.concat([coin_days(coin, ["2026-03-08"], [2]) for coin in ("a", "b", "c")])
    then["rank"], now["rank"] = [1, 2], [2, 1, 3]
    top = tables.top_coins(pd.concat([then, now]))
    assert top["coin"].tolist() == ["b", "a", "c"]
    assert top["moved"].fillna(99).tolist() == [1.0, -1.0, 99.0]
    assert top["week"].tolist() == [[1.0, 2.0], [1.0, 2.0], [2.0]]


def test_a_table_cell_shows_sign_arrow_and_colour_and_a_dash_for_nothing() -> None:
    frame = pd.concat([coin_days(coin, ["2026-03-01"], [1]) for coin in ("a", "b", "c")])
    frame["change_24h"] = [1.2, -3.4, NAN]
    frame["market_cap"], frame["rank"] = [NAN, 1e12, 1e9], [1, 2, 3]
    shown = tables.coin_table(tables.top_coins(frame), ["b"], LIGHT).to_html()
    for part in ("▲ +1.2\u00a0%", "▼ −3.4\u00a0%", LIGHT.up, LIGHT.down, "$1.00\u00a0tn", "↺", "–"):
        assert part in shown
    assert "nan" not in shown.lower().replace("data-", "")


def test_a_csv_text_cell_never_starts_a_formula() -> None:
    frame = pd.DataFrame(
        {"name": ["=HYPERLINK()", "@SUM", "\tx", "-1", "plain"], "value": [-1.5, 2.0, NAN, 0.0, 1e-9]}
    )
    lines = tables.csv(frame).decode("utf-8-sig").split("\r\n")
    assert lines[1:6] == ["'=HYPERLINK(),-1.5", "'@SUM,2.0", "'\tx,", "'-1,0.0", "plain,1e-09"]


def test_revised_prices_are_read_from_the_keys_of_their_rows() -> None:
    common = {"known_at": pd.Timestamp("2026-03-02", tz="UTC"), "source": "coingecko", "run_id": "r"}
    rows = [
        {
            "table_name": "crypto_price",
            "key": '{"coin":"bitcoin","date":"2026-03-01"}',
            "replaced": '{"price":99.5}',
        },
        {
            "table_name": "crypto_price",
            "key": '{"coin":"x","date":"2026-03-01"}',
            "replaced": '{"price":null}',
        },
        {"table_name": "observation", "key": '{"series":"y","date":"2026-03-01"}', "replaced": '{"value":1}'},
    ]
    found = tables.revised_prices(pd.DataFrame([row | common for row in rows]))
    assert found[["coin", "price"]].values.tolist() == [["bitcoin", 99.5]]
    assert crypto_words.older(found) == ["bitcoin, Sun 1 Mar: was $99.50"]


def test_the_protocols_share_adds_up() -> None:
    frame = pd.DataFrame(
        {"protocol": ["a", "b"], "name": ["A", "B"], "category": ["Dexs", None], "tvl": [1.0, 3.0]}
        | {"change_1d": [1.0, NAN], "change_7d": [NAN, -1.0]}
    )
    assert tables.protocol_table(frame, LIGHT).data["share"].tolist() == [75.0, 25.0]


# ---------------------------------------------------------------- the market as a whole


def market_days(counts: dict[str, int]) -> pd.DataFrame:
    """`counts` coins a day, ranked from 1 on, each with a cap of 10."""
    return pd.concat(
        coin_days(f"c{rank}", [day], [1.0]).assign(rank=rank, market_cap=10.0)
        for day, n in counts.items()
        for rank in range(1, n + 1)
    )


def test_the_cap_of_the_market_only_compares_days_that_hold_as_many_coins() -> None:
    frame = market_days({"2026-03-06": 1, "2026-03-07": 20, "2026-03-08": 19, "2026-03-09": 5})
    found = market.caps(frame)
    # One coin is not the market, one of twenty is carried, and so are the fifteen dated the day before.
    assert {str(day.date()): value for day, value in found.items()} == {
        "2026-03-07": 200.0,
        "2026-03-08": 200.0,
        "2026-03-09": 190.0,
    }
    assert market.caps(frame.head(0)).empty
    assert market.caps(frame.assign(market_cap=NAN)).empty


def test_a_coin_that_left_the_list_is_not_counted_beside_its_successor() -> None:
    frame = market_days({"2026-03-08": 20})
    left = coin_days("gone", ["2026-03-07"], [1.0]).assign(rank=20, market_cap=10.0)
    whole = pd.concat([left, frame, market_days({"2026-03-07": 19})])
    assert market.caps(whole).tolist() == [200.0, 200.0]


def test_both_pages_say_the_same_of_the_market() -> None:
    from types import SimpleNamespace

    for changes, overview, crypto in (
        ((30.0, -15.0), "Crypto rose in a day", "gained 1.4"),
        ((0.3, 0.3), "Crypto hardly moved in a day", "hardly moved in 24 hours (+0.3"),
        ((-0.5, -0.5), "Crypto slipped in a day", "lost 0.5"),
        ((-0.44, -0.44), "Crypto hardly moved in a day", "hardly moved in 24 hours (−0.4"),
        ((6.0, 6.0), "Crypto jumped in a day", "gained 6.0"),
        ((-5.0, -5.0), "Crypto fell hard in a day", "lost 5.0"),
    ):
        frame = market_days({"2026-03-10": 2})
        frame["change_24h"] = changes
        frame["market_cap"] = [57.0, 65.0] if changes[0] > 9 else [10.0, 10.0]
        frames = SimpleNamespace(prices=frame, observations=observed([], []).assign(series=""))
        assert market.headline(frames).startswith(overview)
        assert crypto in crypto_words.headline(tables.top_coins(frame), observed([], []))
    assert market.TOP == tables.TOP


def test_the_market_is_its_twenty_largest_coins_on_both_pages() -> None:
    frame = market_days({"2026-03-10": 25})
    frame["change_24h"] = [1.0] * 20 + [50.0] * 5
    assert crypto_words.market_change(market.largest(frame)) == pytest.approx(1.0)
    assert market.largest(frame)["coin"].tolist() == tables.top_coins(frame)["coin"].tolist()


def test_a_sparkline_is_cut_by_days_and_one_value_is_none() -> None:
    values = pd.Series([1.0, 2.0, 3.0], index=pd.to_datetime(["2026-01-01", "2026-03-04", "2026-03-10"]))
    assert market.recent(values, 7) == [2.0, 3.0]
    assert market.recent(values, 3) == []
    assert market.recent(values.head(0), 7) == []
    assert market.recent(values * NAN, 7) == []

    from types import SimpleNamespace

    old = coin_days("old", ["2026-02-01", "2026-02-02"], [1, 2])
    new = coin_days("new", ["2026-03-03", "2026-03-04", "2026-03-10"], [1, 2, 3])
    frames = SimpleNamespace(prices=pd.concat([old, new]), observations=None)
    found = market.weeks(frames, ["old", "new"])
    assert (found["old"].tolist(), found["new"].tolist()) == ([], [2.0, 3.0])


# ---------------------------------------------------------------- words and colours


def test_the_headline_weighs_the_coins_by_their_cap() -> None:
    frame = pd.concat([coin_days("bitcoin", ["2026-03-01"], [50_000]), coin_days("b", ["2026-03-01"], [1])])
    frame["change_24h"], frame["market_cap"] = [10.0, -50.0], [110.0, 50.0]
    # 160 now, 100 + 100 before.
    assert crypto_words.market_change(frame) == pytest.approx(-20.0)
    said = crypto_words.headline(frame, observed(["2026-03-01"], [57], ["Greed"]))
    assert (
        said == "The top 2 coins lost 20.0\u00a0% in 24 hours; Bitcoin is at $50,000; the mood is Greed (57)"
    )
    assert crypto_words.headline(frame.head(0), observed([], [])) == "Crypto"


def contrast(one: str, other: str) -> float:
    def light(color: str) -> float:
        parts = [value / 255 for value in bytes.fromhex(color[1:])]
        red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    brighter, darker = sorted((light(one), light(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("up", ["green", "red"])
def test_text_colours_can_be_read_on_their_ground(dark: bool, up: str) -> None:
    theme = palette(dark, up)
    for color in (
        theme.ink,
        theme.muted,
        theme.up,
        theme.down,
        theme.ok,
        theme.warn,
        theme.bad,
        theme.accent,
    ):
        assert contrast(color, theme.ground) >= 4.5, color
    for color in theme.series:
        assert contrast(color, theme.ground) >= 3, color


def test_red_for_a_rise_makes_a_fall_blue() -> None:
    theme = palette(False, "red")
    assert (theme.up, theme.down) == (LIGHT.down, "#1a52aa")
    assert template(theme)["layout"]["colorway"] == list(theme.series)
