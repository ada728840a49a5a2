"""`collect.py liquidity` as a process of its own against the fake upstreams: what comes in, what is refused,
what is told of it, and what index is made of it.

A run takes seconds, so that one run serves several tests: what went wrong in it went wrong with one
series, symbol or feed each.
"""

import csv
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors import freshness
from collectors.registry import PIPELINES
from storage import clock, db, read_liquidity
from storage.settings import Settings, load
from tests import child
from tests.child import CANARY, Done
from tests.upstream import FRED_KEY, FakeUpstream, Fault, Seen

# A Tuesday noon in New York; the second run is on Wednesday evening. Both lie before any run of this test:
# yfinance asks up to the clock of this computer.
FIRST = datetime(2026, 11, 3, 17, 0, tzinfo=UTC)
SECOND = datetime(2026, 11, 4, 23, 50, tzinfo=UTC)
TODAY = SECOND.date()
FRED = [source.name for source in PIPELINES["liquidity"] if source.upstream.name == "fred"]
YAHOO = [source.name for source in PIPELINES["liquidity"] if source.upstream.name == "yahoo"]
HISTORIES = Path(__file__).resolve().parent.parent.parent / "shared" / "history"

Rows = list[tuple[Any, ...]]


def run(up: FakeUpstream, key: str | None = FRED_KEY, **env: str) -> Done:
    return child.collect(up, "liquidity", FRED_API_KEY=key or "", **env)


def asked(query: str, settings: Settings | None = None) -> Rows:
    with db.reader(settings or load(), wait_s=10) as connection:
        return connection.execute(query).fetchall()


def states(done: Done, names: list[str]) -> set[tuple[str, str | None]]:
    steps = [done.steps[name] for name in names]
    return {(step["state"], step["reason"] or step["code"]) for step in steps}


@contextmanager
def living_in(home: Path) -> Iterator[None]:
    """COLLECTOR_HOME for fixtures of the whole module."""
    before = dict(os.environ)
    os.environ["COLLECTOR_HOME"] = str(home)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass
class Told:
    """A run that is over: what it said, what the store held before and holds now, what was asked."""

    home: Path
    done: Done
    requests: list[Seen] = field(default_factory=list)
    before: dict[str, Rows] = field(default_factory=dict)

    def ask(self, query: str) -> Rows:
        with living_in(self.home):
            return asked(query)

    def series(self, name: str) -> Rows:
        return self.ask(_series(name))

    @property
    def steps(self) -> dict[str, dict[str, Any]]:
        return self.done.steps


def _series(name: str) -> str:
    return f"SELECT date, value, provisional FROM observation WHERE series = '{name}' ORDER BY date"


def whole_past(clock: datetime) -> FakeUpstream:
    """The fake with every series as long as the real one."""
    return FakeUpstream(clock=clock, since=date.min)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after its first run with a key, which every test gets a copy of."""
    home = tmp_path_factory.mktemp("grown") / "home"
    with living_in(home), whole_past(FIRST) as up:
        done = run(up)
        assert (done.code, done.err) == (0, "")
        assert {step["state"] for step in done.steps.values()} == {"ok"}
        assert up.count("yahoo") == 2 * len(YAHOO)
        assert up.count("fred") == 2 * len(FRED)
        assert up.errors == []
    return home


@pytest.fixture
def next_day(grown: Path, home: Path) -> Iterator[FakeUpstream]:
    """That home a day later, and the fake as it is then."""
    shutil.copytree(grown, home)
    read_liquidity._kept.clear()
    with whole_past(SECOND) as up:
        yield up


@pytest.fixture(scope="module")
def second(grown: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The run of the next day, in which nothing is wrong."""
    home = tmp_path_factory.mktemp("second") / "home"
    shutil.copytree(grown, home)
    with living_in(home), whole_past(SECOND) as up:
        before = {"counts": asked("SELECT series, count(*) FROM observation GROUP BY 1")}
        before["index"] = asked("SELECT first_index, first_percentile, first_seen FROM stress_index")
        return Told(home, run(up), up.requests, before)


