"""What the old page reads: coins with a year of prices, a year of metrics, the largest protocols."""

from typing import Any

import duckdb

from storage.read import HISTORY_DAYS, rows


def coins(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The coins of rank 20 or better on their newest day of the last two, each with at most 365 days of
    prices."""
    found = rows(
        connection,
        "SELECT coin, symbol, name, rank, price, market_cap, change_24h, volume, date"
        # Shortly after midnight UTC an upstream still dates some coins by the day before. A coin that
        # fell out of the list since then has a successor in its rank.
        # Only a list that was seen has ranks: of days that were filled in later nobody knows them.
        " FROM (FROM crypto_price WHERE rank IS NOT NULL"
        "  AND date >= (SELECT max(date) FROM crypto_price WHERE rank IS NOT NULL) - 1"
        "  QUALIFY row_number() OVER (PARTITION BY coin ORDER BY date DESC) = 1)"
        " WHERE rank <= 20"
        " QUALIFY row_number() OVER (PARTITION BY rank ORDER BY date DESC, observed_at DESC, coin) = 1"
        " ORDER BY rank, coin",
    )
    history: dict[str, list[list[object]]] = {str(coin["coin"]): [] for coin in found}
    points = connection.execute(
        "SELECT coin, CAST(date AS VARCHAR), price FROM crypto_price"
        " WHERE date > (SELECT max(date) FROM crypto_price) - ? ORDER BY date",
        [HISTORY_DAYS],
    ).fetchall()
    for coin, day, price in points:
        if coin in history:
            history[coin].append([day, price])
    return [{**coin, "history": history[str(coin["coin"])]} for coin in found]


def metrics(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The last year of market metrics, oldest first."""
    return rows(
        connection,
        "SELECT date, total_tvl, fear_greed_index, fear_greed_label, btc_dominance FROM crypto_metric"
        " WHERE date > (SELECT max(date) FROM crypto_metric) - ? ORDER BY date",
        [HISTORY_DAYS],
    )


def protocols(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The protocols of the newest day, largest first."""
    return rows(
        connection,
        "SELECT protocol, name, category, tvl, change_1d, change_7d FROM protocol_tvl"
        " WHERE date = (SELECT max(date) FROM protocol_tvl) ORDER BY tvl DESC NULLS LAST, protocol",
    )
