"""Starts `collect.py` as a child of its own: what a button does, so that no page can end a run."""

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from storage import clock, ledger
from storage.records import BACKFILL
from storage.settings import ROOT, Settings


def launch(
    settings: Settings,
    pipelines: Sequence[str],
    trigger: str,
    sources: Sequence[str] = (),
    then_since: date | None = None,
) -> str:
    """Reserves a run and starts its process, detached; gives the run_id at once. `sources`: only these.
    `then_since`: when it has ended, a backfill from that day on follows, a run of its own.

    Raises ledger.Busy naming the run under way when there is one.
    """
    words = [*pipelines, "--trigger", trigger]
    for source in sources:
        words += ["--source", source]
    if then_since is not None:
        words += ["--then-since", then_since.isoformat()]
    return _reserved(settings, pipelines, trigger, words)


def backfill(
    settings: Settings,
    pipelines: Sequence[str],
    since: date | None = None,
    until: date | None = None,
    sources: Sequence[str] = (),
) -> str:
    """The same for a backfill of these days (None: as far as there are gaps) and sources."""
    words = ["backfill"]
    for option, day in (("--since", since), ("--until", until)):
        words += [option, day.isoformat()] if day is not None else []
    for source in sources:
        words += ["--source", source]
    return _reserved(settings, pipelines, BACKFILL, words)


def _reserved(settings: Settings, pipelines: Sequence[str], trigger: str, words: Sequence[str]) -> str:
    run_id = ledger.new_run_id(clock.now())
    ledger.reserve(settings, run_id, pipelines, trigger, os.environ.get("COLLECTOR_STARTER"))
    command = [sys.executable, "-X", "utf8", str(ROOT / "collect.py"), *words, "--run-id", run_id]
    if settings.demo:
        command.append("--demo")
    _spawn(command, ROOT)
    return run_id


def _spawn(command: Sequence[str], folder: Path) -> None:
    """A process that survives the console, holds none of its handles and never becomes a zombie
    that a page has to wait for."""
    detached: dict[str, object] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        detached = {"creationflags": flags}
    child = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=True,
        **detached,  # type: ignore[call-overload]
    )
    _children.append(child)
    # Reap what has ended: poll() is what takes a zombie off the process table.
    _children[:] = [one for one in _children if one.poll() is None]


_children: list["subprocess.Popen[bytes]"] = []
