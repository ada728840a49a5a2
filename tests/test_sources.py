"""What each source asks, of whom and with which credentials, and how yesterday's closes come in."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import collect
from collectors import pipeline, plans, run, under_way
from collectors.http import Http, Tally
from collectors.model import Answer, Plan, Refused, Request, Source
from collectors.sources import coingecko, defillama, fear_greed
from storage import clock, db, ledger
from storage.settings import Settings, load
from tests.sample import AT, DAY, asking, body, market, snapshot
from tests.upstream import DEMO_KEY, PRO_KEY, FakeUpstream, Fault, Seen

KEYLESS, DEMO, PRO = coingecko.UPSTREAM.plans
PUBLIC, PAID = "https://api.coingecko.com/api/v3", "https://pro-api.coingecko.com/api/v3"
NAMED = {"demo": "x-cg-demo-api-key", "pro": "x-cg-pro-api-key"}


# ---------------------------------------------------------------- pure: ask → requests


def test_the_market_is_one_request_for_twenty_coins_and_all_their_changes() -> None:
    (request,) = coingecko.MARKETS.requests(asking(KEYLESS))
    assert request == Request(
        "https://up.example/coins/markets",
        {
            "vs_currency": "usd",
            "order": "market_cap_desc",
            "per_page": "20",
            "page": "1",
            "sparkline": "true",
            "price_change_percentage": "7d,30d",
        },
    )


def test_the_other_requests_have_their_documented_addresses() -> None:
    ask = asking()
    asked = [coingecko.GLOBAL, defillama.TOTAL_TVL, defillama.PROTOCOLS]
    assert [source.requests(ask) for source in asked] == [
        [Request("https://up.example/global", {})],
        [Request("https://up.example/v2/historicalChainTvl", {})],
        [Request("https://up.example/protocols", {})],
    ]


@pytest.mark.parametrize(
    ("since", "limit"),
    [
        (None, "0"),
        (DAY, "8"),
        (DAY - timedelta(days=1), "9"),
        (DAY - timedelta(days=100), "108"),
        # A stored day of the future (a clock that was wrong) asks for less, never for nothing or for all.
        (DAY + timedelta(days=3), "5"),
        (DAY + timedelta(days=400), "1"),
    ],
)
def test_fear_and_greed_asks_for_the_days_since_and_the_week_before(since: date | None, limit: str) -> None:
    (request,) = fear_greed.FEAR_GREED.requests(asking(since=since))
    assert request == Request("https://up.example/fng/", {"limit": limit, "format": "json"})


@pytest.mark.parametrize("plan", [DEMO, PRO], ids=lambda plan: plan.name)
def test_a_key_goes_into_the_header_of_its_plan_by_name_alone(plan: Plan) -> None:
    ask = asking(plan, unsealed=[{"coin": "bitcoin", "date": DAY - timedelta(days=1)}])
    for source in (coingecko.MARKETS, coingecko.GLOBAL, coingecko.CLOSES):
        (request,) = source.requests(ask)
        assert request.secrets == {NAMED[plan.name]: "COINGECKO_API_KEY"}
        assert "api_key" not in f"{request.url} {request.params}"


def test_closes_are_asked_for_yesterdays_open_rows_only() -> None:
    days = {"bitcoin": 1, "ethereum": 1, "tether": 2, "solana": 0}
    rows = [{"coin": name, "date": DAY - timedelta(days=back)} for name, back in days.items()]
    requests = coingecko.CLOSES.requests(asking(DEMO, unsealed=rows))
    assert [(request.url, dict(request.params), request.item) for request in requests] == [
        (f"https://up.example/coins/{name}/market_chart", {"vs_currency": "usd", "days": "2"}, name)
        for name in ("bitcoin", "ethereum")
    ]


def test_an_id_with_the_signs_of_an_address_stays_one_part_of_the_path() -> None:
    rows = [{"coin": "../global?x=1#y", "date": DAY - timedelta(days=1)}]
    (request,) = coingecko.CLOSES.requests(asking(DEMO, unsealed=rows))
    assert request.url == "https://up.example/coins/..%2Fglobal%3Fx%3D1%23y/market_chart"


def test_the_limits_of_each_plan_are_the_documented_ones() -> None:
    assert [(plan.name, plan.base, plan.pace_s, plan.per_minute) for plan in coingecko.UPSTREAM.plans] == [
        ("keyless", None, 2.0, 5),
        ("demo", None, 2.0, 30),
        ("pro", PAID, 2.0, 30),
    ]


# ---------------------------------------------------------------- plans


def settings_of(monkeypatch: pytest.MonkeyPatch, **env: str) -> Settings:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return load()


@pytest.mark.parametrize(
    ("env", "name", "base"),
    [
        ({}, "keyless", PUBLIC),
        ({"COINGECKO_PLAN": "pro"}, "keyless", PUBLIC),
        ({"COINGECKO_API_KEY": "   "}, "keyless", PUBLIC),
        ({"COINGECKO_API_KEY": "CG-x"}, "demo", PUBLIC),
        ({"COINGECKO_API_KEY": "CG-x", "COINGECKO_PLAN": "demo"}, "demo", PUBLIC),
        ({"COINGECKO_API_KEY": "CG-x", "COINGECKO_PLAN": "pro"}, "pro", PAID),
        (
            {
                "COINGECKO_API_KEY": "CG-x",
                "COINGECKO_PLAN": "pro",
                "COLLECTOR_COINGECKO_URL": "http://a.example/b/",
            },
            "pro",
            "http://a.example/b",
        ),
        # Set by hand, even to what it would be anyway.
        (
            {"COINGECKO_API_KEY": "CG-x", "COINGECKO_PLAN": "pro", "COLLECTOR_COINGECKO_URL": PUBLIC},
            "pro",
            PUBLIC,
        ),
    ],
)
def test_the_settings_say_plan_and_host(
    home: Path, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], name: str, base: str
) -> None:
    settings = settings_of(monkeypatch, **env)
    plan = plans.choose(settings, coingecko.UPSTREAM)
    assert (plan.name, plans.base(settings, coingecko.UPSTREAM, plan)) == (name, base)


@dataclass
class Scripted:
    """Stands where Http stands: answers by host, refuses a pro key on the public one."""

    bodies: dict[str, bytes]
    asked: list[tuple[str, str]] = field(default_factory=list)
    wrong: tuple[str, str] = (PUBLIC, "10010")
    gone: frozenset[str] = frozenset()

    def get(self, request: Request, plan: Plan, *, until: float, tally: Tally) -> Answer:
        tally.sent += 1
        self.asked.append((request.url, plan.name))
        if request.url.startswith(self.wrong[0] + "/"):
            raise Refused("http_400", "The other host", detail=self.wrong[1])
        return Answer(self.bodies[request.url.rsplit("/", 1)[1]], AT, request)


def fetch(settings: Settings, http: Scripted, source: Source) -> under_way.Fetched:
    step = ledger.StepRecord("r", 1, source.name, "crypto", source.name, source.table.name)
    shared = under_way.Run(settings, "r", http, lambda step: None)  # type: ignore[arg-type]
    return run._fetch(shared, source, step, float("inf"))


def script(**named: Any) -> Scripted:
    return Scripted({"markets": body(market()), "global": body(snapshot())}, **named)


def test_auto_moves_to_the_pro_host_on_10010_and_starts_there_next_time(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(monkeypatch, COINGECKO_API_KEY="CG-pro")
    http = script()
    assert fetch(settings, http, coingecko.MARKETS).error is None
    assert http.asked == [(f"{PUBLIC}/coins/markets", "demo"), (f"{PAID}/coins/markets", "pro")]
    later = script()
    fetched = fetch(load(), later, coingecko.GLOBAL)
    assert (fetched.error, fetched.step.requests) == (None, 1)
    assert later.asked == [(f"{PAID}/global", "pro")]


def test_what_was_learnt_of_one_key_says_nothing_of_another(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(settings_of(monkeypatch, COINGECKO_API_KEY="CG-pro"), script(), coingecko.GLOBAL)
    http = script(wrong=("https://nowhere", ""))
    fetch(settings_of(monkeypatch, COINGECKO_API_KEY="CG-other"), http, coingecko.GLOBAL)
    assert http.asked == [(f"{PUBLIC}/global", "demo")]


def test_a_remembered_pro_key_that_was_downgraded_moves_back(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(monkeypatch, COINGECKO_API_KEY="CG-pro")
    fetch(settings, script(), coingecko.GLOBAL)
    http = script(wrong=(PAID, "10011"))
    assert fetch(settings, http, coingecko.GLOBAL).error is None
    assert [plan for _url, plan in http.asked] == ["pro", "demo"]


@pytest.mark.parametrize("detail", ["10002", "10005", "10012", ""])
def test_another_refusal_changes_no_plan(home: Path, monkeypatch: pytest.MonkeyPatch, detail: str) -> None:
    http = script(wrong=(PUBLIC, detail))
    fetched = fetch(settings_of(monkeypatch, COINGECKO_API_KEY="CG-x"), http, coingecko.GLOBAL)
    assert isinstance(fetched.error, Refused)
    assert http.asked == [(f"{PUBLIC}/global", "demo")]


def test_a_plan_that_was_chosen_by_hand_is_not_second_guessed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(monkeypatch, COINGECKO_API_KEY="CG-x", COINGECKO_PLAN="demo")
    http = script()
    assert isinstance(fetch(settings, http, coingecko.GLOBAL).error, Refused)
    assert len(http.asked) == 1


def test_a_host_that_refuses_both_plans_is_asked_twice_and_no_more(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(
        monkeypatch, COINGECKO_API_KEY="CG-x", COLLECTOR_COINGECKO_URL="https://mirror.example"
    )
    http = script(wrong=("https://mirror.example", "10010"))
    assert isinstance(fetch(settings, http, coingecko.GLOBAL).error, Refused)
    assert [plan for _url, plan in http.asked] == ["demo", "pro"]


# ---------------------------------------------------------------- over the wire


@pytest.fixture
def up(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeUpstream]:
    """The fake, the settings that point at it, no pauses."""
    with FakeUpstream() as fake:
        for name, value in (fake.env() | {"COLLECTOR_PACE_S": "0"}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(pipeline, "Http", partial(Http, random=lambda: 0.0))
        yield fake


def gecko(up: FakeUpstream) -> list[Seen]:
    return [seen for seen in up.requests if seen.host.startswith("coingecko")]


def test_a_keyless_run_makes_six_requests_two_of_them_to_coingecko(up: FakeUpstream) -> None:
    assert collect.main(["crypto"]) == 0
    assert sorted((seen.host, seen.path) for seen in up.requests) == [
        ("alternative_me", "/fng/"),
        ("coingecko", "/coins/markets"),
        ("coingecko", "/global"),
        ("defillama", "/protocols"),
        # For a comparison alone.
        ("defillama", "/v2/chains"),
        ("defillama", "/v2/historicalChainTvl"),
    ]
    for seen in up.requests:
        assert seen.headers["user-agent"].startswith("DailyDataCollector/")
        assert not [name for name in seen.headers if "api-key" in name or name in ("cookie", "authorization")]


@pytest.mark.parametrize(
    ("key", "plan", "pro", "header"),
    [(DEMO_KEY, "auto", False, NAMED["demo"]), (PRO_KEY, "pro", True, NAMED["pro"])],
    ids=["demo", "pro"],
)
def test_a_key_is_sent_to_coingecko_alone(
    up: FakeUpstream, monkeypatch: pytest.MonkeyPatch, key: str, plan: str, pro: bool, header: str
) -> None:
    for name, value in (up.env(pro) | {"COINGECKO_API_KEY": key, "COINGECKO_PLAN": plan}).items():
        monkeypatch.setenv(name, value)
    assert collect.main(["crypto"]) == 0
    assert [seen.headers.get(header) for seen in gecko(up)] == [key, key]
    others = [seen for seen in up.requests if not seen.host.startswith("coingecko")]
    assert len(others) == 4
    assert key not in str([seen.headers for seen in others]) + str([seen.query for seen in up.requests])


class Rewritten(Http):
    """An Http that finds the two real hosts of CoinGecko on the fake."""

    where: dict[str, str] = {}  # noqa: RUF012

    def get(self, request: Request, plan: Plan, **named: Any) -> Answer:
        for real, fake in self.where.items():
            if request.url.startswith(real + "/"):
                request = replace(request, url=fake + request.url[len(real) :])
        return super().get(request, plan, **named)


def test_auto_finds_the_pro_host_and_the_next_run_asks_there_first(
    up: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = {PUBLIC: up.env()["COLLECTOR_COINGECKO_URL"], PAID: up.env(pro=True)["COLLECTOR_COINGECKO_URL"]}
    monkeypatch.setattr(Rewritten, "where", where)
    monkeypatch.setattr(pipeline, "Http", Rewritten)
    monkeypatch.delenv("COLLECTOR_COINGECKO_URL")
    monkeypatch.setenv("COINGECKO_API_KEY", PRO_KEY)
    assert collect.main(["crypto"]) == 0
    assert [seen.host for seen in gecko(up)] == ["coingecko", "coingecko-pro", "coingecko-pro"]
    up.reset_counts()
    assert collect.main(["crypto"]) == 0
    assert [(seen.host, seen.path) for seen in gecko(up)] == [
        ("coingecko-pro", "/coins/markets"),
        ("coingecko-pro", "/global"),
    ]


# ---------------------------------------------------------------- yesterday's closes

EVENING = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
Turn = Callable[[datetime], None]


@pytest.fixture
def turn(up: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> Turn:
    """Sets every clock: ours and the upstream's."""

    def to(instant: datetime) -> None:
        up.clock = instant
        monkeypatch.setattr(clock, "now", lambda: instant)

    return to


