"""The console in a real browser: it draws, it collects once, and nothing leaves the machine."""

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage import ledger
from storage.settings import Settings
from tests.browser.conftest import (
    CHROMIUM,
    READY,
    ROOT,
    Console,
    Visit,
    free_port,
    shoot,
    sized,
    start_console,
    stop,
)

# The button on the card of crypto.
COLLECT = ".st-key-collect_crypto button"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="NO BROWSER TESTS: no Chromium was found on PATH"),
]
Opener = Callable[..., Visit]


def runs(console: Console) -> list[ledger.RunRecord]:
    """What the console's ledger holds, newest first."""
    return ledger.runs(Settings(COLLECTOR_HOME=str(console.home), COLLECTOR_DEMO=True))


# These run in the order in which they stand: the first finds an empty home, the second fills it.


def test_an_empty_home_says_what_to_press(open_page: Opener, console: Console) -> None:
    visit = open_page("/")
    assert "never collected" in visit.text() and "Press Collect now" in visit.text()
    assert "An invented market" in visit.text()
    shoot(visit.page, "overview_empty", whole=False)
    visit.clean()


def test_collect_now_fills_the_page_and_a_second_click_starts_nothing(
    open_page: Opener, console: Console
) -> None:
    other_tab, visit = open_page("/"), open_page("/")
    visit.page.locator(COLLECT).click()
    # Drawn before the run began, so that its button can still be pressed.
    other_tab.page.locator(COLLECT).click()
    toast = visit.page.locator('[data-testid="stToast"]')
    toast.wait_for(timeout=30_000)
    assert "inserted" in toast.first.inner_text() and "updated" in toast.first.inner_text()
    visit.page.locator(".stMarkdownBadge", has_text="fresh").first.wait_for(timeout=15_000)
    visit.page.wait_for_selector('[data-testid="stMetric"]', timeout=15_000)
    # Nobody has asked for the other two pipelines yet.
    card = visit.page.locator('[data-testid="stVerticalBlock"]:has(.st-key-collect_crypto)').last.inner_text()
    assert "Crypto" in card and "Liquidity" not in card and "never collected" not in card
    (run,) = runs(console)
    assert (run.trigger, run.state) == ("console", "ok")
    visit.clean()
    other_tab.clean()


def test_a_double_click_starts_one_run_and_the_banner_counts_it(open_page: Opener, console: Console) -> None:
    before = len(runs(console))
    visit = open_page("/")
    visit.page.locator(COLLECT).dblclick()
    banner = visit.page.locator(".st-key-running")
    banner.wait_for(timeout=10_000)
    assert "started by this console" in banner.inner_text()
    shoot(visit.page, "overview_running", whole=False)
    # The page is left while the run is on; its end is told on the other one.
    visit.page.get_by_role("link", name="Runs").click()
    toast = visit.page.locator('[data-testid="stToast"]', has_text="unchanged")
    toast.wait_for(timeout=30_000)
    assert len(runs(console)) == before + 1
    visit.clean()


@pytest.mark.parametrize(
    ("page", "language", "phone", "dark"),
    [
        ("overview", "en", False, False),
        ("overview", "en", False, True),
        ("overview", "en", True, False),
        ("overview", "ko", False, False),
        ("overview", "ko", True, True),
        ("runs", "en", False, False),
        ("runs", "en", True, True),
        ("runs", "ko", False, True),
        ("system", "en", False, False),
        ("system", "en", True, True),
        ("system", "ko", False, True),
    ],
)
def test_a_page_looks_as_it_should(
    open_page: Opener, console: Console, page: str, language: str, phone: bool, dark: bool
) -> None:
    if not runs(console):
        console.collect()
    path = f"/{'' if page == 'overview' else page}?lang={language}"
    visit = open_page(path, dark=dark, phone=phone)
    shoot(
        visit.page,
        f"{page}_{language}_{'phone' if phone else 'wide'}_{'dark' if dark else 'light'}",
        whole=False,
    )
    wider = visit.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wider <= 0
    # The first thing on the page begins right under the navigation, once it stands: no dead space.
    first = "document.querySelector('.st-key-demo')?.getBoundingClientRect().y < 90"
    visit.page.wait_for_function(first, timeout=10_000)
    visit.clean()


@pytest.mark.parametrize("page", ["/", "/liquidity", "/crypto", "/runs", "/system"])
def test_the_zone_of_the_browser_changes_no_time_and_no_day(
    open_page: Opener, console: Console, page: str
) -> None:
    if not runs(console):
        console.collect()
    visits = [open_page(page, zone=zone) for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago")]
    # The minute of the heading may pass between the two, and charts come when they are ready.
    minute = re.compile(r"\b\d\d:\d\d KST")
    deadline = time.monotonic() + 30
    while True:
        here, there = (minute.sub("", visit.text()) for visit in visits)
        if here == there and len(here) > 200:
            return
        assert time.monotonic() < deadline, (here, there)
        visits[0].page.wait_for_timeout(500)


FAILING = """
import streamlit as st
st.header("Before")
raise RuntimeError("CANARY-7c1e", __file__)
"""


def listening(port: int) -> None:
    """Waits until somebody does."""
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_a_page_that_breaks_tells_the_browser_neither_values_nor_paths(browser: Any, tmp_path: Path) -> None:
    script = tmp_path / "failing.py"
    script.write_text(FAILING)
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        "--server.port",
        str(port),
    ]
    # In the project's folder: its settings are those of every page.
    server = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        listening(port)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector("h2", timeout=30_000)
        page.wait_for_selector('[data-testid="stException"]', timeout=30_000)
        shown = page.content()
        assert "Before" in shown
        assert "CANARY" not in shown and str(tmp_path) not in shown and "failing.py" not in shown
        page.close()
    finally:
        stop(server)


