"""What a run's card is made of besides its charts: its figures, its log, and what can be tried again."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages._view import badges, formats
from storage.records import QUARANTINE
from storage.texts import _

if TYPE_CHECKING:
    from storage.records import RunRecord, StepRecord
    from storage.settings import Settings

LINES = 400
# From this many steps on they are picked from a list: a card is no wall of buttons.
MANY = 6
Retry = Callable[[str, str], None]


def figures(run: "RunRecord", requests: int) -> None:
    """What the run did to the store, in six tiles."""
    shown = (
        (_("Took"), formats.span(run.seconds), None),
        (_("Requests"), formats.number(requests), None),
        (_("Inserted"), formats.number(run.counts.inserted), _("Rows that were not stored before")),
        (_("Updated"), formats.number(run.counts.updated), _("Stored rows that now have another value")),
        (_("Unchanged"), formats.number(run.counts.unchanged), _("Rows that were stored just like that")),
        (_("Rejected"), formats.number(run.counts.rejected), _("Rows that no check let through")),
    )
    with st.grid(len(shown), min_column_width=130):
        for label, value, note in shown:
            st.metric(label, value, help=note, border=True)


def log(run: "RunRecord", text: str, height: int) -> None:
    """The end of a run's log, and all of it as a file."""
    lines = text.splitlines()
    with st.container(border=True, gap="xsmall", height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            with st.container(gap=None):
                st.markdown(f"**{_('Log')}**")
                st.caption(badges.plain(log_words(len(lines), run.finished_at is not None)))
            st.download_button(
                _("Log file"),
                data=text,
                file_name=f"{run.run_id}.log",
                mime="text/plain",
                key="log_file",
                icon=":material/download:",
                type="tertiary",
                on_click="ignore",
                disabled=not lines,
            )
        if lines:
            with st.container(height=height, border=False, autoscroll=True, key="run_log"):
                st.code("\n".join(lines[-LINES:]), language=None, wrap_lines=True)


def log_words(lines: int, over: bool) -> str:
    """What of the log is shown; `over`: the run writes nothing more into it."""
    if not lines and not over:
        return _("Nothing is in it yet.")
    if not lines:
        return _("Nothing is kept of it: the run wrote nothing, or it is too long ago.")
    if lines > LINES:
        text = _("the last {n} of {all} lines, times in UTC")
        return text.format(n=formats.number(LINES), all=formats.number(lines))
    return _("times in UTC")


def again(steps: Sequence["StepRecord"], known: Mapping[str, object]) -> list["StepRecord"]:
    """The steps that can be tried again: those of a source that is still there, each once; what a person
    accepted is accepted again on the command line."""
    asked = [step for step in badges.needs_a_hand(steps) if step.pipeline != QUARANTINE]
    found = {step.source: step for step in asked if step.source in known}
    return list(found.values())


def hands(
    settings: "Settings",
    steps: Sequence["StepRecord"],
    known: Mapping[str, object],
    since: Mapping[str, "StepRecord"],
    busy: str | None,
    retry: Retry,
) -> None:
    """What the steps left undone, with what to do, and Retry of a single source. `since`: the newest
    record of every step; `busy`: the run that is under way."""
    bad = badges.needs_a_hand(steps)
    can = again(steps, known)
    if len(bad) <= MANY:
        for step in bad:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                words = f"{badges.advice(settings, step)} {later(settings, step, since)}"
                st.markdown(words, width="stretch")
                if step in can:
                    button(step, busy, retry)
        return
    for line in badges.advices(settings, bad):
        st.markdown(line)
    if can:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            picked = st.selectbox(
                _("Source"),
                [step.source for step in can],
                key="retry_source",
                label_visibility="collapsed",
                width=260,
            )
            button(next((step for step in can if step.source == picked), can[0]), busy, retry)


def later(settings: "Settings", step: "StepRecord", since: Mapping[str, "StepRecord"]) -> str:
    """That a later run made up for it; empty where none has."""
    newest = since.get(step.step)
    if newest is None or newest.run_id <= step.run_id or newest.state != "ok":
        return ""
    text = _("ok since {time}").format(time=formats.moment(settings, newest.finished_at))
    return badges.inline(badges.state("ok"), text)


def button(step: "StepRecord", busy: str | None, retry: Retry) -> None:
    """Starts a run of this one source; while any run is on it cannot be pressed."""
    source = step.source or ""
    said = _("Run {run} is under way.").format(run=busy) if busy else None
    st.button(
        _("Retry"),
        key=f"retry_{source}",
        icon=":material/refresh:",
        disabled=busy is not None,
        on_click=retry,
        args=(step.pipeline, source),
        help=said or _("A new run of {source} alone").format(source=source),
    )
