"""The invented market: does it hold still, and does it look like a market."""

import math
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from statistics import correlation, fmean, linear_regression, median, pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.model import Ask, Plan, Row
from collectors.sources import demo, demo_market
from storage.tables import CRYPTO_PRICE, OBSERVATION, PROTOCOL_TVL, Table

ROOT = Path(__file__).parent.parent
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
YEARS = range(2025, 2031)
TABLES: dict[str, Table] = {
    "coingecko.markets": CRYPTO_PRICE,
    "coingecko.global": OBSERVATION,
    "defillama.total_tvl": OBSERVATION,
    "defillama.protocols": PROTOCOL_TVL,
    "alternative_me.fear_greed": OBSERVATION,
}
GAPS = {
    "coingecko.markets": demo.LIVE_GAPS,
    "coingecko.global": demo.LIVE_GAPS,
    "defillama.total_tvl": demo.TVL_GAPS,
    "defillama.protocols": demo.LIVE_GAPS,
    "alternative_me.fear_greed": demo.MOOD_GAPS,
}
STABLE = {"tether", "usd-coin", "usds"}

# Three days of 2026 as they were first drawn: whoever changes a seed changes every demo store.
PINNED_BITCOIN = [94738.3, 71701.9, 97289.9]
PINNED_TETHER = [0.999864, 1.00004, 0.999854]

every_source = pytest.mark.parametrize("source", sorted(TABLES))


def ask(now: datetime = NOW, since: date | None = None) -> Ask:
    return Ask("", Plan("open"), now, since)


def rows(source: str, now: datetime = NOW, since: date | None = None) -> list[Row]:
    return list(demo.batch(source, ask(now, since)).rows)


def keyed(source: str, found: Iterable[Row]) -> dict[tuple[object, ...], Row]:
    return {tuple(row[column] for column in TABLES[source].key): row for row in found}


def finished(source: str, found: Iterable[Row], before: date) -> dict[tuple[object, ...], Row]:
    return {key: row for key, row in keyed(source, found).items() if row["date"] < before}


@lru_cache
def year_of(source: str, year: int) -> list[Row]:
    return rows(source, datetime(year + 1, 1, 2, tzinfo=UTC), date(year, 1, 1))


@lru_cache
def series(source: str, year: int, value: str) -> dict[object, dict[date, float]]:
    """Of every coin, protocol or series: day → value."""
    found: dict[object, dict[date, float]] = {}
    for row in year_of(source, year):
        found.setdefault(row[TABLES[source].key[0]], {})[row["date"]] = row[value]
    return found


def returns(levels: dict[date, float]) -> dict[date, float]:
    return {day: math.log(v / levels[day - DAY]) for day, v in levels.items() if day - DAY in levels}


def side_by_side(one: dict[date, float], other: dict[date, float]) -> tuple[list[float], list[float]]:
    common = sorted(one.keys() & other.keys())
    return [one[day] for day in common], [other[day] for day in common]


# -- the interface -----------------------------------------------------------------------------


def test_there_is_a_generator_for_every_crypto_source_and_none_for_what_it_closes() -> None:
    assert set(TABLES) < demo.SOURCES
    with pytest.raises(KeyError):
        demo.batch("coingecko.closes", ask())


@every_source
def test_rows_hold_exactly_the_columns_of_their_table(source: str) -> None:
    names = [name for name, _ in TABLES[source].columns]
    assert all(list(row) == names for row in rows(source))
    assert all(type(row["date"]) is date for row in rows(source))


@every_source
def test_an_empty_store_gets_a_year_that_ends_today(source: str) -> None:
    days = {row["date"] for row in rows(source)}
    assert max(days) == date(2026, 11, 23)
    assert min(days) == date(2025, 11, 23)
    assert len(days) == 366 - len(GAPS[source])


@every_source
def test_a_later_ask_gets_the_newest_stored_day_again_and_what_followed(source: str) -> None:
    days = {row["date"] for row in rows(source, since=date(2026, 11, 21))}
    assert days == {date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 23)}


@every_source
def test_a_store_that_is_ahead_of_the_clock_gets_today(source: str) -> None:
    assert {row["date"] for row in rows(source, since=date(2026, 12, 1))} == {date(2026, 11, 23)}


def test_today_is_the_day_in_utc() -> None:
    six_in_seoul = datetime(2026, 11, 24, 6, tzinfo=timezone(timedelta(hours=9)))
    assert rows("coingecko.markets", six_in_seoul) == rows(
        "coingecko.markets", datetime(2026, 11, 23, 21, tzinfo=UTC)
    )


