"""What a speech says: paragraphs of invented sentences, always the same ones for the same slug.

How much of it worries follows the strain of the day, slowly, and a little the speaker.
"""

import random
from collections.abc import Sequence

from . import speech_words as words
from .speeches import SPEAKERS, Speech
from .strain import index, strain

_LEAST_WORDS, _MOST_WORDS = 1600, 3300


def mood(seed: int, speech: Speech) -> float:
    """The mean strain of the 30 days before a speech."""
    path, n = strain(seed, speech.day.year + 1), index(speech.day)
    return sum(path[n - 30 : n]) / 30


def _shares(seed: int, speech: Speech) -> tuple[float, float]:
    """How much of the text worries and comforts."""
    felt = mood(seed, speech) + 0.05 * (list(SPEAKERS).index(speech.surname) - 3)
    return min(0.42, max(0.03, 0.12 + 0.09 * felt)), min(0.32, max(0.03, 0.14 - 0.05 * felt))


def paragraphs(seed: int, speech: Speech) -> list[str]:
    """The text of a speech, paragraph by paragraph; empty where the page has none."""
    if speech.kind == "empty":
        return []
    source = random.Random(f"{seed}:text:{speech.slug}")
    worry, comfort = _shares(seed, speech)
    lean = words.TIGHT if source.random() < 0.5 else words.EASY
    wanted, found, said = source.randint(_LEAST_WORDS, _MOST_WORDS), list[str](), 0
    while said < wanted or len(found) < 25:
        paragraph = _paragraph(source, worry, comfort, lean)
        said += len(paragraph.split())
        found.append(paragraph)
    return found


def _paragraph(source: random.Random, worry: float, comfort: float, lean: Sequence[str]) -> str:
    return " ".join(_sentence(source, worry, comfort, lean) for _ in range(source.randint(2, 5)))


def _sentence(source: random.Random, worry: float, comfort: float, lean: Sequence[str]) -> str:
    drawn = source.random()
    kinds = ((worry, words.WORRY), (comfort, words.COMFORT), (0.07, lean))
    chosen: Sequence[str] = words.PLAIN
    for share, sentences in kinds:
        if drawn < share:
            chosen = sentences
            break
        drawn -= share
    said = source.choice(chosen).format(
        market=source.choice(words.MARKETS), firms=source.choice(words.FIRMS), when=source.choice(words.WHEN),
        how=source.choice(words.HOW), number=source.randint(3, 48),
    )  # fmt: skip
    return said[0].upper() + said[1:]
