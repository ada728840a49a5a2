"""One pipeline: fetch → parse → check → land → merge → ledger, and isolation: here and only here.

Sources of different upstreams run side by side, one upstream's in order. Threads fetch and parse;
one thread (the caller's) lands and merges, so that the store sees one writer and a cancel finds a
moment between two transactions. Whatever goes wrong in a source ends as one line in the ledger.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from collectors import plans
from collectors.check import check
from collectors.http import Http, Tally
from collectors.keep import failed, keep
from collectors.model import Answer, Ask, Batch, CollectError, Plan, Refused, Rejected, Source
from collectors.sources import demo
from storage import clock, ledger, points, read
from storage.ledger import StepRecord
from storage.settings import Settings
from storage.tables import OBSERVATION
from storage.texts import N_

log = logging.getLogger("collector")
SOURCE_BUDGET_S = 60.0


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
    # The newest instant that an upstream told us: what decides which days are over.
    observed: datetime | None = None
    steps: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def next_step(self) -> int:
        self.steps += 1
        return self.steps


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


def collect(run: Run, pipeline: str, sources: Sequence[Source], until: float) -> list[StepRecord]:
    """Runs every source of a pipeline until the monotonic instant `until`; their final records in
    run order. Never raises for what a source does."""
    steps = {
        source.name: StepRecord(
            run.run_id, run.next_step(), source.name, pipeline, source.name, source.table.name
        )
        for source in sources
    }
    done: queue.SimpleQueue[Fetched] = queue.SimpleQueue()
    lanes: dict[str, list[Source]] = {}
    for source in sources:
        lanes.setdefault(source.upstream.name, []).append(source)
    for lane in lanes.values():
        work = threading.Thread(target=_fetch_lane, args=(run, lane, steps, until, done), daemon=True)
        work.start()
    ended: dict[str, StepRecord] = {}
    while len(ended) < len(steps):
        try:
            fetched = done.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        if fetched.source.name not in ended:
            ended[fetched.source.name] = _finish(run, fetched)
    for source in sources:
        if source.name not in ended:
            ended[source.name] = _finish(run, Fetched(source, steps[source.name], error=_deadline()))
    return [ended[source.name] for source in sources]


def _deadline() -> CollectError:
    from collectors.model import Unavailable

    return Unavailable("deadline", N_("The time of this run was over. Wait: the next run tries again."))


# ---------------------------------------------------------------- asking (any thread)


def _fetch_lane(
    run: Run,
    lane: Sequence[Source],
    steps: dict[str, StepRecord],
    until: float,
    done: "queue.SimpleQueue[Fetched]",
) -> None:
    for source in lane:
        started = clock.now()
        step = replace(steps[source.name], started_at=started)
        if run.stopping.is_set() or time.monotonic() >= until:
            done.put(Fetched(source, step, error=_deadline()))
            continue
        with _isolated() as caught:
            ledger.step_started(run.settings, step)
            run.emit(step)
            caught.result = _fetch(run, source, step, min(until, time.monotonic() + SOURCE_BUDGET_S))
        done.put(caught.result or Fetched(source, step, error=caught.error))
        points.reach("after_fetch")


@dataclass
class _Caught:
    result: Any = None
    error: BaseException | None = None


@contextmanager
def _isolated() -> Iterator[_Caught]:
    """The one place where anything is caught: a source may fail in any way and costs only itself."""
    caught = _Caught()
    try:
        yield caught
    except Exception as error:
        caught.error = error


def _fetch(run: Run, source: Source, step: StepRecord, until: float) -> Fetched:
    settings = run.settings
    if source.needs_key and not (source.upstream.key and settings.secret(source.upstream.key)):
        return Fetched(source, step, skipped="no_key")
    plan = plans.choose(settings, source.upstream)
    ask = Ask(
        plans.base(settings, source.upstream, plan),
        plan,
        clock.now(),
        _since(run.known, source),
        run.known.unsealed.get(source.closes.name, ()) if source.closes else (),
    )
    if settings.demo:
        if source.name not in demo.SOURCES:
            return Fetched(source, step, skipped="not_due")
        return Fetched(source, step, ask.now, demo.batch(source.name, ask))
    return _ask_and_parse(run, source, step, ask, until)


def _ask_and_parse(run: Run, source: Source, step: StepRecord, ask: Ask, until: float) -> Fetched:
    tally = Tally()
    answers: Sequence[Answer] = ()
    batch: Batch | None = None
    with _isolated() as caught:
        answers, lost = _ask(run, source, ask, until, tally)
        if answers:
            batch = check(source, source.parse(answers, ask), run.known)
            batch = replace(batch, rejected=(*batch.rejected, *lost))
        elif lost:
            batch = Batch((), lost)
    step = replace(step, requests=tally.sent)
    if caught.error is not None:
        return Fetched(source, step, error=caught.error, answers=answers)
    if batch is None:
        return Fetched(source, step, skipped="not_due")
    at = min((answer.at for answer in answers), default=ask.now)
    return Fetched(source, step, at, batch, answers=answers)


def _since(known: read.Known, source: Source) -> Any:
    if source.table is OBSERVATION:
        days = [known.newest.get(series.series) for series in source.series]
        return None if None in days or not days else min(day for day in days if day)
    return known.newest.get(source.table.name)


def _ask(
    run: Run, source: Source, ask: Ask, until: float, tally: Tally
) -> tuple[list[Answer], list[Rejected]]:
    """Every answer, and the items of several that the upstream does not know (a coin's 404)."""
    answers: list[Answer] = []
    lost: list[Rejected] = []
    for request in source.requests(ask):
        try:
            named = replace(request, upstream=source.upstream.name)
            answers.append(run.http.get(named, ask.plan, until=until, tally=tally))
        except Refused as refused:
            plan = plans.other(run.settings, source.upstream, refused)
            if plan is not None and plan is not ask.plan:
                return _ask(run, source, _with_plan(run, source, ask, plan), until, tally)
            if request.item is None or refused.code != "http_404":
                raise
            lost.append(Rejected({"item": request.item}, refused.code))
    return answers, lost


def _with_plan(run: Run, source: Source, ask: Ask, plan: Plan) -> Ask:
    return replace(ask, plan=plan, base=plans.base(run.settings, source.upstream, plan))


# ---------------------------------------------------------------- keeping (one thread)


def _finish(run: Run, fetched: Fetched) -> StepRecord:
    """Lands and merges what was fetched and writes the step's last word."""
    step = fetched.step
    if fetched.error is None and fetched.batch is not None:
        with _isolated() as caught:
            step = keep(run, fetched, fetched.batch)
        if caught.error is not None:
            fetched = replace(fetched, error=caught.error)
    elif fetched.skipped:
        step = replace(step, state="skipped", reason=fetched.skipped)
    if fetched.error is not None:
        step = failed(run, fetched, fetched.error)
    step = replace(step, finished_at=clock.now())
    with _isolated() as caught:
        ledger.step_finished(run.settings, step)
    run.emit(step)
    return step
