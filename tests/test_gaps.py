"""Holes in the record: what counts as one, by which calendar, until when it can be filled; and days off."""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from collectors import gaps
from collectors.keep import gaps_within
from collectors.model import Batch
from collectors.registry import PIPELINES, SOURCES
from storage import absent, db
from storage.ledger_movement import Movement
from storage.read_gaps import Held, held
from storage.settings import load
from storage.texts import speaking
from tests.desk import Desk
from tests.upstream import FakeUpstream

# A Tuesday, 07:30 in Seoul: what was scheduled for 06:00 is late where it is missing.
NOW = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
DAY = timedelta(days=1)
GREED, MOOD = SOURCES["alternative_me.fear_greed"], "alternative_me.fear_greed_index"
MARKETS, DOMINANCE = SOURCES["coingecko.markets"], SOURCES["coingecko.global"]
SPY = SOURCES["yahoo.SPY"]


def of(source: Any, records: Mapping[str, Held], now: datetime = NOW) -> list[gaps.Gap]:
    pipeline = next(name for name, sources in PIPELINES.items() if source in sources)
    return gaps.of_source(load(), pipeline, source, records, now)


def days(first: str, n: int) -> list[date]:
    return [date.fromisoformat(first) + DAY * k for k in range(n)]


def told(found: list[gaps.Gap]) -> list[tuple[str, str, bool]]:
    return [(gap.since.isoformat(), gap.until.isoformat(), gap.recoverable) for gap in found]


# ---------------------------------------------------------------- what is one


def test_days_between_stored_ones_are_missing_and_neighbours_are_one_gap(home: Path) -> None:
    jumps = ((date(2026, 11, 3), date(2026, 11, 7)), (date(2026, 11, 10), date(2026, 11, 12)))
    record = Held(date(2026, 11, 1), date(2026, 11, 22), jumps)
    assert told(of(GREED, {MOOD: record})) == [
        ("2026-11-04", "2026-11-06", True), ("2026-11-11", "2026-11-11", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        # Of the 23rd (UTC) the run of 06:00 KST should have brought the mood; the day ends at 09:00 KST.
        ("2026-11-23T21:59Z", "2026-11-22"),
        ("2026-11-23T23:59Z", "2026-11-22"),
        ("2026-11-24T00:00Z", "2026-11-23"),
    ],
)
def test_what_is_merely_due_is_no_gap_and_a_day_is_one_when_it_is_over(
    home: Path, now: str, newest: str
) -> None:
    record = Held(date(2026, 11, 1), date(2026, 11, 20))
    found = of(GREED, {MOOD: record}, datetime.fromisoformat(now))
    assert told(found) == [("2026-11-21", newest, True)]


def test_holidays_and_weekends_are_none_and_a_gap_goes_on_over_them(home: Path) -> None:
    # From Wednesday before Thanksgiving to Tuesday after it: Friday and Monday are missing, in a row.
    record = Held(date(2026, 11, 2), date(2026, 12, 1), ((date(2026, 11, 25), date(2026, 12, 1)),))
    found = of(SPY, {SPY.lasting[0].series: record}, datetime(2026, 12, 1, 23, tzinfo=UTC))
    assert [gap.days for gap in found] == [(date(2026, 11, 27), date(2026, 11, 30))]


def test_the_three_days_that_fear_and_greed_never_had_are_none(home: Path) -> None:
    hole = ((date(2018, 4, 13), date(2018, 4, 17)),)
    assert of(GREED, {MOOD: Held(date(2018, 2, 1), date(2026, 11, 22), hole)}) == []


def test_nothing_is_missing_of_what_was_never_collected_or_before_it_began(home: Path) -> None:
    assert of(GREED, {}) == []
    assert of(MARKETS, {"crypto_price": Held(date(2026, 11, 22), date(2026, 11, 22))}) == []


@pytest.mark.parametrize(
    ("age", "recoverable", "left"), [(1, True, 364), (360, True, 5), (365, True, 0), (366, False, -1)]
)
def test_prices_can_be_had_for_365_days(home: Path, age: int, recoverable: bool, left: int) -> None:
    missed = NOW.date() - DAY * age
    record = Held(missed - DAY, NOW.date(), ((missed - DAY, missed + DAY),))
    (gap,) = of(MARKETS, {"crypto_price": record})
    assert gap.recoverable is recoverable and gap.days == (missed,)
    assert gap.recoverable_until is not None and (gap.recoverable_until - NOW.date()).days == left


