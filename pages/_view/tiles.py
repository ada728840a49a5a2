"""The figures of the morning in cards of one height, and the table of what moved most."""

from collections.abc import Callable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import streamlit as st

from pages._view import badges, currency, formats, market, small_charts
from pages._view.currency import USD, Currency
from storage.texts import N_, _

if TYPE_CHECKING:
    from storage.settings import Settings

SPARK_DAYS = 30
Color = Literal["green", "red", "blue", "gray"]
COLORS: dict[str, tuple[Color, Color]] = {"green": ("green", "red"), "red": ("red", "blue")}


def tile(
    settings: "Settings",
    label: str,
    value: str,
    move: tuple[float | None, str, str],
    points: "pd.Series[float]",
    show: Callable[[Any], str],
    upstream: Any,
    last: pd.Series,
) -> None:
    """A figure with its change, its month (`points` by day, which `show` writes out), its as-of and who
    provides it. `move`: the change as a number, as text, and over what."""
    amount, text, over = move
    up, down = COLORS[settings.up_color]
    sign = formats.direction(amount)
    colors: tuple[Color, ...] = (down, "gray", up)
    as_of = formats.day(last["date"])
    if last["provisional"]:
        as_of = _("{day}, provisional").format(day=as_of)
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.metric(
            label,
            value,
            text if amount is not None else None,
            delta_color=colors[sign + 1],
            delta_arrow=("down", "off", "up")[sign + 1],
            delta_description=over if amount is not None else None,
            help=provenance(settings, last),
        )
        pick = (lambda one: one.down, lambda one: one.accent, lambda one: one.up)[sign + 1]
        drawn = small_charts.spark(points, show, small_charts.tint(pick, settings.up_color), label)
        st.html(drawn + small_charts.note(as_of, upstream.title, upstream.home))


def provenance(settings: "Settings", last: pd.Series) -> str:
    """Where a figure comes from, as Markdown: source, when it was seen, in which run."""
    return badges.plain(origin(settings, last))


def origin(settings: "Settings", last: pd.Series) -> str:
    """The same as text, with the exchange rate where one is in it."""
    where = _("{source}, collected {time} {zone}, run {run}").format(
        source=last["source"],
        time=formats.moment(settings, last["observed_at"]),
        zone=formats.zone(settings),
        run=last["run_id"],
    )
    return ", ".join(filter(None, [where, currency.told(last)]))


def bitcoin_tile(settings: "Settings", frames: market.Frames, upstream: Any, money: Currency = USD) -> None:
    rows = frames.prices
    rows = rows if rows.empty else rows[rows["coin"] == "bitcoin"]
    if rows.empty:
        missing_tile(_("Bitcoin"))
        return
    last = money.now(rows.tail(1), "price").iloc[0]
    change = last["change_24h"]
    amount = None if pd.isna(change) else float(change)
    points = money.days(month(rows.set_index("date")["price"]))
    moved = (amount, formats.percent(amount), _("24 h"))
    tile(settings, _("Bitcoin"), money.show(last["price"]), moved, points, money.show, upstream, last)


def month(values: "pd.Series[float]") -> "pd.Series[float]":
    """The values of the last days that a sparkline shows, by day."""
    return values[values.index > values.index.max() - SPARK_DAYS * market.DAY]


def series_tile(
    settings: "Settings",
    frames: market.Frames,
    upstream: Any,
    name: str,
    label: str,
    value: Any,
    move: Any,
    text: Any,
    money: Currency = USD,
) -> None:
    """A card of one series: `value(row)` shows it, `move(rows, 7)` and `text(move)` its change; what is
    stored in USD is shown in `money`."""
    rows = market.series(frames, name)
    if rows.empty:
        missing_tile(label)
        return
    last, amount = money.now(rows.tail(1), "value").iloc[0], move(rows, 7)
    points = money.days(month(rows.set_index("date")["value"]))
    moved = (amount, text(amount), _("7 d"))
    tile(settings, label, value(last), moved, points, lambda one: value({"value": one}), upstream, last)


def missing_tile(label: str) -> None:
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.metric(label, formats.DASH)
        st.caption(_("Nothing stored yet."))


def fear_greed(row: Mapping[str, Any]) -> str:
    """ "57 · Greed"."""
    note = row.get("note")
    return formats.number(row["value"]) + (f" · {_(note)}" if isinstance(note, str) and note else "")


# The labels that alternative.me gives.
LABELS = (N_("Extreme Fear"), N_("Fear"), N_("Neutral"), N_("Greed"), N_("Extreme Greed"))


def tiles(
    settings: "Settings", frames: market.Frames, upstreams: Mapping[str, Any], money: Currency = USD
) -> None:
    """The four figures of the morning, in cards of one height; `upstreams` by name."""
    with st.grid(4, min_column_width=230):
        bitcoin_tile(settings, frames, upstreams["coingecko"], money)
        series_tile(
            settings,
            frames,
            upstreams["coingecko"],
            "coingecko.btc_dominance",
            _("BTC dominance"),
            lambda row: formats.percent(row["value"], signed=False),
            market.absolute,
            formats.points,
        )
        series_tile(
            settings,
            frames,
            upstreams["defillama"],
            "defillama.total_tvl",
            _("DeFi TVL"),
            lambda row: money.show(row["value"]),
            market.relative,
            formats.percent,
            money,
        )
        series_tile(
            settings,
            frames,
            upstreams["alternative_me"],
            "alternative_me.fear_greed_index",
            _("Fear & Greed"),
            fear_greed,
            market.absolute,
            formats.change,
        )


def movers_card(settings: "Settings", frames: market.Frames, money: Currency = USD) -> None:
    """Top movers as a table."""
    found = market.movers(frames)
    if found.empty:
        return
    found = money.now(found, "price", "market_cap")
    weeks = market.weeks(frames, found["coin"])
    line = small_charts.tint(lambda one: one.accent)
    rows = []
    for row in _named(found):
        name = f"{row.name_} · {str(row.symbol).upper()}"
        changes = [
            changed(value, settings.up_color) for value in (row.change_24h, row.change_7d, row.change_30d)
        ]
        week = small_charts.spark(money.days(weeks[row.coin]), money.show, line, name, 22)
        hint = escape(origin(settings, found.loc[row.Index]))
        cells = (
            f'<span title="{hint}">{escape(name)}</span>',
            escape(money.show(row.price)),
            *changes,
            week,
            escape(money.show(row.market_cap)),
        )
        rows.append(cells)
    head = (_("Coin"), _("Price"), _("24 h"), _("7 d"), _("30 d"), _("Last 7 days"), _("Market cap"))
    with st.container(border=True):
        st.html(small_charts.title(_("Moved most in 24 hours")) + small_charts.table(head, rows))


def _named(rows: pd.DataFrame) -> Any:
    # `name` of a row tuple is fine, but reads as the tuple's own.
    return rows.rename(columns={"name": "name_"}).itertuples()


def arrow(value: Any) -> str:
    """A change with its sign and an arrow."""
    sign = formats.direction(value)
    return f"{('▼ ', '', '▲ ')[sign + 1]}{formats.percent(value)}"


def changed(value: Any, up_color: str) -> str:
    """A change as HTML, in the colour of its direction."""
    sign = formats.direction(value)
    text = escape(arrow(value))
    if not sign:
        return text
    color = small_charts.tint((lambda one: one.up) if sign > 0 else (lambda one: one.down), up_color)
    return f'<span style="color:{color}">{text}</span>'
