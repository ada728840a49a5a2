"""A task as systemd has it for one user: a timer and a service, written and read. Asks nobody."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from collectors.schedule import drift
from collectors.schedule.drift import Installed
from collectors.schedule.tasks import AGAIN_MIN, AGAIN_TIMES, LIMIT_MIN, Task
from storage.texts import N_, _

PREFIX = "daily-data-collector-"
_LABELS = {
    "Timer.OnCalendar": drift.START,
    "Timer.Persistent": drift.MISSED,
    "Timer.Unit": N_("what the timer starts"),
    "Service.ExecStart": drift.ARGUMENTS,
    "Service.WorkingDirectory": drift.FOLDER,
    "Service.Environment": drift.SETTINGS,
    "Service.TimeoutStartSec": drift.LIMIT,
    "Service.SuccessExitStatus": N_("codes that count as success"),
    "Service.RestartPreventExitStatus": N_("codes that are not tried again"),
    "Service.Restart": N_("when it is tried again"),
    "Service.RestartSec": N_("pause before another try"),
    "Unit.StartLimitBurst": N_("tries after a failure"),
    "Install.WantedBy": drift.SWITCHED_ON,
}
# systemd starts no program with a quote in its path, this one does.
_ENV = "/usr/bin/env"
# What it says for people; no difference.
_FREE = ("Unit.Description",)


def name(task: Task) -> str:
    """The unit without its ending."""
    return PREFIX + task.name.replace(" ", "-")


def task_name(unit: str) -> str:
    """The reverse, of whatever begins with PREFIX."""
    return unit.removeprefix(PREFIX).replace("-", " ")


def files(task: Task) -> dict[str, str]:
    """The two units, by file name."""
    return {f"{name(task)}.service": service(task), f"{name(task)}.timer": timer(task)}


def timer(task: Task) -> str:
    """Starts the service every day at its hour, and after power-on if the hour was missed."""
    return f"""\
[Unit]
Description={_percent(_description(task))}

[Timer]
OnCalendar=*-*-* {task.at:%H:%M:%S} {task.zone.key}
Persistent=true
Unit={name(task)}.service

[Install]
WantedBy=timers.target
"""


def service(task: Task) -> str:
    """One collection. Partial (1) and busy (75) are told by the console, not as a failed unit; what
    a person stopped and what cannot be used are not tried again."""
    program = (_ENV, task.program) if set("'\"\\") & set(task.program) else (task.program,)
    words = " ".join(quoted(word) for word in (*program, *task.words))
    told = "".join(f"Environment={quoted(f'{key}={value}')}\n" for key, value in task.environment.items())
    return f"""\
[Unit]
Description={_percent(_description(task))}
StartLimitIntervalSec={(AGAIN_MIN + LIMIT_MIN) * (AGAIN_TIMES + 1)}min
StartLimitBurst={AGAIN_TIMES + 1}

[Service]
Type=oneshot
# The colon: a dollar sign stays one.
ExecStart=:{words}
WorkingDirectory={_percent(task.folder)}
{told}TimeoutStartSec={LIMIT_MIN}min
SuccessExitStatus=1 75
Restart=on-failure
RestartSec={AGAIN_MIN}min
RestartPreventExitStatus=2 130 143
"""


def _description(task: Task) -> str:
    return _("Collects {pipelines}.").format(pipelines=" ".join(task.pipelines))


def quoted(word: str) -> str:
    """A word by systemd's rules: one word whatever it holds, and % no specifier."""
    inside = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{_percent(inside)}"'


def _percent(text: str) -> str:
    return text.replace("%", "%%")


# ---------------------------------------------------------------- read


def read(service: str, timer: str) -> Installed:
    """What two installed units mean."""
    facts: dict[str, str] = {}
    words: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    for key, value in (*_lines(timer), *_lines(service)):
        if key in _FREE:
            continue
        if key == "Service.ExecStart":
            words = tuple(word for word in _words(value.lstrip(":")) if word != _ENV)
        elif key == "Service.Environment":
            environment |= dict(pair.partition("=")[::2] for pair in _words(value))
        elif key == "Service.WorkingDirectory":
            value = value.replace("%%", "%")
        label = _LABELS.get(key, key)
        facts[label] = f"{facts[label]} {value}" if label in facts else value
    facts[drift.PROGRAM] = words[0] if words else ""
    facts[drift.ARGUMENTS] = shlex.join(words[1:])
    facts[drift.SETTINGS] = drift.told(environment)
    return Installed(facts, words, environment)


def _lines(unit: str) -> list[tuple[str, str]]:
    """(Section.Key, value) of every line that says something."""
    section, found = "", []
    for line in unit.splitlines():
        if head := re.fullmatch(r"\[(\w+)\]\s*", line):
            section = head[1]
        elif "=" in line and not line.startswith(("#", ";")):
            key, _equals, value = line.partition("=")
            found.append((f"{section}.{key.strip()}", value.strip()))
    return found


def _words(value: str) -> list[str]:
    try:
        return [word.replace("%%", "%") for word in shlex.split(value)]
    except ValueError:
        # A quote that is open: nothing that we wrote.
        return [value]


# ---------------------------------------------------------------- answers of systemctl


def shown(out: str) -> dict[str, dict[str, str]]:
    """`systemctl show` of several units: properties by unit."""
    units: dict[str, dict[str, str]] = {}
    for block in out.strip().split("\n\n"):
        pairs = dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)
        units[pairs.get("Id", "")] = pairs
    return units


def paths(folder: Path, names: Sequence[str]) -> list[Path]:
    """The files of units in their folder."""
    return [folder / f"{name}{end}" for name in names for end in (".timer", ".service")]
