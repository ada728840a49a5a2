"""Storing a backfill of 365 days × 20 coins beside dlt's merge (3 times as fast), and beside SQLite's upsert.

A coin is a batch of 365 prices. It is landed by itself; what waits for the store is merged together. Both
ends are measured: each coin stored as it comes in, as at the pace that CoinGecko asks for, and as many at
once as a run merges in one transaction. Ours is to land, open the store, MERGE with a receipt a coin,
commit and close. dlt gets the same rows in one pipeline, a run for each transaction of ours, with its
quicker strategy (upsert): extracting, normalizing, loading. SQLite opens its file, upserts with a receipt a
coin in one transaction (executemany, write-ahead log, `synchronous=NORMAL`), and closes it. Fetching and
parsing are of none of the three. Nothing is promised beside SQLite: what DuckDB itself takes to open its
file, insert as many generated rows and close it, without a merge, a receipt or a landed file, is measured
beside it too. Each turn is a backfill of coins that are new, into stores that have others already.
"""

import os
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count, islice
from pathlib import Path

import _upserts
import duckdb
from _measure import Pairs, Spent, arguments, at_least, by_turns, environment, timed

from collectors import run
from storage import clock, db, landing, ledger, merge, schema, settings
from storage.tables import CRYPTO_PRICE
from storage.texts import _, ngettext

DLT_BOUND = 3.0
COINS, QUICK_COINS, DAYS, FIRST = 20, 2, 365, date(2025, 1, 1)
AT = datetime(2026, 1, 1, 3, tzinfo=UTC)
STEP = "coingecko.history"
Rows = list[dict[str, object]]
# Of each coin its step and its rows.
Batches = Sequence[tuple[str, Rows]]
Store = Callable[[Batches], object]


def history(coin: int, run_id: str) -> Rows:
    """A year of one coin, as its source gives it."""
    return [
        {
            "coin": f"coin-{coin}", "date": FIRST + timedelta(day), "symbol": f"c{coin}",
            "name": f"Coin {coin}", "rank": None, "price": 1e5 / coin + day * 1.5,
            "market_cap": 2e12 / coin + day, "volume": 5e10 / coin + day % 7,
            "change_24h": None, "change_7d": None, "change_30d": None,
            "source": STEP, "run_id": run_id, "observed_at": AT, "provisional": False,
        }
        for day in range(DAYS)
    ]  # fmt: skip


def backfill(store: Store, n: int, together: int) -> Callable[[], Spent]:
    """A timer of storing the `n` coins of the next backfill, of coins that are not stored yet, `together` at
    once: the time of each store, summed; what comes between two of them is not timed."""
    coins = count(1)

    def once() -> Spent:
        spent = []
        for first in range(0, n, together):
            some = islice(coins, min(together, n - first))
            batches = [(f"{STEP}.{coin}", history(coin, "20260101-030000-bench")) for coin in some]
            spent.append(timed(lambda batches=batches: store(batches)))  # type: ignore[misc]
        return Spent(sum(one.wall_s for one in spent), sum(one.cpu_s for one in spent), None)

    return once


def our_store(own: settings.Settings) -> Store:
    def land(step: str, rows: Rows) -> merge.Landed:
        about = {"run_id": str(rows[0]["run_id"]), "step": step, "source": STEP, "observed_at": AT}
        return landing.land(own, CRYPTO_PRICE, rows, **about)  # type: ignore[arg-type]

    def store(batches: Batches) -> None:
        landed = [land(step, rows) for step, rows in batches]
        with db.writer(own) as connection:
            schema.migrate_within(own, connection)
            done = [merge.merge(connection, batch, clock.now()) for batch in landed]
        assert {count.inserted for count in done} == {DAYS}, done

    return store


def dlt_store(folder: Path) -> Store:
    pipeline = _upserts.pipeline(folder)

    def store(batches: Batches) -> None:
        rows = [row for _step, rows in batches for row in rows]
        pipeline.run(_upserts.resource(rows)).raise_on_failed_jobs()

    return store


def sqlite_store(folder: Path) -> Store:
    return lambda batches: _upserts.one_transaction(
        folder, [(step, _upserts.tuples(rows)) for step, rows in batches]
    )


def bare_store(folder: Path) -> Store:
    """The least that any storing in DuckDB takes: as many rows of a key of their own, generated within it."""
    connection, file = duckdb.connect(), folder / "bare.duckdb"
    connection.execute(f"SET GLOBAL default_block_size = {db.BLOCK_SIZE}")
    columns = ", ".join(f'"{name}" {kind}' for name, kind in CRYPTO_PRICE.all_columns)
    given = {
        "coin": f"? || i // {DAYS}",
        "date": f"DATE '{FIRST}' + CAST(i % {DAYS} AS INTEGER)",
        "price": "i * 1.5",
    }
    values = ", ".join(given.get(name, "NULL") for name, _kind in CRYPTO_PRICE.all_columns)

    def store(batches: Batches) -> None:
        connection.execute(f"ATTACH '{file}' AS bare (ROW_GROUP_SIZE {db.ROW_GROUP_SIZE})")
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS bare.price ({columns}, PRIMARY KEY ({', '.join(CRYPTO_PRICE.key)}))"
        )
        insert = f"INSERT INTO bare.price SELECT {values} FROM range({DAYS * len(batches)}) AS r(i)"
        connection.execute(insert, [f"{batches[0][0]}-"])
        connection.execute("DETACH bare")

    return store


def compare(given: Namespace, together: int, other: Store, mine: Store) -> Pairs:
    coins = QUICK_COINS if given.quick else COINS
    return by_turns(given.pairs, backfill(other, coins, together), backfill(mine, coins, together))


def at_once(given: Namespace, folder: Path, together: int) -> bool:
    """The comparisons with so many coins in one transaction, each in stores of its own: coins that are stored
    already would be left alone."""
    names = iter(f"{together}-{n}" for n in count())

    def fresh() -> Path:
        made = folder / next(names)
        made.mkdir()
        return made

    def ours() -> Store:
        os.environ["COLLECTOR_HOME"] = str(fresh())
        own = settings.load()
        ledger.connect(own).close()
        landing.prepare(own)
        db.migrate(own)
        return our_store(own)

    pairs = compare(given, together, dlt_store(fresh()), ours())
    print(pairs.line("dlt", _("ours")))
    what = ngettext(
        "a backfill beside {other}, {n} coin at once",
        "a backfill beside {other}, {n} coins at once",
        together,
    )
    held = at_least(what.format(other="dlt", n=together), pairs.ratio, DLT_BOUND)
    print(compare(given, together, sqlite_store(fresh()), ours()).line("SQLite", _("ours")))
    bare = compare(given, together, sqlite_store(fresh()), bare_store(fresh()))
    print(bare.line("SQLite", _("a bare INSERT into DuckDB")))
    return held


def bounds(given: Namespace) -> list[bool]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own_environment = environment(COLLECTOR_HOME=str(folder / "home"))
        os.environ.clear()
        os.environ.update(own_environment)
        _upserts.prepare_dlt(folder)
        return [at_once(given, folder, together) for together in (1, run.TOGETHER)]


if __name__ == "__main__":
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    sys.exit(_upserts.main(bounds, arguments(__doc__ or "", pairs=7)))
