"""Several processes at once, and processes that are told to stop: one runs, and none leaves a mess."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from collectors import launch
from storage import ledger
from storage.settings import Settings, load
from tests import child
from tests.upstream import FakeUpstream, Fault

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and permissions of POSIX")
MOOD = ("alternative_me", "/fng")


@pytest.fixture(scope="module")
def market() -> Iterator[FakeUpstream]:
    with child.frozen_upstream() as fake:
        yield fake


@pytest.fixture
def up(market: FakeUpstream) -> Iterator[FakeUpstream]:
    yield market
    market.clear_faults()
    market.reset_counts()


@contextmanager
def gated(up: FakeUpstream) -> Iterator[threading.Event]:
    """Fear & Greed answers only when the gate is open: a run lasts as long as the test wants."""
    gate = threading.Event()
    up.fault(*MOOD, Fault.mutate(lambda payload: gate.wait(60) and payload))
    try:
        yield gate
    finally:
        gate.set()


def waiting_for_mood(up: FakeUpstream) -> None:
    """Until a run has merged everything else and waits at the gate."""
    child.eventually(lambda: up.count(*MOOD))
    run = child.eventually(child.live)
    child.eventually(lambda: sum(step.state == "ok" for step in ledger.steps(load(), run.run_id)) == 4)


# ---------------------------------------------------------------- one at a time


def test_of_starts_in_the_same_instant_one_runs_and_the_others_are_told_busy(
    home: Path, up: FakeUpstream
) -> None:
    for n in range(5):
        # A fresh home: even who makes the ledger is a race.
        os.environ["COLLECTOR_HOME"] = str(home / str(n))
        with gated(up) as gate:
            starts = [child.start(up, "crypto") for _ in range(3)]
            child.eventually(lambda starts=starts: sum(one.poll() is not None for one in starts) == 2)
            gate.set()
            done = [child.ended(one) for one in starts]
        up.clear_faults()
        assert sorted(one.code for one in done) == [0, 75, 75], [one.err for one in done]
        assert [one.err for one in done] == ["", "", ""]
        rows = [(run.state, run.reason, run.exit_code) for run in ledger.runs(load())]
        assert sorted(rows, key=str) == [("ok", None, 0), *[("skipped", "busy", 75)] * 2]
        for one in done:
            assert one.finished is not None and one.finished["exit_code"] == one.code


def test_who_waits_runs_when_the_other_has_ended(home: Path, up: FakeUpstream) -> None:
    with gated(up) as gate:
        first = child.start(up, "crypto")
        waiting_for_mood(up)
        second = child.start(up, "crypto", "--wait", "60")
        time.sleep(1.5)
        assert second.poll() is None
        gate.set()
        earlier, later = child.ended(first).finished, child.ended(second).finished
    assert earlier is not None and later is not None
    assert (earlier["state"], later["state"]) == ("ok", "ok")
    assert later["started_at"] >= earlier["finished_at"]


POLLING = """
import sys, threading, time
sys.path.insert(0, ".")
from pathlib import Path
from collectors import freshness
from storage.settings import load
settings, looks, until = load(), [], Path(sys.argv[1])
def poll():
    while not until.exists():
        looks.append(freshness.status(settings).problem)
        time.sleep(0.05)
