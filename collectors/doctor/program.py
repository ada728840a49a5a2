"""The program itself: the interpreter that runs it, and the packages that it was tested with."""

import re
import struct
import sys
from importlib import metadata
from pathlib import Path

from collectors.doctor.case import Case
from collectors.doctor.finding import Finding, fail, ok, warn
from storage.settings import ROOT
from storage.texts import N_, _, ngettext

LEAST = (3, 11)
REQUIREMENTS = ROOT / "requirements.txt"
INSTALL = "python -m pip install -r requirements.txt"
_PINNED = re.compile(r"([A-Za-z0-9._-]+)==([^\s;#]+)")


def interpreter(_case: Case) -> Finding:
    """Its version, whether it is one of its own, and how wide its numbers are."""
    bits = struct.calcsize("P") * 8
    own = sys.prefix != sys.base_prefix
    text = N_("Python {version}, {bits} bit, in an environment of its own.")
    shared = N_("Python {version}, {bits} bit, without an environment of its own.")
    message = _(text if own else shared).format(version=".".join(map(str, sys.version_info[:3])), bits=bits)
    if sys.version_info[:2] < LEAST:
        return fail(
            "interpreter",
            message,
            _("Install Python {least} or later, then run python scripts/start.py with it.").format(
                least=".".join(map(str, LEAST))
            ),
        )
    if bits < 64:
        return warn("interpreter", message, _("Install the 64 bit Python: DuckDB is made for no other."))
    return ok("interpreter", message)


def pins(requirements: Path | None = None) -> dict[str, str]:
    """Version by package, as the project wants them; none where it came without its list."""
    try:
        lines = (requirements or REQUIREMENTS).read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {found[1]: found[2] for line in lines if (found := _PINNED.match(line))}


def installed(name: str) -> str | None:
    """The version that is there, None where none is."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def packages(_case: Case) -> Finding:
    """Every pinned package beside what is installed."""
    wanted = pins()
    have = {name: installed(name) for name in wanted}
    missing = [name for name, version in have.items() if version is None]
    other = [
        _("{name} {found} instead of {wanted}").format(name=name, found=version, wanted=wanted[name])
        for name, version in have.items()
        if version not in (None, wanted[name])
    ]
    advice = _("Run {command}.").format(command=INSTALL)
    if missing:
        return fail("packages", _("Missing: {names}.").format(names=", ".join(missing)), advice)
    if other:
        return warn("packages", _("Not as tested: {names}.").format(names="; ".join(other)), advice)
    text = ngettext("{n} package, as pinned.", "{n} packages, all as pinned.", len(wanted))
    return ok("packages", text.format(n=len(wanted)))
