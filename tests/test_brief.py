"""The morning brief: word for word out of a small record, the same for the same store, each sentence with its
row; and the step that writes it.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors import brief_step
from collectors.news import brief, sentences
from collectors.news.topics import MODULE_TOPICS
from collectors.stress.inputs import MODULES
from storage import db, landing, merge, news, read_news
from storage.clauses import PARTS, Clause, word
from storage.settings import Settings, load
from storage.tables import (
    CRYPTO_PRICE,
    NEWS_ITEM,
    OBSERVATION,
    STRESS_INDEX,
    STRESS_MODULE,
    Table,
)
from storage.texts import speaking
from tests import child
from tests.upstream import Fault

ROOT = Path(__file__).resolve().parent.parent
# 06:30 in Seoul on the 24th.
AT = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)
DAY, BEFORE = date(2026, 11, 23), date(2026, 11, 22)

Row = dict[str, Any]


def index_row(**named: Any) -> Row:
    return {
        "date": DAY, "index": 61.26, "percentile": 81.4, "band": "Stress", "coverage": 1.0,
        "set_label": "full", "move": 4.06, "coverage_effect": 0.0, "provisional": True, **named,
    }  # fmt: skip


def module_row(name: str, move: float | None, contribution: float = 1.0, **named: Any) -> Row:
    return {
        "date": DAY, "module": name, "score": 72.6, "contribution": contribution, "move": move,
        "status": "valid", **named,
    }  # fmt: skip


def coin_row(coin: str, name: str, rank: int, price: float, change: float | None) -> Row:
    return {
        "coin": coin, "date": DAY, "symbol": coin[:3], "name": name, "rank": rank, "price": price,
        "change_24h": change, "change_7d": -2.5, "provisional": True,
    }  # fmt: skip


def metric_rows(series: str, now: float, before: float, note: str | None = None) -> list[Row]:
    return [
        {"series": series, "date": day, "value": value, "note": note, "provisional": False}
        for day, value in ((DAY, now), (BEFORE, before))
    ]


def story_row(name: str, title: str, topics: str, outlets: int = 1, mentions: str = "") -> Row:
    return {
        "story": name, "id": name, "title": title, "link": f"https://desk.example/{name}", "outlet": "Desk",
        "topics": topics, "mentions": mentions, "items": outlets, "outlets": outlets, "newest": AT,
    }  # fmt: skip


RECORD = news.Material(
    index_row(),
    [
        module_row("credit", 1.96),
        module_row("fed", None, status="warming"),
        module_row("funding", -0.31, score=40.0),
        module_row("news", 0.02),
        module_row("treasury", 0.04),
        module_row("volatility", 2.35, score=88.2),
    ],
    [
        coin_row("bitcoin", "Bitcoin", 1, 97123.4, -3.14),
        coin_row("ethereum", "Ethereum", 2, 3300.5, -1.0),
        coin_row("tether", "Tether", 3, 1.0, 0.01),
        coin_row("solana", "Solana", 5, 112.3, 4.94),
        coin_row("dogecoin", "Dogecoin", 9, 0.126, -7.06),
    ],
    {
        "coingecko.btc_dominance": metric_rows("coingecko.btc_dominance", 56.78, 57.04),
        "defillama.total_tvl": metric_rows("defillama.total_tvl", 101.04e9, 100e9),
        "alternative_me.fear_greed_index": metric_rows(
            "alternative_me.fear_greed_index", 24, 31, "Extreme Fear"
        ),
    },
    [
        story_row("news-1", "Oil steadies", "energy", 4),
        story_row("news-2", "Stocks tumble as volatility spikes", "equity", 3),
        story_row("news-3", "Junk bond spreads widen", "rates credit", 2),
        story_row("news-4", "도지코인 급락", "crypto", 1, "coin:dogecoin"),
        story_row("news-5", "Bitcoin slides", "crypto", 1, "coin:bitcoin"),
        story_row("news-6", "A retailer opens a shop", "", 1),
    ],
    [],
    2,
)
BEHIND = [
    brief.Behind("yahoo.SPY", "observation", date(2026, 11, 19)),
    brief.Behind("ofr.fsi", "observation", None),
]

SAID = [
    "StressIndex 61.3 on 2026-11-23: Stress, percentile 81 of its history.",
    "It moved +4.1 points against the trading day before.",
    "Volatility moved it by +2.4 points, to a score of 88.",
    "Credit moved it by +2.0 points, to a score of 73.",
    "Funding moved it by −0.3 points, to a score of 40.",
    "Bitcoin stood at 97,123 USD on 2026-11-23: −3.1% in 24 hours, −2.5% in 7 days.",
    "Largest rise of the top 20: Solana, +4.9% in 24 hours.",
    "Largest fall of the top 20: Dogecoin, −7.1% in 24 hours.",
    "Bitcoin's share of the market is 56.8%, −0.3 points against 2026-11-22.",
    "101.0 billion USD are locked in DeFi, +1.0% against 2026-11-22.",
    "Fear & Greed is at 24 (Extreme Fear), −7 against 2026-11-22.",
    "On Volatility: “Stocks tumble as volatility spikes” (Desk and 2 more).",
    "On Credit: “Junk bond spreads widen” (Desk and 1 more).",
    "On Bitcoin: “Bitcoin slides” (Desk).",
    "On Dogecoin: “도지코인 급락” (Desk).",
    "Told most: “Oil steadies” (Desk and 3 more).",
    "The StressIndex of 2026-11-23 is provisional: that trading day was not over.",
    "Crypto prices of 2026-11-23 are provisional: that day (UTC) was not over.",
    "News without a time that can be believed: 2; the time they were first seen stands for it.",
    "Late: yahoo.SPY, stored up to 2026-11-19.",
    "Missing: ofr.fsi, of which nothing is stored.",
]


def said(clauses: list[Clause]) -> list[str]:
    with speaking("en"):
        return [clause.said() for clause in clauses]


def test_the_brief_of_a_small_record_word_for_word() -> None:
    assert said(brief.clauses(RECORD, BEHIND)) == SAID


def test_every_sentence_names_its_row() -> None:
    found = brief.clauses(RECORD, BEHIND)
    rows = [(one.table, dict(one.key), one.link) for one in found]
    day = {"date": "2026-11-23"}
    assert rows[0] == rows[1] == ("stress_index", day, None)
    assert rows[2] == ("stress_module", {**day, "module": "volatility"}, None)
    assert rows[5] == ("crypto_price", {"coin": "bitcoin", **day}, None)
    assert rows[8] == ("observation", {"series": "coingecko.btc_dominance", **day}, None)
    assert rows[11] == ("news_item", {"id": "news-2"}, "https://desk.example/news-2")
    assert rows[19] == ("observation", {}, None)
    assert all(one.table for one in found)
    assert [part for part in PARTS if part in {one.part for one in found}] == list(
        dict.fromkeys(one.part for one in found)
    )


def test_the_same_record_in_another_order_is_told_alike() -> None:
    turned = replace(RECORD, modules=RECORD.modules[::-1], coins=RECORD.coins[::-1])
    told = said(brief.clauses(turned, BEHIND))
    assert sorted(told) == sorted(SAID)
    assert told[:5] == SAID[:5]


def test_a_calm_day_tells_what_holds_the_index_where_it_is() -> None:
    modules = [
        module_row("credit", 0.01, -7.61, score=21.8),
        module_row("etf", -0.02, 2.0),
        module_row("fed", None),
    ]
    told = said(brief.clauses(replace(RECORD, index=index_row(move=-0.04), modules=modules)))
    assert told[1:4] == [
        "It moved 0.0 points against the trading day before.",
        "Credit adds −7.6 points to the neutral 50, with a score of 22.",
        "ETF stress adds +2.0 points to the neutral 50, with a score of 73.",
    ]


def test_a_limited_index_says_what_it_is_made_of() -> None:
    index = index_row(set_label="limited", coverage=0.45, coverage_effect=-1.5, percentile=None, band=None)
    told = said(brief.clauses(replace(RECORD, index=index)))
    assert told[0] == "StressIndex 61.3 on 2026-11-23; its history is too short for a percentile."
    assert "−1.5 points of the move come from what could be measured, not from the market." in told
    assert "Coverage is 45% of the market's weight: limited." in told


def test_an_empty_store_says_what_to_collect() -> None:
    assert said(brief.clauses(news.Material())) == [
        "There is no StressIndex yet: collect liquidity.",
        "There are no crypto prices yet: collect crypto.",
    ]


def test_a_market_in_one_direction_has_no_rise() -> None:
    coins = [coin_row("bitcoin", "Bitcoin", 1, 0.5, None), coin_row("solana", "Solana", 5, 112.3, -4.0)]
    told = said(brief.clauses(replace(RECORD, coins=coins)))
    assert "Bitcoin stood at 0.5 USD on 2026-11-23: –% in 24 hours, −2.5% in 7 days." in told
    assert not [one for one in told if "rise" in one]


def test_a_quiet_night_is_told_as_one() -> None:
    told = said(brief.clauses(replace(RECORD, stories=[story_row("news-6", "A retailer opens a shop", "")])))
    assert "No story of the last 24 hours is about what moved." in told
    assert not [one for one in told if "Told most" in one]


def test_what_is_missing_is_counted_beyond_the_first() -> None:
    many = [brief.Behind(f"fred.S{n}", "observation", None) for n in range(9)]
    told = said(brief.clauses(replace(RECORD, missed=[date(2026, 11, 20), date(2026, 11, 21)]), many))
    assert told[-5:] == [
        "No prices were collected on 2026-11-20, 2026-11-21.",
        *(f"Missing: fred.S{n}, of which nothing is stored." for n in range(3)),
        "Late or missing besides: 6.",
    ]
    assert said(brief.clauses(RECORD))[-1] == "Everything that is out by now is stored."


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1.26, 1, "+1.3"),
        (-0.04, 1, "0.0"),
        (0.04, 1, "0.0"),
        (-0.06, 1, "−0.1"),
        (-7.0, 0, "−7"),
        (0.4, 0, "0"),
    ],
)
def test_numbers_have_a_sign_unless_they_are_nothing(value: float, digits: int, text: str) -> None:
    assert brief.signed(value, digits) == text


def test_a_title_is_a_value_and_never_a_template() -> None:
    stories = [story_row("news-1", "{band} {0} %s <b>", "equity", 2)]
    told = said(brief.clauses(replace(RECORD, stories=stories)))
    assert "On Volatility: “{band} {0} %s <b>” (Desk and 1 more)." in told


# ---------------------------------------------------------------- two languages


def messages() -> dict[str, str]:
    return {name: value for name, value in vars(sentences).items() if name.isupper() and name != "N_"}


def test_both_languages_read_the_same_stored_clause(monkeypatch: pytest.MonkeyPatch) -> None:
    from storage import clauses, texts

    korean = {
        sentences.LEVEL: "{day} 스트레스 지수 {index}: {band}, 백분위 {percentile}.",
        "Stress": "스트레스",
    }

    def translated(message: str) -> str:
        return korean.get(message, message) if texts.language() == "ko" else message

    monkeypatch.setattr(texts, "_", translated)
    monkeypatch.setattr(clauses, "_", translated)
    (level, *_others) = brief.clauses(RECORD)
    assert (level.message, dict(level.values)) == (
        sentences.LEVEL,
        {"index": "61.3", "day": "2026-11-23", "band": word("Stress"), "percentile": "81"},
    )
    with speaking("ko"):
        assert level.said() == "2026-11-23 스트레스 지수 61.3: 스트레스, 백분위 81."
    with speaking("en"):
        assert level.said() == SAID[0]


def test_every_sentence_is_marked_for_the_catalogue_and_filled() -> None:
    tree = ast.parse((ROOT / "collectors/news/sentences.py").read_text(encoding="utf-8"))
    marked = [node.args[0].value for node in ast.walk(tree)
              if isinstance(node, ast.Call) and ast.unparse(node.func) == "N_"]  # fmt: skip
    assert sorted(marked) == sorted(messages().values())
    index = index_row(set_label="limited", coverage=0.45, coverage_effect=-1.5)
    records = [
        RECORD, news.Material(), replace(RECORD, index=index), replace(RECORD, stories=[], missed=[DAY]),
        replace(RECORD, index=index_row(band=None), modules=[module_row("credit", None)]),
    ]  # fmt: skip
    many = [*BEHIND, *BEHIND]
    found = [one for record in records for behind in ((), many) for one in brief.clauses(record, behind)]
    assert {one.message for one in found} == set(messages().values())
    for one in found:
        assert set(re.findall(r"{(\w+)}", one.message)) == set(one.values), one.message


def test_every_module_has_its_topics() -> None:
    assert set(MODULE_TOPICS) == {module.name for module in MODULES}


# ---------------------------------------------------------------- out of a store, and back


@pytest.fixture
def settings(home: Path) -> Iterator[Settings]:
    made = load()
    landing.prepare(made)
    db.migrate(made)
    read_news._kept.clear()
    read_news._briefs.clear()
    yield made


def keep(settings: Settings, table: Table, rows: list[Row], at: datetime = AT - timedelta(hours=1)) -> None:
    whole = [
        {"source": "test", "run_id": "r1", "observed_at": at, "provisional": False, **row} for row in rows
    ]
    run = f"r{at:%H%M%S}"
    landed = landing.land(settings, table, whole, run_id=run, step=table.name, source="test", observed_at=at)
    with db.writer(settings, 5) as connection:
        merge.merge(connection, landed, at)


def item_row(name: str, title: str, hours: float, outlet: str = "Desk", topics: str = "equity") -> Row:
    return {
        "id": name, "published_at": AT - timedelta(hours=hours), "feed": "desk", "title": title,
        "link": f"https://desk.example/{name}", "topics": topics, "tone": 1.0, "outlet": outlet,
        "story": None, "mentions": None,
    }  # fmt: skip


def fill(settings: Settings) -> None:
    keep(settings, STRESS_INDEX, [{k: v for k, v in index_row().items() if k != "provisional"}])
    keep(settings, STRESS_MODULE, list(map(dict, RECORD.modules)))
    keep(settings, CRYPTO_PRICE, [{**row, "provisional": True} for row in RECORD.coins])
    keep(
        settings,
        CRYPTO_PRICE,
        [{**dict(RECORD.coins[0]), "date": date(2026, 11, 20)}],
        AT - timedelta(hours=2),
    )
    keep(settings, OBSERVATION, [row for rows in RECORD.metrics.values() for row in rows])
    keep(
        settings,
        NEWS_ITEM,
        [
            item_row("news-a", "Stocks tumble as volatility spikes", 30),
            item_row("news-b", "Stocks tumble as volatility spikes!", 3, "Other"),
            item_row("news-c", "Stocks tumbled long ago", 40),
            item_row("news-d", "도지코인 급락에 비트코인도 약세", 2, "가야", "crypto"),
            {**item_row("news-e", "Undated", 1, topics=""), "provisional": True},
            # A headline of the index is no news.
            item_row("a", "Stocks tumble as volatility spikes", 2, "Third"),
        ],
    )


def read_titles(settings: Settings) -> None:
    with db.reader(settings, 5) as connection:
        read = brief_step._read(news.titles(connection))
    with db.writer(settings, 5) as connection:
        news.keep_read(connection, read)


def material(settings: Settings, at: datetime = AT) -> news.Material:
    with db.reader(settings, 5) as connection:
        return news.material(connection, at)


def test_the_material_is_the_newest_of_what_is_stored(settings: Settings) -> None:
    fill(settings)
    read_titles(settings)
    found = material(settings)
    assert found.index is not None and (found.index["date"], found.index["index"]) == (DAY, 61.26)
    assert [row["module"] for row in found.modules] == [row["module"] for row in RECORD.modules]
    assert [row["coin"] for row in found.coins] == [row["coin"] for row in RECORD.coins]
    assert {name: [row["value"] for row in rows] for name, rows in found.metrics.items()} == {
        name: [row["value"] for row in rows] for name, rows in RECORD.metrics.items()
    }
    assert found.missed == [date(2026, 11, 21), date(2026, 11, 22)]
    assert found.undated == 1
    # The story began 30 hours ago and was told again 3 hours ago; one of 40 hours ago was not.
    told = [
        (row["story"], row["title"], row["items"], row["outlets"], row["mentions"]) for row in found.stories
    ]
    assert told == [
        ("news-a", "Stocks tumble as volatility spikes", 2, 2, ""),
        ("news-e", "Undated", 1, 1, ""),
        ("news-d", "도지코인 급락에 비트코인도 약세", 1, 1, "coin:bitcoin coin:dogecoin"),
    ]


def test_the_same_store_gives_the_same_brief_and_says_nothing_twice(settings: Settings) -> None:
    fill(settings)
    read_titles(settings)
    once, again = brief.clauses(material(settings)), brief.clauses(material(settings))
    assert once == again
    assert len(once) == len({(one.message, json.dumps(dict(one.values))) for one in once})
    titles = [one.values["title"] for one in once if "title" in one.values]
    assert titles == ["Stocks tumble as volatility spikes", "도지코인 급락에 비트코인도 약세"]


def test_reading_titles_again_changes_nothing(settings: Settings) -> None:
    fill(settings)
    read_titles(settings)
    with db.reader(settings, 5) as connection:
        before = connection.execute("SELECT * FROM news_item ORDER BY id").fetchall()
        read = brief_step._read(news.titles(connection))
    with db.writer(settings, 5) as connection:
        assert news.keep_read(connection, read) == 0
    with db.reader(settings, 5) as connection:
        assert connection.execute("SELECT * FROM news_item ORDER BY id").fetchall() == before
        assert connection.execute("SELECT story, mentions FROM news_item WHERE id = 'a'").fetchone() == (
            None,
            None,
        )


def test_what_comes_a_month_late_begins_a_story_and_moves_no_other(settings: Settings) -> None:
    keep(settings, NEWS_ITEM, [item_row("news-a", "Stocks tumble again today", 2)])
    keep(settings, NEWS_ITEM, [item_row("news-z", "Stocks tumble again today", 24 * 60)], AT)
    with db.reader(settings, 5) as connection:
        found = news.titles(connection).titles
    assert [(row[0], row[3], row[4]) for row in found] == [("news-z", "news-z", True), ("news-a", None, True)]


def kept(settings: Settings, clauses: list[Clause], run: str, at: datetime = AT) -> Any:
    provenance = {"source": "brief", "run_id": run, "observed_at": at, "provisional": False}
    with db.writer(settings, 5) as connection:
        return news.keep_brief(connection, DAY, clauses, provenance)


def test_a_brief_is_kept_with_its_rows_and_replaced_as_a_whole(settings: Settings) -> None:
    clauses = brief.clauses(RECORD, BEHIND)
    counts = kept(settings, clauses, "r1")
    assert (counts.fetched, counts.inserted, counts.updated, counts.unchanged) == (21, 21, 0, 0)
    found = read_news.brief(settings)
    assert (found.day, found.written_at, found.run_id) == (DAY, AT, "r1")
    assert list(found.clauses) == clauses
    assert said(list(found.clauses)) == SAID
    again = kept(settings, clauses, "r2", AT + timedelta(hours=1))
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 21)
    counts = kept(settings, clauses[1:], "r3", AT + timedelta(hours=2))
    assert (counts.inserted, counts.updated + counts.unchanged) == (0, 20)
    with db.reader(settings, 5) as connection:
        assert connection.execute("SELECT count(*), min(run_id) FROM brief").fetchone() == (20, "r3")
        assert connection.execute("SELECT count(*) FROM receipt WHERE step = 'brief'").fetchone() == (3,)


def test_a_brief_is_due_when_something_was_merged_after_the_last(settings: Settings) -> None:
    def changed() -> bool:
        with db.reader(settings, 5) as connection:
            return news.changed_since_brief(connection)

    assert not changed()
    fill(settings)
    assert changed()
    kept(settings, brief.clauses(material(settings)), "r1")
    assert not changed()
    # The same again is no change.
    keep(
        settings, OBSERVATION, metric_rows("defillama.total_tvl", 101.04e9, 100e9), AT + timedelta(minutes=5)
    )
    assert not changed()
    keep(settings, OBSERVATION, metric_rows("defillama.total_tvl", 102e9, 100e9), AT + timedelta(minutes=6))
    assert changed()


# ---------------------------------------------------------------- the step


def test_crypto_that_came_in_is_told_though_no_feed_answers(home: Path) -> None:
    with child.frozen_upstream() as up:
        up.fault("feeds", "*", Fault.status(503))
        done = child.collect(up, "crypto", "news", COLLECTOR_REQUEST_TIMEOUT_S="2")
        assert (done.code, done.steps["news.feeds"]["state"]) == (1, "failed")
        assert done.steps["brief"]["state"] == "ok"
        messages = [clause.message for clause in read_news.brief(load()).clauses]
        assert sentences.BITCOIN in messages and sentences.NO_INDEX in messages
        # Nothing new since: nothing to tell.
        again = child.collect(up, "news", COLLECTOR_REQUEST_TIMEOUT_S="2")
    assert (again.code, again.steps["brief"]["reason"]) == (3, "upstream_failed")


def test_a_brief_that_cannot_be_written_lowers_the_run_and_says_why(home: Path) -> None:
    with child.frozen_upstream() as up:
        assert child.collect(up, "news").code == 0
        with db.writer(load(), 5) as connection:
            # What no version of this program makes: the step has to say that it broke, and no more.
            connection.execute("ALTER TABLE brief DROP COLUMN link")
        done = child.collect(up, "news")
    assert (done.code, done.steps["news.feeds"]["state"]) == (1, "ok")
    assert (done.steps["brief"]["state"], done.steps["brief"]["kind"]) == ("failed", "bug")


def test_the_demo_has_a_whole_brief(home: Path) -> None:
    done = child.collect(None, "all", "--demo")
    assert (done.code, done.steps["brief"]["state"]) == (0, "ok")
    found = read_news.brief(load(COLLECTOR_DEMO=True))
    assert {clause.part for clause in found.clauses} == set(PARTS)
    for clause in found.clauses:
        assert "{" not in clause.said()
    with db.reader(load(), 10) as connection:
        assert connection.execute("SELECT DISTINCT source FROM brief").fetchall() == [("DEMO",)]
