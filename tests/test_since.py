"""What changed since the last visit: what counts as a visit, what is kept of it, and how a change reads."""

import json
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages._view import since
from storage import clock, ledger, read, read_liquidity, visits
from storage.settings import ROOT, Settings, load
from storage.texts import speaking

MORNING = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
NEXT = MORNING + timedelta(days=1)


@pytest.fixture(autouse=True)
def english(home: Path) -> Any:
    with speaking("en"):
        yield


@pytest.fixture
def demo(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which the demo market was collected."""
    monkeypatch.setenv("COLLECTOR_DEMO", "1")
    command = [sys.executable, str(ROOT / "collect.py"), "crypto", "--demo"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return home / "demo"


@pytest.fixture
def known(home: Path) -> Settings:
    """A home in which something ran."""
    settings = load()
    ledger.record_skip(settings, "20261123-220000-abcdef", ["crypto"], "cli", "fresh", 0)
    return settings


def figures(price: float = 90_000.0, **more: Any) -> dict[str, Any]:
    return {"bitcoin": {"value": price, "day": "2026-11-23"}, **more}


# ---------------------------------------------------------------- visits


def test_the_first_visit_has_nothing_before_it_and_the_next_has_its_end(known: Settings) -> None:
    assert visits.look(known, figures(1), MORNING) is None
    assert visits.look(known, figures(2), MORNING + timedelta(minutes=20)) is None
    found = visits.look(known, figures(3), NEXT)
    assert found == visits.Seen(MORNING + timedelta(minutes=20), figures(2))


def test_within_a_visit_the_comparison_stays(known: Settings) -> None:
    visits.look(known, figures(1), MORNING)
    visits.look(known, figures(2), NEXT)
    # Looks a little less apart than what ends a visit are one visit, however long it lasts.
    for n in range(1, 4):
        found = visits.look(known, figures(n), NEXT + n * timedelta(minutes=29))
        assert found is not None and found.figures == figures(1)
    found = visits.look(known, figures(9), NEXT + timedelta(minutes=29 * 3 + 31))
    assert found is not None and found.figures == figures(3)


def test_a_page_that_draws_itself_at_night_is_no_visit(known: Settings) -> None:
    visits.look(known, figures(1), MORNING)
    night = visits.look(known, figures(2), NEXT - timedelta(hours=2), counts=False)
    # It tells the change all the same: who comes in the morning finds it there.
    assert night is not None and night.figures == figures(1)
    found = visits.look(known, figures(2), NEXT)
    assert found is not None and found.figures == figures(1)


def test_many_looks_of_a_minute_write_once(known: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    remember = ledger.remember
    monkeypatch.setattr(ledger, "remember", lambda *given: (written.append(given[2]), remember(*given)))
    for n in range(50):
        visits.look(known, figures(1), MORNING + timedelta(seconds=n))
    assert len(written) == 1
    visits.look(known, figures(2), MORNING + timedelta(seconds=51))
    assert len(written) == 2


def test_an_empty_home_stays_empty(home: Path) -> None:
    assert visits.look(load(), {}, MORNING) is None
    assert not (home / "ledger.sqlite").exists()


@pytest.mark.parametrize(
    "kept",
    [
        "", "[]", "{", '{"seen": 1}', '{"seen": {"at": "x", "figures": {}}}',
        '{"seen": {"at": "2026-11-20T00:00:00", "figures": {}}}',
        '{"seen": {"at": "2026-11-20T00:00:00Z", "figures": {"bitcoin": {"value": "many"}}}}',
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_first_visit(known: Settings, kept: str) -> None:
    ledger.remember(known, "visit", kept)
    assert visits.look(known, figures(), MORNING) is None
    assert visits.look(known, figures(), NEXT) is not None


def test_a_ledger_that_may_only_be_read_remembers_nothing_and_says_nothing(
    known: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(ledger, "remember", refuse)
    assert visits.look(known, figures(), MORNING) is None
    assert ledger.recall(known, "visit") is None


# ---------------------------------------------------------------- how it reads


def told(then: dict[str, Any], now: dict[str, Any], up: str = "green") -> list[str]:
    return [line.replace("\\", "").replace("\u00a0", " ") for line in since.lines(then, now, up)]


def test_a_figure_is_told_with_what_it_was_and_its_change() -> None:
    then, now = figures(100_000.0), figures(98_000.0)
    assert told(then, now) == ["**Bitcoin** $100,000 → $98,000 :red[▼ −2.0 %]"]
    assert told(then, now, up="red") == ["**Bitcoin** $100,000 → $98,000 :blue[▼ −2.0 %]"]


def test_a_band_is_told_where_it_became_another_one_and_stress_that_rises_is_no_gain() -> None:
    then = {"index": {"value": 39.6, "day": "2026-11-20", "word": "Calm"}}
    now = {"index": {"value": 61.2, "day": "2026-11-23", "word": "Watch"}}
    assert told(then, now) == ["**StressIndex** 39.6 Calm → 61.2 Watch :orange[▲ +21.6]"]
    same = {"index": {**now["index"], "word": "Calm"}}
    assert told(then, same) == ["**StressIndex** 39.6 → 61.2 :orange[▲ +21.6]"]


def test_what_reads_the_same_is_not_told() -> None:
    assert told(figures(100_000.01), figures(100_000.02)) == []
    assert told(figures(stories=5), figures(stories=5)) == []


def test_what_is_new_and_what_is_gone() -> None:
    assert told({}, figures(98_000.0)) == ["**Bitcoin** $98,000, not seen before"]
    assert told(figures(), {}) == []
    # What another version kept is not believed.
    assert told({"bitcoin": 5, "stories": "many"}, figures(98_000.0, stories=2)) == [
        "**Bitcoin** $98,000, not seen before", "2 new stories",
    ]  # fmt: skip


def test_stories_and_revised_values_are_counted() -> None:
    assert told({"stories": 10, "revised": 1}, {"stories": 11, "revised": 4}) == [
        "1 new story", "3 stored values were revised by their sources",
    ]  # fmt: skip
    assert told({"stories": 10}, {"stories": 9}) == []


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([], ""),
        (["ok"], "1 run"),
        (["ok", "skipped", "cancelled"], "3 runs"),
        (["ok", "partial", "failed", "interrupted"], "4 runs, 3 not whole"),
    ],
)
def test_runs_since_are_counted(states: list[str], said: str) -> None:
    assert since.runs(states) == said


def test_the_figures_are_those_of_the_record_and_plain(demo: Path) -> None:
    settings = load()
    frames, record = read.frames(settings), read_liquidity.liquidity(settings)
    found = since.figures(frames, record, {"stories": 0, "revised": 2})
    bitcoin = frames.prices[frames.prices["coin"] == "bitcoin"].iloc[-1]
    assert found["bitcoin"] == {"value": bitcoin["price"], "day": f"{bitcoin['date']:%Y-%m-%d}"}
    assert set(found) >= {"tvl", "dominance", "mood"} and found["revised"] == 2 and "stories" not in found
    assert json.loads(json.dumps(found)) == found
    assert since.figures(read._no_frames(), read_liquidity.nothing(), {"stories": 0}) == {}


# ---------------------------------------------------------------- on the page


def overview() -> list[str]:
    at = AppTest.from_file(str(ROOT / "pages" / "_frame.py"), default_timeout=30).run()
    assert not at.exception
    return [one.value.replace("\\", "") for kind in ("markdown", "caption") for one in at.get(kind)]


def test_the_overview_tells_the_next_morning_what_moved(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load()
    assert any("This is your first visit" in line for line in overview())
    kept = json.loads(ledger.recall(settings, "visit") or "")
    kept["seen"]["figures"]["bitcoin"]["value"] *= 2
    ledger.remember(settings, "visit", json.dumps(kept))
    tomorrow = clock.now() + timedelta(hours=8)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    said = overview()
    assert any("**Bitcoin**" in line and "▼ −50.0" in line for line in said)
    assert not any("**DeFi TVL**" in line and "→" in line for line in said)


def test_nothing_changed_is_said(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overview()
    tomorrow = clock.now() + timedelta(hours=8)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    assert any("Nothing: what was shown then is shown now." in line for line in overview())


def test_every_change_is_told_in_korean() -> None:
    then = {"index": {"value": 39.6, "day": "2026-11-20", "word": "Calm"}, "stories": 1}
    now = {"index": {"value": 61.2, "day": "2026-11-23", "word": "Watch"}, "stories": 3}
    with speaking("ko"):
        said = " ".join(since.lines(then, now, "green"))
    assert "안정 → " in said and "주의" in said and "stories" not in said
