"""The index in cards: the first and largest tile of the Overview, and the figures of the liquidity page."""

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages._view import formats, market, small_charts, stress_charts, stress_words, tiles
from pages._view.badges import plain
from pages._view.charts import Window
from pages._view.stress_record import Record, indexed, modules_of
from storage.texts import _

if TYPE_CHECKING:
    from storage.settings import Settings

SPARK = pd.Timedelta(days=90)
TOLD = 3
# More stress and less: neither a rise nor a fall, so that COLLECTOR_UP_COLOR does not move them.
MORE, LESS = "orange", "green"


def metric(
    label: str,
    value: str,
    move: tuple[Any, str, str],
    line: "pd.Series[float]",
    note: str,
    bars: bool = False,
) -> None:
    """A figure of the index with its change, which is bad where it rises, and its last 90 days. `move`: the
    change as a number, as text, and over what."""
    amount, text, over = move
    turn = formats.direction(amount)
    known = amount is not None and amount == amount
    points = market.recent(line, SPARK.days)
    st.metric(
        label,
        value,
        text if known else None,
        delta_color={1: MORE, -1: LESS}.get(turn, "gray"),
        delta_arrow={1: "up", -1: "down"}.get(turn, "off"),
        delta_description=over if known else None,
        help=note,
        border=True,
        height="stretch",
        chart_data=points if len(points) > 1 else None,
        chart_type="bar" if bars else "line",
    )


# ---------------------------------------------------------------- the Overview


def tile(record: Record, settings: "Settings", credit: str, stale: str) -> None:
    """Index, band, percentile, coverage, change and 90 days; what moves it most; what stands out."""
    found = indexed(record.days)
    if found.empty:
        st.caption(stress_words.empty_words())
        return
    row = found.iloc[-1]
    with st.container(border=True, key="stress_tile"):
        left, middle, right = st.columns([5, 9, 6], gap="medium")
        with left:
            _figure(row, settings, stale, credit)
        with middle:
            _spark(record.days)
        with right:
            _most(record, row)
        alerts(record.days["alerts"].iloc[-1])


def alerts(found: object) -> None:
    """The alerts of a day beside each other, as far as there is room."""
    lines = stress_words.alert_markdown(found)
    if lines:
        with st.container(horizontal=True, gap="small"):
            for line in lines:
                st.markdown(line, width="content")


def _figure(row: "pd.Series[Any]", settings: "Settings", stale: str, credit: str) -> None:
    with st.container(key="stress_index", gap="xsmall"):
        turn = formats.direction(row["move"])
        moved = formats.change(row["move"], 1)
        st.metric(
            _("StressIndex"),
            formats.fixed(row["index"]),
            moved if moved != formats.DASH else None,
            delta_color={1: MORE, -1: LESS}.get(turn, "gray"),
            delta_arrow={1: "up", -1: "down"}.get(turn, "off"),
            delta_description=_("since the day before") if moved != formats.DASH else None,
            help=stress_words.origin(row, settings),
        )
        rank = plain(stress_words.percentile(row["percentile"]))
        parts = [stress_words.as_of(row), stress_words.set_words(row), stress_words.coverage(row), credit]
        about = plain(" · ".join(filter(None, parts)))
        st.markdown(f"{stress_words.badges(row, stale)} {rank}\n\n:gray[:small[{about}]]")
        st.page_link("liquidity.py", label=_("Take it apart"), icon=":material/water_drop:")


def _spark(days: pd.DataFrame) -> None:
    last = pd.Timestamp(days["date"].max())
    shown = Window(last - SPARK, last)
    title = stress_charts.title(days, shown) or _("StressIndex")
    st.html(small_charts.note(title) + small_charts.history(days, shown, title))


def most(record: Record, day: pd.Timestamp) -> "pd.Series[float]":
    """The three largest contributions of a day by module, largest first whatever their sign."""
    points = modules_of(record, day)
    points = points.loc[points["status"] == "valid", "contribution"].dropna()
    return points.reindex(points.abs().sort_values(ascending=False).index).head(TOLD)


def _most(record: Record, row: "pd.Series[Any]") -> None:
    points = most(record, row["date"])
    title = small_charts.note(_("What moves it most, points from the neutral 50"))
    st.html(title + (small_charts.bars(points) if len(points) else ""))


# ---------------------------------------------------------------- the liquidity page


def figures(record: Record, settings: "Settings", net: pd.DataFrame) -> None:
    """Five figures in cards of one height: index, percentile, market's move, coverage, net liquidity."""
    days = record.days.set_index("date")
    row = indexed(record.days).iloc[-1]
    note = stress_words.origin(row, settings)
    effect = 0.0 if row["coverage_effect"] != row["coverage_effect"] else row["coverage_effect"]
    market_moves = days["move"] - days["coverage_effect"].fillna(0)
    before = record.days[record.days["date"] < row["date"]].tail(5)["percentile"]
    week = row["percentile"] - before.iloc[0] if len(before) == 5 else float("nan")
    share = formats.percent(100 * row["coverage"], 0, signed=False)
    moved = formats.change(row["move"], 1)
    with st.grid(5, min_column_width=150):
        metric(
            _("StressIndex"), formats.fixed(row["index"]), (row["move"], moved, _("1 d")), days["index"], note
        )
        rank = formats.ordinal(row["percentile"])
        metric(_("Percentile"), rank, (week, formats.change(week), _("5 d")), days["percentile"], note)
        part = formats.change(row["move"] - effect, 1)
        other = (effect, formats.change(effect, 1), _("by coverage"))
        metric(_("Market's move"), part, other, market_moves, note, bars=True)
        metric(_("Coverage"), share, (float("nan"), "", ""), 100 * days["coverage"], note)
        _net(net, settings)


def _net(net: pd.DataFrame, settings: "Settings") -> None:
    label = _("Net liquidity")
    if net.empty:
        metric(label, formats.DASH, (None, "", ""), pd.Series(dtype=float), _("It takes a FRED key."))
        return
    last = net.iloc[-1]
    before = net[net["date"] <= last["date"] - pd.Timedelta(days=91)]["net"]
    moved = (last["net"] / before.iloc[-1] - 1) * 100 if len(before) else None
    up, down = tiles.COLORS[settings.up_color]
    turn = formats.direction(moved)
    points = market.recent(net.set_index("date")["net"], 366)
    st.metric(
        label,
        formats.money(last["net"]),
        formats.percent(moved) if moved is not None else None,
        delta_color={1: up, -1: down}.get(turn, "gray"),
        delta_arrow={1: "up", -1: "down"}.get(turn, "off"),
        delta_description=_("13 weeks") if moved is not None else None,
        help=f"{tiles.provenance(settings, last)} {plain(formats.day(last['date']))}",
        border=True,
        height="stretch",
        chart_data=points if len(points) > 1 else None,
    )
