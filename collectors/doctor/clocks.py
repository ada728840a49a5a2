"""The clock and the zones: every row is dated by them."""

from collections.abc import Sequence
from importlib import metadata
from statistics import median
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collectors.doctor.case import Case
from collectors.doctor.finding import Finding, fail, ok, warn
from collectors.doctor.words import span
from storage.texts import N_, _

SLOW_S, WRONG_S = 120.0, 3600.0
# The exchanges whose days are counted.
_NEEDED = ("America/New_York", "America/Chicago")


def time_zone(case: Case) -> Finding:
    """The zone of the settings beside that of the machine, and whether zones are known at all."""
    try:
        for name in _NEEDED:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return fail(
            "time_zone",
            _("There is no time zone database on this machine."),
            _("Run {command}.").format(command="python -m pip install tzdata"),
        )
    try:
        version = metadata.version("tzdata")
    except metadata.PackageNotFoundError:
        version = _("of the system")
    local = case.now.astimezone()
    machine = f"{local.tzname()} (UTC{local:%z})"
    text = _("Times are told in {zone}; this machine's clock shows {machine}. Zone database {version}.")
    return ok("time_zone", text.format(zone=case.settings.timezone, machine=machine, version=version))


def clock(ahead: Sequence[float]) -> Finding:
    """Our clock against those of the upstreams that answered: `ahead`, by how many seconds of each."""
    if not ahead:
        return ok("clock", _("Not compared: no upstream said what time it is."))
    off = median(ahead)
    if abs(off) <= SLOW_S:
        return ok("clock", _("It agrees with {n} upstreams within two minutes.").format(n=len(ahead)))
    text = N_("This machine's clock is {span} ahead of the upstreams'.")
    behind = N_("This machine's clock is {span} behind the upstreams'.")
    message = _(text if off > 0 else behind).format(span=span(abs(off)))
    advice = _(
        "Set the clock, best by the operating system's own synchronisation: starts and days depend on it."
    )
    return (fail if abs(off) > WRONG_S else warn)("clock", message, advice)
