"""FRED: the rates, spreads and balance sheets of the StressIndex, one step a series, through fredapi.

fredapi builds the addresses and reads the XML; its fetching goes through the wire (it has no timeout and
puts the key into its errors). Units are read from the series' own metadata: WRESBAL and WTREGEN once
moved from billions to millions under the same id. "." and blanks are missing, never zero.
https://fred.stlouisfed.org/docs/api/fred/ (as of 2026-11).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

from collectors.model import (
    WHOLE,
    Answer,
    Ask,
    Batch,
    Believable,
    Changed,
    Plan,
    Probe,
    Rejected,
    Request,
    Row,
    Series,
    Source,
    Upstream,
    Wire,
)
from collectors.payload import xml_of
from collectors.rhythm import Rhythm
from storage.tables import OBSERVATION
from storage.texts import N_

KEY = "FRED_API_KEY"

UPSTREAM = Upstream(
    name="fred",
    title="FRED",
    home="https://fred.stlouisfed.org",
    credit=N_("FRED, Federal Reserve Bank of St. Louis"),
    licence=N_("FRED terms of use; some series are their owners' (Moody's, ICE, CBOE): own use only"),
    url="fred_url",
    # Clients report 120 requests a minute and key, and refusals a little below.
    # A rest that is longer than a source's own time would cost every series after the first refusal.
    plans=(Plan("key", pace_s=0.5, per_minute=100, rest_s=20.0),),
    key=KEY,
    probe=Probe("/series", {"series_id": "DGS10", "file_type": "json"}, {"api_key": KEY}),
)

# When values are out, as seen on captures: same evening, next business day, Thursday, …
_MORNING = Rhythm("fed", time(10), lag=1)
_NEXT_DAY = Rhythm("fed", time(18), lag=1)
_EVENING = Rhythm("fed", time(20))
_EVERY_DAY = Rhythm("every", time(18), lag=1)
_H41 = Rhythm("wednesday", time(17), lag=1)
_NFCI = Rhythm("friday", time(9), lag=3)
_STLFSI = Rhythm("friday", time(11), lag=4)
# The Board's H.10: noon rates of New York, a week at a time on Monday at 16:15.
_H10 = Rhythm("fed", time(17), by_week=True)

_PERCENT = ("Percent",)
_INDEX = ("Index",)
_MILLIONS = ("Millions of U.S. Dollars", "Millions of US Dollars", "Mil. of U.S. $")
_WON = ("South Korean Won to One U.S. Dollar", "South Korean Won to 1 U.S. Dollar")
_BILLIONS = ("Billions of US Dollars", "Billions of U.S. Dollars", "Bil. of US $")

_RATE = Believable(-3, 25, 1.5, absolute=True)
_SPREAD = Believable(-2, 30, 1.5, absolute=True)
# In 2023 bills stood almost two points above bonds.
_RATE_GAP = Believable(-8, 10, 1.5, absolute=True)
_STATEMENT = Believable(1e3, 5e7, 0.5)


@dataclass(frozen=True, slots=True)
class _Line:
    """One series: what it is called and measured in here (`unit`), what FRED may call that (`units`)."""

    id: str
    title: str
    unit: str
    units: tuple[str, ...]
    rhythm: Rhythm
    believable: Believable
    required: bool = True
    frequency: str = "daily"
    restates: bool = False


_LINES = (
    _Line("BAA10Y", N_("Moody's Baa yield less 10-year Treasury"), N_("pp"), _PERCENT, _NEXT_DAY, _SPREAD),
    _Line("DBAA", N_("Moody's Baa corporate yield"), "%", _PERCENT, _NEXT_DAY, _RATE),
    _Line("DAAA", N_("Moody's Aaa corporate yield"), "%", _PERCENT, _NEXT_DAY, _RATE),
    _Line("BAMLH0A0HYM2", N_("ICE BofA US high-yield OAS"), N_("pp"), _PERCENT, _NEXT_DAY, _SPREAD),
    _Line("SOFR", N_("SOFR"), "%", _PERCENT, _MORNING, Believable(-3, 25, 4, absolute=True)),
    _Line("EFFR", N_("Effective federal funds rate, New York Fed"), "%", _PERCENT, _MORNING, _RATE),
    # Not required for freshness: on days with too few trades there is no value at all.
    _Line("DCPF3M", N_("3-month AA financial commercial paper"), "%", _PERCENT, _NEXT_DAY, _RATE, False),
    _Line("DTB3", N_("3-month Treasury bill, secondary market"), "%", _PERCENT, _NEXT_DAY, _RATE),
    _Line("DFF", N_("Federal funds rate"), "%", _PERCENT, _EVERY_DAY, Believable(-3, 25, 8, absolute=True)),
    _Line("DGS3MO", N_("3-month Treasury"), "%", _PERCENT, _NEXT_DAY, _RATE),
    _Line("DGS10", N_("10-year Treasury"), "%", _PERCENT, _NEXT_DAY, _RATE),
    _Line("DGS2", N_("2-year Treasury"), "%", _PERCENT, _NEXT_DAY, _RATE),
    _Line("VIXCLS", N_("CBOE VIX, close"), N_("points"), _INDEX, _NEXT_DAY, Believable(3, 250, 1.5), False),
    _Line("T10Y3M", N_("10-year less 3-month Treasury"), N_("pp"), _PERCENT, _EVENING, _RATE_GAP, False),
    _Line("WALCL", N_("Federal Reserve total assets"), N_("millions of USD"), _MILLIONS, _H41,
          Believable(1e5, 5e7, 0.5), False, "weekly"),
    _Line("WTREGEN", N_("Treasury General Account"), N_("millions of USD"), _MILLIONS, _H41,
          Believable(1e2, 1e7, 20), False, "weekly"),
    _Line("WRESBAL", N_("Reserve balances"), N_("millions of USD"), _MILLIONS, _H41,
          Believable(1e3, 5e7, 10), False, "weekly"),
    _Line("WLCFLPCL", N_("Discount window loans"), N_("millions of USD"), _MILLIONS, _H41,
          Believable(0, 1e7, 1e6), False, "weekly"),
    _Line("RRPONTSYD", N_("Overnight reverse repo"), N_("billions of USD"), _BILLIONS, _EVENING,
          Believable(0, 1e4, 1e4), False),
    _Line("RPONTSYD", N_("Overnight repo"), N_("billions of USD"), _BILLIONS, _EVENING,
          Believable(0, 1e4, 1e6), False),
    _Line("NFCI", N_("Chicago Fed NFCI"), N_("index"), _INDEX, _NFCI,
          Believable(-5, 15, 3, absolute=True), False, "weekly", True),
    _Line("STLFSI4", N_("St. Louis Fed Financial Stress Index"), N_("index"), _INDEX, _STLFSI,
          Believable(-5, 15, 4, absolute=True), False, "weekly", True),
    # Of no input of the index: what money of the crypto pages is worth in Seoul. 1997 had steps of 18 %.
    _Line("DEXKOUS", N_("Won for one dollar, noon in New York"), N_("KRW for 1 USD"), _WON, _H10,
          Believable(500, 3000, 0.2), False),
)  # fmt: skip


def _requested(url: str) -> Request:
    """fredapi's address as a request; the key goes in where it is sent."""
    parts = urlsplit(url)
    params = dict(parse_qsl(parts.query))
    return Request(parts._replace(query="").geturl(), params, secret_params={"api_key": KEY})


