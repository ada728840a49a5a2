"""What is read out of a headline: link, outlet, topics, whom it names; and which tell one story."""

import hashlib
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.model import Ask, Batch, Changed, Plan, Row
from collectors.news import links, mentions, stories, topics
from collectors.news.topic_words import TOPICS
from collectors.sources import headlines, news
from collectors.sources.demo_market import COINS
from storage.tables import NEWS_ITEM
from tests.scripted import Script

AT = datetime(2026, 11, 24, 7, tzinfo=UTC)
CAPTURES = Path(__file__).resolve().parent.parent.parent / "shared" / "captures" / "rss"

# ---------------------------------------------------------------- links


@pytest.mark.parametrize(
    ("link", "same"),
    [
        ("https://desk.example/a/1", "https://desk.example/a/1"),
        ("HTTPS://WWW.Desk.Example/a/1/", "https://desk.example/a/1"),
        ("http://desk.example:80/a/1#comments", "https://desk.example/a/1"),
        ("https://desk.example/a/1?utm_source=rss&utm_medium=x&fbclid=1&gclid=2&CMP=share&ref=top",
         "https://desk.example/a/1"),
        ("https://desk.example/view?id=7&utm_source=rss", "https://desk.example/view?id=7"),
        ("https://desk.example/view?b=2&a=1", "https://desk.example/view?a=1&b=2"),
        ("https://desk.example/view?a=", "https://desk.example/view?a="),
        ("https://m.desk.example/a/1", "https://desk.example/a/1"),
        ("https://mobile.desk.example/a/1", "https://desk.example/a/1"),
        ("https://amp.desk.example/a/1", "https://desk.example/a/1"),
        ("https://desk.example/amp/a/1", "https://desk.example/a/1"),
        ("https://desk.example/a/1/amp/", "https://desk.example/a/1"),
        ("https://desk.example/a/1.amp.html", "https://desk.example/a/1.html"),
        ("https://desk.example/a/1.amp", "https://desk.example/a/1"),
        ("https://desk.example/a/1?amp=1", "https://desk.example/a/1"),
        ("https://desk-example.cdn.ampproject.org/c/s/desk.example/a/1", "https://desk.example/a/1"),
        ("https://www.google.com/amp/s/desk.example/a/1", "https://desk.example/a/1"),
        ("https://someone:secret@desk.example/a/1", "https://desk.example/a/1"),
        ("https://desk.example", "https://desk.example"),
        # What looks like it and is another page.
        ("https://desk.example/amplifiers/1", "https://desk.example/amplifiers/1"),
        ("https://desk.example/a/camp", "https://desk.example/a/camp"),
        ("https://mobility.example/a/1", "https://mobility.example/a/1"),
        ("https://desk.example/A/1", "https://desk.example/A/1"),
        ("https://desk.example:8443/a/1", "https://desk.example:8443/a/1"),
        ("https://n.news.naver.com/a?oid=1&aid=2&from=x", "https://n.news.naver.com/a?aid=2&from=x&oid=1"),
        ("https://www.mk.co.kr/news/stock/12051747", "https://mk.co.kr/news/stock/12051747"),
        ("https://kr.investing.com/news/article-1951239", "https://kr.investing.com/news/article-1951239"),
    ],
)  # fmt: skip
def test_every_link_to_an_article_is_one(link: str, same: str) -> None:
    assert links.canonical(link) == same
    assert links.canonical(same) == same
    assert links.canonical(links.clean(link)) == same


def test_a_link_that_is_kept_leads_where_the_feeds_did() -> None:
    assert links.clean("HTTP://m.Desk.Example/a/1/amp/?id=3&utm_source=x#top") == (
        "http://m.desk.example/a/1/amp/?id=3"
    )
    assert links.clean("https://a:b@desk.example:443/?q=%ED%95%9C&x=<b>") == (
        "https://desk.example/?q=%ED%95%9C&x=%3Cb%3E"
    )


