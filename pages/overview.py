"""Overview: what is stress today, what did crypto do, is everything fresh, what needs a hand. Layout only."""

import sqlite3

import streamlit as st

from collectors import freshness
from collectors.freshness import PipelineStatus, Status
from collectors.registry import SOURCES, UPSTREAMS
from pages._hand import hand_card
from pages._start import start
from pages._view import (
    badges,
    collect_now,
    currency_choice,
    formats,
    market,
    news_parts,
    since,
    small_charts,
    stress_tiles,
    stress_words,
    tiles,
)
from pages._view.currency import USD, Currency
from storage import clock, ledger, read, read_liquidity, read_news, texts, visits
from storage.read_liquidity import Liquidity
from storage.records import Counts
from storage.settings import Settings, load
from storage.texts import _

LINE_PX = 60


def pipeline_card(
    settings: Settings, status: PipelineStatus, live: ledger.RunRecord | None, known: bool, provisional: bool
) -> None:
    """Badge, Collect now, the three facts, the sources, and the counts of the last run or how far this
    one is. `known`: the store could be read; `provisional`: its newest day is not over."""
    with st.container(border=True, height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            name = badges.pipelines([status.pipeline])
            st.markdown(f"**{name}** {badges.freshness(settings, status, known)}")
            collect_now.button(
                status.pipeline, live, lambda name: start(settings, [name]), key=f"collect_{status.pipeline}"
            )
        titles = {name: one.upstream.title for name, one in SOURCES.items()}
        parts = (
            badges.pipeline_facts(settings, status, ended(settings, status), provisional),
            badges.source_facts(status, titles),
        )
        facts = "<div style='height:.9rem'></div>".join(parts)
        if live:
            st.html(facts)
            st.fragment(run_every=1.0)(last_line)(settings, status.pipeline, texts.language())
        else:
            # In one element, and as high as the progress of a run.
            line = small_charts.note(counted(settings, status.pipeline))
            st.html(f"{facts}<div style='height:{LINE_PX}px'>{line}</div>")


def ended(settings: Settings, status: PipelineStatus) -> ledger.RunRecord | None:
    """The newest run of a pipeline that is over: how the one under way is doing says the banner."""
    last = status.last_run
    if last is None or last.finished_at is not None:
        return last
    found = ledger.runs(settings, limit=20, pipeline=status.pipeline)
    return next((run for run in found if run.finished_at and run.reason != "busy"), None)


def counted(settings: Settings, pipeline: str) -> str:
    """The counts of the last run; a run may be of several pipelines."""
    last = ledger.last_run(settings, pipeline)
    if last is None:
        return _("Nothing was collected here yet.")
    steps = [step for step in ledger.steps(settings, last.run_id) if step.pipeline == pipeline]
    return badges.counts(sum((step.counts for step in steps), Counts()))


def last_line(settings: Settings, pipeline: str, language: str) -> None:
    """How far the run is; of a pipeline that it leaves alone the counts of the last one."""
    texts.use(language)
    try:
        live = ledger.running(settings)
        said = counted(settings, pipeline)
    except sqlite3.Error:
        # The frame says what is wrong with it.
        return
    with st.container(height=LINE_PX, border=False, key=f"line_{pipeline}"):
        if live and pipeline in live.pipelines:
            collect_now.bar(live, freshness.progress(settings, live, ledger.steps(settings, live.run_id)))
        else:
            st.caption(badges.plain(said))


def since_card(
    settings: Settings, frames: read.Frames, record: Liquidity, told: int, money: Currency
) -> None:
    """What reads differently than at the end of the last visit, and what ran since; `told`: how many stories
    are on record."""
    counts = {"stories": told, "revised": len(frames.revisions)}
    now = since.figures(frames, record, counts)
    readable = frames.problem is None and record.problem is None
    seen = visits.look(settings, now, clock.now(), counts=readable and collect_now.somebody_looks())
    with st.container(border=True, height="stretch", gap="xsmall"):
        head = f"**{_('Since your last visit')}**"
        if seen is None:
            text = _("This is your first visit. From the next one on, this says what has changed.")
            st.markdown(f"{head}\n\n:gray[{badges.plain(text)}]")
            return
        then = f"{formats.moment(settings, seen.at)} {formats.zone(settings)}"
        compared = badges.plain(_("compared with {time}").format(time=then))
        nothing = badges.plain(_("Nothing: what was shown then is shown now."))
        lines = since.lines(seen.figures, now, settings.up_color, money) or [nothing]
        st.markdown("\n\n".join((f"{head} :gray[{compared}]", "  \n".join(lines))))
        states = [run.state for run in ledger.runs(settings, limit=200) if run.queued_at > seen.at]
        ran = since.runs([state for state in states if state not in ledger.LIVE])
        if ran:
            st.page_link("runs.py", label=badges.plain(ran), icon=":material/history:")


def brief_card(settings: Settings, brief: read_news.Brief, money: Currency) -> None:
    """The morning brief in short, in USD as it was written; the whole of it is on the page News."""
    with st.container(border=True, gap="xsmall", height="stretch", key="brief"):
        st.html(news_parts.in_short(brief, settings))
        st.page_link("news.py", label=_("All of it, and the news"), icon=":material/newspaper:")
        if money is not USD:
            st.caption(badges.plain(_("The brief is in USD, as it is stored.")))


def empty_state(settings: Settings) -> None:
    """The first morning: what to press, and how to look around without asking anybody."""
    with st.container(border=True):
        if settings.demo:
            st.markdown(_("Press **Collect now**: it fills this store with an invented market."))
            return
        st.markdown(_("Press **Collect now**: it asks CoinGecko, DefiLlama and alternative.me once."))
        command = "`python scripts/start.py --demo`"
        st.markdown(_("To look around first, with invented numbers: {command}").format(command=command))


def headline(frames: read.Frames, record: Liquidity) -> str:
    """Stress first, then crypto, as far as there is either."""
    if frames.empty and record.days.empty:
        return _("The store cannot be read") if frames.problem else _("Nothing has been collected yet")
    said = [] if record.days.empty else [stress_words.headline(record, brief=True) + "."]
    return badges.plain(" ".join(said if frames.empty else [*said, market.headline(frames)]))


def stress_part(settings: Settings, record: Liquidity, status: PipelineStatus | None) -> None:
    """The index as the first and largest tile; without one, a line that says how to get it."""
    if record.days.empty:
        if record.problem is None:
            st.caption(stress_words.empty_words())
        return
    credit = (
        _("DEMO data")
        if settings.demo
        else _("own computation from {names}").format(names="FRED, Yahoo Finance")
    )
    newest = record.days["date"].iloc[-1].date()
    stale = stress_words.stale(status, settings, newest, clock.now())
    stress_tiles.tile(record, settings, credit, stale)


def crypto_part(settings: Settings, frames: read.Frames, alone: bool, money: Currency) -> None:
    """The four figures of the morning, and what money is shown in. `alone`: there is nothing else on the
    page."""
    if frames.empty and frames.problem is None:
        if alone:
            empty_state(settings)
        else:
            st.caption(_("No crypto numbers yet: press Collect now beside Crypto."))
    elif frames.empty:
        st.caption(_("What is stored cannot be read at the moment; it is shown again as soon as it can."))
    else:
        newest = None if frames.prices.empty else frames.prices["date"].iloc[-1]
        currency_choice.switch(frames.rates, money, newest)
        tiles.tiles(settings, frames, UPSTREAMS, money)


def cards(
    settings: Settings,
    status: Status,
    live: ledger.RunRecord | None,
    frames: read.Frames,
    record: Liquidity,
    money: Currency,
) -> None:
    """A card a pipeline, and what needs a hand, side by side in one height."""
    known = frames.problem is None
    provisional = {"crypto": market.is_provisional(frames)}
    known_day = status.pipelines["liquidity"].data_as_of if "liquidity" in status.pipelines else None
    if not record.days.empty and known_day:
        newest = record.days.iloc[-1]
        # The sources may all be of a day that is over, and the index already of the next.
        provisional["liquidity"] = bool(newest["provisional"]) and newest["date"].date() <= known_day
    with st.grid(len(status.pipelines), min_column_width=360):
        for one in status.pipelines.values():
            pipeline_card(settings, one, live, known, provisional.get(one.pipeline, False))
    brief = read_news.brief(settings)
    left, middle, right = st.columns([3, 4, 9])
    with left:
        hand_card(settings, status)
    with middle:
        since_card(settings, frames, record, brief.told, money)
    with right:
        brief_card(settings, brief, money)


def draw() -> None:
    settings = load()
    live = ledger.running(settings)
    wait_s = 0.3 if live else 0.0
    frames, record = read.frames(settings, wait_s), read_liquidity.liquidity(settings, wait_s)
    status = freshness.status(settings, wait_s)
    now = clock.now()
    today = f"{formats.day(now.astimezone(settings.zone))}, {formats.moment(settings, now)}"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap=None):
            st.header(headline(frames, record), anchor=False, width="stretch")
            st.caption(f"{badges.plain(today)} {formats.zone(settings)}")
        collect_now.all_button(live, lambda: start(settings, list(status.pipelines)))
    stress_part(settings, record, status.pipelines.get("liquidity"))
    money = currency_choice.chosen(frames.rates)
    crypto_part(settings, frames, record.days.empty, money)
    cards(settings, status, live, frames, record, money)
    tiles.movers_card(settings, frames, money)


draw()
