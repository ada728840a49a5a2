"""The schedule as it is: what the settings want beside what the operating system has, and the way there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo

from collectors.schedule import results, system, tasks
from collectors.schedule.drift import SWITCHED_ON, Drift, Installed, compare
from collectors.schedule.system import Found, Machine, NoAnswer, Plan
from collectors.schedule.tasks import Task
from storage import clock
from storage.settings import Settings
from storage.texts import N_, _

DEMO = N_("A demo is not scheduled: leave it by starting without --demo and COLLECTOR_DEMO.")
# What a page or a program may wait for; the command line is more patient.
WITHIN_S, PATIENT_S = 2.0, 60.0


class System(Protocol):
    """What each platform can do."""

    def name(self, task: Task) -> str: ...

    def wanted(self, machine: Machine, task: Task, now: datetime) -> Installed: ...

    def look(self, machine: Machine, zone: ZoneInfo, now: datetime) -> list[Found]: ...

    def install(
        self, machine: Machine, wanted: Sequence[Task], found: Sequence[Found], now: datetime
    ) -> Plan: ...

    def remove(self, machine: Machine, found: Sequence[Found]) -> Plan: ...


@dataclass(frozen=True, slots=True)
class TaskState:
    """One task; `wanted`: the settings have it; `code`: how it last ended, None where nobody knows."""

    name: str
    at: time | None
    pipelines: tuple[str, ...]
    after: tuple[str, ...]
    wanted: bool
    installed: bool
    enabled: bool = False
    last_run: datetime | None = None
    next_run: datetime | None = None
    code: int | None = None
    said: str = ""
    drift: tuple[Drift, ...] = ()

    @property
    def result(self) -> str:
        """How it last ended, in the current language; empty where nobody knows."""
        return _(self.said) if self.said else results.words(self.code)


@dataclass(frozen=True, slots=True)
class State:
    """`pipelines`: what the operating system really starts for this store; `problem`: why it is not known."""

    platform: str
    tasks: tuple[TaskState, ...] = ()
    pipelines: frozenset[str] = frozenset()
    problem: NoAnswer | None = None

    @property
    def right(self) -> bool:
        """Whether everything is as the settings want it."""
        there = all(one.wanted and one.installed for one in self.tasks)
        return self.problem is None and there and all(d.lasting for one in self.tasks for d in one.drift)


def on(platform: str) -> System:
    """The platform's own file; the others are not loaded."""
    if platform == "windows":
        from collectors.schedule import ask_windows

        return ask_windows
    if platform == "launchd":
        from collectors.schedule import ask_launchd

        return ask_launchd
    from collectors.schedule import ask_systemd

    return ask_systemd


def state(settings: Settings, within_s: float = WITHIN_S) -> State:
    """Looks at the operating system, for `within_s` at most. Never raises."""
    if settings.demo:
        return State(system.here(), problem=NoAnswer(DEMO))
    try:
        machine = system.machine(system.here(), within_s)
    except NoAnswer as problem:
        return State(system.here(), problem=problem)
    now = clock.now()
    try:
        found = on(machine.platform).look(machine, settings.zone, now)
    except NoAnswer as problem:
        return State(machine.platform, _tasks(settings, machine, [], now), problem=problem)
    except (OSError, ValueError) as error:
        unread = NoAnswer(N_("The schedule cannot be read: {reason}"), reason=str(error))
        return State(machine.platform, _tasks(settings, machine, [], now), problem=unread)
    return State(
        machine.platform,
        _tasks(settings, machine, found, now),
        frozenset(name for one in found if _ours(settings, one) for name in _collected(one)),
    )


def _ours(settings: Settings, found: Found) -> bool:
    """It is switched on, starts this project, and collects into this store."""
    script = tasks.plan(settings, system.here())[0].script
    same = tasks.script_of(found.installed.words) == script
    return found.enabled and same and tasks.same_store(settings, found.installed.environment)


def _collected(found: Found) -> tuple[str, ...]:
    return tasks.collected(found.installed.words)


def _tasks(
    settings: Settings, machine: Machine, found: Sequence[Found], now: datetime
) -> tuple[TaskState, ...]:
    """Those that the settings want, then those that they no longer have."""
    by_name = {one.name: one for one in found}
    there = on(machine.platform)
    told = []
    for task in tasks.plan(settings, machine.platform):
        name = there.name(task)
        one = by_name.pop(name, None)
        drift = _drift(there.wanted(machine, task, now), one) if one else ()
        told.append(_told(name, task, one, (*drift, *_clock(machine, task.zone, one, now))))
    return (*told, *(_told(one.name, None, one, ()) for one in by_name.values()))


def _drift(wanted: Installed, found: Found) -> tuple[Drift, ...]:
    differences = compare(wanted, found.installed)
    if found.enabled or any(one.what == SWITCHED_ON for one in differences):
        return differences
    return (*differences, Drift(SWITCHED_ON, "false", "true"))


def _clock(machine: Machine, zone: ZoneInfo, found: Found | None, now: datetime) -> tuple[Drift, ...]:
    """launchd alone has no zone of its own."""
    if found is None or machine.platform != "launchd":
        return ()
    from collectors.schedule import launchd

    return launchd.clock_drift(zone, machine.zone, now)


def _told(name: str, task: Task | None, found: Found | None, drift: tuple[Drift, ...]) -> TaskState:
    at, after = (task.at, task.after) if task else (None, ())
    pipelines = task.pipelines if task else _collected(found) if found else ()
    if found is None:
        return TaskState(name, at, pipelines, after, wanted=True, installed=False)
    return TaskState(
        name,
        at,
        pipelines,
        after,
        task is not None,
        True,
        found.enabled,
        found.last_run,
        found.next_run,
        found.code,
        found.result,
        drift,
    )


def installation(settings: Settings, machine: Machine, *, look: bool = True) -> Plan:
    """What brings the operating system to what the settings want. Raises NoAnswer."""
    there, now = on(machine.platform), clock.now()
    found = there.look(machine, settings.zone, now) if look else []
    return there.install(machine, tasks.plan(settings, machine.platform), found, now)


def removal(settings: Settings, machine: Machine, *, look: bool = True) -> tuple[Plan, list[str]]:
    """What takes every task of ours away, and their names. Raises NoAnswer."""
    there, now = on(machine.platform), clock.now()
    if look:
        found = there.look(machine, settings.zone, now)
    else:
        found = [
            Found(there.name(one), Installed({}), True) for one in tasks.plan(settings, machine.platform)
        ]
    return there.remove(machine, found), [one.name for one in found]
