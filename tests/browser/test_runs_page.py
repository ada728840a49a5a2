"""The page Runs in a real browser: whole in both themes, sizes and languages; a run is picked, filtered,
followed while it is on, and its log saved; one failed source is tried again."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from storage import clock, ledger
from storage.ledger import StepRecord
from storage.settings import Settings
from tests.browser.conftest import CHROMIUM, Console, Visit, shoot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="NO BROWSER TESTS: no Chromium was found on PATH"),
]
Opener = Callable[..., Visit]
SOURCE = "defillama.total_tvl"


def settings_of(console: Console) -> Settings:
    return Settings(COLLECTOR_HOME=str(console.home), COLLECTOR_DEMO=True)


def fail_a_step(console: Console, message: str = "Wait: api.llama.fi answered 503.") -> str:
    """A run in the ledger of which one step failed, hours ago; its id."""
    settings = settings_of(console)
    run_id = ledger.new_run_id(clock.now() - timedelta(hours=3))
    ledger.reserve(settings, run_id, ["crypto"], "schedule")
    ledger.claim(settings, run_id, os.getpid())
    failed = StepRecord(
        run_id, 1, SOURCE, "crypto", source=SOURCE, state="failed", kind="unavailable", code="http_503",
        message=message, requests=4, started_at=clock.now(), finished_at=clock.now() + timedelta(seconds=1),
    )  # fmt: skip
    ledger.step_finished(settings, failed)
    ledger.finish(settings, run_id, "partial", 1, {"crypto": "partial"})
    return run_id


@pytest.fixture(scope="module", autouse=True)
def collected(console: Console) -> str:
    """Two pipelines, and an older run of which a step failed; the id of that."""
    failed = fail_a_step(console)
    console.collect("liquidity", "crypto")
    return failed


def drawn(visit: Visit) -> Visit:
    """Waits for the steps and for the durations of both pipelines."""
    charts = [f".st-key-chart_{name} .ytick text" for name in ("steps", "took_liquidity", "took_crypto")]
    visit.page.wait_for_function(
        f"{charts}.every(one => document.querySelector(one))".replace("'", '"'), timeout=30_000
    )
    return visit


@pytest.mark.parametrize(
    ("dark", "phone", "language"),
    [(False, False, "en"), (True, False, "ko"), (False, True, "en"), (True, True, "ko")],
    ids=["light-1440-en", "dark-1440-ko", "light-390-en", "dark-390-ko"],
)
def test_it_draws_whole_in_every_theme_size_and_language(
    open_page: Opener, dark: bool, phone: bool, language: str
) -> None:
    visit = drawn(open_page(f"/runs?lang={language}", dark=dark, phone=phone))
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    assert width == visit.page.viewport_size["width"]
    # 45 steps: every one has its name and its bar, none lies on the next.
    names = visit.page.evaluate(
        "[...document.querySelectorAll('.st-key-chart_steps .ytick text')]"
        ".map(one => one.getBoundingClientRect()).map(box => [box.top, box.height, box.left])"
    )
    assert len(names) >= 45
    tops = sorted(top for top, _height, _left in names)
    assert min(after - before for before, after in pairwise(tops)) > 12
    assert min(left for _top, _height, left in names) >= 0
    shoot(visit.page, f"runs_{'390' if phone else '1440'}_{'dark' if dark else 'light'}_{language}")
    visit.clean()


def test_the_log_shows_its_end_and_is_saved_whole(open_page: Opener, tmp_path: Path) -> None:
    visit = open_page("/runs")
    log = visit.page.locator(".st-key-run_log")
    log.get_by_text("exit 0").first.wait_for(timeout=15_000)
    visit.page.wait_for_function(
        "(() => { const all = [...document.querySelectorAll('.st-key-run_log, .st-key-run_log *')];"
        " const box = all.find(one => one.scrollHeight > one.clientHeight + 20);"
        " return !box || box.scrollTop + box.clientHeight >= box.scrollHeight - 40; })()",
        timeout=10_000,
    )
    with visit.page.expect_download() as saved:
        visit.page.get_by_role("button", name="Log file").click()
    assert saved.value.suggested_filename.endswith(".log")
    saved.value.save_as(tmp_path / "run.log")
    assert "[START] run" in (tmp_path / "run.log").read_text(encoding="utf-8").splitlines()[0]
    visit.clean()


def test_a_picked_row_goes_into_the_address_and_stays_after_a_reload(
    open_page: Opener, collected: str
) -> None:
    visit = open_page("/runs")
    table = visit.page.locator('[data-testid="stDataFrame"]').first
    box = table.bounding_box()
    assert box is not None
    from playwright.sync_api import TimeoutError as TooLate

    picked = re.compile(f"run={collected}")
    # A table that has just been drawn may not take a click yet.
    for _try in range(3):
        # The header and two rows of 30 pixels: the circle of the second row.
        table.click(position={"x": 16, "y": 30 + 45})
        with suppress(TooLate):
            visit.page.wait_for_url(picked, timeout=5_000)
            break
    assert picked.search(visit.page.url)
    visit.page.get_by_text("1 of 1 steps did not do its work").wait_for(timeout=15_000)
    visit.page.reload()
    visit.ready().page.get_by_text("1 of 1 steps did not do its work").wait_for(timeout=15_000)
    visit.clean()


def test_a_filter_is_picked_and_taken_back(open_page: Opener, collected: str) -> None:
    visit = open_page("/runs")
    state = visit.page.locator(".st-key-runs_state input")
    state.click()
    visit.page.get_by_role("option", name="partial").click()
    visit.page.wait_for_url("**state=partial*", timeout=15_000)
    visit.page.get_by_text("1 of 1 steps did not do its work").wait_for(timeout=15_000)
    state.click()
    visit.page.get_by_role("option", name="cancelled").click()
    visit.page.get_by_role("button", name="Show every run").click()
    visit.page.wait_for_function("!location.search.includes('state')", timeout=15_000)
    visit.page.locator('[data-testid="stDataFrame"]').first.wait_for(timeout=15_000)
    visit.clean()


def test_retry_runs_one_source_and_the_page_follows_it(
    open_page: Opener, console: Console, collected: str
) -> None:
    before = len(ledger.runs(settings_of(console)))
    visit = open_page(f"/runs?run={collected}")
    visit.page.get_by_role("button", name="Retry").click()
    visit.page.locator(".st-key-running").wait_for(timeout=10_000)
    toast = visit.page.locator('[data-testid="stToast"]', has_text="unchanged")
    toast.wait_for(timeout=30_000)
    newest = ledger.runs(settings_of(console))[0]
    assert len(ledger.runs(settings_of(console))) == before + 1 and newest.state == "ok"
    sources = [step.source for step in ledger.steps(settings_of(console), newest.run_id) if step.source]
    assert sources == [SOURCE]
    words = visit.page.locator('[data-testid="stMarkdownContainer"]', has_text=newest.run_id)
    words.first.wait_for(timeout=15_000)
    # The failed one now says that it was made up for.
    visit.page.goto(f"{console.url}/runs?run={collected}")
    visit.page.get_by_text("ok since").wait_for(timeout=15_000)
    visit.clean()


def test_a_run_that_somebody_else_started_is_followed_without_a_click(
    open_page: Opener, console: Console
) -> None:
    settings = settings_of(console)
    run_id = ledger.new_run_id(clock.now())
    ledger.reserve(settings, run_id, ["crypto"], "schedule")
    visit = open_page("/runs")
    visit.page.get_by_text("Its process is starting.").wait_for(timeout=15_000)
    with held(settings, run_id):
        ledger.claim(settings, run_id, os.getpid())
        started = StepRecord(run_id, 1, SOURCE, "crypto", source=SOURCE, started_at=clock.now())
        ledger.step_started(settings, started)
        visit.page.get_by_text("0 steps are done; more to come.").wait_for(timeout=15_000)
        shoot(visit.page, "runs_running")
        ledger.finish(settings, run_id, "cancelled", 130, {"crypto": "cancelled"})
    visit.page.get_by_text("It was cancelled between two transactions").wait_for(timeout=15_000)
    visit.page.locator(".st-key-running").wait_for(state="detached", timeout=15_000)
    visit.clean()


def held(settings: Settings, run_id: str) -> Any:
    """The lock that says that a run lives."""
    from filelock import FileLock

    return FileLock(ledger.lock_path(settings, run_id))


def test_words_of_an_upstream_stay_words(open_page: Opener, console: Console) -> None:
    run_id = fail_a_step(console, "<b>bold</b> :material/home: :smile: [x](javascript:alert(1)) $a$")
    visit = open_page(f"/runs?run={run_id}")
    line = visit.page.locator('[data-testid="stMarkdownContainer"]', has_text="alert(1)").first
    line.wait_for(timeout=15_000)
    said = line.inner_text().replace("\u2060", "")
    assert "<b>bold</b> :material/home: :smile: [x](javascript:alert(1)) $a$" in said
    assert line.locator("a, .katex").count() == 0
    visit.clean()


_MISSING = """() => {
  const drawn = document.querySelector('.st-key-gap_days:not([data-stale="true"]) .js-plotly-plot');
  const at = drawn ? drawn.data.findIndex(one => one.name.startsWith('missing')) : -1;
  if (at < 0) return [];
  const marks = [...drawn.querySelectorAll('.scatterlayer .trace')[at].querySelectorAll('.point')];
  return marks.map(one => one.getBoundingClientRect()).map(box => [box.x, box.y, box.width, box.height]);
}"""


def test_days_are_chosen_in_the_calendar_and_fill_in_while_one_looks(open_page: Opener) -> None:
    visit = open_page("/runs")
    page = visit.page
    # Of any year the demo market was missed on six days, each of two sources.
    page.locator(".st-key-gap_range").get_by_text("1Y").click()
    page.wait_for_function(f"({_MISSING})().length >= 10", timeout=20_000)
    page.locator('.st-key-gap_days:not([data-stale="true"])').scroll_into_view_if_needed()
    page.wait_for_timeout(1_500)
    before = page.evaluate(_MISSING)
    x, y, width, height = min(before)
    page.mouse.move(x - 2, y - 1)
    page.mouse.down()
    page.mouse.move(x + width + 2, y + height + 1, steps=8)
    page.mouse.up()
    page.get_by_role("button", name="Fill in the chosen days").wait_for(timeout=15_000)
    visit.ready()
    assert page.get_by_text("1 day, ").count() == 1
    shoot(visit.page, "runs_gap_chosen")
    page.get_by_role("button", name="Fill in the chosen days").click()
    page.wait_for_function(f"({_MISSING})().length === {len(before) - 1}", timeout=45_000)
    # Nothing is chosen any more: the rest is offered.
    page.get_by_role("button", name="Fill in every missing day").wait_for(timeout=15_000)
    visit.clean()
