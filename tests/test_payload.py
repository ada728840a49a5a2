"""What parsers make of payloads that are wrong in one way: FAULTS C, without network and store."""

import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors import payload
from collectors.model import Batch, Changed, Source
from collectors.sources import coingecko, defillama, fear_greed
from storage.read import Known
from tests.sample import (
    AT,
    DAY,
    WHOLE,
    answer,
    asking,
    believed,
    body,
    coin,
    market,
    moods,
    parsed,
    protocol,
    protocols,
    reasons,
    seconds,
    snapshot,
    totals,
)

MARKETS, GLOBAL, CLOSES = coingecko.MARKETS, coingecko.GLOBAL, coingecko.CLOSES
TVL, PROTOCOLS, MOOD = defillama.TOTAL_TVL, defillama.PROTOCOLS, fear_greed.FEAR_GREED
each_source = pytest.mark.parametrize(("source", "whole"), WHOLE.values(), ids=WHOLE)
Whole = Callable[[], Any]


def refused(source: Source, given: Any, code: str, *words: str) -> None:
    with pytest.raises(Changed) as caught:
        believed(source, given)
    assert caught.value.code == code, str(caught.value)
    for word in words:
        assert word in str(caught.value)


def with_first(**fields: Any) -> list[dict[str, Any]]:
    """The market with the first coin (bitcoin) changed."""
    first, *others = market()
    return [first | fields, *others]


def literal(text: str) -> bytes:
    """The market with bitcoin's price written as this."""
    return body(market()).replace(b'"current_price": 97000', b'"current_price": ' + text.encode(), 1)


# ---------------------------------------------------------------- the sound ones


def test_a_market_becomes_twenty_rows_of_the_upstreams_day() -> None:
    batch = believed(MARKETS, market())
    assert (len(batch.rows), list(batch.rejected)) == (20, [])
    assert batch.rows[1] == {
        "coin": "ethereum",
        "date": DAY,
        "symbol": "ethe",
        "name": "Ethereum",
        "rank": 2,
        "price": 3300.5,
        "market_cap": 500_000_000_000.0,
        "volume": 500_000_000.0,
        "change_24h": -1.25,
        "change_7d": 2.5,
        "change_30d": None,
    }


def test_the_other_sound_payloads_become_their_rows() -> None:
    assert believed(GLOBAL, snapshot()).rows == [
        {"series": "coingecko.btc_dominance", "date": DAY, "value": 56.78, "note": None}
    ]
    days = believed(TVL, totals(3)).rows
    assert [(str(row["date"]), row["value"]) for row in days] == [
        ("2026-11-21", 99e9),
        ("2026-11-22", 100e9),
        ("2026-11-23", 101e9),
    ]
    assert [(row["value"], row["note"]) for row in believed(MOOD, moods(2)).rows] == [
        (40.0, "Fear"),
        (41.0, "Fear"),
    ]


# ---------------------------------------------------------------- C01–C05, C17: numbers


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NaN", "non_finite"),
        ("Infinity", "non_finite"),
        ("-Infinity", "non_finite"),
        ("1e999", "non_finite"),
        ("-1e999", "non_finite"),
        (str(10**400), "non_finite"),
        ('"97000"', "not_a_number"),
        ('"1,234.5"', "not_a_number"),
        ('"٣"', "not_a_number"),
        ("true", "not_a_number"),
        ("[97000]", "not_a_number"),
        ("{}", "not_a_number"),
        ("null", "missing:current_price"),
        ("0", "implausible"),
        ("0.0", "implausible"),
        ("-97000", "implausible"),
        ("1e300", "implausible"),
    ],
)
def test_a_price_that_is_no_price_costs_its_row_alone(text: str, reason: str) -> None:
    batch = believed(MARKETS, literal(text))
    assert reasons(batch) == [reason]
    assert [row["coin"] for row in batch.rows] == [item["id"] for item in market()[1:]]
    assert batch.rejected[0].row["id"] == "bitcoin"


@pytest.mark.parametrize("text", ["NaN", "1e999", '"5"', "true", "-5"])
@pytest.mark.parametrize("column", ["market_cap", "total_volume", "market_cap_rank"])
def test_a_wrong_number_beside_the_price_costs_its_row_too(column: str, text: str) -> None:
    given = body(with_first(**{column: 424242})).replace(b"424242", text.encode())
    assert len(reasons(believed(MARKETS, given))) == 1


