"""The timer of systemd: systemd itself says whether it understands it, and when it would start."""

import os
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from collectors.schedule import ask_systemd, drift, results, system, systemd, tasks
from collectors.schedule.tasks import Task
from storage.settings import load
from tests.schedule_os import HARD, NOW, Systemd, installed_on

SEOUL = ZoneInfo("Asia/Seoul")
ANALYZE = shutil.which("systemd-analyze")
asks_systemd = pytest.mark.skipif(
    not ANALYZE, reason="NO SYSTEMD: systemd-analyze is missing, the units are not held against it"
)


@pytest.fixture
def task(home: Path) -> Task:
    return tasks.plan(load(), "systemd")[1]


@pytest.fixture
def hard(task: Task, tmp_path: Path) -> Task:
    """Everything that a quoting may stumble over, in folders that exist: systemd looks."""
    folder = tmp_path / "내 자료 & co's 100% $HOME"
    folder.mkdir()
    program = folder / "python 3"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    told = {"COLLECTOR_HOME": HARD, "COLLECTOR_SCHEDULE": "06:00 crypto; 06:30 news"}
    return replace(task, program=str(program), folder=str(folder), environment=told)


def lines(unit: str) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in unit.splitlines() if "=" in line)


def read(task: Task) -> drift.Installed:
    return systemd.read(systemd.service(task), systemd.timer(task))


# ---------------------------------------------------------------- written


@asks_systemd
def test_systemd_accepts_both_units(task: Task, hard: Task, tmp_path: Path) -> None:
    for one in (task, hard):
        for name, text in systemd.files(one).items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        units = [str(tmp_path / name) for name in systemd.files(one)]
        env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
        done = subprocess.run(
            [str(ANALYZE), "verify", "--user", *units], capture_output=True, text=True, env=env, timeout=60
        )
        said = [line for line in done.stderr.splitlines() if "daily-data-collector" in line]
        assert (done.returncode, said) == (0, []), done.stderr


@asks_systemd
def test_systemd_sees_a_wrong_unit(task: Task, tmp_path: Path) -> None:
    for name, text in systemd.files(task).items():
        (tmp_path / name).write_text(text.replace("06:30:00", "26:30:00"), encoding="utf-8")
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    units = [str(tmp_path / name) for name in systemd.files(task)]
    done = subprocess.run(
        [str(ANALYZE), "verify", "--user", *units], capture_output=True, text=True, env=env, timeout=60
    )
    assert done.returncode and "calendar specification" in done.stderr


@asks_systemd
@pytest.mark.parametrize(("at", "utc"), [(0, "21:00:00 UTC"), (1, "21:30:00 UTC")])
def test_systemd_would_start_it_at_six_in_seoul(home: Path, at: int, utc: str) -> None:
    when = lines(systemd.timer(tasks.plan(load(), "systemd")[at]))["OnCalendar"]
    env = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
    done = subprocess.run(
        [str(ANALYZE), "calendar", when], capture_output=True, text=True, env=env, timeout=60, check=True
    )
    assert f" {utc}" in done.stdout.split("Next elapse:")[1].splitlines()[0]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("OnCalendar", "*-*-* 06:30:00 Asia/Seoul"),
        ("Persistent", "true"),
        ("WantedBy", "timers.target"),
        ("TimeoutStartSec", "45min"),
        ("SuccessExitStatus", "1 75"),
        ("Restart", "on-failure"),
        ("RestartSec", "10min"),
        ("RestartPreventExitStatus", "2 130 143"),
        ("Type", "oneshot"),
    ],
)
def test_a_setting_is_as_it_has_to_be(task: Task, key: str, value: str) -> None:
    assert lines(systemd.timer(task) + systemd.service(task))[key] == value


def test_every_word_is_quoted_by_the_rules_of_systemd() -> None:
    assert systemd.quoted('a "b" c\\d 100% $HOME 한글') == '"a \\"b\\" c\\\\d 100%% $HOME 한글"'


def test_a_program_that_systemd_would_not_start_by_itself_is_started_by_env(task: Task, hard: Task) -> None:
    assert 'ExecStart=:"/usr/bin/env" "' in systemd.service(hard)
    assert f'ExecStart=:"{task.program}" "-X"' in systemd.service(task)


def test_what_it_wrote_it_reads_back(hard: Task) -> None:
    found = read(hard)
    assert found.words == (hard.program, *hard.words)
    assert found.environment == hard.environment
    assert found.facts[drift.FOLDER] == hard.folder
    assert tasks.collected(found.words) == ("news",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("06:30:00", "07:00:00", "start: *-*-* 07:00:00 Asia/Seoul instead of *-*-* 06:30:00 Asia/Seoul"),
        ("Persistent=true\n", "", "start later when the time was missed: nothing instead of true"),
        ("45min", "3h", "time limit: 3h instead of 45min"),
        ("Description=Collects news.", "Description=뉴스", ""),
        ('"news"', '"crypto"', "arguments: "),
        ("[Service]", "[Service]\nNice=5", "Service.Nice: 5 instead of nothing"),
        ('"schedule"', '"schedule', "arguments: "),
    ],
)
def test_a_difference_is_said_in_words(task: Task, old: str, new: str, said: str) -> None:
    units = [text.replace(old, new, 1) for text in (systemd.service(task), systemd.timer(task))]
    found = [one.said() for one in drift.compare(read(task), systemd.read(*units))]
    assert any(one.startswith(said) for one in found) if said else found == []


