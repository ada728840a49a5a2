"""Backfill: its plan asks nobody and keeps its word; what was missing is there afterwards."""

import json
import os
import random
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

import collect
from collectors import freshness, pipeline, run
from collectors.backfill import command, plan
from collectors.model import Changed, Unavailable
from collectors.sources import daily
from storage import clock, db, landing, ledger, ledger_past, points, read
from storage.settings import Settings, load
from storage.texts import speaking
from tests import child
from tests.desk import Desk
from tests.upstream import DEMO_KEY, FakeUpstream, Fault

# A Tuesday, 07:30 in Seoul.
NOW = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
DAY, YEAR = timedelta(days=1), timedelta(days=365)
TODAY = NOW.date()
SINCE = (TODAY - YEAR).isoformat()
HISTORY = "coingecko.history"
CAPTURES = Path(__file__).resolve().parents[2] / "shared" / "captures"
TABLES = {
    "crypto_price": "coin, date, symbol, name, rank, price, market_cap, volume,"
    " change_24h, change_7d, change_30d",
    "protocol_tvl": "protocol, date, name, category, tvl, change_1d, change_7d",
    "observation": "series, date, value, note",
}
Content = dict[str, set[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def up() -> Iterator[FakeUpstream]:
    with FakeUpstream(clock=NOW) as fake:
        yield fake


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with speaking("en"):
        yield


@pytest.fixture
def desk(
    home: Path, up: FakeUpstream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    yield Desk(up, monkeypatch, capsys, NOW)
    up.clear_faults()
    up.clock = NOW


@pytest.fixture(scope="module")
def year(up: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a collection of today and the year before it filled in."""
    home = tmp_path_factory.mktemp("year") / "home"
    before = dict(os.environ)
    for name in before:
        # Of a module: what the machine sets is not taken away yet.
        if name.startswith(("COLLECTOR_", "COINGECKO_", "FRED_")):
            del os.environ[name]
    os.environ.update(up.env(), COLLECTOR_HOME=str(home), COLLECTOR_PACE_S="0")
    told = clock.now
    clock.now = lambda: NOW
    try:
        assert collect.main(["crypto"]) == 0
        assert collect.main(["backfill", "--since", SINCE]) == 0
        assert load().home == home
    finally:
        clock.now = told
        os.environ.clear()
        os.environ.update(before)
    return home


@pytest.fixture
def filled(year: Path, home: Path, desk: Desk) -> Desk:
    """A desk in a copy of that home."""
    shutil.copytree(year, home)
    return desk


def content() -> Content:
    """The stored rows, without where they come from."""
    with db.reader(load()) as connection:
        found = {
            table: connection.execute(f"SELECT {columns} FROM {table}").fetchall()
            for table, columns in TABLES.items()
        }
    assert all(len(rows) == len(set(rows)) for rows in found.values())
    return {table: set(rows) for table, rows in found.items()}


def remove(where: str, table: str = "crypto_price") -> None:
    with db.writer(load()) as connection:
        connection.execute(f"DELETE FROM {table} WHERE {where}")


def days(table: str, where: str = "TRUE") -> list[date]:
    with db.reader(load()) as connection:
        query = f"SELECT DISTINCT date FROM {table} WHERE {where} ORDER BY date"
        return [row[0] for row in connection.execute(query).fetchall()]


def planned(desk: Desk, *words: str) -> dict[str, Any]:
    code, said = desk.collect(NOW, "backfill", "--plan", "--json", *words)
    assert code == 0 and desk.up.count() == 0
    told: dict[str, Any] = json.loads(said)
    return told


# ---------------------------------------------------------------- the plan


def test_a_plan_asks_nobody_and_says_dates_calls_minutes_rows_and_what_is_gone(desk: Desk) -> None:
    desk.collect(NOW - 6 * DAY, "crypto")
    desk.collect(NOW, "crypto")
    del os.environ["COLLECTOR_PACE_S"]
    told = planned(desk)
    assert [
        (one["source"], one["from"], one["to"], one["days"], one["calls"], one["minutes"], one["rows"])
        for one in told["plan"]
    ] == [
        # Keyless: five calls a minute.
        ("coingecko.markets", "2026-11-18", "2026-11-22", 5, 20, 4.0, 100),
        ("defillama.protocols", "2026-11-18", "2026-11-22", 5, 30, 0.1, 150),
    ]
    assert told["unrecoverable"] == [
        {"source": "coingecko.global", "from": "2026-11-18", "to": "2026-11-22", "days": 5}
    ]
    # Upstreams are asked side by side.
    assert (told["calls"], told["minutes"], told["rows"]) == (50, 4.0, 250)
    code, said = desk.collect(NOW, "backfill", "--plan")
    assert code == 0 and desk.up.count() == 0
    assert said.splitlines() == [
        "coingecko.markets: 5 days, 2026-11-18 to 2026-11-22; 20 calls, 4 min, up to 100 rows",
        "defillama.protocols: 5 days, 2026-11-18 to 2026-11-22; 30 calls, 0.1 min, up to 150 rows",
        "coingecko.global: 5 days missing, 2026-11-18 to 2026-11-22; it cannot be had any more",
        "In all: 50 calls, 4 min at the pace of the upstreams, up to 250 rows. Nobody was asked yet.",
    ]
    os.environ["COINGECKO_API_KEY"] = DEMO_KEY
    assert planned(desk)["minutes"] == 0.7


def test_a_plan_changes_nothing(desk: Desk) -> None:
    desk.collect(NOW - 6 * DAY, "crypto")
    desk.collect(NOW, "crypto")
    before = content(), [one.run_id for one in ledger.runs(load())]
    planned(desk, "--since", SINCE)
    assert (content(), [one.run_id for one in ledger.runs(load())]) == before


def test_nothing_is_planned_of_an_empty_home(desk: Desk) -> None:
    code, said = desk.collect(NOW, "backfill")
    assert (code, said) == (0, "Nothing to fill: no day is missing that can still be had.\n")
    assert not load().home.exists()


def test_without_since_a_plan_stays_within_the_record_and_with_it_goes_back(desk: Desk) -> None:
    desk.collect(NOW, "crypto")
    assert planned(desk)["plan"] == []
    told = planned(desk, "--since", SINCE)
    assert [(one["source"], one["from"], one["days"]) for one in told["plan"]] == [
        ("coingecko.markets", SINCE, 365),
        ("defillama.protocols", SINCE, 365),
    ]
    # Prices of more than a year ago cannot be had.
    earlier = planned(desk, "--since", (TODAY - YEAR - 10 * DAY).isoformat())
    assert [(one["source"], one["from"]) for one in earlier["plan"]] == [
        ("coingecko.markets", SINCE),
        ("defillama.protocols", (TODAY - YEAR - 10 * DAY).isoformat()),
    ]


def test_sources_and_days_can_be_chosen(filled: Desk) -> None:
    remove("date BETWEEN '2026-05-01' AND '2026-05-09'")
    remove("date BETWEEN '2026-05-01' AND '2026-05-09'", "protocol_tvl")
    words = ("--since", "2026-05-02", "--until", "2026-05-03", "--source", "coingecko.markets")
    told = planned(filled, *words)
    assert [(one["source"], one["from"], one["to"]) for one in told["plan"]] == [
        ("coingecko.markets", "2026-05-02", "2026-05-03")
    ]
    assert filled.collect(NOW, "backfill", *words)[0] == 0
    assert filled.up.count() == 20
    assert len(days("crypto_price", "date BETWEEN '2026-05-01' AND '2026-05-09'")) == 2
    assert days("protocol_tvl", "date BETWEEN '2026-05-01' AND '2026-05-09'") == []


# ---------------------------------------------------------------- a year


def test_a_year_is_filled_with_as_many_calls_as_planned_and_nothing_is_left(year: Path, filled: Desk) -> None:
    with db.reader(load()) as connection:
        coins = connection.execute(
            "SELECT coin, count(*), min(date), max(date) FROM crypto_price GROUP BY coin"
        ).fetchall()
    # Today as it was seen, and 365 days before it; figure-heloc is of today too at this hour.
    assert len(coins) == 20 and {row[1] for row in coins} == {366}
    assert {row[2] for row in coins} == {TODAY - YEAR} and {row[3] for row in coins} == {TODAY}
    assert planned(filled, "--since", SINCE)["plan"] == []
    (newest, _collected) = ledger.runs(load())
    steps = ledger.steps(load(), newest.run_id)
    asked = [step for step in steps if step.source]
    assert len(asked) == 50 and sum(step.requests for step in asked) == 50
    assert (newest.trigger, newest.state, newest.pipelines) == ("backfill", "ok", ("crypto",))
    # The largest first, as a reader wants them.
    assert next(step.step for step in asked if step.source == HISTORY) == f"{HISTORY}.bitcoin"
    assert [step.step for step in steps if not step.source] == ["export"]
    exported = child.export()
    assert exported is not None and {len(coin["history"]) for coin in exported["coins"]} == {365}


def test_a_day_holds_the_price_at_which_it_ended_and_the_changes_since_others(filled: Desk) -> None:
    with db.reader(load()) as connection:
        rows = connection.execute(
            "SELECT date, price, change_24h, change_7d, change_30d, rank, provisional, source"
            " FROM crypto_price WHERE coin = 'bitcoin' AND date < ? ORDER BY date", [TODAY],
        ).fetchall()  # fmt: skip
    price = {row[0]: row[1] for row in rows}
    at = TODAY - 40 * DAY
    coin = filled.up.market.coin("bitcoin")
    ended = datetime.combine(at + DAY, datetime.min.time(), UTC).timestamp()
    assert price[at] == pytest.approx(filled.up.market.price_at(coin, ended))
    row = next(row for row in rows if row[0] == at)
    for column, back in ((2, 1), (3, 7), (4, 30)):
        assert row[column] == pytest.approx(100 * (price[at] / price[at - back * DAY] - 1), abs=1e-4)
    assert {row[5] for row in rows} == {None} and not any(row[6] for row in rows)
    assert {row[7] for row in rows} == {HISTORY}
    # Before the first day nothing is known.
    assert rows[0][2] is None and rows[6][3] is None and rows[29][4] is None


def test_it_says_nothing_of_how_the_daily_collection_does(filled: Desk) -> None:
    last = ledger.last_run(load(), "crypto")
    assert last is not None and last.trigger == "cli"
    assert not any(step.startswith(HISTORY) for step in ledger.last_steps(load(), "crypto"))
    assert len(ledger.durations(load(), "crypto")) == 1
    status = freshness.status(load())
    assert status.pipelines["crypto"].last_run == last
    # A scheduled start of later today has to collect itself.
    assert not ledger.ended_since(load(), "crypto", last.finished_at + timedelta(seconds=1))


def test_a_second_collection_finds_what_it_left_alone(filled: Desk) -> None:
    before = content()
    code, _said = filled.collect(NOW + timedelta(minutes=5), "crypto")
    assert code == 0 and content() == before


# ---------------------------------------------------------------- as if never missed


@pytest.mark.timeout(400)
@settings(
    max_examples=4,
    deadline=None,
    # Each takes a second; a smaller one would tell no more than the days that it removed.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    some.sets(some.integers(1, 364), max_size=12),
    some.sets(some.integers(1, 364), max_size=12),
    some.sets(some.integers(9, 364), max_size=12),
    some.sets(some.integers(9, 364), max_size=12),
    some.one_of(some.none(), some.integers(1, 40)),
)
def test_whatever_was_missing_is_there_afterwards_as_if_it_never_had_been(
    year: Path, home: Path, desk: Desk, prices: set[int], protocols: set[int], tvl: set[int],
    moods: set[int], dies_at: int | None,
) -> None:  # fmt: skip
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(year, home)
    before = content()
    for table, ages, and_ in (
        ("crypto_price", prices, ""),
        ("protocol_tvl", protocols, ""),
        ("observation", tvl, " AND series = 'defillama.total_tvl'"),
        ("observation", moods, " AND series = 'alternative_me.fear_greed_index'"),
    ):
        gone = ", ".join(f"DATE '{TODAY - age * DAY}'" for age in ages)
        remove(f"date IN ({gone}){and_}" if gone else "FALSE", table)
    if dies_at is not None:
        _killed(desk, dies_at)
    told = planned(desk, "--since", SINCE)
    with db.reader(load()) as connection:
        landed = len(landing.waiting(load(), read.receipts(connection)))
    # The last of a series may not have come out when it was asked last; everything else is planned.
    code, said = desk.collect(NOW, "backfill", "--since", SINCE)
    assert code == 0, said
    # What the dead one had landed is merged, not asked for again.
    assert told["calls"] - landed <= desk.up.count() <= told["calls"]
    assert content() == before
    assert planned(desk, "--since", SINCE)["plan"] == []


class _Power(BaseException):
    """The power is gone."""


def _killed(desk: Desk, dies_at: int) -> None:
    """A backfill that ends at the n-th named point that it reaches, as far as one process can play it."""
    reached = iter(range(1, 10_000))

    def reach(_name: str) -> None:
        # What asks upstreams are threads of it, that end with it.
        if threading.current_thread() is threading.main_thread() and next(reached) == dies_at:
            raise _Power

    begun: list[Any] = []
    true, points.reach = points.reach, reach
    going, pipeline._Execution.run = pipeline._Execution.run, lambda self: begun.append(self) or going(self)
    try:
        collect.main(["backfill", "--since", SINCE])
    except _Power:
        live = ledger.runs(load(), 1)[0]
        ledger.finish(load(), live.run_id, "interrupted", None, {})
    finally:
        points.reach, pipeline._Execution.run = true, going
    for one in begun:
        # A process that has no power has no threads either.
        one.steps.stopping.set()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and "_fetch_lane" in thread.name:
            thread.join(20)
    desk.capsys.readouterr()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL of POSIX")
@pytest.mark.parametrize("point", ["after_landing:5", "after_merge:13", "after_commit:5"])
def test_one_that_is_killed_goes_on_where_it_was(
    point: str, year: Path, home: Path, up: FakeUpstream
) -> None:
    # Children have the clock of this machine.
    with child.frozen_upstream() as now:
        assert child.collect(now, "crypto").code == 0
        since = (datetime.now(UTC).date() - YEAR).isoformat()
        dead = child.collect(now, "backfill", "--since", since, "--json", FAULT_POINT=point)
        assert dead.code == -9, (dead.out, dead.err)
        child.assert_whole()
        done = [step for step in dead.steps.values() if step["state"] == "ok"]
        now.reset_counts()
        again = child.collect(now, "backfill", "--since", since, "--json")
        assert again.code == 0, (again.out, again.err)
        # What was merged is not asked for again; at most what was landed, or on its way, is.
        assert now.count() <= 50 - len(done) + 1
        child.assert_whole()
        child.assert_settled()
        child.assert_no_canary(dead, again)
        with db.reader(load()) as connection:
            counts = connection.execute(
                "SELECT count(*), count(DISTINCT (coin, date)) FROM crypto_price"
                " WHERE source = 'coingecko.history'"
            ).fetchone()
            left = connection.execute(
                "SELECT coin FROM crypto_price GROUP BY coin HAVING count(*) < 365"
            ).fetchall()
        assert counts[0] == counts[1] and left == []


def test_the_real_gap_days_of_the_mood_are_none_and_removed_ones_come_back(desk: Desk) -> None:
    capture = CAPTURES / "alternative_me" / "fng_limit-0_data-array-only__2026-06-06.json"
    if not capture.exists():
        pytest.skip(f"NO CAPTURES: {capture} is not there")
    items = json.loads(capture.read_bytes())
    at = datetime(2026, 6, 6, 22, 30, tzinfo=UTC)
    answer = {"name": "Fear and Greed Index", "data": items, "metadata": {"error": None}}
    desk.up.fault("alternative_me", "/fng/", Fault.json(answer))
    assert desk.collect(at, "crypto")[0] == 0
    stored = days("observation", "series = 'alternative_me.fear_greed_index'")
    # Three days of April 2018, and one of October 2024 that the upstream has not got either.
    whole = [stored[0] + DAY * n for n in range((stored[-1] - stored[0]).days + 1)]
    assert sorted(set(whole) - set(stored)) == [
        *(date(2018, 4, day) for day in (14, 15, 16)), date(2024, 10, 26),
    ]  # fmt: skip
    assert desk.collect(at, "gaps") == (0, "No day is missing.\n")
    before = content()
    mood = "series = 'alternative_me.fear_greed_index' AND date"
    remove(f"{mood} IN ('2018-04-13', '2018-04-17', '2019-01-01', '2024-10-25', '2026-06-01')", "observation")
    _code, said = desk.collect(at, "gaps")
    removed = ("2018-04-13", "2018-04-17", "2019-01-01", "2024-10-25", "2026-06-01")
    assert [line for line in said.splitlines() if "missing" in line] == [
        f"alternative_me.fear_greed: 1 day missing, {day}; it can still be had" for day in removed
    ]
    assert desk.collect(at, "backfill")[0] == 0
    assert desk.up.count() == 1
    assert content() == before


def test_closed_exchanges_are_no_gaps_and_what_the_others_lack_comes_back(
    desk: Desk,
) -> None:
    assert desk.collect(NOW, "liquidity")[0] == 0
    assert desk.collect(NOW, "gaps") == (0, "No day is missing.\n")
    before = content()["observation"]
    gone = "('2026-11-11', '2026-11-12', '2024-07-05', '2020-03-16', '2026-11-20')"
    remove(f"series IN ('yahoo.SPY.close', 'yahoo.^VIX', 'ofr.fsi') AND date IN {gone}", "observation")
    told = planned(desk)
    assert {one["source"]: (one["days"], one["calls"]) for one in told["plan"]} == {
        "yahoo.SPY": (5, 2), "yahoo.^VIX": (5, 2), "ofr.fsi": (4, 1),
    }  # fmt: skip
    code, said = desk.collect(NOW, "backfill")
    assert code == 0, said
    assert desk.up.count() <= told["calls"]
    assert content()["observation"] == before
    assert {step.step for step in ledger.steps(load(), ledger.runs(load(), 1)[0].run_id)} == {
        "yahoo.SPY", "yahoo.^VIX", "ofr.fsi", "stress_index",
    }  # fmt: skip


# ---------------------------------------------------------------- what may go wrong


def test_one_coin_that_fails_costs_itself_and_is_tried_again_as_failed(desk: Desk) -> None:
    desk.collect(NOW - 6 * DAY, "crypto")
    desk.collect(NOW, "crypto")
    desk.up.fault("coingecko", "/coins/solana/market_chart", Fault.status(500))
    code, said = desk.collect(NOW, "backfill")
    assert code == 1 and "coingecko.history.solana" in said
    missing = "date BETWEEN '2026-11-18' AND '2026-11-22'"
    assert len(days("crypto_price", f"coin = 'bitcoin' AND {missing}")) == 5
    assert days("crypto_price", f"coin = 'solana' AND {missing}") == []
    # A day without one of its coins is a gap, the price of one call.
    assert [(one["source"], one["calls"], one["items"]) for one in planned(desk)["plan"]] == [
        ("coingecko.markets", 1, ["solana"])
    ]
    assert planned(desk, "--mode", "failed")["plan"] == planned(desk)["plan"]
    desk.up.clear_faults()
    assert desk.collect(NOW, "backfill", "--mode", "failed")[0] == 0
    assert desk.up.count("coingecko") == 1
    assert planned(desk)["plan"] == []


def test_failed_is_only_what_somebody_tried_in_vain(desk: Desk) -> None:
    desk.collect(NOW - 6 * DAY, "crypto")
    for host in ("coingecko", "defillama", "alternative_me"):
        desk.up.fault(host, "*", Fault.status(503))
    assert desk.collect(NOW - 3 * DAY, "crypto")[0] == 3
    desk.up.clear_faults()
    desk.collect(NOW, "crypto")
    told = planned(desk, "--mode", "failed")
    # Collected late on the 20th (UTC): of that day, or of the one before it.
    assert {(one["source"], one["from"], one["to"]) for one in told["plan"]} == {
        ("coingecko.markets", "2026-11-19", "2026-11-20"),
        ("defillama.protocols", "2026-11-19", "2026-11-20"),
    }  # fmt: skip


def test_all_compares_what_was_filled_in_and_leaves_what_was_seen(filled: Desk) -> None:
    seen = content()
    with db.writer(load()) as connection:
        connection.execute(
            "UPDATE crypto_price SET price = price * 1.02, observed_at = TIMESTAMPTZ '2026-11-01 00:00:00Z'"
            " WHERE coin = 'bitcoin' AND date IN ('2026-10-31', '2026-11-01')"
        )
        connection.execute("UPDATE crypto_price SET source = 'coingecko.markets' WHERE date = '2026-11-01'")
    assert planned(filled)["plan"] == []
    words = (
        "--mode",
        "all",
        "--since",
        "2026-10-30",
        "--until",
        "2026-11-02",
        "--source",
        "coingecko.markets",
    )
    told = planned(filled, *words)
    assert [(one["calls"], one["rows"]) for one in told["plan"]] == [(20, 60)]
    code, said = filled.collect(NOW, "backfill", *words)
    assert code == 0 and "1 updated" in said
    was = {row[1]: row[5] for row in seen["crypto_price"] if row[0] == "bitcoin"}
    now = {row[1]: row[5] for row in content()["crypto_price"] if row[0] == "bitcoin"}
    assert now[date(2026, 10, 31)] == was[date(2026, 10, 31)]
    assert now[date(2026, 11, 1)] == pytest.approx(1.02 * was[date(2026, 11, 1)])
    with db.reader(load()) as connection:
        ((replaced,),) = connection.execute(
            "SELECT replaced FROM revision WHERE table_name = 'crypto_price' AND NOT was_provisional"
        ).fetchall()
    assert json.loads(replaced)["price"] == pytest.approx(1.02 * was[date(2026, 10, 31)])
    # And no day counts for less than before.
    assert planned(filled)["plan"] == []


def _in(rate: float) -> Any:
    """A chart whose prices are in another currency."""

    def change(payload: Any) -> Any:
        payload["prices"] = [[at, price * rate] for at, price in payload["prices"]]
        return payload

    return change


@pytest.mark.parametrize(("coin", "rate"), [("tether", 0.862), ("bitcoin", 1468.0), ("bitcoin", 0.007)])
def test_prices_in_another_currency_are_not_filled_in(desk: Desk, coin: str, rate: float) -> None:
    desk.collect(NOW - 7 * DAY, "crypto")
    desk.collect(NOW, "crypto")
    desk.up.fault("coingecko", f"/coins/{coin}/market_chart", Fault.mutate(_in(rate)))
    code, _said = desk.collect(NOW, "backfill", "--source", "coingecko.markets")
    assert code == 1
    assert days("crypto_price", f"coin = '{coin}' AND date BETWEEN '2026-11-17' AND '2026-11-22'") == []
    (failed,) = [s for s in ledger.steps(load(), ledger.runs(load(), 1)[0].run_id) if s.state == "failed"]
    assert (failed.step, failed.kind, failed.code) == (f"{HISTORY}.{coin}", "changed", "suspect")
    assert len(days("crypto_price", "coin = 'ethereum' AND date BETWEEN '2026-11-17' AND '2026-11-22'")) == 6


@pytest.mark.parametrize(("common", "rate", "held"), [(5, 0.862, False), (4, 0.862, True), (1, 1.6, False)])
def test_the_days_that_are_stored_tell_whether_it_is_the_same_thing(
    common: int, rate: float, held: bool
) -> None:
    stored = {TODAY - DAY * n: 100.0 + n for n in range(1, common + 1)}
    history = {day: value * rate for day, value in stored.items()} | {TODAY - DAY * 90: 7.0}
    if held:
        daily.same_thing(history, stored, "x")
        return
    with pytest.raises(Changed, match="times what is stored"):
        daily.same_thing(history, stored, "x")


def test_of_a_coin_that_is_younger_no_day_is_asked_for_twice(desk: Desk) -> None:
    desk.collect(NOW, "crypto")

    def young(payload: Any) -> Any:
        return {name: values[-101:] for name, values in payload.items()}

    desk.up.fault("coingecko", "/coins/sui/market_chart", Fault.mutate(young))
    assert desk.collect(NOW, "backfill", "--since", SINCE)[0] == 0
    assert len(days("crypto_price", f"coin = 'sui' AND source = '{HISTORY}'")) == 100
    assert planned(desk, "--since", SINCE)["plan"] == []
    assert desk.collect(NOW, "gaps") == (0, "No day is missing.\n")
    # Who doubts it asks for everything again.
    desk.up.clear_faults()
    words = ("--mode", "all", "--since", SINCE, "--source", "coingecko.markets")
    assert desk.collect(NOW, "backfill", *words)[0] == 0
    assert len(days("crypto_price", f"coin = 'sui' AND source = '{HISTORY}'")) == 365


def test_a_point_that_leaps_out_of_its_neighbours_is_set_aside_and_can_be_accepted(desk: Desk) -> None:
    desk.collect(NOW, "crypto")

    def slipped(payload: Any) -> Any:
        payload["prices"][100][1] *= 1000
        return payload

    desk.up.fault("coingecko", "/coins/bitcoin/market_chart", Fault.mutate(slipped))
    code, _said = desk.collect(NOW, "backfill", "--since", SINCE)
    assert code == 0
    bitcoin = f"coin = 'bitcoin' AND source = '{HISTORY}'"
    assert len(days("crypto_price", bitcoin)) == 364
    with db.reader(load()) as connection:
        (worst,) = connection.execute(
            f"SELECT max(greatest(abs(change_24h), abs(change_7d), abs(change_30d))) FROM crypto_price"
            f" WHERE {bitcoin}"
        ).fetchone()
    # It says nothing of the days around it either.
    assert worst < 90
    # Nobody asks for it again: it waits for a person.
    assert planned(desk, "--since", SINCE)["plan"] == []
    (kept,) = (load().home / "quarantine").glob(f"*{HISTORY}.bitcoin*")
    assert desk.collect(NOW, "quarantine", "accept", kept.stem)[0] == 0
    assert len(days("crypto_price", bitcoin)) == 365


@pytest.mark.parametrize("slip", [1400, 1 / 1400])
def test_a_history_that_ends_far_from_what_is_seen_today_is_refused(desk: Desk, slip: float) -> None:
    desk.collect(NOW, "crypto")
    desk.up.fault("coingecko", "/coins/ethereum/market_chart", Fault.mutate(_in(slip)))
    code, _said = desk.collect(NOW, "backfill", "--since", SINCE, "--source", "coingecko.markets")
    assert code == 1 and days("crypto_price", f"coin = 'ethereum' AND source = '{HISTORY}'") == []
    # What was seen goes on being believed.
    desk.up.clear_faults()
    code, said = desk.collect(NOW + DAY, "crypto")
    assert code == 0 and "rejected" not in said


def test_before_today_is_collected_the_old_page_keeps_its_list(desk: Desk) -> None:
    desk.collect(NOW - 4 * DAY, "crypto")
    assert desk.collect(NOW, "backfill")[0] == 0
    exported = child.export()
    assert exported is not None and len(exported["coins"]) == 20
    assert {coin["date"] for coin in exported["coins"]} == {(TODAY - 4 * DAY).isoformat()}
    assert max(day for coin in exported["coins"] for day, _price in coin["history"]) == (
        (TODAY - DAY).isoformat()
    )


@pytest.mark.parametrize(
    ("words", "remembered"),
    [
        (("--since", (TODAY - 9 * DAY).isoformat()), False),
        (("--mode", "failed", "--since", SINCE), False),
        (("--since", SINCE, "--source", "coingecko.markets"), False),
        (("--since", SINCE), True),
    ],
    ids=["a few days", "failed", "one source", "a year"],
)
def test_only_a_year_that_was_filled_counts_as_one(
    desk: Desk, words: tuple[str, ...], remembered: bool
) -> None:
    desk.collect(NOW, "crypto")
    assert desk.collect(NOW, "backfill", *words)[0] == 0
    assert (ledger_past.filled_since(load()) is not None) is remembered


def test_a_long_or_odd_name_of_a_coin_is_a_step_and_a_file_like_any(home: Path) -> None:
    for name in ("가" * 40, "a/b:c*", "figure-heloc"):
        part = daily.part(name)
        assert len(part) <= daily.LONGEST and not set(part) & set('<>:"/\\|?*')
    assert daily.part("figure-heloc") == "figure-heloc"
    assert daily.part("가" * 40) != daily.part("가" * 41)


def test_when_the_store_is_locked_the_row_that_was_reserved_ends(desk: Desk) -> None:
    desk.collect(NOW, "crypto")
    ledger.reserve(load(), "20261123-223000-abcdef", ["crypto"], "backfill")
    with child.store_open_elsewhere():
        code, _said = desk.collect(NOW, "backfill", "--run-id", "20261123-223000-abcdef")
    assert code == 3
    ended = ledger.run(load(), "20261123-223000-abcdef")
    assert ended is not None and (ended.state, ended.exit_code) == ("failed", 3)


def test_a_real_answer_is_read_to_the_day(tmp_path: Path) -> None:
    from collectors.model import Answer, Ask, Request
    from collectors.sources import coin_history, coingecko

    file = CAPTURES / "coingecko" / "coins_bitcoin_market_chart_days-365__2025-04-22.json"
    if not file.exists():
        pytest.skip(f"NO CAPTURES: {file} is not there")
    at = datetime(2025, 4, 22, 22, 19, 40, tzinfo=UTC)
    coin = {"coin": "bitcoin", "symbol": "btc", "name": "Bitcoin"}
    wanted = frozenset(date(2025, 4, 22) - DAY * n for n in range(1, 366))
    source = coin_history.of(coin, wanted, {})
    assert source.parse is not None
    ask = Ask("https://up.example", coingecko.UPSTREAM.plans[0], at)
    batch = source.parse([Answer(file.read_bytes(), at, Request("x"))], ask)
    rows = {row["date"]: row for row in batch.rows}
    assert (len(rows), min(rows), max(rows)) == (365, date(2024, 4, 22), date(2025, 4, 21))
    # The last two points share a day; the midnight one is the close of the day before.
    assert rows[date(2025, 4, 21)]["price"] == 87452.04699068287
    assert batch.rejected == () and batch.without == []


# ---------------------------------------------------------------- manners


@pytest.fixture
def ticking(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk at which time goes by, three days after it was last sat at."""
    desk.collect(NOW - 3 * DAY, "crypto")
    desk.collect(NOW, "crypto")
    began = time.monotonic()
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(seconds=time.monotonic() - began))
    desk.up.reset_counts()
    return desk


def test_no_host_is_asked_faster_than_its_pace(ticking: Desk) -> None:
    os.environ |= {"COLLECTOR_PACE_S": "0.15", "COINGECKO_API_KEY": DEMO_KEY}
    told = plan.make(load(), plan.Want(only=frozenset({"coingecko.markets"})))
    assert collect.main(["backfill", "--source", "coingecko.markets"]) == 0
    seen = [one.at for one in ticking.up.requests if one.host == "coingecko"]
    assert len(seen) == sum(part.calls for part in told.parts) == 20
    # One may be late and the next in time; ten in a row are as far apart as nine pauses.
    assert min(after - before for before, after in zip(seen, seen[9:], strict=False)) > 8 * 0.15


def test_an_upstream_that_asks_to_be_left_alone_is_waited_for(
    ticking: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A wait that a request does not sit out by itself.
    monkeypatch.setattr("collectors.manners.PATIENCE_S", 0.5)
    ticking.up.fault("coingecko", "/coins/bitcoin/market_chart", Fault.retry_after(2), times=1)
    began = time.monotonic()
    assert collect.main(["backfill", "--source", "coingecko.markets"]) == 0
    assert time.monotonic() - began > 1.9
    assert ticking.up.count() == 21
    (again, *_others) = ledger.steps(load(), ledger.runs(load(), 1)[0].run_id)
    assert (again.step, again.requests) == (f"{HISTORY}.bitcoin", 2)


def test_the_patience_is_one_for_all_that_an_upstream_is_asked_for() -> None:
    from collectors.sources import coin_history
    from collectors.under_way import Fetched

    shared = SimpleNamespace(patience_s=0.0, waited_s={})

    def asked(seconds: float) -> float | None:
        error = Unavailable("rate_limited", "wait", retry_at=clock.now() + timedelta(seconds=seconds))
        fetched = Fetched(coin_history.HISTORY, None, error=error)  # type: ignore[arg-type]
        return run._asked_to_wait(shared, fetched)  # type: ignore[arg-type]

    # A daily collection has none.
    assert asked(5) is None
    shared.patience_s = 300.0
    assert asked(5) == pytest.approx(5.1, abs=0.5)
    assert asked(900) is None
    shared.waited_s["coingecko"] = 290.0
    assert asked(5) is not None and asked(20) is None


def test_another_run_comes_first_and_is_waited_for(desk: Desk) -> None:
    desk.collect(NOW - 3 * DAY, "crypto")
    desk.collect(NOW, "crypto")
    ledger.reserve(load(), "20261123-223000-abcdef", ["news"], "cli")
    code, said = desk.collect(NOW, "backfill", "--wait", "0")
    assert code == 75 and "Another run is under way" in said
    assert command.WAIT_S == collect.WAIT_S["backfill"] == 600


def test_it_has_a_bar_of_its_own_length_and_the_console_knows_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.collect(NOW - 3 * DAY, "crypto")
    desk.collect(NOW, "crypto")
    told: list[tuple[int, int]] = []
    true = run._patiently

    def watched(shared: Any, source: Any, step: Any, until: float) -> Any:
        (live,) = ledger.runs(load(), 1)
        _step, n, total = freshness.progress(load(), live, ledger.steps(load(), live.run_id))
        told.append((n, total))
        return true(shared, source, step, until)

    monkeypatch.setattr(run, "_patiently", watched)
    assert desk.collect(NOW, "backfill")[0] == 0
    assert {total for _n, total in told} == {51} and max(n for n, _total in told) > 5


def test_json_events_number_the_steps(desk: Desk) -> None:
    desk.collect(NOW - 3 * DAY, "crypto")
    desk.collect(NOW, "crypto")
    code, said = desk.collect(NOW, "backfill", "--json")
    events = [json.loads(line) for line in said.splitlines()]
    assert code == 0 and events[0]["trigger"] == "backfill"
    ended = [event for event in events if event["event"] == "step_finished"]
    assert len(ended) == 51 and {event["m"] for event in ended} == {51}
    assert sorted(event["n"] for event in ended) == list(range(1, 52))


def test_a_demo_fills_its_own_invented_gaps(desk: Desk) -> None:
    assert desk.collect(NOW, "crypto", "--demo")[0] == 0
    demo = Settings(COLLECTOR_DEMO=True, _env_file=None)  # type: ignore[call-arg]
    code, said = desk.collect(NOW, "backfill", "--demo", "--plan")
    assert code == 0 and "coingecko.markets: 6 days" in said and "coingecko.global" in said
    assert desk.collect(NOW, "backfill", "--demo")[0] == 0
    assert desk.up.count() == 0
    with db.reader(demo) as connection:
        n, sources = connection.execute(
            "SELECT count(DISTINCT date), list(DISTINCT source) FROM crypto_price WHERE date > ?",
            [TODAY - YEAR],
        ).fetchone()
    assert (n, sources) == (365, ["DEMO"])
    code, said = desk.collect(NOW, "backfill", "--demo")
    assert said.startswith("Nothing to fill")


def test_when_a_year_is_filled_it_is_remembered(filled: Desk) -> None:
    assert ledger_past.filled_since(load()) == TODAY - YEAR


def test_a_coin_that_is_dated_by_the_day_before_has_a_past_too(desk: Desk) -> None:
    """Shortly after midnight UTC a coin that trades rarely is still of yesterday."""
    early = datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert desk.collect(early, "crypto")[0] == 0
    assert len(days("crypto_price", "coin = 'figure-heloc' AND date = '2026-11-22'")) == 1
    since = (early.date() - YEAR).isoformat()
    assert desk.collect(early, "backfill", "--since", since, "--source", "coingecko.markets")[0] == 0
    with db.reader(load()) as connection:
        counts = connection.execute("SELECT coin, count(*) FROM crypto_price GROUP BY coin").fetchall()
    assert len(counts) == 20 and {n for coin, n in counts if coin != "figure-heloc"} == {366}
    assert dict(counts)["figure-heloc"] == 365


def test_days_at_random_of_single_coins_do_not_count(filled: Desk) -> None:
    """A coin that leaves the list has no gap after it, and none before it came."""
    moments = random.Random(3)
    some_days: Sequence[int] = moments.sample(range(2, 300), 5)
    with db.writer(load()) as connection:
        for age in some_days:
            # Seen live, with nineteen of the twenty: that day's list was another one.
            connection.execute(
                "UPDATE crypto_price SET source = 'coingecko.markets' WHERE date = ?", [TODAY - age * DAY]
            )
            connection.execute(
                "DELETE FROM crypto_price WHERE coin = 'sui' AND date = ?", [TODAY - age * DAY]
            )
    assert [one for one in planned(filled)["plan"] if one["source"] == "coingecko.markets"] == []
