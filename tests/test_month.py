"""A month of mornings: 06:00 in Seoul every day and up to ten more collections by hand; a turned clock."""

import json
import os
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import collect
from storage import clock, db, read
from storage.settings import load
from tests.upstream import FakeUpstream

FIRST = datetime(2026, 10, 20, 21, tzinfo=UTC)  # 06:00 KST on 21 October
DAYS = 31
# All of the collections by hand on every fifteenth day; on the others one, after UTC midnight or at night.
BUSY = 15
# Hours after 06:00 KST: two minutes past UTC midnight, all day long, and shortly before the next morning.
BY_HAND = (0.5, 1.5, 2.9, 3 + 2 / 60, 5.5, 8, 11, 14, 17, 23.4)


def by_hand(n: int) -> tuple[float, ...]:
    """When of the n-th day somebody collects once more."""
    if n % BUSY == 0:
        return BY_HAND
    return BY_HAND[3:4] if n % 2 else BY_HAND[9:]


class Desk:
    """One machine: a turned clock, a fake upstream, the command line in this process."""

    def __init__(self, up: FakeUpstream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
        self.up, self.capsys, self.at = up, capsys, FIRST
        monkeypatch.setattr(clock, "now", lambda: self.at)
        os.environ.update(up.env(), COLLECTOR_PACE_S="0")

    def turn(self, at: datetime) -> None:
        self.at = at
        self.up.clock = at

    def collect(self, *words: str) -> int:
        code = collect.main(["crypto", *words])
        self.capsys.readouterr()
        return code

    def status(self) -> dict[str, Any]:
        assert collect.main(["status", "--json"]) == 0
        return dict(json.loads(self.capsys.readouterr().out)["pipelines"]["crypto"])


def rows(query: str) -> list[dict[str, Any]]:
    with db.reader(load()) as connection:
        return read.rows(connection, query)


@pytest.fixture
def desk(home: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    with FakeUpstream() as up:
        yield Desk(up, monkeypatch, capsys)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_month_of_runs_keeps_one_row_a_coin_a_day_sealed_after_its_day(desk: Desk) -> None:
    last: dict[date, float] = {}
    price = 90_000.0
    for n in range(DAYS):
        morning = FIRST + timedelta(days=n)
        for hours in (0.0, *by_hand(n)):
            desk.turn(morning + timedelta(hours=hours))
            if abs(hours - BY_HAND[3]) < 1e-9:
                # Two minutes past UTC midnight: a new day has begun of which nothing is stored.
                assert desk.status()["freshness"] == "due"
            price += 1.0
            desk.up.set_price("bitcoin", price)
            assert desk.collect() == 0
            last[desk.at.date()] = price
            told = desk.status()
            assert (told["state"], told["freshness"]) == ("ok", "fresh")
            assert told["last_run"]["finished_at"] == clock.stamp(desk.at)
            assert told["next_due"] == clock.stamp(FIRST + timedelta(days=n + 1))
    _check(desk.at.date(), last)


def _check(today: date, last: dict[date, float]) -> None:
    per_day = rows(
        "SELECT date, count(*) AS n, count(DISTINCT coin) AS coins FROM crypto_price GROUP BY date"
    )
    assert {(row["n"], row["coins"]) for row in per_day} == {(20, 20)}
    assert {row["date"] for row in per_day} == set(last)
    bitcoin = rows("SELECT date, price, provisional FROM crypto_price WHERE coin='bitcoin' ORDER BY date")
    assert {row["date"]: row["price"] for row in bitcoin} == last
    for table in ("crypto_price", "protocol_tvl", "observation"):
        open_days = rows(f"SELECT DISTINCT date FROM {table} WHERE provisional ORDER BY date")
        assert {row["date"] for row in open_days} <= {today}, table
    shares = rows(
        "SELECT count(*) AS n, count(DISTINCT date) AS days"
        " FROM crypto_metric WHERE btc_dominance IS NOT NULL"
    )
    assert shares == [{"n": len(last), "days": len(last)}]
    # Within a day the price moved at every collection: kept, but not as revised.
    revised = rows(
        "SELECT table_name, was_provisional, count(*) AS n FROM revision GROUP BY ALL ORDER BY ALL"
    )
    assert {(row["table_name"], row["was_provisional"]) for row in revised} == {("crypto_price", True)}
    collections = sum(1 + len(by_hand(n)) for n in range(DAYS))
    assert sum(row["n"] for row in revised) == collections - len(last)


def test_a_total_that_is_restated_within_a_week_is_revised_and_later_left_alone(desk: Desk) -> None:
    desk.turn(FIRST)
    assert desk.collect() == 0
    yesterday, last_month = FIRST.date() - timedelta(days=1), FIRST.date() - timedelta(days=30)
    desk.up.set_tvl(yesterday, 1e11)
    desk.up.set_tvl(last_month, 2e11)
    desk.turn(FIRST + timedelta(hours=1))
    assert desk.collect() == 0
    assert rows(
        f"SELECT value FROM observation WHERE series='defillama.total_tvl' AND date='{yesterday}'"
    ) == [{"value": 1e11}]
    assert rows(
        f"SELECT value FROM observation WHERE series='defillama.total_tvl' AND date='{last_month}'"
    ) != [{"value": 2e11}]
    (kept,) = rows("SELECT key, was_provisional FROM revision")
    assert kept == {
        "key": f'{{"series":"defillama.total_tvl","date":"{yesterday}"}}',
        "was_provisional": False,
    }


@pytest.mark.parametrize("days", [1, 7, 8, 20])
def test_a_value_that_was_provisional_when_all_stopped_is_read_again_however_late(
    desk: Desk, days: int
) -> None:
    desk.up.set_tvl(FIRST.date(), 100e9)
    desk.turn(FIRST)
    assert desk.collect() == 0
    desk.up.set_tvl(FIRST.date(), 91e9)
    desk.turn(FIRST + timedelta(days=days))
    assert desk.collect() == 0
    assert rows(
        "SELECT value, provisional FROM observation"
        f" WHERE series='defillama.total_tvl' AND date='{FIRST.date()}'"
    ) == [{"value": 91e9, "provisional": False}]


def test_days_that_were_forgotten_come_back_where_the_upstream_has_them(desk: Desk) -> None:
    desk.turn(FIRST)
    assert desk.collect() == 0
    desk.turn(FIRST + timedelta(days=12))
    assert desk.status()["freshness"] == "late"
    assert desk.collect() == 0
    for series, days in (
        ("defillama.total_tvl", 13),
        ("alternative_me.fear_greed_index", 13),
        ("coingecko.btc_dominance", 2),
    ):
        found = rows(
            f"SELECT count(*) AS n FROM observation WHERE series='{series}' AND date>='{FIRST.date()}'"
        )
        assert found == [{"n": days}], series


def test_a_scheduled_start_of_a_fresh_record_asks_nobody_unless_forced(desk: Desk) -> None:
    desk.turn(FIRST)
    assert desk.collect("--trigger", "schedule") == 0
    asked = len(desk.up.requests)
    assert desk.collect("--trigger", "schedule") == 0
    assert len(desk.up.requests) == asked
    assert desk.status()["state"] == "skipped"
    assert desk.collect("--trigger", "schedule", "--force") == 0
    assert len(desk.up.requests) > asked


def test_a_clock_that_is_a_year_ahead_neither_seals_today_nor_dates_rows_wrongly(desk: Desk) -> None:
    desk.turn(FIRST)
    desk.at = FIRST + timedelta(days=365)
    assert desk.collect() == 0
    newest = rows("SELECT DISTINCT date, provisional, observed_at::DATE AS seen FROM crypto_price")
    assert newest == [{"date": FIRST.date(), "provisional": True, "seen": FIRST.date()}]
