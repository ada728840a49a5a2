"""The invented liquidity: does it hold still, is it told when the real one is, does the index find it."""

import math
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from statistics import correlation, fmean, median, pstdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.model import Ask, Plan, Row
from collectors.sources import (
    demo,
    demo_balance,
    demo_fred,
    demo_headlines,
    demo_market,
    demo_prices,
    demo_speeches,
    demo_stress,
    demo_yields,
)
from collectors.stress import headlines, index, inputs, speeches, validation
from collectors.stress.business_days import business_days, freshness, is_business_day
from collectors.stress.lexicon import LEXICON_VERSION
from collectors.stress.observations import Observations
from storage.tables import FED_SPEECH, NEWS_ITEM, OBSERVATION, Table

ROOT = Path(__file__).parent.parent
DAY = timedelta(days=1)
# A Tuesday after New York's close.
NOW = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)

RATES = (
    "BAA10Y", "DBAA", "DAAA", "BAMLH0A0HYM2", "SOFR", "EFFR", "DCPF3M", "DTB3", "DGS3MO", "DGS10", "DGS2",
    "T10Y3M",
)  # fmt: skip
EVENING = ("T10Y3M", "RRPONTSYD", "RPONTSYD")
H41 = ("WALCL", "WTREGEN", "WRESBAL", "WLCFLPCL")
FRED = (*RATES, *EVENING[1:], *H41, "DFF", "VIXCLS", "NFCI", "STLFSI4")
ETFS = ("SPY", "HYG", "IEI", "LQD", "IEF", "EMB", "BKLN", "BIL", "XLF", "TLT")
SPEECHES, NEWS = "federalreserve.speeches", "feeds.headlines"
OBSERVED = (
    *(f"fred.{name}" for name in FRED),
    *(f"yahoo.{name}" for name in (*ETFS, "^VIX", "^MOVE")),
    "ofr.fsi",
    "yahoo.KRW=X",
    "fred.DEXKOUS",
)
SOURCES = (*OBSERVED, SPEECHES, NEWS)

# Days as they were first drawn: whoever changes a seed changes every demo store.
PINNED = {
    ("fred.DGS10", ""): (date(2026, 4, 2), 3.74),
    ("fred.WALCL", ""): (date(2026, 4, 1), 6764570.0),
    ("yahoo.SPY", "close"): (date(2025, 12, 31), 650.54),
    ("yahoo.HYG", "dividend"): (date(2026, 10, 1), 0.389),
    ("yahoo.^VIX", ""): (date(2026, 6, 15), 50.35),
    ("ofr.fsi", ""): (date(2026, 3, 16), 0.978),
}
PINNED_TITLE = "A chain of hotels takes its online store to six more countries"
PINNED_TONE = -3.6420395421436003

every_source = pytest.mark.parametrize("source", SOURCES)


def rows(source: str, now: datetime = NOW, since: date | None = None) -> list[Row]:
    return list(demo.batch(source, Ask("", Plan("open"), now, since)).rows)


def table(source: str) -> Table:
    return {SPEECHES: FED_SPEECH, NEWS: NEWS_ITEM}.get(source, OBSERVATION)


def day_of(row: Row) -> date:
    return row["date"] if "date" in row else row["published_at"].date()


def keyed(source: str, found: list[Row]) -> dict[tuple[object, ...], Row]:
    return {tuple(row[column] for column in table(source).key): row for row in found}


@lru_cache
def whole(source: str) -> tuple[Row, ...]:
    return tuple(rows(source))


@lru_cache
def series(source: str, kind: str = "") -> dict[date, float]:
    name = f"{source}.{kind}" if kind else source
    return {row["date"]: row["value"] for row in whole(source) if row["series"] == name}


@lru_cache
def factor(day: date) -> float:
    return demo_stress.slow(day.year)[day.timetuple().tm_yday - 1]


def side_by_side(one: dict[date, float], other: dict[date, float]) -> tuple[list[float], list[float]]:
    common = sorted(one.keys() & other.keys())
    return [one[day] for day in common], [other[day] for day in common]


def newest(source: str, now: datetime) -> date:
    return max(day_of(row) for row in rows(source, now, now.date() - 30 * DAY))


# -- the interface -----------------------------------------------------------------------------


