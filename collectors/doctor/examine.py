"""Every check in its order, side by side where they do not share a disk, each in bounded time: whatever
hangs or stumbles costs only its own line."""

import threading
import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import replace

from collectors.doctor import clocks as zones
from collectors.doctor import (
    configuration,
    console,
    history,
    place,
    program,
    scheduler,
    store,
    upstreams,
)
from collectors.doctor.case import Case
from collectors.doctor.finding import Finding, fail, warn
from collectors.run import isolated
from storage.settings import Settings
from storage.texts import _

Look = Callable[[Case], Finding | list[Finding]]
LIMIT_S = 6.0

# What is asked in one thread, one after the other; the order is that in which they are told.
HERE: tuple[tuple[tuple[str, Look], ...], ...] = (
    (("interpreter", program.interpreter), ("packages", program.packages)),
    (("settings", configuration.settings), ("keys", configuration.keys), ("time_zone", zones.time_zone)),
    (
        ("home", place.home),
        ("synced_folder", place.synced_folder),
        ("file_system", place.file_system),
        ("disk", place.disk),
    ),
    (
        ("ledger", history.of_ledger),
        ("run", history.run),
        ("week", history.week),
        ("store", store.of_store),
        ("receipts", store.receipts),
        ("landing", store.landed),
        ("quarantine", store.quarantined),
        ("gaps", store.of_gaps),
        ("export", store.of_export),
    ),
    (("scheduler", scheduler.scheduler),),
    (("console", console.console),),
)
ELSEWHERE: tuple[tuple[tuple[str, Look], ...], ...] = ((("upstreams", upstreams.ask),),)


def examine(settings: Settings, *, offline: bool = False) -> list[Finding]:
    """All findings, in a fixed order; `offline`: no upstream is asked. Never raises."""
    case = Case(settings)
    groups = HERE if offline else (*HERE, *ELSEWHERE)
    found = looked(case, groups)
    return [*found, *upstreams.not_asked()] if offline else found


def looked(case: Case, groups: Sequence[Sequence[tuple[str, Look]]]) -> list[Finding]:
    """What each check of these groups found, without any secret."""
    told: dict[str, list[Finding]] = {}
    until = time.monotonic() + LIMIT_S
    works = []
    for group in groups:
        # A thread has no language of its own.
        run = copy_context().run
        # Daemon: what hangs on a dead disk must not keep the program.
        work = threading.Thread(target=run, args=(_look, case, group, told), daemon=True)
        work.start()
        works.append(work)
    for work in works:
        work.join(max(0.0, until - time.monotonic()))
    found = [one for group in groups for name, _act in group for one in told.get(name) or [_silent(name)]]
    redact = case.settings.redact
    return [
        replace(one, message=redact(one.message), advice=redact(one.advice) if one.advice else None)
        for one in found
    ]


def _look(case: Case, group: Sequence[tuple[str, Look]], told: dict[str, list[Finding]]) -> None:
    for name, act in group:
        with isolated() as caught:
            caught.result = act(case)
        result = caught.result or _stumbled(name, caught.error)
        told[name] = result if isinstance(result, list) else [result]


def _silent(name: str) -> Finding:
    text = _("This check did not end within {n} seconds.").format(n=round(LIMIT_S))
    return warn(name, text, _("Look whether the disk of the home answers, then try again."))


def _stumbled(name: str, error: Exception | None) -> Finding:
    text = _("This check stumbled over {error}.").format(error=type(error).__name__)
    return fail(name, text, _("Report it, with the version of the program and what the other lines say."))