def stored(query: str, *values: object) -> list[dict[str, Any]]:
    from storage import read

    with db.reader(load()) as connection:
        return read.rows(connection, query, values)


def prices(day: str) -> dict[str, dict[str, Any]]:
    return {row["coin"]: row for row in stored("SELECT * FROM crypto_price WHERE date = ?", day)}


def step(name: str) -> ledger.StepRecord:
    return ledger.last_steps(load(), "crypto")[name]


def two_days(up: FakeUpstream, turn: Turn, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    monkeypatch.setenv("COINGECKO_API_KEY", DEMO_KEY)
    up.moving = True
    # One of the twenty is quoted hours late: its newest row would be yesterday's.
    up.set_lag("figure-heloc", timedelta(seconds=5))
    turn(EVENING)
    first = collect.main(["crypto"])
    up.reset_counts()
    turn(MORNING)
    return first, collect.main(["crypto"])


def last_point(up: FakeUpstream, coin: str, day: date) -> float:
    """The price of the last point of `day` in the fake's chart, worked out from its own market."""
    market = up.market
    known = market.coin(coin)
    assert known is not None
    reply = up.reply(Seen("coingecko", "GET", f"/coins/{coin}/market_chart",
                          {"vs_currency": "usd", "days": "2"}, {"user-agent": "test"}, 0.0))  # fmt: skip
    points = json.loads(reply.body)["prices"]
    return float(max(p for p in points if datetime.fromtimestamp(p[0] / 1000, UTC).date() == day)[1])


def test_with_a_key_yesterdays_rows_end_with_the_last_price_before_midnight(
    up: FakeUpstream, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert two_days(up, turn, monkeypatch) == (0, 0)
    asked = [seen for seen in gecko(up) if seen.path.endswith("/market_chart")]
    assert len(asked) == 20
    assert all(seen.query == {"vs_currency": "usd", "days": "2"} for seen in asked)
    yesterday, today = prices("2026-11-22"), prices("2026-11-23")
    assert {row["provisional"] for row in yesterday.values()} == {False}
    assert {row["provisional"] for row in today.values()} == {True}
    assert {row["source"] for row in yesterday.values()} == {"coingecko.closes"}
    for coin in ("bitcoin", "ethereum"):
        assert yesterday[coin]["price"] == last_point(up, coin, date(2026, 11, 22))
    assert step("coingecko.closes").counts.updated == 20


def test_a_coin_that_is_gone_is_quarantined_and_the_rest_closed(
    up: FakeUpstream, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    up.fault("coingecko", "/coins/ethereum/market_chart", Fault.status(404, '{"error":"coin not found"}'))
    assert two_days(up, turn, monkeypatch) == (0, 0)
    done = step("coingecko.closes")
    assert (done.state, done.counts.updated, done.counts.rejected) == ("ok", 19, 1)
    kept = (load().home / "quarantine" / f"{done.run_id}.{done.step}.json").read_text()
    assert "ethereum" in kept
    assert "http_404" in kept
    assert prices("2026-11-22")["ethereum"]["source"] == "coingecko.markets"
    # Seen live and never closed: it has another day for that, then it is sealed as it was.
    assert prices("2026-11-22")["ethereum"]["provisional"] is True
    turn(MORNING + timedelta(days=1))
    assert collect.main(["crypto"]) == 0
    assert prices("2026-11-22")["ethereum"]["provisional"] is False


def test_closes_that_fail_cost_neither_todays_prices_nor_yesterdays_rows(
    up: FakeUpstream, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    up.fault("coingecko", "/coins/*/market_chart", Fault.html())
    assert two_days(up, turn, monkeypatch) == (0, 1)
    done = step("coingecko.closes")
    assert (done.state, done.kind, done.code) == ("failed", "changed", "html")
    assert (len(prices("2026-11-22")), len(prices("2026-11-23"))) == (20, 20)


def test_one_coin_that_is_busy_costs_no_other_its_close_and_is_asked_again(
    up: FakeUpstream, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    up.fault("coingecko", "/coins/ethereum/market_chart", Fault.status(503))
    assert two_days(up, turn, monkeypatch) == (0, 0)
    done = step("coingecko.closes")
    assert (done.state, done.counts.updated, done.counts.rejected) == ("ok", 19, 1)
    assert [coin for coin, row in prices("2026-11-22").items() if row["provisional"]] == ["ethereum"]
    up.clear_faults()
    up.reset_counts()
    turn(MORNING + timedelta(hours=1))
    assert collect.main(["crypto"]) == 0
    assert up.count("coingecko", "/coins/*/market_chart") == 1
    closed = prices("2026-11-22")["ethereum"]
    assert (closed["source"], closed["provisional"]) == ("coingecko.closes", False)


def test_a_cap_that_the_chart_does_not_know_leaves_the_one_that_was_seen(
    up: FakeUpstream, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(chart: dict[str, Any]) -> dict[str, Any]:
        return {**chart, "market_caps": [[when, 0.0] for when, _cap in chart["market_caps"]]}

    up.fault("coingecko", "/coins/ethereum/market_chart", Fault.mutate(forget))
    assert two_days(up, turn, monkeypatch) == (0, 0)
    closed = prices("2026-11-22")["ethereum"]
    assert closed["source"] == "coingecko.closes" and closed["market_cap"] > 1e9


def test_when_the_first_coins_are_all_unknown_the_rest_is_not_asked(
    up: FakeUpstream, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    up.fault("coingecko", "/coins/*/market_chart", Fault.status(404, '{"error":"coin not found"}'))
    assert two_days(up, turn, monkeypatch) == (0, 1)
    done = step("coingecko.closes")
    assert (done.state, done.code, done.requests) == ("failed", "http_404", 3)
    assert {row["provisional"] for row in prices("2026-11-22").values()} == {True}


def test_when_most_coins_are_unknown_the_answer_is_not_believed(
    up: FakeUpstream, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    up.fault("coingecko", "/coins/bitcoin/market_chart", Fault.mutate(lambda chart: chart))
    up.fault("coingecko", "/coins/*/market_chart", Fault.status(404, '{"error":"coin not found"}'))
    assert two_days(up, turn, monkeypatch) == (0, 1)
    done = step("coingecko.closes")
    assert (done.state, done.kind, done.code) == ("failed", "changed", "suspect")


def test_a_close_stays_when_the_market_still_dates_a_coin_by_the_day_before(
    up: FakeUpstream, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COINGECKO_API_KEY", DEMO_KEY)
    up.moving = True
    seen = []
    # Quoted six hours late, as this one is.
    for at in (EVENING, *(MORNING.replace(hour=hour, minute=2) for hour in (0, 2, 5, 8))):
        turn(at)
        assert collect.main(["crypto"]) == 0
        seen.append(prices("2026-11-22")["figure-heloc"])
    assert [row["source"] for row in seen] == ["coingecko.markets"] + ["coingecko.closes"] * 4
    assert len({row["price"] for row in seen[1:]}) == 1
    with db.reader(load()) as connection:
        found = connection.execute("SELECT count(*) FROM revision WHERE NOT was_provisional").fetchone()
    assert found == (0,)


def test_a_third_run_of_the_day_asks_for_no_close_again(
    up: FakeUpstream, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_days(up, turn, monkeypatch)
    up.reset_counts()
    turn(MORNING + timedelta(hours=1))
    assert collect.main(["crypto"]) == 0
    assert [seen.path for seen in gecko(up)] == ["/coins/markets", "/global"]
    assert (step("coingecko.closes").state, step("coingecko.closes").reason) == ("skipped", "not_due")


def test_the_second_run_asks_fear_and_greed_for_eight_rows(up: FakeUpstream) -> None:
    collect.main(["crypto"])
    collect.main(["crypto"])
    asked = [seen.query["limit"] for seen in up.requests if seen.host == "alternative_me"]
    assert asked == ["0", "8"]