def test_no_row_ever_holds_a_number_that_is_not_finite() -> None:
    given = body(with_first(market_cap=math.nan, price_change_percentage_24h=math.inf))
    for row in believed(MARKETS, given).rows:
        assert all(math.isfinite(value) for value in row.values() if isinstance(value, float))


def test_the_evidence_of_a_refused_row_is_json_that_anybody_can_read() -> None:
    given = body(with_first(current_price=math.nan, roi=[math.inf], ath=10**4000, name="\ud800" * 9000))
    entry = believed(MARKETS, given).rejected[0]
    kept = json.dumps(dict(entry.row), allow_nan=False)
    assert json.loads(kept)["current_price"] == "nan"
    assert len(kept) < 5000


@pytest.mark.parametrize("field", ["name", "current_price", "last_updated", "roi"])
def test_a_nesting_that_the_reader_just_takes_costs_one_row_and_is_not_printed(field: str) -> None:
    nested = b"[" * 900 + b"]" * 900
    given = body(with_first(**{field: "DEEP", "id": ""})).replace(b'"DEEP"', nested)
    (entry,) = believed(MARKETS, given).rejected
    assert (entry.row[field], entry.row["symbol"]) == ("list", "bitc")


def test_an_integer_of_five_thousand_digits_is_no_json_of_theirs() -> None:
    refused(MARKETS, literal("9" * 5000), "parse")


def test_a_hundred_thousand_nested_lists_are_refused() -> None:
    refused(MARKETS, b"[" * 100_000 + b"]" * 100_000, "parse")
    refused(MOOD, b'{"data":' * 100_000 + b"1" + b"}" * 100_000, "parse")


def test_a_market_cap_of_zero_means_unknown_and_null_stays_null() -> None:
    batch = believed(MARKETS, with_first(market_cap=0.0, market_cap_rank=None, total_volume=None))
    row = batch.rows[0]
    assert (row["market_cap"], row["rank"], row["volume"]) == (None, 1, None)


# ---------------------------------------------------------------- C03, C07–C12: text and structure


@each_source
def test_a_field_named_twice_refuses_the_batch(source: Source, whole: Whole) -> None:
    given = body(whole())
    assert b"{" in given
    at = given.index(b"{") + 1
    first = given[at : given.index(b":", at)]
    refused(source, given[:at] + first + b":1," + given[at:], "schema", "twice")


@each_source
def test_a_byte_order_mark_changes_nothing(source: Source, whole: Whole) -> None:
    assert parsed(source, b"\xef\xbb\xbf" + body(whole())) == parsed(source, whole())


@each_source
def test_an_unknown_field_changes_nothing(source: Source, whole: Whole) -> None:
    def grown(value: Any) -> Any:
        if isinstance(value, list):
            return [grown(item) for item in value]
        if isinstance(value, dict):
            return {"brand_new": {"a": [1]}, **{key: grown(item) for key, item in value.items()}}
        return value

    assert believed(source, grown(whole())) == believed(source, whole())


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (b'"Bit\xff\xfecoin"', "Bit��coin"),
        (b'"Bit\\ud83dcoin"', "Bitcoin"),
        (b'"Bit\\u0000coin"', "Bitcoin"),
        (b'"Bit\x00coin"', "Bitcoin"),
        (b'"Bit\\u202ecoin"', "Bitcoin"),
        (b'"\\u2066Bit\\u200bcoin\\u2069\\n"', "Bitcoin"),
        (b'"' + b"B" * 1_000_000 + b'"', "B" * payload.NAME_CAP),
        (b'"<script>alert(1)</script>"', "<script>alert(1)</script>"),
        (b'"=HYPERLINK(1)"', "=HYPERLINK(1)"),
    ],
    ids=["utf8", "surrogate", "nul", "bare-nul", "rtl", "isolates", "megabyte", "script", "formula"],
)
def test_a_hostile_name_is_cleaned_and_capped(raw: bytes, clean: str) -> None:
    given = body(market()).replace(b'"Bitcoin"', raw, 1)
    batch = believed(MARKETS, given)
    assert (len(batch.rows), batch.rows[0]["name"]) == (20, clean)
    str(batch.rows[0]["name"]).encode("utf-8")


