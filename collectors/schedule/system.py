"""The only file that runs a command of the operating system for the schedule, and writes what it reads.

Every command has a time limit; one that is missing, slow or refused is NoAnswer, which says what to do.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

from collectors.schedule.drift import Installed
from storage import clock
from storage.texts import N_, say

PLATFORMS = ("windows", "systemd", "launchd")
Words = tuple[str, ...]

_MISSING = {
    "powershell.exe": N_(
        "{tool} was not found. Put System32\\WindowsPowerShell\\v1.0 of the Windows folder on PATH."
    ),
    "systemctl": N_(
        "{tool} was not found: this system has no systemd. Let its own scheduler, such as cron, "
        "start what schedule install --print shows."
    ),
    "launchctl": N_("{tool} was not found: only macOS has it."),
}
_SLOW = N_("{tool} did not answer in time. Try again.")
_FAILED = N_("{tool} failed with code {code}: {reason}")
_NO_SESSION = N_(
    "systemd keeps no session for this user ({reason}). Sign in as this user, or let an administrator run "
    "loginctl enable-linger, and try again."
)
_UNWRITABLE = N_("{path} cannot be written ({reason}). Free it, and try again.")

_HOMELESS = N_("This user has no home folder, so no schedule of its own. Set HOME to a folder.")


class NoAnswer(Exception):
    """The operating system did not do or tell what was asked: a gettext id and its values."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message, self.values = message, values

    def said(self) -> str:
        """In the current language."""
        return say(self.message, self.values)


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended and what it said."""

    code: int
    out: str = ""
    err: str = ""


Runner = Callable[[Sequence[str], float], Answer]


@dataclass(frozen=True, slots=True)
class Found:
    """A task of ours that the operating system has; `code`: how it last ended, `result`: or in words."""

    name: str
    installed: Installed
    enabled: bool
    last_run: datetime | None = None
    next_run: datetime | None = None
    code: int | None = None
    result: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an installation or removal does, in this order; `passing`: the files serve only the commands."""

    first: tuple[Words, ...] = ()
    gone: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()
    files: Mapping[Path, bytes] = field(default_factory=dict)
    then: tuple[Words, ...] = ()
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a schedule lives: how commands are run and until when, whose it is, what its clock shows."""

    platform: str
    run: Runner
    until: float
    home: Path
    config: Path
    uid: int
    zone: tzinfo

    @property
    def scratch(self) -> Path:
        """A folder for what serves one command only."""
        # Imported for the few who need it: it loads every compression there is.
        import tempfile

        return Path(tempfile.gettempdir()) / f"daily-data-collector-{os.getpid()}"

    def ask(self, words: Sequence[str]) -> Answer:
        """Raises NoAnswer where the command is missing or too slow."""
        try:
            return self.run(words, max(0.05, self.until - monotonic()))
        except FileNotFoundError:
            raise NoAnswer(_MISSING[words[0]], tool=words[0]) from None
        except subprocess.TimeoutExpired:
            raise NoAnswer(_SLOW, tool=words[0]) from None
        except OSError as error:
            raise NoAnswer(_FAILED, tool=words[0], code=error.errno, reason=error.strerror) from None

    def must(self, words: Sequence[str]) -> str:
        """What it said. Raises NoAnswer where it failed, too."""
        answer = self.ask(words)
        if answer.code:
            reason = " ".join((answer.err or answer.out).split())[:300]
            message = _NO_SESSION if "connect to bus" in reason else _FAILED
            raise NoAnswer(message, tool=words[0], code=answer.code, reason=reason)
        return answer.out


def here() -> str:
    """The platform of this machine."""
    return {"win32": "windows", "darwin": "launchd"}.get(sys.platform, "systemd")


def machine(platform: str, within_s: float) -> Machine:
    """This machine, for as long as an answer may take altogether. Raises NoAnswer for a user without home."""
    try:
        home = Path.home()
    except RuntimeError:
        raise NoAnswer(_HOMELESS) from None
    return Machine(
        platform,
        _run,
        monotonic() + within_s,
        home,
        Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config"),
        getattr(os, "getuid", lambda: 0)(),
        _zone(),
    )


def _zone() -> tzinfo:
    """The zone of the machine's clock; by name where it has one, else as it stands today."""
    _before, found, name = os.path.realpath("/etc/localtime").rpartition("zoneinfo/")
    try:
        return ZoneInfo(name) if found else _zone_of_today()
    except (KeyError, ValueError, OSError):
        return _zone_of_today()


def _zone_of_today() -> tzinfo:
    return clock.now().astimezone().tzinfo or UTC


def _run(words: Sequence[str], within_s: float) -> Answer:
    windows = sys.platform == "win32"
    done = subprocess.run(
        list(words),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=within_s,
        # Times come in UTC and words in English, whatever the machine speaks.
        env={**os.environ, "TZ": "UTC", "LC_ALL": "C"},
        # Without it every look under pythonw would flash a console window.
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    speaks = "oem" if windows else "utf-8"
    return Answer(
        done.returncode, done.stdout.decode(speaks, "replace"), done.stderr.decode(speaks, "replace")
    )


def carry_out(machine: Machine, plan: Plan) -> None:
    """Does what a plan says. Raises NoAnswer at the first thing that fails."""
    for words in plan.first:
        machine.must(words)
    try:
        _write(plan)
        for words in plan.then:
            machine.must(words)
    finally:
        if plan.passing:
            for path in plan.files:
                path.unlink(missing_ok=True)
            if machine.scratch.is_dir():
                machine.scratch.rmdir()


def _write(plan: Plan) -> None:
    path = Path()
    try:
        for path in plan.gone:
            path.unlink(missing_ok=True)
        for path in plan.folders:
            path.mkdir(parents=True, exist_ok=True)
        for path, content in plan.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise NoAnswer(_UNWRITABLE, path=path, reason=error.strerror) from None
