"""Speeches and headlines as sources, without a network: what is listed, read, dropped and told apart."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.check import check
from collectors.model import Answer, Ask, Batch, Changed, Plan, Rejected, Request, Unavailable
from collectors.sources import fed_pages, fed_speech, feeds, headlines
from storage.read import Known
from tests.scripted import Script

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
OPEN = Plan("open")
FEED = "https://fed.example/feeds/speeches.xml"


def speech_page(words: int = 300) -> bytes:
    text = "Funding markets were calm and resilient. " * (words // 6)
    return f'<div id="article"><p class="speaker">Governor A</p><p>{text}</p></div>'.encode()


def rss(*items: tuple[str, str, str]) -> bytes:
    """(title, link, date)"""
    entries = "".join(
        f"<item><title>{title}</title><link>{link}</link><guid>{link}</guid><pubDate>{when}</pubDate></item>"
        for title, link, when in items
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{entries}</channel></rss>'.encode()
    )


def speech(slug: str, when: str = "Fri, 20 Nov 2026 15:00:00 GMT") -> tuple[str, str, str]:
    return (f"Alpha, On {slug}", f"https://fed.example/newsevents/speech/{slug}.htm", when)


def yearly(*slugs: str) -> bytes:
    rows = "".join(
        f'<div class="eventlist__event"><p><a href="/newsevents/speech/{slug}.htm"><em>On {slug}</em></a></p>'
        f'<p class="news__speaker">Governor {slug[:5].title()}</p></div>'
        for slug in slugs
    )
    return f"<html><body>{rows}</body></html>".encode()


def collected(
    tmp_path: Path, pages: dict[str, bytes], known: frozenset[str] = frozenset(), base: str = ""
) -> Batch:
    def answer(url: str) -> bytes:
        for end, body in pages.items():
            if url.endswith(end):
                return body
        raise Unavailable("http_404", "gone")

    script = Script(answer, AT, tmp_path)
    return fed_speech.collect(script, Ask(base or f"speeches={FEED}", OPEN, AT, known_ids=known))


def test_the_feed_and_the_list_of_the_year_are_one_speech_each(tmp_path: Path) -> None:
    pages = {
        "speeches.xml": rss(speech("alpha20261120a")),
        "2026-speeches.htm": yearly("alpha20261120a", "bravo20261110a"),
        ".htm": speech_page(),
    }
    rows = {row["id"]: row for row in collected(tmp_path, pages).rows}
    assert set(rows) == {"alpha20261120a", "bravo20261110a"}
    assert rows["alpha20261120a"]["published_at"] == datetime(2026, 11, 20, 15, tzinfo=UTC)
    # The list has no time of day: noon in Washington.
    assert rows["bravo20261110a"]["published_at"] == datetime(2026, 11, 10, 17, tzinfo=UTC)
    assert rows["bravo20261110a"]["speaker"] == "Governor Bravo"


def test_lists_are_read_until_there_are_enough_that_are_not_stored(tmp_path: Path) -> None:
    stored = frozenset(f"alpha2026{month:02}{day:02}a" for month in range(1, 6) for day in range(1, 12))
    older = [f"bravo2025{month:02}{day:02}a" for month in range(1, 6) for day in range(1, 12)]
    pages = {
        "speeches.xml": rss(speech("alpha20260101a")),
        "2026-speeches.htm": yearly(*stored),
        "2025-speeches.htm": yearly(*older),
        ".htm": speech_page(),
    }
    batch = collected(tmp_path, pages, stored)
    assert len(batch.rows) == len(older)


def test_a_speech_without_text_costs_no_other(tmp_path: Path) -> None:
    pages = {
        "speeches.xml": rss(speech("alpha20261120a"), speech("bravo20261119a"), speech("delta20261118a")),
        "bravo20261119a.htm": b'<div id="article"></div>',
        ".htm": speech_page(),
    }
    batch = collected(tmp_path, pages, frozenset(str(n) for n in range(80)))
    assert [row["id"] for row in batch.rows] == ["alpha20261120a", "delta20261118a"]
    assert [entry.reason for entry in batch.rejected] == ["no_text"]
    assert check(fed_speech.SOURCE, batch, Known(), AT).rows == batch.rows
    nothing = Batch((), (Rejected({"id": "bravo20261119a"}, "no_text"),))
    assert check(fed_speech.SOURCE, nothing, Known(), AT).rows == ()


def test_of_two_feeds_one_may_be_down_and_links_that_lead_elsewhere_are_not_followed(tmp_path: Path) -> None:
    pages = {
        "speeches.xml": rss(
            speech("alpha20261120a"),
            ("Echo, Elsewhere", "https://evil.example/newsevents/speech/echo20261120a.htm", ""),
        ),
        ".htm": speech_page(),
    }
    both = f"other=https://fed.example/feeds/other.xml speeches={FEED}"
    batch = collected(tmp_path, pages, frozenset(str(n) for n in range(80)), both)
    assert [row["id"] for row in batch.rows] == ["alpha20261120a"]
    assert [entry.reason for entry in batch.rejected] == ["elsewhere"]
    with pytest.raises(Unavailable):
        collected(tmp_path, {}, frozenset(), both)


def test_paragraphs_that_nobody_closed_are_read_once() -> None:
    page = (
        b'<div id="article">' + b"".join(b"<p>Paragraph %d has five words" % n for n in range(10)) + b"</div>"
    )
    text = fed_pages.spoken_text(page)
    assert len(text.split()) == 50
    assert text.startswith("Paragraph 0 has five words Paragraph 1")


@pytest.mark.parametrize(
    "body",
    [
        b'<div id="article">' + b"<p>word" * 60_000,
        b'<div id="article"><p>' + b"<b>" * 150_000 + b"x",
        b'<div id="article">' + b"<div>" * 100_000 + b"<p>x",
        b"<a href=x>" * 50_000,
    ],
    ids=["paragraphs", "bold", "nested", "links"],
)
def test_a_page_that_is_made_to_be_slow_is_not(body: bytes) -> None:
    begun = time.process_time()
    assert len(fed_pages.spoken_text(body)) <= fed_pages.MOST_TEXT + 100_000
    list(fed_pages.listed(body))
    assert time.process_time() - begun < 4


def test_scripts_heads_notes_and_what_is_around_are_no_text() -> None:
    page = b"""<p>before</p><div id="article"><div><p class="article__time">May 1</p><p>One<br>two</p>
    <script>var x = '<p>no</p>';</script><p>Three <a href="#">Return to text</a></p><p>Four</p></div>
    <p><strong>References</strong></p><p>Five</p></div><p>after</p>"""
    assert fed_pages.spoken_text(page) == "One two Four"


# ---------------------------------------------------------------- headlines


def test_feeds_that_count_their_items_from_nought_do_not_take_each_others_headlines(tmp_path: Path) -> None:
    def answer(url: str) -> bytes:
        name = url.rsplit("/", 1)[1]
        entries = "".join(
            f"<item><title>Story {n} of {name}</title><link>https://{name}.example/{n}</link><guid>{n}</guid>"
            "<pubDate>Tue, 24 Nov 2026 10:00:00 GMT</pubDate></item>"
            for n in range(20)
        )
        return f'<rss version="2.0"><channel><title>t</title>{entries}</channel></rss>'.encode()

    base = " ".join(f"f{n}=https://x.example/f{n}" for n in range(8))
    batch = headlines.collect(Script(answer, AT, tmp_path), Ask(base, OPEN, AT))
    assert len({row["id"] for row in batch.rows}) == len(batch.rows) == 160


def test_the_first_of_several_failures_is_the_one_that_is_told(tmp_path: Path) -> None:
    def answer(url: str) -> bytes:
        raise Unavailable("timeout" if url.endswith("a") else "connect", url[-1])

    with pytest.raises(Unavailable) as caught:
        headlines.collect(
            Script(answer, AT, tmp_path), Ask("a=https://x.example/a b=https://x.example/b", OPEN, AT)
        )
    assert caught.value.code == "timeout"


@pytest.mark.parametrize(
    ("written", "expected", "clear"),
    [
        ("Tue, 24 Nov 2026 09:40:00 GMT", "2026-11-24T09:40:00+00:00", True),
        ("Tue, 24 Nov 2026 09:40:00 +0900", "2026-11-24T00:40:00+00:00", True),
        ("Tue, 24 Nov 2026 09:40:00 EST", "2026-11-24T14:40:00+00:00", False),
        ("Mon, 23 Nov 2026 09:40:00 EST", "2026-11-23T14:40:00+00:00", True),
        ("Tue, 24 Nov 2026 09:40:00 KST", "2026-11-24T00:40:00+00:00", True),
        ("Tue, 24 Nov 2026 5:40 PM EST", None, False),
        ("20 Nov 2026", None, False),
        ("soon", None, False),
        ("Wed, 25 Nov 2026 12:00:00 GMT", None, False),
    ],
)
def test_a_time_is_believed_where_its_zone_is_known(written: str, expected: str | None, clear: bool) -> None:
    body = rss(("A title", "https://x.example/1", written))
    (item,), _rejected = feeds.items(Answer(body, AT, Request("https://x.example")))
    assert item.clear is clear
    if clear:
        assert item.published_at.isoformat() == expected
    else:
        assert item.published_at == AT


def test_a_page_instead_of_a_feed_is_told() -> None:
    with pytest.raises(Changed):
        feeds.items(Answer(b"<html><body>503</body></html>", AT, Request("https://x.example")))
