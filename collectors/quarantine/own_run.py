"""The run that stores what was accepted: one step, in the ledger like any other, that asks nobody."""

import logging
import os
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from filelock import FileLock

from collectors import outcome
from collectors.http import Http
from collectors.keep import failed, keep
from collectors.model import Batch, Source
from collectors.run import isolated
from collectors.under_way import Fetched, Run
from storage import clock, hosts, journal, landing, ledger
from storage.records import QUARANTINE, StepRecord
from storage.settings import Settings

log = logging.getLogger("collector")


def begun(settings: Settings) -> Run:
    """A run that nobody knows of yet."""
    known_hosts = hosts.Hosts(lambda: ledger.connect(settings))
    http = Http(known_hosts, secret=settings.secret, pace_s=settings.pace_s)
    return Run(settings, ledger.new_run_id(clock.now()), http, lambda step: None)


def store(run: Run, source: Source, batch: Batch, at: datetime) -> StepRecord:
    """Lands and merges a batch that was observed at `at`, as any step does: the step as it ended, `ok`,
    `pending` or `failed`. Raises Busy where somebody else has reserved a run."""
    settings, run_id = run.settings, run.run_id
    ledger.reserve(settings, run_id, [QUARANTINE], "cli")
    own = ledger.lock_path(settings, run_id)
    with FileLock(own):
        ledger.claim(settings, run_id, os.getpid())
        landing.prepare(settings)
        journal.open_run_log(settings, run_id)
        step = _step(run, source, batch, at)
        state = outcome.of_steps([step])
        ledger.finish(settings, run_id, state, outcome.EXIT[state], {QUARANTINE: state})
    # Windows does not remove what is still open; there it goes with the next run.
    with suppress(OSError):
        own.unlink()
    return step


def _step(run: Run, source: Source, batch: Batch, at: datetime) -> StepRecord:
    named = StepRecord(run.run_id, run.next_step(), source.name, QUARANTINE, source.name, source.table.name)
    began = replace(named, started_at=clock.now())
    ledger.step_started(run.settings, began)
    log.info("[START] run %s %s (%s)", run.run_id, QUARANTINE, source.name)
    with isolated() as caught:
        caught.result = keep(run, Fetched(source, began, at, batch), batch)
    step: StepRecord = caught.result or failed(
        run, Fetched(source, began), caught.error or RuntimeError("nothing was kept")
    )
    step = replace(step, finished_at=clock.now())
    ledger.step_finished(run.settings, step)
    if step.state == "failed":
        log.error("[FAIL] %s %s %s %s", step.step, step.kind, step.code, step.said())
    else:
        log.info("[OK] %s inserted %s, updated %s", step.step, step.counts.inserted, step.counts.updated)
    return step
