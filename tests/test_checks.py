"""The checks: each fires on a planted fault through a real run, is kept and told, and is quiet over a year of
the demo market (over the captures: tests/test_captures.py)."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import collect
from collectors import outcome, pipeline
from collectors.checks import judge as checks
from collectors.checks.kinds import Facts, Measured, result_of
from collectors.http import Http
from collectors.model import Ask, Batch, Plan, Source
from collectors.registry import SOURCES
from collectors.sources import demo, fear_greed
from storage import check_results, clock, db, ledger, upkeep
from storage.read import Known, Seen
from storage.settings import ROOT, load
from tests import child
from tests.check_lines import table
from tests.child import log_text, store_open_elsewhere
from tests.sample import AT, DAY, WHOLE, parsed
from tests.upstream import FakeUpstream, Fault
from tests.upstream.liquidity import FRED_KEY

MARKETS, GLOBAL, TVL = "coingecko.markets", "coingecko.global", "defillama.total_tvl"
MOOD, BITCOIN, SOFR = "alternative_me.fear_greed", "yahoo.BTC-USD", "fred.SOFR"
# The exit code of a run of which nothing came.
FAILED = outcome.EXIT["failed"]
DOLLARS = ("tether", "usd-coin", "dai", "usds", "ethena-usde")


@pytest.fixture
def up(home: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeUpstream]:
    """A market that stands still, the settings that point at it, no pauses."""
    with FakeUpstream(clock=child.lately()) as fake:
        more = {"COLLECTOR_PACE_S": "0", "FRED_API_KEY": FRED_KEY, "COLLECTOR_LANG": "en"}
        for name, value in (fake.env() | more).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(pipeline, "Http", partial(Http, random=lambda: 0.0))
        yield fake


def run(*sources: str, pipeline: str = "crypto") -> int:
    """A run of these sources alone."""
    return collect.main([pipeline, *(word for name in sources for word in ("--source", name))])


def rows(query: str, *values: object) -> list[tuple[Any, ...]]:
    with db.reader(load(), wait_s=10) as connection:
        return connection.execute(query, list(values)).fetchall()


def newest(step: str) -> dict[tuple[str, str], str]:
    """State by (check, subject) in the newest run of a step."""
    found = rows(
        "SELECT name, subject, state FROM check_result WHERE step = ? AND run_id ="
        " (SELECT arg_max(run_id, rowid) FROM check_result WHERE step = ?)",
        step,
        step,
    )
    return {(name, subject): state for name, subject, state in found}


def last_step(name: str) -> ledger.StepRecord:
    """Of the newest run: two may have begun within one second, whose ids do not tell which came last."""
    (last,) = ledger.runs(load(), 1)
    (step,) = [one for one in ledger.steps(load(), last.run_id) if one.step == name]
    return step


def bad(step: str) -> dict[tuple[str, str], str]:
    """What of it did not pass."""
    return {key: state for key, state in newest(step).items() if state != "pass"}


def set_aside() -> set[tuple[str, str]]:
    """(step, reason) of every row in quarantine."""
    return {
        (file.name.partition(".")[2].removesuffix(".json"), entry["reason"])
        for file in (load().home / "quarantine").glob("*.json")
        if not file.name.endswith("reason.json")
        for entry in json.loads(file.read_text(encoding="utf-8"))["rows"]
    }


def stored(series: str) -> dict[date, float]:
    return dict(rows("SELECT date, value FROM observation WHERE series = ?", series))


# ---------------------------------------------------------------- a planted fault


def test_a_run_without_a_fault_passes_every_check(up: FakeUpstream) -> None:
    assert run(BITCOIN, pipeline="liquidity") == run() == 0
    assert rows("SELECT * FROM check_result WHERE state <> 'pass'") == []
    asked = rows("SELECT step, name FROM check_result")
    wanted = {(MARKETS, "dollar"), (MARKETS, "peer"), (TVL, "chains"), (GLOBAL, "caps"), (MOOD, "label")}
    assert wanted < set(asked) and len(asked) == len(set(asked))


def test_prices_in_another_currency_are_refused_and_the_reason_is_kept(up: FakeUpstream) -> None:
    up.fault("coingecko", "/coins/markets", Fault.edit("*.current_price", 0.862))
    assert run(MARKETS) == FAILED
    assert bad(MARKETS) == {("dollar", "price"): "fail"}
    assert rows("SELECT value, low, high FROM check_result WHERE name = 'dollar'") == [(0.862, 0.97, 1.03)]
    assert rows("SELECT count(*) FROM crypto_price") == [(0,)]
    step = last_step(MARKETS)
    assert (step.state, step.kind, step.code) == ("failed", "changed", "suspect")
    assert "0.862: these prices are not in USD" in step.said()


def test_a_peg_that_is_a_little_off_is_told_and_stored(
    up: FakeUpstream, capsys: pytest.CaptureFixture[str]
) -> None:
    for coin in DOLLARS:
        up.set_price(coin, 1.02)
    assert run(MARKETS) == 0
    assert bad(MARKETS) == {("dollar", "price"): "warn"}
    assert rows("SELECT price FROM crypto_price WHERE coin = 'tether'") == [(1.02,)]
    said = "The nearest of the dollar coins is quoted at 1.020 USD."
    assert f"check: coingecko.markets, dollar: {said}" in capsys.readouterr().out
    assert f"[WARN] coingecko.markets check dollar: {said}" in log_text()


@pytest.mark.parametrize(("factor", "state"), [(1.05, "warn"), (1.3, "fail"), (0.8, "fail")])
def test_bitcoin_is_held_against_yahoo(up: FakeUpstream, factor: float, state: str) -> None:
    coin = up.market.coin("bitcoin")
    assert coin is not None
    up.set_bitcoin(up.market.today(), up.market.spot(coin) * factor)
    assert run(BITCOIN, pipeline="liquidity") == run(MARKETS) == 0
    assert bad(MARKETS) == {("peer", "bitcoin"): state}
    assert rows("SELECT count(*) FROM crypto_price WHERE coin = 'bitcoin'") == [(int(state == "warn"),)]
    assert rows("SELECT count(*) FROM crypto_price") == [(20 if state == "warn" else 19,)]
    assert ((MARKETS, "peer") in set_aside()) == (state == "fail")


def test_what_yahoo_said_hours_ago_says_nothing_of_bitcoin_now(up: FakeUpstream) -> None:
    up.set_bitcoin(up.market.today(), 1.0e6)
    assert run(BITCOIN, pipeline="liquidity") == 0
    rows_before = rows("SELECT count(*) FROM observation WHERE series = 'yahoo.BTC-USD'")
    assert rows_before[0][0] > 4000
    with db.writer(load()) as connection:
        connection.execute("UPDATE observation SET observed_at = observed_at - INTERVAL 2 HOUR")
    assert run(MARKETS) == 0
    assert ("peer", "bitcoin") not in newest(MARKETS) and bad(MARKETS) == {}


@pytest.mark.parametrize(("factor", "state"), [(1.1, "warn"), (2.0, "fail")])
def test_the_total_is_held_against_the_sum_of_its_chains(up: FakeUpstream, factor: float, state: str) -> None:
    today = up.market.today()

    def more(chains: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**chain, "tvl": chain["tvl"] * factor} for chain in chains]

    up.fault("defillama", "/v2/chains", Fault.mutate(more))
    assert run(TVL) == 0
    assert bad(TVL) == {("chains", TVL): state}
    days = stored(TVL)
    assert (today in days) == (state == "warn") and today - timedelta(days=1) in days


@pytest.mark.parametrize("fault", [Fault.status(503), Fault.html(), Fault.json({"no": 1}), Fault.reset()])
def test_chains_that_cannot_be_had_cost_the_comparison_alone(up: FakeUpstream, fault: Fault) -> None:
    up.fault("defillama", "/v2/chains", fault)
    assert run(TVL, "defillama.protocols") == 0
    assert up.count("defillama", "/v2/chains") == 1
    assert ("chains", TVL) not in newest(TVL) and bad(TVL) == {}
    assert newest("defillama.protocols")


@pytest.mark.parametrize(("share", "state"), [(1.07, "warn"), (1.4, "fail")])
def test_dominance_is_held_against_the_caps(up: FakeUpstream, share: float, state: str) -> None:
    told = up.market.dominance() * share
    up.fault("coingecko", "/global", Fault.edit("data.market_cap_percentage.btc", told))
    run(MARKETS, GLOBAL)
    # Its one row is the whole batch.
    assert last_step(GLOBAL).state == ("ok" if state == "warn" else "failed")
    assert bad(GLOBAL)["caps", "coingecko.btc_dominance"] == state
    assert len(stored("coingecko.btc_dominance")) == int(state == "warn")


@pytest.mark.parametrize(("label", "state"), [("Fear", "warn"), ("Extreme Greed", "fail"), ("Bliss", "warn")])
def test_a_label_that_is_not_of_its_value(up: FakeUpstream, label: str, state: str) -> None:
    today = up.market.today()
    up.set_fear_greed(today, 47)
    up.fault("alternative_me", "/fng/", Fault.edit("data.0.value_classification", label))
    assert run(MOOD) == 0
    assert bad(MOOD) == {("label", "alternative_me.fear_greed_index"): state}
    assert (today in stored("alternative_me.fear_greed_index")) == (state == "warn")


def test_a_value_beyond_its_range_is_told_as_one(up: FakeUpstream) -> None:
    up.fault("alternative_me", "/fng/", Fault.edit("data.0.value", "101"))
    up.fault("defillama", "/v2/historicalChainTvl", Fault.edit("7.tvl", -5))
    assert run(MOOD, TVL) == 0
    assert bad(MOOD) == {("range", "alternative_me.fear_greed_index"): "fail"}
    assert bad(TVL) == {("range", TVL): "fail"}
    assert newest(TVL)["refused", "observation"] == "pass"
    assert {(MOOD, "implausible"), (TVL, "implausible")} <= set_aside()


@pytest.mark.parametrize(("factor", "state"), [(6, "warn"), (30, "fail"), (1 / 30, "fail")])
def test_a_price_that_jumped(up: FakeUpstream, factor: float, state: str) -> None:
    assert run(MARKETS) == 0
    solana = up.market.coin("solana")
    assert solana is not None
    up.set_price("solana", up.market.spot(solana) * factor)
    assert run(MARKETS) == 0
    assert bad(MARKETS) == {("jump", "price"): state}
    (message,) = rows('SELECT message, "values" FROM check_result WHERE state = ?', state)
    assert json.loads(message[1])["what"] == "solana"
    assert ((MARKETS, "jump:price") in set_aside()) == (state == "fail")


def test_too_few_rows_and_too_many_refused_ones(up: FakeUpstream) -> None:
    up.fault("coingecko", "/coins/markets", Fault.mutate(lambda coins: coins[:7]), times=1)
    assert run(MARKETS) == FAILED
    assert bad(MARKETS) == {("rows", "crypto_price"): "fail"}

    def priceless(coins: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**coin, "current_price": None} if n > 15 else coin for n, coin in enumerate(coins)]

    up.fault("coingecko", "/coins/markets", Fault.mutate(priceless))
    assert run(MARKETS) == FAILED
    assert bad(MARKETS) == {("refused", "crypto_price"): "fail"}


def test_a_list_that_is_shorter_than_usual_is_told(up: FakeUpstream) -> None:
    for _ in range(5):
        assert run(MARKETS) == 0
    assert ("row_count", "crypto_price") not in bad(MARKETS)
    up.fault("coingecko", "/coins/markets", Fault.mutate(lambda coins: coins[:14]))
    assert run(MARKETS) == 0
    assert bad(MARKETS) == {("row_count", "crypto_price"): "warn"}
    (one,) = [one for one in check_results.standing(load()).results if one.name == "row_count"]
    assert one.said() == "14 rows came, where 20 are usual."


@pytest.mark.parametrize(("some", "state"), [(8, "warn"), (20, "fail")])
def test_a_column_that_was_full_and_is_null(up: FakeUpstream, some: int, state: str) -> None:
    assert run(MARKETS) == 0

    def without(coins: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**coin, "market_cap": None} if n < some else coin for n, coin in enumerate(coins)]

    up.fault("coingecko", "/coins/markets", Fault.mutate(without))
    assert run(MARKETS) == (FAILED if state == "fail" else 0)
    assert bad(MARKETS) == {("null_share", "market_cap"): state}
    if state == "fail":
        assert "market_cap has no value" in str(last_step(MARKETS).said())
        assert rows("SELECT count(market_cap) FROM crypto_price") == [(20,)]


def test_what_is_set_aside_of_a_series_is_a_check_that_failed(up: FakeUpstream) -> None:
    assert run(SOFR, pipeline="liquidity") == 0
    assert not bad(SOFR) and newest(SOFR)["range", SOFR] == "pass"
    last = max(stored(SOFR))
    tomorrow = up.market.today() + timedelta(days=9)
    up.set_observation("SOFR", last, 77.0)
    up.add_observation("SOFR", tomorrow, 3.9)
    run(SOFR, pipeline="liquidity")
    assert bad(SOFR)["range", SOFR] == bad(SOFR)["ahead", SOFR] == "fail"
    up.add_observation("SOFR", tomorrow, None)
    up.set_observation("SOFR", last, 12.5)
    run(SOFR, pipeline="liquidity")
    assert bad(SOFR)["jump", SOFR] == "fail"
    up.set_observation("SOFR", last, None)
    up.scale_series("SOFR", 3.0)
    run(SOFR, pipeline="liquidity")
    assert bad(SOFR)["unit", SOFR] == "fail"
    # The others made their batches suspect: of those the answer itself is put aside.
    assert (SOFR, "jump:value") in set_aside()


def test_a_series_that_has_ended_fails_by_its_age(up: FakeUpstream) -> None:
    up.stop_series("SOFR", up.market.today() - timedelta(days=80))
    assert run(SOFR, pipeline="liquidity") == FAILED
    assert bad(SOFR) == {("age", SOFR): "fail"}


def test_every_kind_of_check_has_a_fault_planted_above() -> None:
    above = (
        (ROOT / "tests" / "test_checks.py").read_text(encoding="utf-8").partition("def test_every_kind")[0]
    )
    kinds = {check.name for source in SOURCES.values() for check in checks.of(source)}
    assert {name for name in kinds if f'"{name}", ' not in above} == set()


# ---------------------------------------------------------------- kept


def test_what_the_checks_said_waits_for_a_locked_store_with_its_batch(up: FakeUpstream) -> None:
    assert run(MARKETS) == 0
    assert up.clock is not None
    up.clock += timedelta(minutes=5)
    for coin in DOLLARS:
        up.set_price(coin, 1.02)
    with store_open_elsewhere():
        assert run(MARKETS) != 0
    assert newest(MARKETS)["dollar", "price"] == "pass"
    assert collect.main(["replay"]) == 0
    assert newest(MARKETS)["dollar", "price"] == "warn"
    assert rows("SELECT price FROM crypto_price WHERE coin = 'tether'") == [(1.02,)]
    assert "[WARN] coingecko.markets check dollar" in log_text()


def test_results_are_kept_for_four_hundred_days(up: FakeUpstream) -> None:
    assert run(MARKETS) == 0
    now = clock.now()
    with db.writer(load()) as connection:
        connection.execute(
            "UPDATE check_result SET observed_at = ? WHERE name = 'dollar'", [now - timedelta(401)]
        )
        connection.execute(
            "UPDATE check_result SET observed_at = ? WHERE name = 'rows'", [now - timedelta(399)]
        )
        upkeep.prune(connection, now)
    assert {name for name, _subject in newest(MARKETS)} >= {"rows"} and ("dollar", "price") not in newest(
        MARKETS
    )


def test_a_source_that_passes_again_needs_no_look(up: FakeUpstream) -> None:
    for coin in DOLLARS:
        up.set_price(coin, 1.02)
    assert run(MARKETS) == 0
    assert [one.name for one in check_results.standing(load()).results] == ["dollar"]
    for coin in DOLLARS:
        up.set_price(coin, None)
    assert run(MARKETS) == 0
    assert check_results.standing(load()).results == () or not check_results.standing(load()).results


def drawn(page: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages" / "_frame.py"), default_timeout=20).run()
    if page != "overview.py":
        at.switch_page(page).run()
    assert not at.exception
    return at


def test_the_pages_tell_what_did_not_pass(up: FakeUpstream) -> None:
    for coin in DOLLARS:
        up.set_price(coin, 1.02)
    assert run(MARKETS) == 0
    hand = next(one.value for one in drawn("overview.py").markdown if "Needs a hand" in one.value)
    assert "**coingecko\\.markets** The nearest of the dollar coins is quoted at 1\\.020 USD\\." in hand
    assert ":orange-badge[:material/warning: warning]" in hand
    checks_table = drawn("runs.py").dataframe[2].value
    first = checks_table.iloc[0]
    assert (first["state"], first["step"], first["check"]) == ("△ warning", MARKETS, "dollar")
    assert (first["value"], first["bounds"]) == ("1.02", "0.99 to 1.01")
    assert set(checks_table["state"][1:]) == {"✓ pass"}


def test_a_run_shows_no_checks_while_the_store_cannot_be_read(up: FakeUpstream) -> None:
    assert run(MARKETS) == 0
    with store_open_elsewhere():
        assert len(drawn("runs.py").dataframe) == 2
    assert len(drawn("runs.py").dataframe) == 3


def test_a_row_that_stands_alone_and_fails_is_kept_as_a_failure(up: FakeUpstream) -> None:
    """Fear & Greed of one day: when its row is set aside, nothing is left to merge."""
    assert run(MOOD) == 0
    up.set_fear_greed(up.market.today(), 20)

    def alone(told: dict[str, Any]) -> dict[str, Any]:
        return {**told, "data": [{**told["data"][0], "value_classification": "Extreme Greed"}]}

    up.fault("alternative_me", "/fng/", Fault.mutate(alone))
    run(MOOD)
    assert bad(MOOD)["label", "alternative_me.fear_greed_index"] == "fail"


def test_a_store_of_the_version_before_gets_the_table(up: FakeUpstream) -> None:
    assert run(MARKETS) == 0
    with db.writer(load()) as connection:
        connection.execute("DROP TABLE check_result")
        connection.execute("UPDATE meta SET schema_version = 4")
    assert check_results.of_run(load(), "any") == [] and not check_results.standing(load()).results
    assert run(MARKETS) == 0
    assert newest(MARKETS) and rows("SELECT schema_version FROM meta") == [(5,)]


# ---------------------------------------------------------------- quiet


@pytest.mark.parametrize("name", WHOLE)
def test_a_payload_without_a_fault_passes(name: str) -> None:
    source, payload = WHOLE[name]
    judged = checks.judge(source, parsed(source, payload()), Facts(at=AT))
    assert judged.error is None and {result.state for result in judged.results} == {"pass"}


def slices(
    source: Source, whole: Batch, first: date
) -> Iterator[tuple[date, Batch, list[dict[str, object]]]]:
    """For each day the rows that a run of that evening brings, and those of the days before."""
    by_day: dict[date, list[dict[str, object]]] = {}
    for row in whole.rows:
        day = row["date"]
        assert isinstance(day, date)
        by_day.setdefault(day, []).append(row)
    days = sorted(by_day)
    window = 15 if source.reread else 1
    for n, day in enumerate(days):
        if day >= first:
            mine = [row for one in days[max(0, n + 1 - window) : n + 1] for row in by_day[one]]
            yield day, Batch(mine), by_day[days[n - 1]] if n else []


def known(source: Source, before: list[Mapping[str, object]]) -> Known:
    if not source.jump:
        return Known()
    key, column = source.table.key[0], source.jump[0]
    last = {str(row[key]): row[column] for row in before}
    nulls = {(source.table.name, name): 0.0 for name in source.table.values}
    return Known(
        last={(source.table.name, column): last}, nulls=nulls, counts={source.name: float(source.usual)}
    )  # type: ignore[dict-item]


def test_a_year_of_the_demo_market_passes_every_check() -> None:
    now = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
    ask = Ask("", Plan("open"), now)
    names = sorted(demo.SOURCES & {name for name, source in SOURCES.items() if source.dated})
    whole = {name: demo.batch(name, ask) for name in names}
    bitcoin = {row["date"]: row["value"] for row in whole[BITCOIN].rows}
    judged, found = 0, []
    for name in names:
        source = SOURCES[name]
        for day, batch, before in slices(source, whole[name], now.date() - timedelta(days=365)):
            at = datetime(day.year, day.month, day.day, 21, tzinfo=UTC)
            told = {BITCOIN: Seen(day, bitcoin[day], at)} if day in bitcoin else {}  # type: ignore[arg-type]
            outcome = checks.judge(source, batch, Facts(known(source, before), at, told=told))
            judged += 1
            found += [
                (name, day, one.check.name, one.value) for one in outcome.results if one.state != "pass"
            ]
            assert outcome.error is None and not outcome.batch.rejected, (name, day)
    assert judged > 365 * 20
    assert found == []


# ---------------------------------------------------------------- as data


def test_the_worst_that_was_measured_is_what_is_told() -> None:
    label = next(check for check in fear_greed.FEAR_GREED.checks if check.name == "label")
    near: dict[str, object] = {"date": DAY}
    far: dict[str, object] = {"date": DAY - timedelta(1)}
    result = result_of(label, [Measured(1.0, near, {"day": "a"}), Measured(9.0, far, {"day": "b"})])
    assert (result.state, result.value, result.values["day"], list(result.failed)) == (
        "fail",
        9.0,
        "b",
        [far],
    )
    assert result.limits == (None, 2.0)


def test_no_source_has_two_checks_of_one_name_and_subject() -> None:
    for source in SOURCES.values():
        keys = [(check.name, check.subject) for check in checks.of(source)]
        assert len(keys) == len(set(keys)), source.name


def test_the_manual_has_every_check_of_every_source() -> None:
    """`python -m tests.check_lines` prints what has to stand there."""
    manual = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    assert [line for line in manual.splitlines() if line.startswith("| `") and "**" in line] == table()
    kinds = {check.name for source in SOURCES.values() for check in checks.of(source)}
    assert {name for name in kinds if f"| `{name}` |" not in manual} == set()
