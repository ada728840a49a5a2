"""Storing a backfill of 365 days × 20 coins beside dlt's merge (3 times as fast), and beside SQLite's upsert.

A coin is a batch of 365 prices, and each is stored by itself as it comes in: ours is to land it, open the
store, MERGE with a receipt, commit and close. dlt gets the same rows in one pipeline, a run a coin, with its
quicker strategy (upsert): extracting, normalizing, loading. SQLite opens its file, upserts with a receipt in
one transaction (executemany, write-ahead log, `synchronous=NORMAL`), and closes it. Fetching and parsing are
of none of the three. Nothing is promised beside SQLite: what DuckDB itself takes to open its file, insert as
many generated rows and close it, without a merge, a receipt or a landed file, is measured beside it too, coin
by coin and all coins in one transaction of either. Each turn is a backfill of coins that are new, into stores
that have others already.
"""

import os
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import _upserts
import duckdb
from _measure import Pairs, Spent, arguments, at_least, by_turns, environment, timed

from storage import clock, db, landing, ledger, merge, schema, settings
from storage.tables import CRYPTO_PRICE
from storage.texts import _

DLT_BOUND = 3.0
COINS, QUICK_COINS, DAYS, FIRST = 20, 2, 365, date(2025, 1, 1)
AT = datetime(2026, 1, 1, 3, tzinfo=UTC)
STEP = "coingecko.history"
Rows = list[dict[str, object]]
Store = Callable[[Rows, str], object]


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


def backfill(store: Store, n: int, *, together: bool = False) -> Callable[[], Spent]:
    """A timer of storing the `n` coins of the next backfill, of coins that are not stored yet: the time of
    each batch, summed; what comes between two of them is not timed. `together`: all coins are one batch."""
    coins = count(1)

    def once() -> Spent:
        spent = [Spent(0.0, 0.0, None)]
        for some in [[next(coins) for _n in range(n)]] if together else [[next(coins)] for _n in range(n)]:
            rows = [row for coin in some for row in history(coin, "20260101-030000-bench")]
            step = f"{STEP}.{some[0]}"
            spent.append(timed(lambda rows=rows, step=step: store(rows, step)))  # type: ignore[misc]
        return Spent(sum(one.wall_s for one in spent), sum(one.cpu_s for one in spent), None)

    return once


def our_store(own: settings.Settings) -> Store:
    def store(rows: Rows, step: str) -> None:
        run_id = str(rows[0]["run_id"])
        batch = landing.land(own, CRYPTO_PRICE, rows, run_id=run_id, step=step, source=STEP, observed_at=AT)
        with db.writer(own) as connection:
            schema.migrate_within(own, connection)
            done = merge.merge(connection, batch, clock.now())
        assert done.inserted == DAYS, done

    return store


def dlt_store(folder: Path) -> Store:
    pipeline = _upserts.pipeline(folder)
    return lambda rows, _step: pipeline.run(_upserts.resource(rows)).raise_on_failed_jobs()


def sqlite_store(folder: Path) -> Store:
    return lambda rows, step: _upserts.one_batch(folder, _upserts.tuples(rows), step)


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

    def store(rows: Rows, _step: str) -> None:
        connection.execute(f"ATTACH '{file}' AS bare (ROW_GROUP_SIZE {db.ROW_GROUP_SIZE})")
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS bare.price ({columns}, PRIMARY KEY ({', '.join(CRYPTO_PRICE.key)}))"
        )
        insert = f"INSERT INTO bare.price SELECT {values} FROM range({len(rows)}) AS r(i)"
        connection.execute(insert, [f"{rows[0]['coin']}-"])
        connection.execute("DETACH bare")

    return store


def compare(given: Namespace, other: Store, mine: Store, *, together: bool = False) -> Pairs:
    coins = QUICK_COINS if given.quick else COINS
    return by_turns(
        given.pairs, backfill(other, coins, together=together), backfill(mine, coins, together=together)
    )


def bounds(given: Namespace) -> list[bool]:
    held = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own_environment = environment(COLLECTOR_HOME=str(folder / "home"))
        os.environ.clear()
        os.environ.update(own_environment)
        _upserts.prepare_dlt(folder)
        for other, make in (("dlt", dlt_store), ("SQLite", sqlite_store)):
            os.environ["COLLECTOR_HOME"] = str(folder / f"beside-{other}")
            own = settings.load()
            ledger.connect(own).close()
            landing.prepare(own)
            db.migrate(own)
            (folder / other).mkdir()
            pairs = compare(given, make(folder / other), our_store(own))
            print(pairs.line(other, _("ours")))
            if other == "dlt":
                what = _("a backfill beside {other}").format(other=other)
                held.append(at_least(what, pairs.ratio, DLT_BOUND))
                continue
            for what, together in (
                (_("a bare INSERT into DuckDB"), False),
                (_("one bare INSERT of all"), True),
            ):
                # Stores of their own: coins that are stored already would be left alone.
                fresh = [folder / f"{name}-{together}" for name in ("other", "bare")]
                for one in fresh:
                    one.mkdir()
                least = compare(given, make(fresh[0]), bare_store(fresh[1]), together=together)
                print(least.line(other, what))
    return held


if __name__ == "__main__":
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    sys.exit(_upserts.main(bounds, arguments(__doc__ or "", pairs=7)))
