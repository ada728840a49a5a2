"""Cards: a chart under its sentence with CSV and PNG, a number with its change, where numbers come from."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages._view import crypto_words, currency, formats, tables
from pages._view.badges import plain
from pages._view.currency import USD, Currency
from storage.texts import _

if TYPE_CHECKING:
    from storage.settings import Settings

MODEBAR_AWAY = ["zoom2d", "pan2d", "select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"]


def chart(
    drawn: go.Figure, name: str, rows: pd.DataFrame, label: str, topic: str = "crypto", below: str = ""
) -> None:
    """A chart under its sentence (`label` where there is nothing to say), with the rows behind it as
    CSV and itself as PNG, in files that `topic` leads; `below`: what else is to be said of it."""
    meta = drawn.layout.meta
    title = meta["title"] or label
    with st.container(border=True, gap="xsmall", height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            with st.container(gap=None):
                st.markdown(f"**{plain(title)}**")
                st.caption(plain(meta["subtitle"]) or "&nbsp;")
            download(name, rows, topic)
        picture = {"filename": f"{topic}_{name}", "scale": 2}
        config = {"displaylogo": False, "modeBarButtonsToRemove": MODEBAR_AWAY}
        st.plotly_chart(
            drawn,
            theme=None,
            key=f"chart_{name}",
            height=int(drawn.layout.height),
            config=config | {"toImageButtonOptions": picture},
            alt=title,
        )
        if below:
            st.caption(plain(below))


def download(name: str, rows: pd.DataFrame, topic: str = "crypto") -> None:
    """The rows behind a chart or table, with their provenance; made when it is asked for."""
    st.download_button(
        "CSV",
        data=lambda: tables.csv(currency.named(rows)),
        file_name=f"{topic}_{name}.csv",
        mime="text/csv",
        key=f"csv_{name}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        disabled=rows.empty,
        help=_("These numbers with source, time and run of each"),
    )


def metric(
    label: str, value: str, change: str, turn: int, span: str, days: "pd.Series[float]", up: str, note: str
) -> None:
    """A number, its change over `span` in the direction `turn` (1, 0, -1), its last 30 days, and in
    `note` where it comes from. `up`: the colour of a rise, green or red."""
    rise, fall = {"green": ("green", "red"), "red": ("red", "blue")}[up]
    month = days[days.index > days.index.max() - pd.Timedelta(days=30)].dropna().tolist() if len(days) else []
    st.metric(
        label,
        value,
        change,
        delta_color={1: rise, -1: fall}.get(turn, "gray"),
        delta_arrow={1: "up", -1: "down"}.get(turn, "off"),
        delta_description=span,
        help=note,
        border=True,
        height="stretch",
        chart_data=month if len(month) > 1 else None,
    )


def series(
    label: str,
    rows: pd.DataFrame,
    show: Callable[[float], str],
    kind: str,
    up: str,
    note: str,
    money: Currency = USD,
) -> None:
    """The newest of `rows` (date, value) against 7 days before; `kind` of change: percent, points
    (of percentages) or change (plain). What is stored in USD is drawn in `money`, its change is not."""
    by_day = rows.set_index("date")["value"].astype(float)
    if by_day.empty:
        metric(label, formats.DASH, formats.DASH, 0, _("7 d"), by_day, up, note)
        return
    last, before = by_day.iloc[-1], by_day.get(by_day.index[-1] - tables.WEEK)
    moved = None if before is None else last - before
    if kind == "percent" and before:
        moved = moved / before * 100
    said = {"percent": formats.percent, "points": formats.points, "change": formats.change}[kind](moved)
    turn = formats.direction(moved, 0 if kind == "change" else 1)
    metric(label, show(last), said, turn, _("7 d"), money.days(by_day), up, note)


def provenance(
    rows: pd.DataFrame, revised: pd.DataFrame, settings: "Settings", money: Currency = USD
) -> None:
    """Source, day, time and run of the prices in `rows`, and what `tables.revised_prices` were before."""
    shown = pd.DataFrame(
        {
            _("Coin"): rows["name"],
            _("Price, {unit}").format(unit=money.code): rows["price"].map(money.show),
            _("As of"): [crypto_words.as_of(rows.loc[[at]]) for at in rows.index],
            _("Source"): rows["source"],
            _("Collected"): [formats.moment(settings, at) for at in rows["observed_at"]],
            _("Run"): rows["run_id"],
        }
    )
    st.dataframe(shown, hide_index=True, width=720, row_height=tables.ROW_HEIGHT)
    if money is not USD and len(rows):
        # All of them stand at the newest rate.
        st.caption(plain(f"{money.code} {currency.told(rows.iloc[0])}"))
    if len(revised):
        st.caption(plain(_("Revised values, marked ↺ and with a diamond on the chart:")))
        st.markdown("\n".join(f"- {plain(line)}" for line in crypto_words.older(revised, money)[:20]))
