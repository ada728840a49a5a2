"""The page News in a real browser: the brief leads to its rows, search and topics narrow the stories, and a
picked one shows who told it."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import CHROMIUM, Console, Visit, shoot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="NO BROWSER TESTS: no Chromium was found on PATH"),
]
Opener = Callable[..., Visit]
COUNTED = re.compile(r"\d+ stor(y|ies) of 7 days")


@pytest.fixture(scope="module")
def collected(console: Console) -> Console:
    """A console with a demo collection of everything."""
    console.collect("all")
    return console


def stories(visit: Visit) -> int:
    """How many stories the list counts."""
    said = visit.page.get_by_text(COUNTED).first
    said.wait_for(timeout=15_000)
    return int(said.inner_text().split()[0].replace(",", ""))


def narrowed(visit: Visit, before: int) -> int:
    """The count, once it is another one than before."""
    for _try in range(50):
        if visit.page.get_by_text(COUNTED).count() and (now := stories(visit)) != before:
            return now
        visit.page.wait_for_timeout(200)
    raise AssertionError("the list stayed as it was")


@pytest.mark.parametrize(("phone", "dark", "language"), [(False, False, "en"), (True, True, "ko")])
def test_it_draws_whole(
    open_page: Opener, collected: Console, phone: bool, dark: bool, language: str
) -> None:
    visit = open_page(f"/news?lang={language}", dark=dark, phone=phone)
    visit.page.get_by_text("아침 브리핑" if language == "ko" else "Morning brief").first.wait_for(
        timeout=15_000
    )
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(visit.page, f"news_{language}_{'phone' if phone else 'wide'}")
    visit.clean()


def test_search_and_topics_narrow_the_list_and_come_back(open_page: Opener, collected: Console) -> None:
    visit = open_page("/news")
    every = stories(visit)
    search = visit.page.get_by_label("Search").first
    search.fill("bitcoin")
    search.press("Enter")
    found = narrowed(visit, every)
    assert 0 < found < every
    search.fill("")
    search.press("Enter")
    assert narrowed(visit, found) == every
    visit.page.get_by_role("button", name="Korea", exact=True).click()
    assert 0 < narrowed(visit, every) < every
    visit.clean()


def test_a_sentence_of_the_brief_leads_to_its_row_and_back(open_page: Opener, collected: Console) -> None:
    visit = open_page("/news")
    visit.page.locator('[class*="st-key-brief_stress"] a').first.click()
    visit.page.wait_for_url(re.compile(r"/liquidity"), timeout=15_000)
    visit.page.get_by_text("Liquidity is").first.wait_for(timeout=15_000)
    visit.clean()


def test_a_story_of_the_brief_shows_who_told_it(open_page: Opener, collected: Console) -> None:
    visit = open_page("/news")
    visit.page.locator('[class*="st-key-brief_stories"] a[href*="story="]').first.click()
    visit.page.wait_for_url(re.compile(r"story="), timeout=15_000)
    card = visit.page.locator(".st-key-story")
    card.get_by_text(re.compile("told by")).wait_for(timeout=15_000)
    links: list[Any] = card.locator("a").all()
    assert links and all((link.get_attribute("href") or "").startswith("http") for link in links)
    visit.page.reload()
    visit.ready().page.locator(".st-key-story").wait_for(timeout=15_000)
    visit.clean()


def test_the_overviews_brief_leads_there_too(open_page: Opener, collected: Console) -> None:
    visit = open_page("/")
    link = visit.page.locator('.small-brief a.row[href*="coins="]').first
    assert "collected" in (link.get_attribute("title") or "")
    link.click()
    visit.page.wait_for_url(re.compile(r"/crypto\?coins="), timeout=15_000)
    visit.ready()
    visit.clean()
