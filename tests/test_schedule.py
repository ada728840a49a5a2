"""`collect.py schedule` on every platform: planned, installed, shown and removed, and told to others."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

import collect
from collectors import freshness
from collectors.schedule import known, results, state, system, tasks
from collectors.schedule.system import Answer
from storage import clock
from storage.settings import ROOT, load
from tests import child
from tests.schedule_os import NOW, SLOW, SYSTEMS, Commands, Launchd, Systemd, Windows, files, installed_on


@pytest.fixture(params=list(SYSTEMS))
def machine(
    request: pytest.FixtureRequest, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Commands:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return installed_on(request.param, tmp_path, monkeypatch)


@pytest.fixture
def systemd(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    fake = installed_on("systemd", tmp_path, monkeypatch)
    assert isinstance(fake, Systemd)
    return fake


def schedule(*words: str) -> int:
    """The verb; a usage error as its exit code."""
    try:
        return collect.main(["schedule", *words])
    except SystemExit as end:
        return int(end.code or 0)


def shown(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    assert schedule("show", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == 1
    return list(told["tasks"])


# ---------------------------------------------------------------- what is planned


def test_the_default_is_two_starts_and_the_later_one_waits_for_the_earlier(home: Path) -> None:
    first, second = tasks.plan(load(), "systemd")
    script = str(ROOT / "collect.py")
    assert first.words == ("-X", "utf8", script, "liquidity", "crypto", "--trigger", "schedule")
    assert second.words == (
        "-X", "utf8", script, "news", "--after", "liquidity", "crypto", "--trigger", "schedule",
    )  # fmt: skip
    assert (first.name, second.name) == ("0600 liquidity crypto", "0630 news")
    assert (first.today(NOW).isoformat(), first.folder) == ("2026-11-25T06:00:00+09:00", str(ROOT))


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ("22:15 news; 06:00 crypto", [("06:00", "crypto", ""), ("22:15", "news", "crypto")]),
        # Typed in any order or twice, it is run once in the fixed one.
        ("06:00 crypto liquidity crypto", [("06:00", "liquidity crypto", "")]),
        ("06:00 news; 06:00 crypto", [("06:00", "crypto news", "")]),
        # Nobody waits for what it collects itself.
        ("06:00 crypto news; 18:00 crypto", [("06:00", "crypto news", ""), ("18:00", "crypto", "news")]),
    ],
)
def test_every_time_of_the_setting_is_one_start(
    home: Path, monkeypatch: pytest.MonkeyPatch, setting: str, wanted: list[tuple[str, str, str]]
) -> None:
    monkeypatch.setenv("COLLECTOR_SCHEDULE", setting)
    found = [
        (f"{task.at:%H:%M}", " ".join(task.pipelines), " ".join(task.after))
        for task in tasks.plan(load(), "systemd")
    ]
    assert found == wanted


def test_a_task_is_told_where_its_store_is_and_never_a_secret(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTOR_DATABASE", "elsewhere/x.duckdb")
    monkeypatch.setenv("FRED_API_KEY", child.CANARY)
    monkeypatch.setenv("COLLECTOR_API_TOKEN", child.CANARY)
    monkeypatch.setenv("COLLECTOR_PORT", "8600")
    settings = load()
    (task, *_more) = tasks.plan(settings, "systemd")
    assert task.environment == {
        "COLLECTOR_HOME": str(home),
        "COLLECTOR_DATABASE": str(ROOT / "elsewhere" / "x.duckdb"),
    }
    assert tasks.left_behind(settings) == ["FRED_API_KEY"]
    monkeypatch.delenv("COLLECTOR_DATABASE")
    monkeypatch.delenv("COLLECTOR_HOME")
    assert tasks.plan(load(), "systemd")[0].environment == {}


def test_a_key_that_the_settings_file_holds_is_not_left_behind(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storage.settings import Settings

    (tmp_path / ".env").write_text(f"FRED_API_KEY={child.CANARY}\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    monkeypatch.setenv("FRED_API_KEY", child.CANARY)
    assert tasks.left_behind(load()) == []


# ---------------------------------------------------------------- installed, shown, removed


def test_installed_twice_is_installed_once_and_right(
    machine: Commands, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [one["installed"] for one in shown(capsys)] == [False, False]
    assert schedule("install") == 0
    before, told = files(tmp_path / "user"), shown(capsys)
    assert [(one["at"], one["installed"], one["enabled"], one["drift"]) for one in told] == [
        ("06:00", True, True, []),
        ("06:30", True, True, []),
    ]
    assert told[0]["next_run"] == "2026-11-24T21:00:00.000Z"
    assert told[0]["last_run"] is None
    assert schedule("install") == 0
    assert (files(tmp_path / "user"), shown(capsys)) == (before, told)


def test_removed_twice_is_gone_and_fine(
    machine: Commands, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schedule("install")
    for said in ("Removed: ", "Nothing was installed."):
        capsys.readouterr()
        assert schedule("remove") == 0
        assert said in capsys.readouterr().out
        assert files(tmp_path / "user") == {}
        assert [one["installed"] for one in shown(capsys)] == [False, False]
    assert schedule("install") == 0
    assert [one["installed"] for one in shown(capsys)] == [True, True]


def test_what_the_settings_no_longer_have_is_shown_and_the_next_installation_takes_it_away(
    machine: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    schedule("install")
    monkeypatch.setenv("COLLECTOR_SCHEDULE", "07:00 liquidity crypto; 06:30 news")
    told = {str(one["name"]).split(".")[-1][-21:]: one for one in shown(capsys)}
    assert sorted((one["wanted"], one["installed"]) for one in told.values()) == [
        (False, True),
        (True, False),
        (True, True),
    ]
    assert schedule("show") == 0
    out = capsys.readouterr().out
    assert "installed, but no longer in the settings" in out and "collect.py schedule install" in out
    assert schedule("install") == 0
    assert [(one["at"], one["installed"], one["drift"]) for one in shown(capsys)] == [
        ("06:30", True, []),
        ("07:00", True, []),
    ]


def test_a_printed_plan_writes_nothing_and_asks_for_no_change(
    machine: Commands, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("install", "--print"), ("show", "--print"), ("remove", "--print")):
        assert schedule(*words) == 0
    out = capsys.readouterr().out
    assert "06:00" in out or "<integer>6</integer>" in out
    assert files(tmp_path) == {} and not home.exists()
    verbs = {words[2] if words[0] == "systemctl" else words[1] for words in machine.take()}
    assert verbs <= {"show", "print", "-NoProfile"}
    assert isinstance(machine, Windows) is bool(verbs & {"-NoProfile"})
    if isinstance(machine, Windows):
        assert machine.tasks == {}


@pytest.mark.parametrize("platform", list(SYSTEMS))
def test_the_plan_of_another_machine_can_only_be_printed(
    systemd: Systemd, platform: str, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = {"systemd": "OnCalendar=", "launchd": "StartCalendarInterval", "windows": "<StartBoundary>"}
    assert schedule("install", "--print", "--platform", platform) == 0
    assert marks[platform] in capsys.readouterr().out
    code = 0 if platform == "systemd" else 2
    assert [schedule(verb, "--platform", platform) for verb in ("show", "remove")] == [code, code]


def test_a_demo_is_not_scheduled(
    systemd: Systemd, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for more in ((), ("--print",)):
        assert schedule("install", "--demo", *more) == 2
        assert "A demo is not scheduled" in capsys.readouterr().err
    assert schedule("show", "--demo") == 0
    assert systemd.asked == [] and files(tmp_path / "user") == {}
    assert known.scheduled(load(COLLECTOR_DEMO=True)) == frozenset()


@pytest.mark.parametrize(
    "words", [(), ("bogus",), ("install", "--json"), ("show", "--platform", "beos"), ("show", "x")]
)
def test_wrong_use_is_exit_2(systemd: Systemd, words: tuple[str, ...]) -> None:
    assert schedule(*words) == 2
    assert systemd.asked == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (FileNotFoundError(), "was not found"),
        (SLOW, "did not answer in time"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (Answer(1, "", "Access is denied.\r\n"), "failed with code 1: Access is denied."),
    ],
)
def test_what_the_system_refuses_is_told_with_exit_1(
    machine: Commands, broken: Answer | Exception, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    schedule("install")
    if isinstance(machine, Launchd) and isinstance(broken, Answer):
        # An agent that is not loaded is no failure: the one that cannot be loaded is.
        machine.loaded.clear()
    for verb in ("install", "show", "remove"):
        machine.broken = broken
        if isinstance(machine, Launchd) and isinstance(broken, Answer) and verb != "install":
            continue
        capsys.readouterr()
        assert schedule(verb) == 1, verb
        err = capsys.readouterr().err
        assert err.startswith("collect.py schedule: ") and said in err, err


def test_without_a_session_of_systemd_nothing_is_left_half_done(
    systemd: Systemd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    systemd.broken = Answer(1, "", "Failed to connect to bus: No medium found\n")
    assert schedule("install") == 1
    assert "loginctl enable-linger" in capsys.readouterr().err
    assert files(tmp_path / "user") == {}


def test_a_folder_that_cannot_be_written_is_named(
    systemd: Systemd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "user" / ".config").write_text("a file")
    assert schedule("install") == 1
    assert str(tmp_path / "user" / ".config") in capsys.readouterr().err


def test_it_says_in_plain_words_what_ran_and_what_comes_next(
    systemd: Systemd, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule("install")
    systemd.ended = {
        "daily-data-collector-0600-liquidity-crypto.timer": "Result=success",
        "daily-data-collector-0600-liquidity-crypto.service": (
            "Result=exit-code\nExecMainCode=1\nExecMainStatus=3\n"
            "ExecMainExitTimestamp=Mon 2026-11-23 21:01:03 UTC"
        ),
    }
    capsys.readouterr()
    assert schedule("show") == 0
    out = capsys.readouterr().out
    assert "06:00 liquidity crypto: installed\n" in out
    assert "next run 25 Nov 06:00 (Asia/Seoul)" in out
    assert "last run 24 Nov 06:00, failed" in out
    assert "last run –, never ran" in out
    assert "Bring it in line" not in out


@pytest.mark.parametrize(
    "code", [0x41300, 0x41301, 0x41303, 0x41306, 0x8004131F, 0x80070002, 0, 1, 2, 3, 75, 130, 143]
)
def test_every_result_has_its_own_words(code: int) -> None:
    words = results.words(code)
    assert words and "code" not in words.split()
    others = [results.words(other) for other in (*results.OURS, *results.WINDOWS) if other != code]
    assert words not in others


def test_an_unknown_result_is_its_number() -> None:
    assert (results.words(9), results.words(0xC0000005), results.words(None)) == (
        "code 9",
        "code 0xc0000005",
        "",
    )
    # PowerShell shows it signed.
    assert results.words(0x8004131F - 2**32) == results.words(0x8004131F)


def test_the_help_is_there_and_loads_nothing_heavy(home: Path) -> None:
    code = (
        "import sys, collect\n"
        "try: collect.main(['schedule', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'duckdb', 'pydantic', 'subprocess', 'xml.etree.ElementTree', 'plistlib', 'requests'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = child_python(code)
    assert done.returncode == 0, done.stderr
    assert "python collect.py schedule install" in done.stdout


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="stands in for systemctl")
def test_as_a_process_it_asks_the_systemctl_on_path_and_says_where_there_is_none(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, tool = tmp_path / "asked", tmp_path / "bin" / "systemctl"
    tool.parent.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tool.parent))
    nowhere = child.ended(child.start(None, "schedule", "install"))
    assert (nowhere.code, nowhere.err.count("\n")) == (1, 1) and "has no systemd" in nowhere.err
    tool.write_text(f'#!/bin/sh\necho "$TZ $@" >> {log}\n')
    tool.chmod(0o755)
    done = child.ended(child.start(None, "schedule", "install"))
    assert (done.code, done.err) == (0, "")
    assert log.read_text().splitlines()[-1].startswith("UTC --user enable --now daily-data-collector-0600")
    units = files(tmp_path / "user" / ".config" / "systemd" / "user")
    assert len(units) == 4 and all(
        f"COLLECTOR_HOME={home}".encode() in units[one] for one in units if "service" in one
    )


def child_python(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)


# ---------------------------------------------------------------- what others ask


def test_a_pipeline_is_scheduled_only_where_the_system_really_starts_it(
    machine: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert state.state(load()).pipelines == frozenset()
    monkeypatch.setenv("COLLECTOR_SCHEDULE", "06:00 crypto")
    schedule("install")
    found = state.state(load())
    assert (found.pipelines, found.right) == (frozenset({"crypto"}), True)
    # The task of another store is none of this one.
    monkeypatch.setenv("COLLECTOR_HOME", os.environ["COLLECTOR_HOME"] + "-other")
    found = state.state(load())
    assert found.pipelines == frozenset() and not found.right
    (drift,) = found.tasks[0].drift[:1]
    assert "COLLECTOR_HOME" in drift.said()


def test_a_task_that_was_switched_off_is_not_scheduled(systemd: Systemd) -> None:
    schedule("install")
    systemd.enabled.clear()
    found = state.state(load())
    assert found.pipelines == frozenset()
    assert [one.said() for one in found.tasks[0].drift] == ["switched on: false instead of true"]


@pytest.mark.parametrize("broken", [FileNotFoundError(), SLOW, OSError(5, "I/O error"), Answer(1, "", "no")])
def test_a_state_never_raises_and_says_what_is_wrong(machine: Commands, broken: Answer | Exception) -> None:
    schedule("install")
    machine.broken = broken
    machine.limits.clear()
    found = state.state(load())
    assert found.pipelines == frozenset()
    assert len(found.tasks) == 2
    assert found.problem is not None or isinstance(machine, Launchd)
    assert max(machine.limits) <= state.WITHIN_S


def test_a_user_without_a_home_has_no_schedule(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nowhere() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", nowhere)
    assert state.state(load()).problem is not None
    assert [schedule(verb) for verb in ("show", "install", "remove")] == [1, 1, 1]
    assert capsys.readouterr().err.count("no home folder") == 3


def test_a_real_command_that_hangs_is_cut_short(home: Path) -> None:
    slow = replace(system.machine("systemd", 0.3), run=system._run)
    began = time.monotonic()
    with pytest.raises(system.NoAnswer):
        slow.ask([sys.executable, "-c", "import time; time.sleep(30)"])
    assert time.monotonic() - began < 5


def test_the_status_tells_it_and_asks_the_system_once_a_minute(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTOR_SCHEDULE", "06:00 liquidity crypto")
    schedule("install")
    systemd.take()
    for _again in range(20):
        told = freshness.status_json(load(), freshness.status(load()), known.PATIENT_S)["pipelines"]
        assert [told[name]["scheduled"] for name in told] == [True, True, False]
    assert len(systemd.take()) == 1


def slow_until_freed(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The system answers once the event is set."""
    free = threading.Event()
    real = system._run

    def slow(words: tuple[str, ...], within_s: float) -> Answer:
        assert free.wait(20)
        return real(words, within_s)

    monkeypatch.setattr(system, "_run", slow)
    return free


