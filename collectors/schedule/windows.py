"""A task as Windows Task Scheduler has it: its XML written and read. Asks nobody."""

import re
import subprocess
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from collectors.schedule import drift
from collectors.schedule.drift import UNREADABLE, Installed
from collectors.schedule.tasks import AGAIN_MIN, AGAIN_TIMES, LIMIT_MIN, Task
from storage.texts import N_, _

FOLDER = "\\Daily Data Collector\\"
NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
# Any day of the past: what counts is the hour and its distance from UTC.
SINCE = date(2026, 1, 1)
# Element, what a person calls it, what we want, what Windows does where it is missing. In schema order.
_SETTINGS = (
    ("AllowStartOnDemand", N_("start by hand"), "true", "true"),
    ("RestartOnFailure/Interval", N_("pause before another try"), f"PT{AGAIN_MIN}M", ""),
    ("RestartOnFailure/Count", N_("tries after a failure"), str(AGAIN_TIMES), ""),
    ("MultipleInstancesPolicy", N_("while it still runs"), "IgnoreNew", "IgnoreNew"),
    ("DisallowStartIfOnBatteries", N_("no start on battery"), "false", "true"),
    ("StopIfGoingOnBatteries", N_("stop on battery"), "false", "true"),
    ("StartWhenAvailable", drift.MISSED, "true", "false"),
    ("RunOnlyIfNetworkAvailable", N_("only with a network"), "false", "false"),
    ("WakeToRun", N_("wake the computer"), "false", "false"),
    ("Enabled", drift.SWITCHED_ON, "true", "true"),
    ("ExecutionTimeLimit", drift.LIMIT, f"PT{LIMIT_MIN}M", "PT72H"),
    ("RunOnlyIfIdle", N_("only when idle"), "false", "false"),
)
_PRINCIPAL = (
    ("LogonType", N_("sign-in"), "InteractiveToken", ""),
    ("RunLevel", N_("rights"), "LeastPrivilege", "LeastPrivilege"),
)
_TRIGGER = "Triggers/CalendarTrigger"
_OPTION = "--setting"


def name(task: Task) -> str:
    """What it is called in FOLDER."""
    return task.name


def xml(task: Task, now: datetime) -> str:
    """The definition, version 1.3, in schema order. The offset is that of today: a zone with daylight
    saving needs another installation when its clock changes, which `read` notices."""
    root = ET.Element("Task", {"version": "1.3", "xmlns": NAMESPACE})
    what = _("Collects {pipelines}.").format(pipelines=" ".join(task.pipelines))
    _put(root, "RegistrationInfo/Description", what)
    _put(root, f"{_TRIGGER}/Enabled", "true")
    _put(root, f"{_TRIGGER}/StartBoundary", _boundary(task, now))
    _put(root, f"{_TRIGGER}/ScheduleByDay/DaysInterval", "1")
    for path, _label, wanted, _default in _SETTINGS:
        _put(root, f"Settings/{path}", wanted)
    for path, _label, wanted, _default in _PRINCIPAL:
        _put(root, f"Principals/Principal/{path}", wanted)
    _found(root, "Principals/Principal").set("id", "Author")
    _put(root, "Actions/Exec/Command", task.program)
    _put(root, "Actions/Exec/Arguments", subprocess.list2cmdline(_arguments(task)))
    _put(root, "Actions/Exec/WorkingDirectory", task.folder)
    _found(root, "Actions").set("Context", "Author")
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-16"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def encoded(text: str) -> bytes:
    """As Windows wants it in a file: UTF-16LE with its mark."""
    return b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le")


def decoded(content: bytes) -> str:
    """The text of such a file."""
    return content.decode("utf-16").replace("\r\n", "\n")


def _arguments(task: Task) -> list[str]:
    # A task of Windows has no environment of its own.
    pairs = [f"{name}={value}" for name, value in task.environment.items()]
    return [*task.words, *(word for pair in pairs for word in (_OPTION, pair))]


def _boundary(task: Task, now: datetime) -> str:
    offset = task.today(now).isoformat()[19:]
    return f"{SINCE.isoformat()}T{task.at:%H:%M:%S}{offset}"


def _put(root: ET.Element, path: str, text: str) -> None:
    """The element at `path`, made where it is missing."""
    here = root
    for tag in path.split("/"):
        child = here.find(tag)
        here = ET.SubElement(here, tag) if child is None else child
    here.text = text


