"""Who holds a lock file, as the kernel tells it: asking the lock itself would make somebody's start fail."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LOCKS = Path("/proc/locks")


@dataclass(frozen=True, slots=True)
class Holder:
    """A process by its number, and by the name of its program."""

    pid: int
    name: str


def holder(lock: Path) -> Holder | None:
    """None where nobody holds it, and where the operating system does not tell (Windows, macOS)."""
    try:
        wanted = lock.resolve()
        number = wanted.stat().st_ino
        lines = LOCKS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        # 1: FLOCK  ADVISORY  WRITE 4711 08:01:131074 0 EOF
        words = line.split()
        if len(words) > 5 and words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(number):
            pid = int(words[4])
            if _has_open(pid, wanted):
                return Holder(pid, _name(pid))
    return None


def _has_open(pid: int, file: Path) -> bool:
    """Two disks may have a file of the same number."""
    with suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if os.readlink(link) == str(file):
                    return True
    return False


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "?"
