"""What is to be scheduled: one start a day for every time of COLLECTOR_SCHEDULE, and the words it takes."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from storage.settings import PIPELINE_NAMES, ROOT, Settings

SCRIPT = "collect.py"
# Set for one shell, these would not reach a task: it would collect into another store or at another hour.
CARRIED = ("COLLECTOR_HOME", "COLLECTOR_DATABASE", "COLLECTOR_TIMEZONE", "COLLECTOR_SCHEDULE")
# What a scheduled start has no use for.
_OF_THE_CONSOLE = frozenset(
    {
        "COLLECTOR_DEMO",
        "COLLECTOR_BIND",
        "COLLECTOR_PORT",
        "COLLECTOR_ALLOWED_HOSTS",
        "COLLECTOR_API_TOKEN",
        "COLLECTOR_LANG",
        "COLLECTOR_UP_COLOR",
    }
)
# How long a start may take at most, and how a failed one is tried again.
LIMIT_MIN, AGAIN_MIN, AGAIN_TIMES = 45, 10, 3


@dataclass(frozen=True, slots=True)
class Task:
    """One start a day: `at` in `zone`; `program` is the interpreter, `folder` the project, `logs` where
    a platform without a journal keeps what it prints."""

    at: time
    zone: ZoneInfo
    pipelines: tuple[str, ...]
    after: tuple[str, ...]
    program: str
    folder: str
    logs: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people see: `0600 liquidity crypto`; Windows allows no colon."""
        return " ".join((f"{self.at:%H%M}", *self.pipelines))

    @property
    def script(self) -> str:
        """The command line's file, absolute."""
        return str(Path(self.folder) / SCRIPT)

    @property
    def words(self) -> tuple[str, ...]:
        """What follows the interpreter: the script and what to collect."""
        after = ("--after", *self.after) if self.after else ()
        return ("-X", "utf8", self.script, *self.pipelines, *after, "--trigger", "schedule")

    def today(self, now: datetime) -> datetime:
        """Its time on the day that `now` has in its zone."""
        return datetime.combine(now.astimezone(self.zone).date(), self.at, self.zone)


def is_name(text: str) -> bool:
    """Whether it is a name that `Task.name` gives."""
    clock, *names = text.split(" ")
    return len(clock) == 4 and clock.isdecimal() and bool(names) and set(names) <= set(PIPELINE_NAMES)


def plan(settings: Settings, platform: str) -> tuple[Task, ...]:
    """The tasks that the settings want, in order of time; each waits for all that earlier ones collect."""
    by_time: dict[time, set[str]] = {}
    for at, names in settings.slots:
        by_time.setdefault(at, set()).update(names)
    tasks: list[Task] = []
    before: set[str] = set()
    for at, wanted in by_time.items():
        task = Task(
            at,
            settings.zone,
            _ordered(wanted),
            _ordered(before - wanted),
            interpreter(platform),
            str(ROOT),
            str(settings.home / "logs"),
            carried(settings),
        )
        tasks.append(task)
        before |= wanted
    return tuple(tasks)


def _ordered(names: set[str]) -> tuple[str, ...]:
    return tuple(name for name in PIPELINE_NAMES if name in names)


def interpreter(platform: str) -> str:
    """The Python of this environment, absolute; on Windows the one without a console window."""
    ours = Path(sys.executable)
    if platform != "windows":
        return str(ours if sys.platform != "win32" else ROOT / ".venv" / "bin" / "python")
    if sys.platform != "win32":
        # Only printed here, for another machine.
        return str(ROOT / ".venv" / "Scripts" / "pythonw.exe")
    quiet = ours.with_name("pythonw.exe")
    return str(quiet if quiet.exists() else ours)


def explicit(name: str) -> bool:
    """Whether a setting stands in the environment of this process; `.env` every start reads by itself."""
    return bool(os.environ.get(name, "").strip())


def carried(settings: Settings) -> dict[str, str]:
    """Settings that a task has to be told, paths absolute. Never a secret."""
    values = {
        "COLLECTOR_HOME": settings.base_home,
        "COLLECTOR_DATABASE": settings.database_path,
        "COLLECTOR_TIMEZONE": settings.timezone,
        "COLLECTOR_SCHEDULE": settings.schedule,
    }
    return {name: str(values[name]) for name in CARRIED if explicit(name)}


def left_behind(settings: Settings) -> list[str]:
    """Settings of this environment that neither a task is told nor `.env` holds: keys, above all."""
    from dotenv import dotenv_values

    file = settings.model_config.get("env_file")
    held = {name for name, value in dotenv_values(str(file)).items() if value} if file else set()
    names = {str(one.validation_alias) for one in type(settings).model_fields.values()}
    return sorted(name for name in names - {*CARRIED, *held, *_OF_THE_CONSOLE} if explicit(name))


def collected(words: Sequence[str]) -> tuple[str, ...]:
    """The pipelines that a command line of ours collects; none if it is not one."""
    found: list[str] = []
    places = [at for at, word in enumerate(words) if word.endswith(SCRIPT)]
    for word in words[places[0] + 1 :] if places else ():
        if word.startswith("-"):
            break
        found += PIPELINE_NAMES if word == "all" else [word]
    return tuple(name for name in found if name in PIPELINE_NAMES)


def script_of(words: Sequence[str]) -> str | None:
    """The `collect.py` that a command line starts."""
    return next((word for word in words if word.endswith(SCRIPT)), None)


def same_store(settings: Settings, environment: Mapping[str, str]) -> bool:
    """Whether a task with that environment collects into the store of these settings."""
    unset = {
        "COLLECTOR_HOME": ROOT / "data" if explicit("COLLECTOR_HOME") else settings.base_home,
        "COLLECTOR_DATABASE": None if explicit("COLLECTOR_DATABASE") else settings.database_path,
    }
    ours = {"COLLECTOR_HOME": settings.base_home, "COLLECTOR_DATABASE": settings.database_path}
    return all(environment.get(name, str(unset[name])) == str(ours[name]) for name in unset)


def wanders(zone: tzinfo, other: tzinfo, year: int) -> bool:
    """Whether two zones stand differently to each other in the course of a year."""
    # By weeks: between Europe and America it is only a few of them.
    days = (date(year, 1, 1) + timedelta(weeks=week) for week in range(53))
    noons = [datetime.combine(day, time(12), zone) for day in days]
    return (
        len({noon.astimezone(other).replace(tzinfo=None) - noon.replace(tzinfo=None) for noon in noons}) > 1
    )
