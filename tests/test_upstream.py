"""The fake upstream itself: its shapes against recorded bodies, its counts, its faults, its clock."""

import ast
import gzip
import json
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.upstream import DEMO_KEY, PRO_KEY, Coin, FakeUpstream, Fault

ROOT = Path(__file__).parent.parent
CAPTURES = ROOT.parent / "shared" / "captures"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MARKETS = "/coingecko/api/v3/coins/markets?vs_currency=usd"
FULL = f"{MARKETS}&per_page=20&sparkline=true&price_change_percentage=7d,30d"
CHART = "/coingecko/api/v3/coins/bitcoin/market_chart?vs_currency=usd&days={}"
HISTORY = "/defillama/v2/historicalChainTvl"
FNG = "/alternative_me/fng/?limit={}&format=json"


@pytest.fixture
def up() -> Iterator[FakeUpstream]:
    with FakeUpstream(clock=NOON) as fake:
        yield fake
    assert fake.errors == []


class Got:
    """One answer, read completely."""

    def __init__(self, fake: FakeUpstream, path: str, method: str = "GET", body: str | None = None,
                 timeout_s: float = 5, **headers: str) -> None:  # fmt: skip
        connection = HTTPConnection("127.0.0.1", fake.port, timeout=timeout_s)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, {"User-Agent": "test/1", **named})
            answer = connection.getresponse()
            self.status, self.headers = answer.status, answer.headers
            self.body = answer.read()
        finally:
            connection.close()

    def json(self) -> Any:
        return json.loads(self.body)


def capture(name: str) -> Any:
    path = CAPTURES / name
    if not path.exists():
        pytest.skip(f"recorded bodies are not here: {path}")
    return json.loads(path.read_text(encoding="utf-8"))


def types(rows: list[dict[str, Any]]) -> dict[str, set[type]]:
    """Field → types of its values; integers count as floats, as both stand for numbers."""
    found: dict[str, set[type]] = {}
    for row in rows:
        for name, value in row.items():
            found.setdefault(name, set()).add(float if type(value) is int else type(value))
    return found


# --- shapes against recordings ---
def test_markets_have_the_fields_and_types_of_the_recorded_ones(up: FakeUpstream) -> None:
    recorded = capture("coingecko/coins_markets__2026-04-09.json")
    mine = Got(up, MARKETS + "&per_page=100").json()
    assert list(mine[0]) == list(recorded[0])
    assert len(mine) == len(recorded) == 100
    assert types(mine) == types(recorded)
    whole = {type(row["current_price"]) for row in mine}
    assert whole == {int, float}


def test_the_sparkline_comes_as_recorded(up: FakeUpstream) -> None:
    recorded = capture("coingecko/coins_markets_sparkline__2025-07-05.json")
    mine = Got(up, f"{MARKETS}&per_page=10&sparkline=true&price_change_percentage=1h,24h,7d").json()
    assert list(mine[0]) == list(recorded[0])
    assert len(mine[0]["sparkline_in_7d"]["price"]) == 168
    assert {len(row["sparkline_in_7d"]["price"]) for row in recorded} <= {167, 168}


def test_global_has_the_fields_of_the_recorded_one(up: FakeUpstream) -> None:
    recorded = capture("coingecko/global__2025-05-23.json")
    recorded = recorded.get("data", recorded)
    mine = Got(up, "/coingecko/api/v3/global").json()["data"]
    assert set(mine) == set(recorded)
    assert types([mine]) == types([recorded])
    assert set(recorded["total_market_cap"]) <= set(mine["total_market_cap"])
    assert len(mine["market_cap_percentage"]) == 10
    assert 75 < sum(mine["market_cap_percentage"].values()) < 87


@pytest.mark.parametrize(
    ("name", "days", "more"),
    [
        ("vcr__coins_bitcoin_market_chart_days=30_vs_currency=usd__2021-05-15.json", 30, ""),
        ("vcr__coins_bitcoin_market_chart_days=90_interval=daily_vs_currency=usd__2021-05-15.json", 90,
         "&interval=daily"),
        ("coins_bitcoin_market_chart_days-365__2025-04-22.json", 365, ""),
    ],
)  # fmt: skip
def test_charts_have_as_many_points_as_the_recorded_ones(
    up: FakeUpstream, name: str, days: int, more: str
) -> None:
    recorded = capture(f"coingecko/{name}")
    mine = Got(up, CHART.format(days) + more).json()
    assert list(mine) == list(recorded)
    assert len(mine["prices"]) == len(recorded["prices"])
    assert [point[0] for point in mine["prices"]] == [point[0] for point in mine["market_caps"]]