@pytest.mark.parametrize(
    "link",
    ["", "desk.example/a", "javascript:alert(1)", "data:text/html,x", "ftp://desk.example/a", "http://",
     "http://[::1", "https://desk.example:99999/", "https:///a", "//desk.example/a"],
)  # fmt: skip
def test_what_is_no_address_of_an_article_is_refused(link: str) -> None:
    for read in (links.clean, links.canonical):
        with pytest.raises(ValueError):
            read(link)


# ---------------------------------------------------------------- stories


def title(name: str, text: str, hours: float = 0.0, story: str | None = None) -> stories.Title:
    return stories.Title(name, AT + timedelta(hours=hours), text, story)


TEN = "one two three four five six seven eight nine ten"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        # 8 of 10 words, and 7 of 9.
        ("one two three four five six seven eight", True),
        ("one two three four five six seven", False),
        # 9 shared of 11, and 8 shared of 12.
        ("one two three four five six seven eight nine eleven", True),
        ("one two three four five six seven eight eleven twelve", False),
        (TEN.upper() + "!", True),
        ("ten nine eight seven six five four three two one", True),
        ("", False),
    ],
)
def test_four_fifths_of_the_words_make_a_story(other: str, same: bool) -> None:
    told = stories.fold([title("a", TEN), title("b", other, 1)])
    assert told == {"a": "a", "b": "a" if same else "b"}


@pytest.mark.parametrize(("hours", "same"), [(0, True), (48, True), (48.001, False), (100, False)])
def test_a_story_is_told_again_for_two_days(hours: float, same: bool) -> None:
    told = stories.fold([title("a", TEN), title("b", TEN, hours)])
    assert told["b"] == ("a" if same else "b")


def test_two_days_count_from_the_first_and_not_from_the_last() -> None:
    told = stories.fold([title("a", TEN), title("b", TEN, 40), title("c", TEN, 60), title("d", TEN, 100)])
    assert told == {"a": "a", "b": "a", "c": "c", "d": "c"}


def test_numbers_are_words_and_marks_of_a_desk_are_none() -> None:
    told = stories.fold(
        [
            title("a", "Oil at 90 dollars"),
            title("b", "Oil at 100 dollars", 1),
            title("c", "Update 2 - Oil at 90 dollars", 2),
            title("d", "[속보] 코스피 3% 급락", 3),
            title("e", "코스피 3% 급락", 4),
            title("f", "코스피 5% 급락", 5),
        ]
    )
    assert told == {"a": "a", "b": "b", "c": "a", "d": "d", "e": "d", "f": "f"}


def test_of_two_stories_the_more_alike_is_told_again() -> None:
    near = "one two three four five six seven eight nine"
    told = stories.fold([title("a", near), title("b", f"{near} ten eleven twelve", 1), title("c", TEN, 2)])
    # 9 of 10 words of the one, 10 of 12 of the other.
    assert told == {"a": "a", "b": "b", "c": "a"}


def test_a_story_that_is_settled_stays_and_others_are_compared_with_it() -> None:
    told = stories.fold([title("a", TEN, 0, "a"), title("b", TEN, 1, "z"), title("c", TEN, 2)])
    assert told == {"a": "a", "b": "z", "c": "a"}


_WORDS = st.lists(
    st.sampled_from(("bank", "repo", "oil", "won", "fed", "cut", "rise", "fall", "10", "20")),
    min_size=0,
    max_size=7,
)
_TITLES = st.lists(st.tuples(_WORDS.map(" ".join), st.integers(0, 120)), max_size=14).map(
    lambda found: [title(f"{n:02d}", text, hours) for n, (text, hours) in enumerate(found)]
)


@settings(max_examples=150, deadline=None)
@given(_TITLES, st.randoms())
def test_the_order_in_which_titles_come_changes_nothing(
    found: list[stories.Title], chance: random.Random
) -> None:
    mixed = list(found)
    chance.shuffle(mixed)
    told = stories.fold(found)
    assert stories.fold(mixed) == told
    # What begins a story tells itself, and nobody tells one that is older than two days.
    by_id = {one.id: one for one in found}
    for name, story in told.items():
        assert told[story] == story
        apart = by_id[name].published_at - by_id[story].published_at
        assert timedelta(0) <= apart <= stories.WITHIN


