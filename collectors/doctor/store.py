"""The store and what lies beside it: receipts, landed batches, what was refused, gaps, the export."""

import json
import sqlite3
from contextlib import suppress
from datetime import datetime, timedelta

from collectors import gaps
from collectors.console_lines import moment
from collectors.doctor.case import Case, told
from collectors.doctor.finding import Finding, fail, ok, warn
from collectors.doctor.history import UNREAD
from collectors.doctor.words import parted, size
from storage import clock, export, landing, ledger, quarantine, schema
from storage.store_error import StoreBusy, StoreError
from storage.store_health import StoreHealth
from storage.texts import N_, _, figure, ngettext

REPLAY, EXPORT = "python collect.py replay", "python collect.py export"
BACKFILL = "python collect.py backfill"
QUARANTINE = "python collect.py quarantine"
# So much in quarantine is more than the daily crumbs.
MANY = 1_000
NOT_READ = N_("Not known: the store cannot be read.")
NOTHING_YET = N_("Nothing has been collected yet.")


def of_store(case: Case) -> Finding:
    """Opens, is of this version, and holds what it should: demo or real."""
    found = case.store
    if found is None:
        return ok("store", _(NOTHING_YET))
    if isinstance(found, StoreBusy):
        if case.live is not None:
            return ok("store", _("The run that is on writes to it."))
        message, advice = parted(told(found))
        return warn("store", message, advice)
    if isinstance(found, StoreError):
        return _broken("store", found)
    if found.demo != case.settings.demo:
        text = _("It holds DEMO rows.") if found.demo else _("It holds real rows, and this is a demo.")
        return fail("store", text, _("Move it aside, or set COLLECTOR_HOME to another folder."))
    return ok("store", _described(found))


def _broken(check: str, problem: StoreError) -> Finding:
    message, advice = parted(told(problem))
    if problem.code != "corrupt":
        return fail(check, message, advice)
    again = _("Then {command} merges what was collected in the last 7 days.").format(command=REPLAY)
    return fail(check, message, f"{advice} {again}".strip())


def _described(found: StoreHealth) -> str:
    text = N_("{size}, {rows} rows in {tables} tables, version {version}.")
    older = N_(
        "{size}, {rows} rows in {tables} tables, version {version}; the next run brings it to {newest}."
    )
    return _(text if found.version == schema.SCHEMA_VERSION else older).format(
        size=size(found.size + found.log_bytes),
        rows=figure(sum(found.rows.values())),
        tables=figure(len(found.rows)),
        version=found.version,
        newest=schema.SCHEMA_VERSION,
    )


def receipts(case: Case) -> Finding:
    """Ledger and receipts check each other: a store that lost rows shows nowhere else."""
    if isinstance(case.ledger, StoreError):
        return ok("receipts", _(UNREAD))
    if isinstance(case.store, StoreError):
        return ok("receipts", _(NOT_READ))
    have = case.store.receipts if case.store else frozenset()
    merged = ledger.merged_steps(case.settings, case.now - timedelta(days=7))
    lost = [step for step in merged if (step.run_id, step.step) not in have]
    # Between its merge and its receipt lies nothing; between the ledger's row and ours a whole run may.
    lost = [step for step in lost if case.live is None or step.run_id != case.live.run_id]
    if lost:
        text = ngettext(
            "No receipt of {n} step that was merged in the last 7 days: {step} of run {run_id}.",
            "No receipts of {n} steps that were merged in the last 7 days: {step} of run {run_id} and more.",
            len(lost),
        )
        message = text.format(n=figure(len(lost)), step=lost[0].step, run_id=lost[0].run_id)
        return fail("receipts", message, _("Run {command}: it merges them again.").format(command=REPLAY))
    if not merged:
        return ok("receipts", _("Nothing was merged in the last 7 days."))
    text = ngettext(
        "Ledger and store agree on {n} step of the last 7 days.",
        "Ledger and store agree on {n} steps of the last 7 days.",
        len(merged),
    )
    return ok("receipts", text.format(n=figure(len(merged))))


