"""How systemd is asked for our timers, and what it is told: files of the user, and `systemctl --user`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from collectors.schedule import systemd
from collectors.schedule.drift import Installed
from collectors.schedule.results import NEVER, RUNNING, TIMEOUT
from collectors.schedule.system import Found, Machine, Plan, Words
from collectors.schedule.tasks import Task, is_name

name = systemd.name

_ASKED = (
    "Id,ActiveState,UnitFileState,NextElapseUSecRealtime,LastTriggerUSec,"
    "Result,ExecMainCode,ExecMainStatus,ExecMainExitTimestamp"
)
_RELOAD: Words = ("systemctl", "--user", "daemon-reload")


def folder(machine: Machine) -> Path:
    """Where a user's own units are."""
    return machine.config / "systemd" / "user"


def wanted(machine: Machine, task: Task, now: datetime) -> Installed:
    """What an installation of today would be."""
    return systemd.read(systemd.service(task), systemd.timer(task))


def look(machine: Machine, zone: ZoneInfo, now: datetime) -> list[Found]:
    """Nobody is asked where no file of ours is. Raises NoAnswer."""
    ends = (".timer", ".service")
    ours = [path for end in ends for path in folder(machine).glob(f"{systemd.PREFIX}*{end}")]
    # Somebody else's unit may begin alike.
    names = sorted({path.stem for path in ours if is_name(systemd.task_name(path.stem))})
    if not names:
        return []
    units = [f"{one}{end}" for one in names for end in ends]
    out = machine.must(("systemctl", "--user", "show", f"--property={_ASKED}", *units))
    told = systemd.shown(out)
    return [
        _found(machine, one, told.get(f"{one}.timer", {}), told.get(f"{one}.service", {})) for one in names
    ]


def _found(machine: Machine, one: str, timer: Mapping[str, str], service: Mapping[str, str]) -> Found:
    texts = [_text(folder(machine) / f"{one}{end}") for end in (".service", ".timer")]
    last = _instant(timer.get("LastTriggerUSec"))
    return Found(
        one,
        systemd.read(*texts),
        timer.get("UnitFileState") == "enabled" and timer.get("ActiveState") == "active",
        last,
        _instant(timer.get("NextElapseUSecRealtime")),
        _code(service, last),
        TIMEOUT if service.get("Result") == "timeout" else "",
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _code(service: Mapping[str, str], last: datetime | None) -> int | None:
    """How it last ended; since the machine was started anew systemd does not know it."""
    if service.get("ActiveState") == "activating" and service.get("Result") == "success":
        return RUNNING
    if not _instant(service.get("ExecMainExitTimestamp")):
        return None if last else NEVER
    status = int(service.get("ExecMainStatus") or 0)
    return status if service.get("ExecMainCode") == "1" else 128 + status


def _instant(text: str | None) -> datetime | None:
    """`Tue 2026-11-24 21:00:00 UTC`, as systemctl writes under TZ=UTC; empty, n/a or 0 is none."""
    try:
        return datetime.strptime(text or "", "%a %Y-%m-%d %H:%M:%S %Z").replace(tzinfo=UTC)
    except ValueError:
        return None


def install(machine: Machine, wanted: Sequence[Task], found: Sequence[Found], now: datetime) -> Plan:
    """Writes every unit, starts the timers, and takes away what the settings no longer have."""
    names = [name(task) for task in wanted]
    old = [one.name for one in found if one.name not in names]
    files = {
        folder(machine) / file: text.encode() for task in wanted for file, text in systemd.files(task).items()
    }
    changed = [path.name for path, content in files.items() if path.exists() and path.read_bytes() != content]
    again = [file for file in changed if file.endswith(".timer")]
    enable: Words = ("systemctl", "--user", "enable", "--now", *_timers(names))
    restart: tuple[Words, ...] = (("systemctl", "--user", "restart", *again),) if again else ()
    return Plan(
        # Asked before a file is written: without a session of systemd nothing is left half done.
        first=_disable(machine, old),
        gone=tuple(systemd.paths(folder(machine), old)),
        files=files,
        then=(_RELOAD, enable, *restart),
    )


def remove(machine: Machine, found: Sequence[Found]) -> Plan:
    """Stops the timers and takes the units away; a run under way goes on."""
    names = [one.name for one in found]
    if not names:
        return Plan()
    gone = tuple(systemd.paths(folder(machine), names))
    return Plan(first=_disable(machine, names), gone=gone, then=(_RELOAD,))


def _timers(names: Sequence[str]) -> list[str]:
    return [f"{one}.timer" for one in names]


def _disable(machine: Machine, names: Sequence[str]) -> tuple[Words, ...]:
    """Of a unit that somebody removed by half there is nothing to disable."""
    timers = [timer for timer in _timers(names) if (folder(machine) / timer).exists()]
    return (("systemctl", "--user", "disable", "--now", *timers),) if timers else (_RELOAD,)
