"""`collect.py news` as a process of its own against the fake feeds; what it leaves in the store, and what it
must not touch: the headlines and the index.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors import freshness
from collectors.model import Ask, Plan
from collectors.news import stories
from collectors.registry import PIPELINES
from collectors.sources import demo, demo_headlines, demo_news
from storage import clock, db, kept, landing, merge, read, read_liquidity, read_news, schema, stress
from storage.settings import load
from storage.tables import BRIEF, NEWS_ITEM
from tests import child
from tests.child import Done
from tests.upstream import FakeUpstream, Fault
from tests.upstream.feeds import NEWS_FEEDS

NOW = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)
DAY = timedelta(days=1)

Rows = list[tuple[Any, ...]]


def asked(query: str) -> Rows:
    with db.reader(load(), wait_s=10) as connection:
        return connection.execute(query).fetchall()


def news(up: FakeUpstream, **env: str) -> Done:
    return child.collect(up, "news", **env)


@contextmanager
def living_in(home: Path) -> Iterator[None]:
    before = dict(os.environ)
    os.environ["COLLECTOR_HOME"] = str(home)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after its first run, which every test gets a copy of."""
    home = tmp_path_factory.mktemp("first") / "home"
    with living_in(home), FakeUpstream(clock=NOW) as up:
        done = news(up)
        assert (done.code, done.err) == (0, "")
        assert {step["state"] for step in done.steps.values()} == {"ok"}
        assert up.count("feeds") == len(NEWS_FEEDS)
        assert up.errors == []
    return home


@pytest.fixture
def after(first: Path, home: Path) -> Iterator[FakeUpstream]:
    """That home, and the fake as it was then."""
    shutil.copytree(first, home)
    for held in (read_news._kept, read_news._briefs, read_liquidity._kept):
        held.clear()  # type: ignore[attr-defined]
    with FakeUpstream(clock=NOW) as up:
        yield up


# ---------------------------------------------------------------- what a run brings


def test_a_first_run_keeps_one_row_an_article(after: FakeUpstream) -> None:
    rows = asked("SELECT id, feed, outlet, title, link, published_at, provisional, source FROM news_item")
    assert len(rows) > 100
    assert {row[0][:5] for row in rows} == {"news-"}
    # What the echo repeats is the courier's.
    assert {row[1] for row in rows} == {"courier", "digest", "mapo", "jongno"}
    assert {row[2] for row in rows if row[1] == "digest"} == {"Courier (fake)"}
    assert not [row for row in rows if row[3].endswith("(fake)") or "<script" in row[3].lower()]
    assert not [row for row in rows if not row[4].startswith("https://") or "utm_" in row[4]]
    assert max(row[5] for row in rows) <= NOW + timedelta(minutes=10)
    assert [row for row in rows if row[6]]
    assert {row[7] for row in rows} == {"news.feeds"}
    child.assert_whole()
    child.assert_settled()


def test_every_title_has_its_story_and_the_digest_tells_the_couriers(after: FakeUpstream) -> None:
    rows = asked("SELECT id, published_at, title, story, feed FROM news_item")
    told = stories.fold(stories.Title(*row[:3]) for row in rows)
    assert {row[0]: row[3] for row in rows} == told
    courier = {row[1:3]: row[3] for row in rows if row[4] == "courier"}
    digest = [row for row in rows if row[4] == "digest" and row[1:3] in courier]
    assert len(digest) > 20 and all(courier[row[1:3]] == row[3] for row in digest)
    assert asked("SELECT count(*) FROM news_item WHERE mentions IS NULL") == [(0,)]


def test_the_same_again_writes_nothing(after: FakeUpstream) -> None:
    before = asked("SELECT * FROM news_item ORDER BY id")
    done = news(after)
    counts = done.steps["news.feeds"]["counts"]
    assert (done.code, counts["inserted"], counts["updated"]) == (0, 0, 0)
    assert asked("SELECT * FROM news_item ORDER BY id") == before
    assert asked("SELECT * FROM revision") == []
    child.assert_kept_promises(done)


def test_half_a_day_later_only_what_is_new_comes_in(after: FakeUpstream) -> None:
    before = {row[0]: row[1:] for row in asked("SELECT id, published_at, story, feed, title FROM news_item")}
    after.clock = NOW + timedelta(hours=12)
    done = news(after)
    now = {row[0]: row[1:] for row in asked("SELECT id, published_at, story, feed, title FROM news_item")}
    assert (done.code, done.steps["news.feeds"]["counts"]["updated"]) == (0, 0)
    assert 20 < len(now) - len(before) < len(before)
    # Also one without a date keeps the time at which it was first seen.
    assert {name: now[name] for name in before} == before


