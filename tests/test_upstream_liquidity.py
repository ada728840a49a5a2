"""The fake of the liquidity upstreams: shapes against recorded bodies, lags, blanks, adjustments, traps."""

import html
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import holidays
import pytest

from tests.upstream import FRED_KEY, FakeUpstream, Fault, calendars

SHARED = Path(__file__).parent.parent.parent / "shared"
# Friday, 17:00 in New York.
EVENING = datetime(2026, 11, 20, 22, tzinfo=UTC)
FRIDAY = date(2026, 11, 20)
FEEDS = ("wire", "street", "ledger", "hangang", "namsan")
NEWS_FEEDS = ("courier", "echo", "digest", "mapo", "jongno")
Headers = dict[str, str]


@pytest.fixture
def up() -> Iterator[FakeUpstream]:
    with FakeUpstream(clock=EVENING, since=date.min) as fake:
        yield fake
    assert fake.errors == []


def get(up: FakeUpstream, path: str, body: str | None = None) -> tuple[int, bytes, Headers]:
    connection = HTTPConnection("127.0.0.1", up.port, timeout=5)
    try:
        connection.request("GET" if body is None else "POST", path, body, {"User-Agent": "test/1"})
        answer = connection.getresponse()
        return answer.status, answer.read(), {name.lower(): text for name, text in answer.headers.items()}
    finally:
        connection.close()


def capture(name: str) -> bytes:
    file = SHARED / "captures" / name
    if not file.exists():
        pytest.skip(f"recorded bodies are not here: {file}")
    return file.read_bytes()


def fred(up: FakeUpstream, series: str, path: str = "observations", **query: str) -> tuple[int, bytes]:
    asked = urlencode({"series_id": series, "api_key": FRED_KEY, **query})
    status, body, _ = get(up, f"/fred/series/{path}?{asked}".replace("/series/?", "/series?"))
    return status, body


def rows(up: FakeUpstream, series: str, **query: str) -> dict[date, str]:
    status, body = fred(up, series, **query)
    assert status == 200
    return {
        date.fromisoformat(one.attrib["date"]): one.attrib["value"] for one in ElementTree.fromstring(body)
    }


def chart(up: FakeUpstream, symbol: str, first: date = date(1985, 1, 1), last: date = date(2040, 1, 1),
          **query: str) -> dict[str, Any]:  # fmt: skip
    bounds = {"period1": str(stamp(first)), "period2": str(stamp(last))} if "range" not in query else {}
    asked = urlencode({**bounds, "interval": "1d", "events": "div,splits,capitalGains", **query})
    status, body, _ = get(up, f"/yahoo/v8/finance/chart/{quote(symbol)}?{asked}")
    assert status == 200, body
    result: dict[str, Any] = json.loads(body)["chart"]["result"][0]
    return result


