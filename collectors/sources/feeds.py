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

from collectors.model import Answer, Changed, Rejected
from collectors.payload import Unfit, text
from storage.texts import N_

FEED_BYTES = 2_000_000
_TITLE_CAP, _LINK_CAP = 300, 1000
_TAG = re.compile(r"<[^>]{0,200}>")
_HANGUL = re.compile(r"[가-힣]")
# A Korean desk that names no zone writes in its own.
KOREA = ZoneInfo("Asia/Seoul")
_AHEAD = timedelta(minutes=10)
_OLDEST = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry: `id` tells it apart for ever; `clear` False: the time is ours, the feed's could not be
    believed."""

    id: str
    title: str
    link: str
    published_at: datetime
    clear: bool = True


def pairs(setting: str) -> dict[str, str]:
    """`name=url name=url` as {name: url}; the setting was checked when it was read."""
    return dict(pair.split("=", 1) for pair in setting.split())


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
    return found, rejected


def _item(entry: dict[str, Any], at: datetime, zone: Any) -> Item:
    title = text(_plain(str(entry.get("title", ""))), _TITLE_CAP)
    if "\ufffd" in title:
        raise Unfit("mojibake")
    link = str(entry.get("link", "")).strip()
    if not re.match(r"https?://[^\s/]+", link) or len(link) > _LINK_CAP:
        raise Unfit("missing:link")
    published, clear = _published(entry, at, zone)
    name = str(entry.get("id") or link)
    return Item(hashlib.sha256(name.encode()).hexdigest()[:20], title, link, published, clear)


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
        # feedparser takes a time without a zone for UTC, or for none.
        theirs = UTC if said and _has_zone(written) else zone
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
    return bool(re.search(r"(Z|GMT|UTC|[A-Z]{3,4}|[+-]\d\d:?\d\d)\s*$", written.strip()))
