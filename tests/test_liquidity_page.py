"""The liquidity page and the index on the Overview, over records that are whole, limited, old or empty."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from collectors.stress.inputs import INPUTS, MODULES
from pages._view import stress_method, stress_words
from storage import clock, ledger, read_liquidity, read_revisions
from storage.db import StoreBusy
from storage.read_liquidity import Liquidity
from storage.settings import ROOT, load
from tests import liquidity_frames as frames

Open = Callable[..., AppTest]
KEY = "no FRED key: set FRED_API_KEY in .env"
# In the order of the page.
CHARTS = ("index", "waterfall", "contributions", "move", "heat", "series", "net", "speeches")


@pytest.fixture(scope="module")
def full() -> Liquidity:
    return frames.record(years=2, end=clock.now().date())


@pytest.fixture(scope="module")
def limited() -> Liquidity:
    return frames.record(years=2, end=clock.now().date(), limited=True)


@pytest.fixture
def page(home: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the page over a record, with what stands in the address."""

    def opened(record: Liquidity, **query: str) -> AppTest:
        monkeypatch.setattr(read_liquidity, "liquidity", lambda _settings, _wait_s=0.3: record)
        monkeypatch.setattr(read_revisions, "series", partial(frames.series, record))
        app = AppTest.from_file(str(ROOT / "pages" / "liquidity.py"), default_timeout=30)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        return app

    yield opened


def words(app: AppTest) -> str:
    """Everything that is written on the page, without the signs that keep it from being Markdown."""
    kinds = ("header", "caption", "markdown", "info", "html")
    parts = [str(one.value) for kind in kinds for one in app.get(kind)]
    parts += [f"{one.label} {one.value} {one.delta}" for one in app.metric]
    parts += [table.value.to_csv() for table in app.dataframe]
    return "\n".join(parts).replace("\\", "").replace("\u00a0", " ")


def table(app: AppTest, column: str) -> pd.DataFrame:
    """The table that has that column."""
    return next(one.value for one in app.dataframe if column in one.value.columns)


def specs(app: AppTest) -> dict[str, dict[str, Any]]:
    """The charts of the page by name."""
    found = [json.loads(one.proto.spec) for one in app.get("plotly_chart")]
    return dict(zip(CHARTS[: len(found)], found, strict=True))


def clean(app: AppTest) -> None:
    """Nothing on the page is a missing number in the clothes of a word."""
    assert not re.search(r"\b(nan|nat|none|inf)\b", words(app), re.IGNORECASE)
    for one in app.get("plotly_chart"):
        # What is packed may hold any letters.
        spec = re.sub(r'"bdata":"[^"]*"', "", one.proto.spec)
        assert "NaN" not in spec and not re.search(r"[> ]nan\b", spec)


# ---------------------------------------------------------------- the page


def test_the_page_says_band_index_percentile_and_move_in_one_sentence(page: Open, full: Liquidity) -> None:
    app = page(full)
    row = full.days.iloc[-1]
    head = app.header[0].value.replace("\\", "")
    assert head == stress_words.headline(full)
    assert f"StressIndex {row['index']:.1f}" in head and "percentile" in head and "in a day" in head
    said = words(app)
    assert "A nowcast, never a forecast" in said
    assert "100 % of the market weight" in said and "full set" in said
    assert "not endorsed or certified by the Federal Reserve Bank of St. Louis" in said
    assert [one.label for one in app.metric[:5]] == [
        "StressIndex", "Percentile", "Market's move", "Coverage", "Net liquidity",
    ]  # fmt: skip
    assert "provisional" not in said and "stale" not in said and KEY not in said
    clean(app)


def test_the_charts_hold_the_numbers_of_the_record(page: Open, full: Liquidity) -> None:
    charts = specs(page(full))
    assert tuple(charts) == CHARTS
    level = full.days["index"].iloc[-1]
    waterfall = charts["waterfall"]["data"]
    assert waterfall[1]["base"][0] + waterfall[1]["x"][0] == pytest.approx(level)
    assert charts["index"]["layout"]["yaxis"]["range"] == [0, 100]
    titles = [chart["layout"]["meta"]["title"] for chart in charts.values()]
    assert all(titles) and len(set(titles)) == len(titles)
    assert all(chart["layout"]["meta"]["subtitle"] for chart in charts.values())


