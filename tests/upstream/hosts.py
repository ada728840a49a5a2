"""The hosts that are played, and what is remembered of a request to one of them."""

from dataclasses import dataclass

# Host → path prefix under which it is found.
PREFIXES = {
    "coingecko-pro": "/coingecko-pro/api/v3",
    "coingecko": "/coingecko/api/v3",
    "defillama": "/defillama",
    "alternative_me": "/alternative_me",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came; `path` without the host's prefix, header names in lower case, `at` monotonic."""

    host: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    at: float