def test_there_is_a_generator_for_every_source_of_the_liquidity_pipeline() -> None:
    assert set(SOURCES) < demo.SOURCES
    assert len(demo.SOURCES - set(SOURCES)) == 7, "crypto, news, and Bitcoin at Yahoo"


@every_source
def test_rows_hold_exactly_the_columns_of_their_table_and_no_key_twice(source: str) -> None:
    names = [name for name, _ in table(source).columns]
    assert all(list(row) == names for row in whole(source))
    assert len(keyed(source, list(whole(source)))) == len(whole(source))


@every_source
def test_an_empty_store_gets_the_whole_history(source: str) -> None:
    years = {SPEECHES: 3, NEWS: 150 / 365}.get(source, 8)
    first = NOW.date() - timedelta(days=round(years * 365.25))
    assert -2 <= (min(map(day_of, whole(source))) - first).days <= 9


@every_source
def test_a_later_ask_gets_the_newest_stored_day_again_and_what_followed(source: str) -> None:
    since = sorted({day_of(row) for row in whole(source)})[-3]
    assert rows(source, NOW, since) == [row for row in whole(source) if day_of(row) >= since]


@every_source
def test_a_store_that_is_ahead_of_the_clock_gets_nothing_of_its_future(source: str) -> None:
    assert all(day_of(row) == NOW.date() for row in rows(source, NOW, date(2027, 2, 1)))


def test_the_clock_is_read_in_utc() -> None:
    seoul = NOW.astimezone(timezone(timedelta(hours=9)))
    assert rows("yahoo.SPY", seoul) == list(whole("yahoo.SPY"))


# -- determinism -------------------------------------------------------------------------------


@every_source
def test_a_day_that_is_over_reads_the_same_whenever_it_is_asked_for(source: str) -> None:
    known = {key: row for key, row in keyed(source, list(whole(source))).items() if day_of(row) < NOW.date()}
    compared = 0
    for now, since in (
        (datetime(2026, 9, 1, 3, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2027, 2, 1, 17, tzinfo=UTC), date(2026, 8, 1)),
        (datetime(2028, 3, 12, 0, tzinfo=UTC), date(2025, 11, 5)),
    ):
        for key, row in keyed(source, rows(source, now, since)).items():
            if key in known and day_of(row) < now.date():
                assert row == known[key], key
                compared += 1
    # What is told once a week or a month is compared less often.
    assert compared > 50


def test_the_order_of_asking_changes_nothing() -> None:
    first = {source: list(whole(source)) for source in SOURCES[::4]}
    for module in (demo_stress, demo_yields, demo_balance, demo_fred, demo_prices, demo_speeches):
        for kept in vars(module).values():
            if hasattr(kept, "cache_clear"):
                kept.cache_clear()
    for source in reversed(SOURCES[::4]):
        assert rows(source) == first[source]


def test_another_process_draws_the_same_world() -> None:
    code = (
        "from datetime import datetime, UTC\n"
        "from collectors.model import Ask, Plan\n"
        "from collectors.sources import demo\n"
        "now = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)\n"
        f"for s in {SOURCES[::5]}: print(demo.batch(s, Ask('', Plan('open'), now, now.date())).rows[-1:])\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
    )
    expected = [str(tuple(rows(source, NOW, NOW.date())[-1:])) for source in SOURCES[::5]]
    assert told.stdout.splitlines() == expected, told.stderr


def test_some_days_are_what_they_were() -> None:
    for key, (day, value) in PINNED.items():
        assert series(*key)[day] == pytest.approx(value), key
    assert whole(NEWS)[-1]["title"] == PINNED_TITLE
    assert whole(SPEECHES)[-1]["tone"] == pytest.approx(PINNED_TONE)


