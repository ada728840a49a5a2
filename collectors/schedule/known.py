"""What is known of the schedule without waiting for it: the operating system is asked at most once a minute.

Whoever asks for a status gets the last look; a new one is taken beside, in a thread of its own.
"""

from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from time import monotonic

from storage.settings import Settings

KEPT_S = 60.0
# The very first look of a process has nothing to show meanwhile: it is waited for, once. systemd answers
# in 20 ms, PowerShell in a second or two.
FIRST_S, PATIENT_S = 0.25, 2.5
# PowerShell may be slow on a machine that has just been started; nobody waits for this look.
LOOK_S = 10.0


@dataclass(slots=True)
class _Look:
    pipelines: frozenset[str] = frozenset()
    until: float = 0.0
    under_way: bool = False
    waited: bool = False
    done: Event = field(default_factory=Event)


_turn = Lock()
_looks: dict[tuple[object, ...], _Look] = {}


def scheduled(settings: Settings, first_s: float = FIRST_S) -> frozenset[str]:
    """The pipelines that the operating system starts for this store, as last seen. The first who asks
    waits `first_s` at most (0: it is but begun, and the next one is the first); nobody else waits."""
    if settings.demo:
        return frozenset()
    key = (settings.home, settings.database, settings.timezone, settings.schedule)
    with _turn:
        look = _looks.setdefault(key, _Look())
        first = first_s > 0 and not look.waited and not look.done.is_set()
        look.waited = look.waited or first
        if not look.under_way and monotonic() >= look.until:
            look.under_way = True
            Thread(target=_renew, args=(settings, look), name="schedule", daemon=True).start()
    if first:
        look.done.wait(first_s)
    return look.pipelines


def _renew(settings: Settings, look: _Look) -> None:
    # Loaded beside, too: who imports this file may never ask.
    from collectors.schedule import state

    try:
        look.pipelines = state.state(settings, LOOK_S).pipelines
    finally:
        look.until = monotonic() + KEPT_S
        look.under_way = False
        look.done.set()
