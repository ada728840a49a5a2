"""The table of the inputs: value, rank, age, status and points of each, and where each comes from."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from collectors.stress.inputs import INPUTS
from pages._view import cards, formats, revised_marks, stress_words, tables
from pages._view.badges import plain
from pages._view.palette import Palette
from pages._view.stress_record import STATUS, module_title, title
from storage.texts import N_, _

if TYPE_CHECKING:
    from storage.settings import Settings

_ORDER = {one.name: n for n, one in enumerate(INPUTS)}
_UNIT = {one.name: one.unit for one in INPUTS}
_SERIES = {series: one.name for one in reversed(INPUTS) for series in one.series}
_TONES = {"tolerated": "warn", "dropped": "bad", "fresh": "ok"}
_OLDER = N_("{input}, {series} of {day}, revised on {since}: {values}")


def raw(value: Any, unit: str) -> str:
    """The value of an input with its unit; a fraction reads as percent."""
    if value is None or value != value:
        return formats.DASH
    if unit == "fraction":
        return formats.percent(100 * value, 2, signed=False)
    if unit == "% a year":
        return _("{n} a year").format(n=formats.percent(value, signed=False))
    if unit in ("points", "score"):
        return formats.fixed(value)
    digits = {"pp": 2, "bp": 1}.get(unit, 0)
    return f"{formats.fixed(value, digits)}\u00a0{_(unit)}"


def rows(inputs: pd.DataFrame, recent: pd.DataFrame) -> pd.DataFrame:
    """The newest day's inputs in the order of the modules, each with `quarter`, its last 90 days."""
    known = inputs[inputs["input"].isin(_ORDER)]
    ordered = known.iloc[known["input"].map(_ORDER).argsort()].reset_index(drop=True)
    lately = recent.dropna(subset=["raw"]).sort_values("date").groupby("input")["raw"].agg(list)
    lines = [lately.get(name, []) for name in ordered["input"]]
    # One value is no line.
    return ordered.assign(quarter=[line if len(line) > 1 else [] for line in lines])


def status(name: object, age: Any) -> str:
    """ "✓ fresh", "… old, still counted (4 days)"."""
    look = STATUS.get(str(name))
    if look is None:
        return formats.DASH
    said = f"{look.sign} {_(look.word)}"
    if name in ("tolerated", "dropped") and not pd.isna(age):
        said += f" ({stress_words.age(int(age))})"
    return said


def table(found: pd.DataFrame, revised: Mapping[str, Any], palette: Palette) -> Styler:
    """`rows` as they are shown; an input of which a value was replaced is marked ↺."""
    shown = pd.DataFrame(
        {
            "input": [title(str(name)) + (" ↺" if name in revised else "") for name in found["input"]],
            "raw": [
                raw(value, _UNIT[name]) for value, name in zip(found["raw"], found["input"], strict=True)
            ],
            "percentile": found["percentile"].astype(float),
            "module": [module_title(str(name)) for name in found["module"]],
            "quarter": found["quarter"],
            "contribution": found["contribution"].astype(float),
            "as_of": [formats.day(day) for day in found["as_of"]],
            "status": [status(name, age) for name, age in zip(found["status"], found["age"], strict=True)],
        }
    )
    styler = shown.style.format({"contribution": lambda value: formats.change(value, 2)})
    tones = {name: getattr(palette, tone) for name, tone in _TONES.items()}
    inks = [f"color: {tones.get(str(name), palette.muted)}" for name in found["status"]]
    styler = styler.apply(lambda _column: inks, subset=["status"])
    return styler.map(lambda value: _ink(value, palette), subset=["contribution"])


def _ink(value: Any, palette: Palette) -> str:
    tone = {1: palette.adds, -1: palette.takes}.get(formats.direction(value, 2), palette.muted)
    return f"color: {tone}"


def columns(palette: Palette) -> dict[str, Any]:
    """How `table` is headed and set."""
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    return {
        "module": text(_("Module"), width=92),
        "input": text(_("Input"), width=180, pinned=True),
        "raw": text(_("Value"), width=104, alignment="right"),
        "percentile": st.column_config.ProgressColumn(
            _("Percentile"), width=130, min_value=0, max_value=100, format="%.0f", color=palette.accent,
            help=_("Rank among all its own days so far, today included"),
        ),
        "quarter": st.column_config.LineChartColumn(_("Last 90 days"), width=130, color=palette.accent),
        "contribution": number(
            _("Points"), width=76, alignment="right", help=_("What it adds to the neutral 50")
        ),
        "as_of": text(_("As of"), width=96),
        "status": text(_("Status"), width=260),
    }  # fmt: skip


def card(
    found: pd.DataFrame,
    lines: pd.DataFrame,
    headed: str,
    credit: str,
    palette: Palette,
    settings: "Settings",
) -> None:
    """`rows` as a table under its sentence, with where the numbers come from, what the `lines` of revised
    values say, and the rows as CSV."""
    older = revised(lines, settings.zone)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(headed)}**")
            st.caption(plain(credit), width="stretch")
            with st.popover(_("Where the numbers come from"), icon=":material/fact_check:", type="tertiary"):
                provenance(found, older, settings)
            cards.download("inputs", found.drop(columns="quarter"), "liquidity")
        st.dataframe(
            table(found, older, palette),
            column_config=columns(palette),
            hide_index=True,
            height=tables.height(max(len(found), 1)),
            row_height=tables.ROW_HEIGHT,
            placeholder=formats.DASH,
            key="stress_inputs",
            alt=_("Inputs of the StressIndex"),
        )


# ---------------------------------------------------------------- where they come from


def revised(lines: pd.DataFrame, zone: ZoneInfo) -> dict[str, list[str]]:
    """Replaced values of the series that inputs are made of (`single` of `read_revisions`), as sentences by
    input, newest first."""
    found: dict[str, list[str]] = {}
    if lines.empty:
        return found
    kept = lines[(lines["table_name"] == "observation") & lines["series"].isin(list(_SERIES))]
    for row in kept.head(200).itertuples():
        name, at = _SERIES[str(row.series)], row.replaced_at
        since = formats.DASH if pd.isna(at) else formats.short_day(at.tz_convert(zone).date())
        values = revised_marks.words([row.old, row.new], formats.number)
        said = _(_OLDER).format(
            input=title(name), series=row.series, day=formats.day(row.date), since=since, values=values
        )
        found.setdefault(name, []).append(said)
    return found


def provenance(found: pd.DataFrame, older: Mapping[str, list[str]], settings: "Settings") -> None:
    """Source, day, time and run of every input, and what replaced values were before."""
    known = found[found["as_of"].notna()]
    shown = pd.DataFrame(
        {
            _("Input"): [title(str(name)) for name in known["input"]],
            _("As of"): [formats.day(day) for day in known["as_of"]],
            _("Source"): known["source"],
            _("Collected"): [formats.moment(settings, at) for at in known["observed_at"]],
            _("Run"): known["run_id"],
        }
    )
    st.dataframe(shown, hide_index=True, width=720, row_height=tables.ROW_HEIGHT)
    lines = [line for said in older.values() for line in said][:20]
    if lines:
        st.caption(plain(_("Revised values, marked ↺:")))
        st.markdown("\n".join(f"- {plain(line)}" for line in lines))
