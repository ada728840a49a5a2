"""The crypto page in a real browser: it draws in both themes, sizes and languages, and rows pick coins."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.conftest import CHROMIUM, READY, Console, Visit, shoot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="NO BROWSER TESTS: no Chromium was found on PATH"),
]
CHARTS = 7
Opener = Callable[..., Visit]


@pytest.fixture(scope="module", autouse=True)
def collected(console: Console) -> None:
    """A year of the demo market."""
    console.collect()


def drawn(visit: Visit) -> Visit:
    """Waits for every chart."""
    return visit.charted(CHARTS)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("phone", [False, True], ids=["1440", "390"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_draws_whole_in_every_theme_size_and_language(
    open_page: Opener, dark: bool, phone: bool, language: str
) -> None:
    visit = drawn(open_page(f"/crypto?lang={language}", dark=dark, phone=phone))
    visit.fits(dark)
    shoot(visit.page, f"crypto_{'390' if phone else '1440'}_{'dark' if dark else 'light'}_{language}")
    visit.clean()


def test_the_address_is_the_chart(open_page: Opener) -> None:
    visit = drawn(open_page("/crypto?coins=bitcoin,ethereum&range=1Y&rebased=1"))
    # Another chart may be drawn before it.
    prices = visit.page.locator(".js-plotly-plot .infolayer", has_text="BTC").first
    prices.wait_for(state="attached", timeout=15_000)
    assert "ETH" in prices.text_content()
    visit.page.get_by_role("radio", name="30D").or_(visit.page.get_by_text("30D", exact=True)).first.click()
    visit.page.wait_for_url("**range=30D**", timeout=15_000)
    assert "coins=bitcoin" in visit.page.url and "rebased=1" in visit.page.url
    visit.clean()


def test_ticked_rows_are_the_coins_of_the_chart(open_page: Opener) -> None:
    visit = drawn(open_page("/crypto"))
    table = visit.page.locator(".st-key-crypto_table [data-testid=stDataFrame]")
    table.scroll_into_view_if_needed()
    # The grid is a canvas: header and rows are 30 px high, the tick is at the left.
    for row in (2, 7):
        table.click(position={"x": 16, "y": 35 + 30 * (row - 1) + 15 - 5})
        visit.page.wait_for_selector(READY, timeout=15_000)
        visit.page.wait_for_timeout(500)
    # Bitcoin was there before and stays.
    visit.page.wait_for_url("**coins=bitcoin**ethereum**solana**", timeout=15_000)
    table.click(position={"x": 16, "y": 45})
    visit.page.wait_for_url("**coins=ethereum**solana**", timeout=15_000)
    visit.page.wait_for_selector(READY, timeout=15_000)
    assert "bitcoin" not in visit.page.url
    visit.clean()


def test_a_coin_of_the_address_is_ticked_and_unticking_the_last_one_is_the_default(open_page: Opener) -> None:
    visit = drawn(open_page("/crypto?coins=ethereum"))
    table = visit.page.locator(".st-key-crypto_table [data-testid=stDataFrame]")
    table.scroll_into_view_if_needed()
    table.click(position={"x": 16, "y": 45})
    visit.page.wait_for_url("**coins=ethereum**bitcoin**", timeout=15_000)
    visit.page.wait_for_selector(READY, timeout=15_000)
    visit.page.wait_for_timeout(500)
    for row in (1, 2):
        table.click(position={"x": 16, "y": 35 + 30 * (row - 1) + 15 - 5})
        visit.page.wait_for_selector(READY, timeout=15_000)
        visit.page.wait_for_timeout(700)
    assert "coins=" not in visit.page.url
    visit.clean()


def test_a_ninth_ticked_row_is_refused_with_a_word(open_page: Opener) -> None:
    visit = drawn(open_page("/crypto"))
    table = visit.page.locator(".st-key-crypto_table [data-testid=stDataFrame]")
    table.scroll_into_view_if_needed()
    # The tick of the head: all twenty rows.
    table.click(position={"x": 16, "y": 15})
    visit.page.wait_for_selector("text=At most 8 coins fit on the chart", timeout=15_000)
    visit.page.wait_for_url("**coins=**", timeout=15_000)
    assert len(visit.page.url.split("coins=")[1].split("%2C")) == 8
    visit.clean()


def test_a_chart_leaves_as_csv_with_its_provenance(open_page: Opener) -> None:
    visit = drawn(open_page("/crypto?range=7D"))
    with visit.page.expect_download() as waiting:
        visit.page.locator(".st-key-csv_prices button:visible").first.click()
    lines = Path(waiting.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert waiting.value.suggested_filename == "crypto_prices.csv"
    assert {"coin", "date", "price", "source", "run_id", "observed_at", "provisional"} <= set(
        lines[0].split(",")
    )
    assert len(lines) > 3 and all(",DEMO," in line for line in lines[1:])
    visit.clean()
