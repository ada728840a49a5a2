"""Yahoo Finance: closes of indices and ETFs with their dividends and splits, and the won, one step a symbol,
by yfinance.

Stored is the raw close as it was traded that day: what Yahoo sends is divided by every later split, and
its own adjusted close changes with every dividend. Adjusted prices are computed when they are read.
https://finance.yahoo.com (no documentation of its own; as of 2026-11).
"""

import logging
import sqlite3
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from collectors.model import (
    WHOLE,
    Ask,
    Batch,
    Believable,
    Changed,
    Plan,
    Probe,
    Rejected,
    Row,
    Series,
    Source,
    Upstream,
    Wire,
)
from collectors.rhythm import UTC_DAYS, Rhythm
from storage.tables import OBSERVATION
from storage.texts import N_

UPSTREAM = Upstream(
    name="yahoo",
    title="Yahoo Finance",
    home="https://finance.yahoo.com",
    credit=N_("Yahoo Finance"),
    licence=N_("Yahoo's terms of service: personal use"),
    url="yahoo_url",
    # Its 429 says nothing of how long; one that is asked again at once may last for days.
    plans=(Plan("open", pace_s=1.0, per_minute=40, rest_s=900.0),),
    probe=Probe("/v8/finance/chart/SPY", {"range": "1d", "interval": "1d"}, as_browser=True),
)

# The close is printed minutes after the bell; at 06:00 in Seoul in winter New York has just closed.
CLOSE = Rhythm("nyse", time(16, 30), counted="nyse", ends=time(16, 30))
# Currencies: a bar is a weekday of London, which trading in New York ends at 22:00.
CURRENCY = Rhythm("weekdays", time(22), zone="Europe/London")
REREAD = timedelta(days=14)
_PRICE = Believable(0.5, 1e5, 0.35)
_ASKED_LEAST = timedelta(days=7)
# Share of the close before it; XLF paid 19 % when it gave its real estate away.
MOST_PAID = 0.25


class Bar(NamedTuple):
    """One day as Yahoo gives it: the close divided by every later split; NaN where it has none."""

    day: date
    close: float
    dividend: float
    split: float


def series_of(symbol: str) -> tuple[str, str, str]:
    """Names of the close, dividend and split series of an ETF."""
    return f"yahoo.{symbol}.close", f"yahoo.{symbol}.dividend", f"yahoo.{symbol}.split"


def rows_of(symbol: str, bars: Sequence[Bar], *, index: bool) -> list[Row]:
    """Rows of `observation`: closes as they were traded, and what was paid and split on its day.

    `bars` must reach up to the newest day: every later split is needed to undo Yahoo's division."""
    close, dividend, split = series_of(symbol)
    if index:
        return [_row(f"yahoo.{symbol}", bar.day, bar.close) for bar in bars]
    found: list[Row] = []
    later = 1.0
    for bar in reversed(bars):
        if isfinite(bar.close):
            # 104.349998 is what became of 104.35 on its way.
            found.append(_row(close, bar.day, round(bar.close * later, 4)))
        if bar.dividend > 0:
            found.append(_row(dividend, bar.day, round(bar.dividend * later, 6)))
        if bar.split > 0 and bar.split != 1:
            found.append(_row(split, bar.day, bar.split))
            later *= bar.split
    return found[::-1]


def _row(series: str, day: date, value: float) -> Row:
    return {"series": series, "date": day, "value": value, "note": None}