def landed(case: Case) -> Finding:
    """Batches that wait to be merged."""
    if isinstance(case.store, StoreError):
        return ok("landing", _(NOT_READ))
    have = case.store.receipts if case.store else frozenset()
    waiting = landing.waiting(case.settings, have)
    if not waiting or case.live is not None:
        return ok("landing", _("No batch waits to be merged."))
    text = ngettext(
        "{n} batch waits to be merged, the oldest of {at}.",
        "{n} batches wait to be merged, the oldest of {at}.",
        len(waiting),
    )
    message = text.format(n=figure(len(waiting)), at=moment(case.settings, waiting[0].observed_at))
    return warn("landing", message, _("Run {command}, or wait for the next run.").format(command=REPLAY))


def quarantined(case: Case) -> Finding:
    """What was refused and is kept until somebody looks at it."""
    found = quarantine.things(case.settings)
    if not found:
        return ok("quarantine", _("Nothing is in quarantine."))
    text = ngettext(
        "{n} thing in quarantine ({size}), the oldest of {at}: {command}",
        "{n} things in quarantine ({size}), the oldest of {at}: {command}",
        len(found),
    )
    message = text.format(
        n=figure(len(found)),
        size=size(sum(thing.size for thing in found)),
        at=moment(case.settings, min(thing.at for thing in found)),
        command=QUARANTINE,
    )
    if len(found) > MANY:
        advice = _("Look at the reasons, then remove what is no longer of use: {command}.")
        return warn("quarantine", message, advice.format(command=f"{QUARANTINE} drop --older-than 90"))
    return ok("quarantine", message)


def of_gaps(case: Case) -> Finding:
    """Days that were missed lately, and whether they can still be had."""
    if case.store is None:
        return ok("gaps", _(NOTHING_YET))
    if isinstance(case.store, StoreError):
        return ok("gaps", _(NOT_READ))
    try:
        found = gaps.recent(gaps.found(case.settings, wait_s=0.3), case.now.date())
    except StoreBusy:
        return ok("gaps", _(NOT_READ))
    except StoreError as problem:
        # It opens, and its rows cannot be read.
        return _broken("gaps", problem)
    if not found:
        return ok("gaps", _("No day of the last month is missing."))
    had = [gap for gap in found if gap.recoverable]
    text = ngettext("{n} recent gap, {had} to be had.", "{n} recent gaps, {had} to be had.", len(found))
    message = text.format(n=figure(len(found)), had=figure(len(had)))
    if not had:
        return ok("gaps", message)
    limits = [gap.recoverable_until for gap in had if gap.recoverable_until]
    advice = _("Run {command}: {source} from {day} on.")
    if limits:
        advice = _("Run {command}: {source} from {day} on. The first can be had until {until}.")
    until = min(limits).isoformat() if limits else ""
    return warn(
        "gaps",
        message,
        advice.format(command=BACKFILL, source=had[0].source, day=had[0].since.isoformat(), until=until),
    )


def of_export(case: Case) -> Finding:
    """There, whole, and of what is stored."""
    file = export.folder(case.settings) / "crypto_trends.json"
    advice = _("Run {command}.").format(command=EXPORT)
    try:
        told_at = clock.parse(str(json.loads(file.read_bytes())["generated_at"]))
    except (FileNotFoundError, NotADirectoryError):
        if isinstance(case.store, StoreHealth) and case.store.rows.get("crypto_price"):
            return warn("export", _("There is none, though prices are stored."), advice)
        return ok("export", _("There is none yet; the first run of crypto writes it."))
    except (OSError, ValueError, KeyError, TypeError):
        return fail("export", _("{file} cannot be read.").format(file=file.name), advice)
    message = _("Written {at}, {size}.").format(
        at=moment(case.settings, told_at), size=size(file.stat().st_size)
    )
    if case.live is None and _older(case, told_at):
        return warn("export", f"{message} {_('Prices were collected since.')}", advice)
    return ok("export", message)


def _older(case: Case, written: datetime) -> bool:
    """A run of crypto came to a good end since, and left no export."""
    if isinstance(case.ledger, StoreError):
        return False
    with suppress(sqlite3.Error):
        last = ledger.last_run(case.settings, "crypto", ("ok", "partial"))
        return last is not None and written < (last.started_at or last.queued_at)
    return False
