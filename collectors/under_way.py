"""What the steps of one run share, and what came of asking for one of them."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from collectors.checks.kinds import Result
from collectors.http import Http, Tally
from collectors.model import Answer, Ask, Batch, Source
from storage import read
from storage.check_results import CheckResult
from storage.records import StepRecord
from storage.settings import Settings
from storage.tables import OBSERVATION


@dataclass
class Run:
    """What the steps of one run share."""

    settings: Settings
    run_id: str
    http: Http
    emit: Callable[[StepRecord], None]
    # Held while a transaction is open: whoever wants to stop the process waits for it.
    quiet: threading.Lock = field(default_factory=threading.Lock)
    known: read.Known = field(default_factory=read.Known)
    store_wait_s: float = 5.0
    # For how long an upstream that asks to be left alone is waited for.
    patience_s: float = 0.0
    # And for how long each was, in this run.
    waited_s: dict[str, float] = field(default_factory=dict)
    # The newest instant that each upstream told us: what decides which of its days are over.
    observed: dict[str, datetime] = field(default_factory=dict)
    steps: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    # What is under way: told also of a source that did not end in time.
    begun: dict[str, StepRecord] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    # The newest values that the steps of this run were told, for checks of later ones.
    told: dict[str, read.Seen] = field(default_factory=dict)
    # What was found of batches that were not merged: kept when the store is closed.
    unkept: list[CheckResult] = field(default_factory=list)

    def next_step(self) -> int:
        self.steps += 1
        return self.steps


def newest_day(known: read.Known, source: Source) -> date | None:
    """The newest stored day of a source, None where one of its series has none."""
    if source.table is not OBSERVATION:
        return known.newest.get(source.kept_as)
    days = [known.newest.get(series.series) for series in source.lasting]
    return None if None in days or not days else min(day for day in days if day)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of asking and parsing: a batch, or the reason why there is none."""

    source: Source
    step: StepRecord
    at: datetime | None = None
    batch: Batch | None = None
    skipped: str | None = None
    error: BaseException | None = None
    answers: Sequence[Answer] = ()
    # What the source knew when it asked: it takes that to read the answers again.
    ask: Ask | None = None
    results: Sequence[Result] = ()