@pytest.mark.parametrize("name", ["", "   ", "\u202e\u200b", None, 7, ["Bitcoin"]])
def test_a_name_that_is_none_costs_its_row(name: Any) -> None:
    batch = believed(MARKETS, with_first(name=name))
    assert len(reasons(batch)) == 1


@each_source
@pytest.mark.parametrize("swapped", [[], {}, None, 5, "x", True, [[]], [None], {"data": 1}])
def test_another_top_level_refuses_the_batch(source: Source, whole: Whole, swapped: Any) -> None:
    with pytest.raises(Changed) as caught:
        believed(source, swapped)
    assert caught.value.code in ("schema", "suspect")


@each_source
def test_a_list_in_an_envelope_and_an_object_in_a_list_refuse_the_batch(source: Source, whole: Whole) -> None:
    other = {"data": whole()} if isinstance(whole(), list) else [whole()]
    refused(source, other, "schema", "changed")


@pytest.mark.parametrize(
    "given", [b"", b"  ", b"Throttled", b"<html></html>", b'{"a":', b"[1,]", b"\x1f\x8b"]
)
@each_source
def test_what_is_no_json_is_called_that(source: Source, whole: Whole, given: bytes) -> None:
    refused(source, given, "parse")


@pytest.mark.parametrize(
    ("source", "given"),
    [(MARKETS, []), (TVL, []), (PROTOCOLS, []), (MOOD, {"data": []})],
    ids=["markets", "tvl", "protocols", "moods"],
)
def test_an_empty_list_is_suspect(source: Source, given: Any) -> None:
    refused(source, given, "suspect", "nothing")


# ---------------------------------------------------------------- C13–C16, C20: rows


FIELDS = {
    "coingecko.markets": ("id", "symbol", "name", "current_price", "last_updated"),
    "defillama.total_tvl": ("date", "tvl"),
    "defillama.protocols": ("slug", "name", "category", "tvl"),
    "alternative_me.fear_greed": ("value", "timestamp", "value_classification"),
}
EACH_FIELD = [(name, field) for name, fields in FIELDS.items() for field in fields]