def test_a_gap_parts_where_the_history_ends(home: Path) -> None:
    limit = NOW.date() - DAY * 365
    record = Held(limit - DAY * 3, NOW.date(), ((limit - DAY * 3, limit + DAY * 2),))
    assert [(len(gap.days), gap.recoverable) for gap in of(MARKETS, {"crypto_price": record})] == [
        (2, False), (2, True),
    ]  # fmt: skip


def test_what_can_only_be_seen_live_is_gone(home: Path) -> None:
    record = Held(date(2026, 11, 1), date(2026, 11, 22), ((date(2026, 11, 3), date(2026, 11, 5)),))
    (gap,) = of(DOMINANCE, {"coingecko.btc_dominance": record})
    assert (gap.recoverable, gap.recoverable_until) == (False, None)


@settings(max_examples=60, deadline=None)
@given(some.sets(some.integers(1, 58)))
def test_of_any_days_exactly_the_missing_ones_are_told(removed: set[int]) -> None:
    first = NOW.date() - DAY * 60
    stored = [first + DAY * n for n in range(61) if n not in removed]
    jumps = tuple((before, after) for before, after in pairwise(stored) if after - before > DAY)
    found = gaps.of_source(load(), "crypto", GREED, {MOOD: Held(stored[0], stored[-1], jumps)}, NOW)
    assert sorted(day for gap in found for day in gap.days) == sorted(first + DAY * n for n in removed)
    assert all(before.until + DAY < after.since for before, after in pairwise(found))


def test_what_was_asked_for_since_and_not_given_is_not_there(home: Path) -> None:
    pipeline, record = "crypto", {MOOD: Held(date(2026, 11, 1), date(2026, 11, 20))}

    def told_after(hours: float, source: Any = GREED, held: Any = record) -> list[tuple[str, str, bool]]:
        at = datetime(2026, 11, 22, 0, 15, tzinfo=UTC) + timedelta(hours=hours)
        return told(gaps.of_source(load(), pipeline, source, held, NOW, Movement(at, at)))

    # The 21st came out a day before; the 22nd at that very instant.
    assert told_after(-1) == [("2026-11-22", "2026-11-22", True)]
    assert told_after(0) == []
    # What can only be seen live is no less missing.
    live = {"coingecko.btc_dominance": record[MOOD]}
    assert told_after(0, DOMINANCE, live) == [("2026-11-21", "2026-11-22", False)]


# ---------------------------------------------------------------- from the store


@pytest.fixture
def store(home: Path) -> Iterator[Any]:
    db.migrate(load())
    with db.writer(load()) as connection:
        yield connection


def put(connection: Any, name: str, stored: list[date], coins: int = 1) -> None:
    tail = "'test', 'run', TIMESTAMPTZ '2026-11-23 00:00:00Z', FALSE"
    for day in stored:
        if name == "crypto_price":
            connection.executemany(
                f"INSERT INTO crypto_price SELECT ?, ?, 'x', 'x', 1, 1, 1, 1, 0, 0, 0, {tail}",
                [(f"coin-{n}", day) for n in range(coins)],
            )
        else:
            connection.execute(f"INSERT INTO observation SELECT ?, ?, 1, NULL, {tail}", [name, day])


def test_the_store_tells_its_days_and_jumps(store: Any) -> None:
    put(store, "a.daily", [*days("2026-11-01", 3), *days("2026-11-06", 2)])
    put(store, "a.single", days("2026-11-01", 1))
    found = held(store, {})
    assert found["a.daily"] == Held(
        date(2026, 11, 1), date(2026, 11, 7), ((date(2026, 11, 3), date(2026, 11, 6)),)
    )
    assert found["a.single"] == Held(date(2026, 11, 1), date(2026, 11, 1))
    assert "crypto_price" not in found


def test_a_day_with_a_few_coins_of_many_is_no_day(store: Any) -> None:
    put(store, "crypto_price", days("2026-11-01", 2), coins=20)
    put(store, "crypto_price", days("2026-11-03", 1), coins=10)
    put(store, "crypto_price", days("2026-11-04", 1), coins=11)
    found = held(store, {"crypto_price": 11})["crypto_price"]
    assert found.jumps == ((date(2026, 11, 2), date(2026, 11, 4)),)


def test_a_day_that_the_upstream_has_no_value_of_is_no_gap(store: Any, home: Path) -> None:
    put(store, MOOD, [*days("2026-11-01", 3), *days("2026-11-06", 17)])
    assert len(of(GREED, held(store, {}))) == 1
    for _twice in range(2):
        absent.keep(store, [(MOOD, day) for day in days("2026-11-04", 2)], "test", "run", NOW)
    assert of(GREED, held(store, {})) == []


