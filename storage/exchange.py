"""What one dollar is in won, day by day: Yahoo's close where it is as new, else the noon rate of FRED.

The store holds money in USD as its sources give it; won are reckoned when a page is drawn, each day at the
rate that was known of it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# The later one counts where both are of the same day.
SERIES = ("fred.DEXKOUS", "yahoo.KRW=X")
# Over a long weekend or New Year a rate serves; an older one says nothing of a day.
SERVES_DAYS = 7
QUERY = (
    f"SELECT series, date, value, provisional FROM observation WHERE series IN {SERIES}"
    f" AND value IS NOT NULL AND date >= (SELECT min(date) - {SERVES_DAYS} FROM"
    " (SELECT date FROM crypto_price UNION ALL"
    " SELECT date FROM observation WHERE series = 'defillama.total_tvl')) ORDER BY date, series"
)
# Of a row that was turned into won: the rate, its day, and the series that it is of.
RATE, RATE_DATE, RATE_SERIES = "krw_per_usd", "krw_per_usd_date", "krw_per_usd_series"


def best(rows: "pd.DataFrame") -> "pd.DataFrame":
    """One rate a day that has any, ascending, of rows of `QUERY`: all their columns."""
    if rows.empty:
        return rows
    rank = rows["series"].map({name: n for n, name in enumerate(SERIES)})
    ordered = rows.assign(rank=rank).sort_values(["date", "rank"])
    return ordered.drop_duplicates("date", keep="last").drop(columns="rank").reset_index(drop=True)


def of_days(rates: "pd.DataFrame", days: "pd.Series[Any] | pd.DatetimeIndex") -> "pd.DataFrame":
    """The rate of each day, in their order: of that day or the last one before it that is not older than
    `SERVES_DAYS`; without one its columns are missing. `rates` are those of `best`."""
    import pandas as pd

    places, serves = _places(rates, days)
    found = rates.iloc[places][["value", "date", "series"]].reset_index(drop=True)
    named: pd.DataFrame = found.set_axis([RATE, RATE_DATE, RATE_SERIES], axis=1)
    return named.where(pd.Series(serves), axis=0)


def values_of_days(rates: "pd.DataFrame", days: "pd.Series[Any] | pd.DatetimeIndex") -> Any:
    """The rates of `of_days` alone, as an array with NaN where there is none."""
    places, serves = _places(rates, days)
    values = rates["value"].to_numpy(dtype=float)[places]
    values[~serves] = float("nan")
    return values


def _places(rates: "pd.DataFrame", days: "pd.Series[Any] | pd.DatetimeIndex") -> tuple[Any, Any]:
    """Which row of `rates` is the last one up to each day, and whether it serves that day."""
    import numpy as np

    # One unit of time for both, whatever they were read in.
    known, asked = (np.asarray(one, dtype="datetime64[s]") for one in (rates["date"], days))
    places = known.searchsorted(asked, side="right") - 1
    serves = (places >= 0) & (asked - known[places] <= np.timedelta64(SERVES_DAYS, "D"))
    return places.clip(0), serves
