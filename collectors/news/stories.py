"""Which headlines tell one story: the same words, nearly, within two days, whoever published them.

A story is named by the one that was published first. Nothing is dropped: readers fold by that name.
"""

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from collectors.stress.words import clean, similar

SAME_STORY = 0.8
WITHIN = timedelta(hours=48)
# Numbers are words here: a price of 90 and one of 100 are two stories.
_WORD = re.compile(r"\w+(?:[.,’'-]\w+)*")
# What a desk writes before a title when it tells it again: "[속보]", "(종합2보)", "UPDATE 2-".
_AGAIN = re.compile(
    r"^(?:[\[(<【](?:속보|종합|단독|상보|특징주|\d보|종합\s*\d?보|1보|update[^\])]*|breaking)[\])>】]\s*"
    r"|(?:update|wrapup|breaking)(?:\s+\d+)?\s*[-:]\s*)+"
)


@dataclass(frozen=True, slots=True)
class Title:
    """One headline. `story`: what it was found to tell before, for one whose story is settled."""

    id: str
    published_at: datetime
    text: str
    story: str | None = None


def shingle(title: str) -> frozenset[str]:
    """The set of words by which two titles are compared."""
    return frozenset(_WORD.findall(_AGAIN.sub("", clean(title))))


@dataclass(slots=True)
class _Told:
    """Stories that can still be told again, oldest first, found by their words."""

    first: deque[tuple[datetime, str, frozenset[str]]]
    by_word: dict[str, dict[str, frozenset[str]]]

    def forget(self, before: datetime) -> None:
        while self.first and self.first[0][0] < before:
            _at, name, words = self.first.popleft()
            for word in words:
                self.by_word[word].pop(name, None)

    def keep(self, title: Title, words: frozenset[str]) -> None:
        self.first.append((title.published_at, title.id, words))
        for word in words:
            self.by_word[word][title.id] = words

    def nearest(self, words: frozenset[str]) -> str | None:
        """The story that is most alike, of equals the earliest; None where none is alike enough."""
        # Whoever shares four fifths of the words shares one of any third of them: look there alone.
        some = sorted(words, key=lambda word: (len(self.by_word.get(word, ())), word))
        near: dict[str, frozenset[str]] = {}
        for word in some[: len(words) - int(SAME_STORY * len(words)) + 1]:
            near |= self.by_word.get(word, {})
        best, most = None, SAME_STORY
        order = {name: place for place, (_at, name, _words) in enumerate(self.first)} if near else {}
        for name in sorted(near, key=order.__getitem__):
            alike = similar(words, near[name])
            if alike > most or (alike == most and best is None):
                best, most = name, alike
        return best


def fold(titles: Iterable[Title]) -> dict[str, str]:
    """{id: story} of every title. A story begins with a title that is like none that began one in the 48
    hours before it, and is told again by what is alike (Jaccard of words ≥ 0.8) to that beginning. Those
    whose story is settled keep it. The order of `titles` does not matter."""
    told = _Told(deque(), defaultdict(dict))
    found: dict[str, str] = {}
    for title in sorted(titles, key=lambda one: (one.published_at, one.id)):
        words = shingle(title.text)
        told.forget(title.published_at - WITHIN)
        story = title.story or told.nearest(words) or title.id
        found[title.id] = story
        if story == title.id:
            told.keep(title, words)
    return found


def sizes(found: Mapping[str, str]) -> dict[str, int]:
    """{story: how many titles tell it}."""
    counted: dict[str, int] = defaultdict(int)
    for story in found.values():
        counted[story] += 1
    return dict(counted)
