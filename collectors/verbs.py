"""The verbs that look after what was collected: `collect.py status`, `gaps`, `export`, `replay`.

`settings_of` gives the settings, by whether the demo market is asked for; `told` does what it is given and
tells on one line where store, ledger or disk is in its way.
"""

from __future__ import annotations

from collectors.options import parser
from storage.texts import _

# A name that type checkers know; `status --help` loads nothing that it does not need.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from storage.settings import Settings

    Load = Callable[[bool], Settings]
    Told = Callable[..., int]


def status(argv: Sequence[str], settings_of: Load, told: Told) -> int:
    """What is fresh, what ran and what runs, as lines or as one JSON object; gives the exit code."""
    given = _json_or_lines(" status", _("Says what is fresh, what ran and what runs."), argv)
    settings = settings_of(given.demo)
    from collectors import console_lines, freshness
    from collectors.schedule import known

    def tell() -> int:
        found = freshness.status(settings)
        if given.json:
            console_lines.put_json(freshness.status_json(settings, found, known.PATIENT_S))
        else:
            console_lines.put_status(settings, found)
        return 0

    return told(settings, tell, as_json=given.json)


def gaps(argv: Sequence[str], settings_of: Load, told: Told) -> int:
    """The days that are missing, as lines or as one JSON object; gives the exit code."""
    about = _("Lists the days that are missing, until when they can be had, and what that takes.")
    given = _json_or_lines(" gaps", about, argv)
    settings = settings_of(given.demo)
    from collectors import console_lines
    from collectors.gaps import all_json, found

    def tell() -> int:
        missing = found(settings)
        if given.json:
            console_lines.put_json(all_json(settings, missing))
        else:
            console_lines.put_all_gaps(settings, missing)
        return 0

    return told(settings, tell, as_json=given.json)


def _json_or_lines(verb: str, about: str, argv: Sequence[str]) -> Any:
    options = parser(verb, about, f"python collect.py{verb}")
    options.add_argument("--json", action="store_true", help=_("as one JSON object"))
    return options.parse_args(argv)


def export(argv: Sequence[str], settings_of: Load, told: Told) -> int:
    """Writes the export; gives the exit code."""
    about = _("Writes the export for crypto_trends.html anew.")
    settings = settings_of(parser(" export", about, "python collect.py export").parse_args(argv).demo)
    from collectors import console_lines, publish
    from storage.export import folder

    def write() -> int:
        publish.anew(settings)
        console_lines.put(_("Exported to {folder}").format(folder=folder(settings)))
        return 0

    return told(settings, write)


def replay(argv: Sequence[str], settings_of: Load, prepare: Callable[[Settings], None], told: Told) -> int:
    """Merges what waits for the store; gives the exit code. `prepare` makes the home and the log."""
    about = _("Merges what was collected while the store was locked.")
    settings = settings_of(parser(" replay", about, "python collect.py replay").parse_args(argv).demo)
    prepare(settings)
    from filelock import FileLock, Timeout

    from collectors import console_lines, housekeeping, outcome, publish
    from storage import ledger, read

    def merge() -> int:
        try:
            held = FileLock(ledger.lock_path(settings, "run"), timeout=1).acquire()
        except Timeout:
            console_lines.put(_("A run is under way; it merges what waits. Nothing to do."))
            return outcome.BUSY
        with held:
            console_lines.put_replayed(housekeeping.replay(settings))
            read.remember(settings)
            if publish.stale(settings):
                publish.anew(settings)
        return 0

    return told(settings, merge)