def test_changed_settings_change_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_SCHEDULE", "21:05 crypto")
    monkeypatch.setenv("COLLECTOR_TIMEZONE", "Europe/Berlin")
    (one,) = tasks.plan(load(), "systemd")
    assert "OnCalendar=*-*-* 21:05:00 Europe/Berlin\n" in systemd.timer(one)
    assert '"crypto" "--trigger" "schedule"' in systemd.service(one)
    assert 'Environment="COLLECTOR_TIMEZONE=Europe/Berlin"\n' in systemd.service(one)


# ---------------------------------------------------------------- asked


@pytest.fixture
def computer(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    fake = installed_on("systemd", tmp_path, monkeypatch)
    assert isinstance(fake, Systemd)
    return fake


def install(task: Task) -> list[system.Found]:
    machine = system.machine("systemd", 60)
    found = ask_systemd.look(machine, SEOUL, NOW)
    system.carry_out(machine, ask_systemd.install(machine, [task], found, NOW))
    return ask_systemd.look(machine, SEOUL, NOW)


def systemctl(*words: str) -> tuple[str, ...]:
    return ("systemctl", "--user", *words)


def test_the_commands_are_these_and_a_changed_timer_is_started_anew(computer: Systemd, task: Task) -> None:
    timer = "daily-data-collector-0630-news.timer"
    install(task)
    assert computer.take()[:3] == [
        systemctl("daemon-reload"),
        systemctl("daemon-reload"),
        systemctl("enable", "--now", timer),
    ]
    install(replace(task, zone=ZoneInfo("Asia/Tokyo")))
    assert computer.take()[-2:-1] == [systemctl("restart", timer)]
    later = "daily-data-collector-0630-crypto.timer"
    install(replace(task, pipelines=("crypto",)))
    assert computer.take()[1:4] == [
        systemctl("disable", "--now", timer),
        systemctl("daemon-reload"),
        systemctl("enable", "--now", later),
    ]
    machine = system.machine("systemd", 60)
    assert sorted(path.name for path in ask_systemd.folder(machine).iterdir()) == [
        later.replace(".timer", ".service"), later,
    ]  # fmt: skip
    plan = ask_systemd.remove(machine, ask_systemd.look(machine, SEOUL, NOW))
    system.carry_out(machine, plan)
    assert computer.take()[-2:] == [systemctl("disable", "--now", later), systemctl("daemon-reload")]
    assert ask_systemd.look(machine, SEOUL, NOW) == [] == computer.take()


def test_a_unit_of_somebody_else_that_begins_alike_is_left_alone(computer: Systemd, task: Task) -> None:
    machine = system.machine("systemd", 60)
    theirs = [
        ask_systemd.folder(machine) / f"daily-data-collector-backup{end}" for end in (".timer", ".service")
    ]
    ask_systemd.folder(machine).mkdir(parents=True)
    for path in theirs:
        path.write_text("[Unit]\n")
    assert [one.name for one in install(task)] == ["daily-data-collector-0630-news"]
    system.carry_out(machine, ask_systemd.remove(machine, ask_systemd.look(machine, SEOUL, NOW)))
    assert sorted(ask_systemd.folder(machine).iterdir()) == sorted(theirs)


def test_what_somebody_removed_by_half_is_removed_whole(computer: Systemd, task: Task) -> None:
    machine = system.machine("systemd", 60)
    install(task)
    (ask_systemd.folder(machine) / "daily-data-collector-0630-news.timer").unlink()
    computer.take()
    system.carry_out(machine, ask_systemd.remove(machine, ask_systemd.look(machine, SEOUL, NOW)))
    assert not any("disable" in words for words in computer.take())
    assert list(ask_systemd.folder(machine).iterdir()) == []


def test_units_go_where_the_user_keeps_his_configuration(
    computer: Systemd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = system.machine("systemd", 1)
    assert ask_systemd.folder(home) == tmp_path / "user" / ".config" / "systemd" / "user"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "conf"))
    assert ask_systemd.folder(system.machine("systemd", 1)) == tmp_path / "conf" / "systemd" / "user"


@pytest.mark.parametrize(
    ("service", "code", "words"),
    [
        ("ActiveState=activating\nResult=success\nExecMainExitTimestamp=", 0x41301, "running"),
        ("Result=success\nExecMainExitTimestamp=", None, ""),
        ("Result=success\nExecMainCode=1\nExecMainStatus=75\nExecMainExitTimestamp={at}", 75,
         "another run was under way"),
        ("Result=timeout\nExecMainCode=2\nExecMainStatus=15\nExecMainExitTimestamp={at}", 143,
         "stopped at its time limit"),
        ("Result=signal\nExecMainCode=2\nExecMainStatus=9\nExecMainExitTimestamp={at}", 137, "code 137"),
    ],
)  # fmt: skip
def test_how_it_last_ended(computer: Systemd, task: Task, service: str, code: int | None, words: str) -> None:
    unit = systemd.name(task)
    text = service.format(at="Mon 2026-11-23 21:31:00 UTC")
    computer.ended = {f"{unit}.timer": "Result=success", f"{unit}.service": text}
    (found,) = install(task)
    assert found.last_run == datetime(2026, 11, 23, 21, 0, 3, tzinfo=UTC)
    assert (found.code, found.result or results.words(found.code)) == (code, words)
