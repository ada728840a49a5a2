"""A process that is killed without warning, at every named point and at random ones: whole or nothing."""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors import freshness
from storage import ledger, points
from storage.settings import load
from tests import child
from tests.upstream import FakeUpstream

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL of POSIX")
CYCLES = int(os.environ.get("KILL_CYCLES", "25"))
KILLED = -9
# The store is opened once before the sources are asked (1), then for the batches that have come (2, and
# mostly more), then to seal.
POINTS = [
    *points.NAMES,
    *("after_landing:4", "after_merge:2", "after_merge:5", "before_commit:2", "before_commit:3"),
    *("after_commit:2", "after_commit:3"),
]


@pytest.fixture(scope="module")
def up() -> Iterator[FakeUpstream]:
    with child.frozen_upstream() as fake:
        yield fake


@pytest.fixture(scope="module")
def unharmed(up: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> child.Content:
    """What a run leaves behind that nobody killed."""
    from storage.settings import Settings

    home = tmp_path_factory.mktemp("unharmed") / "home"
    done = child.collect(up, "crypto", COLLECTOR_HOME=str(home))
    assert done.code == 0, done.err
    return child.content(Settings(COLLECTOR_HOME=str(home), _env_file=None))  # type: ignore[call-arg]


@pytest.mark.parametrize("point", POINTS)
def test_a_run_killed_at_any_named_point_is_put_right_by_the_next(
    point: str, home: Path, up: FakeUpstream, unharmed: child.Content
) -> None:
    killed = child.collect(up, "crypto", FAULT_POINT=point)
    assert killed.code == KILLED, (killed.out, killed.err)
    (victim,) = ledger.runs(load())
    child.assert_whole()
    child.export()
    assert freshness.status(load()).problem is None
    # Nobody can tell a child that is slow to come from one that will never: it has its 20 s.
    child.turn_back(victim.run_id, "queued_at", 25)
    following = child.collect(up, "crypto")
    child.assert_good_end(following, unharmed)
    assert ledger.run(load(), victim.run_id).state == "interrupted"  # type: ignore[union-attr]
    child.assert_no_canary(killed, following)


def test_the_named_points_are_all_reached_by_a_run() -> None:
    tried = {point.partition(":")[0] for point in POINTS}
    assert tried == set(points.NAMES)


def test_a_run_killed_at_random_moments_loses_nothing_that_it_acknowledged(
    home: Path, up: FakeUpstream, unharmed: child.Content
) -> None:
    moments = random.Random(20261123)
    done = child.collect(up, "crypto")
    whole_s = done.finished["seconds"]  # type: ignore[index]
    acknowledged = []
    for _cycle in range(CYCLES):
        process = child.start(up, "crypto")
        time.sleep(0.25 + moments.random() * 1.2 * whole_s)
        process.send_signal(signal.SIGKILL)
        done = child.ended(process)
        child.assert_whole()
        child.export()
        if done.code == 0:
            child.assert_kept_promises(done)
            acknowledged.append(done.finished["run_id"])  # type: ignore[index]
        for queued in ledger.runs(load(), 1, state="queued"):
            child.turn_back(queued.run_id, "queued_at", 25)
    child.assert_good_end(child.collect(up, "crypto"), unharmed)
    states = {run.run_id: run.state for run in ledger.runs(load(), 1000)}
    assert set(states.values()) <= {"ok", "interrupted"}
    assert {states[run_id] for run_id in acknowledged} <= {"ok"}
    assert {run for run, _step in child.receipts()} >= set(acknowledged)


def test_a_reader_never_sees_half_an_export_while_exporters_are_killed(home: Path, up: FakeUpstream) -> None:
    assert child.collect(up, "crypto").code == 0
    moments, over, torn = random.Random(7), threading.Event(), []

    def read() -> int:
        seen = 0
        while not over.is_set():
            try:
                child.export()
            except ValueError as error:
                torn.append(error)
            seen += 1
        return seen

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _cycle in range(max(4, CYCLES // 4)):
            exporters = [child.python(EXPORTING, up=up) for _ in range(2)]
            for one in exporters:
                assert one.stdout is not None and one.stdout.readline() == "exporting\n"
            time.sleep(moments.random() * 0.5)
            for one in exporters:
                one.kill()
                one.communicate()
    finally:
        over.set()
        reader.join()
    assert torn == []
    assert child.collect(up, "export").code == 0
    assert child.export() is not None
    assert child.halves() == []


EXPORTING = """
import sys
sys.path.insert(0, ".")
import collect
from collectors import freshness
from storage import export
from storage.settings import load
settings = load()
built = export.build(settings, "run", [], freshness.status_json(settings, freshness.status(settings)))
print("exporting", flush=True)
while True:
    export.write(settings, built)
"""
