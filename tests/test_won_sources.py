"""The won at its two sources: what Yahoo and FRED send of it, what is refused, and that no index sees it."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from collectors.model import Ask, Batch, Changed, Plan
from collectors.registry import PIPELINES, SOURCES
from collectors.stress.inputs import INPUTS, SHOWN
from collectors.stress.snapshot import market, stored_names
from tests.scripted import Script
from tests.upstream import FRED_KEY, FakeUpstream

LONDON = ZoneInfo("Europe/London")
OPEN = Plan("open")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def seconds(text: str) -> int:
    """Of a wall clock in London."""
    return int(datetime.fromisoformat(text).replace(tzinfo=LONDON).timestamp())


def chart(bars: dict[str, float | None], now: str) -> bytes:
    """Yahoo's answer for KRW=X in its shape of 2026: bars by London time, midnight where they are over.
    Days before any run of this test: yfinance looks at the clock of this computer."""
    meta = {
        "currency": "KRW", "symbol": "KRW=X", "exchangeName": "CCY", "fullExchangeName": "CCY",
        "instrumentType": "CURRENCY", "regularMarketTime": int(at(now).timestamp()), "gmtoffset": 0,
        "timezone": "GMT", "exchangeTimezoneName": "Europe/London", "priceHint": 4,
        "dataGranularity": "1d", "range": "", "validRanges": ["1d", "max"],
    }  # fmt: skip
    closes = list(bars.values())
    quote = dict.fromkeys(("open", "high", "low", "close"), closes) | {"volume": [0] * len(closes)}
    result = {
        "meta": meta,
        "timestamp": [seconds(day) for day in bars],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": closes}]},
    }
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()


def of_yahoo(bars: dict[str, float | None], now: str, tmp_path: Path) -> Batch:
    script = Script(lambda _url: chart(bars, now), at(now), tmp_path)
    collect = SOURCES["yahoo.KRW=X"].collect
    assert collect is not None
    return collect(script, Ask("https://up.example", OPEN, script.at, date(2026, 10, 19)))


def told(batch: Batch) -> list[tuple[object, object, object]]:
    return [(row["series"], row["date"], row["value"]) for row in batch.rows]


# London puts its clocks back on the Sunday after it.
WEEK: dict[str, float | None] = {
    "2026-10-21T00:00": 1380.5,
    "2026-10-22T00:00": 1382.25,
    "2026-10-23T00:00": 1384.2,
}


def test_a_bar_is_a_day_of_london_and_has_neither_dividend_nor_split(tmp_path: Path) -> None:
    batch = of_yahoo(WEEK, "2026-10-24T02:00Z", tmp_path)
    assert told(batch) == [
        ("yahoo.KRW=X", date(2026, 10, 21), 1380.5),
        ("yahoo.KRW=X", date(2026, 10, 22), 1382.25),
        ("yahoo.KRW=X", date(2026, 10, 23), 1384.2),
    ]
    assert batch.rejected == []


def test_what_is_quoted_on_sunday_evening_waits_for_mondays_bar(tmp_path: Path) -> None:
    sunday = {**WEEK, "2026-10-25T22:40": 1390.1}
    assert told(of_yahoo(sunday, "2026-10-25T22:40Z", tmp_path)) == told(
        of_yahoo(WEEK, "2026-10-25T22:40Z", tmp_path)
    )
    monday = {**WEEK, "2026-10-26T00:00": 1391.4}
    assert told(of_yahoo(monday, "2026-10-26T01:00Z", tmp_path))[-1][1:] == (date(2026, 10, 26), 1391.4)


def test_a_feed_of_nulls_with_one_live_quote_is_not_believed(tmp_path: Path) -> None:
    nulls: dict[str, float | None] = dict.fromkeys(WEEK, None) | {"2026-10-26T09:00": 1391.4}
    with pytest.raises(Changed) as refused:
        of_yahoo(nulls, "2026-10-26T09:00Z", tmp_path)
    assert refused.value.code == "suspect"


def of_fred(units: str, tmp_path: Path) -> Batch:
    info = f'<seriess><series id="DEXKOUS" title="t" units="{units}" /></seriess>'.encode()
    # As FRED has them: the row of Thanksgiving is there and empty.
    days = (("2026-11-25", "1473.40"), ("2026-11-26", "."), ("2026-11-27", "1472.37"))
    body = "".join(f'<observation date="{day}" value="{value}"/>' for day, value in days)
    answer = f"<observations>{body}</observations>".encode()
    script = Script(
        lambda url: info if url.endswith("/series") else answer, at("2026-11-30T23:00Z"), tmp_path
    )
    collect = SOURCES["fred.DEXKOUS"].collect
    assert collect is not None
    return collect(script, Ask("https://up.example", OPEN, script.at))


@pytest.mark.parametrize(
    "units", ["South Korean Won to One U.S. Dollar", "South Korean Won to 1 U.S. Dollar"]
)
def test_the_noon_rate_is_read_in_its_unit_and_a_holiday_is_no_value(units: str, tmp_path: Path) -> None:
    assert told(of_fred(units, tmp_path)) == [
        ("fred.DEXKOUS", date(2026, 11, 25), 1473.4),
        ("fred.DEXKOUS", date(2026, 11, 27), 1472.37),
    ]


@pytest.mark.parametrize("units", ["U.S. Dollars to One South Korean Won", "Percent", ""])
def test_another_unit_is_refused(units: str, tmp_path: Path) -> None:
    with pytest.raises(Changed) as refused:
        of_fred(units, tmp_path)
    assert refused.value.code == "schema"


@pytest.mark.parametrize("name", ["yahoo.KRW=X", "fred.DEXKOUS"])
def test_the_won_is_optional_of_the_liquidity_pipeline_and_of_no_input_of_the_index(name: str) -> None:
    source = SOURCES[name]
    assert (
        source in PIPELINES["liquidity"] and not source.required and source.series[0].unit == "KRW for 1 USD"
    )
    assert source.believable is not None and source.believable.least == 500 and source.believable.most == 3000
    assert not any(name.startswith(prefix) for prefix in stored_names())
    assert all(name not in one.series for one in INPUTS) and name not in {one[0] for one in SHOWN}
    assert name not in market({}, [name, "yahoo.^VIX"])


def test_the_fake_upstream_has_both_and_they_tell_one_story() -> None:
    with FakeUpstream(clock=datetime(2026, 11, 24, 23, 30, tzinfo=UTC)) as up:
        symbol = up.yahoo_record.symbol("KRW=X")
        series = up.fred_record.series("DEXKOUS")
        assert symbol is not None and series is not None and FRED_KEY
        slots = up.yahoo_record.slots(symbol, date(2026, 11, 2), date(2026, 11, 24))
        noons = dict(up.fred_record.observations(series))
    assert [slot.day.weekday() for slot in slots] == [0, 1, 2, 3, 4] * 3 + [0, 1]
    # Its day is over in London half an hour later.
    assert slots[-1].at == int(datetime(2026, 11, 24, 23, 30, tzinfo=UTC).timestamp())
    assert max(noons) == date(2026, 11, 20) and noons[date(2026, 11, 11)] == "."
    for slot in slots:
        if noons.get(slot.day, ".") != ".":
            assert slot.close is not None and abs(float(noons[slot.day]) / slot.close - 1) < 0.03
