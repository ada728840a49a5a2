"""The agent of launchd: a property list in the machine's own clock, and what is said where that wanders."""

import plistlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from collectors.schedule import ask_launchd, drift, launchd, results, state, system, tasks
from collectors.schedule.tasks import Task
from storage import clock
from storage.settings import load
from tests.schedule_os import HARD, NOW, Launchd, installed_on

SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")
SUMMER = datetime.fromisoformat("2026-07-01T12:00:00+00:00")


@pytest.fixture
def task(home: Path) -> Task:
    return tasks.plan(load(), "launchd")[1]


@pytest.fixture
def computer(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Launchd:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    fake = installed_on("launchd", tmp_path, monkeypatch)
    assert isinstance(fake, Launchd)
    return fake


def test_it_is_a_property_list_with_absolute_paths(task: Task, home: Path) -> None:
    hard = replace(task, folder=HARD)
    value = plistlib.loads(launchd.plist(hard, SEOUL, NOW))
    log = str(home / "logs" / "schedule.log")
    assert value == {
        "Label": "daily-data-collector.0630-news",
        "ProgramArguments": [task.program, *hard.words],
        "WorkingDirectory": HARD,
        "StartCalendarInterval": {"Hour": 6, "Minute": 30},
        "StandardOutPath": log,
        "StandardErrorPath": log,
        "ProcessType": "Background",
        "EnvironmentVariables": {"COLLECTOR_HOME": str(home)},
    }
    assert Path(task.program).is_absolute() and Path(log).is_absolute()
    found = launchd.read(launchd.plist(hard, SEOUL, NOW), SEOUL, SEOUL, NOW)
    assert (found.words, found.environment) == ((task.program, *hard.words), hard.environment)


@pytest.mark.parametrize(
    ("machine", "now", "hour"),
    [(SEOUL, NOW, 6), (BERLIN, NOW, 22), (BERLIN, SUMMER, 23), (ZoneInfo("UTC"), NOW, 21)],
)
def test_its_hour_is_that_of_the_machine(task: Task, machine: ZoneInfo, now: datetime, hour: int) -> None:
    value = plistlib.loads(launchd.plist(task, machine, now))
    assert value["StartCalendarInterval"] == {"Hour": hour, "Minute": 30}
    found = launchd.read(launchd.plist(task, machine, now), SEOUL, machine, now)
    assert found.facts[drift.START] == "06:30 Asia/Seoul"


def test_an_hour_of_summer_is_a_drift_in_winter(task: Task) -> None:
    old = launchd.read(launchd.plist(task, BERLIN, SUMMER), SEOUL, BERLIN, NOW)
    wanted = launchd.read(launchd.plist(task, BERLIN, NOW), SEOUL, BERLIN, NOW)
    (found,) = drift.compare(wanted, old)
    assert found.said() == "start: 07:30 Asia/Seoul instead of 06:30 Asia/Seoul"


@pytest.mark.parametrize(
    ("zone", "machine", "wanders"),
    [
        ("Asia/Seoul", "Asia/Seoul", False),
        ("Asia/Seoul", "Asia/Tokyo", False),
        ("Asia/Seoul", "UTC", False),
        ("Asia/Seoul", "Europe/Berlin", True),
        ("Europe/Paris", "Europe/Berlin", False),
        ("Europe/Berlin", "America/New_York", True),
        ("Europe/Berlin", "Asia/Seoul", True),
    ],
)
def test_it_says_so_where_the_two_clocks_part_in_the_course_of_a_year(
    zone: str, machine: str, wanders: bool
) -> None:
    found = launchd.clock_drift(ZoneInfo(zone), ZoneInfo(machine), NOW)
    assert len(found) == wanders
    assert all(machine in one.said() and zone in one.said() for one in found)


def test_a_clock_that_will_wander_is_shown_but_no_reason_to_install_again(
    computer: Launchd, monkeypatch: pytest.MonkeyPatch, task: Task
) -> None:
    monkeypatch.setattr(system, "_zone", lambda: BERLIN)
    machine = system.machine("launchd", 60)
    system.carry_out(machine, state.installation(load(), machine))
    found = state.state(load())
    assert [len(one.drift) for one in found.tasks] == [1, 1]
    assert found.right and found.pipelines == {"liquidity", "crypto", "news"}


def test_the_commands_are_these_and_what_is_right_is_left_running(
    computer: Launchd, task: Task, home: Path, tmp_path: Path
) -> None:
    machine = replace(system.machine("launchd", 60), uid=501)
    label = "daily-data-collector.0630-news"
    path = tmp_path / "user" / "Library" / "LaunchAgents" / f"{label}.plist"
    loads = [
        ("launchctl", "enable", f"gui/501/{label}"),
        ("launchctl", "bootstrap", "gui/501", str(path)),
    ]

    def install(one: Task) -> list[tuple[str, ...]]:
        found = ask_launchd.look(machine, SEOUL, NOW)
        computer.take()
        system.carry_out(machine, ask_launchd.install(machine, [one], found, NOW))
        return computer.take()

    assert install(task) == loads
    assert (home / "logs").is_dir()
    assert install(task) == []
    changed = replace(task, after=())
    assert install(changed) == [("launchctl", "bootout", f"gui/501/{label}"), *loads]
    computer.loaded.clear()
    assert install(changed) == loads
    found = ask_launchd.look(machine, SEOUL, NOW)
    computer.take()
    system.carry_out(machine, ask_launchd.remove(machine, found))
    assert computer.take() == [("launchctl", "bootout", f"gui/501/{label}")]
    assert not path.exists()


@pytest.mark.parametrize(
    ("exits", "words"), [("(never exited)", "never ran"), ("0", "ok"), ("75", "another run was under way")]
)
def test_how_it_last_ended(computer: Launchd, task: Task, exits: str, words: str) -> None:
    machine = system.machine("launchd", 60)
    system.carry_out(machine, ask_launchd.install(machine, [task], [], NOW))
    computer.exits = exits
    (found,) = ask_launchd.look(machine, SEOUL, NOW)
    assert results.words(found.code) == words
    assert found.next_run == datetime.fromisoformat("2026-11-25T06:30:00+09:00")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"<plist>", b"bplist00", plistlib.dumps(["x"]), plistlib.dumps({"ProgramArguments": 5}),
        plistlib.dumps({"EnvironmentVariables": "x"}),
        plistlib.dumps({"StartCalendarInterval": {"Hour": [1], "Minute": 0}}),
        plistlib.dumps({"StartCalendarInterval": {"Hour": 99, "Minute": 0}}),
    ],
)  # fmt: skip
def test_a_file_that_is_no_agent_is_said_to_be_unreadable(content: bytes) -> None:
    found = launchd.read(content, SEOUL, SEOUL, NOW)
    (one,) = drift.compare(drift.Installed({"start": "x"}), found)
    assert one.said() == "its definition cannot be read"
