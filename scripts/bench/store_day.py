"""Storing one day's snapshot beside dlt's merge of the same rows into DuckDB: at least 5 times as fast.

A day is 20 prices, 30 protocols and 3 metrics, in three tables. Ours is to open the store, merge three
landed batches with a receipt each, commit and close, as `replay` does; landing them before is not timed.
dlt gets the same rows as three resources with `write_disposition="merge"` and a primary key. Both
stores have lived a day before.
"""

import os
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from _measure import Pairs, Spent, arguments, at_least, by_turns, ended, environment

from storage import clock, db, landing, ledger, merge, schema, settings
from storage.tables import CRYPTO_PRICE, OBSERVATION, PROTOCOL_TVL, Table
from storage.texts import _

BOUND = 5.0
FIRST = date(2026, 1, 1)
METRICS = ("defillama.total_tvl", "alternative_me.fear_greed_index", "coingecko.btc_dominance")
Rows = list[dict[str, object]]


def snapshot(day: date) -> list[tuple[str, Table, Rows]]:
    """Source, table and rows of every batch of a day."""
    at = datetime(day.year, day.month, day.day, 21, tzinfo=UTC)
    wave = day.toordinal() % 97
    own = {"run_id": f"{day:%Y%m%d}-210000-bench", "observed_at": at, "provisional": True, "date": day}
    prices: Rows = [
        {
            "coin": f"coin-{n}", "symbol": f"c{n}", "name": f"Coin {n}", "rank": n, "price": 1e5 / n + wave,
            "market_cap": 2e12 / n + wave, "volume": 5e10 / n, "change_24h": wave / 10, "change_7d": -1.5,
            "change_30d": 4.25, "source": "coingecko.markets", **own,
        }
        for n in range(1, 21)
    ]  # fmt: skip
    protocols: Rows = [
        {
            "protocol": f"protocol-{n}", "name": f"Protocol {n}", "category": "Lending",
            "tvl": 3e10 / n + wave, "change_1d": 0.5, "change_7d": wave / 7,
            "source": "defillama.protocols", **own,
        }
        for n in range(1, 31)
    ]  # fmt: skip
    metrics: Rows = [
        {"series": name, "value": 50.0 + wave, "note": None, "source": name, **own} for name in METRICS
    ]
    return [
        ("coingecko.markets", CRYPTO_PRICE, prices),
        ("defillama.protocols", PROTOCOL_TVL, protocols),
        ("metrics", OBSERVATION, metrics),
    ]


Store = Callable[[], None]


def our_store(own: settings.Settings) -> Callable[[date], Store]:
    """Lands a day's batches, and gives what merges them in one transaction of one opening."""

    def land(day: date) -> Store:
        batches = []
        for source, table, rows in snapshot(day):
            run_id, at = str(rows[0]["run_id"]), clock.day_end(day) - timedelta(hours=3)
            batches.append(
                landing.land(own, table, rows, run_id=run_id, step=source, source=source, observed_at=at)
            )

        def store() -> None:
            with db.writer(own) as connection:
                schema.migrate_within(own, connection)
                counts = [merge.merge(connection, batch, clock.now()) for batch in batches]
            assert [count.inserted for count in counts] == [20, 30, 3], counts

        return store

    return land


def dlt_store(folder: Path) -> Callable[[date], Store]:
    """The same through dlt, into a DuckDB file of its own: what a day is stored by."""
    # Read when dlt is imported: no word to its makers, no progress lines, no settings of this machine.
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["DLT_DATA_DIR"] = str(folder / "data")
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    import dlt

    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(folder / "dlt.duckdb")),
        dataset_name="bench",
    )

    def extract(day: date) -> Store:
        resources = [
            dlt.resource(
                rows, name=table.name, write_disposition="merge", primary_key=table.key, columns=_hints(table)
            )
            for _source, table, rows in snapshot(day)
        ]
        return lambda: pipeline.run(resources).raise_on_failed_jobs()

    return extract


def _hints(table: Table) -> Sequence[Mapping[str, Any]]:
    # A column of nothing but NULL has no type that could be guessed.
    words = {"DOUBLE": "double", "VARCHAR": "text", "DATE": "date", "INTEGER": "bigint", "BOOLEAN": "bool"}
    return [
        {"name": name, "data_type": words.get(kind, "timestamp"), "nullable": name not in table.key}
        for name, kind in table.all_columns
    ]


def days(prepare: Callable[[date], Store]) -> Callable[[], Spent]:
    """A timer of storing the next day at each call; what comes before is not timed."""
    calendar: Iterator[date] = (FIRST + timedelta(n) for n in range(10_000))

    def once() -> Spent:
        store_one = prepare(next(calendar))
        wall, cpu = time.perf_counter(), time.process_time()
        store_one()
        return Spent(time.perf_counter() - wall, time.process_time() - cpu, None)

    return once


def compare(folder: Path, n: int) -> Pairs:
    own = settings.load()
    ledger.connect(own).close()
    landing.prepare(own)
    db.migrate(own)
    return by_turns(n, days(dlt_store(folder)), days(our_store(own)))


def bounds(given: Namespace) -> list[bool]:
    with tempfile.TemporaryDirectory() as folder:
        own = environment(COLLECTOR_HOME=str(Path(folder) / "home"))
        os.environ.clear()
        os.environ.update(own)
        pairs = compare(Path(folder), given.pairs)
        print(pairs.line("dlt", _("ours")))
        return [at_least(_("one day's snapshot"), pairs.ratio, BOUND)]


def main() -> int:
    given = arguments(__doc__ or "", pairs=15)
    if find_spec("dlt") is None:
        print(_("dlt is not installed. Install it: {command}").format(
            command=f'{sys.executable} -m pip install "dlt[duckdb]==1.31.0"'
        ), file=sys.stderr)  # fmt: skip
        return 2
    return ended(bounds, given)


if __name__ == "__main__":
    # As `collect.py` does, and dlt needs it no more than we do.
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    sys.exit(main())
