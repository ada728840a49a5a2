"""Real bodies of FRED, Yahoo and news feeds through our sources: accepted with facts read off the file
by hand, or refused for a named reason. Without ../shared beside the project this module skips.
"""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.model import Answer, Ask, Batch, Changed, Plan, Refused, Request, Unavailable
from collectors.place import Place
from collectors.reply import Reply, judge, shut_out
from collectors.sources import fed_pages, feeds, fred, yahoo
from collectors.stress.observations import Levels
from collectors.stress.prices import adjusted
from tests.scripted import Script

FOLDER = Path(__file__).resolve().parent.parent.parent / "shared" / "captures"

if not FOLDER.is_dir():
    pytest.skip(f"NO CAPTURES: {FOLDER} is missing, parsers are not checked against real bodies",
                allow_module_level=True)  # fmt: skip

OPEN = Plan("open")


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# ---------------------------------------------------------------- FRED

INFO = b'<seriess><series id="DGS10" title="t" units="Percent" /></seriess>'


def of_fred(observations: bytes, tmp_path: Path, info: bytes = INFO) -> Batch:
    (source,) = (one for one in fred.SOURCES if one.name == "fred.DGS10")
    script = Script(
        lambda url: info if url.endswith("/series") else observations, instant("2015-06-28T12:00Z"), tmp_path
    )
    assert source.collect is not None
    return source.collect(script, Ask("https://up.example", OPEN, script.at))


def test_a_captured_answer_of_fred_becomes_observations(tmp_path: Path) -> None:
    batch = of_fred((FOLDER / "fred/xml/fredapi_tests_sp500_obs_call.xml").read_bytes(), tmp_path)
    assert [(row["series"], row["date"], row["value"]) for row in batch.rows] == [
        ("fred.DGS10", date(2014, 9, 2), 2002.28),
        ("fred.DGS10", date(2014, 9, 3), 2000.72),
        ("fred.DGS10", date(2014, 9, 4), 1997.65),
        ("fred.DGS10", date(2014, 9, 5), 2007.71),
    ]


def test_the_unit_is_read_from_captured_metadata(tmp_path: Path) -> None:
    info = (FOLDER / "fred/xml/fredapi_tests_payems_info_call.xml").read_bytes()
    with pytest.raises(Changed) as refused:
        of_fred(b"<observations/>", tmp_path, info)
    assert refused.value.code == "schema"
    assert refused.value.values["said"] == "Thousands of Persons"


def test_points_and_blanks_of_fred_are_no_values(tmp_path: Path) -> None:
    body = b"""<observations><observation date="2026-11-20" value="4.10"/>
        <observation date="2026-11-23" value="."/>
        <observation date="2026-11-24" value=""/><observation date="2026-11-25" value="nan"/>
        <observation date="2026-11-26" value="1e999"/><observation date="soon" value="4.1"/>
        <observation date="2026-11-27" value="4,1"/></observations>"""
    batch = of_fred(body, tmp_path)
    assert [row["value"] for row in batch.rows] == [4.1]
    assert [entry.reason for entry in batch.rejected] == [
        "non_finite",
        "non_finite",
        "timestamp",
        "not_a_number",
    ]


@pytest.mark.parametrize(
    ("name", "status", "kind", "code", "key"),
    [
        ("400_no_key.xml", 400, Refused, "http_400", True),
        ("400_no_key.json", 400, Refused, "http_400", True),
        ("400_unregistered_key.json", 400, Refused, "http_400", True),
        ("400_series_does_not_exist.xml", 400, Refused, "http_400", False),
        ("400_series_does_not_exist.json", 400, Refused, "http_400", False),
        ("429_MESSAGE_ONLY.txt", 429, Unavailable, "rate_limited", False),
    ],
)
def test_a_bad_key_is_told_apart_from_a_bad_series(
    name: str, status: int, kind: Any, code: str, key: bool
) -> None:
    body = (FOLDER / "fred/errors" / name).read_bytes()
    with pytest.raises(kind) as caught:
        judge(Reply(status, body, {}, instant("2026-01-01T00:00Z")), Place("api.stlouisfed.org"), keyed=True)
    assert caught.value.code == code
    assert shut_out(caught.value) == key
    if key:
        assert "FRED_API_KEY" in str(caught.value)
    elif status == 400:
        assert "no such series" in str(caught.value)


