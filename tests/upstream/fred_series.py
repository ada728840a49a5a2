"""The FRED series that are played, as data: what they are called, on which days they have a row, and when
a row comes out.

Rows and lags are those of the real ones in 2026: most daily series of a day are published on the next
business day of the Federal Reserve, weekly ones days after their week.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from .calendars import CHICAGO, DAY, at_new_york, good_friday, is_fed_day, is_nyse_day, next_fed_day
from .rates import path
from .strain import index

Row = tuple[date, float | None]


@dataclass(frozen=True, slots=True)
class FredSeries:
    """One series. `rows` names its days, `out` its lag, both below; `decimals` are those of its values."""

    id: str
    title: str
    first: date
    rows: str = "fed"
    out: str = "next"
    clock: time = time(16, 17)
    decimals: int = 2
    units: str = "Percent"
    units_short: str = "%"
    frequency: str = "Daily"
    restates: bool = False
    years: int | None = None
    notes: str = "Played by the fake upstream."


_MILLIONS: dict[str, Any] = {
    "units": "Millions of U.S. Dollars", "units_short": "Mil. of U.S. $", "decimals": 0, "out": "h41",
    "rows": "wednesday", "frequency": "Weekly, As of Wednesday",
}  # fmt: skip
_BILLIONS: dict[str, Any] = {
    "units": "Billions of US Dollars", "units_short": "Bil. of US $", "decimals": 3, "rows": "repo",
    "out": "same", "clock": time(17, 2),
}  # fmt: skip
_INDEX: dict[str, Any] = {"units": "Index", "units_short": "Index"}
_FRIDAYS: dict[str, Any] = {
    **_INDEX,
    "rows": "friday",
    "frequency": "Weekly, Ending Friday",
    "restates": True,
}
_WINDOW = "From April 2026 on, only the newest three years of observations are shown here."
_1985 = date(1985, 1, 2)

SERIES = {
    one.id: one
    for one in (
        FredSeries("DFF", "Federal Funds Effective Rate", _1985, rows="all", frequency="Daily, 7-Day"),
        FredSeries("EFFR", "Effective Federal Funds Rate", date(2000, 7, 3), rows="work", clock=time(8)),
        FredSeries("SOFR", "Secured Overnight Financing Rate", date(2018, 4, 3), rows="repo", clock=time(8)),
        FredSeries("DTB3", "3-Month Treasury Bill Secondary Market Rate", _1985),
        FredSeries("DCPF3M", "90-Day AA Financial Commercial Paper Interest Rate", date(1997, 1, 2),
                   rows="thin"),
        FredSeries("DGS3MO", "Market Yield on U.S. Treasury Securities at 3-Month", _1985),
        FredSeries("DGS2", "Market Yield on U.S. Treasury Securities at 2-Year", _1985),
        FredSeries("DGS10", "Market Yield on U.S. Treasury Securities at 10-Year", _1985),
        FredSeries("T10Y3M", "10-Year Treasury Minus 3-Month Treasury", _1985, out="same",
                   clock=time(17, 2)),
        FredSeries("DAAA", "Moody's Seasoned Aaa Corporate Bond Yield", date(1986, 1, 2)),
        FredSeries("DBAA", "Moody's Seasoned Baa Corporate Bond Yield", date(1986, 1, 2)),
        FredSeries("BAA10Y", "Moody's Seasoned Baa Corporate Bond Minus 10-Year Treasury",
                   date(1986, 1, 2)),
        FredSeries("BAMLH0A0HYM2", "ICE BofA US High Yield Index Option-Adjusted Spread",
                   date(1996, 12, 31), clock=time(9), frequency="Daily, Close", years=3, notes=_WINDOW),
        FredSeries("VIXCLS", "CBOE Volatility Index: VIX", date(1990, 1, 2), rows="nyse", clock=time(9, 37),
                   frequency="Daily, Close", **_INDEX),
        FredSeries("WALCL", "Assets: Total Assets", date(2002, 12, 18), **_MILLIONS),
        FredSeries("WTREGEN", "Liabilities: U.S. Treasury, General Account", date(2002, 12, 18), **_MILLIONS),
        FredSeries("WRESBAL", "Reserve Balances with Federal Reserve Banks", date(2002, 12, 18), **_MILLIONS),
        FredSeries("WLCFLPCL", "Loans: Primary Credit", date(2002, 12, 18), **_MILLIONS),
        FredSeries("RRPONTSYD", "Overnight Reverse Repurchase Agreements", date(2003, 2, 7),
                   **{**_BILLIONS, "rows": "rare"}),
        FredSeries("RPONTSYD", "Overnight Repurchase Agreements", date(2003, 2, 7), **_BILLIONS),
        FredSeries("NFCI", "Chicago Fed National Financial Conditions Index", date(1985, 1, 4),
                   out="nfci", decimals=3, **_FRIDAYS),
        FredSeries("STLFSI4", "St. Louis Fed Financial Stress Index", date(1993, 12, 31),
                   out="stl", decimals=4, **_FRIDAYS),
        FredSeries("DEXKOUS", "South Korean Won to U.S. Dollar Spot Exchange Rate", _1985, out="h10",
                   clock=time(16, 20), units="South Korean Won to One U.S. Dollar",
                   units_short="South Korean Won to 1 U.S. $"),
    )
}  # fmt: skip


def strange(identifier: str, first: date, weekly: bool) -> FredSeries:
    """A series of which only a stored history is known."""
    return FredSeries(identifier, identifier, first, frequency="Weekly" if weekly else "Daily", decimals=3)


def _has_value(series: FredSeries, day: date) -> bool:
    """Whether a working day of the row's kind brought a value."""
    if series.rows == "nyse":
        return is_nyse_day(day)
    if series.rows in ("repo", "rare") and day == good_friday(day.year):
        return False
    # Too few trades to quote the paper, about every fifteenth day.
    if series.rows == "thin" and day.toordinal() * 7919 % 15 == 0:
        return False
    # Before the facility of September 2013 there was an operation now and then.
    if series.rows == "rare" and day < date(2013, 9, 23) and day.toordinal() * 7919 % 20:
        return False
    return is_fed_day(day)


