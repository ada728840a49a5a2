"""The page System: the state in a sentence, what to do first, the scheduler beside ours, settings without
any secret, the store, and what every number is."""

import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from collectors.doctor import examine, latest, upstreams
from collectors.doctor.finding import Finding
from collectors.registry import SOURCES
from collectors.schedule import state
from collectors.schedule.drift import ARGUMENTS, Drift
from collectors.schedule.state import State, TaskState
from pages._view import system_words
from storage.settings import ROOT, Settings, load
from storage.texts import speaking
from tests import child
from tests.test_console import demo, market, said

__all__ = ["demo", "market"]
RAN = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
TASK = TaskState(
    "0600 liquidity crypto",
    clock_time(6),
    ("liquidity", "crypto"),
    (),
    wanted=True,
    installed=True,
    enabled=True,
    last_run=RAN,
    next_run=RAN + timedelta(days=1),
    code=1,
)


@pytest.fixture(autouse=True)
def scheduled(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The operating system has one start; nothing is kept of another test."""
    monkeypatch.setattr(state, "state", lambda _settings, _within: State("systemd", (TASK,)))
    latest._kept.clear()
    with speaking("en"):
        yield
    latest._kept.clear()


def visit(**query: str) -> AppTest:
    """The page inside its frame, drawn once, with no exception."""
    at = AppTest.from_file(str(ROOT / "pages" / "_frame.py"), default_timeout=20)
    at.query_params.update({name: value for name, value in query.items() if name == "lang"})
    at.run()
    # Going to a page clears the address.
    at.switch_page("system.py")
    at.query_params.update(query)
    at.run()
    assert not at.exception
    return at


def table(at: AppTest, column: str) -> pd.DataFrame:
    """The table that has this column."""
    return next(one.value for one in at.dataframe if column in one.value)


def settled(at: AppTest) -> AppTest:
    """Drawn again once the upstreams have been asked."""
    child.eventually(lambda: not any(kept.asking for kept in latest._kept.values()), 10)
    at.run()
    assert not at.exception
    return at


def finding(
    state: str = "ok", check: str = "store", message: str = "so", advice: str | None = None
) -> Finding:
    return Finding(check, state, message, advice)


# ---------------------------------------------------------------- the state in a sentence


def test_an_empty_home_says_in_a_sentence_how_it_stands(home: Path) -> None:
    at = visit()
    assert at.header[0].value == "Everything works; 1 thing deserves a look"
    words = said(at)
    assert "Get a free key at" in words.replace("\\", "")
    assert "Nothing has been collected yet" in words
    assert not re.search(r"(?i:\bnan\b)|\bNone\b", words)
    assert not at.exception


@pytest.mark.parametrize(
    ("states", "sentence"),
    [
        (["ok"], "Everything works"),
        (["warn"], "Everything works; 1 thing deserves a look"),
        (["warn", "warn"], "Everything works; 2 things deserve a look"),
        (["warn", "fail"], "1 thing does not work"),
        (["fail", "fail"], "2 things do not work"),
    ],
)
def test_the_worst_decides_the_sentence(states: list[str], sentence: str) -> None:
    assert system_words.headline([finding(one) for one in states]) == sentence


def test_a_damaged_store_is_the_headline_and_its_way_back_a_command(demo: Path) -> None:
    (demo / "console.duckdb").write_bytes(b"not a database" * 999)
    at = visit()
    assert at.header[0].value == "1 thing does not work"
    line = next(one.value for one in at.markdown if "collect.py replay" in one.value)
    assert "Move it aside" in line and "`python collect.py replay`" in line and ":red-badge[" in line
    assert not at.exception


def test_words_of_others_in_a_finding_stay_words() -> None:
    told = system_words.commands("[x](javascript:alert(1)) <b> `$a$`: run python collect.py replay.")
    assert "](" not in told and "\\<b\\>" in told
    assert told.endswith(" `python collect.py replay`\\.")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("python collect.py status says why.", "python collect.py status"),
        ("Run python collect.py schedule install.", "python collect.py schedule install"),
        ("on another port: python scripts/start.py --port 8502", "python scripts/start.py --port 8502"),
        ("Run python -m pip install -r requirements.txt.", "python -m pip install -r requirements.txt"),
        ("python collect.py status을 실행", "python collect.py status"),
    ],
)
def test_a_command_is_shown_as_one(text: str, command: str) -> None:
    assert f"`{command}`" in system_words.commands(text)


def test_every_check_has_a_name_and_a_card() -> None:
    checks = {name for group in (*examine.HERE, *examine.ELSEWHERE) for name, _look in group} | {"clock"}
    assert checks == set(system_words.TITLES)
    assert checks | {"upstream"} == {name for _theme, names in system_words.THEMES for name in names}


# ---------------------------------------------------------------- what is looked at, and when


def test_a_look_is_kept_for_a_while_and_renewed_by_the_button(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    real = examine.looked

    def counted(*given: Any) -> list[Finding]:
        looks.append(1)
        return real(*given)

    monkeypatch.setattr(examine, "looked", counted)
    at = visit()
    at.run()
    assert len(looks) == 1
    at.button(key="system_again").click().run()
    assert len(looks) == 2
    assert not at.exception


def test_the_upstreams_are_asked_beside_the_page(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(_case: object) -> list[Finding]:
        time.sleep(1.0)
        return [finding("fail", "upstream.ofr", "It is down.", "Wait."), finding("ok", "clock", "right")]

    monkeypatch.setattr(examine, "ELSEWHERE", ((("upstreams", slowly),),))
    at = visit()
    assert "Not asked" in said(at)
    began = time.monotonic()
    at.button(key="system_ask").click().run()
    assert time.monotonic() - began < 0.9
    assert at.button(key="system_ask").disabled
    at = settled(at)
    assert at.header[0].value == "1 thing does not work"
    assert any("**OFR** It is down" in one.value for one in at.markdown)
    assert "asked at" in said(at)
    assert not at.button(key="system_ask").disabled


def test_asking_twice_in_the_same_moment_asks_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def slowly(_case: object) -> list[Finding]:
        asked.append(1)
        time.sleep(0.3)
        return upstreams.not_asked()

    monkeypatch.setattr(examine, "ELSEWHERE", ((("upstreams", slowly),),))
    for _tab in range(3):
        latest.ask(load())
    child.eventually(lambda: not latest.asking(load()), 10)
    assert asked == [1]


# ---------------------------------------------------------------- the schedule beside ours


def test_the_schedulers_own_last_and_next_start_stand_beside_ours(home: Path) -> None:
    row = table(visit(), "there").iloc[0]
    assert (row["at"], row["pipelines"], row["there"]) == ("06:00", "Liquidity + Crypto", "installed")
    assert row["result"] == "partial: some of it failed"
    assert row["ours"] == "–" and row["due"].endswith("06:00")


def test_what_differs_from_the_settings_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: getattr(TASK, name) for name in TaskState.__dataclass_fields__}
    other = TaskState(**{**given, "drift": (Drift(ARGUMENTS, "news", "crypto"),)})
    monkeypatch.setattr(state, "state", lambda _settings, _within: State("systemd", (other,)))
    at = visit()
    assert table(at, "there").iloc[0]["drift"] == "arguments: news instead of crypto"
    assert "`python collect.py schedule install`" in said(at)


def test_without_a_scheduler_the_starts_of_the_settings_are_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collectors.schedule.system import NoAnswer

    problem = NoAnswer("{tool} was not found. Use cron.", tool="systemctl")
    monkeypatch.setattr(state, "state", lambda _settings, _within: State("systemd", problem=problem))
    rows = table(visit(), "there")
    assert rows["at"].tolist() == ["06:00", "06:30"] and set(rows["there"]) == {"not known"}


# ---------------------------------------------------------------- settings, store, versions


def test_every_setting_is_listed_and_no_secret_is(home: Path) -> None:
    os.environ["FRED_API_KEY"] = child.CANARY
    os.environ["COLLECTOR_API_TOKEN"] = f"T{child.CANARY}"
    os.environ["COLLECTOR_OFR_URL"] = f"http://127.0.0.1:9/{child.CANARY}/fsi.csv"
    at = visit()
    rows = table(at, "meaning").set_index("name")
    assert set(rows.index) == {str(field.validation_alias) for field in Settings.model_fields.values()}
    assert rows.loc["FRED_API_KEY", "state"] == "set" and rows.loc["FRED_API_KEY", "value"] == "–"
    assert rows.loc["COINGECKO_API_KEY", "state"] == "not set"
    assert tuple(rows.loc["COLLECTOR_OFR_URL", ["state", "value"]]) == ("changed", "127.0.0.1:9")
    assert rows.loc["COLLECTOR_NEWS_FEEDS", "value"] == "15 feeds"
    assert rows.loc["COLLECTOR_PORT", "state"] == "default"
    assert child.CANARY not in said(at)


def test_the_store_is_told_by_its_rows_and_times(demo: Path) -> None:
    at = visit()
    rows = table(at, "table").set_index("table")["rows"]
    assert int(rows["crypto_price"].replace(",", "")) > 1000
    assert "last checkpoint" in said(at) and "console.duckdb" in said(at)
    packages = table(at, "wanted")
    assert (packages["installed"] == packages["wanted"]).all()


def test_with_the_store_open_elsewhere_the_page_draws_and_says_so(demo: Path) -> None:
    with child.store_open_elsewhere(database=demo / "console.duckdb"):
        at = visit()
    assert "Another program has the store" in said(at).replace("\\", "")
    assert not at.exception


# ---------------------------------------------------------------- what every number is


def test_every_series_is_defined_with_its_terms_and_link(home: Path) -> None:
    rows = table(visit(), "licence").set_index("name")
    series = [one.series for source in SOURCES.values() for one in source.series]
    assert set(series) < set(rows.index) and len(rows) == len(series) + 8
    assert rows.loc["fred.DGS10", "upstream"] == "FRED"
    assert rows.loc["fred.WALCL", "frequency"] == "weekly"
    assert rows.loc["alternative_me.fear_greed_index", "unit"] == "index, 0 to 100"
    links = rows["link"]
    assert all(link.startswith(("https://", "/")) for link in links)
    assert not rows.drop(columns=["licence"]).eq("").any().any()


def test_the_search_finds_by_every_word_and_stands_in_the_address(home: Path) -> None:
    at = visit(define="treasury fred")
    assert at.text_input(key="define").value == "treasury fred"
    rows = table(at, "licence")
    assert len(rows) and all("treasury" in " ".join(row).lower() for row in rows.to_numpy())
    at.text_input(key="define").set_value("(no such [thing").run()
    assert "Nothing is called like this" in said(at)
    assert not at.exception


@pytest.mark.parametrize("define", ["'; DROP--", "[(", "한국", "x" * 500])
def test_rubbish_in_the_address_is_only_a_search(home: Path, define: str) -> None:
    assert not visit(define=define).exception


def test_it_draws_in_korean(demo: Path) -> None:
    at = visit(lang="ko")
    assert at.session_state["lang"] == "ko"
    assert "월" in said(at)
