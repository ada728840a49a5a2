"""How the index is made and how well it did: the formulas, and the figures of `docs/stress_index.md` as
data. The figures are what the command printed; nobody types others."""

from typing import NamedTuple

import pandas as pd
import streamlit as st

from collectors.stress.inputs import INPUTS, MODULES, PERCENTILE_NEEDS
from pages._view import formats, tables
from pages._view.badges import plain
from storage.texts import N_, _

COMMAND = "python scripts/validate_index.py ../shared/history"


class Check(NamedTuple):
    """One test of the index: what it is, what was reached, what had to be."""

    test: str
    reached: str
    least: str


VALIDATION: tuple[Check, ...] = (
    Check(
        N_("Rank correlation with OFR FSI / STLFSI4 / NFCI, weekly, 2006–2021"),
        "0.858 / 0.824 / 0.812",
        "≥ 0.85 / 0.81 / 0.79",
    ),
    Check(N_("the same, 2010–2021"), "0.856 / 0.814 / 0.721", "≥ 0.85 / 0.80 / 0.71"),
    Check(
        N_("the same for changes over 4 weeks, 2006–2021"), "0.725 / 0.674 / 0.580", "≥ 0.71 / 0.66 / 0.56"
    ),
    Check(
        N_("Yahoo alone, 2010–2021; its change over 4 weeks with OFR FSI"),
        "0.660 / 0.688 / 0.564; 0.792",
        "≥ 0.65 / 0.67 / 0.55; 0.77",
    ),
    Check(
        N_("Event days told from others (AUROC), 2006–2021, full / Yahoo alone"),
        "0.901 / 0.941",
        "≥ 0.895 / 0.93",
    ),
    Check(N_("Event days told from others (AUROC), 2010–2021, full"), "0.924", "≥ 0.92"),
    Check(N_("Highest percentile: Lehman, Covid"), "100.0 / 98.8", "≥ 98"),
    Check(
        N_("Highest percentile: Aug–Oct 2011, Aug 2015, Jan 2016, Dec 2018"),
        "82.9 / 85.3 / 88.9 / 78.6",
        "≥ 78",
    ),
    Check(N_("Mean percentile of 2017"), "6.5", "< 30"),
    Check(N_("Largest difference to an independent implementation, points"), "0.0000005", "≤ 0.01"),
    Check(N_("Computed again with the data cut at 25 random dates, to the bit"), "25 / 25", "25 / 25"),
    Check(N_("Daily updates equal to the whole past computed again, to the bit"), "30 / 30", "30 / 30"),
    Check(
        N_("Mean error without credit / funding / Treasuries / volatility / ETF, points"),
        "6.4 / 3.9 / 2.4 / 4.5 / 1.6",
        "≤ 7",
    ),
    Check(N_("Changes of band a year"), "4.8", "≤ 6"),
)
_STEPS = (
    N_(
        "Each input is ranked among all its own days so far, today included; the rank counts after {n} days "
        "(SOFR − EFFR after 252, texts after 60)."
    ),
    N_(
        "A module is the weighted mean of the ranks of its fresh inputs; the index that of its valid modules."
    ),
    N_(
        "What is missing is left out and the rest reweighted, never imputed; the coverage says how much is "
        "left. Texts have at most a tenth of the weight."
    ),
    N_(
        "The percentile ranks the index of the market modules among the days of the same set since 2003. "
        "Watch begins at 60, Stress at 80, Crisis at 95: reached at once, left after three closes that lie "
        "three points lower."
    ),
    N_("A contribution is weight × (score − 50): they sum to the index less 50."),
    N_(
        "The day's move is what scores did at yesterday's weights; what the change of weights did is the "
        "coverage effect, and no market's doing."
    ),
    N_("With Yahoo alone (no FRED key) the index lies within ± 21 points of the full one, 19 times in 20."),
)


def validation() -> pd.DataFrame:
    """The table of VALIDATION in the reader's language."""
    return pd.DataFrame(
        {"test": [_(one.test) for one in VALIDATION], "reached": [one.reached for one in VALIDATION]}
        | {"least": [one.least for one in VALIDATION]}
    )


def weights() -> str:
    """The modules with their weights and what they are made of, as Markdown."""
    lines = []
    for module in MODULES:
        names = ", ".join(_(one.title) for one in INPUTS if one.module == module.name and not one.proxy)
        weight = formats.number(module.weight)
        lines.append(f"- **{plain(_(module.title))}** {plain(weight)}: {plain(names)}")
    return "\n".join(lines)


def draw(nowcast: str) -> None:
    """Formulas, weights and validation, folded away until they are asked for."""
    with st.expander(_("How it is made, and how well it did"), icon=":material/functions:"):
        left, right = st.columns([1, 1], gap="medium")
        with left:
            st.markdown(f"**{plain(nowcast)}**")
            steps = [_(step).format(n=PERCENTILE_NEEDS) for step in _STEPS]
            st.markdown("\n".join(f"{n}. {plain(step)}" for n, step in enumerate(steps, 1)))
            st.markdown(f"**{plain(_('Modules, their weights of 100, and inputs'))}**")
            st.markdown(weights())
        with right:
            _validation()


def _validation() -> None:
    said = _("What it reached, replayed without look-ahead on stored history through 2021")
    st.markdown(f"**{plain(said)}**")
    st.dataframe(
        validation(),
        hide_index=True,
        height=tables.height(len(VALIDATION)),
        row_height=tables.ROW_HEIGHT,
        column_config={
            "test": st.column_config.TextColumn(_("Test"), width=300),
            "reached": st.column_config.TextColumn(_("Reached"), width=170),
            "least": st.column_config.TextColumn(_("At least"), width=150),
        },
        key="stress_validation",
    )
    st.caption(_("Printed by {command}; more in docs/stress_index.md.").format(command=f"`{COMMAND}`"))
