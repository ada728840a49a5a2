"""What the page System says: the state of everything in one sentence, and what each check is called."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pages._view import badges
from pages._view.badges import Look
from storage.texts import N_, _, ngettext

if TYPE_CHECKING:
    from collectors.doctor.finding import Finding

LOOKS = {
    "ok": Look(N_("ok"), "✓", ":material/check:", "green"),
    "warn": Look(N_("look at it"), "!", ":material/warning:", "orange"),
    "fail": Look(N_("fails"), "✕", ":material/close:", "red"),
}
UPSTREAMS = N_("Upstreams")
TITLES = {
    "interpreter": N_("Python"),
    "packages": N_("Packages"),
    "settings": N_("Settings"),
    "keys": N_("Keys"),
    "time_zone": N_("Time zone"),
    "clock": N_("Clock"),
    "home": N_("Home"),
    "synced_folder": N_("Synchronised"),
    "file_system": N_("File system"),
    "disk": N_("Disk"),
    "ledger": N_("Ledger"),
    "run": N_("Run"),
    "week": N_("Last 7 days"),
    "store": N_("Store"),
    "receipts": N_("Receipts"),
    "landing": N_("Landed"),
    "quarantine": N_("Quarantine"),
    "gaps": N_("Gaps"),
    "export": N_("Export"),
    "scheduler": N_("Scheduler"),
    "console": N_("Console"),
    "upstreams": UPSTREAMS,
}
# Cards, and the checks in each of them.
THEMES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (N_("Record"), ("store", "receipts", "landing", "quarantine", "gaps", "export")),
    (N_("Runs and schedule"), ("week", "run", "ledger", "scheduler", "console")),
    (N_("Home and disk"), ("home", "disk", "file_system", "synced_folder")),
    (N_("Program and settings"), ("interpreter", "packages", "settings", "keys", "time_zone")),
    (UPSTREAMS, ("upstreams", "upstream", "clock")),
)
_COMMAND = re.compile(
    r"python (?:collect\.py (?:schedule install|[a-z]+)|scripts/start\.py(?: --port \d+)?"
    r"|-m pip install (?:-r )?[\w.]*\w)",
    re.A,
)


def theme_of(check: str) -> str:
    """What a check belongs to: `week.crypto` to `week`."""
    return check.partition(".")[0]


def title(check: str, upstreams: Mapping[str, str]) -> str:
    """What a person calls a check; `upstreams` are titles by name."""
    kind, _dot, name = check.partition(".")
    if kind == "upstream":
        return upstreams.get(name, name)
    if kind == "week" and name:
        return badges.pipelines([name])
    return _(TITLES[kind]) if kind in TITLES else check


def headline(findings: Iterable["Finding"]) -> str:
    """ "Two things need a hand: Scheduler, Keys."."""
    states = [one.state for one in findings]
    failing, warning = states.count("fail"), states.count("warn")
    if failing:
        return ngettext("{n} thing does not work", "{n} things do not work", failing).format(n=failing)
    if warning:
        return ngettext(
            "Everything works; {n} thing deserves a look",
            "Everything works; {n} things deserve a look",
            warning,
        ).format(n=warning)
    return _("Everything works")


def commands(text: str) -> str:
    """A sentence as Markdown, its commands as such."""
    parts, at = [], 0
    for found in _COMMAND.finditer(text):
        parts += [badges.plain(text[at : found.start()]), f"`{found[0]}`"]
        at = found.end()
        if text[found.start() - 1 : found.start()] == " ":
            parts.insert(-1, " ")
        if text[at : at + 1] == " ":
            parts.append(" ")
    return "".join((*parts, badges.plain(text[at:])))


def by_theme(findings: Sequence["Finding"]) -> list[tuple[str, list["Finding"], int]]:
    """Each theme with what is well in it, and of how many checks."""
    told = []
    for name, checks in THEMES:
        found = [one for one in findings if theme_of(one.check) in checks]
        found.sort(key=lambda one: checks.index(theme_of(one.check)))
        told.append((name, [one for one in found if one.state == "ok"], len(found)))
    return told
