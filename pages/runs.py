"""Runs: what was started, by whom, how it ended, and what every step did."""

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
import streamlit as st

from pages._view import badges, formats
from storage import ledger
from storage.ledger import RunRecord, StepRecord
from storage.settings import Settings, load
from storage.texts import _, ngettext

LIMIT = 200
SHOWN = 8


def figure(label: str) -> Any:
    """A narrow column whose figures stand under each other."""
    return st.column_config.TextColumn(label, width="small", alignment="right")


def history(settings: Settings, runs: Sequence[RunRecord]) -> pd.DataFrame:
    """One row a run, newest first."""
    return pd.DataFrame(
        {
            "state": [badges.cell(run.state) for run in runs],
            "started": [formats.moment(settings, run.started_at or run.queued_at) for run in runs],
            "seconds": [formats.span(run.seconds) for run in runs],
            "pipelines": [" + ".join(run.pipelines) for run in runs],
            "trigger": [badges.trigger(run.trigger) for run in runs],
            "inserted": [formats.number(run.counts.inserted) for run in runs],
            "updated": [formats.number(run.counts.updated) for run in runs],
            "unchanged": [formats.number(run.counts.unchanged) for run in runs],
            "run": [run.run_id for run in runs],
        }
    )


def chosen(runs: Sequence[RunRecord]) -> int:
    """Index of the run that the address names; whatever else it says is the newest."""
    asked = st.query_params.get("run")
    return next((n for n, run in enumerate(runs) if run.run_id == asked), 0)


def _remember(runs: Sequence[RunRecord], key: str) -> None:
    """Puts the picked run into the address, so that it can be sent to somebody."""
    rows = st.session_state[key]["selection"]["rows"]
    if rows and rows[0] < len(runs):
        st.query_params["run"] = runs[rows[0]].run_id


def history_table(settings: Settings, runs: Sequence[RunRecord]) -> RunRecord:
    """The history; gives the run that is picked."""
    at = chosen(runs)
    # A new run shifts the rows: the selection is by row, so that it starts anew with it.
    key = f"history_{runs[0].run_id}"
    height: int | Literal["content"] = "content" if len(runs) <= SHOWN else 38 + 35 * SHOWN
    st.dataframe(
        history(settings, runs),
        key=key,
        hide_index=True,
        height=height,
        on_select=lambda: _remember(runs, key),
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [at]}},
        column_config={
            "state": st.column_config.TextColumn(_("State"), width="small"),
            "started": st.column_config.TextColumn(
                _("Started ({zone})").format(zone=formats.zone(settings)), width="small"
            ),
            "seconds": figure(_("Took")),
            "pipelines": st.column_config.TextColumn(_("Pipelines"), width="small"),
            "trigger": st.column_config.TextColumn(_("Started by"), width="small"),
            "inserted": figure(_("Inserted")),
            "updated": figure(_("Updated")),
            "unchanged": figure(_("Unchanged")),
            "run": st.column_config.TextColumn(_("Run")),
        },
    )
    return runs[at]


def step_seconds(step: StepRecord) -> float | None:
    """Wall time of a step; None while it runs."""
    if step.started_at is None or step.finished_at is None:
        return None
    return max(0.0, (step.finished_at - step.started_at).total_seconds())


def why(step: StepRecord) -> str:
    """Kind and code of a failure, or the reason of a skip."""
    return " · ".join(filter(None, (step.kind, step.code))) or badges.reason(step.reason) or ""


def step_table(steps: Sequence[StepRecord]) -> None:
    """What every step did, in the order in which they were started."""
    table = pd.DataFrame(
        {
            "state": [badges.cell(step.state) for step in steps],
            "step": [step.step for step in steps],
            "inserted": [formats.number(step.counts.inserted) for step in steps],
            "updated": [formats.number(step.counts.updated) for step in steps],
            "unchanged": [formats.number(step.counts.unchanged) for step in steps],
            "rejected": [formats.number(step.counts.rejected) for step in steps],
            "requests": [formats.number(step.requests) for step in steps],
            "seconds": [_seconds(step_seconds(step)) for step in steps],
            "why": [why(step) for step in steps],
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        column_config={
            "state": st.column_config.TextColumn(_("State"), width="small"),
            "step": st.column_config.TextColumn(_("Step"), width="medium"),
            "inserted": figure(_("Inserted")),
            "updated": figure(_("Updated")),
            "unchanged": figure(_("Unchanged")),
            "rejected": figure(_("Rejected")),
            "requests": figure(_("Requests")),
            "seconds": figure(_("Took")),
            "why": st.column_config.TextColumn(_("Why")),
        },
    )


def _seconds(value: float | None) -> str:
    return formats.DASH if value is None else _("{n} s").format(n=formats.number(round(value, 2)))


def run_card(settings: Settings, run: RunRecord) -> None:
    """One run: how it ended, in words, and its steps."""
    steps = ledger.steps(settings, run.run_id)
    with st.container(border=True):
        facts = [
            formats.moment(settings, run.started_at or run.queued_at),
            formats.span(run.seconds),
            _("started by {who}").format(who=badges.trigger(run.trigger)),
            badges.reason(run.reason),
            run.run_id,
        ]
        look = badges.state(run.state)
        head = f"**{badges.plain(' + '.join(run.pipelines))}** {badges.inline(look)}"
        st.markdown(f"{head} :gray[{badges.plain(' · '.join(filter(None, facts)))}]")
        if not steps:
            st.caption(_("No step was started."))
            return
        step_table(steps)
        for step in steps:
            if step.state != "ok" and step.message:
                st.markdown(badges.advice(step))


def draw() -> None:
    settings = load()
    runs = [ledger.seen(settings, run) for run in ledger.runs(settings, limit=LIMIT)]
    st.header(_("Runs"), anchor=False)
    if not runs:
        st.caption(_("Nothing has run yet. Press Collect now on the Overview."))
        return
    bad = sum(run.state in ("failed", "interrupted") for run in runs)
    counted = ngettext("{n} run", "{n} runs", len(runs)).format(n=formats.number(len(runs)))
    st.caption(_("{runs}, newest first; {bad} failed or interrupted.").format(runs=counted, bad=bad))
    run_card(settings, history_table(settings, runs))


draw()
