"""The one command that checks everything: style, types, tests; `.ci/run` calls exactly this.

`python scripts/check.py [pytest arguments]`, for example `python scripts/check.py -k start`.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import _venv
from _venv import ROOT, say
from storage.texts import _

# Files side by side, each in order, the longest first: one more than there are processors, since much of what
# is tested is a wait; several more would delay each other.
WORKERS = min(4, (os.cpu_count() or 1) + 1)
SIDE_BY_SIDE = ("-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder")
PACKAGES = ("chromium", "fonts-noto-cjk")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)


class Stage(NamedTuple):
    """What one stage came to: exit code 0 is ok, None is left out."""

    name: str
    code: int | None
    seconds: float

    def __str__(self) -> str:
        if self.code is None:
            outcome = _("LEFT OUT")
        else:
            outcome = _("ok") if self.code == 0 else _("BROKEN (code {code})").format(code=self.code)
        return _("{stage}: {outcome}, {seconds} s").format(
            stage=self.name, outcome=outcome, seconds=f"{self.seconds:.1f}"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """0 where every stage is ok, else 1. Every stage runs, whatever the ones before it said."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments in (["-h"], ["--help"]):
        say(__doc__ or "")
        return 0
    try:
        return _report([_timed(name, stage) for name, stage in _stages(arguments)])
    except _venv.CannotPrepare as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _stages(pytest_arguments: Sequence[str]) -> list[tuple[str, Callable[[], int | None]]]:
    # As on a reader's machine: hundreds of processes of these tests would otherwise compile the program anew.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def tool(*words: str) -> Callable[[], int]:
        return lambda: subprocess.call([str(_venv.python()), "-m", *words], cwd=ROOT, env=environment)

    return [
        ("environment", _environment),
        ("chromium", _chromium),
        ("ruff check", tool("ruff", "check", ".")),
        ("ruff format", tool("ruff", "format", "--check", ".")),
        ("mypy", tool("mypy")),
        ("pytest", tool("pytest", *SIDE_BY_SIDE, *pytest_arguments)),
    ]


def _timed(name: str, stage: Callable[[], int | None]) -> Stage:
    began = time.monotonic()
    say(f"\n── {name}")
    done = Stage(name, stage(), time.monotonic() - began)
    say(str(done))
    return done


def _report(stages: Sequence[Stage]) -> int:
    say("\n── " + _("summary"))
    for stage in stages:
        say(str(stage))
    if any(stage.name == "chromium" and stage.code is None for stage in stages):
        _notice()
    return 1 if any(stage.code for stage in stages) else 0


def _environment() -> int:
    _venv.ensure("requirements-dev.txt")
    return 0


def find_chromium() -> str | None:
    """The path of a Chromium, Chrome or Edge on this machine, None where there is none."""
    on_path = next((found for name in NAMES if (found := shutil.which(name))), None)
    return on_path or next((place for place in PLACES if Path(place).exists()), None)


def _chromium() -> int | None:
    """Installs Debian's Chromium where that is possible; never fails, only leaves out."""
    if find_chromium() is None and _may_install():
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (("update",), ("install", "-y", "--no-install-recommends", *PACKAGES)):
            subprocess.call(["apt-get", "-q", *words], env=environment, stdin=subprocess.DEVNULL)
    found = find_chromium()
    if found is None:
        _notice()
        return None
    say(found)
    return 0


def _may_install() -> bool:
    return os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _notice() -> None:
    line = "!" * 78
    text = _("NO CHROMIUM: the browser tests are skipped. On Debian or Ubuntu: {command}")
    say(f"{line}\n{text.format(command='sudo apt-get install -y ' + ' '.join(PACKAGES))}\n{line}")


if __name__ == "__main__":
    sys.exit(main())
