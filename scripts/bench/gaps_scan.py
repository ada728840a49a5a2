"""The gaps of ten years × all sources, beside one full scan of the same tables: at most 10 times as long.

The store has every day of every source by its own calendar, but for some that are left out. Looking for
gaps is `gaps.found`, as the pages and `collect.py gaps` ask it; the scan counts every column of the three
tables, sums the numbers and takes the largest of the rest. Both open the store and close it.
"""

import os
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from _measure import Broken, arguments, at_most, by_turns, ended, environment, timed

from collectors import gaps
from collectors.model import Source
from collectors.registry import PIPELINES
from storage import clock, db, landing, ledger, settings
from storage.tables import CRYPTO_PRICE, OBSERVATION, PROTOCOL_TVL, Table
from storage.texts import _

BOUND, YEARS = 10.0, 10
TABLES = (OBSERVATION, CRYPTO_PRICE, PROTOCOL_TVL)
# One day in so many is left out, and one month in so many days.
LONE, MONTH = 211, 1009


def calendar(source: Source, years: int) -> Iterator[date]:
    """The days of a source, with holes."""
    today = clock.now().date()
    first = today - timedelta(365 * years)
    for day in source.rhythm.between(first, today):
        n = day.toordinal()
        if n % LONE and n % MONTH >= 30:
            yield day


def fill(own: settings.Settings, years: int) -> int:
    """Writes the days of every source; the number of rows."""
    n = 0
    with db.writer(own) as connection:
        for source in (one for sources in PIPELINES.values() for one in sources if one.dated):
            days = [day.isoformat() for day in calendar(source, years)]
            if source.table is OBSERVATION:
                names = [series.series for series in source.lasting]
            elif source.required:
                names = [f"{source.table.name}-{k}" for k in range(max(source.rows[0], source.usual))]
            else:
                continue
            columns = ", ".join(_made(name, kind) for name, kind in source.table.all_columns)
            found = connection.execute(
                f"INSERT INTO {source.table.name} SELECT {columns}"
                " FROM (SELECT unnest(?::VARCHAR[]) AS name), (SELECT unnest(?::DATE[]) AS day)"
                " ON CONFLICT DO NOTHING",
                [names, days],
            ).fetchone()
            n += int(found[0]) if found else 0
    return n


def _made(name: str, kind: str) -> str:
    """A column's value as SQL, of the row's `name` and `day`."""
    value = {
        "DATE": "day",
        "DOUBLE": "hash(name, day) % 100000 / 7",
        "INTEGER": "hash(name) % 20",
        "BOOLEAN": "FALSE",
        "VARCHAR": "name",
    }.get(kind, "day + INTERVAL 27 HOUR")
    return f'CAST({value} AS {kind}) AS "{name}"'


def scan(own: settings.Settings) -> None:
    """Reads every value of the three tables once."""
    with db.reader(own) as connection:
        for table in TABLES:
            connection.execute(f"SELECT {', '.join(_read(table))} FROM {table.name}").fetchall()


def _read(table: Table) -> Iterator[str]:
    for name, kind in table.all_columns:
        yield f'count("{name}")'
        yield f'sum("{name}")' if kind in ("DOUBLE", "INTEGER") else f'max("{name}")'


def bounds(given: Namespace) -> list[bool]:
    with tempfile.TemporaryDirectory() as folder:
        own_environment = environment(COLLECTOR_HOME=str(Path(folder) / "home"), FRED_API_KEY="0" * 32)
        os.environ.clear()
        os.environ.update(own_environment)
        own = settings.load()
        ledger.connect(own).close()
        landing.prepare(own)
        db.migrate(own)
        rows = fill(own, 1 if given.quick else YEARS)
        seen = gaps.found(own)
        if not seen:
            raise Broken("gaps.found")
        print(
            _("  {rows} rows, {gaps} gaps of {days} days").format(
                rows=f"{rows:,}", gaps=len(seen), days=sum(len(gap.days) for gap in seen)
            )
        )
        pairs = by_turns(
            given.pairs, partial(timed, lambda: gaps.found(own)), partial(timed, lambda: scan(own))
        )
        print(pairs.line("gaps", _("full scan")))
        return [at_most(_("gaps of all sources"), pairs.ratio, BOUND)]


if __name__ == "__main__":
    # As `collect.py` does.
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    sys.exit(ended(bounds, arguments(__doc__ or "", pairs=15)))
