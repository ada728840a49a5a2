"""Merging a million prices into a million stored ones, beside dlt's merge and SQLite's upsert: twice as fast.

The past of 2,740 coins over a year is stored, and is read again a week later: of that batch 96 of 100 rows
say what is stored, 2 say something else, and 2 are of days that are new. Ours is to open the store, MERGE
with a receipt and what was replaced kept aside, commit and close; the batch lies there as a file. dlt gets
its quicker strategy (upsert) and the same rows from Arrow; only its `load` is timed, not extracting and
normalizing. SQLite gets them as tuples, sorted by key, in one executemany and one transaction, with a
write-ahead log, `synchronous=NORMAL` and a cache that holds the table; it keeps nothing aside. Each turn
begins with a copy of the same stores.
"""

import os
import shutil
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import _upserts
from _measure import Broken, Spent, arguments, at_least, by_turns, environment, timed

from storage import clock, db, engine, landing, ledger, merge, schema, settings
from storage.tables import CRYPTO_PRICE
from storage.texts import _

BOUND = 2.0
COINS, QUICK_COINS, DAYS, LATER = 2740, 40, 365, 7
FIRST = date(2025, 1, 1)
# One row in so many says something else when it is read again.
REVISED = 50


def rows(coins: int, since: int, run_id: str, revised: int) -> str:
    """A year of prices from the day `since` on, as SQL, sorted by key. `revised`: one in so many differs."""
    at = clock.stamp(clock.day_end(FIRST + timedelta(since + DAYS - 1)) + timedelta(hours=3))
    more = f"CASE WHEN hash(coin, day) % {revised} = 0 THEN 1 ELSE 0 END"
    columns = {
        "coin": "'coin-' || coin",
        "date": f"DATE '{FIRST}' + day",
        "symbol": "'c' || coin",
        "name": "'Coin ' || coin",
        "rank": "coin",
        "price": f"1e5 / coin + day * 1.5 + {more}",
        "market_cap": f"2e12 / coin + day + {more}",
        "volume": f"5e10 / coin + day % 7 + {more}",
        "source": "'coingecko.history'",
        "run_id": f"'{run_id}'",
        "observed_at": f"'{at}'",
        "provisional": "FALSE",
    }
    made = ", ".join(
        f'CAST({columns.get(name, "NULL")} AS {kind}) AS "{name}"' for name, kind in CRYPTO_PRICE.all_columns
    )
    return (
        f"SELECT {made} FROM (SELECT CAST(unnest(range(1, {coins + 1})) AS INTEGER) AS coin),"
        f" (SELECT CAST(unnest(range({since}, {since + DAYS})) AS INTEGER) AS day) ORDER BY ALL"
    )


def batches(coins: int) -> tuple[str, str]:
    """What was stored, and what comes, as SQL."""
    return (
        rows(coins, 0, "20260101-000000-bench", revised=2**62),
        rows(coins, LATER, "20260108-000000-bench", revised=REVISED),
    )


def asked(query: str) -> Any:
    """The rows as an Arrow table."""
    with engine.cursor() as connection:
        return connection.execute(query).to_arrow_table()


def _plain(query: str) -> _upserts.Tuples:
    """The rows as SQLite takes them."""
    text = ", ".join(
        f'CAST("{name}" AS VARCHAR) AS "{name}"'
        for name, kind in CRYPTO_PRICE.all_columns
        if kind in _upserts.AS_TEXT
    )
    with engine.cursor() as connection:
        return connection.execute(f"SELECT * REPLACE ({text}) FROM ({query})").fetchall()


def land(own: settings.Settings, query: str) -> merge.Landed:
    """A batch as `landing` writes one, without a million dicts."""
    with engine.cursor() as connection:
        (first,) = connection.execute(f"SELECT run_id, observed_at FROM ({query}) LIMIT 1").fetchall()
        run_id, at = str(first[0]), first[1]
        assert isinstance(at, datetime)
        file = landing.folder(own) / f"{run_id}.coingecko.history.00000000.parquet"
        connection.execute(f"COPY ({query}) TO {engine.literal(file)} (FORMAT parquet, COMPRESSION zstd)")
    return merge.Landed(file, run_id, "coingecko.history", CRYPTO_PRICE, "coingecko.history", at)


def store(own: settings.Settings, batch: merge.Landed) -> merge.MergeCount:
    with db.writer(own) as connection:
        schema.migrate_within(own, connection)
        return merge.merge(connection, batch, clock.now())


class Turns:
    """A folder that holds a store, of which each turn gets a copy."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stored = folder, folder / "stored"
        self.n = 0

    def fresh(self) -> Path:
        """The copy of this turn; that of the one before is gone. It is on the disk when the turn begins."""
        shutil.rmtree(self.folder / f"turn{self.n}", ignore_errors=True)
        self.n += 1
        copied = Path(shutil.copytree(self.stored, self.folder / f"turn{self.n}"))
        if hasattr(os, "sync"):
            os.sync()
        return copied


def home(place: Path) -> settings.Settings:
    os.environ["COLLECTOR_HOME"] = str(place)
    return settings.load()


def ours(folder: Path, coins: int) -> Callable[[], Spent]:
    turns = Turns(folder)
    own = home(turns.stored)
    ledger.connect(own).close()
    landing.prepare(own)
    db.migrate(own)
    before, after = batches(coins)
    store(own, land(own, before))
    batch = land(own, after)
    changed = coins * DAYS // REVISED

    def once() -> Spent:
        counts: list[merge.MergeCount] = []
        place = home(turns.fresh())
        spent = timed(lambda: counts.append(store(place, batch)))
        (count,) = counts
        if count.inserted != coins * LATER or not 0.8 < count.updated / changed < 1.1:
            raise Broken(str(count))
        return spent

    return once


def dlts(folder: Path, coins: int) -> Callable[[], Spent]:
    turns = Turns(folder)
    before, after = batches(coins)
    pipeline = _upserts.pipeline(turns.stored)
    pipeline.run(_upserts.resource([asked(before)]), loader_file_format="parquet").raise_on_failed_jobs()
    pipeline.extract(_upserts.resource([asked(after)]), loader_file_format="parquet")
    pipeline.normalize()

    def once() -> Spent:
        copied = _upserts.pipeline(turns.fresh())
        return timed(lambda: copied.load().raise_on_failed_jobs())

    return once


def sqlites(folder: Path, coins: int) -> Callable[[], Spent]:
    turns = Turns(folder)
    before, after = (_plain(query) for query in batches(coins))
    turns.stored.mkdir(parents=True)
    with closing(_upserts.sqlite(turns.stored)) as connection:
        _upserts.upsert(connection, [("before", before)])
    del before

    def once() -> Spent:
        return timed(partial(_upserts.one_transaction, turns.fresh(), [("after", after)]))

    return once


def bounds(given: Namespace) -> list[bool]:
    coins = QUICK_COINS if given.quick else COINS
    held = []
    with tempfile.TemporaryDirectory() as folder:
        own = environment()
        os.environ.clear()
        os.environ.update(own)
        _upserts.prepare_dlt(Path(folder))
        mine = ours(Path(folder) / "ours", coins)
        for name, make in (("dlt", dlts), ("SQLite", sqlites)):
            pairs = by_turns(given.pairs, make(Path(folder) / name, coins), mine)
            print(pairs.line(name, _("ours")))
            what = _("{rows} prices beside {other}").format(rows=f"{coins * DAYS:,}", other=name)
            held.append(at_least(what, pairs.ratio, BOUND))
    return held


if __name__ == "__main__":
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    sys.exit(_upserts.main(bounds, arguments(__doc__ or "", pairs=7)))
