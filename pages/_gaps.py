"""Days that are missing: the calendar of the page Runs, what filling them takes, and its button."""

import sqlite3
from contextlib import suppress
from datetime import date

import streamlit as st

from collectors import gap_calendar, launch
from collectors.backfill import plan
from collectors.backfill.plan import Plan, Want
from collectors.registry import SOURCES
from pages._start import started
from pages._view import badges, cards, formats, gap_chart
from pages._view.palette import colors
from storage import clock, ledger, ledger_past
from storage.settings import Settings
from storage.texts import _, ngettext

KEY = "gap_days"
# As many sources of a plan are told one by one.
TOLD = 8


def calendar(settings: Settings) -> None:
    """The days of every source, and below them what can be done about those that are missing."""
    found = gap_calendar.of_a_year(settings)
    if not found.rows or found.last is None:
        return
    lacking = any(not row.whole for row in found.rows)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{badges.plain(_('Every day of every source'))}**", width="stretch")
            shown = st.segmented_control(
                _("Range"), list(gap_chart.RANGES), default="90D", key="gap_range", required=True,
                format_func=_, label_visibility="collapsed",
            )  # fmt: skip
            every = st.toggle(_("All sources"), value=not lacking, key="gap_every", disabled=not lacking)
        window = gap_chart.window(found, gap_chart.RANGES[shown or "90D"])
        rows = gap_chart.within(found.rows, window)
        if lacking and not every:
            rows = [row for row in rows if not row.whole] or rows
        drawn = gap_chart.chart(rows, window, found.last, colors(settings.up_color))
        st.caption(badges.plain(f"{drawn.layout.meta['title']} · {drawn.layout.meta['subtitle']}"))
        event = st.plotly_chart(
            drawn,
            theme=None,
            key=KEY,
            height=int(drawn.layout.height),
            config={"displayModeBar": False, "modeBarButtonsToRemove": cards.MODEBAR_AWAY},
            on_select="rerun",
            selection_mode="box",
            alt=drawn.layout.meta["title"],
        )
        sources, days = gap_chart.chosen(event["selection"]["points"] if event else ())
        _offer(settings, _want(sources, days), chosen=bool(days))


def _want(sources: frozenset[str], days: list[date]) -> Want:
    if not days:
        return Want()
    return Want(since=days[0], until=days[-1], only=sources)


def _offer(settings: Settings, want: Want, *, chosen: bool) -> None:
    """What filling the chosen days takes (every missing day where none are chosen), and its button."""
    made = plan.kept(settings, want)
    if made.problem is not None or (not made.parts and not chosen and not made.gone):
        return
    if not made.parts:
        said = (
            _("Nothing of the chosen days can be filled in.") if chosen else _("Nothing is left to fill in.")
        )
        st.caption(badges.plain(said))
        return
    live = ledger.running(settings)
    names = list(dict.fromkeys(part.source.name for part in made.parts))
    lines = [f"- {badges.plain(_line(made, name))}" for name in names[:TOLD]]
    if len(names) > TOLD:
        lines.append(f"- {badges.plain(_('and {n} more').format(n=formats.number(len(names) - TOLD)))}")
    st.markdown("\n".join(lines))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            _("Fill in the chosen days") if chosen else _("Fill in every missing day"),
            key="fill_gaps",
            icon=":material/healing:",
            type="primary",
            disabled=live is not None,
            on_click=_fill,
            args=(settings, made),
            help=_("Run {run} is under way.").format(run=live.run_id) if live else None,
        )
        st.caption(badges.plain(price(made)))


def _line(made: Plan, name: str) -> str:
    parts = made.of(name)
    days = sorted({day for part in parts for day in part.days})
    text = ngettext("{source}: {n} day, {day}", "{source}: {n} days, {day} to {until}", len(days))
    head = text.format(
        source=name, n=formats.number(len(days)), day=formats.day(days[0]), until=formats.day(days[-1])
    )
    limits = [
        day + SOURCES[name].history for day in days[:1] if not SOURCES[name].whole and SOURCES[name].history
    ]
    return f"{head}; {gap_chart.left(limits[0] if limits else None, made.today)}"


def price(made: Plan) -> str:
    """ "50 calls, about 4 minutes at the pace of the upstreams"."""
    calls = sum(part.calls for part in made.parts)
    if not calls:
        return _("Nobody is asked: this market is invented.")
    text = ngettext("{n} call", "{n} calls", calls).format(n=formats.number(calls))
    minutes = max(1, round(made.minutes()))
    took = ngettext("about {n} minute", "about {n} minutes", minutes).format(n=formats.number(minutes))
    return _("{calls}, {minutes} at the pace of the upstreams").format(calls=text, minutes=took)


def _fill(settings: Settings, made: Plan) -> None:
    want = made.want
    started(
        settings,
        lambda: launch.backfill(settings, made.pipelines, want.since, want.until, sorted(want.only)),
    )


def year_ago() -> date:
    """Where the year begins that a fresh record is filled with."""
    return clock.now().date() - plan.YEAR


def offer_year(settings: Settings) -> None:
    """Where the year before the record was never filled in: what it takes, and its button."""
    with suppress(sqlite3.Error):
        if settings.demo or ledger_past.filled_since(settings) is not None:
            return
        made = plan.kept(settings, Want(since=year_ago()))
        if not made.parts:
            return
        live = ledger.running(settings)
        with st.container(key="offer_year", horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(
                badges.plain(_("The record begins late: a year before it can be filled in.")), width="stretch"
            )
            st.button(
                _("Fill in the past year"),
                key="fill_year",
                icon=":material/history:",
                disabled=live is not None,
                on_click=_fill,
                args=(settings, made),
                help=_("Run {run} is under way.").format(run=live.run_id) if live else price(made),
            )


def begin(settings: Settings) -> None:
    """Of an empty record: collects crypto, then fills in the year before."""
    live = ledger.running(settings)
    st.button(
        _("Collect now, then fill in the past year"),
        key="collect_and_fill",
        icon=":material/play_arrow:",
        type="primary",
        disabled=live is not None,
        on_click=lambda: started(
            settings, lambda: launch.launch(settings, ["crypto"], "console", then_since=year_ago())
        ),
        help=_("Run {run} is under way.").format(run=live.run_id)
        if live
        else _("Twenty coins take about four minutes without a key; the page fills while you look."),
    )
