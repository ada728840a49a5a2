"""What did crypto do: the top 20, prices over time, DeFi, dominance and Fear & Greed. Layout only."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from collectors.registry import UPSTREAMS
from pages import _gaps
from pages._view import (
    cards,
    chart_marks,
    charts,
    crypto_choice,
    crypto_words,
    currency_choice,
    formats,
    greed_charts,
    market,
    market_charts,
    price_charts,
    revised_marks,
    tables,
)
from pages._view.badges import plain
from pages._view.currency import Currency
from pages._view.palette import Palette, colors
from pages._view.price_charts import Choice
from storage import read, settings, texts
from storage.read import Frames
from storage.settings import Settings
from storage.texts import _

TVL, GREED, DOMINANCE = "defillama.total_tvl", "alternative_me.fear_greed_index", "coingecko.btc_dominance"


@dataclass(frozen=True, slots=True)
class Page:
    """What every part of the page needs; `coins` and `revised` are in `money` already."""

    settings: Settings
    frames: Frames
    palette: Palette
    coins: pd.DataFrame
    revised: pd.DataFrame
    money: Currency

    def series(self, name: str) -> pd.DataFrame:
        """The rows of one series of observations, oldest first."""
        rows = self.frames.observations
        return rows[(rows["series"] == name) & rows["value"].notna()]

    def origin(self, rows: pd.DataFrame) -> str:
        """Source, day, time and run of the newest of `rows`, for the pointer."""
        return plain(crypto_words.origin(rows, self.settings)) if len(rows) else formats.DASH

    def credit(self, upstream: str) -> str:
        """Who provides the numbers; a demo store holds nobody's numbers."""
        return _("DEMO data") if self.settings.demo else _(UPSTREAMS[upstream].credit)


def _head(page: Page) -> None:
    greed = page.series(GREED)
    st.header(plain(crypto_words.headline(page.coins, greed, page.money)), anchor=False)
    days = [crypto_words.as_of(rows) for rows in (page.coins, page.series(TVL), greed)]
    said = (_("Prices as of {day}"), _("TVL {day}"), _("Fear & Greed {day}"))
    parts = [text.format(day=day) for text, day in zip(said, days, strict=True)]
    if len(set(days)) == 1:
        parts = [_("All as of {day}").format(day=days[0])]
    ends = crypto_words.day_ends(page.coins)
    if ends:
        zone = formats.zone(page.settings)
        parts.append(
            _("final after {time} {zone}").format(time=formats.moment(page.settings, ends), zone=zone)
        )
    links = [f"[{plain(_(one.credit))}]({one.home})" for one in UPSTREAMS.values()]
    demo = _("DEMO numbers, invented. The real ones come from:") if page.settings.demo else ""
    if page.frames.problem:
        seen = formats.moment(page.settings, page.frames.read_at)
        parts.append(_("the store cannot be read now, shown is what was read at {time}").format(time=seen))
    with st.container(gap=None):
        st.caption(plain(" · ".join(parts)))
        st.caption(" ".join(filter(None, [plain(demo), " · ".join(links)])))
    newest = page.coins["date"].max() if len(page.coins) else None
    currency_choice.switch(page.frames.rates, page.money, newest)


def _figures(page: Page) -> None:
    """Four numbers of the day with their change and last 30 days."""
    caps = market.caps(page.frames.prices)
    origin = page.origin(page.coins)
    if len(caps):
        # The list of the largest coins is drawn over 30 days here, and nothing can be marked in it.
        month = charts.Window(caps.index.max() - pd.Timedelta(days=30), caps.index.max())
        origin = " ".join(filter(None, [origin, plain(chart_marks.ranking(month))]))
    moved, up = crypto_words.market_change(page.coins), page.settings.up_color
    with st.grid(4, min_column_width=150):
        cards.metric(
            _("Market cap of the top {n}").format(n=len(page.coins) or tables.TOP),
            page.money.show(page.coins["market_cap"].sum(min_count=1)),
            formats.percent(moved),
            formats.direction(moved),
            _("24 h"),
            page.money.days(caps),
            up,
            origin,
        )
        tvl, share = page.series(TVL), page.series(DOMINANCE)
        note = page.origin(page.money.now(tvl.tail(1), "value"))
        cards.series(_("DeFi TVL"), tvl, lambda one: _worth(page, one), "percent", up, note, page.money)
        cards.series(_("BTC dominance"), share, _share, "points", up, page.origin(share))
        greed = page.series(GREED)
        note = page.origin(greed)
        cards.series(_("Fear & Greed"), greed, lambda _value: crypto_words.mood(greed), "change", up, note)


