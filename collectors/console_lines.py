"""What the command line prints: lines for people, JSON for programs, a progress bar on a terminal."""

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from itertools import groupby
from typing import Any
from unicodedata import east_asian_width

from collectors import gaps
from collectors.freshness import PipelineStatus, Status
from collectors.gaps import Gap
from storage import check_results, clock
from storage.check_results import CheckResult
from storage.db import StoreError
from storage.merge import Landed, MergeCount
from storage.records import REASONS, TRIGGERS
from storage.settings import Settings
from storage.texts import N_, _, figure, language, ngettext, say

STATES = {
    "ok": N_("ok"),
    "partial": N_("partial"),
    "failed": N_("failed"),
    "skipped": N_("skipped"),
    "cached": N_("cached"),
    "pending": N_("pending"),
    "cancelled": N_("cancelled"),
    "interrupted": N_("interrupted"),
    "running": N_("running"),
    "queued": N_("queued"),
    "never": N_("never"),
    "fresh": N_("fresh"),
    "due": N_("due"),
    "late": N_("late"),
}


BACKFILL = "python collect.py backfill"
# As many gaps are told one by one.
GAPS = 8
# And as many checks that did not pass.
CHECKS = 12


def put(text: str) -> None:
    """One line to whoever listens; nobody may (pythonw has no console, a pipe may be closed)."""
    try:
        if sys.stdout is not None:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
    except (OSError, ValueError):
        sys.stdout = None
    except UnicodeEncodeError:
        sys.stdout.write(text.encode("ascii", "replace").decode() + "\n")


def put_json(value: Mapping[str, Any]) -> None:
    """One JSON object on one line, ASCII only."""
    put(json.dumps(value, ensure_ascii=True, allow_nan=False))


def put_problem(problem: StoreError) -> None:
    """What is wrong with the store, and what to do."""
    put(say(problem.message, problem.values))


def counts_text(counts: Mapping[str, int]) -> str:
    """Inserted, updated, unchanged; what was dropped only where something was."""
    parts = [
        _("{n} inserted").format(n=figure(counts["inserted"])),
        _("{n} updated").format(n=figure(counts["updated"])),
        _("{n} unchanged").format(n=figure(counts["unchanged"])),
    ]
    if counts["duplicate"]:
        parts.append(_("{n} duplicate").format(n=figure(counts["duplicate"])))
    if counts["rejected"]:
        parts.append(_("{n} rejected").format(n=figure(counts["rejected"])))
    return ", ".join(parts)


class Lines:
    """Prints the events of one run."""

    def __init__(self, settings: Settings, *, as_json: bool) -> None:
        self._settings, self._json = settings, as_json
        self._bar = not as_json and sys.stdout is not None and sys.stdout.isatty()
        self._done = 0

    def emit(self, event: dict[str, Any]) -> None:
        if self._json:
            put_json(event)
            return
        if event["event"] == "step_finished":
            self._done += 1
            self._step(event)
        elif event["event"] == "run_finished":
            self._clear()
            self._end(event)
        elif event["event"] == "step_started":
            self._progress(event)

    def problem(self, problem: StoreError) -> None:
        if self._json:
            put_json(
                {"event": "error", "code": problem.code, "message": say(problem.message, problem.values)}
            )
        else:
            put_problem(problem)

    def _step(self, event: Mapping[str, Any]) -> None:
        self._clear()
        state = _(STATES[event["state"]])
        if event["state"] == "ok":
            detail = counts_text(event["counts"]) if event["source"] else ""
        elif event["state"] == "skipped" and not event["message"]:
            detail = _(REASONS.get(event["reason"], event["reason"]))
        else:
            detail = event["message"] or ""
        put(f"  {event['step']:<26} {padded(state, 8)} {detail}".rstrip())

    def _end(self, event: Mapping[str, Any]) -> None:
        if event.get("reason") == "busy":
            put(_("Another run is under way: nothing was started. Try again when it has ended."))
            return
        put(
            _("{state}: {counts} ({seconds} s, run {run_id})").format(
                state=_(STATES[event["state"]]),
                counts=counts_text(event["counts"]),
                seconds=figure(event["seconds"] or 0),
                run_id=event["run_id"],
            )
        )
        self._checks(event["run_id"])
        if event["state"] in ("ok", "partial"):
            self._gaps(event["pipelines"])

    def _checks(self, run_id: str) -> None:
        """What the checks warned of or set aside; where the store is locked the log has it."""
        with suppress(StoreError):
            put_checks(check_results.of_run(self._settings, run_id))

    def _gaps(self, pipelines: Sequence[str]) -> None:
        """What was missed lately; where the store is locked the next run tells it."""
        with suppress(StoreError):
            found = gaps.found(self._settings, pipelines)
            put_gaps(gaps.recent(found, clock.now().date()))

    def _progress(self, event: Mapping[str, Any]) -> None:
        if not self._bar:
            return
        total = max(1, int(event["m"]))
        full = round(20 * self._done / total)
        sys.stdout.write(
            f"\r  [{'#' * full}{'.' * (20 - full)}] {self._done}/{total} {event['step'][:26]:<26}"
        )
        sys.stdout.flush()

    def _clear(self) -> None:
        if self._bar:
            sys.stdout.write("\r" + " " * 64 + "\r")


