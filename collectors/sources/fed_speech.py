"""Speeches of the Federal Reserve Board: the feed says which there are, each page has its text.

The feed holds a few weeks; the module of the index needs sixty speeches. The first runs therefore read
the Board's yearly lists as well, newest first, until there are enough. Board texts are public domain
(https://www.federalreserve.gov/disclaimer.htm, as of 2026-11).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

from collectors.model import Ask, Batch, CollectError, Plan, Rejected, Request, Row, Source, Upstream, Wire
from collectors.payload import Unfit, text
from collectors.sources.fed_pages import listed, spoken_text
from collectors.sources.feeds import FEED_BYTES, Item, items, pairs
from collectors.stress.lexicon import LEXICON_VERSION
from collectors.stress.speeches import read
from storage.tables import FED_SPEECH
from storage.texts import N_

UPSTREAM = Upstream(
    name="federalreserve",
    title="Federal Reserve Board",
    home="https://www.federalreserve.gov/newsevents/speeches.htm",
    credit=N_("Federal Reserve Board"),
    licence=N_("Public domain"),
    url="fed_feeds",
    plans=(Plan("open", pace_s=0.5),),
)

# What the index needs, and some more for those without text.
ENOUGH = 80
YEARS = 4
PAGE_BYTES = 600_000
# What is kept back of the time for landing what there is.
_RESERVE_S = 8.0
_LEAST_WORDS = 150
_WASHINGTON = ZoneInfo("America/New_York")
_PAGE = re.compile(r"/newsevents/speech/(?P<slug>(?P<who>[a-z.\-]+?)(?P<day>\d{8})[a-z]?)\.htm$")


@dataclass(frozen=True, slots=True)
class _Found:
    """A speech that is known of; its page has the text."""

    id: str
    link: str
    title: str
    speaker: str
    published_at: datetime


def collect(wire: Wire, ask: Ask) -> Batch:
    """Rows of `fed_speech` that are not stored yet. Raises what the feed raised where none answered."""
    rejected: list[Rejected] = []
    asked = _listed(wire, ask, rejected)
    new = [one for one in asked if one.id not in ask.known_ids]
    rows: list[Row] = []
    for one in sorted(new, key=lambda one: one.published_at, reverse=True):
        if wire.left_s() < _RESERVE_S:
            break
        try:
            rows.append(
                _spoken(one, wire.get(Request(one.link, item=one.id, max_bytes=PAGE_BYTES, html=True)).body)
            )
        except Unfit as unfit:
            rejected.append(Rejected({"id": one.id, "link": one.link}, str(unfit)))
        except CollectError as error:
            wire.lose(one.id, error)
            if error.code in ("rate_limited", "circuit_open", "deadline"):
                break
    return Batch(rows, rejected)


def _listed(wire: Wire, ask: Ask, rejected: list[Rejected]) -> list[_Found]:
    """What the feeds name, and the yearly lists while too few are stored. A feed that fails costs only
    itself; raises what the first raised where none answered."""
    found: dict[str, _Found] = {}
    first: CollectError | None = None
    urls = list(pairs(ask.base).values())
    for url in urls:
        try:
            answer = wire.get(Request(url, max_bytes=FEED_BYTES))
            entries, unfit = items(answer)
        except CollectError as error:
            if len(urls) > 1:
                wire.lose(url, error)
            first = first or error
            continue
        rejected += unfit
        found |= _named(entries, url, rejected)
        if len(ask.known_ids) < ENOUGH:
            for older in _yearly(wire, url, answer.at.year, {*ask.known_ids, *found}):
                found.setdefault(older.id, older)
    if first is not None and not found:
        raise first
    return list(found.values())


def _named(entries: Sequence[Item], url: str, rejected: list[Rejected]) -> dict[str, _Found]:
    """Speeches of a feed; a link that leads elsewhere is set aside."""
    found = {}
    for entry in entries:
        page = _page(entry.link, url)
        if page is None:
            rejected.append(Rejected({"link": entry.link[:200]}, "elsewhere"))
            continue
        who, _comma, topic = entry.title.partition(",")
        title = topic.strip() or entry.title
        found[page["slug"]] = _Found(page["slug"], entry.link, title, who.strip(), entry.published_at)
    return found


def _page(link: str, feed: str) -> dict[str, str] | None:
    """Who and when, from the address of a speech; None for a page of another host or kind."""
    there, here = urlsplit(link), urlsplit(feed)
    match = _PAGE.search(there.path)
    return match.groupdict() if match and there.netloc == here.netloc else None


def _yearly(wire: Wire, feed: str, year: int, known: set[str]) -> Iterator[_Found]:
    """The speeches of this year's list and, while there are not enough, of the years before it."""
    root = feed.partition("/feeds/")[0]
    have = len(known)
    for back in range(YEARS):
        if have >= ENOUGH or wire.left_s() < _RESERVE_S:
            return
        url = f"{root}/newsevents/speech/{year - back}-speeches.htm"
        try:
            body = wire.get(Request(url, max_bytes=PAGE_BYTES, html=True)).body
        except CollectError as error:
            # A year that has not begun there yet, or a page that moved: the feed still serves.
            wire.lose(url, error)
            continue
        for one in _of_list(body, url):
            have += one.id not in known
            yield one


def _of_list(body: bytes, url: str) -> Iterator[_Found]:
    for one in listed(body):
        link = urljoin(url, one.href)
        page = _page(link, url)
        if page is None:
            continue
        try:
            day = datetime.strptime(page["day"], "%Y%m%d").date()  # noqa: DTZ007
        except ValueError:
            continue
        # The list has no time of day.
        noon = datetime.combine(day, time(12), _WASHINGTON).astimezone(UTC)
        yield _Found(page["slug"], link, one.title, one.speaker or page["who"].title(), noon)


def _spoken(one: _Found, body: bytes) -> Row:
    """The speech with its text and what is counted in it. Raises Unfit `no_text`."""
    said = spoken_text(body)
    day = one.published_at.astimezone(_WASHINGTON).date()
    speech = read(day, said)
    if speech is None or speech.tone.words < _LEAST_WORDS:
        raise Unfit("no_text")
    return {
        "id": one.id,
        "published_at": one.published_at,
        "feed": "speeches",
        "speaker": text(one.speaker),
        "title": text(one.title, 300),
        "link": one.link,
        "text": said,
        "tone": speech.tone.concern,
        "stance": speech.stance,
        "words": speech.tone.words,
        "lexicon_version": LEXICON_VERSION,
    }


SOURCE = Source(
    name="federalreserve.speeches",
    upstream=UPSTREAM,
    table=FED_SPEECH,
    collect=collect,
    rows=(0, 1000),
    reread=timedelta(days=7),
    # The feed lists some fifteen speeches; there is no asking for a day.
    history=timedelta(days=14),
    required=False,
)