threads = [threading.Thread(target=poll) for _ in range(5)]
[one.start() for one in threads]
print("polling", flush=True)
[one.join() for one in threads]
print(len(looks), sum(problem is not None for problem in looks))
"""


def test_readers_that_poll_the_state_make_no_start_fail(home: Path, up: FakeUpstream, tmp_path: Path) -> None:
    # The readers begin where nothing is there yet.
    with child.python(POLLING, str(tmp_path / "over"), up=up) as readers:
        assert readers.stdout is not None and readers.stdout.readline() == "polling\n"
        done = [child.collect(up, "crypto") for _ in range(2)]
        # Fresh by now: nothing is collected, but every start takes its turn in ledger and lock.
        done += [child.collect(up, "crypto", "--trigger", "schedule") for _ in range(8)]
        (tmp_path / "over").touch()
        polled = child.ended(readers)
    assert [(one.code, one.err) for one in done] == [(0, "")] * 10
    assert polled.err == ""
    looks, problems = map(int, polled.out.split())
    assert (looks > 50, problems) == (True, 0)
    assert [run.state for run in ledger.runs(load())] == ["skipped"] * 8 + ["ok"] * 2
    child.assert_whole()


@posix
def test_the_lock_of_a_killed_run_is_free_at_once(home: Path, up: FakeUpstream) -> None:
    with gated(up):
        victim = child.start(up, "crypto")
        waiting_for_mood(up)
        run = child.live()
        victim.kill()
        child.ended(victim)
    up.clear_faults()
    following = child.collect(up, "crypto")
    assert (following.code, following.err) == (0, "")
    assert run is not None
    assert ledger.run(load(), run.run_id).state == "interrupted"  # type: ignore[union-attr]
    assert {step.state for step in ledger.steps(load(), run.run_id)} == {"ok", "failed", "skipped"}


def test_the_lock_of_a_run_killed_after_its_last_word_is_cleared_away(home: Path, up: FakeUpstream) -> None:
    left = ledger.lock_path(load(), "20260101-000000-abcdef")
    left.parent.mkdir(parents=True)
    left.touch()
    assert child.collect(up, "crypto").code == 0
    assert not left.exists()
    child.assert_settled()


# ---------------------------------------------------------------- rows whose process is gone


def reserved(settings: Settings, run_id: str = "20260101-000000-abcdef") -> str:
    ledger.reserve(settings, run_id, ["crypto"], "console")
    return run_id


def state(settings: Settings, run_id: str) -> str:
    """As the next look finds it."""
    ledger.running(settings)
    found = ledger.run(settings, run_id)
    assert found is not None
    return found.state


@pytest.mark.parametrize(("age_s", "expected"), [(15, "queued"), (25, "interrupted"), (-25, "interrupted")])
def test_a_queued_row_that_nobody_claims_in_20_s_is_interrupted(
    age_s: float, expected: str, home: Path
) -> None:
    settings = load()
    run_id = reserved(settings)
    child.turn_back(run_id, "queued_at", age_s)
    assert state(settings, run_id) == expected
    assert ledger.claim(settings, run_id, os.getpid()) is (expected == "queued")


@pytest.mark.parametrize("lock_left", [True, False])
@pytest.mark.parametrize("heartbeat", [True, False])
def test_a_running_row_without_a_holder_of_its_lock_is_interrupted_whatever_its_pid(
    lock_left: bool, heartbeat: bool, home: Path
) -> None:
    settings = load()
    run_id = reserved(settings)
    lock = ledger.lock_path(settings, run_id)
    with FileLock(lock):
        # This very process is alive: a pid that was given to somebody else proves nothing.
        assert ledger.claim(settings, run_id, os.getpid())
        assert state(settings, run_id) == "running"
    if not lock_left:
        lock.unlink(missing_ok=True)
    if not heartbeat:
        with ledger.connect(settings) as connection:
            connection.execute("UPDATE run SET heartbeat_at=NULL")
        connection.close()
    assert state(settings, run_id) == "interrupted"
    child.assert_settled()
    reserved(settings, "20260101-000001-abcdef")


def test_a_step_of_a_run_that_has_ended_does_not_begin(home: Path) -> None:
    """A thread that was about to ask goes on for a moment after its run was stopped."""
    settings = load()
    late = ledger.StepRecord("20260101-000000-abcdef", 1, "a.step", "crypto", "a.step", "observation")
    reserved(settings, late.run_id)
    assert ledger.claim(settings, late.run_id, os.getpid())
    assert ledger.step_started(settings, late)
    assert [step.state for step in ledger.steps(settings, late.run_id)] == ["running"]
    ledger.finish(settings, late.run_id, "interrupted", 143, {})
    assert not ledger.step_started(settings, late)
    assert not ledger.step_started(settings, replace(late, n=2, step="another.step"))
    assert [step.state for step in ledger.steps(settings, late.run_id)] == ["failed"]


# ---------------------------------------------------------------- being stopped


Stop = Callable[["subprocess.Popen[str]"], object]


def twice(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)


def cancelled(_process: "subprocess.Popen[str]") -> None:
    run = child.live()
    assert run is not None and ledger.cancel(load(), run.run_id)


STOPS: dict[str, tuple[Stop, int, str, float]] = {
    "SIGTERM": (lambda process: process.send_signal(signal.SIGTERM), 143, "interrupted", 10),
    "SIGTERM twice": (twice, 143, "interrupted", 10),
    "SIGINT": (lambda process: process.send_signal(signal.SIGINT), 130, "cancelled", 10),
    "cancel": (cancelled, 130, "cancelled", 5),
}
each_stop = pytest.mark.parametrize("stop", STOPS)


def assert_stopped(process: "subprocess.Popen[str]", stop: str) -> child.Done:
    act, code, word, within_s = STOPS[stop]
    run = child.live()
    began = time.monotonic()
    act(process)
    done = child.ended(process)
    assert time.monotonic() - began < within_s
    assert (done.code, done.err) == (code, "")
    assert run is not None
    found = ledger.run(load(), run.run_id)
    assert found is not None and (found.state, found.exit_code) == (word, code)
    assert not [step for step in ledger.steps(load(), run.run_id) if step.state == "running"]
    child.assert_settled()
    child.assert_whole()
    assert child.halves() == []
    return done


@posix
@each_stop
def test_a_run_stops_when_told_to_while_an_upstream_hangs(stop: str, home: Path, up: FakeUpstream) -> None:
    up.fault(*MOOD, Fault.hang(60))
    process = child.start(up, "crypto")
    waiting_for_mood(up)
    done = assert_stopped(process, stop)
    assert done.finished is not None and done.finished["state"] == STOPS[stop][2]
    child.assert_kept_promises(done)
    assert len(child.receipts()) == 4


SLOW_COMMIT = """
import os, sys, time
sys.path.insert(0, ".")
import collect
from storage import points
reach, times = points.reach, []
def slowly(name):
    reach(name)
    times.append(name)
    merged = times.count("after_merge")
    if name == "before_commit" and merged and "slow" not in times:
        times.append("slow")
        with open(sys.argv[1] + ".part", "w") as told:
            told.write(str(merged))
        os.replace(sys.argv[1] + ".part", sys.argv[1])
        time.sleep(1.5)
