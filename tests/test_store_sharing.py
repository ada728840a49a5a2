"""One process and the store: its readers share it, its writer has it alone, and a wait holds nothing up."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from storage import db, ledger, read
from storage.settings import Settings, load
from tests import child


@pytest.fixture
def store(home: Path) -> Settings:
    settings = load()
    db.migrate(settings)
    return settings


@contextmanager
def in_another_thread(opened: object) -> Iterator[None]:
    """A thread of this process has the store open while the block runs."""
    there, over = threading.Event(), threading.Event()

    def hold() -> None:
        with opened:  # type: ignore[attr-defined]
            there.set()
            over.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert there.wait(10)
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_reader_is_not_told_busy_because_another_one_reads(store: Settings) -> None:
    with in_another_thread(db.reader(store)), db.reader(store, wait_s=0.0) as connection:
        assert connection.execute("SELECT count(*) FROM receipt").fetchone() == (0,)
        assert read.stored(store, 0.0).problem is None


def test_readers_that_follow_each_other_without_a_pause_let_others_have_their_turn(
    store: Settings,
) -> None:
    over, problems = threading.Event(), []

    def pages() -> None:
        while not over.is_set():
            try:
                with db.reader(store, wait_s=2.0) as connection:
                    connection.execute("SELECT 1")
                    time.sleep(0.02)
            except db.StoreError as problem:
                problems.append(problem)

    threads = [threading.Thread(target=pages) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            with db.writer(store, wait_s=5.0) as connection:
                connection.execute("UPDATE meta SET created_at = now()")
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert problems == []


def test_a_reader_and_a_writer_of_one_process_exclude_each_other(store: Settings) -> None:
    with in_another_thread(db.reader(store)), pytest.raises(db.StoreBusy), db.writer(store, wait_s=0.3):
        pytest.fail("a writer beside a reader")
    with in_another_thread(db.writer(store)), pytest.raises(db.StoreBusy), db.reader(store, wait_s=0.3):
        pytest.fail("a reader beside a writer")
    with db.writer(store, wait_s=0.0), pytest.raises(db.StoreBusy), db.writer(store, wait_s=0.0):
        pytest.fail("two writers")


def test_the_store_is_well_while_this_very_process_uses_it(store: Settings) -> None:
    for opened in (db.writer(store), db.reader(store)):
        with in_another_thread(opened):
            # Longer than a reader may be joined.
            time.sleep(0.3)
            assert read.probe(store) == "ok"
    with child.store_open_elsewhere():
        assert read.probe(store) == "busy"
    assert read.probe(store) == "ok"


def test_two_stores_are_open_one_after_the_other(store: Settings, home: Path) -> None:
    other = Settings(COLLECTOR_HOME=str(home / "other"), _env_file=None)  # type: ignore[call-arg]
    db.migrate(other)
    with in_another_thread(db.reader(store)), pytest.raises(db.StoreBusy), db.reader(other, wait_s=0.1):
        pytest.fail("one for the other")
    with db.reader(other, wait_s=0.0) as connection:
        assert connection.execute("SELECT count(*) FROM receipt").fetchone() == (0,)


# ---------------------------------------------------------------- waiting


def test_whoever_may_stop_a_run_is_not_held_up_while_it_waits_for_the_store(store: Settings) -> None:
    quiet, ended = threading.Lock(), threading.Event()
    problems: list[db.StoreError] = []

    def write() -> None:
        for opening in (lambda: db.writer(store, 0.5, quiet), lambda: checkpointing(store, quiet)):
            try:
                with opening():
                    pytest.fail("written beside another program")
            except db.StoreError as problem:
                problems.append(problem)
        ended.set()

    with child.store_open_elsewhere():
        thread = threading.Thread(target=write)
        thread.start()
        while not ended.wait(0.01):
            assert not quiet.locked()
        thread.join()
    assert [type(problem) for problem in problems] == [db.StoreBusy] * 2
    with db.writer(store, 0.5, quiet):
        assert quiet.locked()
    assert not quiet.locked()


@contextmanager
def checkpointing(settings: Settings, quiet: threading.Lock) -> Iterator[None]:
    db.checkpoint(settings, 0.5, quiet)
    yield


def test_a_transaction_that_fails_leaves_the_quiet_behind(store: Settings) -> None:
    quiet = threading.Lock()
    with pytest.raises(ZeroDivisionError), db.writer(store, 0.5, quiet):
        raise ZeroDivisionError
    assert not quiet.locked()


def test_the_waits_for_our_lock_and_for_the_file_are_one(store: Settings) -> None:
    held = FileLock(ledger.lock_path(store, "store"), thread_local=False)
    held.acquire()
    threading.Timer(0.8, held.release, kwargs={"force": True}).start()
    with child.store_open_elsewhere():
        began = time.monotonic()
        with pytest.raises(db.StoreBusy), db.writer(store, 1.0):
            pytest.fail("written beside another program")
        assert time.monotonic() - began < 1.5


def test_a_run_that_waits_for_the_store_is_cancelled_without_waiting_for_it(home: Path) -> None:
    with child.frozen_upstream() as up:
        assert child.collect(up, "crypto").code == 0
        with child.store_open_elsewhere():
            process = child.start(up, "crypto")
            run = child.eventually(child.live)
            assert ledger.cancel(load(), run.run_id)
            began = time.monotonic()
            done = child.ended(process)
            assert time.monotonic() - began < 2
    assert (done.code, done.err) == (130, "")
    child.assert_settled()
