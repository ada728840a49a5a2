"""The types that sources are made of, and the three ways in which an upstream can fail.

A source is data plus pure functions: it says what to ask and how to read the answer; it never
touches the network, the clock or the store.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Protocol

from collectors.checks.kinds import Check
from collectors.rhythm import UTC_DAYS, Rhythm
from storage.tables import Table

Row = dict[str, object]
# The upstream gives its whole past.
WHOLE = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class Request:
    """One GET. `secrets` maps a header, `secret_params` a parameter, to the *setting* that holds its
    value: printable as it is."""

    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    secret_params: Mapping[str, str] = field(default_factory=dict)
    max_bytes: int = 32_000_000
    # What the answer is about, where a source asks several times (a coin); None: the whole batch.
    item: str | None = None
    # In whose name pace and circuit breaker are counted, beside the host: a mirror may serve several.
    upstream: str = ""
    # A page is what is asked for; of everything else it is a sign that something is wrong.
    html: bool = False
    # Asked as a browser asks: there are hosts that tell programs by their TLS handshake.
    as_browser: bool = False
    # Not asked again when it fails: nothing depends on it.
    once: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete, decompressed 200. `at`: the upstream's own instant, aware UTC
    (its `Date` less `Age`; our clock where it sends none or where both agree)."""

    body: bytes
    at: datetime
    request: Request
    content_type: str = ""
    # By how many seconds our clock is ahead of the upstream's; None where it does not say.
    ahead_s: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to be let in. `base` overrides the upstream's URL; limits bind every process. `rest_s`:
    for so long the host is left alone after a 429 that does not say for how long, at once and by all."""

    name: str
    base: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    pace_s: float = 0.2
    per_minute: int | None = None
    rest_s: float | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """The cheapest question that tells whether an upstream answers; `path` is below its base URL. Of what
    has no small answer (a feed, a file) the beginning is enough."""

    path: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    secret_params: Mapping[str, str] = field(default_factory=dict)
    as_browser: bool = False


@dataclass(frozen=True, slots=True)
class Upstream:
    """Who provides the data. `url` names the setting of the base URL; `key` that of the API key."""

    name: str
    title: str
    home: str
    credit: str
    licence: str
    url: str
    plans: tuple[Plan, ...] = (Plan("open"),)
    key: str | None = None
    probe: Probe = Probe()


@dataclass(frozen=True, slots=True)
class Ask:
    """What a source may know when it composes its requests and reads the answers."""

    base: str
    plan: Plan
    now: datetime
    # Newest stored day of this source, None when nothing is stored: then ask for the whole history.
    since: date | None = None
    # Rows of days that are over and that were only seen live (for a source that closes them).
    unsealed: Sequence[Row] = ()
    # Identities of what is stored already (speeches, headlines), where the table has them.
    known_ids: frozenset[str] = frozenset()
    # The last stored value by series, for a source of observations.
    last: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken, as it came, and why (a stable word such as `stale`, `non_finite`)."""

    row: Mapping[str, object]
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What `parse` made of the answers: rows for the source's table, and what it set aside.

    Rows hold the table's columns only; provenance (`source`, `run_id`, `observed_at`,
    `provisional`) is added where they are landed.
    """

    rows: Sequence[Row]
    rejected: Sequence[Rejected] = ()
    # Of a backfill: (series, day) that was asked for and of which the upstream has no value.
    without: Sequence[tuple[str, date]] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """What the `series` table says of one series of observations."""

    series: str
    title: str
    unit: str
    frequency: str
    url: str
    restates: bool = False
    # Has rows only where something happened (a dividend): says nothing of how fresh its source is.
    event: bool = False


@dataclass(frozen=True, slots=True)
class Believable:
    """What a value of a series may be: `least` to `most`, and how far from the one before it: `step`
    times that value, or with `absolute` so many units. A larger step is believed when the next value
    confirms it."""

    least: float
    most: float
    step: float
    absolute: bool = False


class Wire(Protocol):
    """The network as a source with a library of its own is given it: politely, in bounded time."""

    def get(self, request: Request, within_s: float | None = None) -> Answer:
        """The answer to one request, at the latest when `within_s` seconds are over. Raises CollectError."""

    def session(self) -> Any:
        """A session of curl_cffi whose every request goes through `get`, to `Ask.base`."""

    def lose(self, item: str, error: "CollectError") -> None:
        """Notes that one item of several could not be had, and why."""

    def answered_at(self) -> datetime:
        """The upstream's own instant of the newest answer; ours before there is one."""

    def left_s(self) -> float:
        """Seconds until this source has to be done."""

    @property
    def cache(self) -> Path:
        """A folder in which a library may keep what it wants to remember."""