def test_protocols_have_the_fields_and_types_of_the_recorded_ones(up: FakeUpstream) -> None:
    recorded = capture("defillama/protocols_partial_TRANSCRIBED__2026-05-29.json")
    rows = Got(up, "/defillama/protocols").json()
    mine = types(rows)
    for name, kinds in types(recorded).items():
        if name != "wrongLiquidity":  # a mark on some rows that nobody reads
            assert kinds & mine[name], name
    always = set.intersection(*(set(row) for row in recorded))
    assert all(always - set(row) <= {"github"} for row in rows)
    assert all(26 <= len(row) <= 34 for row in rows)


def test_chains_and_total_tvl_come_as_recorded(up: FakeUpstream) -> None:
    chains = capture("defillama/v2_chains__2026-05-29.json")
    mine = Got(up, "/defillama/v2/chains").json()
    assert list(mine[0]) == list(chains[0])
    assert types(mine) == types(chains)
    total = capture("defillama/v2_historicalChainTvl__2023-09-09.json")
    assert types(Got(up, HISTORY).json()) == types(total)


def test_fear_and_greed_comes_as_recorded(up: FakeUpstream) -> None:
    recorded = capture("alternative_me/fng_limit-365__2025-04-22.json")
    mine = Got(up, FNG.format(365)).json()
    assert list(mine) == list(recorded)
    assert mine["metadata"] == recorded["metadata"]
    assert [set(row) for row in mine["data"]] == [set(row) for row in recorded["data"]]
    assert types(mine["data"]) == types(recorded["data"])


# --- what it says ---
def test_the_first_twenty_are_the_named_ones_and_today_is_noon_of_the_reference(up: FakeUpstream) -> None:
    rows = Got(up, FULL).json()
    assert len(rows) == 20
    assert {"bitcoin", "tether", "figure-heloc", "whitebit", "ethena-usde", "sui"} <= {r["id"] for r in rows}
    assert rows[0]["current_price"] == 97000
    assert rows[0]["market_cap_rank"] == 1
    assert rows[0]["last_updated"].startswith("2026-11-23T11:59:")
    heloc = next(row for row in rows if row["id"] == "figure-heloc")
    assert heloc["last_updated"] == "2026-11-23T05:52:00.000Z"
    assert all(isinstance(row["price_change_percentage_30d_in_currency"], float) for row in rows)


def test_rank_and_order_disagree_by_a_place(up: FakeUpstream) -> None:
    ranks = [row["market_cap_rank"] for row in Got(up, FULL).json()]
    assert ranks[14:18] == [15, 17, 16, 18]
    assert sorted(ranks) == list(range(1, 21))


def test_pages_do_not_overlap_and_ids_select(up: FakeUpstream) -> None:
    first, second = (Got(up, f"{MARKETS}&per_page=50&page={n}").json() for n in (1, 2))
    assert len({row["id"] for row in first + second}) == 100
    chosen = Got(up, MARKETS + "&ids=ethereum,bitcoin,nobody").json()
    assert [row["id"] for row in chosen] == ["bitcoin", "ethereum"]
    assert [row["id"] for row in Got(up, MARKETS + "&ids=bitcoin,%20ethereum").json()] == ["bitcoin"]


def test_charts_end_with_a_now_point_cut_to_the_second(up: FakeUpstream) -> None:
    hourly = [point[0] for point in Got(up, CHART.format(2)).json()["prices"]]
    assert hourly[-2] > hourly[-1]
    assert hourly[-1] % 1000 == 0
    daily = [point[0] for point in Got(up, CHART.format(365)).json()["prices"]]
    assert {at % 86_400_000 for at in daily[:-1]} == {0}
    assert daily[-1] // 86_400_000 == daily[-2] // 86_400_000
    assert len(Got(up, CHART.format(1)).json()["prices"]) in (288, 289)


