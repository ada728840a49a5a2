"""Writes `<home>/exports/`: the record as JSON and JS for `crypto_trends.html`, and the page itself.

Every file is replaced atomically, by one export at a time; a failed one leaves the last good one.
"""

import json
import math
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from storage import clock, db, points, read_export
from storage.db import StoreBusy, StoreError
from storage.ledger import lock_path
from storage.settings import ROOT, Settings
from storage.store_error import NO_ROOM
from storage.texts import N_

PAGE = "crypto_trends.html"
_TRIES, _PAUSE_S = 5, 0.1
# How long an export waits for another one, which takes a tenth of a second.
_TURN_S = 5.0


def folder(settings: Settings) -> Path:
    """Where the export and its page are."""
    return settings.home / "exports"


def _plain(value: object) -> object:
    """JSON has neither NaN nor infinity nor dates."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime):
        return clock.stamp(value)
    return value.isoformat() if isinstance(value, date) else value


def _walk(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _walk(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_walk(member) for member in value]
    return _plain(value)


def build(
    settings: Settings, run_id: str, attribution: list[dict[str, str]], status: Mapping[str, Any]
) -> dict[str, Any]:
    """The export object of the contract. Raises StoreError when the store cannot be read."""
    with db.reader(settings, wait_s=2.0) as connection:
        found = {
            "coins": read_export.coins(connection),
            "metrics": read_export.metrics(connection),
            "protocols": read_export.protocols(connection),
        }
    head = {
        "schema": 1,
        "generated_at": clock.stamp(clock.now()),
        "run_id": run_id,
        "demo": settings.demo,
        "attribution": attribution,
    }
    return {**head, **_walk(found), "status": dict(status)}


def write(
    settings: Settings, export: Mapping[str, Any], quiet: AbstractContextManager[Any] | None = None
) -> None:
    """Replaces the export's files, with `quiet` held once it has its turn. Raises StoreError `full` or
    `busy`; the old ones then stay."""
    text = json.dumps(export, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    # `<` cannot end the script element that some reader may paste this into.
    script = f"window.CRYPTO_TRENDS = {text.replace('<', chr(92) + 'u003c')};\n"
    target = folder(settings)
    try:
        with _turn(settings), quiet or nullcontext():
            target.mkdir(parents=True, exist_ok=True)
            _sweep(target)
            _replace(target / "crypto_trends.json", text.encode())
            points.reach("during_export")
            _replace(target / "crypto_trends.js", script.encode())
            _copy_if_new(ROOT / PAGE, target / PAGE)
            plotly = _plotly()
            if plotly:
                _copy_if_new(plotly, target / "plotly.min.js")
    except OSError as error:
        raise StoreError(
            "full" if error.errno in NO_ROOM else "busy",
            N_("The export could not be written to {folder}. The last good one stays; check the disk."),
            folder=target.name,
        ) from None


@contextmanager
def _turn(settings: Settings) -> Iterator[None]:
    """Two exports at once would leave the JSON of one beside the JS of the other."""
    lock = lock_path(settings, "export")
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(lock, timeout=_TURN_S).acquire(poll_interval=0.02)
    except Timeout:
        raise StoreBusy(
            "busy", N_("Another program is writing the export. The last good one stays; try again.")
        ) from None
    with held:
        yield


def _sweep(target: Path) -> None:
    """Removes what a killed export had begun; whoever has the turn is alone."""
    for left in target.glob("*.part"):
        with suppress(OSError):
            left.unlink()


def _plotly() -> Path | None:
    """plotly.js of the installed package, found without importing it."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        return None
    file = Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
    return file if file.is_file() else None


def _copy_if_new(source: Path, target: Path) -> None:
    """Copies what differs in size or is newer: plotly.js alone is several megabytes."""
    if target.is_file():
        ours, theirs = target.stat(), source.stat()
        if ours.st_size == theirs.st_size and ours.st_mtime >= theirs.st_mtime:
            return
    with _replacing(target) as partial:
        shutil.copyfile(source, partial)


def _replace(target: Path, content: bytes) -> None:
    with _replacing(target) as partial, partial.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A file beside the target that takes its place when it is whole; a half of one does not stay."""
    partial = target.with_name(f"{target.name}.{os.getpid()}-{secrets.token_hex(3)}.part")
    try:
        yield partial
        _rename(partial, target)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _rename(partial: Path, target: Path) -> None:
    """On Windows somebody may just be reading the old file: try again for a moment."""
    for attempt in range(_TRIES):
        try:
            os.replace(partial, target)
            return
        except PermissionError:
            if attempt == _TRIES - 1:
                raise
            time.sleep(_PAUSE_S)
