"""Collect all and Cancel in a real browser: a run survives its tab, and a cancelled one ends in seconds."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors.registry import PIPELINES
from tests.browser.conftest import CHROMIUM, READY, Console, sized, start_console, stop
from tests.upstream import FakeUpstream, Fault

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="NO BROWSER TESTS: no Chromium was found on PATH"),
]
BANNER = ".st-key-running"


def runs(console: Console) -> list[dict[str, Any]]:
    """The ledger's rows, newest first."""
    home = console.home / "demo" if console.environment["COLLECTOR_DEMO"] == "1" else console.home
    with sqlite3.connect(f"{(home / 'ledger.sqlite').as_uri()}?mode=ro", uri=True) as ledger:
        ledger.row_factory = sqlite3.Row
        found = [dict(row) for row in ledger.execute("SELECT * FROM run ORDER BY queued_at DESC")]
    ledger.close()
    return found


def ended(console: Console, within_s: float) -> dict[str, Any]:
    """The newest run, once it is over."""
    give_up = time.monotonic() + within_s
    while True:
        newest = runs(console)[0]
        if newest["finished_at"] is not None:
            return newest
        assert time.monotonic() < give_up, newest["state"]
        time.sleep(0.1)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Console]:
    """A console of real upstreams, all of which take their time."""
    with FakeUpstream() as up:
        up.fault("*", "*", Fault.hang(60))
        console, server = start_console(tmp_path, **up.env(), COLLECTOR_DEMO="0", COLLECTOR_PACE_S="0")
        yield console
        stop(server)


@pytest.fixture
def leisurely(tmp_path: Path) -> Iterator[Console]:
    """A console of real upstreams that answer, each a little late: a run takes half a minute."""
    with FakeUpstream() as up:
        # Of speeches there are eighty.
        up.fault("fed", "*", Fault.delay(0.1))
        up.fault("*", "*", Fault.delay(0.8))
        console, server = start_console(tmp_path, **up.env(), COLLECTOR_DEMO="0", COLLECTOR_PACE_S="0")
        yield console
        stop(server)


def opened(browser: Any, console: Console) -> Any:
    page = sized(browser, 1440, 900)
    page.goto(console.url)
    page.wait_for_selector(READY, timeout=30_000)
    return page


def test_cancel_ends_a_run_in_seconds_and_leaves_nothing_half_done(browser: Any, slow: Console) -> None:
    page = opened(browser, slow)
    page.locator(".st-key-collect_crypto button").click()
    page.locator(BANNER).wait_for(timeout=15_000)
    other = opened(browser, slow)
    # The banner, and what ends the run, are on every page.
    other.goto(f"{slow.url}/runs")
    other.locator(f"{BANNER} button").first.wait_for(timeout=15_000)
    begun = time.monotonic()
    page.locator(f"{BANNER} button").first.click()
    run = ended(slow, 8)
    assert time.monotonic() - begun < 8
    assert (run["state"], run["exit_code"]) == ("cancelled", 130)
    for one in (page, other):
        one.locator(BANNER).wait_for(state="detached", timeout=15_000)
        one.close()
    assert not list((slow.home / "landing").glob("*.part"))


def test_collect_all_goes_through_every_pipeline_though_its_tab_is_closed(
    browser: Any, tmp_path: Path
) -> None:
    console, server = start_console(tmp_path)
    try:
        page = opened(browser, console)
        page.locator(".st-key-collect_all button").first.click()
        page.locator(BANNER).wait_for(timeout=15_000)
        page.close()
        run = ended(console, 60)
        assert (run["state"], run["trigger"]) == ("ok", "console")
        assert run["pipelines"] == str(list(PIPELINES)).replace("'", '"')
        page = opened(browser, console)
        assert page.locator(".st-key-collect_all button").first.is_enabled()
        assert "Liquidity is" in page.inner_text("h2")
        page.close()
    finally:
        stop(server)


def test_the_banner_goes_through_the_three_pipelines_and_a_second_tab_starts_nothing(
    browser: Any, leisurely: Console
) -> None:
    page, other = opened(browser, leisurely), opened(browser, leisurely)
    both = [one.locator(".st-key-collect_all button").first for one in (page, other)]
    for button in both:
        button.click(no_wait_after=True)
    seen: list[str] = []
    banners = [one.locator(BANNER) for one in (page, other)]
    for banner in banners:
        banner.wait_for(timeout=15_000)
    give_up = time.monotonic() + 90
    while banners[1].count():
        assert time.monotonic() < give_up, seen
        # Asked for without waiting: it may go away at any moment.
        said = "".join(banners[1].all_inner_texts()[:1])
        named = [name for name in ("Liquidity", "Crypto", "News") if f" {name} ·" in f" {said}"]
        # Before the first step all three are named.
        if len(named) == 1 and named != seen[-1:] and " + " not in said:
            seen += named
        time.sleep(0.2)
    assert seen == ["Liquidity", "Crypto", "News"]
    run = ended(leisurely, 5)
    assert len([one for one in runs(leisurely) if one["reason"] != "busy"]) == 1
    assert run["outcomes"] == '{"liquidity": "ok", "crypto": "ok", "news": "ok"}'
    # What was collected is on both pages without a click.
    for one in (page, other):
        one.locator('h2:has-text("Liquidity is")').wait_for(timeout=15_000)
        one.close()