def test_the_cards_of_a_row_are_of_one_height(open_page: Opener, console: Console) -> None:
    if not runs(console):
        console.collect()
    visit = open_page("/")
    boxes = "all => all.map(one => one.closest('[data-testid=stVerticalBlock]').getBoundingClientRect())"
    cards = visit.page.eval_on_selector_all('[data-testid="stMetric"]', boxes)
    assert len(cards) == 4
    assert len({round(card["y"]) for card in cards}) == 1
    assert max(card["height"] for card in cards) - min(card["height"] for card in cards) <= 1


def test_the_language_is_one_click_away_and_stays(open_page: Opener, console: Console) -> None:
    visit = open_page("/")
    visit.page.get_by_role("radio", name="한국어").click()
    visit.page.wait_for_url("**/?lang=ko", timeout=10_000)
    visit.page.locator('[data-testid="stTopNavLinkContainer"] a[href*="/runs"]').click()
    visit.page.wait_for_url("**/runs*", timeout=10_000)
    assert visit.ready().page.get_by_role("radio", name="한국어").get_attribute("aria-checked") == "true"
    visit.clean()


def test_the_language_outlives_another_page_and_a_reload(open_page: Opener, console: Console) -> None:
    visit = open_page("/?lang=ko")
    visit.page.locator('[data-testid="stTopNavLinkContainer"] a[href*="/runs"]').click()
    visit.page.wait_for_url("**/runs?lang=ko", timeout=10_000)
    visit.page.reload()
    assert visit.ready().page.get_by_role("radio", name="한국어").get_attribute("aria-checked") == "true"
    # That the address got its language back may be a step of its own in the history.
    for _step in range(2):
        visit.page.go_back()
        visit.ready()
        if visit.page.url.endswith("/?lang=ko"):
            break
    assert visit.page.url.endswith("/?lang=ko")
    visit.clean()


def test_no_table_offers_a_download_of_its_own(open_page: Opener, console: Console) -> None:
    if not runs(console):
        console.collect()
    visit = open_page("/runs")
    visit.page.locator('[data-testid="stDataFrame"]').first.hover()
    buttons = visit.page.locator('[data-testid="stElementToolbarButton"] button, [aria-label="Search"]')
    buttons.first.wait_for(timeout=10_000)
    assert visit.page.get_by_label("Download as CSV").count() == 0


# Colour of the text of every caption, as it is seen: with the opacity of all that is around it.
CAPTIONS = """() => [...document.querySelectorAll(
  '[data-testid=stCaptionContainer] p, [data-testid=stCaptionContainer] a')].map(one => {
    let seen = 1;
    for (let up = one; up; up = up.parentElement) seen *= parseFloat(getComputedStyle(up).opacity);
    const numbers = text => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
    const ground = numbers(getComputedStyle(document.querySelector('.stApp')).backgroundColor);
    const ink = numbers(getComputedStyle(one).color).map((v, n) => v * seen + ground[n] * (1 - seen));
    const light = rgb => rgb.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
      .reduce((sum, v, n) => sum + v * [.2126, .7152, .0722][n], 0);
    const [low, high] = [light(ink), light(ground)].sort((a, b) => a - b);
    return (high + .05) / (low + .05);
  })"""


@pytest.mark.parametrize("dark", [False, True])
def test_every_caption_can_be_read(open_page: Opener, console: Console, dark: bool) -> None:
    if not runs(console):
        console.collect()
    for path in ("/", "/runs"):
        page = open_page(path, dark=dark).page
        # A page that turns dark fades for a moment: what stays is what is read.
        for _attempt in range(20):
            ratios = page.evaluate(CAPTIONS)
            if len(ratios) > 3 and min(ratios) >= 4.5:
                break
            page.wait_for_timeout(250)
        assert len(ratios) > 3 and min(ratios) >= 4.5


HOLDING = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"


def test_a_page_that_found_the_store_locked_heals_without_a_click(browser: Any, tmp_path: Path) -> None:
    console, server = start_console(tmp_path)
    try:
        console.collect()
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDING, str(tmp_path / "demo" / "console.duckdb")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert holder.stdout is not None and holder.stdout.readline().strip() == b"open"
            page = browser.new_page()
            page.goto(console.url)
            page.locator(".st-key-problem", has_text="Another program").wait_for(timeout=30_000)
        finally:
            holder.communicate(timeout=20)
        page.locator(".stMarkdownBadge", has_text="fresh").first.wait_for(timeout=10_000)
        page.wait_for_selector('[data-testid="stMetric"]', timeout=10_000)
        page.locator(".st-key-problem").wait_for(state="detached", timeout=10_000)
        page.close()
    finally:
        stop(server)


