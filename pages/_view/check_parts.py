"""What the checks found, on the page of a run and on the Overview: state with its sign, value and bounds."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from collectors.checks.kinds import figure
from pages._view import badges, formats, tables
from pages._view.badges import Look
from pages._view.palette import Palette
from storage.texts import N_, _

if TYPE_CHECKING:
    from storage.check_results import CheckResult

SHOWN = 12
LOOKS = {
    "pass": Look(N_("pass"), "✓", ":material/check:", "green"),
    "warn": Look(N_("warning"), "△", ":material/warning:", "orange"),
    "fail": Look(N_("failed"), "✕", ":material/close:", "red"),
}


def cell(state: str) -> str:
    """A state in a table: "✓ pass"."""
    return f"{LOOKS[state].sign} {_(LOOKS[state].word)}"


def _figure(value: float | None) -> str:
    """A value as the checks write it; from a million on as amounts are written: "125 bn"."""
    large = value is not None and math.isfinite(value) and abs(value) >= 1e6
    return formats.money(value, "", short=True) if large else figure(value)


def bounds(one: "CheckResult") -> str:
    """ "0.99 to 1.01", "up to 10", "from 1"."""
    low, high = _figure(one.low), _figure(one.high)
    if one.low is not None and one.high is not None:
        return _("{low} to {high}").format(low=low, high=high)
    if one.high is not None:
        return _("up to {high}").format(high=high)
    return _("from {low}").format(low=low) if one.low is not None else ""


def frame(results: Sequence["CheckResult"]) -> pd.DataFrame:
    """One row a result, in the order given."""
    return pd.DataFrame(
        {
            "state": [cell(one.state) for one in results],
            "step": [one.step for one in results],
            "check": [one.name for one in results],
            "subject": [one.subject for one in results],
            "value": [_figure(one.value) for one in results],
            "bounds": [bounds(one) for one in results],
            "said": [one.said() if one.state != "pass" else "" for one in results],
        }
    )


def table(results: Sequence["CheckResult"], palette: Palette) -> None:
    """How many checks passed, and all of them as a table, the worst first."""
    counts = {state: sum(one.state == state for one in results) for state in LOOKS}
    parts = [
        badges.inline(look, f"{counts[state]} {_(look.word)}")
        for state, look in LOOKS.items()
        if counts[state]
    ]
    st.markdown(" ".join((f"**{badges.plain(_('What the checks found'))}**", *parts)))
    inks = {"pass": palette.ok, "warn": palette.warn, "fail": palette.bad}
    colored = {cell(state): f"color: {ink}" for state, ink in inks.items()}
    st.dataframe(
        frame(results).style.map(lambda text: colored.get(text, ""), subset=["state"]),
        hide_index=True,
        row_height=tables.ROW_HEIGHT,
        height=tables.height(min(SHOWN, len(results))),
        column_config={
            "state": st.column_config.TextColumn(_("State"), width=104),
            "step": st.column_config.TextColumn(_("Step"), width=190),
            "check": st.column_config.TextColumn(_("Check"), width=96),
            "subject": st.column_config.TextColumn(_("Of"), width=190),
            "value": st.column_config.TextColumn(_("Value"), width=90, alignment="right"),
            "bounds": st.column_config.TextColumn(_("Bounds"), width=120),
            "said": st.column_config.TextColumn(_("What it says"), width=420),
        },
    )


def lines(results: Sequence["CheckResult"]) -> list[str]:
    """For the Overview: a line for each source that has something to look at, as Markdown."""
    found: dict[str, list[CheckResult]] = {}
    for one in results:
        found.setdefault(one.step, []).append(one)
    told = []
    for step, mine in found.items():
        worst = mine[0]
        text = badges.plain(worst.said())
        if len(mine) > 1:
            more = _("and {n} more").format(n=formats.number(len(mine) - 1))
            text += f" {badges.plain(more)}"
        told.append(f"{badges.inline(LOOKS[worst.state])} **{badges.plain(step)}** {text}")
    return told