@given(
    now=st.datetimes(datetime(2024, 1, 1), datetime(2031, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    age=st.integers(0, 60),
    source=st.sampled_from(SOURCES),
)
@settings(max_examples=40, deadline=None)
def test_at_any_instant_rows_are_finite_unique_and_of_the_past(now: datetime, age: int, source: str) -> None:
    found = rows(source, now, now.date() - age * DAY)
    assert len(keyed(source, found)) == len(found)
    assert all(now.date() - age * DAY <= day_of(row) <= now.date() for row in found)
    assert all(math.isfinite(value) for row in found for value in row.values() if isinstance(value, float))
    assert all(row.get("published_at", now) <= now for row in found)


# -- when it is told ---------------------------------------------------------------------------


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("source", "now", "expected"),
    [
        # Market series: the next business day. The 11th is Veterans Day, the 26th Thanksgiving.
        ("fred.DGS10", at(24, 11, 59), date(2026, 11, 20)),
        ("fred.DGS10", at(24, 12), date(2026, 11, 23)),
        ("fred.SOFR", at(22, 20), date(2026, 11, 19)),
        ("fred.SOFR", at(23, 12), date(2026, 11, 20)),
        ("fred.BAA10Y", at(11, 20), date(2026, 11, 9)),
        ("fred.BAMLH0A0HYM2", at(12, 13), date(2026, 11, 10)),
        ("fred.VIXCLS", at(27, 13), date(2026, 11, 25)),
        ("fred.DFF", at(23, 11), date(2026, 11, 19)),
        ("fred.DFF", at(23, 12), date(2026, 11, 22)),
        # The same evening.
        ("fred.T10Y3M", at(24, 21, 59), date(2026, 11, 23)),
        ("fred.T10Y3M", at(24, 22), date(2026, 11, 24)),
        ("fred.RRPONTSYD", at(24, 22), date(2026, 11, 24)),
        # H.4.1 on Thursday, on Friday after Thanksgiving.
        ("fred.WALCL", at(19, 20, 59), date(2026, 11, 11)),
        ("fred.WRESBAL", at(19, 21), date(2026, 11, 18)),
        ("fred.WTREGEN", at(26, 23), date(2026, 11, 18)),
        ("fred.WLCFLPCL", at(27, 21), date(2026, 11, 25)),
        # Of the week that ended on Friday.
        ("fred.NFCI", at(17, 23), date(2026, 11, 6)),
        ("fred.NFCI", at(18, 12), date(2026, 11, 13)),
        ("fred.NFCI", at(11, 23), date(2026, 10, 30)),
        ("fred.STLFSI4", at(18, 23), date(2026, 11, 6)),
        ("fred.STLFSI4", at(19, 14), date(2026, 11, 13)),
        ("ofr.fsi", at(24, 1), date(2026, 11, 20)),
        ("ofr.fsi", at(22, 1), date(2026, 11, 18)),
        # New York, from its opening on.
        ("yahoo.SPY", at(24, 14, 29), date(2026, 11, 23)),
        ("yahoo.SPY", at(24, 14, 30), date(2026, 11, 24)),
        ("yahoo.^MOVE", at(26, 20), date(2026, 11, 25)),
        # A currency trades on every weekday; the Federal Reserve tells a week on Monday evening.
        ("yahoo.KRW=X", at(26, 20), date(2026, 11, 26)),
        ("yahoo.KRW=X", at(29, 20), date(2026, 11, 27)),
        ("fred.DEXKOUS", at(23, 21, 59), date(2026, 11, 13)),
        ("fred.DEXKOUS", at(23, 22), date(2026, 11, 20)),
        ("fred.DEXKOUS", at(13, 22, month=10), date(2026, 10, 9)),
    ],
)  # fmt: skip
def test_a_value_is_out_when_the_real_one_is(source: str, now: datetime, expected: date) -> None:
    assert newest(source, now) == expected


def test_rates_have_the_days_of_the_federal_reserve() -> None:
    for name in (*RATES, *EVENING):
        days = set(series(f"fred.{name}"))
        assert all(is_business_day("fed", day) for day in days), name
        assert date(2026, 4, 3) in days, "Good Friday"
        assert not {date(2025, 10, 13), date(2026, 7, 4)} & days


def test_prices_have_the_days_of_the_exchange() -> None:
    first = min(series("yahoo.SPY", "close"))
    wanted = {first + DAY * n for n in range((NOW.date() - first).days + 1)}
    wanted = {day for day in wanted if is_business_day("nyse", day)}
    for name in ETFS:
        assert set(series(f"yahoo.{name}", "close")) == wanted, name
    assert set(series("yahoo.^VIX")) == set(series("yahoo.^MOVE")) == wanted
    assert date(2025, 10, 13) in wanted and date(2026, 4, 3) not in wanted
    assert set(series("ofr.fsi")) < wanted


def test_the_won_has_weekdays_at_yahoo_and_working_days_at_the_federal_reserve_and_both_tell_one_story() -> (
    None
):
    closes, noons = series("yahoo.KRW=X"), series("fred.DEXKOUS")
    assert {day.weekday() for day in closes} == set(range(5)) and date(2026, 7, 3) in closes
    assert all(is_business_day("fed", day) for day in noons) and date(2025, 11, 27) not in noons
    assert all(abs(noons[day] / closes[day] - 1) < 0.02 for day in noons.keys() & closes.keys())
    assert 1100 < min(closes.values()) < max(closes.values()) < 1800


def test_weekly_series_are_of_wednesdays_and_fridays_and_the_policy_rate_of_every_day() -> None:
    assert {day.weekday() for name in H41 for day in series(f"fred.{name}")} == {2}
    assert {day.weekday() for name in ("NFCI", "STLFSI4") for day in series(f"fred.{name}")} == {4}
    assert all(after - before == DAY for before, after in pairwise(series("fred.DFF")))


@pytest.mark.parametrize("symbol", ["SPY", "HYG", "BIL", "^VIX"])
def test_todays_price_moves_with_the_hour_until_the_close(symbol: str) -> None:
    def today(hour: int, minute: int = 0) -> float:
        found = rows(f"yahoo.{symbol}", at(24, hour, minute), date(2026, 11, 24))
        return found[0]["value"]

    close = today(21)
    assert today(14, 30) == today(14, 59)
    assert today(17) == today(17, 59)
    assert (
        close == today(23, 59) == series(f"yahoo.{symbol}", "" if symbol[0] == "^" else "close")[NOW.date()]
    )
    assert len({today(hour) for hour in range(15, 22)}) > (1 if symbol == "BIL" else 4)
    assert today(20) == pytest.approx(close, rel=0.05)


# -- gaps --------------------------------------------------------------------------------------


def test_one_series_has_days_without_a_value_and_no_other_has() -> None:
    every, gapped = set(series("fred.DBAA")), set(series("fred.DAAA"))
    missing = every - gapped
    assert missing and all((day.month, day.day) in demo_fred.GAPS for day in missing)
    assert not any((day.month, day.day) in demo_fred.GAPS for day in gapped)
    # Every two months, so that one is always in view.
    assert all(any(day - 70 * DAY <= one <= day for one in missing) for day in sorted(every)[60:])
    assert all(set(series(f"fred.{name}")) >= every for name in ("DGS10", "EFFR", "BAA10Y", "DTB3"))


@pytest.mark.parametrize("now", [at(24, 3), at(24, 23), at(28, 12), at(30, 15), at(2, 9, month=1)])
def test_one_input_is_behind_and_still_tolerated(now: datetime) -> None:
    behind = newest("fred.DCPF3M", now)
    assert business_days("fed", behind, now.date()) == 4
    assert freshness("fred.DCPF3M", behind, now.date()) == "tolerated"
    for name in ("DTB3", "BAA10Y", "SOFR", "DGS10", "DAAA"):
        assert freshness(f"fred.{name}", newest(f"fred.{name}", now), now.date()) == "fresh", name


# -- units and what belongs together -----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "least", "most", "decimals"),
    [
        ("BAA10Y", 1.2, 5.5, 2), ("DBAA", 4.5, 9.5, 2), ("DAAA", 4, 8, 2), ("BAMLH0A0HYM2", 2.5, 14, 2),
        ("SOFR", 2, 6, 2), ("EFFR", 2, 5.5, 2), ("DFF", 2, 5.5, 2), ("DCPF3M", 2, 6.5, 2),
        ("DTB3", 1.5, 5.5, 2), ("DGS3MO", 1.5, 5.5, 2), ("DGS2", 1.5, 6, 2), ("DGS10", 2.5, 6.5, 2),
        ("T10Y3M", -2, 3.5, 2), ("VIXCLS", 9, 90, 2), ("WALCL", 6e6, 8e6, 0), ("WTREGEN", 3e5, 1.3e6, 0),
        ("WRESBAL", 2e6, 4e6, 0), ("WLCFLPCL", 1e3, 2e5, 0), ("RRPONTSYD", 0, 300, 3),
        ("RPONTSYD", 0, 150, 3), ("NFCI", -1, 1.5, 3), ("STLFSI4", -1.8, 4.5, 4),
    ],
)  # fmt: skip
def test_fred_values_are_in_the_units_of_their_series(
    name: str, least: float, most: float, decimals: int
) -> None:
    found = series(f"fred.{name}").values()
    assert least <= min(found) < max(found) <= most
    assert all(value == round(value, decimals) for value in found)
    assert len(set(found)) > 20