def rows_of(whole: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = whole["data"] if isinstance(whole, dict) else whole
    return found


def larger(name: str) -> Any:
    """A payload of at least twenty rows."""
    return totals(20) if "tvl" in name else moods(20) if "fear" in name else WHOLE[name][1]()


@pytest.mark.parametrize(("name", "field"), EACH_FIELD)
def test_a_field_missing_in_one_row_costs_that_row(name: str, field: str) -> None:
    given = larger(name)
    del rows_of(given)[1][field]
    batch = believed(WHOLE[name][0], given)
    assert reasons(batch) == [f"missing:{field}"]


@pytest.mark.parametrize(("name", "field"), EACH_FIELD)
def test_a_field_missing_in_a_third_of_the_rows_makes_the_batch_suspect(name: str, field: str) -> None:
    given = larger(name)
    for row in rows_of(given)[::3]:
        del row[field]
    refused(WHOLE[name][0], given, "suspect", f"missing:{field}")


NULLABLE = [("coingecko.markets", name) for name in (*coingecko.NULLABLE, *coingecko.CHANGES)]
NULLABLE += [("defillama.protocols", name) for name in ("change_1d", "change_7d")]


@pytest.mark.parametrize(("name", "field"), EACH_FIELD + NULLABLE)
def test_a_renamed_field_refuses_the_batch_and_is_named(name: str, field: str) -> None:
    given = larger(name)
    for row in rows_of(given):
        row[f"{field}_v2"] = row.pop(field)
    refused(WHOLE[name][0], given, "schema", field)


@pytest.mark.parametrize("field", ["data", "market_cap_percentage", "updated_at", "btc"])
def test_a_renamed_field_of_the_snapshot_is_named(field: str) -> None:
    refused(GLOBAL, body(snapshot()).replace(f'"{field}"'.encode(), b'"other"'), "schema", field)


@pytest.mark.parametrize(("name", "field"), NULLABLE)
def test_a_field_that_may_be_null_may_be_absent_in_one_row(name: str, field: str) -> None:
    given = larger(name)
    del rows_of(given)[1][field]
    assert reasons(believed(WHOLE[name][0], given)) == []


def test_of_two_rows_with_one_id_both_come_in_order_so_that_the_last_counts() -> None:
    batch = believed(MARKETS, [*market(), coin("bitcoin", 1, 96000)])
    assert [row["price"] for row in batch.rows if row["coin"] == "bitcoin"] == [97000.0, 96000.0]


def test_twenty_times_one_coin_is_no_market() -> None:
    refused(MARKETS, [coin("bitcoin", 1, 97000)] * 20, "suspect", "1 rows")


def test_half_the_coins_gone_is_suspect_and_a_few_are_not() -> None:
    refused(MARKETS, market()[:10], "suspect", "10 rows")
    assert len(believed(MARKETS, market()[:18]).rows) == 18


def test_another_composition_is_only_another_set_of_ids() -> None:
    # On 4 February 2026 the wrapped and staked tokens left the list.
    wrapped = [coin(name, 20, 3300) for name in ("wrapped-bitcoin", "staked-ether", "weth")]
    known = Known(last={("crypto_price", "price"): {str(c["id"]): 3300.0 for c in wrapped}})
    before = believed(MARKETS, [*market()[:17], *wrapped], known=known)
    after = believed(MARKETS, market(), known=known)
    assert (len(before.rows), len(after.rows), list(after.rejected)) == (20, 20, [])


def test_coins_of_one_symbol_are_kept_apart_by_their_id() -> None:
    given = [item | {"symbol": "weth"} for item in market()]
    assert len({row["coin"] for row in believed(MARKETS, given).rows}) == 20


def test_rank_and_order_may_disagree() -> None:
    first, second, *others = market()
    batch = believed(MARKETS, [second, first, *others])
    assert [(row["coin"], row["rank"]) for row in batch.rows[:2]] == [("ethereum", 2), ("bitcoin", 1)]


# ---------------------------------------------------------------- C17: the gates


def known(**prices: float) -> Known:
    return Known(last={("crypto_price", "price"): prices})


def test_a_price_a_thousand_times_the_stored_one_is_set_aside() -> None:
    batch = believed(MARKETS, with_first(current_price=97_000_000), known=known(bitcoin=96_000.0))
    assert reasons(batch) == ["jump:price"]
    assert batch.rejected[0].row["before"] == 96_000.0
    assert len(batch.rows) == 19


@pytest.mark.parametrize(("price", "kept"), [(96_000 * 19, 20), (96_000 * 21, 19), (4801, 20), (4799, 19)])
def test_the_gate_is_a_factor_of_twenty_both_ways(price: float, kept: int) -> None:
    assert len(believed(MARKETS, with_first(current_price=price), known=known(bitcoin=96_000.0)).rows) == kept


def test_a_coin_without_stored_price_passes_the_gate() -> None:
    assert len(believed(MARKETS, with_first(current_price=97_000_000)).rows) == 20


@pytest.mark.parametrize("factor", [1000, 0.001, 1468.0, 0.95])
def test_a_market_that_is_not_in_dollars_is_suspect(factor: float) -> None:
    refused(MARKETS, [item | {"current_price": item["current_price"] * factor} for item in market()],
            "suspect", "not in USD")  # fmt: skip


def test_dollar_coins_that_lose_their_peg_are_still_dollars_as_long_as_one_holds() -> None:
    fallen = [coin("usd-coin", 5, 0.88), coin("dai", 18, 0.89), coin("ethena-usde", 19, 0.91)]
    batch = believed(MARKETS, [*market()[:17], *fallen])
    assert [row["price"] for row in batch.rows[17:]] == [0.88, 0.89, 0.91]


def test_every_stored_price_beyond_the_gate_is_suspect() -> None:
    stored = known(**{item["id"]: item["current_price"] * 1000 for item in market()})
    with pytest.raises(Changed) as caught:
        believed(MARKETS, market(), known=stored)
    assert caught.value.code == "suspect"


@pytest.mark.parametrize("share", [0, -5, 0.567, 5678, 100, math.nan, "56.78", True, None])
def test_a_share_that_is_none_refuses_the_snapshot(share: Any) -> None:
    refused(GLOBAL, snapshot(share), "schema", "share")


def test_a_total_a_thousand_times_too_large_is_set_aside() -> None:
    days = totals(20)
    days[-1]["tvl"] *= 1000
    assert reasons(believed(TVL, days)) == ["implausible"]
    refused(TVL, [day | {"tvl": day["tvl"] * 1000} for day in totals()], "schema", "implausible")


# ---------------------------------------------------------------- C18: time


STAMP = int(AT.timestamp())
WRONG_STAMPS = [STAMP * 1000, STAMP * 10**6, 32_472_144_000, -86_400, 0, 10**400, "soon", "", True, [], {}]
WRONG_STAMPS += ["2999-01-01T00:00:00Z", "1969-12-31T00:00:00Z", "0001-01-01T00:00:00+14:00", "٣"]


@pytest.mark.parametrize("stamp", WRONG_STAMPS, ids=lambda value: str(value)[:24])
def test_an_impossible_time_is_refused_wherever_it_comes(stamp: Any) -> None:
    assert reasons(believed(MARKETS, with_first(last_updated=stamp))) == ["timestamp"]
    refused(GLOBAL, snapshot(updated=stamp), "schema", "timestamp")
    days = totals(20)
    days[3]["date"] = stamp
    assert reasons(believed(TVL, days)) == ["timestamp"]
    given = moods(20)
    given["data"][3]["timestamp"] = stamp
    assert reasons(believed(MOOD, given)) == ["timestamp"]


@pytest.mark.parametrize(
    ("stamp", "day"),
    [
        ("2026-11-23T05:59:30.123Z", "2026-11-23"),
        ("2026-11-23T05:59:30+00:00", "2026-11-23"),
        ("2026-11-23T00:30:00+09:00", "2026-11-22"),
        ("2026-11-22T23:59:59.999Z", "2026-11-22"),
    ],
)
def test_the_day_of_a_price_is_the_utc_day_of_its_own_time(stamp: str, day: str) -> None:
    assert str(believed(MARKETS, with_first(last_updated=stamp)).rows[0]["date"]) == day


def test_a_row_over_a_day_old_is_set_aside_and_a_market_of_them_is_stale() -> None:
    old, young = "2026-11-22T05:59:59Z", "2026-11-22T06:00:01Z"
    assert reasons(believed(MARKETS, with_first(last_updated=old))) == ["stale"]
    assert reasons(believed(MARKETS, with_first(last_updated=young))) == []
    refused(MARKETS, [item | {"last_updated": old} for item in market()], "stale")
    half = [item | {"last_updated": old} if n % 2 else item for n, item in enumerate(market())]
    refused(MARKETS, half, "stale")
    refused(GLOBAL, snapshot(updated=STAMP - 86_401), "stale")


def test_a_day_without_its_midnight_belongs_to_the_day_that_it_is_in() -> None:
    # The last point of the history is not at 00:00 but at the time of the answer.
    days = [*totals(3), {"date": STAMP - 600, "tvl": 102.5e9}]
    rows = believed(TVL, days).rows
    assert [(row["date"], row["value"]) for row in rows[-2:]] == [(DAY, 101e9), (DAY, 102.5e9)]


# ---------------------------------------------------------------- DefiLlama's protocols


def test_the_thirty_largest_are_taken_without_exchanges_and_chains() -> None:
    big = [protocol("binance-cex", 170e9, "CEX"), protocol("some-chain", 90e9, "Chain")]
    batch = believed(PROTOCOLS, [*protocols(), *big, protocol("wbtc", 25.5e9, "Bridge")])
    slugs = [row["protocol"] for row in batch.rows]
    # Smallest first; the bridge has its place between 26 and 25 billion.
    assert slugs == [f"p{n}" for n in range(29, 15, -1)] + ["wbtc"] + [f"p{n}" for n in range(15, 0, -1)]
    assert batch.rows[0]["tvl"] == 12e9
    assert batch.rows[-1] == {
        "protocol": "p1",
        "date": DAY,
        "name": "P1",
        "category": "Lending",
        "tvl": 40e9,
        "change_1d": 0.5,
        "change_7d": None,
    }


def test_protocols_without_value_rank_nowhere() -> None:
    none = [
        protocol("null", None),
        protocol("zero", 0),
        protocol("negative", -500.25),
        protocol("bare", 7, None),
    ]
    rows = believed(PROTOCOLS, [*none, *protocols(20)]).rows
    assert [(row["protocol"], row["tvl"]) for row in rows[:3]] == [
        ("negative", -500.25),
        ("zero", 0.0),
        ("bare", 7.0),
    ]
    assert "null" not in {row["protocol"] for row in rows}
    assert believed(PROTOCOLS, [*none, *protocols(40)]).rows[0]["protocol"] == "p30"


def test_a_slug_that_comes_twice_takes_one_place_and_its_larger_value() -> None:
    twins = [protocol("meth-protocol", 200e9), protocol("meth-protocol", 100e9)]
    rows = believed(PROTOCOLS, [*protocols(), *twins]).rows
    assert len({row["protocol"] for row in rows}) == 30
    assert [row["tvl"] for row in rows if row["protocol"] == "meth-protocol"] == [100e9, 200e9]


def test_small_protocols_that_cannot_be_read_do_not_count_against_the_thirty() -> None:
    broken = [protocol(f"b{n}", 1e6) | {"name": None} for n in range(5)]
    batch = believed(PROTOCOLS, [*protocols(60), *broken])
    assert (len(batch.rows), list(batch.rejected)) == (30, [])


@pytest.mark.parametrize("tvl", [50e9, "1", math.nan, 1e18])
def test_protocols_that_might_rank_and_cannot_be_read_do_count(tvl: Any) -> None:
    broken = [protocol(f"b{n}", tvl) | {"name": None} for n in range(2)]
    assert len(believed(PROTOCOLS, [*protocols(60), *broken]).rejected) == 2
    broken = [protocol(f"b{n}", tvl) | {"name": None} for n in range(4)]
    refused(PROTOCOLS, [*protocols(60), *broken], "suspect", "4 of 34")


def test_a_tenth_of_all_protocols_beyond_reading_is_suspect_however_small() -> None:
    broken = [protocol(f"b{n}", 1e6) | {"name": None} for n in range(8)]
    refused(PROTOCOLS, [*protocols(60), *broken], "suspect", "8 of 68")


# ---------------------------------------------------------------- Fear & Greed


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (40, "not_a_number"),
        ("40.5", "not_a_number"),
        ("-4", "not_a_number"),
        ("٤٠", "not_a_number"),
        ("²", "not_a_number"),
        ("", "not_a_number"),
        ("0040", "not_a_number"),
        (None, "missing:value"),
        ("101", "implausible"),
    ],
)
def test_an_index_that_is_none_costs_its_day(value: Any, reason: str) -> None:
    given = moods(20)
    given["data"][0]["value"] = value
    assert reasons(believed(MOOD, given)) == [reason]


