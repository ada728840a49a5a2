"""The invented speeches of demo mode: about 85 a year, more worried when there is stress.

Speakers are letters; every sentence is from `demo_words`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random

from collectors.model import Row
from collectors.sources import demo_words as words
from collectors.sources.demo_stress import dates, slow
from collectors.stress import speeches
from collectors.stress.lexicon import LEXICON_VERSION

SOURCE = "federalreserve.speeches"
A_YEAR = 85
# Name, and how hawkish: share of the sentences on policy.
SPEAKERS = (("A", 0.75), ("B", 0.6), ("C", 0.5), ("D", 0.4), ("E", 0.25))
SHORTEST, LONGEST = 720, 1160
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Given:
    """A speech before it is written: when, and the number it has in its year."""

    at: datetime
    number: int


@lru_cache(maxsize=32)
def calendar(year: int) -> tuple[Given, ...]:
    """Spread over the weekdays of a year: never three weeks without one."""
    random, days, given = Random(f"speeches {year}"), dates(year), []
    for number in range(A_YEAR):
        day = days[int((number + random.random()) * len(days) / A_YEAR)]
        # Nobody speaks at a weekend; the last one of a year may lie in the next.
        if day.weekday() > 4:
            day += _DAY * (7 - day.weekday() if day.month < 12 else 4 - day.weekday())
        at = time(random.randint(13, 20), 5 * random.randint(0, 11))
        given.append(Given(datetime.combine(day, at, UTC), number))
    return tuple(sorted(given, key=lambda one: (one.at, one.number)))


def _weights(level: float, hawkish: float) -> dict[tuple[str, ...], float]:
    """How often each kind of sentence comes, at a level of stress."""
    worry = max(0.06, min(0.5, 0.15 + 0.13 * level))
    comfort = max(0.05, min(0.4, 0.25 - 0.08 * level))
    policy = 0.16
    return {
        words.WORRY: worry,
        words.COMFORT: comfort,
        words.HAWKISH: policy * hawkish,
        words.DOVISH: policy * (1 - hawkish),
        words.PLAIN: 1 - worry - comfort - policy,
    }


def _sentences(random: Random, level: float, hawkish: float) -> list[str]:
    """Of a whole speech; none comes twice while its kind has others."""
    weights = _weights(level, hawkish)
    kinds, shares = list(weights), list(weights.values())
    left: dict[tuple[str, ...], list[str]] = {kind: [] for kind in kinds}
    wanted, found = random.randint(SHORTEST, LONGEST), [random.choice(words.OPENING)]
    length = 0
    while length < wanted:
        kind = random.choices(kinds, shares)[0]
        if not left[kind]:
            left[kind] = random.sample(kind, len(kind))
        found.append(left[kind].pop().format(market=random.choice(words.MARKETS)))
        length += _counted(found[-1])[0]
    return [*found, random.choice(words.CLOSING)]


@lru_cache(maxsize=4096)
def _counted(sentence: str) -> tuple[int, int]:
    """Its words, and how many more of them worry than comfort."""
    said = speeches.read(date.min, sentence)
    if said is None:
        return 0, 0
    return said.tone.words, round(said.tone.concern * said.tone.words / 100)


def _row(one: Given) -> Row:
    day = one.at.date()
    random = Random(f"speech {day.year} {one.number}")
    speaker, hawkish = random.choice(SPEAKERS)
    level = slow(day.year)[day.timetuple().tm_yday - 1]
    said = _sentences(random, level, hawkish)
    text = "\n\n".join(" ".join(said[n : n + 6]) for n in range(0, len(said), 6))
    # The same as `speeches.read` of the whole (a test compares them), in a tenth of its time.
    counts = [_counted(sentence) for sentence in said]
    length = sum(count for count, _ in counts)
    number = f"demo-{day.year}-{one.number:02d}"
    return {
        "id": number,
        "published_at": one.at,
        "feed": "speeches",
        "speaker": f"Demo governor {speaker}",
        "title": f"{random.choice(words.MANNERS)} {random.choice(words.SUBJECTS)}",
        "link": f"https://example.com/demo/speech/{number}",
        "text": text,
        "tone": 100 * sum(balance for _, balance in counts) / length,
        "stance": speeches.stance(text),
        "words": length,
        "lexicon_version": LEXICON_VERSION,
    }


def rows(first: date, now: datetime) -> Iterator[Row]:
    """Speeches held from `first` up to `now` (UTC), oldest first."""
    for year in range(first.year, now.year + 1):
        for one in calendar(year):
            if first <= one.at.date() and one.at <= now:
                yield _row(one)