def test_the_table_holds_every_input_with_its_status(page: Open, full: Liquidity) -> None:
    app = page(full)
    rows = table(app, "contribution")
    assert rows["input"].tolist() == [one.title for one in INPUTS]
    assert rows.loc[rows["input"] == "VIX", "status"].tolist() == ["✓ fresh"]
    assert rows["status"].str.contains("proxy").sum() == 2
    assert rows["contribution"].sum() == pytest.approx(full.days["index"].iloc[-1] - 50)


def test_range_measure_and_day_come_from_the_address_and_go_back_into_it(page: Open, full: Liquidity) -> None:
    day = full.days["date"].iloc[-30]
    app = page(full, range="90D", show="percentile", day=str(day.date()))
    assert app.segmented_control(key="stress_range").value == "90D"
    assert app.segmented_control(key="stress_measure").value == "percentile"
    assert app.date_input(key="stress_day").value == day.date()
    charts = specs(app)
    assert "percentile" in charts["index"]["layout"]["meta"]["title"]
    level = full.days.loc[full.days["date"] == day, "index"].iloc[0]
    assert charts["waterfall"]["data"][1]["text"] == [f"<b>{level:.1f}</b>"]
    app.segmented_control(key="stress_range").set_value("All").run()
    app.segmented_control(key="stress_measure").set_value("index").run()
    app.date_input(key="stress_day").set_value(full.days["date"].iloc[-2].date()).run()
    said = {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}
    assert said == {"range": "All", "day": str(full.days["date"].iloc[-2].date())}
    assert not app.exception


@pytest.mark.parametrize(
    "query",
    [
        {"range": "8Y", "show": "<script>", "day": "never"},
        {"range": "", "day": "1901-01-01"},
        {"day": "9" * 99},
    ],
)
def test_rubbish_in_the_address_is_the_default(page: Open, full: Liquidity, query: dict[str, str]) -> None:
    app = page(full, **query)
    assert app.segmented_control(key="stress_range").value == "1Y"
    assert app.date_input(key="stress_day").value == full.days["date"].iloc[-1].date()
    assert not app.query_params


