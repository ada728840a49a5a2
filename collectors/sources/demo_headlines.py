"""The invented headlines of demo mode: five feeds, three English and two Korean, of no real event.

The more stress, the more titles are about it. Some stories are told again by another feed, nearly word
by word.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random

from collectors.model import Row
from collectors.sources import demo_titles as titles
from collectors.sources.demo_stress import stress
from collectors.stress import headlines

SOURCE = "feeds.headlines"
ENGLISH = ("demo-wire", "demo-street", "demo-ledger")
KOREAN = ("demo-hangang", "demo-namsan")
FEEDS = (*ENGLISH, *KOREAN)
# Titles of a day, all feeds together.
WEEKDAY, WEEKEND = (45, 60), 20
AGAIN = 0.1
_DAY = timedelta(days=1)
# What another feed puts before a story that it tells again.
_UPDATE = {True: ("", "Update: "), False: ("", "[종합] ")}


class _Desk:
    """Writes the titles of one language and one day; what happens, happens to one only while it can."""

    def __init__(self, random: Random, level: float, english: bool) -> None:
        self.random, self.written = random, list[str]()
        self.parts = titles.ENGLISH if english else titles.KOREAN
        self.share = max(0.04, min(0.55, 0.09 + 0.13 * level))
        self.left: dict[tuple[str, ...], list[str]] = {}

    def _next(self, part: tuple[str, ...]) -> str:
        if not self.left.get(part):
            self.left[part] = self.random.sample(part, len(part))
        return self.left[part].pop()

    def title(self) -> str:
        """A new title."""
        kind = self.random.random()
        if kind < self.share:
            title = f"{self._next(self.parts.stressed)} {self._next(self.parts.troubles)}"
        elif kind < self.share + 0.06:
            title = self._next(self.parts.topical)
        elif kind < self.share + 0.08:
            title = self._next(self.parts.relief)
        else:
            title = f"{self._next(self.parts.firms)} {self._next(self.parts.deeds)}"
        self.written.append(title)
        return title


@lru_cache(maxsize=4096)
def _read(title: str) -> tuple[str, float]:
    """Topics and tone of a title."""
    return " ".join(headlines.topics(title)), float(headlines.tone(title))


def _published(random: Random, day: date, english: bool) -> datetime:
    """English titles come from New York's morning on, Korean ones in Seoul's day (both in UTC)."""
    hour = random.randint(10, 23) if english else random.choice((*range(10), 22, 23))
    return datetime.combine(day, time(hour, random.randint(0, 59), random.randint(0, 59)), UTC)


def _day(day: date) -> list[Row]:
    """All titles of a day, oldest first."""
    random = Random(f"news {day}")
    level = stress(day.year)[day.timetuple().tm_yday - 1]
    desks = {english: _Desk(random, level, english) for english in (True, False)}
    found: list[Row] = []
    for number in range(random.randint(*WEEKDAY) if day.weekday() < 5 else WEEKEND):
        feed = FEEDS[number % len(FEEDS)]
        english = feed in ENGLISH
        told = desks[english].written
        if told and random.random() < AGAIN:
            title = random.choice(_UPDATE[english]) + random.choice(told)
        else:
            title = desks[english].title()
        topics, tone = _read(title)
        found.append(
            {
                "id": f"demo-{day:%Y%m%d}-{number:02d}",
                "published_at": _published(random, day, english),
                "feed": feed,
                "title": title,
                "link": f"https://example.com/demo/news/{day:%Y%m%d}-{number:02d}",
                "topics": topics,
                "tone": tone,
                "outlet": None,
                "story": None,
                "mentions": None,
            }
        )
    return sorted(found, key=_order)


def _order(row: Row) -> tuple[str, str]:
    return str(row["published_at"]), str(row["id"])


def rows(first: date, now: datetime) -> Iterator[Row]:
    """Titles published from `first` up to `now` (UTC)."""
    for n in range((now.date() - first).days + 1):
        day = first + _DAY * n
        for row in _day(day):
            at = row["published_at"]
            if isinstance(at, datetime) and at <= now:
                yield row
