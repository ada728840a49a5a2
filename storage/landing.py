"""What was collected and is not yet surely merged: every batch is a Parquet file before it is merged.

A batch without a receipt in the store is merged by the next run or by `collect.py replay`. Files
stay for a week. What was refused lies in `storage/quarantine.py`'s folder.
"""

import json
import os
import shutil
import zlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from operator import itemgetter
from pathlib import Path

import duckdb

from storage import clock, engine, ledger, points, quarantine
from storage.db import StoreError
from storage.merge import REPLAYABLE, Landed
from storage.settings import Settings
from storage.tables import BY_NAME, Table
from storage.texts import N_

RESERVE_BYTES, LEAST_BYTES = 16_000_000, 2_000_000
FULL = N_("The disk is full: what was just collected could not be kept. Free some space, then run again.")


def folder(settings: Settings) -> Path:
    """Where landed batches wait."""
    return settings.home / "landing"


def prepare(settings: Settings) -> None:
    """Makes the folders, and a reserve file that is given up when the disk is full."""
    for name in ("landing", "quarantine"):
        (settings.home / name).mkdir(parents=True, exist_ok=True)
    reserve = folder(settings) / "reserve"
    if reserve.exists() and reserve.stat().st_size == RESERVE_BYTES:
        return
    # Of a small disk it would take what it is meant to keep.
    if shutil.disk_usage(settings.home).free > 2 * RESERVE_BYTES:
        try:
            _take(reserve, RESERVE_BYTES)
        except OSError:
            reserve.unlink(missing_ok=True)


def _take(file: Path, size: int) -> None:
    """Makes a file for which the disk has set so many bytes aside. Raises OSError where it has none left."""
    with file.open("wb") as handle:
        if hasattr(os, "posix_fallocate"):
            # Without writing them.
            os.posix_fallocate(handle.fileno(), 0, size)
        else:
            handle.write(b"\0" * size)


def make_room(settings: Settings) -> None:
    """Gives the reserve up where not even the ledger could be written any more."""
    if settings.home.is_dir() and shutil.disk_usage(settings.home).free < LEAST_BYTES:
        (folder(settings) / "reserve").unlink(missing_ok=True)


def _as_json(columns: Mapping[str, Sequence[object]]) -> str:
    return json.dumps(columns, ensure_ascii=False, allow_nan=False, check_circular=False, default=str)


def _column(rows: Sequence[Mapping[str, object]], name: str) -> Sequence[object]:
    """What the rows have of a column: one value where it is the same object in all, as provenance is."""
    if not rows:
        return []
    first = rows[0].get(name)
    same = all(row.get(name) is first for row in rows)
    return [first] if same else [row.get(name) for row in rows]


def _write(file: Path, table: Table, rows: Sequence[Mapping[str, object]], about: Mapping[str, str]) -> None:
    """One COPY. The rows go in as one JSON text: bound one by one they would take six times as long."""
    shape = ", ".join(f'"{name}": ["{kind}"]' for name, kind in table.all_columns)
    columns = {name: _column(rows, name) for name, _ in table.all_columns}
    # A list as long as the rows is there in any case: their key differs.
    lists = ", ".join(
        f'given."{name}"[1] AS "{name}"'
        if len(rows) > 1 == len(values)
        else f'unnest(given."{name}") AS "{name}"'
        for name, values in columns.items()
    )
    notes = ", ".join(f"{name}: {engine.literal(value)}" for name, value in about.items())
    with engine.cursor() as connection:
        connection.execute(
            f"COPY (SELECT {lists} FROM (SELECT from_json_strict(?, '{{{shape}}}') AS given))"
            f" TO {engine.literal(file)}"
            f" (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{notes}}})",
            [_as_json(columns)],
        )


