"""Market headlines in English and Korean, titles and links only: what the StressIndex counts as news."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta

from collectors.model import Ask, Batch, Plan, Row, Source, Upstream, Wire
from collectors.sources.feeds import Item, each
from collectors.stress.headlines import tone, topics
from storage.tables import NEWS_ITEM
from storage.texts import N_

UPSTREAM = Upstream(
    name="feeds",
    title="feeds",
    home="https://www.rssboard.org/rss-specification",
    credit=N_("Headlines: their publishers"),
    licence=N_("Titles and links only; each publisher's own terms"),
    url="stress_feeds",
    plans=(Plan("open", pace_s=1.0),),
)


def collect(wire: Wire, ask: Ask) -> Batch:
    """Rows of `news_item` of every feed that answers; one that does not costs only itself. Raises what
    the first feed raised where none did."""
    found, rejected = each(wire, ask)
    rows = {(row := _row(name, item))["id"]: row for name, items in found.items() for item in items}
    return Batch(list(rows.values()), rejected)


def _row(feed: str, item: Item) -> Row:
    row: Mapping[str, object] = {
        # News is scored by feed: what two of them carry is a headline of each.
        "id": hashlib.sha256(f"{feed} {item.id}".encode()).hexdigest()[:20],
        "published_at": item.published_at,
        "feed": feed,
        "title": item.title,
        "link": item.link,
        "topics": " ".join(topics(item.title)),
        "tone": float(tone(item.title)),
        # What the news pipeline tells of its own.
        "outlet": None,
        "story": None,
        "mentions": None,
        # The time is ours, not the publisher's.
        "provisional": not item.clear,
    }
    return dict(row)


SOURCE = Source(
    name="feeds.headlines",
    upstream=UPSTREAM,
    table=NEWS_ITEM,
    collect=collect,
    rows=(1, 10_000),
    reread=timedelta(days=7),
    # As long as a busy feed lists a title; there is no asking for a day.
    history=timedelta(days=3),
    required=False,
    shared=True,
)
