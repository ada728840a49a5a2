"""When a source has something new: publishing times on days and instants checked by hand."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from collectors.registry import SOURCES
from collectors.rhythm import UTC_DAYS, Rhythm, utc_days
from collectors.sources import fred, yahoo


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("source", "of", "out"),
    [
        # Winter: New York is five hours behind UTC. Friday's close half an hour after the bell.
        ("yahoo.SPY", "2026-11-20", "2026-11-20T21:30Z"),
        # Summer: four hours.
        ("yahoo.SPY", "2026-07-02", "2026-07-02T20:30Z"),
        # Thursday before Thanksgiving week's Friday: the next business day of the Federal Reserve.
        ("fred.DGS10", "2026-11-25", "2026-11-27T23:00Z"),
        ("fred.SOFR", "2026-11-20", "2026-11-23T15:00Z"),
        # Wednesday's balance sheet on Thursday, after a Thursday holiday on Friday.
        ("fred.WALCL", "2026-11-18", "2026-11-19T22:00Z"),
        ("fred.WALCL", "2026-11-25", "2026-11-27T22:00Z"),
        # The week that ended on Friday, on Wednesday; after a Monday holiday on Thursday.
        ("fred.NFCI", "2026-11-13", "2026-11-18T14:00Z"),
        ("fred.NFCI", "2026-05-22", "2026-05-28T13:00Z"),
        ("fred.STLFSI4", "2026-11-13", "2026-11-19T16:00Z"),
        # Two days of the exchange: Friday's value on Tuesday.
        ("ofr.fsi", "2026-11-20", "2026-11-24T23:00Z"),
        # Saturday, Sunday and Friday come out together on Monday.
        ("fred.DFF", "2026-11-20", "2026-11-23T23:00Z"),
        ("fred.DFF", "2026-11-22", "2026-11-23T23:00Z"),
        # New York ends a currency's day: 22:00 in London, in summer an hour earlier in UTC.
        ("yahoo.KRW=X", "2026-11-24", "2026-11-24T22:00Z"),
        ("yahoo.KRW=X", "2026-07-07", "2026-07-07T21:00Z"),
        # Noon rates of a whole week on its next Monday; after Labor Day on Tuesday.
        ("fred.DEXKOUS", "2026-11-16", "2026-11-23T22:00Z"),
        ("fred.DEXKOUS", "2026-11-20", "2026-11-23T22:00Z"),
        ("fred.DEXKOUS", "2026-09-04", "2026-09-08T21:00Z"),
        ("alternative_me.fear_greed", "2026-11-24", "2026-11-24T00:15Z"),
        ("defillama.total_tvl", "2026-11-24", "2026-11-24T02:00Z"),
    ],
)
def test_a_value_is_out_when_its_publisher_says(source: str, of: str, out: str) -> None:
    assert SOURCES[source].rhythm.out(day(of)) == at(out)


@pytest.mark.parametrize(
    ("source", "now", "newest"),
    [
        # 06:00 in Seoul: in winter New York has just closed, in summer an hour ago.
        ("yahoo.SPY", "2026-11-23T21:00Z", "2026-11-20"),
        ("yahoo.SPY", "2026-07-07T21:00Z", "2026-07-07"),
        ("yahoo.SPY", "2026-11-23T21:30Z", "2026-11-23"),
        # Thanksgiving, and the half day after it.
        ("yahoo.SPY", "2026-11-27T02:00Z", "2026-11-25"),
        ("yahoo.SPY", "2026-11-27T22:00Z", "2026-11-27"),
        ("fred.DGS10", "2026-11-24T15:00Z", "2026-11-20"),
        ("fred.DGS10", "2026-11-24T23:30Z", "2026-11-23"),
        ("fred.WALCL", "2026-11-24T00:00Z", "2026-11-18"),
        ("fred.T10Y3M", "2026-11-24T01:30Z", "2026-11-23"),
        # Of Monday to Friday, holidays too; on the weekend Friday's is the newest.
        ("yahoo.KRW=X", "2026-11-26T23:00Z", "2026-11-26"),
        ("yahoo.KRW=X", "2026-11-29T23:30Z", "2026-11-27"),
        ("yahoo.KRW=X", "2026-11-30T21:00Z", "2026-11-27"),
        # As of the captured file: on Tuesday after Memorial Day it ends with Friday.
        ("fred.DEXKOUS", "2026-05-26T22:00Z", "2026-05-22"),
        ("fred.DEXKOUS", "2026-05-26T20:00Z", "2026-05-15"),
        ("fred.DEXKOUS", "2026-11-27T22:00Z", "2026-11-20"),
        ("coingecko.markets", "2026-11-24T00:00Z", "2026-11-24"),
        ("alternative_me.fear_greed", "2026-11-24T00:14Z", "2026-11-23"),
    ],
)
def test_the_newest_day_is_the_last_one_that_is_out(source: str, now: str, newest: str) -> None:
    assert SOURCES[source].rhythm.newest(at(now)) == day(newest)


def test_holidays_of_the_exchange_and_of_the_federal_reserve_are_not_the_same() -> None:
    exchange, reserve = yahoo.CLOSE, SOURCES["fred.DGS10"].rhythm
    good_friday, columbus = day("2026-04-03"), day("2026-10-12")
    assert (exchange.has(good_friday), reserve.has(good_friday)) == (False, True)
    assert (exchange.has(columbus), reserve.has(columbus)) == (True, False)
    assert exchange.following(day("2026-04-02")) == day("2026-04-06")
    assert reserve.following(day("2026-10-09")) == day("2026-10-13")


@pytest.mark.parametrize(
    ("rhythm", "of", "over"),
    [
        (yahoo.CLOSE, "2026-11-24", "2026-11-24T21:30Z"),
        (yahoo.CLOSE, "2026-07-07", "2026-07-07T20:30Z"),
        (yahoo.CURRENCY, "2026-11-24", "2026-11-25T00:00Z"),
        (yahoo.CURRENCY, "2026-07-07", "2026-07-07T23:00Z"),
        (UTC_DAYS, "2026-11-24", "2026-11-25T00:00Z"),
        (fred.SOURCES[0].rhythm, "2026-11-24", "2026-11-25T05:00Z"),
        # The days on which New York's clocks change have 23 and 25 hours.
        (fred.SOURCES[0].rhythm, "2026-03-07", "2026-03-08T05:00Z"),
        (fred.SOURCES[0].rhythm, "2026-03-08", "2026-03-09T04:00Z"),
        (fred.SOURCES[0].rhythm, "2026-11-01", "2026-11-02T05:00Z"),
    ],
)
def test_a_day_is_over_by_the_clock_of_its_own_place(rhythm: Rhythm, of: str, over: str) -> None:
    assert rhythm.over(day(of)) == at(over)


def test_every_source_has_a_newest_day_at_every_hour_of_a_leap_year() -> None:
    for source in SOURCES.values():
        last = date.min
        for hours in range(0, 366 * 24, 29):
            now = datetime(2028, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
            newest = source.rhythm.newest(now)
            assert source.rhythm.out(newest) <= now < source.rhythm.out(source.rhythm.following(newest))
            assert newest >= last
            last = newest


def test_an_offset_from_midnight_is_kept_to_the_minute() -> None:
    assert utc_days(timedelta(hours=2, minutes=20)).at == time(2, 20)


@pytest.mark.parametrize(
    "zone", ["Pacific/Kiritimati", "Asia/Seoul", "UTC", "America/New_York", "Etc/GMT+12"]
)
@pytest.mark.parametrize("ends", [None, time(0, 1), time(16), time(23, 59)])
def test_the_first_open_day_is_the_first_that_is_not_over(zone: str, ends: time | None) -> None:
    rhythm = Rhythm("every", time(6), zone=zone, ends=ends)
    # Over both changes of New York's clock, to the minute of an end and the one before it.
    days = [date(2026, 3, 6) + timedelta(n) for n in range(4)] + [
        date(2026, 10, 30) + timedelta(n) for n in range(4)
    ]
    instants = [rhythm.over(one) - timedelta(minutes=back) for one in days for back in (0, 1, 700)]
    for instant in instants:
        near = [instant.date() + timedelta(n) for n in range(-4, 5)]
        assert rhythm.first_open(instant) == next(one for one in near if instant < rhythm.over(one))
