"""The words a person reads: gettext in English and Korean, chosen once per process or page draw.

English is the language of the message ids; `locale/ko/LC_MESSAGES/collector.po` holds the Korean.
Importing this module loads nothing but gettext, so that `--help` stays quick.
"""

import gettext
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import ModuleType

LANGUAGES = ("en", "ko")
LOCALE_DIR = os.path.join(os.path.dirname(__file__), "locale")  # pathlib would take a tenth of `--help`
DOMAIN = "collector"

# An instant as `clock.stamp` writes it, which is how it stands among the values of a message. Compiled when
# the first one comes: `--help` has none.
_INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"

_chosen: ContextVar[str | None] = ContextVar("language", default=None)
_default: list[str] = []


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE_DIR, languages=[language], fallback=True)


def set_default(language: str) -> None:
    """The language of this process, from the settings; unknown ones fall back to English."""
    _default[:] = [language if language in LANGUAGES else "en"]


def use(language: str) -> None:
    """The language of this thread of work: one page draw, one request."""
    _chosen.set(language if language in LANGUAGES else None)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Within the block, texts come in `language`."""
    token = _chosen.set(language if language in LANGUAGES else None)
    try:
        yield
    finally:
        _chosen.reset(token)


def language() -> str:
    """`en` or `ko`: what was chosen here, else the process's default, else COLLECTOR_LANG."""
    chosen = _chosen.get()
    if chosen:
        return chosen
    if not _default:
        set_default(os.environ.get("COLLECTOR_LANG", "").strip() or "en")
    return _default[0]


def _(message: str) -> str:
    """`message` in the current language."""
    # The catalogue has its own head under the empty text.
    return _catalogue(language()).gettext(message) if message else ""


def ngettext(one: str, many: str, n: int) -> str:
    """The form of a counted message for `n`, in the current language."""
    return _catalogue(language()).ngettext(one, many, n)


def figure(value: float) -> str:
    """A number, to a tenth where there is one, as English and Korean alike write it. Babel comes to the same
    and takes a seventh of a run for it."""
    return f"{value:,.1f}".removesuffix(".0")


def teach(argparse: ModuleType) -> None:
    """Gives argparse our words; left alone it asks the system's catalogue, which need not be there."""
    argparse._ = _  # type: ignore[attr-defined]
    argparse.ngettext = ngettext  # type: ignore[attr-defined]


def N_(message: str) -> str:
    """Marks a message for the catalogue where it is stored, not shown."""
    return message


def in_utc(instant: str) -> str:
    """An instant where no other zone is known: "2026-11-24 03:12 UTC"."""
    return f"{instant[:10]} {instant[11:16]} UTC"


def say(message: str, values: Mapping[str, object] | None = None, show: Callable[[str], str] = in_utc) -> str:
    """A stored message (its id and its values) as a sentence in the current language; `show` says how
    an instant among the values reads."""
    said = _(message)
    try:
        given = {name: _shown(value, show) for name, value in (values or {}).items()}
        return said.format(**given) if given else said
    except (KeyError, IndexError, ValueError, AttributeError, TypeError):
        # A translator's slip must not hide what went wrong.
        return message


def _shown(value: object, show: Callable[[str], str]) -> object:
    return show(value) if isinstance(value, str) and re.fullmatch(_INSTANT, value) else value
