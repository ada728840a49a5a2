"""What the reader chose on the liquidity page: range, index or percentile, the day that is taken apart;
by controls or by the address."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from pages._view.charts import Window
from storage.texts import N_, _

RANGES: dict[str, int | None] = {
    N_("30D"): 30,
    N_("90D"): 90,
    N_("1Y"): 365,
    N_("5Y"): 1826,
    N_("All"): None,
}
MEASURES = {"index": N_("Index"), "percentile": N_("Percentile")}
DEFAULT_RANGE, DEFAULT_MEASURE = "1Y", "index"


@dataclass(frozen=True, slots=True)
class Choice:
    """`day`: the trading day whose index is taken apart."""

    range: str
    measure: str
    day: pd.Timestamp


def window(dates: "pd.Series[Any]", key: str) -> Window:
    """The days of a range of RANGES, up to the newest of `dates`; at least two."""
    last = pd.Timestamp(dates.max()).normalize()
    days = RANGES.get(key, RANGES[DEFAULT_RANGE])
    first = pd.Timestamp(dates.min()).normalize() if days is None else last - pd.Timedelta(days=days)
    return Window(min(first, last - pd.Timedelta(days=1)), last)


def trading_day(dates: "pd.Series[Any]", asked: object) -> pd.Timestamp:
    """The newest of `dates` (ascending) that is not after what was asked for; the newest at all where
    that is no day, or lies before the record."""
    try:
        day = pd.Timestamp(date.fromisoformat(str(asked)[:10]))
    except ValueError:
        return pd.Timestamp(dates.iloc[-1])
    before = dates[dates <= day]
    return pd.Timestamp(before.iloc[-1] if len(before) else dates.iloc[-1])


def start(dates: "pd.Series[Any]") -> None:
    """The controls as the address says, once a visit; rubbish is the default."""
    newest = dates.iloc[-1].date()
    if "stress_range" not in st.session_state:
        asked = st.query_params
        range_, measure = asked.get("range", ""), asked.get("show", "")
        st.session_state["stress_range"] = range_ if range_ in RANGES else DEFAULT_RANGE
        st.session_state["stress_measure"] = measure if measure in MEASURES else DEFAULT_MEASURE
        st.session_state["stress_day"] = trading_day(dates, asked.get("day")).date()
    elif st.session_state.get("stress_newest") == st.session_state.get("stress_day") or _outside(dates):
        # Who looked at the newest day goes on looking at the newest day.
        st.session_state["stress_day"] = newest
    st.session_state["stress_newest"] = newest


def _outside(dates: "pd.Series[Any]") -> bool:
    day = st.session_state.get("stress_day")
    return not isinstance(day, date) or not dates.iloc[0].date() <= day <= dates.iloc[-1].date()


def controls(dates: "pd.Series[Any]") -> Choice:
    """Range, measure and day, in one row."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        chosen = st.segmented_control(
            _("Range"),
            list(RANGES),
            key="stress_range",
            required=True,
            label_visibility="collapsed",
            format_func=_,
        )
        measure = st.segmented_control(
            _("Shown"),
            list(MEASURES),
            key="stress_measure",
            required=True,
            label_visibility="collapsed",
            format_func=lambda name: _(MEASURES[name]),
        )
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.caption(_("Taken apart:"), width="content")
            day = st.date_input(
                _("Day that is taken apart"),
                min_value=dates.iloc[0].date(),
                max_value=dates.iloc[-1].date(),
                key="stress_day",
                format="YYYY-MM-DD",
                label_visibility="collapsed",
                width=130,
            )
    return Choice(str(chosen or DEFAULT_RANGE), str(measure or DEFAULT_MEASURE), trading_day(dates, day))


def write(choice: Choice, newest: pd.Timestamp) -> None:
    """The address says what is shown; what is as usual is left out of it."""
    said = {"range": choice.range} if choice.range != DEFAULT_RANGE else {}
    said |= {"show": choice.measure} if choice.measure != DEFAULT_MEASURE else {}
    said |= {"day": choice.day.strftime("%Y-%m-%d")} if choice.day != newest else {}
    for name in ("range", "show", "day"):
        if name in said and st.query_params.get_all(name) != [said[name]]:
            st.query_params[name] = said[name]
        elif name not in said and name in st.query_params:
            del st.query_params[name]
