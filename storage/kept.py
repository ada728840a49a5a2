"""What was read of a store, served until the ledger says that something was merged."""

from collections.abc import Callable, MutableMapping
from dataclasses import replace
from threading import Lock
from typing import Any, TypeVar, cast

from storage import db, ledger
from storage.settings import Settings

T = TypeVar("T")


def serve(
    held: MutableMapping[str, tuple[str, T]],
    guard: Lock,
    settings: Settings,
    read: Callable[[], T],
    nothing: Callable[[], T],
) -> T:
    """The record of a store, read once after every merge and kept in `held` for all sessions of the
    process. While the store is locked or damaged the last good one serves, or `nothing`, with the
    field `problem` of the record (a dataclass) saying why; a store that is not there is no problem."""
    name, mark = str(settings.database), ledger.merge_mark(settings)
    with guard:
        kept = held.get(name)
        if kept and kept[0] == mark:
            return kept[1]
        try:
            found = read()
        except db.StoreError as problem:
            told = None if isinstance(problem, db.StoreMissing) else problem
            return cast(T, replace(cast(Any, kept[1] if kept else nothing()), problem=told))
        held[name] = (mark, found)
        return found
