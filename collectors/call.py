"""One logical request under way: what is sent, in whose name, and how much time is left for it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from collectors import reply as say
from collectors.model import Plan, Refused, Request, Unavailable
from collectors.place import Place, address, host_of
from collectors.retry import ATTEMPTS
from storage.settings import VERSION

HEADERS = {
    "User-Agent": f"DailyDataCollector/{VERSION} (personal archive of daily market data; few requests a day)",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "close",
}


@dataclass(slots=True)
class Tally:
    """How many requests went out, retries and redirects included; one per caller."""

    sent: int = 0


@dataclass(slots=True)
class Call:
    """Instants are monotonic: `end` moves along while it waits for its turn, `until` does not."""

    request: Request
    url: str = field(repr=False)
    keys: dict[str, str] = field(repr=False)
    # Keys that go into the address, by parameter; they are part of `url` already.
    hidden: dict[str, str] = field(repr=False)
    place: Place
    pace_s: float
    per_minute: int | None
    timeout_s: float
    end: float
    until: float
    tally: Tally
    before: int
    rest_s: float | None = None
    attempts: int = ATTEMPTS
    hops: int = 0
    cut: int = 0

    @property
    def host(self) -> str:
        """Whom it counts for: the upstream's name and `host:port`; redirects never leave it."""
        host = host_of(self.url)
        return f"{self.request.upstream}@{host}" if self.request.upstream else host

    @property
    def credentials(self) -> str:
        """All that is sent to be let in, as one text; "" where nothing is. Not to be shown or kept."""
        sent = self.keys | self.hidden
        return "\n".join(f"{name}={sent[name]}" for name in sorted(sent))

    @property
    def keyed(self) -> bool:
        """Something is sent to be let in."""
        return bool(self.keys or self.hidden)

    @property
    def silent(self) -> bool:
        """Nothing has been sent for it yet."""
        return self.tally.sent == self.before

    @property
    def limit(self) -> float:
        """The instant at which it has to be over."""
        return min(self.end, self.until)

    def late(self) -> Unavailable:
        """The failure that it is when `limit` has passed."""
        if self.until <= self.end:
            return Unavailable("deadline", say.DEADLINE, **self.place.values)
        return Unavailable("timeout", say.TIMEOUT, seconds=f"{self.timeout_s:g}", **self.place.values)


@dataclass(frozen=True, slots=True)
class Limits:
    """`pace_s` overrides the plan's where it is not None; `timeout_s` counts from `begun`; nothing goes
    on after `until`."""

    pace_s: float | None
    timeout_s: float
    begun: float
    until: float


def open_call(
    request: Request, plan: Plan, secret: Callable[[str], str | None], limits: Limits, tally: Tally
) -> Call:
    """Raises Refused where the address or a key holds what HTTP has no room for."""
    names = {**plan.secrets, **request.secrets}
    keys = {header: value for header, name in names.items() if (value := secret(name))}
    hidden = {param: value for param, name in request.secret_params.items() if (value := secret(name))}
    held = {names[header] for header in keys} | {request.secret_params[param] for param in hidden}
    values = (*keys.values(), *hidden.values())
    place = Place.of(request.url, values, ", ".join(sorted(held)))
    url = address(request.url, {**request.params, **hidden})
    if url is None or not all(key.isascii() and key.isprintable() for key in values):
        raise Refused("unexpected", say.BAD_ADDRESS, **place.values)
    return Call(
        request=request,
        url=url,
        keys=keys,
        hidden=hidden,
        place=place,
        pace_s=plan.pace_s if limits.pace_s is None else limits.pace_s,
        per_minute=None if limits.pace_s == 0 else plan.per_minute,
        timeout_s=limits.timeout_s,
        end=limits.begun + limits.timeout_s,
        until=limits.until,
        tally=tally,
        before=tally.sent,
        rest_s=plan.rest_s,
        attempts=1 if request.once else ATTEMPTS,
    )