def _worth(page: Page, amount: float) -> str:
    """An amount in USD as it is worth now."""
    return page.money.show(page.money.worth(amount))


def _share(value: float) -> str:
    return formats.percent(value, 1, signed=False)


def _prices(page: Page, choice: Choice) -> None:
    frame, zone = page.frames.prices, page.settings.zone
    shown = charts.window(frame["date"], choice.range)
    chosen = page.money.past(frame[frame["coin"].isin(choice.coins)], "price", "market_cap", "volume")
    was = page.revised.groupby(["coin", "date"])["price"].agg(list).to_dict() if len(page.revised) else {}
    drawn = price_charts.prices(
        chosen,
        choice,
        shown,
        page.palette,
        credit=page.credit("coingecko"),
        zone=zone,
        revised=was,
        money=page.money,
    )
    rows = chosen[chosen["date"] >= shown.first]
    wide, narrow = st.columns([2, 1])
    with wide:
        cards.chart(drawn, "prices", rows, _("Prices"))
    with narrow:
        credit = page.credit("coingecko")
        tiles = market_charts.treemap(page.coins, page.palette, credit=credit, zone=zone, money=page.money)
        cards.chart(tiles, "market", tables.stored(page.coins), _("Market caps"))


def _table(page: Page, choice: Choice) -> None:
    coins = page.coins
    ticked = crypto_choice.tick(coins["coin"].tolist(), choice)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(_('Top 20 by market cap'))}**")
            said = _("{unit}; tick rows to put coins on the chart, at most {n}")
            words = said.format(unit=page.money.code, n=crypto_choice.MAX_COINS)
            st.caption(plain(words), width="stretch")
            with st.popover(_("Where the numbers come from"), icon=":material/fact_check:", type="tertiary"):
                rows = page.frames.prices[page.frames.prices["coin"].isin(choice.coins)]
                revised = page.revised[page.revised["coin"].isin(choice.coins)]
                newest = page.money.now(rows.drop_duplicates("coin", keep="last"), "price")
                cards.provenance(newest, revised, page.settings, page.money)
            cards.download("top20", tables.stored(coins))
        st.dataframe(
            tables.coin_table(coins, page.revised["coin"].tolist(), page.palette, page.money),
            column_config=tables.coin_columns(page.palette, page.money),
            hide_index=True,
            height=tables.height(max(len(coins), 1)),
            row_height=tables.ROW_HEIGHT,
            placeholder=formats.DASH,
            key="crypto_table",
            on_select=crypto_choice.picked,
            selection_mode="multi-row",
            selection_default=ticked,
            alt=_("Top 20 coins by market cap"),
        )


def _defi(page: Page, choice: Choice) -> None:
    left, right = st.columns(2)
    for column, name, label, upstream in (
        (left, TVL, _("DeFi TVL"), "defillama"),
        (right, DOMINANCE, _("BTC dominance"), "coingecko"),
    ):
        rows, credit = page.series(name), page.credit(upstream)
        drawn, zone = charts.nothing(page.palette, _("Nothing collected yet"), 260), page.settings.zone
        if len(rows):
            shown = charts.window(rows["date"], choice.range)
            share = name == DOMINANCE
            rows = rows if share else page.money.past(rows, "value")
            drawn = price_charts.metric(
                rows,
                shown,
                page.palette,
                name=label,
                percent=share,
                credit=credit,
                zone=zone,
                revised=_older(page, name, share),
                money=page.money,
            )
            rows = rows[rows["date"] >= shown.first]
        with column:
            cards.chart(drawn, name.split(".")[1], rows, label)


