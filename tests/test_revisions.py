"""What was revised: each old value beside what replaced it, restated series a line a vintage."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage import db, landing, merge, read_revisions, schema
from storage.db import StoreBusy
from storage.settings import Settings, load
from storage.tables import CRYPTO_PRICE, OBSERVATION, STRESS_INDEX, Table

DAY = date(2026, 11, 20)
FIRST = datetime(2026, 11, 21, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def settings(home: Path) -> Settings:
    found = load()
    landing.prepare(found)
    return found


def keep(settings: Settings, table: Table, rows: list[dict[str, Any]], hours: int, **more: Any) -> None:
    """A batch of rows, seen and merged that many hours after the first."""
    at, run = FIRST + hours * HOUR, f"run-{hours}"
    told = {"source": "x", "run_id": run, "observed_at": at, "provisional": more.pop("provisional", False)}
    blank = {name: None for name, _kind in table.columns}
    landed = landing.land(
        settings, table, [{**blank, **row, **told} for row in rows], run_id=run, step="x", source="x",
        observed_at=at, rejected=0, frozen_before=None, thaws=True, **{"restates": False, **more},
    )  # fmt: skip
    with db.writer(settings) as connection:
        schema.migrate_within(settings, connection)
        merge.merge(connection, landed, at)


def value(series: str, number: float, day: date = DAY) -> dict[str, Any]:
    return {"series": series, "date": day, "value": number}


def lines(settings: Settings, *columns: str, open_days: bool = False) -> list[tuple[Any, ...]]:
    found = read_revisions.revised(settings, open_days).single
    return list(found[list(columns)].itertuples(index=False, name=None))


def test_a_value_that_was_revised_twice_has_two_lines_that_meet(settings: Settings) -> None:
    for hours, number in ((0, 3.9), (24, 4.1), (48, 4.0)):
        keep(settings, OBSERVATION, [value("fred.SOFR", number)], hours)
    columns = ("upstream", "series", "old", "new", "known_at", "replaced_at", "old_run", "new_run")
    assert lines(settings, *columns) == [
        ("fred", "fred.SOFR", 4.1, 4.0, FIRST + 24 * HOUR, FIRST + 48 * HOUR, "run-24", "run-48"),
        ("fred", "fred.SOFR", 3.9, 4.1, FIRST, FIRST + 24 * HOUR, "run-0", "run-24"),
    ]
    assert [round(change, 9) for (change,) in lines(settings, "change")] == [-0.1, 0.2]
    assert {day.date() for (day,) in lines(settings, "date")} == {DAY}


def test_a_value_that_comes_back_is_two_revisions(settings: Settings) -> None:
    for hours, number in ((0, 3.9), (24, 4.1), (48, 3.9)):
        keep(settings, OBSERVATION, [value("fred.SOFR", number)], hours)
    assert lines(settings, "old", "new") == [(4.1, 3.9), (3.9, 4.1)]


def test_what_comes_late_takes_its_place_in_the_chain(settings: Settings) -> None:
    for hours, number in ((0, 3.9), (48, 4.0), (24, 4.1)):
        keep(settings, OBSERVATION, [value("fred.SOFR", number)], hours)
    assert lines(settings, "old", "new") == [(4.1, 4.0), (3.9, 4.1)]


def test_when_what_came_late_was_replaced_is_not_known(settings: Settings) -> None:
    # Seen again in the third hour, merged before the batch of the second.
    for hours, number in ((0, 3.9), (2, 3.9), (1, 4.1)):
        keep(settings, OBSERVATION, [value("fred.SOFR", number)], hours)
    ((old, new, at),) = lines(settings, "old", "new", "replaced_at")
    assert (old, new) == (4.1, 3.9) and at != at


def test_a_change_of_another_column_is_no_line_and_does_not_move_since_when(settings: Settings) -> None:
    coin = {"coin": "bitcoin", "date": DAY}
    for hours, price, volume in ((0, 100.0, 1.0), (1, 100.0, 2.0), (2, 90.0, 2.0)):
        keep(settings, CRYPTO_PRICE, [coin | {"price": price, "volume": volume}], hours)
    found = lines(settings, "upstream", "series", "old", "new", "known_at", "replaced_at")
    assert found == [("coingecko", "bitcoin", 100.0, 90.0, FIRST, FIRST + 2 * HOUR)]


def test_a_corrected_index_is_a_line_of_its_own(settings: Settings) -> None:
    first = {"first_index": 41.2, "first_percentile": 12.0, "first_seen": FIRST}
    for hours, number in ((0, 41.2), (24, 41.6)):
        keep(settings, STRESS_INDEX, [{"date": DAY, "index": number} | first], hours)
    assert lines(settings, "table_name", "upstream", "old", "new") == [
        ("stress_index", "stress_index", 41.2, 41.6)
    ]


def test_what_changed_before_its_day_was_over_is_told_only_to_who_asks(settings: Settings) -> None:
    keep(settings, OBSERVATION, [value("yahoo.^VIX", 16.0), value("fred.SOFR", 3.9)], 0, provisional=True)
    keep(settings, OBSERVATION, [value("yahoo.^VIX", 16.5), value("fred.SOFR", 3.9)], 1)
    keep(settings, OBSERVATION, [value("fred.SOFR", 4.0)], 2)
    assert lines(settings, "series", "final") == [("fred.SOFR", True)]
    assert lines(settings, "series", "final", open_days=True) == [("fred.SOFR", True), ("yahoo.^VIX", False)]


def test_a_restated_series_is_a_line_a_vintage_and_no_revision(settings: Settings) -> None:
    days = [date(2026, 10, 2) + timedelta(days=7 * n) for n in range(6)]
    vintages = ([1.0, 2.0, 3.0, 4.0, 5.0], [1.5, 2.0, 3.0, 3.9, 5.25, 6.0], [1.5, 2.0, 3.0, 3.9, 5.25, 6.5])
    for n, numbers in enumerate(vintages):
        rows = [value("fred.STLFSI4", one, day) for one, day in zip(numbers, days, strict=False)]
        keep(settings, OBSERVATION, rows, 24 * n, restates=True)
    found = read_revisions.revised(settings)
    assert found.single.empty
    columns = ["series", "vintage", "replaced_at", "changed", "held", "largest", "first", "last"]
    told = [
        (series, since, until, changed, held, round(largest, 9), first.date(), last.date())
        for series, since, until, changed, held, largest, first, last in
        found.vintages[columns].itertuples(index=False, name=None)
    ]  # fmt: skip
    day = 24 * HOUR
    assert told == [
        ("fred.STLFSI4", FIRST + day, FIRST + 2 * day, 1, 1, 0.5, days[5], days[5]),
        ("fred.STLFSI4", FIRST, FIRST + day, 3, 5, 0.5, days[0], days[4]),
    ]


def test_a_series_is_read_as_it_stands_and_as_it_was_known(settings: Settings) -> None:
    keep(settings, OBSERVATION, [value("fred.SOFR", 3.9), value("fred.SOFR", 3.8, date(2026, 11, 19))], 0)
    keep(settings, OBSERVATION, [value("fred.SOFR", 4.1), value("fred.SOFR", 4.2, date(2026, 11, 21))], 24)
    found = read_revisions.series(settings, "fred.SOFR", FIRST + HOUR)
    assert found.today["value"].tolist() == [3.8, 4.1, 4.2]
    assert found.then["value"].tolist() == [3.8, 3.9]
    # Read again only after a merge.
    assert read_revisions.series(settings, "fred.SOFR", FIRST + HOUR) is found
    assert read_revisions.series(settings, "fred.SOFR", FIRST + 30 * HOUR).then["value"].tolist() == [
        3.8,
        4.1,
        4.2,
    ]


def test_only_the_last_looks_into_the_past_are_kept(settings: Settings) -> None:
    keep(settings, OBSERVATION, [value("fred.SOFR", 3.9)], 0)
    for n in range(40):
        read_revisions.series(settings, "fred.SOFR", FIRST + n * HOUR)
    assert len(read_revisions._looks) == read_revisions._LOOKS


def test_without_a_store_nothing_was_revised_and_nothing_is_wrong(settings: Settings) -> None:
    found = read_revisions.revised(settings)
    assert found.single.empty and found.vintages.empty and found.problem is None
    one = read_revisions.series(settings, "fred.SOFR", FIRST)
    assert one.today.empty and one.then.empty and one.problem is None


def test_a_store_that_is_locked_is_said_and_the_last_look_serves(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hours, number in ((0, 3.9), (24, 4.1)):
        keep(settings, OBSERVATION, [value("fred.SOFR", number)], hours)
    before = read_revisions.revised(settings)
    monkeypatch.setattr(read_revisions.kept.ledger, "merge_mark", lambda _settings: "merged since")

    def locked(*_: object) -> None:
        raise StoreBusy("busy", "The store is in use")

    monkeypatch.setattr(read_revisions.db, "reader", locked)
    found = read_revisions.revised(settings)
    assert found.problem is not None and found.single is before.single
