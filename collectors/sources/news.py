"""News of the market desks in English and Korean, titles and links only: what the News page and the morning
brief tell. Apart from the headlines of the StressIndex, which never counts these.
"""

import hashlib
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from collectors.model import Ask, Batch, Rejected, Row, Source, Wire
from collectors.news import links
from collectors.news.topics import tone, topics
from collectors.sources import headlines
from collectors.sources.feeds import Item, each
from storage.tables import NEWS, NEWS_ITEM

# The same publishers under the same manners; only the list of feeds is another.
UPSTREAM = replace(headlines.UPSTREAM, url="news_feeds")
# A redirect of Google News names the outlet behind the title.
_GATHERS = "news.google.com"
_LONGEST_OUTLET = 60


def collect(wire: Wire, ask: Ask) -> Batch:
    """Rows of `news_item`, one an article however many feeds have it: the first feed of the list that dates
    it keeps it. Raises what the last feed raised where none answered."""
    found, rejected = each(wire, ask)
    rows: dict[str, Row] = {}
    for feed, items in found.items():
        for item in items:
            try:
                row = _row(feed, item)
            except ValueError:
                rejected.append(
                    Rejected({"title": item.title[:120], "link": item.link[:200]}, "missing:link")
                )
                continue
            before = rows.get(str(row["id"]))
            if before is None or (before["provisional"] and not row["provisional"]):
                rows[str(row["id"])] = row
    return Batch(list(rows.values()), rejected)


def _row(feed: str, item: Item) -> Row:
    """Raises ValueError for a link that is none."""
    title, outlet = titled(item)
    identity = hashlib.sha256(links.canonical(item.link).encode()).hexdigest()[:20]
    return {
        "id": f"{NEWS}{identity}",
        "published_at": item.published_at,
        "feed": feed,
        "title": title,
        "link": links.clean(item.link),
        "topics": " ".join(topics(title)),
        "tone": float(tone(title)),
        "outlet": outlet or feed,
        # Both are found when all is in: what else tells it, and which coins there are.
        "story": None,
        "mentions": None,
        # The time is ours, not the publisher's.
        "provisional": not item.clear,
    }


def titled(item: Item) -> tuple[str, str]:
    """The title without the outlet behind it, and the outlet: "" where the feed is the publisher's own."""
    title, outlet = item.title, item.outlet
    gathered = urlsplit(item.link).hostname == _GATHERS
    if not outlet and gathered:
        outlet = title.rpartition(" - ")[2] if " - " in title else ""
        outlet = outlet if len(outlet) <= _LONGEST_OUTLET else ""
    if outlet and title.endswith(f" - {outlet}") and len(title) > len(outlet) + 3:
        title = title[: -len(outlet) - 3].rstrip()
    return title, outlet


SOURCE = Source(
    name="news.feeds",
    upstream=UPSTREAM,
    table=NEWS_ITEM,
    collect=collect,
    rows=(1, 10_000),
    reread=timedelta(days=7),
    # As long as a busy feed lists an article; there is no asking for a day.
    history=timedelta(days=3),
    shared=True,
)
