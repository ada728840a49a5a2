"""The computed step at the end of crypto: writes the export of what the store holds."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from collectors import freshness, outcome, publish
from collectors.run import isolated
from collectors.under_way import Run
from storage import clock, ledger, points
from storage.records import StepRecord
from storage.store_error import StoreError, explained

log = logging.getLogger("collector")


def run_step(run: Run, pipeline: str, collected: Sequence[StepRecord]) -> StepRecord:
    """The step's record, told to ledger and listeners; skipped when the last export has all of it."""
    step = StepRecord(
        run.run_id, run.next_step(), "export", pipeline, started_at=clock.now(), state="running"
    )
    # A ledger that is locked for a moment costs a line in it, not the run.
    with isolated():
        ledger.step_started(run.settings, step)
    run.emit(step)
    if not any(other.state == "ok" for other in collected) and not publish.stale(run.settings):
        step = replace(step, state="skipped", reason="upstream_failed")
    else:
        with isolated() as caught:
            _write(run, pipeline, collected)
            step = replace(step, state="ok")
        if caught.error is not None:
            if not isinstance(caught.error, StoreError):
                log.error("export: unexpected", exc_info=caught.error)
            step = step.hindered("failed", explained(run.settings, caught.error))
    step = replace(step, finished_at=clock.now())
    with isolated():
        ledger.step_finished(run.settings, step)
    run.emit(step)
    return step


def _write(run: Run, pipeline: str, collected: Sequence[StepRecord]) -> None:
    points.reach("before_export")
    told = freshness.status_json(run.settings, freshness.status(run.settings))
    # The run is still on while it exports: say what it has come to, not that it runs.
    told["running"] = None
    told["pipelines"][pipeline].update(_in_the_end(run, pipeline, outcome.of_steps(collected)))
    publish.publish(run.settings, run.run_id, told, run.quiet)
    points.reach("after_export")


def _in_the_end(run: Run, pipeline: str, word: str) -> dict[str, Any]:
    """State, last run and last success of the pipeline as the end of this run will leave them."""
    record = ledger.run(run.settings, run.run_id)
    if record is None:
        return {"state": word}
    outcomes = {**record.outcomes, pipeline: word}
    state = outcome.of_pipelines(outcomes.values())
    ended = replace(
        record, state=state, exit_code=outcome.EXIT[state], finished_at=clock.now(), outcomes=outcomes
    )
    told = freshness.run_json(ended)
    success = {"last_success": told} if word in ("ok", "partial") else {}
    return {"state": word, "last_run": told, **success}