def _found(root: ET.Element, path: str) -> ET.Element:
    element = root.find(path)
    assert element is not None
    return element


# ---------------------------------------------------------------- read


def read(text: str, zone: ZoneInfo, now: datetime) -> Installed:
    """What a definition means, also one that Windows exported: any order, defaults spelled out or not."""
    try:
        root = ET.fromstring(text.lstrip("\ufeff"))
    except ET.ParseError:
        return UNREADABLE
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    program = _text(root, "Actions/Exec/Command").strip().strip('"')
    words, environment = _split_settings(arguments(_text(root, "Actions/Exec/Arguments")))
    facts = {
        drift.START: _start(root, zone, now),
        N_("triggers"): _kinds(root, "Triggers"),
        N_("trigger switched on"): _plain(_text(root, f"{_TRIGGER}/Enabled"), "true"),
        N_("rhythm"): _rhythm(root),
        N_("ends on"): _text(root, f"{_TRIGGER}/EndBoundary"),
        N_("repeats every"): _text(root, f"{_TRIGGER}/Repetition/Interval"),
        N_("actions"): _kinds(root, "Actions"),
        drift.PROGRAM: program,
        drift.ARGUMENTS: subprocess.list2cmdline(words),
        drift.SETTINGS: drift.told(environment),
        drift.FOLDER: _text(root, "Actions/Exec/WorkingDirectory").strip('"'),
    }
    for place, table in (("Settings", _SETTINGS), ("Principals/Principal", _PRINCIPAL)):
        facts |= {
            label: _plain(_text(root, f"{place}/{path}"), default) for path, label, _wanted, default in table
        }
    return Installed(facts, (program, *words), environment)


def _text(root: ET.Element, path: str) -> str:
    return (root.findtext(path) or "").strip()


def _kinds(root: ET.Element, place: str) -> str:
    return " ".join(child.tag for child in root.iterfind(f"{place}/*"))


def _rhythm(root: ET.Element) -> str:
    kinds = [child.tag for child in root.iterfind(f"{_TRIGGER}/*") if child.tag.startswith("ScheduleBy")]
    return " ".join((*kinds, _text(root, f"{_TRIGGER}/ScheduleByDay/DaysInterval") or "1"))


def _start(root: ET.Element, zone: ZoneInfo, now: datetime) -> str:
    """Its hour as it reads today in the zone of the settings."""
    try:
        at = datetime.fromisoformat(_text(root, f"{_TRIGGER}/StartBoundary"))
    except ValueError:
        return ""
    if at.tzinfo is None:
        # Whatever the clock of the machine shows.
        return f"{at:%H:%M} local"
    today = datetime.combine(now.astimezone(at.tzinfo).date(), at.timetz())
    return f"{today.astimezone(zone):%H:%M} {zone.key}"


def _plain(value: str, default: str) -> str:
    """One spelling for equal values: 1 and true, PT45M and PT2700S."""
    value = value or default
    if default in ("true", "false") and value in ("0", "1"):
        return ("false", "true")[int(value)]
    part = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", value)
    if not part or value == "P":
        return value
    days, hours, minutes, seconds = (int(number or 0) for number in part.groups())
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return f"{span.total_seconds() / 60:g} min"


def arguments(line: str) -> list[str]:
    """The words of a command line by the rules of Windows, the reverse of subprocess.list2cmdline."""
    words, word, quoted, open_word = [], "", False, False
    for slashes, mark, letter in re.findall(r'(\\*)(?:(")|([^"\\]))|\\+$', line + " "):
        word += "\\" * (len(slashes) // 2 if mark else len(slashes))
        open_word = open_word or bool(slashes or mark)
        if mark and len(slashes) % 2:
            word += '"'
        elif mark:
            quoted = not quoted
        elif letter in " \t" and not quoted:
            words += [word] if open_word else []
            word, open_word = "", False
        else:
            word, open_word = word + letter, True
    return words


def _split_settings(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    plain: list[str] = []
    told: dict[str, str] = {}
    given = iter(words)
    for word in given:
        if word != _OPTION:
            plain.append(word)
            continue
        key, _equals, value = next(given, "").partition("=")
        told[key] = value
    return plain, told
