"""The scheduler of the operating system beside ours: what is installed, how it ended, what differs."""

from collectors.console_lines import moment
from collectors.doctor.case import Case
from collectors.doctor.finding import Finding, ok, warn
from collectors.doctor.words import parted
from collectors.schedule import results
from collectors.schedule.state import TaskState
from storage.texts import _

INSTALL = "python collect.py schedule install"
# Some of it, or another run was under way: our own codes that need no hand at the scheduler.
_FINE = (0, 1, 75, 130, 0x41300, results.RUNNING, 0x41302, results.NEVER)


def scheduler(case: Case) -> Finding:
    """Installed as the settings want it, and what came of the last start."""
    found = case.schedule
    if found.problem is not None:
        if case.settings.demo:
            return ok("scheduler", found.problem.said())
        message, advice = parted(found.problem.said())
        until = _("Until then nothing starts by itself: {command}").format(command="python collect.py all")
        return warn("scheduler", message, f"{advice} {until}".strip())
    there = [task for task in found.tasks if task.installed]
    install = _("Run {command}.").format(command=INSTALL)
    if not there:
        return warn("scheduler", _("Not installed: nothing starts by itself."), install)
    said = "; ".join(line(case, task) for task in there)
    if not found.right:
        return warn("scheduler", f"{said}. {_differs(found.tasks)}", install)
    if any(went_wrong(task) for task in there):
        advice = _("{command} says which step and why.").format(command="python collect.py status")
        return warn("scheduler", f"{said}.", advice)
    return ok("scheduler", f"{said}.")


def line(case: Case, task: TaskState) -> str:
    """ "06:00 liquidity crypto: last 24 Nov 06:00, ok; next 25 Nov 06:00"."""
    at = f"{task.at:%H:%M}" if task.at else task.name
    text = _("{at} {pipelines}: last {last}, next {next}")
    last = moment(case.settings, task.last_run)
    if task.result:
        last = f"{last} ({task.result})"
    return text.format(
        at=at, pipelines=" ".join(task.pipelines), last=last, next=moment(case.settings, task.next_run)
    )


def went_wrong(task: TaskState) -> bool:
    """The last start did not do its work."""
    code = None if task.code is None else task.code & 0xFFFFFFFF
    return task.said == results.TIMEOUT or (code is not None and code not in _FINE)


def _differs(tasks: tuple[TaskState, ...]) -> str:
    """The first difference, in words."""
    for task in tasks:
        if not task.installed:
            return _("Not installed: {name}").format(name=task.name)
        if not task.wanted:
            return _("No longer in the settings: {name}").format(name=task.name)
    drift = next((one for task in tasks for one in task.drift if not one.lasting), None)
    return _("It differs from the settings: {drift}").format(drift=drift.said() if drift else "")