NOWHERE = {f"COLLECTOR_{name}_URL": "http://127.0.0.1:9" for name in ("COINGECKO", "DEFILLAMA", "FEAR_GREED")}


def test_without_a_demo_the_page_stays_where_it_is_and_the_end_is_told_in_full(
    browser: Any, tmp_path: Path
) -> None:
    console, server = start_console(tmp_path, COLLECTOR_DEMO="0", COLLECTOR_PACE_S="0", **NOWHERE)
    try:
        for language, size in (("en", (1440, 900)), ("ko", (390, 844))):
            page = sized(browser, *size)
            page.goto(f"{console.url}/?lang={language}")
            page.wait_for_selector(READY, timeout=30_000)
            heading = page.locator("h2").first
            # What a notice says of a moment before this is not what is looked at here.
            page.locator(".st-key-problem").wait_for(state="detached", timeout=15_000)
            before = heading.bounding_box()["y"]
            page.locator(COLLECT).click()
            page.locator(".st-key-running").wait_for(timeout=10_000)
            page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
            assert abs(heading.bounding_box()["y"] - before) <= 1, page.inner_text(".st-key-notices")
            toast = page.locator('[data-testid="stToast"]')
            toast.wait_for(timeout=60_000)
            page.wait_for_timeout(600)
            assert "coingecko.markets" in toast.inner_text()
            assert toast.locator('[data-testid="stToastViewButton"]').count() == 0
            page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
            assert abs(heading.bounding_box()["y"] - before) <= 1
            shoot(page, f"toast_{language}_{size[0]}", whole=False)
            page.close()
    finally:
        stop(server)


def test_streamlits_own_status_leaves_the_language_free(browser: Any, tmp_path: Path) -> None:
    console, server = start_console(tmp_path)
    page = sized(browser, 1440, 900)
    try:
        page.goto(console.url)
        page.wait_for_selector(READY, timeout=30_000)
    finally:
        stop(server)
    status = page.locator('[data-testid="stStatusWidget"]')
    status.wait_for(timeout=20_000)
    box = status.bounding_box()
    assert box["x"] + box["width"] <= page.locator(".st-key-language").bounding_box()["x"]
    page.close()


def test_the_old_page_draws_when_the_console_serves_it(open_page: Opener, console: Console) -> None:
    if not runs(console):
        console.collect()
    visit = open_page_of(open_page, console, "/crypto_trends.html")
    visit.page.wait_for_selector(
        ".js-plotly-plot .scatterlayer path.js-line", timeout=20_000, state="attached"
    )
    assert visit.errors == [] and visit.outside == []


def open_page_of(open_page: Opener, console: Console, path: str) -> Visit:
    """A page that Streamlit does not draw."""
    visit = open_page("/")
    visit.page.goto(console.url + path)
    return visit


# ---------------------------------------------------------------- without a browser


@pytest.mark.parametrize(
    "path", ["/", "/runs", "/_stcore/health", "/static/js/nothing.js", "/crypto_trends.html"]
)
def test_every_route_has_the_guard_in_front(console: Console, path: str) -> None:
    assert console.get(path, Host="evil.example")[0] == 421
    assert console.get(path, Origin="http://evil.example")[0] == 403
    assert console.get(path, **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert console.get(path)[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 101),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_the_websocket_has_the_guard_in_front(console: Console, headers: dict[str, str], status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", console.port, timeout=10)
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    connection.request("GET", "/_stcore/stream", headers={**upgrade, **headers})
    assert connection.getresponse().status == status
    connection.close()


def test_a_refused_websocket_prints_nothing(tmp_path: Path) -> None:
    heard = tmp_path / "said.txt"
    with heard.open("wb") as said:
        console, server = start_console(tmp_path, said.fileno())
        try:
            for refused in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
                test_the_websocket_has_the_guard_in_front(console, refused, 421 if "Host" in refused else 403)
            time.sleep(0.5)
        finally:
            stop(server)
    assert "handshake" not in heard.read_text()


def test_an_address_below_a_page_leads_home_and_streamlits_own_do_not(console: Console) -> None:
    assert console.get("/runs/abc")[0] == console.get("/app/static/x")[0] == 302
    assert console.get("/_stcore/health") == (200, b"ok")
    assert console.get("/crypto/_stcore/health")[0] == 404
    assert console.get("/crypto")[0] == console.get("/favicon.png")[0] == 200


def test_only_this_machine_is_listened_on(console: Console) -> None:
    if not os.path.exists("/proc/net/tcp"):
        pytest.skip("NOT CHECKED: the list of listeners is read from /proc, which is Linux's")
    port = f"{console.port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {line[1] for line in lines if line[3] == "0A" and line[1].endswith(f":{port}")}
    assert listening == {f"0100007F:{port}"}
