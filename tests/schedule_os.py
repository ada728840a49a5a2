"""Schedulers of three operating systems that live in memory and answer the commands that the real ones get.

What is not asked of them as the real ones want it ends the test.
"""

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from collectors.schedule import known, system, windows
from collectors.schedule.system import Answer, Runner

# A home that has everything a quoting may stumble over.
HARD = '/tmp/내 자료 & co\'s/100% "q" $HOME'


@dataclass
class Commands:
    """What was asked, in order; `broken`: an answer in place of the real one."""

    asked: list[tuple[str, ...]] = field(default_factory=list)
    broken: Answer | Exception | None = None
    limits: list[float] = field(default_factory=list)

    def __call__(self, words: Sequence[str], within_s: float) -> Answer:
        self.asked.append(tuple(words))
        self.limits.append(within_s)
        if isinstance(self.broken, Exception):
            raise self.broken
        return self.broken or self.answer(list(words))

    def answer(self, words: list[str]) -> Answer:
        raise AssertionError(words)

    def take(self) -> list[tuple[str, ...]]:
        """What was asked since the last time."""
        taken, self.asked = self.asked, []
        return taken


@dataclass
class Systemd(Commands):
    """`systemctl --user`."""

    enabled: set[str] = field(default_factory=set)
    ended: dict[str, str] = field(default_factory=dict)

    def answer(self, words: list[str]) -> Answer:
        assert words[:2] == ["systemctl", "--user"]
        verb, units = words[2], [word for word in words[3:] if not word.startswith("--")]
        if verb == "enable":
            self.enabled |= set(units)
        elif verb == "disable":
            self.enabled -= set(units)
        elif verb == "show":
            return Answer(0, "\n\n".join(self._unit(one) for one in units) + "\n")
        else:
            assert verb in ("daemon-reload", "restart"), verb
        return Answer(0)

    def _unit(self, unit: str) -> str:
        on = unit in self.enabled
        lines = [f"Id={unit}", f"ActiveState={'active' if on else 'inactive'}"]
        lines += [f"UnitFileState={'enabled' if on else 'disabled'}"]
        if unit.endswith(".timer"):
            lines += [
                "NextElapseUSecRealtime=Tue 2026-11-24 21:00:00 UTC" if on else "NextElapseUSecRealtime="
            ]
            lines += [
                "LastTriggerUSec=Mon 2026-11-23 21:00:03 UTC" if self.ended.get(unit) else "LastTriggerUSec="
            ]
        return "\n".join([*lines, self.ended.get(unit, "Result=success\nExecMainExitTimestamp=")])


@dataclass
class Launchd(Commands):
    """`launchctl`."""

    loaded: set[str] = field(default_factory=set)
    exits: str = "(never exited)"

    def answer(self, words: list[str]) -> Answer:
        assert words[0] == "launchctl"
        label = Path(words[-1]).name.removesuffix(".plist")
        if words[1] == "print":
            there = label in self.loaded
            out = f"{label} = {{\n\tstate = not running\n\truns = 1\n\tlast exit code = {self.exits}\n}}\n"
            return Answer(0, out) if there else Answer(113, "", "Could not find service")
        if words[1] == "bootstrap":
            assert label not in self.loaded, "loaded twice"
            self.loaded.add(label)
        elif words[1] == "bootout":
            self.loaded.remove(label)
        else:
            assert words[1] == "enable"
        return Answer(0)


@dataclass
class Windows(Commands):
    """PowerShell with the cmdlets of Task Scheduler."""

    tasks: dict[str, str] = field(default_factory=dict)
    result: int = 0x41303
    last: str | None = "1999-11-30T00:00:00"

    def answer(self, words: list[str]) -> Answer:
        assert words[:6] == [
            "powershell.exe", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-Command",
        ]  # fmt: skip
        script = words[6]
        assert script.startswith("$ErrorActionPreference = 'Stop'; ")
        assert '"' not in script
        if "Get-ScheduledTask " in script:
            return Answer(0, json.dumps([self._row(name) for name in self.tasks]) + "\r\n")
        text = r"'((?:[^']|'')*)'"
        for file, name in re.findall(
            rf"Register-ScheduledTask -Xml \(Get-Content -LiteralPath {text} -Raw\) -TaskName {text} "
            r"-TaskPath '\\Daily Data Collector\\' -Force",
            script,
        ):
            self.tasks[name] = exported(Path(file.replace("''", "'")).read_bytes())
        for name in re.findall(rf"Unregister-ScheduledTask -TaskName {text} .*?-Confirm:\$false", script):
            del self.tasks[name.replace("''", "'")]
        return Answer(0)

    def _row(self, name: str) -> dict[str, object]:
        return {
            "name": name,
            "state": "Ready",
            "result": self.result,
            "last": self.last,
            "next": "2026-11-24T21:00:00",
            "xml": self.tasks[name],
        }


def exported(content: bytes) -> str:
    """A definition as Windows gives it back: another order, its own additions, defaults left out."""
    assert content[:2] == b"\xff\xfe"
    root = ET.fromstring(windows.decoded(content))
    space = f"{{{windows.NAMESPACE}}}"
    trigger = root.find(f"{space}Triggers/{space}CalendarTrigger")
    settings = root.find(f"{space}Settings")
    assert trigger is not None and settings is not None
    trigger.insert(1, trigger[0])
    del trigger[0]
    for tag in ("AllowStartOnDemand", "MultipleInstancesPolicy", "Enabled"):
        element = settings.find(f"{space}{tag}")
        assert element is not None
        settings.remove(element)
    idle = ET.SubElement(settings, f"{space}IdleSettings")
    ET.SubElement(idle, f"{space}StopOnIdleEnd").text = "true"
    ET.SubElement(settings, f"{space}Hidden").text = "false"
    ET.SubElement(settings, f"{space}Priority").text = "7"
    principal = root.find(f"{space}Principals/{space}Principal")
    assert principal is not None
    principal.insert(0, ET.Element(f"{space}UserId"))
    principal[0].text = "S-1-5-21-1-2-3-1001"
    about = root.find(f"{space}RegistrationInfo")
    assert about is not None
    ET.SubElement(about, f"{space}URI").text = r"\Daily Data Collector\x"
    root[:] = [root[at] for at in (0, 3, 2, 1, 4)]
    root.set("version", "1.4")
    return '<?xml version="1.0" encoding="UTF-16"?>\r\n' + ET.tostring(root, encoding="unicode")


SYSTEMS: dict[str, Callable[[], Commands]] = {"systemd": Systemd, "launchd": Launchd, "windows": Windows}


def installed_on(
    platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str = "Asia/Seoul"
) -> Commands:
    """This machine is one of that platform, with nothing scheduled and a user of its own."""
    from zoneinfo import ZoneInfo

    fake = SYSTEMS[platform]()
    runner: Runner = fake
    monkeypatch.setattr(system, "_run", runner)
    monkeypatch.setattr(system, "here", lambda: platform)
    monkeypatch.setattr(system, "_zone", lambda: ZoneInfo(zone))
    monkeypatch.setattr(known, "_looks", {})
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "user"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (tmp_path / "user").mkdir(exist_ok=True)
    return fake


def files(folder: Path) -> dict[str, bytes]:
    """Every file below, by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


SLOW = subprocess.TimeoutExpired("systemctl", 1)
NOW = datetime.fromisoformat("2026-11-24T18:00:00+00:00")