def settled(
    bars: Sequence[Bar], symbol: str, at: datetime, wide: bool, rhythm: Rhythm = CLOSE
) -> tuple[list[Bar], list[Rejected]]:
    """The bars that have a close, without a live one that nothing settled leads up to. Raises Changed
    `empty` where none has a close, `suspect` where a `wide` question got the live bar alone."""
    known = [bar for bar in bars if isfinite(bar.close)]
    if not known:
        raise Changed(
            "empty",
            N_("Yahoo has no close of {symbol} in the days asked for. Stored values stay."),
            symbol=symbol,
        )
    last = known[-1]
    # A bell that has just rung settles nothing: a lone bar is one for another day.
    live = at < rhythm.over(last.day) + timedelta(days=1)
    place = next(n for n, bar in enumerate(bars) if bar is last)
    unsettled = live and place >= 2 and not any(isfinite(bar.close) for bar in bars[place - 2 : place])
    if live and wide and len(known) == 1:
        raise Changed(
            "suspect",
            N_("Yahoo has only today's quote of {symbol}, and no day before it. Stored values stay."),
            symbol=symbol,
        )
    if not unsettled:
        return list(bars), []
    without = [bar for bar in bars if bar is not last]
    return without, [Rejected({"date": last.day.isoformat(), "close": last.close}, "unsettled")]


@contextmanager
def _quiet_yfinance() -> Iterator[Any]:
    """The library, which prints what it raises anyway, and warns of pandas' future."""
    with warnings.catch_warnings():
        # Imported when asked: it brings pandas. It also puts filters of its own before all others.
        import yfinance
    logger = logging.getLogger("yfinance")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield yfinance


def _sound(folder: Path) -> Path:
    """The folder of yfinance's own databases, without one that the disk has damaged: they only remember
    what can be asked for again."""
    for file in folder.glob("*.db"):
        try:
            with closing(sqlite3.connect(file)) as database:
                database.execute("PRAGMA quick_check").fetchone()
        except sqlite3.DatabaseError:
            for left in folder.glob(f"{file.name}*"):
                left.unlink(missing_ok=True)
    return folder


def _bars(wire: Wire, symbol: str, since: date | None) -> list[Bar]:
    """Every bar from `since` on (None: all there are), without a close too."""
    with _quiet_yfinance() as yfinance:
        yfinance.set_tz_cache_location(str(_sound(wire.cache)))
        yfinance.config.debug.hide_exceptions = False
        ticker = yfinance.Ticker(symbol, session=wire.session())
        span: dict[str, Any] = {"start": since.isoformat()} if since else {"period": "max"}
        try:
            frame = ticker.history(interval="1d", auto_adjust=False, actions=True, keepna=True, **span)
        except (yfinance.exceptions.YFException, ValueError, LookupError, TypeError, AttributeError):
            # An empty frame, a body that is no JSON, a field that is not where it was.
            raise Changed(
                "schema",
                N_("Yahoo's answer for {symbol} cannot be read. Stored values stay; wait."),
                symbol=symbol,
            ) from None
    return list(_read(frame))


def _read(frame: Any) -> Iterator[Bar]:
    # As lists: pandas takes a hundred times as long for one value, and a first run has 250,000.
    columns = {name: frame[name].tolist() for name in ("Close", "Dividends", "Stock Splits") if name in frame}
    taken: dict[date, Bar] = {}
    for place, at in enumerate(frame.index):
        values = {name: float(column[place]) for name, column in columns.items()}
        bar = Bar(at.date(), values.get("Close", float("nan")), *_events(values))
        before = taken.get(bar.day)
        # The live quote comes beside the day's own bar; one of the two may have no close.
        taken[bar.day] = bar if before is None or isfinite(bar.close) else before
    yield from (taken[day] for day in sorted(taken))


def _events(values: Mapping[str, float]) -> tuple[float, float]:
    found = (values.get("Dividends", 0.0), values.get("Stock Splits", 0.0))
    return (found[0] if isfinite(found[0]) else 0.0, found[1] if isfinite(found[1]) else 0.0)