def test_what_an_answer_leaves_out_between_its_days_is_what_the_upstream_has_not(home: Path) -> None:
    rows = [
        {"series": MOOD, "date": day, "value": 1.0}
        for day in (*days("2026-11-01", 2), *days("2026-11-05", 1))
    ]
    assert gaps_within(GREED, Batch(rows)) == [(MOOD, day) for day in days("2026-11-03", 2)]
    # Of what can only be seen live an answer says nothing of other days.
    live = [{"series": "coingecko.btc_dominance", "date": day, "value": 1.0} for day in days("2026-11-01", 1)]
    assert gaps_within(DOMINANCE, Batch(live)) == []


# ---------------------------------------------------------------- days off


@pytest.fixture
def desk(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    with FakeUpstream() as up, speaking("en"):
        yield Desk(up, monkeypatch, capsys, NOW)


@pytest.mark.parametrize("trigger", ["schedule", "catchup", "cli"])
def test_after_days_off_one_start_collects_what_today_needs_and_lists_what_is_missing(
    desk: Desk, trigger: str
) -> None:
    assert desk.collect(NOW - 6 * DAY, "crypto")[0] == 0
    usual = desk.up.count()
    code, said = desk.collect(NOW, "crypto", "--trigger", trigger)
    assert code == 0
    # As many calls as on any other day: the missed ones are in the same answers, or in none.
    assert desk.up.count() <= usual
    lines = [line for line in said.splitlines() if line.startswith("gap: ")]
    assert lines == [
        "gap: coingecko.markets: 5 days missing, Wed 18 Nov to Sun 22 Nov;"
        " it can still be had until 2027-11-18",
        "gap: defillama.protocols: 5 days missing, Wed 18 Nov to Sun 22 Nov; it can still be had",
        "gap: coingecko.global: 5 days missing, Wed 18 Nov to Sun 22 Nov; it cannot be had any more",
    ]
    assert desk.collect(NOW + timedelta(minutes=1), "crypto", "--trigger", "catchup")[0] == 0
    assert desk.up.count() == 0


def test_the_verb_lists_every_gap_with_what_it_takes(desk: Desk) -> None:
    desk.collect(NOW - 6 * DAY, "crypto")
    desk.collect(NOW, "crypto")
    del os.environ["COLLECTOR_PACE_S"]
    code, said = desk.collect(NOW, "gaps", "--json")
    assert code == 0 and desk.up.count() == 0
    told = json.loads(said)
    assert (told["schema"], told["since"], told["until"]) == (1, "2026-11-18", "2026-11-23")
    assert [
        (gap["source"], gap["days"], gap["state"], gap["calls"], gap["minutes"]) for gap in told["gaps"]
    ] == [
        # Keyless: five calls a minute.
        ("coingecko.markets", 5, "missing", 20, 4.0),
        ("coingecko.global", 5, "unrecoverable", 0, 0.0),
        ("defillama.protocols", 5, "missing", 30, 0.1),
    ]
    first = told["gaps"][0]
    assert (first["from"], first["to"], first["recoverable_until"]) == (
        "2026-11-18",
        "2026-11-22",
        "2027-11-18",
    )
    assert (first["pipeline"], first["table"]) == ("crypto", "crypto_price")
    _code, said = desk.collect(NOW, "gaps")
    assert "  20 calls, 4 min" in said.splitlines()
    os.environ["COINGECKO_API_KEY"] = "CG-demo-key-of-the-fake"
    _code, said = desk.collect(NOW, "gaps")
    assert "  20 calls, 0.7 min" in said.splitlines()


def test_of_an_empty_home_no_day_is_missing(desk: Desk) -> None:
    assert desk.collect(NOW, "gaps") == (0, "No day is missing.\n")


def test_a_store_of_the_version_before_takes_the_holes_of_whole_histories_for_the_upstreams(
    desk: Desk,
) -> None:
    assert desk.collect(NOW - DAY, "crypto")[0] == 0
    with db.writer(load()) as connection:
        connection.execute("UPDATE meta SET schema_version = 3")
        connection.execute("DROP TABLE absent")
        connection.execute("DELETE FROM observation WHERE date IN ('2026-11-02', '2026-11-03')")
    code, said = desk.collect(NOW, "crypto")
    assert code == 0 and "gap:" not in said
    with db.reader(load()) as connection:
        known = absent.known(connection)
    assert {date(2026, 11, 2), date(2026, 11, 3)} <= known[MOOD] and "coingecko.btc_dominance" not in known


def test_without_days_off_nothing_is_listed(desk: Desk) -> None:
    for n in (2, 1, 0):
        code, said = desk.collect(NOW - n * DAY, "crypto")
        assert code == 0 and "gap:" not in said
