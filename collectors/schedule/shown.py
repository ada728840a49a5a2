"""What `schedule show` says of the schedule: lines for people, JSON for programs."""

from datetime import datetime

from collectors.console_lines import moment, put
from collectors.schedule import tasks
from collectors.schedule.state import State, TaskState
from storage import clock
from storage.settings import Settings
from storage.texts import _

CALLED = {"windows": "Windows Task Scheduler", "systemd": "systemd", "launchd": "launchd"}
INSTALL = "python collect.py schedule install"


def state_json(settings: Settings, found: State) -> dict[str, object]:
    """The schedule as one object; times RFC 3339 with Z."""
    return {
        "schema": 1,
        "generated_at": clock.stamp(clock.now()),
        "platform": found.platform,
        "timezone": settings.timezone,
        "demo": settings.demo,
        "problem": found.problem.said() if found.problem else None,
        "tasks": [_task_json(one) for one in found.tasks],
    }


def _task_json(task: TaskState) -> dict[str, object]:
    return {
        "name": task.name,
        "at": f"{task.at:%H:%M}" if task.at else None,
        "pipelines": list(task.pipelines),
        "after": list(task.after),
        "wanted": task.wanted,
        "installed": task.installed,
        "enabled": task.enabled,
        "last_run": _stamp(task.last_run),
        "next_run": _stamp(task.next_run),
        "code": task.code,
        "result": task.result or None,
        "drift": [one.said() for one in task.drift],
    }


def _stamp(at: datetime | None) -> str | None:
    return clock.stamp(at) if at else None


def put_state(settings: Settings, found: State) -> None:
    """What is scheduled, what came of it, what is not as the settings want it."""
    if found.problem is not None:
        put(found.problem.said())
        return
    put(_("{system}, times in {zone}").format(system=CALLED[found.platform], zone=settings.timezone))
    for task in found.tasks:
        at = f"{task.at:%H:%M}" if task.at else task.name
        put(f"  {at} {' '.join(task.pipelines)}: {_condition(task)}")
        if task.installed:
            put(
                "    "
                + _("next run {at} ({zone})").format(
                    at=moment(settings, task.next_run), zone=settings.timezone
                )
            )
            put(
                "    "
                + _("last run {at}, {state}").format(
                    at=moment(settings, task.last_run), state=task.result or "–"
                )
            )
        for one in task.drift:
            put(f"    ! {one.said()}")
    if not found.right:
        put(_("Bring it in line with the settings: {command}").format(command=INSTALL))
    put_left_behind(settings)


def _condition(task: TaskState) -> str:
    if not task.installed:
        return _("not installed")
    if not task.wanted:
        return _("installed, but no longer in the settings")
    return _("installed") if task.enabled else _("installed, but switched off")


def put_left_behind(settings: Settings) -> None:
    """Which settings a scheduled start would miss."""
    if names := tasks.left_behind(settings):
        text = _(
            "{names}: set in this environment only; a scheduled start may not see it. Write it into .env."
        )
        put(text.format(names=", ".join(names)))
