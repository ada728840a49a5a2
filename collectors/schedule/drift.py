"""What an installed task says, and in which words it differs from what the settings want."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from storage.texts import N_, _, say

# One name for one thing, whatever an operating system calls it.
START = N_("start")
PROGRAM = N_("program")
ARGUMENTS = N_("arguments")
FOLDER = N_("working folder")
SETTINGS = N_("settings it is told")
SWITCHED_ON = N_("switched on")
MISSED = N_("start later when the time was missed")
LIMIT = N_("time limit")

Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference: a gettext id and its values; `lasting`: no installation can end it."""

    what: str
    found: str = ""
    wanted: str = ""
    message: str = N_("{what}: {found} instead of {wanted}")
    lasting: bool = False

    def said(self) -> str:
        """In the current language."""
        nothing = _("nothing")
        values = {"found": self.found or nothing, "wanted": self.wanted or nothing}
        return say(self.message, {"what": _(self.what), **values})


@dataclass(frozen=True, slots=True)
class Installed:
    """A definition as it was read: facts by their name, the whole command line, what it is told."""

    facts: Facts
    words: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


# What is kept of a definition that is none.
UNREADABLE = Installed({})


def told(environment: Mapping[str, str]) -> str:
    """Settings as one fact."""
    return "; ".join(f"{name}={value}" for name, value in sorted(environment.items()))


def compare(wanted: Installed, found: Installed) -> tuple[Drift, ...]:
    """Where they differ in meaning; what is not wanted and not there counts as the same."""
    if found is UNREADABLE:
        return (Drift("", message=N_("its definition cannot be read")),)
    names = [*wanted.facts, *(name for name in found.facts if name not in wanted.facts)]
    return tuple(
        Drift(name, found.facts.get(name, ""), wanted.facts.get(name, ""))
        for name in names
        if found.facts.get(name, "") != wanted.facts.get(name, "")
    )