# ---------------------------------------------------------------- Yahoo


def chart(name: str) -> bytes:
    return (FOLDER / "yahoo" / name).read_bytes()


def of_yahoo(body: bytes, tmp_path: Path, at: str, symbol: str = "SPY") -> Batch:
    (source,) = (one for one in yahoo.SOURCES if one.name == f"yahoo.{symbol}")
    script = Script(lambda _url: body, instant(at), tmp_path)
    assert source.collect is not None
    # A month, so that no time zone has to be looked up.
    return source.collect(script, Ask("https://up.example", OPEN, script.at, date(2026, 5, 1)))


@pytest.mark.parametrize(
    ("name", "days", "facts"),
    [
        ("chart_132030.KS_etf_1d.json", 1408, {}),
        ("chart_133690.KS_etf_1d.json", 3500, {}),
        ("chart_153130.KS_etf_1d.json", 1408, {}),
        ("chart_219480.KS_etf_1d.json", 2695, {}),
        ("chart_360750.KS_etf_1d.json", 1408, {}),
    ],
)
def test_a_captured_chart_is_read_without_its_null_bars(
    tmp_path: Path, name: str, days: int, facts: dict[str, float]
) -> None:
    body = chart(name)
    result = json.loads(body)["chart"]["result"][0]
    closes = result["indicators"]["quote"][0]["close"]
    nulls = closes.count(None)
    assert nulls >= 20 and len(closes) == days
    batch = of_yahoo(body, tmp_path, "2026-12-31T00:00Z")
    rows = [row for row in batch.rows if row["series"] == "yahoo.SPY.close"]
    # The live quote may come beside the bar of its day.
    assert days - nulls - 1 <= len(rows) <= days - nulls
    first = next(close for close in closes if close is not None)
    assert rows[0]["value"] == round(first, 4)
    assert [row["date"] for row in rows] == sorted({row["date"] for row in rows})  # type: ignore[type-var]


def test_captured_errors_of_yahoo_are_what_they_are() -> None:
    place = Place("query2.finance.yahoo.com", "/v8/finance/chart/X")

    def said(name: str, status: int) -> Exception:
        with pytest.raises((Refused, Unavailable)) as caught:
            judge(Reply(status, chart(name), {}, instant("2026-01-01T00:00Z")), place, keyed=False)
        return caught.value

    found = [
        said("error_404_no_data_found.json", 404),
        said("error_404_unknown_symbol_pretty.json", 404),
        said("error_401_invalid_crumb.json", 401),
        said("error_429_too_many_requests.txt", 429),
    ]
    assert [getattr(error, "code", "") for error in found] == [
        "http_404",
        "http_404",
        "http_401",
        "rate_limited",
    ]


@pytest.mark.parametrize("name", ["yahoo_SPY_adjusted", "yahoo_HYG_adjusted"])
def test_what_was_adjusted_by_yahoo_needs_no_second_adjustment(name: str) -> None:
    import csv

    import numpy as np

    file = FOLDER.parent / "history" / f"{name}.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        values = np.array([float(row["value"]) for row in csv.DictReader(lines) if row["value"]])
    close = Levels(np.arange(len(values)) + 730_000, values)
    nothing = Levels(close.days[:0], close.values[:0])
    assert adjusted(close, nothing, nothing).values.tobytes() == values.tobytes()


# ---------------------------------------------------------------- feeds


def feed(name: str, at: str) -> tuple[list[feeds.Item], list[str]]:
    answer = Answer((FOLDER / "rss" / name).read_bytes(), instant(at), Request("https://up.example/feed"))
    found, rejected = feeds.items(answer)
    return found, [entry.reason for entry in rejected]