def test_a_late_title_that_came_first_gives_the_story_its_name(after: FakeUpstream) -> None:
    ((name, title),) = asked(
        "SELECT id, title FROM news_item WHERE feed = 'mapo' AND story = id ORDER BY 1 LIMIT 1"
    )
    at = NOW + timedelta(minutes=5)
    row = dict.fromkeys([column for column, _ in NEWS_ITEM.all_columns]) | {
        "id": "news-late", "published_at": NOW - timedelta(hours=30), "feed": "late", "title": title,
        "link": "https://late.example", "topics": "", "tone": 0.0, "source": "news.feeds",
        "run_id": "late", "observed_at": at, "provisional": False,
    }  # fmt: skip
    landing.land(
        load(), NEWS_ITEM, [row], run_id="late", step="news.feeds", source="news.feeds", observed_at=at
    )
    assert news(after).code == 0
    assert asked(f"SELECT story FROM news_item WHERE id IN ('news-late', '{name}')") == [("news-late",)] * 2


# ---------------------------------------------------------------- feeds that fail


def test_a_feed_that_fails_costs_only_itself(home: Path) -> None:
    with FakeUpstream(clock=NOW) as up:
        up.fault("feeds", "/courier.xml", Fault.html())
        done = news(up)
    assert (done.code, done.steps["news.feeds"]["state"]) == (0, "ok")
    assert done.steps["news.feeds"]["counts"]["rejected"] >= 1
    # The echo brings the courier's articles in its stead.
    assert {row[0] for row in asked("SELECT DISTINCT feed FROM news_item")} == {
        "echo", "digest", "mapo", "jongno",
    }  # fmt: skip


def test_who_brought_an_article_first_keeps_it(home: Path) -> None:
    with FakeUpstream(clock=NOW) as up:
        up.fault("feeds", "/courier.xml", Fault.status(503))
        assert news(up, COLLECTOR_REQUEST_TIMEOUT_S="2").code == 0
        before = asked("SELECT id, feed, outlet FROM news_item ORDER BY id")
        up.clear_faults()
        assert news(up).code == 0
    after = {row[0]: row for row in asked("SELECT id, feed, outlet FROM news_item")}
    assert [after[row[0]] for row in before] == before


def test_with_every_feed_down_the_run_fails_and_what_is_stored_stays(after: FakeUpstream) -> None:
    before = asked("SELECT * FROM news_item ORDER BY id"), asked("SELECT * FROM brief ORDER BY n")
    after.down()
    done = news(after, COLLECTOR_REQUEST_TIMEOUT_S="2")
    assert done.code == 3
    assert (done.steps["news.feeds"]["state"], done.steps["news.feeds"]["kind"]) == ("failed", "unavailable")
    assert (done.steps["brief"]["state"], done.steps["brief"]["reason"]) == ("skipped", "upstream_failed")
    assert (asked("SELECT * FROM news_item ORDER BY id"), asked("SELECT * FROM brief ORDER BY n")) == before
    child.assert_settled()


def test_feeds_that_are_none_of_them_feeds_fail_the_step(home: Path) -> None:
    with FakeUpstream(clock=NOW) as up:
        up.fault("feeds", "*", Fault.html())
        done = news(up)
    assert (done.code, done.steps["news.feeds"]["kind"]) == (3, "changed")
    assert asked("SELECT * FROM news_item") == []
    assert done.steps["brief"]["reason"] == "upstream_failed"


# ---------------------------------------------------------------- the index counts none of it


def test_the_index_and_its_headlines_stay_as_they_are_to_the_last_bit(home: Path) -> None:
    with FakeUpstream(clock=datetime(2026, 11, 3, 17, tzinfo=UTC)) as up:
        assert child.collect(up, "liquidity", FRED_API_KEY=up.fred_key).code == 0
        tables = ("stress_index", "stress_module", "stress_input", "stress_replay", "stress_replay_input")
        query = {name: f"SELECT * FROM {name} ORDER BY ALL" for name in tables}
        titles = "SELECT * FROM news_item WHERE NOT starts_with(id, 'news-') ORDER BY id"
        before, headlines = {name: asked(text) for name, text in query.items()}, asked(titles)
        counted = _counted()
        done = news(up)
        assert done.code == 0 and done.steps["news.feeds"]["counts"]["inserted"] > 100
        assert _counted() == counted and len(counted) == len(headlines) > 50
        assert asked(titles) == headlines
        # Computed anew with the news in the store, of the same market.
        again = child.collect(up, "liquidity", FRED_API_KEY=up.fred_key)
    assert (again.code, again.steps["stress_index"]["counts"]["updated"]) == (0, 0)
    assert {name: asked(text) for name, text in query.items()} == before
    assert not set(read_liquidity.liquidity(load()).headlines["feed"]) & set(NEWS_FEEDS)


