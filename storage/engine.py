"""The one DuckDB instance of a process: without a database of its own, lent out as cursors.

Making an instance costs several times what attaching a file to one does, and a run opens the store again
and again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import duckdb

# Never fetch an extension: everything that is used is part of the package.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
# Trying these out at every checkpoint takes longer than the rest of it, for a file that is hardly smaller.
_SLOW = "alp,alprd,fsst,dict_fsst,zstd"
_made: list[duckdb.DuckDBPyConnection] = []
_guard = Lock()


@contextmanager
def cursor(beside: duckdb.DuckDBPyConnection | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the instance (that of `beside`), in UTC. Raises what DuckDB raises; an instance
    that has given up (a fatal fault) is not lent out again."""
    with _guard:
        if not _made:
            _made.append(duckdb.connect(":memory:", config=CONFIG))
            _made[0].execute(f"SET GLOBAL TimeZone='UTC'; SET GLOBAL disabled_compression_methods='{_SLOW}'")
        lent = (beside or _made[0]).cursor()
    try:
        yield lent
    except (duckdb.FatalException, duckdb.InternalException):
        discard()
        raise
    finally:
        lent.close()


def discard() -> None:
    """The next cursor is of a new instance. What still uses the old one keeps it alive until it ends."""
    with _guard:
        _made.clear()


def literal(value: object) -> str:
    """A text as an SQL literal, where a parameter is not allowed."""
    return "'" + str(value).replace("'", "''") + "'"
