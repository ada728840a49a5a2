"""Which stocks and coins a headline names: whole names as they are written, and no word that only looks like
one ("the link", "near", "won't").
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from collectors.news.mention_names import (
    COINS_KO,
    CONTEXT,
    FOLLOWS,
    NO_COMPANY,
    PLAIN_NAMES,
    PLAIN_SYMBOLS,
    STOCKS,
    WORDLIKE,
    WORDLIKE_TICKERS,
)
from collectors.stress.words import clean, pattern

COIN = "coin:"
_HANGUL = re.compile(r"[가-힣]")
# What may follow a Korean name that is part of other words: a particle, and then no letter.
_PARTICLE = r"(?:은|는|이|가|을|를|의|도|만|과|와|에|로|으로|에서|까지|부터|보다|값)?(?:은|는|도)?(?![가-힣])"


@dataclass(frozen=True, slots=True)
class Coin:
    """A coin of the crypto record: CoinGecko's id, its symbol and name."""

    coin: str
    symbol: str
    name: str


def _whole(name: str, bounded: bool) -> str:
    """As a whole word; a Korean one never inside another, `bounded`: also not as its beginning."""
    end = _PARTICLE if bounded else ""
    if _HANGUL.search(name):
        return rf"(?<![가-힣\w]){re.escape(name)}{end}"
    return rf"(?<![\w$]){re.escape(name)}(?![\w-])"


def _marked(symbol: str) -> str:
    return rf"(?:\${re.escape(symbol)}(?!\w)|[(（]{re.escape(symbol)}[)）])"


@dataclass(frozen=True)
class Names:
    """What is looked for: the stocks of the list and the coins of the record."""

    coins: tuple[Coin, ...] = ()

    @cached_property
    def _stocks(self) -> list[tuple[str, re.Pattern[str]]]:
        found = []
        for ticker, names in STOCKS.items():
            # Among Korean letters a name of two is mostly part of something else.
            parts = [_whole(name, bounded=len(name) < 4) for name in names] + [_marked(ticker)]
            if ticker not in WORDLIKE_TICKERS:
                parts.append(rf"(?<![\w.$]){re.escape(ticker)}(?![\w.]\w|\w)")
            found.append((ticker, re.compile("|".join(parts))))
        return found

    @cached_property
    def _coins(self) -> list[tuple[str, re.Pattern[str], re.Pattern[str] | None]]:
        """(coin, what names it in any title, what names it in one about crypto). The longest names first, so
        that Bitcoin Cash is not Bitcoin."""
        coins = sorted(self.coins, key=lambda one: (-len(one.name), one.coin))
        return [(one.coin, *_of_coin(one)) for one in coins]

    def mentions(self, title: str) -> tuple[str, ...]:
        """Tickers in the order of the list, then `coin:<id>` in alphabetical order."""
        return (*self._named_stocks(title), *self._named_coins(title))

    def _named_stocks(self, title: str) -> list[str]:
        text = pattern(NO_COMPANY)
        kept = re.sub(text.pattern, " ", title, flags=re.IGNORECASE)
        loud = _loud(title)
        return [
            ticker
            for ticker, looked_for in self._stocks
            if (found := looked_for.search(kept))
            and not (loud and found.group().isascii() and found.group().isalpha())
        ]

    def _named_coins(self, title: str) -> list[str]:
        about = pattern(CONTEXT).search(clean(title)) is not None
        loud, left, found = _loud(title), title, []
        for coin, anywhere, in_context in self._coins:
            # In a title of capitals every word looks like a symbol.
            looked_for = [anywhere] + ([in_context] if about and not loud and in_context else [])
            if any(one.search(left) for one in looked_for):
                found.append(f"{COIN}{coin}")
                for one in looked_for:
                    left = one.sub(" ", left)
        return sorted(found)


def _of_coin(one: Coin) -> tuple[re.Pattern[str], re.Pattern[str] | None]:
    symbol = one.symbol.upper()
    anywhere, in_context = [_marked(symbol)], []
    for name in (one.name, *COINS_KO.get(one.coin, ())):
        plain, wordlike = name.lower() in PLAIN_NAMES, name.lower() in WORDLIKE
        if plain:
            anywhere.append(_whole(name, bounded=False))
        elif wordlike and name.isascii():
            anywhere.append(rf"{_whole(name, bounded=True)}\s+(?:{'|'.join(FOLLOWS)})\b")
        else:
            in_context.append(_whole(name, bounded=True))
    if symbol in PLAIN_SYMBOLS:
        anywhere.append(_whole(symbol, bounded=True))
    elif symbol.lower() not in WORDLIKE and len(symbol) >= 3:
        in_context.append(_whole(symbol, bounded=True))
    compiled = re.compile("|".join(in_context)) if in_context else None
    return re.compile("|".join(anywhere)), compiled


def _loud(title: str) -> bool:
    """Mostly in capitals: "WHY YOU SHOULD SPY ON ..."."""
    letters = [letter for letter in title if letter.isascii() and letter.isalpha()]
    return len(letters) >= 12 and sum(letter.isupper() for letter in letters) > 0.7 * len(letters)


def names(coins: Iterable[tuple[str, str, str]] = ()) -> Names:
    """What to look for, with the coins of the record as (id, symbol, name)."""
    return Names(tuple(Coin(*one) for one in coins))
