"""Which series the reader looks at, and as of which day it is to be told; by controls or by the address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from storage.texts import _


@dataclass(frozen=True, slots=True)
class Choice:
    """`series`: its name; `day`: as it was known at the end of that day, None: as it stands."""

    series: str
    day: date | None = None


def instant(day: date | None, zone: ZoneInfo) -> datetime | None:
    """The end of a day in the zone of the settings, aware UTC."""
    return day and datetime.combine(day + timedelta(days=1), time(0), zone).astimezone(UTC)


def start(known: Mapping[str, str], today: date) -> None:
    """The controls as the address says, once a visit; rubbish is the default."""
    if st.session_state.get("known_series") not in known:
        asked = st.query_params.get("series", "")
        st.session_state["known_series"] = asked if asked in known else next(iter(known))
        st.session_state["known_day"] = _day(st.query_params.get("known", ""), today)


def _day(asked: str, today: date) -> date | None:
    try:
        day = date.fromisoformat(asked[:10])
    except ValueError:
        return None
    return day if FIRST <= day <= today else None


# Before any record of this program.
FIRST = date(2020, 1, 1)


def controls(known: Mapping[str, str], today: date) -> Choice:
    """Series and day, in one row. `known`: titles by name."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        series = st.selectbox(
            _("Series"),
            list(known),
            key="known_series",
            format_func=lambda name: f"{_(known[name])} ({name})",
            label_visibility="collapsed",
            width=360,
        )
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.caption(_("As known on:"), width="content")
            day = st.date_input(
                _("Day as of which the series is told"),
                value=None,
                min_value=FIRST,
                max_value=today,
                key="known_day",
                format="YYYY-MM-DD",
                label_visibility="collapsed",
                width=150,
            )
    return Choice(str(series or next(iter(known))), day if isinstance(day, date) else None)


def write(choice: Choice, usual: str) -> None:
    """The address says what is shown; what is as usual is left out of it."""
    said = {"series": choice.series} if choice.series != usual else {}
    said |= {"known": choice.day.isoformat()} if choice.day else {}
    for name in ("series", "known"):
        if name in said and st.query_params.get_all(name) != [said[name]]:
            st.query_params[name] = said[name]
        elif name not in said and name in st.query_params:
            del st.query_params[name]