def test_prices_and_indices_are_where_real_ones_are() -> None:
    for symbol, least, most in (
        ("SPY", 250, 900), ("HYG", 65, 90), ("IEI", 105, 130), ("LQD", 90, 125), ("IEF", 80, 110),
        ("EMB", 75, 110), ("BKLN", 17, 23), ("BIL", 91.4, 91.9), ("XLF", 30, 120), ("TLT", 65, 115),
    ):  # fmt: skip
        found = series(f"yahoo.{symbol}", "close").values()
        assert least < min(found) < max(found) < most, symbol
    for source, lowest, highest in (
        ("yahoo.^VIX", (9, 13), (40, 90)),
        ("yahoo.^MOVE", (40, 70), (130, 280)),
        ("ofr.fsi", (-2, -0.6), (2, 6)),
    ):
        found = series(source).values()
        assert lowest[0] < min(found) < lowest[1], source
        assert highest[0] < max(found) < highest[1], source


def test_spreads_are_the_differences_of_what_they_are_made_of() -> None:
    baa, ten, bill = (series(f"fred.{name}") for name in ("DBAA", "DGS10", "DGS3MO"))
    for day, spread in series("fred.BAA10Y").items():
        assert spread == pytest.approx(baa[day] - ten[day], abs=0.0101)
    curve = series("fred.T10Y3M")
    assert all(curve[day] == round(ten[day] - bill[day], 2) for day in ten)
    assert all(baa[day] > value for day, value in series("fred.DAAA").items())
    assert all(0 < bill[day] - value < 0.2 for day, value in series("fred.DTB3").items())