# -- determinism -------------------------------------------------------------------------------


@every_source
def test_a_day_that_is_over_reads_the_same_whenever_it_is_asked_for(source: str) -> None:
    whole = finished(source, rows(source), date(2026, 11, 1))
    for now, since in (
        (datetime(2026, 11, 1, 3, tzinfo=UTC), None),
        (datetime(2027, 6, 1, 17, tzinfo=UTC), None),
        (datetime(2028, 3, 12, 0, tzinfo=UTC), date(2026, 3, 1)),
    ):
        again = finished(source, rows(source, now, since), date(2026, 11, 1))
        common = whole.keys() & again.keys()
        assert len(common) > 100
        assert all(whole[key] == again[key] for key in common)


@every_source
def test_today_moves_with_the_hour_but_not_within_it(source: str) -> None:
    def today(hour: int, minute: int) -> list[Row]:
        now = NOW.replace(hour=hour, minute=minute)
        return rows(source, now, now.date())

    assert today(9, 0) == today(9, 59)
    # Fear & Greed is out, and final, when its day begins.
    assert (today(9, 0) == today(10, 0)) == (source == "alternative_me.fear_greed")


def test_the_last_hour_is_close_to_the_close_and_not_the_close() -> None:
    def bitcoin(now: datetime) -> float:
        found = keyed("coingecko.markets", rows("coingecko.markets", now, date(2026, 11, 23)))
        return found["bitcoin", date(2026, 11, 23)]["price"]

    late = bitcoin(datetime(2026, 11, 23, 23, 59, tzinfo=UTC))
    close = bitcoin(datetime(2026, 11, 24, 0, 1, tzinfo=UTC))
    assert late != close
    assert late == pytest.approx(close, rel=0.02)


def test_another_process_draws_the_same_market() -> None:
    code = (
        "from datetime import datetime, UTC\n"
        "from collectors.model import Ask, Plan\n"
        "from collectors.sources import demo\n"
        "now = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)\n"
        f"for s in {sorted(TABLES)}: print(demo.batch(s, Ask('', Plan('open'), now)).rows[-1])\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
    )
    assert told.stdout.splitlines() == [str(rows(source)[-1]) for source in sorted(TABLES)], told.stderr


def test_three_days_of_2026_are_what_they_were() -> None:
    prices = series("coingecko.markets", 2026, "price")
    days = (date(2026, 3, 11), date(2026, 3, 15), date(2026, 12, 31))
    assert [prices["bitcoin"][day] for day in days] == pytest.approx(PINNED_BITCOIN)
    assert [prices["tether"][day] for day in days] == pytest.approx(PINNED_TETHER)


# -- gaps --------------------------------------------------------------------------------------


@every_source
def test_the_days_that_are_missing_are_the_ones_that_are_named(source: str) -> None:
    for year in YEARS:
        days = {row["date"] for row in year_of(source, year)}
        everyday = (date(year, 1, 1) + DAY * n for n in range(366))
        missing = {(day.month, day.day) for day in everyday if day not in days and day.year == year}
        assert missing == GAPS[source]


def test_the_gaps_are_three_single_days_and_one_run_of_three() -> None:
    for gaps in (demo.LIVE_GAPS, demo.TVL_GAPS):
        ordinals = sorted(date(2026, *gap).toordinal() for gap in gaps)
        starts = [n for n in ordinals if n - 1 not in ordinals]
        lengths = [next(k for k in range(9) if n + k not in ordinals) for n in starts]
        assert sorted(lengths) == [1, 1, 1, 3]
    assert not demo.LIVE_GAPS & demo.TVL_GAPS


@every_source
def test_today_and_yesterday_are_never_missing(source: str) -> None:
    for month, day in GAPS[source]:
        for later in (0, 1):
            now = datetime(2026, month, day, 12, tzinfo=UTC) + DAY * later
            assert date(2026, month, day) in {row["date"] for row in rows(source, now, now.date() - DAY)}
        now += DAY
        assert date(2026, month, day) not in {row["date"] for row in rows(source, now)}


def test_a_day_of_a_gap_that_was_seen_live_is_delivered_to_be_closed() -> None:
    seen = date(2026, 11, 13)
    days = {row["date"] for row in rows("coingecko.markets", NOW, seen)}
    assert seen in days
    assert seen + DAY not in days


