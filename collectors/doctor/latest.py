"""The doctor for pages: a look is kept for half a minute, upstreams are asked only when somebody wants it,
in a thread of its own, and what they said is kept longer.
"""

import threading
from collections.abc import Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from collectors.doctor import examine, upstreams
from collectors.doctor.case import Case
from collectors.doctor.finding import Finding
from storage import clock
from storage.settings import Settings
from storage.texts import language

KEPT_S, ASKED_KEPT_S = 30.0, 600.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known. `asking`: upstreams are being asked; `asked_at`: when they were, None: not lately."""

    case: Case
    findings: Sequence[Finding]
    asking: bool = False
    asked_at: datetime | None = None


@dataclass(slots=True)
class _Kept:
    case: Case | None = None
    here: Sequence[Finding] = ()
    until: float = 0.0
    elsewhere: Sequence[Finding] = ()
    asked_at: datetime | None = None
    asked_until: float = 0.0
    asking: bool = False
    turn: threading.Lock = field(default_factory=threading.Lock)


_kept: dict[tuple[object, ...], _Kept] = {}
_guard = threading.Lock()


def _of(settings: Settings) -> _Kept:
    # Sentences are kept as they are said: one look for each language.
    key = (settings.home, settings.database, settings.demo, language())
    with _guard:
        return _kept.setdefault(key, _Kept())


def seen(settings: Settings) -> Seen:
    """The last look, a new one where that is too old. Never raises."""
    kept = _of(settings)
    with kept.turn:
        if kept.case is None or monotonic() >= kept.until:
            kept.case = Case(settings, inside=True)
            kept.here = examine.looked(kept.case, examine.HERE)
            kept.until = monotonic() + KEPT_S
        fresh = kept.asked_at is not None and monotonic() < kept.asked_until
        elsewhere = kept.elsewhere if fresh else upstreams.not_asked()
        return Seen(kept.case, [*kept.here, *elsewhere], kept.asking, kept.asked_at if fresh else None)


def again(settings: Settings) -> None:
    """The next look is a new one."""
    _of(settings).until = 0.0


def ask(settings: Settings) -> None:
    """Has the upstreams asked, and comes back at once; twice in the same moment is once."""
    kept = _of(settings)
    with _guard:
        if kept.asking:
            return
        kept.asking = True
    threading.Thread(
        target=copy_context().run, args=(_renew, settings, kept), name="doctor", daemon=True
    ).start()


def asking(settings: Settings) -> bool:
    """Whether they are being asked at this moment."""
    return _of(settings).asking


def _renew(settings: Settings, kept: _Kept) -> None:
    try:
        kept.elsewhere = examine.looked(Case(settings, inside=True), examine.ELSEWHERE)
        kept.asked_at, kept.asked_until = clock.now(), monotonic() + ASKED_KEPT_S
    finally:
        kept.asking = False