def test_the_policy_rate_moves_in_quarters_and_a_weekend_keeps_it() -> None:
    effr, every = series("fred.EFFR"), series("fred.DFF")
    assert all(every[day] == value for day, value in effr.items())
    for day, value in every.items():
        if day.weekday() > 4:
            assert value == every.get(day - DAY * (day.weekday() - 4), value)
    moves = [after - before for before, after in pairwise(effr.values())]
    large = [move for move in moves if abs(move) > 0.1]
    assert 4 < len(large) < 40 and all(0.2 < abs(move) < 0.3 for move in large)


def test_vix_is_one_and_the_same_at_both_publishers() -> None:
    yahoo = series("yahoo.^VIX")
    assert all(value == yahoo[day] for day, value in series("fred.VIXCLS").items())
    assert len(series("fred.VIXCLS")) > 0.98 * len(yahoo)


def test_reserves_are_what_the_rest_of_the_balance_sheet_leaves() -> None:
    parked = series("fred.RRPONTSYD")
    assets, account = series("fred.WALCL"), series("fred.WTREGEN")
    others = [
        assets[day] - account[day] - 1000 * parked[day] - reserves
        for day, reserves in series("fred.WRESBAL").items()
        if day in parked
    ]
    assert 2.7e6 < min(others) < max(others) < 2.95e6, "currency and the like, millions"


def test_money_is_dearer_at_the_end_of_a_quarter() -> None:
    sofr, effr = series("fred.SOFR"), series("fred.EFFR")
    dear = {day: sofr[day] - effr[day] for day in sofr}
    days = sorted(dear)
    ends = [a for a, b in pairwise(days) if a.month != b.month and a.month % 3 == 0]
    others = [dear[day] for day in days if 8 < day.day < 22 and factor(day) < 0.5]
    assert min(dear[day] for day in ends) > 0.03 > median(others)
    assert abs(median(others)) < 0.03


def test_an_etf_falls_by_what_it_pays_and_pays_when_such_etfs_pay() -> None:
    for symbol in ETFS:
        closes, paid = series(f"yahoo.{symbol}", "close"), series(f"yahoo.{symbol}", "dividend")
        months = {day.month for day in paid}
        assert months == ({3, 6, 9, 12} if symbol in ("SPY", "XLF") else set(range(1, 13))), symbol
        assert set(paid) <= set(closes)
        a_year = sum(amount for day, amount in paid.items() if day >= NOW.date() - 365 * DAY)
        assert 0.008 < a_year / closes[NOW.date()] < 0.08, symbol
    cash, paid = series("yahoo.BIL", "close"), series("yahoo.BIL", "dividend")
    for before, day in pairwise(cash):
        fell = cash[before] - cash[day]
        assert fell == pytest.approx(paid[day], abs=0.05) if day in paid else fell < 0.006