def test_who_looks_at_the_newest_day_goes_on_to_the_next(
    page: Open, full: Liquidity, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = replace(full, days=full.days.iloc[:-1])
    app = page(older)
    assert app.date_input(key="stress_day").value == older.days["date"].iloc[-1].date()
    # The page is not left while a run adds a day.
    again = AppTest.from_file(str(ROOT / "pages" / "liquidity.py"), default_timeout=30)
    for name in ("stress_range", "stress_measure", "stress_day", "stress_newest"):
        again.session_state[name] = app.session_state[name]
    monkeypatch.setattr(read_liquidity, "liquidity", lambda _settings, _wait_s=0.3: full)
    again.run()
    assert again.date_input(key="stress_day").value == full.days["date"].iloc[-1].date()
    assert not again.exception


def test_without_a_key_the_page_works_from_yahoo_and_says_what_to_set(page: Open, limited: Liquidity) -> None:
    app = page(limited)
    said = words(app)
    assert f"Credit, Funding, Treasuries: {KEY}" in said
    assert "limited set" in said and "from Yahoo alone, ± 21 points against the full index" in said
    rows = table(app, "contribution")
    lacking = rows[rows["module"].isin(["Credit", "Funding", "Treasuries"])]
    assert lacking["status"].isin([f"– {KEY}", "◇ proxy, never scored"]).all()
    assert (lacking["raw"] == "–").sum() == 8
    text = specs(app)["waterfall"]["data"][0]["text"]
    assert text[:3] == ["no FRED key"] * 3 and text[5] == "warming up"
    assert {one.label: one.value for one in app.metric}["St. Louis Fed STLFSI4"] == "–"
    assert "net liquidity = WALCL − WTREGEN − 1000 × RRPONTSYD" in said
    clean(app)


def test_a_provisional_day_is_called_so(page: Open) -> None:
    app = page(frames.record(years=1, end=clock.now().date(), provisional=True))
    said = words(app)
    assert "provisional" in app.markdown[0].value and "the day is not final" in said
    assert specs(app)["index"]["data"][-1]["marker"]["symbol"][-1] == "circle-open"
    clean(app)


def test_an_old_record_keeps_its_newest_day_and_says_how_old_it_is(page: Open) -> None:
    now = clock.now().astimezone(load().zone).date()
    record = frames.record(years=1, end=now - timedelta(days=12))
    app = page(record)
    age = (now - record.days["date"].iloc[-1].date()).days
    assert f"stale] {age} days old: press Collect now" in app.markdown[0].value.replace("\\", "")
    assert "StressIndex" in app.header[0].value
    clean(app)


def test_a_run_that_failed_is_named_as_the_reason(page: Open, full: Liquidity) -> None:
    settings = load()
    run_id = ledger.new_run_id(clock.now())
    ledger.reserve(settings, run_id, ["liquidity"], "schedule")
    ledger.claim(settings, run_id, os.getpid())
    ledger.finish(settings, run_id, "failed", 1, {"liquidity": "failed"})
    app = page(full)
    assert "stale" in app.markdown[0].value and "did not end well" in app.markdown[0].value
    clean(app)


def test_alerts_stand_beside_the_headline(page: Open) -> None:
    found = [
        ["extreme", "vix", 99.4],
        ["rise", "", 9.3],
        ["isolated", "funding", 92.0],
        ["stale", "baa10y", 4],
    ]
    said = words(page(frames.record(years=1, alerts=found)))
    for line in (
        "VIX at or above its 99th percentile",
        "Up 9.3 points in five days",
        "Isolated: Funding at 92",
    ):
        assert line in said
    assert "Old data: Baa − 10-year (4 days)" in said


def test_the_newest_day_without_an_index_does_not_hide_the_last_one(page: Open, full: Liquidity) -> None:
    days = full.days.copy()
    days.loc[days.index[-1], ["index", "percentile", "coverage", "move", "coverage_effect"]] = np.nan
    days.loc[days.index[-1], ["band", "set_label"]] = None
    app = page(replace(full, days=days))
    assert "not enough data on" in app.header[0].value
    assert specs(app)["waterfall"]["layout"]["annotations"][0]["text"].startswith("Not enough data")
    clean(app)


def test_an_empty_store_says_what_to_press(page: Open) -> None:
    app = page(frames.nothing())
    assert app.header[0].value == "No StressIndex yet"
    assert "python collect.py liquidity" in app.info[0].value
    assert not app.get("plotly_chart")


def test_what_is_stored_without_an_index_is_shown(page: Open, limited: Liquidity) -> None:
    app = page(replace(frames.nothing(), shown=limited.shown, headlines=limited.headlines))
    assert app.header[0].value == "No StressIndex yet"
    assert {one.label: one.value for one in app.metric}["OFR FSI"] != "–"
    assert "headlines on a topic of stress" in words(app)
    clean(app)


def test_a_store_that_cannot_be_read_says_why_and_keeps_what_was_read(page: Open, full: Liquidity) -> None:
    problem = StoreBusy("busy", "The store is in use by another program")
    app = page(frames.nothing(problem))
    assert "cannot be read" in app.header[0].value and "in use" in app.info[0].value
    app = page(replace(full, problem=problem))
    assert "the store cannot be read now, shown is what was read at" in words(app)
    assert len(specs(app)) == len(CHARTS)


def test_hostile_titles_names_and_links_stay_text(page: Open, full: Liquidity) -> None:
    evil = {
        "title": "](javascript:x) <img src=x onerror=y> | $a$ :material/home:",
        "link": "javascript:alert(1)",
    }
    at = {"published_at": full.days["date"].iloc[-1].tz_localize("UTC")}
    record = replace(
        full,
        speeches=frames.speeches([evil | at | {"speaker": "<b>x</b> [y](z)"}]),
        headlines=frames.headlines([evil | at | {"feed": "<i>", "topics": "<u>"}]),
    )
    app = page(record)
    lists = [one.value for one in app.markdown if one.value.startswith("| ")]
    assert len(lists) == 2
    for text in lists:
        assert "](" not in text.replace("\\]\\(", "") and not re.search(r"(?<!\\)<", text)
        assert not re.search(r"(?<!\\):material", text)
    assert "<img" not in app.get("plotly_chart")[-1].proto.spec
    clean(app)


def test_the_method_is_folded_away_and_names_the_command_that_prints_its_figures(
    page: Open, full: Liquidity
) -> None:
    app = page(full)
    (method,) = app.expander
    assert method.proto.expanded is False
    assert table(app, "reached")["reached"].tolist() == [check.reached for check in stress_method.VALIDATION]
    assert stress_method.COMMAND in words(app)


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_page_draws_within_a_second_over_twenty_years(page: Open, lang: str) -> None:
    os.environ["COLLECTOR_LANG"] = lang
    record = frames.record(years=20)
    app = page(record, range="All")
    began = time.perf_counter()
    app.run()
    # Twice what it takes on the slowest machine that was tried.
    assert time.perf_counter() - began < 2.0
    assert len(specs(app)) == len(CHARTS)
    clean(app)


# ---------------------------------------------------------------- vintages


def test_a_series_is_drawn_as_it_stands_and_as_it_was_known_on_the_day_of_the_address(
    page: Open, full: Liquidity
) -> None:
    today = clock.now().astimezone(load().zone).date()
    day = today - timedelta(days=10)
    app = page(full, series="fred.RRPONTSYD", known=str(day), range="30D")
    assert app.selectbox(key="known_series").value == "fred.RRPONTSYD"
    assert app.date_input(key="known_day").value == day
    drawn = specs(app)["series"]
    assert [line["name"] for line in drawn["data"]] == ["known then", "now"]
    # Of the frames of the test every value of that time is another one by now.
    assert "values were others on" in drawn["layout"]["meta"]["title"]
    assert "known then up to here" in str(drawn["layout"]["annotations"])
    assert "Not known then: " in words(app)
    app.date_input(key="known_day").set_value(None).run()
    app.selectbox(key="known_series").set_value(full.series["series"].iloc[0]).run()
    assert set(app.query_params) == {"range"}
    assert [line["name"] for line in specs(app)["series"]["data"]] == ["now"]
    assert not app.exception
    clean(app)


@pytest.mark.parametrize("known", ["never", "2999-01-01", "1901-01-01", "2026-02-30", ""])
def test_rubbish_as_series_or_day_is_the_default(page: Open, full: Liquidity, known: str) -> None:
    app = page(full, series="fred.<script>", known=known)
    assert app.selectbox(key="known_series").value == full.series["series"].iloc[0]
    assert app.date_input(key="known_day").value is None
    assert not app.query_params


def test_a_series_that_restates_its_past_tells_its_vintage_and_no_older_value(
    page: Open, full: Liquidity
) -> None:
    day = clock.now().date() - timedelta(days=10)
    app = page(full, series="fred.NFCI", known=str(day))
    drawn = specs(app)["series"]
    assert "what it said on" in drawn["layout"]["meta"]["title"]
    assert "the vintage of 21 Nov" in words(app) and "Not known then" not in words(app)
    assert set(drawn["data"][-1]["marker"]["symbol"]) == {"circle"}


def test_what_was_revised_is_listed_by_source_and_span_with_both_values(
    page: Open, full: Liquidity, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = frames.revised()
    monkeypatch.setattr(read_revisions, "revised", lambda _settings, open_days=False: found)
    app = page(full)
    control = app.segmented_control(key="revised_upstream")
    # FRED comes first; of the others only those that revised something.
    assert control.options == ["FRED", "StressIndex", "All sources"]
    rows = table(app, "old")
    assert rows[["series", "old", "new"]].values.tolist() == [
        ["fred.SOFR", 4.1, 4.0],
        ["fred.SOFR", 3.9, 4.1],
    ]
    vintages = table(app, "Vintage of")
    assert vintages["Values that changed"].tolist() == ["1,513 of 1,514"]
    assert vintages["At most by"].tolist() == ["0.54"]
    assert "2 values were revised; 1 vintage was replaced" in words(app)
    app.segmented_control(key="revised_upstream").set_value("").run()
    assert table(app, "old")["series"].tolist() == ["fred.SOFR", "StressIndex", "fred.SOFR"]
    app.segmented_control(key="revised_range").set_value("All").run()
    assert len(table(app, "old")) == 4
    assert not app.exception
    clean(app)


def test_a_source_that_is_no_longer_listed_is_not_asked_for(
    page: Open, full: Liquidity, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = frames.revised()
    only = replace(found, single=found.single[found.single["upstream"] == "fred"])
    monkeypatch.setattr(
        read_revisions, "revised", lambda _settings, open_days=False: found if open_days else only
    )
    app = page(full)
    app.toggle(key="revised_open").set_value(True).run()
    app.segmented_control(key="revised_upstream").set_value("stress_index").run()
    app.toggle(key="revised_open").set_value(False).run()
    assert app.segmented_control(key="revised_upstream").value == "fred"
    assert not app.exception


def test_without_a_revision_the_page_says_so_in_words(page: Open, full: Liquidity) -> None:
    said = words(page(full))
    assert "No source has revised a stored value" in said
    assert "values were revised" not in said


# ---------------------------------------------------------------- the Overview


@pytest.fixture
def overview(home: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Liquidity], AppTest]]:
    """The Overview inside its frame, over a store without crypto."""

    def opened(record: Liquidity) -> AppTest:
        monkeypatch.setattr(read_liquidity, "liquidity", lambda _settings, _wait_s=0.3: record)
        app = AppTest.from_file(str(ROOT / "pages" / "_frame.py"), default_timeout=30).run()
        assert not app.exception
        return app

    yield opened


def test_the_index_is_the_first_tile_with_band_change_and_coverage(
    overview: Callable[[Liquidity], AppTest], full: Liquidity
) -> None:
    record = replace(full, days=full.days.copy())
    record.days.at[record.days.index[-1], "alerts"] = [["extreme", "vix", 99.4]]
    app = overview(record)
    row = record.days.iloc[-1]
    first = app.metric[0]
    assert (first.label, first.value) == ("StressIndex", f"{row['index']:.1f}")
    assert first.delta.replace("−", "-") in (f"{row['move']:+.1f}", "0.0")
    said = words(app)
    assert app.header[0].value.replace("\\", "").startswith(stress_words.standing(row))
    assert f"{row['band']}] " in said and "full set · 100 % of the market weight" in said
    assert "VIX at or above its 99th percentile" in said
    drawn = [one.value for one in app.get("html")]
    history, bars = (next(one for one in drawn if word in one) for word in ("since ", "neutral 50"))
    assert history.count("title=") > 50 and f"<b>{row['index']:.1f}</b>" in history
    assert bars.count("title=") == 3
    assert sum(f">{module.title}<" in bars for module in MODULES) == 3
    assert "No crypto numbers yet" in said
    clean(app)


def test_without_an_index_the_overview_says_in_one_line_how_to_get_it(
    overview: Callable[[Liquidity], AppTest],
) -> None:
    app = overview(frames.nothing())
    assert app.header[0].value == "Nothing has been collected yet"
    said = words(app)
    assert "No StressIndex yet: run `python collect.py liquidity`" in said
    assert "Press **Collect now**" in said
    assert not app.metric
    clean(app)


def test_many_sources_of_a_pipeline_are_one_line_an_upstream(
    overview: Callable[[Liquidity], AppTest], full: Liquidity
) -> None:
    app = overview(full)
    said = words(app)
    assert "FRED × 23" in said and "Yahoo Finance × 14" in said and "fred.BAA10Y<" not in said
    assert "**Liquidity**" in said and not app.button(key="collect_liquidity").disabled


def test_the_liquidity_page_stands_between_overview_and_crypto() -> None:
    frame = (ROOT / "pages" / "_frame.py").read_text(encoding="utf-8")
    assert re.findall(r'st\.Page\("(\w+)\.py"', frame)[:3] == ["overview", "liquidity", "crypto"]


def test_records_end_where_they_say() -> None:
    assert frames.record(years=0.5, end=date(2026, 11, 22)).days["date"].iloc[-1] == pd.Timestamp(
        "2026-11-20"
    )
