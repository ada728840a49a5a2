"""What money is shown in: USD as it is stored, or won at the rates of the record. Reckons, draws nothing.

A frame or row that was turned into won carries its rate (`storage.exchange.RATE` and its two companions), so
that whatever shows it can say at which rate it is, and of which day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pages._view import formats
from pages._view.once import once
from storage import exchange
from storage.exchange import RATE, RATE_DATE, RATE_SERIES
from storage.texts import N_, _, ngettext

_TITLES = {"yahoo.KRW=X": N_("KRW=X (Yahoo)"), "fred.DEXKOUS": N_("DEXKOUS (FRED)")}
# Columns of the record that are money, and so have their currency in their name when they leave as CSV.
_MONEY = ("price", "market_cap", "volume", "tvl", "value")


@dataclass(frozen=True, slots=True, eq=False)
class Currency:
    """`code` and `sign` of what amounts are shown in; `rates`: one row a day with a rate, None for USD."""

    code: str
    sign: str
    rates: pd.DataFrame | None = None

    def show(self, amount: Any) -> str:
        """An amount of this currency as a person reads it."""
        return formats.money(amount, self.sign)

    def label(self, amount: Any) -> str:
        """The same in the room that a chart has."""
        return formats.money(amount, self.sign, short=True)

    def now(self, rows: pd.DataFrame, *columns: str) -> pd.DataFrame:
        """Rows in USD as they stand: at the newest rate there is."""
        if self.rates is None or rows.empty:
            return rows
        newest = self.rates.iloc[-1]
        told = {RATE: float(newest["value"]), RATE_DATE: newest["date"], RATE_SERIES: newest["series"]}
        return rows.assign(**{name: rows[name] * told[RATE] for name in columns}, **told)

    def past(self, rows: pd.DataFrame, *columns: str) -> pd.DataFrame:
        """Rows in USD, each at the rate of its own day; missing where no rate serves that day."""
        if self.rates is None or rows.empty:
            return rows
        found = exchange.of_days(self.rates, rows["date"]).set_axis(rows.index)
        told = {name: found[name] for name in (RATE, RATE_DATE, RATE_SERIES)}
        return rows.assign(**{name: rows[name] * found[RATE] for name in columns}, **told)

    def days(self, values: "pd.Series[float]") -> "pd.Series[float]":
        """Amounts in USD by day, each at the rate of its own day."""
        if self.rates is None or values.empty:
            return values
        return values * exchange.values_of_days(self.rates, pd.DatetimeIndex(values.index))

    def worth(self, amount: float, day: pd.Timestamp | None = None) -> float:
        """An amount in USD at the newest rate, or at that of a day."""
        if self.rates is None:
            return amount
        if day is None:
            return amount * float(self.rates["value"].iloc[-1])
        return amount * float(exchange.values_of_days(self.rates, pd.DatetimeIndex([day]))[0])

    def unit(self, rows: pd.DataFrame) -> str:
        """The unit of a chart of `rows`, which may have days without a rate."""
        if self.rates is None or RATE not in rows:
            return self.code
        said = _("KRW, each day at its own rate")
        lost = int(rows.loc[rows[RATE].isna(), "date"].nunique())
        if lost:
            left_out = ngettext("{n} day without a rate left out", "{n} days without a rate left out", lost)
            said += ", " + left_out.format(n=formats.number(lost))
        return said


USD = Currency("USD", "$")


@once
def best(rates: pd.DataFrame) -> pd.DataFrame:
    """One rate a day, of all that are stored."""
    return exchange.best(rates)


def of(rates: pd.DataFrame, code: str) -> Currency:
    """The currency of that code, where the record has rates for it; else USD."""
    if code != "KRW" or rates.empty:
        return USD
    return Currency("KRW", "₩", best(rates))


def as_of(rates: pd.DataFrame) -> str:
    """ "₩1,384.20 for $1 · KRW=X (Yahoo), 27 Nov": the newest rate of the record."""
    newest = best(rates).iloc[-1]
    day = formats.short_day(newest["date"].date())
    if newest["provisional"]:
        day = _("{day}, provisional").format(day=day)
    rate = f"₩{formats.fixed(newest['value'], 2)}"
    said = _("{rate} for $1 · {series}, {day}")
    return said.format(rate=rate, series=_(_TITLES[newest["series"]]), day=day)


def is_old(rates: pd.DataFrame, day: pd.Timestamp) -> bool:
    """Whether the newest rate says nothing of `day` any more."""
    return bool(day - best(rates)["date"].iloc[-1] > pd.Timedelta(days=exchange.SERVES_DAYS))


def told(row: "Mapping[str, Any] | pd.Series[Any]") -> str:
    """At which rate a row is shown, of which day and source; empty for one in USD."""
    if RATE not in row:
        return ""
    if pd.isna(row[RATE]):
        return _("no exchange rate of that day")
    return _("at {rate} for $1, {series} of {day}").format(
        rate=f"₩{formats.fixed(row[RATE], 2)}",
        series=_(_TITLES[row[RATE_SERIES]]),
        day=formats.short_day(row[RATE_DATE].date()),
    )


def named(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows for a file: money that was turned into won says so in the name of its column."""
    if RATE not in rows:
        return rows
    return rows.rename(columns={name: f"{name}_krw" for name in _MONEY})
