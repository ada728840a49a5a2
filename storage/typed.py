"""Rows that were kept as JSON, with the types of their table again."""

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime

from storage.tables import Table


class Untyped(ValueError):
    """A row that its table cannot hold: `missing` columns are not there (or are part of the key and NULL),
    those of `wrong` not of their type."""

    def __init__(self, missing: list[str], wrong: list[str]) -> None:
        super().__init__(", ".join(missing + wrong))
        self.missing, self.wrong = missing, wrong


def row(table: Table, kept: Mapping[str, object]) -> dict[str, object]:
    """The columns of `table` from a kept row, and `provisional` where it says so. Raises Untyped: every
    column has to be there, and no number is ever NaN or infinite."""
    missing = [name for name, _kind in table.columns if name not in kept]
    # An empty text names nothing either.
    missing += [name for name in table.key if name in kept and kept[name] in (None, "")]
    found: dict[str, object] = {}
    wrong = []
    for name, kind in table.columns:
        value = kept.get(name)
        try:
            found[name] = None if value is None else _READ[kind](value)
        except (TypeError, ValueError, OverflowError):
            wrong.append(name)
    if missing or wrong:
        raise Untyped(missing, wrong)
    if "provisional" in kept:
        found["provisional"] = kept["provisional"] is True
    return found


def _double(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(type(value).__name__)
    return float(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 1 << 31:
        raise ValueError(type(value).__name__)
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(type(value).__name__)
    return value


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    # Half of a letter is no text.
    value.encode()
    return value


def _day(value: object) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value)
    raise TypeError(type(value).__name__)


def _instant(value: object) -> datetime:
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    read = datetime.fromisoformat(value)
    if read.tzinfo is None:
        raise ValueError(value)
    return read


_READ: dict[str, Callable[[object], object]] = {
    "VARCHAR": _word,
    "DATE": _day,
    "DOUBLE": _double,
    "INTEGER": _whole,
    "BOOLEAN": _truth,
    "TIMESTAMPTZ": _instant,
}
