"""What stood in the record at an instant: of every row the newest values that had been observed by then.

They are the row's own where it is not younger, else what `revision` kept when they were replaced. A batch
that was merged after what stands had been seen again was never in the record. Intraday values are kept for 90
days only, and of series that restate their whole past only the newest vintage: of these a row is left out
rather than told as of another day.
"""

from storage.tables import PROVENANCE, Table


def known_at(table: Table) -> str:
    """The table as it was known at an instant, as SQL of one parameter, with the columns of the table. Only
    for tables of which every column outside the key can be revised."""
    kept = ", ".join(
        [_of("key", name, kind) for name, kind in table.columns if name in table.key]
        + [_of("replaced", name, kind) for name, kind in table.columns if name in table.values]
        + [f"r.{name}" for name, _kind in PROVENANCE]
    )
    names = ", ".join(name for name, _kind in _ordered(table))
    key, kinds = ", ".join(table.key), dict(table.columns)
    # The summary of a vintage is a revision too, of no row.
    of_rows = " AND ".join(f"(r.key ->> '{name}') IS NOT NULL" for name in table.key)
    # What is younger than the row that stands came late, after that was seen again: it never stood.
    same = " AND ".join(f"t.{name} = CAST((r.key ->> '{name}') AS {kinds[name]})" for name in table.key)
    late = f"EXISTS (SELECT 1 FROM {table.name} t WHERE {same} AND t.observed_at < r.known_at)"
    return (
        f"(SELECT * FROM (SELECT {names} FROM {table.name} UNION ALL SELECT {kept} FROM revision r"
        f" WHERE r.table_name = '{table.name}' AND {of_rows} AND NOT {late}) WHERE observed_at <= ?"
        f" QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY observed_at DESC) = 1)"
    )


def _ordered(table: Table) -> list[tuple[str, str]]:
    """Key, values, provenance: the order in which a revision has them."""
    return [
        *(column for column in table.columns if column[0] in table.key),
        *(column for column in table.columns if column[0] in table.values),
        *PROVENANCE,
    ]


def _of(place: str, name: str, kind: str) -> str:
    return f"CAST((r.{place} ->> '{name}') AS {kind})"
