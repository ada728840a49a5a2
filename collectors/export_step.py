"""The computed step at the end of crypto: writes the export of what the store holds."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from collectors import computed, freshness, outcome, publish
from collectors.schedule import known
from collectors.under_way import Run
from storage import clock, ledger, points
from storage.records import BACKFILL, StepRecord
from storage.settings import Settings


def ahead(settings: Settings) -> None:
    """What the export says of the schedule is asked beside the requests: PowerShell takes a second or two."""
    known.scheduled(settings, 0.0)


def run_step(run: Run, pipeline: str, collected: Sequence[StepRecord]) -> StepRecord:
    """The step's record, told to ledger and listeners; skipped when the last export has all of it."""

    def work(step: StepRecord) -> StepRecord:
        if not any(other.state == "ok" for other in collected) and not publish.stale(run.settings):
            return replace(step, state="skipped", reason="upstream_failed")
        _write(run, pipeline, collected)
        return replace(step, state="ok")

    return computed.run_step(run, pipeline, "export", None, work)


def _write(run: Run, pipeline: str, collected: Sequence[StepRecord]) -> None:
    points.reach("before_export")
    told = freshness.status_json(run.settings, freshness.status(run.settings), known.PATIENT_S)
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
    if record.trigger == BACKFILL:
        # It fills what is past: how the pipeline does is told by its collections.
        return {}
    outcomes = {**record.outcomes, pipeline: word}
    state = outcome.of_pipelines(outcomes.values())
    ended = replace(
        record, state=state, exit_code=outcome.EXIT[state], finished_at=clock.now(), outcomes=outcomes
    )
    told = freshness.run_json(ended)
    success = {"last_success": told} if word in ("ok", "partial") else {}
    return {"state": word, "last_run": told, **success}
