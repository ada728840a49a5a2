"""The task of Windows: held against Microsoft's schema, setting by setting, there and back."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from collectors.schedule import ask_windows, drift, system, tasks, windows
from collectors.schedule.tasks import Task
from storage.settings import load
from tests.schedule_os import HARD, NOW, Windows, exported, installed_on

SCHEMAS = Path(__file__).resolve().parent.parent.parent / "shared" / "schemas"
SPACE = {"t": windows.NAMESPACE}
SEOUL = ZoneInfo("Asia/Seoul")


@pytest.fixture
def task(home: Path) -> Task:
    return tasks.plan(load(), "windows")[1]


@pytest.fixture
def hard(task: Task) -> Task:
    """Spaces, ampersands, quotes and Korean letters wherever a path may have them."""
    return replace(
        task,
        program=r"C:\사용자\J & co's\.venv\Scripts\pythonw.exe",
        folder=HARD,
        environment={"COLLECTOR_HOME": HARD, "COLLECTOR_SCHEDULE": "06:00 crypto; 07:00 news\\"},
    )


def validated(name: str, content: bytes) -> None:
    if not SCHEMAS.is_dir():
        pytest.skip(f"NO SCHEMAS: {SCHEMAS} is missing, the task of Windows is not held against them")
    schema = etree.XMLSchema(etree.parse(str(SCHEMAS / name)))
    schema.assertValid(etree.fromstring(content))


def text(task: Task, path: str) -> str:
    root = etree.fromstring(windows.encoded(windows.xml(task, NOW)))
    (element,) = root.findall("/".join(f"t:{tag}" for tag in path.split("/")), SPACE)
    return element.text or ""


# ---------------------------------------------------------------- written


@pytest.mark.parametrize("schema", ["taskscheduler.xsd", "taskscheduler.relaxed.xsd"])
def test_it_is_what_the_schema_of_microsoft_allows(task: Task, hard: Task, schema: str) -> None:
    for one in (task, hard):
        validated(schema, windows.encoded(windows.xml(one, NOW)))


def test_the_schema_sees_a_wrong_order(task: Task) -> None:
    wrong = exported(windows.encoded(windows.xml(task, NOW))).encode("utf-16")
    validated("taskscheduler.relaxed.xsd", wrong)
    with pytest.raises(etree.DocumentInvalid):
        validated("taskscheduler.xsd", wrong)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        # What the schema does not notice: without it the task would never start.
        ("Triggers/CalendarTrigger/StartBoundary", "2026-01-01T06:30:00+09:00"),
        ("Triggers/CalendarTrigger/Enabled", "true"),
        ("Triggers/CalendarTrigger/ScheduleByDay/DaysInterval", "1"),
        ("Settings/StartWhenAvailable", "true"),
        ("Settings/MultipleInstancesPolicy", "IgnoreNew"),
        ("Settings/ExecutionTimeLimit", "PT45M"),
        ("Settings/DisallowStartIfOnBatteries", "false"),
        ("Settings/StopIfGoingOnBatteries", "false"),
        ("Settings/RestartOnFailure/Interval", "PT10M"),
        ("Settings/RestartOnFailure/Count", "3"),
        ("Settings/WakeToRun", "false"),
        ("Settings/RunOnlyIfNetworkAvailable", "false"),
        ("Settings/Enabled", "true"),
        ("Principals/Principal/LogonType", "InteractiveToken"),
        ("Principals/Principal/RunLevel", "LeastPrivilege"),
    ],
)
def test_a_setting_is_as_it_has_to_be(task: Task, path: str, value: str) -> None:
    assert text(task, path) == value


def test_it_is_of_version_1_3_in_utf_16_with_its_mark(task: Task) -> None:
    content = windows.encoded(windows.xml(task, NOW))
    assert content.startswith(b"\xff\xfe<\x00?\x00") and content.endswith(b">\x00\r\x00\n\x00")
    root = etree.fromstring(content)
    assert (root.get("version"), root.getroottree().docinfo.encoding) == ("1.3", "UTF-16")
    trigger = root.find("t:Triggers/t:CalendarTrigger", SPACE)
    assert trigger is not None
    assert [etree.QName(one).localname for one in trigger][:2] == ["Enabled", "StartBoundary"]


def test_the_program_is_the_quiet_python_of_the_environment_unquoted_and_absolute(task: Task) -> None:
    program = text(task, "Actions/Exec/Command")
    assert program == task.program and program.endswith("pythonw.exe") and '"' not in program
    assert Path(program).is_absolute()
    assert text(task, "Actions/Exec/WorkingDirectory") == task.folder


def test_the_arguments_are_the_words_of_the_command_line(task: Task, hard: Task) -> None:
    line = text(replace(task, folder=r"C:\my data", environment={}), "Actions/Exec/Arguments")
    assert line.startswith("-X utf8 ") and line.endswith(" news --after liquidity crypto --trigger schedule")
    assert windows.arguments(text(hard, "Actions/Exec/Arguments")) == [
        *hard.words, "--setting", f"COLLECTOR_HOME={HARD}",
        "--setting", "COLLECTOR_SCHEDULE=06:00 crypto; 07:00 news\\",
    ]  # fmt: skip


@given(st.lists(st.text(st.characters(blacklist_categories=("Cs", "Cc"))), max_size=5))
def test_every_command_line_is_read_back_as_it_was_meant(words: list[str]) -> None:
    assert windows.arguments(subprocess.list2cmdline(words)) == words


def test_changed_settings_change_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_SCHEDULE", "21:05 crypto")
    monkeypatch.setenv("COLLECTOR_TIMEZONE", "America/New_York")
    (one,) = tasks.plan(load(), "windows")
    assert text(one, "Triggers/CalendarTrigger/StartBoundary") == "2026-01-01T21:05:00-05:00"
    assert " crypto --trigger schedule" in text(one, "Actions/Exec/Arguments")


# ---------------------------------------------------------------- read


def read(xml: str, now: datetime = NOW, zone: ZoneInfo = SEOUL) -> drift.Installed:
    return windows.read(xml, zone, now)


def drifts(task: Task, xml: str, now: datetime = NOW) -> list[str]:
    wanted = read(windows.xml(task, now), now, task.zone)
    return [one.said() for one in drift.compare(wanted, read(xml, now, task.zone))]


def test_what_windows_gives_back_of_it_is_no_drift(task: Task, hard: Task) -> None:
    for one in (task, hard):
        assert drifts(one, exported(windows.encoded(windows.xml(one, NOW)))) == []
    assert read(windows.xml(hard, NOW)).environment == hard.environment


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("T06:30:00+09:00", "T05:30:00+09:00", "start: 05:30 Asia/Seoul instead of 06:30 Asia/Seoul"),
        # The same instant, said otherwise.
        ("2026-01-01T06:30:00+09:00", "2025-12-31T21:30:00Z", ""),
        ("T06:30:00+09:00", "T06:30:00", "start: 06:30 local instead of 06:30 Asia/Seoul"),
        ("PT45M", "PT2700S", ""),
        ("PT45M", "PT72H", "time limit: 4320 min instead of 45 min"),
        ("<StartWhenAvailable>true", "<StartWhenAvailable>1", ""),
        (
            "<StartWhenAvailable>true</StartWhenAvailable>",
            "",
            "start later when the time was missed: false instead of true",
        ),
        ("<WakeToRun>false</WakeToRun>", "", ""),
        ("<Count>3", "<Count>1", "tries after a failure: 1 instead of 3"),
        ("IgnoreNew", "Parallel", "while it still runs: Parallel instead of IgnoreNew"),
        ("LeastPrivilege", "HighestAvailable", "rights: HighestAvailable instead of LeastPrivilege"),
        ("<Enabled>true</Enabled>", "<Enabled>false</Enabled>", "trigger switched on: false instead of true"),
        (
            "<ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>",
            "<ScheduleByWeek/>",
            "rhythm: ScheduleByWeek 1 instead of ScheduleByDay 1",
        ),
        ("</CalendarTrigger>", "</CalendarTrigger><LogonTrigger/>",
         "triggers: CalendarTrigger LogonTrigger instead of CalendarTrigger"),
        ("pythonw.exe", "python.exe", "program: "),
        (" news --after", " crypto --after", "arguments: "),
        ("</Task>", "", "its definition cannot be read"),
    ],
)  # fmt: skip
def test_a_difference_is_said_in_words_and_an_equal_meaning_is_none(
    task: Task, old: str, new: str, said: str
) -> None:
    xml = "".join(line.strip() for line in windows.xml(task, NOW).splitlines())
    assert old in xml
    found = drifts(task, xml.replace(old, new, 1))
    assert len(found) == (1 if said else 0), found
    assert "".join(found).startswith(said)


def test_when_the_clock_of_the_zone_has_changed_the_hour_is_a_drift(task: Task) -> None:
    berlin = replace(task, zone=ZoneInfo("Europe/Berlin"))
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    xml = windows.xml(berlin, summer)
    assert "2026-01-01T06:30:00+02:00" in xml
    assert drifts(berlin, xml, summer) == []
    assert drifts(berlin, xml, NOW) == ["start: 05:30 Europe/Berlin instead of 06:30 Europe/Berlin"]


# ---------------------------------------------------------------- asked


@pytest.fixture
def computer(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Windows:
    fake = installed_on("windows", tmp_path, monkeypatch)
    assert isinstance(fake, Windows)
    return fake


def test_it_is_registered_from_its_file_which_is_gone_afterwards(computer: Windows, task: Task) -> None:
    machine = system.machine("windows", 60)
    stale = system.Found("0500 news", drift.Installed({}), True)
    computer.tasks[stale.name] = ""
    plan = ask_windows.install(machine, [task], [stale], NOW)
    system.carry_out(machine, plan)
    file = machine.scratch / "0630 news.xml"
    assert computer.take() == [
        (
            "powershell.exe", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-Command",
            "$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; "
            f"Register-ScheduledTask -Xml (Get-Content -LiteralPath '{file}' -Raw) -TaskName '0630 news' "
            "-TaskPath '\\Daily Data Collector\\' -Force | Out-Null; "
            "Unregister-ScheduledTask -TaskName '0500 news' -TaskPath '\\Daily Data Collector\\' "
            "-Confirm:$false",
        )
    ]  # fmt: skip
    assert list(computer.tasks) == ["0630 news"]
    assert not machine.scratch.exists()


def test_a_failed_registration_leaves_no_file(computer: Windows, task: Task) -> None:
    machine = system.machine("windows", 60)
    computer.broken = system.Answer(1, "", "Access is denied.")
    with pytest.raises(system.NoAnswer):
        system.carry_out(machine, ask_windows.install(machine, [task], [], NOW))
    assert not machine.scratch.exists()


def test_what_windows_tells_of_a_run_is_understood(computer: Windows, task: Task) -> None:
    machine = system.machine("windows", 60)
    system.carry_out(machine, ask_windows.install(machine, [task], [], NOW))
    computer.result, computer.last = 75, "2026-11-23T21:30:05"
    (found,) = ask_windows.look(machine, SEOUL, NOW)
    assert (found.code, found.last_run) == (75, datetime(2026, 11, 23, 21, 30, 5, tzinfo=UTC))
    assert found.next_run == datetime(2026, 11, 24, 21, tzinfo=UTC)


@pytest.mark.parametrize("out", ["", "[]", "\ufeff[]\r\n"])
def test_no_folder_of_ours_is_no_task_of_ours(computer: Windows, out: str) -> None:
    computer.broken = system.Answer(0, out)
    assert ask_windows.look(system.machine("windows", 60), SEOUL, NOW) == []


def test_what_others_put_into_our_folder_is_left_alone(computer: Windows, task: Task) -> None:
    xml = windows.xml(task, NOW)
    computer.tasks = {"0630 news": xml, "0900 crypto": xml, "backup of mine": xml, "0900 other": xml}
    found = ask_windows.look(system.machine("windows", 60), SEOUL, NOW)
    assert [one.name for one in found] == ["0630 news", "0900 crypto"]


@pytest.mark.parametrize("out", ["oops", '{"a": 1}', '[{"name": "0630 news"}]', "[1]", "3"])
def test_an_answer_that_cannot_be_read_is_told(computer: Windows, out: str) -> None:
    computer.broken = system.Answer(0, out)
    with pytest.raises(system.NoAnswer):
        ask_windows.look(system.machine("windows", 60), SEOUL, NOW)


@pytest.mark.parametrize(
    ("text", "quoted"), [("a b", "'a b'"), ("it's", "'it''s'"), ("’", "'’’'"), ("$x `n", "'$x `n'")]
)
def test_powershell_takes_a_text_for_itself(text: str, quoted: str) -> None:
    assert ask_windows.literal(text) == quoted


@pytest.mark.parametrize("name", ["pythonw.exe", ""])
def test_on_windows_it_is_the_python_beside_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    ours = tmp_path / "python.exe"
    if name:
        (tmp_path / name).write_text("")
    monkeypatch.setattr(tasks.sys, "platform", "win32")
    monkeypatch.setattr(tasks.sys, "executable", str(ours))
    assert tasks.interpreter("windows") == str(tmp_path / (name or "python.exe"))
