"""Answers of the ledger, kept for as long as its files are untouched: a page asks it some eighty times.

A file that was written a moment ago may be written again within the same tick of the file system's clock, and
look untouched: such an answer is not kept.
"""

import os
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from storage.ledger_file import path
from storage.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")
# Ten times the coarsest clock of a file system that a ledger lies on.
SETTLED_NS = 100_000_000
_MOST = 512
_kept: "OrderedDict[object, tuple[object, Any]]" = OrderedDict()
_guard = Lock()


def kept(read: Callable[Concatenate[Settings, P], T]) -> Callable[Concatenate[Settings, P], T]:
    """`read(settings, …)` asked once as long as nothing is written; what it gives is copied, so that nobody
    changes another one's list. Arguments have to be hashable."""

    def ask(settings: Settings, *args: P.args, **named: P.kwargs) -> T:
        mark = _mark(settings)
        if mark is None:
            return read(settings, *args, **named)
        key = (read.__qualname__, settings.home, args, tuple(named.items()))
        with _guard:
            held = _kept.get(key)
        if held is None or held[0] != mark:
            held = (mark, read(settings, *args, **named))
            with _guard:
                _kept[key] = held
                _kept.move_to_end(key)
                while len(_kept) > _MOST:
                    _kept.popitem(last=False)
        value = held[1]
        return cast(T, value.copy() if isinstance(value, list | dict) else value)

    return cast(Callable[Concatenate[Settings, P], T], wraps(read)(ask))


def _mark(settings: Settings) -> object:
    """Changes with every transaction; None where that cannot be told yet."""
    file = str(path(settings))
    found: list[tuple[int, int, int] | None] = []
    for name in (file, f"{file}-wal"):
        try:
            stat = os.stat(name)
        except FileNotFoundError:
            found.append(None)
            continue
        except OSError:
            return None
        if not stat.st_size and name != file:
            # A log without content: whoever reads makes one, and takes it away.
            found.append(None)
            continue
        if abs(time.time_ns() - stat.st_mtime_ns) < SETTLED_NS:
            return None
        found.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
    return tuple(found)