@settings(max_examples=150, deadline=None)
@given(_TITLES, st.integers(0, 120))
def test_telling_it_again_with_what_is_settled_changes_nothing(
    found: list[stories.Title], hours: int
) -> None:
    told = stories.fold(found)
    since = AT + timedelta(hours=hours)
    settled = [
        stories.Title(one.id, one.published_at, one.text, told[one.id] if one.published_at < since else None)
        for one in found
        if one.published_at >= since - stories.WITHIN
    ]
    assert stories.fold(settled) == {one.id: told[one.id] for one in settled}


def test_the_short_way_to_alike_titles_finds_what_the_long_way_finds() -> None:
    chance = random.Random(7)
    words = [f"w{n}" for n in range(14)]
    found = [
        title(f"{n:03d}", " ".join(chance.sample(words, chance.randint(3, 10))), n / 10) for n in range(200)
    ]
    expected: dict[str, str] = {}
    begun: list[stories.Title] = []
    for one in found:
        near = [(-stories.similar(stories.shingle(one.text), stories.shingle(other.text)), k, other.id)
                for k, other in enumerate(begun)]  # fmt: skip
        best = min((pair for pair in near if -pair[0] >= stories.SAME_STORY), default=None)
        expected[one.id] = best[2] if best else one.id
        begun += [] if best else [one]
    assert stories.fold(found) == expected
    assert len(set(expected.values())) < len(found)


# ---------------------------------------------------------------- topics and names


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Fed holds rates as inflation cools", ("macro", "policy")),
        ("Treasury yields rise 5 basis points", ("rates",)),
        ("Junk bond spreads widen after default", ("rates", "credit")),
        ("Repo market strains ease", ("liquidity",)),
        ("Regional bank shares slump", ("bank", "equity")),
        ("Bitcoin slides below 90,000", ("crypto",)),
        ("Brent crude climbs as OPEC+ meets", ("energy",)),
        ("Dollar gains against the yen", ("fx",)),
        ("Kospi closes at a record", ("korea",)),
        ("한은 기준금리 동결…원화 약세", ("rates", "fx", "korea", "policy")),
        ("회사채 시장 자금 이탈", ("credit",)),
        ("비트코인 1억 돌파", ("crypto",)),
        ("반도체 수출 호조", ("tech", "trade")),
        # Words that mean something else.
        ("New James Bond film opens", ()),
        ("Food bank opens in the old town", ()),
        ("It won't rain in spring", ()),
        ("An important bundle of books about Stockholm", ()),
        ("Team has won the cup", ()),
        ("", ()),
    ],
)
def test_topics_are_those_a_reader_would_name(text: str, found: tuple[str, ...]) -> None:
    assert topics.topics(text) == found


def test_every_topic_has_words_and_a_title() -> None:
    assert list(topics.TITLES) == list(TOPICS)
    assert {topic for found in topics.MODULE_TOPICS.values() for topic in found} <= set(TOPICS)
    assert topics.tone("Stocks plunge on fear of default") == headlines.tone(
        "Stocks plunge on fear of default"
    )


