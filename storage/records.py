"""What the ledger tells: a run, a step, and what a step did to the store."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Protocol

from storage import clock
from storage.texts import N_, in_utc, say

# Who started a run that fills days in later: it says nothing of how the daily collection does.
BACKFILL = "backfill"
# What a person reads for the words that are stored.
TRIGGERS = {
    "cli": N_("the command line"),
    "console": N_("this console"),
    "api": N_("the API"),
    "schedule": N_("the scheduler"),
    "catchup": N_("the catch-up"),
    "backfill": N_("the backfill"),
}
REASONS = {
    "no_key": N_("no key"),
    "fresh": N_("already fresh"),
    "not_due": N_("nothing to do"),
    "busy": N_("another run was under way"),
    "rate_limited": N_("the upstream asked to wait"),
    "upstream_failed": N_("nothing new to work with"),
    "replayed": N_("merged later"),
}
# What the run of an accepted row or answer has for a pipeline: it asks nobody.
QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Counts:
    """fetched = inserted + updated + unchanged + duplicate + rejected."""

    fetched: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicate: int = 0
    rejected: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(a + b for a, b in zip(asdict(self).values(), asdict(other).values(), strict=True)))


class Problem(Protocol):
    """An error that says what kind it is and what to do, as a gettext id and its values."""

    @property
    def kind(self) -> str: ...

    @property
    def code(self) -> str: ...

    @property
    def message(self) -> str: ...

    @property
    def values(self) -> Mapping[str, object]: ...


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of a run. `message` is a gettext id that `values` fill."""

    run_id: str
    n: int
    step: str
    pipeline: str
    source: str | None = None
    table: str | None = None
    state: str = "running"
    kind: str | None = None
    code: str | None = None
    reason: str | None = None
    message: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    requests: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    counts: Counts = Counts()

    def said(self, show: Callable[[str], str] = in_utc) -> str | None:
        """The message in the current language; `show` says how an instant in it reads."""
        return say(self.message, self.values, show) if self.message else None

    def hindered(self, state: str, problem: Problem) -> "StepRecord":
        """The step in a state that `problem` explains."""
        return replace(
            self,
            state=state,
            kind=problem.kind,
            code=problem.code,
            message=problem.message,
            values=problem.values,
        )


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run, without its steps. Times are aware UTC."""

    run_id: str
    pipelines: tuple[str, ...]
    trigger: str
    state: str
    reason: str | None
    exit_code: int | None
    demo: bool
    starter: str | None
    pid: int | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    heartbeat_at: datetime | None
    outcomes: Mapping[str, str]
    counts: Counts = Counts()

    @property
    def seconds(self) -> float | None:
        """Wall time of the run so far, None before it started; never negative."""
        if self.started_at is None:
            return None
        return max(0.0, ((self.finished_at or clock.now()) - self.started_at).total_seconds())


@dataclass(frozen=True, slots=True)
class PipelineTook:
    """How long a pipeline took within one run that has ended, in seconds; `sources`: of how many of its
    sources that run took care (a retry is of one)."""

    run_id: str
    state: str
    at: datetime
    seconds: float
    sources: int
