"""How the store's file is cut: small enough that a day's rows cost a day's writing."""

from pathlib import Path

import duckdb
import pytest

from storage import db
from storage.settings import Settings, load


@pytest.fixture
def settings(home: Path) -> Settings:
    return load()


def add(connection: duckdb.DuckDBPyConnection, first: int, rows: int) -> None:
    """Days of a series, one row a day from day `first` on."""
    connection.execute(
        "INSERT INTO observation BY NAME SELECT 'a.series' AS series, DATE '1900-01-01' + CAST(i AS INTEGER)"
        " AS date, i * 0.37 AS value, 'a' AS source, 'r' AS run_id, TIMESTAMPTZ '2026-01-01' AS observed_at,"
        " FALSE AS provisional FROM range(?, ?) AS r(i)",
        [first, first + rows],
    )


def groups(settings: Settings) -> dict[int, tuple[int, frozenset[int]]]:
    """Of each row group of the values: how many rows it has, in which blocks they are."""
    with db.reader(settings) as connection:
        found = connection.execute(
            "SELECT row_group_id, sum(count), list(block_id) FROM pragma_storage_info('store.observation')"
            " WHERE column_name = 'value' AND segment_type <> 'VALIDITY' GROUP BY ALL"
        ).fetchall()
    return {group: (int(rows), frozenset(blocks)) for group, rows, blocks in found}


def block_size(settings: Settings) -> int:
    with db.reader(settings) as connection:
        found = connection.execute(
            "SELECT block_size FROM pragma_database_size() WHERE database_name = 'store'"
        ).fetchall()
    return int(found[0][0])


def sums(settings: Settings) -> tuple[int, int, float]:
    with db.reader(settings) as connection:
        found = connection.execute(
            "SELECT count(*), count(DISTINCT date), round(sum(value), 2) FROM observation"
        ).fetchall()
    return found[0]


def test_a_day_is_put_to_the_end_of_a_table_and_the_rest_is_not_written_again(settings: Settings) -> None:
    db.migrate(settings)
    with db.writer(settings) as connection:
        add(connection, 0, 60_000)
    before = groups(settings)
    with db.writer(settings) as connection:
        add(connection, 60_000, 7)
    after = groups(settings)
    again = [rows for group, (rows, blocks) in after.items() if before.get(group) != (rows, blocks)]
    assert sum(rows for rows, _blocks in after.values()) == 60_007
    # Of DuckDB's own sizes the one group would be all of it.
    assert len(again) == 1 and again[0] < 16_400
    assert block_size(settings) == 65_536


@pytest.mark.parametrize("rows", [20_000, 130_000])
def test_a_store_that_was_cut_otherwise_is_written_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """One of an earlier version: DuckDB's own sizes, and more rows in a group than one has now."""
    with monkeypatch.context() as earlier:
        earlier.setattr(db, "BLOCK_SIZE", 262_144)
        earlier.setattr(db, "ROW_GROUP_SIZE", 122_880)
        db.migrate(settings)
        with db.writer(settings) as connection:
            add(connection, 0, rows)
    assert max(rows for rows, _blocks in groups(settings).values()) > db.ROW_GROUP_SIZE
    for day in range(3):
        with db.writer(settings) as connection:
            add(connection, rows + day * 9_000, 9_000)
            connection.execute("UPDATE observation SET value = value + 1 WHERE date = '1900-01-01'")
    n = rows + 27_000
    assert sums(settings) == (n, n, round(sum(i * 0.37 for i in range(n)) + 3, 2))
    assert block_size(settings) == 262_144
    # And is read by a program that knows nothing of it.
    with duckdb.connect(str(settings.database), read_only=True) as other:
        assert other.execute("SELECT count(*) FROM observation").fetchone() == (n,)
