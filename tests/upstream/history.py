"""Stored histories instead of generated series: reads a folder of `date,value` files, one file at a time.

FRED series under their ids, `yahoo_X_adjusted` and `yahoo_X` (indices) for Yahoo, `OFR_FSI` for OFR. What
has no file is not played at all: a mixture of real and invented series would look like a record.
"""

import csv
from datetime import date
from functools import lru_cache
from pathlib import Path

Row = tuple[date, float | None]
INDICES = {"^VIX": "yahoo_VIX", "^MOVE": "yahoo_MOVE"}


@lru_cache(maxsize=64)
def _read(file: Path) -> tuple[tuple[str, ...], ...]:
    with file.open(encoding="utf-8", newline="") as text:
        rows = csv.reader(text)
        next(rows)
        return tuple(tuple(row) for row in rows)


@lru_cache(maxsize=64)
def _series(file: Path) -> tuple[Row, ...]:
    return tuple((date.fromisoformat(day), float(value) if value else None) for day, value, *_ in _read(file))


class History:
    """A folder of histories. Raises NotADirectoryError for anything else."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise NotADirectoryError(str(folder))
        self.folder = folder

    def fred(self, identifier: str) -> tuple[Row, ...] | None:
        """A FRED series, None where it is not stored."""
        return self._named(identifier) if identifier.isalnum() else None

    def yahoo(self, symbol: str) -> tuple[Row, ...] | None:
        """Adjusted closes, or the closes of an index."""
        if symbol in INDICES:
            return self._named(INDICES[symbol])
        return self._named(f"yahoo_{symbol}_adjusted") if symbol.isalnum() else None

    def ofr(self) -> tuple[tuple[str, ...], ...]:
        """The rows of the OFR file, as text, without its header."""
        return _read(self.folder / "OFR_FSI.csv")

    def _named(self, name: str) -> tuple[Row, ...] | None:
        file = self.folder / f"{name}.csv"
        return _series(file) if file.is_file() else None