points.reach = slowly
try:
    code = collect.main(["crypto", "--json"])
except KeyboardInterrupt:
    code = 130
sys.exit(code)
"""


@posix
@each_stop
def test_a_transaction_under_way_is_whole_or_gone_when_a_run_stops(
    stop: str, home: Path, up: FakeUpstream, tmp_path: Path
) -> None:
    process = child.python(SLOW_COMMIT, str(tmp_path / "there"), up=up)
    child.eventually((tmp_path / "there").exists)
    assert_stopped(process, stop)
    merged = int((tmp_path / "there").read_text())
    # A cancel waits for the commit; a signal rolls it back, and what was in it stays landed.
    assert len(child.receipts()) == (merged if stop == "cancel" else 0)
    assert len(list((home / "landing").glob("*.parquet"))) >= merged >= 1


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_who_waits_for_another_run_can_be_stopped_too(
    number: signal.Signals, code: int, home: Path, up: FakeUpstream
) -> None:
    with gated(up) as gate:
        first = child.start(up, "crypto")
        waiting_for_mood(up)
        second = child.start(up, "crypto", "--wait", "60")
        time.sleep(1.5)
        second.send_signal(number)
        assert (child.ended(second, 10).code, second.poll()) == (code, code)
        gate.set()
        assert child.ended(first).code == 0
    assert [run.state for run in ledger.runs(load())] == ["ok"]


@posix
@pytest.mark.parametrize("stop", ["SIGTERM", "SIGINT", "cancel"])
def test_a_queued_run_that_waits_for_the_lock_can_be_stopped(stop: str, home: Path, up: FakeUpstream) -> None:
    settings = load()
    ledger.connect(settings).close()
    with FileLock(ledger.lock_path(settings, "run")):
        process = child.start(up, "crypto", "--wait", "60")
        (queued,) = child.eventually(lambda: ledger.runs(settings, state="queued"))
        act, code, word, within_s = STOPS[stop]
        if stop == "cancel":
            assert ledger.cancel(settings, queued.run_id)
        else:
            act(process)
        done = child.ended(process, within_s)
    assert (done.code, done.err) == (code, "")
    found = ledger.run(settings, queued.run_id)
    assert found is not None and (found.state, found.exit_code) == (word, code)
    child.assert_settled()


@pytest.mark.parametrize(("wait", "code", "word"), [("60", 0, "ok"), ("4", 75, "skipped")])
def test_who_waits_for_its_turn_is_not_taken_for_a_child_that_never_came(
    wait: str, code: int, word: str, home: Path, up: FakeUpstream
) -> None:
    settings = load()
    ledger.connect(settings).close()
    # As `collect.py replay` holds it.
    with FileLock(ledger.lock_path(settings, "run")):
        process = child.start(up, "crypto", "--trigger", "schedule", "--wait", wait)
        (queued,) = child.eventually(lambda: ledger.runs(settings, state="queued"))
        child.eventually(lambda: ledger.alive(settings, queued.run_id))
        child.turn_back(queued.run_id, "queued_at", 25)
        assert state(settings, queued.run_id) == "queued"
        with pytest.raises(ledger.Busy):
            reserved(settings)
        if code:
            process.wait(20)
    done = child.ended(process)
    assert (done.code, done.err) == (code, "")
    assert done.finished is not None and done.finished["state"] == word
    assert [run.state for run in ledger.runs(settings)] == [word]
    child.assert_settled()


def test_a_child_that_comes_too_late_says_so(home: Path, up: FakeUpstream) -> None:
    settings = load()
    run_id = reserved(settings)
    child.turn_back(run_id, "queued_at", 25)
    assert state(settings, run_id) == "interrupted"
    done = child.collect(up, "crypto", "--run-id", run_id)
    assert (done.code, done.err) == (75, "")
    assert done.finished is not None and done.finished["state"] == "interrupted"
    child.assert_settled()


# ---------------------------------------------------------------- time and place


@pytest.fixture(scope="module")
def plain(market: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> child.Content:
    """What a run stores with nothing special about it."""
    folder = tmp_path_factory.mktemp("plain") / "home"
    done = child.collect(market, "crypto", COLLECTOR_HOME=str(folder), TZ="UTC")
    assert done.code == 0, done.err
    return child.content(Settings(COLLECTOR_HOME=str(folder), _env_file=None))  # type: ignore[call-arg]


@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York", "Nowhere/At_All"])
def test_the_zone_of_the_machine_changes_nothing_that_is_stored(
    zone: str, home: Path, up: FakeUpstream, plain: child.Content
) -> None:
    child.assert_good_end(child.collect(up, "crypto", TZ=zone), plain)


@pytest.mark.parametrize("folder", ["with spaces", "데이터", "o'clock [1] {a,b}"])
def test_a_home_may_have_any_name(
    folder: str, home: Path, tmp_path: Path, up: FakeUpstream, plain: child.Content
) -> None:
    os.environ["COLLECTOR_HOME"] = str(tmp_path / folder / "home")
    child.assert_good_end(child.collect(up, "crypto"), plain)
    again = child.collect(up, "crypto", LC_ALL="C", PYTHONIOENCODING="ascii")
    child.assert_good_end(again, plain)
    assert again.finished is not None and again.finished["counts"]["inserted"] == 0


@posix
def test_nobody_has_to_listen_and_no_home_directory_has_to_be_known(
    home: Path, up: FakeUpstream, plain: child.Content
) -> None:
    home.mkdir()
    # In the place of the log's folder: it can be neither made nor written.
    (home / "logs").write_text("")
    env = {name: value for name, value in child.environment(up).items() if name != "HOME"}
    command = f"exec '{sys.executable}' '{child.ROOT / 'collect.py'}' crypto"
    for closed in (">&-", ">&- 2>&-", "<&- >&- 2>&-"):
        code = subprocess.run(
            ["sh", "-c", f"{command} {closed}"], env=env, timeout=60, check=False
        ).returncode
        assert code == 0, closed
        assert child.content() == plain
    pipe = subprocess.Popen(
        ["sh", "-c", f"{command} --json"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert pipe.stdout is not None and pipe.stderr is not None
    pipe.stdout.close()
    assert pipe.wait(60) == 0
    assert pipe.stderr.read() == ""
    pipe.stderr.close()
    assert [run.state for run in ledger.runs(load())] == ["ok"] * 4


def test_when_the_time_of_the_run_is_over_the_rest_is_kept(home: Path, up: FakeUpstream) -> None:
    up.fault(*MOOD, Fault.hang(60))
    done = child.collect(up, "crypto", COLLECTOR_DEADLINE_S="3")
    assert done.code == 1, done.err
    assert done.finished is not None and done.finished["seconds"] < 5
    late = done.steps["alternative_me.fear_greed"]
    assert (late["state"], late["kind"], late["code"]) == ("failed", "unavailable", "deadline")
    assert {step for step, event in done.steps.items() if event["state"] == "ok"} == {
        "coingecko.markets",
        "coingecko.global",
        "defillama.total_tvl",
        "defillama.protocols",
        "export",
    }
    child.assert_whole()
    child.assert_settled()
    assert child.export() is not None


# ---------------------------------------------------------------- started by a button


LAUNCHING = """
import sys
sys.path.insert(0, ".")
from collectors import launch
from storage.settings import load
print(launch.launch(load(), ["crypto"], "console"), flush=True)
"""


def test_a_launched_run_goes_on_when_who_launched_it_is_gone(home: Path, up: FakeUpstream) -> None:
    with gated(up) as gate:
        parent = child.ended(child.python(LAUNCHING, up=up))
        assert (parent.code, parent.err) == (0, "")
        run_id = parent.out.strip()
        settings = load()
        waiting_for_mood(up)
        with pytest.raises(ledger.Busy) as busy:
            launch.launch(settings, ["crypto"], "console")
        assert busy.value.run_id == run_id
        gate.set()
        child.eventually(lambda: ledger.running(settings) is None)
    found = ledger.run(settings, run_id)
    assert found is not None and (found.state, found.exit_code, found.trigger) == ("ok", 0, "console")
    assert [run.run_id for run in ledger.runs(settings)] == [run_id]
    exported = child.export()
    assert exported is not None and exported["run_id"] == run_id
    assert json.dumps(exported["status"]["running"]) == "null"
