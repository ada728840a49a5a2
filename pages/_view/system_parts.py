"""What the page System draws: findings as cards, and tables of settings, schedule, store and definitions."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages._view import badges, formats, system_words, tables
from pages._view.badges import plain
from storage.texts import N_, _

if TYPE_CHECKING:
    from collectors.doctor.finding import Finding
    from storage.settings import Settings
    from storage.store_health import StoreHealth

STATES = {"default": N_("default"), "changed": N_("changed"), "set": N_("set"), "not set": N_("not set")}
SETTINGS_SHOWN, TABLES_SHOWN, DEFINITIONS_SHOWN = 10, 10, 12


def text(label: str, width: int | str = "medium") -> Any:
    return st.column_config.TextColumn(label, width=width)


def title(words: str) -> None:
    st.markdown(f"**{plain(words)}**")


def needs(findings: Sequence["Finding"], upstreams: Mapping[str, str]) -> None:
    """What does not work first, then what deserves a look, each with what to do."""
    bad = [one for state in ("fail", "warn") for one in findings if one.state == state]
    if not bad:
        return
    with st.container(border=True, gap="small", key="system_needs"):
        for one in bad:
            look = system_words.LOOKS[one.state]
            name = system_words.title(one.check, upstreams)
            if system_words.theme_of(one.check) == "week":
                name = f"{name}, {_(system_words.TITLES['week'])}"
            advice = f"  \n→ {system_words.commands(one.advice)}" if one.advice else ""
            st.markdown(
                f"{badges.inline(look)} **{plain(name)}** {system_words.commands(one.message)}{advice}"
            )


def well(
    findings: Sequence["Finding"],
    upstreams: Mapping[str, str],
    beside: str,
    store: Sequence[tuple[str, str]],
) -> None:
    """The rest, a card a theme; `beside`: what is said of the upstreams; `store`: facts of its file."""
    with st.grid(2, min_column_width=420):
        for name, good, count in system_words.by_theme(findings):
            told = _("{n} of {all} well").format(n=formats.number(len(good)), all=formats.number(count))
            aside = beside if name == system_words.UPSTREAMS else ""
            with st.container(border=True, gap="xsmall", height="stretch"):
                st.markdown(f"**{plain(_(name))}** :gray[{plain(told + aside)}]")
                if good:
                    badges.facts((system_words.title(one.check, upstreams), one.message) for one in good)
        if store:
            with st.container(border=True, gap="xsmall", height="stretch"):
                title(_("The file of the store"))
                badges.facts(store)


def table(frame: pd.DataFrame, columns: Mapping[str, Any], most: int, key: str) -> None:
    """A table as high as its rows, and not higher than `most` of them."""
    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        row_height=tables.ROW_HEIGHT,
        height=tables.height(min(most, max(1, len(frame)))),
        column_config=dict(columns),
    )


def schedule_table(rows: Sequence[Mapping[str, str]]) -> None:
    """The scheduler's own truth beside ours, a row a start."""
    columns = {
        "at": text(_("Start"), 70),
        "pipelines": text(_("Pipelines"), 140),
        "there": text(_("In the scheduler"), 150),
        "last": text(_("Its last start"), 150),
        "result": text(_("How it ended"), 130),
        "next": text(_("Its next start"), 130),
        "ours": text(_("Our last run"), 200),
        "due": text(_("Next by the settings"), 140),
        "drift": text(_("Differs from the settings"), 260),
    }
    table(pd.DataFrame(rows, columns=list(columns)), columns, 6, "system_schedule")


def settings_table(rows: Sequence[tuple[str, str, str, str]]) -> None:
    """Every setting: name, state, value where it is no secret, meaning."""
    frame = pd.DataFrame(rows, columns=["name", "state", "value", "meaning"])
    frame["state"] = [_(STATES[state]) for state in frame["state"]]
    columns = {
        "name": text(_("Setting"), 230),
        "state": text(_("State"), 80),
        "value": text(_("Value"), 260),
        "meaning": text(_("Meaning"), 420),
    }
    table(frame, columns, SETTINGS_SHOWN, "system_settings")


def store_facts(settings: "Settings", found: "StoreHealth") -> list[tuple[str, str]]:
    """The file of the store, and when what happened to it."""
    return [
        (_("file"), settings.database.name),
        (_("made"), formats.moment(settings, found.created_at)),
        (_("last merge"), formats.moment(settings, found.merged_at)),
        (_("last checkpoint"), formats.moment(settings, found.written_at)),
        (_("not in it yet"), _("{n} bytes of log").format(n=formats.number(found.log_bytes))),
    ]


def rows_table(found: "StoreHealth") -> None:
    """The tables of the store by their rows."""
    frame = pd.DataFrame(
        {"table": list(found.rows), "rows": [formats.number(count) for count in found.rows.values()]}
    )
    columns = {
        "table": text(_("Table"), 180),
        "rows": st.column_config.TextColumn(_("Rows"), width=90, alignment="right"),
    }
    table(frame, columns, TABLES_SHOWN, "system_tables")


def versions_table(rows: Sequence[tuple[str, str, str]]) -> None:
    """Every package beside the version that it was tested with."""
    columns = {
        "name": text(_("Package"), 130),
        "installed": text(_("Installed"), 90),
        "wanted": text(_("As tested"), 90),
    }
    table(pd.DataFrame(rows, columns=list(columns)), columns, TABLES_SHOWN, "system_packages")


def definitions_table(frame: pd.DataFrame) -> None:
    """One row a series or figure."""
    columns = {
        "name": text(_("Name"), 210),
        "title": text(_("What it is"), 310),
        "unit": text(_("Unit"), 110),
        "frequency": text(_("Rhythm"), 115),
        "upstream": text(_("Source"), 150),
        "licence": text(_("Terms"), 240),
        "link": st.column_config.LinkColumn(_("Link"), width=150, display_text=r"https?://(?:www\.)?([^/]+)"),
    }
    table(frame, columns, DEFINITIONS_SHOWN, "system_definitions")
