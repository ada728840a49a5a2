"""What stands beside the index and never in it: the parts of net liquidity as a table, and what the
official stress indices say, each with its own date."""

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from collectors.stress.inputs import SHOWN
from pages._view import cards, formats, revised_marks, stress_tiles, tables, tiles
from pages._view.badges import plain
from pages._view.palette import Palette, sign_color
from pages._view.stress_money import ASSETS, REPO, TREASURY, one
from pages._view.stress_record import NO_KEY, Record, keyless
from storage.texts import _, ngettext

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from storage.settings import Settings

OPINIONS = ("ofr.fsi", "fred.STLFSI4", "fred.NFCI")
_QUARTER = pd.Timedelta(days=91)
_NAMES = {name: (title, unit) for name, title, unit in SHOWN}
_UNITS = {"millions of USD": 1e6, "billions of USD": 1e9}
_ROLE = {ASSETS: "+", TREASURY: "−", REPO: "−"}
_ARROWS = {1: "▲ ", 0: "", -1: "▼ "}


def parts(record: Record) -> pd.DataFrame:
    """The newest of every shown series that is no second opinion: sign in the formula, title, value, change
    over 13 weeks, as_of, last quarter, and provenance."""
    rows = []
    for name, (title, unit) in _NAMES.items():
        found = one(record, name)
        if name in OPINIONS or found.empty:
            continue
        last = found.iloc[-1]
        before = found[found["date"] <= last["date"] - _QUARTER]["value"]
        moved = last["value"] - before.iloc[-1] if len(before) else float("nan")
        quarter = found.loc[found["date"] > last["date"] - _QUARTER, "value"].tolist()
        rows.append(
            {
                "role": _ROLE.get(name, ""),
                "title": title,
                "unit": unit,
                "value": last["value"],
                "moved": moved,
            }
            | {"as_of": last["date"], "quarter": quarter if len(quarter) > 1 else [], "series": name}
            | {"source": last["source"], "run_id": last["run_id"], "observed_at": last["observed_at"]}
        )
    return pd.DataFrame(rows)


def moved(value: Any, unit: str) -> str:
    """A change of a shown series with its arrow: "▲ +$25.6 m"."""
    return _ARROWS[formats.direction(value, 2)] + amount(value, unit, True)


def amount(value: Any, unit: str, signed: bool = False) -> str:
    """A value of a shown series in its unit: money in USD, points as they are."""
    if value != value or value is None:
        return formats.DASH
    sign = "+" if signed and value > 0 else ""
    if unit in _UNITS:
        return sign + formats.money(value * _UNITS[unit])
    if unit == "pp":
        return formats.points(value, 2) if signed else formats.points(value, 2).removeprefix("+")
    return formats.change(value, 2) if signed else formats.fixed(value, 2)


def parts_table(found: pd.DataFrame, palette: Palette) -> Styler:
    """`parts` as they are shown."""
    shown = pd.DataFrame(
        {
            "role": found["role"],
            "title": [_(title) for title in found["title"]],
            "value": [amount(value, unit) for value, unit in zip(found["value"], found["unit"], strict=True)],
            "moved": [moved(value, unit) for value, unit in zip(found["moved"], found["unit"], strict=True)],
            "as_of": [formats.day(day) for day in found["as_of"]],
            "quarter": found["quarter"],
        }
    )
    turns = [formats.direction(value, 2) for value in found["moved"]]
    colors = [f"color: {sign_color(palette, turn)}" for turn in turns]
    return shown.style.apply(lambda _column: colors, subset=["moved"])


def parts_columns(palette: Palette) -> dict[str, Any]:
    """How `parts_table` is headed."""
    text = st.column_config.TextColumn
    return {
        "role": text("±", width=36, help=_("Sign in net liquidity; without one: shown beside it")),
        "title": text(_("Series"), width=170),
        "value": text(_("Value"), width=90, alignment="right"),
        "moved": text(_("13 weeks"), width=100, alignment="right"),
        "as_of": text(_("As of"), width=100),
        "quarter": st.column_config.LineChartColumn(_("Last 91 days"), width=120, color=palette.accent),
    }


def parts_card(found: pd.DataFrame, palette: Palette, credit: str) -> None:
    """`parts` as a table under its title, with the rows as CSV."""
    with st.container(border=True, gap="xsmall", height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            with st.container(gap=None):
                st.markdown(f"**{plain(_('Parts of net liquidity, and what stands beside it'))}**")
                st.caption(plain(" · ".join((_("shown, never scored"), credit))))
            cards.download("parts", found.drop(columns="quarter", errors="ignore"), "liquidity")
        if found.empty:
            st.caption(_("Nothing stored yet."))
            return
        st.dataframe(
            parts_table(found, palette),
            column_config=parts_columns(palette),
            hide_index=True,
            height=tables.height(len(found)),
            row_height=tables.ROW_HEIGHT,
            key="stress_parts",
            alt=_("Parts of net liquidity"),
        )


# ---------------------------------------------------------------- second opinions


def opinion(record: Record, name: str, settings: "Settings") -> None:
    """An official index as a card: value, change over four weeks, its date, and whether it restates."""
    rows, (title, _unit) = one(record, name), _NAMES[name]
    with st.container(border=True, height="stretch", gap="xsmall"):
        if rows.empty:
            st.metric(_(title), formats.DASH)
            lacking = name.startswith("fred.") and keyless(record)
            st.caption(plain(_(NO_KEY) if lacking else _("Nothing stored yet.")))
            return
        last = rows.iloc[-1]
        before = rows.loc[rows["date"] <= last["date"] - pd.Timedelta(days=28), "value"]
        change = float(last["value"] - before.iloc[-1]) if len(before) else None
        turn = formats.direction(change, 2)
        quarter = rows.loc[rows["date"] > last["date"] - pd.Timedelta(days=90), "value"].tolist()
        st.metric(
            _(title),
            formats.change(last["value"], 2),
            formats.change(change, 2) if change is not None else None,
            delta_color={1: stress_tiles.MORE, -1: stress_tiles.LESS}.get(turn, "gray"),
            delta_arrow={1: "up", -1: "down"}.get(turn, "off"),
            delta_description=_("4 wk") if change is not None else None,
            chart_data=quarter if len(quarter) > 1 else None,
            help=tiles.provenance(settings, last),
        )
        st.caption(plain(_dated(record, name, rows, settings.zone)))


def _dated(record: Record, name: str, rows: pd.DataFrame, zone: "ZoneInfo") -> str:
    """The day of a second opinion; of one whose past changes as a whole its vintage, of another one how many
    of its last values were revised."""
    last = rows.iloc[-1]
    notes = [_("as of {day}").format(day=formats.day(last["date"]))]
    described = record.series[record.series["series"] == name] if len(record.series) else record.series
    if len(described) and described["restates"].eq(True).any():
        vintage = rows["observed_at"].max().tz_convert(zone).date()
        notes.append(_("restates its past, vintage of {day}").format(day=formats.short_day(vintage)))
        return " · ".join(notes)
    older = revised_marks.older(record.revisions, name)
    n = sum(day > last["date"] - pd.Timedelta(days=90) for day in older)
    if n:
        text = ngettext("↺ {n} value of 90 days revised", "↺ {n} values of 90 days revised", n)
        notes.append(text.format(n=formats.number(n)))
    return " · ".join(notes)
