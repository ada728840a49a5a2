"""One pipeline: fetch → parse → check → land → merge → ledger, and isolation: here and only here.

Sources of different upstreams run side by side, one upstream's in order. Threads fetch and parse;
one thread (the caller's) lands and merges, so that the store sees one writer and a cancel finds a
moment between two transactions. Whatever goes wrong in a source ends as one line in the ledger.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from collectors import asking, past, plans
from collectors.checks import verdicts
from collectors.checks.compare import newest
from collectors.checks.judge import Judged, judge, told
from collectors.checks.kinds import Facts
from collectors.http import Tally
from collectors.keep import Waiting, failed, land, merged
from collectors.model import Ask, Batch, CollectError, Rejected, Source, Unavailable
from collectors.under_way import Fetched, Run, newest_day
from collectors.wire import Asked, Line
from storage import clock, ledger, points
from storage.ledger import StepRecord
from storage.settings import Settings
from storage.texts import N_

log = logging.getLogger("collector")
SOURCE_BUDGET_S = 60.0
# A wait counts at least so much, so that a host which says "now" is not asked for ever.
LEAST_WAIT_S = 5.0
# So many batches are merged in one transaction at most: whoever reads, or cancels, waits for its end.
TOGETHER = 8


def collect(run: Run, pipeline: str, sources: Sequence[Source], until: float) -> list[StepRecord]:
    """Runs every source of a pipeline until the monotonic instant `until`; their final records in
    run order. Never raises for what a source does."""
    steps = {
        source.step: StepRecord(
            run.run_id, run.next_step(), source.step, pipeline, source.name, source.table.name
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
        ended.update(_finish(run, [fetched, *_waiting(done)]))
    if late := [_late(run, steps[source.step], source) for source in sources if source.step not in ended]:
        ended.update(_finish(run, late))
    return [ended[source.step] for source in sources]


def _waiting(done: "queue.SimpleQueue[Fetched]") -> list[Fetched]:
    """What else has come in meanwhile, as far as it is merged together."""
    some: list[Fetched] = []
    with suppress(queue.Empty):
        while len(some) < TOGETHER - 1:
            some.append(done.get_nowait())
    return some


def _late(run: Run, step: StepRecord, source: Source) -> Fetched:
    """What is told of a source that did not end in time."""
    sent = run.tallies.get(source.step, Tally()).sent
    return Fetched(source, replace(run.begun.get(source.step, step), requests=sent), error=_deadline())


def _deadline() -> CollectError:
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
        step = run.begun[source.step] = replace(steps[source.step], started_at=started)
        if run.stopping.is_set() or time.monotonic() >= until:
            done.put(Fetched(source, step, error=_deadline()))
            continue
        with isolated() as caught:
            if ledger.step_started(run.settings, step):
                run.emit(step)
                caught.result = _patiently(run, source, step, until)
            else:
                # The run was stopped in this moment.
                caught.error = _deadline()
        done.put(caught.result or Fetched(source, step, error=caught.error))
        points.reach("after_fetch")


def _patiently(run: Run, source: Source, step: StepRecord, until: float) -> Fetched:
    """What comes of asking. Where the upstream wants to be left alone, and it was not waited for longer than
    the run has the patience for, it is asked again then."""
    while True:
        own = time.monotonic() + max(SOURCE_BUDGET_S, run.patience_s)
        fetched = _fetch(run, source, step, min(until, own))
        again = _asked_to_wait(run, fetched)
        if again is None or time.monotonic() + again >= until:
            return fetched
        name = source.upstream.name
        run.waited_s[name] = run.waited_s.get(name, 0.0) + max(again, LEAST_WAIT_S)
        if run.stopping.wait(again):
            return fetched


def _asked_to_wait(run: Run, fetched: Fetched) -> float | None:
    """Seconds, where waiting may help and the run has the patience."""
    error = fetched.error
    if not run.patience_s or not isinstance(error, Unavailable) or error.retry_at is None:
        return None
    # A little later than it said.
    wait = max(0.0, (error.retry_at - clock.now()).total_seconds()) + 0.1
    left = run.patience_s - run.waited_s.get(fetched.source.upstream.name, 0.0)
    return wait if error.code in asking.LEFT_ALONE and wait <= left else None


@dataclass
class _Caught:
    result: Any = None
    error: Exception | None = None


@contextmanager
def isolated() -> Iterator[_Caught]:
    """The one place where anything is caught: a source may fail in any way and costs only itself."""
    caught = _Caught()
    try:
        yield caught
    except Exception as error:
        caught.error = error


def _fetch(run: Run, source: Source, step: StepRecord, until: float) -> Fetched:
    settings = run.settings
    invented = _invented(settings, source)
    key = source.upstream.key or ""
    if source.needs_key and not invented and not settings.secret(key):
        return Fetched(source, step, skipped="no_key")
    plan = plans.choose(settings, source.upstream)
    ask = Ask(
        plans.base(settings, source.upstream, plan),
        plan,
        clock.now(),
        newest_day(run.known, source),
        run.known.unsealed.get(source.closes.name, ()) if source.closes else (),
        run.known.ids.get(source.table.name, frozenset()),
        run.known.last.get((source.table.name, "value"), {}),
    )
    if settings.demo:
        if not invented:
            return Fetched(source, step, skipped="not_due")
        return _invent(run, source, step, ask)
    return _ask_and_parse(run, source, step, ask, until)


def _invented(settings: Settings, source: Source) -> bool:
    """Whether demo mode has an answer of its own for it."""
    if not settings.demo:
        return False
    # Imported when asked: most runs do without.
    from collectors.sources import demo

    return source.name in demo.SOURCES


def _invent(run: Run, source: Source, step: StepRecord, ask: Ask) -> Fetched:
    from collectors.sources import demo

    judged: Judged | None = None
    with isolated() as caught:
        batch = demo.batch(source.name, ask, source.days)
        # Where an upstream tells a day, demo mode tells a year at once: the newest day stands for it.
        alike = replace(batch, rows=newest(batch.rows)) if len(batch.rows) > source.rows[1] else batch
        judged = judge(source, alike, Facts(run.known, ask.now, told={**run.known.seen, **run.told}))
        asking.remember(run, told(source, judged.believed(), ask.now))
    if caught.error is not None or judged is None:
        return Fetched(source, step, error=caught.error, results=judged.results if judged else ())
    return Fetched(source, step, ask.now, past.only(source, batch), results=judged.results)


def _ask_and_parse(run: Run, source: Source, step: StepRecord, ask: Ask, until: float) -> Fetched:
    tally = run.tallies.setdefault(step.step, Tally())
    asked = Asked([], [])
    batch: Batch | None = None
    judged: Judged | None = None
    with isolated() as caught:
        if source.collect:
            line = Line(run, source, ask, until, tally, asked)
            batch = source.collect(line, ask)
        else:
            asked = asking.answers(run, source, ask, until, tally)
        lost = asked.rejected
        asking.not_of_the_future(source, asked.answers, ask.now)
        if asked.answers:
            if source.parse:
                batch = source.parse(asked.answers, ask)
            assert batch is not None
            # One coin that is gone is no sign of a changed upstream; several are.
            before, after = (lost, ()) if len(lost) >= asking.TELLING else ((), lost)
            also = asking.beside(run, source, ask, until, tally)
            judged = asking.judged(run, source, _and(batch, before), asked, also)
            batch = past.only(source, _and(judged.believed(), after))
        elif lost:
            batch = Batch((), lost)
    step = replace(step, requests=tally.sent)
    results = judged.results if judged else ()
    if caught.error is not None:
        return Fetched(source, step, error=caught.error, answers=asked.answers, ask=ask, results=results)
    if batch is None:
        return Fetched(source, step, skipped="not_due")
    at = min((answer.at for answer in asked.answers), default=ask.now)
    return Fetched(source, step, at, batch, answers=asked.answers, ask=ask, results=results)


def _and(batch: Batch, lost: Sequence[Rejected]) -> Batch:
    return replace(batch, rejected=(*batch.rejected, *lost))


# ---------------------------------------------------------------- keeping (one thread)


def _finish(run: Run, some: Sequence[Fetched]) -> dict[str, StepRecord]:
    """Lands and merges what was fetched and writes each step's last word, all of them at once: what is merged
    and not yet told would be told as undone if the run were stopped in between."""
    kept = [_land(run, fetched) for fetched in some]
    waiting = [caught.result for caught in kept if isinstance(caught.result, Waiting)]
    after = iter(_merge(run, waiting) if waiting else ())
    steps = [
        _last_word(run, fetched, next(after) if isinstance(caught.result, Waiting) else caught)
        for fetched, caught in zip(some, kept, strict=True)
    ]
    with isolated():
        ledger.steps_finished(run.settings, steps)
    for step in steps:
        run.emit(step)
    return {step.step: step for step in steps}


def _land(run: Run, fetched: Fetched) -> _Caught:
    """What comes of landing it: a batch that waits for its merge, or the step as it ended."""
    verdicts.tell(fetched)
    if fetched.skipped:
        return _Caught(replace(fetched.step, state="skipped", reason=fetched.skipped))
    with isolated() as caught:
        if fetched.error is None and fetched.batch is not None:
            caught.result = land(run, fetched, fetched.batch)
    return caught


def _merge(run: Run, waiting: Sequence[Waiting]) -> list[_Caught]:
    """What comes of merging each: all together; where that fails each alone, so that it costs no other."""
    with isolated() as caught:
        return [_Caught(step) for step in merged(run, waiting)]
    if len(waiting) == 1:
        return [caught]
    log.warning("merged one by one: %s together came to %r", len(waiting), caught.error)
    return [_merge_alone(run, kept) for kept in waiting]


def _merge_alone(run: Run, kept: Waiting) -> _Caught:
    with isolated() as caught:
        (caught.result,) = merged(run, [kept], again=True)
    return caught


def _last_word(run: Run, fetched: Fetched, come: _Caught) -> StepRecord:
    error = fetched.error or come.error
    step: StepRecord = come.result or fetched.step
    if error is not None:
        step = failed(run, replace(fetched, error=error), error)
    if step.state != "ok":
        run.unkept += verdicts.of_step(run, fetched)
    return replace(step, finished_at=clock.now())
