"""The gap calendar: what a day of a source is, how it is drawn, and how choosing days fills them in."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import collect
from collectors import gap_calendar, launch
from collectors.backfill import plan
from collectors.gap_calendar import Row
from pages._view import gap_chart, palette
from storage import clock, db, ledger
from storage.settings import ROOT, Settings, load
from storage.texts import speaking

NOW = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
TODAY, DAY = NOW.date(), timedelta(days=1)


@pytest.fixture(autouse=True)
def morning(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    with speaking("en"):
        yield


@pytest.fixture
def demo(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A year of the invented market, in which six days were missed."""
    monkeypatch.setenv("COLLECTOR_DEMO", "1")
    assert collect.main(["crypto"]) == 0
    return load()


def row_of(settings: Settings, source: str) -> Row:
    found = gap_calendar.look(settings, TODAY - gap_calendar.REACH)
    return next(row for row in found.rows if row.source == source)


def test_every_day_of_a_source_is_what_is_stored_of_it(demo: Settings) -> None:
    markets = row_of(demo, "coingecko.markets")
    assert markets.days[TODAY] == "provisional" and markets.days[TODAY - DAY] == "collected"
    missed = [day for day, state in markets.days.items() if state == "missing"]
    assert sorted(missed) == [
        date(2026, 2, 17), date(2026, 5, 23), date(2026, 9, 4), *(date(2026, 11, n) for n in (13, 14, 15)),
    ]  # fmt: skip
    # 365 days after each it is out of reach; what the upstream keeps for ever has no such day.
    assert markets.until[date(2026, 2, 17)] == date(2027, 2, 17)
    protocols = row_of(demo, "defillama.protocols")
    assert set(missed) == set(protocols.until) and set(protocols.until.values()) == {None}
    dominance = row_of(demo, "coingecko.global")
    assert {dominance.days[day] for day in missed} == {"unrecoverable"}
    assert row_of(demo, "defillama.total_tvl").whole and not markets.whole


def test_what_a_backfill_filled_in_is_told_apart(demo: Settings) -> None:
    with db.writer(demo) as connection:
        connection.execute("UPDATE crypto_price SET source = 'coingecko.history' WHERE date = '2026-11-10'")
    assert row_of(demo, "coingecko.markets").days[date(2026, 11, 10)] in ("filled", "missing")