def test_full_size_protocols_are_full_size() -> None:
    with FakeUpstream(full_size=True, clock=NOON) as up:
        body = Got(up, "/defillama/protocols").body
        started = time.monotonic()
        assert Got(up, "/defillama/protocols").body == body
        took_s = time.monotonic() - started
    assert 8_200_000 <= len(body) <= 8_400_000
    assert took_s < 0.5
    rows = json.loads(body)
    assert 6_800 < len(rows) < 7_000
    assert {len(row) for row in rows} <= set(range(26, 35))
    assert sum(row["tvl"] is None for row in rows) > 400
    assert sum(row["tvl"] == 0 for row in rows) > 600
    assert sum(row["change_1d"] is None for row in rows) > 800
    largest = sorted((row for row in rows if row["category"] not in ("CEX", "Chain")),
                     key=lambda row: -(row["tvl"] or 0))  # fmt: skip
    assert len({row["slug"] for row in largest[:30]}) == 30


def test_small_protocols_hold_every_trap(up: FakeUpstream) -> None:
    rows = Got(up, "/defillama/protocols").json()
    assert len(rows) == 61
    values = [row["tvl"] for row in rows]
    assert None in values
    assert 0 in values
    assert min(value for value in values if value is not None) < 0
    assert [row["slug"] for row in rows].count("meth-protocol") == 2
    assert {"CEX", "Chain", "Bridge", "RWA"} <= {row["category"] for row in rows}
    aave = next(row for row in rows if row["slug"] == "aave-v3")
    plain = [value for chain, value in aave["chainTvls"].items() if "borrowed" not in chain]
    assert sum(plain) == aave["tvl"]
    assert sum(aave["chainTvls"].values()) > 2 * aave["tvl"]


def test_total_tvl_runs_to_today_at_midnight(up: FakeUpstream) -> None:
    days = [row["date"] for row in Got(up, HISTORY).json()]
    assert days[-1] == int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())
    assert {after - before for before, after in pairwise(days)} == {86_400}
    assert len(days) == 2_900
    assert Got(up, HISTORY + "/Nowhere").status == 400


def test_fear_and_greed_counts_rows_and_leaves_its_gaps(up: FakeUpstream) -> None:
    everything = Got(up, FNG.format(0)).json()["data"]
    days = {datetime.fromtimestamp(int(row["timestamp"]), UTC).date() for row in everything}
    assert date(2018, 4, 15) not in days
    assert date(2024, 10, 26) not in days
    assert min(days) == date(2018, 2, 1)
    assert len(days) == len(everything) == (date(2026, 11, 23) - date(2018, 2, 1)).days + 1 - 4
    assert everything[0]["time_until_update"] == "43200"
    assert not any("time_until_update" in row for row in everything[1:])
    assert len(Got(up, FNG.format(5)).json()["data"]) == 5
    assert len(Got(up, "/alternative_me/fng/").json()["data"]) == 1


@pytest.mark.parametrize(
    ("value", "label"),
    [(25, "Extreme Fear"), (26, "Fear"), (46, "Fear"), (47, "Neutral"), (54, "Neutral"), (55, "Greed"),
     (75, "Greed"), (76, "Extreme Greed")],
)  # fmt: skip
def test_fear_and_greed_uses_the_providers_bounds(up: FakeUpstream, value: int, label: str) -> None:
    up.set_fear_greed(date(2026, 11, 23), value)
    newest = Got(up, FNG.format(1)).json()["data"][0]
    assert (newest["value"], newest["value_classification"]) == (str(value), label)


# --- keys ---
@pytest.mark.parametrize(
    ("host", "header", "key", "status", "code"),
    [
        ("coingecko", "x-cg-demo-api-key", DEMO_KEY, 200, None),
        ("coingecko", "x-cg-demo-api-key", PRO_KEY, 400, 10010),
        ("coingecko", "x-cg-pro-api-key", PRO_KEY, 400, 10010),
        ("coingecko", "x-cg-demo-api-key", "CG-nobody", 401, 10002),
        ("coingecko", "x-cg-api-key", "CG-ignored", 200, None),
        ("coingecko-pro", "x-cg-pro-api-key", PRO_KEY, 200, None),
        ("coingecko-pro", "x-cg-demo-api-key", DEMO_KEY, 400, 10011),
        ("coingecko-pro", "x-cg-pro-api-key", DEMO_KEY, 400, 10011),
        ("coingecko-pro", "x-cg-nothing", "-", 401, 10002),
    ],
)
def test_keys_open_their_own_host_only(
    up: FakeUpstream, host: str, header: str, key: str, status: int, code: int | None
) -> None:
    got = Got(up, f"/{host}/api/v3/global", **{header: key})
    assert got.status == status
    body = got.json()
    assert body.get("error_code", body.get("status", {}).get("error_code")) == code