def test_a_look_that_was_begun_ahead_is_waited_for_by_the_next_who_asks(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule("install")
    systemd.take()
    free = slow_until_freed(monkeypatch)
    settings = load()
    # A run begins the look while it asks its sources, and is not held up.
    began = time.monotonic()
    assert known.scheduled(settings, 0.0) == frozenset()
    assert time.monotonic() - began < known.FIRST_S
    threading.Timer(0.3, free.set).start()
    assert known.scheduled(settings, 20.0) == {"liquidity", "crypto", "news"}
    assert len(systemd.take()) == 1


def test_nobody_waits_for_a_slow_system_but_the_first_and_not_for_long(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule("install")
    free = slow_until_freed(monkeypatch)
    settings = load()
    began = time.monotonic()
    for _again in range(50):
        assert known.scheduled(settings) == frozenset()
    assert time.monotonic() - began < known.FIRST_S + 0.5
    free.set()
    (look,) = known._looks.values()
    assert look.done.wait(10)
    assert known.scheduled(settings) == {"liquidity", "crypto", "news"}
    # While it is looked at anew, the last look serves.
    free.clear()
    look.until = 0.0
    assert known.scheduled(settings) == {"liquidity", "crypto", "news"}
    free.set()
    settled = time.monotonic() + 10
    while look.under_way and time.monotonic() < settled:
        time.sleep(0.01)
    assert not look.under_way


def test_a_task_of_windows_tells_the_settings_that_it_has_no_environment_for(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other home"
    done = child.ended(
        child.start(None, "crypto", "--setting", f"COLLECTOR_HOME={other}", "--source", "no.such")
    )
    assert done.code == 2
    assert child.ended(child.start(None, "crypto", "--setting", "PATH=x")).code == 2
    done = child.ended(child.start(None, "crypto", "--setting", "COLLECTOR_TIMEZONE=Nowhere/Else"))
    assert done.code == 2 and "COLLECTOR_TIMEZONE" in done.err
