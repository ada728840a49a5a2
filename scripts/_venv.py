"""The only place that makes `.venv` and installs into it, for start.py and check.py.

Standard library only: this runs before anything is installed.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
OLDEST = (3, 11)

if sys.version_info < OLDEST:
    sys.exit("Python 3.11 or newer is needed; this is %d.%d." % sys.version_info[:2])  # noqa: UP031

# Scripts find the project's modules from wherever they are called.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from storage.texts import _  # noqa: E402


class CannotPrepare(Exception):
    """The environment cannot be made; the text says what to do."""


def say(text: str) -> None:
    """Prints at once, also into a pipe, and also where the console's code page lacks a letter."""
    try:
        print(text, flush=True)
    except UnicodeEncodeError:
        print(text.encode("ascii", "replace").decode(), flush=True)


def python() -> Path:
    """The interpreter of the environment, whether it is there yet or not."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def inside() -> bool:
    """Whether this process already runs in the environment."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def ensure(requirements: str) -> Path:
    """Makes `.venv` where it is missing, installs `requirements` where it changed since; the interpreter.

    Raises CannotPrepare.
    """
    version = _version()
    if version is None:
        say(_("Making the environment {folder} …").format(folder=VENV.name))
        _make()
        version = _version()
    if version is None or version < OLDEST:
        raise CannotPrepare(
            _("{folder} has no Python 3.11 or newer. Remove it, then run this again.").format(folder=VENV)
        )
    wanted = {name: _digest(name, version) for name in _chain(requirements)}
    stamp = _stamp()
    if any(stamp.get(name) != digest for name, digest in wanted.items()):
        say(_("Installing {file}; the first time takes a few minutes …").format(file=requirements))
        _install(requirements)
        _stamp_file().write_text(json.dumps({**stamp, **wanted}), encoding="utf-8")
    return python()


def reenter(script: Path, arguments: Sequence[str]) -> int:
    """Runs `script` again in the environment: takes this process's place, except on Windows."""
    command = [str(python()), str(script), *arguments]
    sys.stdout.flush()
    if os.name == "posix":
        os.execv(command[0], command)
    # The child hears Ctrl-C too and ends in order; this process only waits for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.call(command)


def adds_ensurepip() -> str:
    """What to type so that this Python can make an environment."""
    if shutil.which("apt-get") is None:
        return _("install a complete Python 3.11 or newer, or put uv on PATH")
    ours = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    package = "python3-venv" if _default_python() == ours else f"{ours}-venv"
    root = os.name == "posix" and os.geteuid() == 0
    return f"{'' if root else 'sudo '}apt-get install -y {package}"


def _default_python() -> str:
    """`python3.11`: the one whose parts Debian's packages without a version belong to."""
    return Path("/usr/bin/python3").resolve().name


def _make() -> None:
    uv = shutil.which("uv")
    if uv:
        _run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV)])
        return
    if importlib.util.find_spec("ensurepip") is None:
        raise CannotPrepare(
            _(
                "This Python cannot make an environment: ensurepip is missing. To add it:\n\n    {command}\n"
            ).format(command=adds_ensurepip())
        )
    _run([sys.executable, "-m", "venv", str(VENV)])


def _install(requirements: str) -> None:
    uv = shutil.which("uv")
    if uv:
        _run([uv, "pip", "install", "--quiet", "--python", str(python()), "-r", str(ROOT / requirements)])
        return
    if not _works([str(python()), "-m", "pip", "--version"]):
        # An environment that uv made, or one left over from another Python, has no pip.
        _make()
    pip = [str(python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "-r", str(ROOT / requirements)])


def _run(command: Sequence[str]) -> None:
    # A personal `user = true` of pip does not go together with an environment.
    code = subprocess.call(command, env={**os.environ, "PIP_USER": "0"}, stdin=subprocess.DEVNULL)
    if code:
        raise CannotPrepare(
            _("This ended with code {code}: {command}").format(code=code, command=" ".join(command))
        )


def _works(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _version() -> tuple[int, ...] | None:
    """(3, 11) of the environment's Python, asked of itself: the one it was made from may be gone."""
    if not python().exists():
        return None
    question = "import sys; print(*sys.version_info[:2])"
    said = subprocess.run([str(python()), "-c", question], capture_output=True, text=True, check=False)
    return tuple(map(int, said.stdout.split())) if said.returncode == 0 else None


def _chain(requirements: str) -> list[str]:
    """`requirements` and the files that it includes with `-r`."""
    lines = (ROOT / requirements).read_text(encoding="utf-8").splitlines()
    included = [line.split(None, 1)[1].strip() for line in lines if line.startswith("-r ")]
    return [requirements, *(name for one in included for name in _chain(one))]


def _digest(requirements: str, version: tuple[int, ...]) -> str:
    # The version too: after an upgrade of Python the packages are where it does not look.
    digest = hashlib.sha256(repr(version).encode())
    for name in _chain(requirements):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _stamp_file() -> Path:
    return VENV / "installed.json"


def _stamp() -> dict[str, str]:
    try:
        stamp = json.loads(_stamp_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}
