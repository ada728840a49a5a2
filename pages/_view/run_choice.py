"""What the reader chose on the page Runs: which runs the history holds, and which of them is shown; by
controls, by a click on a row, or by the address."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages._view import badges
from storage.records import TRIGGERS
from storage.texts import N_, _

if TYPE_CHECKING:
    from storage.records import RunRecord

# What a run can be in; what only a step can be in is left out.
STATES = tuple(name for name in badges.STATES if name not in ("cached", "pending"))
FILTERS = ("pipeline", "state", "trigger")
_ANY = {"pipeline": N_("Every pipeline"), "state": N_("Every state"), "trigger": N_("Whoever started it")}
_RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class Choice:
    """None: whatever it is."""

    pipeline: str | None = None
    state: str | None = None
    trigger: str | None = None

    def __bool__(self) -> bool:
        return any((self.pipeline, self.state, self.trigger))


def start(pipelines: Sequence[str]) -> None:
    """The controls as the address says, once a visit; rubbish is the default."""
    for name, options in zip(FILTERS, (pipelines, STATES, tuple(TRIGGERS)), strict=True):
        if f"runs_{name}" not in st.session_state:
            asked = st.query_params.get(name)
            st.session_state[f"runs_{name}"] = asked if asked in options else None


def controls(pipelines: Sequence[str]) -> Choice:
    """Pipeline, state and trigger, in one row."""
    shown = {
        "pipeline": (tuple(pipelines), lambda name: badges.pipelines([name])),
        "state": (STATES, badges.cell),
        "trigger": (tuple(TRIGGERS), badges.trigger),
    }
    labels = {"pipeline": _("Pipeline"), "state": _("State"), "trigger": _("Started by")}
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        picked = [
            st.selectbox(
                labels[name],
                options,
                key=f"runs_{name}",
                format_func=say,
                placeholder=_(_ANY[name]),
                label_visibility="collapsed",
                on_change=forget,
                width=172,
            )
            for name, (options, say) in shown.items()
        ]
    return Choice(*picked)


def forget() -> None:
    """Another history: its newest run is shown, not the one that was picked in the last."""
    st.query_params.pop("run", None)


def clear() -> None:
    """Every run again."""
    forget()
    for name in FILTERS:
        st.session_state[f"runs_{name}"] = None


def write(choice: Choice) -> None:
    """The address says what the history holds; what is as usual is left out of it."""
    for name in FILTERS:
        value = getattr(choice, name)
        if value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get_all(name) != [value]:
            st.query_params[name] = value


def asked() -> str | None:
    """The run that the address names; None where it names nothing that could be one."""
    name = st.query_params.get("run") or ""
    return name if _RUN_ID.fullmatch(name) else None


def remember(runs: Sequence["RunRecord"], key: str) -> None:
    """Puts the picked run into the address, so that it can be sent to somebody."""
    rows = st.session_state[key]["selection"]["rows"]
    if rows and rows[0] < len(runs):
        st.query_params["run"] = runs[rows[0]].run_id


def table_key(newest: str, at: int | None) -> str:
    """The key of the history, whose selection is by row: a new one when a new run shifts the rows, and
    when the address picked another run than the table holds for picked."""
    turn = st.session_state.setdefault("runs_turn", 0)
    held = st.session_state.get(f"history_{newest}_{turn}")
    if held and held["selection"]["rows"] != ([] if at is None else [at]):
        turn = st.session_state["runs_turn"] = turn + 1
    return f"history_{newest}_{turn}"