def test_the_label_is_the_providers_own() -> None:
    given = moods(1)
    given["data"][0] |= {"value": "46", "value_classification": "Fear"}
    assert believed(MOOD, given).rows[0]["note"] == "Fear"


def test_a_day_that_is_missing_stays_missing() -> None:
    given = moods(20)
    del given["data"][2]
    days = {str(row["date"]) for row in believed(MOOD, given).rows}
    assert "2026-11-21" not in days
    assert len(days) == 19


# ---------------------------------------------------------------- closes

YESTERDAY = DAY - timedelta(days=1)
MIDNIGHT = seconds(DAY) * 1000


def chart(*points: tuple[Any, Any]) -> dict[str, Any]:
    """A market_chart: every array has these points; caps are ten times the price, volumes twice."""
    return {
        name: [[at, price * factor if isinstance(price, int | float) else price] for at, price in points]
        for name, factor in (("prices", 1), ("market_caps", 10), ("total_volumes", 2))
    }


def unsealed(name: str, day: date = YESTERDAY) -> dict[str, object]:
    changes = {"change_24h": 0.1, "change_7d": 0.2, "change_30d": 0.3}
    named = {"coin": name, "date": day, "symbol": "x", "name": "X", "rank": 1}
    return {**named, "price": 5.0, "market_cap": 1.0, "volume": 1.0, **changes}


