"""The pages as a person meets them: an empty home, a full one, a failed step, a locked store, Korean."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from collectors import gaps
from pages._view import badges, formats, palette
from storage import clock, ledger, texts
from storage.ledger import StepRecord
from storage.records import Counts
from storage.settings import ROOT, load
from storage.texts import speaking

PAGES = ("overview.py", "liquidity.py", "crypto.py", "news.py", "runs.py", "system.py")
each_page = pytest.mark.parametrize("page", PAGES)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the demo was collected once."""
    home = tmp_path_factory.mktemp("market")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLLECTOR_")}
    subprocess.run(
        [sys.executable, str(ROOT / "collect.py"), "crypto", "--demo"],
        env={**kept, "COLLECTOR_HOME": str(home)},
        check=True,
        capture_output=True,
        timeout=60,
    )
    return home


@pytest.fixture
def demo(home: Path, market: Path) -> Path:
    """A copy of it as this test's home, in demo mode."""
    shutil.copytree(market, home)
    os.environ["COLLECTOR_DEMO"] = "1"
    return home / "demo"


def visit(page: str = "overview.py", **query: str) -> AppTest:
    """A page inside its frame, drawn once, with no exception."""
    at = AppTest.from_file(str(ROOT / "pages" / "_frame.py"), default_timeout=20)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    if page != "overview.py":
        at.switch_page(page).run()
    assert not at.exception
    return at


def said(at: AppTest) -> str:
    """Every word on the page."""
    parts = [element.value for kind in ("markdown", "caption", "header", "html") for element in at.get(kind)]
    parts += [f"{one.label} {one.value} {one.delta}" for one in at.metric]
    parts += [table.value.to_csv() for table in at.dataframe]
    return "\n".join(str(part) for part in parts)


def fail_a_step(kind: str = "unavailable", **fields: Any) -> str:
    """A finished run in the ledger with one step that failed; its id."""
    settings = load()
    run_id = ledger.new_run_id(clock.now() + timedelta(seconds=5))
    ledger.reserve(settings, run_id, ["crypto"], "schedule")
    ledger.claim(settings, run_id, os.getpid())
    given = {
        "state": "failed",
        "kind": kind,
        "code": "http_503",
        "message": "Wait: {host} answered 503.",
        "values": {"host": "api.llama.fi"},
        **fields,
    }
    step = StepRecord(
        run_id,
        1,
        "defillama.total_tvl",
        "crypto",
        source="defillama.total_tvl",
        requests=4,
        started_at=clock.now(),
        finished_at=clock.now(),
        **given,
    )
    ledger.step_finished(settings, step)
    ledger.finish(settings, run_id, "partial", 1, {"crypto": "partial"})
    return run_id