# -- prices ------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", YEARS)
def test_bitcoin_stays_where_it_is_plausible(year: int) -> None:
    bitcoin = series("coingecko.markets", year, "price")["bitcoin"].values()
    assert 55_000 < min(bitcoin) < 75_000
    assert 90_000 < max(bitcoin) < 130_000


@pytest.mark.parametrize("year", YEARS)
def test_the_crash_takes_a_quarter_of_bitcoin_and_more_of_the_rest(year: int) -> None:
    crash = date(year, *demo_market.CRASH)
    prices = series("coingecko.markets", year, "price")

    def fall(coin: str) -> float:
        return prices[coin][crash + 3 * DAY] / prices[coin][crash - DAY] - 1

    assert -0.28 < fall("bitcoin") < -0.21
    assert -0.37 < fall("ethereum") < -0.28
    assert -0.45 < median(map(fall, ("solana", "dogecoin", "cardano", "hyperliquid", "ripple"))) < -0.35
    assert abs(fall("tether")) < 0.005
    assert abs(fall("leo-token")) < 0.05


def test_most_of_the_crash_but_not_all_is_made_good_within_a_month() -> None:
    shares = []
    for year in YEARS:
        crash = date(year, *demo_market.CRASH)
        bitcoin = series("coingecko.markets", year, "price")["bitcoin"]
        before, bottom, after = (bitcoin[crash + n * DAY] for n in (-1, 3, 33))
        shares.append((after - bottom) / (before - bottom))
    assert 0.4 < fmean(shares) < 0.95
    assert min(shares) > 0.1


@pytest.mark.parametrize("year", YEARS)
def test_coins_move_together_as_coins_do(year: int) -> None:
    moves = {coin: returns(prices) for coin, prices in series("coingecko.markets", year, "price").items()}
    assert 0.7 < correlation(*side_by_side(moves["bitcoin"], moves["ethereum"])) < 0.9
    for coin in ("solana", "dogecoin", "cardano", "ripple"):
        bitcoin, alt = side_by_side(moves["bitcoin"], moves[coin])
        assert 0.55 < correlation(bitcoin, alt) < 0.9, coin
        assert 1.0 < linear_regression(bitcoin, alt).slope < 1.75, coin
    assert abs(correlation(*side_by_side(moves["bitcoin"], moves["tether"]))) < 0.25


@pytest.mark.parametrize("year", YEARS)
def test_big_moves_are_frequent_and_come_together(year: int) -> None:
    moves = list(returns(series("coingecko.markets", year, "price")["bitcoin"]).values())
    sd = pstdev(moves)
    assert 0.015 < sd < 0.03
    assert fmean((move / sd) ** 4 for move in moves) > 4.5, "a normal curve has 3"
    sizes = [abs(move) for move in moves]
    assert correlation(sizes[:-1], sizes[1:]) > 0.1


@pytest.mark.parametrize("year", YEARS)
def test_one_stablecoin_loses_its_peg_for_two_days_and_the_others_hold(year: int) -> None:
    prices = series("coingecko.markets", year, "price")
    for coin in STABLE:
        assert 0.997 <= min(prices[coin].values()) < max(prices[coin].values()) <= 1.003, coin
    shaky = prices["ethena-usde"]
    crash = date(year, *demo_market.CRASH)
    assert {day for day, price in shaky.items() if price < 0.97} == {crash + DAY, crash + 2 * DAY}
    assert 0.955 < min(shaky.values()) < 0.968
    calm = [price for day, price in shaky.items() if not crash <= day <= crash + 5 * DAY]
    assert 0.997 <= min(calm) < max(calm) <= 1.003


@pytest.mark.parametrize("year", YEARS)
def test_quiet_tokens_are_quiet(year: int) -> None:
    prices = series("coingecko.markets", year, "price")
    assert all(0.95 < price < 1.1 for price in prices["figure-heloc"].values())
    moves = {
        coin: pstdev(returns(prices[coin]).values()) for coin in ("leo-token", "figure-heloc", "bitcoin")
    }
    assert moves["figure-heloc"] < moves["leo-token"] < 0.6 * moves["bitcoin"]


@pytest.mark.parametrize("year", YEARS)
def test_more_is_traded_when_prices_move(year: int) -> None:
    volumes = series("coingecko.markets", year, "volume")
    for coin in ("bitcoin", "ethereum", "solana"):
        moves = returns(series("coingecko.markets", year, "price")[coin])
        sizes, traded = side_by_side({day: abs(r) for day, r in moves.items()}, volumes[coin])
        assert correlation(sizes, traded) > 0.4, coin


