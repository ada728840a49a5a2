"""System: whether all that a morning depends on is in order, and what each number means. Layout only."""

import sqlite3
from collections.abc import Callable
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from collectors import freshness
from collectors.doctor import configuration, latest, program
from collectors.doctor.latest import Seen
from collectors.registry import UPSTREAMS
from collectors.schedule.state import TaskState
from pages import _definitions
from pages._view import badges, formats, system_parts, system_words
from pages._view.badges import plain
from storage import texts
from storage.settings import VERSION, Settings, load, parse_feeds
from storage.store_health import StoreHealth
from storage.texts import _, ngettext

TITLES = {name: one.title for name, one in UPSTREAMS.items()}


def controls(settings: Settings, seen: Seen) -> None:
    """When it was looked at, and the way to look again."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        at = f"{formats.moment(settings, seen.case.now)} {formats.zone(settings)}"
        if seen.asking:
            # In its place, so that nothing moves.
            st.fragment(run_every=0.5)(waiting)(settings, texts.language())
        else:
            text = _("looked at {time}; the command line says the same: {command}")
            st.caption(system_words.commands(text.format(time=at, command="python collect.py doctor")))
        with st.container(horizontal=True, width="content"):
            st.button(
                _("Look again"),
                key="system_again",
                icon=":material/refresh:",
                on_click=in_words,
                args=(latest.again, settings, texts.language()),
            )
            st.button(
                _("Ask the upstreams too"),
                key="system_ask",
                icon=":material/lan:",
                disabled=seen.asking,
                help=_("One small question each; their pace and their waits are kept."),
                on_click=in_words,
                args=(latest.ask, settings, texts.language()),
            )


def in_words(act: Callable[[Settings], None], settings: Settings, language: str) -> None:
    """Acts in the language of the page: what answers to a click is called before the page is drawn."""
    texts.use(language)
    act(settings)


def waiting(settings: Settings, language: str) -> None:
    """Looks twice a second whether the upstreams were asked; then the page is drawn anew."""
    texts.use(language)
    if latest.asking(settings):
        st.caption(_("The upstreams are being asked…"))
    else:
        st.rerun()


def beside(settings: Settings, seen: Seen) -> str:
    """When the upstreams were asked."""
    if seen.asked_at is None:
        return ""
    return " · " + _("asked at {time}").format(time=formats.moment(settings, seen.asked_at))


def schedule_rows(settings: Settings, seen: Seen) -> list[dict[str, str]]:
    """A row a start: of the operating system where it has one, else of the settings."""
    ours = freshness.status(settings, wait_s=0.3).pipelines
    tasks = seen.case.schedule.tasks or tuple(
        TaskState("", at, names, (), wanted=True, installed=False) for at, names in settings.slots
    )
    unknown = seen.case.schedule.problem is not None
    return [_schedule_row(settings, one, ours, unknown=unknown) for one in tasks]


def _schedule_row(
    settings: Settings, task: TaskState, ours: "dict[str, freshness.PipelineStatus]", *, unknown: bool
) -> dict[str, str]:
    known = [ours[name] for name in task.pipelines if name in ours]
    last = max((one.last_run for one in known if one.last_run), key=lambda run: run.queued_at, default=None)
    outcome = badges.outcome(settings, last, task.pipelines[0]) if last else formats.DASH
    there = _("not installed")
    if task.installed:
        there = _("installed") if task.enabled else _("switched off")
    return {
        "at": f"{task.at:%H:%M}" if task.at else task.name,
        "pipelines": badges.pipelines(task.pipelines),
        "there": _("not known") if unknown else there,
        "last": formats.moment(settings, task.last_run),
        "result": task.result or formats.DASH,
        "next": formats.moment(settings, task.next_run),
        "ours": outcome,
        "due": formats.moment(settings, min((one.next_due for one in known), default=None)),
        "drift": "; ".join(one.said() for one in task.drift) or formats.DASH,
    }


def schedule_part(settings: Settings, seen: Seen) -> None:
    with st.container(border=True, gap="xsmall"):
        system_parts.title(_("What the operating system starts, beside ours"))
        problem = seen.case.schedule.problem
        if problem is not None:
            st.caption(plain(problem.said()))
        system_parts.schedule_table(schedule_rows(settings, seen))


def shown(value: object) -> str:
    """A value that is no secret; of addresses the host alone, which is where a token could hide."""
    if value is None or value == "":
        return formats.DASH
    said = str(value)
    if isinstance(value, bool):
        return str(int(value))
    if "=http" in said:
        n = len(parse_feeds(said))
        return ngettext("{n} feed", "{n} feeds", n).format(n=n)
    if said.startswith(("http://", "https://")):
        return urlsplit(said).netloc
    return f"{value:g}" if isinstance(value, float) else said


def settings_rows(settings: Settings) -> list[tuple[str, str, str, str]]:
    """Every setting; of a key only whether it is set."""
    other = set(configuration.changed(settings))
    rows = []
    for field, about in Settings.model_fields.items():
        name = str(about.validation_alias)
        if name in configuration.SECRETS:
            state = "set" if configuration.is_set(settings, name) else "not set"
            value = formats.DASH
        else:
            state = "changed" if name in other else "default"
            value = settings.redact(shown(getattr(settings, field)))
        rows.append((name, state, value, _(about.description or "")))
    return rows


def packages() -> list[tuple[str, str, str]]:
    """Name, version that is there, version that it was tested with."""
    return [
        (name, program.installed(name) or formats.DASH, wanted) for name, wanted in program.pins().items()
    ]


def versions_part(seen: Seen) -> None:
    """How many rows are stored, and by which versions, side by side."""
    found = seen.case.store
    with st.grid(2, min_column_width=420):
        if isinstance(found, StoreHealth):
            with st.container(border=True, gap="xsmall", height="stretch"):
                system_parts.title(_("Rows by table"))
                system_parts.rows_table(found)
        with st.container(border=True, gap="xsmall", height="stretch"):
            told = _("program {version}, SQLite {sqlite}")
            beside = told.format(version=VERSION, sqlite=sqlite3.sqlite_version)
            st.markdown(f"**{plain(_('Versions'))}** :gray[{plain(beside)}]")
            system_parts.versions_table(packages())


def definitions_part() -> None:
    """What every number is, with a search that the address keeps."""
    with st.container(border=True, gap="xsmall", key="definitions"):
        with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
            system_parts.title(_("What every number is"))
            words = st.text_input(
                _("Search"),
                key="define",
                bind="query-params",
                placeholder=_("name, unit, source or terms"),
                label_visibility="collapsed",
                width=320,
            )
        frame = pd.DataFrame(_definitions.definitions())
        wanted = (words or "").casefold().split()
        whole = frame.astype(str).agg(" ".join, axis=1).str.casefold()
        for word in wanted:
            frame = frame[whole.str.contains(word, regex=False)]
            whole = whole[frame.index]
        if frame.empty:
            st.caption(_("Nothing is called like this. Clear the search."))
            return
        system_parts.definitions_table(frame)


def draw() -> None:
    settings = load()
    seen = latest.seen(settings)
    st.header(plain(system_words.headline(seen.findings)), anchor=False)
    controls(settings, seen)
    system_parts.needs(seen.findings, TITLES)
    found = seen.case.store
    store = system_parts.store_facts(settings, found) if isinstance(found, StoreHealth) else ()
    system_parts.well(seen.findings, TITLES, beside(settings, seen), store)
    schedule_part(settings, seen)
    with st.container(border=True, gap="xsmall"):
        system_parts.title(_("Settings"))
        system_parts.settings_table(settings_rows(settings))
    versions_part(seen)
    definitions_part()


draw()
