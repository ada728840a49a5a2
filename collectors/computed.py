"""A step that is computed at the end of a pipeline: it asks nobody, and fails alone like any other."""

import logging
from collections.abc import Callable
from dataclasses import replace

from collectors.run import isolated
from collectors.under_way import Run
from storage import clock, ledger
from storage.records import StepRecord
from storage.store_error import StoreError, explained

log = logging.getLogger("collector")


def run_step(
    run: Run, pipeline: str, name: str, table: str | None, work: Callable[[StepRecord], StepRecord]
) -> StepRecord:
    """The step's record, told to ledger and listeners. `work` gives it back as it ended; what it raises
    makes the step `failed`."""
    step = StepRecord(run.run_id, run.next_step(), name, pipeline, table=table, started_at=clock.now())
    # A ledger that is locked for a moment costs a line in it, not the run.
    with isolated():
        ledger.step_started(run.settings, step)
    run.emit(step)
    with isolated() as caught:
        step = work(step)
    if caught.error is not None:
        if not isinstance(caught.error, StoreError):
            log.error("%s: unexpected", name, exc_info=caught.error)
        step = step.hindered("failed", explained(run.settings, caught.error))
    step = replace(step, finished_at=clock.now())
    with isolated():
        ledger.step_finished(run.settings, step)
    run.emit(step)
    return step