class _Cleaned:
    """An answer's elements with a value that can be read, and those without."""

    def __init__(self, answer: Answer) -> None:
        self.root = xml_of(answer.body)
        if self.root.tag not in ("seriess", "observations") or (
            self.root.tag == "seriess" and not len(self.root)
        ):
            raise Changed(
                "schema",
                N_("FRED sends {where} instead of observations: its format changed, look at it."),
                where=self.root.tag[:40],
            )
        self.rejected: list[Rejected] = []
        for element in [one for one in self.root if one.tag == "observation"]:
            value = (element.get("value") or "").strip()
            if value in ("", "."):
                # fredapi knows one of the two ways in which FRED says that there is none.
                self.root.remove(element)
            elif reason := _unfit(element.get("date"), value):
                self.root.remove(element)
                self.rejected.append(Rejected({"date": element.get("date"), "value": value[:40]}, reason))


def _unfit(day: str | None, value: str) -> str | None:
    try:
        date.fromisoformat(day or "")
    except ValueError:
        return "timestamp"
    try:
        number = float(value) if value.isascii() and "_" not in value else None
    except ValueError:
        return "not_a_number"
    if number is None:
        return "not_a_number"
    return None if math.isfinite(number) else "non_finite"


def _client(wire: Wire, base: str, rejected: list[Rejected]) -> Any:
    """A fredapi client that asks through the wire and never holds the key."""
    # Imported when asked: it brings pandas.
    from fredapi import Fred

    class Client(Fred):  # type: ignore[misc]
        def __init__(self) -> None:
            # Not fredapi's own: that one installs a global opener where it sees a proxy variable.
            self.api_key, self.proxies, self.root_url = "", None, base

        def _parse(self, date_str: str, format: str = "%Y-%m-%d") -> datetime:
            # pandas takes fifty times as long for one date, and a first run has 200,000.
            return datetime.fromisoformat(date_str)

        def _Fred__fetch_data(self, url: str) -> ElementTree.Element:
            cleaned = _Cleaned(wire.get(_requested(url)))
            rejected.extend(cleaned.rejected)
            return cleaned.root

    return Client()


