"""What sources revised, as tables: a value with what it was before, a restated series with its vintages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from pages._view import cards, formats, tables
from pages._view.badges import plain
from storage.texts import N_, _, ngettext

if TYPE_CHECKING:
    from storage.settings import Settings

# Who revises most comes first.
UPSTREAMS: Mapping[str, str] = {
    "fred": "FRED",
    "yahoo": "Yahoo Finance",
    "ofr": "OFR",
    "stress_index": N_("StressIndex"),
    "coingecko": "CoinGecko",
    "defillama": "DefiLlama",
    "alternative_me": "alternative.me",
}
RANGES: Mapping[str, int | None] = {N_("30D"): 30, N_("90D"): 90, N_("1Y"): 365, N_("All"): None}
DEFAULT_RANGE = "90D"
# More lines than these are for the CSV.
LISTED = 300
_ROWS = 12


class Revised(Protocol):
    """`single` and `vintages` as `storage.read_revisions` gives them."""

    @property
    def single(self) -> pd.DataFrame: ...

    @property
    def vintages(self) -> pd.DataFrame: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """`upstream`: one of UPSTREAMS, or empty for all; `since`: revisions older than that are left out;
    `open_days`: also what changed before its day was over."""

    upstream: str = ""
    since: datetime | None = None
    open_days: bool = False


def upstreams(found: Revised) -> list[str]:
    """Those that revised something, in their order."""
    there = {*found.single["upstream"], *found.vintages["upstream"]}
    return [name for name in UPSTREAMS if name in there]


def of(rows: pd.DataFrame, choice: Choice) -> pd.DataFrame:
    """The lines of a choice. Of what nobody knows when it was replaced, since when it was known counts."""
    if rows.empty:
        return rows
    kept = rows[rows["upstream"] == choice.upstream] if choice.upstream else rows
    if choice.since is None:
        return kept
    at = kept["replaced_at"]
    return kept[(at.fillna(kept["known_at"]) if "known_at" in kept else at) >= pd.Timestamp(choice.since)]


def headline(single: pd.DataFrame, vintages: pd.DataFrame) -> str:
    """How much was revised, in a sentence."""
    values = ngettext("{n} value was revised", "{n} values were revised", len(single))
    said = [values.format(n=formats.number(len(single)))] if len(single) else []
    if len(vintages):
        whole = ngettext("{n} vintage was replaced", "{n} vintages were replaced", len(vintages))
        said.append(whole.format(n=formats.number(len(vintages))))
    text = "; ".join(said) or _("No value was revised in this range")
    return text[:1].upper() + text[1:]


def values_table(lines: pd.DataFrame, titles: Mapping[str, str], settings: "Settings") -> Styler:
    """`single` as it is shown; values stay numbers, so that a click sorts them."""
    whole = lines["table_name"] == "stress_index"
    shown = pd.DataFrame(
        {
            "series": lines["series"].astype(object).where(~whole, _("StressIndex")),
            "date": [formats.day(day) for day in lines["date"]],
            "old": lines["old"].astype(float),
            "new": lines["new"].astype(float),
            "change": lines["change"].astype(float),
            "replaced_at": [formats.moment(settings, at) for at in lines["replaced_at"]],
            "known_at": [formats.moment(settings, at) for at in lines["known_at"]],
            "final": [_("yes") if final else _("no") for final in lines["final"]],
            "title": [_(titles.get(str(name), "")) for name in lines["series"]],
        }
    ).reset_index(drop=True)
    return shown.style.format({"old": formats.number, "new": formats.number, "change": _change})


def _change(value: Any) -> str:
    if value != value:
        return formats.DASH
    return ("+" if value > 0 else "") + formats.number(value)


def values_columns(open_days: bool) -> dict[str, Any]:
    """How `values_table` is headed; whether the day was over is only asked where it may not have been."""
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    return {
        "series": text(_("Series"), width=130, pinned=True),
        "date": text(_("Day"), width=110),
        "old": number(_("Was"), width=90, alignment="right"),
        "new": number(_("Became"), width=90, alignment="right"),
        "change": number(_("Change"), width=90, alignment="right"),
        "replaced_at": text(_("Revised"), width=140),
        "known_at": text(_("Known since"), width=140),
        "final": text(_("Day was over"), width=100) if open_days else None,
        "title": text(_("Title"), width=300),
    }


def vintages_table(lines: pd.DataFrame, settings: "Settings") -> pd.DataFrame:
    """`vintages` as they are shown, one line each."""
    text = _("{changed} of {held}")
    changed = [
        text.format(changed=formats.number(one), held=formats.number(all_of_them))
        for one, all_of_them in zip(lines["changed"], lines["held"], strict=True)
    ]
    return pd.DataFrame(
        {
            _("Series"): lines["series"].tolist(),
            _("Vintage of"): [formats.moment(settings, at) for at in lines["vintage"]],
            _("Replaced"): [formats.moment(settings, at) for at in lines["replaced_at"]],
            _("Values that changed"): changed,
            _("At most by"): [formats.number(size) for size in lines["largest"]],
            _("From"): [f"{day:%Y-%m-%d}" for day in lines["first"]],
            _("To"): [f"{day:%Y-%m-%d}" for day in lines["last"]],
        }
    )


def controls(found: Revised, now: datetime) -> Choice:
    """Upstream, range, and whether open days count, in one row."""
    # All together would be mostly the index, which follows what sources revise.
    listed = [*upstreams(found), ""]
    if st.session_state.get("revised_upstream") not in listed:
        st.session_state["revised_upstream"] = listed[0]
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        upstream = st.segmented_control(
            _("Source"),
            listed,
            key="revised_upstream",
            required=True,
            label_visibility="collapsed",
            format_func=lambda name: _(UPSTREAMS[name]) if name else _("All sources"),
        )
        span = st.segmented_control(
            _("Range"),
            list(RANGES),
            key="revised_range",
            default=DEFAULT_RANGE,
            required=True,
            label_visibility="collapsed",
            format_func=_,
        )
        said = _("What changed within a day that was not over, of the last 90 days")
        open_days = st.toggle(_("Open days too"), key="revised_open", help=said)
    days = RANGES[str(span or DEFAULT_RANGE)]
    return Choice(str(upstream or ""), now - timedelta(days=days) if days else None, bool(open_days))


def card(found: Revised, titles: Mapping[str, str], settings: "Settings", now: datetime) -> None:
    """The report with its controls, its tables, and all of their lines as CSV. `titles` of series."""
    with st.container(border=True, gap="small"):
        st.markdown(f"**{plain(_('What was revised'))}**")
        if found.single.empty and found.vintages.empty and not st.session_state.get("revised_open"):
            said = _("No source has revised a stored value, and no published day was corrected.")
            st.caption(plain(said))
            return
        choice = controls(found, now)
        single, vintages = of(found.single, choice), of(found.vintages, choice)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(plain(headline(single, vintages)), width="stretch")
            cards.download("revised", single, "liquidity")
        if len(single):
            _values(single, titles, settings, choice.open_days)
        if len(vintages):
            _vintages(vintages, settings)


def _values(single: pd.DataFrame, titles: Mapping[str, str], settings: "Settings", open_days: bool) -> None:
    st.dataframe(
        values_table(single.head(LISTED), titles, settings),
        column_config=values_columns(open_days),
        hide_index=True,
        height=tables.height(min(len(single), _ROWS)),
        row_height=tables.ROW_HEIGHT,
        placeholder=formats.DASH,
        key="revised_values",
        alt=_("Revised values"),
    )
    if len(single) > LISTED:
        text = _("The newest {n} are listed; the CSV has all {all}.")
        st.caption(plain(text.format(n=formats.number(LISTED), all=formats.number(len(single)))))


def _vintages(vintages: pd.DataFrame, settings: "Settings") -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        said = _("Series that restate their whole past, a line a vintage: the newest one stands.")
        st.caption(plain(said), width="stretch")
        cards.download("vintages", vintages, "liquidity")
    st.dataframe(
        vintages_table(vintages.head(LISTED), settings),
        hide_index=True,
        height=tables.height(min(len(vintages), _ROWS)),
        row_height=tables.ROW_HEIGHT,
        key="revised_vintages",
        alt=_("Vintages that were replaced"),
    )