def test_changes_are_those_of_the_stored_prices() -> None:
    found = keyed("coingecko.markets", rows("coingecko.markets"))
    checked = 0
    for (coin, day), row in found.items():
        for column, back in (("change_24h", 1), ("change_7d", 7), ("change_30d", 30)):
            before = found.get((coin, day - back * DAY))
            if before is not None:
                assert row[column] == pytest.approx(100 * (row["price"] / before["price"] - 1), abs=1e-5)
                checked += 1
    assert checked > 18_000


def test_protocol_changes_are_those_of_the_stored_tvl() -> None:
    found = keyed("defillama.protocols", rows("defillama.protocols"))
    checked = 0
    for (protocol, day), row in found.items():
        for column, back in (("change_1d", 1), ("change_7d", 7)):
            before = found.get((protocol, day - back * DAY))
            if before is not None:
                assert row[column] == pytest.approx(100 * (row["tvl"] / before["tvl"] - 1), abs=1e-5)
                checked += 1
    assert checked > 19_000


# -- ranks, caps, dominance --------------------------------------------------------------------


def by_day(found: Iterable[Row]) -> dict[date, list[Row]]:
    days: dict[date, list[Row]] = {}
    for row in found:
        days.setdefault(row["date"], []).append(row)
    return days


def test_ranks_are_one_to_twenty_by_market_cap() -> None:
    for day, found in by_day(rows("coingecko.markets")).items():
        assert [row["rank"] for row in found] == list(range(1, 21)), day
        caps = [row["market_cap"] for row in found]
        assert caps == sorted(caps, reverse=True), day


@pytest.mark.parametrize("year", YEARS)
def test_ranks_change_and_coins_enter_and_leave(year: int) -> None:
    days = by_day(year_of("coingecko.markets", year))
    tops = [tuple(row["coin"] for row in found) for found in days.values()]
    assert all(top[0] == "bitcoin" for top in tops)
    assert len(set(tops)) > 40
    entered = sum(len(set(after) - set(before)) for before, after in pairwise(tops))
    assert 5 < entered < 120
    assert len({coin for top in tops for coin in top}) in (22, 23, 24)


def test_market_cap_is_price_times_a_supply_that_grows_slowly() -> None:
    for year in YEARS:
        for row in year_of("coingecko.markets", year):
            coin = next(c for c in demo_market.COINS if c.coin == row["coin"])
            (coins,) = demo_market.supplies(coin, row["date"], 1)
            assert row["market_cap"] == pytest.approx(row["price"] * coins, abs=1)
    bitcoin = demo_market.COINS[0]
    assert demo_market.supplies(bitcoin, date(2026, 1, 1), 366)[::365] == pytest.approx([20.0e6, 20.16e6])


@pytest.mark.parametrize("year", YEARS)
def test_dominance_is_bitcoins_share_of_all_caps(year: int) -> None:
    caps: dict[date, Counter[str]] = {}
    for row in year_of("coingecko.markets", year):
        caps.setdefault(row["date"], Counter())[row["coin"]] = row["market_cap"]
    for row in year_of("coingecko.global", year):
        stored = caps[row["date"]]
        rest = stored.total() - stored["bitcoin"]
        share = 100 * stored["bitcoin"] / (stored["bitcoin"] + 1.25 * rest)
        # The coins below rank 20 are in the total and not in the store.
        assert share - 1.5 < row["value"] < share
        assert 52 < row["value"] < 63
    assert 54 < fmean(row["value"] for row in year_of("coingecko.global", year)) < 60


# -- TVL, protocols, mood ----------------------------------------------------------------------


@pytest.mark.parametrize("year", YEARS)
def test_tvl_follows_the_market_at_four_fifths_of_its_moves(year: int) -> None:
    tvl = series("defillama.total_tvl", year, "value")["defillama.total_tvl"]
    assert 85e9 < min(tvl.values()) < max(tvl.values()) < 150e9
    moves = side_by_side(returns(series("coingecko.markets", year, "price")["bitcoin"]), returns(tvl))
    assert correlation(*moves) > 0.8
    assert 0.6 < linear_regression(*moves).slope < 0.9


def test_every_day_has_the_thirty_largest_protocols() -> None:
    tops = []
    for day, found in by_day(rows("defillama.protocols")).items():
        tvl = [row["tvl"] for row in found]
        assert len(found) == 30 and tvl == sorted(tvl, reverse=True), day
        tops.append(frozenset(row["protocol"] for row in found))
    assert len(set(tops)) > 5
    assert {"lido", "aave-v3"} <= frozenset.intersection(*tops)


