"""The Liquidity page in a real browser: whole in both themes, sizes and languages, by its address, without a
FRED key, and with a store that nobody could bring anything to since yesterday.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import CHROMIUM, ROOT, Console, Visit, shoot, sized, start_console, stop
from tests.upstream import FakeUpstream

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="NO BROWSER TESTS: no Chromium was found on PATH"),
]
CHARTS = 6
Opener = Callable[..., Visit]


@pytest.fixture(scope="module", autouse=True)
def collected(console: Console) -> None:
    """Eight years of the demo's stress."""
    console.collect("liquidity")


def drawn(visit: Visit) -> Visit:
    """Waits for every chart."""
    return visit.charted(CHARTS)


@pytest.mark.parametrize(
    ("dark", "phone", "language"),
    [
        (False, False, "en"),
        (True, False, "en"),
        (False, True, "en"),
        (True, True, "ko"),
        (False, False, "ko"),
    ],
    ids=["light-1440-en", "dark-1440-en", "light-390-en", "dark-390-ko", "light-1440-ko"],
)
def test_it_draws_whole_in_every_theme_size_and_language(
    open_page: Opener, dark: bool, phone: bool, language: str
) -> None:
    visit = drawn(open_page(f"/liquidity?lang={language}", dark=dark, phone=phone))
    visit.fits(dark)
    shoot(visit.page, f"liquidity_{'390' if phone else '1440'}_{'dark' if dark else 'light'}_{language}")
    visit.clean()


def test_the_address_is_the_range_and_a_click_is_the_address(open_page: Opener) -> None:
    visit = drawn(open_page("/liquidity?range=90D&show=percentile"))
    assert visit.page.get_by_text("percentile", exact=False).count() > 0
    visit.page.get_by_role("radio", name="5Y").or_(visit.page.get_by_text("5Y", exact=True)).first.click()
    visit.page.wait_for_url("**range=5Y**", timeout=15_000)
    assert "show=percentile" in visit.page.url
    drawn(visit).clean()


@pytest.mark.parametrize(
    "rubbish",
    [
        "range=%3Cscript%3E&day=yesterday&show=%00",
        "range=90D&range=1Y&day=1900-01-01&known=2999-01-01&series=%00",
    ],
)
def test_an_address_with_rubbish_is_the_default(open_page: Opener, rubbish: str) -> None:
    drawn(open_page(f"/liquidity?{rubbish}")).clean()


def test_the_overview_begins_with_the_index_and_leads_to_it(open_page: Opener) -> None:
    visit = open_page("/")
    assert "Liquidity is" in visit.page.inner_text("h2")
    shoot(visit.page, "overview_with_stress")
    visit.page.get_by_text("Take it apart").first.click()
    visit.page.wait_for_url("**/liquidity**", timeout=15_000)
    drawn(visit).clean()


def collect(home: Path, up: FakeUpstream) -> int:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COLLECTOR_", "FRED_"))}
    environment = {**kept, **up.env(), "COLLECTOR_HOME": str(home), "COLLECTOR_PACE_S": "0"}
    environment["COLLECTOR_REQUEST_TIMEOUT_S"] = "2"
    command = [sys.executable, str(ROOT / "collect.py"), "liquidity"]
    return subprocess.run(command, env=environment, capture_output=True, timeout=90).returncode


def test_without_a_key_and_with_everything_down_the_last_index_stays_and_says_so(
    browser: Any, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    # So old that the next values are out and an hour past their turn.
    with FakeUpstream(clock=datetime.now(UTC) - timedelta(days=6)) as up:
        assert collect(home, up) == 0
        up.down()
        assert collect(home, up) == 3
    console, server = start_console(home, COLLECTOR_DEMO="0")
    try:
        visit = Visit(sized(browser, 1440, 900))
        visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
        visit.page.goto(f"{console.url}/liquidity")
        text = visit.ready().text()
        assert "FRED_API_KEY" in text
        assert "21 points" in text
        assert "stale" in text.lower()
        shoot(visit.page, "liquidity_stale_without_key")
        visit.clean()
        visit.page.close()
    finally:
        stop(server)
