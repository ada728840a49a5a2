"""Collect now: the button, the banner while a run is on, and the toast when it has ended.

Holds no state but the name of the run that a session watches: everything shown comes from the
ledger, so that leaving the page, or closing it, changes nothing.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

import streamlit as st

from pages._view import badges, formats
from storage.texts import _

if TYPE_CHECKING:
    from storage.records import RunRecord, StepRecord

Progress = tuple["StepRecord | None", int, int]
_WATCHED = "watched_run"
_CANCELLED = "cancelled_run"
_BY_ITSELF = "drawn_by_itself"
# Two lines under the head of a toast on a phone; Streamlit folds what is longer.
_ROOM = 84
_NAMED = 2


def watch(run_id: str) -> None:
    """From now on this session wants to hear how the run ends."""
    st.session_state[_WATCHED] = run_id


def by_itself() -> None:
    """The page is drawn anew by itself, whoever is there."""
    st.session_state[_BY_ITSELF] = True
    st.rerun()


def somebody_looks() -> bool:
    """Whether this drawing was asked for by a person."""
    return not st.session_state.get(_BY_ITSELF, False)


def drawn() -> None:
    """This drawing is over: the next one is a person's, unless it says otherwise."""
    st.session_state.pop(_BY_ITSELF, None)


def watched() -> str | None:
    """The run that this session waits for."""
    return st.session_state.get(_WATCHED)


def button(pipeline: str, live: "RunRecord | None", start: Callable[[str], None], *, key: str) -> None:
    """Starts a run; while any is on it cannot be pressed. `start` answers at once."""
    st.button(
        _("Collect now"),
        key=key,
        icon=":material/play_arrow:",
        type="primary",
        disabled=live is not None,
        on_click=start,
        args=(pipeline,),
        help=_("Run {run} is under way.").format(run=live.run_id) if live else None,
    )


def busy(run_id: str) -> None:
    """Says that a run was already under way when the button was pressed."""
    text = _("Run {run} is already under way; it was not started a second time.")
    st.toast(badges.plain(text.format(run=run_id)), icon=":material/hourglass_top:")


def line(live: "RunRecord", progress: Progress) -> str:
    """ "Crypto · step 3 of 7 · 00:42 · started by the scheduler": the pipeline whose turn it is."""
    step, n, total = progress
    parts = [badges.pipelines([step.pipeline] if step else live.pipelines)]
    parts.append(_("step {n} of {m}").format(n=n, m=total) if live.state == "running" else _("starting"))
    parts.append(formats.span(live.seconds or 0.0))
    parts.append(_("started by {who}").format(who=badges.trigger(live.trigger)))
    return " · ".join(parts)


def banner(live: "RunRecord", progress: Progress, cancel: Callable[[str], None]) -> None:
    """One line over the page, while a run is on, with what ends it between two transactions."""
    with st.container(key="running", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{badges.inline(badges.state(live.state))} {badges.plain(line(live, progress))}")
        asked = st.session_state.get(_CANCELLED) == live.run_id
        st.button(
            _("Cancelling") if asked else _("Cancel"),
            key="cancel_run",
            type="tertiary",
            icon=":material/stop_circle:",
            disabled=asked,
            on_click=_cancel,
            args=(live.run_id, cancel),
            help=_("What was merged stays; the rest is left to the next run."),
        )


def _cancel(run_id: str, cancel: Callable[[str], None]) -> None:
    st.session_state[_CANCELLED] = run_id
    watch(run_id)
    cancel(run_id)


def all_button(live: "RunRecord | None", start: Callable[[], None]) -> None:
    """Starts every pipeline in its order; while any run is on it cannot be pressed."""
    st.button(
        _("Collect all"),
        key="collect_all",
        icon=":material/playlist_play:",
        disabled=live is not None,
        on_click=start,
        help=_("Run {run} is under way.").format(run=live.run_id)
        if live
        else _("Every pipeline, always in the same order."),
    )


def bar(live: "RunRecord", progress: Progress) -> None:
    """How far the run is, and at which step."""
    step, n, total = progress
    share = min(1.0, max(0.0, (n - 1) / total)) if total and live.state == "running" else 0.0
    st.progress(share, text=badges.plain(step.step if step else _("starting")))


def what_to_do(steps: Sequence["StepRecord"]) -> list[str]:
    """One text for every advice, led by the sources that it is for: the last sentence of what their
    steps said, which is the same where the same is to be done."""
    grouped: dict[str, list[str]] = {}
    for step in badges.needs_a_hand(steps):
        said = re.split(r"(?<=[.!?])\s+", step.said() or badges.reason(step.reason))[-1]
        grouped.setdefault(said, []).append(step.source or step.step)
    return [f"{sources(names)}: {said}" for said, names in grouped.items()]


def sources(names: Sequence[str]) -> str:
    """ "coingecko.markets, coingecko.global and 3 more"."""
    if len(names) <= _NAMED:
        return ", ".join(names)
    shown = ", ".join(names[: _NAMED - 1])
    return _("{sources} and {n} more").format(sources=shown, n=len(names) - _NAMED + 1)


def fitting(parts: Sequence[str]) -> str:
    """The first part, and of the others as many as there is room for; the page Runs has them all."""
    text = ""
    for part in filter(None, parts):
        longer = f"{text} · {part}" if text else part
        if text and sum(2 if east_asian_width(sign) in "WF" else 1 for sign in longer) > _ROOM:
            break
        text = longer
    return text


def toast(run: "RunRecord", steps: Sequence["StepRecord"]) -> None:
    """How the run ended: counts, or what to do."""
    look = badges.state(run.state)
    told = what_to_do(steps)
    if run.state in ("ok", "partial"):
        told.append(badges.counts(run.counts))
    if run.reason:
        told.append(badges.reason(run.reason))
    text = fitting(told) or _("See the page Runs.")
    head = f"{badges.pipelines(run.pipelines)}: {_(look.word)}"
    st.toast(
        f"**{badges.plain(head)}**  \n{badges.plain(text)}",
        icon=look.icon,
        duration="long",
    )


def settle(find: Callable[[str], "RunRecord | None"], steps: Callable[[str], Sequence["StepRecord"]]) -> None:
    """Tells once how the watched run ended."""
    run_id = watched()
    run = find(run_id) if run_id else None
    if run_id and (run is None or run.finished_at is not None):
        del st.session_state[_WATCHED]
        if run is not None:
            toast(run, steps(run_id))