WHATEVER = {
    "HYG": (Fault.html(), "html"),
    "IEI": (Fault.empty(), "empty"),
    "LQD": (Fault.body(b'{"chart": {"result": [', "application/json"), "schema"),
    "IEF": (Fault.json({"chart": {"result": None, "error": None}}), "schema"),
    "EMB": (Fault.gzip_bomb(500), "too_large"),
    "BIL": (Fault.redirect("http://169.254.169.254/"), "http_302"),
    "TLT": (Fault.yahoo("no_data"), "http_404"),
}
UNBELIEVED = {
    "WALCL": ("schema", "Billions"),
    "WRESBAL": ("suspect", "unit"),
    "DGS10": ("suspect", "believable"),
    "DGS2": ("empty", "no value"),
    # The first series that is asked for.
    "BAA10Y": ("http_400", "no such series"),
}
BOMB = b"<?xml version='1.0'?><!DOCTYPE r [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><rss>&b;</rss>"


@pytest.fixture(scope="module")
def troubled(grown: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The run of the next day, in which much is wrong, each with one series, symbol or feed."""
    home = tmp_path_factory.mktemp("troubled") / "home"
    shutil.copytree(grown, home)
    with living_in(home), whole_past(SECOND) as up:
        names = [f"fred.{name}" for name in (*UNBELIEVED, "DGS3MO", "DBAA")]
        names += [f"yahoo.{name}.close" for name in (*WHATEVER, "SPY", "XLF")]
        before = {name: asked(_series(name)) for name in names}
        for symbol, (fault, _code) in WHATEVER.items():
            up.fault("yahoo", f"/v8/finance/chart/{symbol}", fault)
        up.fault("fred", "/series", Fault.fred("series"), times=1)
        up.set_unit("WALCL", "Billions of U.S. Dollars")
        up.scale_series("WRESBAL", 0.001)
        up.scale_series("DGS10", 100)
        up.stop_series("DGS2", date(2026, 9, 1))
        revised = {row[0]: row[1] for row in before["fred.DGS3MO"]}[date(2026, 10, 30)]
        up.set_observation("DGS3MO", date(2026, 10, 30), revised + 0.05)
        up.set_observation("DBAA", date(2026, 11, 2), ".")
        up.add_observation("SOFR", TODAY + timedelta(days=1), 4.0)
        up.add_observation("SOFR", TODAY + timedelta(days=5), 4.0)
        up.set_close("SPY", TODAY, 100.0)
        up.set_split("XLF", TODAY, 2)
        up.set_dividend("XLF", TODAY, 0.25)
        for name, feed in (
            ("wire", Fault.html()),
            ("ledger", Fault.body(BOMB, "text/xml")),
            ("hangang", Fault.flood(20)),
        ):
            up.fault("feeds", f"/{name}.xml", feed)
        return Told(home, run(up, COLLECTOR_DEADLINE_S="120"), up.requests, before)


# ---------------------------------------------------------------- what a day brings


def test_a_first_run_publishes_the_newest_day_and_keeps_the_past_apart(next_day: FakeUpstream) -> None:
    ((day, label, coverage, first, index, provisional),) = asked(
        'SELECT date, set_label, coverage, first_index, "index", provisional FROM stress_index'
    )
    # 12:00 in New York: the exchange is open, its day is not over.
    assert (day, label, coverage, provisional) == (date(2026, 11, 3), "full", 1.0, True)
    assert first == index
    ((days, since),) = asked("SELECT count(*), min(date) FROM stress_replay")
    assert days > 5000 and since.year < 2006


def test_a_day_later_only_what_is_new_comes_in_and_the_open_day_is_closed(second: Told) -> None:
    assert (second.done.code, second.done.err) == (0, "")
    before = dict(second.before["counts"])
    after = dict(second.ask("SELECT series, count(*) FROM observation GROUP BY 1"))
    assert after["yahoo.SPY.close"] == before["yahoo.SPY.close"] + 1
    # Monday's value came out on Tuesday evening, Tuesday's on Wednesday evening.
    assert after["fred.DGS10"] == before["fred.DGS10"] + 2
    assert max(after[name] - before.get(name, 0) for name in after) <= 2
    # A cached time zone saves Yahoo half of its requests.
    assert len([seen for seen in second.requests if seen.host == "yahoo"]) == len(YAHOO)
    days = second.ask("SELECT date, provisional FROM stress_index ORDER BY date")
    assert days == [(date(2026, 11, 3), False), (TODAY, False)]
    first = "SELECT first_index, first_percentile, first_seen FROM stress_index WHERE date = '2026-11-03'"
    assert second.ask(first) == second.before["index"]


def test_the_same_again_writes_nothing(second: Told, home: Path) -> None:
    shutil.copytree(second.home, home)
    with whole_past(SECOND) as up:
        done = run(up)
    counts = done.finished["counts"] if done.finished else {}
    assert (done.code, counts["inserted"], counts["updated"]) == (0, 0, 0)
    assert len(asked("SELECT * FROM stress_index")) == 2
    child.assert_whole()
    child.assert_settled()


@pytest.mark.parametrize(
    ("index", "module"),
    [("stress_index", "stress_module"), ("stress_replay", "stress_replay_module")],
)
def test_every_day_sums_to_its_index_and_every_move_to_its_change(
    second: Told, index: str, module: str
) -> None:
    ((days, gap, moved),) = second.ask(
        'SELECT count(*), max(abs(total - ("index" - 50))), max(abs(moves + coverage_effect - i.move))'
        f" FROM {index} i JOIN (SELECT date, sum(contribution) AS total, sum(move) AS moves FROM {module}"
        " GROUP BY date) USING (date)"
    )
    assert days > 0 and gap < 1e-9 and moved < 1e-9


def test_after_days_off_the_last_days_are_published_and_vintages_leave_one_line(
    grown: Path, home: Path
) -> None:
    shutil.copytree(grown, home)
    stored = dict(asked("SELECT date, value FROM observation WHERE series = 'fred.DGS3MO'"))
    with whole_past(datetime(2026, 11, 13, 23, 50, tzinfo=UTC)) as up:
        # Revised while nobody looked, and older by now than what is read again every day.
        up.set_observation("DGS3MO", date(2026, 10, 28), stored[date(2026, 10, 28)] + 0.05)
        assert run(up).code == 0
    days = [row[0].day for row in asked("SELECT date FROM stress_index ORDER BY date")]
    # What was not computed on its day or soon after is history, not publication.
    assert days == [3, 9, 10, 11, 12, 13]
    lines = asked(
        "SELECT key, replaced FROM revision WHERE contains(key, 'STLFSI4') OR contains(key, 'NFCI')"
    )
    told = {json.loads(key)["series"]: json.loads(replaced) for key, replaced in lines}
    assert set(told) == {"fred.NFCI", "fred.STLFSI4"} and len(lines) == 2
    assert told["fred.STLFSI4"]["changed"] > 1000
    ((replaced,),) = asked(
        "SELECT replaced FROM revision WHERE contains(key, 'fred.DGS3MO') AND NOT was_provisional"
    )
    assert json.loads(replaced)["value"] == stored[date(2026, 10, 28)]


# ---------------------------------------------------------------- keys


def test_without_a_key_fred_is_skipped_and_yahoo_alone_makes_an_index(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeUpstream(clock=SECOND) as up:
        done = run(up, None)
        assert (done.code, up.count("fred")) == (0, 0)
    assert states(done, FRED) == {("skipped", "no_key")}
    ((label, coverage, percentile),) = asked("SELECT set_label, coverage, percentile FROM stress_index")
    assert (label, round(coverage, 9)) == ("limited", 0.45)
    # Its percentile is among days of its own set.
    ((own,),) = asked(
        "SELECT 100 * (count(*) FILTER (index_market_only < now)"
        " + (count(*) FILTER (index_market_only = now) + 1) / 2) / count(*)"
        " FROM stress_replay, (SELECT index_market_only AS now FROM stress_index) WHERE date >= '2003-01-01'"
    )
    assert percentile == pytest.approx(own, abs=0.05)
    status = {
        row[0] for row in asked("SELECT status FROM stress_input WHERE module IN ('credit', 'funding')")
    }
    assert status == {"no_key"}
    monkeypatch.setattr(clock, "now", lambda: SECOND + timedelta(minutes=5))
    found = freshness.status(load()).pipelines["liquidity"]
    # What cannot be had without a key does not count.
    assert (found.freshness, found.data_as_of) == ("fresh", TODAY)
    assert {one.freshness for one in found.sources if one.source in FRED} == {"never"}


def test_a_key_that_is_taken_away_leaves_an_index_with_a_past_of_its_own_set(grown: Path, home: Path) -> None:
    shutil.copytree(grown, home)
    with whole_past(datetime(2026, 11, 13, 23, 50, tzinfo=UTC)) as up:
        assert run(up, None).code == 0
    ((label, percentile, band),) = asked(
        "SELECT set_label, percentile, band FROM stress_index ORDER BY date DESC LIMIT 1"
    )
    assert label == "limited" and percentile is not None and band is not None
    newest = "date = (SELECT max(date) FROM stress_index)"
    assert {
        row[0] for row in asked(f"SELECT status FROM stress_input WHERE module = 'credit' AND {newest}")
    } == {"no_key"}
    assert asked(f"SELECT status FROM stress_module WHERE module = 'funding' AND {newest}") == [("no_key",)]


def test_a_key_that_is_refused_is_told_once_and_appears_nowhere(next_day: FakeUpstream) -> None:
    done = run(next_day, CANARY)
    assert done.code == 1
    assert next_day.count("fred") == 1
    first, *others = (done.steps[name] for name in FRED)
    assert (first["kind"], first["code"]) == ("refused", "http_400")
    assert "FRED_API_KEY" in first["message"]
    assert {step["code"] for step in others} == {"circuit_open"}
    child.assert_no_canary(done)
    # A key that works is not held up by the one that did not.
    assert run(next_day).code == 0


def test_a_key_goes_to_fred_alone(second: Told) -> None:
    for seen in second.requests:
        assert (FRED_KEY in str(seen.query)) == (seen.host == "fred")
        assert FRED_KEY not in str(seen.headers)


# ---------------------------------------------------------------- refusals and outages


def test_yahoos_429_ends_its_symbols_and_what_is_stored_serves(next_day: FakeUpstream) -> None:
    next_day.fault("yahoo", "*", Fault.yahoo("rate_limited"))
    done = run(next_day)
    assert (done.code, next_day.count("yahoo")) == (1, 1)
    assert {done.steps[name]["state"] for name in YAHOO} == {"cached"}
    assert "2026-11-03" in done.steps["yahoo.SPY"]["message"]
    assert done.steps["stress_index"]["state"] == "ok"
    next_day.clear_faults()
    again = run(next_day)
    # A quarter of an hour is not over.
    assert next_day.count("yahoo") == 1
    assert {again.steps[name]["state"] for name in YAHOO} == {"cached"}


def test_with_nothing_stored_a_429_is_no_cache_and_a_dead_series_is_told(home: Path) -> None:
    with FakeUpstream(clock=SECOND) as up:
        up.fault("yahoo", "*", Fault.yahoo("rate_limited"))
        up.stop_series("DGS2", date(2026, 9, 1))
        done = run(up)
    assert states(done, YAHOO[:1]) == {("failed", "rate_limited")}
    assert states(done, YAHOO[1:]) == {("skipped", "rate_limited")}
    assert states(done, ["stress_index"]) == {("skipped", "not_due")}
    assert asked("SELECT * FROM stress_index") == []
    dead = done.steps["fred.DGS2"]
    assert (dead["kind"], dead["code"]) == ("changed", "stale")
    assert "2026-09-01" in dead["message"]


def test_with_everything_down_the_run_fails_and_the_last_index_stays(next_day: FakeUpstream) -> None:
    before = asked("SELECT * FROM stress_index")
    next_day.down()
    done = run(next_day, COLLECTOR_REQUEST_TIMEOUT_S="2")
    assert done.code == 3
    assert done.steps["stress_index"]["reason"] == "upstream_failed"
    assert asked("SELECT * FROM stress_index") == before
    told = json.loads(child.collect(None, "status", "--json").out)["pipelines"]["liquidity"]
    assert told["state"] == "failed"
    assert told["freshness"] in ("due", "late")
    child.assert_settled()


def test_hosts_that_drip_cost_their_own_steps_and_no_more_than_the_time_of_the_run(
    next_day: FakeUpstream,
) -> None:
    for host in ("yahoo", "fred"):
        next_day.fault(host, "*", Fault.drip(0.3))
    begun = time.monotonic()
    done = run(next_day, COLLECTOR_DEADLINE_S="12", COLLECTOR_REQUEST_TIMEOUT_S="2")
    assert time.monotonic() - begun < 12 + 2 + 4
    assert done.code == 1
    assert {done.steps[name]["state"] for name in (*YAHOO, *FRED)} == {"failed"}
    assert done.steps["ofr.fsi"]["state"] == "ok"
    child.assert_settled()


def test_whatever_yahoo_sends_of_a_symbol_costs_that_symbol(troubled: Told) -> None:
    assert (troubled.done.code, troubled.done.err) == (1, "")
    found = {symbol: troubled.steps[f"yahoo.{symbol}"] for symbol in WHATEVER}
    assert {symbol: step["code"] for symbol, step in found.items()} == {
        symbol: code for symbol, (_fault, code) in WHATEVER.items()
    }
    assert {step["state"] for step in found.values()} == {"failed"}
    assert {troubled.steps[name]["state"] for name in ("yahoo.SPY", "yahoo.^VIX", "yahoo.^MOVE")} == {"ok"}
    for symbol in WHATEVER:
        name = f"yahoo.{symbol}.close"
        assert troubled.series(name) == troubled.before[name]
        assert 1 <= len([seen for seen in troubled.requests if seen.path.endswith(f"/{symbol}")]) <= 4


# ---------------------------------------------------------------- values that are not believed


@pytest.mark.parametrize("series", sorted(UNBELIEVED))
def test_a_series_that_cannot_be_believed_keeps_its_stored_values(troubled: Told, series: str) -> None:
    name, (code, word) = f"fred.{series}", UNBELIEVED[series]
    step = troubled.steps[name]
    assert (step["state"], step["code"]) == ("failed", code)
    assert step["kind"] == ("refused" if code == "http_400" else "changed")
    assert word in step["message"]
    # Nothing of it was replaced; that a day is over by now is no change of a value.
    assert [row[:2] for row in troubled.series(name)] == [row[:2] for row in troubled.before[name]]


def test_a_revised_value_replaces_the_old_one_which_is_kept(troubled: Told) -> None:
    was, now = ({row[0]: row[1] for row in rows}[date(2026, 10, 30)] for rows in
                (troubled.before["fred.DGS3MO"], troubled.series("fred.DGS3MO")))  # fmt: skip
    assert now == pytest.approx(was + 0.05)
    replaced = troubled.ask(
        "SELECT replaced FROM revision WHERE contains(key, 'fred.DGS3MO') AND NOT was_provisional"
    )
    assert [json.loads(row[0])["value"] for row in replaced] == [was]


def test_a_blank_is_missing_and_never_zero(troubled: Told) -> None:
    days = {row[0]: row[1] for row in troubled.series("fred.DBAA")}
    assert 0 not in days.values()
    assert days.get(date(2026, 11, 2)) == {r[0]: r[1] for r in troubled.before["fred.DBAA"]}.get(
        date(2026, 11, 2)
    )


def test_tomorrow_may_be_dated_and_the_future_may_not(troubled: Told) -> None:
    assert troubled.steps["fred.SOFR"]["counts"]["rejected"] == 1
    assert troubled.series("fred.SOFR")[-1][0] == TODAY + timedelta(days=1)


def test_a_close_that_halves_waits_a_day_and_is_told(troubled: Told) -> None:
    assert troubled.steps["yahoo.SPY"]["counts"]["rejected"] == 1
    assert troubled.series("yahoo.SPY.close")[-1][0] == date(2026, 11, 3)
    kept = [
        file for file in (troubled.home / "quarantine").glob("*yahoo.SPY.json") if "jump" in file.read_text()
    ]
    assert len(kept) == 1


def test_splits_and_dividends_move_nothing_that_is_stored(troubled: Told) -> None:
    step = troubled.steps["yahoo.XLF"]
    # One row changed: yesterday's bar, which was open then.
    assert (step["state"], step["counts"]["updated"], step["counts"]["rejected"]) == ("ok", 1, 0)
    before, after = troubled.before["yahoo.XLF.close"], troubled.series("yahoo.XLF.close")
    assert [row[:2] for row in after[: len(before) - 1]] == [row[:2] for row in before[:-1]]
    assert troubled.series("yahoo.XLF.split")[-1][:2] == (TODAY, 2.0)
    assert troubled.series("yahoo.XLF.dividend")[-1][:2] == (TODAY, 0.25)


def test_a_feed_that_quietly_sends_nulls_is_not_taken_for_today(next_day: FakeUpstream) -> None:
    # As ^MOVE since July 2026: nulls, and one live slot.
    next_day.clock = datetime(2026, 11, 6, 16, 0, tzinfo=UTC)
    next_day.null_bars("^MOVE", date(2026, 11, 4))
    next_day.null_bars("^VIX", date(2026, 10, 1))
    done = run(next_day)
    assert done.steps["yahoo.^MOVE"]["counts"]["rejected"] == 1
    assert asked("SELECT max(date) FROM observation WHERE series = 'yahoo.^MOVE'") == [(date(2026, 11, 3),)]
    assert done.steps["yahoo.^VIX"]["code"] == "suspect"


# ---------------------------------------------------------------- words


def test_speeches_are_seeded_once_and_then_come_by_the_feed(second: Told) -> None:
    ((count, least, shortest),) = second.ask("SELECT count(*), min(published_at), min(words) FROM fed_speech")
    assert count >= 80 and least.year <= 2026 and shortest > 150
    assert second.steps["federalreserve.speeches"]["state"] == "ok"
    paths = [seen.path for seen in second.requests if seen.host == "fed"]
    assert paths and not [path for path in paths if "-speeches.htm" in path]
    known = {row[0] for row in second.ask("SELECT id FROM fed_speech")}
    with whole_past(SECOND) as up:
        odd = {*up.speeches("empty"), *up.speeches("missing")}
    assert odd and not known & odd


def test_a_speech_is_its_text_and_not_the_page_around_it(second: Told) -> None:
    rows = second.ask("SELECT text, title, speaker, link FROM fed_speech")
    for text, title, speaker, link in rows:
        assert title and speaker and link.startswith("http")
        for chrome in ("Skip to main content", "Return to text", "<p", "Last Update", "&amp;"):
            assert chrome not in text


def test_headlines_are_text_whatever_they_say(second: Told) -> None:
    rows = second.ask("SELECT title, link, provisional, published_at FROM news_item")
    assert len(rows) > 200
    assert not [row for row in rows if not row[1].startswith(("http://", "https://"))]
    assert not [row for row in rows if "<script" in row[0].lower()]
    assert [row for row in rows if row[2]]
    assert max(row[3] for row in rows) <= SECOND + timedelta(minutes=10)
    ((funding,),) = second.ask("SELECT count(*) FROM news_item WHERE contains(topics, 'funding')")
    assert funding > 0


def test_feeds_that_fail_cost_only_themselves(troubled: Told) -> None:
    step = troubled.steps["feeds.headlines"]
    assert (step["state"], step["counts"]["rejected"] >= 3) == ("ok", True)
    run_id = troubled.done.events[0]["run_id"]
    feeds = {row[0] for row in troubled.ask(f"SELECT DISTINCT feed FROM news_item WHERE run_id = '{run_id}'")}
    assert feeds == {"street", "namsan"}


# ---------------------------------------------------------------- the whole way over real histories


def test_what_is_stored_and_published_of_the_real_histories_is_the_reference(home: Path) -> None:
    if not HISTORIES.is_dir():
        pytest.skip(f"NO HISTORIES: {HISTORIES} is missing, the index is not checked from upstream to store")
    with FakeUpstream(clock=datetime(2022, 1, 4, 12, tzinfo=UTC), history=HISTORIES) as up:
        done = run(up)
    assert done.steps["stress_index"]["state"] == "ok"
    with (HISTORIES / "reference_index_2021.csv").open(encoding="utf-8", newline="") as lines:
        reference = {row["date"]: float(row["full"]) for row in csv.DictReader(lines) if row["full"]}
    ours = {str(day): value for day, value in asked("SELECT date, index_market_only FROM stress_replay")}
    common = sorted(set(ours) & set(reference))
    assert len(common) > 6000
    # Stored closes have four digits, these histories more: single ranks may change places.
    assert max(abs(ours[day] - reference[day]) for day in common) < 0.1
