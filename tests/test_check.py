"""check.py: every stage runs, the exit code tells, and a missing Chromium is said loudly."""

from pathlib import Path

import pytest

import _venv
import check


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Exit codes by tool; what is not named succeeds. The keys are who was called."""
    codes: dict[str, int] = {}

    def call(command: list[str], **_how: object) -> int:
        name = command[2] if command[1] == "-m" else command[0]
        codes.setdefault(name, 0)
        return codes[name]

    monkeypatch.setattr(_venv, "ensure", lambda requirements: Path("python"))
    monkeypatch.setattr(check.subprocess, "call", call)
    monkeypatch.setattr(check, "find_chromium", lambda: "/usr/bin/chromium")
    return codes


def test_all_green_is_0_and_every_tool_ran(tools: dict[str, int], capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([]) == 0
    assert set(tools) == {"ruff", "mypy", "pytest"}
    summary = capsys.readouterr().out.split("summary")[1]
    assert [line.split(":")[0] for line in summary.strip().splitlines()] == [
        "environment",
        "chromium",
        "ruff check",
        "ruff format",
        "mypy",
        "pytest",
    ]


@pytest.mark.parametrize("broken", ["ruff", "mypy", "pytest"])
def test_one_broken_stage_makes_it_1_and_stops_no_other(
    broken: str, tools: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    tools[broken] = 4
    assert check.main([]) == 1
    assert set(tools) == {"ruff", "mypy", "pytest"}
    assert "BROKEN (code 4)" in capsys.readouterr().out


def test_words_for_pytest_are_handed_on(tools: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(check.subprocess, "call", lambda command, **_how: seen.append(command[2:]) or 0)
    check.main(["-k", "start", "-x"])
    assert seen[-1] == ["pytest", *check.SIDE_BY_SIDE, "-k", "start", "-x"]


def test_what_python_compiled_is_kept_for_the_next_process(
    tools: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a container says otherwise, every process of the tests would compile the program anew."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("KILL_CYCLES", "3")
    seen: list[dict[str, str]] = []
    monkeypatch.setattr(check.subprocess, "call", lambda command, **how: seen.append(how["env"]) or 0)
    check.main([])
    assert len(seen) == 4
    assert all("PYTHONDONTWRITEBYTECODE" not in env and env["KILL_CYCLES"] == "3" for env in seen)


def test_without_a_chromium_it_says_so_last_and_is_still_green(
    tools: dict[str, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check, "find_chromium", lambda: None)
    monkeypatch.setattr(check, "_may_install", lambda: False)
    assert check.main([]) == 0
    said = capsys.readouterr().out
    assert said.count("NO CHROMIUM") == 2
    assert "NO CHROMIUM" in said.strip().splitlines()[-2]


def test_root_on_debian_gets_a_chromium_installed(
    tools: dict[str, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(check, "_may_install", lambda: True)
    monkeypatch.setattr(check, "find_chromium", lambda: "/usr/bin/chromium" if len(seen) > 1 else None)
    monkeypatch.setattr(check.subprocess, "call", lambda command, **_how: seen.append(command) or 0)
    assert check.main([]) == 0
    assert [command[2] for command in seen[:2]] == ["update", "install"]
    assert "chromium" in seen[1]
    assert "NO CHROMIUM" not in capsys.readouterr().out


def test_an_environment_that_cannot_be_made_is_1_and_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cannot(requirements: str) -> Path:
        raise _venv.CannotPrepare("apt-get install -y python3-venv")

    monkeypatch.setattr(_venv, "ensure", cannot)
    assert check.main([]) == 1
    assert "apt-get install -y python3-venv" in capsys.readouterr().err
