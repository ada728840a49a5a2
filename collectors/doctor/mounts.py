"""What a folder lies on, as the operating system tells it, and who else may be writing there."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

# Parts of a path that programs which synchronise give their folders; `OneDrive - Company` counts too.
_SYNCED = {
    "onedrive": "OneDrive",
    "dropbox": "Dropbox",
    "google drive": "Google Drive",
    "googledrive": "Google Drive",
    "my drive": "Google Drive",
    "icloud drive": "iCloud",
    "iclouddrive": "iCloud",
    "mobile documents": "iCloud",
    "nextcloud": "Nextcloud",
    "owncloud": "ownCloud",
    "pcloud drive": "pCloud",
    "megasync": "MEGA",
    "box sync": "Box",
    "seafile": "Seafile",
    "cloudstorage": "CloudStorage",
}
# Files that they leave in the folder that they synchronise.
_LEFT = {".dropbox": "Dropbox", ".stfolder": "Syncthing", ".nextcloudsync.log": "Nextcloud"}
_NAMED_BY_WINDOWS = ("OneDrive", "OneDriveConsumer", "OneDriveCommercial")
_OF_THE_KERNEL = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "9p", "afs", "ceph", "glusterfs", "lustre")
_OF_PROGRAMS = ("sshfs", "rclone", "s3fs", "davfs", "glusterfs", "gcsfuse", "ceph")
_NETWORK = frozenset((*_OF_THE_KERNEL, "davfs", *(f"fuse.{name}" for name in _OF_PROGRAMS)))
MOUNTS = Path("/proc/self/mounts")
_REMOTE = 4


@dataclass(frozen=True, slots=True)
class Kind:
    """The name of a file system, "" where nobody tells."""

    name: str
    network: bool = False


def synced_by(folder: Path) -> str | None:
    """The program that synchronises this folder, None where none is known to."""
    for path in dict.fromkeys((folder, folder.resolve())):
        for part in path.parts:
            # "OneDrive - Company", "GoogleDrive-name@example", "Dropbox (Personal)".
            name = part.lower()
            for known, title in _SYNCED.items():
                if name == known or name.startswith((f"{known} -", f"{known}-", f"{known} (")):
                    return title
        for above in (path, *path.parents):
            for file, title in _LEFT.items():
                if (above / file).exists():
                    return title
            if any(os.environ.get(name) == str(above) for name in _NAMED_BY_WINDOWS):
                return "OneDrive"
    return None


def kind_of(folder: Path) -> Kind:
    """The file system that a folder lies on."""
    path = folder.resolve()
    if sys.platform == "win32":
        return _of_drive(path)
    return _of_mounts(path)


def _of_mounts(path: Path) -> Kind:
    """The longest mount point above it; a later mount hides an earlier one of the same place."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return Kind("")
    found, longest = "", -1
    for line in lines:
        words = line.split(" ")
        if len(words) < 3:
            continue
        point = Path(_unescaped(words[1]))
        if (path == point or point in path.parents) and len(point.parts) >= longest:
            found, longest = words[2], len(point.parts)
    return Kind(found, found in _NETWORK)


def _unescaped(text: str) -> str:
    for sign in (" ", "\t", "\n", "\\"):
        text = text.replace(f"\\{ord(sign):03o}", sign)
    return text


def _of_drive(path: Path) -> Kind:
    if path.drive.startswith("\\\\"):
        return Kind("UNC", True)
    if sys.platform != "win32":
        return Kind("")
    import ctypes

    remote = ctypes.windll.kernel32.GetDriveTypeW(f"{path.drive}\\") == _REMOTE
    return Kind(path.drive, remote)
