"""Batches that wait for the store are merged in one transaction, and none of them costs another."""

import queue
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from collectors import keep, run
from storage import db, ledger, merge, points
from storage.settings import load
from storage.store_error import StoreBusy, StoreError
from tests import child
from tests.desk import Desk
from tests.upstream import FakeUpstream

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
STEPS = {
    "coingecko.markets",
    "coingecko.global",
    "defillama.total_tvl",
    "defillama.protocols",
    "alternative_me.fear_greed",
}
# Whose batch something is wrong with.
ONE = "defillama.total_tvl"


@pytest.fixture
def desk(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    with FakeUpstream(clock=NOW) as up:
        yield Desk(up, monkeypatch, capsys, NOW)


@pytest.fixture
def all_wait(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The store is slow: everything has come in before anything is merged. Which steps went together."""
    together: list[list[str]] = []
    finish, some = run._finish, []

    def patient(under_way: Any, fetched: Any) -> Any:
        some.extend(fetched)
        # One step more is skipped: its source takes a key.
        if len(some) <= len(STEPS):
            return {}
        all_of_them = [*some]
        some.clear()
        return finish(under_way, all_of_them)

    merged = keep.merged

    def told(under_way: Any, waiting: Any, **how: bool) -> Any:
        together.append([kept.step.step for kept in waiting])
        return merged(under_way, waiting, **how)

    monkeypatch.setattr(run, "_finish", patient)
    monkeypatch.setattr(run, "merged", told)
    return together


def spoilt(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """The merge of one batch goes wrong after it has written."""
    true = merge.merge

    def broken(connection: Any, landed: merge.Landed, now: datetime) -> merge.MergeCount:
        count = true(connection, landed, now)
        if landed.step == ONE:
            raise error
        return count

    monkeypatch.setattr(merge, "merge", broken)


def states() -> dict[str, str]:
    (newest, *_rest) = ledger.runs(load())
    return {step.step: step.state for step in ledger.steps(load(), newest.run_id)}


def receipts() -> set[str]:
    with db.reader(load()) as connection:
        return {str(step) for (step,) in connection.execute("SELECT step FROM receipt").fetchall()}


def test_what_waits_for_the_store_is_merged_in_one_transaction(
    desk: Desk, all_wait: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[str] = []
    monkeypatch.setattr(points, "reach", reached.append)
    code, said = desk.collect(NOW, "crypto")
    assert code == 0, said
    (group,) = all_wait
    assert set(group) == STEPS == receipts()
    assert reached.count("after_merge") == len(STEPS) and reached.count("after_receipt") == 1
    # Opened for itself, for the five batches, and to seal the days.
    assert reached.count("before_commit") == 3


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (duckdb.ConstraintException("a row that cannot be"), "failed"),
        (LookupError("nobody thought of this"), "failed"),
        (StoreError("schema", "Demo and real rows never meet."), "failed"),
        (duckdb.IOException("No space left on device"), "pending"),
        (StoreError("full", "The disk is full."), "pending"),
    ],
)
def test_a_batch_that_cannot_be_merged_costs_none_that_wait_with_it(
    desk: Desk, all_wait: list[list[str]], monkeypatch: pytest.MonkeyPatch, error: Exception, state: str
) -> None:
    with monkeypatch.context() as broken:
        spoilt(broken, error)
        code, said = desk.collect(NOW, "crypto")
    assert code == 1, said
    assert [len(group) for group in all_wait] == [5, 1, 1, 1, 1, 1]
    assert receipts() == STEPS - {ONE}
    with db.reader(load()) as connection:
        left = connection.execute("SELECT count(*) FROM observation WHERE source = ?", [ONE]).fetchall()
    assert left == [(0,)]
    found = states()
    assert found.pop(ONE) == state
    assert {state for step, state in found.items() if step in STEPS} == {"ok"}
    # Why they went one by one is told.
    assert "merged one by one: 5 together came to " in child.log_text()
    code, said = desk.collect(NOW + timedelta(minutes=1), "crypto")
    assert code == 0, said
    assert receipts() == STEPS and states()[ONE] == "ok"


def test_what_was_merged_before_the_trouble_is_told_as_merged(
    desk: Desk, all_wait: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit went through, then something went wrong: each is looked at again, and has its receipt."""
    reached: list[str] = []

    def reach(name: str) -> None:
        reached.append(name)
        if name == "after_commit" and reached.count("after_merge") == len(STEPS):
            raise duckdb.IOException("No space left on device")

    monkeypatch.setattr(points, "reach", reach)
    code, said = desk.collect(NOW, "crypto")
    assert code == 0, said
    assert reached.count("after_merge") == 2 * len(STEPS)
    assert {state for step, state in states().items() if step in STEPS} == {"ok"}
    (newest, *_rest) = ledger.runs(load())
    assert newest.counts.inserted > 50
    with db.reader(load()) as connection:
        twice = connection.execute(
            "SELECT count(*) - count(DISTINCT (run_id, step, name, subject)) FROM check_result"
        ).fetchall()
    assert twice == [(0,)]


def test_all_that_was_merged_together_is_told_at_once(
    desk: Desk, all_wait: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[list[str]] = []
    true = ledger.steps_finished

    def told(settings: Any, steps: Any) -> None:
        written.append([step.step for step in steps])
        true(settings, steps)

    monkeypatch.setattr(ledger, "steps_finished", told)
    assert desk.collect(NOW, "crypto")[0] == 0
    assert [set(group) for group in written] == [STEPS | {"coingecko.closes"}]


def test_with_the_store_locked_all_that_waits_together_is_pending_after_one_wait(
    desk: Desk, all_wait: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def locked(_connection: Any, _landed: merge.Landed, _now: datetime) -> merge.MergeCount:
        asked.append(1)
        raise StoreBusy("busy", "The store is open in another program.")

    with monkeypatch.context() as broken:
        broken.setattr(merge, "merge", locked)
        code, said = desk.collect(NOW, "crypto")
    assert code == 1, said
    assert len(all_wait) == len(asked) == 1
    assert {state for step, state in states().items() if step in STEPS} == {"pending"}
    assert receipts() == set()
    assert desk.collect(NOW, "replay")[0] == 0
    assert receipts() == STEPS


def test_no_more_go_together_than_a_reader_can_wait_for() -> None:
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for n in range(3 * run.TOGETHER):
        done.put(n)
    assert run._waiting(done) == list(range(run.TOGETHER - 1))
    left: Callable[[], int] = done.qsize
    assert left() == 2 * run.TOGETHER + 1
    while not done.empty():
        done.get()
    assert run._waiting(done) == []