@dataclass(frozen=True, slots=True)
class Source:
    """One step of a collection.

    Either `requests` and `parse`, or `collect` where a library of its own does both.
    `rows`: plausible count of rows a day, (least, most); fewer make the batch suspect.
    `rhythm`: of which days it has values, when they are out, and when such a day is over.
    `reread`: how long a stored day is read again; None: it can only be seen live, so that the
    first run after the day's end seals it. `jump`: column and the factor beyond which a value is
    not believed against the stored one; `believable`: the same for a series of observations.
    `dead_after`: a newest value older than this is no news but the end of a series.
    `serves_stored`: where the upstream refuses, what is stored is good enough for the day: `cached`.
    `history`: how far back it gives days that were missed, None: not at all; `holes`: days of which it has
    no value and never will. `usual`: how many rows a whole day has. `pauses`: of how many of its
    days in a row it may have no value. `checks`: what else its rows are held against (the others follow from
    the fields above, see collectors/checks/derived.py); `beside`: questions that are asked for a check alone,
    once and briefly: one that fails costs that check and nothing else. `calls`: how many requests its past
    takes at most. Of a backfill alone: `part`, the coin or protocol that it is about; `days`, those whose
    rows are kept.
    """

    name: str
    upstream: Upstream
    table: Table
    requests: Callable[[Ask], Sequence[Request]] | None = None
    parse: Callable[[Sequence[Answer], Ask], Batch] | None = None
    collect: Callable[[Wire, Ask], Batch] | None = None
    rows: tuple[int, int] = (1, 100_000)
    rhythm: Rhythm = UTC_DAYS
    reread: timedelta | None = None
    series: tuple[Series, ...] = ()
    jump: tuple[str, float] | None = None
    believable: Believable | None = None
    dead_after: timedelta | None = None
    serves_stored: bool = False
    # Optional steps never count for freshness (they refine what another step already brought).
    required: bool = True
    needs_key: bool = False
    closes: Table | None = None
    # Other sources fill the same table: its newest day says nothing of this one's.
    shared: bool = False
    history: timedelta | None = None
    usual: int = 1
    pauses: int = 0
    holes: frozenset[date] = frozenset()
    calls: int = 1
    part: str = ""
    days: frozenset[date] = frozenset()
    checks: tuple[Check, ...] = ()
    beside: Callable[[Ask], Sequence[Request]] | None = None

    @property
    def step(self) -> str:
        """What its step is called in a run: by itself, and by its part where it has one."""
        return f"{self.name}.{self.part}" if self.part else self.name

    @property
    def kept_as(self) -> str:
        """The name under which the newest stored day of its rows is known (but for observations)."""
        return self.name if self.shared else self.table.name

    @property
    def lasting(self) -> tuple[Series, ...]:
        """The series that have a value for every day of the rhythm."""
        return tuple(series for series in self.series if not series.event)

    @property
    def dated(self) -> bool:
        """Whether it should bring something for every day of its rhythm: what is published (news, speeches)
        comes when it comes, and what refines other rows is of their days."""
        return "date" in self.table.key and self.closes is None

    @property
    def whole(self) -> bool:
        """Whether an answer holds the whole past, so that a day which it leaves out has no value."""
        return self.history is not None and self.history >= WHOLE

    @property
    def restates(self) -> bool:
        """Every answer is a new vintage of the whole past."""
        return any(series.restates for series in self.series)


class CollectError(Exception):
    """Something that an upstream did. `message` is a gettext id, `values` fill it; both are safe
    to show: no key, no body, one line."""

    kind: ClassVar[str] = "bug"

    def __init__(
        self, code: str, message: str, *, retry_at: datetime | None = None, **values: object
    ) -> None:
        super().__init__(message.format(**values) if values else message)
        self.code = code
        self.message = message
        self.values = values
        self.retry_at = retry_at


class Unavailable(CollectError):
    """The upstream did not answer, or asked us to wait: trying later may help."""

    kind = "unavailable"


class Refused(CollectError):
    """The upstream will not answer this: the key or the address has to change first.
    `detail` is the upstream's own error number, where it has one (CoinGecko: `10010`)."""

    kind = "refused"

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retry_at: datetime | None = None,
        detail: str = "",
        **values: object,
    ) -> None:
        super().__init__(code, message, retry_at=retry_at, **values)
        self.detail = detail


class Changed(CollectError):
    """The upstream answered, but not what this parser reads: the parser has to change."""

    kind = "changed"
