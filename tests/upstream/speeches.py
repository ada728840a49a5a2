"""Which speeches there are: one or two a week since 2023, by speakers who do not exist.

Everything about a speech follows from its slug and the seed. A few are odd on purpose (`kind`): a page
without text, a title full of entities, a page that is gone.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from .calendars import DAY, is_fed_day
from .speech_words import ABOUT, PLACES, TITLES

FIRST_YEAR = 2023
SPEAKERS = {
    "Alpha": "Chair", "Bravo": "Vice Chair", "Charlie": "Vice Chair for Supervision", "Delta": "Governor",
    "Echo": "Governor", "Foxtrot": "Governor", "Golf": "Governor",
}  # fmt: skip
# Which speech of a year is odd, and how; counted from 0.
_KINDS = {4: "empty", 8: "entities", 12: "missing"}
_ODD_TITLE = "&ldquo;Too Big&rdquo; &amp; Too Fast? Caf&eacute; Talk on R&amp;D &mdash; and &lt;b&gt; Values"


@dataclass(frozen=True, slots=True)
class Speech:
    """One speech. `title` and `place` are HTML, with entities."""

    slug: str
    surname: str
    day: date
    at: datetime
    title: str
    place: str
    kind: str = "plain"

    @property
    def speaker(self) -> str:
        """As the pages name the speaker."""
        return f"{SPEAKERS[self.surname]} {self.surname}"


def _week(seed: int, monday: date) -> Iterator[tuple[date, str, int, int]]:
    """Day, letter, number of the draw and hour of that week's speeches."""
    source = random.Random(f"{seed}:speeches:{monday}")
    days = [day for n in range(5) if is_fed_day(day := monday + n * DAY)]
    hour = source.randint(13, 21)
    # Every fourth week two texts of one speaker come out in the same minute.
    if monday.toordinal() // 7 % 4 == 0:
        day = source.choice(days)
        yield from ((day, "a", 0, hour), (day, "b", 0, hour))
        return
    wanted = source.choice((1, 1, 1, 2, 2))
    for n, day in enumerate(sorted(source.sample(days, wanted))):
        yield day, "a", n, hour - n


def _speech(seed: int, day: date, letter: str, n: int, hour: int, kind: str) -> Speech:
    source = random.Random(f"{seed}:speaker:{day}:{n}")
    surname, minute = source.choice(list(SPEAKERS)), source.choice((0, 15, 30, 45))
    words = random.Random(f"{seed}:title:{day}:{n}:{letter}")
    title = words.choice(TITLES).format(about=words.choice(ABOUT))
    title = title[0].upper() + title[1:]
    at = datetime.combine(day, time(hour, minute), UTC)
    slug = f"{surname.lower()}{day:%Y%m%d}{letter}"
    return Speech(slug, surname, day, at, _ODD_TITLE if kind == "entities" else title,
                  source.choice(PLACES), kind)  # fmt: skip


@lru_cache(maxsize=16)
def of_year(seed: int, year: int) -> tuple[Speech, ...]:
    """All speeches of a year, in order; none before 2023."""
    if year < FIRST_YEAR:
        return ()
    first = date(year, 1, 1)
    monday, drawn = first - first.weekday() * DAY, []
    while monday.year <= year:
        drawn += [one for one in _week(seed, monday) if one[0].year == year]
        monday += timedelta(weeks=1)
    return tuple(_speech(seed, *one, _KINDS.get(n, "plain")) for n, one in enumerate(drawn))


def published(seed: int, now: datetime, since: date) -> list[Speech]:
    """The speeches from `since` to this instant, newest first."""
    years = range(since.year, now.year + 1)
    found = [one for year in years for one in of_year(seed, year) if since <= one.day and one.at <= now]
    return found[::-1]