def test_a_request_without_a_name_is_refused(up: FakeUpstream) -> None:
    got = Got(up, MARKETS, **{"User-Agent": " "})
    assert (got.status, got.json()["status"]["error_code"]) == (403, 403)


def test_history_beyond_a_year_is_for_the_paid_host(up: FakeUpstream) -> None:
    for days in ("366", "max"):
        got = Got(up, CHART.format(days))
        assert (got.status, got.json()["error"]["status"]["error_code"]) == (401, 10012)
    paid = Got(up, CHART.format("730").replace("coingecko", "coingecko-pro"), x_cg_pro_api_key=PRO_KEY)
    assert len(paid.json()["prices"]) == 731
    assert Got(up, "/coingecko/api/v3/key").json()["status"]["error_code"] == 10005
    assert Got(up, "/coingecko/api/v3/coins/markets").status == 422
    assert Got(up, CHART.format(1).replace("bitcoin", "nobody")).json() == {"error": "coin not found"}


# --- clock, market, pins ---
def test_a_frozen_market_says_the_same_all_day_and_something_else_the_next(up: FakeUpstream) -> None:
    def told() -> list[object]:
        rows = Got(up, FULL).json()
        return [[{**row, "last_updated": ""} for row in rows], Got(up, HISTORY).json(),
                Got(up, "/defillama/protocols").json()]  # fmt: skip

    first = told()
    up.clock = NOON + timedelta(hours=11, minutes=59)
    assert told() == first
    up.clock = NOON + timedelta(hours=12)
    then = told()
    assert all(before != after for before, after in zip(first, then, strict=True))
    assert then[1][:-1] == first[1], "the past of total TVL stays"  # type: ignore[index]


def test_the_clock_drives_every_date(up: FakeUpstream) -> None:
    up.clock = datetime.fromisoformat("2026-12-01T06:00:00+09:00")
    up.age = 40
    got = Got(up, MARKETS)
    assert got.headers["Date"] == "Mon, 30 Nov 2026 21:00:00 GMT"
    assert got.headers["Age"] == "40"
    assert got.json()[0]["last_updated"].startswith("2026-11-30T20:59:")
    updated = Got(up, "/coingecko/api/v3/global").json()["data"]["updated_at"]
    assert updated == int(datetime(2026, 11, 30, 20, 59, 19, tzinfo=UTC).timestamp())
    with pytest.raises(ValueError, match="time zone"):
        up.clock = datetime(2026, 12, 1)  # noqa: DTZ001
    up.clock = None
    assert abs((up.market.now() - datetime.now(UTC)).total_seconds()) < 5


def test_a_moving_market_changes_with_each_request(up: FakeUpstream) -> None:
    up.moving = True
    prices = [Got(up, MARKETS + "&ids=bitcoin").json()[0]["current_price"] for _ in range(5)]
    assert all(before != after for before, after in pairwise(prices))
    assert max(prices) / min(prices) < 1.01


def test_another_seed_is_another_market_and_the_same_seed_the_same() -> None:
    def prices(seed: int) -> object:
        with FakeUpstream(clock=NOON - timedelta(days=9), seed=seed) as up:
            return [row["current_price"] for row in Got(up, MARKETS).json()]

    assert prices(1) == prices(1)
    assert prices(1) != prices(2)


