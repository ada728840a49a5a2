"""The only statement that writes observations: a landed batch into its table, with its receipt.

What a batch does to a stored row depends on the two instants at which they were observed, never on
the order in which batches arrive:

- no row of that key: inserted;
- newer and different: the row is replaced, its old values go to `revision`;
- older and different: goes to `revision`, the row stays;
- a day that is over for that source: the row stays, only a hole is filled (and whoever saw the day
  comes before whoever filled its hole);
- a series that restates its whole past: the newest vintage stands, of the one before a summary is kept;
- equal: the row stays as it is. If the batch is older, the row takes its (earlier) provenance; if it
  was observed after the day's end, a provisional row is final now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from storage import engine
from storage.db import StoreError
from storage.tables import RECEIPT, Table
from storage.texts import N_

# How long a landed batch can still be replayed; sightings older than that are of no use.
REPLAYABLE = timedelta(days=7)
# From which size of its file a batch is large: some ten thousand rows.
LARGE_BYTES = 500_000


@dataclass(frozen=True, slots=True)
class MergeCount:
    """What a batch did: rows inserted, updated, left as they were, dropped as duplicates of a key."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicate: int = 0

    @property
    def merged(self) -> int:
        return self.inserted + self.updated


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a batch is to do: how many of its rows have each verdict, and whether any of the equal ones does
    what `_effects` says."""

    verdicts: Mapping[str, int]
    earlier: bool = False
    final: bool = False
    seen: bool = False

    def of(self, *verdicts: str) -> int:
        """How many rows have one of these verdicts."""
        return sum(self.verdicts.get(verdict, 0) for verdict in verdicts)

    def has(self, *verdicts: str) -> bool:
        return self.of(*verdicts) > 0


@dataclass(frozen=True, slots=True)
class Landed:
    """A landed batch: where its rows are, and what its receipt has to say.

    A file has one row a key; `duplicate` more were given, of which the last one counts.
    `frozen_before`: stored rows of earlier days are not changed by it, only holes filled: a day that is
    over cannot be seen live any more, and history that is restated is not read again (None: any day
    may change). `thaws`: but rows that were never final may change. `restates`: it is a new vintage of
    a whole past: the newest stands, and of those before it a summary is kept, not every value.
    `results`: what the checks said of it, as `check_results.noted` writes it."""

    path: Path
    run_id: str
    step: str
    table: Table
    source: str
    observed_at: datetime
    rejected: int = 0
    frozen_before: date | None = None
    thaws: bool = False
    duplicate: int = 0
    restates: bool = False
    results: str = ""


def quoted(names: Sequence[str], prefix: str = "") -> str:
    return ", ".join(f'{prefix}"{name}"' for name in names)


def _same_key(table: Table, left: str, right: str) -> str:
    return " AND ".join(f'{left}."{name}" = {right}."{name}"' for name in table.key)


def _differs(table: Table, left: str, right: str) -> str:
    return " OR ".join(f'{left}."{name}" IS DISTINCT FROM {right}."{name}"' for name in table.values)


def _lost(table: Table, old: str, new: str) -> str:
    """Something that stood there is not said any more; a NULL that got a value is no revision."""
    return " OR ".join(
        f'({old}."{name}" IS NOT NULL AND {old}."{name}" IS DISTINCT FROM {new}."{name}")'
        for name in table.values
    )


def _json(names: Sequence[str], alias: str) -> str:
    pairs = ", ".join(f'"{name}" := {alias}."{name}"' for name in names)
    return f"CAST(to_json(struct_pack({pairs})) AS VARCHAR)"


def _receipt(connection: duckdb.DuckDBPyConnection, landed: Landed) -> MergeCount | None:
    row = connection.execute(
        "SELECT inserted, updated, unchanged, duplicate FROM receipt WHERE run_id=? AND step=?",
        (landed.run_id, landed.step),
    ).fetchone()
    return MergeCount(*row) if row else None


def _judge(connection: duckdb.DuckDBPyConnection, landed: Landed) -> _Judged:
    """Says of every landed row what it will do, as `judged`, with the place of the stored row; of a large
    batch those that do nothing are counted (`idle`) and left out.

    Raises StoreError when demo and real rows would meet."""
    table = landed.table
    frozen, filler = _frozen(landed)
    columns = [name for name, _ in table.all_columns]
    file = f"read_parquet({engine.literal(landed.path)})"
    large = landed.path.exists() and landed.path.stat().st_size >= LARGE_BYTES
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE judged AS SELECT {quoted(columns, 'i.')}, t.rowid AS _row,"
        " t.observed_at AS _stored_observed_at, t.provisional AS _stored_provisional, CASE"
        "  WHEN t.observed_at IS NULL THEN 'insert'"
        f"  WHEN {frozen} THEN 'leave'"
        f"  WHEN NOT ({_differs(table, 't', 'i')}) THEN 'same'"
        f"  WHEN {filler} THEN 'refill'"
        "  WHEN i.observed_at > t.observed_at THEN 'update'"
        "  ELSE 'older' END AS _verdict"
        # A batch that an earlier version landed has not got the columns that came since.
        f" FROM (FROM {file} UNION ALL BY NAME"
        f"  SELECT {quoted(columns)} FROM {table.name} WHERE FALSE) i"
        f" LEFT JOIN {table.name} t ON {_same_key(table, 't', 'i')}"
        # Which costs a small batch more than it saves.
        + (f" WHERE {_does(table)}" if large else "")
    )
    idle = 0
    if large:
        (counted,) = connection.execute(
            f"SELECT (SELECT count(*) FROM {file}) - (SELECT count(*) FROM judged)"
        ).fetchall()
        idle = int(counted[0])
    judged = _verdicts(connection, table, idle)
    if not judged.has("update"):
        return judged
    # Seen unchanged since this batch was observed: it comes late, and is no news.
    late = connection.execute(
        "UPDATE judged AS j SET _verdict = 'older' FROM sighting s"
        f" WHERE j._verdict = 'update' AND s.table_name = '{table.name}'"
        f" AND s.key = {_json(table.key, 'j')} AND s.seen_at >= j.observed_at"
    ).fetchone()
    return _verdicts(connection, table, idle) if late and late[0] else judged


def _frozen(landed: Landed) -> tuple[str, str]:
    """As SQL: whether a stored row is too old to be changed; and whether it was but put into a hole by
    a later batch for which it was too old, so that this one, which saw its day, comes before it."""
    if landed.frozen_before is None or "date" not in landed.table.key:
        return "FALSE", "FALSE"
    before = f"DATE '{landed.frozen_before.isoformat()}'"
    days = (landed.observed_at.date() - landed.frozen_before).days
    frozen = f"i.date < {before} AND i.observed_at > t.observed_at"
    filler = (
        f"i.date >= {before} AND i.observed_at < t.observed_at"
        f" AND i.date < CAST(t.observed_at AS DATE) - {days}"
    )
    return (f"{frozen} AND NOT t.provisional" if landed.thaws else frozen), filler


def _effects(table: Table, new: str, old: str) -> tuple[str, str, str]:
    """Of a row (`new`, a prefix) that is equal to the stored one (`old`), as SQL: whether that one takes its
    earlier provenance, whether it is final now, and whether that it was seen has to be remembered."""
    # At most eight days after its day; an instant as a DATE would go through time zones, row by row.
    until = f"epoch_us(CAST({new}date + {REPLAYABLE.days + 2} AS TIMESTAMP))"
    seen = f"{new}observed_at <> {old}observed_at AND epoch_us({new}observed_at) < {until}"
    return (
        f"{new}observed_at < {old}observed_at",
        f"{old}provisional AND NOT {new}provisional",
        seen if "date" in table.key else "FALSE",
    )


def _does(table: Table) -> str:
    """Whether a row may do anything, or is of the other store, as SQL."""
    return (
        f"t.observed_at IS NULL OR {_differs(table, 't', 'i')} OR {' OR '.join(_effects(table, 'i.', 't.'))}"
        " OR (i.source = 'DEMO') <> (SELECT demo FROM meta)"
    )


def _verdicts(connection: duckdb.DuckDBPyConnection, table: Table, idle: int) -> _Judged:
    verdicts = {"idle": idle}
    for verdict, mixed, n in connection.execute(
        "SELECT _verdict, (source = 'DEMO') <> (SELECT demo FROM meta), count(*) FROM judged GROUP BY ALL"
    ).fetchall():
        if mixed:
            raise StoreError(
                "schema", N_("Demo and real rows never meet: this batch belongs to the other store.")
            )
        verdicts[str(verdict)] = int(n)
    if not verdicts.get("same"):
        return _Judged(verdicts)
    effects = ", ".join(f"bool_or({effect})" for effect in _effects(table, "", "_stored_"))
    (found,) = connection.execute(f"SELECT {effects} FROM judged WHERE _verdict = 'same'").fetchall()
    return _Judged(verdicts, *map(bool, found))


def _keep_revisions(connection: duckdb.DuckDBPyConnection, table: Table, judged: _Judged) -> None:
    """Old values of rows that are replaced, and older values that come late."""
    for verdict, old, new in (("update", "t", "j"), ("older", "j", "t")):
        if not judged.has(verdict):
            continue
        connection.execute(
            f"INSERT INTO revision SELECT '{table.name}', {_json(table.key, 'j')}, {old}.observed_at,"
            f" {_json(table.values, old)}, t.provisional OR j.provisional, {old}.source, {old}.run_id,"
            f" {old}.observed_at, {old}.provisional"
            f" FROM judged j JOIN {table.name} t ON t.rowid = j._row"
            f" WHERE j._verdict = '{verdict}' AND ({_lost(table, old, new)}) ON CONFLICT DO NOTHING"
        )


def _keep_vintage(connection: duckdb.DuckDBPyConnection, table: Table, now: datetime) -> None:
    """One row of `revision` for a vintage that is replaced: how much of it, by how much, of which days."""
    connection.execute(
        f"INSERT INTO revision SELECT '{table.name}',"
        " CAST(to_json(struct_pack(series := j.series, vintage := max(t.observed_at))) AS VARCHAR), ?,"
        " to_json(struct_pack(changed := count(*), largest := max(abs(j.value - t.value)),"
        '  "first" := min(j.date), "last" := max(j.date))), FALSE,'
        " arg_max(t.source, t.observed_at), arg_max(t.run_id, t.observed_at), max(t.observed_at), FALSE"
        f" FROM judged j JOIN {table.name} t ON t.rowid = j._row"
        " WHERE j._verdict = 'update' GROUP BY j.series ON CONFLICT DO NOTHING",
        [now],
    )


def _merge(connection: duckdb.DuckDBPyConnection, table: Table, judged: _Judged) -> None:
    columns = [name for name, _ in table.all_columns]
    updates = ", ".join(
        f'"{name}" = j."{name}"' for name in columns if name not in (*table.key, *table.once, "provisional")
    )
    # A day that was sealed stays final, also when a late batch of that day knows better.
    update = f"WHEN MATCHED THEN UPDATE SET {updates}, provisional = t.provisional AND j.provisional"
    insert = f"WHEN NOT MATCHED THEN INSERT ({quoted(columns)}) VALUES ({quoted(columns, 'j.')})"
    connection.execute(
        f"MERGE INTO {table.name} AS t"
        " USING (SELECT * FROM judged WHERE _verdict IN ('insert', 'update', 'refill')) AS j"
        " ON t.rowid = j._row"
        # A clause that nothing meets costs a millisecond.
        + (f" {update}" if judged.has("update", "refill") else "")
        + (f" {insert}" if judged.has("insert") else "")
    )


def _confirm(connection: duckdb.DuckDBPyConnection, table: Table, judged: _Judged) -> None:
    """Equal rows: earlier provenance if the batch is earlier, finality if it came after the day."""
    if judged.earlier:
        connection.execute(
            f"UPDATE {table.name} AS t SET observed_at = j.observed_at, run_id = j.run_id, source = j.source"
            " FROM judged j WHERE t.rowid = j._row AND j._verdict = 'same'"
            " AND j.observed_at < t.observed_at AND NOT EXISTS (SELECT 1 FROM revision r"
            f"  WHERE r.table_name = '{table.name}' AND r.key = {_json(table.key, 'j')}"
            "   AND r.known_at > j.observed_at AND r.known_at < t.observed_at)"
        )
    if judged.final:
        connection.execute(
            f"UPDATE {table.name} AS t SET provisional = FALSE FROM judged j"
            " WHERE t.rowid = j._row AND j._verdict = 'same' AND t.provisional AND NOT j.provisional"
        )
    if judged.seen:
        _earlier, _final, seen = _effects(table, "", "_stored_")
        connection.execute(
            f"INSERT INTO sighting SELECT '{table.name}', {_json(table.key, 'judged')},"
            f" greatest(observed_at, _stored_observed_at) FROM judged WHERE _verdict = 'same' AND {seen}"
            " ON CONFLICT DO UPDATE SET seen_at = greatest(sighting.seen_at, excluded.seen_at)"
        )


def merge(connection: duckdb.DuckDBPyConnection, landed: Landed, now: datetime) -> MergeCount:
    """Merges a landed batch inside the open transaction and writes its receipt; a batch that has
    one already changes nothing and gives the counts of then.

    Raises StoreError when demo and real rows would meet.
    """
    before = _receipt(connection, landed)
    if before is not None:
        return before
    table = landed.table
    judged = _judge(connection, landed)
    if landed.restates and judged.has("update"):
        _keep_vintage(connection, table, now)
    elif not landed.restates and judged.has("update", "older"):
        _keep_revisions(connection, table, judged)
    if judged.has("insert", "update", "refill"):
        _merge(connection, table, judged)
    _confirm(connection, table, judged)
    inserted, updated = judged.of("insert"), judged.of("update", "refill")
    count = MergeCount(inserted, updated, judged.of(*judged.verdicts) - inserted - updated, landed.duplicate)
    _write_receipt(connection, landed, count, now)
    return count


def _write_receipt(
    connection: duckdb.DuckDBPyConnection, landed: Landed, count: MergeCount, now: datetime
) -> None:
    fetched = count.merged + count.unchanged + count.duplicate + landed.rejected
    connection.execute(
        f"INSERT INTO receipt VALUES ({', '.join('?' * len(RECEIPT.all_columns))})",
        (
            landed.run_id,
            landed.step,
            landed.table.name,
            fetched,
            count.inserted,
            count.updated,
            count.unchanged,
            count.duplicate,
            landed.rejected,
            now,
            landed.source,
            landed.observed_at,
            False,
        ),
    )
