"""What a headline is about, in the words of the News page, and how it speaks of it."""

from collections.abc import Mapping

from collectors.news.topic_words import FALSE_FRIENDS, TOPICS
from collectors.stress import headlines
from collectors.stress.words import clean, pattern
from storage.texts import N_

# What a person reads for each topic, in the order of the page.
TITLES: dict[str, str] = {
    "macro": N_("Economy"),
    "rates": N_("Rates"),
    "credit": N_("Credit"),
    "liquidity": N_("Funding"),
    "bank": N_("Banks"),
    "equity": N_("Equities"),
    "crypto": N_("Crypto"),
    "energy": N_("Energy"),
    "fx": N_("Currencies"),
    "korea": N_("Korea"),
    "policy": N_("Policy"),
    "tech": N_("Technology"),
    "property": N_("Property"),
    "trade": N_("Trade"),
}

# Which of them a module of the StressIndex is about, nearest first.
MODULE_TOPICS: Mapping[str, tuple[str, ...]] = {
    "credit": ("credit", "bank"),
    "funding": ("liquidity", "bank"),
    "treasury": ("rates",),
    "volatility": ("equity",),
    "etf": ("credit", "rates", "equity"),
    "news": ("liquidity", "credit", "bank"),
    "fed": ("policy", "rates"),
}


def topics(title: str) -> tuple[str, ...]:
    """The topics of a title, in the order of the page."""
    text = pattern(FALSE_FRIENDS).sub(" ", clean(title))
    return tuple(name for name in TITLES if pattern(TOPICS[name]).search(text))


def tone(title: str) -> int:
    """Negative less positive words of a title: above 0 it speaks of trouble. As the StressIndex counts."""
    return headlines.tone(title)
