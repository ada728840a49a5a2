"""The Federal Reserve Board's site as the fake plays it: the feed of speeches, the index of a year, the pages
of speeches in their modern layout.

What surrounds a text (navigation, notes, references) is full of words that must not be taken for it.
"""

import re
from datetime import timedelta
from email.utils import format_datetime
from html import escape

from . import speech_text, speeches
from .market import Market
from .speeches import Speech
from .wire import Reply

HTML = "text/html; charset=utf-8"
SITE = "https://www.federalreserve.gov"
_FEED_DAYS = timedelta(days=42)
_INDEX = re.compile(r"/newsevents/speech/(\d{4})-speeches\.htm")
_PAGE = re.compile(r"/newsevents/speech/([a-z]+(\d{4})\d{4}[a-z])\.htm")
_GONE = "<html><head><title>Page not found - Federal Reserve Board</title></head><body>404</body></html>"
_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8" />
<title>{title} - Federal Reserve Board</title>
<script>var stress = "panic, crisis, default";</script></head>
<body><a href="#content" class="globalskip">Skip to main content</a>
<div class="t1__banner"><svg role="img"><title>Lock</title></svg><p>An official website of the United States
Government. Risk, stress tests and financial stability crisis resources.</p></div>
<nav class="nav-primary"><ul><li><p><a href="/supervisionreg.htm">Supervision &amp; Regulation: bank failures,
losses, vulnerabilities</a></p></li></ul></nav>
<div id="content" class="container container__main" role="main">
<ol class="breadcrumb"><li><a href="/newsevents.htm">News &amp; Events</a></li></ol>
"""
_FOOT = """</div>
<footer class="footer"><p class="footer__help">Last Update: {day}. Runs, panics, turmoil: in the archive.</p>
</footer></body></html>
"""
_ROW = """<div class="row">
<div class="col-xs-3 col-md-2 eventlist__time"><time>{day.month}/{day.day}/{day.year}</time></div>
<div class="col-xs-9 col-md-10 eventlist__event">
<p><a href="/newsevents/speech/{slug}.htm"><em>{title}</em></a></p>
<p class="news__speaker">{speaker}</p>
<p>{place}</p>
</div></div>
"""
_ARTICLE = """<div id="article">
<div class="heading col-xs-12 col-sm-8 col-md-8">
<p class="article__time">{day}</p>
<h3 class="title"><em>{title}</em></h3>
<p class="speaker">{speaker}</p>
<p class="location">{place}</p>
<ul class="list-unstyled"><li><a class="watchLive" href="/videos.htm">Watch Live: crisis</a></li></ul>
</div>
<div class="col-xs-12 col-sm-4 col-md-4 hidden-sm"><ul><li><a href="/feeds/feeds.htm">RSS</a></li></ul></div>
<div class="col-xs-12 col-sm-8 col-md-8">
{text}</div>
</div>
"""
_NOTES = """<hr />
<p><strong>References</strong></p>
<p>Author, A. (2019). "Panics, Runs and Contagion." <em>Journal of Crises</em>, vol. 3, pp. 1&ndash;40.</p>
<hr />
<p><a name="fn1" id="fn1"></a>1. The views expressed are the speaker's own. Losses, defaults and bankruptcies
are discussed in the report. <a href="#f1">Return to text</a></p>
"""
_ITEM = """        <item>
            <title>{title}</title>
            <link><![CDATA[{link}]]></link>
            <guid><![CDATA[{guid}]]></guid>
            <description><![CDATA[Speech {place}]]></description>
            <category>Speech</category>
            <pubDate><![CDATA[{at}]]></pubDate>
        </item>
"""
_FEED = """\ufeff<?xml version="1.0" encoding="utf-8" ?>
<rss version="2.0">
    <channel>
        <title>FRB: Speeches</title>
        <link><![CDATA[https://www.federalreserve.gov/feeds/feeds.htm]]></link>
        <description><![CDATA[Speeches of Federal Reserve Officials]]></description>
        <language>en</language>
{items}    </channel>
</rss>
"""


class Fed:
    """Answers for www.federalreserve.gov."""

    def __init__(self, market: Market) -> None:
        self.market = market

    def reply(self, path: str, base: str) -> Reply:
        """`base` is where this site is found: the feed's links lead there."""
        if path == "/feeds/speeches.xml":
            return Reply(200, self._feed(base).encode(), "text/xml")
        index, page = _INDEX.fullmatch(path), _PAGE.fullmatch(path)
        text = None
        if index:
            text = self._index(int(index[1]))
        elif page:
            text = self._page(page[1], int(page[2]))
        return Reply(404, _GONE.encode(), HTML) if text is None else Reply(200, text.encode(), HTML)

    def known(self, year: int) -> list[Speech]:
        """The speeches of a year that are out by now, newest first."""
        now = self.market.now()
        if year > now.year:
            return []
        return [one for one in speeches.of_year(self.market.seed, year) if one.at <= now][::-1]

    def _feed(self, base: str) -> str:
        now = self.market.now()
        recent = speeches.published(self.market.seed, now, (now - _FEED_DAYS).date())
        return _FEED.format(items="".join(_item(one, base) for one in recent))

    def _index(self, year: int) -> str | None:
        known = self.known(year)
        if not known and year != self.market.now().year:
            return None
        rows = "".join(
            _ROW.format(day=one.day, slug=one.slug, title=one.title, speaker=one.speaker, place=one.place)
            for one in known
        )
        body = (
            f'<h3>{year} Speeches</h3>\n<div class="row eventlist">'
            f'<div class="col-xs-12 col-sm-8 col-md-8">\n{rows}</div></div>\n'
        )
        return _HEAD.format(title=f"{year} Speeches") + body + _FOOT.format(day=f"January 3, {year}")

    def _page(self, slug: str, year: int) -> str | None:
        one = next((one for one in self.known(year) if one.slug == slug), None)
        if one is None or one.kind == "missing":
            return None
        day = f"{one.day:%B} {one.day.day}, {one.day.year}"
        article = _ARTICLE.format(
            day=day, title=one.title, speaker=one.speaker, place=one.place, text=self._text(one)
        )
        title = f"Speech by {one.speaker} on {one.title}"
        return _HEAD.format(title=title) + article + _FOOT.format(day=day)

    def _text(self, one: Speech) -> str:
        said = [escape(paragraph) for paragraph in speech_text.paragraphs(self.market.seed, one)]
        if not said:
            return ""
        said[0] += '<a href="#fn1" id="f1"><sup>1</sup></a>'
        # The pages keep some marks and capitals of the word processor.
        told = "".join(f"<p>{paragraph}</p>\n" for paragraph in said)
        return told.replace("percent ", "percent&nbsp;", 1) + _NOTES


def _item(one: Speech, base: str) -> str:
    # The identity does not depend on where the fake happens to listen.
    link = f"/newsevents/speech/{one.slug}.htm"
    # `title` is plain XML text in the feed: the entities of HTML stay undecoded in it.
    title = escape(f"{one.surname}, {one.title}", quote=False)
    at = format_datetime(one.at, usegmt=True).replace(", 0", ", ")
    return _ITEM.format(title=title, link=base + link, guid=SITE + link, place=one.place, at=at)
