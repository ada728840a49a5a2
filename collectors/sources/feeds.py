"""Reads RSS and Atom feeds with feedparser, from bytes that the wire fetched; every text in them is hostile.

feedparser takes any page for an empty, healthy feed, keeps scripts in titles and believes any date:
what it says is checked here.
"""

import hashlib
import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

from collectors.model import Answer, Ask, Changed, CollectError, Rejected, Request, Wire
from collectors.payload import Unfit, text
from storage.texts import N_

FEED_BYTES = 2_000_000
# What one feed gets of the time of all, in seconds.
LEAST_S, MOST_S = 3.0, 10.0
_TITLE_CAP, _LINK_CAP = 300, 1000
_TAG = re.compile(r"<[^>]{0,200}>")
_HALVES = re.compile(r"\d\s*[AP]\.?M\b", re.I)
_HANGUL = re.compile(r"[가-힣]")
# What letters of several bytes become when each byte is read as one: "Itâ€™s", "»ï¼ºÀüÀÚ".
_MISREAD = re.compile(
    r"\ufffd|â€|Ã[\x80-\xbf]|(?=[\x80-ŸŒœŠšŽžƒˆ˜–-›€™\xa0-ÿ]{4})[^À-ÿ]{0,3}[À-ÿ][^À-ÿ]{0,2}[À-ÿ]"
)
# A Korean desk that names no zone writes in its own.
KOREA = ZoneInfo("Asia/Seoul")
_AHEAD = timedelta(minutes=10)
_OLDEST = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry: `id` tells it apart for ever; `clear` False: the time is ours, the feed's could not be
    believed. `outlet`: who published it, where the feed gathers from several."""

    id: str
    title: str
    link: str
    published_at: datetime
    clear: bool = True
    outlet: str = ""


def pairs(setting: str) -> dict[str, str]:
    """`name=url name=url` as {name: url}; the setting was checked when it was read."""
    return dict(pair.split("=", 1) for pair in setting.split())


def each(wire: Wire, ask: Ask) -> tuple[dict[str, list[Item]], list[Rejected]]:
    """The entries of every feed of `ask.base` that answers, by its name; one that does not costs only
    itself. Raises what the first feed raised where none did."""
    found: dict[str, list[Item]] = {}
    rejected: list[Rejected] = []
    first: CollectError | None = None
    feeds = pairs(ask.base)
    for n, (name, url) in enumerate(feeds.items()):
        # One that hangs leaves the others their share of the time.
        share = max(LEAST_S, min(MOST_S, wire.left_s() / (len(feeds) - n)))
        try:
            found[name], unfit = items(wire.get(Request(url, item=name, max_bytes=FEED_BYTES), share))
        except CollectError as error:
            wire.lose(name, error)
            first = first or error
        else:
            rejected += unfit
    if first is not None and not any(found.values()):
        raise first
    return found, rejected


def items(answer: Answer) -> tuple[list[Item], list[Rejected]]:
    """The entries of a feed and those without title or link. Raises Changed where the body is no feed or
    has no entry."""
    # Imported when asked: it costs 60 ms.
    import feedparser

    if b"<!ENTITY" in answer.body:
        raise Changed(
            "parse", N_("The feed defines XML entities, which are never read. Look at its address.")
        )
    read = feedparser.parse(answer.body, sanitize_html=False, resolve_relative_uris=False)
    if not read.get("version") or not read.entries:
        raise Changed("schema", N_("The address sends no feed with entries. Look at it in a browser."))
    korean = sum(bool(_HANGUL.search(str(entry.get("title", "")))) for entry in read.entries)
    zone = KOREA if 2 * korean > len(read.entries) else UTC
    found: list[Item] = []
    rejected: list[Rejected] = []
    for entry in read.entries:
        try:
            found.append(_item(entry, answer.at, zone))
        except Unfit as unfit:
            rejected.append(Rejected({"title": str(entry.get("title", ""))[:120]}, str(unfit)))
    if len(rejected) > len(found):
        raise Changed(
            "schema",
            N_("{refused} of {all} entries of the feed have no readable title or link. Look at its address."),
            all=len(read.entries),
            refused=len(rejected),
        )
    return found, rejected


def _item(entry: dict[str, Any], at: datetime, zone: Any) -> Item:
    title = text(_plain(str(entry.get("title", ""))), _TITLE_CAP)
    if _MISREAD.search(title):
        raise Unfit("mojibake")
    link = str(entry.get("link", "")).strip()
    if not re.match(r"https?://[^\s/]+", link) or len(link) > _LINK_CAP:
        raise Unfit("missing:link")
    published, clear = _published(entry, at, zone)
    name = str(entry.get("id") or link)
    # Not entry.get: that of a feed without one is the feed itself.
    said = dict.get(entry, "source")
    outlet = _plain(str(said.get("title", ""))) if isinstance(said, dict) else ""
    identity = hashlib.sha256(name.encode()).hexdigest()[:20]
    return Item(identity, title, link, published, clear, " ".join(outlet.split())[:80])


def _plain(title: str) -> str:
    """Without tags and entities: some feeds escape their titles twice."""
    return _TAG.sub(" ", html.unescape(html.unescape(title)))


def _published(entry: dict[str, Any], at: datetime, zone: Any) -> tuple[datetime, bool]:
    # Not entry.get: feedparser gives one for the other, with a warning.
    raw = {
        name: dict.get(entry, name) for name in ("published_parsed", "published", "updated_parsed", "updated")
    }
    said = raw["published_parsed"] or raw["updated_parsed"]
    written = str(raw["published"] or raw["updated"] or "")
    try:
        if _HALVES.search(written) or ":" not in written:
            # feedparser drops AM and PM, and takes a day for its midnight.
            return at, False
        # feedparser takes a time without a zone for UTC, or for none.
        theirs = UTC if said and _has_zone(written) else zone
        if said and written.strip().endswith((" KST", " JST")):
            theirs = KOREA
        read = _at(said, theirs) if said else parsedate_to_datetime(written)
        read = (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except (TypeError, ValueError, IndexError):
        return at, False
    if read > at + _AHEAD or read < at - _OLDEST:
        return at, False
    return read, True


def _at(said: Any, zone: Any) -> datetime:
    year, month, day, hour, minute, second = said[:6]
    return datetime(year, month, day, hour, minute, second, tzinfo=zone)


def _has_zone(written: str) -> bool:
    return bool(re.search(r"(Z|GMT|UTC?|[ECMP][SD]T|[+-]\d\d:?\d\d)\s*$", written.strip()))