def _collect(line: _Line, wire: Wire, ask: Ask) -> Batch:
    """The days since the newest stored one and those that may be revised; everything on the first run
    and of a series that restates its past. Raises Changed where the unit is another one."""
    rejected: list[Rejected] = []
    client = _client(wire, ask.base, rejected)
    _same_unit(line, client.get_series_info(line.id))
    since = None if line.restates or ask.since is None else ask.since - _reread(line)
    values = client.get_series(line.id, observation_start=since.isoformat() if since else None)
    name = f"fred.{line.id}"
    rows: list[Row] = [
        {"series": name, "date": at.date(), "value": float(value), "note": None}
        for at, value in values.items()
    ]
    if not rows:
        raise Changed(
            "empty",
            N_("FRED has no value of {series} in the days asked for. Stored values stay."),
            series=line.id,
        )
    return Batch(rows, rejected)


def _same_unit(line: _Line, info: Any) -> None:
    said = str(info.get("units", "")).strip()
    if said not in line.units:
        raise Changed(
            "schema",
            N_(
                "FRED now gives {series} in {said}, not in {expected}. Stored values stay; adapt the program."
            ),
            series=line.id,
            said=said[:60] or "?",
            expected=line.units[0],
        )


def _reread(line: _Line) -> timedelta:
    return timedelta(days=14 if line.frequency == "daily" else 35)


def _source(line: _Line) -> Source:
    name = f"fred.{line.id}"
    url = f"https://fred.stlouisfed.org/series/{line.id}"
    return Source(
        name=name,
        upstream=UPSTREAM,
        table=OBSERVATION,
        collect=partial(_collect, line),
        rhythm=line.rhythm,
        reread=_reread(line),
        series=(Series(name, line.title, line.unit, line.frequency, url, line.restates),),
        believable=line.believable,
        dead_after=timedelta(days=45),
        serves_stored=True,
        history=WHOLE,
        # What it is measured in, and the values.
        calls=2,
        # Without a trade of that paper there is no rate, sometimes for days; H.10 leaves out days around
        # Christmas that are no holidays.
        pauses={"DCPF3M": 4, "DEXKOUS": 2}.get(line.id, 0),
        required=line.required,
        needs_key=True,
    )


SOURCES: Sequence[Source] = tuple(map(_source, _LINES))
