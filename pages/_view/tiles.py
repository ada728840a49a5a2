"""The figures of the morning in cards of one height, and the table of what moved most."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import streamlit as st

from pages._view import badges, formats, market, palette
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
    points: Sequence[float],
    upstream: Any,
    last: pd.Series,
) -> None:
    """A figure with its change, its month, its as-of and who provides it. `move`: the change as a
    number, as text, and over what."""
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
            chart_data=list(points) if len(points) > 1 else None,
            help=provenance(settings, last),
        )
        st.caption(f"{badges.plain(as_of)} · [{badges.plain(upstream.title)}]({upstream.home})")


def provenance(settings: "Settings", last: pd.Series) -> str:
    """Where a figure comes from: source, when it was seen, in which run."""
    text = _("{source}, collected {time} {zone}, run {run}").format(
        source=last["source"],
        time=formats.moment(settings, last["observed_at"]),
        zone=formats.zone(settings),
        run=last["run_id"],
    )
    return badges.plain(text)


def bitcoin_tile(settings: "Settings", frames: market.Frames, upstream: Any) -> None:
    rows = frames.prices
    rows = rows if rows.empty else rows[rows["coin"] == "bitcoin"]
    if rows.empty:
        missing_tile(_("Bitcoin"))
        return
    last = rows.iloc[-1]
    change = last["change_24h"]
    amount = None if pd.isna(change) else float(change)
    points = market.recent(rows.set_index("date")["price"], SPARK_DAYS)
    moved = (amount, formats.percent(amount), _("24 h"))
    tile(settings, _("Bitcoin"), formats.money(last["price"]), moved, points, upstream, last)


def series_tile(
    settings: "Settings",
    frames: market.Frames,
    upstream: Any,
    name: str,
    label: str,
    value: Any,
    move: Any,
    text: Any,
) -> None:
    """A card of one series: `value(row)` shows it, `move(rows, 7)` and `text(move)` its change."""
    rows = market.series(frames, name)
    if rows.empty:
        missing_tile(label)
        return
    last, amount = rows.iloc[-1], move(rows, 7)
    points = market.recent(rows.set_index("date")["value"], SPARK_DAYS)
    tile(settings, label, value(last), (amount, text(amount), _("7 d")), points, upstream, last)


def missing_tile(label: str) -> None:
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.metric(label, formats.DASH)
        st.caption(_("Nothing stored yet."))


def fear_greed(row: pd.Series) -> str:
    """ "57 · Greed"."""
    note = row["note"]
    return formats.number(row["value"]) + (f" · {_(note)}" if isinstance(note, str) and note else "")


# The labels that alternative.me gives.
LABELS = (N_("Extreme Fear"), N_("Fear"), N_("Neutral"), N_("Greed"), N_("Extreme Greed"))


def tiles(settings: "Settings", frames: market.Frames, upstreams: Mapping[str, Any]) -> None:
    """The four figures of the morning, in cards of one height; `upstreams` by name."""
    with st.grid(4, min_column_width=230):
        bitcoin_tile(settings, frames, upstreams["coingecko"])
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
            lambda row: formats.money(row["value"]),
            market.relative,
            formats.percent,
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


def movers_card(settings: "Settings", frames: market.Frames) -> None:
    """Top movers as a table."""
    found = market.movers(frames)
    if found.empty:
        return
    table = pd.DataFrame(
        {
            "coin": [f"{row.name_} · {str(row.symbol).upper()}" for row in _named(found)],
            "price": [formats.money(value) for value in found["price"]],
            "d1": [arrow(value) for value in found["change_24h"]],
            "d7": [arrow(value) for value in found["change_7d"]],
            "d30": [arrow(value) for value in found["change_30d"]],
            "week": [market.week(frames, coin) for coin in found["coin"]],
            "cap": [formats.money(value) for value in found["market_cap"]],
        }
    )
    theme = palette.colors(settings.up_color)
    with st.container(border=True):
        st.markdown(f"**{_('Moved most in 24 hours')}**")
        st.dataframe(
            table.style.map(partial(shade, theme), subset=["d1", "d7", "d30"]),
            hide_index=True,
            column_config={
                "coin": st.column_config.TextColumn(_("Coin"), width="medium"),
                "price": figure(_("Price")),
                "d1": figure(_("24 h")),
                "d7": figure(_("7 d")),
                "d30": figure(_("30 d")),
                "week": st.column_config.LineChartColumn(_("Last 7 days"), color=theme.accent),
                "cap": figure(_("Market cap")),
            },
        )


def figure(label: str) -> Any:
    """A column whose figures stand under each other."""
    return st.column_config.TextColumn(label, alignment="right")


def _named(rows: pd.DataFrame) -> Any:
    # `name` of a row tuple is fine, but reads as the tuple's own.
    return rows.rename(columns={"name": "name_"}).itertuples()


def arrow(value: Any) -> str:
    """A change with its sign and an arrow."""
    sign = formats.direction(value)
    return f"{('▼ ', '', '▲ ')[sign + 1]}{formats.percent(value)}"


def shade(theme: palette.Palette, text: str) -> str:
    """The colour of a change that `arrow` wrote."""
    if text.startswith("▲"):
        return f"color: {theme.up}"
    return f"color: {theme.down}" if text.startswith("▼") else ""