def _older(page: Page, name: str, share: bool) -> revised_marks.Older:
    """What revised values of a series were, in the money of the page, at the rate of their own days."""
    found = revised_marks.older(page.frames.revisions, name)
    if share:
        return found
    return {day: [page.money.worth(value, day) for value in was] for day, was in found.items()}


def _protocols(page: Page) -> None:
    stored = tables.newest(page.frames.protocols)
    rows = page.money.now(stored, "tvl")
    left, right = st.columns([2, 1])
    credit = page.credit("defillama")
    with right:
        drawn = market_charts.bars(rows, page.palette, credit=credit, money=page.money)
        cards.chart(drawn, "categories", rows, _("TVL by category"))
    with left, st.container(border=True, gap="xsmall", height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(_('Largest protocols by TVL'))}**")
            said = _("as of {day}").format(day=crypto_words.as_of(rows))
            st.caption(plain(f"{said} · {credit}"), width="stretch")
            cards.download("protocols", rows)
        again = revised_marks.protocols(page.frames.revisions, stored, page.settings.zone)
        shown = tables.protocol_table(rows, page.palette, again, page.money)
        st.dataframe(
            shown,
            column_config=tables.protocol_columns(
                float(shown.data["share"].max()) if len(rows) else 1.0, page.money
            ),
            hide_index=True,
            height=charts.HEIGHT,
            row_height=tables.ROW_HEIGHT,
            placeholder=formats.DASH,
            key="crypto_protocols",
            alt=_("Largest protocols by TVL"),
        )
        if again:
            st.caption(plain("↺ " + " · ".join(again.values())))


def _greed(page: Page) -> None:
    rows, credit = page.series(GREED), page.credit("alternative_me")
    left, right = st.columns([1, 2])
    with left:
        dial = greed_charts.gauge(rows, page.palette, credit=credit)
        cards.chart(dial, "fear_greed", rows.tail(1), _("Fear & Greed"))
    with right:
        older = revised_marks.older(page.frames.revisions, GREED)
        drawn = greed_charts.calendar(rows, page.palette, credit=credit, zone=page.settings.zone, older=older)
        cards.chart(drawn, "fear_greed_year", rows.tail(365), _("Fear & Greed, last year"))


def _nothing(frames: Frames) -> None:
    """What to do where there is nothing to show."""
    if frames.problem:
        st.header(plain(_("The numbers cannot be read right now")), anchor=False)
        st.info(plain(texts.say(frames.problem.message, frames.problem.values)), icon=":material/lock:")
        return
    st.header(plain(_("No crypto numbers yet")), anchor=False)
    said = _("Press Collect now on the Overview, or run {command}.")
    st.info(said.format(command="`python collect.py crypto`"), icon=":material/play_circle:")
    _gaps.begin(settings.load())


def draw() -> None:
    """The page, top to bottom."""
    config = settings.load()
    frames = read.frames(config)
    if frames.empty:
        _nothing(frames)
        return
    money = currency_choice.chosen(frames.rates)
    coins, revised = tables.top_coins(frames.prices), tables.revised_prices(frames.revisions)
    recent = frames.prices[frames.prices["date"] >= frames.prices["date"].max() - tables.WEEK]
    weeks = tables.weeks(money.past(recent, "price"))
    coins = money.now(coins, "price", "market_cap", "volume")
    # One value is no line.
    coins = coins.assign(
        week=[weeks.get(coin, []) if len(weeks.get(coin, [])) > 1 else [] for coin in coins["coin"]]
    )
    revised = money.past(revised, "price")
    page = Page(config, frames, colors(config.up_color), coins, revised, money)
    latest = frames.prices.drop_duplicates("coin", keep="last").sort_values(
        ["date", "rank"], ascending=[False, True]
    )
    names = dict(zip(latest["coin"], latest["name"], strict=True))
    _head(page)
    _gaps.offer_year(config)
    _figures(page)
    crypto_choice.start(list(names))
    choice = crypto_choice.controls(names)
    crypto_choice.write(choice)
    if len(frames.prices):
        _prices(page, choice)
        _table(page, choice)
    _defi(page, choice)
    _protocols(page)
    _greed(page)


draw()
