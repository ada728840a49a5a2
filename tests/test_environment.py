"""The environment that start.py and check.py make: when it is made, installed into, or refused.

Nothing is installed here: uv, venv and pip are recorded, not run.
"""

import importlib.util
import sys
from pathlib import Path

import pytest

import _venv
import start


class Commands:
    """Stands in for uv, venv and pip: remembers what was asked and makes the folder."""

    def __init__(self, venv: Path) -> None:
        self.venv = venv
        self.asked: list[list[str]] = []

    def __call__(self, command: list[str]) -> None:
        self.asked.append(command)
        self.venv.mkdir(exist_ok=True)

    def installs(self) -> int:
        return sum("install" in command for command in self.asked)


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """A project of two requirement files in a temporary folder, without uv."""
    (tmp_path / "requirements.txt").write_text("duckdb==1\n")
    (tmp_path / "requirements-dev.txt").write_text("# more\n-r requirements.txt\nruff==1\n")
    found = Commands(tmp_path / ".venv")
    monkeypatch.setattr(_venv, "ROOT", tmp_path)
    monkeypatch.setattr(_venv, "VENV", found.venv)
    monkeypatch.setattr(_venv, "_run", found)
    monkeypatch.setattr(_venv, "_works", lambda command: True)
    monkeypatch.setattr(_venv, "_version", lambda: (3, 11) if found.venv.exists() else None)
    monkeypatch.setattr(_venv.shutil, "which", lambda name: None)
    return found


def test_it_installs_once_and_again_only_when_a_requirement_changed(
    commands: Commands, tmp_path: Path
) -> None:
    for _again in range(2):
        _venv.ensure("requirements.txt")
    assert [commands.asked[0][1:3], commands.installs()] == [["-m", "venv"], 1]
    (tmp_path / "requirements.txt").write_text("duckdb==2\n")
    _venv.ensure("requirements.txt")
    assert commands.installs() == 2


def test_what_checks_brings_what_runs_and_notices_its_change(commands: Commands, tmp_path: Path) -> None:
    _venv.ensure("requirements-dev.txt")
    _venv.ensure("requirements.txt")
    assert commands.installs() == 1
    (tmp_path / "requirements.txt").write_text("duckdb==2\n")
    _venv.ensure("requirements-dev.txt")
    assert commands.installs() == 2


def test_it_installs_again_after_an_upgrade_of_python(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    _venv.ensure("requirements.txt")
    monkeypatch.setattr(_venv, "_version", lambda: (3, 12))
    _venv.ensure("requirements.txt")
    assert commands.installs() == 2


def test_a_failed_installation_is_tried_again(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(command: list[str]) -> None:
        commands(command)
        if "install" in command:
            raise _venv.CannotPrepare("no network")

    monkeypatch.setattr(_venv, "_run", fails)
    for _again in range(2):
        with pytest.raises(_venv.CannotPrepare):
            _venv.ensure("requirements.txt")
    assert commands.installs() == 2


def test_uv_is_used_where_it_is_on_path(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_venv.shutil, "which", lambda name: "/bin/uv" if name == "uv" else None)
    _venv.ensure("requirements.txt")
    assert [command[:2] for command in commands.asked] == [["/bin/uv", "venv"], ["/bin/uv", "pip"]]


def test_an_environment_of_an_old_python_is_named_and_left_alone(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_venv, "_version", lambda: (3, 9))
    with pytest.raises(_venv.CannotPrepare, match=r"\.venv"):
        _venv.ensure("requirements.txt")
    assert commands.asked == []


@pytest.mark.parametrize(
    ("user", "default", "command"),
    [
        (0, "{ours}", "apt-get install -y python3-venv"),
        (1000, "{ours}", "sudo apt-get install -y python3-venv"),
        (1000, "python3.0", "sudo apt-get install -y {ours}-venv"),
    ],
)
def test_where_ensurepip_is_missing_the_exact_command_is_printed(
    user: int,
    default: str,
    command: str,
    commands: Commands,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ours = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    real = importlib.util.find_spec
    monkeypatch.setattr(
        _venv.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else real(name)
    )
    monkeypatch.setattr(_venv.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    monkeypatch.setattr(_venv.os, "geteuid", lambda: user, raising=False)
    monkeypatch.setattr(_venv, "_default_python", lambda: default.format(ours=ours))
    assert start.main(["--no-browser"]) == 1
    assert f"\n    {command.format(ours=ours)}\n" in capsys.readouterr().err
    assert commands.asked == []
