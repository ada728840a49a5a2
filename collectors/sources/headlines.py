"""Market headlines in English and Korean, titles and links only: what the StressIndex counts as news."""

from collections.abc import Mapping
from datetime import timedelta

from collectors.model import Ask, Batch, CollectError, Plan, Rejected, Request, Row, Source, Upstream, Wire
from collectors.sources.feeds import FEED_BYTES, Item, items, pairs
from collectors.stress.headlines import tone, topics
from storage.tables import NEWS_ITEM
from storage.texts import N_

UPSTREAM = Upstream(
    name="feeds",
    title="feeds",
    home="https://www.rssboard.org/rss-specification",
    credit=N_("Headlines: their publishers"),
    licence="Titles and links only; each publisher's own terms",
    url="stress_feeds",
    plans=(Plan("open", pace_s=1.0),),
)


def collect(wire: Wire, ask: Ask) -> Batch:
    """Rows of `news_item` of every feed that answers; one that does not costs only itself. Raises what
    the last feed raised where none did."""
    rows: dict[object, Row] = {}
    rejected: list[Rejected] = []
    last: CollectError | None = None
    for name, url in pairs(ask.base).items():
        try:
            answer = wire.get(Request(url, item=name, max_bytes=FEED_BYTES))
            found, unfit = items(answer)
        except CollectError as error:
            wire.lose(name, error)
            last = error
            continue
        rejected += unfit
        rows |= {(row := _row(name, item))["id"]: row for item in found}
    if last is not None and not rows:
        raise last
    return Batch(list(rows.values()), rejected)


def _row(feed: str, item: Item) -> Row:
    row: Mapping[str, object] = {
        "id": item.id,
        "published_at": item.published_at,
        "feed": feed,
        "title": item.title,
        "link": item.link,
        "topics": " ".join(topics(item.title)),
        "tone": float(tone(item.title)),
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
    required=False,
)
