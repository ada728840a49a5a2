"""Fed stability concern and stance: what speeches say, weighted by how long ago and how much they said."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from collectors.stress.lexicon import fed
from collectors.stress.words import clauses, is_of, words

HALF_LIFE_DAYS = 10
NEEDS_SPEECHES = 60
SILENT_DAYS = 21
NEGATED_WITHIN = 3


class Tone(NamedTuple):
    """Of one text: words, and per 100 words how many more worry than comfort (`concern`)."""

    words: int
    concern: float


@dataclass(frozen=True, slots=True)
class Speech:
    """What is kept of a speech: its day, its tone, its stance (−1 dovish … 1 hawkish, None: neither)."""

    day: date
    tone: Tone
    stance: float | None


def read(day: date, text: str) -> Speech | None:
    """Tone and stance of a speech; None for a text without words."""
    found = words(text)
    if not found:
        return None
    negative = sum(is_of(word, fed.CONCERN) for word in found)
    positive = sum(is_of(word, fed.COMFORT) for word in found)
    return Speech(day, Tone(len(found), 100 * (negative - positive) / len(found)), stance(text))


def stance(text: str) -> float | None:
    """(hawkish − dovish) / both, by clause; a negation at most three words before turns a word round."""
    hawkish = dovish = 0
    for clause in clauses(text):
        for i, word in enumerate(clause):
            direction = (word in fed.HAWKISH) - (word in fed.DOVISH)
            if direction and any(
                before in fed.NEGATIONS for before in clause[max(0, i - NEGATED_WITHIN) : i]
            ):
                direction = -direction
            hawkish, dovish = hawkish + (direction > 0), dovish + (direction < 0)
    return (hawkish - dovish) / (hawkish + dovish) if hawkish + dovish else None


def concern(speeches: Sequence[Speech], days: Sequence[date]) -> list[tuple[date, float | None]]:
    """The raw series `text.fed`, one value a day asked for: exponentially weighted concern (half-life 10
    days, weight log words) of all speeches up to that day. None where fewer than 60 are known by then or
    none is of the last 21 days. Both sequences ascend."""
    found: list[tuple[date, float | None]] = []
    weight = summed = 0.0
    known, last = 0, date.min
    for day in days:
        while known < len(speeches) and speeches[known].day <= day:
            one = speeches[known]
            faded = 0.5 ** ((one.day - last).days / HALF_LIFE_DAYS) if known else 0.0
            share = math.log(one.tone.words) if one.tone.words > 1 else 0.0
            weight, summed = weight * faded + share, summed * faded + share * one.tone.concern
            known, last = known + 1, one.day
        enough = known >= NEEDS_SPEECHES and (day - last).days <= SILENT_DAYS and weight > 0
        # Both sums fade alike from the last speech on: their ratio does not.
        found.append((day, summed / weight if enough else None))
    return found


def stance_line(speeches: Sequence[Speech], days: Sequence[date]) -> list[tuple[date, float | None]]:
    """The stance in the same manner, for the line on the page; it has no weight in the index."""
    told = [
        Speech(one.day, Tone(one.tone.words, one.stance), one.stance)
        for one in speeches
        if one.stance is not None
    ]
    return concern(told, days)