def test_pins_hold(up: FakeUpstream) -> None:
    up.set_price("bitcoin", 12345.0)
    up.set_dominance(56.1)
    up.set_tvl(date(2026, 11, 20), 1.5e11)
    assert Got(up, MARKETS + "&ids=bitcoin").json()[0]["current_price"] == 12345
    assert Got(up, CHART.format(2)).json()["prices"][-1][1] == 12345.0
    assert Got(up, "/coingecko/api/v3/global").json()["data"]["market_cap_percentage"]["btc"] == 56.1
    assert Got(up, HISTORY).json()[-4] == {"date": 1795132800, "tvl": 1.5e11}
    up.set_price("bitcoin", None)
    assert Got(up, MARKETS + "&ids=bitcoin").json()[0]["current_price"] == 97000
    with pytest.raises(KeyError):
        up.set_price("nobody", 1.0)


def test_composition_changes(up: FakeUpstream) -> None:
    before = [row["id"] for row in Got(up, MARKETS + "&per_page=21").json()]
    up.drop_coin("tron")
    after = [row["id"] for row in Got(up, FULL).json()]
    assert after == [coin for coin in before if coin != "tron"]
    up.add_coin(Coin("another-bitcoin", "btc", "Another Bitcoin", 2.5, 1e12, leading=True))
    rows = Got(up, FULL).json()
    assert [(row["id"], row["symbol"]) for row in rows[:2]] == [
        ("another-bitcoin", "btc"),
        ("bitcoin", "btc"),
    ]
    up.set_lag("bitcoin", timedelta(hours=25))
    assert Got(up, FULL).json()[1]["last_updated"] == "2026-11-22T11:00:00.000Z"


# --- counting ---
def test_requests_are_counted_and_kept(up: FakeUpstream) -> None:
    Got(up, FULL, x_cg_demo_api_key=DEMO_KEY)
    Got(up, HISTORY)
    assert up.count("coingecko", "/coins/markets") == 1
    assert up.count("defillama") == 1
    assert up.count() == 2
    seen = up.requests[0]
    assert (seen.host, seen.method, seen.path) == ("coingecko", "GET", "/coins/markets")
    assert seen.query["price_change_percentage"] == "7d,30d"
    assert seen.headers["x-cg-demo-api-key"] == DEMO_KEY
    assert 0 <= time.monotonic() - seen.at < 5
    up.reset_counts()
    assert up.count() == 0


def test_settings_point_at_the_hosts(up: FakeUpstream) -> None:
    assert up.env() == {
        "COLLECTOR_COINGECKO_URL": f"http://127.0.0.1:{up.port}/coingecko/api/v3",
        "COLLECTOR_DEFILLAMA_URL": f"http://127.0.0.1:{up.port}/defillama",
        "COLLECTOR_FEAR_GREED_URL": f"http://127.0.0.1:{up.port}/alternative_me",
        **up.liquidity_env(up.url),
    }
    assert up.env(pro=True)["COLLECTOR_COINGECKO_URL"] == f"{up.url}/coingecko-pro/api/v3"


def test_fifty_clients_at_once_are_all_answered(up: FakeUpstream) -> None:
    with ThreadPoolExecutor(50) as clients:
        answers = list(clients.map(lambda _: Got(up, FNG.format(9)).status, range(200)))
    assert answers == [200] * 200
    assert up.count("alternative_me", "/fng") == 200


# --- faults ---
def test_a_fault_lasts_its_times_and_the_first_match_goes_first(up: FakeUpstream) -> None:
    up.fault("defillama", "/v2/*", Fault.status(500), times=2)
    up.fault("defillama", "*", Fault.status(503), times=1)
    assert [Got(up, HISTORY).status for _ in range(4)] == [500, 500, 503, 200]
    assert up.count("defillama", "/v2/historicalChainTvl") == 4
    up.fault("*", "*", Fault.status(502))
    assert Got(up, FNG.format(1)).status == 502
    up.clear_faults()
    assert Got(up, FNG.format(1)).status == 200
    with pytest.raises(ValueError, match="no such host"):
        up.fault("nowhere", "*", Fault.empty())


def answered(up: FakeUpstream, fault: Fault, **headers: str) -> Got:
    up.fault("alternative_me", "/fng/", fault, times=1)
    return Got(up, FNG.format(30), **headers)


