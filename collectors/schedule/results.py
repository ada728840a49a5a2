"""How a scheduled start ended, in words: the codes of Windows, and our own exit codes."""

from storage.texts import N_, _

NEVER, RUNNING = 0x41303, 0x41301
OURS = {
    0: N_("ok"),
    1: N_("partial: some of it failed"),
    2: N_("wrong use or a setting that cannot be used"),
    3: N_("failed"),
    75: N_("another run was under way"),
    130: N_("cancelled"),
    143: N_("stopped from outside"),
}
WINDOWS = {
    0x41300: N_("ready, waits for its time"),
    RUNNING: N_("running"),
    0x41302: N_("switched off"),
    NEVER: N_("never ran"),
    0x41304: N_("has no time left at which it would start"),
    0x41306: N_("terminated before its end"),
    0x8004131F: N_("was already running"),
    0x80070002: N_("file not found: the program or the folder has moved"),
    0x800710E0: N_("refused by the system"),
    0xC000013A: N_("closed from outside"),
}
TIMEOUT = N_("stopped at its time limit")


def words(code: int | None) -> str:
    """A result in the current language; nothing for a code that nobody told."""
    if code is None:
        return ""
    # PowerShell may show an HRESULT as the negative number of its 32 bits.
    known = {**OURS, **WINDOWS}.get(code & 0xFFFFFFFF)
    return _(known) if known else _("code {code}").format(code=hex(code) if code > 255 else code)
