"""What was known when: of single revisions both values with their instants, of restated series the newest."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tuned
from hypothesis import strategies as some

from storage import db, landing, merge, read, schema, vintages
from storage.settings import Settings, load
from storage.tables import CRYPTO_PRICE, OBSERVATION

DAY = date(2026, 11, 20)
FIRST = datetime(2026, 11, 21, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def observed(settings: Settings, n: int, at: datetime, value: float | None, **more: Any) -> None:
    """A batch with one value of DAY, seen at that instant."""
    row = {"series": "fred.SOFR", "date": DAY, "value": value, "note": None}
    told = {"source": "fred.SOFR", "run_id": f"run-{n}", "observed_at": at, "provisional": False}
    landed = landing.land(
        settings, OBSERVATION, [{**row, **told}], run_id=f"run-{n}", step="fred.SOFR", source="fred.SOFR",
        observed_at=at, rejected=0, frozen_before=None, thaws=True, **{"restates": False, **more},
    )  # fmt: skip
    with db.writer(settings) as connection:
        schema.migrate_within(settings, connection)
        merge.merge(connection, landed, at)


def known(settings: Settings, at: datetime) -> list[tuple[object, object]]:
    """(value, known since) of the series at that instant."""
    with db.reader(settings) as connection:
        found = read.as_known_at(connection, "fred.SOFR", at)
    return [(row["value"], row["observed_at"]) for row in found]


@pytest.fixture
def settings(home: Path) -> Settings:
    found = load()
    landing.prepare(found)
    return found


def test_every_value_is_told_from_when_it_was_known(settings: Settings) -> None:
    for n, value in enumerate((3.9, 4.1, 4.0)):
        observed(settings, n, FIRST + n * 24 * HOUR, value)
    assert known(settings, FIRST - HOUR) == []
    assert known(settings, FIRST) == [(3.9, FIRST)]
    assert known(settings, FIRST + 23 * HOUR) == [(3.9, FIRST)]
    assert known(settings, FIRST + 24 * HOUR) == [(4.1, FIRST + 24 * HOUR)]
    assert known(settings, FIRST + 999 * HOUR) == [(4.0, FIRST + 48 * HOUR)]


def test_what_was_confirmed_since_is_known_since_its_first_sight(settings: Settings) -> None:
    for n in range(3):
        observed(settings, n, FIRST + n * HOUR, 3.9)
    assert known(settings, FIRST) == known(settings, FIRST + 9 * HOUR) == [(3.9, FIRST)]


def test_of_a_restated_series_the_newest_vintage_is_told_and_no_summary(
    settings: Settings,
) -> None:
    observed(settings, 0, FIRST, 0.5, restates=True)
    observed(settings, 1, FIRST + 24 * HOUR, 0.6, restates=True)
    assert known(settings, FIRST) == []
    assert known(settings, FIRST + 24 * HOUR) == [(0.6, FIRST + 24 * HOUR)]


@tuned(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=some.lists(some.sampled_from([1.0, 2.0, 3.0]), min_size=1, max_size=5))
def test_at_every_instant_stands_what_was_seen_last_by_then(
    tmp_path_factory: pytest.TempPathFactory, values: Sequence[float]
) -> None:
    settings = Settings(COLLECTOR_HOME=str(tmp_path_factory.mktemp("vintages")))
    landing.prepare(settings)
    for n, value in enumerate(values):
        observed(settings, n, FIRST + n * HOUR, value)
    for n, value in enumerate(values):
        assert [one for one, _since in known(settings, FIRST + n * HOUR)] == [value]


def test_a_table_of_many_columns_is_told_whole(settings: Settings) -> None:
    told = {"source": "coingecko.markets", "provisional": False}
    for n, price in enumerate((100.0, 90.0)):
        at = FIRST + n * HOUR
        row = {
            "coin": "bitcoin", "date": DAY, "symbol": "btc", "name": "Bitcoin", "rank": 1, "price": price,
            "market_cap": 1e12, "volume": 1e9, "change_24h": None, "change_7d": 1.5, "change_30d": None,
        }  # fmt: skip
        landed = landing.land(
            settings, CRYPTO_PRICE, [{**row, **told, "run_id": f"r{n}", "observed_at": at}], run_id=f"r{n}",
            step="coingecko.markets", source="coingecko.markets", observed_at=at, rejected=0,
            frozen_before=None, thaws=True, restates=False,
        )  # fmt: skip
        with db.writer(settings) as connection:
            schema.migrate_within(settings, connection)
            merge.merge(connection, landed, at)
    query = f"SELECT price, rank, change_7d, change_24h, run_id FROM {vintages.known_at(CRYPTO_PRICE)}"
    with db.reader(settings) as connection:
        assert connection.execute(query, [FIRST]).fetchall() == [(100.0, 1, 1.5, None, "r0")]
        assert connection.execute(query, [FIRST + HOUR]).fetchall() == [(90.0, 1, 1.5, None, "r1")]


def test_what_came_late_and_was_never_in_the_record_is_not_told_for_what_stands(settings: Settings) -> None:
    # The batch of the second hour was merged after that of the third, which saw the first value again.
    for n, value in ((0, 3.9), (2, 3.9), (1, 4.1)):
        observed(settings, n, FIRST + n * HOUR, value)
    assert known(settings, FIRST + 9 * HOUR) == [(3.9, FIRST)]
