"""A task as launchd has it for one user: a property list, written and read. Asks nobody."""

import plistlib
import re
import shlex
from datetime import datetime, tzinfo
from pathlib import PurePosixPath
from typing import Any
from xml.parsers.expat import ExpatError
from zoneinfo import ZoneInfo

from collectors.schedule import drift
from collectors.schedule.drift import UNREADABLE, Drift, Installed
from collectors.schedule.tasks import Task, wanders
from storage.texts import N_

PREFIX = "daily-data-collector."
WANDERS = N_(
    "the clock of this machine ({found}) changes against {wanted} in the course of the year: "
    "install again after it did"
)


def name(task: Task) -> str:
    """Its label."""
    return PREFIX + task.name.replace(" ", "-")


def task_name(unit: str) -> str:
    """The reverse, of whatever begins with PREFIX."""
    return unit.removeprefix(PREFIX).replace("-", " ")


def plist(task: Task, machine: tzinfo, now: datetime) -> bytes:
    """The definition. launchd knows only the machine's own clock: the hour is that of today."""
    at = task.today(now).astimezone(machine)
    log = str(PurePosixPath(task.logs) / "schedule.log")
    value: dict[str, Any] = {
        "Label": name(task),
        "ProgramArguments": [task.program, *task.words],
        "WorkingDirectory": task.folder,
        "StartCalendarInterval": {"Hour": at.hour, "Minute": at.minute},
        "StandardOutPath": log,
        "StandardErrorPath": log,
        "ProcessType": "Background",
    }
    if task.environment:
        value["EnvironmentVariables"] = dict(task.environment)
    return plistlib.dumps(value, sort_keys=False)


def read(content: bytes, zone: ZoneInfo, machine: tzinfo, now: datetime) -> Installed:
    """What an installed property list means."""
    try:
        value = plistlib.loads(content)
    except (plistlib.InvalidFileException, ExpatError, ValueError):
        return UNREADABLE
    if not isinstance(value, dict) or not _plain(value):
        return UNREADABLE
    words = tuple(str(word) for word in value.pop("ProgramArguments", []))
    environment = {key: str(told) for key, told in value.pop("EnvironmentVariables", {}).items()}
    facts = {
        drift.START: _start(value.pop("StartCalendarInterval", None), zone, machine, now),
        drift.PROGRAM: words[0] if words else "",
        drift.ARGUMENTS: shlex.join(words[1:]),
        drift.FOLDER: str(value.pop("WorkingDirectory", "")),
        drift.SETTINGS: drift.told(environment),
        N_("log"): str(value.pop("StandardOutPath", "")),
    }
    for free in ("Label", "StandardErrorPath", "ProcessType"):
        value.pop(free, None)
    facts |= {key: str(other) for key, other in sorted(value.items())}
    return Installed(facts, words, environment)


def _plain(value: dict[str, Any]) -> bool:
    """Whether words, environment and hour are of the kinds that launchd wants."""
    start = value.get("StartCalendarInterval")
    hour = [start.get(name, 0) for name in ("Hour", "Minute")] if isinstance(start, dict) else []
    return (
        isinstance(value.get("ProgramArguments", []), list)
        and isinstance(value.get("EnvironmentVariables", {}), dict)
        and all(isinstance(one, int) and 0 <= one < top for one, top in zip(hour, (24, 60), strict=False))
    )


def _start(given: object, zone: ZoneInfo, machine: tzinfo, now: datetime) -> str:
    """Its hour as it reads today in the zone of the settings."""
    if not isinstance(given, dict) or set(given) != {"Hour", "Minute"}:
        return str(given or "")
    at = now.astimezone(machine).replace(hour=int(given["Hour"]), minute=int(given["Minute"]))
    return f"{at.astimezone(zone):%H:%M} {zone.key}"


def clock_drift(zone: ZoneInfo, machine: tzinfo, now: datetime) -> tuple[Drift, ...]:
    """That an hour right today will not stay so: the machine's zone and the setting's part over a year."""
    if wanders(zone, machine, now.year):
        return (Drift("", getattr(machine, "key", str(machine)), zone.key, WANDERS, lasting=True),)
    return ()


def last_code(printed: str) -> int | None:
    """The last result that `launchctl print` tells; None: it never ended."""
    found = re.search(r"^\s*last exit (?:code|status) = (-?\d+)", printed, re.M)
    return int(found[1]) if found else None


def runs(printed: str) -> bool:
    """Whether `launchctl print` says that it is running."""
    return re.search(r"^\s*state = running", printed, re.M) is not None
