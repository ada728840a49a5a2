"""Which titles appear when and in which feed: a function of (seed, feed, day), so that a feed moves on with
the clock and never changes its mind about an item.
"""

import random
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from .headline_words import RETOLD, WORDS
from .strain import strain_of

_SHARED = 5
_OWN = 21
_MINUTES = 1440
_ODD_FROM = 600


@dataclass(frozen=True, slots=True)
class Headline:
    """One item. `at` is when it appears; `odd` names what is wrong with it, "" for nothing."""

    feed: str
    number: int
    at: datetime
    title: str
    odd: str = ""

    @property
    def id(self) -> str:
        """The same for ever."""
        return f"{self.feed}-{self.at:%Y%m%d}-{self.number:02d}"


def mood(seed: int, day: date) -> float:
    """How the news feels: the day's strain and some noise of its own."""
    return strain_of(seed, day) + random.Random(f"{seed}:news:{day}").gauss(0.0, 0.35)


def _kind(source: random.Random, felt: float) -> str:
    stressed = min(0.6, max(0.05, 0.15 + 0.13 * felt))
    drawn = source.random()
    for name, share in (("stress", stressed), ("relief", 0.07), ("good", max(0.04, 0.15 - 0.05 * felt))):
        if drawn < share:
            return name
        drawn -= share
    return "plain"


def _compose(source: random.Random, words: Mapping[str, Sequence[str]], felt: float) -> str:
    template = source.choice(words[_kind(source, felt)])
    named = {name for _, name, _, _ in string.Formatter().parse(template) if name}
    title = template.format(**{name: source.choice(words[name]) for name in sorted(named)})
    return title[0].upper() + title[1:]


def _at(day: date, minute: float) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(minutes=minute)


@lru_cache(maxsize=64)
def shared(seed: int, language: str, day: date) -> tuple[tuple[int, str], ...]:
    """Minute and title of the stories that every feed of a language may bring."""
    source, felt = random.Random(f"{seed}:stories:{language}:{day}"), mood(seed, day)
    return tuple(
        (source.randrange(_MINUTES - 60), _compose(source, WORDS[language], felt)) for _ in range(_SHARED)
    )


def _told(seed: int, feed: str, language: str, day: date) -> Iterator[tuple[float, str]]:
    source, felt = random.Random(f"{seed}:feed:{feed}:{day}"), mood(seed, day)
    for minute, title in shared(seed, language, day):
        if source.random() < 0.75:
            again = source.choice(RETOLD[language])
            yield minute + source.uniform(1, 50), again.format(title) if again else title
    said = set[str]()
    for minute in source.sample(range(_MINUTES), _OWN):
        title = _compose(source, WORDS[language], felt)
        if title not in said:
            said.add(title)
            yield minute + source.random(), title


@lru_cache(maxsize=128)
def of_day(seed: int, feed: str, language: str, odd: str, day: date) -> tuple[Headline, ...]:
    """The items of one feed and UTC day, in order; one of them is odd."""
    told = sorted(_told(seed, feed, language, day))
    # At about the same hour each day, so that any 36 hours have one.
    chosen = next((n for n, (minute, _) in enumerate(told) if minute >= _ODD_FROM), len(told) - 1)
    return tuple(
        Headline(feed, n, _at(day, minute).replace(microsecond=0), title, odd if n == chosen else "")
        for n, (minute, title) in enumerate(told)
    )