def test_the_feds_feed_is_read_with_its_mark_and_entities() -> None:
    found, rejected = feed("fed_speeches_2026-10_7items_reassembled.xml", "2026-10-10T00:00Z")
    assert (len(found), rejected) == (7, [])
    assert found[0].title == "Waller, The Signaling Value of the Summary of Economic Projections"
    assert found[0].published_at == datetime(2026, 10, 8, 8, 30, tzinfo=UTC)
    # Two of one minute are two speeches.
    assert len({item.id for item in found}) == 7
    assert all(item.clear for item in found)


@pytest.mark.parametrize(
    ("name", "at", "count", "outlet"),
    [
        ("bloomberg_markets_2026-07-09_snippets_removed.xml", "2026-07-09T23:00Z", 30, "bloomberg.com"),
        ("cnbc_international_2026-03-08.xml", "2026-03-09T00:00Z", 30, "cnbc.com"),
        ("nyt_business_2026-03-08.xml", "2026-03-09T00:00Z", 50, "nytimes.com"),
        ("seekingalpha_AAPL_2026-03-08.xml", "2026-03-09T00:00Z", 20, "seekingalpha.com"),
        ("google_news_search_brent_2026-08-05.xml", "2026-08-06T00:00Z", 6, "news.google.com"),
    ],
)
def test_a_captured_feed_gives_titles_links_and_times(name: str, at: str, count: int, outlet: str) -> None:
    found, rejected = feed(name, at)
    assert rejected == []
    assert len(found) == count
    assert all(outlet in item.link and item.title == item.title.strip() for item in found)
    assert all(item.clear and item.published_at <= instant(at) for item in found)
    assert not [item for item in found if "<" in item.title or "&amp;" in item.title]


def test_a_feed_without_zones_gets_one_and_says_what_it_does_not_know() -> None:
    found, _rejected = feed("rbi_press_2026-07-09_bom_notz.xml", "2026-07-09T23:00Z")
    assert len(found) == 10
    # 17:30 of a desk of which nothing is known but its language: taken for UTC, and not marked.
    assert all(item.clear for item in found)


def test_a_sitemap_is_no_feed() -> None:
    with pytest.raises(Changed) as refused:
        feed("bloomberg_news_sitemap_2026-03-15.xml", "2026-03-15T12:00Z")
    assert refused.value.code == "schema"


def test_korean_items_have_the_time_of_their_desk() -> None:
    text = (FOLDER / "rss" / "korean_item_shapes_2026-05-19.txt").read_text(encoding="utf-8")
    items = [part.partition("</item>")[0] for part in text.split("<item>")[1:]]
    times = []
    for item in items:
        body = (
            '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/">'
            f"<channel><title>t</title><item>{item}</item></channel></rss>"
        )
        found, rejected = feeds.items(
            Answer(body.encode(), instant("2026-05-19T12:00Z"), Request("https://k.example"))
        )
        assert rejected == [] and found[0].clear
        times.append(found[0].published_at.isoformat())
    # 09:43:21 +0900, 09:40:46 +09:00, and 00:41:21 of a desk that names no zone and writes Korean.
    assert times[:2] == ["2026-05-19T00:43:21+00:00", "2026-05-19T00:40:46+00:00"]
    assert times[2] == "2026-05-18T15:41:21+00:00"


# ------------------------------------------------ speeches (no page is captured: the shape alone)

PAGE = b"""<!DOCTYPE html><html><head><title>Speech by A - Federal Reserve Board</title></head><body>
<div id="nav"><p>Skip to main content</p></div>
<div id="article"><div class="heading"><p class="article__time">September 18, 2026</p>
<h3 class="title">On Strains</h3><p class="speaker">Governor A</p><p class="location">At a place</p></div>
<div><p>First paragraph &amp; more.</p><p>Second one<a href="#f1"><sup>1</sup></a>.</p>
<p><a name="f1">1.</a> A note. <a href="#">Return to text</a></p>
<p><strong>References</strong></p><p>Somebody (2020)</p></div></div>
<footer><p>Last Update: September 18, 2026</p></footer></body></html>"""


def test_a_speech_page_is_read_for_its_paragraphs_alone() -> None:
    assert fed_pages.spoken_text(PAGE) == "First paragraph & more. Second one1."
    assert fed_pages.spoken_text(b"<html><body><p>404</p></body></html>") == ""