def test_the_calendar_is_looked_up_once_and_again_after_a_run(
    demo: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[date] = []
    true = gap_calendar.look

    def look(settings: Settings, first: date, wait_s: float = 1.0) -> gap_calendar.Calendar:
        looks.append(first)
        return true(settings, first, wait_s)

    monkeypatch.setattr(gap_calendar, "look", look)
    monkeypatch.setattr(gap_calendar, "_kept", {})
    for _twice in range(2):
        assert gap_calendar.of_a_year(demo).last == TODAY
    assert len(looks) == 1
    assert collect.main(["backfill"]) == 0
    assert all(row.whole for row in gap_calendar.of_a_year(demo).rows if row.source != "coingecko.global")
    assert len(looks) == 2


def test_a_locked_store_serves_the_last_calendar_and_says_why(
    demo: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gap_calendar, "_kept", {})
    before = gap_calendar.of_a_year(demo)

    def locked(*_unused: object, **_named: object) -> Any:
        raise db.StoreBusy("busy", "busy")

    monkeypatch.setattr(gap_calendar, "look", locked)
    assert gap_calendar.of_a_year(demo) is before
    monkeypatch.setattr(gap_calendar, "_kept", {})
    found = gap_calendar.of_a_year(demo)
    assert found.rows == () and found.problem is not None


# ---------------------------------------------------------------- drawn


def rows() -> list[Row]:
    days = {TODAY - DAY * n: "collected" for n in range(1, 60)}
    late = {TODAY - DAY * 5: "missing", TODAY - DAY * 6: "unrecoverable", TODAY: "provisional"}
    return [
        Row("crypto", "a.whole", "A", days),
        Row("crypto", "b.late", "B", days | late, {TODAY - DAY * 5: TODAY + DAY * 12}),
    ]


def drawn(days: int = 30) -> Any:
    calendar = gap_calendar.Calendar(TODAY - DAY * 365, TODAY, rows())
    window = gap_chart.window(calendar, days)
    return gap_chart.chart(gap_chart.within(rows(), window), window, TODAY, palette.LIGHT)


def test_a_state_has_a_colour_and_a_shape_of_its_own_and_its_count() -> None:
    figure = drawn()
    signs = [(trace.mode, trace.line.dash, trace.marker.symbol) for trace in figure.data]
    assert len(set(signs)) == len(signs) == 4
    assert len({trace.line.color or trace.marker.color for trace in figure.data}) == 4
    counts = {trace.name.rpartition(" ")[0]: sum(y is not None for y in trace.y) for trace in figure.data}
    # A stroke has two ends.
    counts["collected"] //= 2
    assert counts == {"collected": 58, "provisional": 1, "missing": 1, "cannot be had": 1}
    assert next(trace.name for trace in figure.data) == "collected 58"


def test_the_pointer_counts_the_days_that_are_left() -> None:
    (missing,) = [trace for trace in drawn().data if trace.name.startswith("missing")]
    assert list(missing.customdata[0][:2]) == ["b.late", (TODAY - DAY * 5).isoformat()]
    assert "can be had for 12 more days, until" in missing.customdata[0][2]
    assert gap_chart.left(TODAY + DAY, TODAY).startswith("can be had for 1 more day, ")
    assert gap_chart.left(None, TODAY) == "can still be had at any time"


def test_the_title_says_what_can_be_done() -> None:
    assert drawn().layout.meta["title"] == "1 day can be filled in"
    lost = [Row("crypto", "x", "X", {TODAY: "unrecoverable", TODAY - DAY: "unrecoverable"})]
    assert gap_chart.title(lost) == "2 days are lost for good"
    assert gap_chart.title(rows()[:1]) == "No day is missing"


def test_a_range_cuts_days_and_leaves_out_rows_without_any() -> None:
    old = Row("news", "old", "Old", {TODAY - DAY * 200: "collected"})
    calendar = gap_calendar.Calendar(TODAY - DAY * 365, TODAY, [*rows(), old])
    window = gap_chart.window(calendar, 30)
    assert (window.first, window.last) == (pd.Timestamp(TODAY - DAY * 30), pd.Timestamp(TODAY))
    shown = gap_chart.within(calendar.rows, window)
    assert [row.source for row in shown] == ["a.whole", "b.late"]
    assert min(min(row.days) for row in shown) == TODAY - DAY * 30


def test_the_chosen_marks_are_sources_and_days() -> None:
    points = [
        {"customdata": ["b", "2026-11-14", "…"]}, {"customdata": ["a", "2026-11-13", "…"]}, {"x": 3},
        {"customdata": ["a", "2026-11-14", "…"]},
    ]  # fmt: skip
    assert gap_chart.chosen(points) == (
        frozenset({"a", "b"}),
        [date(2026, 11, 13), date(2026, 11, 14)],
    )
    assert gap_chart.chosen([]) == (frozenset(), [])


# ---------------------------------------------------------------- on the page


def runs_page() -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "_frame.py"), default_timeout=60).run()
    page.switch_page("runs.py")
    page.run()
    assert not page.exception
    return page


def words(page: AppTest) -> str:
    return " ".join(str(one.value) for one in [*page.markdown, *page.caption])


