"""How Windows is asked for our tasks, and what it is told: through PowerShell's ScheduledTasks."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from collectors.schedule import tasks, windows
from collectors.schedule.drift import Installed
from collectors.schedule.results import RUNNING
from collectors.schedule.system import Found, Machine, NoAnswer, Plan, Words
from collectors.schedule.tasks import Task
from storage.texts import N_

name = windows.name

# PowerShell takes these, too, for the end of a quoted text.
_QUOTES = "'\u2018\u2019\u201a\u201b"
# No folder yet is no error, everything else is. The answer is ASCII, as the console's code page may not
# have the letters of a path.
_LOOK = (
    "$found = @(Get-ScheduledTask -TaskPath {folder} -ErrorAction SilentlyContinue -ErrorVariable failed); "
    "$failed = @($failed | Where-Object {{ $_.CategoryInfo.Category -ne 'ObjectNotFound' }}); "
    "if ($failed) {{ throw $failed[0] }}; "
    "$told = @($found | ForEach-Object {{ $info = $_ | Get-ScheduledTaskInfo; [pscustomobject]@{{ "
    "name = $_.TaskName; state = [string]$_.State; result = $info.LastTaskResult; "
    "last = $(if ($info.LastRunTime) {{ $info.LastRunTime.ToUniversalTime().ToString('s') }}); "
    "next = $(if ($info.NextRunTime) {{ $info.NextRunTime.ToUniversalTime().ToString('s') }}); "
    "xml = [string](Export-ScheduledTask -TaskName $_.TaskName -TaskPath $_.TaskPath) }} }}); "
    "$json = ConvertTo-Json -InputObject $told -Compress; "
    "[regex]::Replace($json, '[^\\x00-\\x7f]', {{ param($one) '\\u{{0:x4}}' -f [int][char]$one.Value }})"
)
_REGISTER = (
    "Register-ScheduledTask -Xml (Get-Content -LiteralPath {file} -Raw) -TaskName {name} -TaskPath {folder} "
    "-Force | Out-Null"
)
_UNREGISTER = "Unregister-ScheduledTask -TaskName {name} -TaskPath {folder} -Confirm:$false"
# An empty folder is left alone if others put something into it.
_TIDY = (
    "try {{ $service = New-Object -ComObject Schedule.Service; $service.Connect(); "
    "$service.GetFolder('\\').DeleteFolder({bare}, 0) }} catch {{ }}"
)


def literal(text: str) -> str:
    """`text` as PowerShell takes it for itself, whatever it holds."""
    return "'" + "".join(letter * 2 if letter in _QUOTES else letter for letter in text) + "'"


def _command(*statements: str) -> Words:
    script = "; ".join(
        ("$ErrorActionPreference = 'Stop'", "$ProgressPreference = 'SilentlyContinue'", *statements)
    )
    return (
        "powershell.exe",
        "-NoProfile",
        "-NonInteractive",
        "-ExecutionPolicy",
        "Bypass",
        "-Command",
        script,
    )


def _said(statement: str, **words: str) -> str:
    return statement.format(
        folder=literal(windows.FOLDER), **{key: literal(word) for key, word in words.items()}
    )


def wanted(machine: Machine, task: Task, now: datetime) -> Installed:
    """What an installation of today would be."""
    return windows.read(windows.xml(task, now), task.zone, now)


def look(machine: Machine, zone: ZoneInfo, now: datetime) -> list[Found]:
    """What others put into our folder is not ours. Raises NoAnswer."""
    out = machine.must(_command(_said(_LOOK)))
    try:
        rows = json.loads(out.lstrip("\ufeff") or "[]")
        return [_found(row, zone, now) for row in rows if tasks.is_name(row["name"])]
    except (ValueError, TypeError, KeyError):
        raise NoAnswer(
            N_("{tool} answered what cannot be read: {reason}"), tool="powershell.exe", reason=out[:100]
        ) from None


def _found(row: dict[str, Any], zone: ZoneInfo, now: datetime) -> Found:
    last = _instant(row["last"])
    return Found(
        str(row["name"]),
        windows.read(str(row["xml"]), zone, now),
        row["state"] != "Disabled",
        # A task that never ran has a last run of 1999.
        last if last and last.year > 2000 else None,
        _instant(row["next"]),
        RUNNING if row["state"] == "Running" else int(row["result"]),
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(f"{text}+00:00") if text else None


def install(machine: Machine, wanted: Sequence[Task], found: Sequence[Found], now: datetime) -> Plan:
    """Registers every task anew and takes away what the settings no longer have."""
    files = {machine.scratch / f"{task.name}.xml": windows.encoded(windows.xml(task, now)) for task in wanted}
    named = zip(files, wanted, strict=True)
    statements = [_said(_REGISTER, file=str(file), name=task.name) for file, task in named]
    statements += [_said(_UNREGISTER, name=one.name) for one in found if one.name not in map(name, wanted)]
    return Plan(files=files, then=(_command(*statements),), passing=True)


def remove(machine: Machine, found: Sequence[Found]) -> Plan:
    """Takes the tasks away, and their folder."""
    if not found:
        return Plan()
    bare = windows.FOLDER.strip("\\")
    statements = [_said(_UNREGISTER, name=one.name) for one in found]
    return Plan(then=(_command(*statements, _said(_TIDY, bare=bare)),))
