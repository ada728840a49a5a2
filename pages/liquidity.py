"""What is liquidity stress today, what moved it, and what is it made of. Layout only."""

import sqlite3
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from collectors import freshness
from collectors.registry import PIPELINES
from pages import _vintages
from pages._view import (
    cards,
    formats,
    stress_axis,
    stress_beside,
    stress_charts,
    stress_choice,
    stress_heat,
    stress_method,
    stress_money,
    stress_parts,
    stress_record,
    stress_stack,
    stress_tables,
    stress_text,
    stress_tiles,
    stress_words,
)
from pages._view.badges import plain
from pages._view.charts import Window
from pages._view.palette import Palette, colors
from pages._view.stress_choice import Choice
from storage import clock, read_liquidity, read_revisions, settings, texts
from storage.read_liquidity import Liquidity
from storage.settings import Settings
from storage.texts import _

TOPIC = "liquidity"


@dataclass(frozen=True, slots=True)
class Page:
    """What every part of the page needs."""

    settings: Settings
    record: Liquidity
    palette: Palette
    choice: Choice
    shown: Window

    def credit(self, names: str = "FRED, Yahoo Finance") -> str:
        """Who provides the numbers; a demo store holds nobody's numbers."""
        if self.settings.demo:
            return _("DEMO data")
        return _("own computation from {names}").format(names=names)

    def source(self, name: str) -> str:
        """Who says what is shown as it came."""
        return _("DEMO data") if self.settings.demo else name


def _standing(config: Settings, record: Liquidity) -> str:
    """Why the newest day is old; empty where it is not, or where nobody can tell."""
    if record.days.empty:
        return ""
    try:
        status = freshness.status(config, 0.0).pipelines.get(TOPIC)
    except sqlite3.Error:
        # The frame says what is wrong with it.
        status = None
    return stress_words.stale(status, config, record.days["date"].iloc[-1].date(), clock.now())


def _credits(config: Settings) -> str:
    """Links to the upstreams of this page, as their licences ask."""
    upstreams = {source.upstream.name: source.upstream for source in PIPELINES.get(TOPIC, ())}
    links = [f"[{plain(_(one.credit))}]({one.home})" for one in upstreams.values()]
    demo = plain(_("DEMO numbers, invented. The real ones come from:")) if config.demo else ""
    return " ".join(filter(None, [demo, " · ".join(links)]))


def _head(config: Settings, record: Liquidity) -> None:
    row = record.days.iloc[-1]
    st.header(plain(stress_words.headline(record)), anchor=False)
    with st.container(gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(stress_words.badges(row, _standing(config, record)), width="content")
            st.caption(plain(" · ".join(stress_words.about(record, config))), width="content")
        st.caption(f"{plain(_(stress_words.NOWCAST))} {_credits(config)}")
        notice = stress_words.key_notice(record)
        if notice:
            st.markdown(f":orange-badge[:material/key:] {plain(notice)}")
        stress_tiles.alerts(row["alerts"])


def _index(page: Page) -> None:
    choice, record = page.choice, page.record
    wide, narrow = st.columns([2, 1])
    with wide:
        drawn = stress_charts.history(
            record.days, page.shown, page.palette,
            measure=choice.measure, credit=page.credit(), zone=page.settings.zone, taken=choice.day,
        )  # fmt: skip
        rows = stress_axis.inside(record.days, page.shown)
        cards.chart(drawn, "index", rows, _("StressIndex"), TOPIC)
    day, modules = _taken_apart(page)
    with narrow:
        drawn = stress_parts.waterfall(day, modules, page.palette, credit=page.credit())
        cards.chart(drawn, "waterfall", modules.reset_index(), _("From 50 to the index"), TOPIC)


def _taken_apart(page: Page) -> tuple[pd.Series, pd.DataFrame]:
    """The chosen day, and its modules in their order."""
    day = page.record.days[page.record.days["date"] == page.choice.day].iloc[-1]
    return day, stress_record.modules_of(page.record, page.choice.day)


def _movements(page: Page) -> None:
    record, credit = page.record, page.credit()
    wide, narrow = st.columns([2, 1])
    with wide:
        drawn = stress_stack.chart(record.modules, page.shown, page.palette, credit=credit)
        rows = stress_axis.inside(record.modules, page.shown)
        cards.chart(drawn, "contributions", rows, _("Contributions"), TOPIC)
    day, modules = _taken_apart(page)
    with narrow:
        drawn = stress_parts.day_move(day, modules, page.palette, credit=credit)
        below = _(
            "The coverage effect is what changed weights did, as inputs came or went: no market's doing."
        )
        cards.chart(drawn, "move", modules.reset_index(), _("The day's move"), TOPIC, below)


def _heat(page: Page) -> None:
    found = stress_heat.matrix(page.record.recent, page.record.heat, page.shown)
    drawn = stress_heat.chart(found, page.palette, credit=page.credit())
    rows = found.table.reset_index() if found else page.record.heat.head(0)
    cards.chart(drawn, "heat", rows, _("Inputs against their own history"), TOPIC)


def _inputs(page: Page) -> None:
    record = page.record
    found = stress_tables.rows(record.inputs, record.recent)
    day = formats.day(record.days["date"].iloc[-1])
    title = _("What the index is made of on {day}").format(day=day)
    lines = read_revisions.revised(page.settings).single
    stress_tables.card(found, lines, title, page.credit(), page.palette, page.settings)


def _money(page: Page, net: pd.DataFrame) -> None:
    parts = stress_beside.parts(page.record)
    if net.empty and parts.empty:
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"**{plain(_('Net liquidity'))}**")
            st.caption(
                plain(
                    _(stress_record.NO_KEY)
                    if stress_record.keyless(page.record)
                    else _("Nothing stored yet.")
                )
            )
            st.caption(plain(stress_money.formula_words()))
        return
    left, right = st.columns(2)
    with left:
        zone = page.settings.zone
        drawn = stress_money.chart(
            net, page.shown, page.palette, credit=page.source("FRED"), zone=zone,
            again=stress_money.revised(page.record, zone),
        )  # fmt: skip
        rows = stress_axis.inside(net, page.shown) if len(net) else net
        cards.chart(drawn, "net", rows, _("Net liquidity"), TOPIC, stress_money.formula_words())
    with right:
        stress_beside.parts_card(parts, page.palette, page.source("FRED"))


