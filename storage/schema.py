"""The store's tables: created in one transaction, checked at every opening that writes."""

import duckdb

from storage import clock, points
from storage.settings import Settings
from storage.store_error import StoreError
from storage.tables import (
    ABSENT,
    BRIEF,
    CHECK_RESULT,
    OBSERVED,
    PUBLISHED,
    RECEIPT,
    REPLAYED,
    REVISION,
    SERIES,
    Table,
)
from storage.texts import N_

# 2: headlines, speeches and the StressIndex. 3: news, and the brief. 4: days that upstreams have no value of.
# 5: what the checks found.
SCHEMA_VERSION = 5


def _create(table: Table) -> str:
    columns = ", ".join(
        f'"{name}" {kind}{" NOT NULL" if name in table.key else ""}' for name, kind in table.all_columns
    )
    key = ", ".join(f'"{name}"' for name in table.key)
    return f"CREATE TABLE IF NOT EXISTS {table.name} ({columns}, PRIMARY KEY ({key}))"


def _create_all(connection: duckdb.DuckDBPyConnection) -> None:
    for table in (*OBSERVED, SERIES, REVISION, RECEIPT, *PUBLISHED, *REPLAYED, BRIEF, ABSENT, CHECK_RESULT):
        connection.execute(_create(table))


def _add_columns(connection: duckdb.DuckDBPyConnection) -> None:
    """Columns that a table of an earlier version has not got yet, NULL in every row."""
    for table in OBSERVED:
        have = {row[0] for row in connection.execute(f"DESCRIBE {table.name}").fetchall()}
        for name, kind in table.all_columns:
            if name not in have:
                connection.execute(f'ALTER TABLE {table.name} ADD COLUMN "{name}" {kind}')


_CRYPTO_METRIC = """
CREATE OR REPLACE VIEW crypto_metric AS
SELECT date,
  max(value) FILTER (series = 'defillama.total_tvl') AS total_tvl,
  max(value) FILTER (series = 'alternative_me.fear_greed_index') AS fear_greed_index,
  max(note) FILTER (series = 'alternative_me.fear_greed_index') AS fear_greed_label,
  max(value) FILTER (series = 'coingecko.btc_dominance') AS btc_dominance,
  string_agg(DISTINCT source, ' ' ORDER BY source) AS source,
  arg_max(run_id, observed_at) AS run_id,
  max(observed_at) AS observed_at,
  bool_or(provisional) AS provisional
FROM observation
WHERE series IN ('defillama.total_tvl', 'alternative_me.fear_greed_index', 'coingecko.btc_dominance')
GROUP BY date
"""


def found(connection: duckdb.DuckDBPyConnection) -> tuple[int, bool] | None:
    """(schema version, demo) of the store, None for a new one."""
    try:
        row = connection.execute("SELECT schema_version, demo FROM meta").fetchone()
    except duckdb.CatalogException:
        return None
    return (int(row[0]), bool(row[1])) if row else None


def refuse_newer(version: int) -> None:
    """Raises StoreError for a store of a later version: its tables may be others, for readers too."""
    if version > SCHEMA_VERSION:
        raise StoreError(
            "schema",
            N_("The store was written by a newer version of this program ({version}). Update the program."),
            version=version,
        )


def migrate_within(settings: Settings, connection: duckdb.DuckDBPyConnection) -> None:
    """`migrate` inside a transaction that is already open."""
    made = found(connection)
    if made is None:
        _create_all(connection)
        connection.execute(_CRYPTO_METRIC)
        # Internal: when an unchanged row was last seen, so that a late batch cannot pass for news.
        connection.execute(
            "CREATE TABLE IF NOT EXISTS sighting (table_name VARCHAR NOT NULL, key VARCHAR NOT NULL,"
            " seen_at TIMESTAMPTZ, PRIMARY KEY (table_name, key))"
        )
        points.reach("during_migration")
        connection.execute("CREATE TABLE meta (schema_version INTEGER, demo BOOLEAN, created_at TIMESTAMPTZ)")
        connection.execute("INSERT INTO meta VALUES (?,?,?)", (SCHEMA_VERSION, settings.demo, clock.now()))
        return
    version, demo = made
    refuse_newer(version)
    if version < SCHEMA_VERSION:
        # What is new since then are tables and columns; none has changed.
        _create_all(connection)
        _add_columns(connection)
        points.reach("during_migration")
        connection.execute("UPDATE meta SET schema_version = ?", (SCHEMA_VERSION,))
    if demo != settings.demo:
        raise StoreError(
            "schema",
            N_("The store {file} holds DEMO rows; a real run never writes to it. Move it aside.")
            if demo
            else N_("The store {file} holds real rows; a demo never writes to it. Set COLLECTOR_HOME."),
            file=settings.database.name,
        )
