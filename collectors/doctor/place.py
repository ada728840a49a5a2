"""The home: whether it can be written, on what kind of disk it lies, and how much room is left there."""

import os
import secrets
import shutil
from pathlib import Path

from collectors.doctor import mounts
from collectors.doctor.case import Case
from collectors.doctor.finding import Finding, fail, ok, warn
from collectors.doctor.words import size
from storage import landing
from storage.settings import Settings
from storage.texts import N_, _

LITTLE, LEAST = 1_000_000_000, 100_000_000
_MOVE = N_(
    "Set COLLECTOR_HOME to a folder on a local disk that no program synchronises, and move {home} there."
)
_OTHER_FOLDER = N_("Change its permissions, or set COLLECTOR_HOME to a folder that can be written.")


def folders(settings: Settings) -> list[Path]:
    """Where is written: the home, and the folder of the store where that is another."""
    return list(dict.fromkeys((settings.home, settings.database.parent)))


def nearest(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    return next((one for one in (folder, *folder.parents) if one.exists()), folder)


def home(case: Case) -> Finding:
    """Written for real: permissions and mounts tell half of it."""
    for folder in folders(case.settings):
        try:
            _write_in(nearest(folder))
        except OSError as error:
            text = _("{folder} cannot be written ({reason}).")
            reason = error.strerror or type(error).__name__
            return fail("home", text.format(folder=folder, reason=reason), _(_OTHER_FOLDER))
    if not case.settings.home.exists():
        text = _("{folder} is not there yet; the first run makes it.")
        return ok("home", text.format(folder=case.settings.home))
    return ok("home", _("{folder} can be written.").format(folder=case.settings.home))


def _write_in(folder: Path) -> None:
    file = folder / f".doctor-{os.getpid()}-{secrets.token_hex(3)}"
    handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    try:
        os.write(handle, b"written and removed again\n")
    finally:
        os.close(handle)
        file.unlink(missing_ok=True)


def synced_folder(case: Case) -> Finding:
    """A program that synchronises opens and copies files in the middle of a transaction."""
    for folder in folders(case.settings):
        if name := mounts.synced_by(folder):
            text = _("{folder} lies in a folder that {name} synchronises: it may lock or mix up the store.")
            advice = _(_MOVE).format(home=case.settings.home)
            return warn("synced_folder", text.format(folder=folder, name=name), advice)
    return ok("synced_folder", _("No program is known to synchronise it."))


def file_system(case: Case) -> Finding:
    """The ledger's way of writing needs a disk of this machine."""
    kinds = {folder: mounts.kind_of(nearest(folder)) for folder in folders(case.settings)}
    for folder, kind in kinds.items():
        if kind.network:
            text = _("{folder} is on a network file system ({kind}), where locks and logs are not reliable.")
            advice = _(_MOVE).format(home=case.settings.home)
            return warn("file_system", text.format(folder=folder, kind=kind.name), advice)
    name = kinds[case.settings.home].name
    if not name:
        return ok("file_system", _("Not known on this operating system."))
    return ok("file_system", _("On a disk of this machine ({kind}).").format(kind=name))


def disk(case: Case) -> Finding:
    """The least room of all places that are written, and the reserve that a full disk gives up."""
    free = min(shutil.disk_usage(nearest(folder)).free for folder in folders(case.settings))
    reserve = landing.folder(case.settings) / "reserve"
    held = reserve.exists() and reserve.stat().st_size == landing.RESERVE_BYTES
    text = N_("{free} free; a reserve of {reserve} is kept for what is collected when it is full.")
    without = N_("{free} free; no reserve is kept yet.")
    message = _(text if held else without).format(free=size(free), reserve=size(landing.RESERVE_BYTES))
    advice = _("Free some space: a day takes a few MB, and a full disk ends a run.")
    if free < LEAST:
        return fail("disk", message, advice)
    return warn("disk", message, advice) if free < LITTLE else ok("disk", message)
