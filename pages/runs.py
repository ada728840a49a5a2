"""Runs: what was started, by whom, how it ended, what every step did and how long it took. Layout only."""

import sqlite3
from collections.abc import Sequence

import streamlit as st

from collectors.registry import PIPELINES, SOURCES
from pages import _gaps
from pages._start import start
from pages._view import (
    badges,
    cards,
    check_parts,
    formats,
    run_choice,
    run_durations,
    run_parts,
    run_tables,
    run_timeline,
    run_words,
)
from pages._view.palette import colors
from pages._view.run_choice import Choice
from storage import check_results, clock, journal, ledger, texts
from storage.ledger import RunRecord, StepRecord
from storage.settings import Settings, load
from storage.texts import _, ngettext

LIMIT = 200
LAST = 60
LOG_PX = 300


def retry(settings: Settings, pipeline: str, source: str) -> None:
    """Starts a run of one source and comes back at once; the new run is then the one to look at."""
    if start(settings, [pipeline], [source]):
        run_choice.clear()


def matching(settings: Settings, choice: Choice) -> list[RunRecord]:
    """The newest runs that the reader wants to see, as they are."""
    found = ledger.runs(settings, LIMIT, choice.pipeline, choice.state, choice.trigger)
    runs = [ledger.seen(settings, run) for run in found]
    # A home that may only be read keeps a run as running whose process is gone.
    return [run for run in runs if choice.state in (None, run.state)]


def history(settings: Settings, runs: Sequence[RunRecord]) -> RunRecord:
    """The history; gives the run that is shown: the one that the address names, else the newest."""
    asked = run_choice.asked()
    at = next((n for n, run in enumerate(runs) if run.run_id == asked), None)
    shown = runs[at] if at is not None else asked and ledger.run(settings, asked)
    if not shown:
        at, shown = 0, runs[0]
    key = run_choice.table_key(runs[0].run_id, at)
    run_tables.history_table(settings, runs, at, key, lambda: run_choice.remember(runs, key))
    if at is None:
        st.caption(badges.plain(_("The run below is named by the address and is not in this list.")))
    return ledger.seen(settings, shown)


def made_up(settings: Settings, run: RunRecord) -> bool:
    """Whether every pipeline of a run did its work in a later one."""
    later = (ledger.last_run(settings, name, ("ok", "partial")) for name in run.pipelines)
    return all(one is not None and one.queued_at > run.queued_at for one in later)


def run_card(
    settings: Settings, run: RunRecord, steps: Sequence[StepRecord], usual: dict[str, float]
) -> None:
    """One run: how it ended, in words and figures, and what can be tried again."""
    live = ledger.running(settings)
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            look = badges.state(run.state)
            head = f"**{badges.plain(badges.pipelines(run.pipelines))}** {badges.inline(look)}"
            facts = f"{run_words.about(settings, run)} · {run.run_id}"
            st.markdown(f"{head} :gray[{badges.plain(facts)}]", width="stretch")
            st.page_link(
                "runs.py",
                label=_("Link to this run"),
                icon=":material/link:",
                query_params={"run": run.run_id},
            )
        done = run.state in ("cancelled", "interrupted") and made_up(settings, run)
        lines = [badges.plain(run_words.outcome(run, steps, done))]
        if steps:
            lines += [run_words.pipeline_line(run, name, steps, usual) for name in run.pipelines]
        st.markdown("  \n".join(lines))
        if steps:
            run_parts.figures(run, sum(step.requests for step in steps))
        newest = [ledger.last_steps(settings, name) for name in run.pipelines]
        since = {name: step for found in newest for name, step in found.items()}
        busy = live.run_id if live else None
        run_parts.hands(
            settings, steps, SOURCES, since, busy, lambda name, source: retry(settings, name, source)
        )


def evidence(settings: Settings, run: RunRecord, steps: Sequence[StepRecord]) -> None:
    """The steps on their axis, beside the log."""
    text = journal.run_log(settings, run.run_id)
    if not steps:
        run_parts.log(run, text, LOG_PX)
        return
    drawn = run_timeline.chart(settings, run, steps, colors(settings.up_color), clock.now())
    # Without a log there is nothing to stand beside.
    wide, narrow = st.columns([3, 2]) if text else (st.container(), st.container())
    with wide:
        rows = run_tables.rows(settings, run, steps)
        cards.chart(drawn, "steps", rows, _("Steps"), f"run_{run.run_id}")
    with narrow:
        run_parts.log(run, text, max(LOG_PX, int(drawn.layout.height)))


def durations(settings: Settings, run: RunRecord, took: dict[str, list[ledger.PipelineTook]]) -> None:
    """How long every pipeline took in its last runs."""
    with st.grid(2, min_column_width=360):
        for name, found in took.items():
            drawn = run_durations.chart(settings, name, found, run.run_id, colors(settings.up_color))
            label = badges.pipelines([name])
            cards.chart(drawn, f"took_{name}", run_durations.rows(name, found), label, "runs")


def below(settings: Settings, choice: Choice) -> None:
    """The history and the run that is shown."""
    runs = matching(settings, choice)
    if not runs:
        st.caption(badges.plain(_("No run is like this.")))
        st.button(_("Show every run"), key="runs_clear", on_click=run_choice.clear)
        return
    run = history(settings, runs)
    steps = ledger.steps(settings, run.run_id)
    took = {name: ledger.durations(settings, name, LAST) for name in PIPELINES}
    middles = {name: run_durations.usual(found) for name, found in took.items()}
    run_card(settings, run, steps, {name: one for name, one in middles.items() if one is not None})
    evidence(settings, run, steps)
    durations(settings, run, {name: found for name, found in took.items() if found})
    _gaps.calendar(settings)
    if steps:
        st.markdown(f"**{badges.plain(_('What every step did'))}**")
        run_tables.step_table(run, steps)
        checks(settings, run)


def checks(settings: Settings, run: RunRecord) -> None:
    """What the checks found in a run that is over; while it is on, the store is its own."""
    found = check_results.ended(settings, run.run_id) if run.state not in ledger.LIVE else []
    if found:
        check_parts.table(found, colors(settings.up_color))


def live_below(settings: Settings, choice: Choice, language: str) -> None:
    """The same, drawn anew every second while a run is on; the frame tells its end."""
    texts.use(language)
    try:
        below(settings, choice)
    except sqlite3.Error:
        # The next second may read it; what is wrong with it for longer says the frame.
        st.caption(_("What is stored cannot be read at the moment; it is shown again as soon as it can."))


def draw() -> None:
    settings = load()
    newest = [ledger.seen(settings, run) for run in ledger.runs(settings, limit=LIMIT)]
    if not newest:
        st.header(_("Runs"), anchor=False)
        st.caption(_("Nothing has run yet. Press Collect now on the Overview."))
        st.page_link("overview.py", label=_("Overview"), icon=":material/home:")
        return
    told = next((run for run in newest if run.reason != "busy"), newest[0])
    st.header(badges.plain(run_words.headline(settings, told)), anchor=False)
    bad = sum(run.state in ("failed", "interrupted") for run in newest)
    counted = ngettext("{n} run", "{n} runs", len(newest)).format(n=formats.number(len(newest)))
    st.caption(_("{runs}, newest first; {bad} failed or interrupted.").format(runs=counted, bad=bad))
    run_choice.start(tuple(PIPELINES))
    choice = run_choice.controls(tuple(PIPELINES))
    run_choice.write(choice)
    if ledger.running(settings):
        st.fragment(run_every=1.0)(live_below)(settings, choice, texts.language())
    else:
        below(settings, choice)


draw()