NAMES = mentions.names(
    [(coin.coin, coin.symbol, coin.name) for coin in COINS]
    + [("near", "near", "NEAR Protocol"), ("sui", "sui", "Sui"), ("the-open-network", "ton", "Toncoin")]
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SPY slips as TLT gains", "SPY TLT"),
        ("$SPY and (QQQ) at a record", "SPY QQQ"),
        ("Apple, Nvidia and Microsoft lead", "AAPL MSFT NVDA"),
        ("Meta buys a start-up", "META"),
        ("삼성전자(005930)·SK하이닉스 동반 상승", "005930 000660"),
        ("005930 reaches a high", "005930"),
        ("현대차 노사 합의", "005380"),
        ("기아, 신차 공개", "000270"),
        ("Bitcoin and ether rise", "coin:bitcoin"),
        ("BTC, ETH and XRP fall", "coin:bitcoin coin:ethereum coin:ripple"),
        ("Bitcoin Cash doubles", "coin:bitcoin-cash"),
        ("비트코인캐시 급등", "coin:bitcoin-cash"),
        ("비트코인값 하락에 이더리움도 약세", "coin:bitcoin coin:ethereum"),
        ("Chainlink (LINK) and $NEAR jump", "coin:chainlink coin:near"),
        ("Sui token climbs", "coin:sui"),
        ("Solana's SOL leads crypto", "coin:solana"),
        ("비트코인·리플 동반 급락", "coin:bitcoin coin:ripple"),
    ],
)
def test_names_are_found(text: str, found: str) -> None:
    assert NAMES.mentions(text) == tuple(found.split())


@pytest.mark.parametrize(
    "text",
    [
        "The link between rates and bank runs",
        "Crypto firms link wallets near the border",
        "LINK road opens",
        "Homes near the lake sell fast",
        "Sui generis ruling in Geneva",
        "ADA lawsuit over ramps",
        "DOT fines an airline",
        "A ton of gas, one leo, no hype",
        "Stellar results lift crypto stocks",
        "리플레이션 거래 부활",
        "도쿄일렉트론 실적 호조",
        "댓글에 리플 금지",
        "WE SPY ON NEIGHBOURS AND LINK THE DOTS NEAR HOME",
        "Spy film tops the charts",
        "Amazon rainforest fires spread",
        "Apple growers expect a late harvest",
        "기아와 난민 돕기",
        "메타버스 열풍 식어",
        "Account 1005930 was closed",
        "visa rules for students",
        "BTCS and ETHZ are tickers of their own",
        "",
    ],
)
def test_words_that_only_look_like_names_are_none(text: str) -> None:
    assert NAMES.mentions(text) == ()


# ---------------------------------------------------------------- the source