def _collect(symbol: str, index: bool, rhythm: Rhythm, wire: Wire, ask: Ask) -> Batch:
    """The days since the newest stored one and two weeks before it; everything on the first run."""
    since = ask.since - REREAD if ask.since else None
    wide = since is None or ask.now.astimezone(UTC).date() - since >= _ASKED_LEAST
    bars = _bars(wire, symbol, since)
    if rhythm.days == "weekdays":
        # What is quoted on Sunday evening is Monday's, and stands in Monday's bar from midnight on.
        bars = [bar for bar in bars if rhythm.has(bar.day)]
    bars, rejected = settled(bars, symbol, wire.answered_at(), wide, rhythm)
    known = [bar for bar in bars if isfinite(bar.close) or not index]
    paid = [] if index else _absurd(known)
    rejected += [
        Rejected({"date": bar.day.isoformat(), "dividend": bar.dividend}, "implausible") for bar in paid
    ]
    sensible = [bar._replace(dividend=0.0) if bar in paid else bar for bar in known]
    return Batch(rows_of(symbol, sensible, index=index), rejected)


def _absurd(bars: Sequence[Bar]) -> list[Bar]:
    """Bars whose dividend is more than a quarter of the close before it."""
    found, before = [], float("inf")
    for bar in bars:
        if bar.dividend > MOST_PAID * before:
            found.append(bar)
        before = bar.close if isfinite(bar.close) else before
    return found


def _source(
    symbol: str,
    title: str,
    *,
    index: bool = False,
    required: bool = True,
    able: Believable = _PRICE,
    unit: str = N_("points"),
    rhythm: Rhythm = CLOSE,
    pauses: int = 0,
) -> Source:
    url = f"https://finance.yahoo.com/quote/{symbol.replace('^', '%5E')}"
    close, dividend, split = series_of(symbol)
    if index:
        series: tuple[Series, ...] = (Series(f"yahoo.{symbol}", title, unit, "daily", url),)
    else:
        series = (
            Series(close, title, N_("USD, as traded"), "daily", url),
            Series(dividend, title, N_("USD a share"), "daily", url, event=True),
            Series(split, title, N_("new shares for one"), "daily", url, event=True),
        )
    return Source(
        name=f"yahoo.{symbol}",
        upstream=UPSTREAM,
        table=OBSERVATION,
        collect=partial(_collect, symbol, index, rhythm),
        rhythm=rhythm,
        reread=REREAD,
        series=series,
        believable=able,
        dead_after=timedelta(days=30),
        serves_stored=True,
        history=WHOLE,
        # The zone of its exchange comes first.
        calls=2,
        pauses=pauses,
        required=required,
    )


# Trades every day; a day of it ends with UTC's. What CoinGecko's price is held against.
BITCOIN = replace(
    _source("BTC-USD", "", index=True, required=False, able=Believable(100, 1e8, 0.6)),
    rhythm=UTC_DAYS,
    series=(
        Series(
            "yahoo.BTC-USD",
            N_("Bitcoin at Yahoo"),
            N_("USD"),
            "daily",
            "https://finance.yahoo.com/quote/BTC-USD",
        ),
    ),
)

SOURCES: Sequence[Source] = (
    _source("SPY", N_("SPDR S&P 500 ETF")),
    _source("^VIX", N_("CBOE VIX"), index=True, able=Believable(3, 250, 1.5)),
    _source("HYG", N_("iShares high-yield corporate bonds")),
    _source("IEI", N_("iShares 3–7 year Treasuries")),
    _source("LQD", N_("iShares investment-grade corporate bonds")),
    _source("IEF", N_("iShares 7–10 year Treasuries")),
    _source("EMB", N_("iShares emerging-market bonds")),
    _source("BKLN", N_("Invesco senior loans")),
    _source("BIL", N_("SPDR 1–3 month bills")),
    _source("XLF", N_("Financial Select Sector SPDR")),
    _source("TLT", N_("iShares 20+ year Treasuries"), required=False),
    _source("^MOVE", N_("ICE BofA MOVE"), index=True, required=False, able=Believable(10, 500, 1.0)),
    # Of no input of the index: what money of the crypto pages is worth in Seoul.
    _source("KRW=X", N_("Won for one dollar"), index=True, required=False, able=Believable(500, 3000, 0.2),
            unit=N_("KRW for 1 USD"), rhythm=CURRENCY, pauses=2),
    BITCOIN,
)  # fmt: skip