def closed(charts: dict[str, Any], rows: list[dict[str, object]]) -> Batch:
    ask = asking(unsealed=rows)
    requests = CLOSES.requests(ask)
    return CLOSES.parse([answer(charts[str(request.item)], request=request) for request in requests], ask)


def test_a_close_is_the_last_point_before_midnight_whatever_the_order() -> None:
    points = [(MIDNIGHT - 1, 7.5), (MIDNIGHT - 3_600_000, 7.0), (MIDNIGHT, 8.0), (MIDNIGHT + 60_000, 9.0)]
    rows = closed({"a": chart(*points)}, [unsealed("a")]).rows
    assert rows == [unsealed("a") | {"price": 7.5, "market_cap": 75.0, "volume": 15.0}]


def test_only_yesterdays_row_is_closed_even_where_older_ones_were_never_sealed() -> None:
    older = unsealed("a", YESTERDAY - timedelta(days=2)) | {"rank": 9}
    for rows in ([older, unsealed("a")], [unsealed("a"), older]):
        assert [row["date"] for row in closed({"a": chart((MIDNIGHT - 1, 7.5))}, rows).rows] == [YESTERDAY]


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([(MIDNIGHT, 8.0)], "no_close"),
        ([(MIDNIGHT - 1, 0)], "implausible"),
        ([(MIDNIGHT - 1, -1)], "implausible"),
        ([(MIDNIGHT - 1, None)], "implausible"),
        ([(MIDNIGHT - 1, "7")], "not_a_number"),
        ([(MIDNIGHT - 1, math.inf)], "non_finite"),
        ([(MIDNIGHT * 1000, 7)], "timestamp"),
        ([(None, 7)], "timestamp"),
        ([(10**400, 7)], "non_finite"),
        ([(True, 7)], "not_a_number"),
        ([("now", 7)], "not_a_number"),
    ],
    ids=str,
)
def test_a_coin_without_a_close_leaves_the_others_alone(points: list[tuple[Any, Any]], reason: str) -> None:
    others = [f"c{n}" for n in range(12)]
    charts = {name: chart((MIDNIGHT - 1, 7.5)) for name in others} | {"bad": chart(*points)}
    batch = closed(charts, [unsealed(name) for name in ("bad", *others)])
    assert [(entry.row, entry.reason) for entry in batch.rejected] == [({"coin": "bad"}, reason)]
    assert len(batch.rows) == 12