def test_the_page_offers_every_missing_day_with_its_price_and_starts_the_backfill(
    demo: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(launch, "_spawn", lambda command, folder: started.append(list(command)))
    page = runs_page()
    said = words(page)
    assert "4 days can be filled in" in said and "can be had for 86 more days" in said
    assert page.button("fill_gaps").label == "Fill in every missing day"
    page.button("fill_gaps").click().run()
    (command,) = started
    at = command.index("backfill")
    run_id = command[command.index("--run-id") + 1]
    assert command[at:] == ["backfill", "--run-id", run_id, "--demo"]
    reserved = ledger.run(demo, run_id)
    assert reserved is not None and (reserved.trigger, reserved.pipelines) == ("backfill", ("crypto",))
    # A second one cannot be started beside it.
    assert page.button("fill_gaps").disabled


def test_a_backfill_that_the_console_starts_takes_the_row_it_reserved(
    demo: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_spawn", lambda command, folder: None)
    run_id = launch.backfill(demo, ["crypto"], date(2026, 11, 13), date(2026, 11, 14), ["coingecko.markets"])
    options = ["--since", "2026-11-13", "--until", "2026-11-14", "--source", "coingecko.markets"]
    assert collect.main(["backfill", *options, "--run-id", run_id]) == 0
    done = ledger.run(demo, run_id)
    assert done is not None and (done.state, done.counts.inserted) == ("ok", 40)
    assert [day for day, state in row_of(demo, "coingecko.markets").days.items() if state == "missing"][
        -1
    ] == (date(2026, 11, 15))
    # Where somebody filled them in meanwhile the row ends too.
    again = launch.backfill(demo, ["crypto"], date(2026, 11, 13), date(2026, 11, 14), ["coingecko.markets"])
    assert collect.main(["backfill", *options, "--run-id", again]) == 0
    skipped = ledger.run(demo, again)
    assert skipped is not None and (skipped.state, skipped.reason) == ("skipped", "not_due")


def test_when_all_is_filled_in_the_page_says_so(demo: Settings) -> None:
    with db.writer(demo) as connection:
        connection.execute("DELETE FROM observation WHERE series = 'coingecko.btc_dominance'")
    assert collect.main(["backfill"]) == 0
    page = runs_page()
    assert "No day is missing" in words(page)
    assert not [one for one in page.button if one.key == "fill_gaps"]


def test_an_empty_crypto_page_collects_and_fills_in_a_year_with_one_button(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(launch, "_spawn", lambda command, folder: started.append(list(command)))
    page = AppTest.from_file(str(ROOT / "pages" / "crypto.py"), default_timeout=60).run()
    page.button("collect_and_fill").click().run()
    (command,) = started
    since = (TODAY - plan.YEAR).isoformat()
    assert command[command.index("crypto") :][:5] == ["crypto", "--trigger", "console", "--then-since", since]


def test_the_past_year_is_offered_until_it_was_filled_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.upstream import FakeUpstream

    started: list[list[str]] = []
    monkeypatch.setattr(launch, "_spawn", lambda command, folder: started.append(list(command)))
    with FakeUpstream(clock=NOW) as up:
        for name, value in {**up.env(), "COLLECTOR_PACE_S": "0"}.items():
            monkeypatch.setenv(name, value)
        assert collect.main(["crypto"]) == 0
        page = AppTest.from_file(str(ROOT / "pages" / "crypto.py"), default_timeout=60).run()
        assert not page.exception
        page.button("fill_year").click().run()
        (command,) = started
        since = (TODAY - plan.YEAR).isoformat()
        assert command[command.index("backfill") :][:3] == ["backfill", "--since", since]
        run_id = command[command.index("--run-id") + 1]
        assert collect.main(["backfill", "--since", since, "--run-id", run_id]) == 0
    page = AppTest.from_file(str(ROOT / "pages" / "crypto.py"), default_timeout=60).run()
    assert not page.exception and not [one for one in page.button if one.key == "fill_year"]


def test_collecting_alone_never_fills_in_a_year(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.upstream import FakeUpstream

    with FakeUpstream(clock=NOW) as up:
        for name, value in {**up.env(), "COLLECTOR_PACE_S": "0"}.items():
            monkeypatch.setenv(name, value)
        assert collect.main(["crypto"]) == 0
        assert up.count("coingecko", "*market_chart") == 0
        capsys.readouterr()
        # The console's button says both at once.
        since = (TODAY - DAY * 9).isoformat()
        assert collect.main(["crypto", "--then-since", since, "--json"]) == 0
        assert up.count("coingecko", "*market_chart") == 20
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    ended = [event["trigger"] for event in events if event["event"] == "run_finished"]
    assert ended == ["cli", "backfill"]
