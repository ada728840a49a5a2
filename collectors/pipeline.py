"""One run from start to exit code: reservation, locks, order, deadline, cancel, outcome.

Locks, always in this order: `<run_id>.lock` (held for life, the only one that others probe, and never
waited for), `run.lock` (one run at a time), then `store.lock` inside the store.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from collectors import export_step, freshness, housekeeping, order, outcome, past, run, under_way
from collectors.http import Http
from collectors.model import Source
from collectors.registry import PIPELINES, ordered
from storage import clock, hosts, journal, landing, ledger, points, read
from storage.db import StoreError
from storage.ledger import StepRecord
from storage.settings import Settings
from storage.store_error import explained

log = logging.getLogger("collector")
WATCH_S = 0.25
BEAT_S = 2.0
# What is kept back of the deadline for every pipeline still to come.
SHARE_S = 60.0
# A day's worth of calls at the slowest pace; and for how long a backfill waits for a host that asks for it.
BACKFILL_S, PATIENCE_S = 6 * 3600.0, 300.0
PERSON = frozenset({"cli", "console", "api"})
_STOPPED = {
    "cancelled": outcome.CANCELLED,
    "interrupted": outcome.TERMINATED,
    "failed": outcome.EXIT["failed"],
}


class Stopped(BaseException):
    """SIGTERM arrived: not an Exception, so that no step can take it for its own failure."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a starter asked for. `run_id` is given where the row was reserved by somebody else."""

    pipelines: Sequence[str]
    trigger: str = "cli"
    wait_s: float = 0.0
    force: bool = False
    run_id: str | None = None
    starter: str | None = None
    # What has to have run today before it.
    after: Sequence[str] = ()
    # Only these sources, by name; none: all of the pipelines.
    only: frozenset[str] = frozenset()
    # Of a backfill: what is asked instead, by pipeline, looked up once the run has its turn.
    work: Callable[[], Mapping[str, Sequence[Source]]] | None = None


Emit = Callable[[dict[str, Any]], None]


def execute(settings: Settings, start: Start, emit: Emit) -> int:
    """Runs the pipelines; gives the exit code. Every event goes to `emit` as the contract has it."""
    run_id = start.run_id or ledger.new_run_id(clock.now())
    pipelines = ordered(set(start.pipelines))
    try:
        with run.isolated() as caught:
            return _execute(settings, run_id, pipelines, start, emit)
    except KeyboardInterrupt:
        return _stopped(settings, run_id, pipelines, "cancelled", emit)
    except Stopped:
        return _stopped(settings, run_id, pipelines, "interrupted", emit)
    raise _broken(settings, run_id, pipelines, caught.error or RuntimeError(), emit)


def _broken(
    settings: Settings, run_id: str, pipelines: Sequence[str], error: Exception, emit: Emit
) -> StoreError:
    """What a person is told of an error that ended the run; its row does not stay `running`."""
    if not isinstance(error, StoreError):
        log.error("run %s: unexpected", run_id, exc_info=error)
    with run.isolated():
        found = ledger.run(settings, run_id)
        if found is not None and found.state in ledger.LIVE:
            _stopped(settings, run_id, pipelines, "failed", emit)
    return explained(settings, error)


def _stopped(settings: Settings, run_id: str, pipelines: Sequence[str], state: str, emit: Emit) -> int:
    """Ended while it waited, or while it was ending anyway: what has ended stays as it is."""
    code = _STOPPED[state]
    if ledger.run(settings, run_id) is not None:
        ledger.finish(settings, run_id, state, code, dict.fromkeys(pipelines, state))
        emit(_finished(settings, run_id))
    # A signal may come while the lock is being taken, before anybody would remove it.
    _unlink(ledger.lock_path(settings, run_id))
    return code


def _execute(settings: Settings, run_id: str, pipelines: tuple[str, ...], start: Start, emit: Emit) -> int:
    if start.run_id is None:
        got = order.reserved(
            settings, run_id, pipelines, start.after, start.trigger, start.starter, start.wait_s
        )
        if got is None:
            ledger.record_skip(settings, run_id, pipelines, start.trigger, "busy", outcome.BUSY)
            emit(_finished(settings, run_id))
            return outcome.BUSY
        pipelines = got
    points.reach("after_reserve")
    own = ledger.lock_path(settings, run_id)
    # Held from now on: it tells one who waits for its turn from a child that never came.
    with FileLock(own):
        try:
            return _take_turn(settings, run_id, pipelines, start, emit)
        finally:
            _unlink(own)


