"""How titles and speeches become words, and how words are found in them: the same way every time."""

import re
import unicodedata
from functools import cache, lru_cache

_WORD = re.compile(r"[^\W\d_](?:[\w’'-]*\w)?")
_HANGUL = re.compile(r"[가-힣]")
_CLAUSE = re.compile(r"[.;:!?,()—–]|\b(?:but|although|while|whereas|however)\b")
# How many letters may follow a stem of at least so many: "vulnerabilities", "risky", "runs"; not "runway".
_ENDINGS = ((6, 8), (4, 4), (1, 1))


def clean(text: str) -> str:
    """One kind of every letter, apostrophe and space, in lower case."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).replace("’", "'").lower()).strip()


def words(text: str) -> list[str]:
    """The words of a text, in order and lower case; numbers are none."""
    return _WORD.findall(clean(text))


def clauses(text: str) -> list[list[str]]:
    """The words of each clause: what a negation reaches ends with it."""
    return [found for part in _CLAUSE.split(clean(text)) if (found := words(part))]


@lru_cache(maxsize=1 << 16)
def is_of(word: str, stems: frozenset[str]) -> bool:
    """Whether the word begins with a stem, and not much follows: the longer the stem, the more may."""
    return any(n <= len(word) <= longest and word[:n] in stems for n, longest in _lengths(stems))


@cache
def _lengths(stems: frozenset[str]) -> tuple[tuple[int, int], ...]:
    """The lengths that stems have, each with that of the longest word that is of one."""
    return tuple(
        (n, n + next(most for least, most in _ENDINGS if n >= least)) for n in sorted({*map(len, stems)})
    )


@cache
def pattern(entries: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for a list: Korean anywhere, English as whole words with `*` for an open end."""
    parts = []
    for entry in sorted(entries, key=lambda one: (-len(one), one)):
        word = re.escape(clean(entry.removesuffix("*")))
        if _HANGUL.search(entry):
            parts.append(word)
        else:
            parts.append(rf"(?<!\w){word}" + (r"\w*" if entry.endswith("*") else r"(?!\w)"))
    return re.compile("|".join(parts))


def count(title: str, entries: tuple[str, ...]) -> int:
    """How many entries stand in the title, each place once."""
    return len(pattern(entries).findall(clean(title)))


def similar(a: frozenset[str], b: frozenset[str]) -> float:
    """Jaccard: shared words over all words of both; 0 where neither has any."""
    either = len(a | b)
    return len(a & b) / either if either else 0.0


def shingle(title: str) -> frozenset[str]:
    """The set of words by which two titles are compared."""
    return frozenset(words(title))