def test_a_split_halves_the_price_of_one_etf_and_only_that_day() -> None:
    splits = {symbol: series(f"yahoo.{symbol}", "split") for symbol in ETFS}
    assert {symbol: found for symbol, found in splits.items() if found} == {"XLF": {date(2025, 6, 9): 2.0}}
    closes = series("yahoo.XLF", "close")
    for before, day in pairwise(closes):
        expected = 0.5 if day == date(2025, 6, 9) else 1.0
        assert closes[day] / closes[before] == pytest.approx(expected, rel=0.12), day
    morning = rows("yahoo.XLF", datetime(2025, 6, 9, 15, tzinfo=UTC), date(2025, 6, 9))
    assert [row["series"] for row in morning] == ["yahoo.XLF.close", "yahoo.XLF.split"]
    assert morning[0]["value"] == pytest.approx(closes[date(2025, 6, 9)], rel=0.03)


# -- the stress that all follow ----------------------------------------------------------------


def test_everything_follows_the_stress_of_its_day() -> None:
    def level(one: dict[date, float]) -> float:
        return correlation(list(one.values()), [factor(day) for day in one])

    for name in ("BAA10Y", "BAMLH0A0HYM2", "NFCI", "STLFSI4", "VIXCLS", "RPONTSYD", "WLCFLPCL"):
        assert level(series(f"fred.{name}")) > 0.5, name
    assert level(series("ofr.fsi")) > 0.7 and level(series("yahoo.^MOVE")) > 0.7
    dear = dict(
        zip(
            series("fred.DCPF3M"),
            np.subtract(*side_by_side(series("fred.DCPF3M"), series("fred.DTB3"))),
            strict=True,
        )
    )
    assert level(dear) > 0.7
    for risky, safe in (("HYG", "IEI"), ("LQD", "IEF"), ("EMB", "IEF"), ("BKLN", "BIL")):
        ratio = {day: math.log(adjusted(risky)[day] / adjusted(safe)[day]) for day in adjusted(risky)}
        moves = {b: ratio[b] - ratio[a] for a, b in zip(ratio, list(ratio)[20:], strict=False)}
        felt = [factor(day) - factor(day - 28 * DAY) for day in moves]
        assert correlation(list(moves.values()), felt) < -0.4, risky


def test_yields_move_in_whole_basis_points_and_more_of_them_under_stress() -> None:
    for name in ("DGS10", "DGS2"):
        found = series(f"fred.{name}")
        steps = {b: 100 * (found[b] - found[a]) for a, b in pairwise(found)}
        assert all(abs(step - round(step)) < 1e-6 for step in steps.values())
        calm = pstdev(step for day, step in steps.items() if factor(day) < 0.3)
        assert 2.5 < calm < 6
        assert pstdev(step for day, step in steps.items() if factor(day) > 1.5) > 1.5 * calm


def test_shares_fall_together_and_their_large_moves_come_together() -> None:
    found = adjusted("SPY")
    moves = {b: math.log(found[b] / found[a]) for a, b in pairwise(found)}
    sizes, sd = [abs(move) for move in moves.values()], pstdev(moves.values())
    assert 0.006 < sd < 0.015 and max(sizes) < 0.1
    assert fmean((move / sd) ** 4 for move in moves.values()) > 4.5, "a normal curve has 3"
    assert correlation(sizes[:-1], sizes[1:]) > 0.1
    turns = {b: series("yahoo.^VIX")[b] - series("yahoo.^VIX")[a] for a, b in pairwise(series("yahoo.^VIX"))}
    assert correlation(*side_by_side(moves, turns)) < -0.15


@pytest.mark.parametrize("year", range(2019, 2032))
def test_the_crash_of_the_coins_is_a_time_of_stress(year: int) -> None:
    levels = demo_stress.stress(year)
    crash = date(year, *demo_market.CRASH).timetuple().tm_yday - 1
    assert fmean(levels[crash + 2 : crash + 8]) > fmean(levels[crash - 40 : crash - 10]) + 0.9