def test_a_chart_without_its_arrays_is_another_format() -> None:
    with pytest.raises(Changed) as caught:
        closed({"a": {"data": chart((MIDNIGHT - 1, 7.5))}}, [unsealed("a")])
    assert caught.value.values["field"] == "prices"


# ---------------------------------------------------------------- anything at all

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([STAMP, str(STAMP), STAMP * 1000, 10**400, "2026-11-23T05:00:00Z", "56", 97000.0])
)  # fmt: skip
NAMES = st.sampled_from(
    ["id", "symbol", "name", "current_price", "last_updated", "market_cap_rank", "data", "value", "timestamp",
     "value_classification", "date", "tvl", "slug", "category", "market_cap_percentage", "btc", "updated_at",
     "prices", "market_caps", "total_volumes", "change_1d", "change_7d", "market_cap", "total_volume"]
)  # fmt: skip
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=8)
    ),
    max_leaves=25,
)
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(ANYTHING)
def test_any_json_at_all_is_a_batch_or_changed(value: Any) -> None:
    for source, _whole in WHOLE.values():
        try:
            batch = believed(source, value)
        except Changed:
            continue
        assert source.rows[0] <= len(batch.rows) <= source.rows[1]


@QUICK
@given(st.data())
def test_anything_in_any_place_of_a_sound_payload_is_a_batch_or_changed(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(WHOLE)))
    source, make = WHOLE[name]
    whole = make()
    row = whole["data"] if name == "coingecko.global" else data.draw(st.sampled_from(rows_of(whole)))
    row[data.draw(st.sampled_from(sorted(row)))] = data.draw(ANYTHING)
    try:
        batch = believed(source, whole)
    except Changed:
        return
    for kept in batch.rows:
        assert all(math.isfinite(value) for value in kept.values() if isinstance(value, float))


@QUICK
@given(ANYTHING)
def test_any_chart_at_all_is_a_close_or_refused(value: Any) -> None:
    try:
        batch = closed({"a": value}, [unsealed("a")])
    except Changed:
        return
    assert len(batch.rows) + len(batch.rejected) == 1


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_a_value_or_changed(noise: bytes) -> None:
    try:
        payload.json_of(noise)
    except Changed as changed:
        assert changed.code in ("parse", "schema")


@given(st.one_of(st.integers(), st.floats(), st.text(max_size=30), st.none(), st.booleans()))
def test_an_instant_is_aware_and_plausible_or_unfit(value: Any) -> None:
    try:
        read = payload.instant(value, AT)
    except payload.Unfit as unfit:
        assert str(unfit) == "timestamp"
        return
    assert datetime(2009, 1, 3, tzinfo=UTC) <= read <= AT + timedelta(days=2)
