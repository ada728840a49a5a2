"""The tables of the page Runs: the history, and what every step of a run did."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages._view import badges, formats, tables
from storage import clock
from storage.texts import _

if TYPE_CHECKING:
    from datetime import datetime

    from storage.records import RunRecord, StepRecord
    from storage.settings import Settings

SHOWN, STEPS_SHOWN = 8, 18


def figure(label: str, width: int = 82) -> Any:
    """A narrow column whose figures stand under each other."""
    return st.column_config.TextColumn(label, width=width, alignment="right")


def _text(label: str, width: int) -> Any:
    return st.column_config.TextColumn(label, width=width)


def history(settings: "Settings", runs: Sequence["RunRecord"]) -> pd.DataFrame:
    """One row a run, newest first."""
    return pd.DataFrame(
        {
            "state": [badges.cell(run.state) for run in runs],
            "started": [formats.moment(settings, run.started_at or run.queued_at) for run in runs],
            "seconds": [formats.span(run.seconds) for run in runs],
            "pipelines": [badges.pipelines(run.pipelines) for run in runs],
            "trigger": [badges.trigger(run.trigger) for run in runs],
            "inserted": [formats.number(run.counts.inserted) for run in runs],
            "updated": [formats.number(run.counts.updated) for run in runs],
            "unchanged": [formats.number(run.counts.unchanged) for run in runs],
            "rejected": [formats.number(run.counts.rejected) for run in runs],
            "why": [badges.reason(run.reason) for run in runs],
            "run": [run.run_id for run in runs],
        }
    )


def history_table(
    settings: "Settings",
    runs: Sequence["RunRecord"],
    at: int | None,
    key: str,
    picked: Callable[[], None],
) -> None:
    """The history with the row `at` picked; None: the run that is shown is not in it."""
    st.dataframe(
        history(settings, runs),
        key=key,
        hide_index=True,
        row_height=tables.ROW_HEIGHT,
        height=tables.height(min(SHOWN, len(runs))),
        on_select=picked,
        selection_mode="single-row" if at is None else "single-row-required",
        selection_default={"selection": {"rows": [] if at is None else [at]}},
        column_config={
            "state": _text(_("State"), 104),
            "started": _text(_("Started ({zone})").format(zone=formats.zone(settings)), 132),
            "seconds": figure(_("Took"), 70),
            "pipelines": _text(_("Pipelines"), 150),
            "trigger": _text(_("Started by"), 132),
            "inserted": figure(_("Inserted")),
            "updated": figure(_("Updated")),
            "unchanged": figure(_("Unchanged")),
            "rejected": figure(_("Rejected")),
            "why": _text(_("Why"), 180),
            "run": _text(_("Run"), 190),
        },
    )


def step_seconds(step: "StepRecord", until: "datetime | None" = None) -> float | None:
    """Wall time of a step, not beyond `until` (what is merged later counts with its own run); None while
    it runs."""
    if step.started_at is None or step.finished_at is None:
        return None
    end = min(step.finished_at, until) if until else step.finished_at
    return max(0.0, (end - step.started_at).total_seconds())


def why(step: "StepRecord") -> str:
    """Kind and code of a failure, or the reason of a skip."""
    return " · ".join(filter(None, (step.kind, step.code))) or badges.reason(step.reason) or ""


def steps_frame(run: "RunRecord", steps: Sequence["StepRecord"]) -> pd.DataFrame:
    """One row a step, in the order of their pipeline."""
    counts = {
        name: [formats.number(getattr(step.counts, name)) for step in steps]
        for name in ("inserted", "updated", "unchanged", "rejected")
    }
    return pd.DataFrame(
        {
            "state": [badges.cell(step.state) for step in steps],
            "step": [step.step for step in steps],
            **counts,
            "requests": [formats.number(step.requests) for step in steps],
            "seconds": [formats.span(step_seconds(step, run.finished_at)) for step in steps],
            "why": [why(step) for step in steps],
        }
    )


def step_table(run: "RunRecord", steps: Sequence["StepRecord"]) -> None:
    """What every step did, as a table."""
    st.dataframe(
        steps_frame(run, steps),
        hide_index=True,
        row_height=tables.ROW_HEIGHT,
        height=tables.height(min(STEPS_SHOWN, len(steps))),
        column_config={
            "state": _text(_("State"), 120),
            "step": _text(_("Step"), 190),
            "inserted": figure(_("Inserted")),
            "updated": figure(_("Updated")),
            "unchanged": figure(_("Unchanged")),
            "rejected": figure(_("Rejected")),
            "requests": figure(_("Requests")),
            "seconds": figure(_("Took")),
            "why": _text(_("Why"), 220),
        },
    )


def rows(settings: "Settings", run: "RunRecord", steps: Sequence["StepRecord"]) -> pd.DataFrame:
    """The steps as they leave as CSV: as recorded, times in UTC."""
    return pd.DataFrame(
        {
            "run_id": step.run_id,
            "n": step.n,
            "pipeline": step.pipeline,
            "step": step.step,
            "source": step.source,
            "table": step.table,
            "state": step.state,
            "kind": step.kind,
            "code": step.code,
            "reason": step.reason,
            "message": badges.said(settings, step),
            "requests": step.requests,
            "started_at": step.started_at and clock.stamp(step.started_at),
            "finished_at": step.finished_at and clock.stamp(step.finished_at),
            "seconds": step_seconds(step, run.finished_at),
            **asdict(step.counts),
        }
        for step in steps
    )