def test_a_crisis_comes_every_three_or_four_years_and_lasts_for_weeks() -> None:
    years = [year for year in range(2017, 2034) if max(demo_stress.slow(year)) > 1.9]
    assert years == [2019, 2022, 2026, 2029, 2033]
    for year in years:
        assert 5 <= sum(level > 1.0 for level in demo_stress.stress(year)[130:]) / 7 <= 10, year


def test_nothing_jumps_when_the_year_turns() -> None:
    for year in range(2019, 2031):
        first = datetime(year, 1, 6, tzinfo=UTC)
        turn = {
            row["date"]: row["value"]
            for row in rows("yahoo.SPY", first, date(year - 1, 12, 27))
            if row["series"][-5:] == "close"
        }
        assert all(abs(math.log(turn[b] / turn[a])) < 0.045 for a, b in pairwise(turn)), year
        assert abs(demo_stress.stress(year)[0] - demo_stress.stress(year - 1)[-1]) < 0.4


# -- the index ---------------------------------------------------------------------------------


@lru_cache
def adjusted(symbol: str, now: datetime = NOW) -> dict[date, float]:
    """Closes with dividends reinvested, over splits."""
    kinds: dict[str, dict[date, float]] = defaultdict(dict)
    for row in rows(f"yahoo.{symbol}", now):
        kinds[row["series"].rsplit(".", 1)[1]][row["date"]] = row["value"]
    shares, found = 1.0, {}
    for day, close in kinds["close"].items():
        shares *= kinds["split"].get(day, 1.0) * (1 + kinds["dividend"].get(day, 0.0) / close)
        found[day] = shares * close
    return found


def replayed(now: datetime) -> index.Replay:
    snapshot = {}
    for source in OBSERVED:
        symbol = source.removeprefix("yahoo.")
        if symbol in ETFS:
            snapshot[f"{source}.adjusted"] = Observations.of(adjusted(symbol, now).items())
        else:
            snapshot[source] = Observations.of((row["date"], row["value"]) for row in rows(source, now))
    return index.replay(snapshot)


@pytest.mark.parametrize(
    "now", [NOW, datetime(2027, 11, 24, 15, tzinfo=UTC), datetime(2029, 3, 2, 9, tzinfo=UTC)]
)
def test_the_index_finds_calm_watch_stress_and_crisis(now: datetime) -> None:
    found = replayed(now)
    band = found.standing.band[found.days >= (now.date() - 4 * 365 * DAY).toordinal()]
    band = band[band >= 0]
    assert len(band) > 990, "four years"
    calm, watch, stress, crisis = (100 * float((band == n).mean()) for n in range(4))
    assert 50 < calm < 75 and 12 < watch < 30 and 6 < stress < 21 and 2 < crisis < 11
    assert validation.changes_a_year(band) < 16
    assert np.nanmin(found.index) < 20 and np.nanmax(found.index) > 95
    # Every market input is there on the newest day, one of them marked.
    market = [k for k, one in enumerate(found.inputs) if not one.name.startswith(("news", "fed"))]
    assert found.coverage[-1] == 1 and (found.as_of[-1, market] > 0).all()
    assert len(market) == len(inputs.INPUTS) - 2
    stale = [found.inputs[k].name for k in market if found.age[-1, k] > inputs.FRESH_ROWS]
    assert stale == (["cp_bill"] if now.hour >= 15 else [])


def test_the_index_follows_the_stress_that_was_drawn() -> None:
    found = replayed(NOW)
    drawn = [factor(found.day(row)) for row in range(len(found.days))]
    there = np.isfinite(found.market_only)
    ranks = (
        validation.average_ranks(found.market_only[there]),
        validation.average_ranks(np.array(drawn)[there]),
    )
    assert np.corrcoef(*ranks)[0, 1] > 0.65


# -- speeches ----------------------------------------------------------------------------------


def test_speeches_are_of_letters_and_say_that_they_are_invented() -> None:
    for row in whole(SPEECHES):
        assert row["feed"] == "speeches"
        assert row["speaker"] in {f"Demo governor {letter}" for letter in "ABCDE"}
        assert row["link"] == f"https://example.com/demo/speech/{row['id']}"
        assert row["published_at"].tzinfo is UTC and row["published_at"].weekday() < 5
        assert row["lexicon_version"] == LEXICON_VERSION
    assert len({row["speaker"] for row in whole(SPEECHES)}) == 5


