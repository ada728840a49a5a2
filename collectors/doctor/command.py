"""`collect.py doctor`: its options, and how findings are printed."""

from __future__ import annotations

from collectors import options
from storage.texts import N_, _

# A name that type checkers know; `doctor --help` loads nothing that it does not need.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collectors.doctor.finding import Finding
    from storage.settings import Settings

FAILS = 3
WORDS = {"ok": N_("ok"), "warn": N_("warn"), "fail": N_("fail")}
_WIDEST = 26


def run(argv: Sequence[str], settings_of: Callable[[bool], Settings]) -> int:
    """Looks, and says what it found; gives the exit code."""
    about = _("Looks at everything that a morning depends on, and says what to do.")
    parser = options.parser(" doctor", about, "python collect.py doctor")
    parser.add_argument("--json", action="store_true", help=_("as one JSON object"))
    parser.add_argument("--offline", action="store_true", help=_("ask no upstream"))
    given = parser.parse_args(argv)
    settings = settings_of(given.demo)
    from collectors import console_lines
    from collectors.doctor import examine, finding

    found = examine.examine(settings, offline=given.offline)
    if given.json:
        console_lines.put_json(as_json(found))
    else:
        for one in found:
            console_lines.put(line(one))
        console_lines.put(summary(found))
    return FAILS if finding.worst(found) == finding.FAIL else 0


def as_json(found: Sequence[Finding]) -> dict[str, object]:
    """The findings for programs: names of checks and states are fixed, sentences are not."""
    from collectors.doctor import finding
    from storage import clock

    checks = [
        {"check": one.check, "state": one.state, "message": one.message, "advice": one.advice}
        for one in found
    ]
    return {
        "schema": 1,
        "generated_at": clock.stamp(clock.now()),
        "state": finding.worst(found),
        "checks": checks,
    }


def line(one: Finding) -> str:
    """ "warn   scheduler   Not installed: nothing starts by itself. → Run …"."""
    from collectors.console_lines import padded

    told = f"{one.message} → {one.advice}" if one.advice else one.message
    return f"  {padded(_(WORDS[one.state]), 6)} {one.check:<{_WIDEST}} {' '.join(told.split())}"


def summary(found: Sequence[Finding]) -> str:
    """What all of it adds up to, in a sentence."""
    from collectors.doctor import finding

    failing, warning = finding.counted(found)
    if failing:
        return _("{failing} fail, {warning} warn.").format(failing=failing, warning=warning)
    if warning:
        return _("Nothing fails; {warning} warn.").format(warning=warning)
    return _("Nothing needs a hand.")
