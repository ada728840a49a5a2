"""Addresses: what is asked for, whom it counts for, and how much of it may be shown to a person."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, quote_plus, urlencode, urljoin, urlsplit


def redact(text: str, secrets: Iterable[str | None]) -> str:
    """`text` with every secret, also as it reads inside a URL, replaced by `***`."""
    known = {form for secret in secrets if secret for form in (secret, quote(secret, ""), quote_plus(secret))}
    for form in sorted(known, key=len, reverse=True):
        text = text.replace(form, "***")
    return text


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes, fit to be shown: no query, no credentials, one line."""

    host: str
    path: str = ""
    # The settings that hold the keys which are sent along: names, never values.
    key: str = ""

    @classmethod
    def of(cls, url: str, secrets: Iterable[str], key: str = "") -> Self:
        """Works for malformed addresses too. `key`: the settings that hold `secrets`."""
        rest = url.partition("://")[2].partition("?")[0].partition("#")[0]
        host, slash, path = rest.partition("/")
        known = tuple(secrets)
        return cls(_plain(redact(host.rpartition("@")[2], known)), _plain(redact(slash + path, known)), key)

    @property
    def values(self) -> dict[str, Any]:
        """For the placeholders of a message."""
        return {"host": self.host, "path": self.path} | ({"key": self.key} if self.key else {})


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:200]


def address(url: str, params: Mapping[str, str]) -> str | None:
    """`url` with `params` in its query; None: nothing that HTTP can ask for."""
    try:
        parts = urlsplit(url)
        host = host_of(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or host.startswith(":") or not url.isprintable():
        return None
    query = "&".join(part for part in (parts.query, urlencode(params)) if part)
    return parts._replace(query=query, fragment="").geturl()


def host_of(url: str) -> str:
    """`host:port`, for which pace, waits and breaker are kept. Raises ValueError."""
    parts = urlsplit(url)
    return f"{parts.hostname or ''}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def moved_to(url: str, location: str) -> str | None:
    """Where a redirect from `url` leads, absolute; None: nowhere, or to another scheme, host or port, to
    which neither a key nor a request may go."""
    try:
        target = urljoin(url, location)
        there, here = urlsplit(target), urlsplit(url)
        same = (there.scheme, host_of(target)) == (here.scheme, host_of(url))
    except ValueError:
        return None
    return target if location and same and there.netloc.count("@") <= here.netloc.count("@") else None
