"""The page News: the brief, the stories by search and topic, and what feeds may not do to it."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages._view import news_parts
from storage import read_news
from storage.clauses import Clause
from storage.read_news import Brief
from storage.settings import ROOT, load
from storage.texts import speaking

NOW = pd.Timestamp("2026-11-24 00:00", tz="UTC")
HOSTILE = "<b>x</b> [a](javascript:alert(1)) :material/home: $a$"


@pytest.fixture(autouse=True)
def english(home: Path) -> Any:
    with speaking("en"):
        yield


def story(n: int, title: str = "Yields climb", **more: Any) -> dict[str, Any]:
    """A story that was told `n` hours before NOW."""
    told = NOW - pd.Timedelta(hours=n)
    return {
        "story": f"news-{n}", "id": f"news-{n}", "published_at": told, "newest": told, "title": title,
        "link": f"https://example.com/{n}", "outlet": "Desk", "topics": "rates", "provisional": False,
        "items": 1, "outlets": 1, "outlet_names": "Desk", "mentions": "SPY", "tone": 0.0, **more,
    }  # fmt: skip


def stories(*given: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(given))


def visit(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages" / "_frame.py"), default_timeout=30)
    for name, value in query.items():
        at.query_params[name] = value
    at.run().switch_page("news.py").run()
    assert not at.exception
    return at


@pytest.fixture
def filled(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a demo collection of everything in order."""
    monkeypatch.setenv("COLLECTOR_DEMO", "1")
    command = [sys.executable, str(ROOT / "collect.py"), "news", "--demo"]
    assert subprocess.run(command, timeout=120).returncode == 0
    return home


def test_the_headline_counts_a_day_and_names_what_it_is_about() -> None:
    told = stories(story(1), story(2), story(3, topics="crypto"), story(30, topics="korea"))
    assert news_parts.headline(told, NOW) == "3 stories in the last 24 hours, most about Rates"
    assert news_parts.headline(stories(story(30)), NOW) == "No news of the last 24 hours"
    assert news_parts.headline(read_news.nothing().stories, NOW) == "No news yet"
    assert news_parts.headline(stories(story(1, topics=None)), NOW) == "1 story in the last 24 hours"


@pytest.mark.parametrize(
    ("words", "topics", "kept"),
    [
        ("", [], [1, 2, 3]),
        ("YIELDS", [], [1]),
        ("climb desk", [], [1]),
        ("climb echo", [], []),
        ("005930", [], [3]),
        ("(", [], []),
        ("", ["crypto", "korea"], [2, 3]),
        ("삼성", ["korea"], [3]),
        ("삼성", ["rates"], []),
    ],
)
def test_search_and_topics_leave_the_stories_that_fit(words: str, topics: list[str], kept: list[int]) -> None:
    told = stories(
        story(1),
        story(2, "Bitcoin falls", topics="crypto", mentions="coin:bitcoin"),
        story(3, "삼성전자 강세", topics="korea tech", mentions="005930", outlet_names=None),
    )
    assert list(news_parts.chosen(told, words, topics)["id"]) == [f"news-{n}" for n in kept]


def test_stories_are_read_newest_first_with_words_for_topics_and_no_dangerous_link() -> None:
    told = stories(
        story(5, link="javascript:alert(1)", provisional=True),
        story(1, topics="rates nonsense", mentions="SPY coin:bitcoin", outlets=3),
    )
    table = news_parts.shown(told)
    assert list(table["outlets"]) == [3, 1]
    assert list(table["topics"]) == ["Rates", "Rates"]
    assert table["mentions"][0] == "SPY bitcoin"
    assert table["link"][0] == "https://example.com/1" and pd.isna(table["link"][1])
    assert list(table["note"]) == ["", "first seen"]


