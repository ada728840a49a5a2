"""What every process must know of a host before it asks: whose turn it is, until when the host wants
to be left alone, and whether its circuit breaker is open. Lives in the ledger's SQLite file.

Instants are kept as seconds since the epoch. They move along when the wall clock is set back, so
that nobody ever waits longer than was agreed.
"""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

SCHEMA = """CREATE TABLE IF NOT EXISTS host (
    host TEXT PRIMARY KEY,
    seen_at REAL NOT NULL,
    turns TEXT NOT NULL,
    allowed_at REAL NOT NULL,
    failures INTEGER NOT NULL,
    open_until REAL NOT NULL,
    denied_until REAL NOT NULL,
    denied_mark TEXT NOT NULL,
    probe_until REAL NOT NULL
)"""

WINDOW_S = 60.0
OPEN_S = 600.0
FAILURES = 5
# Two processes read the clock before they wait for the lock: less than this is not a clock set back.
JITTER_S = 1.0

Clock = Callable[[], datetime]


@dataclass(slots=True)
class _State:
    """One row. An instant of 0 is none."""

    seen_at: float
    turns: list[float] = field(default_factory=list)
    allowed_at: float = 0.0
    failures: int = 0
    open_until: float = 0.0
    denied_until: float = 0.0
    denied_mark: str = ""
    probe_until: float = 0.0

    def follow(self, now: float) -> None:
        """Moves every instant by as much as the clock was set back since the row was written."""
        back = self.seen_at - now
        if back > JITTER_S:
            self.turns = [at - back for at in self.turns]
            self.allowed_at -= back if self.allowed_at else 0.0
            self.open_until -= back if self.open_until else 0.0
            self.denied_until -= back if self.denied_until else 0.0
            self.probe_until -= back if self.probe_until else 0.0
        self.seen_at = now


@dataclass(frozen=True, slots=True)
class Gate:
    """What the breaker says: `closed` ask as usual, `probe` ask once, `open` ask after `until`.
    `denied`: it is open because the host refused these very credentials."""

    state: Literal["closed", "probe", "open"]
    until: datetime | None = None
    denied: bool = False


def mark_of(credentials: str, salt: str | None = None) -> str:
    """A salted digest of what was sent to be let in; tells a changed key from the refused one."""
    salt = salt or secrets.token_hex(16)
    return salt + ":" + hashlib.sha256((salt + credentials).encode()).hexdigest()


class Hosts:
    """`connect` opens the ledger: autocommit, WAL, busy_timeout; every call opens and closes one."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect

    def take_turn(self, host: str, clock: Clock, pace_s: float, per_minute: int | None) -> float:
        """Seconds to wait before asking again for a turn; 0.0: the turn is taken, send now.
        Turns are `pace_s` apart, at most `per_minute` in any 60 s, none before `allowed_at`."""
        with self._edit(host, clock) as (state, now):
            waits = [state.allowed_at - now]
            if state.turns and pace_s > 0:
                waits.append(min(pace_s, state.turns[-1] + pace_s - now))
            recent = [at for at in state.turns if at > now - WINDOW_S]
            if per_minute and len(recent) >= per_minute:
                waits.append(min(WINDOW_S, recent[-per_minute] + WINDOW_S - now))
            wait = max(0.0, *waits)
            if wait == 0.0:
                state.turns = [*recent, now]
            return wait

    def defer(self, host: str, until: datetime, clock: Clock) -> None:
        """Nobody asks `host` before `until`; a longer wait that was already agreed stays."""
        with self._edit(host, clock) as (state, _):
            state.allowed_at = max(state.allowed_at, until.timestamp())

    def allowed_at(self, host: str) -> datetime | None:
        """The instant before which `host` wants no request, past or future; None: it never said."""
        with closing(self._connect()) as connection:
            row = connection.execute("SELECT allowed_at FROM host WHERE host = ?", (host,)).fetchone()
        return datetime.fromtimestamp(row[0], UTC) if row and row[0] > 0 else None

    def admit(self, host: str, clock: Clock, credentials: str, *, eager: bool, probe_s: float) -> Gate:
        """May `host` be asked with these `credentials`? A `probe` is claimed for `probe_s` seconds and
        ends with `succeeded`, `failed`, `denied` or `released`. `eager`: do not wait for the open
        time to be over before probing."""
        with self._edit(host, clock) as (state, now):
            denied = bool(state.denied_mark) and (
                mark_of(credentials, state.denied_mark.split(":")[0]) == state.denied_mark
            )
            if not (denied or state.open_until):
                return Gate("closed")
            until = max(state.open_until, state.denied_until if denied else 0.0)
            if state.probe_until > now or (until > now and not eager):
                last = max(until, state.probe_until)
                return Gate("open", datetime.fromtimestamp(last, UTC), denied)
            state.probe_until = now + probe_s
            return Gate("probe")

    def succeeded(self, host: str, clock: Clock) -> None:
        """The host answered: the breaker closes."""
        with self._edit(host, clock) as (state, _):
            state.failures, state.open_until, state.probe_until = 0, 0.0, 0.0
            state.denied_until, state.denied_mark = 0.0, ""

    def failed(self, host: str, clock: Clock) -> bool:
        """One logical failure more; the fifth in a row opens the breaker, and so does every one
        after it. True: it is open now."""
        with self._edit(host, clock) as (state, now):
            if state.denied_mark and state.probe_until:
                state.denied_until = now + OPEN_S
            state.failures, state.probe_until = state.failures + 1, 0.0
            if state.failures >= FAILURES:
                state.open_until = now + OPEN_S
            return state.failures >= FAILURES

    def denied(self, host: str, clock: Clock, credentials: str) -> None:
        """The host refused these credentials: the breaker opens at once, for them alone."""
        with self._edit(host, clock) as (state, now):
            # It answered, so it is not down.
            state.failures, state.open_until, state.probe_until = 0, 0.0, 0.0
            state.denied_until, state.denied_mark = now + OPEN_S, mark_of(credentials)

    def released(self, host: str, clock: Clock) -> None:
        """A claimed probe was not sent after all; the next one may be."""
        with self._edit(host, clock) as (state, _):
            state.probe_until = 0.0

    @contextmanager
    def _edit(self, host: str, clock: Clock) -> Iterator[tuple[_State, float]]:
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                # Read only now: waiting for the lock may have taken seconds.
                now = clock().timestamp()
                state = _load(connection, host, now)
                state.follow(now)
                yield state, now
                _save(connection, host, state)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")


def _load(connection: sqlite3.Connection, host: str, now: float) -> _State:
    row = connection.execute(
        "SELECT seen_at, turns, allowed_at, failures, open_until, denied_until, denied_mark, probe_until"
        " FROM host WHERE host = ?",
        (host,),
    ).fetchone()
    return _State(row[0], json.loads(row[1]), *row[2:]) if row else _State(now)


def _save(connection: sqlite3.Connection, host: str, state: _State) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO host VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            host,
            state.seen_at,
            json.dumps(state.turns),
            state.allowed_at,
            state.failures,
            state.open_until,
            state.denied_until,
            state.denied_mark,
            state.probe_until,
        ),
    )
