"""Yahoo as the fake plays it: the chart of a symbol, the crumb, and the page that sets the cookie."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from . import bitcoin_chart, refusals
from .calendars import CLOSE, LONDON, NEW_YORK, OPEN, at_new_york, closes, opening
from .prices import Symbol
from .refusals import Refusal
from .trading_session import Session
from .wire import Reply, compact
from .yahoo_record import Slot, YahooRecord

RANGES = ("1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max")
CRUMB = "fAkE.cRuMb1"
_CHART = "/v8/finance/chart/"
_DAYS = {"1mo": 31, "3mo": 92, "6mo": 183, "1y": 366, "2y": 731, "5y": 1827, "10y": 3653}
# Without a domain, so that the cookie also fits a client that changed the host.
_COOKIE = "A3=d=AQABBFake; Max-Age=31557600; Path=/; SameSite=None; Secure; HttpOnly"
_NOTHING_HERE = b"<!DOCTYPE html>\n<html><head><title>Yahoo</title></head><body>Not here.</body></html>\n"


class Yahoo:
    """Answers for query1, query2 and fc.yahoo.com."""

    def __init__(self, record: YahooRecord) -> None:
        self.record = record

    def reply(self, path: str, query: Mapping[str, str]) -> Reply:
        """Neither cookie nor crumb is asked for, as at the source."""
        if path.startswith(_CHART):
            return self._chart(unquote(path.removeprefix(_CHART)).upper(), query)
        if path == "/v1/test/getcrumb":
            return Reply(200, CRUMB.encode(), "text/plain;charset=utf-8")
        if path.startswith("/v10/finance/quoteSummary/"):
            symbol = unquote(path.rsplit("/", 1)[1])
            words = f"Quote not found for symbol: {symbol}"
            return _told(refusals.yahoo_error(404, "Not Found", words, "quoteSummary"))
        return Reply(404, _NOTHING_HERE, "text/html", (("set-cookie", _COOKIE),))

    def _chart(self, name: str, query: Mapping[str, str]) -> Reply:
        if name == bitcoin_chart.SYMBOL and self.record.history is None:
            return bitcoin_chart.reply(self.record, query)
        symbol = self.record.symbol(name)
        if symbol is None:
            return _told(refusals.yahoo("no_data"))
        interval, span = query.get("interval", "1d"), query.get("range", "")
        if interval != "1d" or (span and span not in RANGES):
            words = f"Invalid input - interval={interval}, range={span}: only 1d is played."
            return _told(refusals.yahoo_error(422, "Unprocessable Entity", words))
        slots = self._asked(symbol, query, span)
        if slots is None:
            words = f"Data doesn't exist for startDate = {query['period1']}, endDate = {query.get('period2')}"
            return _told(refusals.yahoo_error(400, "Bad Request", words))
        # range=max answers in months, whatever interval was asked for.
        told = _months(slots) if span == "max" else slots
        result: dict[str, object] = {"meta": self._meta(symbol, told, span)}
        if told:
            result["timestamp"] = [slot.at for slot in told]
        events = self._events(symbol, slots, query.get("events", ""))
        if events:
            result["events"] = events
        result["indicators"] = _indicators(told)
        return compact({"chart": {"result": [result], "error": None}})

    def _asked(self, symbol: Symbol, query: Mapping[str, str], span: str) -> list[Slot] | None:
        """The bars of the window; None where it lies wholly before the first one."""
        if "period1" not in query:
            return self._ranged(symbol, span or "1d")
        start, end = int(query["period1"]), int(query.get("period2", 2**40))
        if end <= symbol.stamp(symbol.first):
            return None
        first, last = (_day(second, symbol) for second in (start, end))
        return [slot for slot in self.record.slots(symbol, first, last) if start <= slot.at < end]

    def _ranged(self, symbol: Symbol, span: str) -> list[Slot]:
        last = self.record.session(symbol).day
        if span in ("1d", "5d"):
            return self.record.slots(symbol, last - timedelta(days=12), last)[-int(span[0]) :]
        first = symbol.first
        if span == "ytd":
            first = date(last.year, 1, 1)
        elif span != "max":
            first = max(first, last - timedelta(days=_DAYS[span]))
        return self.record.slots(symbol, first, last)

    def _events(self, symbol: Symbol, slots: Sequence[Slot], wanted: str) -> dict[str, object]:
        if not slots:
            return {}
        first, last, found = slots[0].day, slots[-1].day, dict[str, object]()
        dividends = {
            str(opening(day)): {"amount": amount, "date": opening(day)}
            for day, amount in self.record.dividends(symbol).items()
            if first <= day <= last
        }
        splits = {
            str(opening(day)): {"date": opening(day), "numerator": new, "denominator": old,
                                "splitRatio": f"{new:g}:{old:g}"}
            for day, (new, old) in self.record.splits(symbol).items()
            if first <= day <= last
        }  # fmt: skip
        if "div" in wanted and dividends:
            found["dividends"] = dividends
        if "split" in wanted and splits:
            found["splits"] = splits
        return found

    def _meta(self, symbol: Symbol, told: Sequence[Slot], span: str) -> dict[str, object]:
        now = self.record.session(symbol)
        year = self.record.slots(symbol, now.day - timedelta(days=366), now.day)
        full = [slot for slot in year if slot.close is not None]
        last = full[-1] if full else None
        before = self.record.close_before(symbol, told[0].day if told else now.day)
        meta: dict[str, object] = {
            "currency": "KRW" if symbol.is_currency else "USD", "symbol": symbol.name,
            "exchangeName": symbol.exchange,
            "fullExchangeName": symbol.exchange_name,
            "instrumentType": _kind(symbol),
            "firstTradeDate": symbol.stamp(symbol.first), "regularMarketTime": now.at,
            "hasPrePostMarketData": not symbol.is_index, **_zone(now.day, symbol),
            "exchangeTimezoneName": _place(symbol).key, "regularMarketPrice": last and last.close,
            "fiftyTwoWeekHigh": max((slot.high or 0 for slot in full), default=None),
            "fiftyTwoWeekLow": min((slot.low or 0 for slot in full), default=None),
            "regularMarketDayHigh": last and last.high, "regularMarketDayLow": last and last.low,
            "regularMarketVolume": last and last.volume, "longName": f"{symbol.name} of the fake",
            "shortName": symbol.name,
            "chartPreviousClose": before,
            "priceHint": 2, "currentTradingPeriod": _periods(now), "dataGranularity": "1d", "range": span,
            "validRanges": list(RANGES),
        }  # fmt: skip
        if symbol.is_index:
            del meta["regularMarketVolume"]
        return {**meta, "dataGranularity": "1mo" if span == "max" else "1d"}


def _kind(symbol: Symbol) -> str:
    return "CURRENCY" if symbol.is_currency else "INDEX" if symbol.is_index else "ETF"


def _place(symbol: Symbol | None) -> ZoneInfo:
    return LONDON if symbol is not None and symbol.is_currency else NEW_YORK


def _day(second: int, symbol: Symbol) -> date:
    """The day where it is traded; yfinance asks from before there were computers."""
    bounded = max(0, min(second, 4_000_000_000))
    return datetime.fromtimestamp(bounded, UTC).astimezone(_place(symbol)).date()


def _zone(day: date, symbol: Symbol | None = None) -> dict[str, object]:
    noon = datetime.combine(day, time(12), _place(symbol))
    offset = noon.utcoffset() or timedelta()
    return {"gmtoffset": int(offset.total_seconds()), "timezone": noon.tzname()}


def _periods(now: Session) -> dict[str, object]:
    bounds = (time(4), OPEN, closes(now.day), time(20) if closes(now.day) == CLOSE else time(17))
    at = [int(at_new_york(now.day, bound).timestamp()) for bound in bounds]
    zone = _zone(now.day)
    return {
        name: {"timezone": zone["timezone"], "end": at[n + 1], "start": at[n], "gmtoffset": zone["gmtoffset"]}
        for n, name in enumerate(("pre", "regular", "post"))
    }


def _indicators(slots: Sequence[Slot]) -> dict[str, object]:
    names = ("open", "high", "low", "close", "volume")
    quote = {name: [getattr(slot, name) for slot in slots] for name in names} if slots else {}
    adjusted = {"adjclose": [slot.adjclose for slot in slots]} if slots else {}
    return {"quote": [quote], "adjclose": [adjusted]}


def _months(slots: Sequence[Slot]) -> list[Slot]:
    """One bar a month, stamped at midnight of its first day; the last one keeps its time when it is live."""
    found, at = [], 0
    while at < len(slots):
        month = (slots[at].day.year, slots[at].day.month)
        end = bisect_right(slots, month, at, key=lambda slot: (slot.day.year, slot.day.month))
        found.append(_month(slots[at:end]))
        at = end
    return found


def _month(slots: Sequence[Slot]) -> Slot:
    last, first = slots[-1], slots[0].day.replace(day=1)
    full = [slot for slot in slots if slot.close is not None]
    at = last.at if last.at != opening(last.day) else int(at_new_york(first, time()).timestamp())
    if not full:
        return Slot(first, at, None, None, None, None, None, None)
    high, low = max(slot.high or 0 for slot in full), min(slot.low or 0 for slot in full)
    volume = sum(slot.volume or 0 for slot in full)
    return Slot(first, at, full[0].open, high, low, full[-1].close, volume, full[-1].adjclose)


def _told(refusal: Refusal) -> Reply:
    status, body, media = refusal
    return Reply(status, body, media)