def _take_turn(settings: Settings, run_id: str, pipelines: tuple[str, ...], start: Start, emit: Emit) -> int:
    try:
        held = FileLock(ledger.lock_path(settings, "run")).acquire(
            timeout=max(start.wait_s, order.RETRY_S),
            poll_interval=order.POLL_S,
            cancel_check=lambda: ledger.cancel_asked(settings, run_id),
        )
    except Timeout:
        if ledger.cancel_asked(settings, run_id):
            return _stopped(settings, run_id, pipelines, "cancelled", emit)
        ledger.finish(settings, run_id, "skipped", outcome.BUSY, dict.fromkeys(pipelines, "skipped"), "busy")
        emit(_finished(settings, run_id))
        return outcome.BUSY
    with held:
        if not ledger.claim(settings, run_id, os.getpid()):
            # It came too late: somebody has already written that it never did.
            emit(_finished(settings, run_id))
            return outcome.BUSY
        points.reach("after_claim")
        ledger.sweep_locks(settings, run_id)
        return _Execution(settings, run_id, pipelines, start, emit).run()


def _finished(settings: Settings, run_id: str) -> dict[str, Any]:
    record = freshness.run_json(ledger.run(settings, run_id)) or {}
    return {"event": "run_finished", "at": clock.stamp(clock.now()), **record}


