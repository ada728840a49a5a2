"""What a person believes after all goes into the store, by the same way as any batch: landed, merged, with a
receipt, in a run of its own. What was observed when, and by which source, stays as it was.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from filelock import FileLock, Timeout

from collectors import evidence, housekeeping, publish
from collectors.check import check
from collectors.model import Batch, CollectError, Row, Source
from collectors.quarantine import own_run
from collectors.quarantine.kept_wire import KeptWire
from collectors.registry import PASTS, SOURCES
from collectors.run import isolated
from collectors.under_way import Run
from storage import db, landing, ledger, quarantine, read, typed
from storage.ledger import Busy
from storage.merge import Landed, MergeCount
from storage.quarantine import BATCH, ROWS, Thing
from storage.records import StepRecord
from storage.settings import Settings
from storage.store_error import BUG
from storage.tables import OBSERVATION
from storage.texts import N_, say

log = logging.getLogger("collector")


class Stays(Exception):
    """Something cannot be accepted, and stays where it is: why, as a gettext id and its values."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message, self.values = message, values

    def said(self) -> str:
        """The reason in the current language."""
        return say(self.message, self.values)


@dataclass
class Accepted:
    """What came of it: the step of the run that stored it, None where none had to; of a batch that was put
    back, what was `merged`; by number, the rows that stay and why, and those that an earlier run stored."""

    step: StepRecord | None = None
    merged: Sequence[tuple[Landed, MergeCount]] = ()
    stays: dict[int, Stays] = field(default_factory=dict)
    already: dict[int, str] = field(default_factory=dict)


def accept(settings: Settings, thing: Thing, numbers: Sequence[int] = ()) -> Accepted:
    """Stores a thing, of rows those with these numbers (none: all). Raises Stays where nothing of it can
    be, Busy while a run is under way, StoreError."""
    with _alone(settings):
        log.info("[START] quarantine accept %s", thing.id)
        try:
            done = _accept(settings, thing, numbers)
        except Stays as why:
            log.error("[FAIL] quarantine accept %s: %s", thing.id, why.said())
            raise
        for n, reason in done.stays.items():
            log.error("[FAIL] quarantine accept %s row %s: %s", thing.id, n, reason.said())
        if done.step or not done.stays:
            log.info("[OK] quarantine accept %s run %s", thing.id, done.step.run_id if done.step else "-")
        read.remember(settings)
        if publish.stale(settings):
            publish.anew(settings)
    return done


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """No run is under way meanwhile, as `replay` has it. Raises Busy."""
    try:
        held = FileLock(ledger.lock_path(settings, "run"), timeout=1).acquire()
    except Timeout:
        raise Busy("") from None
    with held:
        yield


def _accept(settings: Settings, thing: Thing, numbers: Sequence[int]) -> Accepted:
    if not thing.path.exists():
        raise Stays(N_("It is not there any more."))
    if thing.kind == BATCH:
        return _put_back(settings, thing)
    said = quarantine.about(settings, thing)
    source = _source_of(settings, thing, said)
    at = _observed_at(settings, thing, said)
    done = Accepted()
    if thing.kind == ROWS:
        rows = _believed(source, quarantine.entries(said), numbers, done)
        if not rows:
            return _nothing(settings, thing, done)
    # Here it is told at once where the store is locked, damaged or the other one.
    db.migrate(settings)
    run = own_run.begun(settings)
    housekeeping.open_store(run, [source])
    if thing.kind == ROWS:
        # A few rows say nothing of the days between them, as a whole history would.
        source, batch = replace(source, history=None), Batch(list(rows.values()))
    else:
        batch, at = _read_again(run, source, thing, said, at)
    done.step = own_run.store(run, source, batch, at)
    if done.step.state == "failed":
        raise Stays(done.step.message or BUG, **done.step.values)
    quarantine.accept(settings, thing, run.run_id, list(rows) if thing.kind == ROWS else ())
    with suppress(db.StoreError):
        db.checkpoint(settings)
    return done


def _nothing(settings: Settings, thing: Thing, done: Accepted) -> Accepted:
    if done.already and not done.stays:
        # Killed before it was put aside.
        quarantine.accept(settings, thing, next(iter(done.already.values())))
    return done


# ---------------------------------------------------------------- what it is