def _days(series: FredSeries, year: int) -> Iterator[tuple[date, bool]]:
    """The days that have a row, and whether there is a value in it; the others are blank."""
    weekday = {"wednesday": 2, "friday": 4}.get(series.rows)
    day, end = series.first, date(year, 12, 31)
    while day <= end:
        if weekday is not None or series.rows == "all":
            if weekday is None or day.weekday() == weekday:
                yield day, True
        elif day.weekday() < 5:
            full = _has_value(series, day)
            # EFFR leaves a holiday out where the others leave its row blank.
            if full or series.rows != "work":
                yield day, full
        day += DAY


@lru_cache(maxsize=64)
def generated(series: FredSeries, seed: int, year: int) -> tuple[Row, ...]:
    """All rows to the end of `year`, published or not."""
    values = path(series.id, seed, year)
    return tuple((day, values[index(day)] if full else None) for day, full in _days(series, year))


def restated(value: float, day: date, release: date, decimals: int) -> float:
    """What the release of that week says of a past value: never what the release before it said."""
    # Consecutive weeks differ by 5 modulo 11, so that no value stands still.
    turn = release.toordinal() // 7 * 5 % 11 - 5
    size = (1 + day.toordinal() * 7919 % 3) * max(0.0008, 10.0**-decimals)
    return round(value + turn * size, decimals)


def published(series: FredSeries, day: date) -> datetime:
    """The instant from which the row of `day` is shown, aware UTC."""
    if series.out == "same":
        # The blank row of a holiday comes with the next day's value.
        return at_new_york(day if is_fed_day(day) else next_fed_day(day), series.clock)
    if series.out == "h10":
        # A week together, on the Monday after it.
        return at_new_york(next_fed_day(day + (6 - day.weekday()) * DAY), series.clock)
    if series.out == "h41":
        return at_new_york(next_fed_day(day), time(16, 30))
    if series.out == "nfci":
        week = [day + n * DAY for n in (3, 4, 5)]
        wednesday = day + 5 * DAY
        late = not all(map(is_fed_day, week))
        return at_new_york(next_fed_day(wednesday) if late else wednesday, time(8, 30))
    if series.out == "stl":
        return datetime.combine(next_fed_day(day + 5 * DAY), time(9), CHICAGO).astimezone(UTC)
    works = series.rows == "all" or (is_nyse_day if series.rows == "nyse" else is_fed_day)(day)
    return at_new_york(next_fed_day(day if works else next_fed_day(day)), series.clock)


def three_years_before(day: date) -> date:
    """Where the window of the rolling series begins."""
    return day.replace(year=day.year - 3) if (day.month, day.day) != (2, 29) else day - timedelta(days=1096)
