"""How a page starts a run."""

import sqlite3
from collections.abc import Callable, Sequence

import streamlit as st

from collectors import freshness, launch
from pages._view import badges, collect_now
from storage import ledger, texts
from storage.settings import Settings
from storage.texts import _


def start(settings: Settings, pipelines: Sequence[str], only: Sequence[str] = ()) -> bool:
    """Starts a run, of the sources `only` where there are any, and comes back at once: whether it began."""
    return started(settings, lambda: launch.launch(settings, pipelines, "console", only))


def started(settings: Settings, launched: Callable[[], str]) -> bool:
    """What `launched` starts, and whether it began: it gives the id of the run. One that is under way stays
    the only one; what hinders it is told in a toast."""
    try:
        collect_now.watch(launched())
        return True
    except ledger.Busy as other:
        collect_now.watch(other.run_id)
        collect_now.busy(other.run_id)
    except sqlite3.Error as error:
        problem = freshness.unread(settings, error)
        st.toast(badges.plain(texts.say(problem.message, problem.values)), icon=":material/error:")
    except OSError:
        text = _("{folder} cannot be written. Set COLLECTOR_HOME to a folder that can.")
        st.toast(badges.plain(text.format(folder=settings.home.name)), icon=":material/error:")
    return False