def _counted() -> list[tuple[str, str, datetime, str]]:
    with db.reader(load(), 10) as connection:
        return list(stress.observed(connection, ["yahoo."]).titles)


# ---------------------------------------------------------------- freshness


def test_news_are_fresh_while_the_newest_is_of_today(
    after: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def word(at: datetime) -> str:
        monkeypatch.setattr(clock, "now", lambda: at)
        read._stored.clear()
        return freshness.status(load()).pipelines["news"].freshness

    assert word(NOW) == "fresh"
    assert word(NOW + timedelta(hours=6)) == "due"
    assert word(NOW + timedelta(hours=30)) == "late"
    (found,) = freshness.status(load()).pipelines["news"].sources
    assert (found.source, found.data_as_of, found.required) == ("news.feeds", NOW.date(), True)


def test_headlines_say_nothing_of_how_fresh_news_are(after: FakeUpstream) -> None:
    with db.reader(load(), 10) as connection:
        newest = read.newest_days(connection)
    assert newest["news.feeds"] == NOW.date()
    assert "feeds.headlines" not in newest
    (source,) = PIPELINES["news"]
    assert source.kept_as == "news.feeds"


# ---------------------------------------------------------------- what the page asks


def test_the_page_gets_items_stories_and_the_brief(after: FakeUpstream) -> None:
    found = read_news.news(load())
    assert found.problem is None and not found.empty
    assert found.items["published_at"].is_monotonic_decreasing
    assert set(found.items.columns) == {name for name, _ in NEWS_ITEM.all_columns}
    folded = found.stories[found.stories["items"] > 1]
    assert len(folded) and len(found.stories) < len(found.items) + 1
    assert found.stories["items"].sum() == len(found.items)
    assert set(read_news.nothing().stories.columns) == set(found.stories.columns)
    assert set(read_news.nothing().items.columns) == set(found.items.columns)
    assert found.brief.clauses == read_news.brief(load()).clauses
    assert found.brief.clauses[0].part == "stress"


def test_a_store_that_is_not_there_is_an_empty_page(home: Path) -> None:
    assert read_news.news(load()).empty
    assert read_news.brief(load()) == read_news.Brief()


def test_while_the_store_is_locked_the_last_good_news_serve(
    after: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, told = read_news.news(load()), read_news.brief(load())

    def busy(*_unused: Any, **_named: Any) -> Any:
        raise db.StoreBusy("busy", "busy")

    monkeypatch.setattr(kept.ledger, "merge_mark", lambda _settings: "another")
    monkeypatch.setattr(read_news.db, "reader", busy)
    locked, again = read_news.news(load()), read_news.brief(load())
    assert locked.problem is not None and locked.problem.code == "busy"
    assert len(locked.items) == len(whole.items)
    assert again.clauses == told.clauses and again.problem is not None


# ---------------------------------------------------------------- stores of earlier versions


def _back_to(version: int) -> None:
    """Takes out of the store what came since that version."""
    with db.writer(load(), 5) as connection:
        connection.execute("DROP TABLE brief")
        for name in ("outlet", "story", "mentions"):
            connection.execute(f"ALTER TABLE news_item DROP COLUMN {name}")
        if version == 1:
            connection.execute("DROP TABLE news_item")
            connection.execute("DROP TABLE stress_index")
        connection.execute("UPDATE meta SET schema_version = ?", [version])


@pytest.mark.parametrize("version", [1, 2])
def test_a_store_of_an_earlier_version_is_read_and_then_migrated(after: FakeUpstream, version: int) -> None:
    if version == 2:
        rows = asked("SELECT id, title, published_at FROM news_item ORDER BY id")
    _back_to(version)
    found = read_news.news(load())
    assert found.problem is None and found.brief == read_news.brief(load()) == read_news.Brief()
    db.migrate(load())
    with db.reader(load(), 5) as connection:
        assert schema.found(connection) == (schema.SCHEMA_VERSION, False)
        for table in (NEWS_ITEM, BRIEF):
            described = connection.execute(f"DESCRIBE {table.name}").fetchall()
            have = {row[0]: row[1].replace("WITH TIME ZONE", "").strip() for row in described}
            assert set(have) == {name for name, _ in table.all_columns}
    if version == 2:
        assert asked("SELECT id, title, published_at FROM news_item ORDER BY id") == rows
    # And the next run fills what is new.
    assert news(after).code == 0
    assert asked("SELECT count(*) FROM news_item WHERE story IS NULL OR mentions IS NULL") == [(0,)]
    child.assert_settled()


def test_what_an_earlier_version_landed_is_still_merged(home: Path) -> None:
    settings = load()
    landing.prepare(settings)
    db.migrate(settings)
    row = {
        "id": "a", "published_at": NOW, "feed": "wire", "title": "Repo market calm", "link": "https://x.example",
        "topics": "funding", "tone": 0.0, "source": "feeds.headlines", "run_id": "r1", "observed_at": NOW,
        "provisional": False,
    }  # fmt: skip
    landed = landing.land(
        settings, NEWS_ITEM, [row], run_id="r1", step="s", source="feeds.headlines", observed_at=NOW
    )
    names = ", ".join(name for name in row)
    with db.reader(settings, 5) as connection:
        old = f"SELECT {names} FROM read_parquet('{landed.path}')"
        connection.execute(f"COPY ({old}) TO '{landed.path}.old' (FORMAT parquet)")
    os.replace(f"{landed.path}.old", landed.path)
    with db.writer(settings, 5) as connection:
        assert merge.merge(connection, landed, NOW).inserted == 1
    assert asked("SELECT id, title, outlet, story FROM news_item") == [("a", "Repo market calm", None, None)]


# ---------------------------------------------------------------- demo


def desk(now: datetime, since: date | None = None) -> list[dict[str, Any]]:
    return list(demo.batch(demo_news.SOURCE, Ask("", Plan("open"), now, since)).rows)


def test_the_demo_begins_with_a_week_of_news() -> None:
    found = desk(NOW)
    days = {row["published_at"].date() for row in found}
    assert days == {NOW.date() - DAY * back for back in range(8)}
    assert all(list(row) == [name for name, _ in NEWS_ITEM.columns] for row in found)
    assert {row["feed"] for row in found} == set(demo_news.FEEDS)
    assert all(row["id"].startswith("news-demo-") and row["feed"].startswith("demo-news-") for row in found)
    assert len({row["id"] for row in found}) == len(found)
    assert all(row["link"].startswith("https://example.com/demo/") for row in found)
    about = {topic for row in found for topic in row["topics"].split()}
    assert about >= {"macro", "rates", "credit", "liquidity", "equity", "crypto", "energy", "korea"}


def test_a_demo_day_is_always_told_alike_and_moves_with_the_hour() -> None:
    evening = desk(NOW, NOW.date())
    morning = desk(NOW - timedelta(hours=12), NOW.date())
    assert morning == [row for row in evening if row["published_at"] <= NOW - timedelta(hours=12)]
    assert 5 < len(morning) < len(evening)
    later = desk(NOW + 3 * DAY, NOW.date() - DAY)
    assert [row for row in later if row in evening] == evening


def test_demo_stories_are_told_again_by_others() -> None:
    found = desk(NOW)
    told = stories.fold(stories.Title(row["id"], row["published_at"], row["title"]) for row in found)
    outlets = {row["id"]: row["outlet"] for row in found}
    again = {story for name, story in told.items() if outlets[name] != outlets[story]}
    assert len(again) > 20


def test_the_demo_index_counts_no_news(home: Path) -> None:
    assert child.collect(None, "news", "--demo").code == 0
    os.environ["COLLECTOR_DEMO"] = "1"
    assert asked("SELECT DISTINCT source FROM news_item") == [("DEMO",)]
    assert _counted() == []
    done = child.collect(None, "all", "--demo")
    assert done.code == 0
    assert {row[1] for row in _counted()} == set(demo_headlines.FEEDS)
    ((days,),) = asked(
        "SELECT count(DISTINCT CAST(published_at AS DATE)) FROM news_item WHERE NOT starts_with(id, 'news-')"
    )
    # That news were there first takes nothing from the history of the headlines.
    assert days > 140
    told = json.loads(child.collect(None, "status", "--json", "--demo").out)["pipelines"]["news"]
    assert (told["state"], told["freshness"]) == ("ok", "fresh")
