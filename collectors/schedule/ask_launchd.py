"""How launchd is asked for our agents, and what it is told: files of the user, and `launchctl`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from collectors.schedule import launchd
from collectors.schedule.drift import START, Installed
from collectors.schedule.results import NEVER, RUNNING
from collectors.schedule.system import Found, Machine, Plan, Words
from collectors.schedule.tasks import Task, is_name

name = launchd.name


def folder(machine: Machine) -> Path:
    """Where a user's own agents are."""
    return machine.home / "Library" / "LaunchAgents"


def wanted(machine: Machine, task: Task, now: datetime) -> Installed:
    """What an installation of today would be."""
    return launchd.read(launchd.plist(task, machine.zone, now), task.zone, machine.zone, now)


def look(machine: Machine, zone: ZoneInfo, now: datetime) -> list[Found]:
    """Nobody is asked where no file of ours is. Raises NoAnswer."""
    found = sorted(folder(machine).glob(f"{launchd.PREFIX}*.plist"))
    # Somebody else's agent may begin alike.
    paths = [path for path in found if is_name(launchd.task_name(path.name.removesuffix(".plist")))]
    return [_found(machine, path, zone, now) for path in paths]


def _found(machine: Machine, path: Path, zone: ZoneInfo, now: datetime) -> Found:
    label = path.name.removesuffix(".plist")
    answer = machine.ask(("launchctl", "print", _target(machine, label)))
    loaded = answer.code == 0
    code = RUNNING if launchd.runs(answer.out) else launchd.last_code(answer.out)
    installed = launchd.read(_bytes(path), zone, machine.zone, now)
    return Found(
        label,
        installed,
        loaded,
        next_run=_next(installed, zone, now) if loaded else None,
        # launchd does not say when: only how, since the machine was started.
        code=NEVER if code is None and "never exited" in answer.out else code,
    )


def _next(installed: Installed, zone: ZoneInfo, now: datetime) -> datetime | None:
    """launchd does not tell it: the next time at which its hour comes."""
    clock = installed.facts.get(START, "")[:5]
    if clock[2:3] != ":":
        return None
    local = now.astimezone(zone)
    at = local.replace(hour=int(clock[:2]), minute=int(clock[3:]), second=0, microsecond=0)
    return at if at > local else at + timedelta(days=1)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _domain(machine: Machine) -> str:
    return f"gui/{machine.uid}"


def _target(machine: Machine, label: str) -> str:
    return f"{_domain(machine)}/{label}"


def install(machine: Machine, wanted: Sequence[Task], found: Sequence[Found], now: datetime) -> Plan:
    """Writes and loads what is not loaded as it should be. Loading anew would end a run under way, so
    what is right already is left alone."""
    loaded = {one.name for one in found if one.enabled}
    files = {_path(machine, name(task)): launchd.plist(task, machine.zone, now) for task in wanted}
    anew = {
        path: content for path, content in files.items() if path.stem not in loaded or _bytes(path) != content
    }
    old = [one.name for one in found if _path(machine, one.name) not in files]
    out = [*(path.stem for path in anew), *old]
    return Plan(
        first=tuple(_bootout(machine, label) for label in out if label in loaded),
        gone=tuple(_path(machine, label) for label in old),
        folders=tuple({Path(task.logs) for task in wanted}),
        files=anew,
        then=tuple(words for path in anew for words in _bootstrap(machine, path)),
    )


def remove(machine: Machine, found: Sequence[Found]) -> Plan:
    """Unloads the agents and takes their files away."""
    return Plan(
        first=tuple(_bootout(machine, one.name) for one in found if one.enabled),
        gone=tuple(_path(machine, one.name) for one in found),
    )


def _bootstrap(machine: Machine, path: Path) -> tuple[Words, Words]:
    # What somebody switched off by hand could not be loaded.
    enable = ("launchctl", "enable", _target(machine, path.stem))
    return enable, ("launchctl", "bootstrap", _domain(machine), str(path))


def _bootout(machine: Machine, label: str) -> Words:
    return ("launchctl", "bootout", _target(machine, label))


def _path(machine: Machine, label: str) -> Path:
    return folder(machine) / f"{label}.plist"