def test_about_85_speeches_are_given_a_year_and_never_none_for_three_weeks() -> None:
    assert 83 * 3 < len(whole(SPEECHES)) < 87 * 3
    days = [row["published_at"] for row in whole(SPEECHES)]
    assert days == sorted(days)
    assert max(after - before for before, after in pairwise(days)) < 14 * DAY


def test_the_figures_of_a_speech_are_those_of_reading_it() -> None:
    for row in whole(SPEECHES)[::4]:
        said = speeches.read(row["published_at"].date(), row["text"])
        assert said is not None
        assert (row["words"], row["tone"], row["stance"]) == (said.tone.words, said.tone.concern, said.stance)
        assert 700 <= row["words"] <= 1200
        assert "{" not in row["text"]


def concern(now: datetime) -> list[tuple[date, float | None]]:
    given = [
        speeches.Speech(row["published_at"].date(), speeches.Tone(row["words"], row["tone"]), row["stance"])
        for row in rows(SPEECHES, now)
    ]
    return speeches.concern(given, [now.date() - DAY * n for n in range(1000, -1, -1)])


def test_speeches_are_more_worried_when_there_is_stress() -> None:
    told = {day: value for day, value in concern(NOW) if value is not None}
    assert NOW.date() in told and len(told) > 650
    assert correlation(list(told.values()), [factor(day) for day in told]) > 0.6
    stances = [row["stance"] for row in whole(SPEECHES)]
    assert min(stances) < -0.4 and max(stances) > 0.4


# -- headlines ---------------------------------------------------------------------------------


@lru_cache
def titles(now: datetime) -> tuple[headlines.Title, ...]:
    return tuple(
        headlines.Title(row["id"], row["feed"], row["published_at"], row["published_at"].date(), row["title"])
        for row in rows(NEWS, now)
    )


def test_five_feeds_bring_so_many_titles_a_day() -> None:
    a_day = Counter(title.day for title in titles(NOW) if title.day < NOW.date())
    assert len(a_day) == 150
    assert all(45 <= n <= 60 if day.weekday() < 5 else n == 20 for day, n in a_day.items())
    assert {title.feed for title in titles(NOW)} == set(demo_headlines.FEEDS)
    korean = {title.feed for title in titles(NOW) if any("가" <= letter <= "힣" for letter in title.text)}
    assert korean == {"demo-hangang", "demo-namsan"}


def test_the_figures_of_a_title_are_those_of_reading_it() -> None:
    for row in whole(NEWS)[::7]:
        assert row["topics"] == " ".join(headlines.topics(row["title"]))
        assert row["tone"] == headlines.tone(row["title"]) and isinstance(row["tone"], float)
        assert row["link"].startswith("https://example.com/demo/news/")
        assert row["published_at"].tzinfo is UTC


def test_titles_come_through_the_day_and_none_before_its_time() -> None:
    morning = rows(NEWS, at(24, 6), date(2026, 11, 24))
    evening = rows(NEWS, NOW, date(2026, 11, 24))
    assert 5 < len(morning) < 0.6 * len(evening)
    assert morning == [row for row in evening if row["published_at"] <= at(24, 6)]


def test_some_stories_are_told_again_and_enough_is_left() -> None:
    by_day = defaultdict(list)
    for title in titles(NOW):
        if title.day.weekday() < 5:
            by_day[title.day].append(title)
    kept = {day: len(headlines.one_a_story(found)) for day, found in by_day.items()}
    assert min(kept.values()) >= headlines.NEEDS_TITLES
    assert sum(kept[day] < len(found) for day, found in by_day.items()) > 0.9 * len(by_day)


def test_news_of_stress_are_more_frequent_under_stress() -> None:
    # From before the crisis of 2026 to after it.
    now = datetime(2026, 8, 14, 23, 59, tzinfo=UTC)
    found = dict(headlines.stress(titles(now)))
    assert found[now.date()] is not None
    told = {day: value for day, value in found.items() if value is not None}
    assert len(told) > 80
    assert correlation(list(told.values()), [factor(day) for day in told]) > 0.6
    recent = [title for title in titles(NOW) if title.day > NOW.date() - 40 * DAY]
    assert dict(headlines.stress(recent))[NOW.date()] is not None