def day(value: date | None) -> str:
    if value is None:
        return "–"
    # Imported when asked: few runs name a day.
    from babel.dates import format_date, format_skeleton

    if language() == "ko":
        return str(format_skeleton("MMMEd", value, locale="ko"))
    return str(format_date(value, "EEE d MMM", locale="en"))


def moment(settings: Settings, at: datetime | None) -> str:
    if at is None:
        return "–"
    from babel.dates import format_datetime, format_skeleton

    local = at.astimezone(settings.zone)
    if language() == "ko":
        return f"{format_skeleton('MMMd', local, locale='ko')} {local:%H:%M}"
    return str(format_datetime(local, "d MMM HH:mm", locale="en"))


def padded(text: str, width: int) -> str:
    """`text` with spaces up to a number of columns; a Korean letter takes two."""
    taken = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
    return text + " " * max(0, width - taken)


def put_status(settings: Settings, status: Status) -> None:
    """The state of every pipeline: data as of, last run, next run."""
    if settings.demo:
        put(_("DEMO: invented data. Leave it by starting without --demo."))
    if status.problem is not None:
        put_problem(status.problem)
    if status.live is not None:
        put(
            _("running: {run_id}, started by {trigger}").format(
                run_id=status.live.run_id, trigger=_(TRIGGERS.get(status.live.trigger, status.live.trigger))
            )
        )
    for found in status.pipelines.values():
        _put_pipeline(settings, found)


def _put_pipeline(settings: Settings, found: PipelineStatus) -> None:
    last = found.last_run
    put(f"{found.pipeline}: {_(STATES[found.freshness])}")
    put("  " + _("data as of {day}").format(day=day(found.data_as_of)))
    put(
        "  "
        + _("last run {at}, {state}").format(
            at=moment(settings, last.started_at or last.queued_at) if last else "–",
            state=_(STATES[found.state]),
        )
    )
    put(
        "  " + _("next run {at} ({zone})").format(at=moment(settings, found.next_due), zone=settings.timezone)
    )
    for source in found.sources:
        if source.required:
            put(f"    {source.source:<26} {padded(day(source.data_as_of), 16)} {_(STATES[source.freshness])}")


def put_gaps(found: Sequence[Gap]) -> None:
    """What missed days lack, the newest gaps first, and whether it can still be had."""
    newest = sorted(found, key=lambda gap: (gap.until, gap.recoverable), reverse=True)
    for gap in newest[:GAPS]:
        put(_("gap: {text}").format(text=gaps.said(gap, day)))
    if len(newest) > GAPS:
        put(_("gap: and {n} more").format(n=figure(len(newest) - GAPS)))
    if any(gap.recoverable for gap in found):
        put(_("Fill in what can be had: {command}").format(command=BACKFILL))


def put_checks(found: Sequence[CheckResult]) -> None:
    """A line for each check that did not pass, the worst first."""
    words = {"warn": _("check: {step}, {name}: {text}"), "fail": _("check failed: {step}, {name}: {text}")}
    told = [one for one in found if one.state in words]
    for one in told[:CHECKS]:
        put(words[one.state].format(step=one.step, name=one.name, text=one.said()))
    if len(told) > CHECKS:
        put(_("check: and {n} more").format(n=figure(len(told) - CHECKS)))


def put_all_gaps(settings: Settings, found: Sequence[Gap]) -> None:
    """`gaps`: every gap with what it takes to fill it."""
    if not found:
        put(_("No day is missing."))
    for _source, alike in groupby(found, key=lambda gap: gap.source):
        row = list(alike)
        for gap in row:
            put(gaps.said(gap, dated))
        # One answer has many days: what fills one gap of a source fills them all.
        most = max(row, key=lambda gap: gap.calls)
        if most.calls:
            text = ngettext("{n} call, {minutes} min", "{n} calls, {minutes} min", most.calls)
            put("  " + text.format(n=figure(most.calls), minutes=figure(gaps.minutes(settings, most))))
    if any(gap.recoverable for gap in found):
        put(_("Fill in what can be had: {command}").format(command=BACKFILL))


def dated(value: date) -> str:
    """A day with its year, the same in every language."""
    return value.isoformat()


def put_replayed(settled: Sequence[tuple[Landed, MergeCount]]) -> None:
    """What `replay` merged."""
    if not settled:
        put(_("Nothing was waiting: every batch is merged."))
    for batch, count in settled:
        put(
            _("{step} of run {run_id}: {inserted} inserted, {updated} updated, {unchanged} unchanged").format(
                step=batch.step,
                run_id=batch.run_id,
                inserted=figure(count.inserted),
                updated=figure(count.updated),
                unchanged=figure(count.unchanged),
            )
        )
