"""The MERGE: what a batch does to stored rows depends on when it was observed, never on when it came."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count, permutations
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from storage import clock, db, landing, merge, read, upkeep
from storage.settings import Settings, load
from storage.tables import CRYPTO_PRICE, OBSERVATION, PROTOCOL_TVL, Table

DAY = date(2026, 11, 22)
SIX = datetime(2026, 11, 22, 21, tzinfo=UTC)  # 06:00 in Seoul, while the UTC day is not over
NEXT = SIX + timedelta(days=1)


@pytest.fixture
def store(home: Path) -> Settings:
    settings = load()
    db.migrate(settings)
    landing.prepare(settings)
    return settings


def price(
    coin: str = "bitcoin", value: float | None = 97_000.0, day: date = DAY, **more: Any
) -> dict[str, Any]:
    blank = dict.fromkeys(name for name, _ in CRYPTO_PRICE.columns)
    return {**blank, "coin": coin, "date": day, "symbol": coin[:3], "price": value, **more}


def land(
    settings: Settings,
    run_id: str,
    rows: Sequence[dict[str, Any]],
    at: datetime = SIX,
    table: Table = CRYPTO_PRICE,
    **more: Any,
) -> merge.Landed:
    full = [
        {
            "source": "test",
            "run_id": run_id,
            "observed_at": at,
            "provisional": at < clock.day_end(row["date"]),
            **row,
        }
        for row in rows
    ]
    return landing.land(
        settings, table, full, run_id=run_id, step=f"test.{table.name}", source="test", observed_at=at, **more
    )


def put(settings: Settings, *batches: merge.Landed) -> list[merge.MergeCount]:
    counts = []
    for batch in batches:
        with db.writer(settings) as connection:
            counts.append(merge.merge(connection, batch, SIX))
    return counts


def rows(settings: Settings, query: str) -> list[dict[str, Any]]:
    with db.reader(settings) as connection:
        return read.rows(connection, query)


def table(settings: Settings, name: str = "crypto_price") -> list[dict[str, Any]]:
    return rows(settings, f"SELECT * FROM {name} ORDER BY ALL")


def test_a_first_batch_is_inserted_and_the_same_again_leaves_every_column_untouched(store: Settings) -> None:
    assert put(store, land(store, "r1", [price(), price("ethereum", 3500.0)])) == [
        merge.MergeCount(inserted=2)
    ]
    before = table(store)
    later = land(store, "r2", [price(), price("ethereum", 3500.0)], SIX + timedelta(minutes=5))
    assert put(store, later) == [merge.MergeCount(unchanged=2)]
    assert table(store) == before
    assert rows(store, "SELECT * FROM revision") == []


def test_a_newer_value_replaces_and_the_old_one_goes_to_revision(store: Settings) -> None:
    put(store, land(store, "r1", [price()]))
    assert put(store, land(store, "r2", [price(value=97_500.0)], SIX + timedelta(hours=1))) == [
        merge.MergeCount(updated=1)
    ]
    (row,) = table(store)
    assert (row["price"], row["run_id"], row["provisional"]) == (97_500.0, "r2", True)
    (old,) = rows(
        store, "SELECT key, known_at, replaced->>'price' AS price, was_provisional, run_id FROM revision"
    )
    assert old == {
        "key": '{"coin":"bitcoin","date":"2026-11-22"}',
        "known_at": SIX,
        "price": "97000.0",
        "was_provisional": True,
        "run_id": "r1",
    }


def test_an_older_different_value_goes_to_revision_and_counts_as_unchanged(store: Settings) -> None:
    put(store, land(store, "r2", [price(value=97_500.0)], SIX + timedelta(hours=1)))
    assert put(store, land(store, "r1", [price()])) == [merge.MergeCount(unchanged=1)]
    assert table(store)[0]["price"] == 97_500.0
    assert [row["known_at"] for row in rows(store, "SELECT known_at FROM revision")] == [SIX]


def test_a_final_value_that_changes_is_kept_as_revised(store: Settings) -> None:
    put(store, land(store, "r1", [price()], NEXT))
    put(store, land(store, "r2", [price(value=96_000.0)], NEXT + timedelta(days=1)))
    assert [row["was_provisional"] for row in rows(store, "SELECT was_provisional FROM revision")] == [False]


def test_null_to_a_value_is_an_update_and_no_revision(store: Settings) -> None:
    put(store, land(store, "r1", [price(volume=None)]))
    assert put(store, land(store, "r2", [price(volume=5.0)], SIX + timedelta(hours=1))) == [
        merge.MergeCount(updated=1)
    ]
    assert rows(store, "SELECT * FROM revision") == []


def test_a_bare_flip_to_final_changes_the_flag_and_nothing_else(store: Settings) -> None:
    put(store, land(store, "r1", [price()]))
    assert put(store, land(store, "r2", [price()], NEXT)) == [merge.MergeCount(unchanged=1)]
    (row,) = table(store)
    assert (row["provisional"], row["observed_at"], row["run_id"]) == (False, SIX, "r1")
    assert rows(store, "SELECT * FROM revision") == []


def test_of_two_rows_with_one_key_the_last_counts_and_the_other_is_a_duplicate(store: Settings) -> None:
    counts = put(
        store, land(store, "r1", [price(value=1.0), price(value=2.0), price("ethereum", 3.0)], rejected=4)
    )
    assert counts == [merge.MergeCount(inserted=2, duplicate=1)]
    assert [row["price"] for row in table(store)] == [2.0, 3.0]
    (receipt,) = rows(store, "SELECT fetched, inserted, updated, unchanged, duplicate, rejected FROM receipt")
    assert receipt == {
        "fetched": 7,
        "inserted": 2,
        "updated": 0,
        "unchanged": 0,
        "duplicate": 1,
        "rejected": 4,
    }


def test_a_batch_with_a_receipt_changes_nothing_and_tells_the_counts_of_then(store: Settings) -> None:
    batch = land(store, "r1", [price()])
    first, second = put(store, batch, batch)
    assert first == second == merge.MergeCount(inserted=1)
    assert len(rows(store, "SELECT * FROM receipt")) == 1


def test_sealing_makes_days_that_are_over_final_and_leaves_value_and_time(store: Settings) -> None:
    put(store, land(store, "r1", [price(), price(day=DAY + timedelta(days=1))]))
    with db.writer(store) as connection:
        assert upkeep.seal(connection, CRYPTO_PRICE, DAY + timedelta(days=1)) == 1
    found = [(row["date"], row["provisional"], row["observed_at"]) for row in table(store)]
    assert found == [(DAY, False, SIX), (DAY + timedelta(days=1), True, SIX)]


def test_a_late_batch_of_a_sealed_day_never_opens_it_again(store: Settings) -> None:
    put(store, land(store, "r1", [price()]))
    with db.writer(store) as connection:
        upkeep.seal(connection, CRYPTO_PRICE, DAY + timedelta(days=1))
    put(store, land(store, "r2", [price(value=98_000.0)], SIX + timedelta(hours=2)))
    (row,) = table(store)
    assert (row["price"], row["provisional"]) == (98_000.0, False)


def test_history_before_the_days_that_are_read_again_is_filled_but_not_rewritten(store: Settings) -> None:
    def tvl(day: date, value: float) -> dict[str, Any]:
        return {"series": "defillama.total_tvl", "date": day, "value": value, "note": None}

    old, gap = DAY - timedelta(days=30), DAY - timedelta(days=29)
    put(store, land(store, "r1", [tvl(old, 90e9), tvl(DAY, 92e9)], NEXT, OBSERVATION))
    again = [tvl(old, 1e9), tvl(gap, 91e9), tvl(DAY, 93e9)]
    batch = land(
        store, "r2", again, NEXT + timedelta(days=1), OBSERVATION, frozen_before=DAY - timedelta(days=6)
    )
    assert put(store, batch) == [merge.MergeCount(inserted=1, updated=1, unchanged=1)]
    assert [row["value"] for row in table(store, "observation")] == [90e9, 91e9, 93e9]
    assert len(rows(store, "SELECT * FROM revision")) == 1


def test_demo_and_real_rows_never_meet(store: Settings) -> None:
    with pytest.raises(db.StoreError, match="never meet"):
        put(store, land(store, "r1", [price(source="DEMO")]))
    assert table(store) == []


def test_intraday_revisions_are_forgotten_after_ninety_days_and_final_ones_never(store: Settings) -> None:
    put(
        store,
        land(store, "a", [price(value=1.0)]),
        land(store, "b", [price(value=2.0)], SIX + timedelta(hours=1)),
    )
    put(
        store,
        land(store, "c", [price(value=3.0)], NEXT),
        land(store, "d", [price(value=4.0)], NEXT + timedelta(hours=1)),
    )
    for days, left in ((89, 3), (92, 1)):
        with db.writer(store) as connection:
            upkeep.prune(connection, NEXT + timedelta(days=days))
        assert len(rows(store, "SELECT * FROM revision")) == left


def test_a_row_without_a_key_is_refused_by_the_table_itself(store: Settings) -> None:
    for name, key in (("crypto_price", "coin"), ("protocol_tvl", "protocol"), ("observation", "series")):
        found = rows(
            store,
            f"SELECT is_nullable FROM duckdb_columns() WHERE table_name='{name}' AND column_name='{key}'",
        )
        assert found == [{"is_nullable": False}]
    with pytest.raises(duckdb.ConstraintException):
        put(store, land(store, "r1", [{**price(), "coin": None}]))
    assert PROTOCOL_TVL.values == ("name", "category", "tvl", "change_1d", "change_7d")


# ---------------------------------------------------------------- any order

_homes = count()


def _fresh(base: Path) -> Iterator[Settings]:
    """A store of its own for every order that is tried."""
    while True:
        settings = load(COLLECTOR_HOME=str(base / f"order{next(_homes)}"))
        db.migrate(settings)
        landing.prepare(settings)
        yield settings


Observations = list[tuple[int, float | None]]


def _state(settings: Settings, observations: Observations, *, provenance: bool) -> tuple[Any, Any]:
    for minutes, value in observations:
        at = SIX + timedelta(minutes=minutes)
        put(settings, land(settings, f"r{minutes}", [price(value=value, volume=1.0)], at))
    columns = "*" if provenance else "coin, date, price, volume, provisional"
    return (
        rows(settings, f"SELECT {columns} FROM crypto_price ORDER BY ALL"),
        rows(
            settings,
            "SELECT DISTINCT key, replaced->>'price' AS price, was_provisional FROM revision ORDER BY ALL",
        ),
    )


_minute = st.sampled_from([0, 30, 120, 200, 300, 600])  # three before the day's end, three after
_value = st.sampled_from([10.0, 11.0, None])


@profile(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_minute, _value), min_size=2, max_size=2, unique_by=lambda pair: pair[0]))
def test_two_batches_in_either_order_give_the_same_table_to_the_last_column(
    home: Path, observations: Observations
) -> None:
    stores = _fresh(home)
    one = _state(next(stores), observations, provenance=True)
    other = _state(next(stores), observations[::-1], provenance=True)
    assert one == other


@profile(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_minute, _value), min_size=3, max_size=3, unique_by=lambda pair: pair[0]))
def test_three_batches_in_any_order_give_the_same_values(home: Path, observations: Observations) -> None:
    stores = _fresh(home)
    found = [_state(next(stores), list(order), provenance=False) for order in permutations(observations)]
    assert all(row == found[0][0] for row, _revisions in found)


def test_a_value_that_came_back_is_not_overruled_by_a_late_batch_in_between(home: Path) -> None:
    settings = next(_fresh(home))
    state, _revisions = _state(settings, [(0, 12.0), (30, 12.0), (10, 10.0)], provenance=False)
    assert [row["price"] for row in state] == [12.0]


def test_whoever_saw_a_day_comes_before_whoever_filled_its_hole_in_either_order(home: Path) -> None:
    late = SIX + timedelta(days=5)
    for order in ((0, 1), (1, 0)):
        settings = Settings(COLLECTOR_HOME=str(home / str(order[0])), _env_file=None)  # type: ignore[call-arg]
        db.migrate(settings)
        landing.prepare(settings)
        batches = (
            land(settings, "saw", [price(value=1.0)], SIX, frozen_before=SIX.date()),
            land(settings, "filled", [price(value=2.0)], late, frozen_before=late.date()),
        )
        put(settings, *(batches[n] for n in order))
        assert [(row["price"], row["run_id"]) for row in table(settings)] == [(1.0, "saw")]
        assert rows(settings, "SELECT * FROM revision") == []


@pytest.mark.parametrize(("thaws", "kept"), [(False, 1.0), (True, 2.0)])
def test_a_day_that_is_over_changes_only_where_it_was_never_final_and_is_read_again(
    store: Settings, thaws: bool, kept: float
) -> None:
    late = SIX + timedelta(days=10)
    put(store, land(store, "r1", [price(value=1.0)]))
    put(store, land(store, "r2", [price(value=2.0)], late, frozen_before=late.date(), thaws=thaws))
    assert [row["price"] for row in table(store)] == [kept]
    with db.writer(store) as connection:
        upkeep.seal(connection, CRYPTO_PRICE, late.date())
    # Final now: nothing changes it any more.
    later = late + timedelta(days=1)
    put(store, land(store, "r3", [price(value=3.0)], later, frozen_before=later.date(), thaws=thaws))
    assert [row["price"] for row in table(store)] == [kept]


def test_a_landed_batch_that_the_disk_damaged_is_put_aside(store: Settings) -> None:
    batch = land(store, "20261122-210000-abcdef", [price()])
    whole = batch.path.read_bytes()
    for place in range(4, len(whole) - 4, 97):
        batch.path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        assert landing.waiting(store) == []
    batch.path.write_bytes(whole)
    assert [one.path for one in landing.waiting(store)] == [batch.path]
    assert landing.damaged(store) == []
    batch.path.write_bytes(whole[:-1])
    assert landing.damaged(store) == [("20261122-210000-abcdef", "test.crypto_price")]
    assert landing.waiting(store) == landing.damaged(store) == []
    assert (store.home / "quarantine" / batch.path.name).exists()


@pytest.mark.parametrize("large", [False, True])
def test_of_a_large_batch_only_rows_that_do_nothing_are_passed_over(
    store: Settings, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    monkeypatch.setattr(merge, "LARGE_BYTES", 1 if large else 10**9)
    old = DAY - timedelta(days=60)
    early = [price(), price("final"), price("other"), price("old", day=old), price("over", day=old)]
    put(store, land(store, "r1", early, SIX + timedelta(hours=1)))
    # The day is over: the same, another value, one that is new; of a day long past the same, and another.
    late = [price(), price("final"), price("other", 2.0), price("new"), price("old", day=old)]
    late.append(price("over", 2.0, old))
    assert put(store, land(store, "r2", late, NEXT, frozen_before=DAY)) == [
        merge.MergeCount(inserted=1, updated=1, unchanged=4)
    ]
    # Observed before both, and comes last: earlier provenance, and an older value.
    first = [price(), price("final", 3.0), price("old", day=old)]
    assert put(store, land(store, "r0", first)) == [merge.MergeCount(unchanged=3)]
    stored = {row["coin"]: (row["price"], row["run_id"], row["provisional"]) for row in table(store)}
    assert stored == {
        "bitcoin": (97_000.0, "r0", False),
        "final": (97_000.0, "r1", False),
        "other": (2.0, "r2", False),
        "new": (97_000.0, "r2", False),
        "old": (97_000.0, "r0", False),
        "over": (97_000.0, "r1", False),
    }
    assert [row["run_id"] for row in rows(store, "SELECT run_id FROM revision ORDER BY ALL")] == ["r0", "r1"]
    seen = rows(store, "SELECT key->>'coin' AS coin FROM sighting ORDER BY ALL")
    assert [row["coin"] for row in seen] == ["bitcoin", "final"]


def test_a_large_batch_of_the_other_store_is_refused_though_its_rows_are_equal(
    store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, land(store, "r1", [price(day=DAY - timedelta(days=60))], NEXT))
    monkeypatch.setattr(merge, "LARGE_BYTES", 1)
    same = land(store, "r2", [price(day=DAY - timedelta(days=60), source="DEMO")], NEXT)
    with pytest.raises(db.StoreError) as refused:
        put(store, same)
    assert refused.value.code == "schema"