class _Execution:
    """The life of one claimed run."""

    def __init__(
        self, settings: Settings, run_id: str, pipelines: tuple[str, ...], start: Start, emit: Emit
    ) -> None:
        self.settings, self.run_id, self.pipelines, self.start, self.emit = (
            settings,
            run_id,
            pipelines,
            start,
            emit,
        )
        self.outcomes: dict[str, str] = {}
        # A backfill has its own pace, which is slow, and is over when it is done.
        self.until = time.monotonic() + (BACKFILL_S if start.work else settings.deadline_s)
        self.work: Mapping[str, Sequence[Source]] = {}
        http = Http(
            hosts.Hosts(lambda: ledger.connect(settings)),
            secret=settings.secret,
            pace_s=settings.pace_s,
            timeout_s=settings.request_timeout_s,
            probe=start.trigger in PERSON,
            now=lambda: clock.now(),
        )
        self.steps = under_way.Run(settings, run_id, http, self._on_step)
        self.steps.patience_s = PATIENCE_S if start.work else 0.0

    def run(self) -> int:
        self.emit(
            {
                "event": "run_started",
                "at": clock.stamp(clock.now()),
                "run_id": self.run_id,
                "pipelines": list(self.pipelines),
                "trigger": self.start.trigger,
            }
        )
        journal.open_run_log(self.settings, self.run_id)
        log.info("[START] run %s %s (%s)", self.run_id, " ".join(self.pipelines), self.start.trigger)
        try:
            with run.isolated() as caught, self._watched():
                self._pipelines()
        except KeyboardInterrupt:
            return self._end("cancelled", outcome.CANCELLED)
        except Stopped:
            return self._end("interrupted", outcome.TERMINATED)
        if caught.error is not None:
            # A store that this run may not write to, a ledger that is locked for long, a full disk.
            with run.isolated():
                self._end("failed", outcome.EXIT["failed"])
            raise caught.error
        with run.isolated():
            read.remember(self.settings)
        state = outcome.of_pipelines(self.outcomes.values())
        points.reach("before_finish")
        return self._end(state, outcome.EXIT[state], "fresh" if state == "skipped" and self._fresh else None)

    _fresh = False

    def _pipelines(self) -> None:
        wanted = list(self.pipelines)
        if self.start.work:
            self._fill(self.start.work)
            return
        if self.start.trigger in ("schedule", "catchup") and not self.start.force:
            fresh = [name for name in wanted if freshness.is_fresh(self.settings, name)]
            self._fresh = bool(fresh)
            self.outcomes.update(dict.fromkeys(fresh, "skipped"))
            wanted = [name for name in wanted if name not in fresh]
        if not wanted:
            return
        landing.prepare(self.settings)
        if "crypto" in wanted:
            export_step.ahead(self.settings)
        housekeeping.open_store(self.steps, [source for name in wanted for source in self._sources(name)])
        for n, name in enumerate(wanted, 1):
            self.outcomes[name] = self._pipeline(name, self.until - SHARE_S * (len(wanted) - n))

    def _fill(self, work: Callable[[], Mapping[str, Sequence[Source]]]) -> None:
        """A backfill: what it asks is looked up now, since who was waited for may have filled it."""
        landing.prepare(self.settings)
        housekeeping.open_store(self.steps, [])
        self.work = work()
        ledger.remember(self.settings, freshness.TOTAL, f"{self.run_id} {self._total()}")
        asked = [source for sources in self.work.values() for source in sources]
        self.steps.known = past.as_before(self.steps.known, asked)
        for name in self.pipelines:
            collected = run.collect(self.steps, name, self._sources(name), self.until)
            filled = any(step.counts.inserted or step.counts.updated for step in collected)
            self.outcomes[name] = outcome.of_steps(
                collected, [self._computed(name, collected)] if filled else []
            )
        housekeeping.rest(self.steps)

    def _total(self) -> int:
        """How many steps the run has."""
        return sum(len(self._sources(name)) + 1 for name in self.pipelines)

    def _pipeline(self, name: str, until: float) -> str:
        sources = self._sources(name)
        collected = run.collect(self.steps, name, sources, until)
        housekeeping.close_store(self.steps, sources, collected)
        return outcome.of_steps(collected, [self._computed(name, collected)])

    def _sources(self, name: str) -> list[Source]:
        """The sources of a pipeline that this run asks: all, or those that it was started for."""
        if self.start.work:
            return list(self.work.get(name, ()))
        only = self.start.only
        return [source for source in PIPELINES[name] if not only or source.name in only]

    def _computed(self, name: str, collected: Sequence[StepRecord]) -> StepRecord:
        """What is made of a pipeline's rows once they are in: the index, the export, the brief."""
        if name == "liquidity":
            # Imported when asked: it brings NumPy, which crypto does without.
            from collectors import stress_step

            return stress_step.run_step(self.steps, name, PIPELINES[name], collected)
        if name == "news":
            from collectors import brief_step

            return brief_step.run_step(self.steps, name, collected)
        return export_step.run_step(self.steps, name, collected)

    def _on_step(self, step: StepRecord) -> None:
        event = "step_started" if step.state == "running" else "step_finished"
        self.emit(
            {
                "event": event,
                "at": clock.stamp(clock.now()),
                "run_id": step.run_id,
                "n": step.n,
                "m": self._total(),
                **freshness.step_json(step),
            }
        )
        _log_step(step)

    def _end(self, state: str, exit_code: int, reason: str | None = None) -> int:
        self.steps.stopping.set()
        outcomes = {name: self.outcomes.get(name, state) for name in self.pipelines}
        ledger.finish(self.settings, self.run_id, state, exit_code, outcomes, reason)
        log.info("[%s] run %s exit %s", "OK" if exit_code == 0 else "FAIL", self.run_id, exit_code)
        self.emit(_finished(self.settings, self.run_id))
        return exit_code

    # ------------------------------------------------------------ cancel

    @contextmanager
    def _watched(self) -> Iterator[None]:
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(over,), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()

    def _watch(self, over: threading.Event) -> None:
        """Says that the run lives, and ends the process when somebody cancels it: between two
        transactions, without waiting for a request that hangs."""
        beat = 0.0
        while not over.wait(WATCH_S):
            # A look that fails (a ledger locked for long) must not be the last one.
            with run.isolated() as caught:
                caught.result = ledger.cancel_asked(self.settings, self.run_id)
                if not caught.result and time.monotonic() - beat >= BEAT_S:
                    beat = time.monotonic()
                    caught.result = ledger.heartbeat(self.settings, self.run_id)
            if caught.error is not None:
                log.warning("ledger: %s", caught.error)
            if caught.result:
                self._leave(over)

    def _leave(self, over: threading.Event) -> None:
        with self.steps.quiet:
            if over.is_set():
                return
            with run.isolated():
                self._end("cancelled", outcome.CANCELLED)
            _unlink(ledger.lock_path(self.settings, self.run_id))
            logging.shutdown()
            # What was being landed at this moment is no batch yet.
            for partial in landing.folder(self.settings).glob(f"{self.run_id}.*.part"):
                _unlink(partial)
            os._exit(outcome.CANCELLED)


def _unlink(lock: Path) -> None:
    """Windows does not remove what is still open; there the lock file goes with the next run."""
    with suppress(OSError):
        lock.unlink()


def _log_step(step: StepRecord) -> None:
    if step.state == "running":
        log.info("[START] %s", step.step)
    elif step.state == "ok":
        log.info("[OK] %s %s", step.step, json.dumps(freshness.counts_json(step.counts)))
    elif step.state == "skipped":
        log.info("[SKIP] %s %s", step.step, step.reason)
    else:
        log.error("[FAIL] %s %s %s %s", step.step, step.kind, step.code, step.said())
