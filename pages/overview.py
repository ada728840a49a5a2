"""Overview: what did crypto do, is everything fresh, what needs a hand. Layout only."""

import sqlite3

import streamlit as st

from collectors import freshness, launch
from collectors.freshness import PipelineStatus, Status
from collectors.registry import UPSTREAMS
from pages._view import badges, collect_now, formats, market, tiles
from storage import clock, ledger, read, texts
from storage.settings import Settings, load
from storage.texts import _


def start(settings: Settings, pipeline: str) -> None:
    """Starts a run and comes back at once; one that is under way stays the only one."""
    try:
        collect_now.watch(launch.launch(settings, [pipeline], "console"))
    except ledger.Busy as other:
        collect_now.watch(other.run_id)
        collect_now.busy(other.run_id)
    except sqlite3.Error as error:
        problem = freshness.unread(settings, error)
        st.toast(badges.plain(texts.say(problem.message, problem.values)), icon=":material/error:")
    except OSError:
        text = _("{folder} cannot be written. Set COLLECTOR_HOME to a folder that can.")
        st.toast(badges.plain(text.format(folder=settings.home.name)), icon=":material/error:")


def pipeline_card(
    settings: Settings, status: PipelineStatus, live: ledger.RunRecord | None, frames: read.Frames
) -> None:
    """Badge, Collect now, the three facts, and the counts of the last run or how far this one is."""
    with st.container(border=True, height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            name = badges.pipelines([status.pipeline])
            st.markdown(f"**{name}** {badges.freshness(settings, status, frames.problem is None)}")
            collect_now.button(
                status.pipeline, live, lambda name: start(settings, name), key=f"collect_{status.pipeline}"
            )
        left, right = st.columns(2)
        with left:
            badges.pipeline_facts(settings, status, ended(settings, status), market.is_provisional(frames))
        with right:
            badges.source_facts(status)
        every = 1.0 if live else None
        st.fragment(run_every=every)(last_line)(settings, status.pipeline, texts.language())


def ended(settings: Settings, status: PipelineStatus) -> ledger.RunRecord | None:
    """The newest run of a pipeline that is over: how the one under way is doing says the banner."""
    last = status.last_run
    if last is None or last.finished_at is not None:
        return last
    found = ledger.runs(settings, limit=20, pipeline=status.pipeline)
    return next((run for run in found if run.finished_at and run.reason != "busy"), None)


def last_line(settings: Settings, pipeline: str, language: str) -> None:
    """Counts of the last run, or progress: one line of the same height."""
    texts.use(language)
    try:
        live = ledger.running(settings)
    except sqlite3.Error:
        # The frame says what is wrong with it.
        return
    with st.container(height=44, border=False, key=f"line_{pipeline}"):
        if live and pipeline in live.pipelines:
            collect_now.bar(live, freshness.progress(live, ledger.steps(settings, live.run_id)))
            return
        last = ledger.last_run(settings, pipeline)
        st.caption(badges.plain(badges.counts(last.counts)) if last else _("Nothing was collected here yet."))


def hand_card(settings: Settings, status: Status) -> None:
    """What the last look at every step left undone, with what to do."""
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{_('Needs a hand')}**")
        steps = [
            step
            for name in status.pipelines
            for step in badges.needs_a_hand(ledger.last_steps(settings, name).values())
        ]
        for step in steps:
            st.markdown(badges.advice(settings, step))
        if steps:
            newest = max(step.run_id for step in steps)
            st.page_link(
                "runs.py", label=_("See the run"), icon=":material/history:", query_params={"run": newest}
            )
        late = [one for one in status.pipelines.values() if one.freshness == "late"]
        for one in late:
            text = _("{name} is late: press Collect now.").format(name=badges.pipelines([one.pipeline]))
            st.markdown(f"{badges.freshness(settings, one)} {badges.plain(text)}")
        if not steps and not late:
            ran = any(one.last_run for one in status.pipelines.values())
            st.caption(_("Nothing. Every step did its work.") if ran else _("Nothing has run yet."))


def empty_state(settings: Settings) -> None:
    """The first morning: what to press, and how to look around without asking anybody."""
    with st.container(border=True):
        if settings.demo:
            st.markdown(_("Press **Collect now**: it fills this store with an invented market."))
            return
        st.markdown(_("Press **Collect now**: it asks CoinGecko, DefiLlama and alternative.me once."))
        command = "`python scripts/start.py --demo`"
        st.markdown(_("To look around first, with invented numbers: {command}").format(command=command))


def draw() -> None:
    settings = load()
    live = ledger.running(settings)
    wait_s = 0.3 if live else 0.0
    frames, status = read.frames(settings, wait_s), freshness.status(settings, wait_s)
    now = clock.now()
    today = f"{formats.day(now.astimezone(settings.zone))}, {formats.moment(settings, now)}"
    unread = _("The store cannot be read") if frames.problem else _("Nothing has been collected yet")
    st.header(unread if frames.empty else badges.plain(market.headline(frames)), anchor=False)
    st.caption(f"{badges.plain(today)} {formats.zone(settings)}")
    if frames.empty and frames.problem is None:
        empty_state(settings)
    elif frames.empty:
        st.caption(_("What is stored cannot be read at the moment; it is shown again as soon as it can."))
    else:
        tiles.tiles(settings, frames, UPSTREAMS)
    left, right = st.columns([3, 2])
    with left:
        for one in status.pipelines.values():
            pipeline_card(settings, one, live, frames)
    with right:
        hand_card(settings, status)
    tiles.movers_card(settings, frames)


draw()
