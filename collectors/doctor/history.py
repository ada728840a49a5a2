"""The ledger, the run that is on, and how the last seven days went for each pipeline."""

import sqlite3
from collections.abc import Sequence
from datetime import date, timedelta

from collectors.console_lines import day, moment
from collectors.doctor import locks
from collectors.doctor.case import Case, told
from collectors.doctor.finding import Finding, fail, ok, warn
from collectors.doctor.words import parted, size, span
from collectors.registry import PIPELINES
from storage import ledger, ledger_health
from storage.ledger_health import Day
from storage.records import TRIGGERS
from storage.store_error import StoreError
from storage.texts import N_, _, figure

DAYS = 7
PATIENCE = timedelta(days=3)
# A run may take its deadline, and a little for its ends.
_OVER_S = 60.0
SIGNS = {
    "ok": "✓",
    "partial": "△",
    "failed": "✕",
    "interrupted": "↯",
    "cancelled": "■",
    "skipped": "–",
    "queued": "▷",
    "running": "▶",
}
NOTHING = "·"
# Of several starts of a day that which brought most stands for it.
_BEST = tuple(SIGNS)
UNREAD = N_("Not known: the ledger cannot be read.")


def of_ledger(case: Case) -> Finding:
    """Whether SQLite finds it whole, and whether every run that it holds for living does."""
    found = case.ledger
    if found is None:
        return ok("ledger", _("There is no ledger yet; the first run makes it."))
    if isinstance(found, StoreError):
        message, advice = parted(told(found))
        again = _("The next run makes a new one.") if found.code == "corrupt" else ""
        return fail("ledger", message, f"{advice} {again}".strip())
    gone = [run.run_id for run, lives in case.said_to_live if not lives]
    if gone:
        text = _("Run {run_id} is noted as running, but its process is gone.").format(run_id=gone[0])
        return warn(
            "ledger", text, _("Run {command}: it notes the end.").format(command="python collect.py status")
        )
    text = _("Whole: runs {runs}, steps {steps}, {size}.")
    runs, steps = figure(found.runs), figure(found.steps)
    return ok("ledger", text.format(runs=runs, steps=steps, size=size(found.size)))


def run(case: Case) -> Finding:
    """Which run is on; else who holds the lock that a run would need. Nobody probes that lock."""
    live = case.live
    if live is not None:
        text = _("Run {run_id} is on since {at}, started by {trigger}.")
        trigger = _(TRIGGERS.get(live.trigger, live.trigger))
        at = moment(case.settings, live.started_at or live.queued_at)
        message = text.format(run_id=live.run_id, at=at, trigger=trigger)
        if (live.seconds or 0.0) > case.settings.deadline_s + _OVER_S:
            advice = _("It is past its deadline: press Cancel in the console, or end process {pid}.")
            return warn("run", message, advice.format(pid=live.pid))
        return ok("run", message)
    holder = locks.holder(ledger.lock_path(case.settings, "run"))
    if holder is not None:
        text = _("No run is on, but process {pid} ({name}) holds the lock that a run needs.")
        advice = _("Wait for its end. If it hangs, end process {pid}: the lock is free at once.")
        return warn("run", text.format(pid=holder.pid, name=holder.name), advice.format(pid=holder.pid))
    if isinstance(case.ledger, StoreError):
        return ok("run", _(UNREAD))
    return ok("run", _("No run is on."))


def week(case: Case) -> list[Finding]:
    """Each pipeline with a sign for each of the last seven days, and since when it brought nothing."""
    names = [f"week.{name}" for name in PIPELINES]
    if isinstance(case.ledger, StoreError):
        return [ok(name, _(UNREAD)) for name in names]
    try:
        return [_of_pipeline(case, name) for name in PIPELINES]
    except sqlite3.Error:
        return [ok(name, _(UNREAD)) for name in names]


def days_of(case: Case, starts: Sequence[Day]) -> list[tuple[date, str]]:
    """The last days of the settings' zone, oldest first, each with its best outcome; "" for none."""
    zone = case.settings.zone
    today = case.now.astimezone(zone).date()
    best: dict[date, str] = {}
    for one in starts:
        on = one.at.astimezone(zone).date()
        outcome = "ok" if one.reason == "fresh" else one.outcome
        best[on] = min(outcome, best.get(on, outcome), key=_rank)
    days = [today - timedelta(days=n) for n in reversed(range(DAYS))]
    return [(on, best.get(on, "")) for on in days]


def _rank(outcome: str) -> int:
    return _BEST.index(outcome) if outcome in _BEST else len(_BEST)


def _of_pipeline(case: Case, pipeline: str) -> Finding:
    first, good = ledger_health.since_when(case.settings, pipeline)
    check = f"week.{pipeline}"
    if first is None:
        text = _("It has not run yet: {command}")
        return ok(check, text.format(command=f"python collect.py {pipeline}"))
    # Two days more: today is not over, and the zone may be ahead.
    starts = ledger_health.starts(case.settings, case.now - timedelta(days=DAYS + 1)).get(pipeline, [])
    days = days_of(case, starts)
    signs = " ".join(SIGNS.get(outcome, "?") if outcome else NOTHING for _day, outcome in days)
    text = N_("{signs} from {first} to {last}; last success {at}.")
    never = N_("{signs} from {first} to {last}; never with success.")
    message = _(text if good else never).format(
        signs=signs, first=day(days[0][0]), last=day(days[-1][0]), at=moment(case.settings, good)
    )
    without = case.now - (good or first)
    advice = _("{command} says which step and why; {again} tries again.").format(
        command="python collect.py status", again=f"python collect.py {pipeline}"
    )
    scheduled = any(pipeline in names for _at, names in case.settings.slots)
    if without > PATIENCE and scheduled:
        lasts = _("Nothing for {span}.").format(span=span(without.total_seconds()))
        return fail(check, f"{lasts} {message}", advice)
    newest = starts[-1] if starts else None
    if newest is not None and newest.outcome in ("failed", "interrupted"):
        return warn(check, message, advice)
    return ok(check, message)