def test_faults_that_answer_something_else(up: FakeUpstream) -> None:
    limited = answered(up, Fault.retry_after(["2", "soon"]))
    assert (limited.status, limited.headers.get_all("Retry-After")) == (429, ["2", "soon"])
    assert limited.json()["status"]["error_code"] == 429
    assert answered(up, Fault.body("\ufeff[]")).body == b"\xef\xbb\xbf[]"
    page = answered(up, Fault.html())
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=UTF-8")
    assert page.body.startswith(b"<!DOCTYPE html>")
    assert answered(up, Fault.empty()).body == b""
    assert answered(up, Fault.status(204)).body == b""
    assert answered(up, Fault.json([float("nan")])).body == b"[NaN]"
    away = answered(up, Fault.redirect("http://169.254.169.254/"))
    assert (away.status, away.headers["Location"]) == (302, "http://169.254.169.254/")
    assert answered(up, Fault.status(503, headers={"Retry-After": "7"})).headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("name", "status", "start"),
    [
        ("missing_parameter", 422, '{"error": "Missing'),
        ("server_error", 500, '{"status": 500, "error"'),
        ("rate_limited", 429, '{"status": {"error_code": 429'),
        ("user_agent", 403, '{"status": {"error_code": 403'),
        ("pro_only", 401, '{"status": {"error_code": 10005'),
        ("range", 401, '{"error": {"status": {"timestamp"'),
        ("demo_key_on_pro", 400, '{"timestamp"'),
        ("throttled", 429, "Throttled"),
    ],
)
def test_the_error_envelopes_are_not_uniform(up: FakeUpstream, name: str, status: int, start: str) -> None:
    got = answered(up, Fault.coingecko(name))
    assert got.status == status
    assert got.body.decode().startswith(start)


def test_faults_that_bend_the_payload(up: FakeUpstream) -> None:
    assert answered(up, Fault.mutate(lambda payload: payload["data"][:2])).json()[1].keys() == {
        "value", "value_classification", "timestamp"}  # fmt: skip
    assert answered(up, Fault.edit("data.*.value", float("inf"))).body.count(b"Infinity") == 30
    assert "value" not in answered(up, Fault.remove("data.3.value")).json()["data"][3]
    assert "worth" in answered(up, Fault.rename("data.0.value", "worth")).json()["data"][0]
    assert answered(up, Fault.rewrite(lambda body: b"\xef\xbb\xbf" + body)).body[:4] == b"\xef\xbb\xbf{"


def test_faults_that_cut_the_body(up: FakeUpstream) -> None:
    with pytest.raises(IncompleteRead):
        answered(up, Fault.truncate(40))
    with pytest.raises(IncompleteRead):
        answered(up, Fault.chunked_cut(40))
    half = answered(up, Fault.gzip_truncated())
    assert int(half.headers["Content-Length"]) == len(half.body)
    with pytest.raises(EOFError):
        gzip.decompress(half.body)


def test_faults_of_the_connection(up: FakeUpstream) -> None:
    with pytest.raises(ConnectionResetError):
        answered(up, Fault.reset())
    with pytest.raises(ConnectionResetError):
        answered(up, Fault.reset(after=40))
    started = time.monotonic()
    with pytest.raises(RemoteDisconnected):
        answered(up, Fault.hang(0.2))
    assert 0.2 <= time.monotonic() - started < 2


def test_faults_that_take_time(up: FakeUpstream) -> None:
    plain = Got(up, FNG.format(30)).body
    started = time.monotonic()
    assert answered(up, Fault.delay(0.2)).body == plain
    assert time.monotonic() - started >= 0.2
    started = time.monotonic()
    assert answered(up, Fault.drip(0.01, size=200)).body == plain
    assert time.monotonic() - started >= 0.1
    assert answered(up, Fault.drip(0)).body == plain
    up.fault("alternative_me", "*", Fault.drip(0.3, headers=True))
    with pytest.raises(TimeoutError):
        Got(up, FNG.format(1), timeout_s=0.2)


def test_bombs_are_small_on_the_wire_and_large_inside(up: FakeUpstream) -> None:
    got = answered(up, Fault.gzip_bomb(64))
    assert len(got.body) < 200_000
    assert len(gzip.decompress(got.body)) == 64 << 20
    nested = answered(up, Fault.gzip_bomb(4, layers=3))
    assert nested.headers["Content-Encoding"] == "gzip, gzip, gzip"
    once = zlib.decompress(nested.body, 31)
    assert len(zlib.decompress(zlib.decompress(once, 31), 31)) == 4 << 20
    assert len(answered(up, Fault.flood(3)).body) == 3 << 20


