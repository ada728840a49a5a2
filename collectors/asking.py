"""What one source's question comes to: every answer, what only a check wants, and what is believed of it."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from collectors import plans
from collectors.checks.judge import Judged, judge, told
from collectors.checks.kinds import Facts
from collectors.http import Tally
from collectors.model import Answer, Ask, Batch, CollectError, Plan, Refused, Source, Unavailable
from collectors.under_way import Run
from collectors.wire import Asked
from storage.read import Seen
from storage.texts import N_

log = logging.getLogger("collector")
AHEAD = timedelta(days=7)
# So many items that fail say something of the upstream, not of themselves.
TELLING = 3
# How long a question may take that nothing depends on.
BESIDE_S = 10.0
# Of these an upstream, or we, want no more for now.
LEFT_ALONE = frozenset({"rate_limited", "circuit_open", "deadline"})


def judged(run: Run, source: Source, batch: Batch, asked: Asked, also: Sequence[Answer]) -> Judged:
    """What the checks say of a batch, with what this run and the store know. What it is believed of is known
    to the checks of later steps."""
    at = max(answer.at for answer in asked.answers)
    facts = Facts(run.known, at, asked.answers, also, {**run.known.seen, **run.told})
    found = judge(source, batch, facts)
    if found.error is None:
        remember(run, told(source, found.batch, at))
    return found


def remember(run: Run, values: Mapping[str, Seen]) -> None:
    """Newest values for the checks of later steps; yesterday's close does not take the place of today's."""
    for name, seen in values.items():
        if name not in run.told or seen.day >= run.told[name].day:
            run.told[name] = seen


def beside(run: Run, source: Source, ask: Ask, until: float, tally: Tally) -> list[Answer]:
    """The answers that only a check wants. In a name of its own: what fails here pauses nothing else."""
    found: list[Answer] = []
    # A backfill is about the past, of which these say nothing.
    for request in source.beside(ask) if source.beside and not source.days else ():
        named = replace(request, upstream=f"{source.upstream.name} checks", once=True)
        by = min(until, time.monotonic() + BESIDE_S)
        try:
            found.append(run.http.get(named, ask.plan, until=by, tally=tally))
        except CollectError as error:
            log.info("[SKIP] %s check not made: %s", source.name, error.code)
    return found


def not_of_the_future(source: Source, given: Sequence[Answer], now: datetime) -> None:
    """Raises Unavailable where an answer is dated days after today: a row of that day would be the newest
    for as long. One from the past is fine: then it is our clock that is wrong."""
    newest = max((answer.at for answer in given), default=now)
    if newest > now + AHEAD:
        raise Unavailable(
            "suspect",
            N_("{upstream} says that today is {day}. Check the clock of this computer; old values stay."),
            upstream=source.upstream.title,
            day=newest.date().isoformat(),
        )


def answers(run: Run, source: Source, ask: Ask, until: float, tally: Tally) -> Asked:
    """Every answer. A question about one item of several (a coin) may fail for itself; where the first
    of them all fail, or the upstream wants to be left alone, the rest is not asked."""
    asked = Asked([], [])
    assert source.requests is not None
    for request in source.requests(ask):
        try:
            named = replace(request, upstream=source.upstream.name)
            asked.answers.append(run.http.get(named, ask.plan, until=until, tally=tally))
        except CollectError as error:
            plan = plans.other(run.settings, source.upstream, error) if isinstance(error, Refused) else None
            if plan is not None and plan is not ask.plan:
                return answers(run, source, _with_plan(run, source, ask, plan), until, tally)
            if request.item is None or (isinstance(error, Refused) and error.code != "http_404"):
                raise
            asked.lost.append((request.item, error))
            hopeless = not asked.answers and (len(asked.lost) >= TELLING or error.code in LEFT_ALONE)
            if hopeless:
                raise
            if error.code in LEFT_ALONE:
                break
    if not asked.answers and asked.lost and isinstance(asked.lost[-1][1], Unavailable):
        raise asked.lost[-1][1]
    return asked


def _with_plan(run: Run, source: Source, ask: Ask, plan: Plan) -> Ask:
    return replace(ask, plan=plan, base=plans.base(run.settings, source.upstream, plan))
