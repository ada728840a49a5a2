"""The news feeds as the fake plays them: RSS 2.0 of the last 36 hours, each feed with the habits of a real
one, and each day with one item that is broken or hostile.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from xml.sax.saxutils import escape

from .headline_words import SUMMARY
from .headlines import Headline, of_day
from .market import Market
from .wire import Reply

SPAN = timedelta(hours=36)
MOST = 40
_SEOUL = timezone(timedelta(hours=9))
# How far ahead the item with a date in the future is dated: it stays so while it is shown.
_AHEAD = timedelta(hours=40)


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed: how it writes dates, what it says besides titles, and what is odd in it once a day."""

    name: str
    language: str
    dates: str
    summary: str
    odd: str
    has_guid: bool = True
    # Another feed whose articles this one brings too: under a link that says who sent the reader, or (with
    # `gathers`) as Google News does.
    of: str = ""
    gathers: bool = False


FEEDS = {
    one.name: one
    for one in (
        Feed("wire", "en", "gmt", "plain", "script_title"),
        Feed("street", "en", "gmt", "escaped", "javascript_link"),
        Feed("ledger", "en", "bare", "none", "future_date"),
        Feed("hangang", "ko", "seoul", "none", "no_title", has_guid=False),
        Feed("namsan", "ko", "seoul_colon", "cdata", "no_date"),
    )
}

# Those of the news pipeline: three desks of their own, one that repeats another, one that gathers.
NEWS_FEEDS = {
    one.name: one
    for one in (
        Feed("courier", "en", "gmt", "plain", "script_title"),
        Feed("echo", "en", "gmt", "none", "", has_guid=False, of="courier"),
        Feed("digest", "en", "gmt", "escaped", "", of="courier", gathers=True),
        Feed("mapo", "ko", "seoul_colon", "cdata", "no_date"),
        Feed("jongno", "ko", "bare", "none", "no_title", has_guid=False),
    )
}


class Feeds:
    """Answers for ten publishers at once: `/wire.xml` and so on."""

    def __init__(self, market: Market) -> None:
        self.market = market

    def reply(self, path: str) -> Reply:
        """404 for a feed that is not played."""
        feed = (FEEDS | NEWS_FEEDS).get(path.removeprefix("/").removesuffix(".xml"))
        if feed is None:
            return Reply(404, b"<h1>Not Found</h1>", "text/html; charset=utf-8")
        body = _rss(feed, self.items(feed), self.market.now())
        return Reply(200, body.encode(), "application/rss+xml; charset=utf-8")

    def items(self, feed: Feed) -> list[Headline]:
        """What the feed shows now, newest first."""
        now = self.market.now()
        own = NEWS_FEEDS[feed.of] if feed.of else feed
        days = [(now - SPAN).date() + timedelta(days=n) for n in range(3)]
        known = [
            one
            for day in days
            for one in of_day(self.market.seed, own.name, own.language, own.odd, day)
            if now - SPAN < one.at <= now
        ]
        return sorted(known, key=lambda one: (one.at, one.number), reverse=True)[:MOST]


def _rss(feed: Feed, items: list[Headline], now: datetime) -> str:
    told = "".join(_item(feed, one) for one in items)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>{feed.name.capitalize()} (fake)</title><link>https://{feed.name}.example/</link>"
        f"<description>Invented headlines</description><language>{feed.language}</language>"
        f"<lastBuildDate>{format_datetime(now, usegmt=True)}</lastBuildDate>\n{told}</channel></rss>\n"
    )


def _item(feed: Feed, one: Headline) -> str:
    parts = [] if one.odd == "no_title" else [f"<title>{_title(feed, one)}</title>"]
    link = _link(feed, one)
    parts.append(f"<link>{'javascript:alert(1)' if one.odd == 'javascript_link' else link}</link>")
    if feed.has_guid:
        parts.append(f'<guid isPermaLink="false">{feed.name}-{one.id}</guid>' if feed.of else _guid(one))
    if feed.gathers:
        parts.append(f'<source url="https://{feed.of}.example">{feed.of.capitalize()} (fake)</source>')
    if one.odd != "no_date":
        at = one.at + _AHEAD if one.odd == "future_date" else one.at
        parts.append(f"<pubDate>{_date(feed, at)}</pubDate>")
    parts += _summary(feed, one)
    return f"<item>{''.join(parts)}</item>\n"


def _guid(one: Headline) -> str:
    return f'<guid isPermaLink="false">{one.id}</guid>'


def _link(feed: Feed, one: Headline) -> str:
    if feed.gathers:
        return f"https://news.google.com/rss/articles/{one.id}?oc=5"
    if feed.of:
        return f"http://m.{feed.of}.example/articles/{one.id}/?utm_source={feed.name}&amp;CMP=rss#top"
    return f"https://{feed.name}.example/articles/{one.id}"


def _title(feed: Feed, one: Headline) -> str:
    outlet = f" - {feed.of.capitalize()} (fake)" if feed.gathers else ""
    if one.odd == "script_title":
        return f"<![CDATA[<script>alert('x')</script>{one.title}{outlet}]]>"
    return escape(one.title + outlet)


def _date(feed: Feed, at: datetime) -> str:
    if feed.dates == "gmt":
        return format_datetime(at, usegmt=True)
    if feed.dates == "bare":
        return f"{at:%Y-%m-%d %H:%M:%S}"
    text = format_datetime(at.astimezone(_SEOUL))
    return text[:-2] + ":" + text[-2:] if feed.dates == "seoul_colon" else text


def _summary(feed: Feed, one: Headline) -> list[str]:
    said = SUMMARY[feed.language].format(one.title)
    forms = {
        "plain": escape(said),
        "escaped": escape(f"<p>{escape(said)}</p>"),
        "cdata": f"<![CDATA[<p>{escape(said)}</p>]]>",
    }
    return [f"<description>{forms[feed.summary]}</description>"] if feed.summary in forms else []
