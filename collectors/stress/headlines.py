"""News stress: how much of the day's headlines is about stress, and how they speak of it."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from collectors.stress.lexicon import news
from collectors.stress.words import count, shingle, similar

NEEDS_TITLES = 30
NEEDS_FEEDS = 3
SAME_STORY = 0.8
# A feed is standardised by its own past, once there is one.
NEEDS_FEED_DAYS = 20
# The last bits of sums are no variation.
_LEAST_DEVIATION = 1e-9


@dataclass(frozen=True, slots=True)
class Title:
    """One headline, as published. `id` makes the order of two of the same instant certain."""

    id: str
    feed: str
    published_at: datetime
    day: date
    text: str


def topics(text: str) -> tuple[str, ...]:
    """The stress topics of a title, in the order of the list; none where it tells of relief."""
    if count(text, news.RELIEF):
        return ()
    return tuple(topic for topic, entries in news.TOPICS.items() if count(text, entries))


def tone(text: str) -> int:
    """Negative less positive words of a title."""
    return count(text, news.NEGATIVE) - count(text, news.POSITIVE)


def one_a_story(titles: Iterable[Title]) -> list[Title]:
    """Titles of one day without those that tell a story again (Jaccard of words at least 0.8), whoever
    published it: the first keeps it."""
    kept: list[Title] = []
    seen: list[frozenset[str]] = []
    by_word: dict[str, list[int]] = defaultdict(list)
    for title in sorted(titles, key=lambda one: (one.published_at, one.id)):
        own = shingle(title.text)
        near = sorted({place for word in own for place in by_word[word]})
        if any(similar(own, seen[place]) >= SAME_STORY for place in near):
            continue
        for word in own:
            by_word[word].append(len(kept))
        kept.append(title)
        seen.append(own)
    return kept


def share(titles: Sequence[Title]) -> float:
    """Of one feed's titles of a day: (on a stress topic) × (share of those net negative) / all."""
    on_topic = [title for title in titles if topics(title.text)]
    if not on_topic:
        return 0.0
    negative = sum(tone(title.text) > 0 for title in on_topic)
    return len(on_topic) * (negative / len(on_topic)) / len(titles)


def stress(titles: Iterable[Title]) -> list[tuple[date, float | None]]:
    """The raw series `text.news`, one value for every day that has a title: the mean over feeds of each
    feed's share, standardised by the feed's own days so far. None under 30 titles or 3 feeds (after
    stories were made one), or while fewer than 3 feeds have 20 days behind them."""
    by_day: Mapping[date, list[Title]] = defaultdict(list)
    for title in titles:
        by_day[title.day].append(title)
    past: dict[str, list[float]] = defaultdict(list)
    found: list[tuple[date, float | None]] = []
    for day in sorted(by_day):
        kept = one_a_story(by_day[day])
        feeds: Mapping[str, list[Title]] = defaultdict(list)
        for title in kept:
            feeds[title.feed].append(title)
        enough = len(kept) >= NEEDS_TITLES and len(feeds) >= NEEDS_FEEDS
        scores = []
        for feed in sorted(feeds):
            past[feed].append(share(feeds[feed]))
            score = _standardised(past[feed])
            scores += [score] if score is not None else []
        usable = enough and len(scores) >= NEEDS_FEEDS
        found.append((day, math.fsum(scores) / len(scores) if usable else None))
    return found


def _standardised(values: Sequence[float]) -> float | None:
    """The last value in standard deviations from the mean of all; None without enough of them."""
    n = len(values)
    if n < NEEDS_FEED_DAYS:
        return None
    mean = math.fsum(values) / n
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    return (values[-1] - mean) / deviation if deviation > _LEAST_DEVIATION else 0.0