@pytest.mark.parametrize(
    ("table", "key", "page", "query"),
    [
        ("stress_index", {"date": "2026-11-20"}, "liquidity.py", {"day": "2026-11-20"}),
        ("stress_module", {"date": "2026-11-20", "module": "rates"}, "liquidity.py", {"day": "2026-11-20"}),
        ("stress_index", {}, "liquidity.py", {}),
        ("crypto_price", {"coin": "solana", "date": "2026-11-20"}, "crypto.py", {"coins": "solana"}),
        ("crypto_price", {"date": "2026-11-20"}, "crypto.py", {}),
        ("observation", {"series": "defillama.total_tvl", "date": "2026-11-20"}, "crypto.py", {}),
        ("news_item", {"id": "news-1"}, "news.py", {"story": "news-1"}),
        ("news_item", {}, "news.py", {}),
        ("", {}, "runs.py", {}),
    ],
)
def test_a_sentence_leads_to_the_page_that_shows_its_row(
    table: str, key: dict[str, str], page: str, query: dict[str, str]
) -> None:
    assert news_parts.place(Clause("stories", "x", {}, table, key)) == (page, query)


def links(at: AppTest) -> list[Any]:
    """The links to pages and articles, as they were sent to the browser."""
    return [one.proto for one in at.get("page_link")]


def test_an_article_of_the_brief_is_linked_and_hostile_words_stay_words(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [
        Clause("stories", "“{title}” ({outlet}).", {"title": HOSTILE, "outlet": "Desk"},
               link="https://example.com/a b"),
        Clause("stories", "{title}", {"title": "y"}, link="javascript:alert(1)"),
    ]  # fmt: skip
    found = replace(read_news.news(load()), brief=Brief(NOW.date(), NOW.to_pydatetime(), "r", tuple(told)))
    monkeypatch.setattr(read_news, "news", lambda *_given: found)
    at = visit()
    opened = [one.value for one in at.markdown if "open_in_new" in one.value]
    assert opened == ['[:material/open_in_new:](https://example.com/a%20b "Open the article")']
    labels = [one.label for one in links(at)]
    assert any("<b>" in one.replace("\\", "") for one in labels)
    assert not any("<b>" in one or "[a](" in one for one in labels)


def test_a_picked_story_shows_who_told_it_and_rubbish_shows_none(filled: Path) -> None:
    record = read_news.news(load())
    most = record.stories.sort_values("outlets").iloc[-1]
    assert most["outlets"] > 1

    def told(at: AppTest) -> list[str]:
        return [one.value.replace("\\", "") for one in at.markdown if "**" in one.value and one.proto.help]

    lines = told(visit(story=most["story"]))
    assert len(lines) == most["items"]
    assert {name for name in most["outlet_names"].split(" · ") if any(name in line for line in lines)} == set(
        most["outlet_names"].split(" · ")
    )
    for rubbish in ("nothing", "<script>", "x" * 500, "' OR 1=1 --"):
        assert told(visit(story=rubbish)) == []


def test_an_empty_store_says_what_to_press() -> None:
    at = visit()
    assert at.header[0].value == "No news yet"
    assert any("Collect now" in one.value for one in at.caption)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_collection_is_shown_whole_and_filtered(filled: Path, language: str) -> None:
    at = visit(lang=language)
    said = "\n".join(one.value for kind in ("markdown", "caption") for one in at.get(kind))
    assert ("Morning brief" if language == "en" else "아침 브리핑") in said
    assert not re.search(r"\bnan\b|\bNone\b", said, re.IGNORECASE)
    every = at.dataframe[0].value
    assert len(every) > 100 and every["time"].is_monotonic_decreasing and every["title"].notna().all()
    outlet = every["outlet"].iloc[0]
    at.text_input(key="news_search").set_value(outlet).run()
    fewer = at.dataframe[0].value
    assert 0 < len(fewer) < len(every)
    at.text_input(key="news_search").set_value("no such words anywhere").run()
    assert not at.dataframe and not at.exception
    at.text_input(key="news_search").set_value("").run()
    assert len(at.dataframe[0].value) == len(every)


def test_the_brief_of_the_store_is_the_one_that_is_shown(filled: Path) -> None:
    found = read_news.brief(load())
    assert isinstance(found, Brief) and found.clauses
    sent = {one.label.replace("\\", ""): one for one in links(visit())}
    for clause, row in zip(found.clauses, found.rows, strict=True):
        start = clause.said().split(":")[0].split("(")[0].strip()[:30]
        link = next(one for label, one in sent.items() if label.startswith(start))
        # A sentence that tells of a row says on hover where that row comes from.
        assert bool(row) == ("collected" in link.help)
    assert any(row is not None for row in found.rows)