def _source_of(settings: Settings, thing: Thing, said: Mapping[str, Any]) -> Source:
    name = str(said.get("source") or thing.step)
    if name in PASTS and thing.kind != ROWS:
        raise Stays(N_("The past can be had again: python collect.py backfill."))
    source = SOURCES.get(name) or PASTS.get(name)
    if source is None:
        raise Stays(N_("This version has no source {name}."), name=str(said.get("source") or thing.step)[:60])
    run = ledger.run(settings, thing.run_id)
    demo = said.get("demo", run.demo if run else settings.demo)
    if demo is not settings.demo:
        raise Stays(N_("Demo and real rows never meet: it belongs to the other store."))
    return source


def _observed_at(settings: Settings, thing: Thing, said: Mapping[str, Any]) -> datetime:
    """When the upstream said it; a file of an earlier version does not know, but its run began before."""
    with suppress(ValueError, TypeError):
        at = datetime.fromisoformat(str(said["observed_at"])) if "observed_at" in said else None
        if at is not None and at.tzinfo is not None:
            return at
    if "observed_at" in said:
        raise Stays(N_("It does not say when it was observed: its file was changed."))
    steps = [step for step in ledger.steps(settings, thing.run_id) if step.step == thing.step]
    began = steps[0].started_at if steps else None
    return (began or thing.at).astimezone(UTC)


def _believed(
    source: Source, entries: Sequence[Mapping[str, Any]], numbers: Sequence[int], done: Accepted
) -> dict[int, Row]:
    """The rows that can be stored, by number; the others go into `done`."""
    if not entries:
        raise Stays(N_("There is no row in it that can be read."))
    rows: dict[int, Row] = {}
    for n in numbers or range(1, len(entries) + 1):
        if not 1 <= n <= len(entries):
            done.stays[n] = Stays(N_("there is no such row; it has {n}"), n=len(entries))
        elif by := entries[n - 1].get("accepted"):
            done.already[n] = str(by)
        else:
            try:
                rows[n] = _row(source, entries[n - 1]["row"])
            except Stays as why:
                done.stays[n] = why
    return rows


def _row(source: Source, kept: Mapping[str, Any]) -> Row:
    try:
        row = typed.row(source.table, kept)
    except typed.Untyped as why:
        if why.missing:
            raise Stays(N_("it lacks {names}"), names=", ".join(why.missing)) from None
        raise Stays(N_("not of the type of its column: {names}"), names=", ".join(why.wrong)) from None
    if source.table is OBSERVATION and row["series"] not in {series.series for series in source.series}:
        raise Stays(N_("{source} has no series {name}"), source=source.name, name=str(row["series"])[:60])
    return row


def _read_again(
    run: Run, source: Source, thing: Thing, said: Mapping[str, Any], at: datetime
) -> tuple[Batch, datetime]:
    """The batch that today's parser and checks make of the kept answers, and its instant."""
    with isolated() as caught:
        ask = evidence.ask_of(run.settings, source, said, run.known, at)
        answers = evidence.answers_of(source, ask, quarantine.answers(thing, said), at)
        if source.collect:
            folder = run.settings.home / "cache" / source.upstream.name
            folder.mkdir(parents=True, exist_ok=True)
            batch = source.collect(KeptWire(answers, ask, folder), ask)
        else:
            assert source.parse is not None
            batch = source.parse(answers, ask)
        instants = [answer.at for answer in answers]
        caught.result = check(source, batch, run.known, max(instants)), min(instants)
    if isinstance(caught.error, CollectError):
        raise Stays(caught.error.message, **caught.error.values)
    if caught.error is not None and not said.get("answers"):
        raise Stays(N_("It was kept by an earlier version, without what was asked: it can only be dropped."))
    if caught.error is not None:
        log.error("%s: unexpected", source.name, exc_info=caught.error)
        raise Stays(BUG, error=type(caught.error).__name__)
    batch, at = caught.result
    if not batch.rows:
        raise Stays(N_("It can be read, but no row in it can be believed."))
    return batch, at


def _put_back(settings: Settings, thing: Thing) -> Accepted:
    """A batch that is whole again (its file was restored) waits to be merged, as it did, and is."""
    if not landing.whole(thing.path):
        raise Stays(
            N_("What the disk damaged is never believed: drop it. The next run asks for those days anew.")
        )
    landing.prepare(settings)
    os.replace(thing.path, landing.folder(settings) / thing.path.name)
    return Accepted(merged=housekeeping.replay(settings))