def test_protocols_carry_their_names_and_no_excluded_category() -> None:
    found = {row["protocol"]: row for row in rows("defillama.protocols")}
    assert (found["lido"]["name"], found["lido"]["category"]) == ("Lido", "Liquid Staking")
    assert (found["aave-v3"]["name"], found["aave-v3"]["category"]) == ("Aave V3", "Lending")
    assert not {"CEX", "Chain"} & {row["category"] for row in found.values()}


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (4, "Extreme Fear"),
        (25, "Extreme Fear"),
        (26, "Fear"),
        (46, "Fear"),
        (47, "Neutral"),
        (54, "Neutral"),
        (55, "Greed"),
        (75, "Greed"),
        (76, "Extreme Greed"),
        (96, "Extreme Greed"),
    ],
)
def test_moods_have_the_bounds_of_the_upstream(value: int, label: str) -> None:
    assert demo.mood_label(value) == label


def test_fear_and_greed_runs_through_all_its_classes_with_whole_numbers() -> None:
    labels: Counter[object] = Counter()
    for year in YEARS:
        for row in year_of("alternative_me.fear_greed", year):
            assert row["value"].is_integer() and 0 < row["value"] < 100
            assert row["note"] == demo.mood_label(int(row["value"]))
            labels[row["note"]] += 1
    assert set(labels) == {"Extreme Fear", "Fear", "Neutral", "Greed", "Extreme Greed"}
    assert labels["Extreme Greed"] < labels["Greed"]


@pytest.mark.parametrize("year", YEARS)
def test_the_crash_frightens(year: int) -> None:
    mood = series("alternative_me.fear_greed", year, "value")["alternative_me.fear_greed_index"]
    after = date(year, *demo_market.CRASH) + 4 * DAY
    assert mood[after] <= 25
    steps = [abs(value - mood[day - DAY]) for day, value in mood.items() if day - DAY in mood]
    assert median(steps) < 8


# -- any day -----------------------------------------------------------------------------------


def test_the_29th_of_february_is_a_day_like_any_other() -> None:
    now = datetime(2028, 2, 29, 12, tzinfo=UTC)
    days = by_day(rows("coingecko.markets", now))
    assert (min(days), max(days)) == (date(2027, 3, 1), date(2028, 2, 29))
    later = finished("coingecko.markets", rows("coingecko.markets", now + 40 * DAY), date(2029, 1, 1))
    assert later["bitcoin", date(2028, 2, 29)]["change_24h"] == pytest.approx(
        100
        * (later["bitcoin", date(2028, 2, 29)]["price"] / later["bitcoin", date(2028, 2, 28)]["price"] - 1),
        abs=1e-5,
    )


def test_nothing_jumps_when_the_year_turns() -> None:
    for year in YEARS:
        found = keyed("coingecko.markets", rows("coingecko.markets", datetime(year, 1, 9, tzinfo=UTC)))
        turn = found["bitcoin", date(year, 1, 1)]["price"] / found["bitcoin", date(year - 1, 12, 31)]["price"]
        assert abs(math.log(turn)) < 0.06


@given(
    now=st.datetimes(datetime(2025, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    age=st.none() | st.integers(0, 40),
    source=st.sampled_from(sorted(TABLES)),
)
@settings(max_examples=60, deadline=None)
def test_at_any_instant_rows_are_finite_unique_and_end_today(
    now: datetime, age: int | None, source: str
) -> None:
    since = None if age is None else now.date() - age * DAY
    found = rows(source, now, since)
    assert len(keyed(source, found)) == len(found)
    days = [row["date"] for row in found]
    assert days == sorted(days)
    assert max(days) == now.date()
    first = since or now.date() - 365 * DAY
    assert first <= min(days) <= first + 3 * DAY
    numbers = [value for row in found for value in row.values() if isinstance(value, float)]
    assert all(map(math.isfinite, numbers))
    levels = [row[c] for row in found for c in ("price", "market_cap", "volume", "tvl", "value") if c in row]
    assert min(levels) > 0


def test_a_year_is_drawn_in_a_moment() -> None:
    taken = []
    for _ in range(3):
        for kept in vars(demo_market).values():
            if hasattr(kept, "cache_clear"):
                kept.cache_clear()
        begun = time.process_time()
        for source in TABLES:
            demo.batch(source, ask())
        taken.append(time.process_time() - begun)
    assert min(taken) < 0.6