def stamp(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def closes(told: dict[str, Any], adjusted: bool = False) -> dict[date, float]:
    column = "adjclose" if adjusted else "close"
    values = told["indicators"]["adjclose" if adjusted else "quote"][0][column]
    days = (calendars.in_new_york(datetime.fromtimestamp(at, UTC)).date() for at in told["timestamp"])
    return dict(zip(days, values, strict=True))


# --- calendars ---
def test_the_computed_calendars_are_those_of_the_library() -> None:
    for year in range(1993, 2031):
        exchange = {day for day in holidays.financial_holidays("NYSE", years=year) if day.weekday() < 5}
        assert {day for day in calendars.nyse_closed(year) if day.weekday() < 5} == exchange
        federal = set(holidays.country_holidays("US", years=year, observed=False))
        federal |= {day + timedelta(days=1) for day in federal if day.weekday() == 6}
        working = {day for day in federal if day.weekday() < 5 and day.year == year}
        assert {day for day in calendars.fed_closed(year) if day.weekday() < 5} == working


# --- FRED: shapes ---
def test_observations_have_the_attributes_of_the_recorded_ones(up: FakeUpstream) -> None:
    recorded = ElementTree.fromstring(capture("fred/xml/fredapi_tests_sp500_obs_call.xml"))
    mine = ElementTree.fromstring(fred(up, "DGS10", observation_start="2026-11-16")[1])
    assert (mine.tag, list(mine.attrib)) == (recorded.tag, list(recorded.attrib))
    assert (mine[0].tag, list(mine[0].attrib)) == (recorded[0].tag, list(recorded[0].attrib))
    assert mine.attrib["count"] == str(len(mine)) == "4"
    in_json = json.loads(capture("fred/json/observations_DFEDTARU_2026-07-31.json"))
    told = json.loads(fred(up, "DGS10", file_type="json", observation_start="2026-11-16")[1])
    assert list(told) == list(in_json)
    assert list(told["observations"][0]) == list(in_json["observations"][0])
    assert [one["value"] for one in told["observations"]] == [one.attrib["value"] for one in mine]


def test_metadata_has_the_attributes_of_the_recorded_one(up: FakeUpstream) -> None:
    recorded = ElementTree.fromstring(capture("fred/xml/fredapi_tests_payems_info_call.xml"))
    mine = ElementTree.fromstring(fred(up, "WALCL", "")[1])
    assert (mine.tag, list(mine.attrib)) == (recorded.tag, list(recorded.attrib))
    assert (mine[0].tag, list(mine[0].attrib)) == (recorded[0].tag, list(recorded[0].attrib))
    assert mine[0].attrib["observation_end"] == "2026-11-18"
    assert mine[0].attrib["last_updated"] == "2026-11-19 15:30:00-06", "Thursday 16:30 in New York"


@pytest.mark.parametrize(
    ("query", "file"),
    [
        ({"api_key": ""}, "400_no_key.xml"),
        ({"api_key": "", "file_type": "json"}, "400_no_key.json"),
        ({"api_key": "f" * 32, "file_type": "json"}, "400_unregistered_key.json"),
        ({"series": "NOSUCH"}, "400_series_does_not_exist.xml"),
        ({"series": "NOSUCH", "file_type": "json"}, "400_series_does_not_exist.json"),
    ],
)
def test_refusals_have_the_recorded_words(up: FakeUpstream, query: Headers, file: str) -> None:
    recorded = capture(f"fred/errors/{file}")
    status, body = fred(up, **{"series": "DGS10", **query})
    assert status == 400
    if file.endswith("json"):
        assert json.loads(body) == json.loads(recorded)
    else:
        assert ElementTree.fromstring(body).attrib == ElementTree.fromstring(recorded).attrib


def test_windows_order_and_limit_are_obeyed(up: FakeUpstream) -> None:
    week = rows(up, "DFF", observation_start="2026-11-09", observation_end="2026-11-15")
    assert list(week) == [date(2026, 11, day) for day in range(9, 16)]
    two = rows(up, "DFF", sort_order="desc", limit="2", offset="1", observation_end="2026-11-15")
    assert list(two) == [date(2026, 11, 14), date(2026, 11, 13)]
    assert rows(up, "DFF", observation_start="2027-06-01") == {}
    assert b"not a valid date" in fred(up, "DFF", observation_start="yesterday")[1]
    assert b"limit is not between" in fred(up, "DFF", limit="100001")[1]


# --- FRED: what is published when ---
@pytest.mark.parametrize(
    ("now", "series", "newest"),
    [  # as captured: Tuesday evening after Memorial Day, a Sunday, a Saturday
        *(("2026-05-26T23:00", name, "2026-05-26") for name in ("T10Y3M", "RRPONTSYD")),
        *(("2026-05-26T23:00", name, "2026-05-22")
          for name in ("DGS2", "DGS10", "DGS3MO", "BAA10Y", "VIXCLS", "SOFR", "EFFR")),
        ("2026-05-26T23:00", "WALCL", "2026-05-20"),
        ("2026-05-26T23:00", "NFCI", "2026-05-15"),
        ("2026-05-26T23:00", "STLFSI4", "2026-05-15"),
        ("2026-08-02T12:00", "T10Y3M", "2026-07-31"),
        ("2026-08-02T12:00", "DGS10", "2026-07-30"),
        ("2026-08-02T12:00", "SOFR", "2026-07-30"),
        ("2026-08-22T12:00", "BAMLH0A0HYM2", "2026-08-20"),
        ("2026-08-22T12:00", "WRESBAL", "2026-08-19"),
        ("2026-08-22T12:00", "NFCI", "2026-08-14"),
        # to the minute: 8:00, Thursday 16:30, 16:17 in New York; DFF on Monday tells of the weekend
        ("2026-11-20T12:59", "SOFR", "2026-11-18"),
        ("2026-11-20T13:00", "SOFR", "2026-11-19"),
        ("2026-11-19T21:29", "WTREGEN", "2026-11-11"),
        ("2026-11-19T21:30", "WTREGEN", "2026-11-18"),
        ("2026-11-23T21:16", "DFF", "2026-11-19"),
        ("2026-11-23T21:17", "DFF", "2026-11-22"),
        # Wednesday was Veterans Day: a day late
        ("2026-11-11T23:00", "NFCI", "2026-10-30"),
        ("2026-11-12T13:30", "NFCI", "2026-11-06"),
    ],
)  # fmt: skip
def test_a_value_is_there_from_its_hour_on(up: FakeUpstream, now: str, series: str, newest: str) -> None:
    up.clock = datetime.fromisoformat(now + "+00:00")
    assert max(rows(up, series, observation_start="2026-01-01")).isoformat() == newest


def test_holidays_are_blank_absent_or_ordinary_as_at_the_source(up: FakeUpstream) -> None:
    veterans, good_friday = date(2026, 11, 11), date(2026, 4, 3)
    told = {name: rows(up, name, observation_start="2026-04-01")
            for name in ("DGS10", "SOFR", "EFFR", "DFF", "VIXCLS", "WALCL")}  # fmt: skip
    assert told["DGS10"][veterans] == told["SOFR"][veterans] == "."
    assert veterans not in told["EFFR"]
    assert "." not in (told["DFF"][veterans], told["VIXCLS"][veterans], told["WALCL"][veterans])
    assert told["VIXCLS"][good_friday] == told["SOFR"][good_friday] == "."
    assert "." not in (told["DGS10"][good_friday], told["EFFR"][good_friday])
    assert not any(day.weekday() > 4 for day in told["DGS10"])
    assert {day.weekday() for day in told["WALCL"]} == {2}
    paper = rows(up, "DCPF3M")
    assert 0.05 < sum(value == "." for value in paper.values()) / len(paper) < 0.15
    early = [value for day, value in rows(up, "RRPONTSYD").items() if day.year < 2013]
    assert early.count(".") > 0.9 * len(early)


def test_series_begin_where_the_real_ones_do(up: FakeUpstream) -> None:
    first = {name: min(rows(up, name)) for name in ("SOFR", "VIXCLS", "BAA10Y", "STLFSI4", "BAMLH0A0HYM2")}
    assert first == {
        "SOFR": date(2018, 4, 3), "VIXCLS": date(1990, 1, 2), "BAA10Y": date(1986, 1, 2),
        "STLFSI4": date(1993, 12, 31), "BAMLH0A0HYM2": date(2023, 11, 20),
    }  # fmt: skip
    up.clock = EVENING + timedelta(days=4)
    assert min(rows(up, "BAMLH0A0HYM2")) == date(2023, 11, 24), "three years, rolling"


def test_values_are_plausible_and_derived_ones_fit(up: FakeUpstream) -> None:
    bounds = {
        "DFF": (0, 7), "SOFR": (0, 7), "DGS10": (0, 7), "DGS2": (0, 7), "DTB3": (0, 7), "BAA10Y": (1, 6),
        "BAMLH0A0HYM2": (2, 12), "VIXCLS": (10, 80), "RRPONTSYD": (5, 2000), "WALCL": (3e6, 1.2e7),
        "WTREGEN": (4e4, 1.9e6), "WRESBAL": (1.2e6, 5e6), "NFCI": (-2, 5), "STLFSI4": (-3, 8),
    }  # fmt: skip
    told = {name: rows(up, name) for name in (*bounds, "DBAA", "DGS3MO", "T10Y3M")}
    for name, (least, most) in bounds.items():
        values = [float(value) for value in told[name].values() if value != "."]
        assert least <= min(values) < max(values) <= most, name
        assert len(set(values)) > 50, name
    numbers = {
        name: {day: float(value) for day, value in told[name].items() if value != "."} for name in told
    }
    for day, spread in numbers["BAA10Y"].items():
        assert spread == pytest.approx(numbers["DBAA"][day] - numbers["DGS10"][day], abs=1e-9)
    both = numbers["T10Y3M"].keys() & numbers["DGS3MO"].keys()
    assert all(abs(numbers["DGS10"][d] - numbers["DGS3MO"][d] - numbers["T10Y3M"][d]) < 1e-9 for d in both)
    assert re.fullmatch(r"-?\d\.\d\d", told["DGS10"][date(2026, 11, 18)])
    assert re.fullmatch(r"\d{7}", told["WALCL"][date(2026, 11, 18)])


@pytest.mark.parametrize(
    ("series", "units", "frequency"),
    [("DGS10", "Percent", "D"), ("VIXCLS", "Index", "D"), ("WALCL", "Millions of U.S. Dollars", "W"),
     ("RRPONTSYD", "Billions of US Dollars", "D"), ("NFCI", "Index", "W"), ("T10Y3M", "Percent", "D")],
)  # fmt: skip
def test_units_are_told(up: FakeUpstream, series: str, units: str, frequency: str) -> None:
    one = ElementTree.fromstring(fred(up, series, "")[1])[0].attrib
    assert (one["units"], one["frequency_short"]) == (units, frequency)


def test_the_past_stays_what_it_was_but_for_the_two_that_restate(up: FakeUpstream) -> None:
    names = ("DGS10", "BAA10Y", "WALCL", "NFCI", "STLFSI4")
    now = {name: rows(up, name) for name in names}
    up.clock = EVENING + timedelta(days=2)
    assert {name: rows(up, name) for name in names} == now, "nothing comes out at the weekend"
    up.clock = EVENING + timedelta(days=7)
    later = {name: rows(up, name) for name in names}
    for name in ("DGS10", "BAA10Y", "WALCL"):
        assert {day: later[name][day] for day in now[name]} == now[name]
    for name in ("NFCI", "STLFSI4"):
        moves = [abs(float(later[name][day]) - float(value)) for day, value in now[name].items()]
        assert min(moves) > 0 and max(moves) < 0.05
    with FakeUpstream(clock=datetime(2019, 1, 9, tzinfo=UTC), since=date.min) as earlier:
        then = rows(earlier, "DGS10")
        assert {day: now["DGS10"][day] for day in then} == then
    with FakeUpstream(clock=EVENING, seed=2, since=date.min) as other:
        assert rows(other, "DGS10") != now["DGS10"]


def test_a_series_can_be_revised_blanked_stopped_scaled_and_dated_ahead(up: FakeUpstream) -> None:
    before, day = rows(up, "DGS10"), date(2026, 11, 18)
    up.set_observation("DGS10", day, 4.567)
    up.set_observation("DGS10", date(2026, 11, 17), ".")
    now = rows(up, "DGS10")
    assert (now[day], now[date(2026, 11, 17)]) == ("4.567", ".")
    for known in (day, date(2026, 11, 17)):
        up.set_observation("DGS10", known, None)
    assert rows(up, "DGS10") == before
    up.add_observation("DGS10", date(2026, 12, 1), 3.5)
    assert list(rows(up, "DGS10").items())[-1] == (date(2026, 12, 1), "3.50")
    up.stop_series("VIXCLS", date(2021, 9, 24))
    assert max(rows(up, "VIXCLS")) == date(2021, 9, 24)
    millions = rows(up, "WRESBAL")[day]
    up.scale_series("WRESBAL", 0.001)
    assert float(rows(up, "WRESBAL")[day]) * 1000 == float(millions)
    up.set_unit("WRESBAL", "Billions of U.S. Dollars")
    assert b'units="Billions of U.S. Dollars"' in fred(up, "WRESBAL", "")[1]
    with pytest.raises(ValueError, match="add_observation"):
        up.set_observation("DGS10", date(2026, 11, 21), 1.0)
    with pytest.raises(KeyError):
        up.set_unit("NOSUCH", "Percent")


# --- Yahoo: shapes ---
def test_charts_have_the_keys_of_the_recorded_ones(up: FakeUpstream) -> None:
    for file, symbol in (("chart_360750.KS_etf_1d.json", "SPY"), ("chart_DX-Y.NYB_index_3mo.json", "^VIX")):
        recorded = json.loads(capture(f"yahoo/{file}"))
        status, body, _ = get(up, f"/yahoo/v8/finance/chart/{quote(symbol)}?range=1mo&interval=1d")
        mine = json.loads(body)
        assert (status, list(mine), list(mine["chart"])) == (200, list(recorded), list(recorded["chart"]))
        one, other = mine["chart"]["result"][0], recorded["chart"]["result"][0]
        assert list(one) == list(other)
        assert set(one["meta"]) == set(other["meta"])
        assert set(one["meta"]["currentTradingPeriod"]["regular"]) == set(
            other["meta"]["currentTradingPeriod"]["regular"]
        )
        assert one["meta"]["validRanges"] == other["meta"]["validRanges"]
        assert one["meta"]["instrumentType"] == other["meta"]["instrumentType"]
        assert list(one["indicators"]) == list(other["indicators"])
        assert set(one["indicators"]["quote"][0]) == set(other["indicators"]["quote"][0])


def test_refusals_of_yahoo_have_the_recorded_bodies(up: FakeUpstream) -> None:
    unknown = get(up, "/yahoo/v8/finance/chart/NOSUCH?range=1d&interval=1d")
    assert (unknown[0], unknown[1]) == (404, capture("yahoo/error_404_no_data_found.json").strip())
    for name, status, file in (("rate_limited", 429, "error_429_too_many_requests.txt"),
                               ("invalid_crumb", 401, "error_401_invalid_crumb.json"),
                               ("no_data", 404, "error_404_no_data_found.json")):  # fmt: skip
        up.fault("yahoo", "*", Fault.yahoo(name), times=1)
        refused = get(up, "/yahoo/v8/finance/chart/SPY?range=1d&interval=1d")
        recorded = capture(f"yahoo/{file}")
        assert (refused[0], refused[1].strip()) == (status, recorded.strip())
    assert Fault.yahoo("rate_limited").content == b"Too Many Requests\r\n"
    before = get(up, f"/yahoo/v8/finance/chart/SPY?period1=0&period2={stamp(date(1990, 1, 1))}&interval=1d")
    assert (before[0], b"Data doesn't exist for startDate = 0" in before[1]) == (400, True)
    assert get(up, "/yahoo/v10/finance/quoteSummary/NOSUCH")[0] == 404


def test_crumb_and_cookie_are_given(up: FakeUpstream) -> None:
    status, crumb, headers = get(up, "/yahoo/v1/test/getcrumb")
    assert (status, headers["content-type"].split(";")[0]) == (200, "text/plain")
    assert re.fullmatch(rb"[\w.]{11}", crumb)
    for path in ("/yahoo/", "/yahoo"):
        status, page, headers = get(up, path)
        assert (status, headers["set-cookie"][:3]) == (404, "A3=")
        assert b"<html>" in page


# --- Yahoo: bars ---
def test_bars_are_stamped_half_past_nine_and_stand_on_trading_days_only(up: FakeUpstream) -> None:
    told = chart(up, "SPY")
    days = list(closes(told))
    assert (days[0], days[-1], len(days)) == (date(1993, 1, 29), FRIDAY, len(set(days)))
    assert told["timestamp"][-1] == int(datetime(2026, 11, 20, 14, 30, tzinfo=UTC).timestamp())
    assert date(2026, 7, 2) in days and date(2026, 7, 3) not in days and date(2012, 10, 29) not in days
    assert date(2026, 11, 11) in days, "the exchange works on Veterans Day"
    starts = {"^VIX": date(1990, 1, 2), "HYG": date(2007, 4, 11), "IEI": date(2007, 1, 11),
              "LQD": date(2002, 7, 30), "EMB": date(2007, 12, 19), "BKLN": date(2011, 3, 3),
              "BIL": date(2007, 5, 30), "XLF": date(1998, 12, 22), "TLT": date(2002, 7, 30),
              "IEF": date(2002, 7, 30), "^MOVE": date(2002, 11, 12)}  # fmt: skip
    assert {symbol: min(closes(chart(up, symbol))) for symbol in starts} == starts
    for bar in zip(*(told["indicators"]["quote"][0][name] for name in ("low", "open", "close", "high")),
                   strict=True):  # fmt: skip
        assert bar[0] <= min(bar[1:3]) <= max(bar[1:3]) <= bar[3]


def test_vix_of_yahoo_and_of_fred_are_one(up: FakeUpstream) -> None:
    mine = {day: f"{value:.2f}" for day, value in closes(chart(up, "^VIX")).items() if day < FRIDAY}
    assert mine == {day: value for day, value in rows(up, "VIXCLS").items() if value != "."}


@pytest.mark.parametrize(
    ("now", "live", "day", "at"),
    [
        ("2026-11-20T14:29", False, 19, "2026-11-19T14:30"),
        ("2026-11-20T14:30", True, 20, "2026-11-20T14:30"),
        ("2026-11-20T18:00", True, 20, "2026-11-20T18:00"),
        ("2026-11-20T21:14", True, 20, "2026-11-20T21:00"),
        ("2026-11-20T21:15", False, 20, "2026-11-20T14:30"),
        ("2026-11-22T12:00", False, 20, "2026-11-20T14:30"),
        ("2026-11-27T18:14", True, 27, "2026-11-27T18:00"),
        ("2026-11-27T18:15", False, 27, "2026-11-27T14:30"),
    ],
)
def test_the_last_bar_is_live_while_the_exchange_is_open(
    up: FakeUpstream, now: str, live: bool, day: int, at: str
) -> None:
    up.clock = datetime.fromisoformat(now + "+00:00")
    told = chart(up, "SPY", date(2026, 11, 9))
    assert told["timestamp"][-1] == int(datetime.fromisoformat(at + "+00:00").timestamp())
    assert (told["timestamp"][-1] == told["meta"]["regularMarketTime"]) == live
    assert max(closes(told)).day == day
    assert told["meta"]["regularMarketPrice"] == told["indicators"]["quote"][0]["close"][-1]


def test_the_live_price_moves_towards_the_close_and_may_be_stamped_like_a_settled_one(
    up: FakeUpstream,
) -> None:
    prices = []
    for hour in (15, 18, 20, 23):
        up.clock = datetime(2026, 11, 20, hour, tzinfo=UTC)
        prices.append(closes(chart(up, "SPY", date(2026, 11, 16)))[FRIDAY])
    assert len(set(prices)) == 4
    assert prices == sorted(prices) or prices == sorted(prices, reverse=True)
    up.clock = datetime(2026, 11, 20, 18, tzinfo=UTC)
    up.yahoo_record.stamps_at_open = True
    told = chart(up, "SPY", date(2026, 11, 16))
    assert told["timestamp"][-1] == int(datetime(2026, 11, 20, 14, 30, tzinfo=UTC).timestamp())
    assert told["meta"]["regularMarketTime"] > told["timestamp"][-1]


def test_a_dividend_takes_its_share_from_every_adjusted_close_before_it(up: FakeUpstream) -> None:
    before, ex = date(2026, 11, 18), date(2026, 11, 19)
    up.set_close("SPY", before, 100.0)
    up.set_close("SPY", ex, 99.0)
    up.set_dividend("SPY", ex, 2.0)
    told = chart(up, "SPY", date(2026, 10, 1))
    close, adjusted = closes(told), closes(told, adjusted=True)
    assert (close[before], close[ex]) == (100.0, 99.0)
    assert (adjusted[before], adjusted[ex]) == (pytest.approx(98.0), 99.0), "100 × (1 − 2 / 100)"
    assert adjusted[date(2026, 10, 2)] == pytest.approx(close[date(2026, 10, 2)] * 0.98)
    at = int(datetime(2026, 11, 19, 14, 30, tzinfo=UTC).timestamp())
    assert told["events"] == {"dividends": {str(at): {"amount": 2.0, "date": at}}}
    assert "events" not in chart(up, "SPY", date(2026, 10, 1), events="")
    up.clock = datetime(2026, 11, 19, 14, tzinfo=UTC)
    told = chart(up, "SPY", date(2026, 10, 1))
    assert "events" not in told, "not before it opens"
    assert closes(told, adjusted=True) == closes(told)


def test_adjusted_closes_follow_from_closes_and_dividends(up: FakeUpstream) -> None:
    for symbol, least in (("HYG", 200), ("XLF", 100)):
        told = chart(up, symbol)
        close, adjusted = closes(told), closes(told, adjusted=True)
        paid = {one["date"]: one["amount"] for one in told["events"]["dividends"].values()}
        assert len(paid) > least
        factor = 1.0
        bars = list(zip(told["timestamp"], close, strict=True))
        for (_, earlier), (at, _) in reversed(list(pairwise(bars))):
            factor *= 1 - paid[at] / close[earlier] if at in paid else 1
            assert adjusted[earlier] == pytest.approx(close[earlier] * factor, rel=1e-5)


def test_a_split_divides_the_whole_past_once_its_day_has_opened(up: FakeUpstream) -> None:
    up.clock = datetime(2026, 11, 20, 14, tzinfo=UTC)
    up.set_split("LQD", FRIDAY, 4, 1)
    up.set_close("LQD", date(2026, 11, 18), 120.0)
    before = chart(up, "LQD")
    up.clock = EVENING
    after = chart(up, "LQD")
    old, new = closes(before), closes(after)
    assert all(new[day] == pytest.approx(value / 4, rel=1e-6) for day, value in old.items())
    assert (old[date(2026, 11, 18)], new[date(2026, 11, 18)]) == (120.0, 30.0), "pinned as it traded"
    assert new[FRIDAY] == pytest.approx(new[date(2026, 11, 19)], rel=0.05)
    at = int(datetime(2026, 11, 20, 14, 30, tzinfo=UTC).timestamp())
    split = {"date": at, "numerator": 4, "denominator": 1, "splitRatio": "4:1"}
    assert after["events"]["splits"] == {str(at): split}
    amounts = [{one["date"]: one["amount"] for one in told["events"]["dividends"].values()}
               for told in (before, after)]  # fmt: skip
    assert all(amounts[1][day] == pytest.approx(amount / 4, abs=1e-6) for day, amount in amounts[0].items())
    for day in list(old)[:-1:500]:
        assert closes(after, True)[day] == pytest.approx(closes(before, True)[day] / 4, rel=1e-4)
    up.set_split("LQD", FRIDAY, None)
    assert closes(chart(up, "LQD"))[date(2026, 11, 18)] == 120.0
    assert [one["splitRatio"] for one in chart(up, "XLF")["events"]["splits"].values()] == ["2:1"]


def test_pins_stand_on_trading_days(up: FakeUpstream) -> None:
    with pytest.raises(ValueError, match="closed"):
        up.set_dividend("SPY", date(2026, 11, 26), 1.0)
    with pytest.raises(KeyError):
        up.set_close("MOVE", FRIDAY, 1.0)
    up.set_close("^VIX", FRIDAY, 44.4)
    assert closes(chart(up, "^VIX", date(2026, 11, 16)))[FRIDAY] == pytest.approx(44.4, rel=1e-6)
    up.set_close("^VIX", FRIDAY, None)
    assert closes(chart(up, "^VIX", date(2026, 11, 16)))[FRIDAY] < 30


def test_null_bars_leave_a_live_last_slot_only(up: FakeUpstream) -> None:
    up.null_bars("^MOVE", date(2026, 11, 9))
    told = chart(up, "^MOVE", date(2026, 11, 2))
    quoted = told["indicators"]["quote"][0]
    for values in (*quoted.values(), told["indicators"]["adjclose"][0]["adjclose"]):
        assert [value is None for value in values] == [False] * 5 + [True] * 9 + [False]
    assert told["timestamp"][-1] == told["meta"]["regularMarketTime"]
    assert None not in closes(chart(up, "^VIX", date(2026, 11, 2))).values()
    up.null_bars("^MOVE", None)
    assert None not in closes(chart(up, "^MOVE", date(2026, 11, 2))).values()


def test_ranges_are_windows_and_max_answers_in_months(up: FakeUpstream) -> None:
    for span, first, n in (("1d", FRIDAY, 1), ("5d", date(2026, 11, 16), 5), ("1mo", date(2026, 10, 20), 24)):
        told = chart(up, "HYG", range=span)
        assert (min(closes(told)), len(told["timestamp"])) == (first, n)
        assert (told["meta"]["range"], told["meta"]["dataGranularity"]) == (span, "1d")
    everything = chart(up, "HYG", range="max")
    assert everything["meta"]["dataGranularity"] == "1mo"
    assert min(closes(everything)) == date(2007, 4, 1)
    assert len(everything["timestamp"]) == 19 * 12 + 8
    weekend = chart(up, "HYG", date(2026, 11, 14), date(2026, 11, 16))
    assert "timestamp" not in weekend
    assert weekend["indicators"] == {"quote": [{}], "adjclose": [{}]}
    assert get(up, "/yahoo/v8/finance/chart/HYG?range=1d&interval=5m")[0] == 422


# --- OFR ---
def test_the_ofr_file_has_the_columns_of_the_stored_one(up: FakeUpstream) -> None:
    file = SHARED / "history" / "OFR_FSI.csv"
    if not file.exists():
        pytest.skip(f"histories are not here: {file}")
    status, body, headers = get(up, "/ofr/fsi.csv")
    lines = body.decode().splitlines()
    with file.open(encoding="utf-8") as stored:
        assert lines[0] == stored.readline().strip()
    assert (status, headers["content-type"]) == (200, "text/csv")
    assert lines[1].startswith("2000-01-03,")
    for line in lines[1::50]:
        total, *parts = map(float, line.split(",")[1:])
        assert total == pytest.approx(sum(parts[:5]), abs=0.002) == pytest.approx(sum(parts[5:]), abs=0.002)


@pytest.mark.parametrize(
    ("now", "newest"),  # as clients' logs have it
    [
        ("2026-02-10T04:42", "2026-02-05"),
        ("2026-02-23T03:31", "2026-02-18"),
        ("2026-02-25T02:07", "2026-02-20"),
    ],
)
def test_the_newest_ofr_row_is_two_business_days_old(up: FakeUpstream, now: str, newest: str) -> None:
    up.clock = datetime.fromisoformat(now + "+00:00")
    then = get(up, "/ofr/fsi.csv")[1]
    assert then.splitlines()[-1].startswith(newest.encode())
    up.clock = EVENING
    assert get(up, "/ofr/fsi.csv")[1].startswith(then), "never restated"


# --- the Fed ---
def speech(up: FakeUpstream, slug: str) -> str:
    status, body, _ = get(up, f"/fed/newsevents/speech/{slug}.htm")
    assert status == 200
    return body.decode()


def test_the_feed_of_speeches_comes_as_recorded(up: FakeUpstream) -> None:
    recorded = ElementTree.fromstring(capture("rss/fed_speeches_2026-10_7items_reassembled.xml"))
    body = get(up, "/fed/feeds/speeches.xml")[1]
    assert body.startswith(b"\xef\xbb\xbf<?xml")
    items = ElementTree.fromstring(body).findall("channel/item")
    assert [one.tag for one in items[0]] == [one.tag for one in recorded.findall("channel/item")[0]]
    assert (
        b"<link><![CDATA[http" in body and b"<guid><![CDATA[https://www.federalreserve.gov/newsevents" in body
    )
    dates = [parsedate_to_datetime(item.findtext("pubDate") or "") for item in items]
    assert dates == sorted(dates, reverse=True)
    assert EVENING - timedelta(days=43) < min(dates) <= max(dates) <= EVENING
    assert len(set(dates)) < len(dates), "two share a minute"
    assert len({item.findtext("guid") for item in items}) == len(items) > 6
    assert any("&" in (item.findtext("description") or "") for item in items), "entities stay"
    titles = [item.findtext("title") or "" for item in items]
    assert all(re.match(r"(Alpha|Bravo|Charlie|Delta|Echo|Foxtrot|Golf), [A-Z]", title) for title in titles)
    link = (items[0].findtext("link") or "").removeprefix(up.url)
    assert get(up, link)[0] == 200


def test_an_index_lists_the_speeches_of_its_year(up: FakeUpstream) -> None:
    row = re.compile(
        r'eventlist__time"><time>(\d+)/(\d+)/(\d{4})</time></div>\s*<div class="[^"]*eventlist__event">\s*'
        r'<p><a href="(/newsevents/speech/([a-z]+(\d{8})[ab])\.htm)"><em>.+</em></a></p>\s*'
        r'<p class="news__speaker">[A-Z].+</p>\s*<p>At .+</p>'
    )
    for year in (2023, 2024, 2025):
        found = row.findall(get(up, f"/fed/newsevents/speech/{year}-speeches.htm")[1].decode())
        assert 72 <= len(found) <= 92
        assert all(f"{int(y)}{int(m):02d}{int(d):02d}" == day for m, d, y, _, _, day in found)
        assert len({slug for *_, slug, _ in found}) == len(found)
    # Links from the root of the site lead to the same place.
    status, page, _ = get(up, found[0][3])
    assert (status, page) == (200, speech(up, found[0][4]).encode())
    assert get(up, "/fed/newsevents/speech/2022-speeches.htm")[0] == 404
    assert get(up, "/fed/newsevents/speech/2027-speeches.htm")[0] == 404
    slugs = [
        slug for *_, slug, _ in row.findall(get(up, "/fed/newsevents/speech/2026-speeches.htm")[1].decode())
    ]
    assert slugs == [slug for slug in up.speeches() if "2026" in slug]


def test_a_speech_page_has_the_modern_layout_and_a_long_text(up: FakeUpstream) -> None:
    page = speech(up, up.speeches("plain")[0])
    assert re.search(r"<title>Speech by .+ - Federal Reserve Board</title>", page)
    article = page[page.index('<div id="article">') :]
    assert re.search(r'<p class="article__time">November \d+, 2026</p>', article)
    assert re.search(r'<h3 class="title">.+</h3>\s*<p class="speaker">.+</p>\s*<p class="location">', article)
    body = article[: article.index("<hr />")]
    paragraphs = re.findall(r"<p>(.+)</p>", body)
    assert len(paragraphs) >= 25
    assert 1500 <= sum(len(re.sub("<[^>]+>", "", one).split()) for one in paragraphs) <= 3500
    assert "References" in article and "Return to text" in article
    assert "panic" in page[: page.index('<div id="article">')].lower(), "what surrounds it must not count"
    assert speech(up, up.speeches("plain")[0]) == page


def test_some_speeches_are_odd(up: FakeUpstream) -> None:
    for kind in ("empty", "entities", "missing"):
        assert len({slug[-9:-5] for slug in up.speeches(kind)}) == 4, "one a year"
    empty = speech(up, up.speeches("empty")[0])
    assert "<p>" not in empty[empty.index('<div id="article">') : empty.index("<footer")]
    odd = speech(up, up.speeches("entities")[0])
    assert "“Too Big” & Too Fast? Café Talk on R&D — and <b> Values" in html.unescape(odd)
    assert get(up, f"/fed/newsevents/speech/{up.speeches('missing')[0]}.htm")[0] == 404
    assert get(up, "/fed/newsevents/speech/alpha20300101a.htm")[0] == 404


# --- news feeds ---
def items(up: FakeUpstream, feed: str) -> list[dict[str, str]]:
    status, body, headers = get(up, f"/feeds/{feed}.xml")
    assert (status, headers["content-type"].split(";")[0]) == (200, "application/rss+xml")
    found = ElementTree.fromstring(body).findall("channel/item")
    return [{part.tag: part.text or "" for part in item} for item in found]


def test_feeds_hold_a_day_and_a_half_and_move_on_with_the_clock(up: FakeUpstream) -> None:
    told = {feed: items(up, feed) for feed in FEEDS}
    assert all(25 <= len(found) <= 40 for found in told.values())
    assert all(re.search("[가-힣]", one["title"]) for one in told["namsan"] if "title" in one)
    up.clock = EVENING + timedelta(hours=12)
    for feed in FEEDS:
        now = items(up, feed)
        kept = [one for one in now if one in told[feed]]
        assert 10 < len(kept) < len(now), "what stays is told as before"
        links = {one["link"] for one in told[feed]}
        assert all(one in told[feed] for one in now if one["link"] in links and one["link"][0] == "h")
    up.clock = EVENING + timedelta(days=3)
    assert not [one for one in items(up, "wire") if one in told["wire"]]
    with FakeUpstream(clock=EVENING, seed=2, since=date.min) as other:
        assert items(other, "wire") != told["wire"]
    assert get(up, "/feeds/nosuch.xml")[0] == 404


def test_every_feed_writes_dates_in_its_own_way(up: FakeUpstream) -> None:
    forms = {
        "wire": r"\w{3}, \d\d \w{3} 2026 [\d:]{8} GMT",
        "street": r"\w{3}, .+ GMT",
        "ledger": r"2026-11-\d\d [\d:]{8}",
        "hangang": r"\w{3}, .+ \+0900",
        "namsan": r"\w{3}, .+ \+09:00",
    }
    for feed, form in forms.items():
        dates = [one["pubDate"] for one in items(up, feed) if "pubDate" in one]
        assert all(re.fullmatch(form, text) for text in dates), feed
    assert "&lt;p&gt;" in get(up, "/feeds/street.xml")[1].decode()
    assert not any("guid" in one for one in items(up, "hangang"))


def test_every_day_has_its_broken_items(up: FakeUpstream) -> None:
    for days in range(5):
        up.clock = EVENING + timedelta(days=days)
        told = {feed: items(up, feed) for feed in FEEDS}
        assert [one for one in told["wire"] if "<script>" in one["title"]]
        assert [one for one in told["street"] if one["link"].startswith("javascript:")]
        assert [one for one in told["hangang"] if "title" not in one]
        assert [one for one in told["namsan"] if "pubDate" not in one]
        newest = f"{up.clock:%Y-%m-%d %H:%M:%S}"
        assert [one for one in told["ledger"] if one["pubDate"] > newest]


def test_stories_come_again_in_other_feeds_with_nearly_the_same_words(up: FakeUpstream) -> None:
    def words(title: str) -> frozenset[str]:
        return frozenset(re.findall(r"\w+", title.lower()))

    for one, other in (("wire", "street"), ("hangang", "namsan")):
        pairs = [(words(a.get("title", "")), words(b.get("title", "")))
                 for a in items(up, one) for b in items(up, other)]  # fmt: skip
        assert sum(len(a & b) / max(1, len(a | b)) >= 0.75 for a, b in pairs) >= 3


def test_one_news_feed_repeats_another_and_one_gathers(up: FakeUpstream) -> None:
    told = {feed: items(up, feed) for feed in NEWS_FEEDS}
    own = [one for one in told["courier"] if one["link"].startswith("https://courier.example/articles/")]
    named = {one["link"].rpartition("/")[2]: one["title"] for one in own}
    for one in told["echo"]:
        found = re.fullmatch(
            r"http://m\.courier\.example/articles/(\S+)/\?utm_source=echo&CMP=rss#top", one["link"]
        )
        assert found and named[found[1]] == one["title"] and "guid" not in one
    for one in told["digest"]:
        found = re.fullmatch(r"https://news\.google\.com/rss/articles/(\S+)\?oc=5", one["link"])
        assert found and one["title"] == f"{named[found[1]]} - Courier (fake)"
        assert one["source"] == "Courier (fake)"
    assert all(re.search("[가-힣]", one["title"]) for one in told["jongno"] if "title" in one)


# --- histories instead ---
@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "BAA10Y": "date,value\n2021-12-28,1.9\n2021-12-29,1.92\n2021-12-30,\n2021-12-31,1.85\n",
        "yahoo_SPY_adjusted": "date,value\n2021-12-29,450.5\n2021-12-30,449.25\n2021-12-31,448\n",
        "yahoo_VIX": "date,value\n2021-12-30,17.33\n",
        "OFR_FSI": "Date,OFR FSI\n2021-12-28,-2.4\n2021-12-29,-2.5\n2021-12-30,-2.6\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_folder_of_histories_takes_the_place_of_what_is_made_up(folder: Path) -> None:
    with FakeUpstream(clock=datetime(2021, 12, 31, 22, tzinfo=UTC), history=folder) as up:
        assert list(rows(up, "BAA10Y").values()) == ["1.90", "1.92", "."], "Friday's comes on Monday"
        assert fred(up, "DGS10")[0] == 400, "no file, no series"
        told = chart(up, "SPY")
        assert (
            list(closes(told).values())
            == list(closes(told, adjusted=True).values())
            == [450.5, 449.25, 448.0]
        )
        assert "events" not in told
        assert closes(chart(up, "^VIX")) == {date(2021, 12, 30): pytest.approx(17.33)}
        assert get(up, "/yahoo/v8/finance/chart/HYG?range=1d&interval=1d")[0] == 404
        assert get(up, "/ofr/fsi.csv")[1].splitlines()[1:] == [b"2021-12-28,-2.4", b"2021-12-29,-2.5"]
        up.clock = datetime(2021, 12, 30, 12, tzinfo=UTC)
        assert list(closes(chart(up, "SPY"))) == [date(2021, 12, 29)]
        assert list(rows(up, "BAA10Y")) == [date(2021, 12, 28)]
    with pytest.raises(NotADirectoryError):
        FakeUpstream(history=folder / "nowhere")


def test_the_stored_histories_are_told_as_they_are() -> None:
    stored = SHARED / "history"
    if not stored.is_dir():
        pytest.skip(f"histories are not here: {stored}")
    with FakeUpstream(clock=datetime(2022, 1, 20, tzinfo=UTC), history=stored) as up:
        for name in ("BAA10Y", "WRESBAL", "STLFSI4", "RRPONTSYD", "SOFR"):
            lines = (stored / f"{name}.csv").read_text(encoding="utf-8").splitlines()[1:]
            mine = {day.isoformat(): value for day, value in rows(up, name).items()}
            assert len(mine) == len(lines)
            for day, value in (line.split(",") for line in lines):
                assert (mine[day] == ".") if not value else (float(mine[day]) == float(value)), (name, day)
        last = list(closes(chart(up, "TLT"), adjusted=True).items())[-1]
        text = (stored / "yahoo_TLT_adjusted.csv").read_text(encoding="utf-8").splitlines()[-1]
        assert (last[0].isoformat(), last[1]) == (text.split(",")[0], float(text.split(",")[1]))


# --- the handle ---
def test_settings_point_at_the_liquidity_hosts_too(up: FakeUpstream) -> None:
    base = f"http://127.0.0.1:{up.port}"
    assert {
        name: value for name, value in up.env().items() if "GECKO" not in name and "LLAMA" not in name
    } == {
        "COLLECTOR_FEAR_GREED_URL": f"{base}/alternative_me",
        "COLLECTOR_FRED_URL": f"{base}/fred",
        "COLLECTOR_YAHOO_URL": f"{base}/yahoo",
        "COLLECTOR_OFR_URL": f"{base}/ofr/fsi.csv",
        "COLLECTOR_FED_FEEDS": f"speeches={base}/fed/feeds/speeches.xml",
        "COLLECTOR_STRESS_FEEDS": " ".join(f"{feed}={base}/feeds/{feed}.xml" for feed in FEEDS),
        "COLLECTOR_NEWS_FEEDS": " ".join(f"{feed}={base}/feeds/{feed}.xml" for feed in NEWS_FEEDS),
    }
    rows(up, "DGS10")
    items(up, "wire")
    assert [(seen.host, seen.path) for seen in up.requests] == [
        ("fred", "/series/observations"), ("feeds", "/wire.xml"),
    ]  # fmt: skip


def test_faults_of_fred_say_what_fred_says(up: FakeUpstream) -> None:
    said = {"key": (400, "is not registered"), "no_key": (400, "has not been set"),
            "series": (400, "does not exist"), "malformed_key": (400, "is not a 32 character"),
            "rate_limited": (429, "Too Many Requests.  Exceeded Rate Limit")}  # fmt: skip
    for name, (status, words) in said.items():
        up.fault("fred", "/series/observations", Fault.fred(name), times=1)
        got = fred(up, "DGS10")
        error = ElementTree.fromstring(got[1])
        assert (got[0], error.tag, error.attrib["code"]) == (status, "error", str(status))
        assert words in error.attrib["message"]
    with FakeUpstream(clock=EVENING, fred_key="mine") as other:
        assert fred(other, "DGS10")[0] == 400
        assert fred(other, "DGS10", api_key="mine")[0] == 200


def test_the_control_route_knows_the_liquidity_parts(up: FakeUpstream) -> None:
    order = {
        "observation": {"DGS10": {"2026-11-18": 4.5, "2026-11-17": "."}},
        "add_observation": {"DGS2": {"2026-12-24": 1.25}},
        "unit": {"WALCL": "Billions of U.S. Dollars"},
        "scale": {"WALCL": 0.001},
        "stop": {"SOFR": "2026-11-02"},
        "dividend": {"TLT": {"2026-11-17": 1.5}},
        "split": {"TLT": {"2026-11-19": [3, 2]}},
        "close": {"HYG": {"2026-11-18": 70}},
        "null_bars": {"^MOVE": "2026-11-16"},
        "fault": {"host": "fred", "route": "*", "name": "fred", "args": ["rate_limited"], "times": 1},
    }
    assert get(up, "/control", json.dumps(order))[0] == 200
    assert fred(up, "DGS10")[0] == 429
    assert list(rows(up, "DGS10", observation_start="2026-11-17").values())[:2] == [".", "4.50"]
    assert max(rows(up, "DGS2")) == date(2026, 12, 24)
    assert max(rows(up, "SOFR")) == date(2026, 11, 2)
    assert float(rows(up, "WALCL")[date(2026, 11, 18)]) < 1e5
    events = chart(up, "TLT", date(2026, 11, 10))["events"]
    assert [one["amount"] for one in events["dividends"].values()] == [1.0], "1.5 before 3 for 2"
    assert [one["splitRatio"] for one in events["splits"].values()] == ["3:2"]
    assert closes(chart(up, "HYG"))[date(2026, 11, 18)] == 70
    assert closes(chart(up, "^MOVE"))[date(2026, 11, 18)] is None
    back = {"observation": {"DGS10": {"2026-11-18": None}}, "split": {"TLT": {"2026-11-19": None}},
            "stop": {"SOFR": None}, "null_bars": {"^MOVE": None}}  # fmt: skip
    assert get(up, "/control", json.dumps(back))[0] == 200
    assert max(rows(up, "SOFR")) == date(2026, 11, 19)
    assert b"no row of" in get(up, "/control", '{"observation": {"DGS10": {"2026-11-21": 1}}}')[1]


def test_it_starts_at_once_and_a_series_does_not_take_long() -> None:
    started = time.perf_counter()
    with FakeUpstream(clock=EVENING, seed=77) as up:
        took_s = time.perf_counter() - started
        started = time.perf_counter()
        rows(up, "DGS10")
        chart(up, "SPY")
        then_s = time.perf_counter() - started
    assert took_s < 0.5, "promised: 0.1 s on an idle machine"
    assert then_s < 2, "promised: 0.1 s each on an idle machine"
