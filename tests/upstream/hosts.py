"""The hosts that are played, and what is remembered of a request to one of them."""

from dataclasses import dataclass

# Host → path prefix under which it is found.
PREFIXES = {
    "coingecko-pro": "/coingecko-pro/api/v3",
    "coingecko": "/coingecko/api/v3",
    "defillama": "/defillama",
    "alternative_me": "/alternative_me",
    "fred": "/fred",
    "yahoo": "/yahoo",
    "ofr": "/ofr",
    "fed": "/fed",
    "feeds": "/feeds",
}
# The Fed's own pages link from the root of its site, whatever prefix they were found under.
ROOTED = {"/newsevents/": "fed"}


def host_of(path: str) -> tuple[str, str] | None:
    """The host that a path belongs to, and the path there; None for no host's."""
    for host, prefix in PREFIXES.items():
        if path == prefix or path.startswith(prefix + "/"):
            return host, path[len(prefix) :] or "/"
    return next(((host, path) for start, host in ROOTED.items() if path.startswith(start)), None)


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came; `path` without the host's prefix, header names in lower case, `at` monotonic."""

    host: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    at: float