def rss(*items: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> bytes:
    told = "".join(f"<item>{item}</item>" for item in items)
    return f'{head}<rss version="2.0"><channel><title>t</title>{told}</channel></rss>'.encode()


def item(text: str, link: str = "https://desk.example/a/1", more: str = "") -> str:
    return f"<title>{text}</title><link>{link}</link>{more}"


def collected(tmp_path: Path, at: datetime = AT, **bodies: bytes) -> tuple[Batch, Script]:
    feeds = " ".join(f"{name}=https://{name}.example/rss" for name in bodies)
    script = Script(lambda url: bodies[url.split("/")[2].removesuffix(".example")], at, tmp_path)
    return news.collect(script, Ask(feeds, Plan("open"), at)), script


def one(tmp_path: Path, body: bytes) -> Row:
    (row,) = collected(tmp_path, desk=body)[0].rows
    return row


DATED = "<pubDate>Tue, 24 Nov 2026 06:30:00 GMT</pubDate>"


def test_a_row_has_every_column_of_its_table(tmp_path: Path) -> None:
    row = one(tmp_path, rss(item("Repo market strains deepen", more=DATED)))
    assert list(row) == [*(name for name, _ in NEWS_ITEM.columns), "provisional"]
    assert row["id"] == "news-" + hashlib.sha256(b"https://desk.example/a/1").hexdigest()[:20]
    assert (row["feed"], row["outlet"], row["topics"], row["tone"]) == ("desk", "desk", "liquidity", 2.0)
    assert (row["published_at"], row["provisional"]) == (datetime(2026, 11, 24, 6, 30, tzinfo=UTC), False)


def test_one_article_in_two_feeds_is_one_row_of_the_first(tmp_path: Path) -> None:
    tracked = "https://m.desk.example/a/1/?utm_source=b&amp;fbclid=2#x"
    batch, _script = collected(
        tmp_path, a=rss(item("First", more=DATED)), b=rss(item("Second", tracked, DATED))
    )
    assert [(row["feed"], row["title"]) for row in batch.rows] == [("a", "First")]


def test_of_two_the_one_that_says_when_is_kept(tmp_path: Path) -> None:
    batch, _script = collected(tmp_path, a=rss(item("First")), b=rss(item("Second", more=DATED)))
    assert [(row["feed"], row["provisional"]) for row in batch.rows] == [("b", False)]


@pytest.mark.parametrize(
    ("text", "link", "source", "read", "outlet"),
    [
        ("Oil dives - BBC", "https://news.google.com/rss/articles/CBM1?oc=5", "BBC", "Oil dives", "BBC"),
        ("Boom - Crude | Oil.example", "https://news.google.com/rss/articles/CBM2", "Crude | Oil.example",
         "Boom", "Crude | Oil.example"),
        ("Oil - a history - NBC", "https://news.google.com/rss/articles/CBM3", "", "Oil - a history", "NBC"),
        ("Oil dives - again", "https://desk.example/a/1", "", "Oil dives - again", "desk"),
        ("Oil dives", "https://desk.example/a/1", "Wire", "Oil dives", "Wire"),
        (" - BBC", "https://news.google.com/rss/articles/CBM4", "BBC", "- BBC", "BBC"),
    ],
)  # fmt: skip
def test_the_outlet_is_whoever_published_it(
    tmp_path: Path, text: str, link: str, source: str, read: str, outlet: str
) -> None:
    named = f'<source url="https://outlet.example">{source}</source>' if source else ""
    row = one(tmp_path, rss(item(text, link, named + DATED)))
    assert (row["title"], row["outlet"]) == (read, outlet)


def test_hostile_titles_are_text_and_hostile_links_are_refused(tmp_path: Path) -> None:
    hostile = [
        item("<![CDATA[<script>alert(1)</script>Bank run]]>", "https://desk.example/a/1"),
        item("=HYPERLINK(&quot;x&quot;) &amp;lt;b&amp;gt;", "https://desk.example/a/2"),
        item("[click](javascript:alert(1))", "https://desk.example/a/3"),
        item("x" * 5000, "https://desk.example/a/4"),
        item("ab\u202egnp.exe", "https://desk.example/a/5"),
        item("A title", "javascript:alert(1)"),
        item("A title", "http://[::1"),
        item("", "https://desk.example/a/6"),
    ]
    batch, _script = collected(tmp_path, desk=rss(*hostile))
    assert [row["title"] for row in batch.rows] == [
        "alert(1) Bank run",
        '=HYPERLINK("x")',
        "[click](javascript:alert(1))",
        "x" * 300,
        "abgnp.exe",
    ]
    assert sorted(entry.reason for entry in batch.rejected) == ["empty_text", "missing:link", "missing:link"]


@pytest.mark.parametrize(
    ("date", "published", "clear"),
    [
        ("Tue, 24 Nov 2026 15:00:00 +09:00", datetime(2026, 11, 24, 6, tzinfo=UTC), True),
        ("Tue, 24 Nov 2026 15:00:00 +0900", datetime(2026, 11, 24, 6, tzinfo=UTC), True),
        ("2026-11-24 15:00:00", datetime(2026, 11, 24, 6, tzinfo=UTC), True),
        ("Tue, 24 Nov 2026 20:00:00 GMT", AT, False),
        ("gestern", AT, False),
        ("", AT, False),
    ],
)
def test_times_follow_the_desk_and_what_cannot_be_believed_is_marked(
    tmp_path: Path, date: str, published: datetime, clear: bool
) -> None:
    row = one(tmp_path, rss(item("코스피 상승", more=f"<pubDate>{date}</pubDate>")))
    assert (row["published_at"], row["provisional"]) == (published, not clear)


SITEMAP = b'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url/></urlset>'
KOREAN = item("삼성전자 실적 호조에 코스피 상승")
BODIES = {
    "html": (b"<html><body><h1>Service Unavailable</h1></body></html>", "schema"),
    "sitemap": (SITEMAP, "schema"),
    "empty": (rss(), "schema"),
    "nothing": (b"", "schema"),
    "entities": (b"<?xml version='1.0'?><!DOCTYPE r [<!ENTITY a 'b'>]><rss>&a;</rss>", "parse"),
    "wrong charset": (rss(KOREAN).decode().encode("euc-kr"), "schema"),
    "misread": (rss(item("It\u00e2\u20ac\u2122s over")), "schema"),
    "no title": (rss("<link>https://desk.example/a</link>"), "schema"),
}


@pytest.mark.parametrize("name", BODIES)
def test_what_is_no_feed_is_changed_and_costs_only_itself(tmp_path: Path, name: str) -> None:
    body, code = BODIES[name]
    with pytest.raises(Changed) as refused:
        collected(tmp_path, desk=body)
    assert refused.value.code == code
    batch, script = collected(tmp_path, desk=body, good=rss(item("A title", more=DATED)))
    assert [row["feed"] for row in batch.rows] == ["good"]
    assert [(lost, error.code) for lost, error in script.lost] == [("desk", code)]


def test_korean_in_its_own_charset_is_read(tmp_path: Path) -> None:
    body = rss(KOREAN, head='<?xml version="1.0" encoding="euc-kr"?>').decode().encode("euc-kr")
    assert one(tmp_path, body)["title"] == "삼성전자 실적 호조에 코스피 상승"


# ---------------------------------------------------------------- real bodies

captured = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason=f"NO CAPTURES: {CAPTURES} is missing, news are not read from real bodies"
)