@pytest.fixture
def locked(demo: Path) -> Iterator[Path]:
    """Another process has the store open for writing."""
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(demo / "console.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None and other.stdout.readline().strip() == b"open"
    yield demo
    other.communicate(timeout=20)


# ---------------------------------------------------------------- an empty home


@each_page
def test_an_empty_home_draws_without_a_number(home: Path, page: str) -> None:
    at = visit(page)
    # The word "none" is one; Python's name for nothing is not.
    assert not re.search(r"(?i:\bnan\b)|\bNone\b", said(at))
    assert not at.exception


def test_an_empty_overview_says_what_to_press_and_how_to_look_around(home: Path) -> None:
    at = visit()
    words = said(at)
    assert "Press **Collect now**" in words
    assert "python scripts/start.py --demo" in words
    assert "never collected" in words
    assert not at.button(key="collect_crypto").disabled
    assert "DEMO" not in words
    assert not at.exception


def test_an_empty_runs_page_says_where_to_begin(home: Path) -> None:
    at = visit("runs.py")
    assert "Nothing has run yet" in said(at)
    assert not at.exception


# ---------------------------------------------------------------- the demo market


@each_page
def test_every_page_of_a_demo_says_so_and_how_to_leave(demo: Path, page: str) -> None:
    at = visit(page)
    words = said(at)
    assert "DEMO" in words and "python scripts/start.py" in words
    assert not re.search(r"\bnan\b", words, re.IGNORECASE)
    assert not at.exception


def test_the_overview_shows_the_four_figures_of_the_newest_day(demo: Path) -> None:
    from storage import read

    frames = read.frames(load())
    bitcoin = frames.prices[frames.prices["coin"] == "bitcoin"].iloc[-1]
    metrics = frames.metrics.iloc[-1]
    at = visit()
    shown = {one.label: one.value for one in at.metric}
    assert shown == {
        "Bitcoin": formats.money(bitcoin["price"]),
        "BTC dominance": formats.percent(metrics["btc_dominance"], signed=False),
        "DeFi TVL": formats.money(metrics["total_tvl"]),
        "Fear & Greed": f"{metrics['fear_greed_index']:.0f} · {metrics['fear_greed_label']}",
    }
    assert "Data provided by CoinGecko" in said(at)
    assert not at.exception


def test_the_badge_holds_three_separate_facts(demo: Path) -> None:
    at = visit()
    facts = [element.value for element in at.html if "data as of" in element.value][1]
    assert "provisional" in facts and "✓ ok in" in facts and "next run" in facts
    assert any("fresh" in element.value for element in at.markdown)
    assert not at.exception


def test_nothing_needs_a_hand_when_a_key_is_all_that_is_missing(demo: Path) -> None:
    told = said(visit())
    # The demo market's last gap is all that is told.
    assert "13 Nov to Sun 15 Nov" in told
    assert not any(look.icon in told for look in badges.KINDS.values())


def test_nothing_at_all_is_said(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "recent", lambda *_given: [])
    gaps._told.clear()
    assert "Nothing. Every step did its work." in said(visit()).replace("\\", "")
    gaps._told.clear()


def test_runs_shows_the_counts_and_the_steps_of_the_picked_run(demo: Path) -> None:
    at = visit("runs.py")
    history, steps, checks = (table.value for table in at.dataframe)
    assert history["state"].tolist() == ["✓ ok"]
    assert history["trigger"].tolist() == ["the command line"]
    assert steps["step"].tolist()[:2] == ["coingecko.markets", "coingecko.global"]
    assert steps[steps["step"] == "coingecko.closes"]["why"].tolist() == ["no key"]
    assert set(checks["state"]) == {"✓ pass"} and "dollar" in checks["check"].tolist()
    assert not at.exception


# ---------------------------------------------------------------- a failed step


@each_page
def test_a_failed_step_leaves_every_page_whole(demo: Path, page: str) -> None:
    fail_a_step()
    assert not visit(page).exception


def test_a_failed_step_is_told_with_the_word_for_what_to_do(demo: Path) -> None:
    fail_a_step()
    at = visit()
    line = next(one.value for one in at.markdown if "503" in one.value)
    assert ":orange-badge[:material/schedule: wait]" in line
    assert "api\\.llama\\.fi answered 503" in line
    assert not at.exception


def test_a_run_of_the_address_is_shown_and_rubbish_is_the_newest(demo: Path) -> None:
    first = ledger.runs(load())[0].run_id
    failed = fail_a_step()
    for asked, shown in ((first, first), (failed, failed), ("'; DROP--", failed), ("", failed)):
        at = AppTest.from_file(str(ROOT / "pages" / "_frame.py"), default_timeout=20).run()
        at.switch_page("runs.py")
        at.query_params["run"] = asked
        at.run()
        card = next(one.value for one in at.markdown if "started by" in one.value)
        assert badges.plain(shown) in card
        assert not at.exception


def test_words_of_an_upstream_stay_words(demo: Path) -> None:
    fail_a_step(message="[x](javascript:alert(1)) <b>:material/home:</b> $a$")
    at = visit()
    line = next(one.value for one in at.markdown if "alert" in one.value)
    words = line.partition("**")[2]
    # Escaped, and with a joiner behind the colon: Streamlit looks for icons where escapes are gone.
    assert "](" not in words and "\\<b\\>\\:\u2060material/home\\:" in words
    assert not at.exception


def test_advice_tells_an_instant_in_the_zone_of_the_page(demo: Path) -> None:
    at = clock.now() + timedelta(minutes=9)
    message = "{host} failed several times in a row and is left alone until {until}. Wait, or run by hand."
    values = {"host": "api.llama.fi", "until": clock.stamp(at)}
    fail_a_step(message=message, values=values)
    shown = f"{formats.moment(load(), at)} KST"
    for page in ("overview.py", "runs.py"):
        line = next(one.value for one in visit(page).markdown if "left alone" in one.value)
        assert shown in line.replace("\\", "") and "UTC" not in line
    assert texts.say(message, values).endswith(f"until {at:%Y-%m-%d %H:%M} UTC. Wait, or run by hand.")


def test_what_had_nothing_to_work_with_needs_no_hand() -> None:
    waiting = StepRecord("r", 1, "export", "crypto", state="skipped", reason="upstream_failed")
    failed = StepRecord("r", 2, "coingecko.markets", "crypto", state="failed", kind="refused")
    assert badges.needs_a_hand([waiting, failed]) == [failed]


def test_a_pipeline_has_one_name_on_every_page(home: Path) -> None:
    fail_a_step()
    at = visit("runs.py", lang="ko")
    assert at.dataframe[0].value["pipelines"].tolist() == ["암호화폐"]
    assert any(one.value.startswith("**암호화폐** ") for one in at.markdown)


# ---------------------------------------------------------------- a damaged ledger


@each_page
@pytest.mark.parametrize("content", [b"", b"not a database at all, and longer than its header" * 99])
def test_with_a_damaged_ledger_every_page_says_what_to_do(home: Path, page: str, content: bytes) -> None:
    home.mkdir(parents=True)
    (home / "ledger.sqlite").write_bytes(content)
    at = visit(page)
    assert "Move ledger.sqlite aside" in said(at).replace("\\", "")
    assert "Data provided by CoinGecko" in said(at)
    # It heals by itself.
    (home / "ledger.sqlite").unlink()
    at.run()
    assert "ledger.sqlite" not in said(at).replace("\\", "") and not at.exception


def test_collect_now_with_a_damaged_ledger_says_what_to_do(home: Path) -> None:
    at = visit()
    home.mkdir(parents=True, exist_ok=True)
    (home / "ledger.sqlite").write_bytes(b"not a database" * 999)
    at.button(key="collect_crypto").click().run()
    assert "Move ledger.sqlite aside" in at.toast[0].value.replace("\\", "")
    assert not at.exception


# ---------------------------------------------------------------- a locked store


@each_page
def test_with_the_store_locked_every_page_draws(locked: Path, page: str) -> None:
    at = visit(page)
    assert "Another program has the store" in said(at).replace("\\", "")
    assert not at.exception


def test_with_the_store_locked_the_last_values_stay_and_cost_no_wait(demo: Path) -> None:
    visit()
    began = time.perf_counter()
    free = visit()
    without = time.perf_counter() - began
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(demo / "console.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert other.stdout is not None and other.stdout.readline().strip() == b"open"
        began = time.perf_counter()
        held = visit()
        within = time.perf_counter() - began
    finally:
        other.communicate(timeout=20)
    assert [one.value for one in held.metric] == [one.value for one in free.metric]
    assert within < 2 * without + 0.5
    assert not held.exception


# ---------------------------------------------------------------- Collect now


def test_collect_now_starts_one_run_and_a_second_click_none(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collectors import launch

    spawned: list[list[str]] = []
    monkeypatch.setattr(launch, "_spawn", lambda command, folder: spawned.append(list(command)))
    at, other_tab = visit(), visit()
    at.button(key="collect_crypto").click().run()
    (run,) = ledger.runs(load())
    assert (run.trigger, run.state) == ("console", "queued")
    assert at.button(key="collect_crypto").disabled
    assert "started by this console" in said(at).replace("\\", "")
    other_tab.button(key="collect_crypto").click().run()
    assert len(spawned) == 1 and len(ledger.runs(load())) == 1
    assert run.run_id in other_tab.toast[0].value.replace("\\", "")
    assert not at.exception and not other_tab.exception


def test_the_end_of_a_run_is_told_once_with_its_counts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from collectors import launch

    monkeypatch.setattr(launch, "_spawn", lambda command, folder: None)
    settings, at = load(), visit()
    at.button(key="collect_crypto").click().run()
    run_id = ledger.runs(settings)[0].run_id
    ledger.claim(settings, run_id, os.getpid())
    counts = Counts(1203, 1200, 3, 0)
    done = StepRecord(run_id, 1, "coingecko.markets", "crypto", state="ok", counts=counts)
    ledger.step_finished(settings, done)
    ledger.finish(settings, run_id, "ok", 0, {"crypto": "ok"})
    # The page is left and another one opened meanwhile.
    at.switch_page("runs.py").run()
    assert "1,200 inserted · 3 updated · 0 unchanged" in at.toast[0].value
    at.run()
    assert not at.toast
    assert not at.exception


def test_a_run_under_way_is_told_on_every_page(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load()
    run_id = ledger.new_run_id(clock.now())
    ledger.reserve(settings, run_id, ["crypto"], "schedule")
    for page in PAGES:
        at = visit(page)
        assert "started by the scheduler" in said(at)
        assert not at.exception


def test_while_a_run_is_on_the_card_shows_the_last_one_that_ended(demo: Path) -> None:
    settings = load()
    ledger.reserve(settings, ledger.new_run_id(clock.now()), ["crypto"], "schedule")
    at = visit()
    assert "✓ ok in" in [one.value for one in at.html if "data as of" in one.value][1]
    assert "Crypto · starting" in said(at).replace("\\", "")


def step_of(source: str, message: str, **values: object) -> StepRecord:
    given = {"host": "api.example", **values}
    return StepRecord("r", 1, source, "crypto", source=source, state="failed", message=message, values=given)


def test_the_toast_groups_the_same_advice_and_names_its_sources_first() -> None:
    from collectors import reply
    from pages._view import collect_now

    first = step_of("coingecko.markets", reply.BAD_KEY, status=401, key="COINGECKO_API_KEY")
    second = step_of("coingecko.global", reply.LOCKED_OUT, key="COINGECKO_API_KEY")
    lost = [step_of(f"defillama.{n}", reply.CONNECT) for n in ("total_tvl", "protocols", "third")]
    assert collect_now.what_to_do([first, second, *lost]) == [
        "coingecko.markets, coingecko.global: Check COINGECKO_API_KEY in .env.",
        "defillama.total_tvl and 2 more: Wait: the next run tries again.",
    ]
    long = collect_now.what_to_do([first, second])
    assert collect_now.fitting([*long, "19,085 inserted"]) == long[0]
    short = collect_now.what_to_do(lost)
    assert collect_now.fitting([*short, "1 inserted"]) == f"{short[0]} · 1 inserted"


# ---------------------------------------------------------------- Korean


def test_the_address_keeps_a_language_that_is_not_that_of_the_settings(home: Path) -> None:
    at = visit("runs.py", lang="ko")
    assert at.query_params["lang"] in ("ko", ["ko"])
    assert "lang" not in visit().query_params


@each_page
def test_every_page_draws_in_korean(demo: Path, page: str) -> None:
    fail_a_step()
    at = visit(page, lang="ko")
    assert at.session_state["lang"] == "ko"
    assert texts.language() in texts.LANGUAGES
    assert not at.exception


def test_korean_dates_and_amounts(demo: Path) -> None:
    at = visit(lang="ko")
    assert "월" in said(at) and "억" in next(one.value for one in at.metric if one.value.startswith("$1,"))
    assert not at.exception


def test_an_unknown_language_of_the_address_is_that_of_the_settings(home: Path) -> None:
    at = visit(lang="xx")
    assert at.session_state["lang"] == "en"
    assert not at.exception


# ---------------------------------------------------------------- figures


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), pd.NA, pd.NaT, "x"])
def test_what_is_missing_is_a_dash(value: Any) -> None:
    shown = (formats.money, formats.percent, formats.number, formats.points, formats.day, formats.ago)
    assert {show(value) for show in shown} == {"–"}


@pytest.mark.parametrize(
    ("value", "shown", "korean"),
    [
        (97_412.3, "$97,412", "$97,412"),
        (92.4e9, "$92.4\u00a0bn", "$924억"),
        (1.935e12, "$1.94\u00a0tn", "$1.94조"),
        (999_999.7, "$1.00\u00a0m", "$100만"),
        (-5.5e6, "−$5.50\u00a0m", "−$550만"),
        (0, "$0", "$0"),
        (0.12345, "$0.1235", "$0.1235"),
        (0.5, "$0.50", "$0.50"),
        (23.456, "$23.46", "$23.46"),
    ],
)
def test_money(value: float, shown: str, korean: str) -> None:
    with speaking("en"):
        assert formats.money(value) == shown
    with speaking("ko"):
        assert formats.money(value) == korean


def test_changes_have_a_sign_and_zero_has_none() -> None:
    with speaking("en"):
        assert formats.percent(-2.14) == "−2.1\u00a0%"
        assert formats.percent(-0.04) == "0.0\u00a0%"
        assert formats.percent(57.13, signed=False) == "57.1\u00a0%"
        assert formats.points(0.31) == "+0.3\u00a0pp"
        assert [formats.direction(value) for value in (-0.04, 0.06, -1, None)] == [0, 1, -1, 0]


def test_a_short_run_is_told_in_tenths_of_a_second() -> None:
    with speaking("en"):
        spans = (0, 0.43, 9.99, 10, 42.7, 3723)
        assert [formats.span(one) for one in spans] == [
            "0.0\u00a0s",
            "0.4\u00a0s",
            "9.9\u00a0s",
            "00:10",
            "00:42",
            "1:02:03",
        ]


def test_where_red_is_a_rise_no_sparkline_says_otherwise(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_UP_COLOR", "red")
    table = next(
        one.value for one in visit().get("html") if "small-table" in one.value and "<table>" in one.value
    )
    weeks = re.findall(r'aria-label="[^"]+".*?background:light-dark\((#\w+),(#\w+)\)', table)
    assert weeks and set(weeks) == {(palette.LIGHT.accent, palette.DARK.accent)}


def test_times_are_told_in_the_zone_of_the_settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 22, 21, 42, tzinfo=UTC))
    settings = load()
    with speaking("en"):
        assert formats.moment(settings, clock.now()) == "06:42"
        assert formats.moment(settings, clock.now() + timedelta(days=1)) == "tomorrow 06:42"
        assert formats.moment(settings, clock.now() - timedelta(hours=7)) == "yesterday 23:42"
        assert formats.moment(settings, datetime(2026, 11, 20, 1, 0, tzinfo=UTC)) == "Fri 20 Nov 10:00"
        assert formats.day(date(2026, 11, 22)) == "Sun 22 Nov"
        assert formats.day(date(2025, 1, 2)) == "Thu 2 Jan 2025"
        assert formats.zone(settings) == "KST"
    with speaking("ko"):
        assert formats.day(date(2026, 11, 22)) == "11월 22일 (일)"
