"""The old page in a real browser, from file:// and served under the console's policy.

Nothing leaves the machine: every request that is not the page's own folder or its local server is
blocked and counted, and the count must stay empty.
"""

import base64
import hashlib
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.browser import export_samples as samples
from tests.browser.conftest import shoot

playwright_api = pytest.importorskip("playwright.sync_api", reason="NO BROWSER TESTS: no playwright")
plotly = pytest.importorskip("plotly", reason="NO BROWSER TESTS: plotly is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="NO BROWSER TESTS: no Chromium was found on PATH"),
]
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "crypto_trends.html"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
both_ways = pytest.mark.parametrize("served", [False, True], ids=["file", "served"])
CHARTS = ("prices", "tvl", "greed", "dominance")


def policy() -> str:
    """The header the console sends with the page: one inline script, named by its hash, and nothing else."""
    (script,) = re.findall(r"<script>(.*?)</script>", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


class Served(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", policy())
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """The test reads the browser's log instead."""


@dataclass
class Visit:
    """One opened page and what the browser complained about."""

    page: Any
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def text(self) -> str:
        return str(self.page.inner_text("body"))

    def drawn(self) -> "Visit":
        for chart in CHARTS:
            line = f"#{chart} .js-plotly-plot .scatterlayer path.js-line"
            self.page.wait_for_selector(line, state="attached", timeout=20_000)
        return self

    def clean(self) -> "Visit":
        assert self.errors == [] and self.outside == []
        assert self.page.evaluate("window.__pwned") is None
        assert not re.search(r"NaN|undefined|\bnull\b|Infinity|\[object|Invalid Date", self.text())
        links = "all => all.map(a => a.getAttribute('href') + ' ' + a.rel)"
        for href in self.page.eval_on_selector_all("a", links):
            assert re.fullmatch(r"/ |https://[^@\s]+ noopener noreferrer", href), href
        return self


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright_api.sync_playwright() as api:
        browser = api.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as the export leaves it: the page and plotly.min.js; the test writes the data."""
    shutil.copy(PAGE, tmp_path)
    shutil.copy(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", tmp_path)
    return tmp_path


@pytest.fixture
def visit(chromium: Any, folder: Path) -> Iterator[Any]:
    """`visit(query, served=…, width=…, scheme=…)` opens the page; outside requests are blocked."""
    opened: list[Any] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Served, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    own = (f"http://127.0.0.1:{server.server_port}/", folder.as_uri() + "/", "data:", "blob:")

    def open_page(
        query: str = "?lang=en", *, served: bool = False, width: int = 1440, scheme: str = "light"
    ) -> Visit:
        size = {"width": width, "height": 900}
        context = chromium.new_context(viewport=size, color_scheme=scheme, locale="en-US")
        opened.append(context)
        seen = Visit(context.new_page())
        context.route(lambda url: not url.startswith(own), lambda route: route.abort())
        seen.page.on(
            "requestfailed", lambda asked: asked.url.startswith(own) or seen.outside.append(asked.url)
        )
        seen.page.clock.set_fixed_time(samples.NOW)
        seen.page.on("pageerror", lambda error: seen.errors.append(f"error: {error}"))
        seen.page.on("console", lambda m: "Failed to load" in m.text or seen.errors.append(m.text))
        seen.page.goto((own[0] if served else own[1]) + "crypto_trends.html" + query)
        seen.page.wait_for_selector("h1")
        return seen

    yield open_page
    for context in opened:
        context.close()
    server.shutdown()
    server.server_close()


@both_ways
def test_a_healthy_export_draws_every_chart_and_table(folder: Path, visit: Any, served: bool) -> None:
    samples.write(folder / "data" / "exports", samples.healthy())
    shutil.move(folder / "plotly.min.js", folder / "data" / "exports")
    seen = visit(served=served).drawn().clean()
    said = seen.text()
    assert "Data as of 22 Nov 2026" in said
    assert "23 Nov, 06:01 KST · 22 Nov, 21:01 UTC" in said and samples.RUN_ID in said
    assert seen.page.locator("#coins tbody tr").count() == 20
    assert seen.page.locator("#protocols tbody tr").count() == 30
    assert seen.page.locator("#coins tbody svg path").count() == 20
    assert ("python scripts/start.py" in said) is not served
    assert seen.page.locator("a.go[href='/']").count() == int(served)
    for name in ("CoinGecko", "DefiLlama", "alternative.me"):
        assert seen.page.locator(f"a:has-text('Data provided by {name}')").count() >= 2


def test_changes_come_from_the_recorded_days_and_a_missing_day_is_a_dash(folder: Path, visit: Any) -> None:
    first, second = samples.coin(0), samples.coin(1)
    days = [["2026-10-23", 88.0], ["2026-11-15", 100.0], ["2026-11-22", 110.0]]
    first.update(price=110.0, change_24h=-2.5, history=days)
    second.update(price=3.0, change_24h=None, history=[["2026-11-14", 2.0], ["2026-11-22", 3.0]])
    samples.write(folder, samples.healthy(coins=[first, second]))
    rows = visit().drawn().clean().page.locator("#coins tbody tr").all_inner_texts()
    assert rows[0].split("\t")[2:6] == ["$110.00", "↓ −2.50%", "↑ +10.00%", "↑ +25.00%"]
    assert rows[1].split("\t")[2:6] == ["$3.00", "–", "–", "–"]


def test_missing_days_are_hatched_and_never_bridged(folder: Path, visit: Any) -> None:
    samples.write(folder, samples.healthy())
    page = visit().drawn().page
    assert "Hatched: days without a record (4), not bridged" in page.inner_text("#prices")
    assert page.locator("#prices .barlayer .point").count() == 1
    assert page.locator("#prices .scatterlayer path.js-line").count() == 2
    assert (page.get_attribute(".kpi:nth-child(3) svg path", "d") or "").count("M") == 2


ZONES = {
    0: "Extreme Fear",
    25: "Extreme Fear",
    26: "Fear",
    46: "Fear",
    47: "Neutral",
    54: "Neutral",
    55: "Greed",
}
ZONES |= {75: "Greed", 76: "Extreme Greed"}


@pytest.mark.parametrize(("value", "zone"), ZONES.items())
def test_fear_and_greed_without_its_label_is_named_by_its_zone(
    folder: Path, visit: Any, value: int, zone: str
) -> None:
    row = {"date": str(samples.AS_OF), "fear_greed_index": value}
    samples.write(folder, samples.healthy(metrics=[row], coins=[], protocols=[]))
    (folder / "plotly.min.js").unlink()
    seen = visit().clean()
    assert seen.page.inner_text(".kpi:nth-child(4) .value") == f"{value} · {zone}"


def test_choosing_coins_and_range_redraws_and_stays_in_the_address(folder: Path, visit: Any) -> None:
    samples.write(folder, samples.healthy())
    seen = visit(served=True).drawn()
    seen.page.click("[data-key='coin-ethereum']")
    seen.page.click("[data-key='range-1Y']")
    seen.page.click("[data-key='log']")
    assert seen.page.locator("#prices .scatterlayer .trace").count() == 2
    assert "rebased to 100 on 23 Nov 2025" in seen.page.inner_text("#prices")
    assert re.search(r"range=1Y&coins=bitcoin%2Cethereum&log=1", seen.page.url)
    assert seen.page.evaluate("document.activeElement.dataset.key") == "log"
    seen.clean()


@both_ways
def test_without_plotly_the_tables_still_show(folder: Path, visit: Any, served: bool) -> None:
    samples.write(folder, samples.healthy())
    (folder / "plotly.min.js").unlink()
    seen = visit(served=served)
    seen.page.wait_for_selector("text=The charts need plotly.min.js")
    seen.errors = [said for said in seen.errors if "plotly.min.js" not in said]
    assert seen.clean().page.locator("#coins tbody tr").count() == 20


@both_ways
@pytest.mark.parametrize("case", samples.UNREADABLE)
def test_an_unreadable_export_is_a_message_with_the_command(
    folder: Path, visit: Any, case: str, served: bool
) -> None:
    text, head, command = samples.UNREADABLE[case]
    if text is not None:
        samples.write(folder, text)
    said = visit(served=served).clean().text()
    assert head in said and command in said
    assert ("data/demo/exports/" in said) is (case == "missing")


def test_without_an_export_the_console_is_still_one_click_away(visit: Any) -> None:
    seen = visit(served=True).clean()
    assert "There is no export yet" in seen.text()
    assert [link.get_attribute("href") for link in seen.page.locator("a.go").all()] == ["/", "/"]


DRAWN_DAYS = "document.querySelector('#tvl .js-plotly-plot').data.at(-1).x.slice()"


@pytest.mark.parametrize(("span", "first"), [("7D", "2026-11-15"), ("90D", "2026-08-24")])
def test_a_range_is_as_long_as_on_the_console(folder: Path, visit: Any, span: str, first: str) -> None:
    samples.write(folder, samples.healthy())
    page = visit(f"?lang=en&range={span}").drawn().clean().page
    days = page.evaluate(DRAWN_DAYS)
    assert (days[0], days[-1]) == (first, "2026-11-22")
    labels = page.locator("#tvl .xtick text").all_text_contents()
    assert len(set(labels)) == len(labels) > 2


def test_the_change_of_the_ranking_is_marked_where_coins_are_compared(folder: Path, visit: Any) -> None:
    samples.write(folder, samples.healthy())
    seen = visit("?lang=en&coins=bitcoin,ethereum&range=1Y").drawn().clean()
    assert "CoinGecko's ranking changes" in seen.page.text_content("#prices .infolayer")
    seen = visit("?lang=en&coins=bitcoin&range=1Y").drawn().clean()
    assert "ranking" not in seen.page.text_content("#prices .infolayer")


def test_a_server_that_answers_unknown_paths_with_a_page_has_no_export(folder: Path, visit: Any) -> None:
    (folder / "crypto_trends.json").write_text("<!DOCTYPE html><title>console</title>", encoding="utf-8")
    assert "There is no export yet" in visit(served=True).clean().text()


def test_not_a_number_is_refused_as_json_and_a_dash_in_the_script(folder: Path, visit: Any) -> None:
    text = samples.WHOLE.replace('"price": 97412.0', '"price": NaN', 1)
    samples.write(folder, text.replace('"tvl": 26100000000.0', '"tvl": -Infinity', 1))
    assert "The export cannot be read" in visit(served=True).clean().text()
    assert visit().drawn().clean().page.inner_text("#coins tbody tr:first-child td:nth-child(3)") == "–"


def test_a_broken_export_beside_a_good_one_is_named(folder: Path, visit: Any) -> None:
    samples.write(folder, samples.WHOLE[:900])
    samples.write(folder / "exports", samples.healthy())
    shutil.copy(folder / "plotly.min.js", folder / "exports")
    said = visit().drawn().clean().text()
    assert "./crypto_trends.js could not be read; shown is exports/crypto_trends.js" in said


@both_ways
@pytest.mark.parametrize("case", samples.HOSTILE)
def test_a_hostile_export_is_shown_as_text_and_dashes(
    folder: Path, visit: Any, case: str, served: bool
) -> None:
    build, said = samples.HOSTILE[case]
    samples.write(folder, build())
    seen = visit(served=served)
    # promised within 3 s; three times that here, for machines that do other work
    assert seen.page.evaluate("performance.now()") < 9_000
    for chart in CHARTS:
        seen.page.wait_for_selector(f"#{chart} .chart:not(:text('Loading'))")
    assert said in seen.clean().text()
    longest = (
        "Math.max(0, ...[...document.querySelectorAll('bdi')].map(n => Array.from(n.textContent).length))"
    )
    assert seen.page.evaluate(longest) <= 80
    assert seen.page.evaluate("({}).polluted === undefined && document.querySelector('img') === null")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 1440


def test_numbers_that_cannot_be_are_dashes(folder: Path, visit: Any) -> None:
    samples.write(folder, samples.odd_values())
    page = visit().clean().page
    cells = [row.split("\t") for row in page.locator("#coins tbody tr").all_inner_texts()]
    odd = [row for row in cells if row[0] == "–"]
    # null, "12", true, [] and {} have no rank; 0 and -5 are below one, 1e18 is above any
    assert len(odd) == 8 and all(row[2:8] == ["–"] * 6 for row in odd)
    assert "Data as of 22 Nov 2026" in page.inner_text("body")


def test_a_request_to_another_site_would_be_seen(folder: Path, visit: Any) -> None:
    samples.write(folder, samples.healthy())
    seen = visit()
    seen.page.evaluate("fetch('http://127.0.0.1:9/elsewhere').catch(() => 0)")
    assert seen.outside == ["http://127.0.0.1:9/elsewhere"]


def test_a_demo_export_says_so_and_does_not_pass_for_market_data(folder: Path, visit: Any) -> None:
    samples.write(folder, samples.healthy(demo=True))
    said = visit().drawn().clean().text()
    assert "DEMO: every number on this page is invented" in said
    assert "Invented numbers. Live: Data provided by CoinGecko" in said.replace("\xa0", " ")


def test_an_export_of_last_week_says_its_age(folder: Path, visit: Any) -> None:
    samples.write(folder, samples.healthy(generated_at="2026-11-15T21:01:09Z"))
    assert "This export is 7.0 days old" in visit().clean().text()


CONTRAST = """() => {
  const rgb = s => s.match(/[0-9.]+/g).map(Number);
  const line = v => v <= 10.31 ? v / 3294.6 : ((v / 255 + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * line(r) + .7152 * line(g) + .0722 * line(b);
  const solid = n => { const c = rgb(getComputedStyle(n).backgroundColor); return c.length < 4 || c[3] > 0; };
  const ground = n => { while (!solid(n)) n = n.parentElement; return getComputedStyle(n).backgroundColor; };
  const spoken = n => [...n.childNodes].some(c => c.nodeType === 3 && c.data.trim());
  const ratio = n => {
    const pair = [light(rgb(getComputedStyle(n).color)), light(rgb(ground(n)))];
    return (Math.max(...pair) + .05) / (Math.min(...pair) + .05);
  };
  const texts = [...document.querySelectorAll("#page *")].filter(n => !n.closest("svg, [disabled]"));
  const weak = texts.filter(n => spoken(n) && ratio(n) < 4.5);
  return weak.map(n => n.className + " " + n.textContent.slice(0, 30));
}"""


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_look_fits_its_width_and_can_be_read(
    folder: Path, visit: Any, width: int, scheme: str, lang: str
) -> None:
    samples.write(folder, samples.healthy(demo=lang == "ko"))
    query = f"?lang={lang}&coins=bitcoin,ethereum,solana" + "&up=red" * (lang == "ko")
    seen = visit(query, width=width, scheme=scheme, served=True)
    seen.drawn().clean()
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width
    assert seen.page.evaluate(CONTRAST) == []
    assert ("시가총액 상위 20" in seen.text()) is (lang == "ko")
    shoot(seen.page, f"crypto_trends_{width}_{scheme}_{lang}")


LOOK = "[document.documentElement.lang, document.documentElement.dataset.theme]"


def test_language_and_theme_switch_in_place_and_are_remembered(folder: Path, visit: Any) -> None:
    samples.write(folder, samples.healthy())
    seen = visit("", served=True).drawn()
    seen.page.click("#lang-ko")
    seen.page.click("#theme")
    assert seen.page.evaluate(LOOK) == ["ko", "dark"]
    seen.page.reload()
    seen.drawn().clean()
    assert seen.page.evaluate(LOOK) == ["ko", "dark"]


def test_the_korean_catalogue_has_every_english_text_with_the_same_places() -> None:
    catalogues = r"const TEXTS = \{\n  en: \{(.*?)\n  \},\n  ko: \{(.*?)\n  \}\n\};"
    both = re.search(catalogues, PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert both is not None
    english, korean = (dict(re.findall(r'(\w+): "([^"]*)"', part)) for part in both.groups())
    assert english.keys() == korean.keys() and len(english) > 90
    for key, said in english.items():
        assert sorted(re.findall(r"\{\w+\}", said)) == sorted(re.findall(r"\{\w+\}", korean[key])), key