def real(tmp_path: Path, name: str, at: str) -> list[Row]:
    body = (CAPTURES / name).read_bytes()
    return list(collected(tmp_path, datetime.fromisoformat(at).astimezone(UTC), desk=body)[0].rows)


@captured
def test_a_captured_search_of_google_news_names_its_outlets(tmp_path: Path) -> None:
    rows = real(tmp_path, "google_news_search_brent_2026-08-05.xml", "2026-08-06T00:00Z")
    assert [row["outlet"] for row in rows].count("Crude Oil Prices Today | OilPrice.com") == 4
    assert {row["outlet"] for row in rows} >= {"BBC", "NBC News"}
    assert rows[0]["title"] == "Middle East War Triggers New Global Refining Boom"
    assert not [row for row in rows if str(row["title"]).endswith(str(row["outlet"]))]
    assert all("energy" in str(row["topics"]).split() for row in rows if "Oil" in str(row["title"]))


@captured
@pytest.mark.parametrize(
    ("name", "at", "count"),
    [
        ("bloomberg_markets_2026-07-09_snippets_removed.xml", "2026-07-09T23:00Z", 30),
        ("cnbc_international_2026-03-08.xml", "2026-03-09T00:00Z", 30),
        ("nyt_business_2026-03-08.xml", "2026-03-09T00:00Z", 50),
        ("seekingalpha_AAPL_2026-03-08.xml", "2026-03-09T00:00Z", 20),
        ("fed_press_all_2026-09-18_3items.xml", "2026-09-19T00:00Z", 3),
    ],
)
def test_captured_desks_are_read(tmp_path: Path, name: str, at: str, count: int) -> None:
    rows = real(tmp_path, name, at)
    assert len(rows) == count
    assert len({row["id"] for row in rows}) == count
    assert not [row for row in rows if "source=feed" in str(row["link"]) or "utm_" in str(row["link"])]
    told = stories.fold(stories.Title(str(r["id"]), r["published_at"], str(r["title"])) for r in rows)  # type: ignore[arg-type]
    assert len(set(told.values())) >= 0.9 * count


@captured
def test_a_captured_sitemap_is_no_feed(tmp_path: Path) -> None:
    with pytest.raises(Changed):
        real(tmp_path, "bloomberg_news_sitemap_2026-03-15.xml", "2026-03-15T12:00Z")