def land(
    settings: Settings,
    table: Table,
    rows: Sequence[Mapping[str, object]],
    *,
    run_id: str,
    step: str,
    source: str,
    observed_at: datetime,
    rejected: int = 0,
    frozen_before: date | None = None,
    thaws: bool = False,
    restates: bool = False,
    results: str = "",
) -> Landed:
    """Writes a batch; after it returns, a killed process loses nothing of it. Rows are dicts of the
    table's columns and provenance; of several with one key the last is kept. Raises StoreError `full`
    when not even the reserve is enough."""
    points.reach("before_landing")
    key = itemgetter(*table.key)
    single = {key(row): row for row in rows}
    duplicate = len(rows) - len(single)
    about = {
        "run_id": run_id,
        "step": step,
        "table_name": table.name,
        "source": source,
        "observed_at": clock.stamp(observed_at),
        "rejected": str(rejected),
        "duplicate": str(duplicate),
        "frozen_before": frozen_before.isoformat() if frozen_before else "",
        "thaws": "1" if thaws else "",
        "restates": "1" if restates else "",
        "results": results,
    }
    partial = folder(settings) / f"{run_id}.{step}.part"
    try:
        _write(partial, table, list(single.values()), about)
    except duckdb.IOException:
        (folder(settings) / "reserve").unlink(missing_ok=True)
        try:
            _write(partial, table, list(single.values()), about)
        except duckdb.IOException:
            partial.unlink(missing_ok=True)
            raise StoreError("full", FULL) from None
    try:
        _sync(partial)
        file = folder(settings) / f"{run_id}.{step}.{_checksum(partial)}.parquet"
        os.replace(partial, file)
    except OSError:
        partial.unlink(missing_ok=True)
        raise StoreError("full", FULL) from None
    points.reach("after_landing")
    given = (rejected, frozen_before, thaws, duplicate, restates, results)
    return Landed(file, run_id, step, table, source, observed_at, *given)


def _sync(file: Path) -> None:
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())


def _checksum(file: Path) -> str:
    """Eight hex digits: enough to tell a batch from what a failing disk made of it."""
    return f"{zlib.crc32(file.read_bytes()):08x}"


def waiting(settings: Settings, merged: Collection[tuple[str, str]] = ()) -> list[Landed]:
    """Every landed batch without a receipt, oldest observation first. Only those are opened: a week
    of batches lies here. One that is not what was written is left out, see `damaged`."""
    files = [file for file in _unmerged(settings, merged) if whole(file)]
    batches = [_describe(file, notes) for file, notes in _notes(files).items()]
    return sorted(filter(None, batches), key=lambda batch: (batch.observed_at, batch.run_id, batch.step))


def damaged(settings: Settings, merged: Collection[tuple[str, str]] = ()) -> list[tuple[str, str]]:
    """(run_id, step) of batches without a receipt whose file is not what was written; the files are
    put into quarantine."""
    lost = [file for file in _unmerged(settings, merged) if not whole(file)]
    for file in lost:
        with suppress(OSError):
            os.replace(file, quarantine.folder(settings) / file.name)
    return [_named(file) for file in lost]


def _unmerged(settings: Settings, merged: Collection[tuple[str, str]]) -> list[Path]:
    return [file for file in folder(settings).glob("*.parquet") if _named(file) not in merged]


def whole(file: Path) -> bool:
    """Whether a batch is what was written, by the checksum in its name."""
    return file.stem.endswith(f".{_checksum(file)}")


def _named(file: Path) -> tuple[str, str]:
    """(run_id, step) of a batch, from its name `RUN.STEP.CHECKSUM.parquet`; steps have dots of their own."""
    run_id, _dot, step = file.stem.partition(".")
    return run_id, step.rpartition(".")[0]


def _notes(files: Sequence[Path]) -> dict[Path, dict[str, str]]:
    """What `_write` noted in each file; one that is no whole batch is left out."""
    if not files:
        return {}
    try:
        with engine.cursor() as connection:
            found = connection.execute(
                "SELECT file_name, key, value FROM parquet_kv_metadata(?)", [[str(file) for file in files]]
            ).fetchall()
    except duckdb.Error:
        # One damaged file fails the question for all: ask for each alone.
        return {} if len(files) == 1 else {k: v for file in files for k, v in _notes([file]).items()}
    notes: dict[Path, dict[str, str]] = {}
    for name, key, value in found:
        notes.setdefault(files[0].with_name(Path(name).name), {})[bytes(key).decode()] = bytes(value).decode()
    return notes


def _describe(file: Path, about: Mapping[str, str]) -> Landed | None:
    table = BY_NAME.get(about.get("table_name", ""))
    if table is None:
        return None
    frozen = about["frozen_before"]
    return Landed(
        file,
        about["run_id"],
        about["step"],
        table,
        about["source"],
        clock.parse(about["observed_at"]),
        int(about["rejected"]),
        date.fromisoformat(frozen) if frozen else None,
        bool(about["thaws"]),
        int(about["duplicate"]),
        bool(about.get("restates")),
        about.get("results", ""),
    )


def sweep(settings: Settings, merged: Collection[tuple[str, str]], now: datetime) -> None:
    """Removes batches that were merged and are older than a week, and halves of batches."""
    for file in folder(settings).glob("*.part"):
        file.unlink(missing_ok=True)
    keep_from = ledger.run_id_prefix(now - REPLAYABLE)
    for file in folder(settings).glob("*.parquet"):
        if file.name < keep_from and _named(file) in merged:
            file.unlink(missing_ok=True)
