"""`collect.py schedule show | install | remove`: its options, and what it says."""

from __future__ import annotations

import sys

from collectors import options
from storage.texts import N_, _

# A name that type checkers know; `schedule --help` loads nothing that it does not need.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from collectors.schedule.system import Machine, Plan, Words
    from storage.settings import Settings

ACTIONS = ("show", "install", "remove")
PLATFORMS = ("windows", "systemd", "launchd")
FAILED, USAGE = 1, 2
# What a person has to know about who is signed in.
_SIGNED_IN = {
    "windows": N_("The tasks run while you are signed in, and catch up when you sign in again."),
    "systemd": N_("The timers run while you are signed in; loginctl enable-linger lets them run always."),
    "launchd": N_("The agents run while you are signed in."),
}
_INSTALL = "python collect.py schedule install"


def run(argv: Sequence[str], settings_of: Callable[[bool], Settings]) -> int:
    """Does what was asked; gives the exit code."""
    parser = _parser()
    given = parser.parse_args(argv)
    if given.json and given.action != "show":
        parser.error(_("--json goes with show only"))
    settings = settings_of(given.demo)
    from collectors.schedule import state, system

    platform = given.platform or system.here()
    foreign = platform != system.here()
    if foreign and not given.print:
        text = _("this machine has {here}, not {platform}: only with --print")
        parser.error(text.format(here=system.here(), platform=platform))
    if settings.demo and given.action == "install":
        parser.exit(USAGE, f"{parser.prog}: {_(state.DEMO)}\n")
    try:
        if given.action == "show" and not (given.print and not settings.demo):
            return _show(settings, parser.prog, as_json=given.json)
        machine = system.machine(platform, state.PATIENT_S)
        act = _remove if given.action == "remove" else _install
        return act(settings, machine, only_print=given.print, look=not foreign)
    except system.NoAnswer as problem:
        return _failed(parser.prog, problem.said())


def _parser() -> argparse.ArgumentParser:
    about = _("Shows, installs or removes the daily starts in the scheduler of the operating system.")
    parser = options.parser(" schedule", about, _INSTALL)
    parser.add_argument(
        "action",
        metavar="ACTION",
        choices=ACTIONS,
        help=_("one of: {names}").format(names=", ".join(ACTIONS)),
    )
    parser.add_argument("--print", action="store_true", help=_("change nothing, print what would be done"))
    parser.add_argument("--platform", choices=PLATFORMS, help=_("with --print: that of another machine"))
    parser.add_argument("--json", action="store_true", help=_("as one JSON object"))
    return parser


def _failed(prog: str, text: str) -> int:
    if sys.stderr is not None:
        sys.stderr.write(f"{prog}: {text}\n")
    return FAILED


def _show(settings: Settings, prog: str, *, as_json: bool) -> int:
    from collectors import console_lines
    from collectors.schedule import shown, state

    found = state.state(settings, state.PATIENT_S)
    unknown = found.problem is not None and not settings.demo
    if as_json:
        console_lines.put_json(shown.state_json(settings, found))
    elif unknown and found.problem:
        return _failed(prog, found.problem.said())
    else:
        shown.put_state(settings, found)
    return FAILED if unknown else 0


# ---------------------------------------------------------------- install, remove


def _install(settings: Settings, machine: Machine, *, only_print: bool, look: bool) -> int:
    from collectors import console_lines
    from collectors.schedule import shown, state, system, tasks

    if only_print:
        return _print(_plan(lambda ask: state.installation(settings, machine, look=ask), look=look))
    system.carry_out(machine, state.installation(settings, machine))
    for task in tasks.plan(settings, machine.platform):
        console_lines.put(_("Installed: {name}").format(name=state.on(machine.platform).name(task)))
    console_lines.put(_(_SIGNED_IN[machine.platform]))
    shown.put_left_behind(settings)
    return 0


def _remove(settings: Settings, machine: Machine, *, only_print: bool, look: bool) -> int:
    from collectors import console_lines
    from collectors.schedule import state, system

    if only_print:
        return _print(_plan(lambda ask: state.removal(settings, machine, look=ask)[0], look=look))
    plan, names = state.removal(settings, machine)
    system.carry_out(machine, plan)
    for name in names:
        console_lines.put(_("Removed: {name}").format(name=name))
    if not names:
        console_lines.put(_("Nothing was installed."))
    return 0


def _plan(planned: Callable[[bool], Plan], *, look: bool) -> Plan:
    """The plan; where the system cannot be asked, that for a machine that has nothing yet."""
    from collectors.schedule.system import NoAnswer

    try:
        return planned(look)
    except NoAnswer:
        return planned(False)


def _print(plan: Plan) -> int:
    from collectors.console_lines import put
    from collectors.schedule import windows

    for words in plan.first:
        put(_line(words))
    for path in plan.gone:
        put(_("# removed: {path}").format(path=path))
    for path, content in plan.files.items():
        put(f"# {path}")
        put((windows.decoded(content) if content[:2] == b"\xff\xfe" else content.decode()).rstrip() + "\n")
    for words in plan.then:
        put(_line(words))
    if not (plan.first or plan.gone or plan.files or plan.then):
        put(_("There is nothing to do."))
    return 0


def _line(words: Words) -> str:
    import shlex
    import subprocess

    return "$ " + (subprocess.list2cmdline(words) if words[0].endswith(".exe") else shlex.join(words))
