"""What the stored rows are: every table of the store as data, from which SQL is built.

Units: prices, caps, volumes and TVL in USD; changes in percent; dates are the upstream's own day
(crypto: UTC). Every table also carries `PROVENANCE`.
"""

from dataclasses import dataclass

PROVENANCE: tuple[tuple[str, str], ...] = (
    ("source", "VARCHAR"),
    ("run_id", "VARCHAR"),
    ("observed_at", "TIMESTAMPTZ"),
    ("provisional", "BOOLEAN"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """A stored table. `columns` are (name, DuckDB type) without PROVENANCE; `key` names some of them."""

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that are not part of the key: what a revision can change."""
        return tuple(name for name, _ in self.columns if name not in self.key)

    @property
    def all_columns(self) -> tuple[tuple[str, str], ...]:
        """Columns and provenance, in the order of the table."""
        named = {name for name, _ in self.columns}
        return self.columns + tuple(column for column in PROVENANCE if column[0] not in named)


CRYPTO_PRICE = Table(
    "crypto_price",
    (
        ("coin", "VARCHAR"),
        ("date", "DATE"),
        ("symbol", "VARCHAR"),
        ("name", "VARCHAR"),
        ("rank", "INTEGER"),
        ("price", "DOUBLE"),
        ("market_cap", "DOUBLE"),
        ("volume", "DOUBLE"),
        ("change_24h", "DOUBLE"),
        ("change_7d", "DOUBLE"),
        ("change_30d", "DOUBLE"),
    ),
    ("coin", "date"),
)

PROTOCOL_TVL = Table(
    "protocol_tvl",
    (
        ("protocol", "VARCHAR"),
        ("date", "DATE"),
        ("name", "VARCHAR"),
        ("category", "VARCHAR"),
        ("tvl", "DOUBLE"),
        ("change_1d", "DOUBLE"),
        ("change_7d", "DOUBLE"),
    ),
    ("protocol", "date"),
)

OBSERVATION = Table(
    "observation",
    (("series", "VARCHAR"), ("date", "DATE"), ("value", "DOUBLE"), ("note", "VARCHAR")),
    ("series", "date"),
)

SERIES = Table(
    "series",
    (
        ("series", "VARCHAR"),
        ("title", "VARCHAR"),
        ("unit", "VARCHAR"),
        ("frequency", "VARCHAR"),
        ("upstream", "VARCHAR"),
        ("url", "VARCHAR"),
        ("licence", "VARCHAR"),
        ("restates", "BOOLEAN"),
    ),
    ("series",),
)

# `replaced` holds the values that stood before, as JSON; `known_at` is since when they were known.
REVISION = Table(
    "revision",
    (
        ("table_name", "VARCHAR"),
        ("key", "VARCHAR"),
        ("known_at", "TIMESTAMPTZ"),
        ("replaced", "JSON"),
        ("was_provisional", "BOOLEAN"),
    ),
    ("table_name", "key", "known_at"),
)

RECEIPT = Table(
    "receipt",
    (
        ("run_id", "VARCHAR"),
        ("step", "VARCHAR"),
        ("table_name", "VARCHAR"),
        ("fetched", "BIGINT"),
        ("inserted", "BIGINT"),
        ("updated", "BIGINT"),
        ("unchanged", "BIGINT"),
        ("duplicate", "BIGINT"),
        ("rejected", "BIGINT"),
        ("committed_at", "TIMESTAMPTZ"),
    ),
    ("run_id", "step"),
)

OBSERVED: tuple[Table, ...] = (CRYPTO_PRICE, PROTOCOL_TVL, OBSERVATION)
BY_NAME: dict[str, Table] = {table.name: table for table in (*OBSERVED, SERIES)}