def _opinions(record: Liquidity, config: Settings) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(_('Second opinions'))}**", width="content")
        said = _("the official indices, never scored; above 0 is more stress than on average")
        st.caption(plain(said))
    with st.grid(3, min_column_width=230):
        for name in stress_beside.OPINIONS:
            stress_beside.opinion(record, name, config)


def _tones(page: Page) -> None:
    speeches, credit = page.record.speeches, page.source(_("Federal Reserve"))
    drawn = stress_text.tones(speeches, page.shown, page.palette, credit=credit)
    cards.chart(drawn, "speeches", speeches, _("Fed speeches"), TOPIC)


def _nothing(record: Liquidity) -> None:
    """What to do where there is nothing to show."""
    if record.problem:
        st.header(plain(_("The numbers cannot be read right now")), anchor=False)
        st.info(plain(texts.say(record.problem.message, record.problem.values)), icon=":material/lock:")
        return
    st.header(plain(_("No StressIndex yet")), anchor=False)
    said = _(
        "Press Collect now on the Overview, or run {command}. Without a FRED key Yahoo alone gives a "
        "limited index."
    )
    st.info(said.format(command="`python collect.py liquidity`"), icon=":material/play_circle:")


def draw() -> None:
    """The page, top to bottom."""
    config = settings.load()
    record = read_liquidity.liquidity(config)
    if record.days.empty:
        _nothing(record)
        if not record.empty:
            _opinions(record, config)
            stress_text.lists(record, config)
            st.caption(plain(_(stress_words.FRED_NOTICE)))
        return
    _head(config, record)
    net = stress_money.net(record)
    if len(stress_record.indexed(record.days)):
        stress_tiles.figures(record, config, net)
    dates = record.days["date"]
    stress_choice.start(dates)
    choice = stress_choice.controls(dates)
    stress_choice.write(choice, dates.iloc[-1])
    shown = stress_choice.window(dates, choice.range)
    page = Page(config, record, colors(config.up_color), choice, shown)
    for part in (_index, _movements, _heat, _inputs):
        part(page)
    _vintages.series(config, record, shown, page.palette)
    _opinions(record, config)
    _money(page, net)
    _tones(page)
    stress_text.lists(record, config)
    _vintages.revised(config, record)
    stress_method.draw(_(stress_words.NOWCAST))
    st.caption(plain(_(stress_words.FRED_NOTICE)))


draw()