def test_a_server_that_is_down_refuses_and_comes_back_on_its_port(up: FakeUpstream) -> None:
    kept = HTTPConnection("127.0.0.1", up.port, timeout=5)
    kept.request("GET", FNG.format(1))
    kept.getresponse().read()
    port = up.port
    up.down()
    kept.auto_open = 0
    with pytest.raises((ConnectionError, OSError)):
        kept.request("GET", FNG.format(1))
        kept.getresponse()
    kept.close()
    with pytest.raises(ConnectionRefusedError):
        Got(up, FNG.format(1))
    up.up()
    assert up.port == port
    assert Got(up, FNG.format(1)).status == 200


def test_gzip_is_used_where_it_is_accepted() -> None:
    with FakeUpstream(clock=NOON, gzip=True) as up:
        plain = Got(up, HISTORY)
        packed = Got(up, HISTORY, accept_encoding="gzip, deflate")
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body


# --- the control route and the command line ---
def control(up: FakeUpstream, **order: object) -> Got:
    return Got(up, "/control", "POST", json.dumps(order))


def test_the_control_route_scripts_it(up: FakeUpstream) -> None:
    fault = {"host": "defillama", "route": "/protocols", "name": "status", "args": [503], "times": 1}
    assert control(up, fault=fault, clock="2026-11-25T06:00:00+09:00").status == 200
    assert up.clock == datetime(2026, 11, 24, 21, tzinfo=UTC)
    assert [Got(up, "/defillama/protocols").status for _ in range(2)] == [503, 200]
    control(up, price={"bitcoin": 1.5}, tvl={"2026-11-24": 7.0}, fear_greed={"2026-11-24": 9}, drop=["tron"])
    assert Got(up, MARKETS + "&ids=bitcoin,tron").json()[0]["current_price"] == 1.5
    assert Got(up, HISTORY).json()[-1]["tvl"] == 7.0
    assert Got(up, FNG.format(1)).json()["data"][0]["value"] == "9"
    control(up, down=["coingecko"])
    with pytest.raises(ConnectionResetError):
        Got(up, MARKETS)
    assert control(up, clear=True, clock=None, moving=True).json()["moving"] is True
    assert Got(up, MARKETS).status == 200
    assert up.clock is None
    seen = Got(up, "/control/requests").json()
    assert [request["path"] for request in seen[:2]] == ["/protocols", "/protocols"]
    assert len(seen) == up.count() == 7


def test_the_control_route_says_what_it_did_not_understand(up: FakeUpstream) -> None:
    assert "unknown: falt" in control(up, falt=1).json()["error"]
    assert "no such fault: mutate" in control(up, fault={"name": "mutate"}).json()["error"]
    assert control(up, clock="2026-11-25T06:00:00").status == 400
    assert Got(up, "/control", "POST", "{").status == 400
    assert Got(up, "/control/other").status == 404


def test_the_command_line_prints_the_settings_and_serves_until_it_is_told_to_stop() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.upstream", "--port", str(port), "--full-size", "--down", "defillama",
         "--clock", "2026-11-23T06:00:00+09:00"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        lines = [child.stdout.readline().rstrip("\n") for _ in range(21)]
        took_s = time.monotonic() - started
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", FNG.format(1))
        newest = json.loads(connection.getresponse().read())["data"][0]
        connection.close()
        child.send_signal(signal.SIGINT if sys.platform != "win32" else signal.SIGTERM)
        assert child.wait(5) == 0 or sys.platform == "win32"
    assert f"export COLLECTOR_DEFILLAMA_URL=http://127.0.0.1:{port}/defillama" in lines
    assert f"$env:COLLECTOR_DEFILLAMA_URL = 'http://127.0.0.1:{port}/defillama'" in lines
    assert newest["timestamp"] == str(int(datetime(2026, 11, 22, tzinfo=UTC).timestamp()))
    assert took_s < 4, "promised: 2 s on an idle machine"


def test_it_imports_nothing_of_the_program() -> None:
    names = set()
    for path in (ROOT / "tests" / "upstream").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add((node.module or "").split(".")[0])
    assert names <= set(sys.stdlib_module_names)
